use snapbox::{assert_data_eq, str};

use super::*;
use crate::report::repro::made;
use crate::repro::prediction::Part;

#[test]
fn a_prediction_says_how_much_why_and_what_the_job_needs() {
    let prediction = made::prediction(&[(Part::BlockCache, 96), (Part::IndexAndFilter, 7), (Part::Memtables, 48)]);
    assert_data_eq!(
        page(&made::experiment(), &prediction, 80),
        str![[r#"
feature-join: exposures wait in state for clicks and timers
  2 slots, 1 operator, 1 state a slot, 600,000 records a task, a snapshot every
  100,000 records, seed 42
  RocksDB embedded in oomph; allocator glibc

MiB                                     low  expected   high
At most
  Block cache                          87.0      96.0  105.0
  Memtables                            44.0      48.0   52.0
  Index and filter outside the cache    7.0       7.0    7.0
  Anonymous memory                    140.0     155.0  170.0
Most of the time
  Block cache                          87.0      96.0  105.0
  Memtables                            44.0      48.0   52.0
  Index and filter outside the cache    7.0       7.0    7.0
  Anonymous memory                    136.0     151.0  166.0
  The whole is no sum: not all parts are at their most at the same time.

What the job needs
  Managed memory   160 MiB, with which RocksDB keeps within its pool
  JVM overhead     24 MiB for what lies outside of the pool, the JVM's own not
                   included
  Files at the end 460.0 MiB (414.0 to 506.0)
  The limit of 256 MiB will do.

Why
  Block cache: 96 MiB in one piece
  Memtables: 48 MiB in one piece
  Index and filter outside the cache: 7 MiB in one piece

Notes
  Iterators are held for longer than the model knows well.

"#]]
    );
}

#[test]
fn a_narrow_terminal_keeps_what_is_expected() {
    let page = page(&made::experiment(), &made::prediction(&[(Part::IndexAndFilter, 7)]), 60);
    assert!(page.lines().all(|line| line.chars().count() <= 60), "{page}");
}
