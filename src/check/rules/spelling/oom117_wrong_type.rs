use super::declared_type;
use super::oom111_yaml_type_trap::trap;
use super::oom119_invisible_character::around;
use crate::check::rule::rule;
use crate::check::{Case, Collector};
use crate::flink::options::{Declared, ValueKind};
use crate::flink::profile::{Profile, UnreadableNumber};
use crate::flink::{duration, java};
use crate::model::Severity;

rule! {
    /// The option cannot take this value, and Flink fails when it reads it.
    ///
    /// ### Why
    /// An option is read where it is needed, often only when a job starts. Until then nobody looks at its value. Flink 1.9
    /// warns about a number that it cannot read, and goes on with the default. Durations have grown: `5 m` is minutes from
    /// 1.15 on, and ISO's `PT5M` is read from 2.1 on.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// web.refresh-interval: 3 fortnights
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// web.refresh-interval: 3 s
    /// ```
    ///
    /// ### Sources
    /// - `ConfigurationUtils.convertValue`, Flink 1.10 to 2.3; `Configuration.convertToInt` and others, Flink 1.9.
    /// - `TimeUtils.parseDuration` and its labels, Flink 1.10 to 2.3.
    "OOM117" "wrong-type" {
        severity: Severity::Error,
        check: check,
    }
}

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    let profile = case.profile();
    let forgives = profile.behaviour.unreadable_number == UnreadableNumber::Default;
    for (written, row) in declared_type::options(case) {
        // What the derivation of memory reads is told by it.
        let derived = (row.key.starts_with("taskmanager.memory.") || row.key.starts_with("jobmanager.memory."))
            || matches!(row.key, "taskmanager.numberOfTaskSlots" | "taskmanager.cpu.cores");
        if derived || declared_type::is_size(row) {
            continue;
        }
        let text = written.text();
        let Some(accepted) = refused(row, &text, profile) else { continue };
        let quoted = text.starts_with(['"', '\'']) && case.config.is_from_legacy_file();
        if quoted || around(&text).is_some() || trap(case, &written, row).is_some() {
            continue;
        }
        let draft = found
            .find(format!("{} cannot be {}", written.key, written.shown()))
            .at(written.place(), accepted.to_owned());
        if forgives && row.kind == ValueKind::Boolean {
            draft.severity(Severity::Warning).note("Flink 1.9 takes it for false").help(format!("write {accepted}"));
        } else if forgives {
            draft
                .severity(Severity::Warning)
                .note("Flink 1.9 warns, and takes the default")
                .help(format!("write {accepted}"));
        } else {
            draft
                .note("Flink fails when it reads the option, which may be when a job starts")
                .help(format!("write {accepted}"));
        }
    }
}

/// What an option wants where it cannot take a value.
fn refused(row: &Declared, text: &str, profile: &Profile) -> Option<&'static str> {
    let refuse = |accepted: bool, wanted: &'static str| (!accepted).then_some(wanted);
    match row.kind {
        ValueKind::Boolean => {
            refuse(["true", "false"].iter().any(|word| text.eq_ignore_ascii_case(word)), "true or false")
        }
        ValueKind::Int => refuse(java::parse_int(text).is_ok(), "a whole number, with nothing around it"),
        ValueKind::Long => {
            let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
            let number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            refuse(number && text.parse::<i64>().is_ok(), "a whole number, with nothing around it")
        }
        ValueKind::Float | ValueKind::Double => refuse(java::parse_double(text).is_ok(), "a number, with a point"),
        ValueKind::Duration => refuse(is_duration(text, profile), "a whole number and d, h, min, s or ms"),
        ValueKind::Enum => refuse(is_constant(row.key, text), "one of the option's constants"),
        _ => None,
    }
}

/// Whether a version reads a text as a duration.
fn is_duration(text: &str, profile: &Profile) -> bool {
    let line = profile.version().line();
    let text = java::trim(text);
    let unit = java::trim(text.trim_start_matches(|c: char| c.is_ascii_digit()));
    if unit.len() == text.len() {
        // Without digits in front it is ISO's.
        return line >= (2, 1) && duration::millis(text).is_some();
    }
    if unit.eq_ignore_ascii_case("m") && line < (1, 15) {
        return false;
    }
    duration::millis(text).is_some()
}

/// The constants of options whose names have not changed from 1.11 to 2.3; Flink compares without case.
const CONSTANTS: [(&str, &[&str]); 5] = [
    (
        "execution.checkpointing.externalized-checkpoint-retention",
        &["DELETE_ON_CANCELLATION", "RETAIN_ON_CANCELLATION", "NO_EXTERNALIZED_CHECKPOINTS"],
    ),
    ("execution.checkpointing.mode", &["EXACTLY_ONCE", "AT_LEAST_ONCE"]),
    ("execution.runtime-mode", &["STREAMING", "BATCH", "AUTOMATIC"]),
    ("kubernetes.container.image.pull-policy", &["IfNotPresent", "Always", "Never"]),
    ("state.backend.rocksdb.timer-service.factory", &["HEAP", "ROCKSDB"]),
];

fn is_constant(key: &str, text: &str) -> bool {
    let constants = CONSTANTS.iter().find(|(known, _)| *known == key);
    constants.is_none_or(|(_, names)| names.iter().any(|name| name.eq_ignore_ascii_case(text)))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::check::tried::{codes, find};
    use crate::flink::options;

    #[rstest]
    #[case("1.20", "rest.port: 80a", true)]
    #[case("1.20", "rest.port: 8081", false)]
    #[case("1.20", "rest.flamegraph.enabled: maybe", true)]
    #[case("1.20", "rest.flamegraph.enabled: True", false)]
    #[case("1.20", "execution.checkpointing.mode: exactly-once", true)]
    #[case("1.20", "execution.checkpointing.mode: exactly_once", false)]
    #[case("1.20", "execution.checkpointing.interval: 5m", false)]
    #[case("1.14", "execution.checkpointing.interval: 5m", true)]
    #[case("1.14", "execution.checkpointing.interval: 5 MIN", false)]
    #[case("2.0", "execution.checkpointing.interval: PT5M", true)]
    #[case("2.1", "execution.checkpointing.interval: PT5M", false)]
    #[case("1.20", "execution.checkpointing.interval: 1.5 min", true)]
    #[case("1.20", "execution.checkpointing.interval: -1", true)]
    #[case("1.20", "state.backend.rocksdb.memory.write-buffer-ratio: half", true)]
    #[case("1.20", "jobmanager.scheduler: default", false)]
    fn a_value_is_of_its_options_type(#[case] version: &str, #[case] line: &str, #[case] wrong: bool) {
        let file = if version.starts_with('2') { "config.yaml" } else { "flink-conf.yaml" };
        let text = format!("# oomph: flink={version}\n{line}\n");
        assert_eq!(codes(file, &text).contains(&"OOM117"), wrong, "{text}");
    }

    #[test]
    fn in_1_9_a_bad_number_is_a_warning() {
        let finding = find("OOM117", "flink-conf.yaml", "# oomph: flink=1.9\nrest.port: 80a\n");
        assert_eq!(finding.severity, Severity::Warning);
    }

    #[test]
    fn every_default_is_of_its_options_type() {
        for profile in Profile::all() {
            for row in options::of(profile) {
                // Defaults are durations as Java prints them.
                let Some(default) = row.default.filter(|_| row.kind != ValueKind::Duration) else { continue };
                assert_eq!(refused(row, default, profile), None, "{} {} {default}", profile.version(), row.key);
            }
        }
    }
}
