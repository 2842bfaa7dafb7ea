use super::stores::{self, Growth};
use crate::check::policy::threshold;
use crate::check::rule::rule;
use crate::check::{Case, Collector};
use crate::model::{Bytes, Severity};

rule! {
    /// Index and filter blocks lie outside of every cache and grow with the state.
    ///
    /// ### Why
    /// Flink puts index and filter blocks into the block cache only where there is a pool. With `memory.managed: false`
    /// and no fixed size RocksDB keeps those of every open file on its own heap, and every file is open while
    /// `files.open` is -1. A filter takes 10 bits a key, an index entry a block; no option but the number of open files
    /// bounds them. The process runs well at first and is killed when the state has grown. A pool counts them, and
    /// `partitioned-index-filters` keeps only their top in the cache.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 8g
    /// state.backend.type: rocksdb
    /// state.backend.rocksdb.memory.managed: false
    /// state.backend.rocksdb.use-bloom-filter: true
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 8g
    /// state.backend.type: rocksdb
    /// state.backend.rocksdb.memory.managed: true
    /// state.backend.rocksdb.use-bloom-filter: true
    /// ```
    ///
    /// ### Sources
    /// - `RocksDBResourceContainer.getColumnOptions`, Flink 1.10 to 2.3: `setCacheIndexAndFilterBlocks` is called with
    ///   a shared cache only.
    /// - Threads: https://github.com/facebook/rocksdb/issues/3437 (31 GB of table readers),
    ///   https://github.com/facebook/rocksdb/issues/588, https://github.com/facebook/rocksdb/issues/719,
    ///   https://github.com/facebook/rocksdb/issues/12942.
    "OOM405" "index-filter-outside-cache" {
        severity: Severity::Error,
        since: Some((1, 10)),
        check: check,
    }
}

/// `RocksDBConfigurableOptions.BLOOM_FILTER_BITS_PER_KEY`, and what `new BloomFilter()` takes before there was one.
const BITS_PER_KEY: f64 = 10.0;

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    let Some((store, managed)) = stores::unmanaged(case) else { return };
    let large = case.policy.size(&threshold::UNMANAGED_STATE_LARGE);
    let Some(growth) = stores::growth(case, store, large) else { return };
    let label = store.label();
    let mut draft = found
        .find(format!("{label} holds index and filter blocks outside of every cache, and they grow with the state"))
        .at(managed.place(), "no pool");
    match growth {
        Growth::Filter(written) => {
            let bits = case.number(&case.store_key(store, "bloom-filter.bits-per-key")).unwrap_or(BITS_PER_KEY);
            draft = draft.at(written.place(), "a filter for every key").note(filters(bits));
        }
        Growth::Predefined(written) => {
            draft = draft.at(written.place(), "has a filter for every key").note(filters(BITS_PER_KEY));
        }
        Growth::State(size) => {
            draft = draft.note(format!("the state is {size}; every file of it is open, with its index in memory"));
        }
    }
    for note in stores::bound(case, store) {
        draft = draft.note(note);
    }
    draft.help(format!(
        "take {} out, and set {}: true where index and filters do not fit the cache",
        managed.key,
        case.store_key(store, "memory.partitioned-index-filters")
    ));
}

/// What the filters of a thousand million keys take.
fn filters(bits_per_key: f64) -> String {
    let bytes = Bytes::new((bits_per_key * 1e9 / 8.0) as u64);
    format!("{bits_per_key} bits a key: a thousand million keys have {bytes} of filters")
}

#[cfg(test)]
mod tests {
    use crate::check::tried::{codes, find};

    const FILTER: &str = "state.backend.rocksdb.use-bloom-filter: true\n";
    const UNMANAGED: &str = "state.backend.type: rocksdb\nstate.backend.rocksdb.memory.managed: false\n";

    #[test]
    fn either_this_rule_or_the_one_of_unmanaged_stores_speaks() {
        let filter = format!("# oomph: flink=1.20\n{UNMANAGED}state.backend.rocksdb.use-bloom-filter: true\n");
        assert_eq!(codes("config.yaml", &filter), ["OOM405"]);
        let none = format!("# oomph: flink=1.20\n{UNMANAGED}state.backend.rocksdb.use-bloom-filter: false\n");
        assert_eq!(codes("config.yaml", &none), ["OOM401"]);
    }

    #[test]
    fn a_bound_of_open_files_bounds_their_indexes() {
        let text = format!("{UNMANAGED}{FILTER}state.backend.rocksdb.files.open: 500\n");
        assert!(!codes("config.yaml", &text).contains(&"OOM405"));
        assert!(codes("config.yaml", &text.replace("500", "-1")).contains(&"OOM405"));
    }

    #[test]
    fn a_large_state_is_evidence_too_and_its_size_is_said() {
        let text = format!("# oomph: state-size=2t\n{UNMANAGED}");
        assert!(find("OOM405", "config.yaml", &text).notes[0].contains("2 TiB"));
        assert!(codes("config.yaml", &text.replace("2t", "2g")).contains(&"OOM401"));
    }

    #[test]
    fn a_fixed_size_or_a_placeholder_for_one_is_a_pool() {
        for size in ["512mb", "${SIZE}"] {
            let text = format!("{UNMANAGED}{FILTER}state.backend.rocksdb.memory.fixed-per-slot: {size}\n");
            assert!(!codes("config.yaml", &text).contains(&"OOM405"), "{size}");
        }
    }

    #[test]
    fn forst_keeps_its_blocks_in_the_same_way() {
        let text = "# oomph: flink=2.1\nstate.backend.type: forst\nstate.backend.forst.memory.managed: false\n\
                    state.backend.forst.use-bloom-filter: true\n";
        assert!(find("OOM405", "config.yaml", text).title.starts_with("ForSt"));
    }
}
