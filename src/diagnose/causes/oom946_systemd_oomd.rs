use super::marks;
use crate::diagnose::cause::cause;
use crate::diagnose::postmortem::case::Case;
use crate::diagnose::postmortem::late::{Decides, Late, Weight};
use crate::model::{Area, Killer};

cause! {
    /// A daemon of the machine (systemd-oomd, earlyoom) killed the process before the kernel had to.
    ///
    /// ### What is seen
    /// The journal has "Marked … for killing", "Killed … due to memory pressure" or "due to memory used … and swap
    /// used" by systemd-oomd, or "sending SIGTERM to process" by earlyoom. The kernel's log has no report, and the
    /// group's `oom_kill` stays 0. systemd-oomd kills a whole control group: all TaskManagers of one unit die together.
    ///
    /// ### What it is not
    /// - The kernel's kill: systemd then says "has been killed by the OOM killer" of the unit, which is the kernel
    ///   (OOM940, OOM944).
    /// - A process at its limit: what counts is pressure, the time that tasks wait for memory, or swap that is nearly
    ///   full.
    ///
    /// ### How to prove it
    /// `journalctl -u systemd-oomd -u earlyoom --since -1d`; `oomctl` shows what is watched and by which limits; `cat
    /// /proc/pressure/memory`.
    ///
    /// ### Cure
    /// Take memory from the machine's load, or the unit of Flink out of its reach: `ManagedOOMMemoryPressure=auto`,
    /// `ManagedOOMSwap=auto` and `ManagedOOMPreference=omit` in the unit; earlyoom: `--avoid java`. Without swap the
    /// rule of swap never fires. A group that is throttled by `memory.high` is under pressure too (OOM916).
    ///
    /// ### Sources
    /// - systemd, systemd-oomd.service(8), oomd.conf(5) (`SwapUsedLimit=90%`, `DefaultMemoryPressureLimit=60%` for 30
    ///   s), systemd.resource-control(5).
    /// - earlyoom, its manual: SIGTERM at 10 % of memory and swap left, SIGKILL at 5 %.
    "OOM946" "systemd-oomd" {
        late: Some(Late {
            required: |case| marks::killed(case, &KILLER),
            supporting: marks::borne_out,
            weight: Weight::Bounds,
            area: |case| marks::area_by(case, &KILLER, Area::Container),
            title,
            decides: Some(Decides {
                evidence: "whether pressure or swap was the reason, and which groups were candidates",
                command: "journalctl -u systemd-oomd -u earlyoom --since -1d",
            }),
            ..Late::UNMARKED
        }),
    }
}

const KILLER: [Killer; 1] = [Killer::SystemdOomd];

fn title(case: &Case<'_>) -> String {
    let because = marks::because(case, &KILLER);
    format!("a daemon that watches the machine's memory killed {}{because}", marks::victim(case))
}

#[cfg(test)]
mod tests {
    use super::super::left::Left;
    use super::*;

    #[test]
    fn a_kill_by_the_daemon_is_bounded_and_its_reason_told() {
        let left = Left::killed_by(Killer::SystemdOomd, Area::Container).because("swap used is 90 %");
        let verdict = left.verdict();
        assert_eq!((verdict.code, verdict.area), (Some("OOM946"), Area::Container));
        assert!(verdict.summary.ends_with("killed process 4711: swap used is 90 %"), "{}", verdict.summary);
    }

    #[test]
    fn the_kernels_kill_is_not() {
        assert!(!Left::killed_by(Killer::KernelGlobal, Area::Container).codes().contains(&"OOM946"));
        assert!(!Left::killed_by(Killer::KernelMemcg, Area::Container).codes().contains(&"OOM946"));
    }
}
