//! Trials that never ran, for tests of what is printed: consistent, with round numbers.

use crate::model::{
    Accesses, Bytes, EngineChoice, Experiment, Kind, Limit, Malloc, Operator, Order, Phase, Progress, SharedPool,
    State, StoreSettings, Workload,
};
use crate::repro::outcome::{Ending, Measured, Moment, Run, Shown, Statement, Trial, Verdict};
use crate::repro::prediction::{Band, Part, Predicted, Prediction};

const MIB: u64 = 1 << 20;

/// A run that finishes within its limit of 256 MiB.
pub(super) fn run(label: &str) -> Run {
    let prediction = prediction(&[(Part::BlockCache, 96), (Part::Memtables, 48), (Part::AllocatorWaste, 12)]);
    let moments = (0..=60).map(|second| moment(second * 1000, (20 + second * 6).min(170))).collect();
    Run {
        label: label.to_owned(),
        experiment: experiment(),
        configuration: Some("taskmanager.memory.managed.size: 144mb\nstate.backend.type: rocksdb\n".to_owned()),
        release: Some("8.10.0".to_owned()),
        deviations: vec!["the cache has no part for index and filter blocks".to_owned()],
        moments,
        ending: Ending::Finished,
        millis: 60_240,
        peak_anonymous: Some(Bytes::mib(170)),
        steady_anonymous: Some(Bytes::mib(168)),
        measured: vec![
            (Part::BlockCache, of(98, 97)),
            (Part::Memtables, of(44, 30)),
            (Part::AllocatorWaste, of(19, 17)),
            (Part::Stacks, of(0, 0)),
        ],
        written_to_files: Some(Bytes::mib(1843)),
        background: None,
        snapshot_files: None,
        tmpfs: None,
        written_by_workload: Bytes::mib(600),
        prediction: Some(prediction),
        verdict: None,
        shown: vec![Shown { name: "Flushes".to_owned(), value: "41".to_owned() }],
        recording: None,
    }
}

/// A run that grows by 8 MiB a second until the kernel ends it at 256 MiB.
pub(super) fn killed(label: &str) -> Run {
    let report = "[ 4711.123456] oomph-worker invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0\n\
                  [ 4711.125000] Memory cgroup out of memory: Killed process 4242 (oomph-worker) total-vm:512000kB, \
                  anon-rss:259000kB, file-rss:2048kB, shmem-rss:0kB, UID:0 pgtables:600kB oom_score_adj:0";
    Run {
        configuration: Some("state.backend.rocksdb.memory.managed: false\nstate.backend.type: rocksdb\n".to_owned()),
        moments: (0..=29).map(|second| moment(second * 1000, 20 + second * 8)).collect(),
        ending: Ending::KilledByKernel { pid: 4242, report: report.to_owned() },
        millis: 29_510,
        peak_anonymous: Some(Bytes::mib(253)),
        steady_anonymous: Some(Bytes::mib(196)),
        measured: vec![
            (Part::BlockCache, of(160, 120)),
            (Part::Memtables, of(64, 60)),
            (Part::AllocatorWaste, of(9, 8)),
        ],
        prediction: Some(prediction(&[(Part::BlockCache, 400), (Part::Memtables, 64), (Part::AllocatorWaste, 10)])),
        verdict: Some(Verdict {
            code: Some("OOM921".to_owned()),
            title: "RocksDB is outside of managed memory and grew to the container's limit".to_owned(),
            killer: "kernel-memcg".to_owned(),
            area: "managed-rocksdb".to_owned(),
            confidence: "high".to_owned(),
        }),
        shown: vec![Shown { name: "Flushes".to_owned(), value: "17".to_owned() }],
        ..run(label)
    }
}

/// A trial in which everything holds.
pub(super) fn trial() -> Trial {
    let mut fails = killed("fails");
    fails.experiment.store.pool = None;
    Trial {
        scenario: "unmanaged-rocksdb".to_owned(),
        title: "RocksDB outside of managed memory grows past the container's limit".to_owned(),
        runs: vec![fails, run("cured")],
        statements: vec![
            statement("The kernel kills `fails` at its limit", true, "killed after 29.5 s of at most 90 s"),
            statement("`cured` takes in everything and stays below the limit", true, "170.0 of 256 MiB at most"),
        ],
        notes: vec!["This machine has no swap, so that the limit is met by anonymous memory alone.".to_owned()],
    }
}

pub(super) fn statement(says: &str, held: bool, measured: &str) -> Statement {
    Statement { says: says.to_owned(), held, measured: measured.to_owned() }
}

