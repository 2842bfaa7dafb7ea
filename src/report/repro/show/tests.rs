use snapbox::{assert_data_eq, str};

use super::*;
use crate::model::Malloc;
use crate::report::repro::made;

fn plan() -> Plan {
    let trial = made::trial();
    let half = |run: &crate::repro::outcome::Run| Half {
        label: run.label.clone(),
        configuration: run.configuration.clone(),
        experiment: Some(run.experiment.clone()),
        home: Home::Tmpfs(crate::model::Bytes::gib(2)),
        prediction: run.prediction.clone(),
    };
    let mut runs: Vec<Half> = trial.runs.iter().map(half).collect();
    if let Some(experiment) = &mut runs[1].experiment {
        experiment.malloc = Malloc::Jemalloc;
    }
    runs[1].home = Home::Disk;
    Plan {
        entry: Entry { name: trial.scenario, title: trial.title, seconds: 100, needs: None },
        about: "Without managed memory each column family has a cache of its own.".to_owned(),
        states: trial.statements.into_iter().map(|statement| statement.says).collect(),
        runs,
    }
}

#[test]
fn a_scenario_is_shown_with_what_differs_between_its_halves() {
    assert_data_eq!(
        page(&plan(), 80),
        str![[r#"
unmanaged-rocksdb: RocksDB outside of managed memory grows past the container's
  limit
  about 100 s

  Without managed memory each column family has a cache of its own.

What must happen
  1. The kernel kills `fails` at its limit
  2. `cured` takes in everything and stays below the limit

Workload: feature-join
  exposures wait in state for clicks and timers
  2 slots, 1 operator, 1 state a slot, 600,000 records a task, a snapshot every
  100,000 records, seed 42

Configuration: fails
  state.backend.rocksdb.memory.managed: false
  state.backend.type: rocksdb
  limit: 256 MiB
  allocator: glibc
  data: on a tmpfs of 2 GiB
  RocksDB: shared pool: none: each column family has its own cache; one pool for
    all slots: no; block cache of a column family: 8 MiB; write buffer: 64 MiB;
    write buffers: 2; write buffers merged: 1; arena block: left to RocksDB;
    block size: 4 KiB; metadata block size: 4 KiB; target file size: 64 MiB;
    level 1: 256 MiB; dynamic level sizes: no; index and filter in the cache:
    yes; index and filter partitioned: no; Bloom filter: none; background
    threads: 2; open files: all; Snappy compression: yes; write batch: 2 MiB

What is otherwise: cured
  - state.backend.rocksdb.memory.managed: false
  + taskmanager.memory.managed.size: 144mb
  allocator: glibc -> jemalloc
  shared pool: none: each column family has its own cache -> cache 96 MiB,
    write-buffer manager 48 MiB, 10 % for index and filter
  data: on a tmpfs of 2 GiB -> on a disk

What the memory model says before it is run
  fails: 478.0 MiB (431.0 to 525.0) at most, 474.0 MiB (427.0 to 521.0) most of
    the time. The limit of 256 MiB will not do.
  cured: 160.0 MiB (144.0 to 176.0) at most, 156.0 MiB (141.0 to 171.0) most of
    the time. The limit of 256 MiB will do.

"#]]
    );
}

#[test]
fn a_scenario_of_a_real_flink_is_shown_without_a_workload() {
    let mut plan = plan();
    for half in &mut plan.runs {
        (half.experiment, half.prediction) = (None, None);
    }
    let page = page(&plan, 80);
    assert!(!page.contains("Workload") && page.contains("+ taskmanager.memory.managed.size: 144mb"), "{page}");
}
