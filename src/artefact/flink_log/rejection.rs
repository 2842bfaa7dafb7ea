//! A configuration of memory that Flink refuses, in the words of every version: `TaskExecutorProcessUtils`,
//! `JobManagerProcessUtils`, `ProcessMemoryUtils`, `TaskExecutorFlinkMemoryUtils` and `JobManagerFlinkMemoryUtils` from
//! 1.10 on, `ContaineredTaskManagerParameters`, `TaskManagerServices` and the start scripts before.

use std::ops::Range;
use std::sync::LazyLock;

use super::{At, MOST_MESSAGES, Printed, SIZE, Sentence, group, span, stretch, words};
use crate::model::Role;

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// Whose memory, where the sentence or the prefix before it says.
    pub role: Option<Role>,
    /// What does not fit.
    pub why: Why,
    /// The sentence as it stands, on one line.
    pub sentence: String,
}

/// Why it was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// Parts are more than their whole.
    TooMuch {
        /// Each with its name, as far as they can be read.
        parts: Vec<(String, Printed)>,
        /// What the whole is called.
        whole: &'static str,
        /// The whole.
        limit: Option<Printed>,
    },
    /// What is left for a part is outside of its range.
    OutOfRange {
        /// The part.
        part: &'static str,
        /// What is left.
        derived: Option<Printed>,
        /// The least it may be.
        min: Option<Printed>,
        /// The most it may be.
        max: Option<Printed>,
    },
    /// Two settings that must say the same do not.
    Unequal {
        /// The sum of the parts or what is left.
        parts: Vec<(String, Printed)>,
        /// What it should be.
        limit: Option<Printed>,
    },
    /// None of the sizes from which to start is set.
    NotSet,
    /// A value that cannot be read or is senseless.
    BadValue {
        /// Its key, where it is said.
        key: Option<String>,
    },
    /// Refused, and the reason is cut off.
    Unsaid,
}

/// `{size}` in a pattern becomes that of a size in parentheses.
fn sentence(pattern: &str) -> Sentence {
    let mut full = String::new();
    let mut parts = pattern.split("{size}");
    full.push_str(parts.next().unwrap_or_default());
    for (name, part) in ["a", "b", "c", "d", "e", "f"].into_iter().zip(parts) {
        full.push_str(&format!(r"(?<{name}>{SIZE})"));
        full.push_str(part);
    }
    Sentence::new(&full)
}

static SUM: LazyLock<Sentence> = LazyLock::new(|| Sentence::new(r"Sum of (?:the )?configured "));
static EXCEEDS: LazyLock<Sentence> =
    LazyLock::new(|| sentence(r"exceed configured Total (?<whole>Flink|Process) Memory(?: \( ?{size}\))?"));
static PART: LazyLock<Sentence> =
    LazyLock::new(|| sentence(r"(?<name>(?:[A-Z][A-Za-z-]* ){1,4}?(?:Memory|Metaspace|Overhead)) \( ?{size}\)"));
static UNEQUAL_JM: LazyLock<Sentence> = LazyLock::new(|| {
    sentence(concat!(
        r"Sum of the configured JVM Heap Memory \({size}\) and the configured Off-heap Memory \({size}\)",
        r" does not match the configured Total Flink Memory \({size}\)",
    ))
});
static PROCESS: LazyLock<Sentence> = LazyLock::new(|| {
    sentence(concat!(
        r"configured Total Process Memory size \({size}\) is less than the sum of the derived Total Flink Memory size",
        r" \({size}\) and the configured or default JVM Metaspace size \({size}\)",
    ))
});
static JM_HEAP: LazyLock<Sentence> = LazyLock::new(|| {
    sentence(r"configured JVM Heap Memory \({size}\) exceeds the configured Total Flink Memory \({size}\)")
});
static JM_OFF_HEAP: LazyLock<Sentence> = LazyLock::new(|| {
    sentence(r"configured Total Flink Memory \({size}\) is less than the configured Off-heap Memory \({size}\)")
});
static OVERHEAD: LazyLock<Sentence> = LazyLock::new(|| {
    sentence(r"Derived JVM Overhead size \({size}\) is not in configured JVM Overhead range \[ ?{size}, {size}\]")
});
static NETWORK: LazyLock<Sentence> = LazyLock::new(|| {
    sentence(r"Derived Network Memory size \({size}\) is not in configured Network Memory range \[ ?{size}, {size}\]")
});
static NETWORK_FIXED: LazyLock<Sentence> = LazyLock::new(|| {
    sentence(r"Derived Network Memory size \({size}\) does not match configured Network Memory size \({size}\)")
});
/// 1.9 and earlier, in bytes without a unit.
static NETWORK_TOO_LARGE: LazyLock<Sentence> = LazyLock::new(|| {
    Sentence::new(r"Network buffer memory size too large: (?<used>\d+) >= (?<limit>\d+) \((?<what>[^)\n]+)\)")
});
static CUTOFF: LazyLock<Sentence> = LazyLock::new(|| {
    Sentence::new(concat!(
        r"The configuration value '(?<key>[\w.-]*heap-cutoff-min)' ?= ?'(?<used>\d+)' is larger than",
        r" the total container memory (?<limit>\d+)",
    ))
});

