//! `oomph diagnose`: explains a death from what is left of it.

mod ask;
mod patch;
mod patient;
mod proposal;
mod recorded;

use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, ValueEnum};

use super::Exit;
use super::plan::{DeploymentArg, RoleArg, width};
use crate::artefact::excerpt::Excerpt;
use crate::artefact::masking::Masker;
use crate::diagnose::postmortem::signal::{Says, Signal};
use crate::diagnose::postmortem::{self, anchors};
use crate::flink::{Version, sensitive};
use crate::model::{Deployment, Role, Unseen};
use crate::probe::leavings::{self, Leavings};
use crate::recommend::cure::Advice;
use crate::report::diagnose::{self as report, Input, Report};

const EXAMPLES: &str = "\
Examples, each with what it answers:
  oomph diagnose jobmanager.log
      why the TaskManager that this log has lost is gone
  oomph diagnose taskmanager.log kernel.txt describe.txt
      the same from more that is left: the more, the surer
  oomph diagnose ./collected --conf conf/flink-conf.yaml
      a whole folder, with changes in the keys of your own file
  oomph diagnose ./collected --conf conf/flink-conf.yaml --patch
      the first of these changes, as a diff to apply
  kubectl describe pod orders-taskmanager-1-1 | oomph diagnose -
      what Kubernetes says of a pod
  oomph diagnose --ask pod/orders-taskmanager-1-1
      which commands collect what is left, before it is lost

Exit codes:
  0  read, whatever it says
  1  with --proposal: Flink's floor or what was used does not allow it; with
     --patch: there is nothing to patch
  2  the command line is wrong
  3  an input could not be read, or nothing of what was given";

/// Explain a death from what is left of it: logs of YARN, Kubernetes, the kernel, the JVM, Flink and RocksDB.
///
/// Names who ended the process, which limit was reached and what had filled the memory, with the lines that show it,
/// and proposes the change of configuration that ends it, planned and checked. It reads what it is given and nothing
/// else.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct DiagnoseArgs {
    /// Files and directories, plain or in .gz, .zst or .tar; - is standard input.
    #[arg(value_name = "LEFT")]
    left: Vec<PathBuf>,

    /// The configuration of the process, for recommendations in its own keys.
    #[arg(long, value_name = "CONF")]
    conf: Option<PathBuf>,

    /// The Flink version, such as 1.20 or 1.20.5 [default: what is left tells it].
    #[arg(long, value_name = "VERSION")]
    flink: Option<Version>,

    /// Whose memory it was [default: what is left tells it, else a TaskManager's].
    #[arg(long, value_enum, value_name = "ROLE")]
    role: Option<RoleArg>,

    /// Who started the process [default: what is left tells it].
    #[arg(long, value_enum, value_name = "DEPLOYMENT")]
    deployment: Option<DeploymentArg>,

    /// How to print it.
    #[arg(long, value_enum, default_value_t = Format::Text, value_name = "FORMAT")]
    format: Format,

    /// Print what the first recommendation changes, as a unified diff of --conf or as a patch for kubectl, and nothing else.
    #[arg(long, requires = "conf")]
    patch: bool,

    /// A VPA, a report of krr, or keys that another tool proposes (YAML or JSON): says whether Flink's floor and what was
    /// used allow it, and nothing else.
    #[arg(long, value_name = "FILE", conflicts_with = "patch")]
    proposal: Option<PathBuf>,

    /// Add what was not looked at, and what would have been found there.
    #[arg(long)]
    explain_limits: bool,

    /// Print the commands that collect what is left of a pod, a container, an application, a process or this host.
    #[arg(long, value_name = "TARGET", exclusive = true)]
    ask: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// Everything, for programs (docs/schema/diagnose-v1.json).
    Json,
    /// For a ticket.
    Markdown,
    /// One page with charts, without anything to load.
    Html,
}

