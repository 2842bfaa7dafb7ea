use super::mib;
use crate::diagnose::cause::cause;
use crate::diagnose::postmortem::case::Case;
use crate::diagnose::postmortem::late::{Decides, Late, Weight};
use crate::diagnose::postmortem::signal::Signal;
use crate::model::{Area, Bytes, Killer};

cause! {
    /// Heap and direct memory together are as large as the container, so nothing is left for what lies outside them.
    ///
    /// ### What is seen
    /// YARN or the kernel kills the container at its limit while heap and direct memory are within theirs. In the
    /// process tree, -Xmx and -XX:MaxDirectMemorySize add up to the container's size. RocksDB, metaspace, compiled
    /// code, thread stacks and what the allocator keeps have no place in that sum: the process lives until they have
    /// grown into what heap and direct memory do not touch yet, hours or days later.
    ///
    /// ### What it is not
    /// - A heap that is too small: that ends in an OutOfMemoryError, and the container is not killed.
    /// - Managed memory that RocksDB exceeds (OOM902): there the sum leaves room, and it is RocksDB that overdraws its
    ///   share.
    ///
    /// ### How to prove it
    /// Add up -Xmx and -XX:MaxDirectMemorySize of `ps -o args= -p PID` or of the process tree, and compare with the
    /// container. Where Flink is 1.9 or earlier, `oomph plan` shows the same from `containerized.heap-cutoff-ratio`.
    /// What fills the rest is told by RocksDB's metrics (`state.backend.rocksdb.metrics.block-cache-usage`,
    /// `state.backend.rocksdb.metrics.size-all-mem-tables` and their neighbours).
    ///
    /// ### Cure
    /// In 1.9 and earlier raise `containerized.heap-cutoff-ratio` or `containerized.heap-cutoff-min`: a larger
    /// container alone gives the new room to heap and direct memory again, and a larger -Xmx takes from what is
    /// missing. From 1.10 on put RocksDB under managed memory and give `taskmanager.memory.jvm-overhead.min` and
    /// `taskmanager.memory.jvm-overhead.max` what is needed outside.
    ///
    /// ### Sources
    /// - Flink 1.9, `ContaineredTaskManagerParameters.create` and `calculateCutoffMB`: direct memory is the container
    ///   without the heap.
    /// - A PyFlink job on YARN that was killed every five to six days at 4.0 of 4 GB, and not once in 14 days after
    ///   that cure.
    "OOM954" "no-room-outside-heap" {
        late: Some(Late {
            required,
            supporting,
            weight: Weight::Explains,
            area: |_| Area::Config,
            title,
            decides: Some(Decides {
                evidence: "what grows outside heap and direct memory: RocksDB by its own metrics, or something else",
                command: "oomph attach PID\n\
                          state.backend.rocksdb.metrics.block-cache-capacity: true\n\
                          state.backend.rocksdb.metrics.block-cache-usage: true\n\
                          state.backend.rocksdb.metrics.size-all-mem-tables: true\n\
                          state.backend.rocksdb.metrics.num-running-flushes: true\n\
                          state.backend.rocksdb.metrics.num-running-compactions: true",
            }),
            ..Late::UNMARKED
        }),
    }
}

const KILLERS: [Killer; 2] = [Killer::YarnPmem, Killer::KernelMemcg];

/// Heap and direct memory, as the flags bound them.
fn bounded(case: &Case<'_>) -> Option<(Bytes, Bytes)> {
    let heap = case.flag_size("-Xmx")?;
    // Without the flag the JVM takes the size of the heap for direct memory as well, but rarely fills it.
    Some((heap, case.flag_size("-XX:MaxDirectMemorySize").unwrap_or(Bytes::ZERO)))
}

fn fills(case: &Case<'_>) -> Option<(Bytes, Bytes, Bytes)> {
    let (heap, direct) = bounded(case)?;
    let limit = case.death.as_ref()?.limit()?;
    (heap.checked_add(direct)? >= limit).then_some((heap, direct, limit))
}

fn required<'s>(case: &Case<'s>) -> Vec<&'s Signal> {
    if fills(case).is_none() {
        return Vec::new();
    }
    case.told_by(&KILLERS)
}

fn supporting<'s>(case: &Case<'s>) -> Vec<&'s Signal> {
    ["-Xmx", "-XX:MaxDirectMemorySize"]
        .into_iter()
        .filter_map(|flag| case.given(flag))
        .map(|(signal, _)| signal)
        .collect()
}

fn title(case: &Case<'_>) -> String {
    let Some((heap, direct, limit)) = fills(case) else { return String::new() };
    if direct == Bytes::ZERO {
        return format!(
            "the heap ({}) alone fills the container of {}: nothing is left for direct memory, metaspace and code",
            mib(heap),
            mib(limit)
        );
    }
    format!(
        "heap ({}) and direct memory ({}) fill the container of {}: nothing is left for RocksDB, metaspace and code",
        mib(heap),
        mib(direct),
        mib(limit)
    )
}

#[cfg(test)]
mod tests {
    use super::super::left::Left;
    use super::*;

    fn killed(heap: &str, direct: &str) -> Left {
        Left::killed_by(Killer::YarnPmem, Area::Container)
            .limit(Bytes::mib(4096))
            .given("-Xmx", heap)
            .given("-XX:MaxDirectMemorySize", direct)
    }

    #[test]
    fn heap_and_direct_memory_that_fill_the_container_are_the_cause() {
        let left = killed("2764m", "1332m");
        let verdict = left.verdict();
        assert_eq!((verdict.code, verdict.area), (Some("OOM954"), Area::Config));
        assert!(verdict.summary.contains("2764.0 MiB"), "{}", verdict.summary);
    }

    #[test]
    fn a_container_with_room_left_is_not() {
        assert!(!killed("2000m", "1332m").codes().contains(&"OOM954"));
    }
}
