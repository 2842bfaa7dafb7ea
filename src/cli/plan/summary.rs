//! `oomph plan DIR... --summary`: a row for each job among many files.

use std::io::Write;
use std::path::Path;

use anyhow::Context;
use clap::Args;
use ignore::WalkBuilder;

use super::{Exit, Format, PlanArgs, Request};
use crate::config::FileKind;
use crate::config::load::{self, Input, LoadError};
use crate::report::summary::{self, GroupBy, Summary};
use crate::report::{Sheet, summary as report};

/// Many files.
#[derive(Debug, Args)]
pub struct SummaryArgs {
    /// A row for each job among all files of the given folders: what it reserves, and what of that nobody uses.
    #[arg(long, conflicts_with_all = [
        "explain", "batch", "want", "against", "against_flink", "vary", "migrate", "job_plan", "parallelism",
    ])]
    pub summary: bool,

    /// How rows of --summary are put together: folder, or label:NAME.
    #[arg(long, value_name = "HOW", default_value = "folder", value_parser = group_by, requires = "summary")]
    pub by: GroupBy,
}

fn group_by(text: &str) -> Result<GroupBy, String> {
    match text.split_once(':') {
        None if text == "folder" => Ok(GroupBy::Folder),
        Some(("label", name)) if !name.is_empty() => Ok(GroupBy::Label(name.to_owned())),
        _ => Err("write folder, or label:NAME".to_owned()),
    }
}

/// Walks, plans and prints.
pub fn run(args: &PlanArgs, request: &Request, out: &mut impl Write, width: usize) -> anyhow::Result<Exit> {
    if !matches!(args.format, Format::Text | Format::Csv | Format::Json) {
        anstream::eprintln!("error: --summary is printed as text, csv or json");
        return Ok(Exit::Usage);
    }
    let mut exit = Exit::Clean;
    let mut sheets: Vec<Sheet> = Vec::new();
    for input in &request.inputs {
        let (found, walked) = match input {
            Input::Path(path) if path.is_dir() => (files(path), true),
            other => (vec![other.clone()], false),
        };
        for input in found {
            for sheet in request.sheets(args, &input) {
                match sheet {
                    // What a walk comes across need not be Flink's.
                    Ok(sheet) if walked && !is_flinks(&sheet) => {}
                    Err(LoadError::Untold { .. }) if walked => {}
                    Ok(sheet) => {
                        if sheet.outcome.is_err() {
                            exit = exit.max(Exit::Findings);
                        }
                        sheets.push(sheet);
                    }
                    Err(error) => {
                        anstream::eprintln!("error: could not {error}");
                        exit = exit.max(Exit::Input);
                    }
                }
            }
        }
    }
    print(args.format, &report::summary(&sheets, &args.summary.by), out, width)
        .context("could not print the summary")?;
    Ok(exit)
}

/// The files below a folder that may configure Flink, in order; what `.gitignore` leaves out is left out.
fn files(folder: &Path) -> Vec<Input> {
    let walk = WalkBuilder::new(folder).sort_by_file_name(Ord::cmp).require_git(false).build();
    let found = walk.filter_map(|entry| entry.inspect_err(|error| anstream::eprintln!("warning: {error}")).ok());
    let paths = found.filter(|entry| entry.file_type().is_some_and(|kind| kind.is_file()));
    paths.map(|entry| entry.into_path()).filter(|path| may_configure(path.as_path())).map(Input::Path).collect()
}

/// Flink's own two names, and YAML or JSON that is a manifest.
fn may_configure(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    if FileKind::of_name(name).is_some() {
        return true;
    }
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    ["yaml", "yml", "json"].contains(&extension) && load::is_manifest(path)
}

/// Whether a configuration sets any option that Flink knows.
fn is_flinks(sheet: &Sheet) -> bool {
    sheet.config.iter().any(|(key, _)| sheet.choice.profile.option(key).is_some())
}

fn print(format: Format, summary: &Summary, out: &mut impl Write, width: usize) -> anyhow::Result<()> {
    match format {
        Format::Json => {
            serde_json::to_writer_pretty(&mut *out, summary)?;
            writeln!(out)?;
        }
        Format::Csv => {
            let mut csv = csv::Writer::from_writer(out);
            for row in &summary.rows {
                csv.serialize(row)?;
            }
            csv.flush()?;
        }
        _ => write!(out, "{}", summary::text(summary, width))?,
    }
    Ok(())
}
