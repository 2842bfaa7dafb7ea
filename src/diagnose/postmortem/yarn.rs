//! What YARN says of a container that it killed. The same death is told by the NodeManager, by the application's
//! diagnostics and twice by Flink's JobManager: by its container it is known to be one.

mod figures;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use super::beside;
use super::signal::{Death, Ended, Origin, Says, Signal, Strain};
use crate::artefact::command_line::{self, CommandLine};
use crate::artefact::excerpt::Excerpt;
use crate::artefact::yarn_container::{
    self as yarn, Diagnostics, Elastic, Kill, Memory, OverLimit, Process, Reason, SparkKill, Told,
};
use crate::model::{Area, Bytes, Killer};
use figures::Figures;

/// A quotation is no longer, in bytes.
const LONGEST_QUOTE: usize = 300;
/// What YARN prints of a container is under strain from this share of its limit on, in percent.
const NEARLY_FULL: u64 = 90;
/// No more deaths, and no more settings of those that died, are told.
const MOST: usize = 500;

/// What an excerpt says.
pub fn signals(excerpt: &Excerpt) -> Vec<Signal> {
    let told = yarn::diagnostics(excerpt.text());
    let over = told.over_limit.iter().filter_map(|told| Some((told.container.clone()?, told.what)));
    let reading = Reading { excerpt, over: over.collect(), told };
    let mut found = Vec::new();
    let mut deaths: Vec<(usize, Death)> = Vec::new();
    for kill in yarn::kills(excerpt.text()) {
        let command = command_of(&kill);
        let death = reading.killed(&kill, command.as_ref().map(|(_, command)| command));
        let is_full = deaths.len() >= MOST;
        match deaths.iter_mut().find(|(_, known)| is_same(known, &death)) {
            Some((_, known)) => learn(known, death),
            None if is_full => continue,
            None => deaths.push((kill.at, death)),
        }
        reading.beside(&kill, &mut found);
        if let Some((at, command)) = command {
            reading.given(at, &command, &mut found);
        }
    }
    for kill in yarn::spark_kills(excerpt.text()) {
        // Spark names no container; it tells again what YARN told.
        if !deaths.iter().any(|(_, known)| known.killer == killer(kill.memory)) {
            deaths.push((kill.at, of_spark(&kill)));
        }
    }
    for told in &reading.told.elastic {
        add(&mut deaths, told.at, of_elastic(told));
    }
    for told in &reading.told.over_limit {
        add(&mut deaths, told.at, of_over_limit(told));
    }
    reading.statuses(&mut deaths, &mut found);
    reading.reasons(&mut found);
    reading.usage(&deaths, &mut found);
    found.extend(deaths.into_iter().map(|(at, death)| reading.signal(Origin::Yarn, at, Says::Death(death))));
    found
}

/// An excerpt, and what is told in it beside the kills.
struct Reading<'e> {
    excerpt: &'e Excerpt,
    told: Diagnostics,
    /// What the monitor's log says in bytes, by container.
    over: BTreeMap<String, OverLimit>,
}

