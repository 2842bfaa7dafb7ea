//! HotSpot's attach protocol, by its socket: what `jcmd` asks, without a JVM of ours (`attachListener_posix.cpp`,
//! `VirtualMachineImpl`; the protocol's version 1, which JDK 8 to 25 all speak).
//!
//! A JVM opens the socket when it is asked for the first time: a trigger file is put into its `/tmp` and it gets a SIGQUIT.
//! That is the [`Handshake`]; nothing here does it unless it is allowed to. Its trigger file is the only thing that this
//! program ever makes in another process's view, and is removed in every case but one: where this process is killed within
//! the some hundredths of a second in which it is there. It is empty, and the next handshake uses another place then.

mod command;
mod guard;
mod handshake;
mod reply;
mod socket;

use std::time::Duration;

pub use command::{Command, Disturbing};
pub use reply::{BadReply, Reply};

use super::root::Root;
use crate::model::{Seen, Unseen};
use guard::Target;
use socket::Endpoint;

/// Whether a JVM that has no socket yet may be asked to open one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Handshake {
    /// Only a socket that is there is used.
    Never,
    /// A process that is proven to be a HotSpot JVM, and to catch the signal, gets it.
    Allowed,
}

/// How long is waited for an answer. A `VM.native_memory detail` of a large process takes some tenths of a second; a
/// stopped process never answers.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// The socket of one JVM. Each question is a connection of its own; nothing is kept open.
#[derive(Clone, Debug)]
pub struct Attached {
    endpoint: Endpoint,
    patience: Duration,
    /// How long the handshake took; nothing where the socket was there.
    pub handshake: Option<Duration>,
}

impl Attached {
    /// Finds the socket of a JVM, and where that is allowed and there is none, has it opened.
    ///
    /// # Errors
    ///
    /// Why there is no talking to it, and what would allow it: a capture, another user's process, a JVM that was started
    /// without attaching, no JVM, a socket that a dead process left behind, a process that is stopped.
    pub fn open(root: &Root, pid: u32, handshake: Handshake, patience: Duration) -> Seen<Attached> {
        if !root.is_live() {
            return Err(Unseen::because("a capture has no socket to ask"));
        }
        let target = Target::of(root, pid)?;
        target.may_be_asked()?;
        match Endpoint::of(root, &target) {
            Ok(endpoint) => Ok(Attached { endpoint, patience, handshake: None }),
            Err(socket::Absent::Not(unseen)) => Err(unseen),
            Err(socket::Absent::Yet(unseen)) if handshake == Handshake::Never => {
                Err(unseen.granted_by("allow the handshake: a trigger file in the process's /tmp, and a SIGQUIT"))
            }
            Err(socket::Absent::Yet(_)) => {
                let took = handshake::shake(root, &target, patience)?;
                let endpoint = Endpoint::of(root, &target).map_err(socket::Absent::into_unseen)?;
                Ok(Attached { endpoint, patience, handshake: Some(took) })
            }
        }
    }

    /// The same with another patience.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Attached {
        Attached { patience, ..self }
    }

    /// Asks something that does not stop the program in the JVM.
    ///
    /// # Errors
    ///
    /// Where the socket has gone or is another process's, nothing was answered in time, or the JVM refused.
    pub fn ask(&self, command: Command) -> Seen<String> {
        self.send(command.words())
    }

    /// Asks something that stops the program in the JVM or changes the process. Only on the explicit wish of a person who
    /// has been shown [`Disturbing::price`].
    ///
    /// # Errors
    ///
    /// As [`Attached::ask`].
    pub fn disturb(&self, command: Disturbing) -> Seen<String> {
        self.send(command.words())
    }

    fn send(&self, words: &str) -> Seen<String> {
        let bytes = self.endpoint.ask(&request(words), self.patience)?;
        let reply = Reply::parse(&bytes).map_err(|error| Unseen::because(format!("{words}: {error}")))?;
        if reply.code == 0 {
            return Ok(reply.text.into_owned());
        }
        let first = reply.text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        let first: String = first.chars().take(200).collect();
        Err(Unseen::because(format!("{words}: the JVM answered {}: {first}", reply.code)))
    }
}

/// The request: version, command and always three arguments, each ended by a zero.
fn request(words: &str) -> Vec<u8> {
    ["1", "jcmd", words, "", ""].iter().flat_map(|part| part.bytes().chain([0])).collect()
}

#[cfg(test)]
mod tests;
