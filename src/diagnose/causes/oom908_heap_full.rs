use super::{marks, mib, percent, permille};
use crate::artefact::hsperfdata::{CollectorKind, HsPerf};
use crate::diagnose::cause::{Outlook, Told, cause};
use crate::diagnose::over_time::OverTime;
use crate::diagnose::postmortem::case::Case;
use crate::diagnose::postmortem::late::{Decides, Late, Weight};
use crate::diagnose::postmortem::signal::Signal;
use crate::model::{Area, Bytes, Confidence, Finding, Measure, Role, Severity};

cause! {
    /// The Java heap is full of what is in use, and the JVM spends its time collecting.
    ///
    /// ### What is seen
    /// The old generation stays above nine tenths of its size after collections, and collections take a fifth of the time or
    /// more. Throughput falls, checkpoints expire, heartbeats time out. The end is often silent: a heap that is full cannot
    /// write a log line; stderr has "OutOfMemoryError thrown from the UncaughtExceptionHandler", the JobManager says that a
    /// heartbeat timed out, and the process hangs.
    ///
    /// ### What it is not
    /// - A heap that is merely used: garbage counts as used until it is collected. Only what is left after a collection
    ///   tells.
    /// - A kill by the container (OOM904): the heap is bounded and does not grow past -Xmx.
    ///
    /// ### How to prove it
    /// `jstat -gcutil PID 1000`: O stays above 90 while FGC and GCT count up. `jcmd PID GC.class_histogram` names the classes;
    /// it stops the process for the time of a full collection.
    ///
    /// ### Cure
    /// With state on the heap: `state.backend.type: rocksdb`. With RocksDB already: raise `taskmanager.memory.task.heap.size`,
    /// or `taskmanager.memory.process.size`; where no state backend takes managed memory, set
    /// `taskmanager.memory.managed.size` to 0, which gives it to the heap. For a JobManager: `jobmanager.memory.heap.size`;
    /// `metrics.latency.interval` and a long `jobmanager.execution.attempts-history-size` fill it.
    ///
    /// ### Sources
    /// - HotSpot, gc_globals.hpp: `GCTimeLimit` 98 and `GCHeapFreeLimit` 2, at which Parallel gives up; the others do not.
    /// - Measured: Flink 1.20.5, hashmap state on 153.6 MiB: no "Java heap space" in any log (`testdata/series/failures`).
    /// - [FLINK-10243](https://issues.apache.org/jira/browse/FLINK-10243), latency metrics on a JobManager's heap.
    "OOM908" "heap-full" {
        early: early,
        late: Some(Late {
            required,
            weight: Weight::Beside,
            area: |_| Area::Heap,
            title,
            decides: Some(Decides {
                evidence: "what is left after a full collection, in the GC log",
                command: "jstat -gcutil PID 1000 10",
            }),
            ..Late::UNMARKED
        }),
    }
}

/// Full after a collection, in thousandths of the old generation. Ours; G1 starts to mark at 450
/// (`InitiatingHeapOccupancyPercent`) and reserves 100 (`G1ReservePercent`).
const FULL: u64 = 900;
/// Collections cost throughput from this share of the time on, in thousandths. Ours; `GCTimeRatio` aims at 10 to 77.
const COSTLY: u64 = 200;
/// From here on the process does more collecting than a heartbeat survives. Ours.
const THRASHING: u64 = 300;
/// A process younger than this has collected for its start. In nanoseconds: five minutes.
const YOUNG: u64 = 300_000_000_000;

fn early(outlook: &Outlook<'_>) -> Vec<Finding> {
    finding(outlook).into_iter().collect()
}

/// The time that collections take.
struct Cost {
    permille: u64,
    /// Whether it was watched; else it is the average since the start.
    watched: bool,
}

fn finding(outlook: &Outlook<'_>) -> Option<Finding> {
    let jvm = outlook.now.sample.jvm.as_ref().ok()?;
    let (used, max) = old(jvm)?;
    let share = permille(used, max)?;
    let cost = outlook.before.and_then(watched).or_else(|| since_the_start(jvm))?;
    if share < FULL || cost.permille < COSTLY {
        return None;
    }
    let severity = match cost {
        Cost { permille: THRASHING.., watched: true } => Severity::Error,
        _ => Severity::Warning,
    };
    let full_now = outlook.before.and_then(|before| before.trend(Measure::FullCollectionTime));
    // That full collections take time and leave it full are two counters; REST's figure is one of another origin.
    let rest = outlook.now.sample.rest.as_ref().ok().map(|rest| &rest.metrics.heap);
    let rest = rest.and_then(|heap| permille(heap.used.as_ref().ok()?.get(), heap.max.as_ref().ok()?.get()));
    let sure = full_now.is_some_and(|trend| trend.level > 0) || rest.is_some_and(|share| share >= 850);
    let mut finding = CAUSE.finding(
        severity,
        if sure { Confidence::High } else { Confidence::Medium },
        format!(
            "the heap is {} in use after collections, which take {} of the time",
            percent(share),
            percent(cost.permille)
        ),
    );
    let over = if cost.watched { "while it was watched" } else { "on average since the start" };
    finding = finding.note(format!("old generation: {} of {}", mib(Bytes::new(used)), mib(Bytes::new(max))));
    finding = finding.note(format!("time in collections: {over}"));
    if let Some(full) = jvm.full_collections().and_then(|collector| collector.invocations) {
        finding = finding.note(format!("{full} full collections since the start"));
    }
    Some(finding.help(match outlook.now.sample.flink.as_ref().map(|flink| flink.role) {
        Some(Role::JobManager) => "raise jobmanager.memory.heap.size",
        _ => "raise taskmanager.memory.task.heap.size, or keep state in RocksDB (state.backend.type: rocksdb)",
    }))
}

