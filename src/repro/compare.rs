//! Two runs side by side, or a run beside a recording of a process: what differs, and what one of them does not tell.

use super::figures::Hundredths;
use super::outcome::{Ending, Run, Trial};
use super::prediction::Part;
use crate::diagnose::recalled::Recalled;
use crate::model::{Bytes, Limit, Measure, Pool};

/// One run as far as it can be compared, wherever it is from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Side {
    /// The scenario or workload; nothing for a recording.
    pub of: Option<String>,
    /// Which run: `fails`, `cured`; what was recorded.
    pub label: String,
    /// What ran, in a few words.
    pub what: String,
    /// What bounded it; nothing where that was not seen.
    pub limit: Option<Limit>,
    /// How it ended.
    pub end: End,
    /// Milliseconds that it took, or that it was looked at.
    pub millis: u64,
    /// Its values.
    pub values: Vec<(Figure, u64)>,
    /// What the reader should know of where the values are from.
    pub notes: Vec<String>,
}

/// How a side ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// Everything was done.
    Finished,
    /// Memory ended it.
    KilledForMemory,
    /// It ended otherwise, in these words.
    Otherwise(String),
    /// It was not seen to end.
    NotSeen,
}

/// Something that two sides may both have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Figure {
    /// Anonymous memory at most.
    PeakAnonymous,
    /// Anonymous memory most of the time.
    SteadyAnonymous,
    /// What the kernel counted against the limit, at most.
    PeakUsage,
    /// A part of the memory model at most.
    Peak(Part),
    /// A part of the memory model most of the time.
    Steady(Part),
    /// Bytes of all files at the end.
    Files,
    /// Bytes that flushes and compactions wrote for each byte of the workload, in hundredths.
    WriteAmplification,
    /// Records a second.
    RecordsPerSecond,
}

/// What a figure counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Bytes.
    Bytes,
    /// Hundredths of one.
    Hundredths,
    /// A number of things.
    Count,
}

impl Figure {
    /// All of them, in the order of tables.
    pub fn all() -> impl Iterator<Item = Figure> {
        let whole = [Figure::PeakAnonymous, Figure::SteadyAnonymous, Figure::PeakUsage];
        let rest = [Figure::Files, Figure::WriteAmplification, Figure::RecordsPerSecond];
        let (peaks, steady) = (Part::ALL.map(Figure::Peak), Part::ALL.map(Figure::Steady));
        whole.into_iter().chain(peaks).chain(steady).chain(rest)
    }

    /// What it counts.
    pub fn unit(self) -> Unit {
        match self {
            Figure::WriteAmplification => Unit::Hundredths,
            Figure::RecordsPerSecond => Unit::Count,
            _ => Unit::Bytes,
        }
    }

    /// The name in JSON.
    pub fn key(self) -> String {
        match self {
            Figure::PeakAnonymous => "peak_anonymous".to_owned(),
            Figure::SteadyAnonymous => "steady_anonymous".to_owned(),
            Figure::PeakUsage => "peak_usage".to_owned(),
            Figure::Peak(part) => format!("peak_{}", part.key()),
            Figure::Steady(part) => format!("steady_{}", part.key()),
            Figure::Files => "files".to_owned(),
            Figure::WriteAmplification => "write_amplification_hundredths".to_owned(),
            Figure::RecordsPerSecond => "records_per_second".to_owned(),
        }
    }
}

