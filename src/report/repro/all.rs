//! `oomph repro run --all`: a line a scenario.

use super::NotRun;
use super::table::UNSEEN;
use super::text::whether;
use super::words::{end, plain, seconds};
use crate::report::amount::{count, mib};
use crate::report::table::{Align, fitting, hanging};
use crate::repro::outcome::{Run, Trial};

/// The columns: a scenario's name, whether it held, and of a run how it ended, what `diagnose` says of that, its peak and limit,
/// write amplification, and its time.
const HEADER: [&str; 8] = ["", "", "end", "cause", "peak", "limit", "write amp.", "time"];
/// The column with what `diagnose` says.
pub(super) const CAUSE: usize = 3;
/// That with write amplification.
pub(super) const AMPLIFICATION: usize = 6;
/// What a narrow terminal does without, the first to go first.
const SPARE: [usize; 4] = [AMPLIFICATION, 7, CAUSE, 2];

/// Whether a column says something of one of the runs at least, or always does. There is room for causes or for write
/// amplification.
pub(super) fn is_told(trials: &[Trial], column: usize) -> bool {
    let mut runs = trials.iter().flat_map(|trial| &trial.runs);
    let has_cause = |run: &Run| code(run).is_some();
    match column {
        CAUSE => runs.any(has_cause),
        AMPLIFICATION => runs.clone().any(|run| run.write_amplification().is_some()) && !runs.any(has_cause),
        _ => true,
    }
}

fn code(run: &Run) -> Option<String> {
    run.verdict.as_ref()?.code.clone()
}

/// The table, what did not hold, and what was not run.
pub fn page(trials: &[Trial], not_run: &[NotRun], width: usize) -> String {
    let mut rows = Vec::new();
    for trial in trials {
        let millis = trial.runs.iter().map(|run| run.millis).fold(0, u64::saturating_add);
        let mut row = vec![String::new(); HEADER.len()];
        row[0] = plain(&trial.scenario);
        row[1] = whether(trial.holds()).to_owned();
        row[HEADER.len() - 1] = seconds(millis);
        rows.push(row);
        rows.extend(trial.runs.iter().map(line));
    }
    let mut out = String::new();
    if !rows.is_empty() {
        let shown: Vec<usize> = (0..HEADER.len()).filter(|column| is_told(trials, *column)).collect();
        let of_shown = |row: &Vec<String>| shown.iter().map(|column| row[*column].clone()).collect();
        let rows: Vec<Vec<String>> = rows.iter().map(of_shown).collect();
        let header: Vec<&str> = shown.iter().map(|column| HEADER[*column]).collect();
        let left = |column: &usize| if *column <= CAUSE { Align::Left } else { Align::Right };
        let align: Vec<Align> = shown.iter().map(left).collect();
        let spare: Vec<usize> =
            SPARE.iter().filter_map(|column| shown.iter().position(|shown| shown == column)).collect();
        out += &fitting(width, &spare, &header, &align, &rows);
        let note =
            "  Peak and limit in MiB: what counted against the limit, or anonymous memory where there was no group.";
        out += &hanging(note, width, "  ");
    }
    for trial in trials.iter().filter(|trial| !trial.holds()) {
        out += &format!("\n{} did not hold\n", plain(&trial.scenario));
        for statement in trial.statements.iter().filter(|statement| !statement.held) {
            out += &hanging(&format!("  {}: {}", plain(&statement.says), plain(&statement.measured)), width, "    ");
        }
        if trial.statements.is_empty() {
            out += "  nothing was stated, so nothing is proved\n";
        }
    }
    if !not_run.is_empty() {
        out += "\nNot run\n";
        for scenario in not_run {
            let text =
                format!("  {}: needs {} ({})", plain(&scenario.name), plain(&scenario.needs), plain(&scenario.title));
            out += &hanging(&text, width, "    ");
        }
    }
    let held = trials.iter().filter(|trial| trial.holds()).count();
    let all = count(trials.len() as u64, "scenario", "scenarios");
    out += &format!("\n{held} of {all} held");
    out += &match not_run.len() {
        0 => "\n".to_owned(),
        several => format!("; {several} not run\n"),
    };
    out
}

fn line(run: &Run) -> Vec<String> {
    let [label, end, cause, peak, limit, ratio, time] = cells(run);
    vec![format!("  {label}"), String::new(), end, cause, peak, limit, ratio, time]
}

/// A run in seven cells: its label, how it ended, by which cause, its peak, its limit, write amplification, and time.
pub(super) fn cells(run: &Run) -> [String; 7] {
    let or_unseen = |cell: Option<String>| cell.unwrap_or_else(|| UNSEEN.to_owned());
    [
        plain(&run.label),
        end(&run.ending).to_owned(),
        or_unseen(code(run)),
        or_unseen(run.peak_usage().or(run.peak_anonymous).map(mib)),
        or_unseen(run.limit().map(mib)),
        or_unseen(run.write_amplification().map(|ratio| ratio.to_string())),
        seconds(run.millis),
    ]
}

#[cfg(test)]
mod tests;
