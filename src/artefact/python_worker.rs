//! The Python workers of PyFlink: how Beam tells that one died (`ProcessManager`, `DefaultJobBundleFactory`,
//! `FnApiControlClient`), what Python raises for want of memory, and what gRPC says whenever a worker is closed.

use std::sync::LazyLock;

use regex::Regex;

use super::excerpt::Excerpt;
use super::part::{first, line_before};
use crate::model::Bytes;

/// The words by which such lines are found in a large log. Python's `MemoryError` is found with those of the JVM's errors.
pub const ANCHORS: &[&str] = &["died with exit code", "stage bundle factory"];

/// Whether the kernel's name of a process is one that workers have: the interpreter, and the script that starts it
/// (`pyflink-udf-runner.sh`, cut to 15 signs).
pub fn is_worker(process: &str) -> bool {
    ["python", "pyflink", "beam_sdk_worker"].iter().any(|name| process.starts_with(name))
}

/// What is said of a worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// Python could not get memory: `MemoryError`, `OSError: [Errno 12] Cannot allocate memory`, numpy's and Arrow's errors.
    RanOut {
        /// The error as it stands.
        error: String,
        /// What was asked for, where it is said.
        requested: Option<Bytes>,
    },
    /// `Process died with exit code 137`.
    Died {
        /// The code; 137 and more for signals.
        code: i32,
    },
    /// `Error received from SDK harness for instruction 4: Traceback …`: a function of the user's raised something.
    UserError {
        /// The last line of its traceback.
        raised: Option<String>,
    },
    /// `Failed to create stage bundle factory!`: a worker did not start, or was not there any more.
    NotStarted {
        /// The last line of its traceback.
        raised: Option<String>,
    },
    /// `Multiplexer hanging up`, `Hanged up for …`, `CANCELLED: cancelled before receiving half close`: as at every close.
    Closed,
}

/// One statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PythonWorker {
    /// Where it stands.
    pub offset: usize,
    /// What.
    pub said: Said,
}

/// More of them tell nothing more.
const MOST: usize = 128;
/// As many lines as a traceback is followed.
const TRACEBACK: usize = 200;

/// All of them, in the order of the text.
pub fn read(excerpt: &Excerpt) -> Vec<PythonWorker> {
    let text = excerpt.text();
    let mut found = ran_out(text);
    found.extend(died(text));
    for (words, starting) in
        [("Error received from SDK harness", false), ("Failed to create stage bundle factory", true)]
    {
        for (offset, _) in text.match_indices(words).take(MOST) {
            let raised = raised(text.get(offset..).unwrap_or_default());
            let said = if starting { Said::NotStarted { raised } } else { Said::UserError { raised } };
            found.push(PythonWorker { offset, said });
        }
    }
    let closed = ["Multiplexer hanging up", "Hanged up for", "BeamFnDataGrpcMultiplexer", "BeamFnLoggingService"];
    let closed = closed.iter().flat_map(|words| text.match_indices(words).take(MOST));
    found.extend(closed.map(|(offset, _)| PythonWorker { offset, said: Said::Closed }));
    found.sort_by_key(|said| said.offset);
    found
}

fn ran_out(text: &str) -> Vec<PythonWorker> {
    let mut found: Vec<PythonWorker> =
        text.match_indices("MemoryError").filter_map(|(at, _)| error(text, at)).take(MOST).collect();
    for (offset, words) in text.match_indices("OSError: [Errno 12]").take(MOST) {
        found.push(PythonWorker { offset, said: Said::RanOut { error: words.to_owned(), requested: None } });
    }
    found
}

