//! What happened in which order: the last good moment, the first symptom, the death, and what followed from it.

use std::sync::LazyLock;

use jiff::tz::Offset;
use regex::Regex;

use super::judge::Judged;
use super::signal::{Says, Signal};
use crate::artefact::excerpt::Moment;

/// So many lines of one kind are worth reading.
const MOST: usize = 5;

/// A line of the timeline.
#[derive(Clone, Copy, Debug)]
pub struct Event<'s> {
    /// When, as the line says it.
    pub at: Moment,
    /// What it is.
    pub kind: Kind,
    /// Who says what.
    pub signal: &'s Signal,
}

/// What a line of the timeline is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// The last sign that all was well before the first symptom.
    LastGood,
    /// The first sign that it was not.
    FirstSymptom,
    /// One more of those.
    Symptom,
    /// The death.
    Death,
    /// An end of which the reason is not said.
    End,
    /// What followed.
    Consequence,
    /// Something that had another reason.
    Other,
}

impl Kind {
    /// The name in a text.
    pub fn label(self) -> &'static str {
        match self {
            Kind::LastGood => "last good",
            Kind::FirstSymptom => "first symptom",
            Kind::Symptom => "symptom",
            Kind::Death => "death",
            Kind::End => "end",
            Kind::Consequence => "consequence",
            Kind::Other => "other reason",
        }
    }
}

/// An offset from UTC behind a time: `2018-09-20T14:31:34.114+0800`.
static OFFSET: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"\d{2}:\d{2}:\d{2}(?:[.,]\d{1,9})?([+-])(\d{2}):?(\d{2})\b").ok());

/// The time zone of who wrote the times without one: that of a neighbour who says his, since they ran side by side.
fn zone(events: &[Event<'_>]) -> Option<Offset> {
    let zoned = events.iter().filter(|event| matches!(event.at, Moment::Zoned(_)));
    let mut offsets = zoned.filter_map(|event| {
        let found = OFFSET.as_ref()?.captures(&event.signal.quote)?;
        let part = |index: usize| found.get(index).map(|part| part.as_str());
        let seconds = part(2)?.parse::<i32>().ok()? * 3600 + part(3)?.parse::<i32>().ok()? * 60;
        Offset::from_seconds(if part(1)? == "-" { -seconds } else { seconds }).ok()
    });
    offsets.next()
}

/// The timeline of a case, in the order of the clocks; lines whose clocks cannot be compared stand in the order of their
/// inputs. What bears no time is not in it.
pub fn timeline<'s>(judged: &Judged<'s>) -> Vec<Event<'s>> {
    let case = &judged.case;
    let dated = |signal: &'s Signal, kind: Kind| signal.at.map(|at| Event { at, kind, signal });
    let deaths: Vec<Event<'s>> = case.told().filter_map(|(signal, _)| dated(signal, Kind::Death)).collect();
    let of = |wanted: fn(&Says) -> bool, kind: Kind| {
        let mut events: Vec<Event<'s>> = case
            .signals
            .iter()
            .filter(|signal| wanted(&signal.says))
            .filter_map(|signal| dated(signal, kind))
            .collect();
        sort(&mut events);
        events
    };
    let mut symptoms = of(|says| matches!(says, Says::Strain(_)), Kind::Symptom);
    if let Some(first) = symptoms.first_mut() {
        first.kind = Kind::FirstSymptom;
    }
    let ends = of(|says| matches!(says, Says::Ended(_)), Kind::End);
    let consequences = of(|says| matches!(says, Says::Consequence), Kind::Consequence);
    let others = of(|says| matches!(says, Says::OtherReason { .. }), Kind::Other);
    let bad = || [&symptoms, &deaths, &ends, &consequences].into_iter().filter_map(|events| events.first());
    // The last one before the first bad one, on the same clock.
    let good = of(|says| matches!(says, Says::Well), Kind::LastGood);
    let good = good.iter().rfind(|good| bad().all(|bad| !is_after(good.at, bad.at))).copied();
    let mut all: Vec<Event<'s>> = good.into_iter().collect();
    for events in [symptoms, deaths, ends, consequences, others] {
        all.extend(spread(events));
    }
    let mixed = all.iter().any(|event| matches!(event.at, Moment::Local(_)));
    if let Some(zone) = zone(&all).filter(|_| mixed) {
        for event in &mut all {
            if let Moment::Zoned(at) = event.at {
                event.at = Moment::Local(zone.to_datetime(at));
            }
        }
    }
    sort(&mut all);
    all
}

/// The first ones, and the last where there are more.
fn spread(events: Vec<Event<'_>>) -> Vec<Event<'_>> {
    let more = events.len() > MOST;
    let last = events.last().copied().filter(|_| more);
    events.into_iter().take(if more { MOST - 1 } else { MOST }).chain(last).collect()
}

fn sort(events: &mut [Event<'_>]) {
    events.sort_by_key(|event| (clock(event.at), event.at, event.signal.file, event.signal.line));
}

/// Which clock a time is of. Times without a zone are taken for those of the machine that wrote the zoned ones: nobody
/// says otherwise, and a file has mostly the one or the other.
fn clock(at: Moment) -> u8 {
    match at {
        Moment::Since(_) => 0,
        Moment::Zoned(_) => 1,
        Moment::Local(_) => 2,
        Moment::Yearless(_) => 3,
    }
}

fn is_after(one: Moment, other: Moment) -> bool {
    clock(one) == clock(other) && one > other
}
