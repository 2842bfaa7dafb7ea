//! What malloc keeps of freed memory: another allocator or fewer arenas, never more memory (OOM901).

use super::by_version::variable;
use super::proof::{Case, Draft};
use super::{Advice, Step};
use crate::model::Deployment;

const SOURCE: &str = "FLINK-19125, https://github.com/apache/flink-docker/pull/42: jemalloc in the official image \
                      since 1.12; measured: Flink 1.20.5 and 2.3.0 with one arena";

/// OOM901.
pub(super) fn retained(case: &Case<'_>, advice: &mut Advice) {
    fewer_arenas(case, advice);
    jemalloc(case, advice);
    advice.refused.push("more memory: what malloc keeps grows into whatever it is given".to_owned());
}

/// Both cures of arenas, where the process has glibc's malloc or may well have it.
pub(super) fn offer(case: &Case<'_>, advice: &mut Advice) {
    let may_be_glibc = case.patient.question.deployment != Deployment::Kubernetes && !jemalloc_is_set(case);
    if case.patient.evidence.glibc.unwrap_or(may_be_glibc) {
        fewer_arenas(case, advice);
        jemalloc(case, advice);
    }
}

fn jemalloc_is_set(case: &Case<'_>) -> bool {
    let keys = ["containerized.taskmanager.env.LD_PRELOAD", "containerized.master.env.LD_PRELOAD"];
    keys.iter().filter_map(|key| case.value(key)).any(|value| value.contains("jemalloc"))
}

fn fewer_arenas(case: &Case<'_>, advice: &mut Advice) {
    case.offer(
        advice,
        Draft {
            title: "one arena of glibc's malloc".to_owned(),
            steps: vec![variable(case, "MALLOC_ARENA_MAX", "1")],
            risk: "threads that allocate much at once wait for one another; RocksDB's and netty's own pools do not"
                .to_owned(),
            watch: "anonymous mappings of 64 MiB in /proc/PID/smaps: there should be none".to_owned(),
            why: "glibc gives a thread an arena of up to 64 MiB, eight for each core of the host, and keeps what was \
                  freed in it"
                .to_owned(),
            source: SOURCE,
            ..Draft::default()
        },
    );
}

fn jemalloc(case: &Case<'_>, advice: &mut Advice) {
    let (step, how) = match case.patient.question.deployment {
        Deployment::Kubernetes if case.patient.profile.behaviour.image_jemalloc => (
            Step::advice("start the pods without DISABLE_JEMALLOC=true, or from the official image"),
            "the official image preloads it unless DISABLE_JEMALLOC is true",
        ),
        _ => (
            variable(case, "LD_PRELOAD", "/usr/lib/x86_64-linux-gnu/libjemalloc.so.2"),
            "the library has to be there on every node; its path is another one on other distributions",
        ),
    };
    case.offer(
        advice,
        Draft {
            title: "jemalloc in the place of glibc's malloc".to_owned(),
            steps: vec![step],
            risk: format!("{how}; JDK 8u192 has deadlocked with jemalloc 5.3 and not with 4.5"),
            watch: "resident memory over several restarts of the job".to_owned(),
            why: "jemalloc gives freed memory back, and its arenas do not stay with threads that ended".to_owned(),
            source: SOURCE,
            ..Draft::default()
        },
    );
}
