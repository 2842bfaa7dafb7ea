//! What the JVM counts itself: heap, collections, metaspace, threads.

use super::wrapped;
use crate::artefact::hsperfdata::{Collector, HsPerf, Refreshed};
use crate::diagnose::examination::Examination;
use crate::model::Bytes;
use crate::report::amount::mib;

pub(super) fn section(examination: &Examination, width: usize) -> String {
    let Ok(jvm) = &examination.sample.jvm else { return String::new() };
    let lines = [heap(jvm), collections(jvm), metaspace(jvm), threads(jvm)];
    let lines: Vec<String> =
        lines.into_iter().flatten().map(|line| wrapped(&format!("  {line}"), width, "    ")).collect();
    if lines.is_empty() { String::new() } else { format!("\nThe JVM, in MiB\n{}", lines.concat()) }
}

/// When the heap's figure is of, as the end of a sentence.
fn as_of(jvm: &HsPerf) -> &'static str {
    match jvm.refreshed() {
        Some(Refreshed::AtCollection) => "as of the last collection: it may be more by now",
        Some(Refreshed::AtPhases) => "as of the last phase of a collection, garbage included",
        Some(Refreshed::Sampled | Refreshed::WhileChanging) => "now, garbage included",
        None => "and it is not known when that was",
    }
}

fn heap(jvm: &HsPerf) -> Option<String> {
    let used = jvm.heap_used()?;
    let old = jvm.old_used().map_or(String::new(), |old| format!(", {} of it old", size(old)));
    let committed = jvm.heap_committed().map_or(String::new(), |bytes| format!(" of {} committed", size(bytes)));
    Some(format!("Heap in use {}{committed}{old}, {}", size(used), as_of(jvm)))
}

fn collections(jvm: &HsPerf) -> Option<String> {
    let of = |collector: Option<&Collector>, what: &str| {
        let collector = collector?;
        let times = collector.invocations?;
        let time = collector.nanoseconds.filter(|_| times > 0);
        Some(format!("{times} {what}{}", time.map_or(String::new(), |time| format!(" in {}", seconds(time)))))
    };
    let counted = [
        of(jvm.young_collections(), "young"),
        of(jvm.full_collections(), "full"),
        of(jvm.concurrent_pauses(), "concurrent pauses"),
    ];
    let counted: Vec<String> = counted.into_iter().flatten().collect();
    if counted.is_empty() {
        return None;
    }
    let time: Option<u64> = jvm.collectors.iter().map(|collector| collector.nanoseconds).sum();
    let share = time.zip(jvm.uptime_nanoseconds.filter(|uptime| *uptime > 0)).map(|(time, uptime)| {
        let permille = u128::from(time) * 1_000 / u128::from(uptime);
        format!("; {}.{} % of its time", permille / 10, permille % 10)
    });
    Some(format!("Collections {}{}", counted.join(", "), share.unwrap_or_default()))
}

fn metaspace(jvm: &HsPerf) -> Option<String> {
    let all = jvm.metaspace.as_ref()?;
    let class_space = jvm.class_space.as_ref().and_then(|space| space.used).filter(|used| *used > 0);
    let class_space = class_space.map_or(String::new(), |used| format!(", {} of it class space", size(used)));
    let classes = jvm.loaded_classes.map(|loaded| {
        let unloaded = jvm.unloaded_classes.map_or(String::new(), |gone| format!(", {gone} unloaded"));
        format!("; {loaded} classes loaded{unloaded}")
    });
    let committed = all.capacity.map_or(String::new(), |bytes| format!(" of {} committed", size(bytes)));
    Some(format!("Metaspace {}{committed}{class_space}{}", size(all.used?), classes.unwrap_or_default()))
}

fn threads(jvm: &HsPerf) -> Option<String> {
    let threads = jvm.threads?;
    let peak = jvm.peak_threads.map_or(String::new(), |peak| format!(", {peak} at most so far"));
    let stops = jvm.safepoints.zip(jvm.safepoint_nanoseconds);
    let stops = stops.map_or(String::new(), |(times, time)| format!("; stopped {times} times, {}", seconds(time)));
    Some(format!("Java threads {threads}{peak}{stops}"))
}

fn size(bytes: u64) -> String {
    mib(Bytes::new(bytes))
}

/// Nanoseconds in seconds, to the hundredth.
fn seconds(nanoseconds: u64) -> String {
    let hundredths = nanoseconds / 10_000_000;
    format!("{}.{:02} s", hundredths / 100, hundredths % 100)
}
