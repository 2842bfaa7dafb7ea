use super::stores;
use crate::check::rule::rule;
use crate::check::{Case, Collector, FixKind, Written};
use crate::model::{Bytes, Severity};
use crate::plan::store::{Pool, Store};

rule! {
    /// A size of cache or memtables is set that memory control overrides or bounds.
    ///
    /// ### Why
    /// With managed memory, which is the default, or a fixed size, one cache serves all states of a slot: Flink puts it
    /// where the cache of `block.cache-size` was, which then does nothing. Write buffers stay as they are set, but all
    /// memtables of a slot share one write-buffer manager, and RocksDB flushes when they take seven eighths of it. A
    /// memtable larger than that is never filled, and one of several that fit together only in part is flushed early.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 8g
    /// state.backend.type: rocksdb
    /// state.backend.rocksdb.block.cache-size: 512mb
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 8g
    /// state.backend.type: rocksdb
    /// ```
    ///
    /// ### Sources
    /// - `RocksDBResourceContainer.getColumnOptions`, Flink 1.10 to 2.3: `setBlockCache` with the shared cache comes
    ///   last. `ForStResourceContainer` does the same, Flink 2.0 to 2.3.
    /// - Measured with the RocksDB in flink-dist 1.20.5 and 2.3.0: with a shared cache of 100 MiB and
    ///   `setBlockCacheSize` of 500 MiB, block-cache-capacity is 100 MiB; under a manager of 30 MiB, 60 MB written to
    ///   memtables of 64 MiB never take more than 33,580,056 B (1.20.5) or 43,038,080 B (2.3.0) at once. The ForSt in
    ///   2.3.0 does the same.
    /// - Flink's page on tuning large state; FLINK-14495: https://github.com/apache/flink/pull/10498.
    "OOM404" "overridden-by-memory-control" {
        severity: Severity::Warning,
        since: Some((1, 10)),
        fix: FixKind::Safe,
        check: check,
    }
}

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    for &store in stores::possible(case) {
        cache(case, found, store);
        memtables(case, found, store);
    }
}

fn cache(case: &Case<'_>, found: &mut Collector<'_>, store: Store) {
    let Some(written) = stores::written(case, store, "block.cache-size") else { return };
    if stores::has_pool(case, store) != Some(true) {
        return;
    }
    let mut draft = found
        .find(format!("{} has no effect: one cache for all states of a slot takes its place", written.key))
        .at(written.place(), "never used");
    if let Some(pool) = case.store_memory(store).and_then(|memory| memory.pool.as_ref())
        && let Ok(cache) = u64::try_from(pool.sizes.block_cache)
    {
        draft = draft.note(format!("the shared cache is {}, of a pool of {}", Bytes::new(cache), pool.total.bytes));
    }
    draft
        .help("take the line out; more managed memory, or a lower memory.write-buffer-ratio, makes the cache larger")
        .safe_fix("take it out", case.remove(written));
}

/// What is written of a store's memtables.
struct Memtables<'a> {
    size: Bytes,
    count: u64,
    merge: u64,
    written: [Option<Written<'a>>; 3],
}

fn memtables(case: &Case<'_>, found: &mut Collector<'_>, store: Store) {
    let keys = ["writebuffer.size", "writebuffer.count", "writebuffer.number-to-merge"];
    let written = keys.map(|rest| stores::written(case, store, rest));
    let Some(first) = written.iter().flatten().next() else { return };
    let Some(memory) = case.store_memory(store) else { return };
    let Some(pool) = &memory.pool else { return };
    // Where an arena block alone is too large, that is the graver finding; a manager of nothing or less bounds nothing.
    if pool.flushes_constantly || !pool.sizes.arena_ok || pool.sizes.write_buffer_manager <= 0 {
        return;
    }
    let number = |written: Option<Written<'_>>| written.and_then(|written| written.text().parse::<u64>().ok());
    let Some(count) = stores::write_buffers(case, store) else { return };
    let merge = number(written[2]).unwrap_or(1);
    let memtables = Memtables { size: memory.write_buffer.bytes, count, merge, written };
    tell(found, store, &memtables, pool, first.key);
}

