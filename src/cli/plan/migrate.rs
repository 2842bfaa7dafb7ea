//! `--migrate FROM:TO`: a configuration rewritten for another Flink version.

use std::io::Write;

use anyhow::Context;
use clap::Args;

use super::super::Exit;
use super::{Format, PlanArgs, Request, machine, unreadable, width};
use crate::flink::Version;
use crate::flink::profile::{Match, Profile};
use crate::recommend::migrate::{self, Secrets};
use crate::report::migration;

/// What to rewrite.
#[derive(Debug, Args)]
pub struct MigrateArgs {
    /// Rewrite the configuration of one Flink version for another, such as 1.9:1.20 or 2.0:1.20, so that the JVM heap,
    /// managed memory and the whole process of TaskManager and JobManager keep their sizes to the byte, where that can
    /// be. The new configuration goes to standard output, with a comment above every line that is not as it was, and
    /// may be redirected into a file; what is kept, what moved and why goes to standard error. Values of keys that look
    /// like secrets are not shown. Set --deployment: it decides what the heap keys of Flink 1.9 mean.
    #[arg(
        long,
        value_name = "FROM:TO",
        conflicts_with_all = ["explain", "batch", "job_plan", "parallelism", "vary", "against", "against_flink", "flink", "role"]
    )]
    migrate: Option<Versions>,
}

impl MigrateArgs {
    /// Whether a configuration is to be rewritten.
    pub fn is_asked(&self) -> bool {
        self.migrate.is_some()
    }
}

/// From which version to which one.
#[derive(Clone, Copy, Debug)]
struct Versions {
    from: Version,
    to: Version,
}

impl std::str::FromStr for Versions {
    type Err = String;

    fn from_str(text: &str) -> Result<Versions, String> {
        let (from, to) =
            text.split_once(':').ok_or("write two versions with a colon between them, such as 1.18:2.2")?;
        let version = |text: &str| text.parse::<Version>().map_err(|error| error.to_string());
        Ok(Versions { from: version(from)?, to: version(to)? })
    }
}

/// Rewrites the configuration and prints it.
pub fn run(args: &PlanArgs, request: &Request, out: &mut impl Write) -> anyhow::Result<Exit> {
    let Some(Versions { from, to }) = args.migrate.migrate else { return Ok(Exit::Usage) };
    let [input] = &request.inputs[..] else {
        anstream::eprintln!("error: --migrate rewrites one configuration: name one CONF");
        return Ok(Exit::Usage);
    };
    if !matches!(args.format, Format::Text | Format::Json | Format::Yaml) {
        anstream::eprintln!(
            "error: a rewritten configuration is printed as it stands in a file (text), or as json or yaml"
        );
        return Ok(Exit::Usage);
    }
    let to = match Profile::of(to) {
        Ok((profile, Match::Line)) => profile,
        Ok((profile, Match::NewestKnown)) => {
            let known = profile.version();
            anstream::eprintln!(
                "note: Flink {to} is not known to oomph, so Flink {known}, the newest before it, stands in"
            );
            profile
        }
        Err(error) => {
            anstream::eprintln!("error: --migrate: {error}");
            return Ok(Exit::Usage);
        }
    };
    let sheet = request.only(args, input, Some(from)).and_then(|loaded| request.sheet(args, input, loaded));
    let sheet = match sheet {
        Ok(sheet) => sheet,
        Err(error) => return Ok(unreadable(&error, true)),
    };
    let migration = migrate::migrate(&migrate::Request {
        config: &sheet.config,
        from: sheet.choice.profile,
        to,
        question: &sheet.question,
        machine: machine(args),
    });
    let migration = match migration {
        Ok(migration) => migration,
        Err(refused) => {
            anstream::eprintln!("error: {refused}");
            return Ok(Exit::Findings);
        }
    };
    let printed = match args.format {
        Format::Json => serde_json::to_string_pretty(&migration::json::document(&sheet, &migration))? + "\n",
        Format::Yaml => serde_yaml::to_string(&migration::json::document(&sheet, &migration))?,
        _ => {
            anstream::eprint!("{}", migration::text(&sheet, &migration, width()));
            migration.text(Secrets::Masked)
        }
    };
    out.write_all(printed.as_bytes()).context("could not print the configuration")?;
    out.flush().context("could not print the configuration")?;
    let good = migration.proves_anything() && !migration.breaks_a_role();
    Ok(if good { Exit::Clean } else { Exit::Findings })
}
