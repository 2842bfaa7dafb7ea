use crate::check::rule::rule;
use crate::check::{Case, Collector, FixKind, Written};
use crate::model::{Bytes, Severity};

rule! {
    /// A TaskManager refuses this size of a network buffer when it starts.
    ///
    /// ### Why
    /// The derivation of memory does not look at it, so the script passes and the process ends afterwards. A segment is at
    /// least 4096 bytes and a power of two. The least segment for debloating is more than 0 and not above the segment; in 2.x
    /// it must not be above `starting-segment-size` (1 KiB) either, and the exception that says so has no message.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 4g
    /// taskmanager.memory.segment-size: 48kb
    /// ```
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=2.0
    /// taskmanager.memory.process.size: 4g
    /// taskmanager.memory.min-segment-size: 4kb
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=2.0
    /// taskmanager.memory.process.size: 4g
    /// taskmanager.memory.segment-size: 64kb
    /// taskmanager.memory.min-segment-size: 4kb
    /// taskmanager.memory.starting-segment-size: 4kb
    /// ```
    ///
    /// ### Sources
    /// - `ConfigurationParserUtils.getPageSize`, Flink 1.9 to 2.3.
    /// - `BufferDebloatConfiguration`, which `NettyShuffleEnvironmentConfiguration` creates at every start, Flink 1.15 to 2.3;
    ///   run with these values on 1.15.4, 1.20.5 and 2.3.0.
    "OOM210" "segment-size" {
        severity: Severity::Error,
        fix: FixKind::Unsafe,
        check: check,
    }
}

const SEGMENT: &str = "taskmanager.memory.segment-size";
const LEAST: &str = "taskmanager.memory.min-segment-size";
const STARTING: &str = "taskmanager.memory.starting-segment-size";

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    segment(case, found);
    // Up to 1.14 only a task with debloating looks at them.
    if case.profile().version().line() >= (1, 15) {
        debloating(case, found);
    }
}

fn segment(case: &Case<'_>, found: &mut Collector<'_>) {
    let Some(written) = case.find(SEGMENT).filter(Written::is_own) else { return };
    let Ok(bytes) = Bytes::parse_flink(&written.text()) else { return };
    let n = bytes.get();
    // `ConfigurationParserUtils` casts to an int.
    let most = 1 << 30;
    let wrong = if n > i32::MAX as u64 {
        "is more than 1 GiB"
    } else if n < 4096 {
        "is less than 4096 bytes"
    } else if !n.is_power_of_two() {
        "is no power of two"
    } else {
        return;
    };
    let nearest = n.clamp(4096, most).checked_next_power_of_two().unwrap_or(most).min(most);
    let value = format!("{}kb", nearest >> 10);
    found
        .find(format!("{}: {} {wrong}", written.key, written.text()))
        .at(written.place(), "refused when the TaskManager starts")
        .help(format!("set {SEGMENT}: {value}; the default is 32kb"))
        .unsafe_fix(format!("write {value}"), case.set(written, &value));
}

fn debloating(case: &Case<'_>, found: &mut Collector<'_>) {
    let own = |key: &str| case.find(key).filter(Written::is_own);
    let written = [own(LEAST), own(STARTING), own(SEGMENT)];
    let starting = case.option(STARTING).and_then(|_| case.size(STARTING));
    let (Some(least), Some(segment)) = (case.size(LEAST), case.size(SEGMENT)) else { return };
    let wrong = if least == Bytes::ZERO {
        Some((written[0], format!("{LEAST} is 0")))
    } else if least > segment {
        Some((written[0].or(written[2]), format!("{LEAST} is {least}, which is more than a segment of {segment}")))
    } else {
        match starting {
            Some(starting) if starting < least => {
                Some((written[0].or(written[1]), format!("{LEAST} is {least}, and {STARTING} only {starting}")))
            }
            Some(starting) if starting > segment => Some((
                written[1].or(written[2]),
                format!("{STARTING} is {starting}, which is more than a segment of {segment}"),
            )),
            _ => None,
        }
    };
    let Some((Some(place), title)) = wrong else { return };
    let order = match starting {
        Some(_) => "min-segment-size <= starting-segment-size <= segment-size",
        None => "0 < min-segment-size <= segment-size",
    };
    found
        .find(title)
        .at(place.place(), "refused when the TaskManager starts, without a message")
        .help(format!("keep to {order}"));
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use crate::check::tried::{codes, find};

    #[rstest]
    #[case("1.20", "segment-size: 2kb", true)]
    #[case("1.20", "segment-size: 4096", false)]
    #[case("1.20", "segment-size: 2g", true)]
    #[case("1.9", "segment-size: 33kb", true)]
    #[case("1.20", "min-segment-size: 0", true)]
    #[case("1.20", "min-segment-size: 64kb", true)]
    #[case("1.20", "min-segment-size: 2kb", false)]
    #[case("2.3", "min-segment-size: 2kb", true)]
    #[case("1.14", "min-segment-size: 64kb", false)]
    #[case("2.3", "starting-segment-size: 64kb", true)]
    #[case("2.3", "starting-segment-size: 128b", true)]
    #[case("2.3", "segment-size: 4kb", false)]
    fn as_real_flink_judges(#[case] version: &str, #[case] line: &str, #[case] refused: bool) {
        let text =
            format!("# oomph: flink={version}\ntaskmanager.memory.process.size: 4g\ntaskmanager.memory.{line}\n");
        assert_eq!(codes("x.yaml", &text).contains(&"OOM210"), refused, "{text}");
    }

    #[test]
    fn the_next_power_of_two_is_proposed() {
        let finding = find("OOM210", "config.yaml", "taskmanager.memory.segment-size: 48kb\n");
        assert!(finding.help.unwrap().contains("segment-size: 64kb"));
    }
}
