use super::{marks, oom953_mappings_exhausted as mappings};
use crate::diagnose::cause::cause;
use crate::diagnose::postmortem::case::Case;
use crate::diagnose::postmortem::late::{Decides, Late, Weight};
use crate::diagnose::postmortem::signal::Signal;
use crate::model::{Area, Killer};

cause! {
    /// Native memory was refused: an mmap or malloc of the JVM or of a library failed, and the process ended itself.
    ///
    /// ### What is seen
    /// "There is insufficient memory for the Java Runtime Environment to continue" with "Native memory allocation
    /// (mmap) failed to map" or "(malloc) failed to allocate", on the console "os::commit_memory(…) failed; error='Not
    /// enough space' (errno=12)", a file `hs_err_pidPID.log`, exit code 1 or 134. A C++ library (RocksDB) ends with
    /// `std::bad_alloc` and leaves no hs_err file.
    ///
    /// ### What it is not
    /// - A container's limit (OOM940): there memory is promised and the process killed when it touches it. Being
    ///   refused means a machine without memory and swap, strict overcommit, or a limit of addresses.
    /// - A limit of mappings (OOM953), of threads (OOM951), or a named limit such as `ulimit -v` (OOM971): same words,
    ///   memory free.
    /// - A single request of a size that makes no sense: an overflow or corrupt input in the code that asks.
    ///
    /// ### How to prove it
    /// `grep -e physical -e rlimit -e max_map_count -e overcommit -e CommitLimit -e Committed_AS hs_err_pid*.log`: free
    /// memory at the time, and every limit. A 32-bit compressed-oops heap ("Compressed Oops mode: 32-bit") leaves
    /// malloc little room below it.
    ///
    /// ### Cure
    /// Where the machine was full: less on it, or swap; a sum of `taskmanager.memory.process.size` that fits. Where the
    /// process itself was large: what grows (OOM901, OOM902, OOM918). Where memory was free: `vm.overcommit_memory` and
    /// the limits above; -XX:HeapBaseMinAddress=32g in `env.java.opts.all` for a 32-bit heap.
    ///
    /// ### Sources
    /// - HotSpot, debug.cpp (`report_vm_out_of_memory`), vmError.cpp, os_linux.cpp (`warn_fail_commit_memory`).
    /// - Linux, Documentation/mm/overcommit-accounting.rst.
    "OOM952" "native-allocation-failed" {
        late: Some(Late {
            required,
            supporting,
            contradicting: mappings::told,
            weight: Weight::Explains,
            area: |case| marks::area_by(case, &marks::INSIDE, Area::Native),
            title,
            decides: Some(Decides {
                evidence: "whether memory was free at that moment, and which limits were set",
                command: "grep -e physical -e rlimit -e max_map_count -e Commit hs_err_pid*.log",
            }),
        }),
    }
}

/// In which the JVM or a library says that native memory was refused.
const WORDS: [&str; 6] = [
    "insufficient memory",
    "native memory allocation",
    "commit_memory",
    "bad_alloc",
    "out of memory error (",
    "cannot allocate memory",
];

/// What tells of it.
pub(super) fn required<'s>(case: &Case<'s>) -> Vec<&'s Signal> {
    if case.death.is_none() {
        // A native program that ended in the midst of it, and nobody says whose.
        let refused = marks::strained(case, &["allocation-refused"]);
        return if case.ends().iter().any(|(_, ended)| ended.exit.is_none()) { refused } else { Vec::new() };
    }
    marks::told(case, &marks::INSIDE, |signal, death| {
        let refused = match death.area {
            Some(Area::Native) => true,
            Some(Area::Container) => death.killer == Killer::Jvm || marks::speaks_of(signal, death, &WORDS),
            Some(Area::Other) | None => marks::speaks_of(signal, death, &WORDS),
            _ => false,
        };
        refused && !mappings::is_one(signal, death)
    })
}

fn supporting<'s>(case: &Case<'s>) -> Vec<&'s Signal> {
    let mut found = case.strained(Area::Native);
    found.extend(marks::exits(case, &[134, 1]));
    found
}

fn title(case: &Case<'_>) -> String {
    let library = case.death.is_none() || !case.told_with(&["bad_alloc"]).is_empty();
    let who = if library { "a native library" } else { "the JVM" };
    let pid = case.death.as_ref().and_then(|told| told.pid()).map_or(String::new(), |pid| format!(" of process {pid}"));
    format!("{who}{pid} was refused native memory{}", marks::because(case, &marks::INSIDE))
}

#[cfg(test)]
mod tests {
    use super::super::left::Left;
    use super::*;

    fn refused() -> Left {
        let left = Left::killed_by(Killer::Jvm, Area::Native);
        left.quote("# Native memory allocation (mmap) failed to map 12288 bytes for committing reserved memory.")
    }

    #[test]
    fn refused_native_memory_is_the_cause() {
        let verdict = refused().because("512 MiB were asked for").verdict();
        assert_eq!((verdict.code, verdict.area, verdict.pid), (Some("OOM952"), Area::Native, Some(4711)));
        assert_eq!(verdict.summary, "the JVM of process 4711 was refused native memory: 512 MiB were asked for");
        let library = Left::killed_by(Killer::Unknown, Area::Native).quote("what():  std::bad_alloc").verdict();
        assert!(library.summary.starts_with("a native library"), "{}", library.summary);
    }

    #[test]
    fn a_full_machine_keeps_its_area() {
        let left = Left::killed_by(Killer::Jvm, Area::Container).quote("os::commit_memory(0x0, 1, 0) failed");
        assert_eq!((left.first(), left.verdict().area), (Some("OOM952"), Area::Container));
    }

    #[test]
    fn mappings_threads_limits_and_a_bare_end_are_not() {
        for area in [Area::Threads, Area::Config, Area::Heap, Area::Direct] {
            assert!(!Left::killed_by(Killer::Jvm, area).codes().contains(&"OOM952"), "{area:?}");
        }
        let mapped = Left::killed_by(Killer::Jvm, Area::Native).quote("java.io.IOException: Map failed");
        assert!(!mapped.codes().contains(&"OOM952"));
        assert!(!Left::killed_by(Killer::Unknown, Area::Container).codes().contains(&"OOM952"));
        assert!(!Left::default().ended(134).codes().contains(&"OOM952"));
    }
}