impl Side {
    /// A run of a scenario or of a workload.
    pub fn of_run(run: &Run, of: &str) -> Side {
        let whole = [(Figure::PeakAnonymous, run.peak_anonymous), (Figure::SteadyAnonymous, run.steady_anonymous)];
        let mut values: Vec<_> = whole.into_iter().filter_map(|(figure, seen)| Some((figure, seen?.get()))).collect();
        values.extend(run.peak_usage().map(|usage| (Figure::PeakUsage, usage.get())));
        for (part, measured) in &run.measured {
            values.push((Figure::Peak(*part), measured.peak.get()));
            values.push((Figure::Steady(*part), measured.steady.get()));
        }
        values.extend(run.last_said().map(|said| (Figure::Files, said.files)));
        values.extend(run.write_amplification().map(|Hundredths(ratio)| (Figure::WriteAmplification, ratio)));
        values.extend(run.records_per_second().map(|records| (Figure::RecordsPerSecond, records)));
        let release = run.release.as_deref().unwrap_or("of a release that it did not say");
        Side {
            of: Some(of.to_owned()),
            label: run.label.clone(),
            what: format!("RocksDB {release}, {}", run.experiment.malloc),
            limit: Some(run.experiment.limit),
            end: match &run.ending {
                Ending::Finished => End::Finished,
                ending if ending.is_death_of_memory() => End::KilledForMemory,
                Ending::Died { status, .. } => End::Otherwise(status.clone()),
                Ending::Failed(why) => End::Otherwise(why.clone()),
                Ending::OutOfTime => End::Otherwise("out of time".to_owned()),
                _ => End::Otherwise("interrupted".to_owned()),
            },
            millis: run.millis,
            values,
            notes: Vec::new(),
        }
    }

    /// All runs of a trial.
    pub fn of_trial(trial: &Trial) -> Vec<Side> {
        trial.runs.iter().map(|run| Side::of_run(run, &trial.scenario)).collect()
    }

    /// A recording: what was looked at and kept of it, which may miss a short peak.
    pub fn of_recording(recalled: &Recalled) -> Side {
        let series = |measure: Measure| -> Vec<u64> {
            recalled.timeline.series(measure).points().iter().map(|point| point.value).collect()
        };
        let mut values = Vec::new();
        let mut add = |peak: Figure, steady: Option<Figure>, of: &[u64]| {
            values.extend(of.iter().max().map(|most| (peak, *most)));
            values.extend(steady.and_then(|steady| Some((steady, usual(of)?))));
        };
        add(Figure::PeakAnonymous, Some(Figure::SteadyAnonymous), &series(Measure::RssAnon));
        add(Figure::PeakUsage, None, &series(Measure::CgroupUsage));
        let mut notes = vec!["its peaks are those of the looks that were kept".to_owned()];
        for (part, measures) in SEEN {
            let first = measures.iter().map(|measure| (measure, series(*measure))).find(|(_, seen)| !seen.is_empty());
            let Some((measure, seen)) = first else { continue };
            add(Figure::Peak(part), Some(Figure::Steady(part)), &seen);
            if *measure == Measure::RocksDbCacheUsage {
                notes.push("its block cache is what the cache is charged with, memtables in it included".to_owned());
            }
        }
        let files = recalled.last.value(Measure::RocksDbFiles);
        values.extend(files.map(|files| (Figure::Files, files)));
        let end = match (recalled.kills(), recalled.end()) {
            (0, None) => End::NotSeen,
            (0, Some(why)) => End::Otherwise(why.to_owned()),
            _ => End::KilledForMemory,
        };
        let span = recalled.last.at.duration_since(recalled.first).as_millis();
        Side {
            of: None,
            label: recalled.header.target.name.clone(),
            what: format!("recording of process {}", recalled.header.target.pid),
            limit: recalled.limit.map(Limit::AtMost).or(recalled.header.limit.clone().ok()),
            end,
            millis: u64::try_from(span).unwrap_or(0),
            values,
            notes,
        }
    }

    /// A figure; nothing where this side does not tell it.
    pub fn value(&self, figure: Figure) -> Option<u64> {
        self.values.iter().find(|(known, _)| *known == figure).map(|(_, value)| *value)
    }

    /// A name that tells it from the others of its file.
    pub fn name(&self) -> String {
        match &self.of {
            Some(of) if self.label.is_empty() => of.clone(),
            Some(of) => format!("{of} {}", self.label),
            None => self.label.clone(),
        }
    }
}

