#![allow(clippy::unwrap_used, reason = "a test")]

use rstest::rstest;

use super::*;
use crate::model::{Bytes, Role};

fn only_rejection(text: &str) -> Rejection {
    let mut found = rejections(text);
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0).what
}

fn mib(bytes: u32, exact: bool) -> Printed {
    Printed { bytes: Bytes::mib(bytes), exact }
}

#[test]
fn a_sum_beyond_its_total_is_read_with_and_without_the_bytes() {
    let exact = "TaskManager memory configuration failed: Sum of configured Framework Heap Memory (128.000mb (134217728 \
                 bytes)), Framework Off-Heap Memory (128.000mb (134217728 bytes)), Task Off-Heap Memory (0 bytes), Managed \
                 Memory (80.000mb (83886080 bytes)) and Network Memory (64.000mb (67108864 bytes)) exceed configured Total \
                 Flink Memory (200.000mb (209715200 bytes)).";
    let rounded = exact
        .replace(" (134217728 bytes)", "")
        .replace(" (83886080 bytes)", "")
        .replace(" (67108864 bytes)", "")
        .replace(" (209715200 bytes)", "");
    for (text, is_exact) in [(exact.to_owned(), true), (rounded, false), (exact.replace(' ', "\n> "), true)] {
        let found = only_rejection(&text);
        assert_eq!(found.role, Some(Role::TaskManager));
        let Why::TooMuch { parts, whole, limit } = found.why else { panic!("{found:?}") };
        let names: Vec<_> = parts.iter().map(|(name, _)| name.as_str()).collect();
        let expected = [
            "Framework Heap Memory",
            "Framework Off-Heap Memory",
            "Task Off-Heap Memory",
            "Managed Memory",
            "Network Memory",
        ];
        assert_eq!(names, expected);
        assert_eq!(parts[3].1, mib(80, is_exact));
        assert_eq!((whole, limit), ("Total Flink Memory", Some(mib(200, is_exact))));
    }
}

#[rstest]
#[case(
    "Sum of configured JVM Metaspace (256.000mb (268435456 bytes)) and JVM Overhead (192.000mb (201326592 bytes)) exceed \
        configured Total Process Memory (400.000mb (419430400 bytes)).",
    2,
    400
)]
#[case(
    "The configured Total Process Memory size (600.000mb (629145600 bytes)) is less than the sum of the derived Total \
        Flink Memory size (500.000mb (524288000 bytes)) and the configured or default JVM Metaspace size  (256.000mb \
        (268435456 bytes)).",
    2,
    600
)]
#[case(
    "The configured JVM Heap Memory (512.000mb (536870912 bytes)) exceeds the configured Total Flink Memory (400.000mb \
        (419430400 bytes)). Please, make the configuration consistent",
    1,
    400
)]
#[case(
    "The configured Total Flink Memory (100.000mb (104857600 bytes)) is less than the configured Off-heap Memory \
        (128.000mb (134217728 bytes)).",
    1,
    100
)]
#[case("Network buffer memory size too large: 2097152 >= 1048576 (total JVM memory size)", 1, 1)]
#[case(
    "The configuration value 'containerized.heap-cutoff-min'='600' is larger than the total container memory 512",
    1,
    512
)]
fn what_is_too_much_is_read(#[case] text: &str, #[case] count: usize, #[case] total: u32) {
    let found = only_rejection(text);
    let Why::TooMuch { parts, limit, .. } = found.why else { panic!("{found:?}") };
    assert_eq!((parts.len(), limit.map(|limit| limit.bytes)), (count, Some(Bytes::mib(total))));
}

#[test]
fn ranges_and_sums_that_must_be_equal_are_read() {
    let found = only_rejection(
        "Derived JVM Overhead size (100.000mb (104857600 bytes)) is not in configured JVM Overhead range [192.000mb \
         (201326592 bytes), 1024.000mb (1073741824 bytes)].",
    );
    let Why::OutOfRange { part, derived, min, max } = found.why else { panic!("{found:?}") };
    assert_eq!(
        (part, derived, min, max),
        ("JVM Overhead", Some(mib(100, true)), Some(mib(192, true)), Some(mib(1024, true)))
    );
    let found = only_rejection(
        "JobManager memory configuration failed: Sum of the configured JVM Heap Memory (1024.000mb (1073741824 bytes)) and \
         the configured Off-heap Memory (128.000mb (134217728 bytes)) does not match the configured Total Flink Memory \
         (1.000gb (1073741825 bytes)).",
    );
    assert_eq!(found.role, Some(Role::JobManager));
    assert!(matches!(found.why, Why::Unequal { ref parts, .. } if parts.len() == 2), "{found:?}");
}

#[rstest]
#[case("Either Task Heap Memory size (taskmanager.memory.task.heap.size) and Managed", Why::NotSet)]
#[case("TaskManager memory configuration failed: Either required fine-grained memory (", Why::NotSet)]
#[case("Cannot read memory size from config option 'taskmanager.memory.process.size'.",
    Why::BadValue { key: Some("taskmanager.memory.process.size".to_owned()) })]
#[case("Inconsistently configured Key: 'taskmanager.memory.network.fraction' , default: 0.1 (fallback keys: [])",
    Why::BadValue { key: Some("taskmanager.memory.network.fraction".to_owned()) })]
#[case("[ERROR] Could not get JVM parameters and dynamic configurations properly.", Why::Unsaid)]
#[case("[ERROR] Could not get JVM parameters properly.", Why::Unsaid)]
fn refusals_without_sizes_are_read(#[case] text: &str, #[case] why: Why) {
    assert_eq!(only_rejection(text).why, why);
}
