//! The times that lines bear, in the forms of those who write them.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};

use super::cursor::Cursor;
use crate::artefact::excerpt::Moment;

/// A time may stand behind a level and a thread's name, no further in.
const SEARCHED: usize = 48;

/// The time that a line bears in its own words, wherever near its start: log4j's, RocksDB's, the JVM's, Spark's,
/// YARN's.
pub(super) fn stated(line: &str) -> Option<Moment> {
    let trimmed = line.trim_start_matches([' ', '\t', '[', '(', '"']);
    if !trimmed.as_bytes().iter().take(SEARCHED).any(u8::is_ascii_digit) {
        return None;
    }
    let mut cursor = Cursor::new(trimmed);
    date_time(&mut cursor.clone())
        .or_else(|| slashed(&mut cursor.clone()))
        .or_else(|| day_first(&mut cursor.clone()))
        .or_else(|| uptime(&mut cursor))
        .or_else(|| {
            (1..SEARCHED.min(line.len()))
                .filter(|at| looks_like_a_date(line.as_bytes().get(*at..).unwrap_or_default()))
                .find_map(|at| date_time(&mut Cursor::new(line.get(at..)?)))
        })
}

fn looks_like_a_date(bytes: &[u8]) -> bool {
    matches!(bytes, [b'1' | b'2', b'0' | b'9', _, _, b'-', _, _, b'-', ..])
}

/// `2024-01-31T23:59:58.123456789Z`, also with a blank, a comma, an offset or none, and without a fraction: RFC 3339,
/// log4j, `journalctl -o short-iso`, the JVM's `+0000`.
pub(super) fn date_time(cursor: &mut Cursor<'_>) -> Option<Moment> {
    let year = i16::try_from(cursor.number(4, 4)?).ok()?;
    cursor.literal("-")?;
    let month = cursor.two()?;
    cursor.literal("-")?;
    let day = cursor.two()?;
    cursor.any_of(&['T', ' '])?;
    let time = clock(cursor)?;
    let local = DateTime::from_parts(Date::new(year, month, day).ok()?, time);
    let mut zone = *cursor;
    let Some(offset) = offset(&mut zone) else { return Some(Moment::Local(local)) };
    *cursor = zone;
    Some(Moment::Zoned(offset.to_timestamp(local).ok()?))
}

/// `23:59:58`, with or without a fraction.
pub(super) fn clock(cursor: &mut Cursor<'_>) -> Option<Time> {
    let hour = cursor.two()?;
    cursor.literal(":")?;
    let minute = cursor.two()?;
    cursor.literal(":")?;
    let second = match cursor.two()? {
        // A leap second, which this calendar does not have.
        60 if minute == 59 => 59,
        second => second,
    };
    Time::new(hour, minute, second, fraction(cursor)).ok()
}

/// `.123456`, or none: nanoseconds.
fn fraction(cursor: &mut Cursor<'_>) -> i32 {
    let mut after = *cursor;
    let digits = |after: &mut Cursor<'_>| {
        after.any_of(&['.', ','])?;
        let before = after.rest.len();
        let number = after.number(1, 9)?;
        let missing = 9_usize.checked_sub(before - after.rest.len())?;
        after.rest = after.rest.trim_start_matches(|character: char| character.is_ascii_digit());
        i32::try_from(number * 10_u64.pow(u32::try_from(missing).ok()?)).ok()
    };
    let Some(nanoseconds) = digits(&mut after) else { return 0 };
    *cursor = after;
    nanoseconds
}

/// `Z`, `+01:00`, `-0800`.
fn offset(cursor: &mut Cursor<'_>) -> Option<Offset> {
    let sign = match cursor.any_of(&['Z', '+', '-'])? {
        'Z' => return Some(Offset::UTC),
        '+' => 1,
        _ => -1,
    };
    let hours = i32::from(cursor.two()?);
    let _ = cursor.literal(":");
    let minutes = i32::from(cursor.two()?);
    Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()
}

/// RocksDB's `2024/01/31-23:59:58.123456`, and Spark's `24/01/31 23:59:58`.
fn slashed(cursor: &mut Cursor<'_>) -> Option<Moment> {
    let before = cursor.rest.len();
    let year = cursor.number(2, 4)?;
    let year = match before - cursor.rest.len() {
        2 => 2000 + year,
        4 => year,
        _ => return None,
    };
    cursor.literal("/")?;
    let month = cursor.two()?;
    cursor.literal("/")?;
    let day = cursor.two()?;
    cursor.any_of(&['-', ' '])?;
    let date = Date::new(i16::try_from(year).ok()?, month, day).ok()?;
    Some(Moment::Local(DateTime::from_parts(date, clock(cursor)?)))
}

/// Azkaban's `31-01-2024 23:59:58 CET`.
fn day_first(cursor: &mut Cursor<'_>) -> Option<Moment> {
    let day = cursor.two()?;
    cursor.literal("-")?;
    let month = cursor.two()?;
    cursor.literal("-")?;
    let year = i16::try_from(cursor.number(4, 4)?).ok()?;
    cursor.literal(" ")?;
    Some(Moment::Local(DateTime::from_parts(Date::new(year, month, day).ok()?, clock(cursor)?)))
}

/// The JVM's time since its start: `0.123s]` of unified logging, behind its bracket, and `0.123: [` of JDK 8.
fn uptime(cursor: &mut Cursor<'_>) -> Option<Moment> {
    let since = seconds(cursor)?;
    cursor.literal("s]").or_else(|| cursor.literal(": [")).map(|()| Moment::Since(since))
}

