use super::java_options::JavaOptions;
use crate::check::rule::rule;
use crate::check::{Case, Collector, FixKind};

rule! {
    /// Direct buffers that nobody uses any more cannot be freed in time.
    ///
    /// ### Why
    /// A direct buffer is freed when the collector finds its small object on the heap, and a heap with room to spare is not
    /// collected. So `java.nio.Bits.reserveMemory` calls `System.gc()` when the limit of direct memory is reached, and only
    /// then throws "Direct buffer memory". With `-XX:+DisableExplicitGC` that call does nothing. Flink always runs a
    /// TaskManager with such a limit, and connectors, clients and the batch shuffle allocate below it.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 4g
    /// env.java.opts.all: -XX:+DisableExplicitGC
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 4g
    /// env.java.opts.all: -XX:+ExplicitGCInvokesConcurrent
    /// ```
    ///
    /// ### Sources
    /// - Own measurement, OpenJDK 17.0.15 and 25: 100 direct buffers of 16 MiB, one after the other, under
    ///   `-XX:MaxDirectMemorySize=64m`: all are allocated by default and with `-XX:+ExplicitGCInvokesConcurrent`; with
    ///   `-XX:+DisableExplicitGC` the fifth throws OutOfMemoryError.
    /// - https://github.com/elastic/elasticsearch/pull/25759, https://github.com/apache/pulsar/issues/13737.
    "OOM315" "explicit-gc-disabled" {
        fix: FixKind::Unsafe,
        check: check,
    }
}

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    for options in JavaOptions::of_roles(case) {
        let Some(option) = options.on("DisableExplicitGC").filter(|option| !option.told) else { continue };
        let direct = case.survey(options.role).and_then(|survey| survey.plan.direct);
        let mut draft = found
            .find("-XX:+DisableExplicitGC keeps the JVM from freeing direct buffers before it gives up")
            .at(option.place(), format!("of the {}", options.role));
        if let Some(direct) = direct {
            draft = draft.note(format!("direct memory of the {} ends at {direct}", options.role));
        }
        draft
            .note("java.nio.Bits.reserveMemory calls System.gc() before it throws, and the call does nothing")
            .help("take it out, or use -XX:+ExplicitGCInvokesConcurrent")
            .unsafe_fix("take the flag out", option.remove(case));
    }
}

#[cfg(test)]
mod tests {
    use crate::check::edits::applied;
    use crate::check::tried::{codes, find};

    #[test]
    fn a_later_switch_turns_it_off_again() {
        let text = "# oomph: flink=1.20\nenv.java.opts.all: -XX:+DisableExplicitGC\n\
                    env.java.opts.taskmanager: -XX:-DisableExplicitGC\nenv.java.opts.jobmanager: -XX:-DisableExplicitGC\n";
        assert!(!codes("config.yaml", text).contains(&"OOM315"));
    }

    #[test]
    fn the_fix_leaves_the_other_options() {
        let text = "# oomph: flink=1.20\nenv.java.opts.all: \"-Da=b -XX:+DisableExplicitGC -Dc=d\"\n";
        let fix = find("OOM315", "config.yaml", text).fix.unwrap();
        assert_eq!(applied(text, &fix.edits).unwrap(), "# oomph: flink=1.20\nenv.java.opts.all: \"-Da=b -Dc=d\"\n");
    }

    #[test]
    fn the_fix_takes_an_empty_setting_out() {
        let text = "# oomph: flink=1.20\nparallelism.default: 2\nenv.java.opts.all: -XX:+DisableExplicitGC\n";
        let fix = find("OOM315", "config.yaml", text).fix.unwrap();
        assert_eq!(applied(text, &fix.edits).unwrap(), "# oomph: flink=1.20\nparallelism.default: 2\n");
    }
}
