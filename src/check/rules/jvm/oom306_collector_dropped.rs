use super::java_options::JavaOptions;
use super::jdk;
use crate::check::rule::rule;
use crate::check::{Case, Collector, FixKind};
use crate::model::{Confidence, Deployment, Role, Severity};

rule! {
    /// Own JVM options take the G1 collector away from a TaskManager on JDK 8.
    ///
    /// ### Why
    /// Up to Flink 1.17, `bin/taskmanager.sh` adds `-XX:+UseG1GC` only where `env.java.opts` and
    /// `env.java.opts.taskmanager` are both empty. A single option there, for a log or a dump, drops it, and JDK 8 falls back
    /// to its own choice: Parallel, or Serial on a small machine. Full collections of a large heap then stop everything.
    /// From 1.18 on the scripts never add it, as `-XX:+IgnoreUnrecognizedVMOptions` stands in the options first.
    ///
    /// ### Bad
    /// ```yaml flink-conf.yaml
    /// # oomph: flink=1.14 deployment=standalone
    /// taskmanager.memory.process.size: 4g
    /// env.java.opts.taskmanager: -Duser.timezone=UTC
    /// ```
    ///
    /// ### Good
    /// ```yaml flink-conf.yaml
    /// # oomph: flink=1.14 deployment=standalone
    /// taskmanager.memory.process.size: 4g
    /// env.java.opts.taskmanager: -Duser.timezone=UTC -XX:+UseG1GC
    /// ```
    ///
    /// ### Sources
    /// - `bin/taskmanager.sh` of Flink 1.9.3, 1.13.6, 1.16.3 and 1.17.2; `bin/config.sh` of 1.18.1 and later.
    /// - https://github.com/apache/flink/pull/22738 (FLINK-32290, 1.18).
    /// - The official image of Flink 1.9 to 1.14 has JDK 8.
    "OOM306" "collector-dropped" {
        severity: Severity::Note,
        confidence: Confidence::Medium,
        until: Some((1, 17)),
        fix: FixKind::Unsafe,
        check: check,
    }
}

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    if case.deployment != Some(Deployment::Standalone) {
        return;
    }
    let options = JavaOptions::of_role(case, Role::TaskManager);
    let jdk = jdk::named(case, Role::TaskManager);
    let release = jdk.map_or(case.profile().image_jdk, |jdk| jdk.release);
    if release > 8 || options.hidden || !options.collectors().is_empty() {
        return;
    }
    let Some(option) = options.iter().last() else { return };
    let longer = format!("{} -XX:+UseG1GC", option.written.text());
    found
        .find(format!("{} drops -XX:+UseG1GC from the TaskManager's start", option.written.key))
        .at(option.place(), "the script adds G1 only where there are no options")
        .note("JDK 8 chooses Parallel, and Serial with fewer than 2 cores or 1792 MB")
        .help("add -XX:+UseG1GC to these options")
        .unsafe_fix("ask for G1", case.set(option.written, &longer));
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use crate::check::tried::codes;

    #[rstest]
    #[case("flink=1.14 deployment=standalone", "env.java.opts: -Da=b\n", true)]
    #[case("flink=1.14 deployment=standalone", "env.java.opts: -XX:+UseParallelGC\n", false)]
    #[case("flink=1.14 deployment=standalone", "env.java.opts: ${OPTS}\n", false)]
    #[case("flink=1.14 deployment=standalone", "env.java.opts.jobmanager: -Da=b\n", false)]
    #[case("flink=1.14 deployment=standalone", "env.java.opts: -Da=b\nenv.java.home: /opt/jdk-11\n", false)]
    #[case("flink=1.17 deployment=standalone", "env.java.opts.all: -Da=b\n", false)]
    #[case("flink=1.17 deployment=standalone", "env.java.opts.all: -Da=b\nenv.java.home: /opt/jdk1.8.0_292\n", true)]
    #[case("flink=1.18 deployment=standalone", "env.java.opts.all: -Da=b\nenv.java.home: /opt/jdk1.8.0_292\n", false)]
    #[case("flink=1.14 deployment=yarn", "env.java.opts: -Da=b\n", false)]
    #[case("flink=1.14", "env.java.opts: -Da=b\n", false)]
    fn only_jdk_8_behind_the_scripts_loses_g1(#[case] facts: &str, #[case] options: &str, #[case] expected: bool) {
        let text = format!("# oomph: {facts}\n{options}");
        assert_eq!(codes("flink-conf.yaml", &text).contains(&"OOM306"), expected);
    }
}
