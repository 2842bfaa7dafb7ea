//! The Linux kernel's report of memory that ran out: `mm/oom_kill.c` and `mm/memcontrol.c` of 2.6.32 to 6.x, memory
//! cgroups of both versions and the whole machine.
//!
//! A report is printed in this order: who invoked the killer, a call trace, the counters of the cgroup or of the
//! machine, a table of the tasks, what bound the choice (`oom-kill:`), whom it killed, what was reaped. Every part may
//! be missing: the kernel limits the rate, its buffer wraps around, somebody has taken only the lines with "kill" in
//! them. So each part is found by its own words, wherever it stands, and laid to the report it follows.

mod grammar;
mod memory;
mod tasks;

#[cfg(test)]
mod tests;

pub use memory::{Counter, Counting, MachineMemory, MemcgStat};
pub use tasks::Task;

use crate::model::Bytes;
use grammar::{Event, Part};

/// The words by which a reader of a long log finds the lines of a report; the first is also in the line of a unit that
/// systemd saw fail of it.
pub const ANCHORS: &[&str] = &["oom-kill", "Killed process", "emory cgroup "];

/// One report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Where in the text its first part starts.
    pub start: usize,
    /// Where its last part starts.
    pub end: usize,
    /// Where the part stands that tells most: the last kill, else what bound the choice, else the first part.
    pub telling: usize,
    /// Who asked for one page more; not who died, and not who had filled the memory.
    pub invoked: Option<Invoked>,
    /// Who could be killed, as a line of the report says it.
    pub bound: Option<Bound>,
    /// What the call trace passes through.
    pub trace: Trace,
    /// The group whose limit was reached: its path.
    pub limited: Option<String>,
    /// The group of the victim: its path.
    pub group: Option<String>,
    /// Usage and limit of that group, in the order in which they are printed.
    pub counters: Vec<Counter>,
    /// What the memory of that group and those below it was.
    pub stat: MemcgStat,
    /// What the memory of the machine was.
    pub machine: MachineMemory,
    /// Who could have been killed.
    pub tasks: Vec<Task>,
    /// Who was chosen.
    pub chosen: Option<Chosen>,
    /// Who was killed: a child of the chosen one in kernels before 4.19, several where the group dies as one.
    pub killed: Vec<Killed>,
    /// Whose memory was taken back after the kill.
    pub reaped: Vec<u32>,
    /// Whether `memory.oom.group` let the whole group die.
    pub whole_group: bool,
    /// Whether there was nobody whom it might have killed.
    pub nobody: bool,
    /// Whether somebody asked for it by the SysRq key, or wrote `f` to `/proc/sysrq-trigger`.
    pub by_hand: bool,
    /// Whether the machine stopped instead (`panic_on_oom`).
    pub panic: bool,
    /// How far in the order of a report it has come.
    reached: u8,
}

/// Who asked for a page that there was not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invoked {
    /// The name of its thread, at most 15 bytes of it.
    pub name: Option<String>,
    /// The flags of the allocation, as printed: `0xcc0(GFP_KERNEL)`.
    pub flags: Option<String>,
    /// It asked for 2^order pages; -1 where the killer was called by hand.
    pub order: Option<i32>,
}

/// Who could be killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// A task of the memory cgroup.
    Memcg,
    /// Any task.
    Machine,
    /// Tasks that may use some memory nodes only (`CONSTRAINT_CPUSET`, `CONSTRAINT_MEMORY_POLICY`).
    Nodes,
}

/// What a call trace shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// It goes through the killer of memory cgroups.
    pub memcg: bool,
    /// It goes through the page allocator's last resort.
    pub machine: bool,
    /// What the page was for.
    pub charged: Option<Charged>,
}

/// What a page was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Charged {
    /// Memory of a process.
    Anonymous,
    /// A page of a file.
    File,
    /// Shared memory.
    Shmem,
    /// The kernel itself.
    Kernel,
}

/// Who was chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// Its process.
    pub pid: u32,
    /// Its name, at most 15 bytes of it.
    pub name: Option<String>,
}

/// Who was killed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Killed {
    /// Its process.
    pub pid: u32,
    /// Its name, at most 15 bytes of it.
    pub name: Option<String>,
    /// All its mappings.
    pub total_vm: Option<Bytes>,
    /// Resident memory of its own.
    pub anon: Option<Bytes>,
    /// Resident pages of files.
    pub file: Option<Bytes>,
    /// Resident shared memory.
    pub shmem: Option<Bytes>,
}

