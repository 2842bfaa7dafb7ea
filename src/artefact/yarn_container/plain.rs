//! A text as its program wrote it, under what mails, web pages and JSON make of it.

/// A text without escapes, and where its lines come from.
#[derive(Debug, Default)]
pub(super) struct Plain {
    /// The text.
    pub text: String,
    /// Places in it, in order, and those of the raw text that they come from.
    marks: Vec<(usize, usize)>,
}

/// What is done with blanks and line breaks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Blanks {
    /// They stay.
    Kept,
    /// They are left out, so that a sentence reads the same however it was wrapped.
    Dropped,
}

/// Elements of HTML that stand for a blank or for nothing.
const TAGS: [&str; 12] = ["br", "p", "div", "span", "li", "td", "pre", "code", "em", "strong", "b", "i"];
/// An element's tag is no longer.
const LONGEST_TAG: usize = 100;

impl Plain {
    /// Takes a part of a text, from an offset on.
    pub fn of(raw: &str, from: usize, to: usize, blanks: Blanks) -> Plain {
        let mut plain = Plain::default();
        let Some(part) = raw.get(from..to) else { return plain };
        plain.text.reserve(part.len());
        let mut rest = part;
        // Whether `from` is the start of a line does not matter: what is taken off stands before no sentence.
        let mut at_start = true;
        while let Some(c) = rest.chars().next() {
            let offset = from + (part.len() - rest.len());
            if at_start {
                plain.marks.push((plain.text.len(), offset));
                at_start = false;
                let bare = without_quoting(rest);
                if bare.len() != rest.len() {
                    rest = bare;
                    continue;
                }
            }
            let (meant, taken) = meaning(rest, c);
            rest = rest.get(taken.max(1)..).unwrap_or_default();
            match meant {
                Some(c) if c.is_whitespace() && blanks == Blanks::Dropped => at_start = c == '\n',
                Some('`') if blanks == Blanks::Dropped => {}
                Some(c) => {
                    plain.text.push(c);
                    at_start = c == '\n';
                }
                None => {}
            }
        }
        plain
    }

    /// Where the line that a place belongs to starts in the raw text.
    pub fn raw(&self, place: usize) -> usize {
        let after = self.marks.partition_point(|(plain, _)| *plain <= place);
        after.checked_sub(1).and_then(|at| self.marks.get(at)).map_or(0, |(_, raw)| *raw)
    }
}

/// The rest of a line behind the marks of a quotation or a comment.
fn without_quoting(line: &str) -> &str {
    let mut rest = line;
    loop {
        let bare = rest.trim_start_matches([' ', '\t']);
        let next = if let Some(next) = bare.strip_prefix('>').or_else(|| bare.strip_prefix("//")) {
            next
        } else if let Some(next) = bare.strip_prefix("# ").or_else(|| bare.strip_prefix("* ")) {
            next
        } else {
            return rest;
        };
        rest = next;
    }
}

/// The letter that a text begins with, none where it stands for nothing, and how many bytes it takes.
fn meaning(rest: &str, c: char) -> (Option<char>, usize) {
    let whole = (Some(c), c.len_utf8());
    match c {
        '\\' => escaped(rest),
        '&' => entity(rest).unwrap_or(whole),
        '<' => tag(rest).unwrap_or(whole),
        // Quoted-printable. `=20` is left where it may be a number.
        '=' if rest.starts_with("=3D") => (Some('='), 3),
        '=' if rest.starts_with("=\n") => (None, 2),
        '=' if rest.starts_with("=20\n") => (Some(' '), 4),
        // rsyslog.
        '#' if rest.starts_with("#012") => (Some('\n'), 4),
        '#' if rest.starts_with("#011") => (Some('\t'), 4),
        '\u{a0}' | '\u{3000}' | '\u{2002}'..='\u{200a}' => (Some(' '), c.len_utf8()),
        '\u{200b}'..='\u{200d}' | '\u{feff}' | '\u{ad}' => (None, c.len_utf8()),
        '‘' | '’' | '′' => (Some('\''), c.len_utf8()),
        '“' | '”' => (Some('"'), c.len_utf8()),
        '：' => (Some(':'), c.len_utf8()),
        '；' => (Some(';'), c.len_utf8()),
        '，' => (Some(','), c.len_utf8()),
        '。' => (Some('.'), c.len_utf8()),
        '（' => (Some('('), c.len_utf8()),
        '）' => (Some(')'), c.len_utf8()),
        '【' | '［' => (Some('['), c.len_utf8()),
        '】' | '］' => (Some(']'), c.len_utf8()),
        _ => whole,
    }
}

/// JSON's escapes and Markdown's.
fn escaped(rest: &str) -> (Option<char>, usize) {
    match rest.as_bytes().get(1) {
        Some(b'n') => (Some('\n'), 2),
        Some(b'r') => (None, 2),
        Some(b't') => (Some('\t'), 2),
        Some(b'u') => {
            let code = rest.get(2..6).and_then(|digits| u32::from_str_radix(digits, 16).ok());
            code.and_then(char::from_u32).map_or((Some('\\'), 1), |c| (Some(c), 6))
        }
        Some(byte) if byte.is_ascii_punctuation() => (None, 1),
        // Markdown's forced line break, or the end.
        Some(b'\n') | None => (None, 1),
        Some(_) => (Some('\\'), 1),
    }
}

fn entity(rest: &str) -> Option<(Option<char>, usize)> {
    let end = rest.bytes().take(9).position(|byte| byte == b';')?;
    let name = rest.get(1..end)?;
    let c = match name {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        _ => {
            let code = name.strip_prefix('#')?;
            let code = match code.strip_prefix(['x', 'X']) {
                Some(digits) => u32::from_str_radix(digits, 16).ok()?,
                None => code.parse().ok()?,
            };
            char::from_u32(code).map(|c| if c == '\u{a0}' { ' ' } else { c })?
        }
    };
    Some((Some(c), end + 1))
}

fn tag(rest: &str) -> Option<(Option<char>, usize)> {
    let end = rest.bytes().take(LONGEST_TAG).position(|byte| byte == b'>')?;
    let inner = rest.get(1..end)?.trim_start_matches('/');
    let name = inner.split(|c: char| !c.is_ascii_alphanumeric()).next()?;
    let name = TAGS.into_iter().find(|tag| tag.eq_ignore_ascii_case(name))?;
    let meant = match name {
        "br" | "p" | "div" | "li" => Some('\n'),
        "td" => Some(' '),
        _ => None,
    };
    Some((meant, end + 1))
}
