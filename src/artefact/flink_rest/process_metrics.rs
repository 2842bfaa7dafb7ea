//! What a TaskManager or JobManager says of its own JVM and network pool, the same from REST and from Prometheus.

use super::answer::Fields;
use super::metric::Metrics;
use crate::model::{Bytes, Seen, Unseen};

/// The metrics of a process that `Metrics` is asked for to fill a [`ProcessMetrics`] (`MetricUtils`,
/// `NettyShuffleMetricFactory`; 1.9 has `Status.Network` alone, 2.x `Status.Shuffle.Netty` alone). The times of the
/// collectors, whose names depend on the JVM, come with `All` (since 1.17).
pub const STATUS_METRICS: [&str; 27] = [
    "Status.JVM.Memory.Heap.Used",
    "Status.JVM.Memory.Heap.Committed",
    "Status.JVM.Memory.Heap.Max",
    "Status.JVM.Memory.NonHeap.Used",
    "Status.JVM.Memory.NonHeap.Committed",
    "Status.JVM.Memory.NonHeap.Max",
    "Status.JVM.Memory.Metaspace.Used",
    "Status.JVM.Memory.Metaspace.Committed",
    "Status.JVM.Memory.Metaspace.Max",
    "Status.JVM.Memory.Direct.Count",
    "Status.JVM.Memory.Direct.MemoryUsed",
    "Status.JVM.Memory.Direct.TotalCapacity",
    "Status.JVM.Memory.Mapped.Count",
    "Status.JVM.Memory.Mapped.MemoryUsed",
    "Status.JVM.Memory.Mapped.TotalCapacity",
    "Status.JVM.Threads.Count",
    "Status.JVM.ClassLoader.ClassesLoaded",
    "Status.JVM.GarbageCollector.All.Count",
    "Status.JVM.GarbageCollector.All.Time",
    "Status.JVM.GarbageCollector.All.TimeMsPerSecond",
    "Status.Shuffle.Netty.TotalMemory",
    "Status.Shuffle.Netty.UsedMemory",
    "Status.Shuffle.Netty.AvailableMemory",
    "Status.Shuffle.Netty.TotalMemorySegments",
    "Status.Shuffle.Netty.AvailableMemorySegments",
    "Status.Flink.Memory.Managed.Used",
    "Status.Flink.Memory.Managed.Total",
];

/// Used, committed and largest, as `MemoryUsage` of the JVM gives them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Usage {
    /// In use, garbage included.
    pub used: Seen<Bytes>,
    /// Committed, not necessarily resident.
    pub committed: Seen<Bytes>,
    /// The bound; `Unseen` where the JVM says that there is none (`-1`).
    pub max: Seen<Bytes>,
}

/// The JVM's account of direct or mapped buffers (`BufferPoolMXBean`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BufferPool {
    /// How many.
    pub count: Seen<u64>,
    /// Their bytes; for direct ones Flink's network pool is among them.
    pub used: Seen<Bytes>,
    /// Their capacity. REST calls it `directMax`: it is no bound.
    pub capacity: Seen<Bytes>,
}

/// The pool of network buffers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// Bytes of the whole pool, which is allocated at the start.
    pub total: Seen<Bytes>,
    /// Bytes of the buffers in use.
    pub used: Seen<Bytes>,
    /// Bytes of the others.
    pub available: Seen<Bytes>,
    /// All buffers.
    pub segments: Seen<u64>,
    /// Those that nobody uses.
    pub free_segments: Seen<u64>,
}

/// One garbage collector; `All` is their sum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collector {
    /// Its name with underscores: `G1_Young_Generation`.
    pub name: String,
    /// Collections since the start.
    pub count: Seen<u64>,
    /// Milliseconds in them since the start.
    pub time: Seen<u64>,
    /// Milliseconds in them in each second of late (since 1.17).
    pub per_second: Seen<u64>,
}

/// What a process measures of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessMetrics {
    /// The Java heap.
    pub heap: Usage,
    /// Metaspace, class space and code cache in one.
    pub non_heap: Usage,
    /// Metaspace, the class space included.
    pub metaspace: Usage,
    /// Direct buffers.
    pub direct: BufferPool,
    /// Mapped files.
    pub mapped: BufferPool,
    /// Network buffers.
    pub network: Network,
    /// Managed memory that is reserved, whether anyone uses it or not.
    pub managed_reserved: Seen<Bytes>,
    /// Managed memory.
    pub managed_total: Seen<Bytes>,
    /// Garbage collectors.
    pub collectors: Vec<Collector>,
    /// Threads.
    pub threads: Seen<u64>,
    /// Classes that are loaded.
    pub classes: Seen<u64>,
}

fn usage(get: impl Fn(&str) -> Seen<Bytes>, begin: &str) -> Usage {
    let get = |end: &str| get(&format!("{begin}{end}"));
    Usage { used: get("Used"), committed: get("Committed"), max: get("Max") }
}

