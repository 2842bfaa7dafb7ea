//! Tabs that snakeyaml-engine refuses and other parsers take for white space: it lets them stand inside of scalars and
//! comments and behind plain scalars, and nowhere else.

use std::ops::Range;

use granit_parser::ScalarStyle;

/// Where a scalar stands in the text and how it is written.
#[derive(Clone, Debug)]
pub struct ScalarSpan {
    /// Its bytes.
    pub bytes: Range<usize>,
    /// Its style.
    pub style: ScalarStyle,
}

/// The first tab that must not be there. The scalars are in the order of the text.
pub fn first_stray(text: &str, scalars: &[ScalarSpan]) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut scalars = scalars.iter().peekable();
    let mut at = 0;
    while at < bytes.len() {
        if let Some(scalar) = scalars.next_if(|scalar| scalar.bytes.start <= at) {
            let end = scalar.bytes.end.max(at);
            at = match scalar.style {
                ScalarStyle::Plain => {
                    if let Some(stray) = in_continuation(text, at..end) {
                        return Some(stray);
                    }
                    end + blanks(&bytes[end.min(bytes.len())..])
                }
                _ => end,
            };
            continue;
        }
        match bytes[at] {
            b'\t' => return Some(at),
            b'#' if at == 0 || matches!(bytes[at - 1], b' ' | b'\t' | b'\n' | b'\r') => {
                at += bytes[at..].iter().position(|b| *b == b'\n').unwrap_or(bytes.len() - at);
            }
            _ => at += 1,
        }
    }
    None
}

/// A tab before the first letter of a plain scalar's second or later line.
fn in_continuation(text: &str, range: Range<usize>) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut indenting = false;
    for at in range {
        match bytes[at] {
            b'\n' | b'\r' => indenting = true,
            b'\t' if indenting => return Some(at),
            b' ' => {}
            _ => indenting = false,
        }
    }
    None
}

fn blanks(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|b| matches!(b, b' ' | b'\t')).count()
}
