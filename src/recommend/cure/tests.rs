#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

use super::*;
use crate::config::Value;
use crate::model::{Budget, Place, Source, UseCase};
use crate::plan::Deployment;
use crate::plan::store::Store;

mod any;

/// Somebody who is made up.
#[derive(Debug)]
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

    fn of_a_jobmanager(mut self) -> Sick {
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

/// Every step as one text.
fn steps(found: &Recommendation) -> String {
    let step = |step: &Step| match step {
        Step::Change(change) => change.to_string(),
        Step::Environment { name, value } => format!("env {name}={value}"),
        Step::JobCode { java, python, .. } => format!("{java}\n{python}"),
        Step::Platform { what, command } => format!("{what} {}", command.clone().unwrap_or_default()),
        Step::Upgrade { from, to, issue } => format!("{from} -> {to} {issue}"),
    };
    found.steps.iter().map(step).collect::<Vec<_>>().join("\n")
}

fn all(advice: &Advice) -> String {
    advice.recommendations.iter().map(steps).collect::<Vec<_>>().join("\n--\n")
}

fn refuses(advice: &Advice, words: &str) -> bool {
    advice.refused.iter().any(|line| line.contains(words))
}

/// Whether anything in the advice makes the process larger.
fn costs_memory(advice: &Advice) -> bool {
    advice.recommendations.iter().any(|found| found.costs.is_some_and(|(before, after)| after > before))
}

/// A job on YARN under 1.9 whose containers of 4 GiB die after days.
fn cut_off() -> Sick {
    Sick::of("1.9", &[("taskmanager.heap.size", "4096m")]).limited_to(4096)
}

/// The configurations of `testdata/series/failures`, without what is not memory's.
fn captured(more: &[(&'static str, &'static str)]) -> Sick {
    let base = [("taskmanager.memory.process.size", "1728m"), ("taskmanager.numberOfTaskSlots", "2")];
    let own = base.iter().filter(|(key, _)| more.iter().all(|(other, _)| other != key)).copied();
    Sick::of("1.20", &own.chain(more.iter().copied()).collect::<Vec<_>>()).run_by(Deployment::Standalone)
}

const UNMANAGED: [(&str, &str); 7] = [
    ("taskmanager.memory.process.size", "1152m"),
    ("state.backend.type", "rocksdb"),
    ("state.backend.rocksdb.memory.managed", "false"),
    ("state.backend.rocksdb.writebuffer.size", "256mb"),
    ("state.backend.rocksdb.writebuffer.count", "6"),
    ("state.backend.rocksdb.writebuffer.number-to-merge", "4"),
    ("taskmanager.memory.managed.fraction", "0.2"),
];

#[test]
fn where_heap_and_direct_fill_the_container_the_cut_off_comes_first_and_then_a_budget() {
    let advice = cut_off().cured_of("OOM954");
    assert_eq!(steps(&advice.recommendations[0]), "containerized.heap-cutoff-ratio: 0.5");
    assert!(steps(&advice.recommendations[1]).contains("containerized.heap-cutoff-min: "));
    let budget = &advice.recommendations[2];
    let text = steps(budget);
    for step in [
        "without taskmanager.heap.size",
        "taskmanager.memory.process.size: 6g",
        "taskmanager.memory.jvm-overhead.min: 1024m",
        "taskmanager.memory.jvm-overhead.max: 2048m",
        "getMemoryConfiguration().setUseManagedMemory(true);",
        "setUseManagedMemory(True)",
    ] {
        assert!(text.contains(step), "{step} is not in {text}");
    }
    assert!(matches!(&budget.proof, Proof::Planned { room: Some(room), .. } if room.after > room.before));
    assert!(refuses(&advice, "a larger -Xmx") && refuses(&advice, "a larger container alone"), "{:?}", advice.refused);
    let last = advice.recommendations.last().unwrap();
    assert!(steps(last).starts_with("containerized.taskmanager.env.LD_PRELOAD: "), "{}", steps(last));
}

#[test]
fn a_cut_off_for_a_shortfall_is_in_mebibytes_and_near_it() {
    let advice = cut_off().short_of(300).cured_of("OOM954");
    assert_eq!(steps(&advice.recommendations[0]), "containerized.heap-cutoff-min: 1409");
    let live = Evidence { heap_live: Some(Bytes::mib(2200)), ..Evidence::default() };
    let advice = cut_off().short_of(300).with(live).cured_of("OOM954");
    assert!(refuses(&advice, "that live in it"), "the heap may not pay for it: {:?}", advice.refused);
    assert!(steps(&advice.recommendations[0]).contains("taskmanager.heap.size: "), "the container grows");
}

#[test]
fn a_version_with_a_budget_needs_no_other_one() {
    let sick = Sick::of("1.10", &[("taskmanager.memory.process.size", "4g")]).limited_to(4096);
    let advice = sick.with(Evidence { rocksdb: true, ..Evidence::default() }).cured_of("OOM954");
    let text = all(&advice);
    assert!(!text.contains("->") && !text.contains("heap-cutoff"), "{text}");
    assert!(text.contains("backend._j_rocks_db_state_backend.getMemoryConfiguration()"), "{text}");
    assert!(text.contains("taskmanager.memory.process.size: 6g"), "{text}");
}

#[test]
fn unmanaged_rocksdb_is_managed_and_memtables_fit_what_it_has_then() {
    for cause in ["OOM921", "OOM940", "OOM902"] {
        let advice = captured(&UNMANAGED).cured_of(cause);
        let first = &advice.recommendations[0];
        assert_eq!(
            steps(first),
            "state.backend.rocksdb.memory.managed: true\nwithout state.backend.rocksdb.writebuffer.size\nwithout \
             state.backend.rocksdb.writebuffer.count\nwithout state.backend.rocksdb.writebuffer.number-to-merge"
        );
        assert!(store::is_bounded(first.after.as_ref().unwrap()));
        assert!(matches!(first.proof, Proof::Planned { errors: (1, 0), .. }), "{:?}", first.proof);
        assert!(refuses(&advice, "the bound has to be on"));
    }
    assert!(!costs_memory(&captured(&UNMANAGED).cured_of("OOM921")));
}

#[test]
fn metaspace_below_the_default_gets_the_default() {
    let advice = captured(&[("taskmanager.memory.jvm-metaspace.size", "44m")]).cured_of("OOM948");
    assert_eq!(steps(&advice.recommendations[0]), "taskmanager.memory.jvm-metaspace.size: 256m");
    let beyond = &advice.recommendations[1];
    assert_eq!(steps(beyond), "taskmanager.memory.jvm-metaspace.size: 256m\ntaskmanager.memory.process.size: 1984m");
    assert!(beyond.grows.iter().all(|(_, before, after)| after >= before), "{:?}", beyond.grows);
}

#[test]
fn metaspace_that_leaks_is_not_made_larger() {
    let leak = Evidence { leak: true, ..Evidence::default() };
    for cause in ["OOM907", "OOM948", "OOM949"] {
        let advice = captured(&[]).with(leak.clone()).cured_of(cause);
        assert!(refuses(&advice, "more metaspace") && !costs_memory(&advice));
        assert!(!all(&advice).contains("metaspace.size"), "{}", all(&advice));
        assert!(!advice.recommendations.is_empty());
    }
}

#[test]
fn state_that_outgrows_the_heap_goes_to_rocksdb_and_idle_managed_memory_to_the_heap() {
    let sick = captured(&[("taskmanager.memory.process.size", "1024m"), ("state.backend.type", "hashmap")]);
    for cause in ["OOM947", "OOM963"] {
        let advice = sick.cured_of(cause);
        assert_eq!(
            steps(&advice.recommendations[0]),
            "state.backend.type: rocksdb\nexecution.checkpointing.incremental: true"
        );
        assert_eq!(steps(&advice.recommendations[1]), "taskmanager.memory.managed.fraction: 0.0");
        assert!(refuses(&advice, "more heap by a guess") && !costs_memory(&advice));
    }
    let old = Sick::of("1.13", &[("taskmanager.memory.process.size", "2g"), ("state.backend", "filesystem")]);
    let advice = old.cured_of("OOM963");
    assert_eq!(steps(&advice.recommendations[0]), "state.backend: rocksdb\nstate.backend.incremental: true");
}

#[test]
fn a_heap_whose_live_set_is_known_becomes_twice_that() {
    let live = Evidence { heap_live: Some(Bytes::mib(1500)), rocksdb: true, ..Evidence::default() };
    let advice = captured(&[("taskmanager.memory.process.size", "4g")]).with(live).cured_of("OOM947");
    let alone = &advice.recommendations[0];
    let heap = |found: &Recommendation| found.after.as_ref().unwrap().plan.budget.heap();
    assert!(heap(alone) >= Bytes::mib(3000), "{}", steps(alone));
    let whole = advice.recommendations.iter().find(|found| found.title == "a larger heap").unwrap();
    assert!(heap(whole) >= Bytes::mib(3000) && alone.costs.unwrap().1 < whole.costs.unwrap().1);
    assert!(all(&advice).contains("HeapDumpOnOutOfMemoryError"));
}

#[test]
fn a_heap_that_only_grows_is_dumped_and_not_enlarged() {
    let leak = Evidence { leak: true, ..Evidence::default() };
    let advice = captured(&[]).with(leak).cured_of("OOM947");
    assert!(refuses(&advice, "more heap") && !costs_memory(&advice) && all(&advice).contains("HeapDump"));
}

#[test]
fn python_workers_get_what_they_were_seen_to_have_and_a_quarter_more() {
    let seen = Evidence { python: true, python_used: Some(Bytes::mib(400)), ..Evidence::default() };
    for cause in ["OOM959", "OOM911"] {
        let advice = captured(&[]).with(seen.clone()).cured_of(cause);
        let first = &advice.recommendations[0];
        let room = |survey: &Option<Box<Survey>>| survey.as_ref().unwrap().plan.budget.size(Component::TaskOffHeap);
        assert_eq!((room(&first.before), room(&first.after)), (Bytes::ZERO, Bytes::mib(500)), "{}", all(&advice));
        // Bundles of a thousand records are Flink's default: smaller ones are not the first thing to try.
        assert!(all(&advice).contains("python.fn-execution.bundle.size: 100"), "{}", all(&advice));
    }
    let large = captured(&[("python.fn-execution.bundle.size", "100000")]).with(seen).cured_of("OOM959");
    assert!(steps(&large.recommendations[0]).contains("python.fn-execution.bundle.size: 10000"), "{}", all(&large));
    let unseen = Evidence { python: true, ..Evidence::default() };
    let advice = captured(&[]).with(unseen).cured_of("OOM959");
    assert!(steps(&advice.recommendations[0]).contains("taskmanager.memory.task.off-heap.size: 256m"));
}

#[test]
fn a_process_that_grows_for_a_part_does_not_grow_for_managed_memory_as_well() {
    let seen = Evidence { python: true, python_used: Some(Bytes::mib(640)), ..Evidence::default() };
    let sick = Sick::of("2.3", &[("taskmanager.memory.process.size", "1024m")]);
    let advice = sick.with(seen).cured_of("OOM911");
    let first = &advice.recommendations[0];
    let budget = |survey: &Option<Box<Survey>>| survey.as_ref().unwrap().plan.budget.clone();
    let (before, after) = (budget(&first.before), budget(&first.after));
    assert_eq!(after.size(Component::TaskOffHeap), Bytes::mib(800), "{}", all(&advice));
    let managed = |budget: &Budget| budget.size(Component::Managed).round_up_to(Bytes::mib(1)).unwrap();
    assert_eq!(managed(&after), managed(&before), "{}", all(&advice));
    let by = after.total_process().bytes.checked_sub(before.total_process().bytes).unwrap();
    assert!(by < Bytes::mib(1200), "{by}");
}

#[test]
fn network_memory_below_the_default_gets_the_default() {
    let sick = captured(&[("taskmanager.memory.network.min", "320kb"), ("taskmanager.memory.network.max", "320kb")]);
    let advice = sick.cured_of("OOM956");
    assert_eq!(steps(&advice.recommendations[0]), "taskmanager.memory.network.max: 64m");
    let need = Evidence { network_need: Some(Bytes::mib(300)), ..Evidence::default() };
    let advice = captured(&[]).with(need).cured_of("OOM956");
    let network = |found: &Recommendation| found.after.as_ref().unwrap().plan.budget.size(Component::Network);
    assert!(advice.recommendations.iter().all(|found| network(found) >= Bytes::mib(300)), "{}", all(&advice));
}

#[test]
fn framework_off_heap_below_the_default_gets_the_default() {
    let advice = captured(&[("taskmanager.memory.framework.off-heap.size", "8m")]).cured_of("OOM950");
    assert_eq!(steps(&advice.recommendations[0]), "taskmanager.memory.framework.off-heap.size: 128m");
    let of_the_job = Evidence { direct_is_flinks: Some(false), ..Evidence::default() };
    let advice = captured(&[]).with(of_the_job).cured_of("OOM950");
    assert!(steps(&advice.recommendations[0]).starts_with("taskmanager.memory.task.off-heap.size: "));
    let sick = Sick::of("1.20", &[("jobmanager.memory.process.size", "2g")]).of_a_jobmanager();
    assert!(all(&sick.cured_of("OOM950")).contains("jobmanager.memory.off-heap.size: "));
}

#[test]
fn page_cache_never_gets_more_memory() {
    for cause in ["OOM905", "OOM906"] {
        for version in ["1.9", "1.13", "1.20", "2.3"] {
            let batch = Evidence { batch: true, ..Evidence::default() };
            let sick = Sick::of(version, &[("taskmanager.memory.process.size", "20g")]).short_of(500).with(batch);
            let advice = sick.run_by(Deployment::Kubernetes).cured_of(cause);
            assert!(!costs_memory(&advice) && !all(&advice).contains("memory.process.size"), "{}", all(&advice));
            assert!(refuses(&advice, "more memory") && advice.recommendations.len() >= 2);
        }
    }
    let old = Sick::of("1.13", &[]).cured_of("OOM905");
    assert!(all(&old).contains("taskmanager.network.blocking-shuffle.compression.enabled: true"), "{}", all(&old));
    assert!(all(&old).contains("taskmanager.network.sort-shuffle.min-parallelism: 1"), "{}", all(&old));
}

#[test]
fn threads_get_a_higher_count_and_no_memory() {
    let advice = captured(&[]).cured_of("OOM951");
    assert!(steps(&advice.recommendations[0]).contains("echo 1024 > pids.max"));
    assert!(refuses(&advice, "more memory") && !costs_memory(&advice));
}

#[test]
fn what_iterators_pin_goes_to_overhead_and_not_to_managed_memory() {
    let sick = Sick::of("1.13", &[("taskmanager.memory.process.size", "8g"), ("state.backend", "rocksdb")]);
    let advice = sick.short_of(300).limited_to(8192).cured_of("OOM902");
    assert!(steps(&advice.recommendations[0]).contains("taskmanager.memory.jvm-overhead.min: "));
    assert!(!all(&advice).contains("managed.size") && refuses(&advice, "more managed memory"));
    assert!(all(&advice).contains("containerized.taskmanager.env.MALLOC_ARENA_MAX: 1"));
    assert!(all(&advice).contains("libjemalloc"));
}

#[test]
fn another_malloc_is_offered_to_a_process_that_is_seen_or_may_be_taken_to_have_glibcs() {
    let offered = |deployment, glibc| {
        let sick = Sick::of("1.20", &[("taskmanager.memory.process.size", "4g")]).run_by(deployment);
        let advice = sick.with(Evidence { glibc, ..Evidence::default() }).short_of(300).cured_of("OOM912");
        advice.recommendations.iter().any(|found| found.title.starts_with("one arena"))
    };
    let seen = [None, Some(true), Some(false)];
    assert_eq!(seen.map(|glibc| offered(Deployment::Yarn, glibc)), [true, true, false]);
    assert_eq!(seen.map(|glibc| offered(Deployment::Kubernetes, glibc)), [false, true, false]);
}

#[test]
fn latency_metrics_are_made_coarser_and_the_heap_is_left_alone() {
    let settings = [
        ("jobmanager.memory.process.size", "2g"),
        ("metrics.latency.interval", "30000"),
        ("metrics.latency.granularity", "subtask"),
    ];
    for version in ["1.11", "1.20", "2.3"] {
        let sick = Sick::of(version, &settings).of_a_jobmanager();
        let advice = sick.cured_of("OOM961");
        assert_eq!(steps(&advice.recommendations[0]), "metrics.latency.granularity: operator");
        assert_eq!(steps(&advice.recommendations[1]), "metrics.latency.granularity: single");
        assert!(steps(&advice.recommendations[2]).starts_with("without metrics.latency.interval"));
        assert!(refuses(&advice, "more heap") && !costs_memory(&advice));
        let seen = Evidence { latency_tracking: true, ..Evidence::default() };
        assert_eq!(steps(&sick.with(seen).cured_of("OOM947").recommendations[0]), steps(&advice.recommendations[0]));
    }
}

#[test]
fn a_store_that_is_read_bound_gets_cache_and_one_that_is_write_bound_gets_threads_and_disks() {
    let sick =
        captured(&[("state.backend.type", "rocksdb"), ("state.backend.rocksdb.memory.write-buffer-ratio", "0.3")]);
    let advice = sick.cured_of("OOM931");
    assert!(steps(&advice.recommendations[0]).contains("taskmanager.memory.managed.size: "), "{}", all(&advice));
    assert!(all(&advice).contains("HIGH_MEM") && !all(&advice).contains("write-buffer-ratio"), "{}", all(&advice));
    for cause in ["OOM932", "OOM933"] {
        let advice = captured(&[]).cured_of(cause);
        assert!(all(&advice).contains("state.backend.rocksdb.thread.num: 4"), "{}", all(&advice));
        assert!(all(&advice).contains("several disks") && refuses(&advice, "more memory"), "{}", all(&advice));
    }
}

#[test]
fn a_leak_of_the_version_is_ended_by_a_release() {
    let settings = [
        ("taskmanager.memory.process.size", "4g"),
        ("state.backend.type", "rocksdb"),
        ("state.backend.rocksdb.manual-compaction.min-interval", "1 min"),
    ];
    let leak = Evidence { leak: true, rocksdb: true, ..Evidence::default() };
    let advice = Sick::of("2.2.1", &settings).with(leak).cured_of("OOM940");
    let found = advice.recommendations.iter().find(|found| found.title.contains("FLINK-39753")).unwrap();
    assert!(steps(found).contains("2.2.1 -> 2.2.2"), "{}", steps(found));
    assert!(refuses(&advice, "it is a leak") && !costs_memory(&advice));
}

#[test]
fn a_refused_configuration_is_mended() {
    let sick = captured(&[("taskmanager.memory.process.size", "512m")]);
    let advice = sick.cured_of("OOM955");
    assert!(!advice.recommendations.is_empty());
    assert!(advice.recommendations.iter().all(|found| found.after.is_some()));
}

#[test]
fn of_a_configuration_that_is_not_known_keys_are_given_and_that_is_said() {
    let mut sick = Sick::of("1.20", &[]).limited_to(4096);
    sick.whole = false;
    for cause in ["OOM940", "OOM948", "OOM950", "OOM956"] {
        let advice = sick.cured_of(cause);
        let first = &advice.recommendations[0];
        assert!(!first.changes().is_empty(), "{cause}: {}", all(&advice));
        let told = matches!(first.proof, Proof::Unplanned(_)) || first.after.is_some();
        assert!(told, "{cause}: {:?}", first.proof);
    }
}

#[test]
fn a_container_that_flink_does_not_ask_for_has_to_be_raised_by_hand() {
    let sick = captured(&[]).short_of(200).limited_to(1728);
    let advice = sick.cured_of("OOM940");
    assert!(all(&advice).contains("raise the container's limit to "), "{}", all(&advice));
}

#[test]
fn every_cause_has_advice_and_every_sentence_is_one() {
    for cause in causes() {
        let mut sick = captured(&[]).limited_to(1728);
        sick.role = if cause == "OOM961" { Role::JobManager } else { Role::TaskManager };
        let advice = sick.cured_of(cause);
        let none = advice.recommendations.is_empty() && advice.refused.is_empty();
        assert!(!none, "{cause} has no advice");
        for found in &advice.recommendations {
            assert_eq!(found.answers, cause);
            for text in [&found.title, &found.risk, &found.watch, &found.why] {
                assert!(!text.is_empty() && !text.ends_with('.') && !text.contains("  "), "{cause}: `{text}`");
            }
            assert!(!found.steps.is_empty() && found.source.len() > 5, "{cause}: {}", found.title);
        }
    }
    assert!(captured(&[]).cured_of("OOM000").recommendations.is_empty());
}

#[test]
fn a_part_that_was_short_grows_in_every_version_and_under_every_total() {
    let causes = ["OOM904", "OOM912", "OOM918", "OOM940", "OOM941", "OOM947", "OOM948", "OOM950", "OOM954", "OOM956"];
    let mut none = Vec::new();
    for version in ["1.10", "1.11", "1.12", "1.16", "1.17", "1.20", "2.0", "2.3"] {
        for key in ["taskmanager.memory.process.size", "taskmanager.memory.flink.size"] {
            for cause in causes {
                for shortfall in [1, 30, 300, 1500] {
                    let sick = Sick::of(version, &[(key, "6g")]).short_of(shortfall).limited_to(6144);
                    let advice = sick.cured_of(cause);
                    let grows = |found: &Recommendation| matches!(found.proof, Proof::Planned { room: Some(_), .. });
                    if !advice.recommendations.iter().any(grows) {
                        none.push(format!("{cause} {version} {key} {shortfall}: {:?}", advice.refused));
                    }
                }
            }
        }
    }
    assert!(none.is_empty(), "{}", none.join("\n"));
}
