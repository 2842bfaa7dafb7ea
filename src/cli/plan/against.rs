//! `--against` and `--against-flink`: two configurations, or two versions of one, side by side.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;

use super::super::Exit;
use super::{Format, PlanArgs, Request, unreadable, width};
use crate::config::layers::Remark;
use crate::config::load::{Choice, Input, LoadError, Loaded, Reason};
use crate::flink::Version;
use crate::flink::profile::Profile;
use crate::model::{Place, Source};
use crate::report::{Sheet, comparison};

/// What to compare a plan with.
#[derive(Debug, Args)]
pub struct AgainstArgs {
    /// Compare with this configuration: what moves where, in bytes. A file, a directory or - for standard input; -D,
    /// --set and --env hold for both.
    #[arg(long, value_name = "CONF", conflicts_with_all = ["explain", "batch", "job_plan", "parallelism", "vary"])]
    against: Option<PathBuf>,

    /// Compare with what this Flink version makes of the configuration, or of the one that --against names.
    #[arg(long, value_name = "VERSION", conflicts_with_all = ["explain", "batch", "job_plan", "parallelism", "vary"])]
    against_flink: Option<Version>,
}

impl AgainstArgs {
    /// Whether a comparison is asked for.
    pub fn is_asked(&self) -> bool {
        self.against.is_some() || self.against_flink.is_some()
    }
}

/// Plans both sides and prints what differs.
pub fn run(args: &PlanArgs, request: &Request, out: &mut impl Write) -> anyhow::Result<Exit> {
    let AgainstArgs { against, against_flink } = &args.against;
    let [first] = &request.inputs[..] else {
        anstream::eprintln!("error: --against compares one configuration with another one: name one CONF");
        return Ok(Exit::Usage);
    };
    let other = match against {
        None => first.clone(),
        Some(path) if path.as_os_str() == "-" => Input::Stdin,
        Some(path) => Input::Path(path.clone()),
    };
    if against.is_some() && *first == Input::Stdin && other == Input::Stdin {
        anstream::eprintln!("error: standard input can be read once: give - once");
        return Ok(Exit::Usage);
    }
    if !matches!(args.format, Format::Text | Format::Json | Format::Yaml) {
        anstream::eprintln!("error: a comparison is printed as text, json or yaml");
        return Ok(Exit::Usage);
    }
    let sheets = match (against, against_flink) {
        (None, Some(version)) => two_versions(args, request, first, *version),
        _ => two_inputs(args, request, first, &other),
    };
    let sheets = match sheets {
        Ok(sheets) => sheets,
        Err(error) => return Ok(unreadable(&error, args.flink.is_some() || against_flink.is_some())),
    };
    print(args, &sheets, out).context("could not print the comparison")?;
    out.flush().context("could not print the comparison")?;
    let refused = sheets.iter().any(|sheet| sheet.outcome.is_err());
    Ok(if refused { Exit::Findings } else { Exit::Clean })
}

fn two_inputs(args: &PlanArgs, request: &Request, a: &Input, b: &Input) -> Result<[Sheet; 2], LoadError> {
    let asked = args.against.against_flink.or(args.flink);
    let first = request.sheet(args, a, request.only(args, a, args.flink)?)?;
    let second = request.sheet(args, b, request.only(args, b, asked)?)?;
    Ok([first, second])
}

/// The same text under another version's eyes, read once: standard input has no second reading.
fn two_versions(args: &PlanArgs, request: &Request, input: &Input, version: Version) -> Result<[Sheet; 2], LoadError> {
    let loaded = request.only(args, input, args.flink)?;
    let source = loaded.subject.file.as_ref().map_or(Source::Supposed, |file| file.source.clone());
    let (profile, found) =
        Profile::of(version).map_err(|error| LoadError::Version { path: source.to_string(), source: error })?;
    let choice = Choice { version, profile, found, reason: Reason::Asked };
    let kind = loaded.subject.file.as_ref().map(|file| file.kind).filter(|kind| !kind.is_read_by(profile));
    let remarks = kind.map(|kind| Remark {
        place: Place::of(source),
        text: format!(
            "Flink {version} does not read a {kind}: it is planned as if its keys stood in the {} that it reads",
            kind.other()
        ),
    });
    let mut subject = loaded.subject.clone();
    subject.remarks.extend(remarks);
    let again = Loaded { choice, subject };
    Ok([request.sheet(args, input, loaded)?, request.sheet(args, input, again)?])
}

fn print(args: &PlanArgs, sheets: &[Sheet; 2], out: &mut impl Write) -> anyhow::Result<()> {
    let [a, b] = sheets;
    match args.format {
        Format::Json => {
            serde_json::to_writer_pretty(&mut *out, &comparison::json::document(a, b))?;
            writeln!(out)?;
        }
        Format::Yaml => write!(out, "{}", serde_yaml::to_string(&comparison::json::document(a, b))?)?,
        _ => write!(out, "{}", comparison::text(a, b, width()))?,
    }
    Ok(())
}
