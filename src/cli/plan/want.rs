//! `oomph plan --want`: what to change so that a process has wanted sizes.

use std::io::Write;

use anyhow::Context;
use clap::Args;

use super::{Format, PlanArgs, Request, machine, width};
use crate::cli::Exit;
use crate::plan;
use crate::recommend::change::applied;
use crate::recommend::want::{self, Want};
use crate::report::{self, Proposal, Sheet, json};

/// What is wanted of a process.
#[derive(Debug, Args)]
pub struct WantArgs {
    /// Say what to change so that this has exactly this size: task.heap=2g, process=4g, rocksdb.cache=512m, ... May be
    /// given several times.
    #[arg(long, value_name = "NAME=SIZE", conflicts_with_all = [
        "against", "against_flink", "vary", "migrate", "job_plan", "parallelism",
    ])]
    pub want: Vec<String>,
}

/// Answers for every input.
pub fn run(args: &PlanArgs, request: &Request, out: &mut impl Write) -> anyhow::Result<Exit> {
    if !matches!(args.format, Format::Text | Format::Json | Format::Yaml) || args.explain {
        return Ok(usage("--want is answered as text, json or yaml only, without --explain"));
    }
    let (sheets, mut exit) = request.gather(args);
    let mut proposals = Vec::new();
    for sheet in sheets {
        let role = sheet.question.role;
        let wants: Result<Vec<Want>, _> = args.wanted.want.iter().map(|text| Want::parse(text, role)).collect();
        let wants = match wants {
            Ok(wants) => wants,
            Err(error) => return Ok(usage(&format!("--want: {error}"))),
        };
        if let Err(error) = want::check(&wants, sheet.choice.profile, role) {
            return Ok(usage(&format!("--want: {error}")));
        }
        let proposal = propose(args, sheet, &wants);
        if proposal.answer.is_err() {
            exit = exit.max(Exit::Findings);
        }
        proposals.push(proposal);
    }
    print(args, &proposals, out).context("could not print the proposal")?;
    out.flush().context("could not print the proposal")?;
    Ok(exit)
}

fn usage(message: &str) -> Exit {
    anstream::eprintln!("error: {message}");
    Exit::Usage
}

fn propose(args: &PlanArgs, mut sheet: Sheet, wants: &[Want]) -> Proposal {
    let profile = sheet.choice.profile;
    let answer = want::solve(&sheet.config, profile, &sheet.question, wants);
    sheet.cures = None;
    if let Ok(solution) = &answer {
        sheet.config = applied(&sheet.config, &solution.changes);
        sheet.outcome = plan::survey(&sheet.config, profile, &sheet.question, machine(args));
    }
    Proposal { sheet, wants: wants.to_vec(), answer }
}

fn print(args: &PlanArgs, proposals: &[Proposal], out: &mut impl Write) -> anyhow::Result<()> {
    let width = width();
    match args.format {
        Format::Json => {
            serde_json::to_writer_pretty(&mut *out, &json::want::document(proposals))?;
            writeln!(out)?;
        }
        Format::Yaml => write!(out, "{}", serde_yaml::to_string(&json::want::document(proposals))?)?,
        _ => {
            for (index, proposal) in proposals.iter().enumerate() {
                if index > 0 {
                    writeln!(out, "\n{}\n", "-".repeat(width))?;
                }
                write!(out, "{}", report::text::want::proposal(proposal, width))?;
            }
        }
    }
    Ok(())
}