static NOT_SET: LazyLock<Sentence> = LazyLock::new(|| {
    Sentence::new(concat!(
        r"Either (?:required fine-grained memory|Task Heap Memory size)",
        r"|The required configuration option Key: '(?:task|job)manager\.(?:memory|cpu)[\w.-]*'",
        r"|either required fine-grained memory",
    ))
});
static BAD: LazyLock<Sentence> = LazyLock::new(|| {
    Sentence::new(concat!(
        r"Cannot read memory size from config option '(?<size>[^'\s]+)'",
        r"|Inconsistently configured Key: '(?<range>[\w.-]*memory[\w.-]*)'",
        r"|Could not parse value '[^'\n]*' for key '(?<parse>(?:task|job)manager\.[\w.-]*(?:memory|heap)[\w.-]*)'",
        r"|Invalid configuration value for '?(?<value>taskmanager\.(?:memory|heap|network)[\w.-]*)'?",
        r"|Configured total process memory size \((?<legacy>[^)\n]+)\) must not be less than 0",
        r"|Configured (?:TaskManager|JobManager) (?:JVM heap|managed|network buffer)? ?(?:memory )?(?:size|fraction)",
        r"[^\n]*? is not a",
        r"|Managed memory weight should not be negative",
        r"|The configuration value '(?<ratio>[\w.-]*heap-cutoff-ratio)' must be between 0 and 1",
        r"|TaskExecutors need to be started with a positive number of CPU cores",
        r"|IllegalArgumentException: bytes must be >= 0",
    ))
});
static UNSAID: LazyLock<Sentence> = LazyLock::new(|| {
    Sentence::new(concat!(
        r"(?:TaskManager|JobManager) memory configuration failed",
        r"|(?:TaskManager|JobManager) failed to map legacy JVM heap option",
        r"|Could not get JVM parameters(?: and dynamic configurations)? properly",
    ))
});

/// Every refusal of a text, in its order. Those whose reason is cut off only where there is no other.
pub fn rejections(text: &str) -> Vec<At<Rejection>> {
    let mut found = with_numbers(text);
    for captures in NOT_SET.all(text) {
        push(&mut found, text, span(&captures), Why::NotSet);
    }
    for captures in BAD.all(text) {
        let key = ["size", "range", "parse", "value", "ratio"].into_iter().find_map(|name| group(&captures, name));
        push(&mut found, text, span(&captures), Why::BadValue { key: key.map(str::to_owned) });
    }
    if found.is_empty() {
        for captures in UNSAID.all(text) {
            push(&mut found, text, span(&captures), Why::Unsaid);
        }
    }
    found.sort_by_key(|rejection| rejection.span.start);
    found
}

fn size(captures: &regex::Captures<'_>, name: &str) -> Option<Printed> {
    group(captures, name).and_then(Printed::parse)
}

