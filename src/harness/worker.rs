//! The worker: a process of its own, so that its memory is its own, which does what an [`Experiment`] says and tells on
//! its standard output how far it is, a JSON line a time. The same code runs in the worker with glibc's malloc and in
//! that with jemalloc.

mod allocated;
mod beside;
mod databases;
mod fill;
mod gauge;
mod restore;
mod shuffle;
mod task;

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use crate::model::{Ended, EngineChoice, Experiment, Progress, Said};

use super::engine::Library;
use super::enter;
pub use allocated::Allocated;
use databases::Databases;
pub use fill::{FILL, Filled};
use gauge::Gauge;

/// Time between two lines of progress.
const TELLING: Duration = Duration::from_millis(250);

/// What a worker's program gives to it.
#[derive(Clone, Copy, Debug)]
pub struct Program {
    /// What its allocator says of itself.
    pub allocated: fn() -> Allocated,
}

/// A worker's main function: `oomph-worker EXPERIMENT.json`; `--enter` and [`FILL`] besides.
pub fn main(program: Program) -> ExitCode {
    let words: Vec<_> = std::env::args_os().skip(1).collect();
    if let Some(error) = enter::enter(words.iter().cloned()) {
        drop(writeln!(io::stderr(), "error: could not {error}"));
        return ExitCode::from(enter::EXIT as u8);
    }
    match words.as_slice() {
        [word, rest @ ..] if word == FILL => fill::run(program, rest.first().map(Path::new)),
        [experiment] => run(program, Path::new(experiment)),
        _ => {
            drop(writeln!(
                io::stderr(),
                "error: a worker of oomph repro is given an experiment by it, and nothing else"
            ));
            ExitCode::from(2)
        }
    }
}

/// Runs an experiment.
fn run(program: Program, experiment: &Path) -> ExitCode {
    let ended = match work(program, experiment) {
        Ok(()) => Ended::Done,
        Err(error) => Ended::Failed(error),
    };
    if let Ok(status) = fs::read_to_string("/proc/self/status") {
        tell(&Said::Status(status));
    }
    let failed = matches!(ended, Ended::Failed(_));
    tell(&Said::Ended(ended));
    ExitCode::from(u8::from(failed))
}

/// A line for the one who started us. When nobody listens any more, nobody needs it.
fn tell(said: &Said) {
    if let Ok(mut line) = serde_json::to_vec(said) {
        line.push(b'\n');
        let mut out = io::stdout().lock();
        let told = out.write_all(&line).and_then(|()| out.flush());
        drop(told);
    }
}

fn work(program: Program, path: &Path) -> Result<(), String> {
    let text = fs::read(path).map_err(|error| format!("could not read {}: {error}", path.display()))?;
    let experiment: Experiment =
        serde_json::from_slice(&text).map_err(|error| format!("could not read {}: {error}", path.display()))?;
    let began = Instant::now();
    let gauge = Arc::new(Gauge::new(&experiment.workload));
    let stop = Arc::new(AtomicBool::new(false));
    // The first error of any thread ends all of them.
    let trouble: Arc<Mutex<Option<String>>> = Arc::default();
    if experiment.workload.operators.is_empty() {
        tell(&Said::Began { release: String::new(), deviations: Vec::new() });
        let teller = Teller { program, gauge: &gauge, databases: None, began };
        return together(&experiment, &gauge, &stop, &trouble, &teller, &[]);
    }
    let library = match &experiment.engine {
        EngineChoice::Embedded => Library::embedded(),
        EngineChoice::Library { path, .. } => Library::load(Path::new(path)),
    }
    .map_err(|error| format!("could not {error}"))?;
    tell(&Said::Began { release: library.release().to_string(), deviations: library.deviations(&experiment.store) });
    let databases = Databases::open(&library, &experiment)?;
    let tasks = databases.tasks(&experiment, &gauge);
    let teller = Teller { program, gauge: &gauge, databases: Some(&databases), began };
    together(&experiment, &gauge, &stop, &trouble, &teller, &tasks)
}

/// What is known while everybody works.
struct Teller<'a> {
    program: Program,
    gauge: &'a Gauge,
    databases: Option<&'a Databases>,
    began: Instant,
}

impl Teller<'_> {
    fn tell(&self) {
        let mut progress = Progress {
            millis: self.began.elapsed().as_millis().try_into().unwrap_or(u64::MAX),
            ..self.gauge.progress()
        };
        if let Some(databases) = self.databases {
            databases.fill(&mut progress);
        }
        let allocated = (self.program.allocated)();
        progress.allocated = allocated.used;
        progress.kept = allocated.kept;
        tell(&Said::Progress(Box::new(progress)));
    }
}

/// Lets all tasks and what is beside them run, and tells of them until they are done.
fn together(
    experiment: &Experiment,
    gauge: &Gauge,
    stop: &AtomicBool,
    trouble: &Mutex<Option<String>>,
    teller: &Teller<'_>,
    tasks: &[task::Task],
) -> Result<(), String> {
    let fail = |error: String| {
        if let Ok(mut first) = trouble.lock() {
            first.get_or_insert(error);
        }
        stop.store(true, Ordering::Relaxed);
    };
    let fail = &fail;
    // What is there before anything is done; what opening took is not counted as work.
    teller.tell();
    let (done, all_done) = mpsc::channel::<()>();
    thread::scope(|scope| {
        for task in tasks {
            let done = done.clone();
            let running = thread::Builder::new().name(task.name().chars().take(15).collect());
            let spawned = running.spawn_scoped(scope, move || {
                if let Err(error) = task.run(stop) {
                    fail(error);
                }
                drop(done);
            });
            if let Err(error) = spawned {
                fail(format!("could not start a task: {error}"));
            }
        }
        if let Some(shuffle) = &experiment.workload.shuffle {
            let done = done.clone();
            scope.spawn(move || {
                if let Err(error) = shuffle::run(shuffle, Path::new(&experiment.directory), gauge, stop) {
                    fail(error);
                }
                drop(done);
            });
        }
        drop(done);
        let beside = beside::Beside::start(&experiment.workload);
        let mut beside = match beside {
            Ok(beside) => beside,
            Err(error) => {
                fail(error);
                beside::Beside::default()
            }
        };
        loop {
            let told = all_done.recv_timeout(TELLING);
            teller.tell();
            if let Err(error) = beside.grow(teller.began.elapsed()) {
                fail(error);
            }
            if told == Err(mpsc::RecvTimeoutError::Disconnected) {
                break;
            }
        }
        beside.end();
    });
    match trouble.lock().ok().and_then(|mut first| first.take()) {
        Some(error) => Err(error),
        None => Ok(()),
    }
}