fn tell(found: &mut Collector<'_>, store: Store, memtables: &Memtables<'_>, pool: &Pool, first: &str) {
    let size = |bytes: i64| Bytes::new(u64::try_from(bytes).unwrap_or(0));
    let (manager, limit) = (size(pool.sizes.write_buffer_manager), size(pool.sizes.mutable_limit));
    let [of_size, of_count, of_merge] = memtables.written;
    let all = |times: u64| memtables.size.checked_mul(times).unwrap_or(Bytes::FLINK_MAX);
    let (title, severity) = if let Some(written) = of_size.filter(|_| memtables.size > limit) {
        (format!("{} is never reached: RocksDB flushes at {limit}", written.key), Severity::Warning)
    } else if of_merge.is_some() && memtables.merge > 1 && all(memtables.merge) > manager {
        let (merge, all) = (memtables.merge, all(memtables.merge));
        (format!("{merge} memtables to merge are {all}, and all of a slot share {manager}"), Severity::Warning)
    } else if all(memtables.count) > manager {
        let (count, all) = (memtables.count, all(memtables.count));
        (format!("{count} memtables of a state are {all}, and all of a slot share {manager}"), Severity::Note)
    } else {
        return;
    };
    let mut draft = found.find(title).severity(severity);
    let labels = [(of_size, "size of one"), (of_merge, "how many to merge"), (of_count, "how many")];
    for (written, text) in labels {
        if let Some(written) = written {
            draft = draft.at(written.place(), text);
        }
    }
    draft
        .note(format!(
            "a pool of {} with a write-buffer-ratio of {} gives memtables {manager}; {} flushes when they take {limit}",
            pool.total.bytes,
            pool.write_buffer_ratio.value,
            store.label()
        ))
        .note("that is for all states of a slot together, timers among them")
        .help(format!("take {first} out, or give the store more memory or a higher memory.write-buffer-ratio"));
}

#[cfg(test)]
mod tests {
    use crate::check::tried::{codes, find};
    use crate::model::Severity;

    fn with(lines: &str) -> String {
        format!("# oomph: flink=1.20\ntaskmanager.memory.process.size: 4g\nstate.backend.type: rocksdb\n{lines}")
    }

    #[test]
    fn without_a_pool_each_state_has_the_cache_that_is_set() {
        let text = with("state.backend.rocksdb.block.cache-size: 64mb\nstate.backend.rocksdb.memory.managed: false\n");
        assert!(!codes("config.yaml", &text).contains(&"OOM404"));
        let hidden = text.replace("managed: false", "managed: ${MANAGED}");
        assert!(!codes("config.yaml", &hidden).contains(&"OOM404"));
        let before = "state.backend: rocksdb\nstate.backend.rocksdb.block.cache-size: 64mb\n# oomph: flink=1.9\n";
        assert!(!codes("flink-conf.yaml", before).contains(&"OOM404"));
    }

    #[test]
    fn a_job_that_chooses_the_backend_itself_has_a_pool_too() {
        let text = "# oomph: flink=1.18\nstate.backend.rocksdb.block.cache-size: 64mb\n";
        assert!(find("OOM404", "flink-conf.yaml", text).fix.unwrap().safe);
        let heap = format!("{text}state.backend.type: hashmap\n");
        assert!(!codes("flink-conf.yaml", &heap).contains(&"OOM404"));
    }

    #[test]
    fn a_memtable_above_the_limit_is_never_filled() {
        let finding = find("OOM404", "config.yaml", &with("state.backend.rocksdb.writebuffer.size: 512mb\n"));
        assert!(finding.title.contains("never reached"), "{finding:?}");
        assert!(!codes("config.yaml", &with("state.backend.rocksdb.writebuffer.size: 128mb\n")).contains(&"OOM404"));
    }

    #[test]
    fn several_memtables_above_the_manager_are_a_note_and_to_merge_them_a_warning() {
        let count = with("state.backend.rocksdb.writebuffer.size: 128mb\nstate.backend.rocksdb.writebuffer.count: 8\n");
        assert_eq!(find("OOM404", "config.yaml", &count).severity, Severity::Note);
        let merge = format!("{count}state.backend.rocksdb.writebuffer.number-to-merge: 4\n");
        assert_eq!(find("OOM404", "config.yaml", &merge).severity, Severity::Warning);
    }

    #[test]
    fn forst_replaces_its_cache_as_well() {
        let text = "# oomph: flink=2.0\nstate.backend.type: forst\nstate.backend.forst.block.cache-size: 64mb\n";
        assert!(find("OOM404", "config.yaml", text).title.starts_with("state.backend.forst.block.cache-size"));
    }
}
