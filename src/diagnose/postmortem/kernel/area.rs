//! What had filled the memory, by the counters of a report. The call trace does not tell it: it shows who asked for one
//! page more.

use crate::artefact::kernel_oom::{Counter, Counting, MachineMemory, MemcgStat, Report};
use crate::model::{Area, Bytes};

/// The parts of a memory that are told apart.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Parts {
    /// Of processes.
    pub(super) anon: u64,
    /// Pages of files, without shared memory.
    pub(super) file: u64,
    /// The part of those that waits to be written or is being written.
    pub(super) unwritten: u64,
    /// Shared memory.
    pub(super) shmem: u64,
    /// The part of it that the process which died had mapped; nothing where that is not told. The rest are files.
    pub(super) mapped: Option<u64>,
    /// The kernel's own.
    pub(super) kernel: u64,
}

impl Parts {
    fn sum(self) -> u64 {
        [self.anon, self.file, self.shmem, self.kernel].into_iter().fold(0, u64::saturating_add)
    }

    /// What it was, and why as a sentence; nothing where there is no number.
    pub(super) fn area(self, whole: Option<u64>) -> Option<(Area, String)> {
        let all = whole.unwrap_or(0).max(self.sum());
        if self.sum() == 0 {
            return None;
        }
        let half = |part: u64| part >= all.div_ceil(2);
        let files_in_memory = self.mapped.map_or(0, |mapped| self.shmem.saturating_sub(mapped));
        let area = if half(self.shmem) || u128::from(files_in_memory) * 5 >= u128::from(all) * UNPLANNED {
            Area::Tmpfs
        } else if half(self.anon) {
            Area::Container
        } else if half(self.kernel) {
            Area::Other
        } else if half(self.file) {
            Area::PageCache
        } else {
            // Nothing fills half of it: the largest, memory of processes where two are alike.
            let parts = [
                (self.anon, Area::Container),
                (self.shmem, Area::Tmpfs),
                (self.file, Area::PageCache),
                (self.kernel, Area::Other),
            ];
            parts.into_iter().rev().max_by_key(|(part, _)| *part).map_or(Area::Container, |(_, area)| area)
        };
        let mib = |part: u64| part >> 20;
        let (name, part) = match area {
            Area::Tmpfs => ("shared memory (tmpfs, /dev/shm, volumes in memory) is", self.shmem),
            Area::PageCache => ("pages of files are", self.file),
            Area::Other => ("the kernel's own memory is", self.kernel),
            _ => ("memory of processes is", self.anon),
        };
        let unwritten = match area {
            Area::PageCache => format!(", {} MiB of them not written yet", mib(self.unwritten)),
            _ => String::new(),
        };
        Some((area, format!("{name} {} of {} MiB{unwritten}", mib(part), mib(all))))
    }
}

/// In fifths of a container: memory of processes is planned for, files in memory that no process has mapped are not, so that
/// these need not be half of it to be what filled it.
const UNPLANNED: u128 = 2;

/// Of a cgroup at its limit; `mapped` is the shared memory of the process that died, where that is told.
pub(super) fn of_group(
    stat: &MemcgStat,
    counters: &[Counter],
    at_limit: Option<&Counter>,
    mapped: Option<Bytes>,
) -> Option<(Area, String)> {
    if let Some(kernel) = at_limit.filter(|counter| counter.what == Counting::Kernel) {
        let text =
            format!("the kernel's own memory is at its limit of {} MiB", kernel.limit.unwrap_or_default().whole_mib());
        return Some((Area::Other, text));
    }
    let get = |bytes: Option<Bytes>| bytes.unwrap_or_default().get();
    let counted = counters.iter().find(|counter| counter.what == Counting::Kernel).map(|counter| counter.usage);
    let shmem = get(stat.all_shmem());
    let parts = Parts {
        anon: get(stat.anon),
        file: get(stat.file).saturating_sub(shmem),
        unwritten: get(stat.dirty).saturating_add(get(stat.writeback)),
        shmem,
        mapped: mapped.map(Bytes::get),
        kernel: get(stat.all_kernel().max(counted)),
    };
    if !stat.says_something() && parts.kernel < at_limit.map_or(u64::MAX, |counter| counter.usage.get() / 2) {
        return None;
    }
    // What is swapped out counts in `memory+swap` alone, and is memory of processes and shared memory.
    let whole = counters.iter().find(|counter| counter.what == Counting::Memory).map(|counter| counter.usage.get());
    parts.area(whole)
}

/// Of a machine without free memory.
pub(super) fn of_machine(machine: &MachineMemory, page: Bytes) -> Option<(Area, String)> {
    let get = |pages: Option<u64>| pages.unwrap_or(0).saturating_mul(page.get());
    let lists = machine.anon_lists?;
    let shmem = machine.shmem.unwrap_or(0).min(lists);
    let parts = Parts {
        anon: get(Some(lists - shmem)),
        file: get(machine.file_lists),
        unwritten: get(machine.unwritten),
        shmem: get(Some(shmem)),
        mapped: None,
        kernel: get(machine.slab_unreclaimable).saturating_add(get(machine.page_tables)),
    };
    // Memory that no list holds (huge pages put aside, drivers) says nothing of what is in use.
    parts.area(None)
}

/// Of a report.
pub(super) fn of_report(report: &Report, global: bool) -> Option<(Area, String)> {
    if global {
        of_machine(&report.machine, report.page())
    } else {
        let mapped = report.killed.iter().filter_map(|killed| killed.shmem).max();
        of_group(&report.stat, &report.counters, report.at_limit(), mapped)
    }
}
