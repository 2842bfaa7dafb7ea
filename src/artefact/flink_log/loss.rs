//! What others notice when a process has gone or does not answer: `HeartbeatManagerImpl`, `JobMaster`,
//! `ResourceManager`, `CreditBasedPartitionRequestClientHandler`, Akka's and Pekko's remoting. Never why.

use std::sync::LazyLock;

use super::{At, Sentence, group, span, worker};

/// What was noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Noticed {
    /// No answer for the heartbeat's timeout: it may be dead, cut off, or in a long collection.
    Heartbeat,
    /// Its RPC endpoint is gone (1.14 and later).
    Unreachable,
    /// A connection for records was closed or refused.
    Connection,
    /// Akka or Pekko lost the association, or an answer to a call.
    Rpc,
    /// A slot or a partition is no longer there.
    Removed,
}

/// A loss that somebody noticed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// What was noticed.
    pub noticed: Noticed,
    /// Of whom, where it is said.
    pub unit: Option<String>,
}

static SENTENCES: LazyLock<Vec<(Noticed, Sentence)>> = LazyLock::new(|| {
    use Noticed::{Connection, Heartbeat, Removed, Rpc, Unreachable};
    let sentences: &[(Noticed, &str)] = &[
        // A terminal may have broken the line within the word.
        (Heartbeat, r"eartbeat of (?:[A-Za-z]+\s?[A-Za-z]*) with id (?<unit>\S+) timed out"),
        (Unreachable, r"TaskManager with id (?<unit>\S+) is no longer reachable"),
        (Connection, r"closed by remote task manager '(?<unit>[^'\s]+)"),
        (Connection, r"Lost connection to task manager '(?<unit>[^'\s]+)"),
        (Connection, r"onnecting to remote task manager '?(?<unit>[^'\s]+)[^\n]*?has failed"),
        (Connection, r"Error at remote task manager '(?<unit>[^'\s]+)"),
        (Rpc, r"Association with remote system \[(?<unit>[^\]\s]+)\] has failed"),
        (Rpc, r"Ask timed out on \[?Actor"),
        (Rpc, r"This is usually caused by: ?1\) (?:Akka|Pekko) failed sending the message silently"),
        (Removed, r"The assigned slot (?<unit>\S+) was removed"),
        (Removed, r"TaskExecutor (?<unit>\S+) is lost"),
        (Removed, r"PartitionNotFoundException: Partition \S+ not found"),
    ];
    sentences.iter().map(|(noticed, pattern)| (*noticed, Sentence::new(pattern))).collect()
});

/// Every loss that a text tells, in its order.
pub fn losses(text: &str) -> Vec<At<Loss>> {
    let mut found = Vec::new();
    for (noticed, sentence) in SENTENCES.iter() {
        found.extend(sentence.all(text).map(|captures| {
            let unit = group(&captures, "unit").map(worker::unit_name).filter(|unit| !unit.is_empty());
            At { span: span(&captures), what: Loss { noticed: *noticed, unit } }
        }));
    }
    found.sort_by_key(|loss| loss.span.start);
    found
}
