#![allow(clippy::unwrap_used, reason = "a test")]

use rstest::rstest;

use super::*;

macro_rules! captured {
    ($name:literal) => {
        include_str!(concat!("../../../testdata/nmt/", $name, ".txt"))
    };
}

const KIB: u64 = 1 << 10;

#[test]
fn a_task_manager_is_read_whole() {
    let nmt = Nmt::parse(captured!("flink/1.20.5")).unwrap();
    assert_eq!(nmt.total, Extent { reserved: 1_411_366 * KIB, committed: 845_738 * KIB, change: None });
    assert_eq!(nmt.malloc, Some(Allocated { bytes: 175_402 * KIB, count: Some(322_042) }));
    assert_eq!(nmt.mmap.unwrap().committed, 670_336 * KIB);
    assert_eq!(nmt.categories.len(), 20);
    assert_eq!(nmt.category("Java Heap").unwrap().extent.committed, 512 << 20);
    let class = nmt.category("Class").unwrap();
    assert_eq!((class.number, class.malloc.unwrap().count), (Some(10_492), Some(22_444)));
    assert_eq!(class.metadata.unwrap().used, Some(44_052 * KIB));
    assert_eq!(class.class_space.unwrap().extent.reserved, 212_992 * KIB);
    assert_eq!(class.class_space.unwrap().used, Some(6_836 * KIB));
    let thread = nmt.category("Thread").unwrap();
    assert_eq!((thread.number, thread.stack.unwrap().committed), (Some(114), 11_728 * KIB));
    assert_eq!(thread.arena, Some(Allocated { bytes: 132 * KIB, count: Some(226) }));
    assert_eq!(nmt.category("Other").unwrap().malloc.unwrap().bytes, 140_021 * KIB);
    assert_eq!(nmt.category("Shared class space").unwrap().mmap.unwrap().committed, 12_076 * KIB);
}

/// Each category is rounded down to the unit, and those below one are not there, so the sum is at most one unit a category
/// (and some for those that are left out) below the total.
#[rstest]
#[case(captured!("flink/1.20.5"))]
#[case(captured!("flink/2.3.0"))]
#[case(captured!("jdk/g1-11"))]
#[case(captured!("jdk/g1-17"))]
#[case(captured!("jdk/g1-17-bytes"))]
#[case(captured!("jdk/g1-21"))]
#[case(captured!("jdk/g1-25"))]
#[case(captured!("jdk/g1-25-megabytes"))]
#[case(captured!("jdk/g1-25-diff"))]
#[case(captured!("jdk/serial-17-detail"))]
#[case(captured!("jdk/serial-25-detail"))]
fn the_categories_are_the_total(#[case] text: &str) {
    const CATEGORIES: u64 = 30;
    let nmt = Nmt::parse(text).unwrap();
    let sum: u64 = nmt.categories.iter().map(|category| category.extent.committed).sum();
    let total = nmt.total.committed;
    assert!(sum.abs_diff(total) <= CATEGORIES * nmt.unit, "{sum} of {total}");
    assert!(nmt.categories.len() >= 5);
    for category in &nmt.categories {
        let parts = [category.mmap, category.stack].into_iter().flatten().map(|extent| extent.committed);
        let pieces = [category.malloc, category.arena].into_iter().flatten().map(|pieces| pieces.bytes);
        let parts: u64 = parts.chain(pieces).sum();
        // Tracking's own overhead, and what JDK 25 counts as read-only, are no parts.
        if category.name != "Native Memory Tracking" {
            assert!(parts <= category.extent.committed + 4 * nmt.unit, "{category:?}");
            assert!(parts + 4 * nmt.unit >= category.extent.committed, "{category:?}");
        }
    }
}

#[test]
fn each_unit_is_understood() {
    let (kib, bytes) = (Nmt::parse(captured!("jdk/g1-17")).unwrap(), Nmt::parse(captured!("jdk/g1-17-bytes")).unwrap());
    assert_eq!((kib.unit, bytes.unit), (1 << 10, 1));
    assert_eq!(Nmt::parse(captured!("jdk/g1-25-megabytes")).unwrap().unit, 1 << 20);
    let heaps = [kib, bytes].map(|nmt| nmt.category("Java Heap").unwrap().mmap.unwrap().committed);
    assert_eq!(heaps, [96 << 20; 2]);
    assert_eq!(amount("12B #3"), Some((12, " #3")));
    assert_eq!(amount("99999999999999999999KB"), None);
    assert_eq!(amount("18446744073709551615GB"), None);
}

#[test]
fn a_diff_gives_the_changes() {
    let text = "Total: reserved=1543103KB +123KB, committed=168099KB -5KB\n\nmalloc=12407KB +7KB #5568 +12\n\n\
                -  Class (reserved=1048637KB +2KB, committed=189KB)\n   (malloc=61KB +2KB #573 +5)\n";
    let nmt = Nmt::parse(text).unwrap();
    assert_eq!(nmt.total, Extent { reserved: 1_543_103 * KIB, committed: 168_099 * KIB, change: Some(-5 * 1024) });
    assert_eq!(nmt.malloc, Some(Allocated { bytes: 12_407 * KIB, count: Some(5_568) }));
    let class = nmt.category("Class").unwrap();
    assert_eq!((class.extent.change, class.malloc.unwrap().count), (None, Some(573)));
    assert_eq!(Nmt::parse(captured!("jdk/g1-25-diff")).unwrap().malloc.unwrap().count, Some(5_568));
}

#[rstest]
#[case(captured!("jdk/serial-17-detail"))]
#[case(captured!("jdk/serial-25-detail"))]
fn detail_gives_the_regions(#[case] text: &str) {
    let nmt = Nmt::parse(text).unwrap();
    let heap: Vec<&Region> = nmt.regions.iter().filter(|region| region.category == "Java Heap").collect();
    assert_eq!(heap.iter().map(|region| region.at.size()).sum::<u64>(), 32 << 20);
    let committed: u64 = heap.iter().flat_map(|region| &region.committed).map(|range| range.size()).sum();
    assert_eq!(committed, nmt.category("Java Heap").unwrap().extent.committed);
    let stacks: Vec<&Region> = nmt.regions.iter().filter(|region| region.category == "Thread Stack").collect();
    assert_eq!(Some(stacks.len() as u64), nmt.category("Thread").unwrap().number);
    let committed: u64 = stacks.iter().flat_map(|region| &region.committed).map(|range| range.size()).sum();
    assert_eq!(committed, nmt.category("Thread").unwrap().stack.unwrap().committed);
}

#[test]
fn tracking_that_is_off_names_the_option() {
    let unseen = Nmt::parse(captured!("flink/not-enabled")).unwrap_err();
    assert_eq!(unseen.why, "native memory tracking is off in this JVM");
    assert!(unseen.grant.unwrap().contains("-XX:NativeMemoryTracking=summary"));
    let unseen = Nmt::parse("java.lang.IllegalArgumentException: Unknown diagnostic command\n").unwrap_err();
    assert!(unseen.why.ends_with("\"java.lang.IllegalArgumentException: Unknown diagnostic command\""), "{unseen}");
    assert!(Nmt::parse("").is_err());
}
