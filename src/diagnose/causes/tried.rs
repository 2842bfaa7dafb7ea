//! Made-up processes for the tests of causes: a few numbers, and everything else unseen.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

use jiff::{SignedDuration, Timestamp};

#[cfg(test)]
use crate::config::{Config, Value};

use crate::artefact::cgroup::{Cgroup, Files, Group, MemoryStat, Version};
use crate::artefact::flink_process::FlinkProcess;
use crate::artefact::flink_rest::{Metrics, ProcessMetrics};
use crate::artefact::host::Host;
use crate::artefact::hsperfdata::HsPerf;
use crate::artefact::malloc_chunks::Allocator;
use crate::artefact::process_status::{ProcessFiles, ProcessStatus};
use crate::artefact::smaps::{Access, Mapping, Smaps};
use crate::diagnose::account::Account;
use crate::diagnose::cause::{Cause, Outlook};
use crate::diagnose::container::ContainerAccount;
use crate::diagnose::examination::Examination;
use crate::diagnose::layout::{Basis, Kind, Placed};
use crate::diagnose::ledger::Ledger;
use crate::diagnose::over_time::OverTime;
use crate::diagnose::rocksdb_bound::{self, Amount, Bound, Direction, Evidence, Turn, Verdict};
use crate::diagnose::sample::{RestLook, Sample};
use crate::diagnose::trend::Timeline;
use crate::flink::profile::Profile;
use crate::model::{
    Bytes, Confidence, Finding, Identity, Limit, Measure, Observation, Observations, Origin, Place, Pool, Role, Source,
    Unseen,
};
use crate::plan::jvm::Machine;
use crate::plan::{self, Deployment, Question, Survey};

/// A process that is made up.
pub(super) struct Tried {
    pub now: Examination,
    series: Vec<(Measure, Vec<u64>)>,
}

fn unseen() -> Unseen {
    Unseen::because("it is made up")
}

struct Nothing;
impl Files for Nothing {
    fn text(&self, _: &str) -> Option<String> {
        None
    }
}

/// A group of which only this is known.
pub(super) fn group(limit: Option<u32>, usage: Option<u32>, stat: MemoryStat) -> Group {
    let limit = limit.map(|mib| Limit::AtMost(Bytes::mib(mib)));
    Group { limit, usage: usage.map(Bytes::mib), stat, ..Group::read(Version::V2, "/pod", &Nothing) }
}

fn survey(role: Role, settings: &[(&str, &str)]) -> Survey {
    let mut config = Config::new();
    for (key, value) in settings {
        config.set((*key).to_owned(), Value::text(*value), Place::of(Source::Caller));
    }
    let question = Question {
        role,
        deployment: Deployment::Standalone,
        consumers: Vec::new(),
        managed_backend: true,
        stores: Vec::new(),
    };
    let profile = Profile::of("1.20".parse().unwrap()).unwrap().0;
    plan::survey(&config, profile, &question, Machine::default()).unwrap()
}

fn sample(role: Role) -> Sample {
    let flink = FlinkProcess { role, deployment: None, main_class: "made up", resource_id: Some("made-up".to_owned()) };
    Sample {
        at: Timestamp::UNIX_EPOCH,
        pid: 4711,
        flink: Some(flink),
        program: "java".to_owned(),
        files: ProcessFiles {
            started: Ok(1),
            status: Err(unseen()),
            command: Err(unseen()),
            smaps: Err(unseen()),
            limits: Err(unseen()),
            allocator_variables: Err(unseen()),
            threads: Err(unseen()),
        },
        cgroup: Err(unseen()),
        host: Host {
            memory: Err(unseen()),
            available: Err(unseen()),
            swap: Err(unseen()),
            huge_pages: Err(unseen()),
            max_mappings: Err(unseen()),
        },
        jvm: Err(unseen()),
        allocator: Allocator::Glibc,
        heap: Err(unseen()),
        nmt: Err(unseen()),
        rest: Err(unseen()),
        rocksdb: Err(unseen()),
    }
}

