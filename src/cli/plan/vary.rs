//! `--vary`: a table with a row for each value of an option.

use std::io::Write;

use anyhow::Context;
use clap::Args;

use super::super::Exit;
use super::{Format, PlanArgs, Request, machine, unreadable, width};
use crate::plan::vary::{self, Axis, MOST_ROWS};
use crate::report::sweep;

/// What to vary.
#[derive(Debug, Args)]
pub struct VaryArgs {
    /// A row for each value of an option: KEY=v1,v2,v3, or KEY=a..b[:STEP]. Without a step whole numbers go by 1 and
    /// fractions by 0.1; sizes are the two ends and six sizes evenly between them, in whole MiB. Given twice, a row for
    /// each pair; at most 200 rows.
    #[arg(long, value_name = "KEY=VALUES", conflicts_with_all = ["explain", "batch", "job_plan", "parallelism"])]
    vary: Vec<String>,
}

impl VaryArgs {
    /// Whether a table is asked for.
    pub fn is_asked(&self) -> bool {
        !self.vary.is_empty()
    }
}

/// The options that vary; not read by clap, which would show a secret in its error.
fn axes(texts: &[String]) -> Result<Vec<Axis>, String> {
    if texts.len() > 2 {
        return Err("--vary: at most two options can vary at once".to_owned());
    }
    let axes = texts
        .iter()
        .map(|text| text.parse().map_err(|error| format!("--vary: {error}")))
        .collect::<Result<Vec<Axis>, String>>()?;
    let count: usize = axes.iter().map(|axis| axis.values.len()).product();
    if count > MOST_ROWS {
        return Err(format!(
            "--vary: {count} rows are more than the {MOST_ROWS} that a table has at most; give fewer values"
        ));
    }
    if let [a, b] = &axes[..]
        && a.key == b.key
    {
        return Err(format!("--vary: {} is given twice; write its values in one list", a.key));
    }
    Ok(axes)
}

/// Plans every row and prints the table.
pub fn run(args: &PlanArgs, request: &Request, out: &mut impl Write) -> anyhow::Result<Exit> {
    let axes = match axes(&args.vary.vary) {
        Ok(axes) => axes,
        Err(message) => {
            anstream::eprintln!("error: {message}");
            return Ok(Exit::Usage);
        }
    };
    let [input] = &request.inputs[..] else {
        anstream::eprintln!("error: --vary goes with one configuration: name one CONF");
        return Ok(Exit::Usage);
    };
    if !matches!(args.format, Format::Text | Format::Json | Format::Yaml) {
        anstream::eprintln!("error: a table of values is printed as text, json or yaml");
        return Ok(Exit::Usage);
    }
    let sheet = match request.only(args, input, args.flink).and_then(|loaded| request.sheet(args, input, loaded)) {
        Ok(sheet) => sheet,
        Err(error) => return Ok(unreadable(&error, args.flink.is_some())),
    };
    let rows = vary::rows(&sheet.config, sheet.choice.profile, &sheet.question, machine(args), &axes);
    let printed = match args.format {
        Format::Json => serde_json::to_string_pretty(&sweep::json::document(&sheet, &axes, &rows))? + "\n",
        Format::Yaml => serde_yaml::to_string(&sweep::json::document(&sheet, &axes, &rows))?,
        _ => sweep::text(&sheet, &axes, &rows, width()),
    };
    out.write_all(printed.as_bytes()).context("could not print the table")?;
    out.flush().context("could not print the table")?;
    let all_refused = rows.iter().all(|row| row.outcome.is_err());
    Ok(if all_refused { Exit::Findings } else { Exit::Clean })
}