/// Where a recording shows a part, the measure to be asked first in front.
const SEEN: [(Part, &[Measure]); 4] = [
    (Part::BlockCache, &[Measure::Pool(Pool::BlockCache), Measure::RocksDbCacheUsage]),
    (Part::Memtables, &[Measure::RocksDbMemtables, Measure::Pool(Pool::Memtables)]),
    (Part::AllocatorWaste, &[Measure::Pool(Pool::AllocatorRetained)]),
    (Part::Stacks, &[Measure::Pool(Pool::ThreadStacks)]),
];

/// The median of the second half.
fn usual(values: &[u64]) -> Option<u64> {
    let mut half = values[values.len() / 2..].to_vec();
    half.sort_unstable();
    half.get(half.len() / 2).copied()
}

/// Two sides that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// Of the first file.
    pub a: Side,
    /// Of the second.
    pub b: Side,
}

/// A figure of a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Which.
    pub figure: Figure,
    /// The first side's; nothing where it does not tell it.
    pub a: Option<u64>,
    /// The second side's.
    pub b: Option<u64>,
}

impl Row {
    /// How much more the second has; nothing where one does not tell it.
    pub fn difference(&self) -> Option<i128> {
        Some(i128::from(self.b?) - i128::from(self.a?))
    }
}

impl Pair {
    /// The figures that at least one of the two tells.
    pub fn rows(&self) -> Vec<Row> {
        let row = |figure| Row { figure, a: self.a.value(figure), b: self.b.value(figure) };
        Figure::all().map(row).filter(|row| row.a.is_some() || row.b.is_some()).collect()
    }
}

/// Everything that two files have in common, and what only one has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// What belongs together.
    pub pairs: Vec<Pair>,
    /// Names of what only the first has.
    pub only_a: Vec<String>,
    /// Names of what only the second has.
    pub only_b: Vec<String>,
}

/// Runs of one name belong together. A file with a single run is held against every run of the other.
pub fn compare(a: &[Side], b: &[Side]) -> Comparison {
    let mut comparison = Comparison::default();
    let mut pair = |a: &Side, b: &Side| comparison.pairs.push(Pair { a: a.clone(), b: b.clone() });
    match (a, b) {
        ([a], several) if !several.iter().any(|b| b.name() == a.name()) => several.iter().for_each(|b| pair(a, b)),
        (several, [b]) if !several.iter().any(|a| a.name() == b.name()) => several.iter().for_each(|a| pair(a, b)),
        _ => {
            for a in a {
                b.iter().filter(|b| b.name() == a.name()).take(1).for_each(|b| pair(a, b));
            }
            let only = |of: &[Side], other: &[Side]| -> Vec<String> {
                let names = of.iter().map(Side::name);
                names.filter(|name| !other.iter().any(|side| side.name() == *name)).collect()
            };
            (comparison.only_a, comparison.only_b) = (only(a, b), only(b, a));
        }
    }
    comparison
}

