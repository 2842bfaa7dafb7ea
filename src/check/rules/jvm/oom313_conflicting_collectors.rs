use super::java_options::{self, JavaOption, JavaOptions, ignores_unknown_flags, shown};
use super::jdk;
use crate::check::rule::rule;
use crate::check::{Case, Collector, FixKind};
use crate::model::{Confidence, Severity};
use crate::plan::jvm::Collector as Gc;

rule! {
    /// The JVM options ask for two collectors, or for one that the JDK does not have.
    ///
    /// ### Why
    /// With two collectors the JVM ends before it begins: "Multiple garbage collectors selected", in older releases
    /// "Conflicting collector combinations in option list". The options of all processes and those of a role stand on one
    /// command line, so the two are often written in two places. CMS is gone since JDK 14: up to Flink 1.17 a JVM of today
    /// does not start with its flag, from 1.18 on it is passed over without a word, and the JVM takes what it likes.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 4g
    /// env.java.opts.all: -XX:+UseG1GC
    /// env.java.opts.taskmanager: -XX:+UseParallelGC
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 4g
    /// env.java.opts.all: -XX:+UseG1GC
    /// ```
    ///
    /// ### Sources
    /// - Own measurement, OpenJDK 17.0.15: `-XX:+UseG1GC -XX:+UseParallelGC` ends with "Multiple garbage collectors selected",
    ///   with `-XX:+IgnoreUnrecognizedVMOptions` too; `-XX:+UseConcMarkSweepGC` ends with "Unrecognized VM option", and runs
    ///   on G1 where unrecognized options are ignored. OpenJDK 25 does the same.
    /// - https://github.com/apache/flink/pull/22738 (FLINK-32290, 1.18): `-XX:+IgnoreUnrecognizedVMOptions` everywhere.
    /// - JEP 363: CMS removed in JDK 14; https://github.com/elastic/elasticsearch/issues/51361: unrecognized in 15.
    "OOM313" "conflicting-collectors" {
        severity: Severity::Error,
        fix: FixKind::Unsafe,
        check: check,
    }
}

/// The first release that is known to have neither CMS nor a word for it.
const WITHOUT_CMS: u16 = 15;

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    for options in JavaOptions::of_roles(case) {
        let mut collectors = options.collectors();
        if collectors.is_empty() {
            continue;
        }
        let named = jdk::named(case, options.role).map(|jdk| jdk.release);
        let release = named.unwrap_or(case.profile().image_jdk);
        let gone =
            collectors.iter().position(|(collector, _)| *collector == Gc::ConcMarkSweep && release >= WITHOUT_CMS);
        let ignored = ignores_unknown_flags(case);
        if let Some((_, option)) = gone.map(|at| collectors.remove(at)).filter(|(_, option)| !option.told) {
            let title = format!("JDK {release} has no collector for {}", shown(option));
            let what =
                if ignored { "passed over in silence" } else { "the JVM does not start: Unrecognized VM option" };
            found
                .find(title)
                .confidence(if named.is_some() { Confidence::High } else { Confidence::Medium })
                .at(option.place(), what)
                .help("take it out, with the other flags of CMS; G1 is what the JVM takes by itself")
                .unsafe_fix("take the flag out", option.remove(case));
        }
        let [first, .., last] = collectors.as_slice() else { continue };
        if collectors.iter().all(|(_, option)| option.told) {
            continue;
        }
        // A role's own options stand behind those of all processes, and are the nearer ones.
        let asked: Vec<_> = options.iter().filter(|option| is_among(option, &collectors)).collect();
        let [earlier @ .., _] = asked.as_slice() else { continue };
        found
            .find(format!(
                "The {}'s JVM is asked for two collectors, {} and {}",
                options.role,
                first.0.label(),
                last.0.label()
            ))
            .at(first.1.place(), shown(first.1))
            .at(last.1.place(), shown(last.1))
            .note("Multiple garbage collectors selected: the JVM does not start")
            .help("keep one of them")
            .unsafe_fix("keep the last one", java_options::remove(case, earlier));
    }
}

/// Whether an option is one of those that ask for a collector.
fn is_among(option: &JavaOption<'_>, collectors: &[(Gc, &JavaOption<'_>)]) -> bool {
    collectors.iter().any(|(_, asking)| std::ptr::eq(*asking, option))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use crate::check::tried::{codes, find};

    #[rstest]
    #[case("-XX:+UseG1GC -XX:+UseSerialGC", true)]
    #[case("-XX:+UseG1GC -XX:+UseSerialGC -XX:-UseSerialGC", false)]
    #[case("-XX:+UseParallelGC -XX:+UseParallelOldGC", false)]
    #[case("-XX:+UseConcMarkSweepGC -XX:+UseParNewGC", false)]
    #[case("-XX:+UseConcMarkSweepGC -XX:+UseG1GC", true)]
    #[case("-XX:+UseG1GC -XX:+UseG1GC", false)]
    fn two_halves_of_one_collector_are_no_conflict(#[case] options: &str, #[case] expected: bool) {
        let text = format!("# oomph: flink=1.14\nenv.java.opts: {options}\n");
        assert_eq!(codes("flink-conf.yaml", &text).contains(&"OOM313"), expected);
    }

    #[rstest]
    #[case("flink=1.20", "env.java.home: /opt/jdk-17\n", Some("silence"))]
    #[case("flink=1.17", "env.java.home: /opt/jdk-17\n", Some("does not start"))]
    #[case("flink=2.0", "", Some("silence"))]
    #[case("flink=1.20", "", None)]
    #[case("flink=1.20", "env.java.home: /opt/jdk-11\n", None)]
    fn cms_is_gone_from_todays_releases(#[case] facts: &str, #[case] home: &str, #[case] expected: Option<&str>) {
        let text = format!("# oomph: {facts}\nenv.java.opts.all: -XX:+UseConcMarkSweepGC\n{home}");
        match expected {
            Some(label) => assert!(find("OOM313", "config.yaml", &text).labels[0].text.contains(label)),
            None => assert!(!codes("config.yaml", &text).contains(&"OOM313")),
        }
    }

    #[test]
    fn where_cms_is_ignored_it_is_no_second_collector() {
        let text = "# oomph: flink=2.0\nenv.java.opts.all: -XX:+UseConcMarkSweepGC -XX:+UseG1GC\n";
        assert!(find("OOM313", "config.yaml", text).title.starts_with("JDK 17 has no collector"));
    }
}
