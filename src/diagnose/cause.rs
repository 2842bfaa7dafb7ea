//! What a cause is: something that ends a process, or is about to, with its page and the function that sees it coming.

use super::examination::Examination;
use super::over_time::OverTime;
use super::postmortem::late::Late;
use crate::model::{Confidence, Finding, Severity};

/// A cause: its name, its page, the function that looks for it in a process that still lives, and how it is recognised in
/// what a dead one leaves.
pub struct Cause {
    /// The stable code, `OOM901`. Never used again for anything else.
    pub code: &'static str,
    /// The stable name, `allocator-retention`.
    pub name: &'static str,
    /// The page: a sentence, `### What is seen`, `### What it is not`, `### How to prove it`, `### Cure`, `### Sources`.
    pub page: &'static str,
    /// The function that sees it coming.
    pub early: fn(&Outlook<'_>) -> Vec<Finding>,
    /// How it is recognised afterwards; nothing where artefacts never show it.
    pub late: Option<Late>,
}

impl std::fmt::Debug for Cause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.code, self.name)
    }
}

impl Cause {
    /// One without a name that nobody sees: what a file leaves out is taken from here.
    pub(crate) const SILENT: Cause = Cause { code: "", name: "", page: "", early: |_| Vec::new(), late: None };

    /// The page's first sentence, without its full stop.
    pub fn summary(&self) -> String {
        let first: Vec<&str> = self.page.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
        first.join(" ").trim_end_matches('.').to_owned()
    }

    /// A finding of this cause, without facts yet.
    pub fn finding(&self, severity: Severity, confidence: Confidence, title: impl Into<String>) -> Finding {
        Finding {
            code: self.code,
            name: self.name,
            severity,
            confidence,
            title: title.into(),
            subject: None,
            labels: Vec::new(),
            notes: Vec::new(),
            help: None,
            fix: None,
        }
    }
}

/// What a cause may look at: one look, and what came before it where that is known.
#[derive(Clone, Copy, Debug)]
pub struct Outlook<'e> {
    /// The last look.
    pub now: &'e Examination,
    /// All looks, where there are several.
    pub before: Option<&'e OverTime>,
}

/// Declares the cause of a file as its `CAUSE`: the page as a doc comment, code, name, and then the function that sees it
/// coming, how it is recognised afterwards, or both.
macro_rules! cause {
    ($(#[doc = $line:literal])* $code:literal $name:literal { $($field:ident : $value:expr),* $(,)? }) => {
        /// The cause of this file.
        #[allow(clippy::needless_update, reason = "a cause may be looked for before and after, or only one of them")]
        pub static CAUSE: $crate::diagnose::cause::Cause = $crate::diagnose::cause::Cause {
            code: $code,
            name: $name,
            page: concat!($($line, "\n"),*),
            $($field: $value,)*
            ..$crate::diagnose::cause::Cause::SILENT
        };
    };
}
pub(crate) use cause;

/// Declares the causes: one line each, its file's name.
macro_rules! catalogue {
    ($($module:ident),* $(,)?) => {
        $(mod $module;)*

        /// All causes, by code.
        pub static CAUSES: &[&$crate::diagnose::cause::Cause] = &[$(&$module::CAUSE),*];
    };
}
pub(crate) use catalogue;

/// Notes and help, in the manner of sentences.
pub trait Told {
    /// With a fact.
    #[must_use]
    fn note(self, text: impl Into<String>) -> Self;

    /// With what to do.
    #[must_use]
    fn help(self, text: impl Into<String>) -> Self;
}

impl Told for Finding {
    fn note(mut self, text: impl Into<String>) -> Finding {
        self.notes.push(text.into());
        self
    }

    fn help(mut self, text: impl Into<String>) -> Finding {
        self.help = Some(text.into());
        self
    }
}
