//! Java's texts of numbers, as far as Flink's results and messages depend on them.
//!
//! Sources: `Integer.parseInt`, `Float.parseFloat`, `Double.toString` and `java.util.Formatter` of OpenJDK 17, with
//! which the golden tables were made.

use thiserror::Error;

/// `java.lang.NumberFormatException`, by its message.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NumberFormatError {
    /// A text that is no number of the wanted type, or one that does not fit.
    #[error("For input string: \"{0}\"")]
    ForInputString(String),
    /// A float or double was wanted and only white space is there.
    #[error("empty String")]
    EmptyString,
}

/// `String.trim`: everything up to and including U+0020 goes, at both ends; a no-break space stays.
pub fn trim(text: &str) -> &str {
    text.trim_matches(|c: char| c <= ' ')
}

/// `Integer.parseInt`: an optional sign and digits, nothing around them.
pub fn parse_int(text: &str) -> Result<i32, NumberFormatError> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let well_formed = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    well_formed.then(|| text.parse().ok()).flatten().ok_or_else(|| NumberFormatError::ForInputString(text.to_owned()))
}

/// `Float.parseFloat`.
pub fn parse_float(text: &str) -> Result<f32, NumberFormatError> {
    parse_floating(text, |s| s.parse().ok(), |hex| hex.round(24, -149, 127) as f32, f32::NAN, f32::INFINITY)
}

/// `Double.parseDouble`.
pub fn parse_double(text: &str) -> Result<f64, NumberFormatError> {
    parse_floating(text, |s| s.parse().ok(), |hex| hex.round(53, -1074, 1023), f64::NAN, f64::INFINITY)
}

fn parse_floating<T: std::ops::Neg<Output = T>>(
    text: &str,
    decimal: impl Fn(&str) -> Option<T>,
    hexadecimal: impl Fn(&Hex) -> T,
    nan: T,
    infinity: T,
) -> Result<T, NumberFormatError> {
    let trimmed = trim(text);
    if trimmed.is_empty() {
        return Err(NumberFormatError::EmptyString);
    }
    let (negative, magnitude) = match trimmed.as_bytes()[0] {
        b'-' => (true, &trimmed[1..]),
        b'+' => (false, &trimmed[1..]),
        _ => (false, trimmed),
    };
    let value = match magnitude {
        "NaN" => Some(nan),
        "Infinity" => Some(infinity),
        _ if magnitude.starts_with("0x") || magnitude.starts_with("0X") => {
            Hex::parse(magnitude).map(|h| hexadecimal(&h))
        }
        _ => {
            let number = magnitude.strip_suffix(['f', 'F', 'd', 'D']).unwrap_or(magnitude);
            if is_decimal_literal(number) { decimal(number) } else { None }
        }
    };
    let value = value.ok_or_else(|| NumberFormatError::ForInputString(trimmed.to_owned()))?;
    Ok(if negative { -value } else { value })
}

/// Digits with at most one point among or beside them, and an optional exponent.
fn is_decimal_literal(text: &str) -> bool {
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let all_digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mantissa_ok = all_digits(whole) && all_digits(fraction) && !(whole.is_empty() && fraction.is_empty());
    let exponent_ok = exponent.is_none_or(|e| {
        let digits = e.strip_prefix(['+', '-']).unwrap_or(e);
        !digits.is_empty() && all_digits(digits)
    });
    mantissa_ok && exponent_ok
}

/// A hexadecimal literal such as `0x1.8p-1`: `mantissa x 2^exponent`, and whether non-zero digits were dropped.
struct Hex {
    mantissa: u128,
    exponent: i64,
    sticky: bool,
}

