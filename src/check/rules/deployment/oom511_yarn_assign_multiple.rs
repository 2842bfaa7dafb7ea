use super::yarn_property::{self, flag};
use crate::check::rule::rule;
use crate::check::{Case, Collector};
use crate::config::Of;
use crate::model::{Confidence, Severity};

rule! {
    /// The scheduler packs one job's TaskManagers onto few nodes.
    ///
    /// ### Why
    /// With `yarn.scheduler.fair.assignmultiple` a node's heartbeat is answered with as many containers as a bound allows.
    /// A job that asks for many TaskManagers at once gets them all on the nodes that report first. They restore their state
    /// at the same time, from the same disks and the same network card, and one lost node takes most of the job.
    ///
    /// ### Bad
    /// ```xml yarn-site.xml
    /// <configuration>
    ///   <property>
    ///     <name>yarn.scheduler.fair.assignmultiple</name>
    ///     <value>true</value>
    ///   </property>
    /// </configuration>
    /// ```
    ///
    /// ### Good
    /// ```xml yarn-site.xml
    /// <configuration>
    ///   <property>
    ///     <name>yarn.scheduler.fair.assignmultiple</name>
    ///     <value>true</value>
    ///   </property>
    ///   <property>
    ///     <name>yarn.scheduler.fair.dynamic.max.assign</name>
    ///     <value>false</value>
    ///   </property>
    ///   <property>
    ///     <name>yarn.scheduler.fair.max.assign</name>
    ///     <value>1</value>
    ///   </property>
    /// </configuration>
    /// ```
    ///
    /// ### Sources
    /// - Feature join on RocksDB at vivo: TaskManagers packed on one node restored at once and filled its disk bandwidth.
    /// - `FairSchedulerConfiguration`: `dynamic.max.assign` is true and `max.assign` -1 by default;
    ///   https://apache.github.io/hadoop/hadoop-yarn/hadoop-yarn-site/FairScheduler.html.
    /// - `CapacitySchedulerConfiguration`, YARN-4161:
    ///   https://www.mail-archive.com/common-commits@hadoop.apache.org/msg58041.html.
    "OOM511" "yarn-assign-multiple" {
        severity: Severity::Warning,
        confidence: Confidence::Medium,
        of: Of::Yarn,
        check: check,
    }
}

const FAIR: &str = "yarn.scheduler.fair.assignmultiple";
const FAIR_DYNAMIC: &str = "yarn.scheduler.fair.dynamic.max.assign";
const FAIR_MOST: &str = "yarn.scheduler.fair.max.assign";
const CAPACITY: &str = "yarn.scheduler.capacity.per-node-heartbeat.multiple-assignments-enabled";
const CAPACITY_MOST: &str = "yarn.scheduler.capacity.per-node-heartbeat.maximum-container-assignments";

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    let config = case.config;
    let is_on = |key: &str| case.exactly(key).filter(|_| flag(config, key) == Some(true));
    // -1 and 0 are no bound.
    let most = |key: &str| {
        yarn_property::of(config, key).filter(|written| written.text().parse().is_ok_and(|most: i64| most > 0))
    };
    if let Some(written) = is_on(FAIR)
        && !case.is_hidden(FAIR_DYNAMIC)
        && !case.is_hidden(FAIR_MOST)
    {
        let dynamic = flag(config, FAIR_DYNAMIC) != Some(false);
        let title = "The fair scheduler packs one job's TaskManagers onto the nodes that report first";
        let help = format!("set {FAIR} to false, or {FAIR_DYNAMIC} to false and {FAIR_MOST} to 1 or 2");
        match (dynamic, most(FAIR_MOST)) {
            (false, Some(_)) => {}
            (false, None) => {
                let draft = found.find(title).at(written.place(), "several containers for each heartbeat");
                draft.note(format!("{FAIR_MOST} is not set: as many as fit")).help(help);
            }
            (true, bound) => {
                let mut draft = found.find(title).at(written.place(), "several containers for each heartbeat");
                if let Some(bound) = bound {
                    draft = draft.at(bound.place(), format!("not read before {FAIR_DYNAMIC} is false"));
                }
                draft
                    .note(format!("{FAIR_DYNAMIC} is true: up to half of what a node has free at one heartbeat"))
                    .help(help);
            }
        }
    }
    if let Some(written) = is_on(CAPACITY)
        && most(CAPACITY_MOST).is_none()
        && !case.is_hidden(CAPACITY_MOST)
    {
        found
            .find("The capacity scheduler packs one job's TaskManagers onto the nodes that report first")
            .at(written.place(), "several containers for each heartbeat")
            .note(format!("{CAPACITY_MOST} is not set: unbounded in Hadoop 3.0, 100 in later versions"))
            .help(format!("set {CAPACITY_MOST} to 1 or 2, or {CAPACITY} to false"));
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use crate::check::tried::checked;

    const FAIR: &str = "yarn.scheduler.fair.";
    const CAPACITY: &str = "yarn.scheduler.capacity.per-node-heartbeat.";

    #[rstest]
    #[case(FAIR, &[("assignmultiple", "true"), ("max.assign", "2")], 1)]
    #[case(FAIR, &[("assignmultiple", "true"), ("dynamic.max.assign", "false")], 1)]
    #[case(FAIR, &[("assignmultiple", "true"), ("dynamic.max.assign", "false"), ("max.assign", "-1")], 1)]
    #[case(FAIR, &[("assignmultiple", "false")], 0)]
    #[case(FAIR, &[("max.assign", "5")], 0)]
    #[case(CAPACITY, &[("multiple-assignments-enabled", "true")], 1)]
    #[case(CAPACITY, &[("multiple-assignments-enabled", "true"), ("maximum-container-assignments", "2")], 0)]
    fn a_bound_in_force_is_enough(#[case] prefix: &str, #[case] properties: &[(&str, &str)], #[case] expected: usize) {
        let one = |(name, value): &(&str, &str)| {
            format!("<property><name>{prefix}{name}</name><value>{value}</value></property>\n")
        };
        let text = format!("<configuration>{}</configuration>", properties.iter().map(one).collect::<String>());
        let found = checked("capacity-scheduler.xml", &text).findings;
        assert_eq!(found.iter().filter(|finding| finding.code == "OOM511").count(), expected, "{found:?}");
    }
}
