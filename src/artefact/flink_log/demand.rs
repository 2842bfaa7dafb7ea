//! How many workers a JobManager asks for, gets, gives back and loses: `YarnResourceManager` up to 1.11,
//! `ActiveResourceManager` from 1.12 on, `KubernetesResourceManager` in 1.10 and 1.11, and the slots that are asked for
//! (`SlotPool`, `SlotManager`).

use std::sync::LazyLock;

use super::{At, Sentence, group, number, span, worker};

/// One step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// One worker is asked for.
    Requested,
    /// One was given.
    Received(String),
    /// One was given beyond the requests, and goes back.
    Excess(String),
    /// One has registered.
    Registered(String),
    /// One has gone: lost, killed or given back.
    Gone(String),
    /// One is given back because it has been idle.
    Idle(String),
    /// A slot is asked for, by the request's id.
    Slot(String),
    /// How many workers are wanted in all (1.17 and later).
    Declared(u64),
    /// A job was handed in.
    Job,
}

static STEPS: LazyLock<Vec<(Kind, Sentence)>> = LazyLock::new(|| {
    let steps: &[(Kind, &str)] = &[
        (
            Kind::Requested,
            r"Requesting new (?:TaskExecutor container|TaskManager container|container|worker|TaskManager pod) with",
        ),
        (Kind::Received, r"Received new container: (?<unit>\S+)"),
        (Kind::Received, r"Requested worker (?<unit>\S+) with resource spec"),
        (Kind::Excess, r"Returning excess container (?<unit>\S+)"),
        (Kind::Excess, r"Received more than asked containers, will release the (?<unit>\S+)"),
        (
            Kind::Registered,
            r"Registering TaskManager(?: with ResourceID)? (?<unit>\S+) (?:\(\S+\) )?at ResourceManager",
        ),
        (Kind::Registered, r"Worker (?<unit>\S+) is registered"),
        (Kind::Gone, r"Worker (?<unit>\S+) is terminated"),
        (Kind::Gone, r"Closing TaskExecutor connection (?<unit>\S+) because"),
        (Kind::Gone, r"(?:Stopping|Releasing) (?:worker|container) (?<unit>\S+)"),
        (Kind::Idle, r"Closing TaskExecutor connection (?<unit>\S+) because: TaskExecutor exceeded the idle timeout"),
        (Kind::Slot, r"Requesting new slot \[SlotRequestId\{(?<unit>\w+)\}"),
        (Kind::Declared, r"declared worker number (?<count>\d+)"),
        (Kind::Job, r"Received JobGraph submission|Submitting job \S"),
    ];
    steps.iter().map(|(kind, pattern)| (*kind, Sentence::new(pattern))).collect()
});

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Requested,
    Received,
    Excess,
    Registered,
    Gone,
    Idle,
    Slot,
    Declared,
    Job,
}

/// Every step of a text, in its order.
pub fn steps(text: &str) -> Vec<At<Step>> {
    let mut found = Vec::new();
    for (kind, sentence) in STEPS.iter() {
        for captures in sentence.all(text) {
            let unit = group(&captures, "unit").map(worker::unit_name).unwrap_or_default();
            let what = match kind {
                Kind::Requested => Step::Requested,
                Kind::Received => Step::Received(unit),
                Kind::Excess => Step::Excess(unit),
                Kind::Registered => Step::Registered(unit),
                Kind::Gone => Step::Gone(unit),
                Kind::Idle => Step::Idle(unit),
                Kind::Slot => Step::Slot(unit),
                Kind::Declared => match number(&captures, "count") {
                    Some(count) => Step::Declared(count),
                    None => continue,
                },
                Kind::Job => Step::Job,
            };
            found.push(At { span: span(&captures), what });
        }
    }
    found.sort_by_key(|step| step.span.start);
    found
}
