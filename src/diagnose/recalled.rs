//! A recording as it is judged: what its lines say together, in memory that does not grow with them.

mod happened;
mod look;

#[cfg(test)]
mod tests;

use jiff::{SignedDuration, Timestamp};

pub use happened::{Happened, What};
pub use look::budget;

use super::ahead::{self, Ahead};
use super::examination::Examination;
use super::over_time::OverTime;
use super::trend::Timeline;
use super::trend::restarts::{self, Sources, Verdict};
use crate::artefact::recording::{Entry, Event, FORMAT, Header, Machine};
use crate::model::{Budget, Bytes, Limit, Measure, Observations, Pool};

/// So many looks are kept, thinned out evenly: 4 MB, more than eleven hours at one in 10 s.
const LOOKS: usize = 4096;

/// So many events are kept, the newest; and so many submissions of jobs.
const EVENTS: usize = 256;
const JOBS: usize = 1024;

/// The header of a recording that begins with a look; `boot` is the kernel's name for this boot.
pub fn header(first: &Examination, boot: Option<String>) -> Header {
    let budget = first.planned.as_ref().map(|survey| {
        let parts = survey.plan.budget.parts().iter();
        parts.map(|(component, figure)| (*component, figure.bytes)).collect()
    });
    Header {
        format: FORMAT,
        oomph: env!("CARGO_PKG_VERSION").to_owned(),
        since: first.sample.at,
        part: 0,
        target: first.sample.identity(),
        machine: Machine { boot, memory: first.sample.host.memory.as_ref().ok().copied() },
        limit: first.limit(),
        budget: budget.unwrap_or_default(),
    }
}

/// Takes the entries of a recording in, one after the other.
#[derive(Debug)]
pub struct Recalling {
    header: Option<Header>,
    timeline: Timeline,
    first: Option<Timestamp>,
    divided: Option<Observations>,
    happened: happened::Log,
    jobs: Vec<Timestamp>,
}

/// A whole recording, judged.
#[derive(Clone, Debug)]
pub struct Recalled {
    /// Its header, with the target, limit and budget of the end.
    pub header: Header,
    /// The first look.
    pub first: Timestamp,
    /// The last one.
    pub last: Observations,
    /// How many there are.
    pub looks: u64,
    /// What the pools show: the last look at which malloc was looked into, else the last look.
    pub examination: Examination,
    /// The budget, where the recording has a whole one.
    pub budget: Option<Budget>,
    /// The limit of the container.
    pub limit: Option<Bytes>,
    /// All looks.
    pub timeline: Timeline,
    /// Where everything goes.
    pub before: OverTime,
    /// What it meets.
    pub ahead: Vec<Ahead>,
    /// What happened, the newest 256.
    pub happened: Vec<Happened>,
    /// How much happened before those.
    pub more_happened: u64,
}

impl Default for Recalling {
    fn default() -> Recalling {
        Recalling {
            header: None,
            timeline: Timeline::of_capacity(LOOKS),
            first: None,
            divided: None,
            happened: happened::Log::of_capacity(EVENTS),
            jobs: Vec::new(),
        }
    }
}

impl Recalling {
    /// Takes the next entry in.
    pub fn take(&mut self, entry: Entry) {
        match entry {
            Entry::Header(header) => self.header = Some(header),
            Entry::Sample(look) => self.look(look),
            Entry::Event { at, what } => self.event(at, what),
        }
    }

    fn look(&mut self, look: Observations) {
        self.first = Some(self.first.map_or(look.at, |first| first.min(look.at)));
        if let Some(header) = &mut self.header {
            header.target = look.target.clone();
        }
        self.happened.look(self.timeline.latest(), &look);
        let same =
            |other: &Observations| other.target.pid == look.target.pid && other.target.started == look.target.started;
        if look.value(Measure::Pool(Pool::AllocatorRetained)).is_some() {
            self.divided = Some(look.clone());
        } else if self.divided.as_ref().is_some_and(|divided| !same(divided)) {
            self.divided = None;
        }
        self.timeline.push(look);
    }

    fn event(&mut self, at: Timestamp, what: Event) {
        if let Some(header) = &mut self.header {
            match &what {
                Event::Budget(parts) => header.budget.clone_from(parts),
                Event::Limit(limit) => header.limit = Ok(*limit),
                _ => {}
            }
        }
        if what.is_submission() {
            if self.jobs.len() == JOBS {
                self.jobs.remove(0);
            }
            self.jobs.push(at);
        }
        self.happened.event(at, what);
    }

    /// What all of it says; nothing where there was no look.
    pub fn judged(self) -> Option<Recalled> {
        let (header, last) = (self.header?, self.timeline.latest()?.clone());
        let budget = look::budget(&header);
        let mut before = OverTime::of(&self.timeline, &[]);
        if let Some(told) = by_jobs(&self.timeline, &self.jobs) {
            before.restarts = Some(told);
        }
        let of_container = last.value(Measure::CgroupLimit).map(Bytes::new);
        let limit = of_container.or(match header.limit {
            Ok(Limit::AtMost(limit)) => Some(limit),
            _ => None,
        });
        let shown = self.divided.unwrap_or_else(|| last.clone());
        let examination = Examination::recalled(shown, budget.as_ref()).with_history(&before);
        let ahead = ahead::ahead(&before, budget.as_ref(), limit);
        let (happened, more_happened) = self.happened.into_parts();
        Some(Recalled {
            header,
            first: self.first?,
            looks: self.timeline.looks(),
            last,
            examination,
            budget,
            limit,
            timeline: self.timeline,
            before,
            ahead,
            happened,
            more_happened,
        })
    }
}

/// What restarts leave behind by the times at which jobs were submitted, where those say enough. A job that is restarted
/// is not submitted again, so that dips may show more.
fn by_jobs(timeline: &Timeline, jobs: &[Timestamp]) -> Option<restarts::Restarts> {
    if jobs.is_empty() {
        return None;
    }
    let judged = restarts::judge(&Sources::of(timeline).floors(jobs));
    (!matches!(judged.verdict, Verdict::Unclear { .. })).then_some(judged)
}

impl Recalled {
    /// From the first look to the last.
    pub fn span(&self) -> SignedDuration {
        self.last.at.duration_since(self.first)
    }

    /// How the target ended, where that was seen.
    pub fn end(&self) -> Option<&str> {
        self.happened.iter().rev().find_map(|happened| match &happened.what {
            What::Event(Event::Gone { why }) if happened.at >= self.last.at => Some(why.as_str()),
            _ => None,
        })
    }

    /// How many processes the kernel killed in the container while it was recorded.
    pub fn kills(&self) -> u64 {
        let killed = self.happened.iter().filter_map(|happened| match happened.what {
            What::Killed(processes) => Some(processes),
            _ => None,
        });
        killed.fold(0, u64::saturating_add)
    }
}
