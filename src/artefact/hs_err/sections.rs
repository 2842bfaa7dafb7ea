//! The figures of a crash report's sections. Each is taken by its name wherever it stands, as reports are cut and quoted.

use std::sync::LazyLock;

use regex::Regex;

use crate::artefact::malloc_chunks::Allocator;
use crate::model::Bytes;

/// What the sections say; all of it may be missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sections {
    /// `jvm_args:` or `Command Line:`.
    pub arguments: Option<String>,
    /// `java_command:`.
    pub command: Option<String>,
    /// Milliseconds since the start: `elapsed time: 223.143727 seconds`.
    pub elapsed_ms: Option<u64>,
    /// The state of the thread that failed, with its name: `JavaThread "exec-12" daemon [_thread_new, id=…`.
    pub thread: Option<String>,
    /// The first native frames.
    pub frames: Vec<String>,
    /// The heap's generations, `garbage-first heap   total 3145728K, used 942717K`: committed.
    pub heap_total: Option<Bytes>,
    /// In use of it.
    pub heap_used: Option<Bytes>,
    /// `Metaspace       used 302002K, …, committed 313796K, reserved 1329152K`.
    pub metaspace_used: Option<Bytes>,
    /// Committed of it.
    pub metaspace_committed: Option<Bytes>,
    /// `_threads …, length=…`, or the lines `=>0x… JavaThread`.
    pub threads: Option<u64>,
    /// Mappings: `Total number of mappings:`, or the lines of `Dynamic libraries:`.
    pub mappings: Option<u64>,
    /// Whose malloc the files among them show; nothing where they show no C library.
    pub allocator: Option<Allocator>,
    /// `Virtual Size: 14551532K`.
    pub virtual_size: Option<Bytes>,
    /// `Resident Set Size: 2520764K`.
    pub resident: Option<Bytes>,
    /// The machine.
    pub machine: Machine,
    /// What limits the process.
    pub limits: Limits,
    /// `memory_usage_in_bytes` of the container section.
    pub container_usage: Option<Bytes>,
    /// `current number of tasks` of the container section.
    pub container_tasks: Option<u64>,
    /// The JVM was only starting: it does not know its own version yet, `JRE version:  (21.0.11+10) (build )`.
    pub is_starting: bool,
    /// `END.` stands below: the report is whole.
    pub whole: bool,
}

/// The machine's memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Machine {
    /// `MemTotal`, or `physical` of the line `Memory:`.
    pub total: Option<Bytes>,
    /// `MemAvailable`.
    pub available: Option<Bytes>,
    /// `MemFree`, or what is free in the line `Memory:`.
    pub free: Option<Bytes>,
    /// `SwapTotal`.
    pub swap: Option<Bytes>,
    /// `SwapFree`.
    pub swap_free: Option<Bytes>,
    /// `CommitLimit`.
    pub commit_limit: Option<Bytes>,
    /// `Committed_AS`.
    pub committed: Option<Bytes>,
    /// `/proc/sys/vm/overcommit_memory`.
    pub overcommit: Option<u64>,
}

/// What limits the process; what is unlimited is absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// `rlimit: … AS`, the address space.
    pub address_space: Option<Bytes>,
    /// `DATA`.
    pub data: Option<Bytes>,
    /// `NPROC`, threads of the user.
    pub processes: Option<u64>,
    /// `/proc/sys/kernel/threads-max`.
    pub threads_max: Option<u64>,
    /// `/proc/sys/kernel/pid_max`.
    pub pid_max: Option<u64>,
    /// `/proc/sys/vm/max_map_count`.
    pub mappings: Option<u64>,
    /// `memory_limit_in_bytes` of the container section: bytes up to JDK 11, `k` from 17 on.
    pub container: Option<Bytes>,
    /// `maximum number of tasks` of the container section.
    pub tasks: Option<u64>,
}

/// As many native frames are kept.
const FRAMES: usize = 48;

