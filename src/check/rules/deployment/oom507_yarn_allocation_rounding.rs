use super::oom501_limit_below_process::MAXIMUM;
use super::total;
use super::yarn_property::{self, mebibytes};
use crate::check::rule::rule;
use crate::check::{Case, Collector, FixKind, Written, Yarn, policy::threshold};
use crate::model::{Bytes, Confidence, Deployment, Role, Severity};

rule! {
    /// YARN rounds the container up, and Flink's budget has no use for the rest.
    ///
    /// ### Why
    /// YARN gives out containers in steps: multiples of `yarn.scheduler.minimum-allocation-mb`, or of the fair scheduler's
    /// increment. The queue is charged for the whole step, while Flink sized heap, managed and network memory for what it
    /// asked for. What was added is head room that nobody planned.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20 deployment=yarn
    /// taskmanager.memory.process.size: 4200m
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20 deployment=yarn
    /// taskmanager.memory.process.size: 5g
    /// ```
    ///
    /// ### Sources
    /// - `YarnClusterDescriptor.logIfComponentMemNotIntegerMultipleOfYarnMinAllocation`, Flink 1.11 to 2.3: "The extra {} MB
    ///   may not be used by Flink."
    /// - https://apache.github.io/hadoop/hadoop-yarn/hadoop-yarn-site/FairScheduler.html for the increment.
    "OOM507" "yarn-allocation-rounding" {
        severity: Severity::Warning,
        fix: FixKind::Unsafe,
        check: check,
    }
}

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    if case.deployment != Some(Deployment::Yarn) {
        return;
    }
    let (step, name) = step(case.yarn);
    let least = case.policy.size(&threshold::YARN_ROUNDING_WASTE_MIN);
    let maximum = case.yarn.and_then(|yarn| mebibytes(&yarn.config, MAXIMUM));
    for role in [Role::TaskManager, Role::JobManager] {
        let Some(survey) = case.survey(role) else { continue };
        let asked = Bytes::new(survey.plan.budget.total_process().bytes.whole_mib() << 20);
        let Some(given) = asked.round_up_to(step) else { continue };
        let Some(rest) = given.checked_sub(asked) else { continue };
        // A container that YARN does not give out at all is another finding.
        if maximum.is_some_and(|maximum| given > maximum) {
            continue;
        }
        // At least a tenth of the container.
        if rest < least || rest.get() < given.get() / 10 {
            continue;
        }
        let Some(own) = total::of(case, role) else { continue };
        // The image's own sizes, and no step known: that is nobody's choice.
        let is_shipped = |written: &Written<'_>| {
            case.profile().shipped.iter().any(|(key, value)| *key == written.key && *value == written.text())
        };
        if case.yarn.is_none() && is_shipped(&own) {
            continue;
        }
        let title = format!("YARN gives the {role} {given} for the {asked} that it asks for");
        let mut draft = found.find(title).at(own.place(), "asked for");
        if let Some(written) = case.yarn.and_then(|yarn| yarn_property::of(&yarn.config, name)) {
            draft = draft.note(format!("containers come in steps of {step}: {name} in {}", written.place()));
        } else {
            let confidence = if case.yarn.is_some() { Confidence::Medium } else { Confidence::Low };
            draft = draft.severity(Severity::Note).confidence(confidence);
            draft = draft.note(format!("{name} is not known here; its default of {step} is assumed"));
        }
        let size = format!("{}m", given.whole_mib());
        let draft = draft.note(format!("{rest} of each container are reserved and lie outside of Flink's budget"));
        if own.key.ends_with(".process.size") {
            draft
                .help(format!("set {} to {size}, which costs the queue nothing more", own.key))
                .unsafe_fix(format!("ask for {size}"), case.set(own, &size));
        } else {
            draft.help(format!("raise {} until the {role}'s process comes to {given}", own.key));
        }
    }
}

