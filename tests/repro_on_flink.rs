//! The scenarios on a real Flink, from the Python package index, and that nothing of one is left. They need a JDK,
//! python3 with pip, 3 GiB of memory, and some minutes:
//!
//! ```text
//! cargo test --release --features live-tests --test repro_on_flink
//! OOMPH_LIVE_FLINK=1.20.5 cargo test --release --features live-tests --test repro_on_flink
//! ```
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use oomph::harness::child::Door;
use oomph::harness::flink::cluster::{Cluster, ClusterError};
use oomph::harness::flink::distribution::Distribution;
use oomph::harness::flink::jdk::Jdk;
use oomph::harness::flink::process::Gate;
use oomph::harness::flink::{self, Stage};
use oomph::repro::launch::Settings;
use oomph::repro::outcome::Trial;

/// One cluster at a time: two would be measured together.
static TURN: Mutex<()> = Mutex::new(());

/// The release that the caller chooses, fetched where it is not in the cache.
fn distribution() -> Distribution {
    let version = std::env::var("OOMPH_LIVE_FLINK").unwrap_or_else(|_| "2.3.0".to_owned());
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts");
    let program = format!("import flink_release; print(flink_release.fetch('{version}'))");
    let output = Command::new("python3").args(["-c", &program]).current_dir(scripts).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Distribution::at(Path::new(String::from_utf8(output.stdout).unwrap().trim())).unwrap()
}

/// Does something on a stage in a directory of its own.
fn on_stage<T>(interrupted: &AtomicBool, act: impl FnOnce(&Stage<'_>) -> T) -> T {
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let door = Door::of(env!("CARGO_BIN_EXE_oomph-worker"));
    let cache = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("submitters");
    let done = act(&Stage {
        distribution: &distribution(),
        jdk: &Jdk::find().unwrap(),
        directory: directory.path(),
        cache: &cache,
        gate: Gate { door: Some(&door), group: None },
        disk: None,
        interrupted,
        say: &|line| eprintln!("{line}"),
    });
    assert_eq!(processes_of(directory.path()), BTreeSet::new(), "what ran in {}", directory.path().display());
    done
}

/// Processes that name a directory in their command line and have not ended.
fn processes_of(directory: &Path) -> BTreeSet<u32> {
    let name = directory.to_str().unwrap();
    let entries = fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let names_it = |pid: &u32| {
        let words = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&words).contains(name)
    };
    entries.filter(|pid| *pid != std::process::id()).filter(names_it).collect()
}

fn holds(name: &str) {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let never = AtomicBool::new(false);
    let trial: Trial =
        on_stage(&never, |stage| flink::run(stage, name, 1).expect("it is a scenario on Flink").unwrap());
    let runs: Vec<_> = trial.runs.iter().map(|run| (&run.label, &run.ending, &run.shown, &run.verdict)).collect();
    assert!(trial.holds(), "{:#?}\n{runs:#?}", trial.statements);
    let verdict = trial.runs[0].verdict.as_ref().unwrap();
    assert_eq!((verdict.killer.as_str(), verdict.area.as_str()), ("jvm", "heap"), "{verdict:#?}");
}

#[test]
fn state_on_the_heap_fills_it_and_rocksdb_goes_on() {
    holds("heap-state-surge");
}

#[test]
fn histograms_by_subtask_fill_the_jobmanager_and_by_operator_they_do_not() {
    holds("latency-metrics");
}

#[test]
fn a_cluster_that_is_interrupted_while_it_starts_leaves_no_process() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let interrupted = AtomicBool::new(false);
    let outcome = on_stage(&interrupted, |stage| {
        thread::scope(|scope| {
            let watched = stage.directory.to_owned();
            let flag = &interrupted;
            scope.spawn(move || {
                while processes_of(&watched).len() < 2 {
                    thread::sleep(Duration::from_millis(20));
                }
                flag.store(true, Ordering::Relaxed);
            });
            Cluster::start(stage, &stage.directory.join("one"), &settings())
        })
    });
    assert!(matches!(outcome, Err(ClusterError::Interrupted)), "{:?}", outcome.err());
}

#[test]
fn a_cluster_that_nobody_ends_ends_with_the_thread_that_started_it() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let path = directory.path().to_owned();
    let started = thread::spawn(move || {
        let (distribution, jdk, never) = (distribution(), Jdk::find().unwrap(), AtomicBool::new(false));
        let door = Door::of(env!("CARGO_BIN_EXE_oomph-worker"));
        let stage = Stage {
            distribution: &distribution,
            jdk: &jdk,
            directory: &path,
            cache: &path,
            gate: Gate { door: Some(&door), group: None },
            disk: None,
            interrupted: &never,
            say: &|line| eprintln!("{line}"),
        };
        let cluster = Cluster::start(&stage, &path.join("one"), &settings()).unwrap();
        let running = processes_of(&path).len();
        // As where oomph is killed: nothing of it is run any more.
        std::mem::forget(cluster);
        running
    });
    assert_eq!(started.join().unwrap(), 2);
    // The kernel has sent its signal by now; the processes take a moment to go.
    while !processes_of(directory.path()).is_empty() {
        thread::sleep(Duration::from_millis(20));
    }
}

fn settings() -> Settings {
    let pairs = [("jobmanager.memory.process.size", "1024m"), ("taskmanager.memory.process.size", "1024m")];
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}
