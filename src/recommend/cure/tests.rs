#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

use proptest::prelude::*;

use super::*;
use crate::config::Value;
use crate::flink::keys;
use crate::model::{Place, Source, UseCase};
use crate::plan::store::Store;
use crate::plan::{self, Deployment, is_cut_off};
use crate::recommend::change::applied;

/// Somebody who is made up.
struct Sick {
    config: Config,
    version: &'static str,
    role: Role,
    deployment: Deployment,
    limit: Option<Bytes>,
    shortfall: Option<Bytes>,
    evidence: Evidence,
    whole: bool,
}

impl Sick {
    fn of(version: &'static str, settings: &[(&str, &str)]) -> Sick {
        let mut config = Config::new();
        for (key, value) in settings {
            config.set((*key).to_owned(), Value::text(*value), Place::of(Source::Caller));
        }
        Sick {
            config,
            version,
            role: Role::TaskManager,
            deployment: Deployment::Yarn,
            limit: None,
            shortfall: None,
            evidence: Evidence::default(),
            whole: true,
        }
    }

    fn with(mut self, evidence: Evidence) -> Sick {
        self.evidence = evidence;
        self
    }

    fn short_of(mut self, mib: u32) -> Sick {
        self.shortfall = Some(Bytes::mib(mib));
        self
    }

    fn limited_to(mut self, mib: u32) -> Sick {
        self.limit = Some(Bytes::mib(mib));
        self
    }

    fn run_by(mut self, deployment: Deployment) -> Sick {
        self.deployment = deployment;
        self
    }

    fn as_jobmanager(mut self) -> Sick {
        self.role = Role::JobManager;
        self
    }

    fn question(&self) -> Question {
        Question {
            role: self.role,
            deployment: self.deployment,
            consumers: vec![UseCase::StateBackend],
            managed_backend: true,
            stores: vec![Store::RocksDb],
        }
    }

    fn profile(&self) -> &'static Profile {
        Profile::of(self.version.parse().unwrap()).unwrap().0
    }

    fn cured_of(&self, cause: &'static str) -> Advice {
        let question = self.question();
        let patient = Patient {
            role: self.role,
            config: &self.config,
            whole: self.whole,
            profile: self.profile(),
            version: self.version.parse().unwrap(),
            question: &question,
            cause,
            limit: self.limit,
            usage: self.limit,
            shortfall: self.shortfall,
            evidence: self.evidence.clone(),
        };
        cure(&patient)
    }
}

fn text(advice: &Advice) -> String {
    let mut out = String::new();
    for found in &advice.recommendations {
        out += &format!("* {}\n", found.title);
        for step in &found.steps {
            out += &match step {
                Step::Change(change) => format!("    {change}\n"),
                other => format!("    {other:?}\n"),
            };
        }
        out += &format!("    {:?} {:?}\n    {:?}\n", found.costs, found.grows, found.proof);
    }
    for refused in &advice.refused {
        out += &format!("- {refused}\n");
    }
    out
}

#[test]
fn show() {
    let jumei = Sick::of("1.9", &[("taskmanager.heap.size", "4096m")]).limited_to(4096);
    eprintln!("== jumei 1.9\n{}", text(&jumei.cured_of("OOM954")));
    let a = Sick::of(
        "1.20",
        &[
            ("taskmanager.memory.process.size", "1152m"),
            ("taskmanager.numberOfTaskSlots", "2"),
            ("state.backend.type", "rocksdb"),
            ("state.backend.rocksdb.memory.managed", "false"),
            ("state.backend.rocksdb.writebuffer.size", "256mb"),
            ("state.backend.rocksdb.writebuffer.count", "6"),
            ("state.backend.rocksdb.writebuffer.number-to-merge", "4"),
            ("taskmanager.memory.managed.fraction", "0.2"),
        ],
    )
    .run_by(Deployment::Standalone);
    eprintln!("== a\n{}", text(&a.cured_of("OOM921")));
    eprintln!("== a as 940\n{}", text(&a.cured_of("OOM940")));
    let base = [("taskmanager.memory.process.size", "1728m"), ("taskmanager.numberOfTaskSlots", "2")];
    let with = |more: &[(&'static str, &'static str)]| {
        Sick::of("1.20", &base.iter().copied().chain(more.iter().copied()).collect::<Vec<_>>())
            .run_by(Deployment::Standalone)
    };
    eprintln!("== b\n{}", text(&with(&[("taskmanager.memory.jvm-metaspace.size", "44m")]).cured_of("OOM948")));
    let c = Sick::of("1.20", &[("taskmanager.memory.process.size", "1024m"), ("state.backend.type", "hashmap")]);
    eprintln!("== c\n{}", text(&c.cured_of("OOM947")));
    let d = with(&[("taskmanager.memory.network.min", "320kb"), ("taskmanager.memory.network.max", "320kb")]);
    eprintln!("== d\n{}", text(&d.cured_of("OOM956")));
    let e = with(&[("taskmanager.memory.framework.off-heap.size", "8m")]);
    eprintln!("== e\n{}", text(&e.cured_of("OOM950")));
    eprintln!("== f\n{}", text(&e.cured_of("OOM905")));
    let join = Sick::of("1.13", &[("taskmanager.memory.process.size", "8g"), ("state.backend", "rocksdb")])
        .short_of(300)
        .limited_to(8192);
    eprintln!("== join\n{}", text(&join.cured_of("OOM902")));
    let jm = Sick::of(
        "1.13",
        &[
            ("jobmanager.memory.process.size", "2g"),
            ("metrics.latency.interval", "30000"),
            ("metrics.latency.granularity", "subtask"),
        ],
    )
    .as_jobmanager();
    eprintln!("== jm\n{}", text(&jm.cured_of("OOM961")));
    let heap = Sick::of("1.20", &[("taskmanager.memory.process.size", "4g")])
        .with(Evidence { heap_live: Some(Bytes::mib(1500)), rocksdb: true, ..Evidence::default() });
    eprintln!("== heap\n{}", text(&heap.cured_of("OOM947")));
    let _ = (plan::plan, applied, is_cut_off, keys::SLOTS);
}
