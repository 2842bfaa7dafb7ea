use super::marks;
use crate::diagnose::cause::cause;
use crate::diagnose::postmortem::case::Case;
use crate::diagnose::postmortem::late::{Decides, Late, Weight};
use crate::model::Area;

cause! {
    /// After losses the JobManager asks for more workers than the job needs, and the cluster fills with idle ones.
    ///
    /// ### What is seen
    /// A job that ran on five TaskManagers has over a hundred after some of them were lost and it restarted, most with
    /// free slots, "Requesting new TaskExecutor container" again and again, and queues or nodes run full. Both the
    /// handler of lost containers and the slot manager ask for each loss.
    ///
    /// ### What it is not
    /// - A death: no process lacks memory by it, but a node or queue that is full may evict others (OOM945) or refuse
    ///   them.
    /// - A second job in the same session, or a rescaling, which needs more.
    /// - `slotmanager.redundant-taskmanager-num`, which keeps spare workers on purpose.
    ///
    /// ### How to prove it
    /// `grep -c -e 'Requesting new' jobmanager.log` against `grep -c -e 'is terminated' -e 'Closing TaskExecutor'
    /// jobmanager.log`; the free slots in the web interface (`curl JOBMANAGER:8081/overview`).
    ///
    /// ### Cure
    /// Flink 1.8 or later. Whatever the version, `slotmanager.number-of-slots.max` (1.12 and later) bounds what is
    /// asked for, and `resourcemanager.taskmanager-timeout` gives idle workers back sooner. First of all cure what ends
    /// the workers.
    ///
    /// ### Sources
    /// - [FLINK-9567](https://github.com/apache/flink/pull/6237), containers asked for twice after a restart;
    ///   [FLINK-10848](https://github.com/apache/flink/pull/7430), requests that were met and are sent again.
    /// - A job of five workers that came to more than a hundred containers after losses.
    "OOM962" "containers-beyond-need" {
        late: Some(Late {
            required: |case| marks::strained(case, &NAMES),
            weight: Weight::Beside,
            area: |_| Area::Other,
            title,
            decides: Some(Decides {
                evidence: "how many slots are free while new workers are asked for",
                command: "curl -s JOBMANAGER:8081/overview",
            }),
            ..Late::UNMARKED
        }),
    }
}

const NAMES: [&str; 1] = ["containers-beyond-need"];

fn title(case: &Case<'_>) -> String {
    let said = marks::in_words(case, &NAMES);
    format!("after losses more workers were asked for than the job needs{said}")
}

#[cfg(test)]
mod tests {
    use super::super::left::Left;
    use super::*;
    use crate::diagnose::postmortem::signal::Origin;
    use crate::model::Killer;

    #[test]
    fn workers_beyond_need_are_told_and_never_before_a_cause_of_death() {
        let beyond = |left: Left| left.strain(Origin::Flink, "containers-beyond-need", Some(Area::Other));
        assert_eq!(beyond(Left::default()).first(), Some("OOM962"));
        let killed = beyond(Left::killed_by(Killer::YarnPmem, Area::Container));
        assert_eq!((killed.first(), killed.codes().last().copied()), (Some("OOM941"), Some("OOM962")));
    }

    #[test]
    fn lost_workers_alone_are_not() {
        let lost = Left::default().consequence("TaskManager with id a is no longer reachable.").ended(143);
        assert!(!lost.codes().contains(&"OOM962"));
    }
}
