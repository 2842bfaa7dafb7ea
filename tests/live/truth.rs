//! What a JVM's memory is by its own account: the address ranges that native memory tracking names, and the resident pages
//! in each of them. Nothing here uses oomph.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;

const PAGE: u64 = 4096;

/// An address range with what it is for.
struct Region {
    range: Range<u64>,
    pool: &'static str,
}

/// The reserved regions of `VM.native_memory detail`.
pub struct Regions(Vec<Region>);

impl Regions {
    pub fn of(detail: &str) -> Regions {
        // `[0x… - 0x…] reserved 1024KB for Thread Stack from`; what is committed within is indented.
        let mut regions: Vec<Region> = detail.lines().filter_map(region).collect();
        regions.sort_by_key(|region| region.range.start);
        assert!(regions.len() > 20, "native memory tracking is not on, or has another form: {detail:.400}");
        Regions(regions)
    }

    /// The pieces of a range, each in a region or in none.
    fn pieces(&self, range: &Range<u64>) -> Vec<(Range<u64>, Option<&'static str>)> {
        let mut pieces = Vec::new();
        let mut at = range.start;
        for region in &self.0 {
            let within = region.range.start.max(at)..region.range.end.min(range.end);
            if within.is_empty() {
                continue;
            }
            if at < within.start {
                pieces.push((at..within.start, None));
            }
            at = within.end;
            pieces.push((within, Some(region.pool)));
        }
        if at < range.end {
            pieces.push((at..range.end, None));
        }
        pieces
    }
}

fn region(line: &str) -> Option<Region> {
    let (range, rest) = line.strip_prefix('[')?.split_once(']')?;
    let category = rest.split_once(" for ")?.1.trim_end_matches(" from").trim();
    let (start, end) = range.split_once(" - ")?;
    let address = |text: &str| u64::from_str_radix(text.trim_start_matches("0x"), 16).unwrap();
    let pool = match category {
        "Java Heap" => "java_heap",
        "Metaspace" => "metaspace",
        "Class" => "class_space",
        "Code" => "code_cache",
        "GC" => "gc",
        "Shared class space" => "cds_archive",
        "Thread Stack" | "Thread" => "thread_stacks",
        _ => "other",
    };
    Some(Region { range: address(start)..address(end), pool })
}

/// One mapping.
struct Mapping {
    range: Range<u64>,
    name: String,
    rss: u64,
}

/// Resident bytes by pool, all mappings of the process in one of them.
pub fn resident(pid: u32, regions: &Regions) -> BTreeMap<&'static str, u64> {
    let mappings = mappings(pid);
    let stacks = stack_pointers(pid);
    let mut pools = BTreeMap::new();
    let mut before: Option<&Mapping> = None;
    for mapping in &mappings {
        let follows_a_file =
            before.is_some_and(|last| last.range.end == mapping.range.start && last.name.starts_with('/'));
        let otherwise = match mapping.name.as_str() {
            "[heap]" => "malloc",
            "" if stacks.iter().any(|pointer| mapping.range.contains(pointer)) => "thread_stacks",
            "[stack]" => "thread_stacks",
            // A library's data that begins as zeros.
            "" if follows_a_file && mapping.range.end - mapping.range.start <= 4 << 20 => "mapped_files",
            "" => "malloc",
            name if name.starts_with('/') => "mapped_files",
            _ => "other",
        };
        if mapping.rss > 0 {
            let pieces = regions.pieces(&mapping.range);
            match pieces.as_slice() {
                [(_, pool)] => *pools.entry(pool.unwrap_or(otherwise)).or_default() += mapping.rss,
                several => {
                    for ((_, pool), rss) in several.iter().zip(resident_in(pid, several)) {
                        *pools.entry(pool.unwrap_or(otherwise)).or_default() += rss;
                    }
                }
            }
        }
        before = Some(mapping);
    }
    pools
}

fn mappings(pid: u32) -> Vec<Mapping> {
    let mut mappings: Vec<Mapping> = Vec::new();
    for line in fs::read_to_string(format!("/proc/{pid}/smaps")).unwrap().lines() {
        if let Some(rss) = line.strip_prefix("Rss:") {
            mappings.last_mut().unwrap().rss = rss.trim().strip_suffix(" kB").unwrap().parse::<u64>().unwrap() * 1024;
        } else if let Some((range, rest)) = line.split_once(' ')
            && let Some((start, end)) = range.split_once('-')
            && let (Ok(start), Ok(end)) = (u64::from_str_radix(start, 16), u64::from_str_radix(end, 16))
        {
            let name = rest.split_whitespace().skip(4).collect::<Vec<_>>().join(" ");
            mappings.push(Mapping { range: start..end, name, rss: 0 });
        }
    }
    mappings
}

/// Where the stack of each thread is that waits in the kernel: the last but one field of `/proc/PID/task/TID/syscall`.
fn stack_pointers(pid: u32) -> Vec<u64> {
    fs::read_dir(format!("/proc/{pid}/task"))
        .unwrap()
        .filter_map(|task| fs::read_to_string(task.ok()?.path().join("syscall")).ok())
        .filter_map(|call| call.split_whitespace().rev().nth(1)?.strip_prefix("0x").map(str::to_owned))
        .filter_map(|pointer| u64::from_str_radix(&pointer, 16).ok())
        .collect()
}

/// The resident bytes in each piece of one mapping. The kernel's page of zeros counts as present, but is nobody's memory:
/// it is the only frame that is there twice.
fn resident_in(pid: u32, pieces: &[(Range<u64>, Option<&'static str>)]) -> Vec<u64> {
    let pagemap = fs::File::open(format!("/proc/{pid}/pagemap")).unwrap();
    let frames: Vec<Vec<u64>> = pieces
        .iter()
        .map(|(range, _)| {
            let mut bytes = vec![0; usize::try_from((range.end - range.start) / PAGE * 8).unwrap()];
            pagemap.read_exact_at(&mut bytes, range.start / PAGE * 8).unwrap();
            let entries = bytes.chunks_exact(8).map(|entry| u64::from_le_bytes(entry.try_into().unwrap()));
            entries.filter(|entry| entry >> 63 == 1).map(|entry| entry & ((1 << 55) - 1)).collect()
        })
        .collect();
    let mut seen: HashMap<u64, u64> = HashMap::new();
    for frame in frames.iter().flatten() {
        *seen.entry(*frame).or_default() += 1;
    }
    // Without CAP_SYS_ADMIN all frames read as 0.
    let is_own = |frame: &&u64| **frame == 0 || seen[*frame] == 1;
    frames.iter().map(|frames| frames.iter().filter(is_own).count() as u64 * PAGE).collect()
}
