//! Rules and thresholds, listed.

pub mod json;

use super::table::{self, Align};
use crate::check::policy::threshold::{COUNTS, SIZES};
use crate::check::{Rule, catalogue, example};

/// A rule's page for people: its headings as lines, its text filled, its examples as they are.
pub fn page(rule: &Rule, width: usize) -> String {
    let out = super::page::filled(&example::document(rule), width);
    // The table of the document, in words.
    let facts =
        format!("{}, {} confidence, {}, fix: {}", rule.severity, rule.confidence, rule.versions(), rule.fix.words());
    out.replacen("\n\n\n", &format!("\n{}\n\n", textwrap::fill(&facts, width)), 1)
}

/// Every rule in a line of its own.
pub fn list(width: usize) -> String {
    let mut out = String::new();
    let mut family = "";
    for rule in catalogue() {
        if rule.family() != family {
            family = rule.family();
            out += &format!("{}{}\n", if out.is_empty() { "" } else { "\n" }, family);
        }
        let title = format!("{}  {:<7}  {}: ", rule.code, rule.severity.name(), rule.name);
        let options = textwrap::Options::new(width)
            .subsequent_indent("                 ")
            .word_splitter(textwrap::WordSplitter::NoHyphenation)
            .break_words(false);
        out += &format!("{}\n", textwrap::fill(&format!("{title}{}", rule.summary()), options));
    }
    out += &format!("\n{} rules; oomph explain CODE prints the page of one.\n", catalogue().count());
    out
}

/// Every threshold with its value, and why.
pub fn thresholds(width: usize) -> String {
    let sizes = SIZES.iter().map(|t| (t.name, t.default.to_string(), t.reason, t.source));
    let counts = COUNTS.iter().map(|t| (t.name, t.default.to_string(), t.reason, t.source));
    let mut all: Vec<_> = sizes.chain(counts).collect();
    all.sort_unstable();
    let options = || {
        textwrap::Options::new(width)
            .initial_indent("    ")
            .subsequent_indent("    ")
            .word_splitter(textwrap::WordSplitter::NoHyphenation)
            .break_words(false)
    };
    let mut out = String::new();
    for (name, value, reason, source) in all {
        out += &format!("{name}: {value}\n{}\n", textwrap::fill(reason, options()));
        out += &format!("{}\n", textwrap::fill(&format!("({source})"), options()));
    }
    out
}

/// Every rule as a row of Markdown.
pub fn markdown() -> String {
    let rows: Vec<Vec<String>> = catalogue()
        .map(|rule| {
            let link = format!("[{}](rules/{}.md)", rule.code, rule.code);
            vec![link, rule.name.to_owned(), rule.severity.to_string(), rule.versions(), rule.summary()]
        })
        .collect();
    table::markdown(&["code", "name", "severity", "Flink", "what"], &[Align::Left; 5], &rows)
}
