//! `oomph explain`: the page of a rule or of a cause.

use std::io::Write;

use clap::{Args, ValueEnum};

use super::Exit;
use crate::check::{self, catalogue, example, nearest};
use crate::diagnose::causes::{self, CAUSES};

const EXAMPLES: &str = "\
Examples, each with what it answers:
  oomph explain OOM110
      a rule of check: why, a bad and a good example, sources
  oomph explain allocator-retention
      a cause that attach and diagnose name, by its name
  oomph explain OOM401 OOM901 --format markdown
      several, for a ticket

oomph rules lists the rules; docs/causes/README.md lists the causes.

Exit codes:
  0  printed
  2  there is no such rule or cause";

/// Print the page of a rule (why, a bad and a good example) or of a cause (what is seen, proof, cure), with its sources.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ExplainArgs {
    /// A code such as OOM102 or OOM901, or a name such as duplicate-key or allocator-retention.
    #[arg(value_name = "CODE|NAME")]
    rules: Vec<String>,

    /// How to print it.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// As in docs/rules and docs/causes.
    Markdown,
}

/// Runs the verb.
pub fn run(args: &ExplainArgs) -> anyhow::Result<Exit> {
    if args.rules.is_empty() {
        anstream::eprintln!("error: no rule or cause: give its code or its name; oomph rules lists the rules");
        return Ok(Exit::Usage);
    }
    let mut out = std::io::stdout().lock();
    for (index, text) in args.rules.iter().enumerate() {
        let Some(page) = page(text, args.format) else {
            anstream::eprintln!("error: {}", unknown(text));
            return Ok(Exit::Usage);
        };
        if index > 0 {
            writeln!(out)?;
        }
        write!(out, "{page}")?;
    }
    Ok(Exit::Clean)
}

/// The page of what a text names; no name is both a rule's and a cause's.
fn page(text: &str, format: Format) -> Option<String> {
    let width = super::plan::width();
    match (check::by_code_or_name(text), causes::by_code_or_name(text), format) {
        (Some(rule), _, Format::Markdown) => Some(example::document(rule)),
        (Some(rule), _, Format::Text) => Some(crate::report::rules::page(rule, width)),
        (None, Some(cause), Format::Markdown) => Some(causes::document(cause)),
        (None, Some(cause), Format::Text) => Some(crate::report::causes::page(cause, width)),
        (None, None, _) => None,
    }
}

/// What to say of a text that names no rule and no cause.
fn unknown(text: &str) -> String {
    let shown: String = text.chars().take(40).collect();
    let rules = catalogue().map(|rule| rule.code);
    let names: Vec<&str> = catalogue().map(|rule| rule.name).chain(CAUSES.iter().map(|cause| cause.name)).collect();
    let of_family =
        |code: &&str| text.len() >= 4 && code.get(..4).is_some_and(|family| text.to_uppercase().starts_with(family));
    let family: Vec<&str> = rules.chain(CAUSES.iter().map(|cause| cause.code)).filter(of_family).collect();
    match family.first().zip(family.last()) {
        Some((first, last)) if first.starts_with("OOM9") => {
            format!("there is no cause {shown}; they go from {first} to {last}: see docs/causes")
        }
        Some((first, last)) => {
            format!("there is no rule {shown}; its family goes from {first} to {last}: see oomph rules")
        }
        None => match nearest(&shown, &names) {
            Some(near) => format!("there is no rule or cause {shown}; did you mean {near}?"),
            None => format!("there is no rule or cause {shown}: oomph rules lists the rules, docs/causes the causes"),
        },
    }
}
