use crate::diagnose::cause::{Outlook, Told, cause};
use crate::diagnose::postmortem::case::Case;
use crate::diagnose::postmortem::late::{Decides, Late, Weight};
use crate::diagnose::postmortem::signal::Origin;
use crate::diagnose::postmortem::signal::Signal;
use crate::model::{Area, Confidence, Finding, Severity};

cause! {
    /// The kernel has killed processes of this container for memory before.
    ///
    /// ### What is seen
    /// `oom_kill` of the control group is above 0 while this process lives: another process of the container was killed (a
    /// Python worker, a script), or the one that was here before, where the group outlives it. With `memory.oom.group` all
    /// processes of the group die at once; with `oom_kill_disable` of version 1 they stop for ever instead.
    ///
    /// ### What it is not
    /// - A kill by hand, by the kubelet's eviction or by YARN: none of them counts there.
    /// - Somebody else's kill: the counter is of this group and those below it.
    ///
    /// ### How to prove it
    /// `cat /sys/fs/cgroup/memory.events` (version 1: `memory.oom_control`); `dmesg -T | grep -i 'killed process'` on the node.
    ///
    /// ### Cure
    /// Whatever killed it once does so again: find what fills the container (OOM904, OOM911, OOM901). Until then the limit
    /// must be above what was killed at: raise `taskmanager.memory.process.size` and the limit together.
    ///
    /// ### Sources
    /// - Linux, Documentation/admin-guide/cgroup-v2.rst (`memory.events`, `memory.oom.group`); cgroup-v1/memory.rst
    ///   (10. OOM control).
    "OOM917" "killed-before" {
        early: early,
        late: Some(Late {
            required,
            weight: Weight::Beside,
            area: |_| Area::Container,
            title,
            decides: Some(Decides {
                evidence: "which processes of the container were killed, and when",
                command: "dmesg -T | grep -i 'killed process'",
            }),
            ..Late::UNMARKED
        }),
    }
}

fn early(outlook: &Outlook<'_>) -> Vec<Finding> {
    finding(outlook).into_iter().collect()
}

fn finding(outlook: &Outlook<'_>) -> Option<Finding> {
    let own = &outlook.now.sample.cgroup.as_ref().ok()?.own;
    let kills = own.oom_kills.filter(|kills| *kills > 0)?;
    let times = if kills == 1 { "a process".to_owned() } else { format!("{kills} processes") };
    let title = format!("the kernel has killed {times} of this container for memory");
    let mut finding = CAUSE.finding(Severity::Warning, Confidence::High, title);
    if let Some(hits) = own.limit_hits {
        finding = finding.note(format!("the limit was met {hits} times"));
    }
    if own.oom_group == Some(true) {
        finding = finding.note("memory.oom.group is set: all processes of the container are killed together");
    }
    if own.oom_kill_disabled == Some(true) {
        finding = finding.note("oom_kill_disable is set: instead of a kill, tasks stop until memory is freed");
    }
    Some(finding.help("see in the node's dmesg which process it was, and how large"))
}

/// Counters that say more than one kill: the one that is looked at was not the first.
fn required<'s>(case: &Case<'s>) -> Vec<&'s Signal> {
    let by_counters = case.told().filter(|(signal, _)| matches!(signal.origin, Origin::Counters | Origin::Metrics));
    by_counters.filter(|(_, death)| counted(&death.because).is_some()).map(|(signal, _)| signal).collect()
}

/// How many kills a sentence counts, where they are more than one.
fn counted(because: &str) -> Option<u64> {
    let says = ["cgroup counts", "kernel killed"].iter().any(|words| because.contains(words));
    let number = because.split_whitespace().find_map(|word| word.parse::<u64>().ok());
    number.filter(|number| says && *number > 1)
}

fn title(case: &Case<'_>) -> String {
    let kills = case.told().find_map(|(_, death)| counted(&death.because)).unwrap_or_default();
    format!("the kernel has killed {kills} processes of this container for memory: it was not the first time")
}

#[cfg(test)]
mod tests {
    use super::super::left::Left;
    use super::super::tried::Tried;
    use super::*;
    use crate::diagnose::postmortem::signal::{Death, Says};
    use crate::model::Killer;

    #[test]
    fn the_groups_counter_is_the_fact() {
        let killed = |kills| Tried::taskmanager().contained(1728, 900, 800, 0).cgroup(move |c| c.own.oom_kills = kills);
        let finding = killed(Some(2)).cgroup(|cgroup| cgroup.own.oom_group = Some(true)).finding(&CAUSE);
        assert_eq!(finding.title, "the kernel has killed 2 processes of this container for memory");
        assert_eq!(finding.notes.len(), 1);
        assert!(killed(Some(0)).finds(&CAUSE).is_empty());
        assert!(killed(None).finds(&CAUSE).is_empty());
    }

    #[test]
    fn counters_of_several_kills_are_told_beside_the_last() {
        let counted = |because: &str| {
            let left = Left::killed_by(Killer::KernelMemcg, Area::Container);
            let death = Death { because: because.to_owned(), ..Death::by(Killer::KernelMemcg) };
            left.says(Origin::Counters, "oom_kill 3", Says::Death(death))
        };
        let codes = counted("the cgroup counts 3 of its processes killed, for its limit").codes();
        assert_eq!((codes.first(), codes.contains(&"OOM917")), (Some(&"OOM940"), true));
        assert!(!counted("the cgroup counts 1 of its processes killed, for its limit").codes().contains(&"OOM917"));
    }
}
