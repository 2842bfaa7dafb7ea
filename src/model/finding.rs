//! Something that is wrong in the user's system, where it is written or seen, and what to do about it.

use std::fmt;

use super::Place;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// It costs memory or time, or will kill a process under load.
    Warning,
    /// It does not start, does not do what it says, or is bound to be killed.
    Error,
}

impl Severity {
    /// All of them, the least first.
    pub const ALL: [Severity; 3] = [Severity::Note, Severity::Warning, Severity::Error];

    /// The name in a text and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// How sure a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Confidence {
    /// A guess from what is usual.
    Low,
    /// True unless something that is not visible here says otherwise.
    Medium,
    /// What is visible decides it.
    High,
}

impl Confidence {
    /// The name in a text.
    pub fn name(self) -> &'static str {
        match self {
            Confidence::Low => "low",
            Confidence::Medium => "medium",
            Confidence::High => "high",
        }
    }
}

impl fmt::Display for Confidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A place with what is to be said of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Label {
    /// Where.
    pub place: Place,
    /// What, in a few words; may be empty.
    pub text: String,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The stable code of the rule or cause: `OOM102`.
    pub code: &'static str,
    /// Its stable name: `duplicate-key`.
    pub name: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// How sure it is.
    pub confidence: Confidence,
    /// What is wrong, in one sentence without a full stop.
    pub title: String,
    /// Which of several configurations of an input it is about.
    pub subject: Option<String>,
    /// Where, the place that matters most first; empty where it is about an input as a whole.
    pub labels: Vec<Label>,
    /// Facts and numbers, a sentence each.
    pub notes: Vec<String>,
    /// What to do, in one sentence.
    pub help: Option<String>,
    /// The same as edits of the file, where that can be done.
    pub fix: Option<Fix>,
}

impl Finding {
    /// The place that matters most.
    pub fn place(&self) -> Option<&Place> {
        self.labels.first().map(|label| &label.place)
    }

    /// The line it is reported on; what is about an input as a whole is reported on its first.
    pub fn line(&self) -> u32 {
        self.place().and_then(|place| place.position).map_or(1, |position| position.line)
    }
}

/// Edits that end a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// What they do, in a few words.
    pub title: String,
    /// Whether Flink does the same with them as without, or what the text plainly means. Others need a person's eyes.
    pub safe: bool,
    /// The edits, all in the input that the finding is about.
    pub edits: Vec<Edit>,
}

/// One edit of a text. Lines and columns count from 1, columns in characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// Writes something else in the place of a part of a line.
    Replace {
        /// The line.
        line: u32,
        /// The first column that goes.
        from: u32,
        /// The column behind the last that goes.
        to: u32,
        /// What stands there then.
        text: String,
    },
    /// Takes out whole lines.
    Remove {
        /// The first.
        first: u32,
        /// The last.
        last: u32,
    },
    /// Writes a line below another one.
    Insert {
        /// Below this line.
        below: u32,
        /// The new line, without its end.
        text: String,
    },
}
