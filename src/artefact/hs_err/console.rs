//! What a JVM prints to the console as the system refuses it memory, with or without a crash report.

use std::sync::LazyLock;

use regex::Regex;

use crate::artefact::excerpt::Excerpt;
use crate::model::Bytes;

/// `OpenJDK 64-Bit Server VM warning: INFO: os::commit_memory(0x00000000e5330000, 449642496, 0) failed; error='Cannot
/// allocate memory' (errno=12)`: 12 is `Not enough space` from JDK 9 on, and Windows says `(DOS error/errno=1455)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitFailed {
    /// Where it stands.
    pub offset: usize,
    /// What was to be committed.
    pub size: Option<Bytes>,
    /// The error in words, which are those of the machine's language.
    pub error: String,
    /// The error's number.
    pub errno: Option<u32>,
}

/// A JVM that did not start, or a warning that it could not do without.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Where it stands.
    pub offset: usize,
    /// The line.
    pub text: String,
    /// The size in it.
    pub size: Option<Bytes>,
    /// What of: `object heap`, `stack guard pages`.
    pub of: &'static str,
}

/// More of them tell nothing more.
const MOST: usize = 64;

/// The commits that failed.
pub fn commits(excerpt: &Excerpt) -> Vec<CommitFailed> {
    static COMMIT: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(
            r"os::(?:pd\\?_)?(?:commit|reserve)\\?_memory(?:\\?_or\\?_exit)?\(\s*(?:0x[0-9a-fA-F]+|\(nil\))\s*,\s*(\d+)[^)\n]{0,40}\)\s+failed;\s+error\s*=\s*.([^\n(]{0,120}?).?\s+\((?:DOS error/)?errno\s*=\s*(\d+)\)",
        )
        .ok()
    });
    let text = excerpt.text();
    if !text.contains("_memory(") {
        return Vec::new();
    }
    let Some(commit) = COMMIT.as_ref() else { return Vec::new() };
    let each = commit.captures_iter(text).take(MOST).filter_map(|found| {
        let part = |group| found.get(group).map(|part| part.as_str());
        Some(CommitFailed {
            offset: found.get(0)?.start(),
            size: part(1).and_then(|bytes| bytes.parse().ok()).map(Bytes::new),
            error: part(2)?.trim_matches(['\'', '"', '‘', '’', ' ']).to_owned(),
            errno: part(3).and_then(|errno| errno.parse().ok()),
        })
    });
    each.collect()
}

/// What a JVM says that cannot even reserve its heap (`Universe::reserve_heap`, `arguments.cpp`), or guard a stack.
pub fn refusals(excerpt: &Excerpt) -> Vec<Refusal> {
    const WORDS: [(&str, &str); 6] = [
        ("Could not reserve enough space for", "the heap"),
        ("Could not allocate metaspace", "the class space"),
        ("Unable to allocate", "the collector's tables"),
        ("Failed to reserve memory for", "the heap"),
        ("Attempt to protect stack guard pages failed", "a stack's guard pages"),
        ("Attempt to allocate stack guard pages failed", "a stack's guard pages"),
    ];
    static SIZE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(\d+)\s?(KB|K|MB|M|bytes)\b").ok());
    let text = excerpt.text();
    let mut found = Vec::new();
    let Some(size) = SIZE.as_ref() else { return found };
    for (words, of) in WORDS {
        for (offset, _) in text.match_indices(words).take(MOST) {
            let line = excerpt.line(offset).text;
            let rest = text.get(offset..).and_then(|rest| rest.split('\n').next()).unwrap_or_default();
            // Other programs "are unable to allocate" too: this one is the JVM's in its own sentence only.
            if words.starts_with("Unable")
                && !(["required by the", "bit map", "bitmaps for"].iter().any(|words| rest.contains(words)))
            {
                continue;
            }
            let amount = size.captures(rest).and_then(|found| {
                let number: u64 = found.get(1)?.as_str().parse().ok()?;
                let unit = match found.get(2)?.as_str() {
                    "KB" | "K" => 1 << 10,
                    "MB" | "M" => 1 << 20,
                    _ => 1,
                };
                number.checked_mul(unit).map(Bytes::new)
            });
            found.push(Refusal { offset, text: line.trim().chars().take(300).collect(), size: amount, of });
        }
    }
    found.sort_by_key(|refusal| refusal.offset);
    found
}
