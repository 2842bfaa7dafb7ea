use super::java_options::{self, JavaOption, JavaOptions, flink_comes_last, heap_key, shown};
use crate::check::rule::rule;
use crate::check::{Case, Collector, FixKind};
use crate::model::{Bytes, Severity};
use crate::plan;

rule! {
    /// The JVM options give the heap another size than Flink's plan does.
    ///
    /// ### Why
    /// Flink puts `-Xmx`, `-Xms`, `-XX:MaxDirectMemorySize` and `-XX:MaxMetaspaceSize` on the command line, and the options
    /// of the configuration behind them, in the scripts, on YARN and on Kubernetes alike. The JVM takes the last of two equal
    /// flags, so a `-Xmx` of the configuration wins, and Flink does not know: managed memory, network and overhead stay as
    /// they were, and the process no longer adds up to its container. A `-Xmx` below Flink's `-Xms` ends the JVM at once:
    /// "Initial heap size set to a larger value than the maximum heap size". `-XX:MaxRAMPercentage` and its like only count
    /// where no `-Xmx` is given, so they do nothing.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 4g
    /// env.java.opts.taskmanager: -Xmx3g -Xms3g
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 8g
    /// ```
    ///
    /// ### Sources
    /// - `bin/flink-console.sh` (`$JVM_ARGS ${FLINK_ENV_JAVA_OPTS}`), `bin/taskmanager.sh` and `bin/kubernetes-taskmanager.sh`
    ///   of Flink 1.9.3, 1.13.6, 1.16.3, 1.17.2, 1.18.1, 1.19.3, 1.20.5 and 2.3.0.
    /// - `BootstrapTools.getTaskManagerShellCommand`, from 1.19 `yarn.Utils`: `%java% %jvmmem% %jvmopts%`, Flink 1.9 to 2.3.
    /// - Own measurement, OpenJDK 17.0.15 and 25: `-Xmx100m -Xmx200m` gives 200 MiB, `-Xmx1g -XX:MaxHeapSize=2g` 2 GiB,
    ///   `-Xmx1g -XX:MaxRAMPercentage=70` 1 GiB in either order, `-Xmx2g -Xms2g -Xmx1g` ends with the message above.
    "OOM301" "heap-flag" {
        severity: Severity::Error,
        fix: FixKind::Unsafe,
        check: check,
    }
}

/// Flags that give the heap its sizes.
const SIZES: [&str; 4] = ["-Xmx", "-Xms", "-XX:MaxHeapSize=", "-XX:InitialHeapSize="];

/// Flags that only count where no `-Xmx` is given.
const SHARES: [&str; 6] = [
    "-XX:MaxRAMPercentage=",
    "-XX:InitialRAMPercentage=",
    "-XX:MinRAMPercentage=",
    "-XX:MaxRAMFraction=",
    "-XX:InitialRAMFraction=",
    "-XX:MinRAMFraction=",
];

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    for options in JavaOptions::of_roles(case) {
        let planned = case.survey(options.role).map(|survey| survey.plan.budget.heap());
        // The scripts of the cut-off model pass no -Xmx where no total is set.
        let unset = planned.is_none() && plan::is_cut_off(case.profile(), options.role);
        if unset || flink_comes_last(case) {
            continue;
        }
        let max = options.last(&["-Xmx", "-XX:MaxHeapSize="]).map(|(option, _)| option);
        let start = options.last(&["-Xms", "-XX:InitialHeapSize="]).map(|(option, _)| option);
        let bytes = |name: &[&str]| options.size(name).map(|(_, bytes)| bytes);
        let asked = bytes(&["-Xmx", "-XX:MaxHeapSize="]);
        let first = bytes(&["-Xms", "-XX:InitialHeapSize="]);
        // What is not set here is Flink's.
        let most = if max.is_some() { asked } else { planned };
        let least = if start.is_some() { first } else { planned };
        match (most, least) {
            (Some(most), Some(least)) if most < least && (max.is_some() || start.is_some()) => {
                refused(case, found, &options, max, start, (most, least));
            }
            _ => {
                if let Some(max) = max.filter(|max| !max.told && (asked.is_none() || asked != planned)) {
                    outranked(case, found, &options, max, asked, planned);
                }
            }
        }
        if let Some((option, _)) = options.last(&SHARES).filter(|(option, _)| max.is_none() && !option.told) {
            found
                .find(format!("{} has no effect beside the -Xmx that Flink sets", shown(option)))
                .at(option.place(), "counts only where no -Xmx is given")
                .help(format!(
                    "take it out; the heap is what {} says, or what the total leaves",
                    heap_key(case, options.role)
                ))
                .unsafe_fix("take the flag out", option.remove(case));
        }
    }
}

/// A first size above the largest: the JVM ends before it begins.
fn refused<'a>(
    case: &Case<'a>,
    found: &mut Collector<'_>,
    options: &JavaOptions<'a>,
    max: Option<&JavaOption<'a>>,
    start: Option<&JavaOption<'a>>,
    (most, least): (Bytes, Bytes),
) {
    let Some(option) = max.or(start).filter(|option| !option.told) else { return };
    let whose = |option: Option<&JavaOption<'_>>| if option.is_some() { "these options'" } else { "Flink's" };
    found
        .find(format!("The JVM refuses {}: the heap would start larger than it may become", shown(option)))
        .at(option.place(), format!("of the {}", options.role))
        .note(format!("-Xms is {least}, {}; -Xmx is {most}, {}", whose(start), whose(max)))
        .note("Initial heap size set to a larger value than the maximum heap size")
        .help(format!("take the flags out and set {}", heap_key(case, options.role)))
        .unsafe_fix("take the flags out", java_options::remove(case, &options.every(&SIZES)));
}

