#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use proptest::prelude::*;

use super::*;

const FLINK_1_20: &[u8] = include_bytes!("../../../testdata/hsperfdata/flink/1.20.5");
const FLINK_2_3: &[u8] = include_bytes!("../../../testdata/hsperfdata/flink/2.3.0");

macro_rules! jdk {
    ($name:literal) => {
        HsPerf::of(&PerfData::parse(include_bytes!(concat!("../../../testdata/hsperfdata/jdk/", $name))).unwrap())
    };
}

/// What `PerfCounter.print` shows of a counter.
fn printed(value: &Value) -> String {
    match value {
        Value::Long(number) => number.to_string(),
        Value::Text(text) => format!("{text:?}").replace("\\\"", "\""),
    }
}

/// Holds the counters against `jcmd PID PerfCounter.print`. The two were taken at different moments, so what changes while
/// a JVM runs may differ; what cannot change must not.
fn agrees(bytes: &[u8], print: &str) {
    let data = PerfData::parse(bytes).unwrap();
    assert_eq!(data.remarks, Vec::<String>::new());
    let mut same = 0;
    // Those of `sun.perfdata` are no counters: jcmd makes them from the head of the file.
    let rows = print.lines().filter(|line| !line.starts_with("sun.perfdata."));
    let rows: Vec<(&str, &str)> = rows.filter_map(|line| line.split_once('=')).collect();
    for (name, value) in &rows {
        let counter = data.counters().iter().find(|counter| counter.name == *name).unwrap_or_else(|| panic!("{name}"));
        let agree = printed(&counter.value) == *value;
        same += usize::from(agree);
        let constant = ["java.property.", "java.rt.", "sun.rt.java", "sun.rt.createVm", "sun.gc.policy.name"];
        let constant = constant.iter().any(|start| name.starts_with(start)) || name.ends_with("maxCapacity");
        assert!(agree || !constant, "{name}: {value} and {}", printed(&counter.value));
    }
    assert_eq!(data.counters().len(), rows.len());
    assert!(rows.len() > 120 && same * 100 > rows.len() * 80, "{same} of {}", rows.len());
}

#[test]
fn every_counter_of_a_task_manager_is_what_jcmd_prints() {
    agrees(FLINK_1_20, include_str!("../../../testdata/hsperfdata/flink/1.20.5.txt"));
    agrees(FLINK_2_3, include_str!("../../../testdata/hsperfdata/flink/2.3.0.txt"));
}

#[test]
fn every_counter_of_other_collectors_is_what_jcmd_prints() {
    agrees(
        include_bytes!("../../../testdata/hsperfdata/jdk/serial-17"),
        include_str!("../../../testdata/hsperfdata/jdk/serial-17.txt"),
    );
    agrees(
        include_bytes!("../../../testdata/hsperfdata/jdk/z-25"),
        include_str!("../../../testdata/hsperfdata/jdk/z-25.txt"),
    );
}

#[test]
fn a_task_manager_with_g1_has_its_figures_without_g1s_padding() {
    let perf = HsPerf::of(&PerfData::parse(FLINK_1_20).unwrap());
    assert_eq!(perf.collector, Some(CollectorKind::G1));
    assert_eq!(perf.refreshed(), Some(Refreshed::AtCollection));
    // -Xms and -Xmx are 512 MiB, rounded up from 536870902.
    assert_eq!(perf.heap_committed(), Some(536_870_912));
    assert_eq!(perf.old_used(), Some(42_191_872));
    assert_eq!(perf.heap_used(), Some(115_067_904));
    let metaspace = perf.metaspace.as_ref().unwrap();
    assert_eq!((metaspace.capacity, metaspace.max), (Some(52_756_480), Some(285_212_672)));
    assert_eq!(perf.class_space.as_ref().unwrap().max, Some(218_103_808));
    assert_eq!(perf.young_collections().unwrap().name, "G1 young collection pauses");
    assert_eq!(perf.full_collections().unwrap().invocations, Some(0));
    assert_eq!(perf.concurrent_pauses().unwrap().invocations, Some(4));
    assert_eq!((perf.loaded_classes, perf.unloaded_classes), (Some(8_593 + 1_203), Some(0)));
    assert!(
        perf.java_command.as_ref().unwrap().starts_with("org.apache.flink.runtime.taskexecutor.TaskManagerRunner ")
    );
    assert_eq!(perf.java_version.as_deref(), Some("17.0.21"));
    assert!(perf.safepoints.unwrap() > 200 && perf.safepoint_nanoseconds.unwrap() > 10_000_000_000);
    assert!(perf.threads.unwrap() >= 100);
}

