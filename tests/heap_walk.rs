//! The walk over a live process's heap, held against glibc's own figures and against what `malloc_trim` gives back. The
//! process is `tests/heap_walk/target.c`, compiled here: whoever links Rust has `cc`.
#![cfg(all(target_os = "linux", target_env = "gnu", target_pointer_width = "64"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::OnceLock;

use oomph::artefact::malloc_chunks::{ArenaKind, HeapMapping, HeapWalk, PieceKind};
use oomph::probe::heap::walk_heap;
use oomph::probe::root::Root;

fn program() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/heap_walk/target.c");
        let program = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("heap-walk-test-target");
        let built = Command::new("cc").args(["-O1", "-pthread", "-o"]).arg(&program).arg(source).status();
        assert!(built.expect("cc is there").success());
        program
    })
}

struct Target {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Target {
    fn started(arguments: &[&str]) -> Target {
        let mut command = Command::new(program());
        // A preloaded allocator, or a tunable, would make it another heap.
        command.env_clear().args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let input = process.stdin.take().unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        let mut target = Target { process, input, output };
        assert_eq!(target.line(), "ready");
        target
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    fn ask(&mut self, question: &str) {
        writeln!(self.input, "{question}").unwrap();
        self.input.flush().unwrap();
    }

    fn pid(&self) -> u32 {
        self.process.id()
    }

    fn walk(&self) -> HeapWalk {
        walk_heap(&Root::live(), self.pid(), &mappings(self.pid())).unwrap()
    }

    /// What glibc says of all arenas: in use, in fastbins, and mapped.
    fn info(&mut self) -> (u64, u64, u64) {
        self.ask("info");
        let (mut inside, mut total) = (false, [0; 4]);
        loop {
            let line = self.line();
            if line == "end" {
                break;
            }
            inside |= line.starts_with("<heap");
            let size = line.split("size=\"").nth(1).and_then(|rest| rest.split('"').next()?.parse::<u64>().ok());
            let kind =
                ["<total type=\"fast\"", "<total type=\"rest\"", "<total type=\"mmap\"", "<system type=\"current\""];
            if let (Some(at), Some(size), false) = (kind.iter().position(|kind| line.starts_with(kind)), size, inside) {
                total[at] = size;
            }
            inside &= !line.starts_with("</heap");
        }
        let [fast, rest, mapped, system] = total;
        (system - rest - fast, fast, mapped)
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

fn mappings(pid: u32) -> Vec<HeapMapping> {
    let mut mappings: Vec<HeapMapping> = Vec::new();
    let mut wanted = false;
    for line in fs::read_to_string(format!("/proc/{pid}/smaps")).unwrap().lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            [range, access, _, _, inode, name @ ..] if range.contains('-') => {
                let brk = name == ["[heap]"];
                wanted = *access == "rw-p" && *inode == "0" && (brk || name.is_empty());
                let (start, end) = range.split_once('-').unwrap();
                let [start, end] = [start, end].map(|at| u64::from_str_radix(at, 16).unwrap());
                if wanted {
                    mappings.push(HeapMapping { start, end, brk, resident: 0 });
                }
            }
            ["Rss:", kilobytes, _] if wanted => {
                mappings.last_mut().unwrap().resident = kilobytes.parse::<u64>().unwrap() << 10;
            }
            _ => {}
        }
    }
    mappings
}

fn status(pid: u32, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.unwrap().trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
}

/// Resident bytes of anonymous pages, to the page: status is brought up to date only every 64 pages.
fn anonymous(pid: u32) -> u64 {
    mappings(pid).iter().map(|mapping| mapping.resident).sum()
}

#[track_caller]
fn assert_near(one: u64, other: u64, percent: u64) {
    assert!(one.abs_diff(other) * 100 <= one.max(other) * percent, "{one} and {other} differ by more than {percent} %");
}

#[test]
fn bytes_in_use_are_those_that_glibc_counts() {
    // Behind a wall the main arena lies in hundreds of mappings, with the program's own among them.
    for arguments in [&["3", "8000", "mapped"][..], &["1", "8000", "main"], &["1", "8000", "main", "wall", "mapped"]] {
        let mut target = Target::started(arguments);
        let walk = target.walk();
        let (in_use, fast, mapped) = target.info();
        let total = walk.total();
        assert_eq!(total.unwalked, 0, "{arguments:?}");
        assert_near(total.in_use.bytes, in_use + fast, 2);
        assert_eq!(walk.mapped_total().bytes / 4096, mapped / 4096, "{arguments:?}");
        assert_eq!(walk.arenas.first().unwrap().kind, ArenaKind::Main);
    }
}

#[test]
fn a_main_arena_that_cannot_grow_goes_on_in_mappings() {
    let walk = Target::started(&["1", "8000", "main", "wall"]).walk();
    assert!(walk.pieces.iter().any(|piece| piece.kind == PieceKind::MainMapping));
    let main = walk.arenas.iter().find(|arena| arena.kind == ArenaKind::Main).unwrap();
    // The main thread's blocks: three quarters of 8000.
    assert!(main.chunks.in_use.bytes > 6000 * 3700, "{main:?}");
}

#[test]
fn every_resident_page_of_the_heaps_is_counted_once() {
    let target = Target::started(&["3", "8000", "main", "mapped"]);
    let walk = target.walk();
    let mappings = mappings(target.pid());
    for piece in &walk.pieces {
        let within = |mapping: &&HeapMapping| mapping.start <= piece.start && piece.end <= mapping.end;
        let mapping = mappings.iter().find(within).unwrap_or_else(|| panic!("{piece:x?} is in no mapping"));
        if (mapping.start, mapping.end) == (piece.start, piece.end) {
            assert_eq!(piece.resident, mapping.resident, "{piece:x?}");
        }
    }
    assert_eq!(walk.resident(), walk.pieces.iter().map(|piece| piece.resident).sum::<u64>());
    assert_eq!(walk.sizes.total(), walk.total().in_use);
}

#[test]
fn what_is_said_to_be_trimmable_is_what_malloc_trim_gives_back() {
    for arguments in [&["3", "8000"][..], &["1", "8000", "main"], &["2", "16000", "main", "wall", "mapped"]] {
        let mut target = Target::started(arguments);
        let (walk, before) = (target.walk(), anonymous(target.pid()));
        target.ask("trim");
        assert_eq!(target.line(), "trimmed");
        let released = before - anonymous(target.pid());
        println!("{arguments:?}: {} trimmable, {released} released", walk.trimmable());
        assert!(released > 4 << 20, "{arguments:?}: {released}");
        assert_near(walk.trimmable(), released, 3);
        let left = target.walk();
        assert!(left.trimmable() < released / 20, "{arguments:?}: {} left", left.trimmable());
    }
}

#[test]
fn a_walk_adds_no_page_to_its_target() {
    let target = Target::started(&["2", "8000", "main", "mapped"]);
    let read = || (anonymous(target.pid()), status(target.pid(), "VmPTE"), status(target.pid(), "VmSwap"));
    let before = read();
    for _ in 0..3 {
        target.walk();
    }
    assert_eq!(read(), before);
}

#[test]
fn a_process_that_changes_its_heaps_meanwhile_is_walked_nearly_whole() {
    let target = Target::started(&["2", "8000", "busy"]);
    for _ in 0..5 {
        let walk = target.walk();
        let total = walk.total();
        assert!(total.in_use.chunks > 10_000, "{total:?}");
        assert_eq!(walk.resident(), walk.pieces.iter().map(|piece| piece.resident).sum::<u64>());
        println!("{} of {} not walked", total.unwalked_resident, walk.resident());
        assert!(total.unwalked_resident < walk.resident() / 10, "{total:?}");
    }
}

#[test]
fn a_capture_and_a_process_that_has_ended_are_unseen() {
    let capture = walk_heap(&Root::captured(Path::new("testdata")), 1, &[]).unwrap_err();
    assert!(capture.why.contains("capture"), "{capture}");
    let mut target = Target::started(&["1", "800"]);
    let mappings = mappings(target.pid());
    target.process.kill().unwrap();
    target.process.wait().unwrap();
    let ended = walk_heap(&Root::live(), target.pid(), &mappings).unwrap_err();
    assert!(ended.why.contains("has ended"), "{ended}");
}
