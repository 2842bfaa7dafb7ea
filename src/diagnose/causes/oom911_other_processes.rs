use super::room::Room;
use super::{marks, mib, oom904_container_limit_near, permille};
use crate::artefact::cgroup::Companion;
use crate::artefact::python_worker::is_worker;
use crate::diagnose::cause::{Outlook, Told, cause};
use crate::diagnose::ledger::HeadRoom;
use crate::diagnose::postmortem::case::Case;
use crate::diagnose::postmortem::late::{Decides, Late, Weight};
use crate::diagnose::postmortem::signal::{Origin, Signal};
use crate::model::{Area, Bytes, Component, Confidence, Finding, Role, Severity};

cause! {
    /// Other processes of the container, Python workers among them, take what Flink planned for itself.
    ///
    /// ### What is seen
    /// Every part of Flink's budget is kept, and the container is killed nevertheless: its limit is the JVM's and everything
    /// else's that runs beside it. A PyFlink TaskManager has a Python process for each slot or operator; scripts, agents
    /// and shells count as well. On YARN it is the whole process tree: "running beyond physical memory limits", exit code 143.
    ///
    /// ### What it is not
    /// - A limit that is too small for the plan alone (OOM903).
    /// - A leak in the JVM: its own resident set stays flat.
    ///
    /// ### How to prove it
    /// `oomph attach PID` lists the other processes of the control group with their anonymous memory; so does `ps -o
    /// pid,rss,cmd -p $(cat /sys/fs/cgroup/cgroup.procs | tr '\n' ,)` in the container.
    ///
    /// ### Cure
    /// Python workers are paid for by managed memory where `python.fn-execution.memory.managed` is true: give them their
    /// share with `taskmanager.memory.managed.consumer-weights` and `taskmanager.memory.managed.fraction`. Smaller bundles
    /// (`python.fn-execution.bundle.size`, `python.fn-execution.arrow.batch.size`) make them smaller. Everything else
    /// needs a limit above `taskmanager.memory.process.size`: a raised `taskmanager.memory.jvm-overhead.min` keeps it free.
    ///
    /// ### Sources
    /// - [FLINK-17923](https://issues.apache.org/jira/browse/FLINK-17923), Python workers out of managed memory.
    /// - Hadoop, `ContainersMonitorImpl`: the resident sets of the process tree are added up.
    "OOM911" "other-processes" {
        early: early,
        late: Some(Late {
            required,
            supporting,
            weight: Weight::Explains,
            area: |_| Area::Container,
            title,
            decides: Some(Decides {
                evidence: "how much each process of the container had",
                command: "ps -eo pid,ppid,rss,args --sort=-rss",
            }),
            ..Late::UNMARKED
        }),
    }
}

/// So many processes are named.
const NAMED: usize = 5;
/// So many characters of each.
const LETTERS: usize = 60;

fn early(outlook: &Outlook<'_>) -> Vec<Finding> {
    finding(outlook).into_iter().collect()
}

fn finding(outlook: &Outlook<'_>) -> Option<Finding> {
    let cgroup = outlook.now.sample.cgroup.as_ref().ok()?;
    let container = outlook.now.container.as_ref().ok()?;
    let limit = container.limit?;
    let budget = &outlook.now.planned.as_ref().ok()?.plan.budget;
    let planned = budget.total_process().bytes;
    let mut others: Vec<(&Companion, Bytes)> =
        cgroup.others.iter().filter_map(|other| Some((other, other.rss_anon?))).collect();
    others.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
    let total = |workers: bool| {
        let of = others.iter().filter(|(other, _)| other.is_python_worker || !workers);
        Bytes::checked_sum(of.map(|(_, bytes)| *bytes))
    };
    let (all, python) = (total(false)?, total(true)?);
    // Managed memory that no RocksDB takes may be the Python workers'.
    let managed = match outlook.now.sample.flink.as_ref().map(|flink| flink.role) {
        Some(Role::TaskManager) => outlook.now.ledger.as_ref().ok().and_then(|ledger| ledger.row(Component::Managed)),
        _ => None,
    };
    let paid = match managed.and_then(|row| row.head_room()) {
        Some(HeadRoom::Left(left)) => left.min(python),
        Some(HeadRoom::Over(_)) => Bytes::ZERO,
        // What is not known is taken for paid: then only the others count.
        None => python,
    };
    let extra = all.checked_sub(paid).filter(|extra| *extra > Bytes::ZERO)?;
    let over = planned.checked_add(extra)?.checked_sub(limit).filter(|over| *over > Bytes::ZERO)?;
    if planned > limit {
        return None;
    }
    let held = Room::of(outlook).and_then(|room| permille(room.held.get(), room.limit.get()));
    let near = held.is_some_and(|share| share >= oom904_container_limit_near::NEAR);
    let who = match (python > Bytes::ZERO, python == all) {
        (true, true) => "Python workers",
        (true, false) => "Python workers and other processes",
        (false, _) => "other processes",
    };
    let mut finding = CAUSE.finding(
        if near { Severity::Error } else { Severity::Warning },
        Confidence::High,
        format!("{who} of the container take {}: with Flink's plan that is {} above the limit", mib(all), mib(over)),
    );
    finding = finding.note(format!("limit: {}; planned by Flink: {}", mib(limit), mib(planned)));
    if paid > Bytes::ZERO {
        finding = finding.note(format!("managed memory that no state backend uses pays for {}", mib(paid)));
    }
    for (other, bytes) in others.iter().take(NAMED) {
        let command: String = other.command.chars().take(LETTERS).collect();
        finding = finding.note(format!("{} {command}: {}", other.pid, mib(*bytes)));
    }
    Some(finding.help(match python > Bytes::ZERO {
        true => {
            "give Python its share of managed memory (taskmanager.memory.managed.consumer-weights) or set \
             taskmanager.memory.process.size below the limit by what the workers take"
        }
        false => "set the process's size below the container's limit by what the others take, or raise the limit",
    }))
}