/// `MemoryError`, `numpy.core._exceptions._ArrayMemoryError: Unable …`, `pyarrow.lib.ArrowMemoryError: malloc of size …`.
fn error(text: &str, at: usize) -> Option<PythonWorker> {
    const NAMES: [&str; 3] = ["MemoryError", "_ArrayMemoryError", "ArrowMemoryError"];
    let before = line_before(text, at, 300);
    let is_of_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '.';
    let lead = before.trim_end_matches(is_of_name);
    let package = before.get(lead.len()..)?;
    // JSON writes a line feed as `\n`, whose letter is no part of the name.
    let package = if lead.ends_with('\\') { package.get(1..).unwrap_or_default() } else { package };
    let after = text.get(at + "MemoryError".len()..)?;
    let class = format!("{}MemoryError", package.rsplit('.').next().unwrap_or_default());
    if !NAMES.contains(&class.as_str()) || after.starts_with(|next: char| is_of_name(next) || next == '(') {
        return None;
    }
    // `except MemoryError:` is a line of a program, and "a MemoryError" one of advice.
    let talk = ["except ", "raise ", "import ", "(", "`", "a ", "an ", "avoid ", "with ", "or "];
    if talk.iter().any(|word| lead.ends_with(word)) {
        return None;
    }
    let rest = first(after, 200).split(['\n', '\\']).next().unwrap_or_default().trim_end();
    let detail = rest.strip_prefix(": ");
    let requested = detail.and_then(requested);
    let error = format!("{package}MemoryError{}", detail.map_or(String::new(), |detail| format!(": {detail}")));
    Some(PythonWorker { offset: at - package.len(), said: Said::RanOut { error, requested } })
}

/// numpy's `Unable to allocate 7.45 GiB for an array with shape …`, Arrow's `malloc of size 8589934592 failed`.
fn requested(detail: &str) -> Option<Bytes> {
    static SIZE: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(
            r"Unable to allocate (\d+)(?:\.(\d{1,6}))? (bytes|[KMGTP]iB)|(?:malloc|realloc) of size (\d+) failed",
        )
        .ok()
    });
    let found = SIZE.as_ref()?.captures(detail)?;
    if let Some(bytes) = found.get(4) {
        return bytes.as_str().parse().ok().map(Bytes::new);
    }
    let unit: u64 = match found.get(3)?.as_str() {
        "bytes" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "TiB" => 1 << 40,
        _ => 1 << 50,
    };
    let whole = found.get(1)?.as_str().parse::<u64>().ok()?.checked_mul(unit)?;
    let fraction = found.get(2).map_or("", |digits| digits.as_str());
    let scale = 10u128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let part = fraction.parse::<u128>().unwrap_or(0).checked_mul(u128::from(unit))? / scale;
    whole.checked_add(u64::try_from(part).ok()?).map(Bytes::new)
}

fn died(text: &str) -> Vec<PythonWorker> {
    static DIED: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"Process\s+died\s+with\s+exit\s+code\s+(-?\d{1,4})|[Ww]orker (?:process )?(?:\d+ )?exited (?:unexpectedly )?with (?:exit )?code (-?\d{1,4})").ok()
    });
    if !text.contains("exit code") && !text.contains("with code") && !text.contains("Process") {
        return Vec::new();
    }
    let Some(died) = DIED.as_ref() else { return Vec::new() };
    let each = died.captures_iter(text).take(MOST).filter_map(|found| {
        let code: i32 = found.get(1).or(found.get(2))?.as_str().parse().ok()?;
        // Python and Go call a death by signal 9 the code -9.
        let code = if (-64..0).contains(&code) { 128 - code } else { code };
        Some(PythonWorker { offset: found.get(0)?.start(), said: Said::Died { code } })
    });
    each.collect()
}

/// What a traceback ends in: the last line that begins with the name of an error. JSON writes its line feeds as `\n`.
fn raised(text: &str) -> Option<String> {
    static RAISED: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"^\s*((?:[A-Za-z_][\w.]*\.)?(?:[A-Z]\w*(?:Error|Exception|Interrupt|Exit)|[A-Z]\w*Warning)(?::[^\n]{0,200})?)\s*$").ok()
    });
    let raised = RAISED.as_ref()?;
    let start = text.find("Traceback (most recent call last)")?;
    let mut last = None;
    for line in text.get(start..)?.lines().take(TRACEBACK).flat_map(|line| line.split("\\n")).take(TRACEBACK) {
        if line.trim_start().starts_with("at ") {
            break;
        }
        last = raised.captures(line).and_then(|found| found.get(1)).map(|found| found.as_str().to_owned()).or(last);
    }
    last
}

#[cfg(test)]
mod tests;
