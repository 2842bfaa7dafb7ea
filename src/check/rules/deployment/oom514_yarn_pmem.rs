use super::yarn_property::{self, flag};
use crate::check::rule::rule;
use crate::check::{Case, Collector};
use crate::config::Of;
use crate::model::Severity;

rule! {
    /// Nobody holds YARN's containers to their memory.
    ///
    /// ### Why
    /// With both of the NodeManager's checks off and no cgroup control, a container may take what the node has. A
    /// TaskManager that outgrows its plan is then no longer the one that dies: the kernel chooses by its own score among all
    /// processes of the node, the NodeManager and other jobs' containers included. Elastic control has a similar side: it
    /// frees memory when all containers together reach the node's limit, and may kill one that is within its own.
    ///
    /// ### Bad
    /// ```xml yarn-site.xml
    /// <configuration>
    ///   <property>
    ///     <name>yarn.nodemanager.pmem-check-enabled</name>
    ///     <value>false</value>
    ///   </property>
    ///   <property>
    ///     <name>yarn.nodemanager.vmem-check-enabled</name>
    ///     <value>false</value>
    ///   </property>
    /// </configuration>
    /// ```
    ///
    /// ### Good
    /// ```xml yarn-site.xml
    /// <configuration>
    ///   <property>
    ///     <name>yarn.nodemanager.pmem-check-enabled</name>
    ///     <value>true</value>
    ///   </property>
    ///   <property>
    ///     <name>yarn.nodemanager.vmem-check-enabled</name>
    ///     <value>false</value>
    ///   </property>
    /// </configuration>
    /// ```
    ///
    /// ### Sources
    /// - https://hadoop.apache.org/docs/stable/hadoop-yarn/hadoop-yarn-site/NodeManagerCGroupsMemory.html: the levels of
    ///   enforcement, the first of which is none.
    /// - `CGroupElasticMemoryController` and `DefaultOOMHandler`, Hadoop 3.2 on.
    "OOM514" "yarn-pmem" {
        severity: Severity::Warning,
        of: Of::Yarn,
        check: check,
    }
}

const PHYSICAL: &str = "yarn.nodemanager.pmem-check-enabled";
const VIRTUAL: &str = "yarn.nodemanager.vmem-check-enabled";
const ELASTIC: &str = "yarn.nodemanager.elastic-memory-control.enabled";
const CGROUPS: &str = "yarn.nodemanager.resource.memory.enabled";

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    let config = case.config;
    if case.is_hidden(CGROUPS) || case.is_hidden(ELASTIC) {
        return;
    }
    if yarn_property::has_cgroups(config) {
        if let Some(written) = case.exactly(ELASTIC).filter(|_| flag(config, ELASTIC) == Some(true)) {
            found
                .find("Elastic memory control may kill a TaskManager that is within its own limit")
                .severity(Severity::Note)
                .at(written.place(), "one limit for all containers of a node")
                .note("it acts when all containers together reach yarn.nodemanager.resource.memory-mb")
                .note("the application sees exit code 137 and no reason; the NodeManager's log has it");
        }
        return;
    }
    let off = |key: &str| case.exactly(key).filter(|_| flag(config, key) == Some(false));
    if let (Some(physical), Some(virtually)) = (off(PHYSICAL), off(VIRTUAL)) {
        found
            .find("Nobody holds YARN's containers to their memory")
            .at(physical.place(), "what is used is not checked")
            .at(virtually.place(), "nor is address space")
            .note(format!("{CGROUPS} is not true, so no cgroup does it either"))
            .help(format!("set {PHYSICAL} to true; {VIRTUAL} may stay off"));
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use crate::check::tried::checked;
    use crate::model::Severity;

    #[rstest]
    #[case(&[("pmem-check-enabled", "false")], None)]
    #[case(&[("pmem-check-enabled", "false"), ("vmem-check-enabled", "false")], Some(Severity::Warning))]
    #[case(&[("pmem-check-enabled", "false"), ("vmem-check-enabled", "false"), ("resource.memory.enabled", "true")], None)]
    #[case(&[("resource.memory.enabled", "true"), ("elastic-memory-control.enabled", "true")], Some(Severity::Note))]
    #[case(&[("elastic-memory-control.enabled", "true")], None)]
    fn one_of_the_enforcers_is_enough(#[case] properties: &[(&str, &str)], #[case] expected: Option<Severity>) {
        let one = |(name, value): &(&str, &str)| {
            format!("<property><name>yarn.nodemanager.{name}</name><value>{value}</value></property>\n")
        };
        let text = format!("<configuration>{}</configuration>", properties.iter().map(one).collect::<String>());
        let found = checked("yarn-site.xml", &text).findings;
        let severity = found.iter().find(|finding| finding.code == "OOM514").map(|finding| finding.severity);
        assert_eq!(severity, expected, "{found:?}");
    }
}