fn with_numbers(text: &str) -> Vec<At<Rejection>> {
    let mut found = Vec::new();
    let named = |captures: &regex::Captures<'_>, names: &[(&str, &str)]| -> Vec<(String, Printed)> {
        names.iter().filter_map(|(group, name)| Some(((*name).to_owned(), size(captures, group)?))).collect()
    };
    for head in SUM.all(text).take(MOST_MESSAGES) {
        let start = span(&head);
        let rest = stretch(text, start.end, 900);
        let Some(captures) = EXCEEDS.first(rest) else { continue };
        let at = span(&captures);
        let whole =
            if group(&captures, "whole") == Some("Flink") { "Total Flink Memory" } else { "Total Process Memory" };
        let parts = parts(rest.get(..at.start).unwrap_or_default());
        push(
            &mut found,
            text,
            start.start..start.end + at.end,
            Why::TooMuch { parts, whole, limit: size(&captures, "a") },
        );
    }
    for captures in UNEQUAL_JM.all(text) {
        let parts = named(&captures, &[("a", "JVM Heap Memory"), ("b", "Off-heap Memory")]);
        push(&mut found, text, span(&captures), Why::Unequal { parts, limit: size(&captures, "c") });
    }
    for captures in PROCESS.all(text) {
        let parts = named(&captures, &[("b", "Total Flink Memory"), ("c", "JVM Metaspace")]);
        let (whole, limit) = ("Total Process Memory", size(&captures, "a"));
        push(&mut found, text, span(&captures), Why::TooMuch { parts, whole, limit });
    }
    for captures in JM_HEAP.all(text) {
        let parts = named(&captures, &[("a", "JVM Heap Memory")]);
        let (whole, limit) = ("Total Flink Memory", size(&captures, "b"));
        push(&mut found, text, span(&captures), Why::TooMuch { parts, whole, limit });
    }
    for captures in JM_OFF_HEAP.all(text) {
        let parts = named(&captures, &[("b", "Off-heap Memory")]);
        let (whole, limit) = ("Total Flink Memory", size(&captures, "a"));
        push(&mut found, text, span(&captures), Why::TooMuch { parts, whole, limit });
    }
    for (sentence, part) in [(&*OVERHEAD, "JVM Overhead"), (&*NETWORK, "Network Memory")] {
        for captures in sentence.all(text) {
            let (derived, min, max) = (size(&captures, "a"), size(&captures, "b"), size(&captures, "c"));
            push(&mut found, text, span(&captures), Why::OutOfRange { part, derived, min, max });
        }
    }
    for captures in NETWORK_FIXED.all(text) {
        let parts = named(&captures, &[("a", "Network Memory")]);
        push(&mut found, text, span(&captures), Why::Unequal { parts, limit: size(&captures, "b") });
    }
    // 1.9: bytes, and mebibytes for the cut-off.
    for (sentence, part, whole, shift) in [
        (&*NETWORK_TOO_LARGE, "Network Memory", "the JVM's memory", 0),
        (&*CUTOFF, "the cut-off", "the container's memory", 20),
    ] {
        for captures in sentence.all(text) {
            let bytes = |name| -> Option<Printed> {
                let number: u64 = super::number(&captures, name)?;
                let bytes = crate::model::Bytes::new(number.checked_mul(1 << shift)?);
                Some(Printed { bytes, exact: true })
            };
            let parts = bytes("used").map(|used| (part.to_owned(), used)).into_iter().collect();
            let limit = bytes("limit");
            push(&mut found, text, span(&captures), Why::TooMuch { parts, whole, limit });
        }
    }
    found
}

/// The parts of a sum: `Framework Heap Memory (128.000mb (134217728 bytes)), …`.
fn parts(text: &str) -> Vec<(String, Printed)> {
    let part = |captures: regex::Captures<'_>| {
        let name = words(group(&captures, "name")?).join(" ");
        Some((name, size(&captures, "a")?))
    };
    PART.all(text).filter_map(part).collect()
}

fn push(found: &mut Vec<At<Rejection>>, text: &str, span: Range<usize>, why: Why) {
    let sentence = words(text.get(span.clone()).unwrap_or_default()).join(" ");
    let role = role(text, &span, &sentence);
    found.push(At { span, what: Rejection { role, why, sentence } });
}

/// From the sentence, or from the prefix that stands at most a few words before it.
fn role(text: &str, span: &Range<usize>, sentence: &str) -> Option<Role> {
    let mut from = span.start.saturating_sub(80);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let before = text.get(from..span.start).unwrap_or_default();
    let names = |name: &str| sentence.contains(name) || before.contains(name);
    let (task, job) = (
        ["TaskManager", "taskmanager.", "Framework", "Task Heap", "Managed Memory", "TaskExecutors"],
        ["JobManager", "jobmanager.", "JVM Heap Memory", "Off-heap Memory"],
    );
    if job.into_iter().any(names) {
        Some(Role::JobManager)
    } else {
        task.into_iter().any(names).then_some(Role::TaskManager)
    }
}

#[cfg(test)]
mod tests;
