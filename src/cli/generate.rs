//! `oomph generate`: manual pages and completions, out of the same description that reads the command line. For whoever makes
//! a package; no help shows it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, Command, CommandFactory as _, Subcommand};
use clap_complete::Shell;

use super::{Cli, Exit};

/// The shells that Debian has directories for.
const SHELLS: [Shell; 3] = [Shell::Bash, Shell::Zsh, Shell::Fish];

/// Writes manual pages or completions into a directory.
#[derive(Debug, Args)]
pub struct GenerateArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// A manual page for each verb: oomph.1, oomph-plan.1, ...
    Man {
        /// Where they go.
        #[arg(value_name = "DIR")]
        directory: PathBuf,
    },
    /// Completions: oomph.bash, _oomph for zsh, oomph.fish.
    Completions {
        /// Where they go.
        #[arg(value_name = "DIR")]
        directory: PathBuf,
    },
}

/// Runs the verb.
pub fn run(args: &GenerateArgs) -> anyhow::Result<Exit> {
    let (What::Man { directory } | What::Completions { directory }) = &args.what;
    let written = fs::create_dir_all(directory).and_then(|()| match &args.what {
        What::Man { .. } => clap_mangen::generate_to(described(), directory),
        What::Completions { .. } => completions(directory),
    });
    written.with_context(|| format!("could not write into {}", directory.display()))?;
    Ok(Exit::Clean)
}

/// The command line without this verb: completions would offer it otherwise.
fn described() -> Command {
    let whole = Cli::command();
    let (about, after) = (whole.get_about().cloned(), whole.get_after_help().cloned());
    let shown = whole.get_subcommands().filter(|verb| !verb.is_hide_set()).cloned().collect::<Vec<_>>();
    Command::new("oomph")
        .version(env!("CARGO_PKG_VERSION"))
        .about(about.unwrap_or_default())
        .after_help(after.unwrap_or_default())
        .subcommand_required(true)
        .subcommands(shown)
}

fn completions(directory: &Path) -> std::io::Result<()> {
    for shell in SHELLS {
        clap_complete::generate_to(shell, &mut described(), "oomph", directory)?;
    }
    Ok(())
}
