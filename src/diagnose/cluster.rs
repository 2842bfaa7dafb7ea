//! A row a TaskManager: how much of each part of its budget is in use, the tightest first.

use super::rocksdb_metrics::{self, Known, RocksDbUse};
use crate::artefact::flink_rest::{RocksDbReading, TaskManager};
use crate::model::{Bytes, Seen, Unseen};

/// What is used of what there is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// In use.
    pub used: Seen<Bytes>,
    /// The bound.
    pub of: Seen<Bytes>,
}

impl Share {
    /// Used thousandths of the bound, rounded down; more than 1000 where the bound is passed. Nothing where one of both is
    /// not seen or the bound is 0.
    pub fn permille(&self) -> Option<u64> {
        let (used, of) = (self.used.as_ref().ok()?.get(), self.of.as_ref().ok()?.get());
        let share = (u128::from(used) * 1_000).checked_div(u128::from(of))?;
        u64::try_from(share).ok()
    }
}

/// A part of a TaskManager that can run full.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// The heap, garbage included.
    Heap,
    /// Metaspace.
    Metaspace,
    /// Direct memory beside the network pool.
    Direct,
    /// Network buffers.
    Network,
    /// RocksDB's memory against managed memory.
    RocksDb,
}

impl Part {
    /// Its key in documents.
    pub fn key(self) -> &'static str {
        match self {
            Part::Heap => "heap",
            Part::Metaspace => "metaspace",
            Part::Direct => "direct",
            Part::Network => "network",
            Part::RocksDb => "rocksdb",
        }
    }
}

/// One TaskManager.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterRow {
    /// Its resource id.
    pub id: Seen<String>,
    /// Its host.
    pub host: Seen<String>,
    /// Its slots.
    pub slots: Seen<u64>,
    /// Those that no job has.
    pub free_slots: Seen<u64>,
    /// The size that Flink has planned for the process; its container's limit where Flink was told it.
    pub process: Seen<Bytes>,
    /// The heap.
    pub heap: Share,
    /// Metaspace.
    pub metaspace: Share,
    /// Direct memory beside the network pool, against framework and task off-heap.
    pub direct: Share,
    /// Network buffers.
    pub network: Share,
    /// RocksDB's memory, corrected, against managed memory.
    pub rocksdb: Share,
    /// All that RocksDB's metrics say, and what was corrected.
    pub rocksdb_use: Seen<RocksDbUse>,
    /// Thousandths of the time of late that went into garbage collection.
    pub gc: Seen<u64>,
}

impl ClusterRow {
    /// The row of a TaskManager and what was measured at its databases.
    pub fn of(task_manager: &TaskManager, readings: &[RocksDbReading], known: &Known) -> ClusterRow {
        let (metrics, memory) = (&task_manager.metrics, &task_manager.memory);
        let known = Known { slots_in_use: known.slots_in_use.or(task_manager.slots_in_use()), ..known.clone() };
        let rocksdb_use = rocksdb_metrics::use_of(readings, &known);
        let host = task_manager.rpc().map(|(host, _)| host.to_owned());
        let off_heap = || {
            let (framework, task) = (memory.framework_off_heap.clone()?, memory.task_off_heap.clone()?);
            framework.checked_add(task).ok_or_else(|| Unseen::because("the sum is larger than any memory"))
        };
        let all = metrics.collectors.iter().find(|collector| collector.name == "All");
        let no_time = || {
            Unseen::because("this Flink does not say how much time garbage collection takes of late")
                .granted_by("two samples of the collectors' time some seconds apart tell it; so does 1.17 or later")
        };
        ClusterRow {
            id: task_manager.id.clone(),
            host: host.ok_or_else(|| Unseen::because("the TaskManager's path names no host")),
            slots: task_manager.slots.clone(),
            free_slots: task_manager.free_slots.clone(),
            process: memory.total_process.clone(),
            heap: Share { used: metrics.heap.used.clone(), of: metrics.heap.max.clone() },
            metaspace: Share {
                used: metrics.metaspace.used.clone(),
                of: memory.metaspace.clone().or_else(|_| metrics.metaspace.max.clone()),
            },
            direct: Share { used: rocksdb_metrics::direct_beside_network(metrics).0, of: off_heap() },
            network: Share { used: metrics.network.used.clone(), of: metrics.network.total.clone() },
            rocksdb: Share {
                used: rocksdb_use.as_ref().map_err(Clone::clone).and_then(|used| used.in_use.clone()),
                of: memory.managed.clone().or_else(|_| task_manager.managed_memory.clone()),
            },
            rocksdb_use,
            gc: all.map_or_else(|| Err(no_time()), |all| all.per_second.clone().map_err(|_| no_time())),
        }
    }

    /// The part that is fullest, and how many thousandths of it are used. Network buffers are left out: a job takes the
    /// ones that it needs when it starts, and none runs out later. Nothing where no part was seen.
    pub fn tightest(&self) -> Option<(Part, u64)> {
        let parts = [
            (Part::Heap, &self.heap),
            (Part::Metaspace, &self.metaspace),
            (Part::Direct, &self.direct),
            (Part::RocksDb, &self.rocksdb),
        ];
        parts.into_iter().filter_map(|(part, share)| Some((part, share.permille()?))).max_by_key(|(_, used)| *used)
    }
}

/// Rows with the least head-room first; those of which nothing was seen last.
pub fn sort(rows: &mut [ClusterRow]) {
    rows.sort_by_cached_key(|row| {
        let used = row.tightest().map(|(_, used)| used);
        (std::cmp::Reverse(used), row.id.as_ref().ok().cloned())
    });
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use super::*;
    use crate::artefact::flink_rest::task_manager;

    fn row(id: &str, heap_used: &str) -> ClusterRow {
        let answer = format!(
            r#"{{"id":"{id}","path":"akka.tcp://flink@h:1/user","metrics":{{"heapUsed":{heap_used},"heapMax":1000}}}}"#
        );
        ClusterRow::of(&task_manager(answer.as_bytes()).unwrap(), &[], &Known::default())
    }

    #[test]
    fn the_tightest_comes_first_and_what_is_not_seen_last() {
        let mut rows = vec![row("unseen", "\"NaN\""), row("loose", "10"), row("tight", "990"), row("same", "990")];
        sort(&mut rows);
        let ids: Vec<&str> = rows.iter().map(|row| row.id.as_deref().unwrap()).collect();
        assert_eq!(ids, ["same", "tight", "loose", "unseen"]);
        assert_eq!(rows[0].tightest(), Some((Part::Heap, 990)));
        assert_eq!(rows[0].host.as_deref(), Ok("h"));
    }

    #[test]
    fn a_cell_that_was_not_seen_says_why() {
        let row = row("a", "1");
        assert!(row.rocksdb.used.unwrap_err().grant.unwrap().contains("block-cache-usage"));
        assert!(row.direct.of.unwrap_err().why.contains("memoryConfiguration.frameworkOffHeap"));
        assert!(row.gc.is_err());
    }
}
