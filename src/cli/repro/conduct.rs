//! One run from what was prepared to what is known of it in the end: predicted, conducted, explained.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::engines::Engine;
use super::progress::Line;
use crate::cli::diagnose::{self, Explained};
use crate::harness::conduct::{ConductError, Conducted, Conductor};
use crate::harness::supervise::Recording;
use crate::harness::verdict;
use crate::model::{EngineChoice, Role};
use crate::repro::outcome::{Run, Verdict};
use crate::repro::parts;
use crate::repro::predict::{self, Coefficients, Release};
use crate::repro::prediction::Prediction;
use crate::repro::scenario::Prepared;

/// RocksDB's release of a Flink version, for a prediction before anything is loaded.
pub fn release(prepared: &Prepared, version: crate::flink::Version) -> Release {
    match &prepared.experiment.engine {
        EngineChoice::Embedded => Release::from_text("8.10.0"),
        EngineChoice::Library { .. } => release_of(version),
    }
}

/// That which a version of Flink ships.
pub fn release_of(version: crate::flink::Version) -> Release {
    let shipped =
        crate::flink::profile::Profile::of(version).ok().map_or("8.10.0", |(profile, _)| profile.rocksdb.version);
    Release::from_text(shipped)
}

/// What the memory model says; nothing where there is no state.
pub fn predicted(prepared: &Prepared, release: Release) -> Option<Prediction> {
    let experiment = &prepared.experiment;
    if experiment.workload.operators.is_empty() {
        return None;
    }
    let known = Coefficients::shipped().ok()?;
    Some(predict::predict(&experiment.workload, &experiment.store, experiment.malloc, release, known))
}

/// Runs it, and adds what is said of it to `notes`.
pub fn run(
    conductor: &Conductor<'_>,
    prepared: &Prepared,
    release: Release,
    record: Option<PathBuf>,
    notes: &mut Vec<String>,
) -> Result<Run, ConductError> {
    let (conducted, mut run) = conducted(conductor, prepared, release, record, notes)?;
    let left = left(&conducted, prepared);
    run.verdict = left.and_then(|left| verdict::of(&left));
    Ok(run)
}

/// The same with what diagnose proposes, where a death left something.
pub fn run_and_explain(
    conductor: &Conductor<'_>,
    prepared: &Prepared,
    engine: &Engine,
    notes: &mut Vec<String>,
) -> Result<(Run, Option<Explained>), String> {
    let (conducted, mut run) = conducted(conductor, prepared, release(prepared, engine.version), None, notes)
        .map_err(|error| format!("could not {error}"))?;
    let Some(left) = left(&conducted, prepared) else { return Ok((run, None)) };
    let conf = conducted.directory.path().join("flink-conf.yaml");
    fs::write(&conf, &prepared.configuration)
        .map_err(|error| format!("could not write {}: {error}", conf.display()))?;
    let explained = diagnose::explain(&left, &conf, engine.version, Role::TaskManager);
    let explained = explained.map_err(|error| format!("{error:#}"))?;
    run.verdict = Some(Verdict::from(&explained.verdict));
    Ok((run, Some(explained)))
}

fn conducted(
    conductor: &Conductor<'_>,
    prepared: &Prepared,
    release: Release,
    record: Option<PathBuf>,
    notes: &mut Vec<String>,
) -> Result<(Conducted, Run), ConductError> {
    let name = format!("{}-{}", prepared.experiment.name, prepared.label.replace(' ', "-"));
    let prediction = predicted(prepared, release);
    let recording = record.map(|path| Recording { path, every: Duration::from_secs(1) });
    let mut line = Line::new(&format!("{} ({})", prepared.experiment.name, prepared.label), prepared.experiment.limit);
    let recorded = recording.as_ref().map(|recording| recording.path.display().to_string());
    let mut conducted = conductor.conduct(prepared, &name, recording, &mut |heard| line.hear(heard))?;
    drop(line);
    for note in conducted.notes.drain(..) {
        if !notes.contains(&note) {
            notes.push(note);
        }
    }
    let measured = parts::measured(&conducted.followed.moments, &prepared.experiment.store);
    let mut run = conducted.run(prepared, measured);
    run.prediction = prediction;
    run.recording = recorded;
    Ok((conducted, run))
}

/// What a kill leaves to explain: the kernel's report, RocksDB's LOGs, the configuration; nothing where nobody was killed.
fn left(conducted: &Conducted, prepared: &Prepared) -> Option<Vec<PathBuf>> {
    let directory = conducted.directory.path().join("left");
    fs::create_dir_all(&directory).ok()?;
    let mut left = Vec::new();
    let mut put = |name: &str, text: &str| {
        let path = directory.join(name);
        if fs::write(&path, text).is_ok() {
            left.push(path);
        }
    };
    put("kernel.txt", conducted.kernel()?);
    put("taskmanager.log", &logged(&prepared.configuration));
    if !conducted.followed.stderr.is_empty() {
        put("stderr.txt", &conducted.followed.stderr);
    }
    left.extend(conducted.logs.iter().map(|log| Path::to_owned(log)));
    Some(left)
}

/// What of a configuration is true of the worker too, as the log of a TaskManager begins with it (`GlobalConfiguration`):
/// the state backend's. The sizes of the process are those of a JVM that is not there.
fn logged(configuration: &str) -> String {
    let lines =
        configuration.lines().filter_map(|line| line.split_once(':')).filter(|(key, _)| key.starts_with("state."));
    let line = |(key, value): (&str, &str)| {
        let value = value.trim();
        format!(
            "INFO  org.apache.flink.configuration.GlobalConfiguration [] - Loading configuration property: {key}, {value}\n"
        )
    };
    lines.map(line).collect()
}
