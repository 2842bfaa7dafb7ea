//! What syslog daemons and journald put before a line.

use super::cursor::Cursor;
use super::time;
use crate::artefact::excerpt::Moment;

/// A line with a time, perhaps a host, and who logged it. Of the kernel's lines all of that goes; others stay whole,
/// for who logged them where is part of what they say.
///
/// `Jan  1 23:59:58 host kernel: line` (RFC 3164, `journalctl -o short`, `short-precise`), without a host, with RFC
/// 3339's time (rsyslog's default, `short-iso`), `Wed 2024-01-31 23:59:58 CET host …` (`short-full`),
/// `1706742000.123456 host …` (`short-unix`).
pub(super) fn logged(text: &str) -> Option<(Moment, &str)> {
    let mut cursor = Cursor::new(text);
    let at = stamp(&mut cursor)?;
    cursor.blanks()?;
    let mut hostless = cursor;
    if let Some(kernel) = tagged(&mut hostless) {
        return Some((at, if kernel { hostless.rest } else { text }));
    }
    // Blotted out, a host may be anything but a blank. A program's own log has a level there.
    cursor.word().filter(|host| !LEVELS.contains(&host.to_ascii_uppercase().as_str()))?;
    cursor.blanks()?;
    let kernel = tagged(&mut cursor)?;
    Some((at, if kernel { cursor.rest } else { text }))
}

/// What no host is called.
const LEVELS: [&str; 9] = ["TRACE", "DEBUG", "INFO", "NOTICE", "WARN", "WARNING", "ERROR", "FATAL", "SEVERE"];

fn stamp(cursor: &mut Cursor<'_>) -> Option<Moment> {
    let mut syslog = *cursor;
    if let Some(at) = time::syslog(&mut syslog) {
        *cursor = syslog;
        return Some(at);
    }
    let mut iso = *cursor;
    if let Some(at @ Moment::Zoned(_)) = time::date_time(&mut iso) {
        *cursor = iso;
        return Some(at);
    }
    let mut full = *cursor;
    if let Some(at) = weekday(&mut full) {
        *cursor = full;
        return Some(at);
    }
    let mut unix = *cursor;
    let written = unix.word().filter(|word| word.len() == 17 && word.get(10..11) == Some("."))?;
    *cursor = unix;
    time::epoch(written)
}

/// `Wed 2024-01-31 23:59:58 CET`: the zone's name says too little to be one.
fn weekday(cursor: &mut Cursor<'_>) -> Option<Moment> {
    cursor.word().filter(|day| ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"].contains(day))?;
    cursor.literal(" ")?;
    let at = time::date_time(cursor)?;
    cursor.literal(" ")?;
    let zone = cursor.word()?;
    match at {
        Moment::Local(local) if zone == "UTC" => jiff::tz::Offset::UTC.to_timestamp(local).ok().map(Moment::Zoned),
        at => Some(at),
    }
}

/// Over the name of who logged it, which ends with a colon: `kernel: `, `systemd-oomd[726]: `, `kubelet[99]: `. Whether
/// that is the kernel.
fn tagged(cursor: &mut Cursor<'_>) -> Option<bool> {
    let tag = cursor.word()?.strip_suffix(':')?;
    let (name, pid) = tag.split_once('[').map_or((tag, None), |(name, pid)| (name, Some(pid)));
    let digits = |pid: &str| pid.strip_suffix(']').is_some_and(|pid| pid.bytes().all(|byte| byte.is_ascii_digit()));
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./()@\\:".contains(&byte);
    if !pid.is_none_or(digits) || name.is_empty() || !name.bytes().all(plain) {
        return None;
    }
    cursor.rest = cursor.rest.strip_prefix(' ').unwrap_or(cursor.rest);
    Some(name == "kernel")
}

/// RFC 5424: `1 2024-01-31T23:59:58.123Z host program 99 - - line`, behind its priority.
pub(super) fn rfc5424(text: &str) -> Option<(Moment, &str)> {
    let mut cursor = Cursor::new(text);
    cursor.literal("1 ")?;
    let at = time::date_time(&mut cursor)?;
    for _ in ["host", "program", "process", "message"] {
        cursor.literal(" ")?;
        cursor.word()?;
    }
    cursor.literal(" ")?;
    if cursor.literal("-").is_none() {
        while cursor.rest.starts_with('[') {
            // Values are quoted, with \" and \] inside.
            let mut escaped = false;
            let end = cursor.rest.bytes().position(|byte| {
                let found = byte == b']' && !escaped;
                escaped = byte == b'\\' && !escaped;
                found
            })?;
            cursor.rest = cursor.rest.get(end + 1..)?;
        }
    }
    Some((at, cursor.rest.trim_start_matches([' ', '\u{feff}'])))
}

/// rsyslog writes control characters as a number sign and three octal digits.
pub(super) fn unescaped(text: &str) -> Option<String> {
    let escapes = ["#012", "#011", "#015", "#033"];
    if !escapes.iter().any(|escape| text.contains(escape)) {
        return None;
    }
    Some(text.replace("#012", "\n").replace("#011", "\t").replace("#015", "").replace("#033", "\x1b"))
}

/// A field of `journalctl -o export` and `-o verbose`.
#[derive(Clone, Copy, Debug)]
pub(super) enum Field<'t> {
    /// When the record was made.
    At(Moment),
    /// What it says.
    Message(&'t str),
}

pub(super) fn field(text: &str) -> Option<Field<'_>> {
    let text = text.trim_start_matches(' ');
    if let Some(message) = text.strip_prefix("MESSAGE=") {
        return Some(Field::Message(message));
    }
    let since = text.strip_prefix("__REALTIME_TIMESTAMP=")?;
    microseconds(since).map(Field::At)
}

/// Microseconds since 1970, as journald writes them.
pub(super) fn microseconds(text: &str) -> Option<Moment> {
    Some(Moment::Zoned(jiff::Timestamp::from_microsecond(text.trim().parse().ok()?).ok()?))
}
