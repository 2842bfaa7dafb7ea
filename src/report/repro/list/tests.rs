use snapbox::{assert_data_eq, str};

use super::*;

#[test]
fn a_scenario_is_a_name_a_time_and_a_title() {
    let entry = |name: &str, title: &str, seconds, needs: Option<&str>| Entry {
        name: name.to_owned(),
        title: title.to_owned(),
        seconds,
        needs: needs.map(str::to_owned),
    };
    let entries = [
        entry("unmanaged-rocksdb", "RocksDB outside of managed memory grows past the container's limit", 100, None),
        entry("slow-leak", "Growth too slow to see by eye", 360, None),
        entry("latency-metrics", "Latency markers fill the JobManager", 150, Some("--flink-home DIR")),
    ];
    assert_data_eq!(
        list(&entries, &[entry("metaspace", "Metaspace is too small", 45, None)], 80),
        str![[r#"
unmanaged-rocksdb    100 s  RocksDB outside of managed memory grows past the
                            container's limit
slow-leak            6 min  Growth too slow to see by eye
latency-metrics      3 min  Latency markers fill the JobManager (needs
                            --flink-home DIR)

3 scenarios, about 10 min in all

  On a real Flink: `oomph repro loop NAME --flink-home DIR` fails, is explained,
  is changed as diagnose proposes, and runs again; `run NAME --on flink` takes
  the cure that each knows itself

metaspace             45 s  Metaspace is too small

1 failure, about 45 s in all

"#]]
    );
}
