use super::declared_type;
use crate::check::rule::rule;
use crate::check::{Case, Collector, FixKind, Written};
use crate::config::{FileKind, Value};
use crate::flink::options::{Declared, ValueKind};
use crate::model::Severity;

rule! {
    /// YAML makes another value of this than it seems to be.
    ///
    /// ### Why
    /// A `config.yaml` has types. `1e9` is a floating-point number whose text is `1.0E9`, which is no size; `4.0` is no whole
    /// number; `yes` and `on` are texts, not truth values; `010` is 10 and `0o10` is 8; `1_000` is a text; a version `1.10` is
    /// the number 1.1. Flink reads what YAML made of it, and refuses most of them only when it reads the option.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// web.submit.enable: yes
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// web.submit.enable: true
    /// ```
    ///
    /// ### Sources
    /// - `YamlParserUtils` with the YAML 1.2 core schema and `ConfigurationUtils.convertToBoolean`, `convertToInt`,
    ///   `convertToMemorySize`, Flink 1.19 to 2.3, run on such files.
    "OOM111" "yaml-type-trap" {
        severity: Severity::Error,
        since: Some((1, 19)),
        fix: FixKind::Safe,
        check: check,
    }
}

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    if case.subject().file.as_ref().is_none_or(|file| file.kind != FileKind::Standard) {
        return;
    }
    for (written, row) in declared_type::options(case) {
        let Some(trap) = trap(case, &written, row) else { continue };
        let draft = found
            .find(format!("{}: {}", written.key, trap.title))
            .at(written.place(), trap.made)
            .severity(trap.severity);
        match trap.meant {
            Some(meant) => {
                let fix = declared_type::replaced(case, &written, &meant);
                draft.help(format!("write {meant}")).safe_fix(format!("write {meant}"), fix);
            }
            None => {
                draft.help("put it in quotes, or write it as the option takes it");
            }
        }
    }
}

/// What YAML made of a value.
pub(super) struct Trap {
    title: String,
    made: String,
    severity: Severity,
    meant: Option<String>,
}

/// The trap that a value of a `config.yaml` is in, if it is in one.
pub(super) fn trap(case: &Case<'_>, written: &Written<'_>, row: &Declared) -> Option<Trap> {
    if case.subject().file.as_ref()?.kind != FileKind::Standard {
        return None;
    }
    match (&written.setting.value, row.kind) {
        (Value::Text(text), ValueKind::Boolean) if text.len() <= 3 => {}
        (Value::Text(text), ValueKind::Int | ValueKind::Long) if text.contains('_') => {}
        (Value::Double(_) | Value::Int(_) | Value::List(_), _) => {}
        _ => return None,
    }
    let (typed, _) = declared_type::raw(case, written)?;
    let java = written.text();
    let error = |title: String, meant: Option<String>| {
        Some(Trap { title, made: format!("Flink sees {java}"), severity: Severity::Error, meant })
    };
    let whole = matches!(row.kind, ValueKind::Int | ValueKind::Long);
    match &written.setting.value {
        Value::Double(number) if declared_type::is_size(row) => {
            let exact = *number >= 1.0 && number.fract() == 0.0 && *number < 9.0e15;
            // A point without a unit may mean anything; an exponent means bytes.
            let meant = (exact && !typed.contains('.')).then(|| format!("{number:.0}"));
            error(format!("{typed} is a floating-point number, which is no size"), meant)
        }
        Value::Double(number) if whole || row.kind == ValueKind::Duration => {
            let exact = number.fract() == 0.0 && number.abs() < 9.0e15;
            let meant = exact.then(|| format!("{number:.0}"));
            error(format!("{typed} is a floating-point number, where a whole one is wanted"), meant)
        }
        Value::Double(_) if row.kind == ValueKind::String && typed != java => Some(Trap {
            title: format!("{typed} is a number, whose text is {java}"),
            made: format!("Flink sees {java}"),
            severity: Severity::Warning,
            meant: None,
        }),
        Value::Int(_) if is_odd_int(typed) => {
            let meant = (whole || declared_type::is_size(row)).then(|| java.clone().into_owned());
            Some(Trap {
                title: format!("{typed} is the number {java}"),
                made: format!("Flink sees {java}"),
                severity: Severity::Warning,
                meant,
            })
        }
        Value::Text(text) if row.kind == ValueKind::Boolean => {
            let meant = match text.to_lowercase().as_str() {
                "yes" | "on" | "y" => "true",
                "no" | "off" | "n" => "false",
                _ => return None,
            };
            error(format!("{text} is a text, which is neither true nor false"), Some(meant.to_owned()))
        }
        Value::Text(text) if whole && text.contains('_') => {
            let digits = text.replace('_', "");
            let number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            if number { error(format!("{text} is a text, which is no number"), Some(digits)) } else { None }
        }
        Value::List(_) if matches!(row.kind, ValueKind::String) => Some(Trap {
            title: "a list stands where one text is wanted".to_owned(),
            made: format!(
                "Flink sees {}",
                crate::flink::sensitive::shown(written.key, &written.setting.value.flink_text())
            ),
            severity: Severity::Warning,
            meant: None,
        }),
        _ => None,
    }
}

