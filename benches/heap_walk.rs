//! How long a heap walk takes beside plainly reading the same resident pages. `scripts/bench-heap-walk` runs it.
//!
//! Without arguments it starts `tests/heap_walk/target.c`: 4 threads with 120 thousand blocks of 4 KiB, a quarter of them freed
//! again, and 480 thousand small chunks: 570 thousand chunks in 480 MiB, and 50 MiB in mappings of their own. With a process id it walks that process.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a measurement stops where it cannot go on")]

use std::error::Error;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use oomph::artefact::malloc_chunks::{HeapMapping, HeapWalk, KnownSizes, SizeClasses};
use oomph::probe::heap::walk_heap;
use oomph::probe::root::Root;

const RUNS: usize = 7;

fn main() -> Result<(), Box<dyn Error>> {
    let mut target = None;
    let given = std::env::args().nth(1).and_then(|argument| argument.parse::<u32>().ok());
    let pid = match given {
        Some(pid) => pid,
        None => target.insert(started()?).id(),
    };
    let mappings = mappings(pid)?;
    let before = memory_of(pid)?;
    let root = Root::live();
    let mut walks = Vec::new();
    let mut reads = Vec::new();
    let mut last = None;
    let mut on_cpu = Vec::new();
    for _ in 0..RUNS {
        let (start, cpu) = (Instant::now(), on_cpu_so_far()?);
        let walk = walk_heap(&root, pid, &mappings).map_err(|unseen| unseen.to_string())?;
        walks.push(start.elapsed());
        let walked = on_cpu_so_far()?;
        on_cpu.push(walked - cpu);
        reads.push(read_plainly(pid, &walk)?);
        last = Some(walk);
    }
    let walk = last.ok_or("no run")?;
    show(&walk);
    let (walked, on_cpu, read) = (median(walks), median(on_cpu), median(reads));
    println!(
        "walk {:.1} ms, {:.1} ms of it on a core; reading the same pages {:.1} ms on a core: {:.2} times as long (medians of {RUNS})",
        walked.as_secs_f64() * 1e3,
        on_cpu.as_secs_f64() * 1e3,
        read.as_secs_f64() * 1e3,
        on_cpu.as_secs_f64() / read.as_secs_f64()
    );
    println!("target before: {before}");
    println!("target after:  {}", memory_of(pid)?);
    println!("own peak memory: {}", line_of(std::process::id(), "VmHWM")?);
    if let Some(mut target) = target {
        drop(target.stdin.take());
        target.wait()?;
    }
    Ok(())
}

fn show(walk: &HeapWalk) {
    let mib = |bytes: u64| format!("{}.{} MiB", bytes >> 20, ((bytes & 0xf_ffff) * 10) >> 20);
    let total = walk.total();
    println!(
        "{} arenas, {} in {} chunks in use, {} free and resident, {} in tops, {} shared, {} structures, {} not walked, {} mapped in {} chunks",
        walk.arenas.len(),
        mib(total.in_use.bytes),
        total.in_use.chunks,
        mib(total.free.resident),
        mib(total.top.resident),
        mib(total.free_shared),
        mib(total.structures),
        mib(total.unwalked),
        mib(walk.mapped_total().resident),
        walk.mapped_total().chunks,
    );
    println!(
        "resident {}, of it in use {}, trimmable {}",
        mib(walk.resident()),
        mib(total.in_use.resident),
        mib(walk.trimmable())
    );
    if std::env::args().any(|argument| argument == "--arenas") {
        for piece in &walk.pieces {
            println!("{piece:x?}");
        }
        for arena in &walk.arenas {
            println!("{arena:x?}");
        }
        for (size, tally) in walk.sizes.iter().filter(|(_, tally)| tally.bytes > 1 << 20) {
            println!("{size}: {} chunks, {} resident", tally.chunks, mib(tally.resident));
        }
        for (size, tally) in walk.mapped.iter() {
            println!("mapped {size}: {} chunks, {} resident", tally.chunks, mib(tally.resident));
        }
    }
    let known = KnownSizes {
        network_segments: Some((32768, 4096)),
        tracked: false,
        memtable_blocks: vec![1 << 20],
        block_size: 4096,
        page_size: 4096,
    };
    println!("{:?}", SizeClasses::of(walk, &known));
}