impl Hex {
    fn parse(text: &str) -> Option<Hex> {
        let body = text.get(2..)?;
        let at = body.find(['p', 'P'])?;
        let (digits, exponent) = (&body[..at], &body[at + 1..]);
        let exponent = exponent.strip_suffix(['f', 'F', 'd', 'D']).unwrap_or(exponent);
        let exponent_digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        if exponent_digits.is_empty() || !exponent_digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        // An exponent beyond 18 digits is as good as infinite either way.
        let magnitude = exponent_digits.parse::<i64>().unwrap_or(i64::MAX / 4).min(i64::MAX / 4);
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let mut hex = Hex {
            mantissa: 0,
            exponent: if exponent.starts_with('-') { -magnitude } else { magnitude },
            sticky: false,
        };
        for (letter, behind_point) in whole.chars().map(|c| (c, false)).chain(fraction.chars().map(|c| (c, true))) {
            let digit = letter.to_digit(16)?;
            if hex.mantissa >> 120 == 0 {
                hex.mantissa = hex.mantissa << 4 | u128::from(digit);
                hex.exponent -= if behind_point { 4 } else { 0 };
            } else {
                hex.sticky |= digit != 0;
                hex.exponent += if behind_point { 0 } else { 4 };
            }
        }
        Some(hex)
    }

    /// The nearest number with `bits` bits of mantissa, ties to even; `lowest` is the exponent of the smallest one,
    /// `highest` the largest exponent of a normal number.
    fn round(&self, bits: u32, lowest: i64, highest: i64) -> f64 {
        if self.mantissa == 0 {
            return 0.0;
        }
        let length = 128 - i64::from(self.mantissa.leading_zeros());
        // How many low bits go: those beyond the precision, and those below the smallest number.
        let dropped = (length - i64::from(bits)).max(lowest - self.exponent);
        let (mut mantissa, mut exponent) = (self.mantissa, self.exponent);
        if dropped > 127 {
            return 0.0;
        }
        if dropped > 0 {
            let rest = mantissa & ((1 << dropped) - 1);
            let half = 1u128 << (dropped - 1);
            mantissa >>= dropped;
            exponent += dropped;
            if rest > half || (rest == half && (self.sticky || mantissa & 1 == 1)) {
                mantissa += 1;
            }
        }
        let top = 127 - i64::from(mantissa.leading_zeros()) + exponent;
        if mantissa != 0 && top > highest {
            return f64::INFINITY;
        }
        // Exact: the mantissa has at most 53 bits and the exponent is in range; two steps reach the subnormals.
        let half_way = exponent / 2;
        mantissa as f64 * 2f64.powi(half_way as i32) * 2f64.powi((exponent - half_way) as i32)
    }
}

/// The shortest decimal text of a finite, non-negative double that reads back as it: `digits x 10^exponent`.
///
/// Ties between two shortest texts go to the even digit, as in Java; the standard library rounds them up.
pub fn shortest_decimal(value: f64) -> (u64, i32) {
    let mut buffer = ryu::Buffer::new();
    let text = buffer.format_finite(value.abs());
    let (mut digits, mut exponent, mut behind_point) = (0u64, 0i32, false);
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'.' => behind_point = true,
            b'e' => {
                let rest: Vec<u8> = bytes.by_ref().collect();
                let (sign, number) = match rest.first() {
                    Some(b'-') => (-1, &rest[1..]),
                    _ => (1, &rest[..]),
                };
                exponent += sign * number.iter().fold(0i32, |n, b| n * 10 + i32::from(b - b'0'));
            }
            digit => {
                digits = digits * 10 + u64::from(digit - b'0');
                exponent -= i32::from(behind_point);
            }
        }
    }
    while digits != 0 && digits.is_multiple_of(10) {
        digits /= 10;
        exponent += 1;
    }
    (digits, if digits == 0 { 0 } else { exponent })
}

/// `Double.toString`.
pub fn double_to_string(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    let sign = if value.is_sign_negative() { "-" } else { "" };
    if value.is_infinite() {
        return format!("{sign}Infinity");
    }
    let (digits, exponent) = shortest_decimal(value);
    let text = digits.to_string();
    // The exponent of the first digit.
    let first = text.len() as i32 + exponent - 1;
    if digits == 0 {
        return format!("{sign}0.0");
    }
    if (-3..7).contains(&first) {
        if first < 0 {
            return format!("{sign}0.{}{text}", "0".repeat((-first - 1) as usize));
        }
        let whole = first as usize + 1;
        if text.len() <= whole {
            return format!("{sign}{text}{}.0", "0".repeat(whole - text.len()));
        }
        return format!("{sign}{}.{}", &text[..whole], &text[whole..]);
    }
    let fraction = if text.len() > 1 { &text[1..] } else { "0" };
    format!("{sign}{}.{fraction}E{first}", &text[..1])
}