/// Whether a whole number is written so that it may be taken for another one.
fn is_odd_int(typed: &str) -> bool {
    let digits = typed.trim_start_matches(['+', '-']);
    digits.len() > 1 && digits.starts_with('0')
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use crate::check::edits::applied;
    use crate::check::tried::{codes, find};
    use crate::model::Severity;

    #[rstest]
    #[case("taskmanager.memory.process.size: 4e9", Some("4000000000"))]
    #[case("taskmanager.memory.process.size: 4.0", None)]
    #[case("taskmanager.numberOfTaskSlots: 4.0", Some("4"))]
    #[case("parallelism.default: 1_000", Some("1000"))]
    #[case("parallelism.default: 1e2", Some("100"))]
    #[case("rest.flamegraph.enabled: On", Some("true"))]
    #[case("rest.flamegraph.enabled: no", Some("false"))]
    fn what_flink_refuses_is_an_error(#[case] line: &str, #[case] meant: Option<&str>) {
        let text = format!("# oomph: flink=1.20\n{line}\n");
        let finding = find("OOM111", "config.yaml", &text);
        assert_eq!(finding.severity, Severity::Error);
        let fixed = finding.fix.map(|fix| applied(&text, &fix.edits).unwrap());
        let key = line.split(": ").next().unwrap();
        assert_eq!(fixed, meant.map(|meant| format!("# oomph: flink=1.20\n{key}: {meant}\n")));
        assert!(!codes("config.yaml", &text).contains(&"OOM117"));
    }

    #[rstest]
    #[case("parallelism.default: 010", "10")]
    #[case("parallelism.default: 0o10", "8")]
    #[case("parallelism.default: 0x10", "16")]
    #[case("taskmanager.host: 1.10", "1.1")]
    #[case("metrics.reporters: [a, b]", "[a, b]")]
    fn what_flink_takes_for_something_else_is_a_warning(#[case] line: &str, #[case] seen: &str) {
        let finding = find("OOM111", "config.yaml", &format!("# oomph: flink=1.20\n{line}\n"));
        assert_eq!(finding.severity, Severity::Warning);
        assert!(finding.labels[0].text.contains(seen), "{finding:?}");
    }

    #[rstest]
    #[case("config.yaml", "taskmanager.host: '1.10'")]
    #[case("config.yaml", "taskmanager.memory.managed.fraction: 0.4")]
    #[case("config.yaml", "taskmanager.cpu.cores: 1.0")]
    #[case("config.yaml", "parallelism.default: 0")]
    #[case("config.yaml", "rest.flamegraph.enabled: TRUE")]
    #[case("config.yaml", "classloader.parent-first-patterns.additional: [a, b]")]
    #[case("flink-conf.yaml", "parallelism.default: 010")]
    fn what_is_as_it_seems_is_left_alone(#[case] file: &str, #[case] line: &str) {
        assert!(!codes(file, &format!("# oomph: flink=1.20\n{line}\n")).contains(&"OOM111"), "{line}");
    }
}