impl ProcessMetrics {
    /// From metrics under their names.
    pub fn of_metrics(all: &Metrics) -> ProcessMetrics {
        let memory = |kind: &str| usage(|name| all.bytes(name), &format!("Status.JVM.Memory.{kind}."));
        let pool = |kind: &str| BufferPool {
            count: all.whole(&format!("Status.JVM.Memory.{kind}.Count")),
            used: all.bytes(&format!("Status.JVM.Memory.{kind}.MemoryUsed")),
            capacity: all.bytes(&format!("Status.JVM.Memory.{kind}.TotalCapacity")),
        };
        let begin = "Status.JVM.GarbageCollector.";
        let collectors = all.between(begin, ".Count").into_iter().map(|name| Collector {
            count: all.whole(&format!("{begin}{name}.Count")),
            time: all.whole(&format!("{begin}{name}.Time")),
            per_second: all.whole(&format!("{begin}{name}.TimeMsPerSecond")),
            name,
        });
        let segments = |name: &str| {
            all.whole(&format!("Status.Shuffle.Netty.{name}"))
                .or_else(|unseen| all.whole(&format!("Status.Network.{name}")).map_err(|_| unseen))
        };
        ProcessMetrics {
            heap: memory("Heap"),
            non_heap: memory("NonHeap"),
            metaspace: memory("Metaspace"),
            direct: pool("Direct"),
            mapped: pool("Mapped"),
            network: Network {
                total: all.bytes("Status.Shuffle.Netty.TotalMemory"),
                used: all.bytes("Status.Shuffle.Netty.UsedMemory"),
                available: all.bytes("Status.Shuffle.Netty.AvailableMemory"),
                segments: segments("TotalMemorySegments"),
                free_segments: segments("AvailableMemorySegments"),
            },
            managed_reserved: all.bytes("Status.Flink.Memory.Managed.Used"),
            managed_total: all.bytes("Status.Flink.Memory.Managed.Total"),
            collectors: collectors.collect(),
            threads: all.whole("Status.JVM.Threads.Count"),
            classes: all.whole("Status.JVM.ClassLoader.ClassesLoaded"),
        }
    }

    /// From the field `metrics` of `/taskmanagers/:id` (`TaskManagerMetricsInfo`).
    pub(super) fn of_details(fields: &Fields<'_>) -> ProcessMetrics {
        let pool = |kind: &str| BufferPool {
            count: fields.whole(&format!("{kind}Count")),
            used: fields.bytes(&format!("{kind}Used")),
            capacity: fields.bytes(&format!("{kind}Max")),
        };
        let segments = |name: &str| {
            let new = fields.whole(&format!("nettyShuffleMemorySegments{name}"));
            new.or_else(|unseen| fields.whole(&format!("memorySegments{name}")).map_err(|_| unseen))
        };
        let apart = |what: &str| Unseen::because(format!("/taskmanagers/:id does not tell {what}; its metrics do"));
        let collectors = fields.list("garbageCollectors").into_iter().filter_map(|node| {
            let row = node.fields("garbageCollectors")?;
            Some(Collector {
                name: row.text("name").ok()?,
                count: row.whole("count"),
                time: row.whole("time"),
                per_second: Err(apart("the time per second")),
            })
        });
        let metaspace = || Err(apart("metaspace"));
        ProcessMetrics {
            heap: usage(|name| fields.bytes(name), "heap"),
            non_heap: usage(|name| fields.bytes(name), "nonHeap"),
            metaspace: Usage { used: metaspace(), committed: metaspace(), max: metaspace() },
            direct: pool("direct"),
            mapped: pool("mapped"),
            network: Network {
                total: fields.bytes("nettyShuffleMemoryTotal"),
                used: fields.bytes("nettyShuffleMemoryUsed"),
                available: fields.bytes("nettyShuffleMemoryAvailable"),
                segments: segments("Total"),
                free_segments: segments("Available"),
            },
            managed_reserved: Err(apart("managed memory in use")),
            managed_total: Err(apart("managed memory")),
            collectors: collectors.collect(),
            threads: Err(apart("threads")),
            classes: Err(apart("classes")),
        }
    }

    /// Takes what only the other one has seen.
    pub fn complete_with(&mut self, other: ProcessMetrics) {
        fn take<T>(own: &mut Seen<T>, other: Seen<T>) {
            if own.is_err() && other.is_ok() {
                *own = other;
            }
        }
        fn take_usage(own: &mut Usage, other: Usage) {
            take(&mut own.used, other.used);
            take(&mut own.committed, other.committed);
            take(&mut own.max, other.max);
        }
        fn take_pool(own: &mut BufferPool, other: BufferPool) {
            take(&mut own.count, other.count);
            take(&mut own.used, other.used);
            take(&mut own.capacity, other.capacity);
        }
        take_usage(&mut self.heap, other.heap);
        take_usage(&mut self.non_heap, other.non_heap);
        take_usage(&mut self.metaspace, other.metaspace);
        take_pool(&mut self.direct, other.direct);
        take_pool(&mut self.mapped, other.mapped);
        take(&mut self.network.total, other.network.total);
        take(&mut self.network.used, other.network.used);
        take(&mut self.network.available, other.network.available);
        take(&mut self.network.segments, other.network.segments);
        take(&mut self.network.free_segments, other.network.free_segments);
        take(&mut self.managed_reserved, other.managed_reserved);
        take(&mut self.managed_total, other.managed_total);
        take(&mut self.threads, other.threads);
        take(&mut self.classes, other.classes);
        for collector in other.collectors {
            match self.collectors.iter_mut().find(|own| own.name == collector.name) {
                Some(own) => {
                    take(&mut own.count, collector.count);
                    take(&mut own.time, collector.time);
                    take(&mut own.per_second, collector.per_second);
                }
                None => self.collectors.push(collector),
            }
        }
    }
}
