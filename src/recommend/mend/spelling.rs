//! Values that nobody can read, as they seem to be meant.

use crate::model::Bytes;
use crate::recommend::option;

/// What a text may be meant to be, the likeliest first. Which of them its option takes is not known here.
pub fn guesses(text: &str) -> Vec<String> {
    let plain = text.trim().trim_matches(['"', '\'', '`', ';', ',']).trim();
    let mut guesses = Vec::new();
    let mut put = |guess: String| {
        if guess != text && !guess.is_empty() && !guesses.contains(&guess) {
            guesses.push(guess);
        }
    };
    put(plain.to_owned());
    match plain.to_lowercase().as_str() {
        "yes" | "on" | "1" | "enabled" => put("true".to_owned()),
        "no" | "off" | "0" | "disabled" => put("false".to_owned()),
        _ => {}
    }
    let compact: String = plain.chars().filter(|c| !c.is_whitespace() && *c != '_').collect();
    let end = compact.find(|c: char| !(c.is_ascii_digit() || c == '.' || c == ',')).unwrap_or(compact.len());
    let (number, unit) = compact.split_at(end);
    let Some((whole, decimals)) = parts(number) else { return guesses };
    let unit = unit.to_lowercase();
    if unit == "%" {
        let shift = decimal(whole, &decimals, 2);
        put(shift);
        return guesses;
    }
    if let Some(size) = shift(&unit).and_then(|shift| size(whole, &decimals, shift)) {
        put(option::text(size));
    }
    if unit.is_empty() && !decimals.is_empty() {
        put(format!("{whole}.{decimals}"));
    }
    guesses
}

/// Digits before and behind the point; a comma is a point if it is the only one and not followed by three digits.
fn parts(number: &str) -> Option<(u64, String)> {
    let commas = number.matches(',').count();
    let thousands = commas > 1 || number.rsplit_once(',').is_some_and(|(_, behind)| behind.len() == 3);
    let number = if thousands { number.replace(',', "") } else { number.replace(',', ".") };
    let (whole, decimals) = number.split_once('.').unwrap_or((&number, ""));
    if decimals.contains('.') {
        return None;
    }
    let whole = if whole.is_empty() && !decimals.is_empty() { "0" } else { whole };
    Some((whole.parse().ok()?, decimals.trim_end_matches('0').to_owned()))
}

/// A unit by its first letter, as a power of two; `gigs`, `GiB` and `Gbyte` are all one.
fn shift(unit: &str) -> Option<u32> {
    const WORDS: [(&str, u32, &[&str]); 5] = [
        ("b", 0, &["", "b", "byte", "bytes"]),
        ("k", 10, &["k", "kb", "ki", "kib", "kilo", "kilobyte", "kilobytes", "kibibyte", "kbyte", "kbytes"]),
        (
            "m",
            20,
            &["m", "mb", "mi", "mib", "meg", "megs", "mega", "megabyte", "megabytes", "mebibyte", "mbyte", "mbytes"],
        ),
        (
            "g",
            30,
            &["g", "gb", "gi", "gib", "gig", "gigs", "giga", "gigabyte", "gigabytes", "gibibyte", "gbyte", "gbytes"],
        ),
        ("t", 40, &["t", "tb", "ti", "tib", "tera", "terabyte", "terabytes", "tebibyte", "tbyte", "tbytes"]),
    ];
    WORDS.iter().find(|(_, _, words)| words.contains(&unit)).map(|(_, shift, _)| *shift)
}

/// A decimal number of units, where it is whole bytes, or, from kibibytes on, the bytes below it.
fn size(whole: u64, decimals: &str, shift: u32) -> Option<Bytes> {
    let unit = 1u128 << shift;
    let digits = u32::try_from(decimals.len()).ok().filter(|digits| *digits < 12)?;
    let scale = 10u128.pow(digits);
    let behind: u128 = if decimals.is_empty() { 0 } else { decimals.parse().ok()? };
    let bytes = u128::from(whole) * unit + behind * unit / scale;
    u64::try_from(bytes).ok().map(Bytes::new).filter(|bytes| *bytes <= Bytes::FLINK_MAX)
}

/// A decimal number with the point so many places to the left.
fn decimal(whole: u64, decimals: &str, places: usize) -> String {
    let digits = format!("{whole:0>width$}", width = places + 1);
    let (before, behind) = digits.split_at(digits.len() - places);
    let behind = format!("{behind}{decimals}");
    match behind.trim_end_matches('0') {
        "" => format!("{before}.0"),
        behind => format!("{before}.{behind}"),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("4 gigs", "4g")]
    #[case("1.5g", "1536m")]
    #[case("1,5 GiB", "1536m")]
    #[case("4.0", "4b")]
    #[case("1_024m", "1g")]
    #[case("2,048 MiB", "2g")]
    #[case("40%", "0.4")]
    #[case("12.5 %", "0.125")]
    #[case("0,1", "0.1")]
    #[case("\"1g\"", "1g")]
    #[case("yes", "true")]
    #[case(".5g", "512m")]
    fn values_are_spelled_as_they_seem_to_be_meant(#[case] written: &str, #[case] meant: &str) {
        assert!(guesses(written).contains(&meant.to_owned()), "{:?}", guesses(written));
    }

    #[rstest]
    #[case("lots")]
    #[case("-1g")]
    #[case("1.2.3g")]
    #[case("4 parsecs")]
    fn what_cannot_be_told_is_left_alone(#[case] written: &str) {
        assert!(guesses(written).is_empty(), "{:?}", guesses(written));
    }
}
