//! Lines that are JSON, or that hold text as JSON writes it.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::cursor::Cursor;
use super::{syslog, time};
use crate::artefact::excerpt::Moment;

/// What a line of JSON records.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) at: Option<Moment>,
    /// One line or several.
    pub(super) text: String,
    /// Whether the next of the same stream goes on with it.
    pub(super) partial: bool,
    pub(super) error: bool,
}

/// Docker's json-file, journald's export, forwarders, log4j2's JsonLayout, ECS and Logstash. `None` for any other JSON.
pub(super) fn record(text: &str) -> Option<Record> {
    let text = text.trim();
    let known = ["\"log\"", "\"MESSAGE\"", "\"message\"", "\"short_message\""];
    if !text.starts_with('{') || !text.ends_with('}') || !known.iter().any(|key| text.contains(key)) {
        return None;
    }
    let Ok(Value::Object(fields)) = serde_json::from_str(text) else { return None };
    docker(&fields).or_else(|| journald(&fields)).or_else(|| forwarded(&fields)).or_else(|| event(fields))
}

fn string<'v>(fields: &'v Map<String, Value>, key: &str) -> Option<&'v str> {
    fields.get(key)?.as_str()
}

fn docker(fields: &Map<String, Value>) -> Option<Record> {
    let line = string(fields, "log")?;
    let at = string(fields, "time").or_else(|| string(fields, "@timestamp")).and_then(moment);
    let error = string(fields, "stream") == Some("stderr");
    if at.is_none() && !fields.contains_key("stream") && !fields.contains_key("kubernetes") {
        return None;
    }
    // Docker cuts a line at 16 KiB; what forwards its files has dropped the line's end.
    let whole = line.ends_with('\n') || line.len() < 16 << 10;
    Some(Record { at, text: line.trim_end_matches(['\r', '\n']).to_owned(), partial: !whole, error })
}

fn journald(fields: &Map<String, Value>) -> Option<Record> {
    let message = match fields.get("MESSAGE")? {
        Value::String(message) => message.clone(),
        // What is no UTF-8 or has control characters stands as its bytes.
        Value::Array(bytes) => {
            let bytes: Vec<u8> = bytes.iter().filter_map(|byte| u8::try_from(byte.as_u64()?).ok()).collect();
            String::from_utf8_lossy(&bytes).into_owned()
        }
        _ => return None,
    };
    let at = string(fields, "__REALTIME_TIMESTAMP").and_then(syslog::microseconds);
    let program = string(fields, "SYSLOG_IDENTIFIER").or_else(|| string(fields, "_COMM"));
    let text = match (program, string(fields, "_PID").or_else(|| string(fields, "SYSLOG_PID"))) {
        (None | Some("kernel"), _) => message,
        (Some(program), Some(pid)) => format!("{program}[{pid}]: {message}"),
        (Some(program), None) => format!("{program}: {message}"),
    };
    Some(Record { at, text, partial: false, error: false })
}

/// Fields of an event beside what it says: who and where in the program, not what happened.
const ASIDE: [&str; 34] = [
    "@timestamp",
    "@version",
    "time",
    "timestamp",
    "timeMillis",
    "instant",
    "nanoTime",
    "date",
    "ecs.version",
    "ecs",
    "endOfBatch",
    "loggerFqcn",
    "thread",
    "threadId",
    "threadPriority",
    "thread_name",
    "thread_id",
    "thread_priority",
    "level_value",
    "contextMap",
    "contextStack",
    "mdc",
    "process",
    "process.thread.name",
    "service",
    "service.name",
    "event",
    "event.dataset",
    "log.origin",
    "stream",
    "source",
    "version",
    "host",
    "tags",
];

/// Fields that a forwarder of log files puts around a line of which it knows no more.
const FORWARDED: [&str; 15] = [
    "kubernetes",
    "agent",
    "log",
    "input",
    "fields",
    "container",
    "cloud",
    "docker",
    "orchestrator",
    "beat",
    "prospector",
    "offset",
    "type",
    "file",
    "_p",
];

/// A line of a file as Filebeat, Fluentd and Vector store it: its time of collection, the line, where it is from.
fn forwarded(fields: &Map<String, Value>) -> Option<Record> {
    let at = moment(string(fields, "@timestamp")?);
    let text = string(fields, "message")?.trim_end_matches(['\r', '\n']).to_owned();
    let is_aside = |key: &str| key == "message" || ASIDE.contains(&key) || FORWARDED.contains(&key);
    let from = ["agent", "kubernetes", "input", "beat", "prospector", "container", "docker"];
    let known = from.iter().any(|key| fields.contains_key(*key)) && fields.keys().all(|key| is_aside(key));
    known.then_some(Record { at, text, partial: false, error: false })
}

