//! What came of a trial as a page for a person: what was stated, what was run, what happened, why it ended, what cured it,
//! and how the prediction held.

use super::chart::{self, Frame};
use super::settings::{self, Difference};
use super::table;
use super::words::{self, ending, has_state, has_workload, plain};
use crate::model::{Area, Killer};
use crate::report::amount::{about, count};
use crate::report::diagnose::words as diagnose;
use crate::report::sparkline::Signs;
use crate::report::table::hanging;
use crate::repro::outcome::{Ending, Run, Statement, Trial, Verdict};

/// From this width on two charts stand beside one another.
const TWO_CHARTS: usize = 120;

/// Where nothing differs.
pub(super) const SAME: &str = "nothing: the same was run again";

/// So many last lines of what a dead worker said.
const LAST_WORDS: usize = 6;

/// The page of a scenario that was run.
pub fn trial(trial: &Trial, width: usize, signs: Signs) -> String {
    let head = format!("{}: {}", plain(&trial.scenario), plain(&trial.title));
    let mut out = hanging(&head, width, "  ");
    out += &hanging(&format!("  {}", summary(trial)), width, "  ");
    if !trial.statements.is_empty() {
        out += "\nWhat it states\n";
        out += &trial.statements.iter().map(|stated| statement(stated, width)).collect::<String>();
    }
    let runs: Vec<&Run> = trial.runs.iter().collect();
    out += &what_was_run(&runs, width);
    out += &over_time(&runs, width, signs);
    for run in &trial.runs {
        out += &why(run, width);
    }
    out += &what_differs(&runs, width);
    if !runs.is_empty() {
        out += "\nThe runs beside one another\n";
        out += &table::beside(&trial.runs, width);
    }
    for run in &trial.runs {
        out += &prediction(run, trial.runs.len() > 1, width);
    }
    out + &remarks(&runs, &trial.notes, width)
}

/// The page of one run of a workload that belongs to no scenario.
pub fn run(run: &Run, width: usize, signs: Signs) -> String {
    let head = format!("{}: {}", plain(&run.experiment.workload.name), ending(run));
    let mut out = hanging(&head, width, "  ");
    out += &what_was_run(&[run], width);
    out += &over_time(&[run], width, signs);
    out += &why(run, width);
    out += "\nFigures\n";
    out += &table::beside(std::slice::from_ref(run), width);
    out += &prediction(run, false, width);
    out + &remarks(&[run], &[], width)
}

/// Whether all of it held, in one sentence.
pub(super) fn summary(trial: &Trial) -> String {
    let (held, all) = (trial.statements.iter().filter(|statement| statement.held).count(), trial.statements.len());
    match (held, all) {
        (_, 0) => "Nothing was stated, so nothing is proved.".to_owned(),
        (held, all) if held == all => {
            format!("All it states held: {}.", count(all as u64, "statement", "statements"))
        }
        (held, all) => {
            format!("{} of {} did not hold.", all - held, count(all as u64, "statement", "statements"))
        }
    }
}

/// `held` or `did not hold`.
pub(super) fn whether(held: bool) -> &'static str {
    if held { "held" } else { "did not hold" }
}

fn statement(statement: &Statement, width: usize) -> String {
    let says = plain(&statement.says);
    let measured = plain(&statement.measured);
    let text = format!("  {:<12}  {}: {measured}", whether(statement.held), says.trim_end_matches('.'));
    hanging(&text, width, "                ")
}

