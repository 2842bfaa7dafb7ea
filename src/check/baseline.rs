//! Findings that were there before, to be told from new ones: a file of fingerprints.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::edits::Lines;
use crate::model::Finding;

/// The version of the file.
const VERSION: u32 = 1;

/// Fingerprints with how often each was found, by path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baseline {
    known: BTreeMap<String, BTreeMap<String, usize>>,
}

/// A text that is no baseline.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("it is no baseline of oomph's: {0}; write one with --write-baseline")]
pub struct BaselineError(String);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    findings: Vec<Row>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    path: String,
    code: String,
    fingerprint: String,
    count: usize,
}

impl Baseline {
    /// Reads a file.
    pub fn parse(text: &str) -> Result<Baseline, BaselineError> {
        let file: File = serde_json::from_str(text).map_err(|error| BaselineError(error.to_string()))?;
        if file.version != VERSION {
            return Err(BaselineError(format!("version {} instead of {VERSION}", file.version)));
        }
        let mut baseline = Baseline::default();
        for row in file.findings {
            *baseline.known.entry(row.path).or_default().entry(row.fingerprint).or_default() += row.count;
        }
        Ok(baseline)
    }

    /// Which of a path's findings are new: `false` for one that is known.
    pub fn new_among(&self, path: &str, fingerprints: &[String]) -> Vec<bool> {
        let mut left = self.known.get(path).cloned().unwrap_or_default();
        let is_new = |print: &String| match left.get_mut(print) {
            Some(count) if *count > 0 => {
                *count -= 1;
                false
            }
            _ => true,
        };
        fingerprints.iter().map(is_new).collect()
    }
}

/// Collects findings for a file.
#[derive(Debug, Default)]
pub struct Recorder {
    rows: BTreeMap<(String, String, String), usize>,
}

impl Recorder {
    /// One more finding.
    pub fn add(&mut self, path: &str, code: &str, fingerprint: &str) {
        *self.rows.entry((path.to_owned(), code.to_owned(), fingerprint.to_owned())).or_default() += 1;
    }

    /// How many findings there are.
    pub fn count(&self) -> usize {
        self.rows.values().sum()
    }

    /// The file, the same for the same findings.
    pub fn text(&self) -> String {
        let findings = self.rows.iter().map(|((path, code, fingerprint), count)| Row {
            path: path.clone(),
            code: code.clone(),
            fingerprint: fingerprint.clone(),
            count: *count,
        });
        let file = File { version: VERSION, findings: findings.collect() };
        serde_json::to_string_pretty(&file).unwrap_or_default() + "\n"
    }
}

/// A path as it stands in baselines and reports: with slashes, without a leading `./`.
pub fn shown_path(path: &str) -> String {
    let slashes = path.replace('\\', "/");
    let mut rest = slashes.as_str();
    while let Some(shorter) = rest.strip_prefix("./") {
        rest = shorter.trim_start_matches('/');
    }
    if rest.is_empty() { ".".to_owned() } else { rest.to_owned() }
}

/// Names a finding whatever line it moves to: by its code, its file, its subject and the text of its lines.
pub fn fingerprint(finding: &Finding, path: &str, lines: &Lines<'_>) -> String {
    let numbers: BTreeSet<u32> =
        finding.labels.iter().take(1).filter_map(|label| Some(label.place.position?.line)).collect();
    let mut hash = Fnv::default();
    for part in [finding.code, path, finding.subject.as_deref().unwrap_or_default()] {
        hash.take(part);
    }
    for line in numbers.into_iter().filter_map(|number| lines.line(number)) {
        hash.take(line.trim());
    }
    format!("{:016x}", hash.0)
}

/// FNV-1a: the same on every machine and in every version, which the standard library's hash is not.
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Fnv {
        Fnv(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    fn take(&mut self, text: &str) {
        for byte in text.bytes().chain([0]) {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::tried::checked;
    use crate::model::Source;

    fn prints(text: &str) -> Vec<String> {
        let lines = Lines::new(Source::Stdin, text);
        checked("flink-conf.yaml", text).findings.iter().map(|f| fingerprint(f, "conf", &lines)).collect()
    }

    const TWICE: &str = "parallelism.default: 1\nparallelism.default: 2\n";

    #[test]
    fn a_finding_that_moves_down_is_the_same_and_one_on_another_text_is_not() {
        assert_eq!(prints(TWICE), prints(&format!("# more\n\n{TWICE}")));
        assert_ne!(prints(TWICE), prints(&TWICE.replace('2', "3")));
    }

    #[test]
    fn what_was_written_is_known_and_one_more_of_the_same_is_not() {
        let mut recorder = Recorder::default();
        recorder.add("a.yaml", "OOM102", "0f");
        let baseline = Baseline::parse(&recorder.text()).unwrap();
        assert_eq!(baseline.new_among("a.yaml", &["0f".into(), "0f".into(), "1e".into()]), [false, true, true]);
        assert_eq!(baseline.new_among("b.yaml", &["0f".into()]), [true]);
    }

    #[test]
    fn what_is_no_baseline_says_so() {
        for text in ["", "{}", "{\"version\": 9, \"findings\": []}", "[1]"] {
            assert!(Baseline::parse(text).unwrap_err().to_string().contains("--write-baseline"), "{text}");
        }
    }

    #[test]
    fn paths_are_shown_alike_however_they_are_given() {
        assert_eq!(
            [shown_path("./a/b"), shown_path(".//a"), shown_path("a\\b"), shown_path("./")],
            ["a/b", "a", "a/b", "."]
        );
    }
}