/// `String.format("%.3f")` of a non-negative double: half-up, and of the shortest decimal text.
pub fn three_decimals(value: f64) -> String {
    let (digits, exponent) = shortest_decimal(value);
    let thousandths = if exponent >= -3 {
        u128::from(digits) * 10u128.pow((exponent + 3).clamp(0, 20) as u32)
    } else {
        let divisor = 10u128.pow((-3 - exponent).min(38) as u32);
        (u128::from(digits) * 2 + divisor) / (divisor * 2)
    };
    format!("{}.{:03}", thousandths / 1000, thousandths % 1000)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("0.1", 0.1)]
    #[case(" .5 ", 0.5)]
    #[case("5.", 5.0)]
    #[case("+0.4f", 0.4)]
    #[case("1e-3D", 1e-3)]
    #[case("0x1p-1", 0.5)]
    #[case("0x.8P0f", 0.5)]
    #[case("0x1.999999999999999999p-4", 0.1)]
    #[case("-Infinity", f32::NEG_INFINITY)]
    #[case("1e40", f32::INFINITY)]
    #[case("0x1p-149", f32::from_bits(1))]
    #[case("0x1p-151", 0.0)]
    fn floats_are_read_as_java_reads_them(#[case] text: &str, #[case] expected: f32) {
        assert_eq!(parse_float(text), Ok(expected));
    }

    #[rstest]
    #[case("10%", "For input string: \"10%\"")]
    #[case(" 0,1 ", "For input string: \"0,1\"")]
    #[case("  ", "empty String")]
    #[case("inf", "For input string: \"inf\"")]
    #[case("nan", "For input string: \"nan\"")]
    #[case("1_0", "For input string: \"1_0\"")]
    #[case("0x10", "For input string: \"0x10\"")]
    #[case(".", "For input string: \".\"")]
    #[case("1e", "For input string: \"1e\"")]
    #[case("f", "For input string: \"f\"")]
    fn what_java_does_not_read_is_refused_in_its_words(#[case] text: &str, #[case] message: &str) {
        assert_eq!(parse_float(text).unwrap_err().to_string(), message);
        assert_eq!(parse_double(text).unwrap_err().to_string(), message);
    }

    #[rstest]
    #[case("+4", Ok(4))]
    #[case("-0", Ok(0))]
    #[case(" 4", Err(()))]
    #[case("4.0", Err(()))]
    #[case("2147483648", Err(()))]
    #[case("", Err(()))]
    #[case("+", Err(()))]
    fn ints_are_not_trimmed(#[case] text: &str, #[case] expected: Result<i32, ()>) {
        assert_eq!(parse_int(text).map_err(|_| ()), expected);
    }

    #[rstest]
    #[case(1.0, "1.0")]
    #[case(123_456_789.123, "1.23456789123E8")]
    #[case(0.001, "0.001")]
    #[case(0.0001, "1.0E-4")]
    #[case(1e7, "1.0E7")]
    #[case(9_999_999.0, "9999999.0")]
    #[case(-0.0, "-0.0")]
    #[case(f64::NAN, "NaN")]
    #[case(f64::from(0.1f32), "0.10000000149011612")]
    #[case(f64::from(0.728_401_2f32), "0.7284011840820312")] // a tie between two shortest texts
    #[case(f64::MAX, "1.7976931348623157E308")]
    fn doubles_are_written_as_java_writes_them(#[case] value: f64, #[case] expected: &str) {
        assert_eq!(double_to_string(value), expected);
    }

    #[rstest]
    #[case(1.0625, "1.063")] // half up, where the standard library goes to even
    #[case(1.0, "1.000")]
    #[case(0.0004, "0.000")]
    #[case(0.0005, "0.001")]
    #[case(1023.9996, "1024.000")]
    fn three_decimals_round_half_up(#[case] value: f64, #[case] expected: &str) {
        assert_eq!(three_decimals(value), expected);
    }
}
