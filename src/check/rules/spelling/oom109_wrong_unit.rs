use super::declared_type;
use crate::check::rule::rule;
use crate::check::{Case, Collector, FixKind};
use crate::config::Value;
use crate::flink::memory_size;
use crate::model::{Bytes, Severity};

rule! {
    /// A size is written in a way that Flink does not read.
    ///
    /// ### Why
    /// Flink reads a whole number and b, k, m, g or t in one of its spellings, all powers of two. Kubernetes' `4Gi`, `512MiB`
    /// and decimals such as `1.5g` are refused: the process does not start, or fails later when it reads the option.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 4Gi
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 4g
    /// ```
    ///
    /// ### Sources
    /// - `MemorySize.parseBytes`, Flink 1.9 to 2.3.
    /// - Thread: https://github.com/apache/flink/pull/15333 (decimals asked for, not taken).
    /// - Thread: https://github.com/lyft/flinkk8soperator/issues/97 (decimals written by an operator).
    "OOM109" "wrong-unit" {
        severity: Severity::Error,
        fix: FixKind::Safe,
        check: check,
    }
}

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    for (written, row) in declared_type::options(case) {
        // What YAML made another value of is told by another rule.
        let Value::Text(text) = &written.setting.value else { continue };
        if !declared_type::is_size(row) {
            continue;
        }
        let Err(error) = Bytes::parse_flink(text) else { continue };
        // Quotes that stay in a flat file are told by another rule too.
        if text.starts_with(['"', '\'']) {
            continue;
        }
        let draft = found
            .find(format!("{} is no size for Flink: {}", written.key, written.shown()))
            .at(written.place(), "a whole number and b, k, m, g or t")
            .note(error.to_string());
        match meant(text) {
            Some(Meant { bytes, exact }) => {
                let size = memory_size::written(bytes);
                let draft = draft.help(format!("write {size}"));
                if exact {
                    draft.safe_fix(format!("write {size}"), case.set(written, &size));
                }
            }
            None => {
                draft.help("write a whole number and a unit, such as 1536m");
            }
        }
    }
}

/// A size that a text seems to mean.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Meant {
    /// The size; rounded down to mebibytes where it is no whole number of bytes.
    pub bytes: Bytes,
    /// Whether it is just that.
    pub exact: bool,
}

/// What a text means that Flink does not read, if it is a number and a unit.
pub(super) fn meant(text: &str) -> Option<Meant> {
    let squeezed: String =
        text.chars().filter(|c| !c.is_whitespace() && !matches!(c, '\u{200b}' | '\u{feff}')).collect();
    let end = squeezed.find(|c: char| !(c.is_ascii_digit() || ".,_".contains(c))).unwrap_or(squeezed.len());
    let (number, unit) = squeezed.split_at(end);
    let multiplier: u128 = match unit.to_lowercase().as_str() {
        "b" | "byte" | "bytes" => 1,
        "k" | "ki" | "kb" | "kib" | "kilobyte" | "kilobytes" | "kibibyte" | "kibibytes" => 1 << 10,
        "m" | "mi" | "mb" | "mib" | "meg" | "megabyte" | "megabytes" | "mebibyte" | "mebibytes" => 1 << 20,
        "g" | "gi" | "gb" | "gib" | "gig" | "gigabyte" | "gigabytes" | "gibibyte" | "gibibytes" => 1 << 30,
        "t" | "ti" | "tb" | "tib" | "terabyte" | "terabytes" | "tebibyte" | "tebibytes" => 1 << 40,
        _ => return None,
    };
    let (whole, fraction) = match number.split_once('.') {
        Some((whole, fraction)) if !fraction.contains(['.', ',', '_']) => (whole, fraction),
        Some(_) => return None,
        None => (number, ""),
    };
    let whole = without_groups(whole)?;
    let digits = format!("{whole}{fraction}");
    if digits.is_empty() || fraction.len() > 9 {
        return None;
    }
    let scaled = digits.parse::<u128>().ok()?.checked_mul(multiplier)?;
    let divisor = 10u128.pow(u32::try_from(fraction.len()).ok()?);
    let exact = scaled % divisor == 0;
    let bytes = u64::try_from(scaled / divisor).ok().filter(|bytes| *bytes <= Bytes::FLINK_MAX.get())?;
    let bytes = if exact { bytes } else { bytes >> 20 << 20 };
    (bytes > 0).then_some(Meant { bytes: Bytes::new(bytes), exact })
}

/// Digits whose groups of three stand apart by `,` or `_`, without what is between them.
fn without_groups(text: &str) -> Option<String> {
    let mut groups = text.split([',', '_']);
    let first = groups.next()?;
    let grouped = groups.clone().count() > 0;
    let well_formed = !grouped || (1..=3).contains(&first.len()) && groups.all(|group| group.len() == 3);
    well_formed.then(|| text.chars().filter(char::is_ascii_digit).collect())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::check::edits::applied;
    use crate::check::tried::{codes, find};

    #[rstest]
    #[case("4Gi", "4g")]
    #[case("512MiB", "512m")]
    #[case("1.5g", "1536m")]
    #[case("0.5 GB", "512m")]
    #[case("1_024m", "1g")]
    #[case("4\u{a0}g", "4g")]
    #[case("4gigabytes", "4g")]
    #[case("64kib", "64k")]
    fn a_plain_size_is_mended(#[case] value: &str, #[case] expected: &str) {
        let text = format!("# oomph: flink=1.20\ntaskmanager.memory.process.size: {value}\n");
        let finding = find("OOM109", "flink-conf.yaml", &text);
        let fixed = applied(&text, &finding.fix.unwrap().edits).unwrap();
        assert_eq!(fixed, format!("# oomph: flink=1.20\ntaskmanager.memory.process.size: {expected}\n"));
    }

    #[rstest]
    #[case("70%")]
    #[case("-1")]
    #[case("lots")]
    #[case("1.1g")]
    #[case("1,5g")]
    #[case("4p")]
    fn what_is_not_plain_is_only_told(#[case] value: &str) {
        let text = format!("taskmanager.memory.process.size: {value}\n");
        assert!(find("OOM109", "flink-conf.yaml", &text).fix.is_none());
    }

    #[test]
    fn any_size_of_any_version_counts() {
        for text in [
            "state.backend.rocksdb.writebuffer.size: 64Mi\n",
            "# oomph: flink=1.9\ntaskmanager.heap.size: 4Gi\n",
            "# oomph: flink=1.20\ntaskmanager.network.memory.max: 1Gi\n",
        ] {
            assert!(codes("flink-conf.yaml", text).contains(&"OOM109"), "{text}");
        }
    }

    #[test]
    fn what_flink_reads_is_left_alone() {
        for size in ["4g", "4 GB", "4096mebibytes", "1073741824", "1T"] {
            let text = format!("taskmanager.memory.process.size: {size}\n");
            assert!(!codes("flink-conf.yaml", &text).contains(&"OOM109"), "{size}");
        }
    }

    #[test]
    fn a_size_that_is_not_exact_is_rounded_down_to_mebibytes() {
        assert_eq!(meant("1.1g"), Some(Meant { bytes: Bytes::mib(1126), exact: false }));
    }
}
