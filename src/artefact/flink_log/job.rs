//! What befalls jobs and not processes: checkpoints that expire or fail too often (`CheckpointCoordinator`,
//! `CheckpointFailureManager`), slots that are not to be had, and jobs that reach their end (`ExecutionGraph`,
//! `DefaultExecutionGraph`, `Dispatcher`).

use std::sync::LazyLock;

use super::{At, Sentence, group, number, span};

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// `Checkpoint … of job … expired before completing.`
    Expired {
        /// Which.
        checkpoint: Option<u64>,
    },
    /// `Exceeded checkpoint tolerable failure threshold.`
    TooManyFailed,
    /// No slots: `NoResourceAvailableException`, and the sentences without the class.
    NoSlots,
    /// The job's end: `FINISHED`, `CANCELED`, `FAILED`.
    Ended {
        /// Its last state.
        state: String,
    },
    /// A job was handed in.
    Submitted,
}

static EXPIRED: LazyLock<Sentence> = LazyLock::new(|| {
    Sentence::new(concat!(
        r"Checkpoint (?<checkpoint>\d+)(?: of job \S+)? expired before completing",
        r"|CheckpointException: Checkpoint expired before completing",
    ))
});
static THRESHOLD: LazyLock<Sentence> =
    LazyLock::new(|| Sentence::new(r"Exceeded checkpoint tolerable failure threshold"));
static NO_SLOTS: LazyLock<Sentence> = LazyLock::new(|| {
    Sentence::new(concat!(
        r"NoResourceAvailableException|Could not acquire the minimum required resources",
        r"|Slot request bulk is not fulfillable|Could not allocate (?:the required slot|all requires slots) within",
    ))
});
static ENDED: LazyLock<Sentence> = LazyLock::new(|| {
    Sentence::new(concat!(
        r"Job [^\n]*? switched from state \w+ to (?<state>FINISHED|CANCELED|FAILED)\b",
        r"|Job \S+ reached (?:globally )?terminal state (?<reached>FINISHED|CANCELED|FAILED)\b",
    ))
});
static SUBMITTED: LazyLock<Sentence> =
    LazyLock::new(|| Sentence::new(r"Submitting job '?|Received JobGraph submission"));

/// Every event of a text, in its order.
pub fn events(text: &str) -> Vec<At<Event>> {
    let mut found = Vec::new();
    found.extend(EXPIRED.all(text).map(|captures| At {
        span: span(&captures),
        what: Event::Expired { checkpoint: number(&captures, "checkpoint") },
    }));
    found.extend(THRESHOLD.all(text).map(|captures| At { span: span(&captures), what: Event::TooManyFailed }));
    found.extend(NO_SLOTS.all(text).map(|captures| At { span: span(&captures), what: Event::NoSlots }));
    let ended = ENDED.all(text).filter_map(|captures| {
        let state = group(&captures, "state").or_else(|| group(&captures, "reached"))?.to_owned();
        Some(At { span: span(&captures), what: Event::Ended { state } })
    });
    found.extend(ended);
    found.extend(SUBMITTED.all(text).map(|captures| At { span: span(&captures), what: Event::Submitted }));
    found.sort_by_key(|event| event.span.start);
    found
}
