//! The kernel's reports of memory that ran out, and the files of a cgroup that count its kills.

mod area;
mod groups;

#[cfg(test)]
mod tests;

use super::beside;
use super::signal::{Death, Ended, Origin, Says, Signal, Strain};
use crate::artefact::excerpt::Excerpt;
use crate::artefact::kernel_oom::{self, Bound, Charged, Counting, Report, Task};
use crate::model::{Area, Bytes, Killer};

/// How many signals back the same end is looked for.
pub(super) const LOOK_BACK: usize = 200;

/// What an excerpt says.
pub fn signals(excerpt: &Excerpt) -> Vec<Signal> {
    let text = excerpt.text();
    let mut signals: Vec<Signal> = Vec::new();
    let containers = ["OOMKilling", "kubepods", "emory cgroup", "OOMKilled"].iter().any(|word| text.contains(word));
    for report in kernel_oom::reports(text) {
        let Some(says) = told(&report, containers) else { continue };
        if let Says::Death(death) = &says
            && let Some(known) = signals.iter_mut().rev().take(LOOK_BACK).find_map(|signal| same(signal, death))
        {
            complete(known, death);
            continue;
        }
        signals.push(signal(excerpt, Origin::Kernel, report.telling, says));
        signals
            .extend(confirmed(&report).map(|(at, strain)| signal(excerpt, Origin::Counters, at, Says::Strain(strain))));
        signals.extend(beside(&report).map(|(at, strain)| signal(excerpt, Origin::Kernel, at, Says::Strain(strain))));
    }
    // Told again by somebody, without the process and its numbers.
    if signals.is_empty()
        && let Some(at) = text.find("Memory cgroup out of memory")
    {
        let death = Death { area: Some(Area::Container), ..Death::by(Killer::KernelMemcg) };
        signals.push(signal(excerpt, Origin::Kernel, at, Says::Death(death)));
    }
    for at in kernel_oom::refused(text) {
        let strain = Strain {
            name: "kernel-allocation-failed",
            area: Some(Area::Other),
            text: "the kernel could not get memory for itself".to_owned(),
            usage: None,
            limit: None,
        };
        signals.push(signal(excerpt, Origin::Kernel, at, Says::Strain(strain)));
    }
    signals.extend(groups::signals(excerpt));
    signals
}

/// A signal of what stands at an offset.
pub(super) fn signal(excerpt: &Excerpt, origin: Origin, at: usize, says: Says) -> Signal {
    let line = excerpt.line(at);
    // Of a long line, what matters and a little before it.
    let inside = at.saturating_sub(line.offset);
    let from = if inside > 160 { line.text.floor_char_boundary(inside.saturating_sub(60)) } else { 0 };
    let part = line.text.get(from..).unwrap_or(line.text);
    let quote = part.get(..part.floor_char_boundary(300)).unwrap_or(part).trim().to_owned();
    Signal { origin, file: 0, line: line.number, at: excerpt.at(at), quote, says }
}

/// What a report says.
fn told(report: &Report, containers: bool) -> Option<Says> {
    let pid = report.victim();
    if report.invoked.is_none()
        && pid.is_none()
        && report.bound.is_none()
        && !report.trace.memcg
        && report.counters.is_empty()
        && !report.panic
    {
        // Only that memory was taken back from a process that had been killed, or that somebody pressed a key.
        let reaped = report.reaped.last()?;
        return Some(Says::Ended(Ended { exit: Some(137), pid: Some(*reaped), unit: None }));
    }
    let killer = killer(report, containers);
    let global = killer == Killer::KernelGlobal;
    let at_limit = if global { None } else { report.at_limit() };
    let (area, mut because) = area::of_report(report, global).unwrap_or((Area::Container, String::new()));
    if let (true, Some(charged)) = (because.is_empty(), report.trace.charged) {
        let what = match charged {
            Charged::Anonymous => "a process",
            Charged::File => "a file",
            Charged::Shmem => "shared memory",
            Charged::Kernel => "the kernel itself",
        };
        because = format!(
            "no counters are in the report; the page that was wanting was for {what}, and need not be what filled it"
        );
    }
    if report.by_hand {
        because = join("somebody asked the kernel to kill, by SysRq", &because);
    }
    if report.panic {
        because = join("the machine stopped instead of killing a process", &because);
    }
    if report.nobody {
        because = join("there was nobody whom the kernel might kill", &because);
    }
    Some(Says::Death(Death {
        killer,
        area: Some(area),
        because,
        pid,
        limit: at_limit.and_then(|counter| counter.limit),
        usage: at_limit.map(|counter| counter.usage).or_else(|| report.victim_resident()),
        exact: true,
        process: report.victim_name().map(str::to_owned),
        unit: report.group.as_deref().or(report.limited.as_deref()).and_then(unit),
    }))
}

fn join(first: &str, second: &str) -> String {
    if second.is_empty() { first.to_owned() } else { format!("{first}; {second}") }
}