pub(super) fn moment(millis: u64, anonymous: u64) -> Moment {
    let said = Progress {
        millis,
        phase: "fill".to_owned(),
        records: millis * 20,
        of: 1_200_000,
        operations: millis * 40,
        written: millis * 10_000,
        cache_usage: vec![anonymous * MIB / 2],
        cache_capacity: vec![96 * MIB],
        cache_pinned: vec![0],
        memtables: anonymous * MIB / 4,
        files: millis * 8_000,
        kept: anonymous * MIB / 20,
        allocated: anonymous * MIB * 9 / 10,
        ..Progress::default()
    };
    Moment {
        millis,
        anonymous: Bytes::new(anonymous * MIB),
        resident: Bytes::new((anonymous + 6) * MIB),
        usage: Some(Bytes::new((anonymous + 2) * MIB)),
        file: Some(Bytes::mib(2)),
        shmem: Some(Bytes::ZERO),
        dirty: Some(Bytes::ZERO),
        group_anonymous: Some(Bytes::new(anonymous * MIB)),
        said: Some(said),
    }
}

fn of(peak: u32, steady: u32) -> Measured {
    Measured { peak: Bytes::mib(peak), steady: Bytes::mib(steady) }
}

/// Bands a tenth wide on both sides of round numbers of MiB.
pub(super) fn prediction(parts: &[(Part, u32)]) -> Prediction {
    let band = |mib: u32| Band {
        low: Bytes::mib(mib - mib / 10),
        expected: Bytes::mib(mib),
        high: Bytes::mib(mib + mib / 10),
    };
    let predicted = |part: Part| {
        let mib = parts.iter().find(|(known, _)| *known == part).map_or(0, |(_, mib)| *mib);
        Predicted { part, steady: band(mib), peak: band(mib), why: format!("{mib} MiB in one piece") }
    };
    let sum: u32 = parts.iter().map(|(_, mib)| mib).sum();
    Prediction {
        parts: Part::ALL.into_iter().map(predicted).collect(),
        steady: band(sum),
        peak: band(sum + 4),
        files: band(460),
        managed_needed: Bytes::mib(160),
        overhead_needed: Bytes::mib(24),
        notes: vec!["Iterators are held for longer than the model knows well.".to_owned()],
    }
}

pub(super) fn experiment() -> Experiment {
    let state = State {
        name: "exposures".to_owned(),
        copies: 1,
        kind: Kind::Map { entries: 4 },
        keys: 100_000,
        key_size: Bytes::new(16),
        value_least: Bytes::new(100),
        value_most: Bytes::new(400),
        compressible: 50,
        order: Order::Sequence { window: 50_000 },
        ttl: None,
        walked: None,
        held: 0,
    };
    let accesses = Accesses { state: "exposures".to_owned(), write: 1_000_000, read: 500_000, ..Accesses::default() };
    Experiment {
        name: "unmanaged-rocksdb".to_owned(),
        workload: Workload {
            name: "feature-join".to_owned(),
            about: "exposures wait in state for clicks and timers".to_owned(),
            slots: 2,
            operators: vec![Operator { name: "join".to_owned(), states: vec![state] }],
            phases: vec![Phase {
                name: "fill".to_owned(),
                records: 600_000,
                rate: None,
                restored: 0,
                accesses: vec![accesses],
            }],
            snapshot_every: Some(100_000),
            seed: 42,
            leak: None,
            python: None,
            shuffle: None,
        },
        store: StoreSettings {
            pool: Some(SharedPool {
                cache: Bytes::mib(96),
                write_buffer_manager: Bytes::mib(48),
                high_priority_percent: 10,
                strict: false,
            }),
            one_pool_for_all: false,
            block_cache: Bytes::mib(8),
            write_buffer: Bytes::mib(64),
            write_buffers: 2,
            merged_write_buffers: 1,
            arena_block: None,
            block_size: Bytes::kib(4),
            metadata_block_size: Bytes::kib(4),
            target_file: Bytes::mib(64),
            level_base: Bytes::mib(256),
            dynamic_levels: false,
            index_and_filter_in_cache: true,
            partitioned: false,
            bloom_bits: None,
            threads: 2,
            open_files: None,
            snappy: true,
            write_batch: Bytes::mib(2),
        },
        malloc: Malloc::Glibc { arenas: None },
        engine: EngineChoice::Embedded,
        limit: Limit::AtMost(Bytes::mib(256)),
        directory: "/tmp/oomph-1-unmanaged-rocksdb".to_owned(),
    }
}
