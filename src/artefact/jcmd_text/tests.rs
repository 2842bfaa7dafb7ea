#![allow(clippy::unwrap_used, reason = "a test")]

use super::*;

fn says(text: &str) -> Vec<Says> {
    read(&Excerpt::plain(text)).into_iter().map(|answer| answer.says).collect()
}

#[test]
fn native_memory_is_read_within_other_text() {
    let text = "$ jcmd 77 VM.native_memory summary.diff\n77:\n\nNative Memory Tracking:\n\n(Omitting categories weighting less than 1MB)\n\n\
                Total: reserved=900MB +10MB, committed=300MB -4MB\n       malloc: 12MB +1MB #99 +3, peak=13MB #120\n\n\
                -                     Other (reserved=60MB +14MB, committed=60MB +14MB)\n                            (malloc=60MB +14MB #70)\n\
                $ ls\n";
    let found = says(text);
    let [Says::NativeMemory(nmt)] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((nmt.total.committed, nmt.total.change), (300 << 20, Some(-(4 << 20))));
    assert_eq!(nmt.category("Other").unwrap().extent.change, Some(14 << 20));
}

#[test]
fn its_first_line_may_be_missing_and_tracking_may_be_off() {
    assert!(matches!(says("Total: reserved=9KB, committed=8KB\n").as_slice(), [Says::NativeMemory(_)]));
    assert_eq!(says("4711:\nNative memory tracking is not enabled\n"), [Says::NotTracked]);
}

#[test]
fn the_heap_and_metaspace_are_read_at_a_glance() {
    let text = " garbage-first heap   total 524288K, used 1024K [0x0, 0x1)\n Metaspace       used 300K, committed 400K, reserved 500K\n";
    let expected = [
        Says::Heap { total: Bytes::mib(512), used: Bytes::mib(1) },
        Says::Metaspace { used: Bytes::kib(300), committed: Bytes::kib(400) },
    ];
    assert_eq!(says(text), expected);
}

#[test]
fn of_a_heap_that_says_what_it_reserved_too_the_committed_part_is_taken() {
    let text = " garbage-first heap   total reserved 1048576K, committed 524288K, used 1024K [0x0, 0x1)\n";
    assert_eq!(says(text), [Says::Heap { total: Bytes::mib(512), used: Bytes::mib(1) }]);
}

#[test]
fn a_histogram_is_told_by_its_first_row() {
    let text = " num     #instances         #bytes  class name (module)\n-------------------------------------------------------\n   \
                1:         12345       67890123  [B (java.base@17.0.9)\n   2: 1 2 x\n";
    assert_eq!(
        says(text),
        [Says::Histogram { class: "[B".to_owned(), instances: 12_345, bytes: Bytes::new(67_890_123) }]
    );
    assert_eq!(says("MaxMetaspaceSize: 256.00 MB\n"), [Says::MaxMetaspace("256.00 MB".to_owned())]);
}