/// A heap that is not Flink's.
fn outranked<'a>(
    case: &Case<'a>,
    found: &mut Collector<'_>,
    options: &JavaOptions<'a>,
    option: &JavaOption<'a>,
    asked: Option<Bytes>,
    planned: Option<Bytes>,
) {
    let mut draft = found
        .find(format!("{} outranks the heap that Flink computes", shown(option)))
        .at(option.place(), format!("the last -Xmx of the {} counts", options.role));
    if let (Some(asked), Some(planned)) = (asked, planned) {
        draft = draft.note(match (asked.checked_sub(planned), planned.checked_sub(asked)) {
            (Some(more), _) => format!("Flink plans {planned}; the process may become {more} larger than its total"),
            (_, Some(less)) => format!("Flink plans {planned}; {less} of the total go unused"),
            _ => format!("Flink plans {planned}"),
        });
    }
    draft
        .note("the other parts stay as if the heap were Flink's")
        .help(format!(
            "take it out and set {}, from which Flink derives -Xmx and all other parts",
            heap_key(case, options.role)
        ))
        .unsafe_fix("take the flags out", java_options::remove(case, &options.every(&SIZES)));
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use crate::check::edits::applied;
    use crate::check::tried::{codes, find};

    fn text(options: &str) -> String {
        format!("# oomph: flink=1.20\ntaskmanager.memory.process.size: 4g\nenv.java.opts.taskmanager: {options}\n")
    }

    #[test]
    fn the_difference_to_the_plan_is_told() {
        let finding = find("OOM301", "config.yaml", &text("-Xmx3g -Xms3g"));
        assert!(finding.notes[0].contains("larger than its total"), "{finding:?}");
        let small = find("OOM301", "config.yaml", &text("-Xmx1g -Xms1g"));
        assert!(small.notes[0].contains("go unused"), "{small:?}");
    }

    #[test]
    fn the_largest_size_alone_below_flinks_first_size_ends_the_jvm() {
        let finding = find("OOM301", "config.yaml", &text("-Xmx1g"));
        assert!(finding.title.starts_with("The JVM refuses -Xmx1g"), "{finding:?}");
        assert!(finding.notes[0].contains("Flink's; -Xmx is 1 GiB, these options'"), "{finding:?}");
    }

    #[test]
    fn a_first_size_alone_is_refused_only_above_flinks_largest() {
        assert!(codes("config.yaml", &text("-Xms3g")).contains(&"OOM301"));
        assert!(!codes("config.yaml", &text("-Xms1g")).contains(&"OOM301"));
    }

    #[test]
    fn the_fix_takes_both_sizes_out_of_both_settings() {
        let text = text("-Xms3g -XX:+UseG1GC") + "env.java.opts.all: -Da=b -Xmx3g\n";
        let fix = find("OOM301", "config.yaml", &text).fix.unwrap();
        let fixed = applied(&text, &fix.edits).unwrap();
        assert!(fixed.contains("taskmanager: -XX:+UseG1GC\n") && fixed.ends_with("all: -Da=b\n"), "{fixed}");
    }

    #[test]
    fn options_of_all_processes_are_told_once() {
        let text = "# oomph: flink=1.20\ntaskmanager.memory.process.size: 4g\njobmanager.memory.process.size: 2g\n\
                    env.java.opts.all: -Xmx3g -Xms3g\n";
        assert_eq!(find("OOM301", "config.yaml", text).labels.len(), 1);
    }

    #[rstest]
    #[case("-XX:MaxRAMPercentage=70", true)]
    #[case("-XX:MaxRAMFraction=1", true)]
    #[case("-XX:NewRatio=1 -XX:+UseG1GC", false)]
    fn shares_of_the_machine_do_nothing(#[case] options: &str, #[case] expected: bool) {
        assert_eq!(codes("config.yaml", &text(options)).contains(&"OOM301"), expected);
    }

    #[test]
    fn the_jobmanagers_own_options_are_looked_at() {
        let text =
            "# oomph: flink=1.20\njobmanager.memory.process.size: 2g\nenv.java.opts.jobmanager: -Xmx1600m -Xms1600m\n";
        let notes = find("OOM301", "config.yaml", text).notes;
        assert!(notes[0].contains("1530082096 B"), "{notes:?}");
    }

    #[test]
    fn a_start_command_may_put_flinks_flags_last() {
        let template =
            "yarn.container-start-command-template: \"%java% %jvmopts% %jvmmem% %logging% %class% %args%\"\n";
        assert!(!codes("config.yaml", &(text("-Xmx3g -Xms3g") + template)).contains(&"OOM301"));
    }

    #[test]
    fn without_a_total_the_scripts_of_1_9_pass_no_heap() {
        let text = "# oomph: flink=1.9\nenv.java.opts.taskmanager: -Xmx3g\n";
        assert!(!codes("flink-conf.yaml", text).contains(&"OOM301"));
    }
}
