//! Collects what rules find.

use super::rule::Rule;
use crate::model::{Confidence, Edit, Finding, Fix, Label, Place, Severity};

/// Takes findings of one rule after another.
pub struct Collector<'a> {
    rule: &'a Rule,
    subject: Option<&'a str>,
    found: Vec<Finding>,
}

/// A finding that is being told.
pub struct Draft<'c> {
    finding: &'c mut Finding,
}

impl<'a> Collector<'a> {
    /// For one rule over one subject.
    pub fn new(rule: &'a Rule, subject: Option<&'a str>) -> Collector<'a> {
        Collector { rule, subject, found: Vec::new() }
    }

    /// Goes on with another rule.
    pub fn turn_to(&mut self, rule: &'a Rule) {
        self.rule = rule;
    }

    /// A finding of this rule; the title is one sentence without a full stop.
    pub fn find(&mut self, title: impl Into<String>) -> Draft<'_> {
        self.found.push(Finding {
            code: self.rule.code,
            name: self.rule.name,
            severity: self.rule.severity,
            confidence: self.rule.confidence,
            title: readable(title.into()),
            subject: self.subject.map(str::to_owned),
            labels: Vec::new(),
            notes: Vec::new(),
            help: None,
            fix: None,
        });
        let last = self.found.len() - 1;
        Draft { finding: &mut self.found[last] }
    }

    /// Everything found.
    pub fn into_findings(self) -> Vec<Finding> {
        self.found
    }
}

impl Draft<'_> {
    /// Where it is, the place that matters most first, with a few words or none.
    pub fn at(self, place: &Place, text: impl Into<String>) -> Self {
        self.finding.labels.push(Label { place: place.clone(), text: readable(text.into()) });
        self
    }

    /// A fact or a number, as a sentence without a full stop.
    pub fn note(self, text: impl Into<String>) -> Self {
        self.finding.notes.push(readable(text.into()));
        self
    }

    /// What to do, as a sentence without a full stop.
    pub fn help(self, text: impl Into<String>) -> Self {
        self.finding.help = Some(readable(text.into()));
        self
    }

    /// Another severity than the rule's.
    pub fn severity(self, severity: Severity) -> Self {
        self.finding.severity = severity;
        self
    }

    /// Another confidence than the rule's.
    pub fn confidence(self, confidence: Confidence) -> Self {
        self.finding.confidence = confidence;
        self
    }

    /// Edits after which Flink does the same, or what the text plainly means; nothing where they cannot be made here.
    pub fn safe_fix(self, title: impl Into<String>, edits: Option<Vec<Edit>>) -> Self {
        self.fix(title, true, edits)
    }

    /// Edits that a person has to look at.
    pub fn unsafe_fix(self, title: impl Into<String>, edits: Option<Vec<Edit>>) -> Self {
        self.fix(title, false, edits)
    }

    fn fix(self, title: impl Into<String>, safe: bool, edits: Option<Vec<Edit>>) -> Self {
        self.finding.fix = edits.map(|edits| Fix { title: title.into(), safe, edits });
        self
    }
}

/// A text in which sizes of a mebibyte and more that are no whole mebibytes are told in mebibytes, with the bytes behind
/// them: `1372.2 MiB (1438814063 B)`. Nobody reads ten digits.
fn readable(text: String) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(at) = rest.find(" B") {
        let (before, behind) = rest.split_at(at);
        let digits = before.len() - before.trim_end_matches(|c: char| c.is_ascii_digit()).len();
        let start = before.len() - digits;
        let is_unit = !behind[2..].starts_with(|c: char| c.is_alphanumeric());
        let is_number = digits > 0 && !before[..start].ends_with(['.', '(', '-']);
        out += &before[..start];
        match before[start..].parse::<u64>() {
            Ok(bytes) if is_unit && is_number && bytes >= 1 << 20 => {
                let tenths = (u128::from(bytes) * 10 + (1 << 19)) >> 20;
                out += &format!("{}.{} MiB ({bytes} B)", tenths / 10, tenths % 10);
            }
            _ => out += &format!("{} B", &before[start..]),
        }
        rest = &behind[2..];
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("Managed Memory 1438814063 B is more", "Managed Memory 1372.2 MiB (1438814063 B) is more")]
    #[case("4096 B and 10000000 B", "4096 B and 9.5 MiB (10000000 B)")]
    #[case("128.000mb (134217728 bytes)", "128.000mb (134217728 bytes)")]
    #[case("1372.2 MiB (1438814063 B)", "1372.2 MiB (1438814063 B)")]
    #[case("Big B", "Big B")]
    fn sizes_are_told_as_people_read_them(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(readable(text.to_owned()), expected);
    }
}