/// Whether a cgroup's limit or the machine's end was reached; `containers`: whether the text around it is about those.
fn killer(report: &Report, containers: bool) -> Killer {
    let memcg = report.limited.is_some()
        || report.trace.memcg
        || report.stat.says_something()
        || report.counters.iter().any(|counter| counter.what != Counting::Swap);
    match report.bound {
        Some(Bound::Memcg) => return Killer::KernelMemcg,
        Some(Bound::Machine | Bound::Nodes) => return Killer::KernelGlobal,
        None if memcg => return Killer::KernelMemcg,
        None if report.trace.machine || report.machine.free.is_some() => return Killer::KernelGlobal,
        None if report.by_hand || report.panic => return Killer::KernelGlobal,
        None => {}
    }
    match &report.invoked {
        // A charge to a cgroup is kept as GFP_KERNEL for single pages; a page that the machine lacks is mostly one for
        // a process or a file, which has more flags.
        Some(invoked) => {
            let flags = invoked.flags.as_deref().unwrap_or("");
            let number = flags.split('(').next().unwrap_or("");
            let plain = ["0xd0", "0x24000c0", "0x24200c0", "0x14000c0", "0x6000c0", "0xcc0"].contains(&number);
            if plain && invoked.order == Some(0) { Killer::KernelMemcg } else { Killer::KernelGlobal }
        }
        // The line of the kill alone, which up to 4.19 names no bound: among words of containers it was most likely
        // theirs.
        None if containers => Killer::KernelMemcg,
        None => Killer::KernelGlobal,
    }
}

/// The counters of a report, where one is at its limit.
fn confirmed(report: &Report) -> Option<(usize, Strain)> {
    let counter = report.at_limit()?;
    let limit = counter.limit?;
    // A charge is for some pages at once, and huge pages for two MiB.
    if counter.usage.get().saturating_add(4 << 20) < limit.get() && counter.usage.get() < limit.get() / 50 * 49 {
        return None;
    }
    let name = match counter.what {
        Counting::Memory => "memory",
        Counting::MemorySwap => "memory and swap together",
        Counting::Kernel => "the kernel's own memory",
        Counting::Swap => "swap",
    };
    let failed = counter.failed.map_or_else(String::new, |failed| format!(", and {failed} charges had failed"));
    let kib = |bytes: Bytes| bytes.get() >> 10;
    let text = format!("{name} stood at {} of {} KiB{failed}", kib(counter.usage), kib(limit));
    let area = area::of_report(report, false).map(|(area, _)| area);
    Some((counter.at, Strain { name: "limit-hit", area, text, usage: Some(counter.usage), limit: Some(limit) }))
}

/// What the table of a group's tasks shows of processes beside its largest JVM.
fn beside(report: &Report) -> Option<(usize, Strain)> {
    let limit = report.at_limit()?.limit?;
    let row = |task| {
        let Task { at, pid, name, rss, .. }: &Task = task;
        Some(beside::Row { at: *at, pid: Some(*pid), name, resident: report.page().checked_mul(*rss)? })
    };
    beside::strain(&report.tasks.iter().filter_map(row).collect::<Vec<_>>(), limit)
}

/// The death that a signal tells, if it is that of the same process.
fn same<'s>(signal: &'s mut Signal, death: &Death) -> Option<&'s mut Death> {
    match &mut signal.says {
        Says::Death(known) if known.pid.is_some() && known.pid == death.pid && alike(known, death) => Some(known),
        _ => None,
    }
}

/// A process number is given again after a while: a name that differs is another process.
fn alike(one: &Death, other: &Death) -> bool {
    one.process.is_none() || other.process.is_none() || one.process == other.process
}

/// Fills what a death lacks with what a second report of it says.
fn complete(known: &mut Death, again: &Death) {
    if known.limit.is_none() && again.limit.is_some() {
        (known.limit, known.usage, known.killer) = (again.limit, again.usage, again.killer);
    }
    if known.because.is_empty() && !again.because.is_empty() {
        (known.area, known.because) = (again.area, again.because.clone());
    }
    known.usage = known.usage.or(again.usage);
    known.process = known.process.take().or_else(|| again.process.clone());
    known.unit = known.unit.take().or_else(|| again.unit.clone());
}

/// The part of a cgroup's path by which others know it too: the id of a container, the uid of a pod with its blanks as
/// they stand in Kubernetes, or the last part.
pub(super) fn unit(path: &str) -> Option<String> {
    let last = path.trim_end_matches('/').rsplit('/').next().filter(|last| !last.is_empty())?;
    // `kubepods-…:cri-containerd:ID` where containerd does not go through systemd.
    let last = last.rsplit(':').next().unwrap_or(last);
    let name = last.strip_suffix(".scope").or_else(|| last.strip_suffix(".slice")).unwrap_or(last);
    let id = name.rsplit('-').next().unwrap_or(name);
    if id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Some(id.to_owned());
    }
    if let Some((_, uid)) = name.rsplit_once("pod")
        && uid.len() >= 32
    {
        return Some(uid.replace('_', "-"));
    }
    Some(last.to_owned())
}
