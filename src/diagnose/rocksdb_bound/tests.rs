//! Real logs, and figures made up for each verdict.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::artefact::rocksdb_log;
use crate::flink::{Version, options};

fn setting(version: &str) -> Setting<'static> {
    let profile = Profile::of(version.parse::<Version>().unwrap()).unwrap().0;
    Setting { store: Store::RocksDb, scope: Some(Scope::SlotSharedManaged), profile: Some(profile) }
}

const ANY: Setting<'static> = Setting { store: Store::RocksDb, scope: None, profile: None };

fn keys(verdict: &Verdict) -> Vec<&str> {
    verdict.turns.iter().map(|turn| turn.key.as_str()).collect()
}

fn only(judged: &Judged) -> &Verdict {
    let [verdict] = &judged.verdicts[..] else { panic!("{judged:?}") };
    verdict
}

/// A full cache of which three in four lookups miss nothing.
fn missing_often() -> Figures {
    Figures {
        cache_hits: Some(750_000),
        cache_misses: Some(250_000),
        cache_usage: Some(Bytes::mib(210)),
        cache_capacity: Some(Bytes::mib(213)),
        table_bytes: Some(Bytes::gib(8)),
        ..Figures::default()
    }
}

#[test]
fn a_full_cache_that_misses_is_read_bound() {
    let judged = judge(&missing_often(), &setting("1.20"));
    let verdict = only(&judged);
    assert_eq!(
        (verdict.bound, verdict.cause, verdict.confidence),
        (Bound::Reads, Cause::WorkingSet, Confidence::Medium)
    );
    assert_eq!(verdict.evidence[0].is, Amount::Permille(750));
    assert_eq!(
        keys(verdict),
        [
            "taskmanager.memory.managed.fraction",
            "taskmanager.memory.managed.size",
            "state.backend.rocksdb.memory.write-buffer-ratio",
            "state.backend.rocksdb.use-bloom-filter",
        ]
    );
    let undecided: Vec<Bound> = judged.undecided.iter().map(|(bound, _)| *bound).collect();
    assert_eq!(undecided, [Bound::Stalled, Bound::Flushes, Bound::Compactions]);
}

#[test]
fn indexes_that_fill_the_cache_are_told_from_a_large_working_set() {
    let inside = Figures { cache_index_and_filter: Some(Bytes::mib(150)), ..missing_often() };
    let judged = judge(&inside, &setting("1.20"));
    assert_eq!((only(&judged).cause, only(&judged).confidence), (Cause::IndexAndFilter, Confidence::High));
    assert_eq!(keys(only(&judged))[0], "state.backend.rocksdb.memory.partitioned-index-filters");
    let of_files = Figures { table_index_and_filter: Some(Bytes::mib(400)), ..missing_often() };
    let judged = judge(&of_files, &setting("1.20"));
    assert_eq!((only(&judged).cause, only(&judged).confidence), (Cause::IndexAndFilter, Confidence::Medium));
    let unmanaged = Setting { scope: Some(Scope::None), ..setting("1.20") };
    let judged = judge(&of_files, &unmanaged);
    assert_eq!(only(&judged).cause, Cause::WorkingSet);
    assert_eq!(keys(only(&judged))[0], "state.backend.rocksdb.block.cache-size");
}

#[rstest]
#[case::hits_often(Figures { cache_hits: Some(950_000), cache_misses: Some(50_000), ..missing_often() })]
#[case::is_not_full(Figures { cache_usage: Some(Bytes::mib(100)), ..missing_often() })]
fn a_cache_is_well_that(#[case] figures: Figures) {
    let judged = judge(&figures, &setting("1.20"));
    assert_eq!(judged.verdicts, []);
    assert!(judged.undecided.iter().all(|(bound, _)| *bound != Bound::Reads));
}

#[rstest]
#[case::too_few(Figures { cache_hits: Some(9), cache_misses: Some(990), ..missing_often() }, "999 lookups")]
#[case::no_capacity(Figures { cache_capacity: None, ..missing_often() }, "nothing says whether it is full")]
#[case::no_misses(Figures { cache_misses: None, ..missing_often() }, "were not seen")]
fn there_is_no_verdict_from_too_little(#[case] figures: Figures, #[case] why: &str) {
    let judged = judge(&figures, &setting("1.20"));
    assert_eq!(judged.verdicts, []);
    let (_, unseen) = judged.undecided.iter().find(|(bound, _)| *bound == Bound::Reads).unwrap();
    assert!(unseen.why.contains(why), "{unseen}");
    assert!(unseen.grant.is_some());
}

#[test]
fn what_would_show_more_is_named_as_the_version_has_it() {
    let grant = |version: &str| {
        let judged = judge(&Figures::default(), &setting(version));
        assert_eq!((judged.verdicts.len(), judged.undecided.len()), (0, 4));
        judged.undecided.into_iter().find(|(bound, _)| *bound == Bound::Reads).unwrap().1.grant
    };
    assert_eq!(grant("1.14"), None);
    let named =
        "set state.backend.rocksdb.metrics.block-cache-hit: true, state.backend.rocksdb.metrics.block-cache-miss: true";
    assert_eq!(grant("1.20").as_deref(), Some(named));
}

