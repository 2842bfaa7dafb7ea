//! Sizes and numbers as people read them, without losing a byte.

use crate::model::Bytes;

/// Mebibytes with one decimal, for a column.
pub fn mib(size: Bytes) -> String {
    let tenths = (u128::from(size.get()) * 10 + (1 << 19)) >> 20;
    format!("{}.{}", tenths / 10, tenths % 10)
}

/// Whether a size is exact in the unit in which people would say it; 1034.5 MiB are, but nobody says 1059328 KiB.
fn is_plain(size: Bytes) -> bool {
    size < Bytes::mib(1) || size.get().is_multiple_of(1 << 20)
}

/// A size in a sentence: the exact unit where there is one, else mebibytes and, behind them, the bytes.
pub fn amount(size: Bytes) -> String {
    if is_plain(size) { size.to_string() } else { format!("{} MiB ({} B)", mib(size), size.get()) }
}

/// A size in a sentence that is about another one: the exact unit where there is one, else rounded mebibytes.
pub fn about(size: Bytes) -> String {
    if is_plain(size) { size.to_string() } else { format!("{} MiB", mib(size)) }
}

/// A size in a sentence, always with the bytes behind it.
pub fn amount_and_bytes(size: Bytes) -> String {
    let plain = size.to_string();
    if plain.ends_with(" B") || !is_plain(size) { amount(size) } else { format!("{plain} ({} B)", size.get()) }
}

/// A fraction, as short as it can be told from its neighbours: Flink holds 0.1 as 0.10000000149011612.
pub fn fraction(value: f64) -> String {
    let single = value as f32;
    if f64::from(single) == value { single.to_string() } else { value.to_string() }
}

/// A count of things.
pub fn count(number: u64, one: &str, several: &str) -> String {
    format!("{} {}", grouped(number), if number == 1 { one } else { several })
}

/// A number with its thousands apart.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(0, "0 B")]
    #[case(1 << 30, "1 GiB")]
    #[case(1728 << 20, "1728 MiB")]
    #[case(4097, "4097 B")]
    #[case(2048, "2 KiB")]
    #[case(1_084_751_872, "1034.5 MiB (1084751872 B)")]
    #[case(429_496_736, "409.6 MiB (429496736 B)")]
    fn an_amount_names_its_bytes_unless_a_unit_is_exact(#[case] bytes: u64, #[case] expected: &str) {
        assert_eq!(amount(Bytes::new(bytes)), expected);
    }

    #[test]
    fn a_fraction_is_shown_as_it_was_written() {
        assert_eq!(fraction(f64::from(0.1f32)), "0.1");
        assert_eq!(fraction(0.5), "0.5");
    }

    #[rstest]
    #[case(0, "0")]
    #[case(999, "999")]
    #[case(1_000, "1,000")]
    #[case(12_345_678, "12,345,678")]
    fn thousands_are_apart(#[case] number: u64, #[case] shown: &str) {
        assert_eq!(grouped(number), shown);
    }
}
