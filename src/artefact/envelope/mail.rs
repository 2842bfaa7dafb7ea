//! What mail does to a text.

/// Takes quoted-printable (RFC 2045) back. The second is true where the line goes on with the next one.
pub(super) fn quoted_printable(line: &[u8]) -> (Vec<u8>, bool) {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let trimmed = line.trim_ascii_end();
    let (line, soft) = trimmed.strip_suffix(b"=").map_or((line, false), |start| (start, true));
    let mut out = Vec::with_capacity(line.len());
    let mut rest = line;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        let byte = match (first, after) {
            (b'=', [high, low, ..]) => hexadecimal(*high).zip(hexadecimal(*low)).map(|(high, low)| high << 4 | low),
            _ => None,
        };
        if byte.is_some() {
            rest = after.get(2..).unwrap_or_default();
        }
        out.push(byte.unwrap_or(*first));
    }
    (out, soft)
}

fn hexadecimal(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok()).filter(|_| !digit.is_ascii_lowercase())
}

/// How the equals signs of a text stand: all of them, those that start a code or end a line, and how many `=3D` there
/// are.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct EqualsSigns {
    all: usize,
    coded: usize,
    themselves: usize,
}

impl EqualsSigns {
    pub(super) fn count(&mut self, line: &[u8]) {
        let line = line.trim_ascii_end();
        for at in memchr::memchr_iter(b'=', line) {
            self.all += 1;
            match line.get(at + 1..).unwrap_or_default() {
                [] => self.coded += 1,
                [high, low, ..] if hexadecimal(*high).is_some() && hexadecimal(*low).is_some() => {
                    self.coded += 1;
                    self.themselves += usize::from([*high, *low] == *b"3D");
                }
                _ => {}
            }
        }
    }

    /// In quoted-printable no equals sign stands for itself; what a mail has before its text may.
    pub(super) fn show_quoted_printable(self) -> bool {
        self.themselves > 0 && (self.coded == self.all || self.themselves > 1 && self.coded * 5 >= self.all * 4)
    }
}

/// A line without the marks of a quotation, one or several deep.
pub(super) fn unquoted(line: &str) -> &str {
    let mut rest = line;
    while let Some(inside) = rest.strip_prefix('>') {
        rest = inside.strip_prefix(' ').unwrap_or(inside);
    }
    rest
}
