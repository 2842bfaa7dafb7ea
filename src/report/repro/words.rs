//! How endings, engines and workloads are said.

use crate::model::{EngineChoice, Workload};
use crate::report::amount::{about, count};
use crate::report::diagnose::cut;
use crate::repro::outcome::{Ending, Run};

/// So many signs of a name or a line that somebody else wrote are shown.
const LONGEST: usize = 240;

/// A text that somebody else wrote, cut and without control characters.
pub(super) fn plain(text: &str) -> String {
    cut(text, LONGEST)
}

/// Milliseconds as seconds with one decimal.
pub(super) fn seconds(millis: u64) -> String {
    let tenths = millis.saturating_add(50) / 100;
    format!("{}.{} s", tenths / 10, tenths % 10)
}

/// A number of seconds as people plan with it.
pub(super) fn roughly(seconds: u64) -> String {
    if seconds < 120 { format!("{seconds} s") } else { format!("{} min", (seconds + 30) / 60) }
}

/// How a run ended, as the rest of a sentence that begins with its name.
pub(super) fn ending(run: &Run) -> String {
    let after = seconds(run.millis);
    match &run.ending {
        Ending::Finished => format!("finished in {after}"),
        Ending::KilledByKernel { pid, .. } => format!("the kernel killed process {pid} after {after}"),
        Ending::KilledByWatchdog { at } => {
            format!("ended by oomph's watchdog after {after} with {} of anonymous memory", about(*at))
        }
        Ending::Died { status, .. } => format!("died after {after}: {}", plain(status)),
        Ending::Failed(why) => format!("gave up after {after}: {}", plain(why)),
        Ending::OutOfTime => format!("still at work when its time was over, after {after}"),
        Ending::Interrupted => format!("interrupted after {after}"),
    }
}

/// The same in a cell.
pub(super) fn end(ending: &Ending) -> &'static str {
    match ending {
        Ending::Finished => "finished",
        Ending::KilledByKernel { .. } => "kernel kill",
        Ending::KilledByWatchdog { .. } => "watchdog",
        Ending::Died { .. } => "died",
        Ending::Failed(_) => "gave up",
        Ending::OutOfTime => "out of time",
        Ending::Interrupted => "interrupted",
    }
}

/// What stands at the mark of an end, with when it was; nothing of a run that was done.
pub(super) fn at_mark(run: &Run) -> Option<String> {
    let what = match &run.ending {
        Ending::Finished => return None,
        Ending::KilledByKernel { .. } => "killed by the kernel".to_owned(),
        Ending::KilledByWatchdog { .. } => "ended by oomph's watchdog".to_owned(),
        Ending::Died { status, .. } => plain(status),
        Ending::Failed(_) => "gave up".to_owned(),
        Ending::OutOfTime => "out of time".to_owned(),
        Ending::Interrupted => "interrupted".to_owned(),
    };
    Some(format!("{what}, {}", seconds(run.millis)))
}

/// Which RocksDB ran, and where it is from.
pub(super) fn engine(choice: &EngineChoice, release: Option<&str>) -> String {
    let release = release.map_or_else(String::new, |release| format!("{}, ", plain(release)));
    format!("RocksDB {release}{}", source(choice))
}

/// Where a RocksDB is from.
pub(super) fn source(choice: &EngineChoice) -> String {
    match choice {
        EngineChoice::Embedded => "embedded in oomph".to_owned(),
        EngineChoice::Library { of, .. } => format!("out of {}", plain(of)),
    }
}

/// What a workload is made of.
pub(super) fn workload(workload: &Workload) -> String {
    let states = workload.operators.iter().flat_map(|operator| &operator.states);
    let families: u64 = states.map(|state| u64::from(state.copies)).fold(0, u64::saturating_add);
    let records: u64 = workload.phases.iter().map(|phase| phase.records).fold(0, u64::saturating_add);
    let restored = workload.phases.iter().map(|phase| phase.restored).max().unwrap_or(0);
    let mut parts = vec![count(u64::from(workload.slots), "slot", "slots")];
    if families > 0 {
        parts.push(count(workload.operators.len() as u64, "operator", "operators"));
        parts.push(format!("{} a slot", count(families, "state", "states")));
    }
    if records > 0 {
        parts.push(format!("{} a task", count(records, "record", "records")));
    }
    parts
        .extend(workload.snapshot_every.map(|every| format!("a snapshot every {}", count(every, "record", "records"))));
    if restored > 0 {
        parts.push(format!("{} restored", count(u64::from(restored), "snapshot", "snapshots")));
    }
    parts.extend(workload.shuffle.map(|shuffle| {
        let back = if shuffle.written_back { ", written back at once" } else { "" };
        format!("{} of shuffle files of {}{back}", about(shuffle.bytes), about(shuffle.file))
    }));
    parts.extend(workload.leak.map(|leak| format!("a leak of {} a second", about(leak))));
    parts.extend(workload.python.map(|grows| format!("a Python process that grows by {} a second", about(grows))));
    parts.push(format!("seed {}", workload.seed));
    parts.join(", ")
}

/// Whether a run is one of a worker of ours: those of a real Flink have no workload.
pub(super) fn has_workload(run: &Run) -> bool {
    let workload = &run.experiment.workload;
    has_state(run) || workload.shuffle.is_some() || workload.leak.is_some() || workload.python.is_some()
}

/// Whether RocksDB has anything to do in it.
pub(super) fn has_state(run: &Run) -> bool {
    !run.experiment.workload.operators.is_empty()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(0, "0.0 s")]
    #[case(41_249, "41.2 s")]
    #[case(59_950, "60.0 s")]
    fn milliseconds_are_rounded_to_tenths(#[case] millis: u64, #[case] shown: &str) {
        assert_eq!(seconds(millis), shown);
    }

    #[test]
    fn a_text_of_others_cannot_move_the_cursor() {
        assert_eq!(plain("a\u{1b}[2Jb\nc"), "a [2Jb c");
    }
}
