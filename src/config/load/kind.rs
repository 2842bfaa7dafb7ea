//! What a text is, told by its name or by its content.

use super::LoadError;
use crate::config::manifest::{self, ManifestError};
use crate::config::startup_log::{self, LogError};
use crate::config::template::rendered_name;
use crate::config::yarn_site::{self, XmlError};
use crate::config::{Subject, shell_script, sql_environment, sql_script};
use crate::model::{Place, Position, Source};

/// Whether a file is named after `flink-conf.yaml`, as `flink-conf-prod.yaml` is: its lines may be YAML too, and are not
/// meant as such.
pub(super) fn is_flink_conf_by_name(path: &str) -> bool {
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    name.starts_with("flink-conf") && (name.ends_with(".yaml") || name.ends_with(".yml"))
}

/// A script by its file's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Script {
    Sql,
    Shell,
}

pub(super) fn script_of_name(source: &Source) -> Option<Script> {
    let Source::File(path) = source else { return None };
    let name = rendered_name(path.rsplit(['/', '\\']).next().unwrap_or(path)).to_lowercase();
    let is_dockerfile = ["dockerfile", "containerfile"].iter().any(|word| {
        name.strip_prefix(word).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-', '_']))
            || name.strip_suffix(word).is_some_and(|rest| rest.ends_with('.'))
    });
    match name.rsplit_once('.') {
        Some((_, "sql")) => Some(Script::Sql),
        Some((_, "sh" | "bash")) => Some(Script::Shell),
        _ => is_dockerfile.then_some(Script::Shell),
    }
}

/// The subjects of a text that is a manifest, a script, a log or Hadoop's; nothing where it is a configuration of Flink's own.
pub(super) fn told_otherwise(
    source: &Source,
    text: &str,
    by_name: Option<Script>,
) -> Option<Result<Vec<Subject>, LoadError>> {
    let whole = || Place::of(source.clone());
    let nothing = |what: &str| {
        let reason = format!("nothing in this {what} configures Flink");
        LoadError::Untold { place: whole(), reason }
    };
    match by_name {
        Some(Script::Sql) => {
            return Some(match sql_script::subject(source, text) {
                Ok(subject) => Ok(vec![subject]),
                Err(sql_script::NoSettings) => Err(nothing("SQL script")),
            });
        }
        Some(Script::Shell) => {
            let found = shell_script::subjects(source, text);
            return Some(found.map_err(|shell_script::NoSettings| nothing("script")));
        }
        None => {}
    }
    if shell_script::begins_as_script(text)
        && let Ok(subjects) = shell_script::subjects(source, text)
    {
        return Some(Ok(subjects));
    }
    if manifest::is_manifest(text) {
        return Some(manifest::subjects(source, text).map_err(|ManifestError { reason, position }| {
            LoadError::Untold { place: Place { position, ..whole() }, reason }
        }));
    }
    if startup_log::is_startup_log(text) {
        return Some(startup_log::subjects(source, text).map_err(|LogError { reason, line }| {
            let position = line.map(|line| Position { line, column: 1, start: 0, end: 0 });
            LoadError::Untold { place: Place { position, ..whole() }, reason }
        }));
    }
    if sql_environment::is_environment(text) {
        let subject = sql_environment::subject(source, text);
        return Some(subject.map(|subject| vec![subject]).map_err(|error| LoadError::Untold {
            place: Place { position: Some(error.position), ..whole() },
            reason: error.reason,
        }));
    }
    if yarn_site::is_hadoop_xml(text) {
        let subject = yarn_site::subject(source, text);
        return Some(subject.map(|subject| vec![subject]).map_err(|XmlError { reason, position }| LoadError::Untold {
            place: Place { position, ..whole() },
            reason,
        }));
    }
    if sql_script::is_sql_script(text)
        && let Ok(subject) = sql_script::subject(source, text)
    {
        return Some(Ok(vec![subject]));
    }
    if shell_script::has_command(text)
        && let Ok(subjects) = shell_script::subjects(source, text)
    {
        return Some(Ok(subjects));
    }
    is_log(text).then(|| {
        let reason = "it is a log, and shows neither a start-up block of Flink nor a command line of its JVM; oomph \
                      diagnose reads what logs tell of a death";
        Err(LoadError::Untold { place: whole(), reason: reason.to_owned() })
    })
}

/// So many lines tell whether a text is a log.
const FIRST_LINES: usize = 20;

/// Whether the first line or most of the first lines begin with a time, as no line of a configuration does.
fn is_log(text: &str) -> bool {
    let lines = text.lines().filter(|line| !line.trim().is_empty()).take(FIRST_LINES);
    let timed: Vec<bool> = lines.map(begins_with_time).collect();
    timed.first() == Some(&true) || timed.iter().filter(|is| **is).count() * 2 > timed.len()
}

/// A date (`2026-11-22 …`, `2022/06/02-03:58`) or the kernel's seconds (`[  812.3] …`).
fn begins_with_time(line: &str) -> bool {
    let kernel = line.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    if let Some((seconds, _)) = kernel {
        return seconds.trim().parse::<f64>().is_ok();
    }
    let date: Vec<u8> = line.bytes().take(10).map(|byte| if byte.is_ascii_digit() { b'0' } else { byte }).collect();
    matches!(date.as_slice(), b"0000-00-00" | b"0000/00/00")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("2026-01-01 00:00:00,000 INFO something\n\tat a.B.c(B.java:1)\n2026-01-01 00:00:01,000 INFO more\n", true)]
    #[case("2022/06/02-03:58:39.123456 7f RocksDB version: 8.10.0\n", true)]
    #[case("2022/06/02-03:58:39.1 7f ** DB Stats **\nUptime(secs): 600.0 total\nCumulative writes: 1\n", true)]
    #[case("[812311.204] java invoked oom-killer\n", true)]
    #[case("taskmanager.memory.process.size: 4g\n", false)]
    #[case("# 2026-01-01 changed\ntaskmanager.memory.process.size: 4g\n", false)]
    #[case("[a, b]\n", false)]
    #[case("", false)]
    fn a_log_is_told_by_the_times_that_its_lines_begin_with(#[case] text: &str, #[case] expected: bool) {
        assert_eq!(is_log(text), expected);
    }
}
