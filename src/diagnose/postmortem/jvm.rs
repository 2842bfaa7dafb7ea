//! What a JVM says as it runs out of memory: errors, crash reports, logs of collections, answers of `jcmd`.

mod collections;
mod crash;
mod errors;
mod jcmd;

use super::signal::{Origin, Says, Signal};
use crate::artefact::excerpt::Excerpt;
use crate::artefact::{gc_log, hs_err};

/// What an excerpt says.
pub fn signals(excerpt: &Excerpt) -> Vec<Signal> {
    let reports = hs_err::reports(excerpt);
    let log = gc_log::read(excerpt);
    let mut found = crash::signals(excerpt, &reports);
    found.extend(errors::signals(excerpt, !found.is_empty()));
    found.extend(collections::signals(excerpt, &log));
    // The block of a heap ends every crash report and every old log of collections.
    let heap_is_known = !reports.is_empty() || !log.collections.is_empty();
    found.extend(jcmd::signals(excerpt, heap_is_known));
    found
}

/// As many letters of a line are quoted.
const QUOTED: usize = 300;

/// A signal at a place of the text.
pub(super) fn signal(excerpt: &Excerpt, offset: usize, origin: Origin, says: Says) -> Signal {
    let line = excerpt.line(offset);
    let whole = line.text.trim();
    let quote = if whole.chars().count() <= QUOTED {
        whole.to_owned()
    } else {
        let from = line.text.get(offset.saturating_sub(line.offset)..).unwrap_or(whole);
        from.chars().take(QUOTED).collect()
    };
    Signal { origin, file: 0, line: line.number, at: excerpt.at(offset), quote, says }
}

#[cfg(test)]
mod tests;
