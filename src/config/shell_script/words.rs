//! A shell's text as commands and their words, each word with its places; as far as reading settings out of it needs.
//!
//! Nothing is run and nothing is expanded: what a shell would put in stays as `${NAME}` or `$(…)`, which the rest of oomph
//! takes for placeholders.

use crate::config::cursor::Cursor;
use crate::config::inlay::Inlay;
use crate::model::{Position, Source};

/// A simple command.
#[derive(Clone, Debug)]
pub struct Command {
    /// Where it begins.
    pub line: u32,
    /// Whether it begins a line of its own, rather than standing behind another one.
    pub first: bool,
    /// Its words, without quotes.
    pub words: Vec<Word>,
    /// The file that its output goes into, and whether that is appended to.
    pub output: Option<(Word, bool)>,
    /// The here-document that it reads.
    pub here: Option<Word>,
    /// Whether the next command reads its output.
    pub piped: bool,
}

/// A word, or a here-document.
#[derive(Clone, Debug)]
pub struct Word {
    /// Without quotes.
    pub text: String,
    /// Where its text stands.
    pub inlay: Inlay,
}

impl Word {
    fn new(source: &Source, at: &Cursor<'_>) -> Word {
        Word { text: String::new(), inlay: Inlay::new(source.clone(), at.position_since(at)) }
    }

    /// Adds what stands between another moment and now, as `means`.
    fn push(&mut self, start: &Cursor<'_>, now: &Cursor<'_>, means: &str) {
        let same = now.since(start) == means;
        self.inlay.push(self.text.len(), means.len(), now.position_since(start), same);
        self.text.push_str(means);
    }

    /// Where a part of it stands.
    pub fn position(&self, part: &str) -> Position {
        let start = (part.as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize);
        self.inlay.position(&self.text, Position { line: 1, column: 1, start, end: start + part.len() })
    }

    /// What stands behind its first bytes, as a word.
    pub fn behind(&self, bytes: usize) -> Word {
        let text = self.text.get(bytes..).unwrap_or_default().to_owned();
        Word { text, inlay: self.inlay.from(&self.text, bytes) }
    }

    /// The same with a line end for every `\n` that is written out, as `echo -e` and `printf` make it.
    pub fn with_line_ends(mut self) -> Word {
        // As many bytes, so that places stay.
        self.text = self.text.replace("\\n", " \n");
        self
    }
}

/// What a text is lexed as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// A shell's script.
    Shell,
    /// A Dockerfile, where comments may stand between the lines of an instruction.
    Dockerfile,
}

/// Every command of a text.
pub fn commands(source: &Source, text: &str, dialect: Dialect) -> Vec<Command> {
    let lexer = Lexer {
        source,
        cursor: Cursor::new(text),
        dialect,
        found: Vec::new(),
        open: None,
        heres: Vec::new(),
        unclosed: 0,
    };
    lexer.run()
}

struct Lexer<'t> {
    source: &'t Source,
    cursor: Cursor<'t>,
    dialect: Dialect,
    found: Vec<Command>,
    open: Option<Command>,
    heres: Vec<Here>,
    /// How many brackets were looked for whose end is not there.
    unclosed: u32,
}

/// A here-document that begins behind the line.
struct Here {
    command: usize,
    end: String,
    quoted: bool,
    tabs: bool,
}

