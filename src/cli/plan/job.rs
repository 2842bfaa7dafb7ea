//! The job whose network buffers are asked for: its plan from a file, or a chain told in words.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::cli::Exit;
use crate::config::job_plan::{self, Exchange, JobPlan};
use crate::config::load::MAX_FILE;
use crate::recommend::network;
use crate::report::Sheet;

/// What job.
#[derive(Debug, Args)]
#[command(next_help_heading = "Network buffers of a job")]
pub struct JobArgs {
    /// The job's plan: what the REST interface answers at /jobs/ID/plan or /jobs/ID, as a file.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["parallelism", "edges", "shuffle"])]
    job_plan: Option<PathBuf>,

    /// Without a plan: every vertex has this parallelism.
    #[arg(long, value_name = "P", requires = "edges")]
    parallelism: Option<u32>,

    /// Without a plan: the exchanges between vertices, one after the other: hash, rebalance, broadcast, global, custom
    /// (all to all), forward or rescale (one to one); 3xhash is three of them.
    #[arg(long, value_name = "EDGE,...", value_delimiter = ',', requires = "parallelism")]
    edges: Vec<String>,

    /// Without a plan: how data is handed over. hash and sort are blocking and suppose that kind of file.
    #[arg(long, value_enum, default_value_t = ShuffleArg::Pipelined, requires = "edges")]
    shuffle: ShuffleArg,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ShuffleArg {
    /// Streaming.
    Pipelined,
    /// Batch, of the kind that the configuration gives.
    Blocking,
    /// Batch with a file for each subpartition.
    Hash,
    /// Batch with one sorted file.
    Sort,
}

/// A job to ask about.
pub struct Job {
    plan: JobPlan,
    sorted: Option<bool>,
}

impl JobArgs {
    /// The job, where one is told of; else how the run ends and why.
    pub fn read(&self) -> Result<Option<Job>, (Exit, String)> {
        if let Some(path) = &self.job_plan {
            let wrong = |reason: String| (Exit::Input, format!("could not read {}: {reason}", path.display()));
            let mut text = Vec::new();
            let mut file = File::open(path).map_err(|error| wrong(error.to_string()))?.take(MAX_FILE.get() + 1);
            file.read_to_end(&mut text).map_err(|error| wrong(error.to_string()))?;
            if text.len() as u64 > MAX_FILE.get() {
                return Err(wrong(format!("it has more than {MAX_FILE}; is it a job's plan?")));
            }
            let plan = job_plan::parse(&text).map_err(|error| wrong(error.to_string()))?;
            return Ok(Some(Job { plan, sorted: None }));
        }
        let Some(parallelism) = self.parallelism else { return Ok(None) };
        let (exchange, sorted) = match self.shuffle {
            ShuffleArg::Pipelined => (Exchange::PipelinedBounded, None),
            ShuffleArg::Blocking => (Exchange::Blocking, None),
            ShuffleArg::Hash => (Exchange::Blocking, Some(false)),
            ShuffleArg::Sort => (Exchange::Blocking, Some(true)),
        };
        let plan = JobPlan::chain(parallelism, exchange, &self.edges)
            .map_err(|error| (Exit::Usage, format!("--edges, --parallelism: {error}")))?;
        Ok(Some(Job { plan, sorted }))
    }
}

impl Job {
    /// Asks what the job needs in the process of a sheet, and keeps the answer there.
    pub fn ask(&self, sheet: &mut Sheet) -> Exit {
        let Ok(survey) = &sheet.outcome else { return Exit::Clean };
        let plan = &survey.plan;
        let answer = network::answer(&sheet.config, plan.profile, &sheet.question, plan, &self.plan, self.sorted);
        let found = answer.as_ref().map_or(true, |answer| answer.need.missing() > 0);
        sheet.network_need = Some(answer);
        if found { Exit::Findings } else { Exit::Clean }
    }
}