impl Sections {
    /// Reads what stands behind a header.
    pub(super) fn read(text: &str) -> Sections {
        let number = |name: &str| after(text, name).and_then(leading);
        let kib = |name: &str| number(name).and_then(kibibytes);
        let (arguments, command) =
            (line(text, "jvm_args:").or_else(|| line(text, "Command Line:")), line(text, "java_command:"));
        let (heap_total, heap_used) = heap(text);
        Sections {
            arguments,
            command,
            elapsed_ms: after(text, "elapsed time:").and_then(milliseconds),
            thread: line(text, "Current thread (").or_else(|| line(text, "Current thread is native")),
            frames: frames(text),
            heap_total,
            heap_used,
            metaspace_used: metaspace(text, " used "),
            metaspace_committed: metaspace(text, "committed "),
            threads: threads(text),
            mappings: number("Total number of mappings:").or_else(|| mappings(text)),
            allocator: allocator(text),
            virtual_size: kib("Virtual Size:"),
            resident: kib("Resident Set Size:"),
            machine: Machine {
                total: kib("MemTotal:").or_else(|| physical(text, 1)),
                available: kib("MemAvailable:"),
                free: kib("MemFree:").or_else(|| physical(text, 2)),
                swap: kib("SwapTotal:"),
                swap_free: kib("SwapFree:"),
                commit_limit: kib("CommitLimit:"),
                committed: kib("Committed_AS:"),
                overcommit: sysctl(text, "/proc/sys/vm/overcommit_memory"),
            },
            limits: Limits {
                address_space: rlimit(text, " AS ").and_then(kibibytes),
                data: rlimit(text, " DATA ").and_then(kibibytes),
                processes: rlimit(text, " NPROC "),
                threads_max: sysctl(text, "/proc/sys/kernel/threads-max"),
                pid_max: sysctl(text, "/proc/sys/kernel/pid_max"),
                mappings: sysctl(text, "/proc/sys/vm/max_map_count"),
                container: container(text, "memory_limit_in_bytes:"),
                tasks: number("maximum number of tasks:"),
            },
            container_usage: container(text, "memory_usage_in_bytes:"),
            container_tasks: number("current number of tasks:"),
            is_starting: after(text, "JRE version:").is_some_and(|version| version.starts_with('(')),
            whole: text.contains("\nEND."),
        }
    }
}

/// What stands behind a name, on its line.
fn after<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(name)?;
    Some(rest.split('\n').next().unwrap_or_default().trim_start())
}

fn line(text: &str, name: &str) -> Option<String> {
    let found = after(text, name)?.trim_end();
    (!found.is_empty()).then(|| found.to_owned())
}

fn leading(text: &str) -> Option<u64> {
    let end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    text.get(..end)?.parse().ok()
}

fn kibibytes(number: u64) -> Option<Bytes> {
    number.checked_mul(1024).map(Bytes::new)
}

/// `223.143727 seconds`, with a comma in some countries.
fn milliseconds(text: &str) -> Option<u64> {
    let (whole, rest) = text.split_at(text.find(|letter: char| !letter.is_ascii_digit())?);
    let digits: String = rest.get(1..).unwrap_or_default().chars().take_while(char::is_ascii_digit).take(3).collect();
    let fraction: u64 = format!("{digits:0<3}").parse().unwrap_or(0);
    whole.parse::<u64>().ok()?.checked_mul(1000)?.checked_add(fraction)
}

fn frames(text: &str) -> Vec<String> {
    let Some((_, rest)) = text.split_once("Native frames:") else { return Vec::new() };
    let each = rest.lines().skip(1).take(FRAMES).map(str::trim);
    each.take_while(|line| !line.is_empty() && !line.ends_with("frames:")).map(str::to_owned).collect()
}

/// The generations that a heap's lines name: `PSYoungGen      total 1864192K, used 4300K [0x…`.
fn heap(text: &str) -> (Option<Bytes>, Option<Bytes>) {
    static SPACE: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(
            r"(?:gen|Gen|eneration|heap|Heap)[ \w]{0,12}\s+total (?:reserved \d+K, committed )?(\d+)K, used (\d+)K",
        )
        .ok()
    });
    let mut sums: Option<(u64, u64)> = None;
    // The history of collections below prints the same lines again.
    let now = text.split("GC Heap History").next().unwrap_or_default();
    let Some(space) = SPACE.as_ref() else { return (None, None) };
    for space in space.captures_iter(now).take(3) {
        let of = |group| space.get(group).and_then(|digits| digits.as_str().parse::<u64>().ok());
        if let (Some(total), Some(used)) = (of(1), of(2)) {
            let (all, in_use) = sums.unwrap_or((0, 0));
            sums = Some((all.saturating_add(total), in_use.saturating_add(used)));
        }
    }
    (sums.and_then(|(total, _)| kibibytes(total)), sums.and_then(|(_, used)| kibibytes(used)))
}

