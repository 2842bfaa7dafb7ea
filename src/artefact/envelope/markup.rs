//! What pages, documents and source code do to a text.

use std::borrow::Cow;

/// A line with HTML's character references replaced, once.
pub(super) fn without_entities(text: Cow<'_, str>) -> Cow<'_, str> {
    if !text.contains('&') || !text.contains(';') {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_ref();
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let end = after.bytes().take(10).position(|byte| byte == b';');
        match end.and_then(|end| Some((entity(after.get(..end)?)?, after.get(end + 1..)?))) {
            Some((character, behind)) => {
                out.push(character);
                rest = behind;
            }
            None => {
                out.push('&');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// A line with HTML's line breaks as line feeds; one at its end is the line's own.
pub(super) fn without_breaks(text: Cow<'_, str>) -> Cow<'_, str> {
    const BREAKS: [&str; 3] = ["<br>", "<br/>", "<br />"];
    if !text.contains("<br") {
        return text;
    }
    let mut out = text.into_owned();
    for words in BREAKS {
        out = out.replace(words, "\n");
    }
    out.truncate(out.trim_end().len());
    Cow::Owned(out)
}

fn entity(name: &str) -> Option<char> {
    let numbered = |digits: &str, radix| u32::from_str_radix(digits, radix).ok().and_then(char::from_u32);
    match name {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "nbsp" => Some(' '),
        _ => {
            let number = name.strip_prefix('#')?;
            let character = match number.strip_prefix(['x', 'X']) {
                Some(hexadecimal) => numbered(hexadecimal, 16),
                None => numbered(number, 10),
            };
            // No new lines and no escape sequences.
            character.filter(|character| !character.is_control())
        }
    }
}

/// Characters that Markdown writers put a backslash before, and that stand in every log.
const ESCAPED: [u8; 7] = [b'_', b'[', b']', b'*', b'<', b'>', b'|'];

/// How often underscores and brackets stand with a backslash and without.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Escapes {
    underscores: [usize; 2],
    brackets: [usize; 2],
}

impl Escapes {
    pub(super) fn count(&mut self, line: &[u8]) {
        for at in memchr::memchr3_iter(b'_', b'[', b']', line) {
            let escaped = at.checked_sub(1).and_then(|before| line.get(before)) == Some(&b'\\');
            let counts = if line.get(at) == Some(&b'_') { &mut self.underscores } else { &mut self.brackets };
            let [bare, with] = counts;
            *(if escaped { with } else { bare }) += 1;
        }
    }

    /// Where most of one kind are escaped, a program did it.
    pub(super) fn show_markdown(self) -> bool {
        [self.underscores, self.brackets].iter().any(|[bare, escaped]| *escaped > 1 && escaped >= bare)
    }
}

/// A line with Markdown's backslashes taken off.
pub(super) fn without_escapes(text: Cow<'_, str>) -> Cow<'_, str> {
    if !text.contains('\\') {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_ref();
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        if !after.bytes().next().is_some_and(|next| ESCAPED.contains(&next)) {
            out.push('\\');
        }
        // What follows, a backslash too, stands for itself.
        let next = after.chars().next();
        out.extend(next);
        rest = after.get(next.map_or(0, char::len_utf8)..).unwrap_or_default();
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// What a comment's line starts with, behind its indentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CommentMark(&'static str);

impl CommentMark {
    pub(super) const ALL: [CommentMark; 2] = [CommentMark("//"), CommentMark("#")];

    /// Whether a line starts with it and a blank, or is nothing else.
    pub(super) fn starts(self, line: &[u8]) -> bool {
        let rest = line.trim_ascii_start().strip_prefix(self.0.as_bytes());
        rest.is_some_and(|rest| matches!(rest.trim_ascii_end(), [] | [b' ' | b'\t', ..]))
    }

    /// Whether a line that starts with it is that of a format of its own: a JVM's fatal error, metrics.
    pub(super) fn belongs_to(self, line: &[u8]) -> bool {
        let known =
            ["Java Runtime Environment", "JRE version", "# HELP ", "# TYPE ", "problematic frame", "hs_err_pid"];
        self.0 == "#" && known.iter().any(|known| memchr::memmem::find(line, known.as_bytes()).is_some())
    }

    pub(super) fn take_off(self, line: &str) -> &str {
        let rest = line.trim_start().strip_prefix(self.0).unwrap_or(line);
        rest.strip_prefix(' ').unwrap_or(rest)
    }
}
