//! What one look at a process costs, beside merely reading the same files. `scripts/bench-attach` runs it on a live Flink.
//!
//! The kinds of look take turns, so that a loaded machine slows down all of them.
#![allow(clippy::expect_used, reason = "a measurement stops where it cannot go on")]

use std::error::Error;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command as Program, Stdio};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use oomph::artefact::malloc_chunks::Allocator;
use oomph::artefact::nmt::Nmt;
use oomph::diagnose::examination::Examination;
use oomph::diagnose::reckoning;
use oomph::diagnose::sample::Sample;
use oomph::model::Unseen;
use oomph::probe::hsperf::Located;
use oomph::probe::jvm_attach::{Attached, Command, Handshake, PATIENCE};
use oomph::probe::root::Root;
use oomph::probe::{cgroup, heap, host, hsperf, process, target};
use rustix::time::{ClockId, clock_gettime};

/// One kind of look, as often as it was had: wall and CPU time.
struct Kind<'a> {
    name: &'static str,
    look: Box<dyn Fn() + 'a>,
    took: Vec<(Duration, Duration)>,
}

impl Kind<'_> {
    fn measure(&mut self) {
        let (wall, cpu) = (Instant::now(), cpu());
        (self.look)();
        self.took.push((wall.elapsed(), self::cpu().saturating_sub(cpu)));
    }

    /// Median milliseconds of wall and CPU time.
    fn median(&self) -> (f64, f64) {
        let median = |of: fn(&(Duration, Duration)) -> Duration| {
            let mut all: Vec<Duration> = self.took.iter().map(of).collect();
            all.sort_unstable();
            all.get(all.len() / 2).copied().unwrap_or_default().as_secs_f64() * 1e3
        };
        (median(|took| took.0), median(|took| took.1))
    }
}

fn cpu() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or_default())
}

fn main() -> Result<(), Box<dyn Error>> {
    // Cargo adds an argument of its own.
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let pid: u32 = arguments.next().ok_or("give a process id")?.parse()?;
    let runs: usize = arguments.next().map_or(Ok(15), |runs| runs.parse())?;
    let root = Root::live();
    let attached = Attached::open(&root, pid, Handshake::Allowed, PATIENCE).map_err(|unseen| unseen.to_string())?;
    let performance = Located::of(&root, pid).map_err(|unseen| unseen.to_string())?;
    let known = look(&root, pid).sample;
    let mappings = known.files.smaps.as_ref().map_err(|unseen| unseen.to_string())?.mappings.len();

    let mut kinds = [
        Kind::of("reading the files of /proc", || read_plainly(pid)),
        Kind::of("a sample of them, attributed", || drop(look(&root, pid))),
        Kind::of("performance data and cgroup alone", || {
            performance.read().expect("the JVM keeps performance data");
            let _ = cgroup::read(&root, pid);
        }),
        Kind::of("walk of malloc's chunks", || walk(&root, &known)),
        Kind::of("native memory tracking, by socket", || {
            let text = attached.ask(Command::NativeMemorySummary).expect("the JVM answers");
            Nmt::parse(&text).expect("start the JVM with -XX:NativeMemoryTracking=summary");
        }),
        Kind::of("native memory tracking, by jcmd", || jcmd(pid)),
    ];
    // Once for the caches.
    for round in 0..=runs {
        for kind in &mut kinds {
            kind.measure();
            if round == 0 {
                kind.took.clear();
            }
        }
    }
    println!("{mappings} mappings, median of {runs} runs");
    for kind in &kinds {
        let (wall, cpu) = kind.median();
        println!("{:<36} {wall:>9.3} ms {cpu:>9.3} ms CPU", kind.name);
    }
    let wall = |index: usize| kinds.get(index).map_or(0.0, |kind: &Kind<'_>| kind.median().0);
    let cpu = |index: usize| kinds.get(index).map_or(0.0, |kind: &Kind<'_>| kind.median().1);
    println!("a sample takes {:.2} times as long as reading, {:.2} times the CPU", wall(1) / wall(0), cpu(1) / cpu(0));
    println!("jcmd takes {:.0} times as long as the socket", wall(5) / wall(4));
    println!("own peak memory: {}", peak()?);
    Ok(())
}

impl<'a> Kind<'a> {
    fn of(name: &'static str, look: impl Fn() + 'a) -> Kind<'a> {
        Kind { name, look: Box::new(look), took: Vec::new() }
    }
}

/// What `oomph attach` does by default, but for the walk, for RocksDB's files and for the plan.
fn look(root: &Root, pid: u32) -> Examination {
    let target = target::of_pid(root, pid).expect("the process lives");
    let files = process::read(root, pid).expect("the process lives");
    let names = files.smaps.as_ref().map(|smaps| smaps.mappings.as_slice()).unwrap_or_default();
    let allocator = Allocator::of_mapped(names.iter().map(|mapping| mapping.name.as_str()));
    let unasked = || Unseen::because("not measured here");
    let sample = Sample {
        at: Timestamp::now(),
        pid,
        flink: target.flink,
        program: target.program,
        files,
        cgroup: cgroup::read(root, pid),
        host: host::read(root),
        jvm: hsperf::read_of(root, pid),
        allocator,
        heap: Err(unasked()),
        nmt: Err(unasked()),
        rest: Err(unasked()),
        rocksdb: Err(unasked()),
    };
    Examination::of(sample, Err(unasked()))
}

fn walk(root: &Root, sample: &Sample) {
    let mappings = reckoning::walkable(sample).expect("the mappings may be read, and malloc is glibc's");
    heap::walk_heap(root, sample.pid, &mappings).expect("malloc may be read");
}

/// Reads each file below `/proc` that a look reads, as often as it does, into one buffer, and does nothing with it.
fn read_plainly(pid: u32) {
    let mut buffer = Vec::new();
    let mut read = |path: &Path| {
        buffer.clear();
        if let Ok(mut file) = File::open(path) {
            let _ = file.read_to_end(&mut buffer);
        }
    };
    let process = PathBuf::from(format!("/proc/{pid}"));
    for name in ["stat", "cmdline", "maps", "stat", "status", "cmdline", "smaps", "limits", "environ", "stat", "cgroup"]
    {
        read(&process.join(name));
    }
    for task in fs::read_dir(process.join("task")).into_iter().flatten().flatten() {
        read(&task.path().join("comm"));
        read(&task.path().join("syscall"));
    }
    for name in ["cmdline", "maps"] {
        read(&process.join(name));
    }
}

fn jcmd(pid: u32) {
    let mut program = Program::new("jcmd");
    program.args([&pid.to_string(), "VM.native_memory", "summary"]).stdout(Stdio::null());
    assert!(program.status().expect("jcmd is on the path").success());
}

/// The most memory that this program had.
fn peak() -> Result<String, Box<dyn Error>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
    Ok(line.trim().to_owned())
}
