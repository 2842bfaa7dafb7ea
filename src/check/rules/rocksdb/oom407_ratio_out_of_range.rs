use super::stores;
use crate::check::rule::rule;
use crate::check::{Case, Collector};
use crate::model::Severity;
use crate::plan::store::{Store, check_ratios};

rule! {
    /// A ratio of a store's memory makes no sense, and Flink lets it pass.
    ///
    /// ### Why
    /// The setters of Flink's Java API check both ratios; what comes from a file is only checked together. So 0, less
    /// than 0, NaN, or more than 3 get as far as RocksDB. A write-buffer manager of 0 bytes is none: memtables grow to
    /// `writebuffer.size`, each state for itself. Less than 0 is read as an unsigned number and bounds nothing either.
    /// Above 3 the cache is below 0, which is the largest there is: nothing is ever evicted. With NaN cache and manager
    /// are 0. A high-priority pool below 0 is refused inside of RocksDB, without a word: every state then has a small
    /// cache of its own.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// state.backend.type: rocksdb
    /// state.backend.rocksdb.memory.write-buffer-ratio: 0
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// state.backend.type: rocksdb
    /// state.backend.rocksdb.memory.write-buffer-ratio: 0.3
    /// ```
    ///
    /// ### Sources
    /// - `RocksDBMemoryConfiguration.validate` and `RocksDBMemoryControllerUtils`, Flink 1.10 to 2.3.
    /// - Measured with the RocksDB in flink-dist 1.20.5 and 2.3.0: with a manager of 0 or of -30 MiB, 100 MB written to
    ///   memtables of 64 MiB take 97 to 100 MB at once, where one of 30 MiB leaves 34 to 43 MB; a cache of -30 MiB has
    ///   a capacity of 18446744073678094336; with a high-priority ratio of -0.1 a cache of 100 MiB becomes one of 8 MiB
    ///   (1.20.5) or 32 MiB (2.3.0) for each state. The ForSt in 2.3.0 does as its RocksDB.
    "OOM407" "ratio-out-of-range" {
        severity: Severity::Warning,
        since: Some((1, 10)),
        check: check,
    }
}

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    for &store in stores::possible(case) {
        let rests = ["memory.write-buffer-ratio", "memory.high-prio-pool-ratio"];
        let written = rests.map(|rest| stores::written(case, store, rest));
        // Without a pool nobody looks at them, and what Flink refuses another rule tells.
        if written.iter().all(Option::is_none) || stores::has_pool(case, store) != Some(true) {
            continue;
        }
        let [writes, priority] = rests.map(|rest| case.number(&case.store_key(store, rest)));
        if writes.zip(priority).is_some_and(|(writes, priority)| check_ratios(writes, priority).is_err()) {
            continue;
        }
        let outcomes = [writes.and_then(|ratio| of_writes(ratio, store)), priority.and_then(of_priority)];
        for (written, outcome) in written.into_iter().zip(outcomes) {
            let (Some(written), Some((what, severity))) = (written, outcome) else { continue };
            found
                .find(format!("{} is {}: {what}", written.key, written.shown()))
                .severity(severity)
                .at(written.place(), "Flink lets it pass")
                .help(format!("set {} between 0 and 1, or take it out", written.key));
        }
    }
}

/// What comes of a write-buffer ratio outside of its range.
fn of_writes(ratio: f64, store: Store) -> Option<(String, Severity)> {
    let unbounded = "nothing bounds the memtables of a slot together";
    Some(if ratio.is_nan() {
        (format!("the pool is 0 bytes, {} caches nothing, and {unbounded}", store.label()), Severity::Error)
    } else if ratio <= 0.0 {
        (unbounded.to_owned(), Severity::Warning)
    } else if ratio > 3.0 {
        ("the cache is below 0, which is no bound at all".to_owned(), Severity::Error)
    } else if ratio >= 1.0 {
        ("memtables may take more than the cache that they are charged to".to_owned(), Severity::Warning)
    } else {
        return None;
    })
}

/// What comes of a high-priority ratio outside of its range. None at all is a choice.
fn of_priority(ratio: f64) -> Option<(String, Severity)> {
    if ratio.is_nan() {
        return Some(("what is reserved for index and filter blocks is not defined".to_owned(), Severity::Warning));
    }
    let outside = !(0.0..=1.0).contains(&ratio);
    let text = "RocksDB makes no shared cache, and every state has a small one of its own";
    outside.then(|| (text.to_owned(), Severity::Warning))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use crate::check::tried::{codes, find};
    use crate::model::Severity;

    #[rstest]
    #[case("write-buffer-ratio: -0.5", "nothing bounds the memtables", Severity::Warning)]
    #[case("write-buffer-ratio: NaN", "the pool is 0 bytes", Severity::Error)]
    #[case("write-buffer-ratio: 4", "no bound at all", Severity::Error)]
    #[case("high-prio-pool-ratio: -0.1", "a small one of its own", Severity::Warning)]
    #[case("high-prio-pool-ratio: NaN", "not defined", Severity::Warning)]
    fn what_comes_of_it_is_said(#[case] line: &str, #[case] what: &str, #[case] severity: Severity) {
        let text = format!("# oomph: flink=1.18\nstate.backend.rocksdb.memory.{line}\n");
        let finding = find("OOM407", "flink-conf.yaml", &text);
        assert!(finding.title.contains(what), "{finding:?}");
        assert_eq!(finding.severity, severity);
    }

    #[rstest]
    #[case("high-prio-pool-ratio: 0")]
    #[case("write-buffer-ratio: 0.01")]
    #[case("write-buffer-ratio: 1")]
    #[case("write-buffer-ratio: 0\nstate.backend.rocksdb.memory.managed: false")]
    fn a_choice_or_what_flink_refuses_or_nobody_reads_is_left(#[case] line: &str) {
        let text = format!("# oomph: flink=1.18\nstate.backend.rocksdb.memory.{line}\n");
        assert!(!codes("flink-conf.yaml", &text).contains(&"OOM407"));
    }
}
