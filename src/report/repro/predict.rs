//! `oomph repro predict`: what a workload will take, part by part, and why.

use super::table::expected;
use super::words::{self, plain};
use crate::model::{Bytes, Experiment, Limit};
use crate::report::amount::{about, mib};
use crate::report::table::hanging;
use crate::repro::prediction::{Band, Prediction};

/// The page: the parts with what they take, why, and what the job needs.
pub fn page(experiment: &Experiment, prediction: &Prediction, width: usize) -> String {
    let workload = &experiment.workload;
    let mut out = hanging(&format!("{}: {}", plain(&workload.name), plain(&workload.about)), width, "  ");
    out += &hanging(&format!("  {}", words::workload(workload)), width, "  ");
    out += &hanging(
        &format!("  RocksDB {}; allocator {}", words::source(&experiment.engine), experiment.malloc),
        width,
        "  ",
    );
    out.push('\n');
    out += &expected(prediction, width);
    let sum = "  The whole is no sum: not all parts are at their most at the same time.";
    out += &hanging(sum, width, "  ");
    out += "\nWhat the job needs\n";
    out += &hanging(
        &format!("  Managed memory   {}, with which RocksDB keeps within its pool", about(prediction.managed_needed)),
        width,
        "                   ",
    );
    out += &hanging(
        &format!(
            "  JVM overhead     {} for what lies outside of the pool, the JVM's own not included",
            about(prediction.overhead_needed)
        ),
        width,
        "                   ",
    );
    out += &hanging(&format!("  Files at the end {}", band(prediction.files)), width, "                   ");
    if let Some(sentence) = against_limit(prediction, experiment.limit) {
        out += &hanging(&format!("  {sentence}"), width, "  ");
    }
    let whys: Vec<_> = prediction.parts.iter().filter(|part| part.peak.high > Bytes::ZERO).collect();
    if !whys.is_empty() {
        out += "\nWhy\n";
        for part in whys {
            out += &hanging(&format!("  {}: {}", part.part.label(), plain(&part.why)), width, "    ");
        }
    }
    if !prediction.notes.is_empty() {
        out += "\nNotes\n";
        out += &prediction
            .notes
            .iter()
            .map(|note| hanging(&format!("  {}", plain(note)), width, "    "))
            .collect::<String>();
    }
    out
}

/// The parts of a prediction, in MiB.
pub fn parts(prediction: &Prediction, width: usize) -> String {
    expected(prediction, width)
}

/// The whole of a prediction in a few lines.
pub(super) fn short(label: &str, prediction: &Prediction, experiment: Option<&Experiment>, width: usize) -> String {
    let limit = experiment.map_or(Limit::Unlimited, |experiment| experiment.limit);
    let verdict = against_limit(prediction, limit).map_or_else(String::new, |sentence| format!(" {sentence}"));
    let text = format!(
        "  {}: {} at most, {} most of the time.{verdict}",
        plain(label),
        band(prediction.peak),
        band(prediction.steady)
    );
    hanging(&text, width, "    ")
}

/// A band in a sentence.
fn band(band: Band) -> String {
    format!("{} MiB ({} to {})", mib(band.expected), mib(band.low), mib(band.high))
}

/// What the limit makes of it.
fn against_limit(prediction: &Prediction, limit: Limit) -> Option<String> {
    let Limit::AtMost(limit) = limit else { return None };
    let verdict = if prediction.peak.low > limit {
        "will not do"
    } else if prediction.peak.high <= limit {
        "will do"
    } else {
        "may not do"
    };
    Some(format!("The limit of {} {verdict}.", about(limit)))
}

#[cfg(test)]
mod tests;
