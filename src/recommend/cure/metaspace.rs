//! Classes (OOM907, OOM948, OOM949).

use super::amount;
use super::by_version::java_flag;
use super::proof::{Case, Draft, Room};
use super::{Advice, Step, job_code, mib};
use crate::model::{Bytes, Component};
use crate::recommend::option;

/// `TaskManagerOptions.JVM_METASPACE` by default, Flink 1.10.1 to 2.3 (FLINK-16406 raised it from 96 MiB).
const USUAL: Bytes = Bytes::mib(256);

/// Committed metaspace is above what is used: so many hundredths of it (`recommend::from_use`).
const FOR_USED: u64 = 150;

const SOURCE: &str = "FLINK-16406, https://github.com/apache/flink/pull/11300: the default of 96 MiB was too small \
                      and became 256 MiB; seen to work: 96m in the place of 44m (Flink 1.20.5)";

/// OOM907, OOM948.
pub(super) fn small(case: &Case<'_>, advice: &mut Advice) {
    if case.patient.evidence.leak {
        return leak(case, advice);
    }
    larger(case, advice, "a job with more generated classes than those that ran needs more");
    parent_first(case, advice);
    advice.refused.push("a larger heap or container alone: metaspace has a limit of its own".to_owned());
}

/// OOM949.
pub(super) fn class_space(case: &Case<'_>, advice: &mut Advice) {
    if case.patient.evidence.leak {
        return leak(case, advice);
    }
    // Below 1 GiB of metaspace the class space follows it; only above it has a size of its own.
    let metaspace = case.size(Room::Part(Component::JvmMetaspace));
    if metaspace.is_some_and(|size| size >= Bytes::gib(1)) || case.is_cut_off() {
        case.offer(
            advice,
            Draft {
                title: "a larger class space".to_owned(),
                steps: vec![java_flag(case, "-XX:CompressedClassSpaceSize=2g")],
                risk: "address space only; what is loaded counts to metaspace".to_owned(),
                watch: "class space in use (jcmd PID VM.metaspace)".to_owned(),
                why: "class headers live in a space of 1 GiB that is reserved at start".to_owned(),
                source: "HotSpot: -XX:CompressedClassSpaceSize, 1 GiB by default on 64 bits",
                ..Draft::default()
            },
        );
    } else {
        larger(case, advice, "the class space follows metaspace: HotSpot holds it to what metaspace may be");
    }
    parent_first(case, advice);
}

fn leak(case: &Case<'_>, advice: &mut Advice) {
    advice.refused.push("more metaspace: class loaders stay behind, and a larger one only fills later".to_owned());
    parent_first(case, advice);
    case.offer(
        advice,
        Draft {
            title: "close with the job what it opened".to_owned(),
            steps: vec![job_code::closed_with_the_job()],
            risk: "none for memory".to_owned(),
            watch: "ChildFirstClassLoader in jcmd PID VM.classloader_stats: no more of them than jobs that run"
                .to_owned(),
            why: "a thread, a driver or a static that outlives its job keeps its class loader and every class in it"
                .to_owned(),
            source: "FLINK-16246, FLINK-19259, https://github.com/apache/paimon/issues/9795, \
                     https://github.com/apache/iceberg/issues/3776",
            ..Draft::default()
        },
    );
    case.offer(
        advice,
        Draft {
            title: "a cluster for each job".to_owned(),
            steps: vec![Step::advice(
                "run the job in application mode: its TaskManagers end with it, and its classes with them",
            )],
            risk: "each job starts its own cluster, which takes longer".to_owned(),
            watch: "metaspace over a day of jobs".to_owned(),
            why: "classes are left behind by jobs that ended in a session that did not".to_owned(),
            source: "Flink's page on debugging class loading",
            ..Draft::default()
        },
    );
}

fn larger(case: &Case<'_>, advice: &mut Advice, risk: &str) {
    if case.is_cut_off() {
        let used = case.patient.evidence.metaspace_used.or(case.patient.limit);
        let size = used.map_or(USUAL, |used| amount::hundredths(used, FOR_USED).max(USUAL));
        let flag = format!("-XX:MaxMetaspaceSize={}m", size.get().div_ceil(1 << 20));
        case.offer(
            advice,
            Draft {
                title: "a higher limit of metaspace".to_owned(),
                steps: vec![java_flag(case, &flag)],
                risk: "no part of this version's budget pays for metaspace: the cut-off has to".to_owned(),
                watch: "metaspace in use".to_owned(),
                why: "this version sets no limit of metaspace: the one that was reached is in the JVM's options"
                    .to_owned(),
                source: SOURCE,
                ..Draft::default()
            },
        );
        return;
    }
    let key = option::frame(case.patient.role).metaspace;
    let size = case.size(Room::Part(Component::JvmMetaspace));
    let used = case.patient.evidence.metaspace_used.map(|used| (used, FOR_USED));
    let mut target = amount::target(case, Room::Part(Component::JvmMetaspace), used, Bytes::mib(64));
    let unknown = target.shortfall.is_none() && used.is_none();
    if size.is_none_or(|size| size < USUAL) && (unknown || target.size < USUAL) {
        target.size = USUAL;
        target.more = Some(format!(
            "{} is Flink's own default, and how many classes a job loads is not seen before it has loaded them",
            mib(USUAL)
        ));
        target.why = format!("{} is below Flink's default of {}", size.map_or("its limit".to_owned(), mib), mib(USUAL));
    }
    case.offer_within_and_beyond(
        advice,
        Draft {
            title: format!("metaspace of {}", mib(target.size)),
            steps: vec![Step::set(key.name(), option::text(target.size))],
            room: Some((Room::Part(Component::JvmMetaspace), target.shortfall)),
            more: target.more,
            risk: format!(
                "{risk}; where it grows with each job that is submitted, class loaders leak and size is no cure"
            ),
            watch: "metaspace in use after each submission: it returns to the same height".to_owned(),
            why: format!("the classes of Flink and the job did not fit; {}", target.why),
            source: SOURCE,
            ..Draft::default()
        },
    );
}

/// Drivers and file systems loaded once for the process, not once for each job.
fn parent_first(case: &Case<'_>, advice: &mut Advice) {
    let key = "classloader.parent-first-patterns.additional";
    let mut steps = vec![Step::advice(
        "put JDBC drivers, file systems and catalogs into Flink's lib folder in the place of the job's jar",
    )];
    let fails = "classloader.fail-on-metaspace-oom-error";
    if case.has(fails) && case.value(fails).is_some_and(|value| value.eq_ignore_ascii_case("false")) {
        steps.push(Step::set(fails, "true"));
    }
    if case.has(key) && case.value(key).is_none() {
        steps.push(Step::advice(format!(
            "name the packages of drivers that are in both in {key}, so that the process's copy is taken"
        )));
    }
    case.offer(
        advice,
        Draft {
            title: "drivers loaded once for the process".to_owned(),
            steps,
            risk: "jobs then share one version of each of them".to_owned(),
            watch: "the number of class loaders over several submissions".to_owned(),
            why: "each submission loads the job's jar anew, and drivers that register themselves keep the old \
                  copy"
                .to_owned(),
            source: "https://github.com/apache/paimon/issues/2780, https://github.com/apache/paimon/issues/9795; \
                     Flink's page on debugging class loading",
            ..Draft::default()
        },
    );
}
