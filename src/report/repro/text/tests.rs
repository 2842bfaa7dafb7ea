#![allow(clippy::unwrap_used, reason = "a test")]

use rstest::rstest;
use snapbox::{assert_data_eq, str};

use super::*;
use crate::model::{Bytes, Limit};
use crate::report::repro::made;
use crate::repro::outcome::Shown;

fn widest(page: &str) -> usize {
    page.lines().map(|line| line.chars().count()).max().unwrap_or(0)
}

#[test]
fn a_trial_that_held_is_told_from_statement_to_cure() {
    assert_data_eq!(
        trial(&made::trial(), 80, Signs::Blocks),
        str![[r#"
unmanaged-rocksdb: RocksDB outside of managed memory grows past the container's
  limit
  All it states held: 2 statements.

What it states
  held          The kernel kills `fails` at its limit: killed after 29.5 s of at
                most 90 s
  held          `cured` takes in everything and stays below the limit: 170.0 of
                256 MiB at most

What was run
  Workload      feature-join: exposures wait in state for clicks and timers (2
                slots, 1 operator, 1 state a slot, 600,000 records a task, a
                snapshot every 100,000 records, seed 42)
  Engine        RocksDB 8.10.0, embedded in oomph
  Allocator     glibc
  Limit         256 MiB
  Unlike Flink  the cache has no part for index and filter blocks

Memory over time, all on one scale

fails: the kernel killed process 4242 after 29.5 s
 256 MiB ┤──────────────────────────────────x───────────────────────────────────
         │                                ▃▆
         │                             ▂▅███
 192 MiB ┤                         ▁▄▇▇█████
         │                       ▃▆█████████
         │                   ▂▅▅████████████
 128 MiB ┤                ▁▄▇███████████████
         │             ▃▃▆██████████████████
         │          ▂▅██████████████████████
  64 MiB ┤      ▁▁▄▇████████████████████████
         │    ▃▆████████████████████████████
         │ ▂▅███████████████████████████████
       0 ┤▇█████████████████████████████████
         └───────────┬───────────┬──────────┬───────────┬───────────┬──────────┬
          0        10 s        20 s       30 s        40 s        50 s      60 s
  █ anonymous memory  ─ limit 256 MiB  x killed by the kernel, 29.5 s

cured: finished in 60.2 s
 256 MiB ┤──────────────────────────────────────────────────────────────────────
         │
         │
 192 MiB ┤
         │
         │                         ▁▃▅▅▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇
 128 MiB ┤                      ▂▄▆█████████████████████████████████████████████
         │                 ▁▃▅██████████████████████████████████████████████████
         │             ▂▂▄▇█████████████████████████████████████████████████████
  64 MiB ┤         ▁▃▆██████████████████████████████████████████████████████████
         │     ▂▅▅▇█████████████████████████████████████████████████████████████
         │ ▁▄▆██████████████████████████████████████████████████████████████████
       0 ┤▇█████████████████████████████████████████████████████████████████████
         └───────────┬───────────┬──────────┬───────────┬───────────┬──────────┬
          0        10 s        20 s       30 s        40 s        50 s      60 s
  █ anonymous memory  ─ limit 256 MiB

Why fails ended
  OOM921: RocksDB is outside of managed memory and grew to the container's limit
    (high confidence).
  The kernel killed it at its cgroup's limit. What filled up: RocksDB.
  > [ 4711.125000] Memory cgroup out of memory: Killed process 4242
    (oomph-worker) total-vm:512000kB, anon-rss:259000kB, file-rss:2048kB,
    shmem-rss:0kB, UID:0 pgtables:600kB oom_score_adj:0

What cured it: cured against fails
  - state.backend.rocksdb.memory.managed: false
  + taskmanager.memory.managed.size: 144mb
  shared pool: none: each column family has its own cache -> cache 96 MiB,
    write-buffer manager 48 MiB, 10 % for index and filter

The runs beside one another
MiB                                      fails     cured
End                                kernel kill  finished
Time                                    29.5 s    60.2 s
Limit                                    256.0     256.0
Anonymous memory at most                 253.0     170.0
Anonymous memory most of the time        196.0     168.0
Counted against the limit at most        254.0     172.0
Page cache at most                         2.0       2.0
Files at the end                         221.3     457.8
Records a second                        20,000    20,000
Written by the workload                  600.0     600.0
Written to files                        1843.0    1843.0
Write amplification                       3.07      3.07
Flushes                                     17        41

Predicted against measured: fails
MiB                   low  expected   high  measured
At most
  Block cache       360.0     400.0  440.0     160.0
  Memtables          58.0      64.0   70.0      64.0
  Allocator           9.0      10.0   11.0       9.0
  Anonymous memory  431.0     478.0  525.0     253.0
  It was ended before it was done, so that it had no time to take what was
  predicted.
  Iterators are held for longer than the model knows well.

Predicted against measured: cured
MiB                   low  expected   high  measured
At most
  Block cache        87.0      96.0  105.0      98.0
  Memtables          44.0      48.0   52.0      44.0
  Allocator          11.0      12.0   13.0      19.0  above
  Anonymous memory  144.0     160.0  176.0     170.0
Most of the time
  Block cache        87.0      96.0  105.0      97.0
  Memtables          44.0      48.0   52.0      30.0  below
  Allocator          11.0      12.0   13.0      17.0  above
  Anonymous memory  141.0     156.0  171.0     168.0
  Iterators are held for longer than the model knows well.

Notes
  This machine has no swap, so that the limit is met by anonymous memory alone.

"#]]
    );
}

#[test]
fn a_statement_that_failed_comes_first_and_with_its_numbers() {
    let mut failed = made::trial();
    failed.statements[1].held = false;
    failed.statements[1].measured = "killed after 12.0 s".to_owned();
    let page = trial(&failed, 80, Signs::Blocks);
    assert_eq!(page.lines().nth(2), Some("  1 of 2 statements did not hold."));
    assert!(page.contains("  did not hold  `cured` takes in everything and stays below the limit:"), "{page}");
}

/// Where no group could be made.
fn watched() -> Run {
    let mut run = made::killed("fails");
    for moment in &mut run.moments {
        (moment.usage, moment.file, moment.shmem, moment.dirty, moment.group_anonymous) =
            (None, None, None, None, None);
    }
    run.ending = Ending::KilledByWatchdog { at: Bytes::mib(257) };
    (run.verdict, run.prediction) = (None, None);
    run
}

#[test]
fn a_run_without_a_group_says_so_and_leaves_out_what_was_not_seen() {
    let page = super::run(&watched(), 80, Signs::Ascii);
    assert_data_eq!(
        page,
        str![[r#"
feature-join: ended by oomph's watchdog after 29.5 s with 257 MiB of anonymous
  memory

What was run
  Workload      feature-join: exposures wait in state for clicks and timers (2
                slots, 1 operator, 1 state a slot, 600,000 records a task, a
                snapshot every 100,000 records, seed 42)
  Engine        RocksDB 8.10.0, embedded in oomph
  Allocator     glibc
  Limit         256 MiB
  Unlike Flink  the cache has no part for index and filter blocks

Memory over time

fails: ended by oomph's watchdog after 29.5 s with 257 MiB of anonymous memory
 256 MiB +---------------------------------------------------------------------x
         |                                                                    #
         |                                                             ########
 192 MiB +                                                      ###############
         |                                                 ####################
         |                                          ###########################
 128 MiB +                                   ##################################
         |                              #######################################
         |                       ##############################################
  64 MiB +                #####################################################
         |           ##########################################################
         |    #################################################################
       0 +#####################################################################
         +-----------+-----------+-----------+-----------+-----------+----------
          0         5 s        10 s        15 s        20 s        25 s
  # anonymous memory  - limit 256 MiB  x ended by oomph's watchdog, 29.5 s

Figures
MiB                                   fails
End                                watchdog
Time                                 29.5 s
Limit                                 256.0
Anonymous memory at most              253.0
Anonymous memory most of the time     196.0
Files at the end                      221.3
Records a second                     20,000
Written by the workload               600.0
Written to files                     1843.0
Write amplification                    3.07
Flushes                                  17

Predicted against measured: nothing was predicted

"#]]
    );
}

#[test]
fn several_runs_stand_in_columns_on_one_scale() {
    let mut three = made::trial();
    three.runs[1].label = "glibc, MALLOC_ARENA_MAX=1".to_owned();
    let mut third = made::run("jemalloc");
    third.experiment.malloc = crate::model::Malloc::Jemalloc;
    third.written_to_files = None;
    third.shown.push(Shown { name: "Kept".to_owned(), value: "3.0 MiB".to_owned() });
    three.runs.push(third);
    let page = trial(&three, 80, Signs::Blocks);
    let from = page.find("The runs beside one another").unwrap();
    let upto = page.find("\nPredicted against").unwrap();
    assert_data_eq!(
        &page[from..upto],
        str![[r#"
The runs beside one another
MiB                                     fails glibc, MALLOC_ARENA_MAX=1 jemalloc
End                               kernel kill                  finished finished
Time                                   29.5 s                    60.2 s   60.2 s
Allocator                               glibc                     glibc jemalloc
Limit                                   256.0                     256.0    256.0
Anonymous memory at most                253.0                     170.0    170.0
Anonymous memory most of the time       196.0                     168.0    168.0
Counted against the limit at most       254.0                     172.0    172.0
Page cache at most                        2.0                       2.0      2.0
Files at the end                        221.3                     457.8    457.8
Records a second                       20,000                    20,000   20,000
Written by the workload                 600.0                     600.0    600.0
Written to files                       1843.0                    1843.0        -
Write amplification                      3.07                      3.07        -
Flushes                                    17                        41       41
Kept                                        -                         -  3.0 MiB

"#]]
    );
    assert!(widest(&page) <= 80, "{page}");
}

#[rstest]
#[case(40)]
#[case(60)]
#[case(80)]
#[case(119)]
#[case(120)]
#[case(200)]
fn no_line_is_wider_than_the_terminal(#[case] width: usize) {
    let mut hostile = made::trial();
    hostile.runs[0].label = "a label that somebody made so long that no column holds it".to_owned();
    hostile.runs.push(watched());
    let page = trial(&hostile, width, Signs::Blocks);
    // A table with names in front needs some room of its own.
    assert!(widest(&page) <= width.max(60), "{}: {page}", widest(&page));
}

#[test]
fn two_charts_stand_beside_one_another_where_there_is_room() {
    let page = trial(&made::trial(), 130, Signs::Blocks);
    assert!(page.lines().any(|line| line.matches("256 MiB ┤").count() == 2), "{page}");
    assert_eq!(
        trial(&made::trial(), 100, Signs::Blocks).lines().filter(|line| line.matches("256 MiB ┤").count() == 2).count(),
        0
    );
}

#[test]
fn a_run_that_nobody_looked_at_has_no_chart() {
    let mut run = made::run("quick");
    run.moments.clear();
    run.ending = Ending::Failed("no space left on device".to_owned());
    let page = super::run(&run, 80, Signs::Blocks);
    assert!(page.contains("nobody looked at its memory") && page.contains("no space left on device"), "{page}");
    let nothing = trial(&Trial { runs: Vec::new(), ..made::trial() }, 80, Signs::Blocks);
    assert!(nothing.contains("Nothing was run"), "{nothing}");
}

#[test]
fn a_trial_without_statements_proves_nothing() {
    let page = trial(&Trial { statements: Vec::new(), ..made::trial() }, 80, Signs::Blocks);
    assert!(page.contains("Nothing was stated, so nothing is proved."), "{page}");
}

#[test]
fn what_a_dead_worker_said_last_is_shown_without_its_control_characters() {
    let mut run = made::run("fails");
    let stderr = (1..=9).map(|line| format!("line {line}\u{1b}[31m\n")).collect();
    run.ending = Ending::Died { status: "signal 11".to_owned(), stderr };
    let page = super::run(&run, 80, Signs::Blocks);
    assert!(page.contains("> line 9 [31m") && page.contains("> line 4") && !page.contains("> line 3"), "{page}");
    assert!(!page.contains('\u{1b}'));
}

#[test]
fn a_limit_that_is_far_away_does_not_flatten_the_curve() {
    let mut run = made::run("cured");
    run.experiment.limit = Limit::AtMost(Bytes::gib(16));
    let page = super::run(&run, 80, Signs::Blocks);
    assert!(page.contains("the limit, 16 GiB, lies above") && page.contains("192 MiB ┤"), "{page}");
}

#[test]
fn page_cache_is_drawn_where_it_matters() {
    let mut run = made::run("burst");
    for moment in &mut run.moments {
        moment.file = Some(Bytes::mib(60));
    }
    let page = super::run(&run, 80, Signs::Ascii);
    assert!(page.contains(": page cache") && page.contains("+:::"), "{page}");
    assert!(!super::run(&made::run("calm"), 80, Signs::Ascii).contains("page cache  "));
}

#[test]
fn a_run_of_a_real_flink_has_no_figures_of_rocksdb() {
    let mut run = made::run("fails");
    run.experiment.workload.operators.clear();
    run.prediction = None;
    let page = super::run(&run, 80, Signs::Blocks);
    assert!(
        !page.contains("Write amplification") && !page.contains("Allocator") && !page.contains("predicted"),
        "{page}"
    );
}
