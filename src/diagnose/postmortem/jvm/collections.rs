//! Logs of collections: whether one ends in an error for want of memory, by its own words or by what it shows.

use super::signal;
use crate::artefact::excerpt::{Excerpt, GAP};
use crate::artefact::gc_log::{Collection, Event, GcLog, Kind};
use crate::diagnose::postmortem::signal::{Death, Origin, Says, Signal, Strain};
use crate::model::{Area, Bytes, Killer};

/// As many collections in a row that free nothing end in an error: the last of them clears soft references too.
const ROW: usize = 2;
/// As many collections may stand behind the row: threads that the error has ended leave some room.
const BEHIND: usize = 3;

pub(super) fn signals(excerpt: &Excerpt, log: &GcLog) -> Vec<Signal> {
    let mut found = Vec::new();
    let row = last_row(log, excerpt.text());
    let full = log.collections.iter().rev().find(|one| one.kind != Kind::Young);
    let heap = full.or(log.collections.last());
    let (usage, limit) = heap.map_or((None, None), |one| (Some(one.heap.after), one.heap.capacity.or(log.max_heap)));
    let limit = log.max_heap.or(limit);
    let told = |event: Event| log.events.iter().find(|(_, told)| *told == event).map(|(offset, _)| *offset);
    let proof = [Event::OutOfMemory, Event::ReportsOutOfMemory, Event::OverTimeLimit]
        .into_iter()
        .find_map(|event| Some((event, told(event)?)));
    if let Some((offset, because)) = classes(log) {
        let usage_of = log.collections.iter().rev().find_map(|one| one.metaspace);
        let death = Death {
            area: Some(Area::Metaspace),
            because,
            usage: usage_of.map(|change| change.after),
            ..Death::by(Killer::Jvm)
        };
        found.push(signal(excerpt, offset, Origin::GcLog, Says::Death(death)));
        return found;
    }
    if let Some((event, offset)) = proof {
        let mut because = match event {
            Event::OutOfMemory => "the collector says that an allocation failed for good".to_owned(),
            Event::ReportsOutOfMemory => {
                "the log has the safepoint at which an OutOfMemoryError is reported".to_owned()
            }
            _ => "collecting took more than 98 % of the time, after which the JVM throws an error".to_owned(),
        };
        if let (Some(usage), Some(limit)) = (usage, limit) {
            because = format!("{because}; after the last collection {usage} of {limit} were in use");
        }
        found.push(signal(excerpt, offset, Origin::GcLog, Says::Death(by_heap(because, usage, limit))));
    } else if let Some(row) = &row {
        let says = if row.ends(log) {
            Says::Death(by_heap(row.told(), Some(row.used), limit.or(row.capacity)))
        } else {
            strain("full-collections", row.area, row.told(), Some(row.used), row.capacity)
        };
        found.push(signal(excerpt, row.offset, Origin::GcLog, says));
    }
    found.extend(perm(excerpt, log));
    found.extend(pressure(excerpt, log));
    found
}

fn by_heap(because: String, usage: Option<Bytes>, limit: Option<Bytes>) -> Death {
    Death { area: Some(Area::Heap), because, usage, limit, ..Death::by(Killer::Jvm) }
}

fn strain(name: &'static str, area: Area, text: String, usage: Option<Bytes>, limit: Option<Bytes>) -> Says {
    Says::Strain(Strain { name, area: Some(area), text, usage, limit })
}

/// Full collections in a row that free nothing.
struct Row {
    /// Where the last of it stands.
    offset: usize,
    /// How many.
    length: usize,
    /// What they are of.
    area: Area,
    used: Bytes,
    capacity: Option<Bytes>,
    /// Of which kind the last is.
    kind: Kind,
    /// Whether hardly anything was free.
    is_full: bool,
    /// Whether no lines are left out behind.
    is_last: bool,
    /// How many collections come behind.
    behind: usize,
    /// Whether they come behind it and freed much of the heap.
    recovered: bool,
}

impl Row {
    /// The log ends with it, so that what comes next can only be the error.
    fn ends(&self, log: &GcLog) -> bool {
        // ZGC says itself when an allocation has failed for good.
        if self.kind == Kind::Concurrent || !self.is_last {
            return false;
        }
        let exits = log.events.iter().any(|(offset, event)| *event == Event::Exit && *offset > self.offset);
        let dumps = log.events.iter().any(|(_, event)| *event == Event::HeapDump);
        // A heap with room may still have none in one piece: then the JVM's end says so.
        self.behind <= BEHIND && (exits || dumps || (self.is_full && !self.recovered))
    }

    fn told(&self) -> String {
        let of = self.capacity.map_or_else(String::new, |capacity| format!(" of {capacity}"));
        format!("{} full collections in a row freed nothing: {}{of} stayed in use", self.length, self.used)
    }
}

/// Hardly anything is freed of a heap that is more than half in use.
fn is_fruitless(one: &Collection, log: &GcLog) -> bool {
    one.kind != Kind::Young
        && !one.is_asked_for()
        && is_filled(one, log, 60)
        && one.freed().get() <= one.heap.after.get() / 50
}

