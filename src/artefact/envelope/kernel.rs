//! What stands before a line of the kernel: in `dmesg`, `/dev/kmsg` and what copies them.

use jiff::SignedDuration;

use super::cursor::Cursor;
use super::time;
use crate::artefact::excerpt::Moment;

/// `[  123.456789] line`, with `CONFIG_PRINTK_CALLER` `[  123.456789][ T4711] line`; `[Wed Oct  9 23:59:58 2024] line`
/// (`dmesg -T`, whatever the language); `[2024-…T…,123456+01:00]` is `dmesg --time-format iso`, without brackets.
pub(super) fn dmesg(text: &str) -> Option<(Option<Moment>, &str)> {
    let mut cursor = Cursor::new(text);
    cursor.literal("[")?;
    let _ = cursor.blanks();
    let mut since = cursor;
    let seconds = |cursor: &mut Cursor<'_>| {
        let digits = cursor.rest.split_once('.')?.1.bytes().take_while(u8::is_ascii_digit).count();
        let since = time::seconds(cursor).filter(|_| digits == 6)?;
        cursor.literal("]")?;
        Some(Moment::Since(since))
    };
    let at = match seconds(&mut since) {
        Some(at) => {
            cursor = since;
            Some(at)
        }
        None => {
            // The longest weekday and month are a few bytes of other scripts.
            let end = cursor.rest.bytes().take(48).position(|byte| byte == b']')?;
            let at = time::ctime(cursor.rest.get(..end)?)?;
            cursor.rest = cursor.rest.get(end + 1..)?;
            at
        }
    };
    let mut caller = cursor;
    let named = |caller: &mut Cursor<'_>| {
        caller.literal("[")?;
        let _ = caller.blanks();
        caller.any_of(&['T', 'C'])?;
        caller.number(1, 10)?;
        caller.literal("]")
    };
    if named(&mut caller).is_some() {
        cursor = caller;
    }
    Some((at, cursor.rest.strip_prefix(' ').unwrap_or(cursor.rest)))
}

/// `<6>` of `dmesg -r` and of raw syslog.
pub(super) fn priority(text: &str) -> Option<&str> {
    let mut cursor = Cursor::new(text);
    cursor.literal("<")?;
    cursor.number(1, 3).filter(|priority| *priority < 192)?;
    cursor.literal(">")?;
    Some(cursor.rest)
}

/// `/dev/kmsg`: `6,1234,123456789,-;line`, microseconds since the start, perhaps with further fields before the
/// semicolon.
pub(super) fn kmsg(text: &str) -> Option<(Moment, &str)> {
    let mut cursor = Cursor::new(text);
    cursor.number(1, 4)?;
    cursor.literal(",")?;
    cursor.number(1, 19)?;
    cursor.literal(",")?;
    let since = i64::try_from(cursor.number(1, 18)?).ok()?;
    cursor.literal(",")?;
    let (flags, line) = cursor.rest.split_once(';')?;
    let plain = flags.len() < 64 && flags.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-+,=".contains(&byte));
    plain.then_some((Moment::Since(SignedDuration::from_micros(since)), line))
}

/// `kern  :err   : [ …` of `dmesg -x`.
pub(super) fn decoded(text: &str) -> Option<&str> {
    let (facility, rest) = text.split_once(':')?;
    let (level, rest) = rest.split_once(": ")?;
    let known = ["kern", "user", "daemon", "syslog"].contains(&facility.trim_end());
    let levels = ["emerg", "alert", "crit", "err", "warn", "notice", "info", "debug"];
    (known && levels.contains(&level.trim_end())).then_some(rest)
}
