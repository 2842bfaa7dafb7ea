use super::java_options::{JavaOption, JavaOptions, shown};
use crate::check::policy::threshold;
use crate::check::rule::rule;
use crate::check::{Case, Collector, FixKind};
use crate::model::{Bytes, Component, Confidence, Role, Severity};

rule! {
    /// Thread stacks may take more than the JVM overhead they stand in, or are too small for the JVM.
    ///
    /// ### Why
    /// Each thread has a stack, 1 MiB where nothing is said, and a TaskManager has more than a hundred threads, each task
    /// some of its own. A thread touches about 90 KiB of it, so that larger stacks cost nothing at first; where code calls as
    /// deep as `-Xss` was raised for, they do, and JVM overhead is not sized for it. `-XX:ThreadStackSize` counts in KiB:
    /// `1m` there is 1 GiB for each thread. Below 136 KiB the JVM does not start.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 4g
    /// env.java.opts.taskmanager: -Xss16m
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 4g
    /// env.java.opts.taskmanager: -Xss2m
    /// ```
    ///
    /// ### Sources
    /// - Own measurement, Flink 1.20.5, JDK 17: 115 threads, 10 MiB of stacks touched.
    /// - Own measurement, OpenJDK 17.0.15 and 25: below 136k "The Java thread stack size specified is too small"; `-Xss1g`
    ///   and `-XX:ThreadStackSize=1m` give the same `ThreadStackSize` of 1048576.
    /// - Flink's mem_setup_tm page: JVM overhead holds thread stacks.
    "OOM314" "thread-stack" {
        confidence: Confidence::Low,
        since: Some((1, 10)),
        fix: FixKind::Unsafe,
        check: check,
    }
}

/// What OpenJDK 17 and 25 ask for on x86-64.
const LEAST: Bytes = Bytes::kib(136);

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    for options in JavaOptions::of_roles(case) {
        let Some((option, stack)) = stack(&options).filter(|(option, _)| !option.told) else { continue };
        // 0 is the default.
        if stack < LEAST && stack > Bytes::ZERO {
            found
                .find(format!("{} is less than the JVM starts with", shown(option)))
                .severity(Severity::Error)
                .confidence(Confidence::High)
                .at(option.place(), format!("{LEAST} is the least"))
                .note("The Java thread stack size specified is too small. Specify at least 136k")
                .help("take it out, or ask for at least 512k")
                .unsafe_fix("take the flag out", option.remove(case));
            continue;
        }
        let Some(survey) = case.survey(options.role).filter(|_| options.role == Role::TaskManager) else { continue };
        let Some(overhead) = survey.plan.budget.part(Component::JvmOverhead).map(|figure| figure.bytes) else {
            continue;
        };
        let threads = case.policy.count(&threshold::TASKMANAGER_THREADS);
        let all = stack.get().checked_mul(threads).map_or(Bytes::new(u64::MAX), Bytes::new);
        // With the JVM's own default the sum is not what anybody chose.
        if stack <= Bytes::mib(1) || all <= overhead {
            continue;
        }
        found
            .find(format!("Stacks of {stack} may outgrow the TaskManager's JVM overhead of {overhead}"))
            .at(option.place(), format!("{stack} for each thread"))
            .note(format!("{threads} threads may take {all} (taskmanager-threads)"))
            .help("give the deep code a thread with a stack of its own, or raise taskmanager.memory.jvm-overhead.min")
            .unsafe_fix("take the flag out", option.remove(case));
    }
}

/// The stack that the options ask for; `-XX:ThreadStackSize` counts in KiB.
fn stack<'o, 'a>(options: &'o JavaOptions<'a>) -> Option<(&'o JavaOption<'a>, Bytes)> {
    let (option, value) = options.last(&["-Xss", "-XX:ThreadStackSize="])?;
    let bytes = Bytes::parse_jvm(value).ok()?;
    let unit = if option.text.starts_with("-Xss") { 1 } else { 1024 };
    Some((option, Bytes::new(bytes.get().checked_mul(unit)?)))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use crate::check::tried::{codes, find};

    #[rstest]
    #[case("-Xss3m", false)]
    #[case("-Xss4m", true)]
    #[case("-XX:ThreadStackSize=4096", true)]
    #[case("-XX:ThreadStackSize=512", false)]
    #[case("-XX:ThreadStackSize=1m", true)]
    #[case("-Xss16m -Xss1m", false)]
    #[case("-Xss512k", false)]
    #[case("-XX:ThreadStackSize=0", false)]
    fn threads_times_stacks_are_compared_with_overhead(#[case] options: &str, #[case] expected: bool) {
        let text =
            format!("# oomph: flink=1.20\ntaskmanager.memory.process.size: 4g\nenv.java.opts.taskmanager: {options}\n");
        assert_eq!(codes("config.yaml", &text).contains(&"OOM314"), expected, "{text}");
    }

    #[test]
    fn a_stack_below_the_least_is_refused() {
        let text = "# oomph: flink=1.20\nenv.java.opts.jobmanager: -Xss100k\n";
        assert!(find("OOM314", "config.yaml", text).title.contains("less than the JVM starts with"));
    }
}
