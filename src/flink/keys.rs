//! The options that memory depends on. What each means is said where it is used; types, defaults and old names are
//! in `profiles/flink`.

use super::key::{Boolean, Double, Float, Int, Key, List, Map, Size, Text};

macro_rules! keys {
    ($($(#[$doc:meta])* $constant:ident: $kind:ident = $name:literal;)*) => {
        $($(#[$doc])* pub const $constant: Key<$kind> = Key::new($name);)*

        /// Every key with the type oomph reads it as, for the test against the profiles.
        #[cfg(test)]
        pub(crate) fn all() -> Vec<(&'static str, super::profile::OptionKind)> {
            use super::key::Kind;
            vec![$(($name, <$kind as Kind>::KIND)),*]
        }
    };
}

keys! {
    /// The whole TaskManager process.
    TM_PROCESS: Size = "taskmanager.memory.process.size";
    /// The TaskManager without metaspace and overhead.
    TM_FLINK: Size = "taskmanager.memory.flink.size";
    /// Heap that Flink itself uses.
    FRAMEWORK_HEAP: Size = "taskmanager.memory.framework.heap.size";
    /// Heap for operators and user code.
    TASK_HEAP: Size = "taskmanager.memory.task.heap.size";
    /// Off-heap memory that Flink itself uses.
    FRAMEWORK_OFF_HEAP: Size = "taskmanager.memory.framework.off-heap.size";
    /// Off-heap memory for operators and user code.
    TASK_OFF_HEAP: Size = "taskmanager.memory.task.off-heap.size";
    /// Managed memory as a size.
    MANAGED_SIZE: Size = "taskmanager.memory.managed.size";
    /// Managed memory as a share of total Flink memory.
    MANAGED_FRACTION: Float = "taskmanager.memory.managed.fraction";
    /// How consumers share managed memory.
    CONSUMER_WEIGHTS: Map = "taskmanager.memory.managed.consumer-weights";
    /// Least network memory.
    NETWORK_MIN: Size = "taskmanager.memory.network.min";
    /// Most network memory.
    NETWORK_MAX: Size = "taskmanager.memory.network.max";
    /// Network memory as a share of total Flink memory.
    NETWORK_FRACTION: Float = "taskmanager.memory.network.fraction";
    /// Buffers that a remote channel has for itself, up to 1.20.
    BUFFERS_PER_CHANNEL: Int = "taskmanager.network.memory.buffers-per-channel";
    /// Buffers that the channels of a gate share, up to 1.20.
    FLOATING_BUFFERS: Int = "taskmanager.network.memory.floating-buffers-per-gate";
    /// Buffers that a result partition may take beyond its own to finish a record, 1.16 to 1.20.
    OVERDRAFT_BUFFERS: Int = "taskmanager.network.memory.max-overdraft-buffers-per-gate";
    /// The most buffers that a gate must have before it starts, from 1.17 on.
    REQUIRED_PER_GATE: Int = "taskmanager.network.memory.read-buffer.required-per-gate.max";
    /// Buffers that a sorted result partition must have, from 1.12 on.
    SORT_MIN_BUFFERS: Int = "taskmanager.network.sort-shuffle.min-buffers";
    /// From how many subpartitions on a blocking result partition is sorted, 1.12 to 1.20.
    SORT_MIN_PARALLELISM: Int = "taskmanager.network.sort-shuffle.min-parallelism";
    /// Whether buffers in flight are made smaller than a segment, from 1.14 on.
    BUFFER_DEBLOAT: Boolean = "taskmanager.network.memory.buffer-debloat.enabled";
    /// Netty's arenas, up to 1.20.
    NETTY_ARENAS: Int = "taskmanager.network.netty.num-arenas";
    /// Netty's threads that send, up to 1.20.
    NETTY_SERVER_THREADS: Int = "taskmanager.network.netty.server.numThreads";
    /// Netty's threads that receive, up to 1.20.
    NETTY_CLIENT_THREADS: Int = "taskmanager.network.netty.client.numThreads";
    /// Network memory as a number of buffers, up to 1.20.
    NETWORK_BUFFERS: Int = "taskmanager.network.numberOfBuffers";
    /// The TaskManager's metaspace.
    TM_METASPACE: Size = "taskmanager.memory.jvm-metaspace.size";
    /// Least overhead of a TaskManager.
    TM_OVERHEAD_MIN: Size = "taskmanager.memory.jvm-overhead.min";
    /// Most overhead of a TaskManager.
    TM_OVERHEAD_MAX: Size = "taskmanager.memory.jvm-overhead.max";
    /// Overhead of a TaskManager as a share of the process.
    TM_OVERHEAD_FRACTION: Float = "taskmanager.memory.jvm-overhead.fraction";
    /// One network buffer or page of managed memory.
    SEGMENT_SIZE: Size = "taskmanager.memory.segment-size";
    /// What batch shuffle reads with, inside framework off-heap.
    BATCH_SHUFFLE_READ: Size = "taskmanager.memory.framework.off-heap.batch-shuffle.size";
    /// Slots of a TaskManager.
    SLOTS: Int = "taskmanager.numberOfTaskSlots";
    /// Cores of a TaskManager.
    CPU_CORES: Double = "taskmanager.cpu.cores";
    /// Resources such as GPUs.
    EXTERNAL_RESOURCES: List = "external-resources";
    /// Flink 1.9's total for a TaskManager.
    TM_HEAP_SIZE: Size = "taskmanager.heap.size";
    /// The same in mebibytes.
    TM_HEAP_MB: Int = "taskmanager.heap.mb";

    /// The whole JobManager process.
    JM_PROCESS: Size = "jobmanager.memory.process.size";
    /// The JobManager without metaspace and overhead.
    JM_FLINK: Size = "jobmanager.memory.flink.size";
    /// The JobManager's heap.
    JM_HEAP: Size = "jobmanager.memory.heap.size";
    /// The JobManager's off-heap memory.
    JM_OFF_HEAP: Size = "jobmanager.memory.off-heap.size";
    /// The JobManager's metaspace.
    JM_METASPACE: Size = "jobmanager.memory.jvm-metaspace.size";
    /// Least overhead of a JobManager.
    JM_OVERHEAD_MIN: Size = "jobmanager.memory.jvm-overhead.min";
    /// Most overhead of a JobManager.
    JM_OVERHEAD_MAX: Size = "jobmanager.memory.jvm-overhead.max";
    /// Overhead of a JobManager as a share of the process.
    JM_OVERHEAD_FRACTION: Float = "jobmanager.memory.jvm-overhead.fraction";
    /// Whether the JobManager is started with `-XX:MaxDirectMemorySize`.
    JM_DIRECT_LIMIT: Boolean = "jobmanager.memory.enable-jvm-direct-memory-limit";
    /// Flink 1.9's heap of a JobManager.
    JM_HEAP_SIZE: Size = "jobmanager.heap.size";
    /// The same in mebibytes.
    JM_HEAP_MB: Int = "jobmanager.heap.mb";

    /// The state backend, from 1.17 on.
    STATE_BACKEND: Text = "state.backend.type";
    /// The state backend, up to 1.16.
    STATE_BACKEND_UNTIL_1_16: Text = "state.backend";

    /// The share of a container that the cut-off model takes off.
    CUTOFF_RATIO: Float = "containerized.heap-cutoff-ratio";
    /// The least that it takes off, in mebibytes.
    CUTOFF_MIN: Int = "containerized.heap-cutoff-min";
    /// Flink 1.9: managed memory as a share of what is left of the heap.
    MANAGED_FRACTION_1_9: Float = "taskmanager.memory.fraction";
    /// Flink 1.9: managed memory as a size.
    MANAGED_SIZE_1_9: Text = "taskmanager.memory.size";
    /// Flink 1.9: whether managed memory is off the heap.
    MANAGED_OFF_HEAP_1_9: Boolean = "taskmanager.memory.off-heap";
    /// Flink 1.9: network memory as a share.
    NETWORK_FRACTION_1_9: Float = "taskmanager.network.memory.fraction";
    /// Flink 1.9: least network memory.
    NETWORK_MIN_1_9: Text = "taskmanager.network.memory.min";
    /// Flink 1.9: most network memory.
    NETWORK_MAX_1_9: Text = "taskmanager.network.memory.max";

    /// How much larger a TaskManager pod's memory limit is than its request.
    KUBERNETES_TM_LIMIT_FACTOR: Double = "kubernetes.taskmanager.memory.limit-factor";
    /// How much larger a JobManager pod's memory limit is than its request.
    KUBERNETES_JM_LIMIT_FACTOR: Double = "kubernetes.jobmanager.memory.limit-factor";
    /// Cores of a TaskManager pod, from 1.17 on.
    KUBERNETES_TM_CPU: Double = "kubernetes.taskmanager.cpu.amount";
    /// Cores of a TaskManager pod, up to 1.16.
    KUBERNETES_TM_CPU_UNTIL_1_16: Double = "kubernetes.taskmanager.cpu";
    /// A set of options for a kind of disk; one of them touches memory.
    ROCKSDB_PREDEFINED_OPTIONS: Text = "state.backend.rocksdb.predefined-options";
    /// Cores of a YARN container.
    YARN_VCORES: Int = "yarn.containers.vcores";
    /// Cores of a JobManager pod, from 1.17 on.
    KUBERNETES_JM_CPU: Double = "kubernetes.jobmanager.cpu.amount";
    /// Cores of a JobManager pod, up to 1.16.
    KUBERNETES_JM_CPU_UNTIL_1_16: Double = "kubernetes.jobmanager.cpu";

    /// JVM options of every process, from 1.17 on.
    JAVA_OPTS: Text = "env.java.opts.all";
    /// JVM options of every process, up to 1.16.
    JAVA_OPTS_UNTIL_1_16: Text = "env.java.opts";
    /// JVM options that come before those of every process, from 1.19 on.
    JAVA_DEFAULT_OPTS: Text = "env.java.default-opts.all";
    /// JVM options that come before those of a TaskManager, from 1.19 on.
    JAVA_DEFAULT_OPTS_TM: Text = "env.java.default-opts.taskmanager";
    /// JVM options that come before those of a JobManager, from 1.19 on.
    JAVA_DEFAULT_OPTS_JM: Text = "env.java.default-opts.jobmanager";
    /// JVM options of a TaskManager.
    JAVA_OPTS_TM: Text = "env.java.opts.taskmanager";
    /// JVM options of a JobManager.
    JAVA_OPTS_JM: Text = "env.java.opts.jobmanager";

    /// Whether Python workers take managed memory.
    PYTHON_MANAGED: Boolean = "python.fn-execution.memory.managed";
    /// What a Python worker may take, up to 1.11.
    PYTHON_FRAMEWORK_MEMORY: Text = "python.fn-execution.framework.memory.size";
    /// What Python's data buffers may take, up to 1.11.
    PYTHON_BUFFER_MEMORY: Text = "python.fn-execution.buffer.memory.size";
}

/// The options of one embedded store: RocksDB or ForSt, which have the same ones.
#[derive(Clone, Copy)]
pub struct StoreKeys {
    /// Whether it takes its memory from managed memory.
    pub managed: Key<Boolean>,
    /// A pool for each slot, outside of managed memory.
    pub fixed_per_slot: Key<Size>,
    /// One pool for the TaskManager, outside of managed memory.
    pub fixed_per_tm: Key<Size>,
    /// The share of memtables in a pool.
    pub write_buffer_ratio: Key<Double>,
    /// The share of the cache kept for index and filter blocks.
    pub high_prio_pool_ratio: Key<Double>,
    /// Whether index and filter blocks are split so that only their top must be in the cache.
    pub partitioned_index_filters: Key<Boolean>,
    /// One memtable's size.
    pub write_buffer_size: Key<Size>,
    /// Memtables of a column family.
    pub write_buffer_count: Key<Int>,
    /// The cache of a column family that has no pool.
    pub block_cache_size: Key<Size>,
}

macro_rules! store {
    ($(#[$doc:meta])* $constant:ident = $prefix:literal) => {
        $(#[$doc])*
        pub const $constant: StoreKeys = StoreKeys {
            managed: Key::new(concat!($prefix, "memory.managed")),
            fixed_per_slot: Key::new(concat!($prefix, "memory.fixed-per-slot")),
            fixed_per_tm: Key::new(concat!($prefix, "memory.fixed-per-tm")),
            write_buffer_ratio: Key::new(concat!($prefix, "memory.write-buffer-ratio")),
            high_prio_pool_ratio: Key::new(concat!($prefix, "memory.high-prio-pool-ratio")),
            partitioned_index_filters: Key::new(concat!($prefix, "memory.partitioned-index-filters")),
            write_buffer_size: Key::new(concat!($prefix, "writebuffer.size")),
            write_buffer_count: Key::new(concat!($prefix, "writebuffer.count")),
            block_cache_size: Key::new(concat!($prefix, "block.cache-size")),
        };
    };
}

store! {
    /// RocksDB.
    ROCKSDB = "state.backend.rocksdb."
}
store! {
    /// ForSt, from 2.0 on.
    FORST = "state.backend.forst."
}

#[cfg(test)]
mod tests {
    use crate::flink::profile::{OptionKind, Profile};

    #[test]
    fn keys_are_read_as_the_type_their_newest_version_gives_them() {
        for (name, kind) in super::all() {
            let row = Profile::all().iter().rev().find_map(|p| p.option(name)).unwrap();
            // Flink 1.9 kept sizes as text.
            assert!(row.kind == kind || row.kind == OptionKind::String, "{name}: {:?} is not {kind:?}", row.kind);
        }
    }
}