/// The step that containers come in, and the property it is of.
fn step(yarn: Option<&Yarn>) -> (Bytes, &'static str) {
    const MINIMUM: &str = "yarn.scheduler.minimum-allocation-mb";
    const INCREMENT: &str = "yarn.resource-types.memory-mb.increment-allocation";
    const OLD_INCREMENT: &str = "yarn.scheduler.increment-allocation-mb";
    let default = Bytes::gib(1);
    let Some(config) = yarn.map(|yarn| &yarn.config) else { return (default, MINIMUM) };
    let scheduler = yarn_property::of(config, "yarn.resourcemanager.scheduler.class");
    if !scheduler.is_some_and(|class| class.text().ends_with("FairScheduler")) {
        return (mebibytes(config, MINIMUM).unwrap_or(default), MINIMUM);
    }
    let known = [INCREMENT, OLD_INCREMENT].into_iter().find_map(|name| Some((mebibytes(config, name)?, name)));
    known.unwrap_or((default, OLD_INCREMENT))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use crate::check::tried::{beside_yarn, codes, find};
    use crate::model::{Confidence, Finding, Severity};

    fn tried(size: &str, properties: &[(&str, &str)]) -> Vec<Finding> {
        let one =
            |(name, value): &(&str, &str)| format!("<property>\n<name>{name}</name><value>{value}</value></property>");
        let yarn = format!("<configuration>{}</configuration>", properties.iter().map(one).collect::<String>());
        let text = format!("# oomph: flink=1.20 deployment=yarn\ntaskmanager.memory.process.size: {size}\n");
        let all = beside_yarn("config.yaml", &text, &yarn);
        all.into_iter().filter(|finding| finding.code == "OOM507").collect()
    }

    const FAIR: (&str, &str) = (
        "yarn.resourcemanager.scheduler.class",
        "org.apache.hadoop.yarn.server.resourcemanager.scheduler.fair.FairScheduler",
    );

    #[rstest]
    #[case("4200m", &[("yarn.scheduler.minimum-allocation-mb", "1024")], true)]
    #[case("4608m", &[("yarn.scheduler.minimum-allocation-mb", "512")], false)]
    #[case("4608m", &[("yarn.scheduler.minimum-allocation-mb", "2048")], true)]
    #[case("4200m", &[FAIR, ("yarn.scheduler.minimum-allocation-mb", "2048"), ("yarn.scheduler.increment-allocation-mb", "128")], false)]
    #[case("4200m", &[FAIR, ("yarn.resource-types.memory-mb.increment-allocation", "2048")], true)]
    fn the_schedulers_step_decides(#[case] size: &str, #[case] properties: &[(&str, &str)], #[case] expected: bool) {
        let found = tried(size, properties);
        assert_eq!(found.len(), usize::from(expected), "{found:?}");
    }

    #[test]
    fn what_yarn_does_not_give_out_is_not_rounded() {
        assert_eq!(tried("9g", &[("yarn.scheduler.minimum-allocation-mb", "4096"), (super::MAXIMUM, "10240")]), []);
    }

    #[test]
    fn a_known_step_is_sure_and_a_supposed_one_is_not() {
        let known = tried("5g", &[("yarn.scheduler.minimum-allocation-mb", "2048")]);
        assert_eq!((known[0].severity, known[0].confidence), (Severity::Warning, Confidence::High));
        assert!(known[0].title.contains("6 GiB for the 5 GiB"), "{known:?}");
        let text = "# oomph: flink=1.20 deployment=yarn\ntaskmanager.memory.process.size: 4200m\n";
        let supposed = find("OOM507", "config.yaml", text);
        assert_eq!((supposed.severity, supposed.confidence), (Severity::Note, Confidence::Low));
        assert!(supposed.notes[1].starts_with("920 MiB of each container"), "{supposed:?}");
    }

    #[test]
    fn a_little_more_and_another_deployment_are_fine() {
        let text = "# oomph: flink=1.20 deployment=yarn\ntaskmanager.memory.process.size: 7900m\n";
        assert!(!codes("config.yaml", text).contains(&"OOM507"));
        assert!(!codes("config.yaml", "taskmanager.memory.process.size: 4200m\n").contains(&"OOM507"));
    }

    #[test]
    fn a_total_under_another_name_is_pointed_at_too() {
        let text = "# oomph: flink=1.9 deployment=yarn\ntaskmanager.heap.size: 4200m\n";
        let finding = find("OOM507", "flink-conf.yaml", text);
        assert!(finding.labels.len() == 1 && finding.fix.is_none(), "{finding:?}");
        let text = "# oomph: flink=1.20 deployment=yarn\ntaskmanager.memory.flink.size: 4600m\n";
        assert!(find("OOM507", "config.yaml", text).help.unwrap().contains("raise taskmanager.memory.flink.size"));
    }

    #[test]
    fn the_images_own_size_is_nobodys_choice() {
        let text =
            |size: &str| format!("# oomph: flink=1.20 deployment=yarn\ntaskmanager.memory.process.size: {size}\n");
        assert!(!codes("config.yaml", &text("1728m")).contains(&"OOM507"));
        assert!(codes("config.yaml", &text("1729m")).contains(&"OOM507"));
    }
}
