use super::declared_type;
use crate::check::policy::threshold::BARE_NUMBER_BELOW;
use crate::check::rule::rule;
use crate::check::{Case, Collector, FixKind};
use crate::flink::java;
use crate::flink::profile::TaskmanagerModel;
use crate::model::{Bytes, Severity};

rule! {
    /// A size without a unit is bytes, and this one must have been meant in megabytes.
    ///
    /// ### Why
    /// Bare digits are bytes. `4096` is 4 KiB: Flink refuses it where it plans memory, and takes it where it does not look.
    /// `taskmanager.memory.size` is a trap of its own: its bare digits were megabytes up to 1.9 and are bytes since 1.10.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 4096
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 4096m
    /// ```
    ///
    /// ### Sources
    /// - `MemorySize.parse`, Flink 1.9 to 2.3; `ConfigurationParserUtils.getManagedMemorySize`, Flink 1.9: `MEGA_BYTES`.
    /// - Threads: https://github.com/DTStack/chunjun/issues/517, https://github.com/lyft/flinkk8soperator/pull/106.
    "OOM110" "bare-number" {
        severity: Severity::Warning,
        fix: FixKind::Unsafe,
        check: check,
    }
}

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    let limit = case.policy.size(&BARE_NUMBER_BELOW);
    let cut_off = case.profile().behaviour.taskmanager_model == TaskmanagerModel::CutOff;
    for (written, row) in declared_type::options(case) {
        if !declared_type::is_size(row) {
            continue;
        }
        let text = written.text();
        let digits = java::trim(&text);
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            continue;
        }
        let Ok(bytes) = Bytes::parse_flink(digits) else { continue };
        // Nothing is a size too.
        if bytes == Bytes::ZERO || bytes >= limit || (cut_off && row.key == "taskmanager.memory.size") {
            continue;
        }
        // Pages, blocks and the like are small.
        let default = row.default.and_then(|text| Bytes::parse_flink(text).ok());
        let planned = ["taskmanager.memory.", "jobmanager.memory.", "taskmanager.heap.", "jobmanager.heap."];
        let planned = planned.iter().any(|prefix| row.key.starts_with(prefix)) && !row.key.ends_with("segment-size");
        if !planned && default.is_none_or(|default| default < limit) {
            continue;
        }
        let meant = format!("{digits}m");
        let severity = if planned { Severity::Error } else { Severity::Warning };
        let draft = found
            .find(format!("{} is {digits} bytes", written.key))
            .at(written.place(), "no unit: bytes")
            .severity(severity)
            .help(format!("write {meant} if megabytes are meant"))
            .unsafe_fix(format!("write {meant}"), case.set(written, &meant));
        if written.key == "taskmanager.memory.size" {
            draft.note("up to 1.9 bare digits of this key were megabytes, since 1.10 they are bytes");
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use crate::check::edits::applied;
    use crate::check::tried::{codes, find};
    use crate::model::Severity;

    #[rstest]
    #[case("taskmanager.memory.managed.size: 512", true)]
    #[case("taskmanager.memory.managed.size: 0", false)]
    #[case("taskmanager.memory.process.size: 1048576", false)]
    #[case("taskmanager.memory.process.size: 1048575", true)]
    #[case("taskmanager.memory.segment-size: 32768", false)]
    #[case("state.backend.rocksdb.writebuffer.size: 64", true)]
    #[case("state.backend.rocksdb.block.blocksize: 4096", false)]
    #[case("jobmanager.memory.heap.size: 1024", true)]
    fn a_number_too_small_for_the_option_is_reported(#[case] line: &str, #[case] expected: bool) {
        let text = format!("# oomph: flink=1.20\n{line}\n");
        assert_eq!(codes("flink-conf.yaml", &text).contains(&"OOM110"), expected, "{line}");
        assert_eq!(codes("config.yaml", &text).contains(&"OOM110"), expected, "{line}");
    }

    #[test]
    fn megabytes_of_1_9_became_bytes_in_1_10() {
        let text = |version: &str| format!("# oomph: flink={version}\ntaskmanager.memory.size: 512\n");
        assert!(!codes("flink-conf.yaml", &text("1.9")).contains(&"OOM110"));
        let finding = find("OOM110", "flink-conf.yaml", &text("1.10"));
        assert!(finding.notes[0].contains("up to 1.9") && finding.severity == Severity::Error, "{finding:?}");
    }

    #[test]
    fn the_unit_is_written_behind_the_digits() {
        let text = "taskmanager:\n  memory:\n    process.size: '4096' # x\n";
        let finding = find("OOM110", "config.yaml", text);
        let fix = finding.fix.unwrap();
        assert!(!fix.safe);
        assert_eq!(applied(text, &fix.edits).unwrap(), text.replace("4096", "4096m"));
    }
}