fn started() -> Result<Child, Box<dyn Error>> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/heap_walk/target.c");
    let program = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("heap-walk-target");
    let built = Command::new("cc").args(["-O1", "-pthread", "-o"]).arg(&program).arg(source).status()?;
    if !built.success() {
        return Err("cc failed".into());
    }
    let mut target =
        Command::new(program).args(["4", "30000", "mapped"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut line = String::new();
    BufReader::new(target.stdout.take().ok_or("no output")?).read_line(&mut line)?;
    Ok(target)
}

/// Anonymous writable mappings, as their smaps say, without those that a JVM marks as its heap by their size.
fn mappings(pid: u32) -> Result<Vec<HeapMapping>, Box<dyn Error>> {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps"))?;
    let mut mappings: Vec<HeapMapping> = Vec::new();
    let mut open = false;
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            [range, "rw-p", _, "00:00", "0", rest @ ..] => {
                let (start, end) = range.split_once('-').ok_or("a mapping without range")?;
                let [start, end] = [start, end].map(|at| u64::from_str_radix(at, 16).unwrap_or(0));
                open = rest.is_empty()
                    || rest == ["[heap]"]
                    || rest.first().is_some_and(|name| name.starts_with("[anon:"));
                // A JVM's heap lies below 32 GiB.
                open &= start >= 32 << 30;
                if open {
                    mappings.push(HeapMapping { start, end, brk: rest == ["[heap]"], resident: 0 });
                }
            }
            [range, ..] if range.contains('-') => open = false,
            ["Rss:", kilobytes, _] if open => {
                mappings.last_mut().ok_or("no mapping")?.resident = kilobytes.parse::<u64>()? << 10;
            }
            _ => {}
        }
    }
    Ok(mappings)
}

/// Reads what the walk saw as resident, 1 MiB at a time.
fn read_plainly(pid: u32, walk: &HeapWalk) -> Result<Duration, Box<dyn Error>> {
    let (memory, pagemap) = (File::open(format!("/proc/{pid}/mem"))?, File::open(format!("/proc/{pid}/pagemap"))?);
    let mut bytes = vec![0; 1 << 20];
    let mut entries = vec![0; (64 << 20) / 4096 * 8];
    let mut runs = Vec::new();
    for piece in &walk.pieces {
        let entries = &mut entries[..usize::try_from((piece.end - piece.start) / 4096 * 8)?.min(131_072)];
        pagemap.read_exact_at(entries, piece.start / 4096 * 8)?;
        let present = entries.chunks_exact(8).map(|entry| entry[7] >> 7 == 1);
        for (at, _) in (piece.start..).step_by(4096).zip(present).filter(|(_, present)| *present) {
            match runs.last_mut() {
                Some((start, end)) if *end == at && at - *start < 1 << 20 => *end = at + 4096,
                _ => runs.push((at, at + 4096)),
            }
        }
    }
    let start = on_cpu_so_far()?;
    for (from, to) in runs {
        memory.read_at(&mut bytes[..usize::try_from(to - from)?], from)?;
    }
    Ok(on_cpu_so_far()? - start)
}

/// What this thread has had of a core: the wall's time is that of all that runs beside it.
fn on_cpu_so_far() -> Result<Duration, Box<dyn Error>> {
    let text = fs::read_to_string("/proc/thread-self/schedstat")?;
    Ok(Duration::from_nanos(text.split(' ').next().unwrap_or_default().parse()?))
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn memory_of(pid: u32) -> Result<String, Box<dyn Error>> {
    Ok(["VmRSS", "VmPTE", "VmSwap"].map(|name| line_of(pid, name).unwrap_or_default()).join(", "))
}

fn line_of(pid: u32, name: &str) -> Result<String, Box<dyn Error>> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find(|line| line.starts_with(name)).unwrap_or_default();
    Ok(line.split_whitespace().collect::<Vec<_>>().join(" "))
}
