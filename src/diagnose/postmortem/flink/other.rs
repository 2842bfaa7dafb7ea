//! What fails beside a death and is none: checkpoints, slots, exceptions of a job; and workers beyond all need.

use std::collections::BTreeSet;

use super::Told;
use super::ended::named;
use crate::artefact::flink_log::At;
use crate::artefact::flink_log::demand::{self, Step};
use crate::artefact::flink_log::fatal::{self, Thrown};
use crate::artefact::flink_log::job::{self, Event};
use crate::diagnose::postmortem::signal::{Says, Strain};
use crate::model::Area;

pub(super) fn tell(told: &mut Told<'_>) {
    let text = told.text();
    let (events, steps) = (job::events(text), demand::steps(text));
    // Logs of other programs print exceptions too; and where memory ran out, anything may be thrown for that.
    let of_flink = text.contains("flink") || text.contains("Flink");
    let thrown = if of_flink && !text.contains("OutOfMemoryError") { roots(text) } else { Vec::new() };
    checkpoints(told, &events);
    for event in events.iter().filter(|event| event.what == Event::NoSlots) {
        let reason = "no slots were to be had".to_owned();
        told.flink("slots".to_owned(), &event.span, Says::OtherReason { reason, ends: false });
    }
    for thrown in thrown.iter().filter(|thrown| !is_told_elsewhere(&thrown.what)).take(MOST_EXCEPTIONS) {
        let reason = format!("an exception of the job or of what it uses ({})", named(&thrown.what));
        told.flink(format!("thrown {}", thrown.what.class), &thrown.span, Says::OtherReason { reason, ends: false });
    }
    beyond_need(told, &steps);
}

/// As many are enough to say that a job has its own troubles.
const MOST_EXCEPTIONS: usize = 200;

fn checkpoints(told: &mut Told<'_>, events: &[At<Event>]) {
    let expired: Vec<_> = events.iter().filter(|event| matches!(event.what, Event::Expired { .. })).collect();
    if let Some(first) = expired.first() {
        let (count, plural) = (expired.len(), if expired.len() == 1 { "" } else { "s" });
        let text = format!("{count} checkpoint{plural} expired before all tasks had answered");
        let strain = Strain { name: "checkpoint-expired", area: None, text, usage: None, limit: None };
        told.flink("expired".to_owned(), &first.span, Says::Strain(strain));
        let reason = "checkpoints that expired".to_owned();
        told.flink("expired reason".to_owned(), &first.span, Says::OtherReason { reason, ends: false });
    }
    if let Some(event) = events.iter().find(|event| event.what == Event::TooManyFailed) {
        let reason = "more failed checkpoints than the job tolerates".to_owned();
        told.flink("threshold".to_owned(), &event.span, Says::OtherReason { reason, ends: false });
    }
}

/// The innermost exception of each chain.
fn roots(text: &str) -> Vec<At<Thrown>> {
    let all = fatal::thrown(text);
    let is_cause = |thrown: &At<Thrown>| {
        text.get(..thrown.span.start).is_some_and(|before| before.trim_end().ends_with("Caused by:"))
    };
    let innermost = (1..=all.len()).map(|next| all.get(next).is_none_or(|next| !is_cause(next)));
    let roots: Vec<bool> = innermost.collect();
    all.into_iter().zip(roots).filter_map(|(thrown, is_root)| is_root.then_some(thrown)).collect()
}

/// Whether an exception is about memory, follows from a loss, or has its own sentence.
fn is_told_elsewhere(thrown: &Thrown) -> bool {
    let class = thrown.class.rsplit('.').next().unwrap_or_default();
    let classes = [
        "OutOfMemoryError",
        "OutOfDirectMemoryError",
        "TimeoutException",
        "AskTimeoutException",
        "RemoteTransportException",
        "LocalTransportException",
        "ConnectException",
        "ClosedChannelException",
        "AnnotatedConnectException",
        "NativeIoException",
        "CancellationException",
        "InterruptedException",
        "CancelTaskException",
        "MemoryAllocationException",
        "MemoryReservationException",
        "IllegalConfigurationException",
        "CheckpointException",
        "NoResourceAvailableException",
        "PartitionNotFoundException",
        "ResourceManagerException",
        "RecipientUnreachableException",
        "JobException",
        "FlinkException",
        "FlinkJobNotFoundException",
        "RocksDBException",
        "StatusRuntimeException",
        "ExitCodeException",
        "TaskManagerLostException",
    ];
    let words = [
        "memory",
        "Memory",
        "Map failed",
        "native thread",
        "network buffers",
        "stage bundle",
        "SDK harness",
        "Process died",
        "Pod terminated",
        "Container ",
        "no longer reachable",
        "timed out",
        "Connection reset",
        "Broken pipe",
        "was removed",
    ];
    classes.contains(&class) || words.iter().any(|words| thrown.message.contains(words))
}

/// FLINK-9567: after workers are lost, both who sees the loss and who needs the slots ask for new ones, and more come
/// than anybody uses.
fn beyond_need(told: &mut Told<'_>, steps: &[At<Step>]) {
    let mut alive: BTreeSet<&str> = BTreeSet::new();
    let (mut wanted, mut lost, mut asked, mut most) = (0usize, 0usize, 0usize, 0usize);
    let (mut declared, mut idle, mut excess) = (0u64, 0usize, 0usize);
    let mut slots: BTreeSet<&str> = BTreeSet::new();
    let mut last = None;
    for step in steps {
        match &step.what {
            Step::Requested if lost > 0 => asked += 1,
            Step::Received(unit) | Step::Registered(unit) => {
                alive.insert(unit);
                if lost == 0 {
                    wanted = wanted.max(alive.len());
                } else if alive.len() > most {
                    most = alive.len();
                    last = Some(step);
                }
            }
            Step::Excess(unit) => {
                alive.remove(unit.as_str());
                excess += 1;
            }
            Step::Gone(unit) if alive.remove(unit.as_str()) => lost += 1,
            Step::Idle(_) => idle += 1,
            Step::Slot(id) if lost > 0 => {
                slots.insert(id);
            }
            Step::Declared(count) => declared = declared.max(*count),
            // Another job may need more.
            Step::Job if lost > 0 => return,
            _ => {}
        }
    }
    let Some(last) = last else { return };
    let needed = wanted.max(usize::try_from(declared).unwrap_or(usize::MAX)).max(slots.len());
    if asked == 0 || wanted == 0 || most < needed.saturating_add(2) || most / 3 < needed / 2 {
        return;
    }
    let mut text = format!(
        "{wanted} workers stood before the first was lost; {lost} were lost, {asked} new ones were asked for, \
         and {most} stood at once"
    );
    if !slots.is_empty() {
        text += &format!(", for {} slots that were asked for", slots.len());
    }
    if idle > 0 {
        text += &format!("; {idle} were given back idle");
    }
    if excess > 0 {
        text += &format!("; {excess} were returned unused");
    }
    let strain = Strain { name: "containers-beyond-need", area: Some(Area::Other), text, usage: None, limit: None };
    told.flink("beyond need".to_owned(), &last.span.clone(), Says::Strain(strain));
}