/// A row of what was run: its name, and its value in the runs that have it so.
pub(super) type Setup = (&'static str, String);

/// What all runs have in common in their set-up, or what each has where they differ.
pub(super) fn setup(runs: &[&Run]) -> Vec<Setup> {
    let of_all = |of: &dyn Fn(&Run) -> Option<String>| -> Option<String> {
        let values: Vec<(&Run, String)> = runs.iter().filter_map(|run| Some((*run, of(run)?))).collect();
        let (_, first) = values.first()?;
        if values.len() == runs.len() && values.iter().all(|(_, value)| value == first) {
            return Some(first.clone());
        }
        let mut groups: Vec<(&str, Vec<String>)> = Vec::new();
        for (run, value) in &values {
            match groups.iter_mut().find(|(known, _)| known == value) {
                Some((_, labels)) => labels.push(plain(&run.label)),
                None => groups.push((value, vec![plain(&run.label)])),
            }
        }
        let each = groups.iter().map(|(value, labels)| format!("{}: {value}", labels.join(", ")));
        Some(each.collect::<Vec<_>>().join("; "))
    };
    let worker = |of: fn(&Run) -> String| move |run: &Run| has_workload(run).then(|| of(run));
    let rocksdb = |of: fn(&Run) -> String| move |run: &Run| has_state(run).then(|| of(run));
    let workload = |run: &Run| {
        let workload = &run.experiment.workload;
        let about = plain(workload.about.trim_end_matches('.'));
        format!("{}: {about} ({})", plain(&workload.name), words::workload(workload))
    };
    let rows = [
        ("Workload", of_all(&worker(workload))),
        ("Engine", of_all(&rocksdb(|run| words::engine(&run.experiment.engine, run.release.as_deref())))),
        ("Allocator", of_all(&worker(|run| run.experiment.malloc.to_string()))),
        ("Limit", of_all(&|run: &Run| Some(run.limit().map_or_else(|| "none".to_owned(), about)))),
        (
            "Unlike Flink",
            of_all(&|run: &Run| {
                let deviations: Vec<String> = run.deviations.iter().map(|deviation| plain(deviation)).collect();
                (!deviations.is_empty()).then(|| deviations.join("; "))
            }),
        ),
    ];
    rows.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

fn what_was_run(runs: &[&Run], width: usize) -> String {
    let rows = setup(runs);
    if rows.is_empty() {
        return String::new();
    }
    let lines = rows.iter().map(|(name, value)| hanging(&format!("  {name:<12}  {value}"), width, "                "));
    format!("\nWhat was run\n{}", lines.collect::<String>())
}

fn over_time(runs: &[&Run], width: usize, signs: Signs) -> String {
    let Some(frame) = Frame::of(runs) else {
        let lines = runs.iter().map(|run| hanging(&format!("  {}: {}", plain(&run.label), ending(run)), width, "    "));
        let nobody =
            if runs.is_empty() { "\nNothing was run\n" } else { "\nWhat happened: nobody looked at its memory\n" };
        return format!("{nobody}{}", lines.collect::<String>());
    };
    let block = |run: &Run, width: usize| {
        let title = hanging(&format!("{}: {}", plain(&run.label), ending(run)), width, "  ");
        let drawing = match run.moments.is_empty() {
            true => "  nobody looked at its memory\n".to_owned(),
            false => {
                let key = chart::key(run, &frame, runs, signs);
                chart::chart(run, &frame, runs, width, signs) + &packed(&key, width)
            }
        };
        (title, drawing)
    };
    let mut out = "\nMemory over time, all on one scale\n".to_owned();
    if runs.len() == 1 {
        out = "\nMemory over time\n".to_owned();
    }
    let together = if width >= TWO_CHARTS { 2 } else { 1 };
    for several in runs.chunks(together) {
        out.push('\n');
        match several {
            [one, other] => {
                let half = (width - 2) / 2;
                let ((first, left), (second, right)) = (block(one, half), block(other, half));
                // Titles of unequal length must not push one drawing below the other.
                let lines = first.lines().count().max(second.lines().count());
                let filled = |title: String| title.clone() + &"\n".repeat(lines - title.lines().count());
                out += &chart::side_by_side(&(filled(first) + &left), &(filled(second) + &right), half + 2);
            }
            others => {
                for run in others {
                    let (title, drawing) = block(run, width);
                    out += &title;
                    out += &drawing;
                }
            }
        }
    }
    out
}

/// Short texts in lines, none of them broken.
fn packed(texts: &[String], width: usize) -> String {
    let mut out = String::new();
    let mut line = String::new();
    for text in texts {
        if !line.is_empty() && line.chars().count() + 2 + text.chars().count() > width {
            out += &line;
            out.push('\n');
            line.clear();
        }
        line += "  ";
        line += text;
    }
    out + &line + "\n"
}

/// A heading, however long the names in it are.
pub(super) fn heading(text: &str, width: usize) -> String {
    format!("\n{}", hanging(text, width, "  "))
}

/// Why it ended: what diagnose says, and what the kernel or the worker itself said last.
fn why(run: &Run, width: usize) -> String {
    let mut out = String::new();
    if let Some(verdict) = &run.verdict {
        for line in verdict_lines(verdict) {
            out += &hanging(&format!("  {line}"), width, "    ");
        }
    }
    for line in evidence(run) {
        out += &hanging(&format!("  > {line}"), width, "    ");
    }
    if out.is_empty() { out } else { heading(&why_title(run), width) + &out }
}

/// What stands over it.
pub(super) fn why_title(run: &Run) -> String {
    let label = plain(&run.label);
    if run.is_finished() { format!("What diagnose says of {label}") } else { format!("Why {label} ended") }
}

/// A verdict in two sentences.
pub(super) fn verdict_lines(verdict: &Verdict) -> Vec<String> {
    let code = verdict.code.as_ref().map_or_else(String::new, |code| format!("{}: ", plain(code)));
    let title = plain(verdict.title.trim_end_matches('.'));
    // Names of diagnose in its words; what is no name of it stands as it is.
    let killer = Killer::ALL.into_iter().find(|killer| killer.name() == verdict.killer);
    let killer = killer.map_or_else(|| plain(&verdict.killer), |killer| diagnose::killer(killer).to_owned());
    let area = Area::ALL.into_iter().find(|area| area.name() == verdict.area);
    let area =
        area.map_or_else(|| plain(&verdict.area), |area| diagnose::filled(verdict.code.as_deref(), area).to_owned());
    vec![
        format!("{code}{title} ({} confidence).", plain(&verdict.confidence)),
        format!("{killer}. What filled up: {area}."),
    ]
}

/// The lines that prove the end: the kernel's, or the worker's last words.
pub(super) fn evidence(run: &Run) -> Vec<String> {
    match &run.ending {
        Ending::KilledByKernel { report, .. } => {
            report.lines().filter(|line| line.contains("Killed process")).map(plain).collect()
        }
        Ending::Died { stderr, .. } => {
            let lines: Vec<&str> = stderr.lines().filter(|line| !line.trim().is_empty()).collect();
            lines[lines.len().saturating_sub(LAST_WORDS)..].iter().map(|line| plain(line)).collect()
        }
        _ => Vec::new(),
    }
}

/// What the other runs have otherwise than the first.
fn what_differs(runs: &[&Run], width: usize) -> String {
    let Some((first, others)) = runs.split_first() else { return String::new() };
    let mut out = String::new();
    for other in others {
        let lines = settings::changed_lines(first.configuration.as_deref(), other.configuration.as_deref());
        let settings = settings::differences(first, other);
        out += &heading(&differs_title(first, other), width);
        out += &lines.iter().map(|line| hanging(&format!("  {line}"), width, "      ")).collect::<String>();
        out += &changes(&settings, width);
        if lines.is_empty() && settings.is_empty() {
            out += &format!("  {SAME}\n");
        }
    }
    out
}

/// What stands over the differences of two runs.
pub(super) fn differs_title(first: &Run, other: &Run) -> String {
    let (before, after) = (plain(&first.label), plain(&other.label));
    let cures = !first.is_finished() && other.is_finished();
    if cures {
        format!("What cured it: {after} against {before}")
    } else {
        format!("What differs: {after} against {before}")
    }
}

/// Settings that differ, a line each.
pub(super) fn changes(differences: &[Difference], width: usize) -> String {
    let line = |difference: &Difference| {
        let Difference { name, before, after } = difference;
        hanging(&format!("  {}: {before} -> {after}", plain(name)), width, "    ")
    };
    differences.iter().map(line).collect()
}

fn prediction(run: &Run, is_one_of_several: bool, width: usize) -> String {
    let of = if is_one_of_several { format!(": {}", plain(&run.label)) } else { String::new() };
    match &run.prediction {
        Some(prediction) => {
            let mut out = heading(&format!("Predicted against measured{of}"), width);
            out += &table::predicted(prediction, run, width);
            for remark in table::remarks(prediction, run) {
                out += &hanging(&format!("  {remark}"), width, "  ");
            }
            out
        }
        None if has_state(run) => heading(&format!("Predicted against measured{of}: nothing was predicted"), width),
        None => String::new(),
    }
}

fn remarks(runs: &[&Run], notes: &[String], width: usize) -> String {
    let recordings = runs.iter().filter_map(|run| {
        let path = run.recording.as_ref()?;
        Some(format!("{} was recorded: oomph attach --recording {}", plain(&run.label), plain(path)))
    });
    let all: Vec<String> = notes.iter().map(|note| plain(note)).chain(recordings).collect();
    if all.is_empty() {
        return String::new();
    }
    format!("\nNotes\n{}", all.iter().map(|note| hanging(&format!("  {note}"), width, "    ")).collect::<String>())
}

#[cfg(test)]
mod tests;
