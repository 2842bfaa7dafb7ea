//! `oomph attach --summary`: a row a process, the tightest first.

use std::io::{self, Write};
use std::path::Path;

use anyhow::Context;
use clap::Args;

use super::look::{self, LookArgs};
use super::print::Format;
use crate::cli::Exit;
use crate::cli::plan::width;
use crate::diagnose::cluster::ClusterRow;
use crate::diagnose::examination::Examination;
use crate::diagnose::overview::{self, Overview};
use crate::diagnose::rocksdb_metrics::{Known, Sharing, rocksdb_of_flink};
use crate::probe::capture::{self, Listed};
use crate::probe::rest::{Patience, Rest};
use crate::probe::target;
use crate::report::attach::summary;

/// Many processes.
#[derive(Debug, Args)]
pub struct SummaryArgs {
    /// A row for each process, the tightest first: with --all those of this machine, with --rest alone all TaskManagers of a
    /// cluster.
    #[arg(long)]
    pub summary: bool,
}

/// A row for each TaskManager of a cluster.
pub fn of_cluster(url: Option<&str>, format: Format) -> anyhow::Result<Exit> {
    let Some(url) = url else {
        anstream::eprintln!("error: --summary of what? Give --all, PIDs, or --rest URL for a whole cluster");
        return Ok(Exit::Usage);
    };
    let asked = Rest::new(url, Patience::default()).and_then(|rest| rest.cluster());
    let cluster = match asked {
        Ok(cluster) => cluster,
        Err(error) => {
            anstream::eprintln!("error: {}", error.unseen());
            return Ok(Exit::Target);
        }
    };
    let version = cluster.version.as_deref().ok();
    let known = Known {
        rocksdb_version: version.and_then(rocksdb_of_flink).map(str::to_owned),
        sharing: cluster.configuration.as_deref().ok().and_then(Sharing::of_configuration),
        ..Known::default()
    };
    let rows = cluster.task_managers.iter().map(|task_manager| {
        let readings = cluster.readings_of(task_manager);
        let mut row = ClusterRow::of(task_manager, readings.as_deref().unwrap_or_default(), &known);
        if let Err(unseen) = readings {
            row.rocksdb.used = Err(unseen);
        }
        Overview::of_cluster(&row)
    });
    print(rows.collect(), format)
}

/// A row for each process that was looked at.
pub fn of_processes(examinations: &[Examination], format: Format) -> anyhow::Result<Exit> {
    let row =
        |examination: &Examination| Overview::of_examination(examination, format!("pid {}", examination.sample.pid));
    print(examinations.iter().map(row).collect(), format)
}

/// The captures in a directory that is none itself; nothing where it is one, or holds none.
pub fn captures_in(directory: &Path) -> Option<Vec<Listed>> {
    if !directory.is_dir() || capture::open(directory).is_ok() {
        return None;
    }
    capture::list(directory).ok().filter(|listed| !listed.is_empty())
}

/// A row for each capture, opened one after the other.
pub fn of_captures(listed: &[Listed], args: &LookArgs, format: Format) -> anyhow::Result<Exit> {
    let mut exit = Exit::Clean;
    let mut rows = Vec::new();
    for one in listed {
        let looked = capture::open(&one.path).and_then(|opened| {
            let target = target::of_pid(&opened.root, opened.pid.clone()?)?;
            look::examine(&opened.root, &target, args)
        });
        match looked {
            Ok(examination) => rows.push(Overview::of_examination(&examination, one.name.clone())),
            Err(unseen) => {
                anstream::eprintln!("error: {}: {unseen}", one.path.display());
                exit = Exit::Input;
            }
        }
    }
    print(rows, format).map(|printed| exit.max(printed))
}

fn print(mut rows: Vec<Overview>, format: Format) -> anyhow::Result<Exit> {
    overview::sort(&mut rows);
    let text = match format {
        Format::Text => summary::text(&rows, width()),
        Format::Json => serde_json::to_string_pretty(&summary::document(&rows))? + "\n",
        _ => {
            anstream::eprintln!("error: --summary is printed as text or json");
            return Ok(Exit::Usage);
        }
    };
    let mut out = anstream::AutoStream::auto(io::stdout().lock());
    out.write_all(text.as_bytes()).context("could not print the summary")?;
    Ok(Exit::Clean)
}
