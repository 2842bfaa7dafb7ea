//! What a rule is.

use super::case::Case;
use super::collect::Collector;
use crate::config::Of;
use crate::flink::profile::Profile;
use crate::model::{Confidence, Severity};

/// A rule: its name, its page, and the function that looks.
pub struct Rule {
    /// The stable code, `OOM102`. Never used again for anything else.
    pub code: &'static str,
    /// The stable name, `duplicate-key`.
    pub name: &'static str,
    /// How much its findings matter, where the rule does not say otherwise of one.
    pub severity: Severity,
    /// How sure they are, where the rule does not say otherwise of one.
    pub confidence: Confidence,
    /// The first Flink version it holds for: major and minor.
    pub since: Option<(u16, u16)>,
    /// The last one.
    pub until: Option<(u16, u16)>,
    /// Whether it offers edits.
    pub fix: FixKind,
    /// Whose configuration it looks at.
    pub of: Of,
    /// The page: a sentence, `### Why`, `### Bad`, `### Good`, `### Sources`.
    pub page: &'static str,
    /// The function that looks.
    pub check: for<'a> fn(&Case<'a>, &mut Collector<'a>),
}

impl std::fmt::Debug for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.code, self.name)
    }
}

/// What edits a rule offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FixKind {
    /// None.
    None,
    /// Those after which Flink does the same, or what the text plainly means.
    Safe,
    /// Those that a person has to look at.
    Unsafe,
}

impl FixKind {
    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            FixKind::None => "none",
            FixKind::Safe => "safe",
            FixKind::Unsafe => "unsafe",
        }
    }

    /// How to have it, in words.
    pub fn words(self) -> &'static str {
        match self {
            FixKind::None => "none",
            FixKind::Safe => "safe, with --fix",
            FixKind::Unsafe => "to be looked at, with --unsafe-fixes",
        }
    }
}

impl Rule {
    /// What a rule is where it does not say otherwise.
    pub const BASE: Rule = Rule {
        code: "",
        name: "",
        severity: Severity::Warning,
        confidence: Confidence::High,
        since: None,
        until: None,
        fix: FixKind::None,
        of: Of::Flink,
        page: "",
        check: |_, _| {},
    };

    /// The page's first sentence, without its full stop.
    pub fn summary(&self) -> String {
        let first: Vec<&str> = self.page.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
        first.join(" ").trim_end_matches('.').to_owned()
    }

    /// The family, as the first digit of the code tells it.
    pub fn family(&self) -> &'static str {
        match self.code.as_bytes().get(3) {
            Some(b'1') => "spelling and types",
            Some(b'2') => "sums that cannot hold",
            Some(b'3') => "JVM",
            Some(b'4') => "RocksDB and allocator",
            Some(b'5') => "deployment",
            Some(b'6') => "JobManager",
            _ => "state and checkpoints",
        }
    }

    /// The Flink versions it holds for, in words.
    pub fn versions(&self) -> String {
        match (self.since, self.until) {
            (None, None) => "all versions from 1.9 on".to_owned(),
            (Some((major, minor)), None) => format!("from {major}.{minor} on"),
            (None, Some((major, minor))) => format!("up to {major}.{minor}"),
            (Some(since), Some(until)) => format!("{}.{} to {}.{}", since.0, since.1, until.0, until.1),
        }
    }

    /// Whether it holds for a Flink version.
    pub fn is_for(&self, profile: &Profile) -> bool {
        let line = profile.version().line();
        self.since.is_none_or(|since| since <= line) && self.until.is_none_or(|until| line <= until)
    }

    /// Whether a selector names it: a code, the beginning of one (`OOM4`), a name, or `all`.
    pub fn is_named_by(&self, selector: &str) -> bool {
        selector == "all"
            || selector == self.name
            || (selector.len() >= 4 && selector.starts_with("OOM") && self.code.starts_with(selector))
    }
}

/// Declares the rule of a file as its `RULE`: the page as a doc comment, code, name, and whatever is not as in
/// [`Rule::BASE`].
macro_rules! rule {
    ($(#[doc = $line:literal])* $code:literal $name:literal { $($field:ident : $value:expr),* $(,)? }) => {
        /// The rule of this file.
        pub static RULE: $crate::check::Rule = $crate::check::Rule {
            code: $code,
            name: $name,
            page: concat!($($line, "\n"),*),
            $($field: $value,)*
            ..$crate::check::Rule::BASE
        };
    };
}
pub(crate) use rule;

/// Declares the rules of a family: one line each, its file's name.
macro_rules! catalogue {
    ($($module:ident),* $(,)?) => {
        $(mod $module;)*

        /// The rules of this family, by code.
        pub static RULES: &[&$crate::check::Rule] = &[$(&$module::RULE),*];
    };
}
pub(crate) use catalogue;