/// `123.456789`: seconds, with their fraction.
pub(super) fn seconds(cursor: &mut Cursor<'_>) -> Option<SignedDuration> {
    let whole = i64::try_from(cursor.number(1, 15)?).ok()?;
    cursor.rest.starts_with('.').then_some(())?;
    Some(SignedDuration::new(whole, fraction(cursor)))
}

/// syslog's `Jan  1 23:59:58`, also with a fraction or with the year behind the day.
pub(super) fn syslog(cursor: &mut Cursor<'_>) -> Option<Moment> {
    let month = cursor.rest.get(..3).and_then(english_month)?;
    cursor.rest = cursor.rest.get(3..)?;
    cursor.blanks()?;
    let day = i8::try_from(cursor.number(1, 2)?).ok()?;
    cursor.blanks()?;
    let mut with_year = *cursor;
    let year = with_year.number(4, 4).filter(|_| with_year.blanks().is_some());
    if year.is_some() {
        *cursor = with_year;
    }
    let time = clock(cursor)?;
    let date = |year: u64| Date::new(i16::try_from(year).ok()?, month, day).ok();
    match year {
        Some(year) => Some(Moment::Local(DateTime::from_parts(date(year)?, time))),
        None => Some(Moment::Yearless(DateTime::from_parts(date(0)?, time))),
    }
}

/// `Wed Oct  9 23:59:58 2024`, as `dmesg -T` writes it in any language: a month by its name or its number, a day, a
/// time and a year, whatever else. Outer `None` where it is no such date, inner where its month is of an unknown
/// language.
#[allow(clippy::option_option, reason = "no date, and a date of a month whose name is not known")]
pub(super) fn ctime(text: &str) -> Option<Option<Moment>> {
    let mut words = text.split_ascii_whitespace().rev();
    let year = words.next().filter(|year| year.len() == 4).and_then(|year| year.parse::<i16>().ok())?;
    let mut time = Cursor::new(words.next()?);
    let time = clock(&mut time).filter(|_| time.rest.is_empty())?;
    let day = words.next()?.trim_end_matches(['.', '日', '일']).parse::<i8>().ok();
    let named = words.find_map(month);
    // `9 oct.` and `10月 9` alike.
    let known = day.zip(named).or_else(|| {
        let mut words = text.split_ascii_whitespace();
        let month = words.clone().find_map(month)?;
        let day = words.find_map(|word| word.parse::<i8>().ok())?;
        Some((day, month))
    });
    let date = known.and_then(|(day, month)| Date::new(year, month, day).ok());
    Some(date.map(|date| Moment::Local(DateTime::from_parts(date, time))))
}

fn english_month(name: &str) -> Option<i8> {
    const NAMES: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    (1..).zip(NAMES).find_map(|(number, known)| (known == name).then_some(number))
}

/// A month's short name in the languages whose names do not collide, or its number before `月` or `월`.
fn month(word: &str) -> Option<i8> {
    if let Some(number) = word.strip_suffix(['月', '월']) {
        return number.parse().ok();
    }
    let name = word.trim_end_matches('.').to_lowercase();
    const STARTS: [&[&str]; 12] = [
        &["jan", "janv", "ene", "gen", "sty", "янв"],
        &["feb", "febr", "févr", "fév", "fev", "lut", "фев"],
        &["mar", "mars", "märz", "mär", "mrz", "mrt", "мар"],
        &["apr", "avr", "avril", "abr", "kwi", "апр"],
        &["may", "mai", "mag", "mei", "maj", "май", "мая"],
        &["jun", "juin", "juni", "giu", "cze", "июн"],
        &["jul", "juil", "juli", "lug", "lip", "июл"],
        &["aug", "août", "ago", "sie", "авг"],
        &["sep", "sept", "set", "wrz", "сен"],
        &["oct", "okt", "ott", "out", "paź", "окт"],
        &["nov", "lis", "ноя"],
        &["dec", "dez", "déc", "dic", "gru", "дек"],
    ];
    (1..).zip(STARTS).find_map(|(number, names)| names.contains(&name.as_str()).then_some(number))
}

/// Seconds since 1970, with a fraction.
pub(super) fn epoch(text: &str) -> Option<Moment> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = fraction.len().min(9);
    let fraction = if digits == 0 { 0 } else { fraction.get(..digits)?.parse::<i32>().ok()? };
    let scale = 10_i32.checked_pow(u32::try_from(9 - digits).ok()?)?;
    Some(Moment::Zoned(Timestamp::new(seconds.parse().ok()?, fraction.checked_mul(scale)?).ok()?))
}

/// Of two times of one line the one that says more.
pub(super) fn better(one: Option<Moment>, other: Option<Moment>) -> Option<Moment> {
    let says = |moment: &Option<Moment>| match moment {
        Some(Moment::Zoned(_)) => 4,
        Some(Moment::Local(_)) => 3,
        Some(Moment::Yearless(_)) => 2,
        Some(Moment::Since(_)) => 1,
        None => 0,
    };
    if says(&other) > says(&one) { other } else { one }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("23:59:58", Some((23, 59, 58)))]
    #[case("23:59:60", Some((23, 59, 59)))]
    #[case("23:59:61", None)]
    #[case("23:58:60", None)]
    fn an_hour_ends_with_a_leap_second_at_most(#[case] text: &str, #[case] expected: Option<(i8, i8, i8)>) {
        let read = clock(&mut Cursor::new(text));
        assert_eq!(read.map(|time| (time.hour(), time.minute(), time.second())), expected);
    }
}
