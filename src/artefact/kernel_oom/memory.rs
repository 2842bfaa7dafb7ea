//! What the memory was when it ran out: the counters of a cgroup, its `Memory cgroup stats`, and the machine's
//! `Mem-Info`.

use std::sync::LazyLock;

use regex::Regex;

use crate::model::Bytes;

/// One counter with its limit: `memory: usage 5120kB, limit 5120kB, failcnt 69`; kB are KiB.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counter {
    /// Of what.
    pub what: Counting,
    /// What is charged.
    pub usage: Bytes,
    /// How much may be; none where there is no limit or it is cut off.
    pub limit: Option<Bytes>,
    /// How often a charge has failed so far.
    pub failed: Option<u64>,
    /// Where in the text it stands.
    pub at: usize,
}

/// What a counter counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counting {
    /// `memory`.
    Memory,
    /// `memory+swap`, version 1.
    MemorySwap,
    /// `kmem`, version 1: the kernel's own.
    Kernel,
    /// `swap`, version 2.
    Swap,
}

/// What the memory of a cgroup and those below it is, in bytes. What is not printed is nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemcgStat {
    /// Memory of processes: `anon`, `rss`, `total_rss`.
    pub anon: Option<Bytes>,
    /// Pages of files with shared memory: `file`, `cache`, `total_cache`.
    pub file: Option<Bytes>,
    /// The part of that that is shared memory.
    pub shmem: Option<Bytes>,
    /// Pages of files that wait to be written.
    pub dirty: Option<Bytes>,
    /// Pages of files that are being written.
    pub writeback: Option<Bytes>,
    /// The kernel's own memory where it is one number: `kernel`, from 5.18 on.
    pub kernel: Option<Bytes>,
    /// Slab caches.
    pub slab: Option<Bytes>,
    /// Stacks, page tables, per-CPU memory and `vmalloc` together.
    pub other_kernel: Option<Bytes>,
    /// Buffers of sockets.
    pub sock: Option<Bytes>,
    /// Swapped out.
    pub swap: Option<Bytes>,
    /// The lists of pages that need swap to be reclaimed: memory of processes and shared memory.
    pub anon_lists: Option<Bytes>,
}

/// What the memory of the machine is, in pages except where said. What is not printed is nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MachineMemory {
    /// The lists of pages that need swap to be reclaimed: memory of processes and shared memory.
    pub anon_lists: Option<u64>,
    /// Pages of files.
    pub file_lists: Option<u64>,
    /// Shared memory.
    pub shmem: Option<u64>,
    /// Pages of files that wait to be written, and that are being written.
    pub unwritten: Option<u64>,
    /// Slab caches that cannot be reclaimed.
    pub slab_unreclaimable: Option<u64>,
    /// Slab caches that can.
    pub slab_reclaimable: Option<u64>,
    /// Page tables.
    pub page_tables: Option<u64>,
    /// Free.
    pub free: Option<u64>,
    /// All.
    pub ram: Option<u64>,
    /// Free swap, in bytes.
    pub free_swap: Option<Bytes>,
    /// All swap, in bytes.
    pub total_swap: Option<Bytes>,
}

/// Before the key a line starts: in bytes that may be rsyslog's `#012` or JSON's `\n`. The one-line form of version 1
/// has `key:numberKB`, the later ones `key number` in bytes.
static STAT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let keys = "anon|rss|total_rss|file|cache|total_cache|shmem|total_shmem|file_dirty|dirty|total_dirty|\
                file_writeback|writeback|total_writeback|kernel|slab|slab_reclaimable|slab_unreclaimable|\
                kernel_stack|pagetables|percpu|vmalloc|sock|swap|total_swap|inactive_anon|active_anon|\
                total_inactive_anon|total_active_anon";
    Regex::new(&format!(r"(?:\b|#012|\\n)({keys})[ :]\s{{0,2}}(?:>[ ]?)?(\d+)(?:([kK]B)|\b|#)")).ok()
});

static MACHINE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let keys = "active_anon|inactive_anon|active_file|inactive_file|shmem|dirty|writeback|slab_reclaimable|\
                slab_unreclaimable|pagetables|free";
    Regex::new(&format!(r"\b({keys}):[ ]?(\d+)([kK]B)?|\b(\d+) pages (?:of )?RAM\b|\b(Free|Total) swap\s*=\s*(\d+)kB"))
        .ok()
});

impl Counter {
    /// Out of its name and numbers as printed: usage and limit in KiB.
    pub(super) fn new(what: &str, usage: &str, limit: Option<&str>, failed: Option<&str>) -> Option<Counter> {
        Some(Counter {
            what: match what {
                "memory" => Counting::Memory,
                "kmem" => Counting::Kernel,
                "swap" => Counting::Swap,
                _ => Counting::MemorySwap,
            },
            usage: kib(usage)?,
            // Without a limit it is the largest count of pages, a little below 2^53 KiB; 2.6 and 3.x print up to 2^54.
            limit: limit.and_then(kib).filter(|limit| limit.get() < 1 << 60),
            failed: failed.and_then(|failed| failed.parse().ok()),
            at: 0,
        })
    }
}

/// A number of KiB.
pub(super) fn kib(digits: &str) -> Option<Bytes> {
    digits.parse::<u64>().ok()?.checked_mul(1024).map(Bytes::new)
}

