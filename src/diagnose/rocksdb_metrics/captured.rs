//! The corrections, held against captured clusters of which the truth is known, and against made-up ones.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use super::*;
use crate::artefact::flink_rest::{Metrics, job, metric_values, readings_of_vertex, subtask_places, task_manager};
use crate::artefact::prometheus::FlinkView;
use crate::diagnose::cluster::ClusterRow;

const GROUP: &str = "4bf7c1955ffe56e2106d666433eaf137";
const RANK: &str = "f3c52ad168ea5842a0be53deff739f6c";

macro_rules! answer {
    ($version:literal, $name:literal) => {
        include_bytes!(concat!("../../../testdata/flink-rest/", $version, "/", $name)).as_slice()
    };
}

/// The readings of both vertices, as the probe puts them together.
fn readings(job_answer: &[u8], vertices: [(&str, &[u8], &[u8]); 2]) -> Vec<RocksDbReading> {
    let job = job(job_answer).unwrap();
    let mut all = Vec::new();
    for (id, places, values) in vertices {
        let places = subtask_places(places).unwrap();
        let vertex = job.vertices.iter().find(|vertex| vertex.id == id).unwrap();
        for mut reading in readings_of_vertex(&metric_values(values).unwrap()) {
            let place = places.iter().find(|place| place.subtask == reading.subtask).unwrap();
            reading.task_manager = place.task_manager.clone().ok();
            reading.job = job.id.clone().ok();
            reading.vertex = Some(id.to_owned());
            reading.sharing_group = vertex.sharing_group.clone().ok();
            all.push(reading);
        }
    }
    all
}

fn readings_1_20() -> Vec<RocksDbReading> {
    let group = answer!("1.20.5", "vertex_4bf7c1955ffe56e2106d666433eaf137.json");
    let group_values = answer!("1.20.5", "vertex_4bf7c1955ffe56e2106d666433eaf137_metrics.json");
    let rank = answer!("1.20.5", "vertex_f3c52ad168ea5842a0be53deff739f6c.json");
    let rank_values = answer!("1.20.5", "vertex_f3c52ad168ea5842a0be53deff739f6c_metrics.json");
    readings(answer!("1.20.5", "job.json"), [(GROUP, group, group_values), (RANK, rank, rank_values)])
}

fn readings_2_3() -> Vec<RocksDbReading> {
    let group = answer!("2.3.0", "vertex_4bf7c1955ffe56e2106d666433eaf137.json");
    let group_values = answer!("2.3.0", "vertex_4bf7c1955ffe56e2106d666433eaf137_metrics.json");
    let rank = answer!("2.3.0", "vertex_f3c52ad168ea5842a0be53deff739f6c.json");
    let rank_values = answer!("2.3.0", "vertex_f3c52ad168ea5842a0be53deff739f6c_metrics.json");
    readings(answer!("2.3.0", "job.json"), [(GROUP, group, group_values), (RANK, rank, rank_values)])
}

fn known(flink: &str, slots: Option<u64>) -> Known {
    Known { rocksdb_version: rocksdb_of_flink(flink).map(str::to_owned), slots_in_use: slots, ..Known::default() }
}

/// Tenths of a MiB, rounded.
fn tenths(bytes: &Seen<Bytes>) -> u64 {
    (bytes.as_ref().unwrap().get() * 10 + (1 << 19)) >> 20
}

#[test]
fn one_cache_a_slot_and_no_charge_for_what_is_gone_in_1_20() {
    let used = use_of(&readings_1_20(), &known("1.20.5", Some(2))).unwrap();
    assert_eq!(tenths(&used.cache_usage_reported), 25_583);
    assert_eq!(tenths(&used.cache_usage), 4_265);
    assert_eq!(tenths(&used.cache_capacity), 4_267);
    assert_eq!(tenths(&used.cache_pinned), 1_915);
    assert_eq!(tenths(&used.memtables), 320);
    assert_eq!(tenths(&used.in_use), 2_670);
    let caches = used.caches.unwrap();
    assert_eq!((caches.caches, caches.at_least, caches.at_most), (2, 2, 2));
    assert_eq!(used.databases, 4);
    let whats: Vec<&str> = used.corrections.iter().map(|correction| correction.what.as_str()).collect();
    assert_eq!(whats, ["block cache usage", "memory behind the block cache's usage"]);
    assert!(used.corrections[0].why.contains("12 times here; there are 2 caches"), "{}", used.corrections[0].why);
}

