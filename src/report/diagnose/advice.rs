//! What to change, how it was proved, and what is not recommended.

use super::Report;
use crate::model::{Bytes, Component};
use crate::recommend::change::Change;
use crate::recommend::cure::{Proof, Recommendation, Step};
use crate::report::amount::about;
use crate::report::table::hanging;

/// The section of the page.
pub(super) fn text(report: &Report<'_, '_>, width: usize) -> String {
    let advice = report.advice;
    let mut out = String::new();
    if !advice.recommendations.is_empty() {
        out += "\nWhat to do: one of these, the smallest first\n";
    }
    for (number, recommendation) in (1..).zip(&advice.recommendations) {
        out += &hanging(&format!("  {number}. {}", super::sentence(&recommendation.title)), width, "     ");
        for step in &recommendation.steps {
            for line in step_lines(step) {
                // Code and commands are taken over as they are: nothing is wrapped into them.
                out += &if line.is_text {
                    hanging(&format!("       {}", line.text), width, "       ")
                } else {
                    format!("       {}\n", line.text)
                };
            }
        }
        for fact in facts(recommendation) {
            out += &hanging(&format!("     {fact}"), width, "       ");
        }
    }
    if !advice.refused.is_empty() {
        out += "\nNot recommended\n";
        for refused in &advice.refused {
            out += &hanging(&format!("  {}", super::sentence(refused)), width, "    ");
        }
    }
    if let (Some(why), false) = (&report.no_budget, advice.recommendations.is_empty()) {
        out += &hanging(&format!("  {why}"), width, "    ");
    }
    out
}

/// A line of a step.
pub(super) struct StepLine {
    pub text: String,
    /// Whether it is prose, and no code.
    pub is_text: bool,
}

/// What a step says, line by line.
pub(super) fn step_lines(step: &Step) -> Vec<StepLine> {
    let prose = |text: &str| StepLine { text: text.to_owned(), is_text: true };
    let code = |text: &str| StepLine { text: text.to_owned(), is_text: false };
    match step {
        Step::Change(Change::Set { key, value }) => vec![code(&format!("{key}: {value}"))],
        Step::Change(Change::Remove { key }) => vec![prose(&format!("take out {key}"))],
        Step::Environment { name, value } => vec![code(&format!("{name}={value}"))],
        Step::JobCode { java, python, why } => {
            let mut lines = vec![prose(&format!("in the job's code, {why}"))];
            for (language, text) in [("// Java", java), ("# Python", python)] {
                if !text.is_empty() {
                    lines.push(code(language));
                    lines.extend(text.lines().map(code));
                }
            }
            lines
        }
        Step::Platform { what, command } => {
            let mut lines = vec![prose(what)];
            lines.extend(command.iter().flat_map(|command| command.lines()).map(code));
            lines
        }
        Step::Upgrade { from, to, issue } => vec![prose(&format!("Flink {from} -> {to} ({issue})"))],
    }
}

/// Sizes, proof, reason, risk, and what to watch: a sentence each.
pub(super) fn facts(recommendation: &Recommendation) -> Vec<String> {
    let mut facts = Vec::new();
    let grows: Vec<String> = recommendation.grows.iter().map(|change| resized(*change)).collect();
    if !grows.is_empty() {
        facts.push(format!("Budget: {}.", grows.join(", ")));
    }
    if let Some((before, after)) = recommendation.costs {
        facts.push(match after.get().cmp(&before.get()) {
            std::cmp::Ordering::Equal => format!("Costs nothing: the process stays at {}.", about(before)),
            _ => format!("Process: {} -> {}.", about(before), about(after)),
        });
    }
    facts.push(proof(&recommendation.proof));
    for (name, text) in [("Why", &recommendation.why), ("Risk", &recommendation.risk), ("Watch", &recommendation.watch)]
    {
        if !text.is_empty() {
            facts.push(format!("{name}: {}.", super::sentence(text)));
        }
    }
    facts
}

fn resized((component, before, after): (Component, Bytes, Bytes)) -> String {
    format!("{} {} -> {}", component.label(), about(before), about(after))
}

/// How it was proved, a sentence.
pub(super) fn proof(proof: &Proof) -> String {
    match proof {
        Proof::Planned { room, errors } => {
            let mut text = "Proved: Flink plans it".to_owned();
            if let Some(room) = room {
                text += &format!(", {} grows from {} to {}", room.what, about(room.before), about(room.after));
                if let Some(shortfall) = room.shortfall {
                    text += &format!(" (missing were {})", about(shortfall));
                }
                if let Some(more) = &room.more {
                    text += &format!("; {}", super::sentence(more));
                }
            }
            match errors {
                (_, 0) => text + "; check finds no error.",
                (before, after) => text + &format!("; check finds no new error ({before} before, {after} after)."),
            }
        }
        Proof::Unplanned(why) => format!("Not planned: {}.", super::sentence(why)),
        Proof::Outside => "No key of the budget changes.".to_owned(),
    }
}