pub(super) fn run(args: &DiagnoseArgs) -> anyhow::Result<Exit> {
    let mut out = io::stdout().lock();
    if let Some(target) = &args.ask {
        return Ok(match ask::commands(target) {
            Some(commands) => {
                out.write_all(commands.as_bytes())?;
                Exit::Clean
            }
            None => {
                anstream::eprintln!("error: `{target}` is nothing that can be asked about; there are {}", ask::FORMS);
                Exit::Usage
            }
        });
    }
    if args.left.is_empty() && !args.explain_limits {
        anstream::eprintln!(
            "error: nothing to read: name logs or a folder of them, or - for standard input; oomph diagnose --ask pod/NAME \
             says what to collect"
        );
        return Ok(Exit::Usage);
    }
    let leavings = match leavings::read(&args.left, &anchors()) {
        Ok(leavings) => leavings,
        Err(error) => {
            anstream::eprintln!("error: could not read {error}");
            return Ok(Exit::Input);
        }
    };
    let Read { inputs, signals, excerpts, mut unread } = read(leavings);
    if inputs.is_empty() && !args.left.is_empty() && args.format == Format::Text {
        return Ok(nothing_read(&unread));
    }
    if !inputs.is_empty() && inputs.iter().all(|input| input.is_configuration) {
        anstream::eprintln!(
            "note: a configuration tells of no death: oomph check says what in it will kill, oomph plan what it plans; \
             beside logs it is given with --conf"
        );
    }
    let cases = postmortem::cases(&signals);
    let main = postmortem::main(&cases).context("could not find a case: there is always one")?;
    let told = patient::Told {
        version: args.flink,
        role: args.role.map(RoleArg::role),
        deployment: args.deployment.map(DeploymentArg::deployment),
    };
    let role = told.role.or(main.case.role).unwrap_or(Role::TaskManager);
    // A configuration that lies among the logs is meant as one.
    let beside = inputs.iter().map(|input| &input.name).find(|name| patient::is_configuration(name));
    let conf = args.conf.clone().or_else(|| beside.map(PathBuf::from).filter(|path| path.is_file()));
    let left = || patient::shown(&excerpts, told, role).or_else(|| patient::pieced_together(&signals, told, role));
    let found = match &conf {
        Some(conf) => match patient::configured(conf, told.or_left(main, &signals, &excerpts, role), role) {
            Ok(found) => Some(found),
            Err(error) if args.conf.is_some() => {
                anstream::eprintln!("error: could not {error}");
                return Ok(Exit::Input);
            }
            // Nobody named it, and what lies beside it tells of the death all the same.
            Err(error) => {
                unread.push((conf.display().to_string(), Unseen::because(format!("could not {error}"))));
                left()
            }
        },
        None => left(),
    };
    let advice = found.as_ref().map_or_else(Advice::default, |found| patient::advice(main, found));
    if args.patch {
        let (Some(conf), Some(found)) = (&conf, &found) else { return Ok(Exit::Usage) };
        return patch::print(conf, found, &advice, &mut out);
    }
    if let Some(proposal) = &args.proposal {
        let patient = found.as_ref().map(|found| patient::patient_of(main, found));
        return proposal::print(proposal, patient, &mut out);
    }
    let report = Report {
        inputs: &inputs,
        unread: &unread,
        cases: &cases,
        main,
        budget: found.as_ref().and_then(|found| found.survey()),
        no_budget: match &found {
            Some(found) if found.survey().is_none() => {
                Some(format!("Flink refuses the configuration that {} shows", found.from))
            }
            Some(_) => None,
            None => Some("No configuration is known: --conf FILE makes this exact.".to_owned()),
        },
        advice: &advice,
    };
    match args.format {
        Format::Text => out.write_all(report::text::page(&report, width()).as_bytes())?,
        Format::Json => {
            serde_json::to_writer_pretty(&mut out, &report::json::document(&report))?;
            writeln!(out)?;
        }
        Format::Markdown => out.write_all(report::markdown::page(&report).as_bytes())?,
        Format::Html => out.write_all(report::html::page(&report)?.as_bytes())?,
    }
    if args.explain_limits && args.format == Format::Text {
        out.write_all(report::limits::text(&report, width()).as_bytes())?;
    }
    Ok(if inputs.is_empty() { Exit::Input } else { Exit::Clean })
}

