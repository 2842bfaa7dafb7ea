//! Values of scalars, by their tag or by YAML 1.2's core schema.

use granit_parser::Tag;

use super::{Value, YamlError};
use crate::model::Position;

/// Digits of a number in another radix. What turns them into decimal ones takes the square of their number.
pub(super) const MAX_DIGITS: usize = 1000;

/// What is wrong with a tag.
pub(super) enum TagError {
    /// The value is none of what the tag names: Flink refuses it.
    NoSuchValue(String),
    /// Of another tag oomph does not know what Flink makes of it.
    Unread(String),
    /// A number of so many digits that oomph does not read it.
    TooLong,
}

impl TagError {
    pub(super) fn at(self, position: Position) -> YamlError {
        match self {
            TagError::NoSuchValue(reason) => YamlError::new(reason, position),
            TagError::Unread(tag) => YamlError::beyond(format!("oomph does not read the tag {tag} here"), position),
            TagError::TooLong => {
                YamlError::beyond(format!("oomph does not read a number of more than {MAX_DIGITS} digits"), position)
            }
        }
    }
}

pub(super) fn check_tag(tag: Option<&Tag>, own: &str) -> Result<(), TagError> {
    match tag {
        None => Ok(()),
        Some(tag) if tag.is_yaml_core_schema_tag(own) || is_non_specific(tag) => Ok(()),
        Some(tag) => Err(TagError::Unread(tag.to_string())),
    }
}

/// The tag `!` alone, which says "not resolved".
fn is_non_specific(tag: &Tag) -> bool {
    tag.to_string() == "!"
}

/// A scalar's value by its tag or, where it is plain and has none, by the core schema.
pub(super) fn resolve(text: &str, plain: bool, tag: Option<&Tag>) -> Result<Value, TagError> {
    let is_number = tag.map_or(plain, |tag| matches!(tag.core_suffix(), Some("int" | "float")));
    let in_other_radix = text.starts_with("0x") || text.starts_with("0o");
    if is_number && in_other_radix && text.len() > 2 + MAX_DIGITS && integer(text).is_some() {
        return Err(TagError::TooLong);
    }
    let Some(tag) = tag else {
        return Ok(if plain { plain_value(text) } else { Value::text(text) });
    };
    let refused = || TagError::NoSuchValue(format!("`{text}` is no {tag}"));
    match tag.core_suffix() {
        None if is_non_specific(tag) => Ok(Value::text(text)),
        Some("str") => Ok(Value::text(text)),
        Some("null") => Ok(Value::Null),
        Some("bool") => boolean(text).ok_or_else(refused),
        Some("int") => integer(text).ok_or_else(refused),
        Some("float") => float(text).or_else(|| integer_as_float(text)).ok_or_else(refused),
        _ => Err(TagError::Unread(tag.to_string())),
    }
}

/// The value of a plain scalar without a tag.
pub fn plain_value(text: &str) -> Value {
    if matches!(text, "" | "~" | "null" | "Null" | "NULL") {
        return Value::Null;
    }
    boolean(text).or_else(|| integer(text)).or_else(|| float(text)).unwrap_or_else(|| Value::text(text))
}

fn boolean(text: &str) -> Option<Value> {
    match text {
        "true" | "True" | "TRUE" => Some(Value::Bool(true)),
        "false" | "False" | "FALSE" => Some(Value::Bool(false)),
        _ => None,
    }
}

fn integer(text: &str) -> Option<Value> {
    let unsigned = |digits: &str, radix: u32| {
        let well_formed = !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix));
        well_formed.then(|| match i64::from_str_radix(digits, radix) {
            Ok(n) => Value::Int(n),
            // It is a number, and nobody asks for which.
            Err(_) if digits.len() > MAX_DIGITS => Value::BigInt(text.to_owned()),
            Err(_) => Value::BigInt(big_decimal(digits, radix)),
        })
    };
    if let Some(digits) = text.strip_prefix("0o") {
        return unsigned(digits, 8);
    }
    if let Some(digits) = text.strip_prefix("0x") {
        return unsigned(digits, 16);
    }
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let signed = text.strip_prefix('+').unwrap_or(text);
    Some(signed.parse().map(Value::Int).unwrap_or_else(|_| {
        let digits = digits.trim_start_matches('0');
        Value::BigInt(if text.starts_with('-') { format!("-{digits}") } else { digits.to_owned() })
    }))
}

/// Digits in another radix as decimal digits, by long multiplication.
fn big_decimal(digits: &str, radix: u32) -> String {
    let mut decimal = vec![0u32];
    for digit in digits.chars().filter_map(|c| c.to_digit(radix)) {
        let mut carry = digit;
        for place in &mut decimal {
            let value = *place * radix + carry;
            *place = value % 10;
            carry = value / 10;
        }
        while carry > 0 {
            decimal.push(carry % 10);
            carry /= 10;
        }
    }
    decimal.iter().rev().filter_map(|d| char::from_digit(*d, 10)).collect()
}

fn float(text: &str) -> Option<Value> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let sign = if text.starts_with('-') { -1.0 } else { 1.0 };
    match unsigned {
        ".inf" | ".Inf" | ".INF" => return Some(Value::Double(sign * f64::INFINITY)),
        ".nan" | ".NaN" | ".NAN" if unsigned.len() == text.len() => return Some(Value::Double(f64::NAN)),
        _ => {}
    }
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (&unsigned[..at], Some(&unsigned[at + 1..])),
        None => (unsigned, None),
    };
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    let mantissa_ok = match mantissa.split_once('.') {
        Some(("", fraction)) => digits(fraction),
        Some((whole, fraction)) => digits(whole) && (fraction.is_empty() || digits(fraction)),
        None => digits(mantissa),
    };
    let exponent_ok = exponent.is_none_or(|e| digits(e.strip_prefix(['+', '-']).unwrap_or(e)));
    (mantissa_ok && exponent_ok).then(|| text.parse().ok()).flatten().map(Value::Double)
}

fn integer_as_float(text: &str) -> Option<Value> {
    match integer(text)? {
        Value::Int(n) => Some(Value::Double(n as f64)),
        other => other.java_text().parse().ok().map(Value::Double),
    }
}