/// What a logging library writes: level, logger and message as Flink's own layout has them, then the stack trace.
fn event(mut fields: Map<String, Value>) -> Option<Record> {
    let text_of = |fields: &mut Map<String, Value>, keys: &[&str]| {
        let key = keys.iter().find(|key| fields.get(**key).is_some_and(Value::is_string))?;
        fields.remove(*key)?.as_str().map(str::to_owned)
    };
    let at = ["@timestamp", "timestamp", "time", "date"].iter().find_map(|key| moment(string(&fields, key)?));
    let at = at.or_else(|| {
        let instant = fields.get("instant")?;
        let seconds = instant.get("epochSecond")?.as_i64()?;
        let nanoseconds = i32::try_from(instant.get("nanoOfSecond")?.as_i64()?).ok()?;
        jiff::Timestamp::new(seconds, nanoseconds).ok().map(Moment::Zoned)
    });
    let milliseconds = || jiff::Timestamp::from_millisecond(fields.get("timeMillis")?.as_i64()?).ok();
    let at = at.or_else(|| milliseconds().map(Moment::Zoned));
    // ECS has its fields nested or with dots in their names.
    if let Some(Value::Object(log)) = fields.get_mut("log") {
        let nested = [("level", log.remove("level")), ("logger", log.remove("logger"))];
        if log.keys().all(|key| key == "origin" || key == "file") {
            fields.remove("log");
        }
        fields.extend(nested.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))));
    }
    let level = text_of(&mut fields, &["level", "log.level", "severity", "levelname"]);
    let logger = text_of(&mut fields, &["loggerName", "logger_name", "log.logger", "logger"]);
    if at.is_none() && (level.is_none() || logger.is_none()) || level.is_none() && logger.is_none() {
        return None;
    }
    let message = text_of(&mut fields, &["message", "full_message", "short_message"])?;
    let mut text = String::new();
    for (part, behind) in [(level, " "), (logger, " - ")] {
        if let Some(part) = part {
            let _ = write!(text, "{part}{behind}");
        }
    }
    text.push_str(&message);
    for key in ["thrown", "error", "exception"] {
        if let Some(thrown) = fields.get(key).and_then(Value::as_object).and_then(|thrown| stack_trace(thrown, 0)) {
            text.push('\n');
            text.push_str(&thrown);
            fields.remove(key);
        }
    }
    let flat = [text_of(&mut fields, &["error.type"]), text_of(&mut fields, &["error.message"])];
    let trace = text_of(
        &mut fields,
        &["error.stack_trace", "stack_trace", "stackTrace", "stacktrace", "exception", "throwable", "thrown"],
    );
    match trace {
        Some(trace) => text = format!("{text}\n{trace}"),
        None => {
            let said: Vec<String> = flat.into_iter().flatten().collect();
            if !said.is_empty() {
                text = format!("{text}\n{}", said.join(": "));
            }
        }
    }
    for key in ASIDE {
        fields.remove(key);
    }
    if !fields.is_empty() {
        let _ = write!(text, "\n{}", Value::Object(fields));
    }
    Some(Record { at, text, partial: false, error: false })
}

/// A Throwable as log4j2 (`name`, `message`, `extendedStackTrace`, `cause`) or ECS (`type`, `message`, `stack_trace`)
/// write it.
fn stack_trace(thrown: &Map<String, Value>, depth: usize) -> Option<String> {
    let trace =
        ["stack_trace", "extendedStackTrace", "stacktrace", "stackTrace"].iter().find_map(|key| thrown.get(*key));
    if let Some(Value::String(trace)) = trace {
        return Some(trace.clone());
    }
    let name = ["name", "type", "class", "exception_class"].iter().find_map(|key| string(thrown, key))?;
    let mut text = name.to_owned();
    let message = ["message", "localizedMessage", "exception_message"].iter().find_map(|key| string(thrown, key));
    if let Some(message) = message {
        let _ = write!(text, ": {message}");
    }
    for frame in trace.and_then(Value::as_array).into_iter().flatten() {
        let part = |key| frame.get(key).and_then(Value::as_str).unwrap_or("?");
        let line = frame.get("line").and_then(Value::as_i64).unwrap_or(-1);
        let _ = write!(text, "\n\tat {}.{}({}:{line})", part("class"), part("method"), part("file"));
    }
    let cause = thrown.get("cause").and_then(Value::as_object).filter(|_| depth < 16);
    if let Some(cause) = cause.and_then(|cause| stack_trace(cause, depth + 1)) {
        let _ = write!(text, "\nCaused by: {cause}");
    }
    Some(text)
}

