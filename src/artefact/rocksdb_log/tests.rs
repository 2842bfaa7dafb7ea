//! Logs of real TaskManagers, and a dump of a newer RocksDB.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::fmt::Write;

use proptest::prelude::*;

use super::*;
use crate::artefact::Stated;
use crate::model::Bytes;

const FLINK_1_20: &[u8] = include_bytes!("../../../testdata/rocksdb/flink-1.20/LOG");
const FLINK_2_3: &[u8] = include_bytes!("../../../testdata/rocksdb/flink-2.3/LOG");
const DUMP_9_8: &[u8] = include_bytes!("../../../testdata/rocksdb/dump-9.8/LOG");

fn what<T: Clone>(stated: &Option<Stated<T>>) -> Option<T> {
    stated.as_ref().map(|stated| stated.what.clone())
}

#[test]
fn a_log_of_flink_1_20_is_read() {
    let log = read(FLINK_1_20);
    assert_eq!(log.version, Some(Stated { what: "6.20.3".to_owned(), line: 1 }));
    assert_eq!(what(&log.database.max_open_files), Some(-1));
    assert_eq!(what(&log.database.stats_dump_period), Some(0));
    assert!(what(&log.directory).unwrap().ends_with("__1_2__uuid_38e84ca1-f373-4ddc-91a9-770c89a4980a/db"));
    let names: Vec<&str> = log.column_families.iter().map(|family| family.name.as_str()).collect();
    assert_eq!(names[..2], ["default", "accState"]);
    let family = log.family("accState").unwrap();
    assert_eq!(what(&family.arena_block_size), Some(Bytes::mib(8)));
    assert_eq!(what(&family.write_buffer_size), Some(Bytes::mib(64)));
    assert_eq!(what(&family.max_write_buffer_number), Some(2));
    assert_eq!(what(&family.level0_slowdown), Some(20));
    assert_eq!(what(&family.table.cache_capacity), Some(Bytes::new(223_696_216)));
    assert_eq!(what(&family.table.strict_capacity_limit), Some(false));
    assert_eq!(what(&family.table.high_pri_pool_ratio), Some("0.100".to_owned()));
    assert_eq!(what(&family.table.cache_index_and_filter_blocks), Some(true));
    assert_eq!(what(&family.table.filter_policy), Some("nullptr".to_owned()));
    assert!(family.files_by_level.is_some());
    assert!(log.column_families.iter().all(|other| what(&other.table.block_cache) == log.block_cache()));
    assert_eq!(log.stalls.counts.get(&(StallCause::Memtables, StallKind::Stopped)), Some(&5));
    let stall = &log.stalls.recent[0].what;
    assert_eq!((stall.family.as_deref(), stall.figure), (Some("accState"), 2));
    assert_eq!((log.errors.count, log.unreadable_events, log.dump.as_ref()), (0, 0, None));
}

#[test]
fn a_log_of_flink_2_3_is_read() {
    let log = read(FLINK_2_3);
    assert_eq!(what(&log.version).as_deref(), Some("8.10.0"));
    assert_eq!(what(&log.session).as_deref(), Some("RQFMH3ALND3YNCNSTFK9"));
    assert_eq!(what(&log.database.log_directory).as_deref(), Some("/opt/flink-cluster/runs/base230/log"));
    assert!(log.database.write_buffer_manager.is_some());
    let family = log.family("data-state-with-append").unwrap();
    assert_eq!(what(&family.arena_block_size), Some(Bytes::mib(1)));
    assert!(log.flushes.by_reason["Get Live Files"] > 0);
    assert_eq!(log.flushes.by_reason.values().sum::<u64>(), log.flushes.count);
    let first = &log.flushes.recent[0];
    assert_eq!((first.memory, first.data), (Some(Bytes::new(921_184)), Some(Bytes::new(890_698))));
    assert!(log.compactions.count > 0 && log.compactions.micros > 0);
    // What is left is what the levels have.
    let levels: u64 = log.column_families.iter().filter_map(|family| what(&family.files_by_level)).flatten().sum();
    assert_eq!(log.tables.len() as u64, levels);
    assert!(log.tables.values().all(|table| table.index.is_some() && table.filter == Some(Bytes::ZERO)));
    assert!(log.last > log.first);
}

#[test]
fn a_dump_of_statistics_is_read() {
    let log = read(DUMP_9_8);
    assert_eq!(what(&log.database.stats_dump_period), Some(2));
    let dump = log.dump.as_ref().unwrap();
    assert_eq!((dump.uptime, dump.interval), (Some(6000), Some(2000)));
    assert_eq!(dump.stall, Some(StallTime { millis: 2423, permille: 403 }));
    assert_eq!(dump.interval_stall, Some(StallTime { millis: 301, permille: 151 }));
    assert_eq!(dump.write_buffer_manager_stops, Some(0));
    let [family] = &dump.families[..] else { panic!("{:?}", dump.families) };
    let levels: Vec<(u32, u64)> = family.levels.iter().map(|level| (level.level, level.files)).collect();
    assert_eq!(levels, [(0, 2), (6, 1)]);
    assert_eq!(family.pending_compaction, Some(Bytes::ZERO));
    let stalls = family.stalls.unwrap();
    assert_eq!((stalls.level0_delays, stalls.memtable_stops, stalls.pending_delays), (103, 30, 0));
    assert_eq!(
        (dump.ticker("rocksdb.block.cache.miss"), dump.ticker("rocksdb.block.cache.hit")),
        (Some(153_618), Some(447_193))
    );
    assert_eq!(dump.ticker("rocksdb.no.such"), None);
    assert_eq!(dump.caches[0].capacity, Some(Bytes::mib(1)));
    let counts = &log.stalls.counts;
    assert!(counts.contains_key(&(StallCause::Level0, StallKind::Delayed)));
    assert!(counts.contains_key(&(StallCause::Memtables, StallKind::Stopped)));
}

