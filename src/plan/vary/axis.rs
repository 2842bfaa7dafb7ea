//! `KEY=a..b`, `KEY=a..b:step` and `KEY=v1,v2,v3`: the values that an option is given, one after the other.

use std::str::FromStr;

use thiserror::Error;

use crate::flink::memory_size::written;
use crate::flink::profile::{OptionKind, Profile};
use crate::flink::sensitive;
use crate::model::Bytes;

/// No table has more rows.
pub const MOST_ROWS: usize = 200;

/// How many values a range of sizes without a step has: the ends and six between them.
const SIZES: u64 = 8;

/// An option and the values it is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Axis {
    /// The option.
    pub key: String,
    /// The values as they would be written in a file.
    pub values: Vec<String>,
}

/// Why a text names no values.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AxisError {
    /// No key, or no value.
    #[error("{0} is not of the form KEY=a..b, KEY=a..b:step or KEY=v1,v2")]
    NoAxis(String),
    /// An end of a range or a step that is neither a size nor a number.
    #[error("{key}: {text:?} is neither a size such as 4g, nor a whole number, nor a fraction such as 0.4")]
    NoNumber {
        /// The option.
        key: String,
        /// What is no number.
        text: String,
    },
    /// Sizes and numbers in one range.
    #[error("{key}: both ends of a range and its step must be of one kind, sizes such as 4g or numbers")]
    Mixed {
        /// The option.
        key: String,
    },
    /// A range from the larger to the smaller.
    #[error("{key}: the range goes from the smaller value to the larger one")]
    Backwards {
        /// The option.
        key: String,
    },
    /// A step of nothing.
    #[error("{key}: a step must be larger than nothing")]
    NoStep {
        /// The option.
        key: String,
    },
    /// More values than a table has rows.
    #[error("{key}: {count} values are more than the {MOST_ROWS} rows that a table has at most; take a larger step")]
    TooMany {
        /// The option.
        key: String,
        /// How many.
        count: u128,
    },
}

/// What a range is made of. Numbers are whole, counted in units of their last decimal: 0.25 is 25 at a scale of 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bound {
    Size(u64),
    Number { digits: u64, scale: u32 },
}

impl FromStr for Axis {
    type Err = AxisError;

    fn from_str(text: &str) -> Result<Axis, AxisError> {
        let not_one = || AxisError::NoAxis(sensitive::shown_line(text, "the argument"));
        let (key, values) = text.split_once('=').ok_or_else(not_one)?;
        let (key, values) = (key.trim(), values.trim());
        if key.is_empty() || values.is_empty() {
            return Err(not_one());
        }
        let values = match values.split_once("..") {
            Some((low, rest)) => {
                let (high, step) = match rest.split_once(':') {
                    Some((high, step)) => (high, Some(step)),
                    None => (rest, None),
                };
                range(key, low, high, step)?
            }
            None => values.split(',').map(|value| value.trim().to_owned()).collect(),
        };
        if values.iter().any(String::is_empty) {
            return Err(not_one());
        }
        within(key, values.len() as u128)?;
        Ok(Axis { key: key.to_owned(), values })
    }
}

fn within(key: &str, count: u128) -> Result<(), AxisError> {
    if count > MOST_ROWS as u128 {
        return Err(AxisError::TooMany { key: key.to_owned(), count });
    }
    Ok(())
}

fn range(key: &str, low: &str, high: &str, step: Option<&str>) -> Result<Vec<String>, AxisError> {
    let is_size = Profile::newest_where(|profile| profile.option(key).is_some())
        .and_then(|profile| profile.option(key))
        .is_some_and(|row| row.kind == OptionKind::Size);
    let read = |text: &str| {
        bound(text.trim(), is_size)
            .ok_or_else(|| AxisError::NoNumber { key: key.to_owned(), text: sensitive::shown(key, text).to_owned() })
    };
    let step = step.map(read).transpose()?;
    let mixed = || AxisError::Mixed { key: key.to_owned() };
    match (read(low)?, read(high)?) {
        (Bound::Size(low), Bound::Size(high)) => {
            let step = match step {
                Some(Bound::Size(step)) => Some(step),
                None => None,
                Some(Bound::Number { .. }) => return Err(mixed()),
            };
            sizes(key, low, high, step)
        }
        (Bound::Number { digits: low, scale: a }, Bound::Number { digits: high, scale: b }) => {
            let (step, c) = match step {
                Some(Bound::Number { digits, scale }) => (digits, scale),
                // A step of one, or of a tenth where an end has decimals.
                None => (1, a.max(b).min(1)),
                Some(Bound::Size(_)) => return Err(mixed()),
            };
            let scale = a.max(b).max(c);
            let at = |digits: u64, from: u32| u128::from(digits) * 10u128.pow(scale - from);
            let values = steps(key, at(low, a), at(high, b), at(step, c))?;
            Ok(values.into_iter().map(|value| decimal(value, scale)).collect())
        }
        _ => Err(mixed()),
    }
}

