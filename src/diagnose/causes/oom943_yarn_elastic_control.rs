use super::marks;
use crate::diagnose::cause::cause;
use crate::diagnose::postmortem::case::Case;
use crate::diagnose::postmortem::late::{Decides, Late, Weight};
use crate::model::{Area, Killer};

cause! {
    /// YARN's elastic memory control killed the container because all containers of its node together were at their
    /// limit.
    ///
    /// ### What is seen
    /// "killed by elastic cgroups OOM handler" in the NodeManager's log; the application is told exit code 137 and
    /// nothing of memory. The container may have been within what it asked for: with elastic control each may borrow
    /// from the others until the node's part for containers is full, and then the newest that is above its request is
    /// killed, or the newest.
    ///
    /// ### What it is not
    /// - A container at its own limit (OOM941, OOM940): then its own size is what the message names.
    /// - A node without free memory (OOM944): the kernel kills there, and its log has a report.
    ///
    /// ### How to prove it
    /// `grep -e 'elastic cgroups OOM handler' -e 'Found no running containers to kill' yarn-*-nodemanager-*.log` on the
    /// node. "using N when requested only M" says whether this container was above its request.
    ///
    /// ### Cure
    /// On the node: `yarn.nodemanager.resource.memory-mb` below what its cgroup has, and no opportunistic containers on
    /// nodes of long-running jobs; or `yarn.nodemanager.elastic-memory-control.enabled: false` with
    /// `yarn.nodemanager.pmem-check-enabled: true`, which holds each container to its own size. In Flink only if this
    /// container was above its request: then as for OOM941.
    ///
    /// ### Sources
    /// - Hadoop 3.2 and later, `CGroupElasticMemoryController`, `DefaultOOMHandler`; NodeManagerCGroupsMemory.md in its
    ///   documentation.
    "OOM943" "yarn-elastic-control" {
        late: Some(Late {
            required: |case| marks::killed(case, &KILLER),
            supporting: marks::borne_out,
            weight: Weight::Bounds,
            area: |case| marks::area_by(case, &KILLER, Area::Container),
            title,
            decides: Some(Decides {
                evidence: "who filled the node: the sizes of all its containers at that time",
                command: "grep -B 20 'elastic cgroups OOM handler' yarn-*-nodemanager-*.log",
            }),
            ..Late::UNMARKED
        }),
    }
}

const KILLER: [Killer; 1] = [Killer::YarnElastic];

fn title(case: &Case<'_>) -> String {
    let told = case.death.as_ref();
    let within = match (told.and_then(|told| told.usage()), told.and_then(|told| told.limit())) {
        (Some(usage), Some(limit)) if usage > limit => {
            format!("; it used {} where it had asked for {}", super::mib(usage), super::mib(limit))
        }
        (Some(usage), Some(limit)) => {
            format!("; with {} it was within the {} it had asked for", super::mib(usage), super::mib(limit))
        }
        _ => "; it may have been within its own".to_owned(),
    };
    format!("YARN's elastic memory control killed the container for the limit of all containers of its node{within}")
}

#[cfg(test)]
mod tests {
    use super::super::left::Left;
    use super::*;
    use crate::model::Bytes;

    #[test]
    fn elastic_control_is_bounded_and_says_whether_the_container_was_within_its_request() {
        let killed = || Left::killed_by(Killer::YarnElastic, Area::Container);
        assert_eq!((killed().verdict().code, killed().verdict().area), (Some("OOM943"), Area::Container));
        let above = killed().limit(Bytes::mib(1024)).usage(Bytes::mib(2048)).verdict();
        assert!(above.summary.contains("used 2048.0 MiB"), "{}", above.summary);
        let below = killed().limit(Bytes::mib(1024)).usage(Bytes::mib(900)).verdict();
        assert!(below.summary.contains("it was within the 1024.0 MiB"), "{}", below.summary);
    }

    #[test]
    fn a_container_at_its_own_limit_is_not() {
        assert!(!Left::killed_by(Killer::YarnPmem, Area::Container).codes().contains(&"OOM943"));
        assert!(!Left::default().ended(137).codes().contains(&"OOM943"));
    }
}
