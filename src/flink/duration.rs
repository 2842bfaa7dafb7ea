//! Durations as Flink reads them (`TimeUtils.parseDuration`), in milliseconds.

use super::java;

/// Units with their names; singular and plural.
const UNITS: [(&[&str], u64, u64); 7] = [
    (&["d", "day", "days"], 86_400_000, 1),
    (&["h", "hour", "hours"], 3_600_000, 1),
    (&["min", "m", "minute", "minutes"], 60_000, 1),
    (&["s", "sec", "secs", "second", "seconds"], 1000, 1),
    (&["ms", "milli", "millis", "millisecond", "milliseconds", ""], 1, 1),
    (&["µs", "micro", "micros", "microsecond", "microseconds"], 1, 1000),
    (&["ns", "nano", "nanos", "nanosecond", "nanoseconds"], 1, 1_000_000),
];

/// A duration in milliseconds, cut: `10 s`, `5min`, `PT1H30M` or bare milliseconds. Nothing where Flink would not read it.
pub fn millis(text: &str) -> Option<u64> {
    let text = java::trim(text);
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let Ok(number) = text[..end].parse::<u64>() else { return iso(text) };
    let unit = java::trim(&text[end..]).to_lowercase();
    let (_, times, by) = UNITS.iter().find(|(names, ..)| names.contains(&unit.as_str()))?;
    Some(number.checked_mul(*times)? / by)
}

/// `P1DT2H3M4.5S`, as `Duration.toString` prints defaults.
fn iso(text: &str) -> Option<u64> {
    let upper = text.to_uppercase();
    let rest = upper.strip_prefix('P')?;
    let (days, time) = rest.split_once('T').unwrap_or((rest, ""));
    let mut total: u64 = 0;
    let mut any = false;
    for (part, units) in [(days, &[('D', 86_400_000)][..]), (time, &[('H', 3_600_000), ('M', 60_000), ('S', 1000)][..])]
    {
        let mut rest = part;
        for (unit, times) in units {
            let Some((number, after)) = rest.split_once(*unit) else { continue };
            let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
            let milli: u64 = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
            total = total.checked_add(whole.parse::<u64>().ok()?.checked_mul(*times)?)?;
            total = total.checked_add(milli * (times / 1000))?;
            any = true;
            rest = after;
        }
        if !rest.is_empty() {
            return None;
        }
    }
    any.then_some(total)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("10 s", Some(10_000))]
    #[case("5min", Some(300_000))]
    #[case("1 h", Some(3_600_000))]
    #[case("2000", Some(2_000))]
    #[case("PT1M30S", Some(90_000))]
    #[case("PT0.5S", Some(500))]
    #[case("P1DT1H", Some(90_000_000))]
    #[case("PT", None)]
    #[case("5 lightyears", None)]
    #[case("-1 s", None)]
    #[case("1.5 s", None)]
    fn durations_are_read_as_flink_reads_them(#[case] text: &str, #[case] expected: Option<u64>) {
        assert_eq!(millis(text), expected);
    }
}
