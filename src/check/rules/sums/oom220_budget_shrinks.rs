use crate::check::moved::{Moved, label};
use crate::check::rule::rule;
use crate::check::Collector;
use crate::model::{Bytes, Confidence, Finding, Place, Severity};
use crate::plan::compare::Measure;

rule! {
    /// A part of the budget loses much of its size against another version of the file.
    ///
    /// ### Why
    /// One changed line moves many sizes: two more slots halve each slot's RocksDB cache, a larger metaspace comes out of the
    /// heap. In a review only the line is seen. With `--since REV` or `--against DIR` oomph plans both versions of a file and
    /// tells what moved; what loses a quarter or more is this finding, so that a run may fail on it. The threshold is
    /// `budget-shrink-percent`.
    ///
    /// ### Before
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 8g
    /// ```
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 4g
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 7800m
    /// ```
    ///
    /// ### Sources
    /// - `TaskExecutorFlinkMemoryUtils` and `RocksDBMemoryControllerUtils`, Flink 1.10 to 2.3: what both versions of a file
    ///   are planned by.
    "OOM220" "budget-shrinks" {
        severity: Severity::Warning,
        confidence: Confidence::High,
    }
}

/// Told by the comparison of two versions.
pub fn tell(moved: &Moved, measure: Measure, sizes: (Bytes, Bytes), most: u64, place: Option<&Place>) -> Vec<Finding> {
    let mut found = Collector::new(&RULE, moved.subject.as_deref());
    let (was, is) = sizes;
    let draft = found.find(format!("{} of the {} falls from {was} to {is}", label(measure), moved.role));
    let draft = match place {
        Some(place) => draft.at(place, ""),
        None => draft,
    };
    draft
        .note(format!("{most} % and more are told: budget-shrink-percent in oomph.yaml sets another threshold"))
        .help("see whether that is meant; oomph plan --explain tells which option gives this size");
    found.into_findings()
}