impl Tried {
    /// A TaskManager of 1728 MiB, as Flink 1.20 plans it: heap 512, metaspace 256, managed 512, network 128, off-heap 128,
    /// overhead 192 MiB. Nothing of it is seen.
    pub fn taskmanager() -> Tried {
        Tried::planned(Role::TaskManager, &[("taskmanager.memory.process.size", "1728m")])
    }

    /// A JobManager of 1600 MiB, as Flink 1.20 plans it.
    pub fn jobmanager() -> Tried {
        Tried::planned(Role::JobManager, &[("jobmanager.memory.process.size", "1600m")])
    }

    /// One of these settings.
    pub fn planned(role: Role, settings: &[(&str, &str)]) -> Tried {
        let mut now = Examination::of(sample(role), Err(unseen()));
        now.planned = Ok(Box::new(survey(role, settings)));
        Tried { now, series: Vec::new() }
    }

    /// With something else of the sample.
    pub fn with(mut self, change: impl FnOnce(&mut Sample)) -> Tried {
        change(&mut self.now.sample);
        self.now.container = self.now.sample.cgroup.as_ref().map(ContainerAccount::of).map_err(Clone::clone);
        self
    }

    /// With something else of what was found.
    pub fn having(mut self, change: impl FnOnce(&mut Examination)) -> Tried {
        change(&mut self.now);
        self
    }

    /// With resident pools, in MiB.
    pub fn uses(self, pools: &[(Pool, u32)]) -> Tried {
        let all: u64 = pools.iter().map(|(_, mib)| u64::from(*mib) << 20).sum();
        let mapping = mapping(0, all);
        let placed = Placed { kind: Kind::Arena, basis: Basis::Named };
        let mut account = Account::of_mappings(&Smaps { mappings: vec![mapping] }, &[placed]);
        for (pool, mib) in pools.iter().filter(|(pool, _)| *pool != Pool::MallocUndivided) {
            account.transfer(&[Pool::MallocUndivided], *pool, Bytes::mib(*mib), Basis::Named, Origin::HeapWalk);
        }
        self.having(|now| {
            now.ledger = Ok(Ledger::of(&account, &now.planned.as_ref().unwrap().plan.budget));
            now.account = Ok(account);
        })
    }

    /// In a container with such a limit, of which so much is used, anonymous and tmpfs, in MiB.
    pub fn contained(self, limit: u32, usage: u32, anon: u32, shmem: u32) -> Tried {
        let mib = |mib: u32| Some(Bytes::mib(mib));
        let file = usage.saturating_sub(anon);
        let stat = MemoryStat { anon: mib(anon), shmem: mib(shmem), file: mib(file), ..MemoryStat::default() };
        self.in_group(group(Some(limit), Some(usage), stat))
    }

    /// In a group.
    pub fn in_group(self, own: Group) -> Tried {
        self.with(|sample| sample.cgroup = Ok(Cgroup { own, above: Vec::new(), tasks: None, others: Vec::new() }))
    }

    /// With something of its control group.
    pub fn cgroup(self, change: impl FnOnce(&mut Cgroup)) -> Tried {
        self.with(|sample| change(sample.cgroup.as_mut().unwrap()))
    }

    /// With performance data.
    pub fn jvm(self, change: impl FnOnce(&mut HsPerf)) -> Tried {
        self.with(|sample| {
            let mut jvm = sample.jvm.clone().unwrap_or_default();
            change(&mut jvm);
            sample.jvm = Ok(jvm);
        })
    }

    /// With sizes of the process.
    pub fn status(self, change: impl FnOnce(&mut ProcessStatus)) -> Tried {
        self.with(|sample| {
            let fresh = || ProcessStatus::parse(b"Name:\tjava\nState:\tS\nUid:\t9 9 9 9\nPid:\t1\n").unwrap();
            let mut status = sample.files.status.clone().unwrap_or_else(|_| fresh());
            change(&mut status);
            sample.files.status = Ok(status);
        })
    }

