use snapbox::{assert_data_eq, str};

use super::*;
use crate::model::Limit;
use crate::report::repro::made;
use crate::repro::compare::compare;
use crate::repro::prediction::Part;

#[test]
fn two_results_stand_side_by_side_with_what_moved() {
    let before = made::trial();
    let mut after = before.clone();
    after.runs[1].peak_anonymous = Some(Bytes::mib(153));
    after.runs[1].written_to_files = Some(Bytes::mib(2000));
    after.runs[1].release = Some("6.20.3".to_owned());
    after.runs.remove(0);
    after.runs.push(made::run("other"));
    let (a, b) = (Side::of_trial(&before), Side::of_trial(&after));
    assert_data_eq!(
        page(&compare(&a, &b), ("a.json", "b.json"), 80),
        str![[r#"
A: a.json
B: b.json

unmanaged-rocksdb cured
  A: RocksDB 8.10.0, glibc, limit 256 MiB, finished after 60.2 s
  B: RocksDB 6.20.3, glibc, limit 256 MiB, finished after 60.2 s
MiB                       A       B  difference
Anonymous at most     170.0   153.0       -17.0  -10 %
Anonymous usually     168.0   168.0         0.0
Counted at most       172.0   172.0         0.0
Block cache at most    98.0    98.0         0.0
Memtables at most      44.0    44.0         0.0
Allocator at most      19.0    19.0         0.0
Block cache usually    97.0    97.0         0.0
Memtables usually      30.0    30.0         0.0
Allocator usually      17.0    17.0         0.0
Files at the end      457.8   457.8         0.0
Write amplification    3.07    3.33       +0.26   +8 %
Records a second     20,000  20,000           0

What only A has
  unmanaged-rocksdb fails

What only B has
  unmanaged-rocksdb other

"#]]
    );
}

#[test]
fn what_a_recording_does_not_tell_is_said() {
    let recording = Side {
        of: None,
        label: "oomph-worker".to_owned(),
        what: "recording of process 4242".to_owned(),
        limit: Some(Limit::AtMost(Bytes::mib(256))),
        end: End::KilledForMemory,
        millis: 30_000,
        values: vec![(Figure::PeakAnonymous, 255 << 20), (Figure::Peak(Part::Stacks), 1 << 20)],
        notes: vec!["its peaks are those of the looks that were kept".to_owned()],
    };
    let run = Side::of_run(&made::killed("fails"), "unmanaged-rocksdb");
    assert_data_eq!(
        page(&compare(&[run], &[recording]), ("a.json", "b.jsonl"), 80),
        str![[r#"
A: a.json
B: b.jsonl

unmanaged-rocksdb fails (A) against oomph-worker (B)
  A: RocksDB 8.10.0, glibc, limit 256 MiB, killed for memory after 29.5 s
  B: recording of process 4242, limit 256 MiB, killed for memory after 30.0 s
MiB                    A      B  difference
Anonymous at most  253.0  255.0        +2.0  +1 %
  Only A tells, oomph-worker does not: Anonymous usually 196.0, Counted at most
    254.0, Block cache at most 160.0, Memtables at most 64.0, Allocator at most
    9.0, Block cache usually 120.0, Memtables usually 60.0, Allocator usually
    8.0, Files at the end 221.3, Write amplification 3.07, Records a second
    20,000
  Only B tells, unmanaged-rocksdb fails does not: Thread stacks at most 1.0
  B: its peaks are those of the looks that were kept

"#]]
    );
}

#[test]
fn files_that_have_nothing_in_common_are_told_apart() {
    let sides = |labels: [&str; 2]| labels.map(|label| Side::of_run(&made::run(label), "w"));
    let text = page(&compare(&sides(["a", "b"]), &sides(["c", "d"])), ("x", "y"), 80);
    assert!(
        text.contains("Nothing in the two belongs together") && text.contains("What only A has\n  w a, w b"),
        "{text}"
    );
}
