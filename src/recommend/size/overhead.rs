//! JVM overhead: what the JVM and native code take beside the planned parts.

use super::load::Load;
use super::{Basis, Part};
use crate::config::workload::{Allocator, StateHome};
use crate::model::{Bytes, Reading};
use crate::plan::Survey;

/// What is compiled of the 240 MiB that the code cache reserves.
const CODE: Bytes = Bytes::mib(120);
/// What a thread touches of its stack, with room.
const STACK: Bytes = Bytes::kib(128);
/// Threads of Flink and the JVM themselves.
const OWN_THREADS: u64 = 100;
/// `taskmanager.memory.jvm-overhead.min` by default.
const LEAST: Bytes = Bytes::mib(192);
/// Blocks that a state's open iterators and a compaction of it hold.
const PINNED_A_STATE: Bytes = Bytes::mib(4);

/// The parts of JVM overhead for a survey of the process; `native` is what RocksDB or ForSt may take of managed memory.
pub fn parts(load: &Load, survey: &Survey, native: Bytes) -> Vec<Part> {
    let collector = survey.footprint.shares.first();
    let structures = collector.and_then(|share| match share.at_most {
        Reading::Seen(bytes) => Some(bytes),
        Reading::Unseen(_) => None,
    });
    let vertices = load.job.vertices.len() as u64;
    let threads = OWN_THREADS + u64::from(load.slots) * (vertices + 2);
    let (percent, allocator) = match load.allocator {
        Allocator::Jemalloc => (15, "jemalloc"),
        Allocator::Glibc => (34, "glibc"),
    };
    let part = |name: &str, bytes, basis, source: String| Part { name: name.to_owned(), bytes, basis, source };
    let mut parts = vec![
        part(
            "structures of the collector",
            structures.unwrap_or(Bytes::mib(64)),
            if structures.is_some() { Basis::Known } else { Basis::Assumed },
            format!(
                "{} for this heap and {} cores ({}); fitted to NativeMemoryTracking of JDK 17 and 25",
                survey.footprint.collector.value.label(),
                survey.footprint.cores.value,
                survey.footprint.cores.why
            ),
        ),
        part(
            "compiled code",
            CODE,
            Basis::Assumed,
            "half of ReservedCodeCacheSize, 240 MiB; 16 MiB were seen".to_owned(),
        ),
        part(
            "thread stacks",
            STACK.checked_mul(threads).unwrap_or(Bytes::FLINK_MAX),
            Basis::Assumed,
            format!("{threads} threads, 128 KiB each; about 90 KiB were seen"),
        ),
        part(
            "class-data archive, libraries, symbols",
            Bytes::mib(68),
            Basis::Known,
            "seen on a live TaskManager: 12 + 30 + 26 MiB".to_owned(),
        ),
    ];
    if load.home != StateHome::Heap {
        let slack = Bytes::new(native.get() / 100 * percent);
        let seen = match load.allocator {
            Allocator::Jemalloc => "15 % of the store's memory: the most of three runs with jemalloc 5.3",
            Allocator::Glibc => {
                "34 % of the store's memory: seen with glibc; job restarts make it more, see MALLOC_ARENA_MAX"
            }
        };
        parts.push(part(&format!("what {allocator} keeps of freed memory"), slack, Basis::Known, seen.to_owned()));
        let states = u64::from(load.slots) * u64::from(load.states);
        parts.push(part(
            "blocks that iterators and compactions pin",
            PINNED_A_STATE.checked_mul(states).unwrap_or(Bytes::FLINK_MAX),
            Basis::Assumed,
            format!("{PINNED_A_STATE} for each state of each slot; nothing bounds it"),
        ));
    }
    let sum = Bytes::checked_sum(parts.iter().map(|part| part.bytes)).unwrap_or(Bytes::FLINK_MAX);
    if let Some(rest) = LEAST.checked_sub(sum).filter(|rest| *rest > Bytes::ZERO) {
        parts.push(part(
            "up to Flink's own least",
            rest,
            Basis::Known,
            "taskmanager.memory.jvm-overhead.min is 192m".to_owned(),
        ));
    }
    parts
}