impl Lexer<'_> {
    fn run(mut self) -> Vec<Command> {
        let mut first = true;
        let mut words = 0;
        while let Some(next) = self.cursor.peek().filter(|_| words < MAX_WORDS) {
            match next {
                '\n' => {
                    self.cursor.step();
                    self.close(false);
                    self.read_heres();
                    first = true;
                }
                ' ' | '\t' | '\r' => {
                    self.cursor.step();
                }
                '\\' if self.sees_line_end(1) => {
                    self.skip_continuation();
                }
                '#' => {
                    self.cursor.skip_while(|c| c != '\n');
                }
                ';' | '&' | '|' | '(' | ')' => {
                    let pipe = next == '|' && !self.cursor.sees("||");
                    self.cursor.step();
                    if matches!(next, '&' | '|') && self.cursor.peek() == Some(next) {
                        self.cursor.step();
                    }
                    if next == '&' && self.cursor.sees(">") {
                        self.redirect(first);
                        continue;
                    }
                    self.close(pipe);
                    // A pipe or a bracket may stand at the end of a line.
                    first = false;
                }
                '<' | '>' => self.redirect(first),
                _ => {
                    words += 1;
                    let word = self.word();
                    self.command(first).words.push(word);
                }
            }
        }
        self.close(false);
        self.found
    }

    fn command(&mut self, first: bool) -> &mut Command {
        let line = self.cursor.line();
        let begins = first && self.open.is_none();
        self.open.get_or_insert_with(|| Command {
            line,
            first: begins,
            words: Vec::new(),
            output: None,
            here: None,
            piped: false,
        })
    }

    fn close(&mut self, piped: bool) {
        if let Some(command) = self.open.take() {
            self.found.push(Command { piped, ..command });
        }
    }

    fn sees_line_end(&self, behind: usize) -> bool {
        self.cursor.rest().get(behind..).is_some_and(|rest| rest.starts_with('\n') || rest.starts_with("\r\n"))
    }

    /// A backslash at a line's end; in a Dockerfile, comments behind it as well.
    fn skip_continuation(&mut self) {
        self.cursor.skip_while(|c| c != '\n');
        self.cursor.step();
        while self.dialect == Dialect::Dockerfile {
            let mut ahead = self.cursor;
            ahead.skip_while(|c| matches!(c, ' ' | '\t'));
            if ahead.peek() != Some('#') {
                break;
            }
            ahead.skip_while(|c| c != '\n');
            ahead.step();
            self.cursor = ahead;
        }
    }

    fn redirect(&mut self, first: bool) {
        if self.cursor.sees("<<<") {
            self.cursor.skip(3);
            self.skip_blanks();
            self.word();
            return;
        }
        if self.cursor.sees("<<") {
            self.cursor.skip(2);
            let tabs = self.cursor.sees("-");
            if tabs {
                self.cursor.step();
            }
            self.skip_blanks();
            let quoted = self.cursor.sees("'") || self.cursor.sees("\"") || self.cursor.sees("\\");
            let end = self.word().text;
            self.command(first);
            if !end.is_empty() && self.heres.len() < MAX_HERES {
                self.heres.push(Here { command: self.found.len(), end, quoted, tabs });
            }
            return;
        }
        let out = self.cursor.sees(">");
        let appends = self.cursor.sees(">>");
        // What stands directly before is the number of a file that is open, `2>`.
        let number = self.descriptor();
        self.cursor.skip_while(|c| matches!(c, '<' | '>' | '|'));
        if self.cursor.sees("&") {
            self.cursor.step();
            self.word();
            return;
        }
        if self.cursor.sees("(") {
            return;
        }
        self.skip_blanks();
        let word = self.word();
        if out && number.is_none_or(|number| number == 1) && !word.text.is_empty() {
            self.command(first).output = Some((word, appends));
        }
    }

    /// The number before a redirection, taken out of the words.
    fn descriptor(&mut self) -> Option<u32> {
        let at = self.cursor.at();
        let words = &mut self.open.as_mut()?.words;
        let last = words.last()?;
        let number = last.text.parse().ok()?;
        (last.inlay.end()? == at).then(|| {
            words.pop();
            number
        })
    }

    fn skip_blanks(&mut self) {
        self.cursor.skip_while(|c| matches!(c, ' ' | '\t'));
    }

    fn read_heres(&mut self) {
        for here in std::mem::take(&mut self.heres) {
            let mut body = Word::new(self.source, &self.cursor);
            while self.cursor.peek().is_some() {
                if here.tabs {
                    self.cursor.skip_while(|c| c == '\t');
                }
                let line = self.cursor.rest().split('\n').next().unwrap_or_default();
                if line.trim_end_matches('\r') == here.end {
                    self.cursor.skip_while(|c| c != '\n');
                    self.cursor.step();
                    break;
                }
                self.here_line(&mut body, here.quoted);
            }
            if let Some(command) = self.found.get_mut(here.command) {
                command.here = Some(body);
            }
        }
    }

    /// One line of a here-document with its end.
    fn here_line(&mut self, body: &mut Word, quoted: bool) {
        while let Some(next) = self.cursor.peek() {
            match next {
                '\\' if !quoted && self.cursor.rest()[1..].starts_with(['$', '`', '\\']) => self.escaped(body),
                '$' if !quoted => self.dollar(body, true),
                '`' if !quoted => self.backticks(body),
                _ => self.plain(body),
            }
            if next == '\n' {
                return;
            }
        }
    }

    /// A word; empty where none begins.
    fn word(&mut self) -> Word {
        let mut word = Word::new(self.source, &self.cursor);
        while let Some(next) = self.cursor.peek() {
            match next {
                ' ' | '\t' | '\r' | '\n' | ';' | '&' | '|' | '<' | '>' | '(' | ')' => break,
                '\\' if self.sees_line_end(1) => self.skip_continuation(),
                '\\' => self.escaped(&mut word),
                '\'' => self.single(&mut word),
                '"' => self.double(&mut word),
                '$' => self.dollar(&mut word, false),
                '`' => self.backticks(&mut word),
                _ => self.plain(&mut word),
            }
        }
        word
    }

    fn plain(&mut self, word: &mut Word) {
        let start = self.cursor;
        self.cursor.step();
        word.push(&start, &self.cursor, self.cursor.since(&start));
    }

    /// A character behind a backslash.
    fn escaped(&mut self, word: &mut Word) {
        let start = self.cursor;
        self.cursor.step();
        let inner = self.cursor;
        self.cursor.step();
        word.push(&start, &self.cursor, self.cursor.since(&inner));
    }

    fn single(&mut self, word: &mut Word) {
        self.cursor.step();
        while self.cursor.peek().is_some_and(|c| c != '\'') {
            self.plain(word);
        }
        self.cursor.step();
    }

    fn double(&mut self, word: &mut Word) {
        self.cursor.step();
        while let Some(next) = self.cursor.peek() {
            match next {
                '"' => break,
                '\\' if self.sees_line_end(1) => self.skip_continuation(),
                '\\' if self.cursor.rest()[1..].starts_with(['$', '`', '"', '\\']) => self.escaped(word),
                '$' => self.dollar(word, true),
                '`' => self.backticks(word),
                _ => self.plain(word),
            }
        }
        self.cursor.step();
    }

    /// What begins with a dollar: a variable gets braces, a command in brackets stays.
    fn dollar(&mut self, word: &mut Word, quoted: bool) {
        let start = self.cursor;
        let rest = self.cursor.rest();
        match rest.as_bytes().get(1) {
            Some(b'\'') if !quoted => self.ansi(word),
            Some(b'{' | b'(') => {
                let known = if self.unclosed < MAX_UNCLOSED { enclosed(rest) } else { None };
                self.unclosed += u32::from(known.is_none());
                let length = known.unwrap_or(2);
                self.cursor.skip(length);
                word.push(&start, &self.cursor, self.cursor.since(&start));
            }
            Some(byte) if byte.is_ascii_alphabetic() || *byte == b'_' => {
                self.cursor.step();
                let name = self.cursor;
                self.cursor.skip_while(|c| c.is_ascii_alphanumeric() || c == '_');
                let means = format!("${{{}}}", self.cursor.since(&name));
                word.push(&start, &self.cursor, &means);
            }
            Some(byte) if byte.is_ascii_digit() || b"@*#?$!".contains(byte) => {
                self.cursor.skip(2);
                let means = format!("${{{}}}", char::from(*byte));
                word.push(&start, &self.cursor, &means);
            }
            _ => self.plain(word),
        }
    }

    /// `$'…'`.
    fn ansi(&mut self, word: &mut Word) {
        self.cursor.skip(2);
        while let Some(next) = self.cursor.peek() {
            let start = self.cursor;
            match next {
                '\'' => break,
                '\\' => {
                    self.cursor.step();
                    let code = self.cursor.step();
                    let means = match code {
                        Some('n') => "\n",
                        Some('t') => "\t",
                        _ => self.cursor.since(&start).get(1..).unwrap_or_default(),
                    };
                    word.push(&start, &self.cursor, means);
                }
                _ => self.plain(word),
            }
        }
        self.cursor.step();
    }

    /// A command in backticks, of which only is known that it stands for something.
    fn backticks(&mut self, word: &mut Word) {
        let start = self.cursor;
        let ahead = if self.unclosed < MAX_UNCLOSED { MAX_ENCLOSED } else { 0 };
        let length = self.cursor.rest()[1..].bytes().take(ahead).position(|byte| byte == b'`');
        self.unclosed += u32::from(length.is_none());
        match length {
            Some(length) => {
                self.cursor.skip(length + 2);
                word.push(&start, &self.cursor, "$(...)");
            }
            None => self.plain(word),
        }
    }
}

