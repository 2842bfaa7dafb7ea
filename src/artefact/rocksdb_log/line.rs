//! The head of a line: time, thread, level, place in RocksDB's source.

/// A line with a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Headed<'a> {
    /// Bytes before the time.
    pub prefix: usize,
    /// Microseconds since 1970 on the clock of the process that wrote it, in its time zone.
    pub at: u64,
    /// Whether the level is ERROR or FATAL.
    pub is_error: bool,
    /// The text behind the head.
    pub text: &'a str,
}

/// A collector's prefix is no longer.
const LONGEST_PREFIX: usize = 256;
/// `2026/11/21-08:27:44.807048`.
const SHAPE: &[u8; 26] = b"dddd/dd/dd-dd:dd:dd.dddddd";

/// A line's head and text; nothing where it has no time in it.
pub(super) fn headed(line: &str) -> Option<Headed<'_>> {
    let bytes = line.as_bytes();
    let last = bytes.len().checked_sub(SHAPE.len())?.min(LONGEST_PREFIX);
    let prefix = (0..=last).find(|start| has_shape(&bytes[*start..]))?;
    let at = moment(&bytes[prefix..prefix + SHAPE.len()])?;
    let mut text = line[prefix + SHAPE.len()..].strip_prefix(' ')?;
    let (thread, rest) = text.split_once(' ').unwrap_or((text, ""));
    if !thread.is_empty() && thread.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        text = rest;
    }
    // A record that was written while RocksDB held its mutex has its own time in front of what it says.
    if let Some((_, rest)) = text.strip_prefix("(Original Log Time ").and_then(|rest| rest.split_once(')')) {
        text = rest.trim_start();
    }
    let mut is_error = false;
    if let Some((level, rest)) = text.strip_prefix('[').and_then(|rest| rest.split_once("] "))
        && matches!(level, "DEBUG" | "INFO" | "WARN" | "ERROR" | "FATAL" | "HEADER")
    {
        is_error = matches!(level, "ERROR" | "FATAL");
        text = rest;
    }
    if let Some((place, rest)) = text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        let is_place = place.rsplit_once(':').is_some_and(|(file, line)| {
            file.contains('.') && !line.is_empty() && line.bytes().all(|b| b.is_ascii_digit())
        });
        if is_place {
            text = rest.strip_prefix(' ').unwrap_or(rest);
        }
    }
    Some(Headed { prefix, at, is_error, text })
}

fn has_shape(bytes: &[u8]) -> bool {
    // The first separator tells most of what is no time.
    bytes[4] == b'/'
        && SHAPE
            .iter()
            .zip(bytes)
            .all(|(shape, byte)| if *shape == b'd' { byte.is_ascii_digit() } else { shape == byte })
}

/// Days are counted as Howard Hinnant's `days_from_civil` counts them: years begin in March.
fn moment(bytes: &[u8]) -> Option<u64> {
    let number = |from: usize, to: usize| bytes[from..to].iter().fold(0, |sum, byte| sum * 10 + u64::from(byte - b'0'));
    let (year, month, day) = (number(0, 4), number(5, 7), number(8, 10));
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || year < 1970 {
        return None;
    }
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year / 400, year % 400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    let days = days.checked_sub(719_468)?;
    let seconds = days * 86_400 + number(11, 13) * 3600 + number(14, 16) * 60 + number(17, 19);
    Some(seconds * 1_000_000 + number(20, 26))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("2026/11/21-08:27:44.807048 139666216969920 RocksDB version: 8.10.0", 0, false, "RocksDB version: 8.10.0")]
    #[case("2026/11/21-08:20:10.717661 7fb1146fe6c0 DB SUMMARY", 0, false, "DB SUMMARY")]
    #[case("tm-1 | 2026/11/21-08:20:10.717661 7fb1146fe6c0 [WARN] [/column_family.cc:900] [x] y", 7, false, "[x] y")]
    #[case("2026/11/21-08:20:10.717661 7fb1146fe6c0 [ERROR] [/db.cc:1] z", 0, true, "z")]
    #[case(
        "2026/11/21-08:20:10.717661 1 (Original Log Time 2026/11/21-08:20:10.717600) [/flush_job.cc:9] [x] y",
        0,
        false,
        "[x] y"
    )]
    #[case("2026/11/21-08:20:10.717661 1 [a.b:c] y", 0, false, "[a.b:c] y")]
    #[case("2026/11/21-08:20:10.717661 1", 0, false, "")]
    fn a_head_is_told_from_the_text(
        #[case] line: &str,
        #[case] prefix: usize,
        #[case] is_error: bool,
        #[case] text: &str,
    ) {
        let found = headed(line).unwrap();
        assert_eq!((found.prefix, found.is_error, found.text), (prefix, is_error, text));
    }

    #[rstest]
    #[case("1970/01/01-00:00:00.000000 1 x", Some(0))]
    #[case("1970/03/01-00:00:00.000001 1 x", Some(59 * 86_400_000_000 + 1))]
    #[case("2026/11/21-08:27:44.807048 1 x", Some(1_795_249_664_807_048))]
    #[case("1969/12/31-00:00:00.000000 1 x", None)]
    #[case("2026/13/21-08:27:44.807048 1 x", None)]
    #[case("2026/11/21-08:27:44.80704", None)]
    #[case("  block_cache: 0x7f06ac0ab150", None)]
    fn a_time_is_counted_from_1970(#[case] line: &str, #[case] at: Option<u64>) {
        assert_eq!(headed(line).map(|found| found.at), at);
    }
}