    /// With mappings.
    pub fn mappings(self, mappings: Vec<Mapping>) -> Tried {
        self.with(|sample| sample.files.smaps = Ok(Smaps { mappings }))
    }

    /// Started with these words.
    pub fn command(self, words: &[&str]) -> Tried {
        self.with(|sample| sample.files.command = Ok(words.iter().map(|word| (*word).to_owned()).collect()))
    }

    /// With metrics of REST, under Flink's names.
    pub fn metrics(self, metrics: &[(&str, u64)]) -> Tried {
        let mut all = Metrics::default();
        for (name, value) in metrics {
            all.insert(name, &value.to_string());
        }
        self.with(|sample| {
            sample.rest = Ok(RestLook {
                url: "http://made-up".to_owned(),
                version: Err(unseen()),
                memory: None,
                metrics: ProcessMetrics::of_metrics(&all),
                slots_in_use: None,
                readings: Err(unseen()),
                configuration: Err(unseen()),
                jobs: Err(unseen()),
            });
        })
    }

    /// Looked at before: a value each ten seconds.
    pub fn before(mut self, measure: Measure, values: impl IntoIterator<Item = u64>) -> Tried {
        self.series.push((measure, values.into_iter().collect()));
        self
    }

    /// What all looks show; nothing where there was one.
    pub fn over_time(&self) -> Option<OverTime> {
        let looks = self.series.iter().map(|(_, values)| values.len()).max()?;
        let mut timeline = Timeline::of_capacity(1000);
        let target = Identity { pid: 4711, started: Some(1), role: None, name: String::new() };
        for look in 0..looks {
            let seen = self.series.iter().filter_map(|(measure, values)| Some((*measure, *values.get(look)?)));
            let all = seen
                .map(|(measure, value)| Observation { measure, value: Ok(value), origin: Origin::Status })
                .collect();
            let at = Timestamp::UNIX_EPOCH + SignedDuration::from_secs(10 * look as i64);
            timeline.push(Observations { at, target: target.clone(), all });
        }
        Some(OverTime::of(&timeline, &[]))
    }

    /// What one cause finds.
    pub fn finds(&self, cause: &Cause) -> Vec<Finding> {
        let before = self.over_time();
        (cause.early)(&Outlook { now: &self.now, before: before.as_ref() })
    }

    /// The only finding of a cause.
    pub fn finding(&self, cause: &Cause) -> Finding {
        let mut found = self.finds(cause);
        assert_eq!(found.len(), 1, "{found:?}");
        found.remove(0)
    }

    /// What all causes find.
    pub fn all(&self) -> Vec<Finding> {
        let before = self.over_time();
        super::early(&Outlook { now: &self.now, before: before.as_ref() })
    }
}

/// An anonymous mapping of so many resident bytes.
pub(super) fn mapping(start: u64, rss: u64) -> Mapping {
    Mapping {
        start,
        end: start + rss.max(4096),
        access: Access { read: true, write: true, execute: false, shared: false },
        offset: 0,
        inode: 0,
        name: String::new(),
        rss,
        pss: rss,
        anonymous: rss,
        dirty: rss,
        huge: 0,
        swap: 0,
        flags: None,
    }
}

/// A TaskManager with a database that waits.
pub(super) fn store_waits(bound: Bound) -> Tried {
    let verdict = Verdict {
        bound,
        cause: rocksdb_bound::Cause::Unknown,
        confidence: Confidence::Medium,
        evidence: vec![Evidence { what: "files in level 0", is: Amount::Count(30), limit: Some(Amount::Count(20)) }],
        turns: vec![Turn {
            key: "state.backend.rocksdb.thread.num".to_owned(),
            direction: Direction::Raise,
            why: "more threads flush and compact",
        }],
    };
    Tried::taskmanager().having(|now| now.rocksdb.verdicts.push((verdict, vec!["GroupAggregate 1/2".to_owned()])))
}
