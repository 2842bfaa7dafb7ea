//! Version 1 of the JSON of `oomph repro`. Its schema is `docs/schema/repro-v1.json`, which a test keeps equal to these types.
//! Sizes are bytes, times milliseconds; what was not seen is null. `oomph repro compare` reads it again.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::NotRun;
use super::words::end;
use crate::model::{Bytes, Experiment};
use crate::repro::compare::{Comparison, Pair, Side, Unit};
use crate::repro::figures::thinned;
use crate::repro::outcome::{Run, Trial};
use crate::repro::prediction::Prediction;

/// What stands in `oomph` of a result.
const RESULT: &str = "repro";

/// The version of these formats.
const VERSION: u32 = 1;

/// So many moments of a run are kept: enough for a chart, and a few hundred kilobytes.
const MOMENTS: usize = 1000;

/// What came out of scenarios and runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Document {
    /// `repro`.
    oomph: String,
    /// 1.
    version: u32,
    /// The release of oomph that wrote it.
    written_by: String,
    /// Whether all scenarios that were run held; null where none was.
    held: Option<bool>,
    /// A line a run: the figures that are asked for most.
    summary: Vec<SummaryV1>,
    /// Scenarios that were run.
    pub trials: Vec<TrialV1>,
    /// Runs of workloads that belong to no scenario.
    pub runs: Vec<Run>,
    /// Scenarios that were not run. They count as nothing.
    not_run: Vec<NotRunV1>,
}

/// A run in short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct SummaryV1 {
    /// The scenario; null where the run belongs to none.
    scenario: Option<String>,
    /// Which run.
    label: String,
    /// `finished`, `kernel kill`, `watchdog`, `died`, `gave up`, `out of time` or `interrupted`.
    end: String,
    /// Milliseconds that it took.
    millis: u64,
    /// What it might take; null where nothing bounded it.
    limit: Option<Bytes>,
    /// What counted against the limit at most; null where there was no group.
    peak_usage: Option<Bytes>,
    /// Anonymous memory at most.
    peak_anonymous: Option<Bytes>,
    /// Anonymous memory at most, as it was predicted.
    predicted_peak_anonymous: Option<Bytes>,
    /// Bytes written to files for each byte of the workload, times 100.
    write_amplification_hundredths: Option<u64>,
}

/// A scenario that was run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TrialV1 {
    /// Whether all that it states held.
    held: bool,
    /// Everything of it.
    #[serde(flatten)]
    pub trial: Trial,
}

/// A scenario that was not run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct NotRunV1 {
    /// Its name.
    scenario: String,
    /// Its title.
    title: String,
    /// What it needs.
    needs: String,
}

/// Why a result cannot be read again.
#[derive(Debug, Error)]
pub enum ReadError {
    /// No JSON, or not of this form.
    #[error("read it as a result of oomph repro: {0}")]
    Form(#[from] serde_json::Error),
    /// JSON of something else.
    #[error("read it as a result of oomph repro: it does not say that it is one")]
    Another,
    /// Written by a newer oomph.
    #[error("read version {found} of a result of oomph repro: this oomph knows version {VERSION}")]
    Version {
        /// The version that it says.
        found: u64,
    },
}

/// The document of scenarios that were run, of runs without a scenario, and of what was not run.
pub fn document(trials: &[Trial], runs: &[Run], not_run: &[NotRun]) -> Document {
    let of_trials = trials.iter().flat_map(|trial| trial.runs.iter().map(move |run| summary(Some(trial), run)));
    let thin =
        |run: &Run| Run { moments: thinned(&run.moments, MOMENTS).into_iter().cloned().collect(), ..run.clone() };
    let trial = |trial: &Trial| TrialV1 {
        held: trial.holds(),
        trial: Trial { runs: trial.runs.iter().map(thin).collect(), ..trial.clone() },
    };
    Document {
        oomph: RESULT.to_owned(),
        version: VERSION,
        written_by: env!("CARGO_PKG_VERSION").to_owned(),
        held: (!trials.is_empty()).then(|| trials.iter().all(Trial::holds)),
        summary: of_trials.chain(runs.iter().map(|run| summary(None, run))).collect(),
        trials: trials.iter().map(trial).collect(),
        runs: runs.iter().map(thin).collect(),
        not_run: not_run
            .iter()
            .map(|scenario| NotRunV1 {
                scenario: scenario.name.clone(),
                title: scenario.title.clone(),
                needs: scenario.needs.clone(),
            })
            .collect(),
    }
}

fn summary(trial: Option<&Trial>, run: &Run) -> SummaryV1 {
    SummaryV1 {
        scenario: trial.map(|trial| trial.scenario.clone()),
        label: run.label.clone(),
        end: end(&run.ending).to_owned(),
        millis: run.millis,
        limit: run.limit(),
        peak_usage: run.peak_usage(),
        peak_anonymous: run.peak_anonymous,
        predicted_peak_anonymous: run.prediction.as_ref().map(|prediction| prediction.peak.expected),
        write_amplification_hundredths: run.write_amplification().map(|ratio| ratio.0),
    }
}

/// Reads a result again.
///
/// # Errors
///
/// Where it is none, or of another version.
pub fn read(text: &str) -> Result<Document, ReadError> {
    let value: serde_json::Value = serde_json::from_str(text)?;
    if value.get("oomph").and_then(serde_json::Value::as_str) != Some(RESULT) {
        return Err(ReadError::Another);
    }
    match value.get("version").and_then(serde_json::Value::as_u64) {
        Some(version) if version == u64::from(VERSION) => Ok(serde_json::from_value(value)?),
        Some(found) => Err(ReadError::Version { found }),
        None => Err(ReadError::Another),
    }
}

impl Document {
    /// The scenarios in it.
    pub fn trials(&self) -> impl Iterator<Item = &Trial> {
        self.trials.iter().map(|held| &held.trial)
    }