/// Readers of process tables say so where others than the largest JVM held what no budget of Flink's has.
const STRAINS: [&str; 2] = ["other-processes", "python-workers"];

/// A container at its limit, of which processes beside the JVM held a part that is stated. Where a Python worker itself was
/// killed, OOM959 says so.
fn required<'s>(case: &Case<'s>) -> Vec<&'s Signal> {
    if case.told().any(|(_, death)| death.process.as_deref().is_some_and(is_worker)) {
        return Vec::new();
    }
    marks::killed_beside(case, marks::strained(case, &STRAINS))
}

fn supporting<'s>(case: &Case<'s>) -> Vec<&'s Signal> {
    let mut found = marks::strained(case, &["limit-hit"]);
    found.extend(case.of_origin(Origin::Python));
    found
}

fn title(case: &Case<'_>) -> String {
    let said = marks::in_words(case, &STRAINS);
    format!("other processes of the container took a part of {}{said}", marks::its_limit(case))
}

#[cfg(test)]
mod tests {
    use super::super::left::Left;
    use super::super::tried::Tried;
    use super::*;
    use crate::model::Killer;
    use crate::model::Pool;

    fn beside(limit: u32, workers: &[(bool, u32)]) -> Tried {
        let others = workers.iter().enumerate().map(|(index, (is_python_worker, mib))| Companion {
            pid: 100 + index as u32,
            command: "python -m pyflink.fn_execution.beam.beam_boot".to_owned(),
            is_python_worker: *is_python_worker,
            rss: Ok(Bytes::mib(*mib + 20)),
            rss_anon: Some(Bytes::mib(*mib)),
        });
        let others = others.collect();
        Tried::taskmanager().contained(limit, 1500, 1400, 0).cgroup(|cgroup| cgroup.others = others)
    }

    #[test]
    fn what_others_take_is_held_against_what_the_plan_leaves() {
        let finding = beside(1900, &[(false, 300)]).finding(&CAUSE);
        assert_eq!(finding.severity, Severity::Warning);
        assert!(finding.title.contains("take 300.0 MiB: with Flink's plan that is 128.0 MiB above the limit"));
        assert!(finding.notes.iter().any(|note| note.starts_with("100 python -m pyflink")), "{finding:?}");
        assert!(beside(2048, &[(false, 300)]).finds(&CAUSE).is_empty());
        assert!(beside(1900, &[]).finds(&CAUSE).is_empty());
    }

    #[test]
    fn managed_memory_that_nobody_uses_pays_for_python() {
        let python = || beside(1728, &[(true, 200), (true, 200)]);
        assert!(python().uses(&[(Pool::JavaHeap, 300)]).finds(&CAUSE).is_empty());
        let with_rocksdb = python().uses(&[(Pool::JavaHeap, 300), (Pool::BlockCache, 500)]);
        assert_eq!(with_rocksdb.finding(&CAUSE).code, "OOM911");
        assert!(python().finds(&CAUSE).is_empty(), "nobody knows what managed memory is used for");
    }

    #[test]
    fn it_is_said_once() {
        let codes: Vec<&str> = beside(1900, &[(false, 300)]).all().iter().map(|finding| finding.code).collect();
        assert_eq!(codes, ["OOM911"]);
        let plan_alone = beside(1000, &[(false, 300)]).all();
        assert!(plan_alone.iter().any(|finding| finding.code == "OOM903" && finding.severity == Severity::Error));
    }

    #[test]
    fn a_kill_at_the_limit_beside_large_other_processes_is_explained() {
        let others = |left: Left| left.strain(Origin::Yarn, "other-processes", Some(Area::Container));
        let killed = others(Left::killed_by(Killer::YarnPmem, Area::Container));
        assert_eq!((killed.first(), killed.verdict().area), (Some("OOM911"), Area::Container));
        assert!(!others(Left::killed_by(Killer::Jvm, Area::Heap)).codes().contains(&"OOM911"));
        assert!(!Left::killed_by(Killer::YarnPmem, Area::Container).codes().contains(&"OOM911"));
        let workers = Left::killed_by(Killer::KernelMemcg, Area::Container);
        let workers = workers.strain(Origin::Kernel, "python-workers", Some(Area::Container));
        assert!(workers.process("java").codes().contains(&"OOM911"));
    }

    #[test]
    fn a_python_worker_that_was_killed_is_another_page() {
        let killed = Left::killed_by(Killer::KernelMemcg, Area::Container).process("python3.11");
        let codes = killed.strain(Origin::Kernel, "python-workers", Some(Area::Container)).codes();
        assert!(codes.contains(&"OOM959") && !codes.contains(&"OOM911"), "{codes:?}");
    }
}
