//! The workers of experiments, as the programs that they are: whose memory RocksDB takes, what they say, how they end.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Output};
use std::{env, fs};

use oomph::harness::engine::jar;
use oomph::harness::worker::{FILL, Filled};
use oomph::model::{
    Accesses, Bytes, Ended, EngineChoice, Experiment, Kind, Limit, Malloc, Operator, Order, Phase, Progress, Said,
    SharedPool, State, Workload,
};
use oomph::repro::settings;

/// Both workers, with the allocator that each is for.
const WORKERS: [(&str, Malloc); 2] = [
    (env!("CARGO_BIN_EXE_oomph-worker"), Malloc::Glibc { arenas: None }),
    (env!("CARGO_BIN_EXE_oomph-worker-jemalloc"), Malloc::Jemalloc),
];

/// Once a record, in millionths.
const ONCE: u64 = 1_000_000;

fn run<W: AsRef<OsStr>>(worker: &str, words: impl IntoIterator<Item = W>) -> Output {
    Command::new(worker).args(words).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Fills the block cache of an engine, and holds what the allocator saw against what the cache says.
fn fills_its_cache(worker: &str, library: Option<&Path>) {
    let words = [OsStr::new(FILL)].into_iter().chain(library.map(Path::as_os_str));
    let output = run(worker, words);
    let of = library.map_or_else(|| "embedded".to_owned(), |library| library.display().to_string());
    assert!(output.status.success(), "{worker} {of}: {} {}", output.status, text(&output.stderr));
    let filled: Filled = serde_json::from_slice(&output.stdout).unwrap();
    println!("{worker} {of}: {filled:?}");
    assert!(filled.cached >= 100 << 20, "{worker} {of}: {filled:?}");
    // Not less than four fifths of it; and not so much more that something else could have been counted.
    assert!(filled.allocated >= filled.cached / 5 * 4, "{worker} {of}: {filled:?}");
    assert!(filled.allocated <= filled.cached * 3 / 2, "{worker} {of}: {filled:?}");
}

#[test]
fn the_block_cache_of_the_embedded_rocksdb_is_in_the_allocator_of_each_worker() {
    for (worker, _) in WORKERS {
        fills_its_cache(worker, None);
    }
}

#[test]
#[ignore = "needs OOMPH_FLINK_HOMES: distributions of Flink, with colons between them"]
fn the_block_cache_of_the_rocksdb_of_these_distributions_is_in_the_allocator_of_each_worker() {
    let homes = env::var("OOMPH_FLINK_HOMES").expect("OOMPH_FLINK_HOMES is not set");
    for home in homes.split(':').filter(|home| !home.is_empty()) {
        let directory = tempfile::tempdir().unwrap();
        let library = jar::take_out(&jar::find(Path::new(home)).unwrap(), directory.path()).unwrap();
        for (worker, _) in WORKERS {
            fills_its_cache(worker, Some(&library));
        }
    }
}

fn state(name: &str, kind: Kind, order: Order) -> State {
    State {
        name: name.to_owned(),
        copies: 1,
        kind,
        keys: 2_000,
        key_size: Bytes::new(16),
        value_least: Bytes::new(50),
        value_most: Bytes::new(150),
        compressible: 50,
        order,
        ttl: None,
        walked: None,
        held: 0,
    }
}

/// A small experiment with each kind of state, and each kind of access.
fn experiment(malloc: Malloc, seed: u64, directory: &Path) -> Experiment {
    let accesses = |state: &str, accesses| Accesses { state: state.to_owned(), ..accesses };
    let fill = ["value", "map", "list", "timers", "expiring"]
        .map(|name| accesses(name, Accesses { write: ONCE, ..Accesses::default() }));
    let turns = vec![
        accesses("value", Accesses { read: ONCE, update: ONCE / 2, delete: ONCE / 10, ..Accesses::default() }),
        accesses("map", Accesses { write: ONCE / 2, iterate: ONCE / 10, scan: ONCE / 1_000, ..Accesses::default() }),
        accesses("list", Accesses { read: ONCE / 2, ..Accesses::default() }),
    ];
    let phase =
        |name: &str, accesses| Phase { name: name.to_owned(), records: 5_000, restored: 0, rate: None, accesses };
    let pool = SharedPool {
        cache: Bytes::mib(8),
        write_buffer_manager: Bytes::mib(4),
        high_priority_percent: 10,
        strict: false,
    };
    let states = vec![
        state("value", Kind::Value, Order::Uniform),
        State { held: 2, walked: Some(10), ..state("map", Kind::Map { entries: 4 }, Order::Zipf { exponent: 90 }) },
        state("list", Kind::List, Order::Uniform),
        state("timers", Kind::Timers, Order::Sequence { window: 500 }),
        State { ttl: Some(1_000), ..state("expiring", Kind::Value, Order::Uniform) },
    ];
    Experiment {
        name: "small".to_owned(),
        workload: Workload {
            name: "small".to_owned(),
            about: String::new(),
            slots: 2,
            operators: vec![Operator { name: "all".to_owned(), states }],
            phases: vec![phase("fill", fill.to_vec()), phase("turns", turns)],
            snapshot_every: Some(3_000),
            seed,
            leak: None,
            python: None,
            shuffle: None,
        },
        store: oomph::model::StoreSettings { pool: Some(pool), index_and_filter_in_cache: true, ..settings::plain() },
        malloc,
        engine: EngineChoice::Embedded,
        limit: Limit::Unlimited,
        directory: directory.display().to_string(),
    }
}

/// Hands an experiment to a worker.
fn hand(worker: &str, directory: &Path, experiment: &Experiment) -> Output {
    let file = directory.join("experiment.json");
    fs::write(&file, serde_json::to_vec(experiment).unwrap()).unwrap();
    run(worker, [file])
}

/// All that a worker said.
fn said(output: &Output) -> Vec<Said> {
    text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Runs the small experiment to its end, and gives the last account of it.
fn runs(worker: &str, malloc: Malloc, seed: u64) -> Progress {
    let directory = tempfile::tempdir().unwrap();
    let output = hand(worker, directory.path(), &experiment(malloc, seed, directory.path()));
    assert!(output.status.success(), "{}: {} {}", output.status, text(&output.stdout), text(&output.stderr));
    let said = said(&output);
    let [Said::Began { release, .. }, accounts @ .., last, Said::Status(status), Said::Ended(Ended::Done)] =
        said.as_slice()
    else {
        panic!("{said:?}")
    };
    assert!(status.contains("VmHWM:") && status.contains("RssAnon:"), "{status}");
    assert_eq!(release, "8.10.0");
    assert!(accounts.iter().all(|said| matches!(said, Said::Progress(_))), "{said:?}");
    let Said::Progress(last) = last else { panic!("{said:?}") };
    last.as_ref().clone()
}

#[test]
fn a_small_experiment_runs_to_its_end_and_the_last_line_says_so() {
    for (worker, malloc) in WORKERS {
        let last = runs(worker, malloc, 7);
        assert_eq!((last.records, last.of), (20_000, 20_000));
        assert_eq!(last.cache_capacity, [8 << 20; 2]);
        assert_eq!((last.phase.as_str(), last.iterators), ("turns", 0));
        assert!(last.memtables > 0 && last.files > 0 && last.allocated > last.memtables, "{last:?}");
    }
}

#[test]
fn the_same_seed_gives_the_same_accesses_in_each_run_and_each_worker() {
    let counts = |(worker, malloc), seed| {
        let last = runs(worker, malloc, seed);
        (last.operations, last.written)
    };
    let [glibc, jemalloc] = WORKERS;
    let first = counts(glibc, 7);
    assert_eq!(counts(glibc, 7), first);
    assert_eq!(counts(jemalloc, 7), first);
    assert_ne!(counts(glibc, 8), first);
}

/// The reason that a worker's last line gives; it ends with 1 then.
fn failed(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stdout));
    assert_eq!(text(&output.stderr), "");
    match said(output).pop() {
        Some(Said::Ended(Ended::Failed(reason))) => reason,
        last => panic!("{last:?}"),
    }
}

