//! Where in a text the secrets stand.

use std::ops::Range;

use super::names;

/// Beginnings of tokens that say what they are: GitHub, GitLab, Slack, Google, Databricks, Stripe. Behind each, as many more
/// bytes as make a token at least.
const TOKENS: [(&str, usize); 11] = [
    ("ghp_", 20),
    ("gho_", 20),
    ("ghs_", 20),
    ("github_pat_", 20),
    ("glpat-", 16),
    ("xoxb-", 16),
    ("xoxp-", 16),
    ("AIza", 30),
    ("ya29.", 20),
    ("dapi", 30),
    ("sk_live_", 16),
];

/// Finds secrets, given which names stand before one.
pub(super) struct Places<'p> {
    pub is_secret: &'p dyn Fn(&str) -> bool,
}

impl Places<'_> {
    fn names_secret(&self, name: &[u8]) -> bool {
        let Ok(name) = std::str::from_utf8(name) else { return false };
        let name = name.strip_prefix("-D").unwrap_or(name).trim_start_matches(['-', '.', '_']);
        let is_harmless =
            name.is_empty() || name.ends_with(".jar") || names::MEMORY.iter().any(|memory| name.starts_with(memory));
        !is_harmless && ((self.is_secret)(name) || names::is_secret(name))
    }

    /// The secret in a word that follows a flag of its own: `--password x`, `--user name:x`.
    pub(super) fn of_flag(&self, before: &[u8], word: &[u8]) -> Option<Range<usize>> {
        if word.starts_with(b"-") {
            return None;
        }
        if takes_user(before) {
            let colon = word.iter().position(|byte| *byte == b':')?;
            return Some(colon + 1..word.len());
        }
        self.is_flag(before).then_some(0..word.len())
    }

    /// Whether a word is an option that takes the next word for its value. `-Dname` alone is a property without one.
    fn is_flag(&self, word: &[u8]) -> bool {
        let is_option = word.starts_with(b"-") && !word.starts_with(b"-D") && !word.starts_with(b"-X");
        is_option && word.iter().all(|byte| is_of_name(*byte)) && self.names_secret(word)
    }

    /// The value of a word that is one assignment: `-Dname=value`, `--name=value`, `name=value`.
    pub(super) fn of_assignment(&self, word: &[u8]) -> Option<Range<usize>> {
        let equals = word.iter().position(|byte| *byte == b'=')?;
        let name = &word[..equals];
        let is_name = name.iter().all(|byte| is_of_name(*byte)) && self.names_secret(name);
        is_name.then_some(equals + 1..word.len())
    }

    /// Everything in a text of any kind: options joined by blanks, a script, JSON. Values that begin in `known` are found
    /// already, one behind another, with their true ends.
    pub(super) fn of_text(&self, text: &[u8], known: &[Range<usize>]) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        self.of_names(text, known, &mut found);
        self.of_flags(text, known, &mut found);
        of_addresses(text, &mut found);
        of_shapes(text, &mut found);
        found
    }

    /// The values behind names, in a text of which nothing else is known.
    pub(super) fn of_assignments(&self, text: &[u8]) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        self.of_names(text, &[], &mut found);
        found
    }

    /// `name=value`, `name: value`, `"name":"value"`.
    fn of_names(&self, text: &[u8], known: &[Range<usize>], found: &mut Vec<Range<usize>>) {
        let mut values = Values { text, known, unclosed: [false; 3] };
        let mut at = 0;
        while let Some(next) = text[at..].iter().position(|byte| matches!(byte, b'=' | b':')) {
            let separator = at + next;
            at = separator + 1;
            let end = text[..separator].iter().rposition(|byte| !matches!(byte, b' ' | b'"' | b'\'' | b'\\'));
            // Between a name and its separator there is a quote, or a blank.
            let Some(end) = end.map(|last| last + 1).filter(|end| separator - end <= 3) else { continue };
            let start = text[..end].iter().rposition(|byte| !is_of_name(*byte)).map_or(0, |last| last + 1);
            let is_flag_of_jvm = text[..start].ends_with(b"-XX:");
            if is_flag_of_jvm || !self.names_secret(&text[start..end]) {
                continue;
            }
            let behind = &text[at..];
            let blanks = behind.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
            let value = at + blanks;
            let first = text.get(value).copied();
            // Between the parts of a path list there is a colon, too.
            let is_quoted = matches!(first, Some(b'"' | b'\'' | b'\\')) || separator > end;
            if text[separator] == b':' && blanks == 0 && !is_quoted {
                continue;
            }
            // Nothing was given, and what follows is the next option.
            if blanks > 0 && first == Some(b'-') {
                continue;
            }
            let value = values.value_at(value);
            at = at.max(value.end);
            found.push(value);
        }
    }

    /// `--name value`, `Bearer value`.
    fn of_flags(&self, text: &[u8], known: &[Range<usize>], found: &mut Vec<Range<usize>>) {
        let mut values = Values { text, known, unclosed: [false; 3] };
        let mut at = 0;
        while at < text.len() {
            let length = text[at..].iter().position(u8::is_ascii_whitespace).unwrap_or(text.len() - at);
            let (word, end) = (&text[at..at + length], at + length);
            let blanks = text[end..].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
            at = end + blanks.max(1);
            let first = text.get(end + blanks).copied();
            if word.is_empty() || blanks == 0 || first.is_none_or(|first| first == b'-') {
                continue;
            }
            let bare = word.trim_ascii_start();
            let bare = bare.iter().position(|byte| !matches!(byte, b'"' | b'\'')).map_or(bare, |start| &bare[start..]);
            if matches!(bare, b"Bearer" | b"Basic" | b"bearer") {
                let rest = &text[at..];
                let end = rest.iter().position(|byte| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\''));
                found.push(at..at + end.unwrap_or(rest.len()));
            } else if takes_user(bare) {
                let rest = &text[at..];
                let end = rest.iter().position(u8::is_ascii_whitespace).unwrap_or(rest.len());
                found.extend(rest[..end].iter().position(|byte| *byte == b':').map(|colon| at + colon + 1..at + end));
            } else if self.is_flag(bare) {
                let value = values.value_at(at);
                at = at.max(value.end);
                found.push(value);
            }
        }
    }
}

