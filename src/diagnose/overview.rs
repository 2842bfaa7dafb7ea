//! A row a process, wherever it was seen: what it has of each thing that can run full. Rows of a live process, of a
//! capture and of a cluster's REST stand in one table, the tightest first.

use std::cmp::Reverse;

use super::cluster::{ClusterRow, Share};
use super::examination::Examination;
use crate::artefact::cgroup::Cgroup;
use crate::model::{Bytes, Component, Measure, Role, Seen, Severity, Unseen};

/// What can run full.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Vessel {
    /// The container: what cannot be given back at once, against its limit.
    Container,
    /// The process: what is resident, against what Flink planned for all of it.
    Process,
    /// The Java heap, against its largest size.
    Heap,
    /// Metaspace.
    Metaspace,
    /// Direct memory beside the network buffers, against framework and task off-heap.
    Direct,
    /// RocksDB's memory, against managed memory.
    RocksDb,
}

impl Vessel {
    /// All of them, in the order of tables.
    pub const ALL: [Vessel; 6] =
        [Vessel::Container, Vessel::Process, Vessel::Heap, Vessel::Metaspace, Vessel::Direct, Vessel::RocksDb];

    /// The name in JSON.
    pub fn key(self) -> &'static str {
        match self {
            Vessel::Container => "container",
            Vessel::Process => "process",
            Vessel::Heap => "heap",
            Vessel::Metaspace => "metaspace",
            Vessel::Direct => "direct",
            Vessel::RocksDb => "rocksdb",
        }
    }

    /// The name in tables.
    pub fn label(self) -> &'static str {
        match self {
            Vessel::Container => "limit",
            Vessel::Process => "plan",
            Vessel::Heap => "heap",
            Vessel::Metaspace => "meta",
            Vessel::Direct => "direct",
            Vessel::RocksDb => "rocksdb",
        }
    }
}

/// One process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overview {
    /// Flink's name for it, else its main class.
    pub name: Seen<String>,
    /// A TaskManager or a JobManager; nothing where it is no Flink process.
    pub role: Option<Role>,
    /// Where it is: `pid 4711`, a host, a directory.
    pub at: String,
    /// What Flink planned for the process.
    pub planned: Seen<Bytes>,
    /// What is resident.
    pub resident: Seen<Bytes>,
    /// What is used of each vessel, in the order of [`Vessel::ALL`].
    pub shares: Vec<(Vessel, Share)>,
    /// Thousandths of the time of late that went into garbage collection.
    pub gc: Seen<u64>,
    /// What was found: codes with how much they matter, the worst first.
    pub findings: Vec<(&'static str, Severity)>,
}

impl Overview {
    /// The row of a TaskManager, as REST tells of it.
    pub fn of_cluster(row: &ClusterRow) -> Overview {
        let from_outside =
            || Unseen::because("REST does not tell it").granted_by("look at the process with oomph attach PID");
        let none = || Share { used: Err(from_outside()), of: Err(from_outside()) };
        Overview {
            name: row.id.clone(),
            role: Some(Role::TaskManager),
            at: row.host.clone().unwrap_or_else(|_| "?".to_owned()),
            planned: row.process.clone(),
            resident: Err(from_outside()),
            shares: vec![
                (Vessel::Container, none()),
                (Vessel::Process, none()),
                (Vessel::Heap, row.heap.clone()),
                (Vessel::Metaspace, row.metaspace.clone()),
                (Vessel::Direct, row.direct.clone()),
                (Vessel::RocksDb, row.rocksdb.clone()),
            ],
            gc: row.gc.clone(),
            findings: Vec::new(),
        }
    }