fn metaspace(text: &str, name: &str) -> Option<Bytes> {
    static METASPACE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"Metaspace\s+used \d+K[^\n]{0,120}").ok());
    let found = METASPACE.as_ref()?.find(text)?.as_str();
    after(found, name).and_then(leading).and_then(kibibytes)
}

/// `Java Threads: ( => current thread )` with a line for each thread, or the total that JDK 17 prints: `Total: 114`.
fn threads(text: &str) -> Option<u64> {
    static TOTAL: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"\nTotal: (\d+)\n|\blength=(\d+), elements=").ok());
    let (_, part) = text.split_once("Java Threads:").or_else(|| text.split_once("Threads class SMR info:"))?;
    if let Some(found) = TOTAL.as_ref().and_then(|total| total.captures(part)) {
        return found.get(1).or(found.get(2))?.as_str().parse().ok();
    }
    let counted = part
        .lines()
        .take_while(|line| !line.starts_with("VM state"))
        .filter(|line| line.contains(" JavaThread \""))
        .count();
    u64::try_from(counted).ok().filter(|count| *count > 0)
}

/// The lines of `/proc/self/maps` that a report has below `Dynamic libraries:`.
fn maps(text: &str) -> Option<impl Iterator<Item = &str>> {
    let (_, rest) = text.split_once("Dynamic libraries:")?;
    let is_mapping = |line: &&str| {
        let line = line.trim_start();
        line.split_once('-')
            .is_some_and(|(start, _)| start.len() >= 5 && start.bytes().all(|byte| byte.is_ascii_hexdigit()))
    };
    Some(rest.lines().skip(1).take_while(is_mapping))
}

fn mappings(text: &str) -> Option<u64> {
    u64::try_from(maps(text)?.count()).ok()
}

fn allocator(text: &str) -> Option<Allocator> {
    let paths = maps(text)?.filter_map(|line| line.find('/').and_then(|at| line.get(at..)));
    Some(Allocator::of_mapped(paths.map(str::trim_end))).filter(|allocator| *allocator != Allocator::Static)
}

/// `Memory: 4k page, physical 32721568k(433564k free), swap …`, `system-wide physical 3533M (230M free)` on Windows.
fn physical(text: &str, group: usize) -> Option<Bytes> {
    static MEMORY: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"Memory:[^\n]{0,40}physical (\d+[kM])\s?\((\d+[kM]) free\)").ok());
    Bytes::parse_jvm(MEMORY.as_ref()?.captures(text)?.get(group)?.as_str()).ok()
}

/// `rlimit (soft/hard): STACK 8192k/infinity , CORE 0k/0k , NPROC 4096/4096 , …`: the soft one.
fn rlimit(text: &str, name: &str) -> Option<u64> {
    let limits = after(text, "rlimit")?;
    leading(limits.split_once(name)?.1)
}

/// `/proc/sys/vm/max_map_count (maximum number of …):` with the number on the next line, or `…: 65530`.
fn sysctl(text: &str, name: &str) -> Option<u64> {
    let (_, rest) = text.split_once(name)?;
    let mut lines = rest.lines();
    let same = lines.next()?.rsplit(':').next()?.trim();
    leading(same).or_else(|| leading(lines.next()?.trim()))
}

/// `9554747392` up to JDK 16, `2575472 k` from 17 on, `unlimited`, `-1`, `not supported`.
fn container(text: &str, name: &str) -> Option<Bytes> {
    let found = text.match_indices(name).find(|(at, _)| !text.get(..*at).unwrap_or_default().ends_with("kernel_"));
    let rest = found.and_then(|(at, name)| text.get(at + name.len()..))?;
    let rest = rest.split('\n').next().unwrap_or_default().trim();
    let number = leading(rest)?;
    let unit = rest.trim_start_matches(|letter: char| letter.is_ascii_digit()).trim_start();
    let bytes = if unit.starts_with(['k', 'K']) { kibibytes(number)? } else { Bytes::new(number) };
    // What the kernel writes for "none" is beyond any memory.
    (bytes.get() < 1 << 60).then_some(bytes)
}
