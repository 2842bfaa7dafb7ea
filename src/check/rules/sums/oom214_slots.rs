use crate::check::rule::rule;
use crate::check::{Case, Collector, FixKind, Written};
use crate::model::{Role, Severity};

rule! {
    /// A TaskManager cannot have this number of slots.
    ///
    /// ### Why
    /// 0 slots, or a number below -1, pass the derivation of memory where the number of cores is set otherwise, and end the
    /// TaskManager as soon as it starts. -1 is an old word for one slot.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 4g
    /// taskmanager.numberOfTaskSlots: 0
    /// taskmanager.cpu.cores: 2
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 4g
    /// taskmanager.numberOfTaskSlots: 2
    /// taskmanager.cpu.cores: 2
    /// ```
    ///
    /// ### Sources
    /// - `ConfigurationParserUtils.getSlot`, Flink 1.9 to 2.3; run with these values on 1.15.4, 1.20.5 and 2.3.0.
    "OOM214" "slots" {
        severity: Severity::Error,
        fix: FixKind::Unsafe,
        check: check,
    }
}

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    let Some(written) = case.find("taskmanager.numberOfTaskSlots").filter(Written::is_own) else { return };
    let Ok(slots) = written.text().parse::<i32>() else { return };
    // Without cores of its own such a TaskManager has none, at which the derivation ends.
    let is_refused_before = case.judged(Role::TaskManager).is_some_and(|judged| judged.outcome.is_err());
    if slots >= 1 || slots == -1 || is_refused_before {
        return;
    }
    found
        .find(format!("{}: {slots}: a TaskManager has at least one slot", written.key))
        .at(written.place(), "refused when the TaskManager starts")
        .help("set as many slots as the TaskManager has cores, or 1")
        .unsafe_fix("have one slot", case.set(written, "1"));
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use crate::check::tried::codes;

    #[rstest]
    #[case("0", true)]
    #[case("-1", false)]
    #[case("-2", true)]
    #[case("1", false)]
    #[case("two", false)]
    fn as_real_flink_judges(#[case] slots: &str, #[case] refused: bool) {
        let text = format!("taskmanager.numberOfTaskSlots: {slots}\n");
        assert_eq!(codes("config.yaml", &text).contains(&"OOM214"), refused);
    }

    #[test]
    fn where_the_derivation_ends_nothing_more_is_said() {
        let text = "taskmanager.memory.process.size: 4g\ntaskmanager.numberOfTaskSlots: 0\n";
        assert_eq!(codes("config.yaml", text), ["OOM200"]);
    }
}
