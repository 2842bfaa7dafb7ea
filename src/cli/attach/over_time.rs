//! What was seen over time: `--recording`, and the arguments of `--watch`.

use std::io::{self, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use jiff::SignedDuration;

use super::Format;
use crate::cli::Exit;
use crate::cli::plan::width;
use crate::diagnose::recalled::{Recalled, Recalling};
use crate::probe::recording::{ReadError, Recording};
use crate::report::attach::recording::{self, Read, json};
use crate::report::sparkline::Signs;

/// Many looks in the place of one.
#[derive(Debug, Args)]
pub struct OverTimeArgs {
    /// Read what oomph record wrote in place of a process; the older parts beside it are read as well. - is standard
    /// input.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["pids", "all", "container", "cgroup", "root", "watch"])]
    pub recording: Option<PathBuf>,

    /// Look again and again, until the process ends: change and trend of each part.
    #[arg(long)]
    pub watch: bool,

    /// The time between two looks of --watch.
    #[arg(long, value_name = "TIME", default_value = "5s", requires = "watch", value_parser = interval)]
    pub interval: SignedDuration,
}

/// No interval is longer: a year.
const LONGEST: SignedDuration = SignedDuration::from_hours(8784);

/// A time between two looks, such as `10s`: a tenth of a second or more.
pub(in crate::cli) fn interval(text: &str) -> Result<SignedDuration, String> {
    let time: SignedDuration = text.parse().map_err(|_| "give a time such as 10s or 5m".to_owned())?;
    match time {
        short if short < SignedDuration::from_millis(100) => Err("a look takes longer: give 100ms or more".to_owned()),
        long if long > LONGEST => Err("give a year or less".to_owned()),
        time => Ok(time),
    }
}

/// Prints what a recording says.
pub fn recording(path: &Path, format: Format) -> anyhow::Result<Exit> {
    if !matches!(format, Format::Text | Format::Json) {
        anstream::eprintln!("error: a recording is printed as text or json");
        return Ok(Exit::Usage);
    }
    let name = if path == Path::new("-") { "standard input".to_owned() } else { path.display().to_string() };
    let (recalled, read) = recall(path).with_context(|| format!("could not read {name}"))?;
    let Some(recalled) = recalled else {
        anstream::eprintln!("error: {name} holds no look at a process");
        return Ok(Exit::Input);
    };
    let mut out = BufWriter::new(anstream::AutoStream::auto(io::stdout().lock()));
    let printed = match format {
        Format::Json => serde_json::to_writer_pretty(&mut out, &json::document(&recalled, &read))
            .map_err(io::Error::from)
            .and_then(|()| writeln!(out)),
        _ => write!(out, "{}", recording::page(&recalled, &read, width(), signs())),
    };
    printed.and_then(|()| out.flush()).context("could not print the recording")?;
    Ok(Exit::Clean)
}

pub fn recall(path: &Path) -> Result<(Option<Recalled>, Read), ReadError> {
    let mut recording = match path == Path::new("-") {
        true => Recording::stream(BufReader::new(io::stdin()))?,
        false => Recording::open(path)?,
    };
    let mut recalling = Recalling::default();
    while let Some(entry) = recording.read()? {
        recalling.take(entry);
    }
    let summary = recording.summary();
    let read = Read {
        lines: summary.lines,
        parts: summary.parts,
        missing_parts: summary.missing_parts,
        strangers: summary.strangers.iter().map(|path| path.display().to_string()).collect(),
    };
    Ok((recalling.judged(), read))
}

/// The signs that the locale can show; the first of the three variables that is set counts, as everywhere.
pub fn signs() -> Signs {
    let set = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().filter_map(|name| std::env::var(name).ok());
    let locale = set.into_iter().find(|value| !value.is_empty()).unwrap_or_default().to_ascii_uppercase();
    let is_unicode = locale.contains("UTF-8") || locale.contains("UTF8");
    if is_unicode { Signs::Blocks } else { Signs::Ascii }
}
