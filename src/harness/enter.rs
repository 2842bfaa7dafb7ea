//! How a process gets into its group before it allocates anything: a program of ours is started, puts itself into the group
//! and becomes the command. That needs no shell and no code between fork and exec.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

use rustix::process::{Signal, getppid, set_parent_process_death_signal};
use thiserror::Error;

/// The first word that asks for it: `--enter FILE PARENT -- COMMAND…`.
pub const ENTER: &str = "--enter";

/// In place of the file where there is no group.
pub const NO_GROUP: &str = "-";

/// What a program ends with that could not become its command; `env` and `timeout` have the same.
pub const EXIT: i32 = 125;

/// Why a process did not become its command. The texts go on after "could not".
#[derive(Debug, Error)]
pub enum EnterError {
    /// The words are not those of [`words`].
    #[error("read the words behind {ENTER}: they are FILE PARENT -- COMMAND")]
    Words,
    /// The process that started it has ended already.
    #[error("go on: process {parent}, which started it, has ended")]
    Orphaned {
        /// Which.
        parent: u32,
    },
    /// The group did not take it.
    #[error("write {}: {source}", path.display())]
    Group {
        /// The group's file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// It cannot be tied to the process that started it.
    #[error("ask for a signal when its parent ends: {0}")]
    Untied(io::Error),
    /// The command could not be started.
    #[error("start {}: {source}", program.display())]
    Start {
        /// What.
        program: PathBuf,
        /// The reason.
        source: io::Error,
    },
}

/// The words that have a program of ours enter a group and become a command; `parent` is this process.
pub fn words(entrance: Option<&OsStr>, parent: u32, command: &OsStr) -> Vec<OsString> {
    let entrance = entrance.unwrap_or(OsStr::new(NO_GROUP));
    vec![ENTER.into(), entrance.to_owned(), parent.to_string().into(), "--".into(), command.to_owned()]
}

/// Where [`ENTER`] is among the words of the command line, enters the group and becomes the command; comes back only where
/// that failed. Nothing where the words do not ask for it. To be called first in the main function of a worker.
pub fn enter(words: impl IntoIterator<Item = OsString>) -> Option<EnterError> {
    let mut words = words.into_iter().skip_while(|word| word != ENTER);
    words.next()?;
    Some(follow(words))
}

fn follow(mut words: impl Iterator<Item = OsString>) -> EnterError {
    let (Some(file), Some(parent), Some(dashes)) = (words.next(), words.next(), words.next()) else {
        return EnterError::Words;
    };
    let parent = parent.to_str().and_then(|parent| parent.parse::<u32>().ok());
    let (Some(parent), Some(command), true) = (parent, words.next(), dashes == "--") else { return EnterError::Words };
    // Kept over exec (prctl(2)); the parent may have ended before.
    if let Err(errno) = set_parent_process_death_signal(Some(Signal::KILL)) {
        return EnterError::Untied(errno.into());
    }
    if getppid().map(|pid| pid.as_raw_pid()) != i32::try_from(parent).ok() {
        return EnterError::Orphaned { parent };
    }
    let has_group = file != NO_GROUP;
    // 0 is the process that writes (cgroup-v1/cgroups.rst, cgroup-v2.rst).
    if has_group && let Err(source) = fs::write(&file, "0") {
        return EnterError::Group { path: file.into(), source };
    }
    bear_the_loss(has_group);
    let source = Command::new(&command).args(words).exec();
    EnterError::Start { program: command.into(), source }
}

/// A score below 0 is taken over from what started oomph, and with -1000 the kernel would not kill in the group at all.
/// Without a group the experiment is the first to go where the machine runs out of memory. Raising it needs no rights.
fn bear_the_loss(has_group: bool) {
    const FILE: &str = "/proc/self/oom_score_adj";
    let score = fs::read_to_string(FILE).ok().and_then(|text| text.trim().parse::<i32>().ok());
    let wanted = match score {
        Some(score) if has_group && score < 0 => "0",
        Some(score) if !has_group && score < 1000 => "1000",
        _ => return,
    };
    // Where /proc is not writable, the score stays, and the watchdog is there still.
    let _ = fs::write(FILE, wanted);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(words: &[&str]) -> String {
        enter(words.iter().map(OsString::from)).map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn words_without_the_first_one_ask_for_nothing() {
        assert!(enter(["--workload", "x"].map(OsString::from)).is_none());
    }

    #[test]
    fn words_that_are_cut_short_are_refused() {
        for words in
            [&["--enter"][..], &["--enter", "-"], &["--enter", "-", "me", "--", "x"], &["--enter", "-", "1", "x", "y"]]
        {
            assert_eq!(refused(words), "read the words behind --enter: they are FILE PARENT -- COMMAND");
        }
    }

    #[test]
    fn the_words_name_the_group_the_parent_and_the_command() {
        let made = words(Some(OsStr::new("/g/cgroup.procs")), 7, OsStr::new("java"));
        assert_eq!(made, ["--enter", "/g/cgroup.procs", "7", "--", "java"].map(OsString::from));
        assert_eq!(words(None, 7, OsStr::new("java"))[1], "-");
    }
}