/// How much a value grew, in percent of the first, rounded to the nearer; nothing where the first is zero.
pub fn percent(a: Bytes, b: Bytes) -> Option<i128> {
    let (a, b) = (i128::from(a.get()), i128::from(b.get()));
    let twice = (b - a) * 200;
    let half = if twice < 0 { -a } else { a };
    (twice + half).checked_div(a * 2)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use jiff::Timestamp;
    use rstest::rstest;

    use super::*;
    use crate::artefact::recording::{Entry, FORMAT, Header, Machine};
    use crate::diagnose::recalled::Recalling;
    use crate::model::{Identity, Observation, Observations, Origin};

    /// A recording in which anonymous memory and a cache grow by a byte a second.
    fn recorded(kills: u64) -> Recalled {
        let target = Identity { pid: 7, started: Some(1), role: None, name: "oomph-worker".to_owned() };
        let at = |second: u64| Timestamp::from_second(second as i64).unwrap();
        let look = |second: u64| {
            let seen = |measure, value| Observation { measure, value: Ok(value), origin: Origin::Status };
            let all = vec![
                seen(Measure::RssAnon, 100 + second),
                seen(Measure::RocksDbCacheUsage, 10 + second),
                seen(Measure::RocksDbCacheUsage, 1),
                seen(Measure::CgroupOomKills, if second == 9 { kills } else { 0 }),
            ];
            Entry::Sample(Observations { target: target.clone(), at: at(second), all })
        };
        let header = Header {
            format: FORMAT,
            oomph: "0.1.0".to_owned(),
            since: at(0),
            part: 0,
            target: target.clone(),
            machine: Machine::default(),
            limit: Ok(Limit::AtMost(Bytes::new(200))),
            budget: Vec::new(),
        };
        let mut recalling = Recalling::default();
        recalling.take(Entry::Header(header));
        (0..10).for_each(|second| recalling.take(look(second)));
        recalling.judged().unwrap()
    }

    #[test]
    fn a_recording_is_a_side_that_tells_what_it_saw() {
        let side = Side::of_recording(&recorded(0));
        assert_eq!(side.value(Figure::PeakAnonymous), Some(109));
        assert_eq!(side.value(Figure::SteadyAnonymous), Some(107));
        assert_eq!(side.value(Figure::Peak(Part::BlockCache)), Some(20));
        assert_eq!(side.value(Figure::WriteAmplification), None);
        assert_eq!((side.millis, side.limit), (9_000, Some(Limit::AtMost(Bytes::new(200)))));
        assert_eq!((side.end, side.notes.len()), (End::NotSeen, 2));
        assert_eq!(Side::of_recording(&recorded(1)).end, End::KilledForMemory);
    }

    fn side(of: &str, label: &str, values: &[(Figure, u64)]) -> Side {
        Side {
            of: Some(of.to_owned()),
            label: label.to_owned(),
            what: String::new(),
            limit: None,
            end: End::Finished,
            millis: 1,
            values: values.to_vec(),
            notes: Vec::new(),
        }
    }

    #[test]
    fn runs_of_one_name_belong_together() {
        let a = [side("s", "fails", &[]), side("s", "cured", &[]), side("t", "fails", &[])];
        let b = [side("s", "cured", &[]), side("u", "fails", &[])];
        let found = compare(&a, &b);
        assert_eq!(found.pairs.iter().map(|pair| pair.a.name()).collect::<Vec<_>>(), ["s cured"]);
        assert_eq!(found.only_a, ["s fails", "t fails"]);
        assert_eq!(found.only_b, ["u fails"]);
    }

    #[test]
    fn a_single_run_is_held_against_every_other() {
        let found = compare(&[side("w", "", &[])], &[side("s", "fails", &[]), side("s", "cured", &[])]);
        assert_eq!(found.pairs.len(), 2);
        assert!(found.only_a.is_empty() && found.only_b.is_empty());
    }

    #[test]
    fn what_one_side_does_not_tell_has_no_difference() {
        let pair = Pair {
            a: side("s", "a", &[(Figure::PeakAnonymous, 3), (Figure::Files, 9)]),
            b: side("s", "b", &[(Figure::PeakAnonymous, 1)]),
        };
        let rows = pair.rows();
        assert_eq!(rows.iter().map(Row::difference).collect::<Vec<_>>(), [Some(-2), None]);
        assert_eq!(rows[1], Row { figure: Figure::Files, a: Some(9), b: None });
    }

    #[rstest]
    #[case(100, 150, Some(50))]
    #[case(200, 199, Some(-1))]
    #[case(300, 299, Some(0))]
    #[case(0, 5, None)]
    #[case(u64::MAX, 0, Some(-100))]
    fn growth_is_in_percent_of_the_first(#[case] a: u64, #[case] b: u64, #[case] expected: Option<i128>) {
        assert_eq!(percent(Bytes::new(a), Bytes::new(b)), expected);
    }
}
