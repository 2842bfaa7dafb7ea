//! What lies outside of heap and direct memory: JVM Overhead, which nothing enforces, and what fills a container when
//! nothing shows by what (OOM904, OOM912, OOM917, OOM918, OOM919, OOM940, OOM941).

use super::amount::{self, Target};
use super::by_version::java_flag;
use super::proof::{Case, Draft, Room};
use super::{Advice, Step, allocator, job_code, mib, python, store};
use crate::flink::keys;
use crate::flink::leaks::Leak;
use crate::model::{Bytes, Role};
use crate::plan::settings::Settings;
use crate::recommend::option;

/// The least that overhead gets more where nothing shows by how much it is short: the share that is held back from a
/// container of 2 GiB by default would otherwise get less than one arena of malloc.
const LEAST: Bytes = Bytes::mib(128);

const SOURCE: &str = "TaskManagerOptions.JVM_OVERHEAD_FRACTION, Flink 1.10 to 2.3: nothing enforces JVM Overhead, so \
                      it has to be what is used; seen to work: 1024m to 2048m for a job that grew outside RocksDB's \
                      cache";

/// What is asked for again and again and helps nobody here.
const NOT_THE_HEAP: &str = "a larger heap (-Xmx): it was not the heap that overflowed, and what it gets the rest of \
                            the container loses";

/// OOM940, OOM941, OOM904, OOM917: a container at its limit.
pub(super) fn container_full(case: &Case<'_>, advice: &mut Advice) {
    let seen = &case.patient.evidence;
    if seen.leak {
        return leak(case, advice);
    }
    if seen.rocksdb_unmanaged || store::is_unmanaged(case) {
        store::unmanaged(case, advice);
    }
    if seen.batch && !seen.rocksdb && case.patient.shortfall.is_none() {
        advice.refused.push(
            "more memory for page cache: if the container was full of files (memory.stat: file, less shmem), see OOM905"
                .to_owned(),
        );
    }
    if seen.python {
        python::room_for_workers(case, advice);
    }
    if case.patient.role == Role::JobManager {
        direct_limit(case, advice);
    }
    larger_overhead(case, advice);
    allocator::offer(case, advice);
    advice.refused.push(NOT_THE_HEAP.to_owned());
}

/// OOM912.
pub(super) fn overhead_small(case: &Case<'_>, advice: &mut Advice) {
    if case.patient.evidence.leak {
        return leak(case, advice);
    }
    larger_overhead(case, advice);
    allocator::offer(case, advice);
}

/// OOM918.
pub(super) fn growth_outside_store(case: &Case<'_>, advice: &mut Advice) {
    if case.patient.evidence.leak {
        return leak(case, advice);
    }
    larger_overhead(case, advice);
    allocator::offer(case, advice);
    advice.refused.push("more managed memory: RocksDB stays within it, and what grows is beside it".to_owned());
}

/// Memory that is not given back: who holds it, which release does not, and no more of it.
pub(super) fn leak(case: &Case<'_>, advice: &mut Advice) {
    advice.refused.push("more memory: it is a leak, and a larger container only dies later".to_owned());
    for leak in Leak::of(case.patient.version) {
        let set = |condition: &crate::flink::leaks::Condition| {
            case.value(condition.option).is_some_and(|value| condition.test.holds(&value))
        };
        let triggered = leak.all.iter().all(set) && (leak.any.is_empty() || leak.any.iter().any(set));
        if !triggered || leak.all.is_empty() && leak.any.is_empty() && !case.patient.evidence.rocksdb {
            continue;
        }
        let version = case.patient.version;
        let mut steps = Vec::new();
        if let Some(to) = leak.fixed_in_line(version).or_else(|| leak.fixed_later(version)) {
            steps.push(Step::Upgrade { from: version.to_string(), to: to.to_string(), issue: leak.id.to_owned() });
        }
        steps.push(Step::advice(leak.workaround));
        case.offer(
            advice,
            Draft {
                title: format!("end {}: {}", leak.id, leak.title),
                steps,
                risk: "another leak may be behind it".to_owned(),
                watch: "resident memory after each restart of the job: it returns to the same height".to_owned(),
                why: format!("Flink {version} has it: {}", leak.growth),
                source: leak.sources.first().copied().unwrap_or("https://issues.apache.org/jira/browse/FLINK"),
                ..Draft::default()
            },
        );
    }
    case.offer(
        advice,
        Draft {
            title: "close with the job what it opened".to_owned(),
            steps: vec![job_code::closed_with_the_job()],
            risk: "none for memory; close is called with a timeout when a job is cancelled".to_owned(),
            watch: "resident memory and loaded classes over five restarts of the job".to_owned(),
            why: "memory grows with restarts or with time and is never given back".to_owned(),
            source: "https://github.com/apache/iceberg/issues/3776, https://github.com/apache/paimon/issues/9795: \
                     pools and loaders that outlive their job",
            ..Draft::default()
        },
    );
    allocator::offer(case, advice);
}

