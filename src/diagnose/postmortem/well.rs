//! Signs that all was well: what a timeline begins with.

use std::sync::LazyLock;

use regex::Regex;

use super::signal::{Origin, Says, Signal};
use crate::artefact::excerpt::Excerpt;

/// `CheckpointCoordinator`: `Completed checkpoint 12 for job … (1234 bytes, checkpointDuration=45 ms, …).`; a job and a task
/// that begin to run: `Job orders (0a…) switched from state CREATED to RUNNING.`, `… switched from INITIALIZING to RUNNING.`
static WELL: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"Completed checkpoint \d+|switched from (?:state )?[A-Z]+ to (?:state )?RUNNING").ok()
});

/// So long is a quoted line at most.
const QUOTED: usize = 300;

/// What an excerpt says.
pub fn signals(excerpt: &Excerpt) -> Vec<Signal> {
    let Some(well) = WELL.as_ref() else { return Vec::new() };
    let text = excerpt.text();
    if !text.contains("Completed checkpoint") && !text.contains("RUNNING") {
        return Vec::new();
    }
    let found = well.find_iter(text).filter_map(|hit| {
        let line = excerpt.line(hit.start());
        Some(Signal {
            origin: Origin::Flink,
            file: 0,
            line: line.number,
            at: Some(line.at?),
            quote: line.text.chars().take(QUOTED).collect(),
            says: Says::Well,
        })
    });
    found.collect()
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::artefact::excerpt::Moment;

    #[test]
    fn dated_checkpoints_and_starts_are_signs_that_all_was_well() {
        let mut excerpt = Excerpt::default();
        let at = Some(Moment::Since(SignedDuration::from_secs(1)));
        for (number, (text, at)) in (1..).zip([
            ("Completed checkpoint 7 for job 00 (12 bytes)", at),
            ("Source: a (1/2) switched from INITIALIZING to RUNNING.", at),
            ("Source: a (1/2) switched from RUNNING to FAILED.", at),
            ("Completed checkpoint 8 for job 00 (12 bytes)", None),
        ]) {
            excerpt.push(number, text, at);
        }
        assert_eq!(signals(&excerpt).iter().map(|signal| signal.line).collect::<Vec<_>>(), [1, 2]);
    }
}
