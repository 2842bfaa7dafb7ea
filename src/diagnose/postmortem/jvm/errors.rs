//! Errors named `OutOfMemoryError`, and the threads that could not be started.

use std::sync::LazyLock;

use jiff::SignedDuration;
use regex::Regex;

use super::signal;
use crate::artefact::excerpt::{Excerpt, Moment};
use crate::artefact::jvm_oom::{self, Exhausted, OutOfMemory, ThreadFailed};
use crate::diagnose::postmortem::signal::{Death, Origin, Says, Signal, Strain};
use crate::model::{Area, Bytes, Killer};

/// Errors of one kind that are closer together than this are of one death: one is thrown in many threads and told many times.
const ONE_DEATH: SignedDuration = SignedDuration::from_mins(10);

/// `is_refused`: whether the system refused the JVM memory in the same text, so that a thread that did not start follows
/// from it.
pub(super) fn signals(excerpt: &Excerpt, is_refused: bool) -> Vec<Signal> {
    let errors = jvm_oom::errors(excerpt);
    let is_named = errors.iter().any(|error| error.exhausted != Exhausted::Unnamed);
    let given = if errors.is_empty() { Given::default() } else { Given::read(excerpt.text()) };
    let mut found: Vec<Signal> = Vec::new();
    for error in errors.iter().filter(|error| !is_named || error.exhausted != Exhausted::Unnamed) {
        if error.provoked {
            found.push(signal(excerpt, error.offset, Origin::Jvm, Says::Consequence));
            continue;
        }
        let now = signal(excerpt, error.offset, Origin::Jvm, Says::Death(death(&given, error)));
        match found.iter_mut().rev().find(|before| is_same(before, &now)) {
            Some(before) => complete(before, now),
            None => found.push(now),
        }
    }
    let pid = jvm_oom::heap_dumps(excerpt).iter().find_map(|dump| dump.pid);
    for death in found.iter_mut().filter_map(|signal| as_death(&mut signal.says)) {
        if matches!(death.area, Some(Area::Heap | Area::Metaspace)) {
            death.pid = death.pid.or(pid);
        }
    }
    let threads = jvm_oom::threads(excerpt);
    let threads = threads_failed(excerpt, &threads, &found, is_refused);
    found.extend(threads);
    found
}

fn as_death(says: &mut Says) -> Option<&mut Death> {
    match says {
        Says::Death(death) => Some(death),
        _ => None,
    }
}

fn is_same(before: &Signal, now: &Signal) -> bool {
    let (Says::Death(first), Says::Death(second)) = (&before.says, &now.says) else { return false };
    let apart = first.unit.is_some() && second.unit.is_some() && first.unit != second.unit;
    first.area == second.area && !apart && !is_later(before.at, now.at)
}

fn is_later(before: Option<Moment>, now: Option<Moment>) -> bool {
    match (before, now) {
        (Some(Moment::Zoned(before)), Some(Moment::Zoned(now))) => now.duration_since(before) > ONE_DEATH,
        (Some(Moment::Local(before)), Some(Moment::Local(now))) => now.duration_since(before) > ONE_DEATH,
        (Some(Moment::Since(before)), Some(Moment::Since(now))) => {
            now.checked_sub(before).is_some_and(|between| between > ONE_DEATH)
        }
        _ => false,
    }
}

/// A later telling of the same death adds what the first left out.
fn complete(before: &mut Signal, now: Signal) {
    let at = now.at;
    let (Some(first), Says::Death(second)) = (as_death(&mut before.says), now.says) else { return };
    first.unit = first.unit.take().or(second.unit);
    if first.usage.is_none() && second.usage.is_some() {
        (first.usage, first.limit, first.exact) = (second.usage, second.limit, second.exact);
        first.because = second.because;
    }
    before.at = before.at.or(at);
}

fn death(given: &Given, error: &OutOfMemory) -> Death {
    let (area, what) = area(error.exhausted);
    let mut because = what.to_owned();
    let limit = error.limit.or_else(|| given.limit(error.exhausted));
    if let (Some(used), Some(limit)) = (error.used, error.limit) {
        let asked =
            error.requested.map_or_else(String::new, |asked| format!(", and {} B more were asked for", asked.get()));
        because = format!("{because}: {} B of {} B were in use{asked}", used.get(), limit.get());
    } else if let Some(limit) = limit {
        because = format!("{because}; it was given {limit}");
    }
    Death {
        area: Some(area),
        because,
        limit,
        usage: error.used,
        exact: error.limit.is_some(),
        unit: error.unit.clone(),
        ..Death::by(Killer::Jvm)
    }
}

/// Where an error's memory belongs, and what it says.
pub(super) fn area(exhausted: Exhausted) -> (Area, &'static str) {
    match exhausted {
        Exhausted::Heap => (Area::Heap, "the error names the Java heap"),
        Exhausted::GcOverhead => {
            (Area::Heap, "collecting took nearly all time and freed nearly nothing of the Java heap")
        }
        Exhausted::ArraySize => (Area::Heap, "an array was asked for that is larger than a Java heap can hold"),
        Exhausted::Metaspace => (Area::Metaspace, "the error names metaspace"),
        Exhausted::ClassSpace => (Area::Metaspace, "the error names the class space, which is a part of metaspace"),
        Exhausted::PermGen => (Area::Metaspace, "the error names PermGen, which holds the classes"),
        Exhausted::Direct => (Area::Direct, "the error names direct buffers"),
        Exhausted::NetworkBuffers => (Area::Direct, "direct memory did not hold Flink's network buffers"),
        Exhausted::Threads => (Area::Threads, "a thread could not be started"),
        Exhausted::Map => (
            Area::Native,
            "a file could not be mapped: as a rule the process has as many mappings as vm.max_map_count allows",
        ),
        Exhausted::Native => (Area::Native, "memory of malloc was refused"),
        Exhausted::Unnamed => (Area::Heap, "the error names no memory, as when none is left for its own message"),
    }
}

