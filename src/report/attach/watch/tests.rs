use snapbox::{assert_data_eq, str};

use super::super::over_time::looks::{header, look};
use super::*;
use crate::diagnose::ahead;
use crate::diagnose::recalled;
use crate::model::Measure;

fn shown(looks: u64, width: usize, signs: Signs) -> String {
    let budget = recalled::budget(&header());
    let mut timeline = Timeline::of_capacity(1000);
    (0..looks).for_each(|number| timeline.push(look(number)));
    let before = OverTime::of(&timeline, &[]);
    let now = Examination::recalled(look(looks - 1), budget.as_ref()).with_history(&before);
    let limit = Some(Bytes::mib(1000));
    let ahead = ahead::ahead(&before, budget.as_ref(), limit);
    block(&Watched { now: &now, timeline: &timeline, before: &before, ahead: &ahead, limit }, width, signs)
}

#[test]
fn a_block_shows_each_part_with_its_change_and_where_it_goes() {
    assert_data_eq!(
        shown(120, 80, Signs::Blocks),
        str![[r#"
TaskManager 4711: tm-1, 2025-11-21T19:59:50Z, 120 looks in 19 min
MiB                      now budget a minute trend
JVM Heap               340.0  400.0      0.0 sawtooth         █▁██████████████
Network                100.0  100.0      0.0 plateau          ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁
Managed Memory         279.0  300.0
  RocksDB blocks       239.0            +6.0 growing          ▁▁▂▂▃▃▄▄▅▅▆▆▇▇██
  RocksDB memtables     40.0             0.0 plateau          ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁
JVM Metaspace           57.0  100.0
  Metaspace             50.0             0.0 plateau          ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁
  Class space            7.0             0.0 plateau          ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁
JVM Overhead            60.0  100.0
  Code cache            24.0             0.0 plateau          ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁
  Thread stacks          6.0             0.0 plateau          ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁
  JVM and native small  30.0             0.0 plateau          ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁
Kept by allocator       35.0             0.0 plateau          ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁
Mapped files            20.0             0.0 plateau          ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁
Resident               891.0 1000.0     +6.0 sawtooth, rising ▁▁▂▂▃▃▄▄▅▅▆▆▇▇██
Container              981.0 1000.0     +6.0 sawtooth, rising ▁▁▂▂▃▃▄▄▅▅▆▆▇▇██
  working set          921.0 1000.0     +6.0 sawtooth, rising ▁▁▂▂▃▃▄▄▅▅▆▆▇▇██
The working set reaches the container's limit (1000.0 MiB) in about 14 min.
The resident set reaches what Flink planned in all (1000.0 MiB) in about 19 min.

"#]]
    );
}

#[test]
fn a_first_look_has_neither_change_nor_trend() {
    assert_data_eq!(
        shown(1, 80, Signs::Ascii),
        str![[r#"
TaskManager 4711: tm-1, 2025-11-21T19:40:00Z, 1 look in 0 s
MiB                       now  budget  a minute  trend
JVM Heap                200.0   400.0            unclear  ________________
Network                 100.0   100.0            unclear  ________________
Managed Memory          160.0   300.0
  RocksDB blocks        120.0                    unclear  ________________
  RocksDB memtables      40.0                    unclear  ________________
JVM Metaspace            57.0   100.0
  Metaspace              50.0                    unclear  ________________
  Class space             7.0                    unclear  ________________
JVM Overhead             60.0   100.0
  Code cache             24.0                    unclear  ________________
  Thread stacks           6.0                    unclear  ________________
  JVM and native small   30.0                    unclear  ________________
Kept by allocator        35.0                    unclear  ________________
Mapped files             20.0                    unclear  ________________
Resident                632.0  1000.0            unclear  ________________
Container               722.0  1000.0            unclear  ________________
  working set           662.0  1000.0            unclear  ________________
No forecast for the working set and the container's limit (1000.0 MiB), the
  resident set and what Flink planned in all (1000.0 MiB): not clear: 1 of the
  12 looks that it takes.

"#]]
    );
}

#[test]
fn blocks_fit_their_width() {
    for looks in [1, 2, 13, 120] {
        for width in [60, 72, 80, 100] {
            let block = shown(looks, width, Signs::Blocks);
            assert!(block.lines().all(|line| line.chars().count() <= width), "{width}:\n{block}");
        }
    }
}

#[test]
fn what_two_looks_show_is_a_change_and_no_trend() {
    let block = shown(2, 80, Signs::Ascii);
    let blocks = block.lines().find(|line| line.contains("RocksDB blocks")).unwrap_or_default();
    assert!(blocks.contains("+6.0") && blocks.contains("unclear"), "{block}");
    let mut timeline = Timeline::of_capacity(16);
    timeline.push(look(0));
    assert_eq!(over_time::per_minute(&timeline.series(Measure::Rss), None), None);
}
