use super::mib;
use crate::diagnose::cause::{Outlook, Told, cause};
use crate::model::{Bytes, Component, Confidence, Finding, Pool, Severity};

cause! {
    /// What JVM Overhead has to pay for, with what no budget pays for, is more than it has.
    ///
    /// ### What is seen
    /// Compiled code, thread stacks, the collector's tables, the class archive and the JVM's and libraries' small native
    /// memory together pass JVM Overhead, or they do so with what malloc keeps and with what nobody accounts for. Nothing
    /// enforces JVM Overhead: what passes it takes room that other parts have not used yet, and the container is killed
    /// when they do.
    ///
    /// ### What it is not
    /// - What malloc keeps alone (OOM901): then the parts themselves are within the budget.
    /// - RocksDB beyond managed memory (OOM902), direct memory (OOM913) or metaspace (OOM907): they have budgets of their own.
    ///
    /// ### How to prove it
    /// `oomph attach PID` lists the pools. `jcmd PID VM.native_memory summary` agrees for GC, Code, Thread and Symbol, with
    /// -XX:NativeMemoryTracking=summary in `env.java.opts.taskmanager`.
    ///
    /// ### Cure
    /// By the pool that is largest. Collector's tables: fewer parallel workers (-XX:ParallelGCThreads where the JVM sees the
    /// node's cores), or a smaller heap. Stacks: fewer threads. Native memory: jemalloc, and the library behind it. Else give
    /// it what it takes: `taskmanager.memory.jvm-overhead.min` and `taskmanager.memory.jvm-overhead.max` above what is used,
    /// or `taskmanager.memory.jvm-overhead.fraction`.
    ///
    /// ### Sources
    /// - `TaskManagerOptions.JVM_OVERHEAD_FRACTION`, Flink 1.10 to 2.3: 0.1, held between 192 MiB and 1 GiB.
    /// - Measured: Flink 1.20.5, JDK 17, G1 with 512 MiB: code 16, stacks 10, tables 18, archive and libraries 42, the JVM's
    ///   own malloc 26 MiB.
    /// - HotSpot: the tables of G1 and Parallel by heap and workers, fitted to native memory tracking (`src/plan/jvm.rs`).
    "OOM912" "overhead-exceeded" {
        early: early,
    }
}

fn early(outlook: &Outlook<'_>) -> Vec<Finding> {
    finding(outlook).into_iter().collect()
}

fn finding(outlook: &Outlook<'_>) -> Option<Finding> {
    let ledger = outlook.now.ledger.as_ref().ok()?;
    let row = ledger.row(Component::JvmOverhead)?;
    // What could not be divided is left out: the rest is there all the same.
    let paid = Bytes::checked_sum(row.pools.iter().map(|(_, bytes)| *bytes))?;
    // Files go back under pressure.
    let outside = ledger.outside.iter().filter(|outside| outside.pool != Pool::MappedFiles);
    let outside: Vec<(Pool, Bytes)> = outside.map(|outside| (outside.pool, outside.bytes)).collect();
    let all = paid.checked_add(Bytes::checked_sum(outside.iter().map(|(_, bytes)| *bytes))?)?;
    let over = all.checked_sub(row.budget).filter(|over| *over > Bytes::ZERO)?;
    // Without what malloc keeps it would fit: a matter of the allocator.
    let kept =
        outside.iter().find(|(pool, _)| *pool == Pool::AllocatorRetained).map_or(Bytes::ZERO, |(_, bytes)| *bytes);
    let without = all.checked_sub(kept)?;
    let by_itself = without > row.budget;
    let severity = if by_itself { Severity::Warning } else { Severity::Note };
    let walked = outlook.now.sample.heap.is_ok() && row.used.is_ok();
    let mut finding = CAUSE.finding(
        severity,
        if walked { Confidence::High } else { Confidence::Medium },
        format!("JVM Overhead of {} has {} to pay for, {} too much", mib(row.budget), mib(all), mib(over)),
    );
    let mut pools: Vec<(Pool, Bytes)> = row.pools.iter().copied().chain(outside).collect();
    pools.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
    for (pool, bytes) in &pools {
        finding = finding.note(format!("{}: {}", pool.label(), mib(*bytes)));
    }
    let largest = pools.first().map(|(pool, _)| *pool);
    Some(
        finding.help(match largest {
            Some(Pool::AllocatorRetained) => super::oom901_allocator_retention::remedy(outlook)
                .unwrap_or("see why the allocator keeps so much before giving JVM Overhead more"),
            Some(Pool::Gc) => "lower -XX:ParallelGCThreads, or raise jvm-overhead.min and .max of this process",
            Some(Pool::ThreadStacks) => "see who makes threads, or raise jvm-overhead.min and .max of this process",
            _ => "raise jvm-overhead.min and .max of this process to what is used",
        }),
    )
}

#[cfg(test)]
mod tests {
    use super::super::tried::Tried;
    use super::*;

    const USUAL: [(Pool, u32); 4] =
        [(Pool::CodeCache, 16), (Pool::ThreadStacks, 10), (Pool::Gc, 18), (Pool::NativeSmall, 38)];

    fn with(more: &[(Pool, u32)]) -> Tried {
        let pools: Vec<(Pool, u32)> = USUAL.iter().chain(more).copied().collect();
        Tried::taskmanager().uses(&pools)
    }

    #[test]
    fn what_overhead_pays_for_is_listed_where_it_is_too_much() {
        let finding = with(&[(Pool::CdsArchive, 150)]).finding(&CAUSE);
        assert_eq!(finding.title, "JVM Overhead of 192.0 MiB has 232.0 MiB to pay for, 40.0 MiB too much");
        assert_eq!((finding.severity, finding.notes[0].as_str()), (Severity::Warning, "CDS archive: 150.0 MiB"));
        assert!(with(&[(Pool::CdsArchive, 12)]).finds(&CAUSE).is_empty());
    }

    #[test]
    fn a_jobmanager_has_overhead_too() {
        let finding = Tried::jobmanager().uses(&[(Pool::ThreadStacks, 300)]).finding(&CAUSE);
        assert!(finding.help.unwrap_or_default().contains("threads"));
    }

    #[test]
    fn mapped_files_do_not_count_and_malloc_that_was_not_divided_is_no_evidence() {
        assert!(with(&[(Pool::MappedFiles, 900), (Pool::MallocUndivided, 900)]).finds(&CAUSE).is_empty());
    }

    #[test]
    fn what_malloc_keeps_is_said_by_its_own_cause() {
        let kept = with(&[(Pool::AllocatorRetained, 400)]);
        assert_eq!(kept.finding(&CAUSE).severity, Severity::Note);
        let codes: Vec<&str> = kept.all().iter().map(|finding| finding.code).collect();
        assert_eq!(codes, ["OOM901"]);
        let both = with(&[(Pool::AllocatorRetained, 400), (Pool::CdsArchive, 150)]).all();
        assert_eq!(both.iter().map(|finding| finding.code).collect::<Vec<_>>(), ["OOM901", "OOM912"]);
    }
}