/// The old generation in use and its bound, where the figure is what a collection left or close to it.
fn old(jvm: &HsPerf) -> Option<(u64, u64)> {
    let old = jvm.old()?;
    let max = match jvm.collector? {
        // Each generation may grow to the whole heap.
        CollectorKind::G1 => jvm.generations.iter().filter_map(|generation| generation.max).max(),
        _ => old.max,
    };
    Some((old.used()?, max?))
}

fn watched(before: &OverTime) -> Option<Cost> {
    // A counter of nanoseconds is judged by what it gains in a second.
    let rate = |measure: Measure| before.trend(measure).map(|trend| trend.level);
    let young = rate(Measure::YoungCollectionTime)?;
    let full = rate(Measure::FullCollectionTime).unwrap_or(0);
    Some(Cost { permille: young.saturating_add(full) / 1_000_000, watched: true })
}

fn since_the_start(jvm: &HsPerf) -> Option<Cost> {
    let uptime = jvm.uptime_nanoseconds.filter(|uptime| *uptime >= YOUNG)?;
    let spent = [jvm.young_collections(), jvm.full_collections()];
    let spent = spent.into_iter().flatten().filter_map(|collector| collector.nanoseconds).fold(0, u64::saturating_add);
    Some(Cost { permille: permille(spent, uptime)?, watched: false })
}

const STRAINS: [&str; 5] =
    ["full-collections", "heap-nearly-full", "to-space-exhausted", "allocation-stall", "gc-overhead"];

/// A heap in trouble that nobody says to have failed.
fn required<'s>(case: &Case<'s>) -> Vec<&'s Signal> {
    if !case.told_of(&[Area::Heap]).is_empty() {
        return Vec::new();
    }
    let of_heap = case.strains(&STRAINS).into_iter();
    of_heap.filter(|(_, strain)| strain.area == Some(Area::Heap)).map(|(signal, _)| signal).collect()
}

fn title(case: &Case<'_>) -> String {
    format!("the Java heap was short, and nothing says that it failed{}", marks::in_words(case, &STRAINS))
}

#[cfg(test)]
mod tests {
    use super::super::left::Left;
    use super::super::tried::Tried;
    use super::*;
    use crate::artefact::hsperfdata::{Collector, Generation, Space};
    use crate::diagnose::postmortem::signal::Origin;
    use crate::model::Killer;

    const MIB: u64 = 1 << 20;
    const SECOND: u64 = 1_000_000_000;

    fn heap(old_used: u64, full_seconds: u64) -> Tried {
        Tried::taskmanager().jvm(|jvm| {
            jvm.collector = Some(CollectorKind::Parallel);
            jvm.uptime_nanoseconds = Some(1000 * SECOND);
            let space = Space { used: Some(old_used * MIB), ..Space::default() };
            jvm.generations =
                vec![Generation { index: 1, max: Some(340 * MIB), spaces: vec![space], ..Generation::default() }];
            let collector = |index, seconds| Collector {
                index,
                nanoseconds: Some(seconds * SECOND),
                invocations: Some(9),
                ..Collector::default()
            };
            jvm.collectors = vec![collector(0, 10), collector(1, full_seconds)];
        })
    }

    #[test]
    fn a_full_heap_that_is_collected_all_the_time_is_found() {
        assert_eq!(heap(335, 300).finding(&CAUSE).severity, Severity::Warning);
        let watched = heap(335, 300)
            .before(Measure::YoungCollectionTime, (0..20).map(|look| look * SECOND / 10))
            .before(Measure::FullCollectionTime, (0..20).map(|look| look * 9 * SECOND));
        let finding = watched.finding(&CAUSE);
        assert_eq!((finding.severity, finding.confidence), (Severity::Error, Confidence::High));
        assert!(finding.title.ends_with("which take 91 % of the time"), "{}", finding.title);
    }

    #[test]
    fn a_full_heap_that_costs_nothing_and_a_busy_one_with_room_are_none() {
        assert!(heap(335, 20).finds(&CAUSE).is_empty());
        assert!(heap(200, 400).finds(&CAUSE).is_empty());
        let was = heap(335, 300).before(Measure::YoungCollectionTime, (0..20).map(|look| look * SECOND / 100));
        assert!(was.finds(&CAUSE).is_empty(), "what was long ago does not count where it was watched");
    }

    #[test]
    fn a_process_that_just_started_and_one_without_generations_are_not_judged() {
        let just = heap(335, 300).jvm(|jvm| jvm.uptime_nanoseconds = Some(SECOND));
        assert!(just.finds(&CAUSE).is_empty());
        assert!(heap(335, 300).jvm(|jvm| jvm.collector = Some(CollectorKind::Shenandoah)).finds(&CAUSE).is_empty());
    }

    #[test]
    fn full_collections_without_an_error_are_told_beside() {
        let collected = |left: Left| left.strain(Origin::GcLog, "full-collections", Some(Area::Heap));
        assert_eq!(collected(Left::default()).first(), Some("OOM908"));
        assert!(!collected(Left::killed_by(Killer::Jvm, Area::Heap)).codes().contains(&"OOM908"));
        let perm = Left::default().strain(Origin::GcLog, "full-collections", Some(Area::Metaspace));
        assert!(!perm.codes().contains(&"OOM908"));
    }
}
