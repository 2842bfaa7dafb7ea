use super::java_options::{JavaOptions, shown};
use crate::check::rule::rule;
use crate::check::{Case, Collector, FixKind};
use crate::model::{Bytes, Component, Confidence, Role};

rule! {
    /// The code cache may become larger than the memory that is planned for it.
    ///
    /// ### Why
    /// Compiled code lives in JVM overhead, beside thread stacks, the collector's own structures and what the allocator
    /// keeps. `-XX:ReservedCodeCacheSize` is how large it may become, 240 MiB where nothing is said. More than the whole of
    /// overhead, or than what the collector leaves of it, is room that the container does not have: a process that compiles
    /// for days, as SQL jobs in a session cluster do, grows into it and is killed.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 4g
    /// env.java.opts.taskmanager: -XX:ReservedCodeCacheSize=512m
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 4g
    /// env.java.opts.taskmanager: -XX:ReservedCodeCacheSize=240m
    /// ```
    ///
    /// ### Sources
    /// - Flink's mem_setup_tm page: JVM overhead holds thread stacks, code cache and garbage collection space.
    /// - HotSpot: `-XX:ReservedCodeCacheSize` is 240 MiB with tiered compilation, seen on OpenJDK 17.0.15 and 25.
    /// - Own measurement, Flink 1.20.5, JDK 17: 16 MiB of code after minutes of one job.
    "OOM310" "code-cache" {
        confidence: Confidence::Medium,
        since: Some((1, 10)),
        fix: FixKind::Unsafe,
        check: check,
    }
}

/// What the JVM reserves where nothing is said.
const DEFAULT: Bytes = Bytes::mib(240);

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    for options in JavaOptions::of_roles(case) {
        let Some((option, reserved)) = options.size(&["-XX:ReservedCodeCacheSize="]) else { continue };
        let Some(survey) = case.survey(options.role).filter(|_| !option.told && reserved > DEFAULT) else { continue };
        let Some(overhead) = survey.plan.budget.part(Component::JvmOverhead).map(|figure| figure.bytes) else {
            continue;
        };
        let structures = survey.footprint.shares.first().and_then(|share| share.at_most.seen()).unwrap_or_default();
        let left = overhead.checked_sub(structures).unwrap_or_default();
        if reserved <= left {
            continue;
        }
        let key = match options.role {
            Role::TaskManager => "taskmanager.memory.jvm-overhead.min",
            Role::JobManager => "jobmanager.memory.jvm-overhead.min",
        };
        found
            .find(format!("{} does not fit into the {}'s JVM overhead of {overhead}", shown(option), options.role))
            .at(option.place(), "how large compiled code may become")
            .note(format!(
                "the collector's structures take up to {structures} of it, and thread stacks stand in it too"
            ))
            .help(format!(
                "leave it at {DEFAULT}, or raise {key} by {}",
                reserved.checked_sub(left).unwrap_or_default()
            ))
            .unsafe_fix("take the flag out", option.remove(case));
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use crate::check::tried::codes;

    #[rstest]
    #[case("process.size: 4g", "240m", false)]
    #[case("process.size: 8g", "256m", false)]
    #[case("process.size: 4g", "400m", true)]
    #[case("process.size: 2g", "128m", false)]
    fn only_more_than_the_default_is_measured(#[case] total: &str, #[case] cache: &str, #[case] expected: bool) {
        let text = format!(
            "# oomph: flink=1.20\ntaskmanager.memory.{total}\nenv.java.opts.taskmanager: -XX:ReservedCodeCacheSize={cache}\n"
        );
        assert_eq!(codes("config.yaml", &text).contains(&"OOM310"), expected);
    }
}
