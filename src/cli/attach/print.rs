//! An account in the format that was asked for.

use std::io::Write;

use clap::ValueEnum;

use crate::cli::plan::width;
use crate::diagnose::examination::Examination;
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

/// Prints what was seen; `gone` are those that could not be looked at.
pub fn print(format: Format, examinations: &[Examination], gone: &[u32], out: &mut impl Write) -> anyhow::Result<()> {
    match format {
        Format::Json => {
            match examinations {
                [one] => serde_json::to_writer_pretty(&mut *out, &attach::json::document(one))?,
                all => {
                    let all: Vec<_> = all.iter().map(attach::json::document).collect();
                    serde_json::to_writer_pretty(&mut *out, &all)?;
                }
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
            for (index, examination) in examinations.iter().enumerate() {
                if index > 0 {
                    writeln!(out, "\n{}\n", "-".repeat(width()))?;
                }
                write!(out, "{}", attach::text::page(examination, width()))?;
            }
        }
    }
    Ok(())
}