#[test]
fn an_arena_block_above_the_mutable_limit_is_flush_bound() {
    let figures =
        Figures { arena_block: Some(Bytes::mib(8)), mutable_limit: Some(Bytes::mib(7)), ..Figures::default() };
    let judged = judge(&figures, &setting("1.17"));
    assert_eq!((only(&judged).bound, only(&judged).cause), (Bound::Flushes, Cause::ArenaBlock));
    assert!(keys(only(&judged)).contains(&"state.backend.rocksdb.writebuffer.size"));
}

fn small_memtables(count: u64, mib: u64, minutes: u64) -> Figures {
    let memory = Bytes::new(count * (mib << 20));
    Figures {
        write_buffer: Some(Bytes::mib(64)),
        flushes: Some(FlushFigures { count, by_manager: count, memory, millis: minutes * 60_000 }),
        ..Figures::default()
    }
}

#[rstest]
#[case::tiny_and_constant(small_memtables(120, 4, 10), true)]
#[case::tiny_but_rare(small_memtables(20, 4, 10), false)]
#[case::constant_but_full(small_memtables(120, 60, 10), false)]
#[case::too_few(small_memtables(4, 1, 0), false)]
fn memtables_that_are_flushed_half_empty_are_flush_bound(#[case] figures: Figures, #[case] bound: bool) {
    let judged = judge(&figures, &setting("2.1"));
    let found = judged.verdicts.iter().any(|v| (v.bound, v.cause) == (Bound::Flushes, Cause::WriteBufferShare));
    assert_eq!(found, bound, "{judged:?}");
}

#[test]
fn waiting_memtables_are_flush_bound() {
    let figures = Figures { immutable_memtables: Some(2), max_write_buffers: Some(2), ..Figures::default() };
    let judged = judge(&figures, &setting("1.20"));
    assert_eq!((only(&judged).bound, only(&judged).cause), (Bound::Flushes, Cause::Memtables));
    assert_eq!(keys(only(&judged))[0], "state.backend.rocksdb.thread.num");
    let one = Figures { immutable_memtables: Some(1), flush_pending: Some(false), ..figures };
    assert_eq!(judge(&one, &setting("1.20")).verdicts, []);
}

#[test]
fn waiting_memtables_without_their_limit_are_no_verdict_and_none_that_wait_are_well() {
    let undecided = |waiting| {
        let figures = Figures { immutable_memtables: Some(waiting), ..Figures::default() };
        let judged = judge(&figures, &setting("1.20"));
        assert_eq!(judged.verdicts, []);
        judged.undecided.iter().any(|(bound, _)| *bound == Bound::Flushes)
    };
    assert_eq!((undecided(2), undecided(0)), (true, false));
}

#[rstest]
#[case(Some(20), None, Some((Cause::Level0, Confidence::High)))]
#[case(Some(10), None, Some((Cause::Level0, Confidence::Medium)))]
#[case(Some(9), None, None)]
#[case(None, Some(Bytes::gib(64)), Some((Cause::PendingCompaction, Confidence::High)))]
#[case(None, Some(Bytes::gib(40)), Some((Cause::PendingCompaction, Confidence::Medium)))]
#[case(Some(4), Some(Bytes::gib(1)), None)]
fn what_waits_to_be_compacted_is_held_against_the_limits(
    #[case] level0_files: Option<u64>,
    #[case] pending_compaction: Option<Bytes>,
    #[case] expected: Option<(Cause, Confidence)>,
) {
    let figures = Figures { level0_files, pending_compaction, ..Figures::default() };
    let judged = judge(&figures, &setting("1.20"));
    let found = judged.verdicts.iter().find(|verdict| verdict.bound == Bound::Compactions);
    assert_eq!(found.map(|verdict| (verdict.cause, verdict.confidence)), expected);
}

#[test]
fn writes_that_are_stopped_now_are_stalled_for_the_limit_that_is_reached() {
    let figures = Figures { writes_stopped: Some(3), level0_files: Some(36), ..Figures::default() };
    let judged = judge(&figures, &setting("1.20"));
    let verdict = &judged.verdicts[0];
    assert_eq!((verdict.bound, verdict.cause, verdict.confidence), (Bound::Stalled, Cause::Level0, Confidence::High));
    assert_eq!(verdict.evidence[0].is, Amount::Count(3));
    let slowed = Figures { delayed_write_rate: Some(16 << 20), ..Figures::default() };
    let judged = judge(&slowed, &setting("1.20"));
    assert_eq!((only(&judged).bound, only(&judged).cause), (Bound::Stalled, Cause::Unknown));
    let free = Figures { writes_stopped: Some(0), delayed_write_rate: Some(0), ..Figures::default() };
    assert_eq!(judge(&free, &setting("1.20")).verdicts, []);
}

