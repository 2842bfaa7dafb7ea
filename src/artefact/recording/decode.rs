//! Lines to observations and events.

use jiff::Timestamp;
use serde::de::DeserializeOwned;

use super::wire::{self, EventLine, HeaderLine, Kind, LayoutLine, ReasonLine, SampleLine, TargetLine, Value};
use super::{Entry, FORMAT, KNOWN, Refused, Tally, seal};
use crate::model::{Identity, Measure, Observation, Observations, Origin, Unseen};

/// Reads one line after the other. What it keeps is what lines explained: at most 256 targets, layouts and reasons each.
#[derive(Debug, Default)]
pub struct Decoder {
    begun: bool,
    targets: Vec<Option<Identity>>,
    layouts: Vec<Option<Layout>>,
    reasons: Vec<Option<Unseen>>,
    tally: Tally,
}

/// What the values of a sample are; nothing for a measure that this oomph does not know.
type Layout = Vec<Option<(Measure, Origin)>>;

impl Decoder {
    /// One that has read nothing.
    pub fn new() -> Decoder {
        Decoder::default()
    }

    /// What has been read so far, and what could not be.
    pub fn tally(&self) -> Tally {
        self.tally
    }

    /// Whether a first line has been seen.
    pub fn has_begun(&self) -> bool {
        self.begun
    }

    /// What a line says; nothing where it only explains others or cannot be read, which is counted. `ended` is whether
    /// its end was there: a last line without one is only taken where its checksum proves it whole.
    ///
    /// # Errors
    /// Where it is the first line, or that of a later part, and none that this version reads.
    pub fn line(&mut self, line: &[u8], ended: bool) -> Result<Option<Entry>, Refused> {
        let is_head = line.starts_with(seal::HEAD.as_bytes());
        if !self.begun && !is_head {
            // A disk that filled up within the first line; the recorder wrote it again behind that.
            let torn = ended && !line.is_empty() && seal::HEAD.as_bytes().starts_with(line);
            self.tally.damaged += u64::from(torn);
            return if torn { Ok(None) } else { Err(Refused::Foreign) };
        }
        if is_head && let Some(major) = major(line).filter(|major| *major != FORMAT.major) {
            return Err(Refused::Newer { major });
        }
        self.begun = true;
        if line.is_empty() {
            return Ok(None);
        }
        if !seal::is_whole(line) {
            match ended {
                true => self.tally.damaged += 1,
                false => self.tally.torn_end = true,
            }
            return Ok(None);
        }
        Ok(self.whole(line))
    }

    /// Counts a line that is longer than any that is written.
    pub fn too_long(&mut self) {
        self.tally.damaged += 1;
    }

    fn whole(&mut self, line: &[u8]) -> Option<Entry> {
        let kind: Kind = self.parsed(line)?;
        match kind.k.as_str() {
            wire::HEADER => {
                // One of another version that is not written as `HEAD` is written is no recorder's.
                let header = self.parsed::<HeaderLine>(line)?.header().filter(|it| it.format.major == FORMAT.major);
                match header {
                    Some(header) => {
                        // A part explains everything anew.
                        (self.targets, self.layouts, self.reasons) = Default::default();
                        return Some(Entry::Header(header));
                    }
                    None => self.tally.damaged += 1,
                }
            }
            wire::TARGET => {
                let TargetLine { n, target, .. } = self.parsed(line)?;
                let kept = keep(&mut self.targets, n, target.identity());
                self.tally.damaged += u64::from(!kept);
            }
            wire::LAYOUT => {
                let LayoutLine { n, m, o, .. } = self.parsed(line)?;
                let of = |(measure, at): (&String, &String)| Some((Measure::of_key(measure)?, wire::origin(at)?));
                let kept = m.len() == o.len() && keep(&mut self.layouts, n, m.iter().zip(&o).map(of).collect());
                self.tally.damaged += u64::from(!kept);
            }
            wire::REASON => {
                let ReasonLine { n, why, grant, .. } = self.parsed(line)?;
                let kept = keep(&mut self.reasons, n, Unseen { why, grant });
                self.tally.damaged += u64::from(!kept);
            }
            wire::SAMPLE => {
                let sample = self.parsed(line)?;
                return self.sample(sample);
            }
            wire::EVENT => {
                let event: EventLine = self.parsed(line)?;
                let Ok(at) = Timestamp::from_millisecond(event.t) else {
                    self.tally.damaged += 1;
                    return None;
                };
                let Some(what) = event.event() else {
                    self.tally.unknown_lines += 1;
                    return None;
                };
                self.tally.events += 1;
                return Some(Entry::Event { at, what });
            }
            _ => self.tally.unknown_lines += 1,
        }
        None
    }

    fn parsed<T: DeserializeOwned>(&mut self, line: &[u8]) -> Option<T> {
        let parsed = serde_json::from_slice(line).ok();
        self.tally.damaged += u64::from(parsed.is_none());
        parsed
    }

    fn sample(&mut self, sample: SampleLine) -> Option<Entry> {
        let (Some(Some(target)), Some(Some(layout))) = (self.targets.get(sample.p), self.layouts.get(sample.l)) else {
            self.tally.unexplained += 1;
            return None;
        };
        let at = Timestamp::from_millisecond(sample.t).ok().filter(|_| layout.len() == sample.v.len());
        let Some(at) = at else {
            self.tally.damaged += 1;
            return None;
        };
        let mut all = Vec::with_capacity(layout.len());
        for (known, value) in layout.iter().zip(&sample.v) {
            let Some((measure, origin)) = *known else {
                self.tally.unknown_values += 1;
                continue;
            };
            let value = match *value {
                Value::Seen(value) => Ok(value),
                Value::Unseen(number) => Err(match self.reasons.get(number) {
                    Some(Some(reason)) => reason.clone(),
                    _ => Unseen::because("the line of the recording that says why is damaged"),
                }),
            };
            all.push(Observation { measure, value, origin });
        }
        self.tally.samples += 1;
        Some(Entry::Sample(Observations { at, target: target.clone(), all }))
    }
}

/// Puts something in its place; refuses a number that no encoder gives.
fn keep<T>(all: &mut Vec<Option<T>>, number: usize, what: T) -> bool {
    if number >= KNOWN {
        return false;
    }
    while all.len() <= number {
        all.push(None);
    }
    all[number] = Some(what);
    true
}

/// The major version in a first line, whatever the rest of it looks like.
fn major(line: &[u8]) -> Option<u32> {
    let rest = line.strip_prefix(seal::HEAD.as_bytes())?.strip_prefix(br#","format":""#)?;
    let end = rest.iter().position(|byte| !byte.is_ascii_digit())?;
    std::str::from_utf8(&rest[..end]).ok()?.parse().ok()
}