fn bound(text: &str, is_size: bool) -> Option<Bound> {
    let digits = |text: &str| Some(text).filter(|t| t.bytes().all(|b| b.is_ascii_digit()))?.parse::<u64>().ok();
    if let Some((whole, decimals)) = text.split_once('.') {
        // More decimals than a fraction can tell apart are no fraction.
        let scale = u32::try_from(decimals.len()).ok().filter(|n| (1..=9).contains(n))?;
        let whole = if whole.is_empty() { 0 } else { digits(whole)? };
        let digits = whole.checked_mul(10u64.pow(scale))?.checked_add(digits(decimals)?)?;
        return Some(Bound::Number { digits, scale });
    }
    if !is_size && let Some(digits) = digits(text) {
        return Some(Bound::Number { digits, scale: 0 });
    }
    Bytes::parse_flink(text).ok().map(|bytes| Bound::Size(bytes.get()))
}

fn steps(key: &str, low: u128, high: u128, step: u128) -> Result<Vec<u128>, AxisError> {
    if high < low {
        return Err(AxisError::Backwards { key: key.to_owned() });
    }
    if step == 0 {
        return Err(AxisError::NoStep { key: key.to_owned() });
    }
    let count = (high - low) / step + 1;
    within(key, count)?;
    Ok((0..count).map(|n| low + n * step).collect())
}

/// Sizes at a step, or eight of them evenly apart in whole mebibytes.
fn sizes(key: &str, low: u64, high: u64, step: Option<u64>) -> Result<Vec<String>, AxisError> {
    let values = match step {
        Some(step) => steps(key, low.into(), high.into(), step.into())?,
        None if high < low => return Err(AxisError::Backwards { key: key.to_owned() }),
        None => {
            let last = u128::from(SIZES - 1);
            let mut values: Vec<u128> = (0..=last)
                .map(|n| match n {
                    0 => low.into(),
                    n if n == last => high.into(),
                    n => ((u128::from(low) * (last - n) + u128::from(high) * n) / last) >> 20 << 20,
                })
                .filter(|value| (u128::from(low)..=u128::from(high)).contains(value))
                .collect();
            values.dedup();
            values
        }
    };
    let size = |bytes: u128| Bytes::new(u64::try_from(bytes).unwrap_or(u64::MAX));
    Ok(values.into_iter().map(|bytes| written(size(bytes))).collect())
}

fn decimal(value: u128, scale: u32) -> String {
    if scale == 0 {
        return value.to_string();
    }
    let unit = 10u128.pow(scale);
    format!("{}.{:0width$}", value / unit, value % unit, width = scale as usize)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("taskmanager.numberOfTaskSlots=1..4", "1 2 3 4")]
    #[case("taskmanager.numberOfTaskSlots=2..8:3", "2 5 8")]
    #[case("taskmanager.memory.managed.fraction=0.1..0.5", "0.1 0.2 0.3 0.4 0.5")]
    #[case("taskmanager.memory.managed.fraction=0..1:0.25", "0.00 0.25 0.50 0.75 1.00")]
    #[case("taskmanager.memory.process.size=2g..16g", "2g 4g 6g 8g 10g 12g 14g 16g")]
    #[case("taskmanager.memory.process.size=1g..2g", "1g 1170m 1316m 1462m 1609m 1755m 1901m 2g")]
    #[case("taskmanager.memory.process.size=1g..2g:512m", "1g 1536m 2g")]
    #[case("taskmanager.memory.process.size=1073741824..1073741825:1", "1g 1073741825b")]
    #[case("taskmanager.memory.process.size=1g..1g", "1g")]
    #[case("state.backend.type=rocksdb, hashmap", "rocksdb hashmap")]
    fn values_are_those_of_the_range_or_the_list(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(text.parse::<Axis>().unwrap().values.join(" "), expected);
    }

    #[rstest]
    #[case("taskmanager.numberOfTaskSlots")]
    #[case("=1..2")]
    #[case("a=")]
    #[case("a=1,,2")]
    #[case("a=x..y")]
    #[case("a=1..")]
    #[case("a=4..1")]
    #[case("a=1..4:0")]
    #[case("a=1g..2g:0.5")]
    #[case("a=1..1000")]
    #[case("a=0..18446744073709551615:1")]
    #[case("a=0.1..0.12345678901")]
    fn what_names_no_values_is_refused(#[case] text: &str) {
        assert!(text.parse::<Axis>().is_err());
    }

    #[test]
    fn too_many_values_are_counted_in_the_error() {
        let error = "a=1..201".parse::<Axis>().unwrap_err().to_string();
        assert!(error.contains("201 values") && error.contains("200 rows"), "{error}");
    }
}
