//! Whose log it is, and of which version of Flink: what banners and main classes say.

use std::sync::LazyLock;

use regex::Regex;

use super::signal::{Origin, Says, Signal};
use crate::artefact::banner;
use crate::artefact::excerpt::Excerpt;

/// The key under which a log's role is given: `taskmanager` or `jobmanager`.
pub const ROLE: &str = "role";
/// The key under which Flink's version is given.
pub const VERSION: &str = "flink.version";
/// The key under which it is given whose malloc a process ran with, by its label.
pub const ALLOCATOR: &str = "allocator";

/// `Starting TaskManager (Version: …`, `Starting YARN TaskExecutor runner (Version: …`,
/// `Starting StandaloneSessionClusterEntrypoint (Version: …` (`EnvironmentInformation.logEnvironmentInfo`).
static BANNER: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"Starting ([A-Za-z][A-Za-z ]{2,60}?) \(Version: ").ok());

/// What an excerpt says.
pub fn signals(excerpt: &Excerpt) -> Vec<Signal> {
    let text = excerpt.text();
    let Some(banner) = BANNER.as_ref().filter(|_| text.contains("(Version: ")) else { return Vec::new() };
    let mut found = Vec::new();
    if let Some(name) = banner.captures(text).and_then(|captures| captures.get(1)) {
        let role = match name.as_str() {
            name if name.contains("TaskManager") || name.contains("TaskExecutor") => Some("taskmanager"),
            name if name.contains("Entrypoint")
                || name.contains("JobManager")
                || name.contains("ApplicationMaster") =>
            {
                Some("jobmanager")
            }
            _ => None,
        };
        let line = excerpt.line(name.start());
        found.extend(role.map(|role| given(line.number, line.text, ROLE, role)));
    }
    let lines: Vec<_> = banner::versions(text);
    if let Some(version) = lines.first() {
        let line = excerpt.lines().nth(usize::try_from(version.line).unwrap_or(1).saturating_sub(1));
        let (number, quote) = line.map_or((1, ""), |line| (line.number, line.text));
        found.push(given(number, quote, VERSION, &version.what));
    }
    found
}

fn given(line: u32, quote: &str, key: &str, value: &str) -> Signal {
    Signal {
        origin: Origin::Given,
        file: 0,
        line,
        at: None,
        quote: quote.chars().take(300).collect(),
        says: Says::Given { key: key.to_owned(), value: value.to_owned() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_banner_tells_role_and_version() {
        let keys = |text: &str| -> Vec<(String, String)> {
            let values = signals(&Excerpt::plain(text)).into_iter().filter_map(|signal| match signal.says {
                Says::Given { key, value } => Some((key, value)),
                _ => None,
            });
            values.collect()
        };
        let of = |role: &str, version: &str| {
            vec![(ROLE.to_owned(), role.to_owned()), (VERSION.to_owned(), version.to_owned())]
        };
        assert_eq!(keys("x INFO y - Starting TaskManager (Version: 1.20.5, Scala: 2.12)"), of("taskmanager", "1.20.5"));
        assert_eq!(keys("a\n Starting YarnJobClusterEntrypoint (Version: 1.9.3, Rev:x)"), of("jobmanager", "1.9.3"));
        assert!(keys("Starting something (Version: x)").is_empty());
    }
}
