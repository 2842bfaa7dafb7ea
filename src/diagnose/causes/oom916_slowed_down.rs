use super::mib;
use crate::artefact::cgroup::{Cgroup, Group};
use crate::diagnose::cause::{Outlook, Told, cause};
use crate::model::{Confidence, Finding, Limit, Severity};

cause! {
    /// The kernel slows the process down for memory: it waits for reclaim instead of being killed.
    ///
    /// ### What is seen
    /// Throughput falls, checkpoints and heartbeats are late, and neither the JVM nor Flink says why. Usage is above
    /// `memory.high`, which slows tasks down until they stand still, or all tasks of the container wait for memory at once
    /// (`full` in `memory.pressure`). Kubernetes sets `memory.high` with the feature gate MemoryQoS; systemd with MemoryHigh.
    ///
    /// ### What it is not
    /// - Garbage collection (OOM908): its time shows in the JVM's own counters, this does not.
    /// - Swap (OOM914), which makes pressure as well: look there first.
    ///
    /// ### How to prove it
    /// `cat /sys/fs/cgroup/memory.pressure /sys/fs/cgroup/memory.events`: `full avg60` above 0, `high` counts up.
    ///
    /// ### Cure
    /// Raise or remove `memory.high` of the group that has it; it must be above `taskmanager.memory.process.size`. Where there
    /// is none, the container is short of memory: see what fills it (OOM904, OOM905).
    ///
    /// ### Sources
    /// - Linux, Documentation/admin-guide/cgroup-v2.rst (`memory.high`), Documentation/accounting/psi.rst.
    /// - systemd, oomd.conf(5): `DefaultMemoryPressureLimit=60%` for 30 s, at which systemd-oomd kills.
    "OOM916" "slowed-down" {
        early: early,
    }
}

/// All tasks wait for this share of the last minute, in hundredths of a per cent: one second in ten does no work. Ours.
const COSTLY: u32 = 1000;
/// Here systemd-oomd kills by default (oomd.conf(5)).
const DEADLY: u32 = 6000;

fn early(outlook: &Outlook<'_>) -> Vec<Finding> {
    let Ok(cgroup) = &outlook.now.sample.cgroup else { return Vec::new() };
    [high(cgroup), pressure(cgroup)].into_iter().flatten().collect()
}

fn groups(cgroup: &Cgroup) -> impl Iterator<Item = &Group> {
    std::iter::once(&cgroup.own).chain(&cgroup.above)
}

fn high(cgroup: &Cgroup) -> Option<Finding> {
    let (group, high, usage) = groups(cgroup).find_map(|group| {
        let Some(Limit::AtMost(high)) = group.high else { return None };
        let usage = group.usage.filter(|usage| *usage >= high)?;
        Some((group, high, usage))
    })?;
    let hits = group.high_hits.filter(|hits| *hits > 0)?;
    let title = format!("{} is above its memory.high of {}, so the kernel slows it down", group.path, mib(high));
    let finding = CAUSE.finding(Severity::Warning, Confidence::High, title);
    let finding = finding.note(format!("usage {}; memory.high was met {hits} times", mib(usage)));
    Some(finding.help("raise memory.high above what is planned, or remove it"))
}

fn pressure(cgroup: &Cgroup) -> Option<Finding> {
    let waiting = |group: &&Group| group.pressure.map_or(0, |pressure| pressure.full_60s);
    // A group above is everybody's: only the process's own tells of it.
    let group = Some(&cgroup.own).filter(|group| waiting(group) >= COSTLY)?;
    let pressure = group.pressure?;
    let per_cent = |hundredths: u32| format!("{}.{} %", hundredths / 100, hundredths % 100 / 10);
    let title =
        format!("all tasks of the container waited for memory for {} of the last minute", per_cent(pressure.full_60s));
    let severity = if pressure.full_60s >= DEADLY { Severity::Error } else { Severity::Warning };
    let finding = CAUSE.finding(severity, Confidence::High, title);
    let finding = finding.note(format!(
        "last ten seconds: {}; some task waited for {} of the last minute",
        per_cent(pressure.full_10s),
        per_cent(pressure.some_60s)
    ));
    Some(finding.help("see what fills the container; it needs more memory or less in it"))
}

#[cfg(test)]
mod tests {
    use super::super::tried::Tried;
    use super::*;
    use crate::artefact::cgroup::Pressure;
    use crate::model::Bytes;

    fn contained(change: impl FnOnce(&mut Group)) -> Tried {
        Tried::taskmanager().contained(1728, 1500, 1400, 0).cgroup(|cgroup| change(&mut cgroup.own))
    }

    #[test]
    fn usage_above_high_is_found_where_it_was_met() {
        let of = |high: u32, hits: u64| {
            contained(|own| (own.high, own.high_hits) = (Some(Limit::AtMost(Bytes::mib(high))), Some(hits)))
        };
        assert_eq!(of(1400, 7).finding(&CAUSE).severity, Severity::Warning);
        assert!(of(1600, 7).finds(&CAUSE).is_empty());
        assert!(of(1400, 0).finds(&CAUSE).is_empty());
    }

    #[test]
    fn pressure_counts_where_all_tasks_wait() {
        let of = |full| contained(|own| own.pressure = Some(Pressure { full_60s: full, ..Pressure::default() }));
        assert_eq!(of(6500).finding(&CAUSE).severity, Severity::Error);
        assert!(of(1234).finding(&CAUSE).title.ends_with("for 12.3 % of the last minute"));
        assert!(of(500).finds(&CAUSE).is_empty());
        assert!(contained(|_| {}).finds(&CAUSE).is_empty());
    }
}
