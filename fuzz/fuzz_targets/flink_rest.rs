//! Answers of a REST that may be anyone's: every reader over the same bytes, and what is made of RocksDB's metrics.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oomph::artefact::flink_rest::{self, Metrics, ProcessMetrics};
use oomph::diagnose::cluster::{self, ClusterRow};
use oomph::diagnose::rocksdb_metrics::{Known, rocksdb_of_flink, use_of};

fuzz_target!(|bytes: &[u8]| {
    let _ = flink_rest::overview(bytes);
    let _ = flink_rest::version(bytes);
    let _ = flink_rest::configuration(bytes);
    let _ = flink_rest::logs(bytes);
    let _ = flink_rest::jobs(bytes);
    let _ = flink_rest::job(bytes);
    let _ = flink_rest::subtask_places(bytes);
    let _ = flink_rest::metric_names(bytes);
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = flink_rest::whole(text);
    }
    let known = Known { rocksdb_version: rocksdb_of_flink("1.20").map(str::to_owned), ..Known::default() };
    let values = flink_rest::metric_values(bytes).unwrap_or_default();
    let readings = flink_rest::readings_of_vertex(&values);
    let metrics = ProcessMetrics::of_metrics(&values.into_iter().collect::<Metrics>());
    for known in [known, Known { slots_in_use: Some(1), ..Known::default() }] {
        if let Ok(used) = use_of(&readings, &known)
            && let Ok(caches) = used.caches
        {
            assert!(caches.at_least <= caches.caches && caches.caches <= caches.at_most, "{caches:?}");
        }
    }
    let mut rows: Vec<ClusterRow> = Vec::new();
    for mut one in flink_rest::task_managers(bytes).into_iter().flatten().chain(flink_rest::task_manager(bytes)) {
        one.metrics.complete_with(metrics.clone());
        rows.push(ClusterRow::of(&one, &readings, &Known::default()));
    }
    cluster::sort(&mut rows);
});