impl Reading<'_> {
    fn signal(&self, origin: Origin, at: usize, says: Says) -> Signal {
        let line = self.excerpt.line(at);
        let rest = line.text.get(at.saturating_sub(line.offset)..).unwrap_or(line.text).trim();
        let quote = rest.get(..rest.floor_char_boundary(LONGEST_QUOTE)).unwrap_or_default().to_owned();
        Signal { origin, file: 0, line: line.number, at: self.excerpt.at(at), quote, says }
    }

    fn killed(&self, kill: &Kill, command: Option<&CommandLine>) -> Death {
        let figures = Figures::of(kill, self.over_of(kill));
        let (area, because) = match kill.memory {
            Memory::Physical => physical(&figures, command),
            Memory::Virtual => (Area::Config, of_mapped(&figures, kill)),
        };
        Death {
            area: Some(area),
            because,
            pid: kill.pid,
            limit: figures.limit,
            usage: figures.usage,
            exact: figures.exact,
            process: kill.tree.main().map(|process| process.name.clone()),
            unit: kill.container.clone(),
            ..Death::by(killer(kill.memory))
        }
    }

    /// What the table shows beside the JVM, where it comes to what YARN counted.
    fn beside(&self, kill: &Kill, found: &mut Vec<Signal>) {
        let figures = Figures::of(kill, self.over_of(kill));
        let (Memory::Physical, Some(limit), Some(page)) = (kill.memory, figures.limit, figures.page) else { return };
        let main = kill.tree.main();
        let rows = kill.tree.processes.iter().filter_map(|process| {
            // A JVM that starts a program is there twice for a moment, and its pages are counted twice.
            let is_fork = |main: &Process| {
                // Commands that were cut off are alike for all.
                main.name == process.name && main.command == process.command && main.pid != process.pid
            };
            if main.is_some_and(is_fork) {
                return None;
            }
            let resident = Bytes::new(process.resident_pages?.checked_mul(page)?);
            Some(beside::Row { at: process.at, pid: process.pid, name: &process.name, resident })
        });
        let Some((at, strain)) = beside::strain(&rows.collect::<Vec<_>>(), limit) else { return };
        let says = Says::Strain(strain);
        // A death that is told twice has the same processes twice.
        if found.len() < MOST && !found.iter().any(|known| known.says == says) {
            found.push(self.signal(Origin::Yarn, at, says));
        }
    }

    fn over_of(&self, kill: &Kill) -> Option<OverLimit> {
        kill.container.as_ref().and_then(|container| self.over.get(container)).copied()
    }

    /// The JVM's flags and Flink's dynamic properties.
    fn given(&self, at: usize, command: &CommandLine, found: &mut Vec<Signal>) {
        let flags = [
            ("-Xmx", &command.xmx),
            ("-Xms", &command.xms),
            ("-XX:MaxDirectMemorySize", &command.direct),
            ("-XX:MaxMetaspaceSize", &command.metaspace),
        ];
        let flags = flags.into_iter().filter_map(|(key, flag)| Some((key.to_owned(), flag.as_ref()?.text.clone())));
        for (key, value) in flags.chain(command.dynamic.iter().cloned()) {
            let says = Says::Given { key, value };
            // A death that is told twice has the same processes twice.
            if found.len() < MOST && !found.iter().any(|known| known.says == says) {
                found.push(self.signal(Origin::Given, at, says));
            }
        }
    }

    fn statuses(&self, deaths: &mut Vec<(usize, Death)>, found: &mut Vec<Signal>) {
        let mut seen = BTreeSet::new();
        for told in &self.told.statuses {
            let memory = match told.what {
                -104 => Memory::Physical,
                -103 => Memory::Virtual,
                _ => continue,
            };
            let death = Death {
                area: Some(if memory == Memory::Physical { Area::Container } else { Area::Config }),
                because: format!("YARN's exit status {} stands for {} memory alone", told.what, name(memory)),
                unit: told.container.clone(),
                ..Death::by(killer(memory))
            };
            let known = |known: &Death| {
                known.killer == death.killer
                    && (death.unit.is_none() || known.unit.is_none() || known.unit == death.unit)
            };
            // The status of an ApplicationMaster stands before the sentence, and before its container is named.
            if deaths.len() < MOST && !deaths.iter().any(|(_, death)| known(death)) {
                deaths.push((told.at, death));
            }
        }
        for told in self.told.statuses.iter().filter(|told| (1..=255).contains(&told.what)) {
            let explains = |death: &Death| told.container.is_none() || death.unit == told.container;
            let is_explained = deaths.iter().any(|(_, death)| explains(death));
            if !is_explained && seen.insert((told.container.clone(), told.what)) {
                let ended = Ended { exit: Some(told.what), pid: None, unit: told.container.clone() };
                found.push(self.signal(Origin::Yarn, self.start_of(told.at), Says::Ended(ended)));
            }
        }
    }

    fn reasons(&self, found: &mut Vec<Signal>) {
        let mut seen = BTreeSet::new();
        let of_statuses = self
            .told
            .statuses
            .iter()
            .filter_map(|told| Some((told.at, Reason::of_status(told.what)?, told.container.clone())));
        let in_words = self.told.reasons.iter().map(|told| (told.at, told.what, told.container.clone()));
        let is_known = self.told.reasons.iter().any(|told| told.what != Reason::Aborted);
        // In words it is told more exactly than by a number.
        for (at, reason, container) in in_words.chain(of_statuses) {
            if !(reason == Reason::Aborted && is_known) && seen.insert((reason, container)) {
                let says = Says::OtherReason { reason: sentence(reason).to_owned(), ends: true };
                found.push(self.signal(Origin::Yarn, self.start_of(at), says));
            }
        }
    }

    fn usage(&self, deaths: &[(usize, Death)], found: &mut Vec<Signal>) {
        for told in &self.told.usage {
            let (usage, limit) = (told.what.physical.usage.bytes, told.what.physical.limit.bytes);
            let is_full = usage.get() / 100 >= limit.get() / 100 * NEARLY_FULL / 100 && limit > Bytes::ZERO;
            if is_full && !deaths.iter().any(|(_, death)| death.unit == told.container) {
                let strain = Strain {
                    name: "container-nearly-full",
                    area: Some(Area::Container),
                    text: format!("the container's processes used {usage} of {limit} physical memory"),
                    usage: Some(usage),
                    limit: Some(limit),
                };
                found.push(self.signal(Origin::Yarn, told.at, Says::Strain(strain)));
            }
        }
        if let Some(at) = self.told.nobody_to_kill {
            let strain = Strain {
                name: "elastic-nobody-to-kill",
                area: Some(Area::Container),
                text: "the node's containers met their common limit, and elastic memory control found none to kill"
                    .into(),
                usage: None,
                limit: None,
            };
            found.push(self.signal(Origin::Yarn, at, Says::Strain(strain)));
        }
    }

    /// The start of a line, where what is quoted would else begin in the midst of a sentence.
    fn start_of(&self, at: usize) -> usize {
        self.excerpt.line(at).offset
    }
}

