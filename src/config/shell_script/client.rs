//! Command lines of Flink's own scripts: which of them a command is, and what its arguments set.

use super::words::{Command, Word};
use crate::config::subject::{Placed, YarnFlags};
use crate::config::{Value, is_placeholder};
use crate::flink::keys;
use crate::model::{Deployment, Role};

/// A command that is one of Flink's.
#[derive(Clone, Copy, Debug)]
pub struct Client<'c> {
    /// What it is called: `flink run`.
    pub name: &'static str,
    /// Its arguments.
    pub arguments: &'c [Word],
    /// The path it is called by.
    pub program: &'c Word,
    /// Who starts the processes, where the script itself tells.
    pub deployment: Option<Deployment>,
    /// Whose configuration it is, where that is one role's.
    pub role: Option<Role>,
}

/// Flink's scripts that take dynamic properties.
const SCRIPTS: [(&str, Option<Deployment>, Option<Role>); 13] = [
    ("kubernetes-session.sh", Some(Deployment::Kubernetes), None),
    ("yarn-session.sh", Some(Deployment::Yarn), None),
    // What EMR calls it.
    ("flink-yarn-session", Some(Deployment::Yarn), None),
    ("taskmanager.sh", Some(Deployment::Standalone), Some(Role::TaskManager)),
    ("jobmanager.sh", Some(Deployment::Standalone), Some(Role::JobManager)),
    ("standalone-job.sh", Some(Deployment::Standalone), Some(Role::JobManager)),
    ("kubernetes-taskmanager.sh", Some(Deployment::Kubernetes), Some(Role::TaskManager)),
    ("kubernetes-jobmanager.sh", Some(Deployment::Kubernetes), Some(Role::JobManager)),
    ("start-cluster.sh", Some(Deployment::Standalone), None),
    ("sql-client.sh", None, None),
    ("sql-gateway.sh", None, None),
    ("pyflink-shell.sh", None, None),
    ("docker-entrypoint.sh", Some(Deployment::Standalone), None),
];

/// What comes before a command without being one.
const BEFORE: [&str; 13] =
    ["$", "if", "then", "else", "elif", "while", "until", "do", "!", "{", "time", "export", "RUN"];

/// Programs whose arguments may be the name of another, which they do not run.
const NAMES_OTHERS: [&str; 26] = [
    "alias", "apk", "apt", "apt-get", "awk", "cat", "cd", "chmod", "chown", "COPY", "cp", "curl", "echo", "find",
    "grep", "ln", "ls", "mkdir", "mv", "pkill", "printf", "rm", "sed", "tar", "wget", "which",
];

/// The last part of a path.
pub fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// `NAME=value`.
pub fn assignment(word: &Word) -> Option<(&str, usize)> {
    let (name, _) = word.text.split_once('=')?;
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    (is_name && !name.starts_with(|c: char| c.is_ascii_digit())).then_some((name, name.len() + 1))
}

/// The version in the path of a command: `/opt/flink-1.20.1/bin/flink`.
pub fn version_in_path(path: &str) -> Option<String> {
    path.split('/').filter_map(|part| part.strip_prefix("flink-")).find_map(|version| {
        let parts: Vec<_> = version.split('.').collect();
        ((2..=3).contains(&parts.len()) && parts.iter().all(|part| part.parse::<u16>().is_ok()))
            .then(|| version.to_owned())
    })
}

/// The words of a command without what comes before it.
pub fn bare(words: &[Word]) -> &[Word] {
    let skipped =
        words.iter().take_while(|word| BEFORE.contains(&word.text.as_str()) || assignment(word).is_some()).count();
    &words[skipped..]
}

/// The command as one of Flink's.
pub fn of(command: &Command) -> Option<Client<'_>> {
    let words = bare(&command.words);
    if NAMES_OTHERS.contains(&base(&words.first()?.text)) {
        return None;
    }
    words.iter().enumerate().find_map(|(at, word)| {
        let name = base(&word.text);
        let rest = &words[at + 1..];
        if name == "flink" {
            let action =
                ["run", "run-application"].into_iter().find(|name| rest.first().is_some_and(|w| w.text == *name))?;
            let name = if action == "run" { "flink run" } else { "flink run-application" };
            return Some(Client { name, arguments: &rest[1..], program: word, deployment: None, role: None });
        }
        let (name, deployment, role) = SCRIPTS.into_iter().find(|(script, ..)| *script == name)?;
        let told = rest.first().and_then(|word| super::role(&word.text)).filter(|_| name == "docker-entrypoint.sh");
        Some(Client { name, arguments: rest, program: word, deployment, role: role.or(told) })
    })
}

/// What arguments set.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// Dynamic properties, and flags that are an option's other name.
    pub settings: Vec<Placed>,
    /// Memory flags of YARN's client.
    pub yarn: YarnFlags,
    /// Who starts the processes.
    pub deployment: Option<Deployment>,
    /// The job's parallelism.
    pub parallelism: Option<u32>,
}

