//! Latency tracking: how many histograms there are.

use crate::check::Case;
use crate::check::Written;

/// What a histogram is kept for (`LatencyStats.Granularity`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Granularity {
    /// Each operator's subtask.
    Single,
    /// The same, and each source.
    Operator,
    /// The same, and each source's subtask.
    Subtask,
}

impl Granularity {
    /// What a `MetricStore` takes for one histogram, measured with 24,000 of them on JDK 17: eleven entries of a map with
    /// names and values as text. Flink 1.9.3, 1.20.5 and 2.3.0 differ by 6 bytes at most.
    pub fn bytes_in_store(self) -> u64 {
        match self {
            Granularity::Single => 2559,
            Granularity::Operator => 3044,
            Granularity::Subtask => 3288,
        }
    }

    /// Histograms of one operator's subtask.
    pub fn for_each_subtask(self, parallelism: u64, sources: u64) -> u64 {
        match self {
            Granularity::Single => 1,
            Granularity::Operator => sources,
            Granularity::Subtask => parallelism.saturating_mul(sources),
        }
    }
}

/// Latency tracking that is on.
pub struct Latency<'a> {
    /// The interval that somebody set.
    pub interval: Written<'a>,
    /// The granularity.
    pub granularity: Granularity,
    /// Where it is set, if it is.
    pub set: Option<Written<'a>>,
}

impl<'a> Latency<'a> {
    /// What the configuration turns on; nothing where a placeholder hides how.
    pub fn of(case: &Case<'a>) -> Option<Latency<'a>> {
        let interval = case.find("metrics.latency.interval").filter(Written::is_own)?;
        if case.millis("metrics.latency.interval")? == 0 {
            return None;
        }
        let granularity = match case.value("metrics.latency.granularity")?.to_lowercase().as_str() {
            "subtask" => Granularity::Subtask,
            "single" => Granularity::Single,
            // Flink falls back to it from a name that it does not know.
            _ => Granularity::Operator,
        };
        let set = case.find("metrics.latency.granularity").filter(Written::is_own);
        Some(Latency { interval, granularity, set })
    }
}
