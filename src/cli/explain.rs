//! `oomph explain`: the page of a rule.

use std::io::Write;

use clap::{Args, ValueEnum};

use super::Exit;
use crate::check::{by_code_or_name, catalogue, example};

/// Print the page of a rule: why, a bad and a good example, sources.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// A code such as OOM102, or a name such as duplicate-key.
    #[arg(value_name = "RULE", required = true)]
    rules: Vec<String>,

    /// How to print it.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// As in docs/rules.
    Markdown,
}

/// Runs the verb.
pub fn run(args: &ExplainArgs) -> anyhow::Result<Exit> {
    let mut out = std::io::stdout().lock();
    for (index, text) in args.rules.iter().enumerate() {
        let Some(rule) = by_code_or_name(text) else {
            anstream::eprintln!("error: {}", unknown(text));
            return Ok(Exit::Usage);
        };
        if index > 0 {
            writeln!(out)?;
        }
        match args.format {
            Format::Markdown => write!(out, "{}", example::document(rule))?,
            Format::Text => write!(out, "{}", crate::report::rules::page(rule, super::plan::width()))?,
        }
    }
    Ok(Exit::Clean)
}

/// What to say of a text that names no rule.
fn unknown(text: &str) -> String {
    let shown: String = text.chars().take(40).collect();
    let family: Vec<&str> = catalogue()
        .filter(|rule| {
            text.len() >= 4 && rule.code.get(..4).is_some_and(|family| text.to_uppercase().starts_with(family))
        })
        .map(|rule| rule.code)
        .collect();
    match family.first().zip(family.last()) {
        Some((first, last)) => {
            format!("there is no rule {shown}; its family goes from {first} to {last}: see oomph rules")
        }
        None => format!("there is no rule {shown}: oomph rules lists them"),
    }
}