/// Options of curl and its like that take a name, a colon and a password.
fn takes_user(word: &[u8]) -> bool {
    matches!(word, b"-u" | b"--user" | b"-U" | b"--proxy-user")
}

fn is_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-')
}

/// The values of a text, asked for from its beginning to its end.
struct Values<'t> {
    text: &'t [u8],
    /// Values that are found already, one behind another.
    known: &'t [Range<usize>],
    /// For each quote of `QUOTES` whether the text has none any more that closes it: nobody has to look again.
    unclosed: [bool; 3],
}

const QUOTES: [&[u8]; 3] = [b"\\\"", b"\"", b"'"];

impl Values<'_> {
    /// The value that begins here: what is in quotes, else up to the next option or the end of the line. A value with a blank
    /// in it looks like two words: it is better to hide one word too many.
    fn value_at(&mut self, start: usize) -> Range<usize> {
        let text = self.text;
        let next = self.known.partition_point(|known| known.end <= start);
        if let Some(known) = self.known.get(next).filter(|known| known.contains(&start)) {
            return start..known.end;
        }
        let quote = QUOTES.into_iter().zip(&mut self.unclosed).find(|(quote, _)| text[start..].starts_with(quote));
        let Some((quote, unclosed)) = quote.filter(|(_, unclosed)| !**unclosed) else {
            return start..plain_end(text, start);
        };
        let mut at = start + quote.len();
        while at < text.len() {
            if text[at..].starts_with(quote) {
                let behind = text.get(at + quote.len()).copied();
                let goes_on =
                    behind.is_some_and(|byte| !byte.is_ascii_whitespace() && !b",}])>;&|\"\\".contains(&byte));
                // A shell puts what stands together into one word; in it, this is how a quote is written within quotes.
                let goes_on = goes_on || (quote == b"'" && text[at..].starts_with(b"'\"'\"'"));
                return if goes_on { start..plain_end(text, start).max(at) } else { start + quote.len()..at };
            }
            at += if text[at] == b'\\' && quote == b"\"" { 2 } else { 1 };
        }
        *unclosed = true;
        start..plain_end(text, start)
    }
}

fn plain_end(text: &[u8], start: usize) -> usize {
    let mut blank = false;
    for (at, byte) in text.iter().enumerate().skip(start) {
        match byte {
            b'\n' | b'\r' => return at,
            b'-' if blank => return last_of_value(text, start, at),
            _ => blank = byte.is_ascii_whitespace(),
        }
    }
    text.len()
}

/// Without the blanks before the next option.
fn last_of_value(text: &[u8], start: usize, end: usize) -> usize {
    let kept = text[start..end].iter().rposition(|byte| !byte.is_ascii_whitespace());
    kept.map_or(start, |last| start + last + 1)
}

