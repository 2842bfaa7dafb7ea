//! The workload whose memory in RocksDB is predicted beside the budget.

use std::path::Path;

use clap::Args;

use crate::cli::Exit;
use crate::cli::repro::prepare::{MallocArg, own_workload};
use crate::model::{Malloc, Workload};
use crate::report::Sheet;
use crate::repro::need::{self, Fit};
use crate::repro::predict::Coefficients;
use crate::repro::{scenarios, workload};

/// What workload.
#[derive(Debug, Args)]
#[command(next_help_heading = "RocksDB under a workload")]
pub struct WorkloadArgs {
    /// Predicts what this workload will take of the memory: a file (docs/workloads.md), or the name of a scenario of
    /// oomph repro.
    #[arg(long, value_name = "FILE|NAME")]
    workload: Option<String>,

    /// The allocator of the process.
    #[arg(long, value_enum, value_name = "MALLOC", default_value_t = MallocArg::Glibc, requires = "workload")]
    malloc: MallocArg,

    /// MALLOC_ARENA_MAX of the process.
    #[arg(long, value_name = "N", requires = "workload")]
    arenas: Option<u32>,
}

/// A workload to ask about.
pub struct Asked {
    workload: Workload,
    malloc: Malloc,
    known: &'static Coefficients,
}

impl WorkloadArgs {
    /// The workload, where one is told of; else how the run ends and why.
    pub fn read(&self) -> Result<Option<Asked>, (Exit, String)> {
        let Some(name) = &self.workload else { return Ok(None) };
        let workload = match scenarios::named(name) {
            Some(scenario) => workload::parse(scenario.name, scenario.workload)
                .map_err(|error| format!("could not read {}: {error}", scenario.name)),
            None if !Path::new(name).exists() => {
                Err(format!("could not find the workload {name}: there is no such file, and no scenario of that name"))
            }
            None => own_workload(Path::new(name)),
        };
        let workload = workload.map_err(|message| (Exit::Input, message))?;
        let known = Coefficients::shipped()
            .map_err(|error| (Exit::Input, format!("could not read the memory model's coefficients: {error}")))?;
        Ok(Some(Asked { workload, malloc: self.malloc.with(self.arenas), known }))
    }
}

impl Asked {
    /// Asks what it takes of the process of a sheet, and keeps the answer there.
    pub fn ask(&self, sheet: &mut Sheet) -> Exit {
        let Ok(survey) = &sheet.outcome else { return Exit::Clean };
        let answer = need::need(&self.workload, &sheet.config, survey, self.malloc, self.known);
        let found = answer.as_ref().map_or(true, |need| need.fit() == Fit::SmallOverhead);
        sheet.workload_need = Some(answer);
        if found { Exit::Findings } else { Exit::Clean }
    }
}
