//! What container runtimes and their tools put before a line.

use super::cursor::Cursor;
use super::time;
use crate::artefact::excerpt::Moment;

/// A line of the files that the kubelet keeps (CRI, of containerd and cri-o): `TIME stdout F line`, `P` where it goes
/// on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cri<'t> {
    pub(super) at: Option<Moment>,
    /// Whether the next of the same stream goes on with it.
    pub(super) partial: bool,
    /// Whether it went to standard error.
    pub(super) error: bool,
    pub(super) line: &'t str,
}

pub(super) fn cri(text: &str) -> Option<Cri<'_>> {
    let mut cursor = Cursor::new(text);
    let at = time::date_time(&mut cursor)?;
    cursor.literal(" ")?;
    let error = match cursor.word()? {
        "stdout" => false,
        "stderr" => true,
        _ => return None,
    };
    cursor.literal(" ")?;
    // Tags are joined by colons; the first says whether the line is whole.
    let partial = match cursor.word()?.split(':').next()? {
        "F" => false,
        "P" => true,
        _ => return None,
    };
    // An empty line has no blank behind its tag in some versions.
    let line = cursor.rest.strip_prefix(' ').unwrap_or(cursor.rest);
    Some(Cri { at: Some(at), partial, error, line })
}

/// `kubectl logs --timestamps`, `docker logs -t`: a time with its zone and nine digits behind the second, and a blank.
pub(super) fn timestamped(text: &str) -> Option<(Moment, &str)> {
    let mut cursor = Cursor::new(text);
    let at = time::date_time(&mut cursor)?;
    let written = text.get(..text.len() - cursor.rest.len())?;
    // Nine digits where a program's own log has three or six; trailing zeros are dropped.
    let digits = written.split_once('.')?.1.bytes().take_while(u8::is_ascii_digit).count();
    if !matches!(at, Moment::Zoned(_)) || !(7..=9).contains(&digits) || written.get(10..11) != Some("T") {
        return None;
    }
    if !cursor.rest.is_empty() {
        cursor.literal(" ")?;
    }
    Some((at, cursor.rest))
}

/// `kubectl logs --prefix`: `[pod/NAME/CONTAINER] line`.
pub(super) fn prefixed(text: &str) -> Option<&str> {
    let mut cursor = Cursor::new(text);
    cursor.literal("[pod/")?;
    let name = cursor.until(']')?;
    (!name.contains([' ', '\t']) && name.contains('/')).then_some(cursor.rest.strip_prefix(' ').unwrap_or(cursor.rest))
}

/// docker compose: `service-1  | line`.
pub(super) fn compose(text: &str) -> Option<&str> {
    let (name, line) = text.split_once('|')?;
    let service = name.trim_end_matches(' ');
    let named = service.starts_with(|first: char| first.is_ascii_alphanumeric())
        && service.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
    (named && service.len() < name.len()).then_some(line.strip_prefix(' ').unwrap_or(line))
}
