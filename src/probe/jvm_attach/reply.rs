//! What a JVM answers.

use std::borrow::Cow;

use thiserror::Error;

/// A reply: a decimal line, then text until the JVM closes the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply<'a> {
    /// 0 where the command was done; 101 where the JVM does not speak the protocol's version.
    pub code: i32,
    /// What it printed. What is not UTF-8 is replaced.
    pub text: Cow<'a, str>,
}

/// Why bytes are no reply.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BadReply {
    /// The connection was closed at once: the JVM does so with one whose user and group are not its own.
    #[error("the JVM closed the connection without an answer, as it does with another user or group")]
    Empty,
    /// No number where the code should be.
    #[error("the answer does not begin with a number: this is no HotSpot JVM's socket")]
    NoCode,
}

/// `-2147483648` and the end of its line.
const LONGEST_CODE: usize = 12;

impl Reply<'_> {
    /// Reads a reply.
    ///
    /// # Errors
    ///
    /// Where it does not begin with a line of a number.
    pub fn parse(bytes: &[u8]) -> Result<Reply<'_>, BadReply> {
        if bytes.is_empty() {
            return Err(BadReply::Empty);
        }
        let end = bytes.iter().take(LONGEST_CODE).position(|byte| *byte == b'\n').ok_or(BadReply::NoCode)?;
        let (code, text) = bytes.split_at(end);
        let code = std::str::from_utf8(code).ok().and_then(|code| code.parse().ok()).ok_or(BadReply::NoCode)?;
        Ok(Reply { code, text: String::from_utf8_lossy(text.get(1..).unwrap_or_default()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_and_a_text_are_told_apart() {
        assert_eq!(Reply::parse(b"0\nTotal\n"), Ok(Reply { code: 0, text: "Total\n".into() }));
        assert_eq!(Reply::parse(b"-1\n"), Ok(Reply { code: -1, text: "".into() }));
        assert_eq!(Reply::parse(b"101\nx\xff").map(|reply| reply.text), Ok("x\u{fffd}".into()));
    }

    #[test]
    fn what_is_no_reply_is_told_why() {
        assert_eq!(Reply::parse(b""), Err(BadReply::Empty));
        assert_eq!(Reply::parse(b"0"), Err(BadReply::NoCode));
        assert_eq!(Reply::parse(b"HTTP/1.1 400 Bad Request\r\n"), Err(BadReply::NoCode));
        assert_eq!(Reply::parse(b"99999999999\n"), Err(BadReply::NoCode));
    }
}
