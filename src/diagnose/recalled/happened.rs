//! What happened besides looks: events that were written, and what the looks themselves show.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

use crate::artefact::recording::Event;
use crate::model::{Measure, Observations};

/// A time without looks is a gap where it is this many times as long as the one before it.
const GAP: i32 = 3;

/// ... and longer than this: a look may be late.
const SHORTEST_GAP: SignedDuration = SignedDuration::from_secs(5);

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Happened {
    /// When.
    pub at: Timestamp,
    /// What.
    pub what: What,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// The recorder wrote it.
    Event(Event),
    /// Nobody looked for so long, up to then.
    Gap(SignedDuration),
    /// The kernel killed so many processes of the container.
    Killed(u64),
}

/// The newest of what happened.
#[derive(Debug)]
pub(super) struct Log {
    capacity: usize,
    kept: VecDeque<Happened>,
    dropped: u64,
    usual: Option<SignedDuration>,
}

impl Log {
    pub fn of_capacity(capacity: usize) -> Log {
        Log { capacity, kept: VecDeque::new(), dropped: 0, usual: None }
    }

    pub fn event(&mut self, at: Timestamp, event: Event) {
        self.push(at, What::Event(event));
    }

    /// Takes in what a look shows beside the one before it.
    pub fn look(&mut self, before: Option<&Observations>, look: &Observations) {
        let Some(before) = before else { return };
        let since = look.at.duration_since(before.at);
        let is_gap = self
            .usual
            .is_some_and(|usual| usual.checked_mul(GAP).is_some_and(|long| since > long) && since > SHORTEST_GAP);
        if is_gap {
            self.push(look.at, What::Gap(since));
        }
        self.usual = Some(since).filter(|since| since.is_positive()).or(self.usual);
        let is_other = (before.target.pid, before.target.started) != (look.target.pid, look.target.started);
        let told =
            |happened: &Happened| matches!(&happened.what, What::Event(Event::NewProcess(new)) if *new == look.target);
        if is_other && !self.kept.iter().rev().take(4).any(told) {
            self.push(look.at, What::Event(Event::NewProcess(look.target.clone())));
        }
        // A counter of the container's, which outlives a process but not the container.
        let kills = |look: &Observations| look.value(Measure::CgroupOomKills);
        if let (Some(earlier), Some(later)) = (kills(before), kills(look))
            && later > earlier
        {
            self.push(look.at, What::Killed(later - earlier));
        }
    }

    fn push(&mut self, at: Timestamp, what: What) {
        if self.kept.len() == self.capacity {
            self.kept.pop_front();
            self.dropped += 1;
        }
        self.kept.push_back(Happened { at, what });
    }

    pub fn into_parts(self) -> (Vec<Happened>, u64) {
        (self.kept.into(), self.dropped)
    }
}
