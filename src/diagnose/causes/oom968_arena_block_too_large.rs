use super::marks;
use crate::diagnose::cause::cause;
use crate::diagnose::postmortem::case::Case;
use crate::diagnose::postmortem::late::{Decides, Late, Weight};
use crate::diagnose::postmortem::signal::Signal;
use crate::model::Area;

cause! {
    /// RocksDB takes memory for writes in blocks that are larger than all memtables may be, and flushes all the time.
    ///
    /// ### What is seen
    /// At the start "RocksDBStateBackend performance will be poor because of the current Flink memory configuration!
    /// RocksDB will flush memtable constantly", with `arenaBlockSize` above `mutableLimit`; in RocksDB's LOG flushes of
    /// a few KiB with the reason "Write Buffer Manager". Throughput falls, disk and CPU are busy with tiny files.
    /// Nobody dies of it.
    ///
    /// ### What it is not
    /// - A lack of memory of the process: the share of one slot is small for the number of its states.
    /// - The same warning on Flink 2.x, which ships RocksDB 8.10: that caps the block at 1 MiB, and Flink computes with
    ///   an eighth of the write buffer. Between about 3.4 and 27 MiB a slot the warning is false there.
    ///
    /// ### How to prove it
    /// `grep -h -e arena_block_size -e 'flush_reason' *LOG | sort | uniq -c`; the warning names all sizes.
    ///
    /// ### Cure
    /// More managed memory a slot: `taskmanager.memory.managed.fraction`, fewer slots, or
    /// `taskmanager.memory.managed.size`. Or a smaller block: `state.backend.rocksdb.writebuffer.size: 16mb` (the block
    /// is an eighth). Or a larger part for memtables: `state.backend.rocksdb.memory.write-buffer-ratio`.
    ///
    /// ### Sources
    /// - [FLINK-19238](https://github.com/apache/flink/pull/13393), the warning; `RocksDBMemoryControllerUtils`.
    /// - RocksDB, column_family.cc (`SanitizeOptions`: the block is capped at 1 MiB since 6.21).
    "OOM968" "arena-block-too-large" {
        late: Some(Late {
            required,
            supporting: |case| marks::strained(case, &["forced-flushes"]),
            weight: Weight::Beside,
            area: |_| Area::ManagedRocksDb,
            title,
            decides: Some(Decides {
                evidence: "the size of blocks that RocksDB really takes, and why it flushes",
                command: "grep -h -e arena_block_size -e flush_reason *LOG",
            }),
            ..Late::UNMARKED
        }),
    }
}

const NAMES: [&str; 2] = ["arena-block", "forced-flushes"];

fn required<'s>(case: &Case<'s>) -> Vec<&'s Signal> {
    marks::strained(case, &NAMES)
}

fn title(case: &Case<'_>) -> String {
    let said = case.strains(&NAMES).into_iter().map(|(_, strain)| strain.text.as_str()).find(|text| !text.is_empty());
    said.map_or_else(
        || "RocksDB flushes all the time: its blocks for writes do not fit into their share".to_owned(),
        |text| text.trim_end_matches('.').to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::super::left::Left;
    use super::*;
    use crate::diagnose::postmortem::signal::Origin;
    use crate::model::{Bytes, Killer};

    #[test]
    fn the_warning_is_told_and_kills_nobody() {
        let warned = |left: Left| {
            left.used(Origin::Flink, "arena-block", Area::ManagedRocksDb, Bytes::new(8_388_608), Bytes::new(4_893_354))
        };
        assert_eq!(warned(Left::default()).verdict().code, Some("OOM968"));
        assert_eq!(warned(Left::default()).verdict().killer, Killer::NotOom);
        assert_eq!(warned(Left::killed_by(Killer::KernelMemcg, Area::Container)).first(), Some("OOM940"));
    }

    #[test]
    fn a_stall_is_not() {
        let stalled = Left::default().strain(Origin::RocksDb, "write-stall", Some(Area::ManagedRocksDb));
        assert!(!stalled.codes().contains(&"OOM968"));
    }
}
