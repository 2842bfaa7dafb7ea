#![allow(clippy::unwrap_used, reason = "a test")]

use rstest::rstest;

use super::*;

fn one(text: &str) -> Collection {
    let log = read(&Excerpt::plain(text));
    assert_eq!(log.collections.len(), 1, "{log:?}");
    log.collections[0].clone()
}

const MIB: u64 = 1 << 20;

#[rstest]
#[case(
    "[2026-02-03T04:05:06.789+0100][1.234s][info][gc] GC(4) Pause Young (Normal) (G1 Evacuation Pause) 24M->4M(256M) 2.345ms",
    Kind::Young,
    "G1 Evacuation Pause",
    24,
    4,
    256
)]
#[case(
    "[12,345s][77][78][info][gc          ] GC(8) Pause Full (G1 Compaction Pause) 255M->254M(256M) 45.678ms",
    Kind::Full,
    "G1 Compaction Pause",
    255,
    254,
    256
)]
#[case("[info][gc] GC(8) Pause Full (System.gc()) 9M->3M(16M) 4.5ms", Kind::Full, "System.gc()", 9, 3, 16)]
#[case("[1.5s] GC(3) Pause Full 1023M->1022M(1024M) 99.123ms", Kind::Full, "", 1023, 1022, 1024)]
#[case(
    "GC(6) Pause Young (Normal) (G1 Evacuation Pause) (Evacuation Failure: Allocation) 90M->90M(100M) 3ms",
    Kind::Young,
    "Evacuation Failure: Allocation",
    90,
    90,
    100
)]
#[case(
    "3.25: [Full GC (Allocation Failure)  1023M->1022M(1024M), 1.2345678 secs]",
    Kind::Full,
    "Allocation Failure",
    1023,
    1022,
    1024
)]
#[case("[Full GC 3072K->2048K(4096K), 0.5 secs]", Kind::Full, "", 3, 2, 4)]
#[case(
    "2026-01-01T00:00:00.000+0000: 9.1: [GC (Allocation Failure) [PSYoungGen: 1024K->0K(2048K)] 5120K->4096K(8192K), 0.001 secs]",
    Kind::Young,
    "Allocation Failure",
    5,
    4,
    8
)]
#[case(
    "[GC pause (G1 Evacuation Pause) (young) (to-space exhausted), 0.1 secs]\n   [Eden: 2.0M(4.0M)->0.0B(4.0M) Survivors: 0.0B->0.0B Heap: 12.0M(16.0M)->11.0M(16.0M)]",
    Kind::Young,
    "G1 Evacuation Pause",
    12,
    11,
    16
)]
fn each_collector_says_what_it_freed(
    #[case] text: &str,
    #[case] kind: Kind,
    #[case] cause: &str,
    #[case] before: u64,
    #[case] after: u64,
    #[case] capacity: u64,
) {
    let found = one(text);
    assert_eq!((found.kind, found.cause.as_str()), (kind, cause));
    let sizes = (found.heap.before.get() / MIB, found.heap.after.get() / MIB, found.heap.capacity.unwrap().get() / MIB);
    assert_eq!(sizes, (before, after, capacity));
}

#[test]
fn zgc_says_parts_of_a_hundred() {
    let found = one("[0.8s][info][gc] GC(11) Garbage Collection (Allocation Stall) 498M(97%)->498M(98%)");
    assert_eq!((found.kind, found.heap.capacity, found.heap.percent), (Kind::Concurrent, None, Some(98)));
    assert_eq!(one("GC(2) Major Collection (Allocation Stall) 64M(100%)->64M(100%) 0.05s").cause, "Allocation Stall");
}

#[test]
fn the_generations_of_a_parallel_collection_are_not_the_heap() {
    let found = one("5.5: [Full GC (Ergonomics) [PSYoungGen: 2048K->2048K(2560K)] [ParOldGen: 7168K->7168K(7168K)] \
         9216K->9216K(9728K), [Metaspace: 2700K->2699K(1056768K)], 0.0067 secs] [Times: user=0.00 sys=0.00, real=0.01 secs]");
    assert_eq!(found.heap.after, Bytes::mib(9));
    assert_eq!((found.metaspace.unwrap().after, found.is_perm), (Bytes::kib(2699), false));
}

#[test]
fn a_concurrent_phase_may_be_torn_into_a_full_collection_of_cms() {
    let found = one(
        "88.030: [Full GC 88.030: [CMS88.642: [CMS-concurrent-mark: 0.6/0.7 secs] [Times: user=1.40 sys=0.01, real=0.69 secs]\n \
         (concurrent mode failure): 2048K->2047K(4096K), 2.7 secs] 3072K->2047K(8192K), [CMS Perm : 1023K->1023K(1024K)], 2.7 secs]",
    );
    assert_eq!((found.heap.before, found.heap.after), (Bytes::mib(3), Bytes::kib(2047)));
    assert_eq!((found.metaspace.unwrap().after, found.is_perm, found.exhausted), (Bytes::kib(1023), true, true));
}

#[test]
fn metaspace_and_lack_of_room_are_of_the_collection_with_their_number() {
    let log = read(&Excerpt::plain(
        "[1s][info][gc,metaspace] GC(7) Metaspace: 100K(128K)->90K(128K) NonClass: 80K(90K)->70K(90K)\n\
         [1s][info][gc] GC(7) Pause Full (Metadata GC Threshold) 9M->8M(16M) 1ms\n\
         [2s][info][gc] GC(8) To-space exhausted\n[2s][info][gc] GC(8) Pause Young (Normal) (G1 Evacuation Pause) 9M->9M(16M) 1ms\n",
    ));
    assert_eq!(log.collections[0].metaspace.unwrap().after, Bytes::kib(90));
    assert!(log.collections[0].is_asked_for() && log.collections[1].exhausted);
}

#[test]
fn the_ends_are_told() {
    let text = "[gc] Heap Max Capacity: 80M\n[safepoint] Entering safepoint region: ReportJavaOutOfMemory\n\
                [gc] Out Of Memory (main)\n[gc] Allocation Stall (main) 18.0ms\n";
    let log = read(&Excerpt::plain(text));
    let events: Vec<_> = log.events.iter().map(|(_, event)| *event).collect();
    assert_eq!(events, [Event::ReportsOutOfMemory, Event::OutOfMemory, Event::Stall]);
    assert_eq!(log.max_heap, Some(Bytes::mib(80)));
    assert_eq!(read(&Excerpt::plain("Out Of Memory (OOM) killer")).events, []);
}

#[test]
fn sizes_are_exact() {
    assert_eq!(size("1023", "M"), Some(Bytes::mib(1023)));
    assert_eq!(size("0.5", "K"), Some(Bytes::new(512)));
    assert_eq!(size("99999999999999999999", "G"), None);
}

#[test]
fn every_prefix_is_read() {
    let text = "é 1.0: [Full GC (Ergonomics) [PSYoungGen: 1K->1K(2K)] 1K->1K(2K), [PSPermGen: 1K->1K(2K)], 0.1 secs]\n\
                [1s] GC(1) Pause Full (Allocation Failure) 1M->1M(2M) 1ms\nGC(1) Metaspace: 1K->1K(2K)\n";
    for end in (0..=text.len()).filter(|end| text.is_char_boundary(*end)) {
        assert!(read(&Excerpt::plain(&text[..end])).collections.len() <= 2);
    }
}