#[test]
fn a_worker_that_is_given_rubbish_says_what_it_could_not_do() {
    let directory = tempfile::tempdir().unwrap();
    let rubbish = directory.path().join("rubbish.json");
    fs::write(&rubbish, "{\"name\": \"cut").unwrap();
    let nothing = directory.path().join("nothing.json");
    for (worker, malloc) in WORKERS {
        let reason = failed(&run(worker, [&nothing]));
        assert_eq!(reason, format!("could not read {}: No such file or directory (os error 2)", nothing.display()));
        let reason = failed(&run(worker, [&rubbish]));
        assert!(reason.starts_with(&format!("could not read {}: EOF while parsing", rubbish.display())), "{reason}");

        // A file where its databases are to go.
        let in_the_way = experiment(malloc, 1, &rubbish);
        let reason = failed(&hand(worker, directory.path(), &in_the_way));
        let wanted = rubbish.join("slot-0_all");
        assert_eq!(reason, format!("could not make {}: Not a directory (os error 20)", wanted.display()));

        // A library that is none.
        let path = rubbish.display().to_string();
        let engine = EngineChoice::Library { path: path.clone(), of: path.clone() };
        let no_library = Experiment { engine, ..experiment(malloc, 1, directory.path()) };
        let reason = failed(&hand(worker, directory.path(), &no_library));
        assert!(reason.starts_with("could not ") && reason.contains(&path), "{reason}");
    }
}

#[test]
fn a_worker_that_is_given_other_words_says_what_it_is_given() {
    for (worker, _) in WORKERS {
        for words in [&[][..], &["one.json", "two.json"]] {
            let output = run(worker, words);
            assert_eq!(output.status.code(), Some(2));
            assert_eq!(text(&output.stdout), "");
            let wanted = "error: a worker of oomph repro is given an experiment by it, and nothing else\n";
            assert_eq!(text(&output.stderr), wanted);
        }
        let output = run(worker, [FILL, "/nowhere/librocksdb.so"]);
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(text(&output.stdout), "");
        let error = text(&output.stderr);
        assert!(error.starts_with("error: could not ") && error.contains("/nowhere/librocksdb.so"), "{error}");
        assert_eq!(error.lines().count(), 1, "{error}");
    }
}
