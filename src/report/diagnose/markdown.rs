//! For a ticket.

use super::{Report, advice, words};
use crate::diagnose::postmortem::candidates::candidates;
use crate::diagnose::postmortem::groups::groups;
use crate::diagnose::postmortem::timeline::timeline;
use crate::recommend::cure::Step;
use crate::report::sentence::capital;

/// So many places of evidence are shown.
const SHOWN: usize = 12;

/// The page.
pub fn page(report: &Report<'_, '_>) -> String {
    let verdict = &report.main.verdict;
    let killer = if report.tells_nothing() { super::NOTHING } else { words::killer(verdict.killer) };
    let mut out = format!(
        "## {}\n\n**{}** ({}, {} confidence). {}.\n",
        escaped(&capital(super::sentence(&verdict.summary))),
        killer,
        verdict.killer,
        verdict.confidence,
        escaped(&super::text::numbers(report).join("; ")),
    );
    if report.cases.len() > 1 {
        out += &format!(
            "\n### {} deaths, by cause\n\n| deaths | cause | killer | what filled up |\n|---:|---|---|---|\n",
            report.cases.len()
        );
        for group in groups(report.cases) {
            let code = group.code.unwrap_or("none");
            out += &format!(
                "| {} | {code} | {} | {} |\n",
                group.cases.len(),
                group.killer,
                words::filled(group.code, group.area)
            );
        }
    }
    let mut evidence: Vec<_> = report.main.case.told().map(|(signal, _)| signal).collect();
    for signal in report.main.suspects.first().map(|first| first.supports.as_slice()).unwrap_or_default() {
        if !evidence.iter().any(|known| (known.file, known.line) == (signal.file, signal.line)) {
            evidence.push(signal);
        }
    }
    if !evidence.is_empty() {
        out += "\n### Evidence\n\n";
        for signal in evidence.into_iter().take(SHOWN) {
            let place = report.place(signal.file, signal.line);
            let quote = super::quoted(&signal.quote).replace('`', "'");
            out += &format!("- {} ({}): `{quote}`", escaped(&place), words::origin(signal.origin));
            match super::because(signal) {
                "" => out.push('\n'),
                because => out += &format!(" = {}\n", escaped(super::sentence(because))),
            }
        }
    }
    let events = timeline(report.main);
    if events.len() > 1 {
        out += "\n### In time\n\n| when | what | where | line |\n|---|---|---|---|\n";
        for event in events {
            let place = report.place(event.signal.file, event.signal.line);
            let quote = escaped(&super::short(&event.signal.quote));
            out +=
                &format!("| {} | {} | {} | {quote} |\n", words::moment(event.at), event.kind.label(), escaped(&place));
        }
    }
    let candidates = candidates(&report.main.case, verdict.area);
    if !candidates.is_empty() {
        out += "\n### What may have filled it, the likeliest first\n\n";
        for (number, candidate) in (1..).zip(candidates) {
            out += &format!("{number}. {}: {}\n", candidate.what, escaped(&candidate.why));
        }
    }
    if report.main.suspects.len() > 1 {
        out += "\n### Also possible, or beside it\n\n";
        for suspect in report.main.suspects.iter().skip(1) {
            let cause = suspect.cause;
            let title = escaped(super::sentence(&suspect.title));
            out += &format!("- {} {} ({} confidence): {title}\n", cause.code, cause.name, suspect.confidence);
        }
    }
    out += &changes(report);
    if let Some(decides) = report.undecided() {
        out += &format!(
            "\n### What would make this surer\n\n{}:\n\n```\n{}\n```\n",
            escaped(decides.evidence),
            decides.command
        );
    }
    let not_read = report.not_read();
    if !not_read.is_empty() {
        out += "\n### Not read\n\n";
        for (name, why) in not_read {
            out += &format!("- {}: {}\n", escaped(&name), escaped(&why));
        }
    }
    out
}

fn changes(report: &Report<'_, '_>) -> String {
    let mut out = String::new();
    if !report.advice.recommendations.is_empty() {
        out += "\n### What to do\n\nOne of these, the smallest first.\n";
    }
    for (number, recommendation) in (1..).zip(&report.advice.recommendations) {
        out += &format!("\n{number}. **{}**\n", escaped(super::sentence(&recommendation.title)));
        let (keys, others): (Vec<&Step>, Vec<&Step>) =
            recommendation.steps.iter().partition(|step| matches!(step, Step::Change(_) | Step::Environment { .. }));
        if !keys.is_empty() {
            let lines = keys.into_iter().flat_map(advice::step_lines).map(|line| format!("   {}\n", line.text));
            out += &format!("   ```yaml\n{}   ```\n", lines.collect::<String>());
        }
        for step in others {
            let (prose, code): (Vec<_>, Vec<_>) = advice::step_lines(step).into_iter().partition(|line| line.is_text);
            for line in prose {
                out += &format!("   {}\n", escaped(&line.text));
            }
            if !code.is_empty() {
                let lines: String = code.into_iter().map(|line| format!("   {}\n", line.text)).collect();
                out += &format!("   ```\n{lines}   ```\n");
            }
        }
        for fact in advice::facts(recommendation) {
            out += &format!("   {}\n", escaped(&fact));
        }
    }
    if !report.advice.refused.is_empty() {
        out += "\n### Not recommended\n\n";
        for refused in &report.advice.refused {
            out += &format!("- {}\n", escaped(super::sentence(refused)));
        }
    }
    out
}

/// Text that Markdown leaves as it is.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for sign in text.chars() {
        if matches!(sign, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '|' | '#') {
            out.push('\\');
        }
        out.push(if sign.is_control() { ' ' } else { sign });
    }
    out
}