    /// The row of a process that was looked at; `at` says where it is.
    pub fn of_examination(examination: &Examination, at: String) -> Overview {
        let sample = &examination.sample;
        let unseen = |why: &str| Unseen::because(why);
        let resident = examination.account.as_ref().map(|account| account.rss()).map_err(Clone::clone);
        let planned = examination.planned.as_ref().map_err(Clone::clone);
        let planned = planned.map(|survey| survey.plan.budget.total_process().bytes);
        let container = examination.container.as_ref().map_err(Clone::clone);
        let of_row = |component: Component| match &examination.ledger {
            Err(unseen) => Share { used: Err(unseen.clone()), of: Err(unseen.clone()) },
            Ok(ledger) => match ledger.row(component) {
                Some(row) => Share { used: row.used.clone(), of: Ok(row.budget) },
                None => {
                    let none = || unseen("this process has no such part");
                    Share { used: Err(none()), of: Err(none()) }
                }
            },
        };
        let measured = |measure: Measure| {
            let found = examination.observations.all.iter().find(|seen| seen.measure == measure);
            found.map_or_else(|| Err(unseen("not measured")), |seen| seen.value.clone()).map(Bytes::new)
        };
        let heap = examination.planned.as_ref().map(|survey| survey.plan.budget.heap()).map_err(Clone::clone);
        let jobmanager = sample.flink.as_ref().is_some_and(|flink| flink.role == Role::JobManager);
        let direct = if jobmanager { Component::OffHeap } else { Component::TaskOffHeap };
        let limit = container.clone().and_then(|found| {
            found.limit.ok_or_else(|| match sample.cgroup.as_ref().map(Cgroup::limit) {
                Ok(Err(unseen)) => unseen,
                _ => unseen("there is no limit"),
            })
        });
        // File pages that nobody needs are given back at once: they fill a container and do not make it tight. Where the limit
        // is of a group above, others' file pages cannot be told from the rest.
        let used = container.and_then(|found| {
            let own = found.usage == found.usage_there;
            let used = if own { found.working_set.or(found.usage) } else { found.usage_there };
            used.ok_or_else(|| unseen("the cgroup does not say what it uses"))
        });
        Overview {
            name: Ok(sample.name()),
            role: sample.flink.as_ref().map(|flink| flink.role),
            at,
            planned: planned.clone(),
            resident: resident.clone(),
            shares: vec![
                (Vessel::Container, Share { used, of: limit }),
                (Vessel::Process, Share { used: resident, of: planned }),
                (Vessel::Heap, Share { used: measured(Measure::HeapUsed), of: heap }),
                (Vessel::Metaspace, of_row(Component::JvmMetaspace)),
                (Vessel::Direct, of_row(direct)),
                (Vessel::RocksDb, of_row(Component::Managed)),
            ],
            gc: Err(unseen("one look does not tell a rate")),
            findings: examination.findings.iter().map(|finding| (finding.code, finding.severity)).collect(),
        }
    }

    /// What is fullest, and how many thousandths of it are used; nothing where nothing was seen.
    pub fn tightest(&self) -> Option<(Vessel, u64)> {
        let shares = self.shares.iter().filter_map(|(vessel, share)| Some((*vessel, share.permille()?)));
        // Of two that are as full, the first in the order of tables.
        shares.max_by_key(|(vessel, used)| (*used, Reverse(*vessel)))
    }

    /// What is used of a vessel.
    pub fn share(&self, vessel: Vessel) -> Option<&Share> {
        self.shares.iter().find(|(known, _)| *known == vessel).map(|(_, share)| share)
    }
}

/// Rows with the least head-room first; those of which nothing was seen last.
pub fn sort(rows: &mut [Overview]) {
    rows.sort_by_cached_key(|row| {
        (Reverse(row.tightest().map(|(_, used)| used)), row.name.as_ref().ok().cloned(), row.at.clone())
    });
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use super::*;
    use crate::artefact::flink_rest::task_manager;
    use crate::diagnose::rocksdb_metrics::Known;

    fn row(id: &str, heap: u64) -> Overview {
        let answer = format!(r#"{{"id":"{id}","metrics":{{"heapUsed":{heap},"heapMax":1000}}}}"#);
        let task_manager = task_manager(answer.as_bytes()).unwrap();
        Overview::of_cluster(&ClusterRow::of(&task_manager, &[], &Known::default()))
    }

    #[test]
    fn the_tightest_comes_first_and_what_rest_does_not_tell_says_so() {
        let mut rows = vec![row("loose", 10), row("tight", 990)];
        sort(&mut rows);
        assert_eq!(rows[0].name.as_deref(), Ok("tight"));
        assert_eq!(rows[0].tightest(), Some((Vessel::Heap, 990)));
        assert!(rows[0].resident.as_ref().unwrap_err().grant.as_ref().unwrap().contains("oomph attach"));
        assert_eq!(rows[0].share(Vessel::Container).unwrap().permille(), None);
    }
}
