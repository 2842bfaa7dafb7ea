//! Options of checkpoints under their names: of Flink 1.20 and later, and before.

use crate::check::{Case, Written};
use crate::model::Bytes;

/// Where checkpoints go.
pub const DIRECTORY: [&str; 2] = ["execution.checkpointing.dir", "state.checkpoints.dir"];
/// Who keeps them; 1.13 and later.
pub const STORAGE: [&str; 2] = ["execution.checkpointing.storage", "state.checkpoint-storage"];
/// Whether a checkpoint holds what is new only.
pub const INCREMENTAL: [&str; 2] = ["execution.checkpointing.incremental", "state.backend.incremental"];
/// How many are retained.
pub const RETAINED: [&str; 2] = ["execution.checkpointing.num-retained", "state.checkpoints.num-retained"];
/// Up to which size state lies in the checkpoint's metadata.
pub const INLINE: [&str; 3] = [
    "execution.checkpointing.data-inline-threshold",
    "state.storage.fs.memory-threshold",
    "state.backend.fs.memory-threshold",
];
/// The buffer of a stream that a checkpoint is written with.
pub const WRITE_BUFFER: [&str; 3] = [
    "execution.checkpointing.write-buffer-size",
    "state.storage.fs.write-buffer-size",
    "state.backend.fs.write-buffer-size",
];
/// Whether barriers overtake records.
pub const UNALIGNED: [&str; 2] = ["execution.checkpointing.unaligned.enabled", "execution.checkpointing.unaligned"];
/// How often.
pub const INTERVAL: &str = "execution.checkpointing.interval";

/// The name that this version declares, of several.
pub fn name<'n>(case: &Case<'_>, names: &[&'n str]) -> Option<&'n str> {
    names.iter().copied().find(|name| case.option(name).is_some())
}

/// The setting that this version reads, if somebody wrote it.
pub fn find<'a>(case: &Case<'a>, names: &[&str]) -> Option<Written<'a>> {
    case.find(name(case, names)?).filter(Written::is_own)
}

/// Whether a placeholder may stand for it.
pub fn is_hidden(case: &Case<'_>, names: &[&str]) -> bool {
    name(case, names).is_some_and(|name| case.is_hidden(name))
}

/// Whether it is not set and nothing out of sight can set it: no placeholder, no file below this text.
pub fn is_absent(case: &Case<'_>, names: &[&str]) -> bool {
    let subject = case.subject();
    !subject.partial
        && !subject.open
        && name(case, names).is_none_or(|name| case.find(name).is_none() && !case.is_hidden(name))
}

/// A flag by what is set, else by its default.
pub fn flag(case: &Case<'_>, names: &[&str]) -> Option<bool> {
    case.flag(name(case, names)?)
}

/// A size that somebody wrote: where, and how large.
pub fn size<'a>(case: &Case<'a>, names: &[&str]) -> Option<(Written<'a>, Bytes)> {
    let written = find(case, names)?;
    Some((written, Bytes::parse_flink(&written.text()).ok()?))
}

/// The interval that somebody wrote, in milliseconds; nothing where checkpoints are off.
pub fn interval<'a>(case: &Case<'a>) -> Option<(Written<'a>, u64)> {
    let written = case.find(INTERVAL).filter(Written::is_own)?;
    let millis = case.millis(INTERVAL).filter(|millis| *millis > 0)?;
    Some((written, millis))
}

/// Whether the configuration runs jobs as batches, in which there are no checkpoints.
pub fn is_batch(case: &Case<'_>) -> bool {
    case.value("execution.runtime-mode").is_some_and(|mode| mode.eq_ignore_ascii_case("batch"))
}

/// Milliseconds in words.
pub fn in_words(millis: u64) -> String {
    match millis {
        0 => "0 ms".to_owned(),
        millis if millis % 3_600_000 == 0 => format!("{} h", millis / 3_600_000),
        millis if millis % 60_000 == 0 => format!("{} min", millis / 60_000),
        millis if millis % 1000 == 0 => format!("{} s", millis / 1000),
        millis => format!("{millis} ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_they_are_written() {
        let words = [1, 1500, 60_000, 90_000, 7_200_000].map(in_words);
        assert_eq!(words, ["1 ms", "1500 ms", "1 min", "90 s", "2 h"]);
    }
}
