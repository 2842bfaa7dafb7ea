use crate::check::Collector;
use crate::check::rule::rule;
use crate::model::{Place, Severity};

rule! {
    /// A comment ignores findings that are not there.
    ///
    /// ### Why
    /// What it was written for is gone, or it stands on the wrong line, or names another rule: the next finding on that line
    /// would be hidden by nobody's decision.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 4g  # oomph: ignore[OOM102] was set twice once
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 4g
    /// ```
    ///
    /// ### Sources
    /// - oomph itself: it looks for every finding before it ignores one.
    "OOM191" "unused-ignore" {
        severity: Severity::Warning,
    }
}

/// Told by the engine.
pub fn tell(found: &mut Collector<'_>, place: &Place, selectors: &str) {
    found
        .find(format!("nothing on this line is ignored by ignore[{selectors}]"))
        .at(place, "")
        .help("take the comment out, or put it on the line of the finding");
}

#[cfg(test)]
mod tests {
    use crate::check::tried::codes;

    #[test]
    fn one_that_is_used_is_not_reported() {
        let text = "taskmanager.memory.process.size: 4g\n# oomph: ignore[OOM1] the later one is wanted\n\
                    taskmanager.memory.process.size: 8g\n";
        assert_eq!(codes("flink-conf.yaml", text), [""; 0]);
    }

    #[test]
    fn a_code_that_does_not_exist_ignores_nothing() {
        assert_eq!(codes("config.yaml", "parallelism.default: 1 # oomph: ignore[OOM999] never\n"), ["OOM191"]);
    }
}