impl Killed {
    /// Its resident set, where any part of it is stated.
    pub fn resident(&self) -> Option<Bytes> {
        let stated = [self.anon, self.file, self.shmem];
        if stated.iter().all(Option::is_none) {
            return None;
        }
        Bytes::checked_sum(stated.into_iter().flatten())
    }
}

impl Report {
    /// Who died: the last kill of a report, and the first where the others only died with it.
    fn dead(&self) -> Option<&Killed> {
        if self.whole_group { self.killed.first() } else { self.killed.last() }
    }

    /// The process that died, else the one that was chosen.
    pub fn victim(&self) -> Option<u32> {
        self.dead().map(|killed| killed.pid).or(self.chosen.as_ref().map(|chosen| chosen.pid))
    }

    /// The name of that process.
    pub fn victim_name(&self) -> Option<&str> {
        let killed = self.dead().and_then(|killed| killed.name.as_deref());
        killed.or_else(|| match (&self.chosen, self.dead()) {
            (Some(chosen), Some(killed)) if chosen.pid != killed.pid => None,
            (Some(chosen), _) => chosen.name.as_deref(),
            (None, _) => None,
        })
    }

    /// The size of a page: 4 KiB, unless a process is in the table and in a kill line and these show another.
    pub fn page(&self) -> Bytes {
        let shown = self.killed.iter().rev().take(8).find_map(|killed| {
            let task = self.tasks.iter().find(|task| task.pid == killed.pid)?;
            killed.total_vm?.get().checked_div(task.total_vm)
        });
        match shown {
            Some(size @ (8192 | 16384 | 65536)) => Bytes::new(size),
            _ => Bytes::kib(4),
        }
    }

    /// The resident set of the process that died.
    pub fn victim_resident(&self) -> Option<Bytes> {
        self.dead().and_then(Killed::resident).or_else(|| {
            let pid = self.victim()?;
            let task = self.tasks.iter().find(|task| task.pid == pid)?;
            self.page().checked_mul(task.rss)
        })
    }

    /// The counter that was at its limit. `memory` may stand below its limit while `memory+swap` is at it.
    pub fn at_limit(&self) -> Option<&Counter> {
        let bounded = || {
            let counts = |counter: &&Counter| counter.what != Counting::Swap && counter.limit.is_some();
            self.counters.iter().filter(counts)
        };
        let free = |counter: &&Counter| counter.limit.unwrap_or_default().get().saturating_sub(counter.usage.get());
        bounded().find(|counter| free(counter) == 0).or_else(|| {
            // In hundredths of a per cent, so that a small limit is not nearer only because it is small.
            bounded().min_by_key(|counter| {
                let limit = u128::from(counter.limit.unwrap_or_default().get()).max(1);
                u128::from(free(counter)) * 10_000 / limit
            })
        })
    }

    /// Whether it says more than that somebody walked through the page allocator.
    fn is_report(&self) -> bool {
        let weak = Report {
            start: self.start,
            end: self.end,
            telling: self.telling,
            reached: self.reached,
            trace: Trace { machine: self.trace.machine, charged: self.trace.charged, memcg: false },
            stat: self.stat.clone(),
            machine: self.machine.clone(),
            tasks: self.tasks.clone(),
            ..Report::default()
        };
        *self != weak
    }

    /// Whether somebody died, or nobody could.
    fn is_over(&self) -> bool {
        !self.killed.is_empty() || self.nobody || self.panic
    }
}

/// Where the kernel says that it could not get memory for itself and went on: `SLUB: Unable to allocate memory on
/// node`, `page allocation failure`. Nobody dies of these.
pub fn refused(text: &str) -> Vec<usize> {
    let words =
        ["SLUB: Unable to allocate memory on", "page allocation failure: order:", "page allocation failure. order:"];
    let mut all: Vec<usize> = words.iter().flat_map(|words| text.match_indices(words)).map(|(at, _)| at).collect();
    all.sort_unstable();
    all
}