#[test]
fn the_log_of_flink_1_20_tells_of_memtables_that_wait() {
    let log = rocksdb_log::read(include_bytes!("../../../testdata/rocksdb/flink-1.20/LOG"));
    let figures = Figures::from_log(&log);
    assert_eq!((figures.stalls.memtables, figures.stalls.level0), (Some(5), Some(0)));
    assert_eq!((figures.arena_block, figures.has_filters), (Some(Bytes::mib(8)), Some(false)));
    let judged = judge(&figures, &setting("1.20"));
    let verdict = only(&judged);
    assert_eq!((verdict.bound, verdict.cause), (Bound::Flushes, Cause::WriteBufferShare));
    // Nothing says for how long.
    assert_eq!(verdict.confidence, Confidence::Low);
}

#[test]
fn the_log_of_flink_2_3_tells_of_nothing() {
    let log = rocksdb_log::read(include_bytes!("../../../testdata/rocksdb/flink-2.3/LOG"));
    let judged = judge(&Figures::from_log(&log), &setting("2.3"));
    assert_eq!(judged.verdicts, []);
    let undecided: Vec<Bound> = judged.undecided.iter().map(|(bound, _)| *bound).collect();
    assert_eq!(undecided, [Bound::Stalled, Bound::Reads]);
}

#[test]
fn a_log_with_a_dump_tells_of_stalls_and_their_share() {
    let log = rocksdb_log::read(include_bytes!("../../../testdata/rocksdb/dump-9.8/LOG"));
    let figures = Figures::from_log(&log);
    assert_eq!((figures.cache_hits, figures.cache_misses), (Some(447_193), Some(153_618)));
    assert_eq!((figures.stalls.permille, figures.level0_files), (Some(151), Some(2)));
    let judged = judge(&figures, &ANY);
    let found: Vec<(Bound, Cause)> = judged.verdicts.iter().map(|v| (v.bound, v.cause)).collect();
    assert!(found.contains(&(Bound::Stalled, Cause::Level0)), "{judged:?}");
    assert!(found.contains(&(Bound::Compactions, Cause::Level0)), "{judged:?}");
    assert!(found.iter().all(|(bound, _)| *bound != Bound::Reads), "its cache was nearly empty");
}

/// Figures with everything wrong at once.
fn all_wrong() -> Vec<Figures> {
    let wrong = Figures {
        writes_stopped: Some(1),
        immutable_memtables: Some(2),
        max_write_buffers: Some(2),
        level0_files: Some(40),
        ..missing_often()
    };
    let indexes = Figures { cache_index_and_filter: Some(Bytes::mib(200)), ..wrong.clone() };
    let arena = Figures { arena_block: Some(Bytes::mib(8)), mutable_limit: Some(Bytes::mib(1)), ..wrong.clone() };
    vec![wrong, indexes, arena, small_memtables(120, 4, 10)]
}

#[test]
fn every_option_that_is_named_is_one_of_that_version() {
    let scopes = [Scope::SlotSharedManaged, Scope::SlotSharedUnmanaged, Scope::TmSharedUnmanaged, Scope::None];
    let mut named = std::collections::BTreeSet::new();
    for profile in Profile::all() {
        for store in [Store::RocksDb, Store::ForSt] {
            for scope in scopes {
                let setting = Setting { store, scope: Some(scope), profile: Some(profile) };
                for turn in
                    all_wrong().iter().flat_map(|figures| judge(figures, &setting).verdicts).flat_map(|v| v.turns)
                {
                    assert!(options::declared(&turn.key, profile).is_some(), "{} in {}", turn.key, profile.version());
                    named.insert(turn.key);
                }
            }
        }
    }
    assert!(named.len() > 20, "{named:?}");
    // Without a version all are named, and each is an option of some.
    for turn in all_wrong().iter().flat_map(|figures| judge(figures, &ANY).verdicts).flat_map(|verdict| verdict.turns) {
        assert!(!options::ever(&turn.key).is_empty(), "{}", turn.key);
    }
}

#[test]
fn counters_that_began_anew_give_no_difference() {
    assert_eq!(lookup_figures((10, 5), (30, 6)), Some((20, 1)));
    assert_eq!(lookup_figures((10, 5), (3, 6)), None);
}

proptest! {
    /// More hits never make a verdict of reads appear.
    #[test]
    fn more_hits_are_never_worse(hits in 0_u64..10_000_000, more in 0_u64..10_000_000, misses in 0_u64..10_000_000) {
        let bound = |hits| {
            let figures = Figures { cache_hits: Some(hits), cache_misses: Some(misses), ..missing_often() };
            let judged = judge(&figures, &ANY);
            judged.verdicts.iter().any(|verdict| verdict.bound == Bound::Reads)
        };
        prop_assume!(hits + misses >= LEAST_LOOKUPS);
        prop_assert!(bound(hits) || !bound(hits + more));
    }
}