/// Each was started with `-Xms96m -Xmx96m`, so all committed bytes of the heap are known.
#[test]
fn the_committed_heap_is_whole_with_every_collector() {
    const WHOLE: Option<u64> = Some(96 << 20);
    let all = [
        (jdk!("serial-17"), CollectorKind::Serial),
        (jdk!("parallel-17"), CollectorKind::Parallel),
        (jdk!("cms-11"), CollectorKind::Cms),
        (jdk!("g1-11"), CollectorKind::G1),
        (jdk!("g1-17"), CollectorKind::G1),
        (jdk!("g1-25"), CollectorKind::G1),
        (jdk!("shenandoah-17"), CollectorKind::Shenandoah),
        (jdk!("shenandoah-25"), CollectorKind::Shenandoah),
        (jdk!("z-17"), CollectorKind::Z),
        (jdk!("z-generational-21"), CollectorKind::ZGenerational),
        (jdk!("z-25"), CollectorKind::ZGenerational),
    ];
    for (perf, kind) in all {
        assert_eq!(perf.collector, Some(kind), "{perf:?}");
        assert_eq!(perf.heap_committed(), WHOLE, "{kind:?}: {:?}", perf.generations);
        assert!(perf.heap_used().is_some_and(|used| used > 0 && used <= 96 << 20), "{kind:?}");
        assert!(perf.metaspace.as_ref().unwrap().used.unwrap() > 0);
        let collections = [perf.young_collections(), perf.full_collections(), perf.concurrent_pauses()];
        assert!(collections.iter().flatten().any(|collector| collector.invocations > Some(0)), "{kind:?}");
    }
}

#[test]
fn a_collector_without_generations_has_no_old_generation() {
    assert_eq!(jdk!("z-17").old_used(), None);
    assert_eq!(jdk!("shenandoah-17").old_used(), None);
    assert_eq!(jdk!("shenandoah-17").full_collections(), None);
    assert_eq!(jdk!("z-25").old_used(), Some(4_194_304));
    assert_eq!(jdk!("serial-17").old_used(), Some(5_660_160));
}

#[test]
fn a_truncated_file_gives_what_it_holds() {
    let whole = PerfData::parse(FLINK_1_20).unwrap();
    let half = PerfData::parse(&FLINK_1_20[..8_000]).unwrap();
    assert!(half.counters().len() > 50 && half.counters().len() < whole.counters().len());
    assert!(half.counters().iter().all(|counter| whole.counters().contains(counter)));
    assert_eq!(half.remarks.len(), 2, "{:?}", half.remarks);
    assert!(half.remarks[0].starts_with("cut: 8000 of "), "{:?}", half.remarks);
    assert!(half.remarks[1].ends_with("is broken"), "{:?}", half.remarks);
}

#[test]
fn what_is_no_performance_data_is_told_why() {
    assert_eq!(PerfData::parse(b"short"), Err(NotPerfData::Short(5)));
    assert_eq!(PerfData::parse(&[0; 64]), Err(NotPerfData::Magic([0; 4])));
    let with = |at: usize, byte: u8| {
        let mut bytes = FLINK_1_20.to_vec();
        bytes[at] = byte;
        PerfData::parse(&bytes)
    };
    assert_eq!(with(4, 7), Err(NotPerfData::Order(7)));
    assert_eq!(with(5, 1), Err(NotPerfData::Version(1, 0)));
    assert!(!with(7, 0).unwrap().accessible);
}

#[test]
fn an_entry_of_length_nothing_ends_the_reading() {
    let mut bytes = FLINK_1_20.to_vec();
    bytes[32..36].copy_from_slice(&[0; 4]);
    let data = PerfData::parse(&bytes).unwrap();
    assert_eq!(data.counters(), []);
    assert!(data.remarks[0].starts_with("0 of "), "{:?}", data.remarks);
}

#[test]
fn the_other_byte_order_is_read_too() {
    // One counter, `ab` = 7, as a big-endian JVM writes it.
    let mut bytes = vec![0xca, 0xfe, 0xc0, 0xc0, 0, 2, 0, 1];
    for number in [72_u32, 0, 0, 0, 32, 1, 40, 20, 0] {
        bytes.extend(number.to_be_bytes());
    }
    bytes.extend([b'J', 0, 2, 3]);
    bytes.extend(32_u32.to_be_bytes());
    bytes.extend(b"ab\0\0\0\0\0\0\0\0\0\0");
    bytes.extend(7_u64.to_be_bytes());
    let data = PerfData::parse(&bytes).unwrap();
    assert_eq!((data.number("ab"), data.remarks.as_slice()), (Some(7), [].as_slice()));
    assert_eq!(data.counters()[0].unit, CounterUnit::Bytes);
}

proptest! {
    #[test]
    fn any_lie_is_survived(at in 0..2_000_usize, byte in any::<u8>(), cut in 0..32_768_usize) {
        let mut bytes = FLINK_2_3.to_vec();
        bytes[at] = byte;
        bytes.truncate(cut);
        if let Ok(data) = PerfData::parse(&bytes) {
            prop_assert!(data.counters().len() <= bytes.len() / ENTRY);
            prop_assert!(data.remarks.len() <= 5);
            let _ = HsPerf::of(&data);
        }
    }
}
