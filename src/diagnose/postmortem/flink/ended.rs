//! Processes that end themselves or are told to, and what others notice of it.

use super::Told;
use super::workers::exited;
use crate::artefact::flink_log::fatal::{self, Fatal, Thrown};
use crate::artefact::flink_log::job::{self, Event};
use crate::artefact::flink_log::{loss, rejection};
use crate::diagnose::postmortem::signal::{Ended, Says, Strain};

/// What Flink's own exit handler exits with, -17.
const FATAL: i32 = 239;

pub(super) fn tell(told: &mut Told<'_>) {
    let text = told.text();
    let (ends, events, losses) = (fatal::ends(text), job::events(text), loss::losses(text));
    let out_of_memory = text.contains("OutOfMemoryError");
    for end in &ends {
        let (key, says) = match &end.what {
            Fatal::Itself { sentence, thrown } => {
                let Some(says) = of_thrown(sentence, thrown, out_of_memory, true) else { continue };
                ("itself".to_owned(), says)
            }
            Fatal::NotStarted { thrown } => {
                let Some(says) = of_thrown("it could not start", thrown, out_of_memory, false) else { continue };
                ("not started".to_owned(), says)
            }
            Fatal::Signal { signal } => match job_before(&events, end.span.start) {
                Some(state) => {
                    let reason = format!("stopped by signal {signal} after its job had ended ({state})");
                    ("signal".to_owned(), Says::OtherReason { reason, ends: true })
                }
                None => {
                    let exit = signal.checked_add(128);
                    (format!("signal {signal}"), Says::Ended(Ended { exit, pid: None, unit: None }))
                }
            },
            Fatal::Stuck { task } => {
                let reason = format!("a task that did not react to being cancelled ({task})");
                ("stuck".to_owned(), Says::OtherReason { reason, ends: false })
            }
            Fatal::NotStopped { seconds } => {
                let within = seconds.map_or(String::new(), |seconds| format!(" within {seconds} s"));
                let reason = format!("ended by Flink itself, because a task did not stop{within}");
                ("not stopped".to_owned(), Says::OtherReason { reason, ends: true })
            }
            // Its job's status; whether and why a process died, others say.
            Fatal::Exit { code: 0 | 1443..=1445 } => continue,
            Fatal::Exit { code } => (format!("exit {code}"), exited(Some(*code), None, out_of_memory)),
        };
        told.flink(format!("{key} {says:?}"), &end.span, says);
    }
    for loss in &losses {
        let key = format!("loss {:?} {:?}", loss.what.noticed, loss.what.unit);
        told.flink(key, &loss.span, Says::Consequence);
    }
}

/// The state in which the last job before a place had ended well, where no other was handed in since.
fn job_before(events: &[crate::artefact::flink_log::At<Event>], at: usize) -> Option<&str> {
    let before = events.iter().take_while(|event| event.span.start < at);
    let of_jobs = before.filter(|event| matches!(event.what, Event::Ended { .. } | Event::Submitted));
    match &of_jobs.last()?.what {
        Event::Ended { state } if state != "FAILED" => Some(state),
        _ => None,
    }
}

/// What an end is put down to that comes with exceptions. Nothing where another reader takes what was thrown.
fn of_thrown(sentence: &str, thrown: &[Thrown], out_of_memory: bool, fatal: bool) -> Option<Says> {
    let any = |test: &dyn Fn(&Thrown) -> bool| thrown.iter().any(test);
    let of_memory = any(&|thrown| thrown.class.contains("OutOf") && thrown.class.ends_with("MemoryError"));
    if of_memory || out_of_memory {
        return fatal.then(|| {
            Says::Strain(Strain {
                name: "fatal-exit",
                area: None,
                text: "the process ended itself, with exit code 239, after an OutOfMemoryError".to_owned(),
                usage: None,
                limit: None,
            })
        });
    }
    let refused = any(&|thrown| {
        thrown.class.ends_with("MemoryAllocationException")
            || thrown.class.ends_with("MemoryReservationException")
            || thrown.message.contains("Insufficient number of network buffers")
            || thrown.message.contains("did not exit gracefully")
            || !rejection::rejections(&thrown.message).is_empty()
    });
    if refused {
        return None;
    }
    match thrown.last() {
        Some(root) => {
            let reason = format!("{} ({})", sentence_of(sentence), named(root));
            Some(Says::OtherReason { reason, ends: true })
        }
        None if fatal => Some(Says::Ended(Ended { exit: Some(FATAL), pid: None, unit: None })),
        None => Some(Says::Ended(Ended { exit: Some(1), pid: None, unit: None })),
    }
}

fn sentence_of(sentence: &str) -> &str {
    if sentence.starts_with("FATAL: Thread") { "ended by Flink itself for an uncaught exception" } else { sentence }
}

/// An exception's class without its package, and what it says.
pub(super) fn named(thrown: &Thrown) -> String {
    let class = thrown.class.rsplit('.').next().unwrap_or(&thrown.class);
    let message: String = thrown.message.chars().take(160).collect();
    if message.is_empty() { class.to_owned() } else { format!("{class}: {message}") }
}
