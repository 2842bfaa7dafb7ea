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
            title: title.into(),
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
        self.finding.labels.push(Label { place: place.clone(), text: text.into() });
        self
    }

    /// A fact or a number, as a sentence without a full stop.
    pub fn note(self, text: impl Into<String>) -> Self {
        self.finding.notes.push(text.into());
        self
    }

    /// What to do, as a sentence without a full stop.
    pub fn help(self, text: impl Into<String>) -> Self {
        self.finding.help = Some(text.into());
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