/// A script with more words is none that a person wrote.
const MAX_WORDS: usize = 200_000;

/// Here-documents of one line.
const MAX_HERES: usize = 100;

/// After as many brackets without an end no more are looked for.
const MAX_UNCLOSED: u32 = 1_000;

/// How far a `$(…)` or `${…}` is followed.
const MAX_ENCLOSED: usize = 1_000;

/// The bytes of `${…}` or `$(…)`, with what is nested in it.
fn enclosed(rest: &str) -> Option<usize> {
    let mut depth = 0;
    for (at, byte) in rest.bytes().enumerate().skip(1).take(MAX_ENCLOSED) {
        match byte {
            b'{' | b'(' => depth += 1,
            b'}' | b')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at + 1);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn shown(text: &str, dialect: Dialect) -> Vec<String> {
        commands(&Source::Stdin, text, dialect)
            .iter()
            .map(|command| {
                let words: Vec<&str> = command.words.iter().map(|word| word.text.as_str()).collect();
                let output = command.output.as_ref().map_or(String::new(), |(file, appends)| {
                    format!(" {}{}", if *appends { ">>" } else { ">" }, file.text)
                });
                let here = command.here.as_ref().map_or(String::new(), |here| format!(" <<{}", here.text));
                format!("{}:{}{output}{here}{}", command.line, words.join("|"), if command.piped { " |" } else { "" })
            })
            .collect()
    }

    #[rstest]
    #[case("a 'b c' \"d $E\"\\ f\n", &["1:a|b c|d ${E} f"])]
    #[case("a \\\n  -b # c\nd;e && f | g & (h)\n", &["1:a|-b", "3:d", "3:e", "3:f |", "3:g", "3:h"])]
    #[case("a \"x\\\"\\n\\\ny\" $'p\\nq' ${Z:-1 2} $(c d) `e f` $1\n", &["1:a|x\"\\ny|p\nq|${Z:-1 2}|$(c d)|$(...)|${1}"])]
    #[case("cat > x 2>&1 <<EOF\na $B \\$c\n  d\nEOF\ne\n", &["1:cat >x <<a ${B} $c\n  d\n", "5:e"])]
    #[case("cat <<-'E' | tee -a f\n\ta $B\n\tE\n", &["1:cat <<a $B\n |", "1:tee|-a|f"])]
    #[case("echo a >> 'f g'\necho b 2> c <<< d\n", &["1:echo|a >>f g", "2:echo|b"])]
    #[case("a <<EOF\nnever ends", &["1:a <<never ends"])]
    #[case("a 'never ends", &["1:a|never ends"])]
    fn a_script_falls_into_commands_and_words(#[case] text: &str, #[case] expected: &[&str]) {
        assert_eq!(shown(text, Dialect::Shell), expected);
    }

    #[test]
    fn comments_within_an_instruction_do_not_end_it() {
        let text = "ENV a=1 \\\n# why\n    b=2\nRUN x && \\\n    y\n";
        assert_eq!(shown(text, Dialect::Dockerfile), ["1:ENV|a=1|b=2", "4:RUN|x", "5:y"]);
        assert_eq!(shown("a \\\n# why\nb\n", Dialect::Shell), ["1:a", "3:b"]);
    }

    #[test]
    fn a_part_of_a_word_knows_where_it_stands() {
        let text = "é \"-Da=$B\"'4 g'\n";
        let words = commands(&Source::Stdin, text, Dialect::Shell).remove(0).words;
        let position = words[1].position(&words[1].text[8..]);
        assert_eq!((position.line, position.column, &text[position.start..position.end]), (1, 12, "4 g"));
        let position = words[1].position(&words[1].text[4..8]);
        assert_eq!(&text[position.start..position.end], "$B");
    }
}