fn killer(memory: Memory) -> Killer {
    match memory {
        Memory::Physical => Killer::YarnPmem,
        Memory::Virtual => Killer::YarnVmem,
    }
}

fn name(memory: Memory) -> &'static str {
    match memory {
        Memory::Physical => "physical",
        Memory::Virtual => "virtual",
    }
}

/// A kill that another place of the text told already.
fn add(deaths: &mut Vec<(usize, Death)>, at: usize, death: Death) {
    if deaths.len() < MOST && !deaths.iter().any(|(_, known)| known.unit == death.unit) {
        deaths.push((at, death));
    }
}

/// Whether two tell of one death: a container dies once.
fn is_same(one: &Death, other: &Death) -> bool {
    match (&one.unit, &other.unit) {
        (Some(one), Some(other)) => one == other,
        _ if one.killer != other.killer => false,
        _ if one.pid.is_some() && other.pid.is_some() => one.pid == other.pid,
        _ => (one.limit, one.usage) == (other.limit, other.usage),
    }
}

/// Takes over what is told better: in one place the dump may be cut off.
fn learn(known: &mut Death, other: Death) {
    if (!known.exact && other.exact) || (known.limit.is_none() && other.limit.is_some()) {
        (known.limit, known.usage, known.exact) = (other.limit, other.usage, other.exact);
    }
    if known.area == Some(Area::Container) && other.area == Some(Area::Config) {
        (known.area, known.because) = (other.area, other.because);
    }
    known.pid = known.pid.or(other.pid);
    known.process = known.process.take().or(other.process);
    known.unit = known.unit.take().or(other.unit);
}

/// The command line of the container's work, and where it stands.
fn command_of(kill: &Kill) -> Option<(usize, CommandLine)> {
    let process = kill.tree.main()?;
    let command = command_line::parse(&process.command).into_iter().next()?;
    Some((process.at, command.what))
}

/// What the sizes of the JVM come to against the container.
fn physical(figures: &Figures, command: Option<&CommandLine>) -> (Area, String) {
    let heap = command.and_then(|command| command.xmx.as_ref());
    let direct = command.and_then(|command| command.direct.as_ref());
    if let (Some(heap), Some(limit)) = (heap, figures.limit)
        && let Some(sum) = heap.bytes.get().checked_add(direct.map_or(0, |flag| flag.bytes.get()))
        && sum >= limit.get()
    {
        let direct = direct.map_or(String::new(), |flag| format!(" and -XX:MaxDirectMemorySize={}", flag.text));
        let sum = Bytes::new(sum);
        let because = format!(
            "-Xmx{}{direct} alone may take {sum}, the container has {limit}: nothing is left for metaspace, code, \
             threads and native memory",
            heap.text
        );
        return (Area::Config, because);
    }
    let because = match (figures.usage, figures.limit) {
        (Some(usage), Some(limit)) => {
            format!("the container's processes had {usage} resident, its limit is {limit}; by what is not said")
        }
        _ => String::new(),
    };
    (Area::Container, because)
}

