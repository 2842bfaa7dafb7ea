use super::java_options::{self, JavaOption, JavaOptions, ignores_unknown_flags, shown, switched};
use super::jdk;
use crate::check::rule::rule;
use crate::check::{Case, Collector, FixKind};
use crate::model::{Place, Severity};

rule! {
    /// JVM flags of another time do nothing, or keep the JVM from starting.
    ///
    /// ### Why
    /// There is no permanent generation since JDK 8, so `-XX:MaxPermSize` limits nothing; metaspace has a limit of its own in
    /// Flink. `-XX:+UseCGroupMemoryLimitForHeap` chose a heap where no `-Xmx` was given, and Flink always gives one. The
    /// flags of the old garbage-collection log went with JDK 9: whoever relies on them has no log. A JVM that does not know
    /// a flag does not start, unless it is told to ignore that, as Flink does from 1.18 on; then nothing says that the flag
    /// is not there.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 4g
    /// env.java.opts.taskmanager: -XX:MaxPermSize=256m
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 4g
    /// taskmanager.memory.jvm-metaspace.size: 256m
    /// ```
    ///
    /// ### Sources
    /// - Own measurement, OpenJDK 17.0.15 and 25: each of these flags ends with "Unrecognized VM option", and is passed over
    ///   with `-XX:+IgnoreUnrecognizedVMOptions`.
    /// - JEP 122: no permanent generation in JDK 8. JEP 271: the collectors' log in JDK 9; JDK 11 does not start with a flag
    ///   of the old one: https://github.com/SAP/SapMachine/issues/554.
    /// - https://github.com/apache/flink/pull/22738 (FLINK-32290, 1.18).
    "OOM316" "flag-without-effect" {
        since: Some((1, 10)),
        fix: FixKind::Safe,
        check: check,
    }
}

/// Flags that do nothing on any JDK that Flink runs on.
const NEVER: [&str; 3] = ["MaxPermSize", "PermSize", "UseCGroupMemoryLimitForHeap"];

/// Flags of the log of JDK 8; `PrintGC` and `PrintGCDetails` still do something.
const LOG: [&str; 12] = [
    "GCLogFileSize",
    "NumberOfGCLogFiles",
    "PrintAdaptiveSizePolicy",
    "PrintGCApplicationConcurrentTime",
    "PrintGCApplicationStoppedTime",
    "PrintGCCause",
    "PrintGCDateStamps",
    "PrintGCTimeStamps",
    "PrintHeapAtGC",
    "PrintReferenceGC",
    "PrintTenuringDistribution",
    "UseGCLogFileRotation",
];

/// The first release without any word for the flags of [`NEVER`], as measured.
const FORGOTTEN: u16 = 17;

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    for options in JavaOptions::of_roles(case) {
        // From 2.0 on Flink asks for JDK 11.
        let least = if case.profile().version().line() >= (2, 0) { 11 } else { 8 };
        let named = jdk::named(case, options.role).map(|jdk| jdk.release);
        let release = named.unwrap_or(least);
        let gone = |option: &JavaOption<'_>| {
            let name = name(&option.text);
            NEVER.contains(&name) || release >= 9 && LOG.contains(&name)
        };
        let all: Vec<&JavaOption<'_>> = options.iter().filter(|option| !option.told && gone(option)).collect();
        let mut places: Vec<&Place> = Vec::new();
        for option in &all {
            if places.contains(&option.place()) {
                continue;
            }
            places.push(option.place());
            let here: Vec<&JavaOption<'_>> =
                all.iter().filter(|other| other.place() == option.place()).copied().collect();
            tell(case, found, &here, release);
        }
    }
}

/// Those of one setting.
fn tell<'a>(case: &Case<'a>, found: &mut Collector<'_>, flags: &[&JavaOption<'a>], release: u16) {
    let [first, more @ ..] = flags else { return };
    let unknown = |option: &&&JavaOption<'_>| release >= FORGOTTEN || LOG.contains(&name(&option.text));
    let refused = flags.iter().find(unknown).filter(|_| !ignores_unknown_flags(case));
    let is_log = LOG.contains(&name(&first.text));
    let title = match (refused, more.len()) {
        (Some(flag), _) => format!("JDK {release} does not start with {}", shown(flag)),
        (None, 0) => format!("{} has no effect", shown(first)),
        (None, more) => format!("{} and {more} more flags have no effect", shown(first)),
    };
    let mut draft = found.find(title).at(first.place(), format!("in {}", first.written.key));
    if refused.is_some() {
        draft = draft.severity(Severity::Error).note("Unrecognized VM option");
    }
    for flag in flags {
        draft = draft.note(match name(&flag.text) {
            "MaxPermSize" | "PermSize" => format!("{}: there is no permanent generation since JDK 8", shown(flag)),
            "UseCGroupMemoryLimitForHeap" => format!("{}: counts only where no -Xmx is given", shown(flag)),
            _ => format!("{}: gone since JDK 9", shown(flag)),
        });
    }
    draft
        .help(if is_log { "take them out; the log of today is -Xlog:gc*:file=..." } else { "take it out" })
        .safe_fix("take it out", java_options::remove(case, flags));
}

/// The name of a flag of any form.
fn name(option: &str) -> &str {
    if let Some((name, _)) = switched(option) {
        return name;
    }
    let rest = option.strip_prefix("-XX:").unwrap_or_default();
    rest.split_once('=').map_or(rest, |(name, _)| name)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use crate::check::edits::applied;
    use crate::check::tried::{codes, find};
    use crate::model::Severity;

    #[rstest]
    #[case("flink=1.17", "-XX:MaxPermSize=256m", "", Some(Severity::Warning))]
    #[case("flink=1.17", "-XX:MaxPermSize=256m", "env.java.home: /opt/jdk-17\n", Some(Severity::Error))]
    #[case("flink=1.20", "-XX:MaxPermSize=256m", "env.java.home: /opt/jdk-17\n", Some(Severity::Warning))]
    #[case("flink=1.20", "-XX:+UseCGroupMemoryLimitForHeap", "", Some(Severity::Warning))]
    #[case("flink=1.20", "-XX:+PrintGCDateStamps", "", None)]
    #[case("flink=1.17", "-XX:+PrintGCDateStamps", "env.java.home: /opt/jdk-11\n", Some(Severity::Error))]
    #[case("flink=2.0", "-XX:+PrintGCDateStamps", "", Some(Severity::Warning))]
    #[case("flink=2.0", "-XX:+PrintGCDetails", "", None)]
    fn what_a_jdk_does_with_a_flag_of_old_is_told(
        #[case] facts: &str,
        #[case] options: &str,
        #[case] home: &str,
        #[case] expected: Option<Severity>,
    ) {
        let text = format!("# oomph: {facts}\nenv.java.opts.all: {options}\n{home}");
        match expected {
            Some(severity) => assert_eq!(find("OOM316", "config.yaml", &text).severity, severity),
            None => assert!(!codes("config.yaml", &text).contains(&"OOM316")),
        }
    }

    #[test]
    fn all_of_a_setting_go_with_one_edit() {
        let text = "# oomph: flink=2.0\nenv.java.opts.all: -XX:+PrintGCDateStamps -Da=b -XX:GCLogFileSize=9m\n";
        let finding = find("OOM316", "config.yaml", text);
        assert!(finding.title.contains("and 1 more flags"), "{finding:?}");
        let fix = finding.fix.unwrap();
        assert_eq!(applied(text, &fix.edits).unwrap(), "# oomph: flink=2.0\nenv.java.opts.all: -Da=b\n");
    }
}
