use super::stores;
use crate::check::rule::rule;
use crate::check::{Case, Collector};
use crate::model::{Bytes, Severity};

rule! {
    /// The predefined options with a large cache do less than their name says, or take far more.
    ///
    /// ### Why
    /// `SPINNING_DISK_OPTIMIZED_HIGH_MEM` sets a cache of 256 MiB, 4 memtables of 64 MiB of which 3 are merged, blocks
    /// of 128 KiB, files of 256 MiB, levels from 1 GiB on, a bloom filter and 4 threads. Where there is a pool its
    /// cache is overridden and its memtables are bounded, while the large blocks remain: a read takes 128 KiB of the
    /// shared cache, for 4 KiB otherwise. Without a pool all of it holds, for every state in every slot.
    ///
    /// `SPINNING_DISK_OPTIMIZED` and `FLASH_SSD_OPTIMIZED` touch no memory: 4 threads for 2, and levels of dynamic size
    /// for the first of them.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 4g
    /// taskmanager.numberOfTaskSlots: 4
    /// state.backend.type: rocksdb
    /// state.backend.rocksdb.predefined-options: SPINNING_DISK_OPTIMIZED_HIGH_MEM
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 4g
    /// taskmanager.numberOfTaskSlots: 4
    /// state.backend.type: rocksdb
    /// state.backend.rocksdb.predefined-options: FLASH_SSD_OPTIMIZED
    /// ```
    ///
    /// ### Sources
    /// - `PredefinedOptions`, Flink 1.9 to 2.3: the same values in all of them; FLINK-24046:
    ///   https://github.com/apache/flink/pull/17874.
    /// - `RocksDBResourceContainer.getColumnOptions`, Flink 1.10 to 2.3: the shared cache replaces that of the options.
    "OOM408" "predefined-options" {
        severity: Severity::Warning,
        check: check,
    }
}

/// `PredefinedOptions.SPINNING_DISK_OPTIMIZED_HIGH_MEM`.
const BLOCK: Bytes = Bytes::kib(128);
const MERGED: u64 = 3;

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    for &store in stores::possible(case) {
        let Some(written) = stores::high_mem(case, store) else { continue };
        let Some(pool) = stores::has_pool(case, store) else { continue };
        let shown = written.shown();
        if !pool {
            let mut draft = found
                .find(format!("{shown} is for every state in every slot, and nothing bounds the sum"))
                .at(written.place(), "a cache of 256 MiB and 4 memtables of 64 MiB each");
            for note in stores::bound(case, store) {
                draft = draft.note(note);
            }
            draft.help("take the line out, or let managed memory hold cache and memtables");
            continue;
        }
        let mut draft = found
            .find(format!("{shown} sets a cache of 256 MiB that is never used"))
            .severity(Severity::Note)
            .at(written.place(), "the cache of the pool takes its place");
        let own_blocks = stores::written(case, store, "block.blocksize").is_some();
        if let Some(memory) = case.store_memory(store)
            && let Some(pool) = &memory.pool
        {
            let size = |bytes: i64| Bytes::new(u64::try_from(bytes).unwrap_or(0));
            let (cache, manager) = (size(pool.sizes.block_cache), size(pool.sizes.write_buffer_manager));
            draft = draft.note(format!("the shared cache is {cache}"));
            if !own_blocks {
                let blocks = cache.get() / BLOCK.get();
                draft = draft.note(format!("{blocks} blocks of {BLOCK} fill it, whatever a read wants of a block"));
            }
            let rests = ["writebuffer.size", "writebuffer.number-to-merge"];
            let own = rests.map(|rest| stores::written(case, store, rest));
            let merged = memory.write_buffer.bytes.checked_mul(MERGED).unwrap_or(Bytes::FLINK_MAX);
            if own.iter().all(Option::is_none) && merged > manager {
                draft = draft.severity(Severity::Warning).note(format!(
                    "{MERGED} memtables of {} are to be merged, {merged}, and all of a slot share {manager}: they are \
                     flushed before",
                    memory.write_buffer.bytes
                ));
            }
        }
        draft.help(format!(
            "take the line out, and set what you want of it alone: {} or {}",
            case.store_key(store, "use-bloom-filter"),
            case.store_key(store, "thread.num")
        ));
    }
}

#[cfg(test)]
mod tests {
    use crate::check::tried::{codes, find};
    use crate::model::Severity;

    fn with(slots: u32, lines: &str) -> String {
        format!(
            "# oomph: flink=1.20\ntaskmanager.memory.process.size: 8g\ntaskmanager.numberOfTaskSlots: {slots}\n\
             state.backend.type: rocksdb\n\
             state.backend.rocksdb.predefined-options: SPINNING_DISK_OPTIMIZED_HIGH_MEM\n{lines}"
        )
    }

    #[test]
    fn a_pool_that_holds_three_memtables_has_a_note() {
        assert_eq!(find("OOM408", "config.yaml", &with(1, "")).severity, Severity::Note);
        let finding = find("OOM408", "config.yaml", &with(8, ""));
        assert_eq!(finding.severity, Severity::Warning);
        assert!(finding.notes.iter().any(|note| note.contains("192 MiB")), "{finding:?}");
    }

    #[test]
    fn without_a_pool_every_state_takes_512_mib() {
        let finding = find("OOM408", "config.yaml", &with(2, "state.backend.rocksdb.memory.managed: false\n"));
        assert!(finding.notes[0].starts_with("each state may take 512 MiB in each slot"), "{finding:?}");
    }

    #[test]
    fn in_1_9_there_is_never_a_pool() {
        let text = "# oomph: flink=1.9\nstate.backend: rocksdb\n\
                    state.backend.rocksdb.predefined-options: SPINNING_DISK_OPTIMIZED_HIGH_MEM\n";
        assert!(find("OOM408", "flink-conf.yaml", text).title.contains("nothing bounds"));
    }

    #[test]
    fn options_that_touch_no_memory_are_left() {
        for options in ["DEFAULT", "SPINNING_DISK_OPTIMIZED", "FLASH_SSD_OPTIMIZED"] {
            let text = with(2, "").replace("SPINNING_DISK_OPTIMIZED_HIGH_MEM", options);
            assert!(!codes("config.yaml", &text).contains(&"OOM408"), "{options}");
        }
    }
}