fn moment(text: &str) -> Option<Moment> {
    time::date_time(&mut Cursor::new(text))
}

/// A line that is one string of an array, or an array of strings: what they say.
pub(super) fn strings(text: &str) -> Option<String> {
    let text = text.trim();
    let text = text.strip_suffix(',').unwrap_or(text);
    if text.starts_with("[\"") {
        return serde_json::from_str::<Vec<String>>(text).ok().map(|lines| lines.join("\n"));
    }
    let inside = text.strip_prefix('"')?.strip_suffix('"')?;
    (closing_quote(text.get(1..)?)? == inside.len()).then(|| unescaped(inside))
}

/// Under these names stands what a program said.
const SAID: [&str; 18] = [
    "message",
    "root-exception",
    "exceptionName",
    "stacktrace",
    "stackTrace",
    "stack_trace",
    "stack-trace",
    "exception",
    "error",
    "errors",
    "log",
    "msg",
    "reason",
    "diagnostics",
    "details",
    "output",
    "cause",
    "MESSAGE",
];

/// A line with the strings in it that hold what a program said written out, over several lines where they have several.
/// `None` where there is none. Strings in them are written out too, so many deep.
pub(super) fn written_out(text: &str, depth: u8) -> Option<String> {
    if depth == 0 || !text.contains('\\') || !text.contains('"') || !text.contains(':') {
        return None;
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut key = "";
    let mut found = false;
    while let Some((before, after)) = rest.split_once('"') {
        out.push_str(before);
        out.push('"');
        // A line that was cut has no closing quote.
        let end = closing_quote(after).unwrap_or(after.len());
        let (inside, behind) = after.split_at_checked(end)?;
        let is_key = behind.strip_prefix('"').is_some_and(|behind| behind.trim_start().starts_with(':'));
        if is_key {
            key = inside;
        }
        if !is_key && inside.contains('\\') && (SAID.contains(&key) || inside.contains("\\n\\tat ")) {
            let said = unescaped(inside);
            out.push_str(&written_out(&said, depth - 1).unwrap_or(said));
            found = true;
        } else {
            out.push_str(inside);
        }
        rest = match behind.strip_prefix('"') {
            Some(behind) => {
                out.push('"');
                behind
            }
            None => behind,
        };
    }
    out.push_str(rest);
    found.then_some(out)
}

/// Where a string ends that starts here.
fn closing_quote(text: &str) -> Option<usize> {
    let mut from = 0;
    loop {
        let at = from + memchr::memchr2(b'"', b'\\', text.as_bytes().get(from..)?)?;
        if text.as_bytes().get(at) == Some(&b'"') {
            return Some(at);
        }
        from = at + 2;
    }
}

/// JSON's escapes replaced; what is none stays.
fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        let mut characters = after.chars();
        let character = match characters.next() {
            Some('n') => Some('\n'),
            Some('t') => Some('\t'),
            Some('r') => Some('\r'),
            Some('b' | 'f') => Some(' '),
            Some(itself @ ('"' | '\\' | '/')) => Some(itself),
            Some('u') => {
                let (character, length) = unicode(after).unwrap_or((char::REPLACEMENT_CHARACTER, 1));
                characters = after.get(length..).unwrap_or_default().chars();
                Some(character)
            }
            _ => None,
        };
        match character {
            Some(character) => {
                out.push(character);
                rest = characters.as_str();
            }
            None => {
                out.push('\\');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

/// `u0027`, or a pair `ud83d\ude00`: the character and how long it is written.
fn unicode(text: &str) -> Option<(char, usize)> {
    let unit = |at: usize| u16::from_str_radix(text.get(at..at + 4)?, 16).ok();
    let first = unit(1)?;
    if let Some(character) = char::from_u32(u32::from(first)) {
        return Some((character, 5));
    }
    let second = unit(7).filter(|_| text.get(5..7) == Some("\\u"))?;
    char::decode_utf16([first, second]).next()?.ok().map(|character| (character, 11))
}