#[test]
fn the_charges_of_2_3_are_taken_as_they_are() {
    let used = use_of(&readings_2_3(), &known("2.3.0", Some(2))).unwrap();
    assert_eq!(tenths(&used.cache_usage_reported), 25_552);
    assert_eq!(tenths(&used.cache_usage), 4_259);
    assert_eq!(tenths(&used.cache_pinned), 209);
    assert_eq!(tenths(&used.memtables), 200);
    let with_readers = used.cache_usage.unwrap().checked_add(used.table_readers.unwrap());
    assert_eq!(used.in_use.ok(), with_readers);
    assert_eq!(used.corrections.len(), 1);
}

#[test]
fn prometheus_gives_what_rest_gives() {
    for (version, text, rest) in [
        ("1.20.5", include_str!("../../../testdata/prometheus/1.20.5/taskmanager.txt"), readings_1_20()),
        ("2.3.0", include_str!("../../../testdata/prometheus/2.3.0/taskmanager.txt"), readings_2_3()),
    ] {
        let view = FlinkView::of_text(text);
        let known = known(version, None);
        let (scraped, asked) = (use_of(view.readings(), &known).unwrap(), use_of(&rest, &known).unwrap());
        assert_eq!(scraped.caches, asked.caches);
        assert_eq!(scraped.databases, asked.databases);
        let near = |one: &Seen<Bytes>, other: &Seen<Bytes>| tenths(one).abs_diff(tenths(other)) <= 5;
        assert!(near(&scraped.cache_usage, &asked.cache_usage), "{version}: {scraped:?}");
        assert!(near(&scraped.in_use, &asked.in_use), "{version}: {scraped:?}");
    }
}

#[test]
fn without_the_slots_the_count_of_caches_is_a_range() {
    let caches = use_of(&readings_1_20(), &known("1.20.5", None)).unwrap().caches.unwrap();
    assert_eq!((caches.caches, caches.at_least, caches.at_most), (2, 2, 4));
    let logs = Known { caches_in_logs: Some(2), ..known("1.20.5", None) };
    let caches = use_of(&readings_1_20(), &logs).unwrap().caches.unwrap();
    assert_eq!((caches.caches, caches.at_least, caches.at_most), (2, 2, 2));
}

#[test]
fn an_unknown_rocksdb_leaves_the_memory_unseen_but_not_the_usage() {
    let used = use_of(&readings_1_20(), &Known::default()).unwrap();
    assert_eq!(tenths(&used.cache_usage), 4_265);
    assert!(used.in_use.unwrap_err().why.contains("version of RocksDB"));
}

fn reading(subtask: u32, operator: &str, family: &str, property: Property, value: u64) -> RocksDbReading {
    RocksDbReading {
        task_manager: None,
        job: None,
        vertex: Some(operator.to_owned()),
        sharing_group: None,
        subtask,
        operator: operator.to_owned(),
        column_family: Some(family.to_owned()),
        property,
        value: Ok(value),
    }
}

fn cache(subtask: u32, operator: &str, family: &str, usage: u64) -> [RocksDbReading; 4] {
    [
        reading(subtask, operator, family, Property::CacheCapacity, 8 << 20),
        reading(subtask, operator, family, Property::CacheUsage, usage),
        reading(subtask, operator, family, Property::CachePinned, 0),
        reading(subtask, operator, family, Property::Memtables, 1_000),
    ]
}

#[test]
fn caches_of_their_own_are_added_up_with_memtables_and_open_files() {
    let mut all: Vec<RocksDbReading> = cache(0, "a", "x", 8 << 20).into_iter().chain(cache(0, "a", "y", 100)).collect();
    let used = use_of(&all, &known("1.20.5", Some(1))).unwrap();
    assert_eq!(used.cache_usage, Ok(Bytes::new((8 << 20) + 100)));
    assert_eq!(used.caches.as_ref().unwrap().sharing, Sharing::ColumnFamily);
    assert!(used.in_use.unwrap_err().why.contains("estimate-table-readers-mem"));
    all.push(reading(0, "a", "x", Property::TableReaders, 50 << 20));
    let used = use_of(&all, &known("1.20.5", Some(1))).unwrap();
    assert_eq!(used.in_use, Ok(Bytes::new((58 << 20) + 2_100)));
    assert!(used.corrections.iter().any(|correction| correction.what == "estimate-table-readers-mem"));
}

#[test]
fn one_cache_for_the_whole_taskmanager_is_counted_once() {
    let all: Vec<RocksDbReading> = (0..3).flat_map(|subtask| cache(subtask, "a", "x", 5_000)).collect();
    let known = Known { sharing: Some(Sharing::TaskManager), ..known("2.3.0", Some(3)) };
    let used = use_of(&all, &known).unwrap();
    assert_eq!(used.cache_usage, Ok(Bytes::new(5_000)));
}