/// Whether so many parts of a hundred of what is committed stayed in use, and the heap cannot grow much more.
fn is_filled(one: &Collection, log: &GcLog, percent: u64) -> bool {
    let used = one.heap.after.get();
    let of = |capacity: u64| used >= capacity / 100 * percent;
    let largest = log.max_heap.map(Bytes::get).filter(|largest| *largest >= used);
    match (one.heap.capacity.map(Bytes::get), one.heap.percent) {
        (Some(capacity), _) => of(capacity) && largest.is_none_or(|largest| used >= largest / 2),
        (None, Some(filled)) => filled >= percent,
        (None, None) => false,
    }
}

fn last_row(log: &GcLog, text: &str) -> Option<Row> {
    let all = &log.collections;
    let mut rows: Vec<(usize, usize)> = Vec::new();
    let mut length = 0;
    let mut before = 0;
    for (index, one) in all.iter().enumerate() {
        // Collections that are left out between two may have freed anything.
        if text.get(before..one.offset).is_some_and(|between| between.contains(GAP)) {
            length = 0;
        }
        before = one.offset;
        if is_fruitless(one, log) {
            length += 1;
            if length >= ROW {
                rows.push((index, length));
            }
        } else if one.kind != Kind::Young || one.freed().get() > one.heap.after.get() / 20 {
            length = 0;
        }
    }
    let (index, length) = rows.last().copied()?;
    let last = all.get(index)?;
    let behind = all.get(index + 1..).unwrap_or_default();
    Some(Row {
        offset: last.offset,
        length,
        area: Area::Heap,
        used: last.heap.after,
        capacity: last.heap.capacity.or(log.max_heap),
        kind: last.kind,
        is_full: is_filled(last, log, 90),
        is_last: !text.get(last.offset..).is_some_and(|behind| behind.contains(GAP)),
        behind: behind.len(),
        recovered: behind.iter().any(|one| one.heap.after.get() < last.heap.after.get() / 2),
    })
}

/// Two last attempts to find room for classes that freed none, or one and then the JVM's end.
fn classes(log: &GcLog) -> Option<(usize, String)> {
    let last: Vec<&Collection> = log.collections.iter().filter(|one| one.is_for_classes() && !one.is_perm).collect();
    let kept = |one: &&&Collection| one.metaspace.is_none_or(|change| change.after >= change.before);
    let fruitless = last.iter().filter(kept).count();
    let is_end = last.last().is_some_and(|last| {
        log.collections.last().is_some_and(|end| end.offset == last.offset)
            && log.events.iter().any(|(offset, event)| *event == Event::Exit && *offset > last.offset)
    });
    let first = last.first().filter(|_| fruitless >= ROW || (fruitless == 1 && is_end))?;
    let used = last
        .iter()
        .rev()
        .find_map(|one| one.metaspace)
        .map_or_else(String::new, |change| format!(", and {} stayed in use", change.after));
    Some((
        first.offset,
        format!("{fruitless} of the collections that are the last attempt to find room for classes freed none{used}"),
    ))
}

/// PermGen that is full and stays so.
fn perm(excerpt: &Excerpt, log: &GcLog) -> Option<Signal> {
    let full = log.collections.iter().rev().find(|one| {
        one.is_perm
            && one.kind == Kind::Full
            && one.metaspace.is_some_and(|change| {
                change.capacity.is_some_and(|capacity| change.after.get() >= capacity.get() - capacity.get() / 100)
            })
    })?;
    let change = full.metaspace?;
    let text = format!("a full collection left {} in PermGen", change.after);
    Some(signal(
        excerpt,
        full.offset,
        Origin::GcLog,
        strain("full-collections", Area::Metaspace, text, Some(change.after), change.capacity),
    ))
}

/// What slows a JVM and kills nobody.
fn pressure(excerpt: &Excerpt, log: &GcLog) -> Vec<Signal> {
    let mut found = Vec::new();
    if let Some(first) = log.collections.iter().find(|one| one.exhausted) {
        let number = log.collections.iter().filter(|one| one.exhausted).count();
        let text = format!("{number} collections had no room to copy to");
        found.push(signal(
            excerpt,
            first.offset,
            Origin::GcLog,
            strain("to-space-exhausted", Area::Heap, text, None, None),
        ));
    }
    let stalls = log.events.iter().filter(|(_, event)| *event == Event::Stall);
    if let Some((offset, _)) = stalls.clone().next() {
        let text = format!("threads waited {} times for the collector", stalls.count());
        found.push(signal(excerpt, *offset, Origin::GcLog, strain("allocation-stall", Area::Heap, text, None, None)));
    }
    if let Some((offset, _)) = log.events.iter().find(|(_, event)| *event == Event::NearTimeLimit) {
        let text = "collecting took nearly 98 % of the time".to_owned();
        found.push(signal(excerpt, *offset, Origin::GcLog, strain("gc-overhead", Area::Heap, text, None, None)));
    }
    found
}
