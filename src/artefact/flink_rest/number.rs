//! Numbers as JSON, Java and Prometheus write them, as whole numbers and without a float between.

use crate::model::{Seen, Unseen};

/// A `u64` has twenty digits and Java's longest double 24 characters; what is longer is not a number of anyone's.
const LONGEST: usize = 64;

/// A whole number from `4096`, `2.23743464E8` or `12.5` (what is behind the point is cut). `NaN`, infinities, numbers
/// below zero (Flink's `-1` says "not defined") and what no `u64` holds are `Unseen`.
pub fn whole(text: &str) -> Seen<u64> {
    let text = text.trim();
    let unseen = |why: &str| Unseen::because(format!("{} {why}", shown(text)));
    if text.is_empty() {
        return Err(Unseen::because("the value is empty"));
    }
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if ["nan", "inf", "infinity"].contains(&digits.to_ascii_lowercase().as_str()) {
        return Err(unseen("is not a number of anything"));
    }
    let value = decimal(digits).ok_or_else(|| unseen("is not a whole number that 64 bits hold"))?;
    if negative && value > 0 {
        return Err(unseen("is below zero: not defined"));
    }
    Ok(value)
}

fn decimal(text: &str) -> Option<u64> {
    if text.len() > LONGEST {
        return None;
    }
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (before, behind) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if before.len() + behind.len() == 0 || !all_digits(before) || !all_digits(behind) {
        return None;
    }
    let digits = format!("{before}{behind}");
    let point = i64::try_from(before.len()).ok()?.checked_add(i64::from(exponent))?;
    let kept = usize::try_from(point.max(0)).ok()?.min(digits.len());
    let whole = digits[..kept].trim_start_matches('0');
    if whole.is_empty() {
        return Some(0);
    }
    let value: u64 = whole.parse().ok()?;
    let zeros = u32::try_from(point.saturating_sub(i64::try_from(digits.len()).ok()?).max(0)).ok()?;
    value.checked_mul(10_u64.checked_pow(zeros)?)
}

/// The beginning of a text that may be anything.
pub(super) fn shown(text: &str) -> String {
    let begin: String = text.chars().take(40).collect();
    format!("{begin:?}")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_are_read_to_the_byte_however_they_are_written() {
        for (text, value) in [
            ("2.23743464E8", 223_743_464),
            ("1.811939328E9", 1_811_939_328),
            ("0.0", 0),
            ("-0.0", 0),
            ("0E400", 0),
            ("12.9", 12),
            ("5e-1", 0),
            ("18446744073709551615", u64::MAX),
            ("1E19", 10_000_000_000_000_000_000),
            ("+7", 7),
        ] {
            assert_eq!(whole(text), Ok(value), "{text}");
        }
    }

    #[test]
    fn what_is_no_amount_is_unseen_with_its_text() {
        for text in ["NaN", "+Inf", "-Inf", "Infinity", "-1", "-2.5", "1E20", "1e400", "", ".", "e5", "0x10", "1,5"] {
            assert!(whole(text).is_err(), "{text}");
        }
        assert!(whole("-1").unwrap_err().why.contains("not defined"));
    }

    proptest! {
        #[test]
        fn any_u64_written_with_an_exponent_is_the_same_number(value: u64) {
            let digits = value.to_string();
            let (first, rest) = digits.split_at(1);
            prop_assert_eq!(whole(&format!("{first}.{rest}E{}", rest.len())), Ok(value));
            prop_assert_eq!(whole(&digits), Ok(value));
        }
    }
}
