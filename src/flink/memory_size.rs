//! How Flink writes sizes (`org.apache.flink.configuration.MemorySize`).

use super::java;
use crate::model::Bytes;

const UNITS: [(u64, &str); 4] = [(1 << 40, "tb"), (1 << 30, "gb"), (1 << 20, "mb"), (1 << 10, "kb")];

/// `MemorySize.toHumanReadableString`, the form of every message: a unit is used only for what is strictly larger
/// than it, so 1 GiB is `1024.000mb (1073741824 bytes)`.
pub fn human(size: Bytes) -> String {
    let bytes = size.get();
    match UNITS.iter().find(|(multiplier, _)| bytes > *multiplier) {
        Some((multiplier, unit)) => {
            format!("{}{unit} ({bytes} bytes)", java::three_decimals(bytes as f64 / *multiplier as f64))
        }
        None => format!("{bytes} bytes"),
    }
}

/// `MemorySize.toString`, the form of defaults: the largest unit that divides the size, except that what every unit
/// divides (nothing, and whole tebibytes) is given in bytes.
pub fn short(size: Bytes) -> String {
    let bytes = size.get();
    let exact = UNITS.iter().find(|(multiplier, _)| bytes.is_multiple_of(*multiplier));
    match exact {
        Some((multiplier, unit)) if *unit != "tb" => format!("{} {unit}", bytes / multiplier),
        _ => format!("{bytes} bytes"),
    }
}

/// A size as one writes it in a file: in the largest unit up to GiB that is exact, and in bytes where none is.
pub fn written(size: Bytes) -> String {
    let bytes = size.get();
    let unit =
        [(30, "g"), (20, "m"), (10, "k")].into_iter().find(|(shift, _)| bytes > 0 && bytes.is_multiple_of(1 << shift));
    unit.map_or(format!("{bytes}b"), |(shift, unit)| format!("{}{unit}", bytes >> shift))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(0, "0 bytes")]
    #[case(1024, "1024 bytes")]
    #[case(1025, "1.001kb (1025 bytes)")]
    #[case(1 << 20, "1024.000kb (1048576 bytes)")]
    #[case(1 << 30, "1024.000mb (1073741824 bytes)")]
    #[case(1_811_939_328, "1.688gb (1811939328 bytes)")]
    #[case(1088, "1.063kb (1088 bytes)")]
    #[case(i64::MAX as u64, "8388608.000tb (9223372036854775807 bytes)")]
    fn messages_name_a_unit_only_above_it(#[case] bytes: u64, #[case] expected: &str) {
        assert_eq!(human(Bytes::new(bytes)), expected);
    }

    #[rstest]
    #[case(0, "0 bytes")]
    #[case(128 << 20, "128 mb")]
    #[case(1 << 30, "1 gb")]
    #[case(1 << 40, "1099511627776 bytes")]
    #[case(1025, "1025 bytes")]
    #[case(i64::MAX as u64, "9223372036854775807 bytes")]
    fn defaults_name_the_largest_exact_unit(#[case] bytes: u64, #[case] expected: &str) {
        assert_eq!(short(Bytes::new(bytes)), expected);
    }
}
