//! Changes that live in the job: the same in Java and in Python, in the API of the version.

use super::Step;
use super::by_version::since;
use crate::flink::Version;

/// RocksDB in managed memory where the job builds its backend. Classes: `RocksDBStateBackend` from 1.10 to 1.12 (it has
/// `getMemoryConfiguration` since 1.10), `EmbeddedRocksDBStateBackend` since 1.13; from 2.0 on the backend is set by
/// options alone.
pub(super) fn managed_rocksdb(version: Version) -> Step {
    let (java, python) = if since(version, 2, 0) {
        (
            "Configuration conf = new Configuration();\n\
             conf.setString(\"state.backend.type\", \"rocksdb\");\n\
             conf.setString(\"state.backend.rocksdb.memory.managed\", \"true\");\n\
             env.configure(conf);",
            "config = Configuration()\n\
             config.set_string(\"state.backend.type\", \"rocksdb\")\n\
             config.set_string(\"state.backend.rocksdb.memory.managed\", \"true\")\n\
             env.configure(config)",
        )
    } else if since(version, 1, 13) {
        (
            "EmbeddedRocksDBStateBackend backend = new EmbeddedRocksDBStateBackend(true);\n\
             backend.getMemoryConfiguration().setUseManagedMemory(true);\n\
             env.setStateBackend(backend);",
            "backend = EmbeddedRocksDBStateBackend(True)\n\
             backend._j_embedded_rocks_db_state_backend.getMemoryConfiguration().setUseManagedMemory(True)\n\
             env.set_state_backend(backend)",
        )
    } else {
        (
            "RocksDBStateBackend backend = new RocksDBStateBackend(checkpointPath, true);\n\
             backend.getMemoryConfiguration().setUseManagedMemory(true);\n\
             env.setStateBackend(backend);",
            "backend = env.get_state_backend()\n\
             backend._j_rocks_db_state_backend.getMemoryConfiguration().setUseManagedMemory(True)",
        )
    };
    Step::JobCode {
        java: java.to_owned(),
        python: python.to_owned(),
        why: "a backend that the job builds is not reached by state.backend.rocksdb.memory.managed".to_owned(),
    }
}

/// State that expires.
pub(super) fn expiring_state() -> Step {
    Step::JobCode {
        java: "StateTtlConfig ttl = StateTtlConfig.newBuilder(Time.days(1))\n\
               \x20   .cleanupInRocksdbCompactFilter(1000)\n\
               \x20   .build();\n\
               descriptor.enableTimeToLive(ttl);"
            .to_owned(),
        python: "ttl = StateTtlConfig.new_builder(Time.days(1)) \\\n\
                 \x20   .cleanup_in_rocksdb_compact_filter(1000) \\\n\
                 \x20   .build()\n\
                 descriptor.enable_time_to_live(ttl)"
            .to_owned(),
        why: "state of keys that never come again is kept for ever without a time to live".to_owned(),
    }
}

/// Latency tracking off where the job switches it on.
pub(super) fn no_latency_tracking() -> Step {
    Step::JobCode {
        java: "env.getConfig().setLatencyTrackingInterval(0);".to_owned(),
        python: "env.get_config().set_latency_tracking_interval(0)".to_owned(),
        why: "an interval that the job sets wins over metrics.latency.interval".to_owned(),
    }
}

/// Sources, clients and pools closed with their job, so that its class loader can go.
pub(super) fn closed_with_the_job() -> Step {
    Step::JobCode {
        java:
            "@Override\npublic void close() throws Exception {\n    executor.shutdownNow();   // every thread and pool \
               that open() started\n    client.close();           // every client, driver and native object\n}"
                .to_owned(),
        python: "def close(self):\n    self.executor.shutdown(wait=False)\n    self.client.close()".to_owned(),
        why: "threads, drivers and statics that outlive a job hold its classes and what they own".to_owned(),
    }
}
