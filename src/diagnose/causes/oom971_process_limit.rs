use super::{marks, oom953_mappings_exhausted as mappings};
use crate::diagnose::cause::cause;
use crate::diagnose::postmortem::case::Case;
use crate::diagnose::postmortem::late::{Decides, Late, Weight};
use crate::diagnose::postmortem::signal::Signal;
use crate::model::{Area, Killer};

cause! {
    /// A limit of the process or of the system, named in what is left, refused memory or threads that were free.
    ///
    /// ### What is seen
    /// A crash report or console line of the JVM ("insufficient memory", "commit_memory … failed", "pthread_create
    /// failed") beside a limit that was reached: `rlimit` AS (`ulimit -v`) or DATA, NPROC (`ulimit -u`),
    /// `vm.overcommit_memory=2` with its commit limit, a seccomp profile (EPERM), or at the very start a heap (-Xms,
    /// -Xmx) that the machine cannot give.
    ///
    /// ### What it is not
    /// - A machine without memory (OOM952, OOM944): there the same words stand beside "physical … (… free)" near 0.
    /// - A container's limit (OOM940): memory is never refused there, the process is killed.
    /// - `vm.max_map_count` (OOM953) and `pids.max` (OOM951), which have pages of their own.
    ///
    /// ### How to prove it
    /// `grep -e rlimit -e overcommit -e Commit -e physical hs_err_pid*.log`, or on a successor `cat /proc/PID/limits`
    /// and `grep Commit /proc/meminfo`.
    ///
    /// ### Cure
    /// Raise or lift the limit: `LimitAS=infinity`, `LimitNPROC=` in the unit, `/etc/security/limits.conf` for YARN's
    /// user, `vm.overcommit_memory` 0 or 1, a newer container runtime for clone3 under seccomp. A heap the machine
    /// cannot give: a smaller `taskmanager.memory.process.size` (`jobmanager.memory.process.size`), or a larger
    /// machine.
    ///
    /// ### Sources
    /// - getrlimit(2); Linux, Documentation/mm/overcommit-accounting.rst.
    /// - [pinpoint-docker#216](https://github.com/pinpoint-apm/pinpoint-docker/issues/216): EPERM for the collector's
    ///   threads under seccomp, and Flink's scripts fail.
    "OOM971" "process-limit" {
        late: Some(Late {
            required,
            supporting: |case| marks::exits(case, &[1, 134]),
            weight: Weight::Explains,
            area: |_| Area::Config,
            title,
            decides: Some(Decides {
                evidence: "the limits under which the process ran",
                command: "cat /proc/PID/limits /proc/sys/vm/overcommit_memory",
            }),
            ..Late::UNMARKED
        }),
    }
}

const KILLER: [Killer; 1] = [Killer::Jvm];

fn required<'s>(case: &Case<'s>) -> Vec<&'s Signal> {
    marks::told(case, &KILLER, |signal, death| death.area == Some(Area::Config) && !mappings::is_one(signal, death))
}

fn title(case: &Case<'_>) -> String {
    let because = marks::because(case, &KILLER);
    format!("a limit set on the process or the system refused what the JVM asked for{because}")
}

#[cfg(test)]
mod tests {
    use super::super::left::Left;
    use super::*;

    #[test]
    fn a_named_limit_is_the_cause() {
        let left = Left::killed_by(Killer::Jvm, Area::Config).because("the rlimit AS allows 4.0 GiB of address space");
        let verdict = left.verdict();
        assert_eq!((verdict.code, verdict.area), (Some("OOM971"), Area::Config));
        assert!(verdict.summary.contains("rlimit AS"), "{}", verdict.summary);
    }

    #[test]
    fn mappings_native_memory_and_a_refusal_by_flink_are_not() {
        let mapped =
            Left::killed_by(Killer::Jvm, Area::Config).because("65530 of 65530 mappings (vm.max_map_count) were there");
        assert_eq!((mapped.first(), mapped.codes().contains(&"OOM971")), (Some("OOM953"), false));
        assert!(!Left::killed_by(Killer::Jvm, Area::Native).codes().contains(&"OOM971"));
        assert!(!Left::killed_by(Killer::Flink, Area::Config).codes().contains(&"OOM971"));
    }
}
