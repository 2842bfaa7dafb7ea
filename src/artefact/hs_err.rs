//! The JVM's crash report, `hs_err_pid*.log`, and what it prints of one to the console (JDK 7 to 25; `vmError.cpp`,
//! `debug.cpp`, `os_linux.cpp`): the header with the reason, and those figures of its sections by which memory is judged.
//! A report may be cut anywhere.

use std::sync::LazyLock;

use regex::Regex;

use super::excerpt::Excerpt;
use super::part::first;
use crate::model::Bytes;

mod console;
mod sections;

pub use console::{CommitFailed, Refusal, commits, refusals};
pub use sections::{Limits, Machine, Sections};

/// The words by which such lines are found in a large log.
pub const ANCHORS: &[&str] =
    &["insufficient memory for the Java", "rror has been detected by", "_memory(0x", "Could not reserve enough space"];

/// One report, or its first lines on a console.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CrashReport {
    /// Where it begins.
    pub offset: usize,
    /// Why the JVM ended.
    pub reason: Reason,
    /// The process.
    pub pid: Option<u32>,
    /// The place in the JVM's source: `os_linux.cpp:2795`.
    pub place: Option<String>,
    /// What its sections say.
    pub sections: Sections,
}

/// Why a JVM ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Reason {
    /// `There is insufficient memory for the Java Runtime Environment to continue.`
    Memory(Request),
    /// `fatal error: OutOfMemory encountered: Java heap space` (`CrashOnOutOfMemoryError`).
    OutOfMemoryError {
        /// The error's detail.
        detail: String,
    },
    /// A signal, `SIGSEGV (0xb)`, or an error of the JVM itself.
    Fatal {
        /// The line that names it.
        what: String,
    },
    /// The header is cut before it says so.
    #[default]
    Unsaid,
}

/// The request that could not be fulfilled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// `mmap`, `malloc`, `mprotect`, …
    pub by: Option<String>,
    /// Its size.
    pub size: Option<Bytes>,
    /// What for: `committing reserved memory.`, `Chunk::new`; or the whole reason where there is no size:
    /// `Cannot create GC thread. Out of system resources.`
    pub purpose: Option<String>,
}

/// More reports in one text tell nothing more.
const MOST: usize = 16;

/// The reports of a text, in its order.
pub fn reports(excerpt: &Excerpt) -> Vec<CrashReport> {
    let text = excerpt.text();
    let mut starts = Vec::new();
    let Some(header) = header() else { return Vec::new() };
    if text.contains("Java") || text.contains("Native memory") || text.contains("JRE") {
        starts.extend(header.find_iter(text).map(|found| found.start()).take(MOST));
    }
    if starts.is_empty()
        && let Some(header) = header_cut()
    {
        starts.extend(header.find_iter(text).map(|found| found.start()).take(MOST));
    }
    let mut found: Vec<CrashReport> = Vec::new();
    for (index, &offset) in starts.iter().enumerate() {
        let end = starts.get(index + 1).copied().unwrap_or(text.len());
        let Some(report) = text.get(offset..end).and_then(|part| read(offset, part)) else { continue };
        found.push(report);
    }
    found
}

fn header() -> Option<&'static Regex> {
    static HEADER: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(
            r"There\s+is\s+insufficient\s+memory\s+for\s+the\s+Java\s+Runtime|(?:A\s+fatal|An\s+unexpected)\s+error\s+has\s+been\s+detected\s+by\s+(?:the\s+)?Java\s+Runtime",
        )
        .ok()
    });
    HEADER.as_ref()
}

/// What is left of a header whose first lines are cut off.
fn header_cut() -> Option<&'static Regex> {
    static HEADER: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(
            r"Native\s+memory\s+allocation\s+\(\w+\)\s+failed\s+to|Out\s+of\s+Memory\s+Error\s+\([\w./]+:\d+\),\s+pid=",
        )
        .ok()
    });
    HEADER.as_ref()
}

/// As many bytes as a header has at most.
const HEADER: usize = 6000;

fn read(offset: usize, part: &str) -> Option<CrashReport> {
    let header = first(part, HEADER);
    let reason = if part.starts_with(['T', 'N', 'O']) { Reason::Memory(request(header)) } else { fatal(header) };
    let pid = captured(header, pid_of_header()?, 1).or_else(|| captured(header, pid_of_file()?, 1));
    let place =
        place_of_header().and_then(|place| place.captures(header)?.get(1)).map(|place| place.as_str().to_owned());
    Some(CrashReport {
        offset,
        reason,
        pid: pid.and_then(|pid| pid.parse().ok()),
        place,
        sections: Sections::read(part),
    })
}

