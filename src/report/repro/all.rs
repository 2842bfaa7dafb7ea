//! `oomph repro run --all`: a line a scenario.

use super::NotRun;
use super::table::UNSEEN;
use super::text::whether;
use super::words::{end, plain, seconds};
use crate::report::amount::{count, mib};
use crate::report::table::{Align, fitting, hanging};
use crate::repro::outcome::{Run, Trial};

/// The table, what did not hold, and what was not run.
pub fn page(trials: &[Trial], not_run: &[NotRun], width: usize) -> String {
    let mut rows = Vec::new();
    for trial in trials {
        let millis = trial.runs.iter().map(|run| run.millis).fold(0, u64::saturating_add);
        rows.push(vec![
            plain(&trial.scenario),
            whether(trial.holds()).to_owned(),
            String::new(),
            String::new(),
            String::new(),
            String::new(),
            seconds(millis),
        ]);
        rows.extend(trial.runs.iter().map(line));
    }
    let header = ["", "", "end", "peak", "limit", "write amp.", "time"];
    let mut align = [Align::Right; 7];
    (align[0], align[1], align[2]) = (Align::Left, Align::Left, Align::Left);
    let mut out = String::new();
    if !rows.is_empty() {
        out += &fitting(width, &[5, 6, 2], &header, &align, &rows);
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
    let [label, end, peak, limit, ratio, time] = cells(run);
    vec![format!("  {label}"), String::new(), end, peak, limit, ratio, time]
}

/// A run in six cells: its label, how it ended, its peak, its limit, write amplification, and time.
pub(super) fn cells(run: &Run) -> [String; 6] {
    let or_unseen = |cell: Option<String>| cell.unwrap_or_else(|| UNSEEN.to_owned());
    [
        plain(&run.label),
        end(&run.ending).to_owned(),
        or_unseen(run.peak_usage().or(run.peak_anonymous).map(mib)),
        or_unseen(run.limit().map(mib)),
        or_unseen(run.write_amplification().map(|ratio| ratio.to_string())),
        seconds(run.millis),
    ]
}

#[cfg(test)]
mod tests;
