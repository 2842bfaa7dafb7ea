//! An account as Markdown, for a ticket.

use super::text;
use crate::diagnose::examination::Examination;
use crate::report::table;

/// Of blocks that are not tables.
const WIDTH: usize = 100;

/// The report on one process.
pub fn page(examination: &Examination) -> String {
    let mut out = format!("### {}\n\n{}\n\n", inline(&text::heading(examination)), text::whole(examination));
    match &examination.ledger {
        Ok(ledger) => {
            let indented = |cell: &String| match cell.strip_prefix("  ") {
                Some(part) => format!("&nbsp;&nbsp;{part}"),
                None => cell.clone(),
            };
            let rows: Vec<Vec<String>> =
                text::rows(examination, ledger).iter().map(|row| row.iter().map(indented).collect()).collect();
            out += &table::markdown(&text::COLUMNS, &text::SIDES, &rows);
        }
        Err(_) => out += &block(&text::pools(examination)),
    }
    for finding in &examination.findings {
        out += &format!(
            "\n**{}[{}]** {} ({} confidence)\n\n",
            finding.severity,
            finding.code,
            inline(&finding.title),
            finding.confidence
        );
        for note in &finding.notes {
            out += &format!("- {}\n", inline(note));
        }
        if let Some(help) = &finding.help {
            out += &format!("- help: {}\n", inline(help));
        }
    }
    let besides = text::besides(examination, WIDTH);
    if !besides.is_empty() {
        out += &format!("\n{}", block(besides.trim_start_matches('\n')));
    }
    let unseen = examination.unseen();
    if !unseen.is_empty() {
        out += "\nNot seen:\n\n";
        for (what, unseen) in unseen {
            out += &format!("- {what}: {}\n", inline(&unseen.to_string()));
        }
    }
    out
}

/// A fenced block, which nothing in the text can end.
fn block(text: &str) -> String {
    format!("```\n{}```\n", text.replace("```", "'''"))
}

/// A line of text: what a process calls itself may look like Markdown or HTML.
fn inline(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\r' => out.push(' '),
            '<' => out.push_str("&lt;"),
            '&' => out.push_str("&amp;"),
            '*' | '_' | '`' | '[' | ']' | '\\' | '|' => out.extend(['\\', c]),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_process_calls_itself_is_only_text() {
        assert_eq!(inline("a_b <img> `x`\n# h"), "a\\_b &lt;img> \\`x\\` # h");
        assert_eq!(block("a\n```\nb\n"), "```\na\n'''\nb\n```\n");
    }
}