#[test]
fn a_prefix_of_a_collector_changes_nothing_but_is_left_out() {
    let mut collected = String::new();
    for line in std::str::from_utf8(DUMP_9_8).unwrap().lines() {
        writeln!(collected, "2026-11-21T08:00:00.000000001Z stdout F {line}").unwrap();
    }
    assert_eq!(read(collected.as_bytes()), read(DUMP_9_8));
}

#[test]
fn stalls_are_read_without_a_head_too() {
    let text = b"    Stopping writes because we have 5 immutable memtables (waiting for flush), max_write_buffer_number is set to 5\n\
        2026/11/21-08:20:10.717661 1 [WARN] [/column_family.cc:9] [a b] Stalling writes because we have 20 level-0 files rate 16777216\n\
        2026/11/21-08:20:10.717661 1 [WARN] [x] Stopping writes because of estimated pending compaction bytes 274877906944\n\
        2026/11/21-08:20:10.717661 1 [x] Pausing writes because we have 1 level-0 files\n";
    let log = read(text);
    let found: Vec<_> =
        log.stalls.recent.iter().map(|stated| (stated.line, stated.what.cause, stated.what.figure)).collect();
    assert_eq!(
        found,
        [
            (1, StallCause::Memtables, 5),
            (2, StallCause::Level0, 20),
            (3, StallCause::PendingCompaction, 274_877_906_944)
        ]
    );
    assert_eq!(log.stalls.recent[1].what.family.as_deref(), Some("a b"));
}

#[test]
fn errors_are_kept_with_what_they_mean() {
    let text = b"2026/11/21-08:20:10.717661 1 [WARN] [/db_impl.cc:9] Waiting after background flush error: IO error: No space left on device: While appending to file: /d/1.sst\n\
        2026/11/21-08:20:11.717661 1 [ERROR] [/x.cc:9] Compaction error: Corruption: block checksum mismatch\n\
        2026/11/21-08:20:12.717661 1 [ERROR] something else\n\
        2026/11/21-08:20:12.717661 1 [/x.cc:9] all is well\n";
    let log = read(text);
    let found: Vec<_> = log.errors.first.iter().map(|e| (e.line, e.what.no_space, e.what.corruption)).collect();
    assert_eq!(found, [(1, true, false), (2, false, true), (3, false, false)]);
    assert_eq!(log.errors.last.as_ref().map(|last| last.line), Some(3));
}

#[test]
fn a_gap_is_said_and_what_follows_is_not_taken_for_options_before_it() {
    let head = b"2026/11/21-08:20:10.717661 1 [/c.cc:1] --------------- Options for column family [a]:\n\
        2026/11/21-08:20:10.717661 1 Options.write_buffer_size: 1";
    let tail = b"er_size: 5\n2026/11/21-08:20:10.717661 1 Options.write_buffer_size: 7\n";
    let mut reader = Reader::default();
    reader.feed(head);
    reader.skip();
    reader.feed(tail);
    let log = reader.finish();
    assert_eq!((log.gap_after, log.lines), (Some(2), 4));
    assert_eq!(what(&log.column_families[0].write_buffer_size), Some(Bytes::new(1)));
}

#[test]
fn a_truncated_log_gives_what_it_holds() {
    for text in [FLINK_1_20, FLINK_2_3, DUMP_9_8] {
        let whole = read(text);
        for end in (0..text.len()).step_by(4999) {
            let part = read(&text[..end]);
            assert!(part.lines <= whole.lines && part.flushes.count <= whole.flushes.count);
            assert!(part.unreadable_events <= 1);
        }
    }
}

#[test]
fn what_is_kept_does_not_grow_with_the_log() {
    let mut text = String::new();
    for n in 0..2000 {
        writeln!(text, "2026/11/21-08:20:10.717661 1 --------------- Options for column family [f{n}]:").unwrap();
        writeln!(text, "2026/11/21-08:20:10.717661 1 [ERROR] broken {}", "x".repeat(900)).unwrap();
        writeln!(text, "2026/11/21-08:20:10.717661 1 [f] Stopping writes because we have {n} level-0 files").unwrap();
        writeln!(
            text,
            "2026/11/21-08:20:10.717661 1 EVENT_LOG_v1 {{\"event\": \"flush_started\", \"flush_reason\": \"r{n}\"}}"
        )
        .unwrap();
    }
    let log = read(text.as_bytes());
    assert_eq!((log.column_families.len(), log.errors.first.len(), log.errors.count), (1024, 32, 2000));
    assert!(log.errors.first.iter().all(|error| error.what.text.len() == 400));
    assert_eq!((log.stalls.recent.len(), log.flushes.recent.len(), log.flushes.by_reason.len()), (128, 128, 64));
}

proptest! {
    #[test]
    fn a_log_in_pieces_is_read_as_the_whole(size in 1_usize..9000, start in 0_usize..40_000) {
        let text = &FLINK_1_20[start..start + 60_000];
        let mut reader = Reader::default();
        for piece in text.chunks(size) {
            reader.feed(piece);
        }
        prop_assert_eq!(reader.finish(), read(text));
    }
}
