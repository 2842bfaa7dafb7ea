//! `oomph generate`: manual pages and completions, out of the same description that reads the command line. For whoever makes
//! a package; no help shows it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, Command, CommandFactory as _, Subcommand};
use clap_complete::Shell;
use clap_mangen::Man;

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
        What::Man { .. } => {
            // Names of verbs below verbs are made when all is built; a verb `help` would get pages of its own.
            let mut whole = described().disable_help_subcommand(true);
            whole.build();
            pages(&whole, directory)
        }
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

/// The page of a verb and those of the verbs below it.
fn pages(verb: &Command, directory: &Path) -> std::io::Result<()> {
    for below in verb.get_subcommands() {
        pages(below, directory)?;
    }
    let man = Man::new(verb.clone()).source(concat!("oomph ", env!("CARGO_PKG_VERSION")));
    let mut page = Vec::new();
    man.render(&mut page)?;
    fs::write(directory.join(man.get_filename()), laid_out(&String::from_utf8_lossy(&page)))
}

/// Examples and exit codes are tables: they keep their lines, where `clap_mangen` fills paragraphs.
fn laid_out(page: &str) -> String {
    let Some((before, after)) = page.split_once("\n.SH EXTRA\n") else { return page.to_owned() };
    let (lines, rest) = after.split_at(after.find("\n.SH ").unwrap_or(after.trim_end().len()));
    format!("{before}\n.SH NOTES\n.nf\n{lines}\n.fi{rest}")
}

fn completions(directory: &Path) -> std::io::Result<()> {
    for shell in SHELLS {
        clap_complete::generate_to(shell, &mut described(), "oomph", directory)?;
    }
    Ok(())
}