/// Larger JVM Overhead; before 1.10 a larger cut-off.
pub(super) fn larger_overhead(case: &Case<'_>, advice: &mut Advice) {
    if case.patient.evidence.leak {
        advice.refused.push("more memory: it is a leak, and a larger container only dies later".to_owned());
        return;
    }
    let target = amount::target(case, Room::Overhead, None, LEAST);
    let draft = Draft {
        title: match case.is_cut_off() {
            true => "a larger cut-off".to_owned(),
            false => "larger JVM Overhead".to_owned(),
        },
        steps: overhead_steps(case, target.size),
        room: Some((Room::Overhead, target.shortfall)),
        more: target.more.clone(),
        risk: "if native memory leaks, this only delays the end".to_owned(),
        watch: "resident memory less heap: it levels off below the new sum, or it is a leak".to_owned(),
        why: format!("native memory that no part pays for has to fit into it; {}", target.why),
        source: SOURCE,
        ..Draft::default()
    };
    if case.before.is_none() {
        unplanned(case, advice, draft);
    } else {
        case.offer_within_and_beyond(advice, draft);
    }
}

/// The keys where no plan is known: what was seen to work elsewhere.
fn unplanned(case: &Case<'_>, advice: &mut Advice, mut draft: Draft) {
    let target = Target { size: Bytes::gib(1), shortfall: None, more: None, why: String::new() };
    draft.steps = overhead_steps(case, target.size);
    if let Some(limit) = case.patient.limit.filter(|_| !case.is_cut_off()) {
        let frame = option::frame(case.patient.role);
        if let Some(process) = amount::hundredths(limit, 125).round_up_to(Bytes::mib(64)) {
            draft.steps.push(Step::set(frame.process.name(), option::text(process)));
            draft.why = format!("{}; the process grows with it from a limit of {}", draft.why, mib(limit));
        }
    }
    draft.room = None;
    case.offer(advice, draft);
}

/// The keys that give overhead a size: its least, and its most where that is below; before 1.10 the cut-off's least,
/// which is in mebibytes.
pub(super) fn overhead_steps(case: &Case<'_>, size: Bytes) -> Vec<Step> {
    if case.is_cut_off() {
        return vec![Step::set(keys::CUTOFF_MIN.name(), size.get().div_ceil(1 << 20).to_string())];
    }
    let share = option::frame(case.patient.role).overhead;
    let settings = Settings::new(case.patient.config, case.patient.profile).unheard();
    let mut steps = vec![Step::set(share.min.name(), option::text(size))];
    if option::reading(&settings, share.max).is_none_or(|max| max < size) {
        steps.push(Step::set(share.max.name(), option::text(size)));
    }
    steps
}

/// A JobManager's direct memory has no limit unless it is asked for.
fn direct_limit(case: &Case<'_>, advice: &mut Advice) {
    let key = keys::JM_DIRECT_LIMIT.name();
    if !case.has(key) || case.value(key).is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        return;
    }
    case.offer(
        advice,
        Draft {
            title: "a limit for the JobManager's direct memory".to_owned(),
            steps: vec![Step::set(key, "true")],
            risk: "what took direct memory without a bound fails with \"Direct buffer memory\" and names itself"
                .to_owned(),
            watch: "OutOfMemoryError: Direct buffer memory in the JobManager's log".to_owned(),
            why: "a JobManager starts without -XX:MaxDirectMemorySize, so direct memory may grow as large as the heap"
                .to_owned(),
            source: "JobManagerOptions.JVM_DIRECT_MEMORY_LIMIT_ENABLED, Flink 1.11 to 2.3",
            ..Draft::default()
        },
    );
}

/// OOM919: compiled code has filled its cache.
pub(super) fn code_cache(case: &Case<'_>, advice: &mut Advice) {
    case.offer(
        advice,
        Draft {
            title: "a larger code cache".to_owned(),
            steps: vec![java_flag(case, "-XX:ReservedCodeCacheSize=384m")],
            risk: "what is compiled beyond 240 MiB has to fit into JVM Overhead".to_owned(),
            watch: "\"CodeCache is full\" in the log, and JVM Overhead against what it pays for".to_owned(),
            why: "code that does not fit is interpreted, and processor time goes up".to_owned(),
            source: "HotSpot: 240 MiB with tiered compilation on 64 bits, JDK 8 to 25",
            ..Draft::default()
        },
    );
    advice.refused.push("a larger heap: compiled code is not in it".to_owned());
}
