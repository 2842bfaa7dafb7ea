use super::yarn_property::{self, flag};
use crate::check::rule::rule;
use crate::check::{Case, Collector, FixKind, policy::threshold};
use crate::config::Of;
use crate::model::{Confidence, Severity};

rule! {
    /// YARN kills JVMs for address space that they never use.
    ///
    /// ### Why
    /// `yarn.nodemanager.vmem-check-enabled` is true unless it is set, and the bound is
    /// `yarn.nodemanager.vmem-pmem-ratio` times the container, 2.1 by default. A JVM reserves address space for heap, class
    /// space, code, thread stacks and glibc's arenas of 64 MiB without touching it. So a TaskManager is killed with exit
    /// code 143 while it uses a third of its memory, and only the NodeManager's log says why.
    ///
    /// ### Bad
    /// ```xml yarn-site.xml
    /// <configuration>
    ///   <property>
    ///     <name>yarn.nodemanager.vmem-check-enabled</name>
    ///     <value>true</value>
    ///   </property>
    /// </configuration>
    /// ```
    ///
    /// ### Good
    /// ```xml yarn-site.xml
    /// <configuration>
    ///   <property>
    ///     <name>yarn.nodemanager.vmem-check-enabled</name>
    ///     <value>false</value>
    ///   </property>
    /// </configuration>
    /// ```
    ///
    /// ### Sources
    /// - Thread: https://github.com/apache/hudi/issues/9339 (2.0 GB of 6 GB physical, 39.9 GB of 12.6 GB virtual).
    /// - Flink's own tests turn the check off: https://github.com/apache/flink/pull/7149.
    /// - `ContainersMonitorImpl` and `yarn-default.xml`, Hadoop 2 and 3.
    "OOM506" "yarn-vmem-check" {
        severity: Severity::Warning,
        fix: FixKind::Unsafe,
        of: Of::Yarn,
        check: check,
    }
}

const CHECK: &str = "yarn.nodemanager.vmem-check-enabled";
const RATIO: &str = "yarn.nodemanager.vmem-pmem-ratio";

/// A file that says one of these is about NodeManagers' memory, so that the check's default is in force there.
const ABOUT_MEMORY: [&str; 3] = ["yarn.nodemanager.resource.memory-mb", "yarn.nodemanager.pmem-check-enabled", RATIO];

/// With it, virtual memory is what the cgroup counts: no address space.
const CGROUPS_CALCULATOR: &str = "CGroupsResourceCalculator";

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    let config = case.config;
    let least = case.policy.count(&threshold::YARN_VMEM_RATIO_MIN);
    let ratio = case.exactly(RATIO);
    let is_wide = ratio.is_some_and(|ratio| ratio.text().parse().is_ok_and(|ratio: f64| ratio >= least as f64));
    let calculators =
        ["yarn.nodemanager.resource-calculator.class", "yarn.nodemanager.container-monitor.process-tree.class"];
    let is_counted = calculators
        .iter()
        .any(|key| yarn_property::of(config, key).is_some_and(|class| class.text().contains(CGROUPS_CALCULATOR)));
    if is_wide || is_counted || yarn_property::is_strict(config) || case.is_hidden(CHECK) || case.is_hidden(RATIO) {
        return;
    }
    let bound = ratio.map_or("2.1, the default".into(), |ratio| ratio.text());
    match case.exactly(CHECK) {
        Some(written) if flag(config, CHECK) == Some(true) => {
            found
                .find("YARN kills containers for their virtual memory")
                .at(written.place(), "the check is on")
                .note(format!(
                    "a container of 4 GiB may have 4 GiB times {RATIO} of address space, and that is {bound}"
                ))
                .help(format!("set {CHECK} to false; yarn.nodemanager.pmem-check-enabled still bounds what is used"))
                .unsafe_fix("turn the check off", case.set(written, "false"));
        }
        Some(_) => {}
        None if case.subject().open => {}
        None => {
            let Some(about) = ABOUT_MEMORY.iter().find_map(|key| case.exactly(key)) else { return };
            found
                .find("YARN kills containers for their virtual memory, since the check is on by default")
                .confidence(Confidence::Medium)
                .at(about.place(), "NodeManagers' memory")
                .note(format!("{CHECK} is not set, and its default is true; {RATIO} is {bound}"))
                .help(format!("add {CHECK} with the value false"));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::check::edits::applied;
    use crate::check::tried::{codes, find};

    fn site(properties: &[(&str, &str)]) -> String {
        let one = |(name, value): &(&str, &str)| {
            format!("<property>\n<name>{name}</name>\n<value> {value} </value>\n</property>\n")
        };
        format!("<configuration>\n{}</configuration>\n", properties.iter().map(one).collect::<String>())
    }

    #[test]
    fn by_default_it_is_on_where_a_file_is_about_nodemanagers() {
        let finding = find("OOM506", "yarn-site.xml", &site(&[("yarn.nodemanager.resource.memory-mb", "65536")]));
        assert_eq!(finding.labels[0].place.position.unwrap().line, 4);
        let client = site(&[("yarn.resourcemanager.hostname", "rm")]);
        assert!(!codes("yarn-site.xml", &client).contains(&"OOM506"));
    }

    #[test]
    fn a_wide_ratio_or_the_kernel_in_its_place_is_fine() {
        let check = ("yarn.nodemanager.vmem-check-enabled", "true");
        assert!(
            !codes("yarn-site.xml", &site(&[check, ("yarn.nodemanager.vmem-pmem-ratio", "8")])).contains(&"OOM506")
        );
        let cgroups = ("yarn.nodemanager.resource.memory.enabled", "true");
        assert!(!codes("yarn-site.xml", &site(&[check, cgroups])).contains(&"OOM506"));
        assert!(codes("yarn-site.xml", &site(&[check, ("yarn.nodemanager.vmem-pmem-ratio", "5")])).contains(&"OOM506"));
    }

    #[test]
    fn the_fix_changes_the_value_and_nothing_else() {
        let text = site(&[("yarn.nodemanager.vmem-check-enabled", "true")]);
        let fix = find("OOM506", "yarn-site.xml", &text).fix.unwrap();
        assert_eq!(applied(&text, &fix.edits).unwrap(), text.replace("true", "false"));
    }

    #[test]
    fn a_comment_of_xml_ignores_it() {
        let text = "<configuration><property><name>yarn.nodemanager.vmem-check-enabled</name>\n<!-- oomph: ignore[OOM506] \
                    an old kernel -->\n<value>true</value></property></configuration>\n";
        assert_eq!(codes("yarn-site.xml", text), [""; 0]);
    }
}