#[test]
fn slots_of_different_groups_and_jobs_are_never_one() {
    let mut all: Vec<RocksDbReading> = cache(0, "a", "x", 5_000).into_iter().chain(cache(0, "b", "x", 5_000)).collect();
    let count = |all: &[RocksDbReading]| use_of(all, &known("2.3.0", Some(2))).unwrap().caches.unwrap();
    assert_eq!((count(&all).caches, count(&all).at_least, count(&all).at_most), (1, 1, 2));
    for reading in all.iter_mut().filter(|reading| reading.operator == "b") {
        reading.sharing_group = Some("other".to_owned());
    }
    assert_eq!((count(&all).caches, count(&all).at_least), (2, 2));
}

#[test]
fn what_is_of_the_database_is_counted_once_a_database() {
    let mut all = Vec::new();
    for (subtask, family, rate, stopped) in
        [(0, "x", 0, 0), (0, "y", 0, 0), (1, "x", 700, 1), (1, "y", 700, 1), (2, "x", 900, 0)]
    {
        all.push(reading(subtask, "a", family, Property::DelayedWriteRate, rate));
        all.push(reading(subtask, "a", family, Property::WriteStopped, stopped));
        all.push(reading(subtask, "a", family, Property::RunningCompactions, 2));
        all.push(reading(subtask, "a", family, Property::CompactionPending, 1));
    }
    let stalls = use_of(&all, &Known::default()).unwrap().stalls;
    assert_eq!((stalls.stopped, stalls.slowed, stalls.slowest_rate), (Ok(1), Ok(2), Ok(700)));
    assert_eq!((stalls.compactions_running, stalls.compactions_due), (Ok(6), Ok(5)));
    assert!(stalls.flushes_due.is_err());
}

#[test]
fn a_sum_that_lacks_a_part_is_not_shown() {
    let mut all = readings_1_20();
    let broken = all.iter_mut().find(|reading| reading.property == Property::Memtables).unwrap();
    broken.value = Err(Unseen::because("NaN"));
    let used = use_of(&all, &known("1.20.5", Some(2))).unwrap();
    assert_eq!(used.memtables, Err(Unseen::because("NaN")));
    assert!(used.in_use.is_err());
    assert_eq!(tenths(&used.cache_usage), 4_265);
}

#[test]
fn direct_memory_beside_the_network_pool() {
    let mut manager = task_manager(answer!("1.20.5", "taskmanager.json")).unwrap();
    let (beside, correction) = direct_beside_network(&manager.metrics);
    assert_eq!(beside, Ok(Bytes::new(143_092_076 - 134_217_728)));
    assert_eq!(correction.unwrap().as_reported, Bytes::new(143_092_076));
    manager.metrics.direct.used = Ok(Bytes::new(1));
    assert!(direct_beside_network(&manager.metrics).0.unwrap_err().why.contains("less than the network pool"));
}

#[test]
fn a_captured_cluster_makes_a_whole_row() {
    let mut manager = task_manager(answer!("1.20.5", "taskmanager.json")).unwrap();
    let metrics: Metrics = metric_values(answer!("1.20.5", "taskmanager_metrics.json")).unwrap().into_iter().collect();
    manager.metrics.complete_with(ProcessMetrics::of_metrics(&metrics));
    let row = ClusterRow::of(&manager, &readings_1_20(), &known("1.20.5", None));
    assert_eq!(row.host.as_deref(), Ok("localhost"));
    assert_eq!(row.process, Ok(Bytes::mib(1_728)));
    assert_eq!((tenths(&row.rocksdb.used), row.rocksdb.of.clone()), (2_670, Ok(Bytes::new(536_870_920))));
    assert_eq!(row.metaspace.of, Ok(Bytes::mib(256)));
    assert!(row.metaspace.used.is_ok() && row.gc.is_ok() && row.direct.permille().is_some());
    assert_eq!(row.rocksdb_use.unwrap().caches.unwrap().at_most, 2);
    let reservation = managed_reservation(&manager.metrics).unwrap();
    assert_eq!(reservation.as_reported, Bytes::new(536_870_920));
    assert!(reservation.corrected.is_err());
}

#[test]
fn the_rocksdb_of_a_flink_version() {
    for (flink, rocksdb) in [("1.9.3", "5.17.2"), ("1.13", "5.17.2"), ("1.20.5", "6.20.3"), ("2.3-SNAPSHOT", "8.10.0")]
    {
        assert_eq!(rocksdb_of_flink(flink), Some(rocksdb));
    }
    assert_eq!(rocksdb_of_flink("<unknown>"), None);
}
