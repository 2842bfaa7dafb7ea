use super::stores;
use crate::check::policy::threshold;
use crate::check::rule::rule;
use crate::check::{Case, Collector, Written};
use crate::model::Confidence;

rule! {
    /// So many native metrics of a store that reading them costs.
    ///
    /// ### Why
    /// Each property is read for every state of every operator every 5 seconds, under the lock of the database; each
    /// one is a time series that a reporter sends. Tickers (cache hits, bytes read, stalls) need RocksDB's statistics,
    /// which every read and write counts in, at 5 to 10 %. Block-cache metrics are the same number in every state of a
    /// slot where a pool is shared: their sum means nothing.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20 states=20
    /// state.backend.type: rocksdb
    /// state.backend.rocksdb.metrics.background-errors: true
    /// state.backend.rocksdb.metrics.block-cache-capacity: true
    /// state.backend.rocksdb.metrics.block-cache-pinned-usage: true
    /// state.backend.rocksdb.metrics.block-cache-usage: true
    /// state.backend.rocksdb.metrics.compaction-pending: true
    /// state.backend.rocksdb.metrics.cur-size-all-mem-tables: true
    /// state.backend.rocksdb.metrics.estimate-live-data-size: true
    /// state.backend.rocksdb.metrics.estimate-num-keys: true
    /// state.backend.rocksdb.metrics.estimate-table-readers-mem: true
    /// state.backend.rocksdb.metrics.num-immutable-mem-table: true
    /// state.backend.rocksdb.metrics.num-running-compactions: true
    /// state.backend.rocksdb.metrics.num-running-flushes: true
    /// state.backend.rocksdb.metrics.size-all-mem-tables: true
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20 states=20
    /// state.backend.type: rocksdb
    /// state.backend.rocksdb.metrics.block-cache-pinned-usage: true
    /// state.backend.rocksdb.metrics.block-cache-usage: true
    /// state.backend.rocksdb.metrics.cur-size-all-mem-tables: true
    /// ```
    ///
    /// ### Sources
    /// - `RocksDBNativeMetricMonitor`, Flink 1.9 to 2.3; `View.UPDATE_INTERVAL_SECONDS` is 5.
    /// - RocksDB's page on statistics: https://www.bookstack.cn/read/rocksdb-6.14-en/e7a71e39440d726b.md.
    /// - Measured with Flink 1.20.5: block-cache-usage of all states adds up to 2558 MiB, of two caches with 426 MiB.
    "OOM411" "metrics-cost" {
        confidence: Confidence::Medium,
        check: check,
    }
}

/// The tickers of `RocksDBNativeMetricOptions` (`TickerType`); everything else is a property of each column family.
const TICKERS: [&str; 11] = [
    "block-cache-hit",
    "block-cache-miss",
    "bloom-filter-full-positive",
    "bloom-filter-full-true-positive",
    "bloom-filter-useful",
    "bytes-read",
    "bytes-written",
    "compaction-read-bytes",
    "compaction-write-bytes",
    "iter-bytes-read",
    "stall-micros",
];

/// What a block cache tells, the same for all that share it.
const OF_CACHE: [&str; 3] = ["block-cache-capacity", "block-cache-pinned-usage", "block-cache-usage"];

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    for &store in stores::possible(case) {
        let prefix = case.store_key(store, "metrics.");
        let mut properties: Vec<Written<'_>> = Vec::new();
        let (mut tickers, mut of_cache) = (0, 0);
        for (key, setting) in case.config.with_prefix(&prefix) {
            let written = Written { key, setting };
            let name = key.strip_prefix(prefix.as_str()).unwrap_or(key);
            let counts = written.is_own()
                && written.text().eq_ignore_ascii_case("true")
                && name != "column-family-as-variable"
                && case.option(key).is_some();
            if counts && TICKERS.contains(&name) {
                tickers += 1;
            } else if counts {
                of_cache += usize::from(OF_CACHE.contains(&name));
                properties.push(written);
            }
        }
        let all = properties.len() + tickers;
        if u64::try_from(all).unwrap_or(u64::MAX) <= case.policy.count(&threshold::STORE_METRICS_MAX) {
            continue;
        }
        properties.sort_by_key(|written| written.place().position.map_or(u32::MAX, |position| position.line));
        let mut draft = found.find(format!("{all} native metrics of {} are read every 5 seconds", store.label()));
        if let Some(first) = properties.first() {
            draft = draft.at(first.place(), format!("the first of {}", properties.len()));
        }
        let count = properties.len();
        draft = draft.note(match (case.told.workload.states, case.slots()) {
            (Some(states), Some(slots)) => {
                let series = count as u64 * u64::from(states) * u64::from(slots);
                format!("{count} properties x {states} states x {slots} slots are {series} series of a TaskManager")
            }
            (Some(states), None) => {
                let series = count as u64 * u64::from(states);
                format!("{count} properties x {states} states are {series} series of a slot")
            }
            _ => format!("{count} of them are properties: a series each for every state of every slot"),
        });
        if tickers > 0 {
            draft = draft.note(format!("tickers, {tickers} here, turn RocksDB's statistics on, which cost 5 to 10 %"));
        }
        if of_cache > 0 && stores::has_pool(case, store) == Some(true) {
            draft = draft.note(format!(
                "the block cache ({of_cache} of them) is shared by a slot's states: take one value, not the sum"
            ));
        }
        draft.help(
            "keep block-cache-usage, block-cache-pinned-usage and cur-size-all-mem-tables, and others while you look",
        );
    }
}

#[cfg(test)]
mod tests {
    use crate::check::tried::{codes, find};

    const NAMES: [&str; 13] = [
        "background-errors",
        "bytes-read",
        "block-cache-usage",
        "compaction-pending",
        "cur-size-all-mem-tables",
        "estimate-live-data-size",
        "estimate-num-keys",
        "estimate-table-readers-mem",
        "num-immutable-mem-table",
        "num-running-compactions",
        "num-running-flushes",
        "size-all-mem-tables",
        "num-snapshots",
    ];

    fn with(version: &str, count: usize) -> String {
        let lines: String =
            NAMES[..count].iter().map(|name| format!("state.backend.rocksdb.metrics.{name}: true\n")).collect();
        format!("# oomph: flink={version}\n{lines}")
    }

    #[test]
    fn ten_metrics_are_not_too_many_and_those_that_are_off_do_not_count() {
        assert!(!codes("flink-conf.yaml", &with("1.18", 10)).contains(&"OOM411"));
        assert!(codes("flink-conf.yaml", &with("1.18", 11)).contains(&"OOM411"));
        let off = with("1.18", 11).replace("num-running-flushes: true", "num-running-flushes: false");
        assert!(!codes("flink-conf.yaml", &off).contains(&"OOM411"));
        let names = format!("{}state.backend.rocksdb.metrics.column-family-as-variable: true\n", with("1.18", 10));
        assert!(!codes("flink-conf.yaml", &names).contains(&"OOM411"));
    }

    #[test]
    fn tickers_and_a_shared_cache_are_told_apart_from_properties() {
        let finding = find("OOM411", "flink-conf.yaml", &with("1.18", 13));
        assert!(finding.notes[0].starts_with("12 of them are properties"), "{finding:?}");
        assert!(finding.notes[1].starts_with("tickers, 1 here"), "{finding:?}");
        assert!(finding.notes[2].starts_with("the block cache (1 of them)"), "{finding:?}");
    }

    #[test]
    fn metrics_that_a_version_does_not_have_do_not_count() {
        assert!(!codes("flink-conf.yaml", &with("1.15", 11)).contains(&"OOM411"));
    }
}
