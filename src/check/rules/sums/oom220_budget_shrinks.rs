use crate::check::Collector;
use crate::check::moved::{Moved, Shrunk};
use crate::check::rule::rule;
use crate::model::{Confidence, Finding, Place, Severity};

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

/// Told by the comparison of two versions: what shrinks, the worst first, and the settings that changed.
pub fn tell(moved: &Moved, lost: &[Shrunk], changed: &[(Place, String)], total: Option<&Place>) -> Vec<Finding> {
    let mut found = Collector::new(&RULE, moved.subject.as_deref());
    let say = |(measure, was, is): &Shrunk| format!("{} falls from {was} to {is}", measure.label());
    let mut draft = found.find(format!("a part of the {} shrinks by much", moved.role));
    for (place, text) in changed {
        draft = draft.at(place, text.clone());
    }
    if let (true, Some(place)) = (changed.is_empty(), total) {
        draft = draft.at(place, "");
    }
    for shrunk in lost {
        draft = draft.note(say(shrunk));
    }
    draft.help("see whether that is meant; oomph plan --explain tells which option gives which size");
    found.into_findings()
}

#[cfg(test)]
mod tests {
    use crate::check::tried::find_against;

    #[test]
    fn the_changed_line_is_shown_with_what_it_was() {
        let text =
            "taskmanager.memory.process.size: 4g\nstate.backend.type: rocksdb\ntaskmanager.numberOfTaskSlots: 2\n";
        let finding = find_against("OOM220", "config.yaml", text, &text.replace("Slots: 2", "Slots: 8"));
        assert_eq!((finding.labels.len(), finding.labels[0].text.as_str()), (1, "was 2"));
        assert!(finding.notes[0].starts_with("RocksDB"), "{finding:?}");
    }
}