impl MemcgStat {
    /// Whether any number stands in it that is not nought.
    pub fn says_something(&self) -> bool {
        let all = [self.anon, self.file, self.shmem, self.kernel, self.slab, self.sock];
        all.into_iter().flatten().any(|bytes| bytes != Bytes::ZERO)
    }

    /// The kernel's own memory: slab caches, stacks, page tables, sockets.
    pub fn all_kernel(&self) -> Option<Bytes> {
        // From 5.18 on `kernel` holds all but the sockets.
        let parts = if self.kernel.is_some() { [self.kernel, None] } else { [self.slab, self.other_kernel] };
        let stated: Vec<Bytes> = parts.into_iter().flatten().chain(self.sock).collect();
        if stated.is_empty() { None } else { Bytes::checked_sum(stated) }
    }

    /// Shared memory. Kernels before 4.6 do not print it; there it is what the lists hold beyond the memory of
    /// processes, and at most what counts as pages of files.
    pub fn all_shmem(&self) -> Option<Bytes> {
        self.shmem.or_else(|| {
            let beyond = self.anon_lists?.checked_sub(self.anon?)?;
            Some(beyond.min(self.file?))
        })
    }

    /// Adds the numbers of one group. The kernels up to 5.1 print a line for each group below the limited one, without
    /// what is below that in turn; the later ones print one record for all, in which `total_` counts.
    pub fn add(&mut self, text: &str) {
        let Some(stat) = STAT.as_ref() else { return };
        // A key that is printed twice counts once: what follows the numbers of a group may be of another.
        let mut found: Vec<(&str, Bytes)> = Vec::new();
        for captures in stat.captures_iter(text) {
            let (Some(key), Some(digits)) = (captures.get(1), captures.get(2)) else { continue };
            let value = match captures.get(3) {
                Some(_) => kib(digits.as_str()),
                None => digits.as_str().parse().ok().map(Bytes::new),
            };
            if let Some(value) = value
                && !found.iter().any(|(known, _)| *known == key.as_str())
            {
                found.push((key.as_str(), value));
            }
        }
        let of = |key: &str| found.iter().find(|(known, _)| *known == key).map(|(_, value)| *value);
        let first = |keys: &[&str]| keys.iter().find_map(|key| of(key));
        let sum = |keys: &[&str]| {
            let stated: Vec<Bytes> = keys.iter().filter_map(|key| of(key)).collect();
            if stated.is_empty() { None } else { Bytes::checked_sum(stated) }
        };
        add(&mut self.anon, first(&["total_rss", "rss", "anon"]));
        add(&mut self.file, first(&["total_cache", "cache", "file"]));
        add(&mut self.shmem, first(&["total_shmem", "shmem"]));
        add(&mut self.dirty, first(&["total_dirty", "dirty", "file_dirty"]));
        add(&mut self.writeback, first(&["total_writeback", "writeback", "file_writeback"]));
        add(&mut self.kernel, of("kernel"));
        add(&mut self.slab, of("slab").or_else(|| sum(&["slab_reclaimable", "slab_unreclaimable"])));
        add(&mut self.other_kernel, sum(&["kernel_stack", "pagetables", "percpu", "vmalloc"]));
        add(&mut self.sock, of("sock"));
        add(&mut self.swap, first(&["total_swap", "swap"]));
        let totals = sum(&["total_inactive_anon", "total_active_anon"]);
        add(&mut self.anon_lists, totals.or_else(|| sum(&["inactive_anon", "active_anon"])));
    }
}

fn add(to: &mut Option<Bytes>, value: Option<Bytes>) {
    if let Some(value) = value {
        *to = Some(to.unwrap_or_default().checked_add(value).unwrap_or(Bytes::FLINK_MAX));
    }
}

impl MachineMemory {
    /// Reads what follows on `Mem-Info:`. The sums of the machine stand before those of its nodes and are pages; those
    /// of the nodes bear a unit.
    pub(super) fn read(&mut self, text: &str) {
        let Some(machine) = MACHINE.as_ref() else { return };
        let mut found: Vec<(&str, u64)> = Vec::new();
        for captures in machine.captures_iter(text) {
            let text = |group| captures.get(group).map(|found| found.as_str());
            if let (Some(key), Some(digits), None) = (text(1), text(2), text(3)) {
                if let Ok(value) = digits.parse()
                    && !found.iter().any(|(known, _)| *known == key)
                {
                    found.push((key, value));
                }
            } else if let Some(digits) = text(4) {
                self.ram = self.ram.or(digits.parse().ok());
            } else if let (Some(which), Some(digits)) = (text(5), text(6)) {
                let of = if which == "Free" { &mut self.free_swap } else { &mut self.total_swap };
                *of = of.or(kib(digits));
            }
        }
        let of = |key: &str| found.iter().find(|(known, _)| *known == key).map(|(_, value)| *value);
        let both = |one: &str, other: &str| Some(of(one)?.saturating_add(of(other)?));
        self.anon_lists = both("active_anon", "inactive_anon");
        self.file_lists = both("active_file", "inactive_file");
        self.shmem = of("shmem");
        self.unwritten = both("dirty", "writeback");
        self.slab_unreclaimable = of("slab_unreclaimable");
        self.slab_reclaimable = of("slab_reclaimable");
        self.page_tables = of("pagetables");
        self.free = of("free");
    }
}