/// `#  Out of Memory Error (os_linux.cpp:2795), pid=3364255, tid=0x00007f4a63dd3700` and `#  SIGSEGV (0xb) at pc=…, pid=…`.
fn pid_of_header() -> Option<&'static Regex> {
    static PID: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\bpid\s*=\s*(\d+)\s*,[\s>#/|*]*tid\s*=").ok());
    PID.as_ref()
}

fn pid_of_file() -> Option<&'static Regex> {
    static PID: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"hs\\?_err\\?_pid(\d+)\.log").ok());
    PID.as_ref()
}

fn place_of_header() -> Option<&'static Regex> {
    static PLACE: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"(?:Out\s+of\s+Memory|Internal)\s+Error\s+\(([\w./\\-]+:\d+)\)").ok());
    PLACE.as_ref()
}

/// The line behind "insufficient memory".
fn request(header: &str) -> Request {
    static SIZED: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(
            r"Native\s+memory\s+allocation\s+\((\w+)\)\s+failed\s+to\s+(?:map|allocate|protect|reserve|commit|create)\s+(\d+)\s+bytes(?:\s+for\s+([^\n]{1,160})|\.\s+Error\s+detail:\s+([^\n]{1,160}))?",
        )
        .ok()
    });
    static WORDED: LazyLock<Option<Regex>> = LazyLock::new(|| {
        // Lines of other threads may be torn in between.
        Regex::new(
            r"Environment(?:\s+to\s+continue\.)?(?:[^\n]*\n){0,4}?[^\n]{0,120}?((?:Cannot |Out of swap|Could not |Unable to |Failed to (?:a|c|m|r))[^\n]{1,160})",
        )
        .ok()
    });
    if let Some(found) = SIZED.as_ref().and_then(|sized| sized.captures(header)) {
        let part = |group| found.get(group).map(|part| part.as_str());
        return Request {
            by: part(1).map(str::to_owned),
            size: part(2).and_then(|bytes| bytes.parse().ok()).map(Bytes::new),
            purpose: part(3).or(part(4)).map(|purpose| purpose.trim().to_owned()),
        };
    }
    let purpose = WORDED.as_ref().and_then(|worded| worded.captures(header)?.get(1));
    Request { purpose: purpose.map(|purpose| purpose.as_str().trim().to_owned()), ..Request::default() }
}

fn fatal(header: &str) -> Reason {
    // JDK 6: `java.lang.OutOfMemoryError: requested 32756 bytes for ChunkPool::allocate. Out of swap space?`
    static SWAP: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"OutOfMemoryError:\s+requested\s+(\d+)\s+bytes\s+for\s+([^\n]{1,200}?)\.\s+Out\s+of\s+swap").ok()
    });
    if let Some(found) = SWAP.as_ref().and_then(|swap| swap.captures(header)) {
        let size = found.get(1).and_then(|bytes| bytes.as_str().parse().ok()).map(Bytes::new);
        let purpose = found.get(2).map(|purpose| purpose.as_str().trim().to_owned());
        return Reason::Memory(Request { by: None, size, purpose });
    }
    static ERROR: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(
            r"(?:(?:fatal\s+error|Error):\s+OutOfMemory\s+encountered:\s+([^\n]{1,120}))|((?:SIG[A-Z]{3,6}|EXCEPTION_\w+)\s+\(0x[0-9a-f]+\)[^\n]{0,80})|(Internal\s+Error\s+\([^)\n]{1,120}\))",
        )
        .ok()
    });
    let Some(error) = ERROR.as_ref() else { return Reason::Unsaid };
    let mut first = None;
    for found in error.captures_iter(header).take(8) {
        if let Some(detail) = found.get(1) {
            return Reason::OutOfMemoryError { detail: detail.as_str().trim().to_owned() };
        }
        first = first.or_else(|| found.get(0));
    }
    first.map_or(Reason::Unsaid, |what| Reason::Fatal { what: what.as_str().trim_end().to_owned() })
}

fn captured<'t>(text: &'t str, what: &Regex, group: usize) -> Option<&'t str> {
    what.captures(text)?.get(group).map(|part| part.as_str())
}

#[cfg(test)]
mod tests;