/// The flags that bound what may be exhausted, each where the text has one value of it.
#[derive(Default)]
struct Given {
    /// `-Xmx`, `MaxDirectMemorySize`, `MaxMetaspaceSize`, `CompressedClassSpaceSize`, `MaxPermSize`.
    flags: [Option<Bytes>; 5],
}

impl Given {
    /// Nothing of a JobManager's log: its flags are its own, and the errors are those of others.
    fn read(text: &str) -> Given {
        static FLAGS: LazyLock<Option<Regex>> = LazyLock::new(|| {
            Regex::new(
                r"-Xmx(\d+[kKmMgGtT]?)\b|-XX:MaxDirectMemorySize=(\d+[kKmMgGtT]?)\b|-XX:MaxMetaspaceSize=(\d+[kKmMgGtT]?)\b|-XX:CompressedClassSpaceSize=(\d+[kKmMgGtT]?)\b|-XX:MaxPermSize=(\d+[kKmMgGtT]?)\b",
            )
            .ok()
        });
        let is_of_others =
            ["ClusterEntrypoint", "executiongraph", "to FAILED on"].iter().any(|word| text.contains(word));
        let mut flags: [Vec<Bytes>; 5] = Default::default();
        if let Some(known) = FLAGS.as_ref().filter(|_| !is_of_others && text.contains("-X")) {
            for found in known.captures_iter(text).take(256) {
                for (flag, group) in flags.iter_mut().zip(1..) {
                    let size = found.get(group).and_then(|size| Bytes::parse_jvm(size.as_str()).ok());
                    flag.extend(size.filter(|size| !flag.contains(size)));
                }
            }
        }
        let mut given = Given { flags: flags.map(|values| values.first().copied().filter(|_| values.len() == 1)) };
        let [_, direct, ..] = &mut given.flags;
        *direct = direct.or_else(|| said_of_direct(text).filter(|_| !is_of_others));
        given
    }

    fn limit(&self, exhausted: Exhausted) -> Option<Bytes> {
        let place = match exhausted {
            Exhausted::Heap | Exhausted::GcOverhead => 0,
            Exhausted::Direct | Exhausted::NetworkBuffers => 1,
            Exhausted::Metaspace => 2,
            Exhausted::ClassSpace => 3,
            Exhausted::PermGen => 4,
            _ => return None,
        };
        self.flags.get(place).copied().flatten()
    }
}

/// `Max Direct Memory: 5.0 MB`, as programs print it that ask for the bound.
fn said_of_direct(text: &str) -> Option<Bytes> {
    static SAID: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"(?i)max\s?direct\s?memory(?:\s?size)?\s*[:=]\s*(\d{1,12})(?:\.(\d))?\s*([kmg])i?b?\b").ok()
    });
    let found = SAID.as_ref()?.captures(text)?;
    let shift = match found.get(3)?.as_str() {
        "k" | "K" => 10,
        "m" | "M" => 20,
        _ => 30,
    };
    let tenths = found.get(2).map_or(Some(0), |digit| digit.as_str().parse::<u64>().ok())?;
    let whole = found.get(1)?.as_str().parse::<u64>().ok()?.checked_mul(1 << shift)?;
    whole.checked_add((tenths << shift) / 10).map(Bytes::new)
}

/// Threads of the JVM's own, without which it goes on.
const OWN: [&str; 6] = ["GC Thread", "G1 ", "C1 CompilerThread", "C2 CompilerThread", "Concurrent", "Shenandoah"];

fn threads_failed(excerpt: &Excerpt, threads: &[ThreadFailed], known: &[Signal], is_refused: bool) -> Option<Signal> {
    let first = threads.iter().find(|thread| thread.error.is_some()).or(threads.first())?;
    let is_told =
        known.iter().any(|signal| matches!(&signal.says, Says::Death(death) if death.area == Some(Area::Threads)));
    let error = first.error.as_deref().unwrap_or("an error");
    let text = format!("{} threads could not be started ({error})", threads.len());
    let is_own = threads
        .iter()
        .all(|thread| thread.name.as_deref().is_some_and(|name| OWN.iter().any(|own| name.starts_with(own))));
    let says = if is_refused {
        Says::Consequence
    } else if is_told || is_own {
        Says::Strain(Strain { name: "threads-refused", area: Some(Area::Threads), text, usage: None, limit: None })
    } else if error == "EPERM" {
        let because = "a thread was not permitted (EPERM): a seccomp profile or a policy forbids clone3".to_owned();
        Says::Death(Death { area: Some(Area::Config), because, ..Death::by(Killer::Jvm) })
    } else {
        Says::Death(Death { area: Some(Area::Threads), because: text, ..Death::by(Killer::Jvm) })
    };
    Some(signal(excerpt, first.offset, Origin::Jvm, says))
}