    /// All runs in it as sides of a comparison.
    pub fn sides(&self) -> Vec<Side> {
        let of_trials = self.trials.iter().flat_map(|held| Side::of_trial(&held.trial));
        of_trials.chain(self.runs.iter().map(|run| Side::of_run(run, &run.experiment.workload.name))).collect()
    }
}

/// What the memory model says of an experiment.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PredictionDocument<'p> {
    /// `repro-prediction`.
    oomph: &'static str,
    /// 1.
    version: u32,
    /// What would be run.
    experiment: &'p Experiment,
    /// What it will take.
    prediction: &'p Prediction,
}

/// The document of `oomph repro predict`.
pub fn prediction<'p>(experiment: &'p Experiment, prediction: &'p Prediction) -> PredictionDocument<'p> {
    PredictionDocument { oomph: "repro-prediction", version: VERSION, experiment, prediction }
}

/// Two results side by side.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ComparisonDocument {
    /// `repro-comparison`.
    oomph: &'static str,
    /// 1.
    version: u32,
    /// What belongs together.
    pairs: Vec<PairV1>,
    /// What only the first has.
    only_a: Vec<String>,
    /// What only the second has.
    only_b: Vec<String>,
}

/// Two runs.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct PairV1 {
    /// The first one's name.
    a: String,
    /// The second one's name.
    b: String,
    /// What at least one of them tells.
    figures: Vec<FigureV1>,
    /// What is to be known of the first's values.
    notes_a: Vec<String>,
    /// What is to be known of the second's values.
    notes_b: Vec<String>,
}

/// A figure of two runs.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct FigureV1 {
    /// Its name.
    name: String,
    /// `bytes`, `hundredths` or `count`.
    unit: &'static str,
    /// The first's; null where it does not tell it.
    a: Option<u64>,
    /// The second's.
    b: Option<u64>,
    /// How much more the second has.
    difference: Option<i64>,
}

/// The document of `oomph repro compare`.
pub fn comparison(comparison: &Comparison) -> ComparisonDocument {
    let figures = |pair: &Pair| {
        let rows = pair.rows().into_iter();
        rows.map(|row| FigureV1 {
            name: row.figure.key(),
            unit: match row.figure.unit() {
                Unit::Bytes => "bytes",
                Unit::Hundredths => "hundredths",
                Unit::Count => "count",
            },
            a: row.a,
            b: row.b,
            difference: row.difference().and_then(|difference| i64::try_from(difference).ok()),
        })
        .collect()
    };
    let pairs = comparison.pairs.iter().map(|pair| PairV1 {
        a: pair.a.name(),
        b: pair.b.name(),
        figures: figures(pair),
        notes_a: pair.a.notes.clone(),
        notes_b: pair.b.notes.clone(),
    });
    ComparisonDocument {
        oomph: "repro-comparison",
        version: VERSION,
        pairs: pairs.collect(),
        only_a: comparison.only_a.clone(),
        only_b: comparison.only_b.clone(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use super::*;
    use crate::report::repro::made;
    use crate::repro::prediction::Part;

    #[test]
    fn what_is_written_is_read_again() {
        let trial = made::trial();
        let written = document(std::slice::from_ref(&trial), &[made::run("")], &[]);
        let text = serde_json::to_string(&written).unwrap();
        let read = read(&text).unwrap();
        assert_eq!(read, written);
        assert_eq!(read.trials[0].trial, trial);
        assert_eq!(read.sides().len(), 3);
    }

    #[test]
    fn a_result_is_what_the_schema_says() {
        let written = document(&[made::trial()], &[made::run("")], &[]);
        let schema = serde_json::to_value(schemars::schema_for!(Document)).unwrap();
        let validator = jsonschema::validator_for(&schema).unwrap();
        let value = serde_json::to_value(&written).unwrap();
        assert!(
            validator.is_valid(&value),
            "{:?}",
            validator.iter_errors(&value).map(|e| e.to_string()).collect::<Vec<_>>()
        );
    }

    #[test]
    fn a_long_run_keeps_its_peak_and_a_thousand_moments() {
        let mut run = made::run("long");
        run.moments = (0..5000).map(|at| made::moment(at * 100, if at == 3210 { 999 } else { 20 })).collect();
        let written = document(&[], &[run], &[]);
        assert!(written.runs[0].moments.len() <= MOMENTS && written.runs[0].moments.len() > MOMENTS / 3);
        let peak = written.runs[0].moments.iter().map(|moment| moment.anonymous).max();
        assert_eq!(peak, Some(Bytes::mib(999)));
    }

    #[test]
    fn parts_have_one_name_in_json_everywhere() {
        for part in Part::ALL {
            assert_eq!(serde_json::to_value(part).unwrap(), part.key());
        }
    }

    #[test]
    fn what_is_no_result_is_refused_in_words() {
        let error = |text: &str| read(text).unwrap_err().to_string();
        assert!(error("{").starts_with("read it as a result of oomph repro: EOF"));
        assert_eq!(error("{}"), "read it as a result of oomph repro: it does not say that it is one");
        assert_eq!(error("[1]"), "read it as a result of oomph repro: it does not say that it is one");
        assert_eq!(
            error(r#"{"oomph":"repro","version":2}"#),
            "read version 2 of a result of oomph repro: this oomph knows version 1"
        );
        assert!(error(r#"{"oomph":"repro","version":1}"#).contains("missing field"));
    }
}