/// Passwords in addresses: `scheme://user:password@host`, `user:password@host`, and a token in the user's place of a web
/// address.
pub(super) fn of_addresses(text: &[u8], found: &mut Vec<Range<usize>>) {
    let is_end = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b',' | b'<' | b'>');
    let mut at = 0;
    for word in text.split(is_end) {
        if word.contains(&b'@') {
            of_address(word, at, found);
        }
        at += word.len() + 1;
    }
}

fn of_address(word: &[u8], at: usize, found: &mut Vec<Range<usize>>) {
    let mut start = None;
    let mut rest = 0;
    // There may be several, one behind another.
    while let Some(next) = word[rest..].windows(SCHEME.len()).position(|part| part == SCHEME) {
        let scheme_end = rest + next;
        if let Some((start, is_web)) = start {
            found.extend(of_user(&word[start..scheme_end], at + start, is_web));
        }
        let is_web = [b"http".as_slice(), b"https"].iter().any(|known| word[..scheme_end].ends_with(known));
        rest = scheme_end + SCHEME.len();
        start = Some((rest, is_web));
    }
    match start {
        Some((start, is_web)) => found.extend(of_user(&word[start..], at + start, is_web)),
        None => found.extend(without_scheme(word).map(|range| at + range.start..at + range.end)),
    }
}

const SCHEME: &[u8] = b"://";

/// What is secret in what follows a scheme. Hosts and ports have no `@` behind them, but paths may.
fn of_user(address: &[u8], at: usize, is_web: bool) -> Option<Range<usize>> {
    let sign = address.iter().rposition(|byte| *byte == b'@')?;
    let user = &address[..sign];
    let Some(colon) = user.iter().position(|byte| *byte == b':') else {
        return (is_web && !user.contains(&b'/')).then_some(at..at + sign);
    };
    let behind = &user[colon + 1..];
    let digits = behind.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let is_port = digits > 0 && behind.get(digits) == Some(&b'/');
    (!is_port && !user[..colon].contains(&b'/')).then_some(at + colon + 1..at + sign)
}

fn without_scheme(word: &[u8]) -> Option<Range<usize>> {
    let sign = word.iter().rposition(|byte| *byte == b'@')?;
    let before = &word[..sign];
    if before.starts_with(b"jdbc:oracle:") {
        // `jdbc:oracle:thin:user/password@host`
        let slash = before.iter().position(|byte| *byte == b'/')?;
        return Some(slash + 1..sign);
    }
    // Behind the last part of a path, or of a list of paths.
    let name = before.iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash + 1);
    let colon = name + before[name..].iter().position(|byte| *byte == b':')?;
    let is_host = word.get(sign + 1).is_some_and(u8::is_ascii_alphanumeric);
    (is_host && colon > name).then_some(colon + 1..sign)
}

/// Secrets that their shape gives away.
fn of_shapes(text: &[u8], found: &mut Vec<Range<usize>>) {
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        let is_part = |byte: &u8| is_of_name(*byte) || matches!(byte, b'/' | b'+');
        let length = rest.iter().position(|byte| !is_part(byte)).unwrap_or(rest.len());
        let run = &rest[..length];
        if is_token(run) {
            found.push(at..at + length);
        } else if run.starts_with(b"-----BEGIN") && is_private_key(rest) {
            let end = rest.windows(8).position(|part| part == b"-----END").unwrap_or(rest.len());
            let start = rest.windows(8).position(|part| part == b"KEY-----").map_or(0, |label| label + 8);
            found.push(at + start.min(end)..at + end);
            at += end;
            continue;
        }
        at += length.max(1);
    }
}

fn is_private_key(rest: &[u8]) -> bool {
    rest.get(..64).unwrap_or(rest).windows(11).any(|part| part == b"PRIVATE KEY")
}

fn is_token(run: &[u8]) -> bool {
    let is_signed = run.starts_with(b"eyJ") && run.len() >= 30 && run.iter().filter(|byte| **byte == b'.').count() == 2;
    let is_access_key = (run.starts_with(b"AKIA") || run.starts_with(b"ASIA"))
        && run.len() == 20
        && run.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    let begins = |(beginning, more): &(&str, usize)| {
        run.starts_with(beginning.as_bytes()) && run.len() >= beginning.len() + more && !run.contains(&b'/')
    };
    is_signed || is_access_key || TOKENS.iter().any(begins)
}
