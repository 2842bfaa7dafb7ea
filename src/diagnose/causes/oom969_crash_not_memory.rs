use super::marks::{self, Other};
use crate::diagnose::cause::cause;
use crate::diagnose::postmortem::case::Case;
use crate::diagnose::postmortem::late::{Decides, Late, Weight};
use crate::model::Area;

cause! {
    /// The process crashed: a fault in native code or in the JVM, or a stack that overflowed; not for want of memory.
    ///
    /// ### What is seen
    /// "A fatal error has been detected by the Java Runtime Environment" with SIGSEGV, SIGBUS or SIGILL, a file
    /// `hs_err_pidPID.log` without "insufficient memory", exit code 134 or 139; glibc's "corrupted size vs. prev_size",
    /// "double free or corruption"; or `StackOverflowError`.
    ///
    /// ### What it is not
    /// - "There is insufficient memory for the Java Runtime Environment" (OOM952): that is memory, in the same kind of
    ///   file.
    /// - A SIGBUS is no fault of code where a mapped file was cut or its disk is full (OOM965).
    ///
    /// ### How to prove it
    /// `grep -A 3 -e 'Problematic frame' hs_err_pid*.log` names the library: `librocksdbjni` a closed or freed RocksDB
    /// object, `libjvm` the JVM, `libnet` or `libzstd` a native client. The same frame again and again in a stack is a
    /// recursion.
    ///
    /// ### Cure
    /// By the frame: a newer version of the library or the JDK. RocksDB objects used after `dispose` are a job that
    /// goes on after its cancellation. Deep recursion (large JSON, nested types, optimizer plans): -Xss in
    /// `env.java.opts.taskmanager` or `env.java.opts.client`, which each thread then may touch.
    ///
    /// ### Sources
    /// - HotSpot, vmError.cpp (`VMError::report`); glibc, malloc/malloc.c (`malloc_printerr`).
    "OOM969" "crash-not-memory" {
        late: Some(Late {
            required: |case| marks::others(case, Other::Crash),
            supporting: |case| marks::exits(case, &[134, 139]),
            contradicting: marks::death,
            weight: Weight::NotMemory,
            area: |_| Area::Other,
            title,
            decides: Some(Decides {
                evidence: "in which library it happened: the problematic frame",
                command: "grep -A 3 'Problematic frame' hs_err_pid*.log",
            }),
        }),
    }
}

fn title(case: &Case<'_>) -> String {
    let reason = marks::reason(case, Other::Crash).unwrap_or("a crash");
    format!("memory was not the reason: {reason}")
}

#[cfg(test)]
mod tests {
    use super::super::left::Left;
    use super::*;
    use crate::model::Killer;

    #[test]
    fn a_crash_is_not_memory() {
        for reason in ["a crash of the JVM by SIGSEGV (0xb)", "damage to the heap of a native library, not its size"] {
            let verdict = Left::default().other_reason(reason, true).verdict();
            assert_eq!((verdict.code, verdict.killer), (Some("OOM969"), Killer::NotOom), "{reason}");
        }
    }

    #[test]
    fn insufficient_memory_and_a_bare_code_are_not() {
        assert!(!Left::killed_by(Killer::Jvm, Area::Native).codes().contains(&"OOM969"));
        assert!(!Left::default().ended(134).codes().contains(&"OOM969"));
    }
}