/// Says why nothing of what was given could be read: no verdict can be had from that.
fn nothing_read(unread: &[(String, Unseen)]) -> Exit {
    for (name, why) in unread {
        anstream::eprintln!("error: could not read {name}: {why}");
    }
    if unread.is_empty() {
        anstream::eprintln!(
            "error: there is no file in what was given; oomph diagnose --ask pod/NAME says what to collect"
        );
    }
    Exit::Input
}

/// What was read of everything that is left.
struct Read {
    inputs: Vec<Input>,
    signals: Vec<Signal>,
    excerpts: Vec<(String, Excerpt)>,
    unread: Vec<(String, Unseen)>,
}

/// What all of it says, without secrets.
fn read(leavings: Leavings) -> Read {
    let mut read = Read { inputs: Vec::new(), signals: Vec::new(), excerpts: Vec::new(), unread: leavings.unread };
    for (number, input) in leavings.inputs.into_iter().enumerate() {
        let mut found: Vec<Signal> =
            input.excerpts.iter().flat_map(|excerpt| postmortem::signals(number, excerpt)).collect();
        read.inputs.push(Input {
            name: input.name.clone(),
            bytes: input.bytes,
            left_out: input.left_out.iter().map(ToString::to_string).collect(),
            signals: found.len(),
            is_configuration: patient::is_configuration(&input.name),
        });
        read.signals.append(&mut found);
        read.excerpts.extend(input.excerpts.into_iter().map(|excerpt| (input.name.clone(), excerpt)));
    }
    for path in &leavings.recordings {
        match recorded::read(read.inputs.len(), path) {
            Ok((input, mut told)) => {
                read.inputs.push(input);
                read.signals.append(&mut told);
            }
            Err(why) => read.unread.push((path.display().to_string(), Unseen::because(why))),
        }
    }
    mask(&mut read.signals);
    read
}

/// What is left of a process, explained, with what to change in its configuration file.
pub(super) struct Explained {
    /// The verdict of the main case.
    pub verdict: postmortem::Verdict,
    /// What to change.
    pub advice: Advice,
    /// The first recommendation that changes keys, as `--patch` prints it: what it does, which keys, and the diff.
    pub patch: Option<patch::Patched>,
}

/// Explains as `oomph diagnose LEFT --conf CONF` does.
///
/// # Errors
/// Where what is left, or the configuration, cannot be read.
pub(super) fn explain(
    left: &[PathBuf],
    conf: &std::path::Path,
    version: Version,
    role: Role,
) -> anyhow::Result<Explained> {
    let Read { signals, .. } = read(leavings::read(left, &anchors())?);
    let cases = postmortem::cases(&signals);
    let main = postmortem::main(&cases).context("could not find a case: there is always one")?;
    let told = patient::Told { version: Some(version), role: Some(role), deployment: Some(Deployment::Standalone) };
    let found = patient::configured(conf, told, role).map_err(|error| anyhow::anyhow!("could not {error}"))?;
    let advice = patient::advice(main, &found);
    let patch = patch::of(conf, &found, &advice)?;
    Ok(Explained { verdict: main.verdict.clone(), advice, patch })
}

/// Hides secrets in everything that is quoted.
fn mask(signals: &mut [Signal]) {
    let masker = Masker::new(&sensitive::is_sensitive);
    let masked = |text: &mut String| {
        let bytes = masker.text(text.as_bytes());
        if bytes.values > 0 {
            *text = String::from_utf8_lossy(&bytes.bytes).into_owned();
        }
    };
    for signal in signals {
        masked(&mut signal.quote);
        match &mut signal.says {
            Says::Death(death) => masked(&mut death.because),
            Says::Strain(strain) => masked(&mut strain.text),
            Says::OtherReason { reason, .. } => masked(reason),
            Says::Given { key, value } if sensitive::is_sensitive(key) => "******".clone_into(value),
            Says::Given { .. } | Says::Ended(_) | Says::Consequence | Says::Well => {}
        }
    }
}
