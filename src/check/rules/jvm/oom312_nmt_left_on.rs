use super::java_options::JavaOptions;
use crate::check::rule::rule;
use crate::check::{Case, Collector, FixKind};
use crate::model::Severity;

rule! {
    /// Native memory tracking is on for good.
    ///
    /// ### Why
    /// `-XX:NativeMemoryTracking` is there to find out where memory goes, and costs 5 to 10 per cent of speed by Oracle's own
    /// account, more with `detail`, which walks the stack at each allocation. It sees nothing of RocksDB or any other library.
    /// Its memory is small: half a MiB for 16,384 direct buffers. Left in the options of a production job it costs speed and
    /// nobody looks.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 4g
    /// env.java.opts.taskmanager: -XX:NativeMemoryTracking=detail
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 4g
    /// ```
    ///
    /// ### Sources
    /// - Oracle's Native Memory Tracking page of the JDK's troubleshooting guide: 5 to 10 per cent.
    /// - Own measurement, OpenJDK 17.0.15: 16,384 direct buffers of 32 KiB take 0.5 MiB more with `summary` and 0.6 MiB more
    ///   with `detail`; a network buffer takes 32,800 bytes of malloc instead of 32,784.
    /// - RocksDB is invisible in it: own measurement, Flink 1.20.5.
    "OOM312" "nmt-left-on" {
        severity: Severity::Note,
        fix: FixKind::Unsafe,
        check: check,
    }
}

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    for options in JavaOptions::of_roles(case) {
        let Some((option, level)) = options.last(&["-XX:NativeMemoryTracking="]) else { continue };
        let severity = match level {
            "summary" => Severity::Note,
            "detail" => Severity::Warning,
            _ => continue,
        };
        if option.told {
            continue;
        }
        found
            .find(format!("Native memory tracking is left on in {}", option.written.key))
            .severity(severity)
            .at(option.place(), format!("{level}, of the {}", options.role))
            .note("it costs 5 to 10 per cent of speed, and does not see RocksDB")
            .help("take it out when the question is answered")
            .unsafe_fix("take the flag out", option.remove(case));
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use crate::check::tried::{codes, find};
    use crate::model::Severity;

    #[rstest]
    #[case("summary", Some(Severity::Note))]
    #[case("detail", Some(Severity::Warning))]
    #[case("off", None)]
    #[case("detail -XX:NativeMemoryTracking=off", None)]
    fn the_level_decides(#[case] level: &str, #[case] expected: Option<Severity>) {
        let text = format!("# oomph: flink=1.20\nenv.java.opts.all: -XX:NativeMemoryTracking={level}\n");
        match expected {
            Some(severity) => assert_eq!(find("OOM312", "config.yaml", &text).severity, severity),
            None => assert!(!codes("config.yaml", &text).contains(&"OOM312")),
        }
    }
}