fn of_mapped(figures: &Figures, kill: &Kill) -> String {
    let resident = kill
        .physical
        .map_or(String::new(), |pair| format!(", while {} of {} were resident", pair.usage.bytes, pair.limit.bytes));
    match (figures.usage, figures.limit) {
        (Some(usage), Some(limit)) => format!(
            "{usage} were mapped of {limit} virtual memory{resident}: what is mapped takes no memory, the check is the \
             cause"
        ),
        _ => format!("virtual memory was too much{resident}: what is mapped takes no memory, the check is the cause"),
    }
}

fn of_spark(kill: &SparkKill) -> Death {
    let exact = kill.pair.is_some_and(|pair| pair.usage.is_exact() && pair.limit.is_exact());
    Death {
        area: Some(if kill.memory == Memory::Physical { Area::Container } else { Area::Config }),
        because: kill.pair.map_or(String::new(), |pair| {
            format!("{} of {} {} memory were used", pair.usage.bytes, pair.limit.bytes, name(kill.memory))
        }),
        limit: kill.pair.map(|pair| pair.limit.bytes),
        usage: kill.pair.map(|pair| pair.usage.bytes),
        exact,
        ..Death::by(killer(kill.memory))
    }
}

fn of_elastic(told: &Told<Elastic>) -> Death {
    let because = match told.what.usage {
        Some((usage, limit)) => format!(
            "all containers of the node together met the limit of YARN's cgroup, and this one used {usage} when it had \
             asked for {limit}"
        ),
        None => {
            "all containers of the node together met the limit of YARN's cgroup; this one may be within its own".into()
        }
    };
    Death {
        area: Some(Area::Container),
        because,
        limit: told.what.usage.map(|(_, limit)| limit),
        usage: told.what.usage.map(|(usage, _)| usage),
        exact: told.what.usage.is_some(),
        unit: told.container.clone(),
        ..Death::by(Killer::YarnElastic)
    }
}

/// The line that the monitor writes before it kills does not say for which memory. What a container asks for is whole
/// mebibytes; its virtual memory is that times a ratio, 2.1 where nothing is set.
fn of_over_limit(told: &Told<OverLimit>) -> Death {
    let (limit, usage) = (told.what.limit, told.what.usage);
    let memory = if limit.get() % (1 << 20) == 0 { Memory::Physical } else { Memory::Virtual };
    Death {
        area: Some(if memory == Memory::Physical { Area::Container } else { Area::Config }),
        because: format!(
            "{usage} were used of {limit}: a limit of {} mebibytes is that of {} memory",
            if memory == Memory::Physical { "whole" } else { "no whole" },
            name(memory)
        ),
        limit: Some(limit),
        usage: Some(usage),
        exact: true,
        unit: told.container.clone(),
        ..Death::by(killer(memory))
    }
}

/// The end of "it was".
fn sentence(reason: Reason) -> &'static str {
    match reason {
        Reason::Aborted => "given back by its application, or lost with its node",
        Reason::Lost => "given up with its node, which was lost",
        Reason::Released => "released by its application",
        Reason::Disks => "stopped for bad disks of its node",
        Reason::Preempted => "preempted by YARN's scheduler",
        Reason::KilledByMaster => "killed by its ApplicationMaster",
        Reason::KilledByResourceManager => "killed by the ResourceManager",
        Reason::Completed => "ended with its application",
        Reason::KilledByScheduler => "stopped to make room for guaranteed containers",
        Reason::ExcessLogs => "killed for writing too much log",
        Reason::Invalid => "never started",
        Reason::Expired => "given back because it was not used in time",
        Reason::TimedOut => "ended because its task said nothing for too long",
        Reason::KilledByUser => "killed by a user",
    }
}
