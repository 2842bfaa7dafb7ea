//! How runs are held against what a scenario states: small questions, each answered with the numbers behind it.

use crate::model::{Bytes, Limit};

use super::outcome::{Ending, Run, Statement};
use super::scenario::{CURED, FAILS};

/// The run of a label.
pub fn run<'a>(runs: &'a [Run], label: &str) -> Option<&'a Run> {
    runs.iter().find(|run| run.label == label)
}

/// A statement about runs that may be missing: it does not hold then.
pub fn about(says: &str, runs: &[Run], labels: &[&str], held: impl FnOnce(&[&Run]) -> (bool, String)) -> Statement {
    let found: Vec<&Run> = labels.iter().filter_map(|label| run(runs, label)).collect();
    let (held, measured) = match found.len() == labels.len() {
        true => held(&found),
        false => (false, "it was not run".to_owned()),
    };
    Statement { says: says.to_owned(), held, measured }
}

/// The failing run is killed for memory, by the kernel where there is a group.
pub fn fails_of_memory(says: &str, runs: &[Run]) -> Statement {
    about(says, runs, &[FAILS], died_of_memory)
}

/// The same of any run.
pub fn dies_of_memory(says: &str, runs: &[Run], label: &str) -> Statement {
    about(says, runs, &[label], died_of_memory)
}

fn died_of_memory(found: &[&Run]) -> (bool, String) {
    let Some(run) = found.first() else { return (false, String::new()) };
    (run.ending.is_death_of_memory(), ending(run))
}

/// The cured run does all its work, and more than the failing one did.
pub fn cured_lives(says: &str, runs: &[Run]) -> Statement {
    about(says, runs, &[FAILS, CURED], |found| {
        let [failing, cured] = found else { return (false, String::new()) };
        let (before, after) = (records(failing), records(cured));
        let lives = cured.ending == Ending::Finished && after > before;
        (lives, format!("{}, {after} records; the failing one took {before}", ending(cured)))
    })
}

/// A run lives to its end.
pub fn lives(says: &str, runs: &[Run], label: &str) -> Statement {
    about(says, runs, &[label], |found| {
        let lived = found.iter().all(|run| run.ending == Ending::Finished);
        (lived, found.iter().map(|run| ending(run)).collect::<Vec<_>>().join("; "))
    })
}

/// How a run ended, with its peak and limit.
pub fn ending(run: &Run) -> String {
    let how = match &run.ending {
        Ending::Finished => "it finished".to_owned(),
        Ending::KilledByKernel { pid, .. } => format!("the kernel killed process {pid}"),
        Ending::KilledByWatchdog { at } => format!("the watchdog ended it at {}", mebibytes(*at)),
        Ending::Died { status, .. } => format!("it died: {status}"),
        Ending::Failed(why) => format!("it gave up: {why}"),
        Ending::OutOfTime => "its time was over".to_owned(),
        Ending::Interrupted => "it was interrupted".to_owned(),
    };
    let limit = match run.experiment.limit {
        Limit::AtMost(limit) => format!(" of {}", mebibytes(limit)),
        Limit::Unlimited => String::new(),
    };
    format!("{how} after {}, peak {}{limit}", seconds(run.millis), peak(run))
}

/// The peak of a run's own memory in words.
pub fn peak(run: &Run) -> String {
    run.peak_anonymous.map_or_else(|| "not seen".to_owned(), mebibytes)
}

/// Records that a run took.
pub fn records(run: &Run) -> u64 {
    run.moments.iter().filter_map(|moment| moment.said.as_ref()).map(|said| said.records).max().unwrap_or(0)
}

/// The largest of something that the worker says.
pub fn most(run: &Run, of: impl Fn(&crate::model::Progress) -> u64) -> u64 {
    run.moments.iter().filter_map(|moment| moment.said.as_ref()).map(of).max().unwrap_or(0)
}

/// The largest of something that is seen at a look.
pub fn most_seen(run: &Run, of: impl Fn(&super::outcome::Moment) -> Option<Bytes>) -> Option<Bytes> {
    run.moments.iter().filter_map(of).max()
}

/// Whole MiB, as people compare them.
pub fn mebibytes(bytes: Bytes) -> String {
    let tenths = bytes.get().saturating_mul(10) / (1 << 20);
    match tenths {
        0..1000 => format!("{}.{} MiB", tenths / 10, tenths % 10),
        _ => format!("{} MiB", tenths / 10),
    }
}

/// Seconds with a tenth.
pub fn seconds(millis: u64) -> String {
    format!("{}.{} s", millis / 1000, millis % 1000 / 100)
}

/// A ratio with two decimals, in hundredths; nothing where it would be of nothing.
pub fn ratio(of: u64, to: u64) -> Option<String> {
    let hundredths = (u128::from(of) * 100).checked_div(u128::from(to))?;
    Some(format!("{}.{:02}", hundredths / 100, hundredths % 100))
}

/// The largest cache usage with its capacity at that time, all caches together.
pub fn over_capacity(run: &Run) -> (u64, u64) {
    let said = run.moments.iter().filter_map(|moment| moment.said.as_ref());
    said.map(|said| (said.cache_usage.iter().sum(), said.cache_capacity.iter().sum())).max().unwrap_or((0, 0))
}

/// `12.5 MiB of 100 MiB`.
pub fn of(part: u64, whole: u64) -> String {
    format!("{} of {}", mebibytes(Bytes::new(part)), mebibytes(Bytes::new(whole)))
}