/// Flags of `flink run` with a value, of those that do not matter here (`CliFrontendParser`, `FlinkYarnSessionCli`,
/// `PythonProgramOptions`).
const WITH_VALUE: [&str; 46] = [
    "-c",
    "--class",
    "-C",
    "--classpath",
    "-s",
    "--fromSavepoint",
    "-rm",
    "-restoreMode",
    "--restoreMode",
    "-cm",
    "-claimMode",
    "--claimMode",
    "-py",
    "--python",
    "-pym",
    "--pyModule",
    "-pyfs",
    "--pyFiles",
    "-pyreq",
    "--pyRequirements",
    "-pyarch",
    "--pyArchives",
    "-pyexec",
    "--pyExecutable",
    "-pyclientexec",
    "--pyClientExecutable",
    "-pypath",
    "--pyPythonPath",
    "-z",
    "--zookeeperNamespace",
    "-yid",
    "--yarnapplicationId",
    "-yj",
    "--yarnjar",
    "-ynl",
    "--yarnnodeLabel",
    "-ynm",
    "--yarnname",
    "-yqu",
    "--yarnqueue",
    "-yt",
    "--yarnship",
    "-yz",
    "--yarnzookeeperNamespace",
    "-yn",
    "-yat",
];

/// Reads the arguments of a script. Behind the program of `flink run` come the program's own.
pub fn told(client: &Client<'_>) -> Told {
    let mut told = Told::default();
    let words = client.arguments;
    let runs = client.name.starts_with("flink run");
    let on_yarn = client.name.contains("yarn-session");
    let mut at = 0;
    while let Some(word) = words.get(at) {
        at += 1;
        if let Some(rest) = ["-yD", "-D"].into_iter().find_map(|flag| word.text.strip_prefix(flag)) {
            let skipped = word.text.len() - rest.len();
            let (word, skipped) = match rest.is_empty() {
                true => match words.get(at) {
                    Some(next) => (next, 0),
                    None => break,
                },
                false => (word, skipped),
            };
            at += usize::from(rest.is_empty());
            told.settings.extend(property(word, skipped));
            continue;
        }
        let (flag, inline) = match word.text.split_once('=').filter(|_| word.text.starts_with("--")) {
            Some((flag, value)) => (flag, Some(word.behind(word.text.len() - value.len()))),
            None => (word.text.as_str(), None),
        };
        let asked: Option<fn(&mut Told, &Word)> = match flag {
            "-t" | "--target" | "-e" | "--executor" | "-m" | "--jobmanager" if runs => Some(target),
            "-p" | "--parallelism" if runs => Some(parallelism),
            "-ytm" | "--yarntaskManagerMemory" if runs => Some(taskmanager),
            "-yjm" | "--yarnjobManagerMemory" if runs => Some(jobmanager),
            "-ys" | "--yarnslots" if runs => Some(slots),
            "-tm" | "--taskManagerMemory" if on_yarn => Some(taskmanager),
            "-jm" | "--jobManagerMemory" if on_yarn => Some(jobmanager),
            "-s" | "--slots" if on_yarn => Some(slots),
            _ => None,
        };
        match (asked, inline) {
            (Some(tell), Some(value)) => tell(&mut told, &value),
            (Some(tell), None) => {
                if let Some(value) = words.get(at) {
                    tell(&mut told, value);
                }
                at += 1;
            }
            (None, None) if runs && WITH_VALUE.contains(&flag) => at += 1,
            // The program; a variable may hold further flags.
            (None, _) if runs && !flag.starts_with('-') && (flag.contains(".jar") || !is_placeholder(flag)) => break,
            (None, _) => {}
        }
    }
    told.deployment = told.deployment.or(client.deployment);
    told
}

/// `key=value` behind the first bytes of a word.
pub fn property(word: &Word, skipped: usize) -> Option<Placed> {
    let (key, value) = word.text.get(skipped..)?.split_once('=')?;
    let is_key = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
    is_key.then(|| placed(word, key, key, value))
}

/// A setting whose name and value stand in a word.
fn placed(word: &Word, key: &str, written: &str, value: &str) -> Placed {
    let place = crate::model::Place { source: word.inlay.source().clone(), position: Some(word.position(value)) };
    Placed { key: key.to_owned(), value: Value::text(value), place, written: Some(word.position(written)) }
}

fn of_value(key: &str, value: &Word) -> Placed {
    Placed { written: None, ..placed(value, key, "", &value.text) }
}

fn taskmanager(told: &mut Told, value: &Word) {
    told.yarn.taskmanager = Some(of_value("-tm", value));
}

fn jobmanager(told: &mut Told, value: &Word) {
    told.yarn.jobmanager = Some(of_value("-jm", value));
}

fn slots(told: &mut Told, value: &Word) {
    told.settings.push(of_value(keys::SLOTS.name(), value));
}

fn parallelism(told: &mut Told, value: &Word) {
    told.parallelism = value.text.parse().ok();
    told.settings.push(of_value("parallelism.default", value));
}

fn target(told: &mut Told, value: &Word) {
    if value.text.starts_with("yarn") {
        told.deployment = Some(Deployment::Yarn);
    } else if value.text.starts_with("kubernetes") {
        told.deployment = Some(Deployment::Kubernetes);
    }
}