/// Every report of a text, in the order of their first lines.
pub fn reports(text: &str) -> Vec<Report> {
    let events = grammar::events(text);
    let mut reports: Vec<Report> = Vec::new();
    for (index, event) in events.iter().enumerate() {
        let end = events.get(index + 1).map_or(text.len(), |next| next.at);
        let window = text.get(event.at..end).unwrap_or("");
        if let Part::Killed(killed, _) = &event.part
            && let Some(earlier) = waiting(&mut reports, killed.pid)
        {
            lay(earlier, event, window);
            continue;
        }
        match reports.last_mut() {
            Some(current) if !begins(current, event) => lay(current, event, window),
            _ => {
                let mut report = Report { start: event.at, telling: event.at, ..Report::default() };
                lay(&mut report, event, window);
                reports.push(report);
            }
        }
    }
    reports.retain(Report::is_report);
    reports
}

/// The report among the last few that has chosen a process and not yet killed it: reports of several CPUs mix.
fn waiting(reports: &mut [Report], pid: u32) -> Option<&mut Report> {
    reports
        .iter_mut()
        .rev()
        .take(4)
        .find(|report| report.killed.is_empty() && report.chosen.as_ref().is_some_and(|chosen| chosen.pid == pid))
}

/// Whether a part belongs to another report than the one before it.
fn begins(current: &Report, event: &Event) -> bool {
    let again = match &event.part {
        Part::Invoked(_) => current.invoked.is_some() || current.reached > grammar::ORDER_OF_TRACE,
        Part::Scope { .. } => current.limited.is_some(),
        Part::Counter(counter) => current.counters.iter().any(|known| known.what == counter.what),
        Part::Tasks(_) => !current.tasks.is_empty(),
        Part::Bound(_) => current.bound.is_some() && current.chosen.is_some(),
        Part::Chosen(chosen) => {
            current.chosen.as_ref().is_some_and(|known| known.pid != chosen.pid) && !current.is_over()
        }
        Part::Killed(killed, _) => {
            let other = current.killed.last().is_some_and(|last| last.pid != killed.pid);
            other && !current.whole_group
        }
        _ => false,
    };
    // What is printed early comes after a kill only in the next report.
    let behind = event.part.order() < current.reached && current.is_over() && !matches!(event.part, Part::Group(_));
    again || behind
}

fn lay(report: &mut Report, event: &Event, window: &str) {
    report.end = report.end.max(event.at);
    report.reached = report.reached.max(event.part.order());
    let bound = |report: &mut Report, bound: Option<Bound>| report.bound = report.bound.or(bound);
    match &event.part {
        Part::ByHand => report.by_hand = true,
        Part::Invoked(invoked) => {
            report.by_hand |= invoked.order == Some(-1);
            report.invoked = Some(invoked.clone());
        }
        Part::Frame(frame) => {
            report.trace.memcg |= frame.memcg;
            report.trace.machine |= frame.machine;
            report.trace.charged = report.trace.charged.or(frame.charged);
        }
        Part::Scope { group, limited } => {
            report.limited = Some(limited.clone());
            report.group = group.clone().or(report.group.take());
            bound(report, Some(Bound::Memcg));
            report.telling = event.at;
        }
        Part::Counter(counter) => report.counters.push(counter.clone()),
        Part::Stat => report.stat.add(window),
        Part::Machine => report.machine.read(window),
        Part::Tasks(columns) => report.tasks = tasks::rows(columns, event.at, window),
        Part::Bound(named) => {
            bound(report, Some(*named));
            report.telling = event.at;
        }
        Part::Limited(path) => {
            report.limited = Some(path.clone());
            // Release candidates of 5.0 print `CONSTRAINT_NONE` beside it.
            report.bound = Some(Bound::Memcg);
        }
        Part::Grouped(path) => report.group = Some(path.clone()),
        Part::Chosen(chosen) => {
            report.chosen = Some(chosen.clone());
            bound(report, event.bound);
            report.telling = event.at;
        }
        Part::Group(path) => {
            report.whole_group = true;
            report.limited = report.limited.take().or(Some(path.clone()));
            bound(report, Some(Bound::Memcg));
        }
        Part::Killed(killed, by) => {
            bound(report, *by);
            if report.killed.last().is_none_or(|last| last.pid != killed.pid) {
                report.killed.push(killed.clone());
            }
            report.telling = event.at;
        }
        Part::Reaped(pid) => report.reaped.push(*pid),
        Part::Nobody(by) => {
            // Up to 5.0 the same words stand for a group, of which the counters then come first.
            if *by == Bound::Memcg || report.counters.is_empty() {
                bound(report, Some(*by));
            }
            report.nobody = true;
            report.telling = event.at;
        }
        Part::Panic => {
            report.panic = true;
            report.telling = event.at;
        }
    }
}
