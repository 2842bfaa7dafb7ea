//! An account in the format that was asked for.

use std::io::Write;

use clap::ValueEnum;

use crate::cli::plan::width;
use crate::diagnose::examination::Examination;
use crate::recommend::from_use::Advice;
use crate::report::attach;

/// How it is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// Everything, for programs (docs/schema/attach-v1.json).
    Json,
    /// One scrape for Prometheus (docs/metrics.md).
    Openmetrics,
    /// For a ticket.
    Markdown,
    /// One page with a chart, without anything to load.
    Html,
}

/// Prints what was seen, each process with what to change; `gone` are those that could not be looked at.
pub fn print(
    format: Format,
    examinations: &[Examination],
    advice: &[Option<Advice>],
    gone: &[u32],
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let with_advice = || examinations.iter().zip(advice.iter().map(Option::as_ref));
    match format {
        Format::Json => {
            let all: Vec<_> = with_advice().map(|(one, advice)| attach::json::document(one, advice)).collect();
            match all.as_slice() {
                [one] => serde_json::to_writer_pretty(&mut *out, one)?,
                all => serde_json::to_writer_pretty(&mut *out, all)?,
            }
            writeln!(out)?;
        }
        Format::Openmetrics => {
            let scrape = attach::openmetrics::Scrape { processes: examinations.iter().collect(), gone: gone.to_vec() };
            out.write_all(attach::openmetrics::text(&scrape).as_bytes())?;
        }
        Format::Markdown => {
            let pages: Vec<String> = examinations.iter().map(attach::markdown::page).collect();
            write!(out, "{}", pages.join("\n"))?;
        }
        Format::Html => write!(out, "{}", attach::html::page(examinations)?)?,
        Format::Text => {
            for (index, (examination, advice)) in with_advice().enumerate() {
                if index > 0 {
                    writeln!(out, "\n{}\n", "-".repeat(width()))?;
                }
                write!(out, "{}", attach::text::page(examination, advice, width()))?;
            }
        }
    }
    Ok(())
}
