//! What a process's own words say about the layout of its memory.

use super::layout::Hints;
use crate::artefact::hsperfdata::{CollectorKind, HsPerf};
use crate::model::Bytes;
use crate::plan::jvm::Collector;

/// Hints out of the words a JVM was started with, and out of its performance data where that was read.
pub fn of(command: &[String], jvm: Option<&HsPerf>) -> Hints {
    let flags = Flags::of(command, jvm);
    let metaspace = flags.size("-XX:MaxMetaspaceSize=");
    let class_space = jvm.and_then(|jvm| jvm.class_space.as_ref()?.max).filter(|size| *size > 0);
    let committed =
        |space: &Option<crate::artefact::hsperfdata::Space>| space.as_ref().and_then(|space| space.capacity);
    Hints {
        max_heap: flags.heap().or_else(|| jvm.and_then(largest_heap)),
        class_space: class_space
            .into_iter()
            .chain(class_spaces(flags.size("-XX:CompressedClassSpaceSize="), metaspace))
            .collect(),
        // What HotSpot calls metaspace here includes the class space.
        metaspace_committed: jvm
            .and_then(|jvm| committed(&jvm.metaspace)?.checked_sub(committed(&jvm.class_space).unwrap_or(0))),
        collector: flags.collector().or_else(|| jvm.and_then(|jvm| jvm.collector).and_then(known)),
        ..Hints::default()
    }
}

/// The sizes that the class space is given where nobody says one: a GiB, and less under a bound of metaspace.
fn class_spaces(asked: Option<u64>, metaspace: Option<u64>) -> Vec<u64> {
    const GIB: u64 = 1 << 30;
    let default = asked.unwrap_or(GIB);
    let mut sizes = Vec::new();
    if let Some(metaspace) = metaspace {
        // Four fifths of it, rounded up to 16 MiB (Metaspace::ergo_initialize, JDK 16 on; 4 MiB from 21 on).
        let share = metaspace / 5 * 4;
        sizes.extend([16_u64 << 20, 4 << 20, 1 << 20].iter().filter_map(|unit| share.checked_next_multiple_of(*unit)));
        // All of it but two of the smallest metaspaces (JDK 8 to 15), rounded down to the allocation unit.
        sizes.extend([8_u64 << 20, 4 << 20, 2 << 20].iter().filter_map(|least| metaspace.checked_sub(*least)));
    }
    sizes.retain(|size| *size <= default);
    sizes.push(default);
    sizes.dedup();
    sizes
}

fn largest_heap(jvm: &HsPerf) -> Option<u64> {
    // With G1 every generation may grow to the whole heap; with the others they add up.
    let sizes = || jvm.generations.iter().filter_map(|generation| generation.max);
    match jvm.collector {
        Some(CollectorKind::G1) => sizes().max(),
        _ => Some(sizes().fold(0, u64::saturating_add)).filter(|size| *size > 0),
    }
}

fn known(kind: CollectorKind) -> Option<Collector> {
    match kind {
        CollectorKind::G1 => Some(Collector::G1),
        CollectorKind::Parallel => Some(Collector::Parallel),
        CollectorKind::Serial => Some(Collector::Serial),
        CollectorKind::Cms => Some(Collector::ConcMarkSweep),
        CollectorKind::Z => Some(Collector::Z),
        CollectorKind::Shenandoah => Some(Collector::Shenandoah),
        _ => None,
    }
}

/// The options of a JVM, those of its environment (which only its performance data shows) before those of its command.
struct Flags<'w> {
    words: Vec<&'w str>,
}

impl<'w> Flags<'w> {
    fn of(command: &'w [String], jvm: Option<&'w HsPerf>) -> Flags<'w> {
        let arguments = jvm.and_then(|jvm| jvm.vm_args.as_deref()).unwrap_or_default();
        // JAVA_TOOL_OPTIONS come first; the command line repeats what follows them.
        let words = arguments.split_whitespace().chain(command.iter().map(String::as_str));
        Flags { words: words.collect() }
    }

    /// The last of a flag counts.
    fn size(&self, name: &str) -> Option<u64> {
        let text = self.words.iter().rev().find_map(|word| word.strip_prefix(name))?;
        Bytes::parse_jvm(text).ok().map(Bytes::get)
    }

    fn heap(&self) -> Option<u64> {
        self.size("-Xmx").or_else(|| self.size("-XX:MaxHeapSize="))
    }

    fn collector(&self) -> Option<Collector> {
        Collector::asked_for(self.words.iter().copied())
    }
}
