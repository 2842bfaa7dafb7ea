//! Scripts of Flink's SQL client: what their `SET` statements configure, and the options of the tables they create.
//!
//! From 1.13 on `SET 'key' = 'value';`, before that `SET key=value;`, which later versions still take
//! (`SetOperationParseStrategy`; `SqlCommandParser` up to 1.12). A script lies over the configuration of its client or
//! cluster, which it does not tell.

use super::Value;
use super::cursor::Cursor;
use super::subject::{Placed, Subject};
use crate::model::{Place, Position, Source};

/// A script without anything that configures Flink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoSettings;

/// What a script says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Script {
    /// What `SET` sets, in order. A `RESET` takes nothing out: until then it was set.
    pub settings: Vec<Setting>,
    /// What stands behind `WITH` of a `CREATE TABLE`, table by table.
    pub table_options: Vec<Setting>,
}

/// A key and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The key, without quotes.
    pub key: String,
    /// The value, without quotes.
    pub value: String,
    /// Where the value stands, between its quotes.
    pub position: Position,
    /// Where the key stands, between its quotes.
    pub written: Position,
}

/// Whether a text is a script, by its content: a line that sets a key with a dot.
pub fn is_sql_script(text: &str) -> bool {
    text.lines().any(sets)
}

fn sets(line: &str) -> bool {
    let line = line.trim_start();
    let Some(rest) = line.get(3..).filter(|_| line.as_bytes()[..3].eq_ignore_ascii_case(b"set")) else { return false };
    let bare = rest.trim_start();
    if bare.len() == rest.len() {
        return false;
    }
    let Some((key, _)) = bare.split_once('=') else { return false };
    let key = key.trim_end();
    let key = key.strip_prefix('\'').and_then(|key| key.strip_suffix('\'')).unwrap_or(key);
    key.contains('.') && key.chars().all(|c| c.is_ascii_alphanumeric() || ".-_".contains(c))
}

/// The script as a subject.
pub fn subject(source: &Source, text: &str) -> Result<Subject, NoSettings> {
    let script = parse(text);
    if script.settings.is_empty() && script.table_options.is_empty() {
        return Err(NoSettings);
    }
    let placed = |settings: Vec<Setting>| {
        let placed = settings.into_iter().map(|setting| Placed {
            key: setting.key,
            value: Value::text(setting.value),
            place: Place { source: source.clone(), position: Some(setting.position) },
            written: Some(setting.written),
        });
        placed.collect()
    };
    Ok(Subject {
        settings: placed(script.settings),
        table_options: placed(script.table_options),
        partial: true,
        shipped: true,
        ..Subject::default()
    })
}

/// Reads a script. Nothing in it is an error: what is no statement that configures is passed over.
pub fn parse(text: &str) -> Script {
    let mut cursor = Cursor::new(text);
    let mut script = Script::default();
    let mut statement = Vec::new();
    while let Some(token) = token(&mut cursor) {
        if token.is_symbol(';') {
            read(text, &statement, &mut script);
            statement.clear();
        } else if statement.len() < MAX_TOKENS {
            statement.push(token);
        }
    }
    read(text, &statement, &mut script);
    script
}

/// How much of a statement is looked at.
const MAX_TOKENS: usize = 100_000;

#[derive(Clone, Copy, Debug)]
struct Token {
    is: Is,
    position: Position,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Is {
    /// A text in single quotes; the position is what is between them.
    Text,
    /// Anything without white space.
    Word,
    /// One character.
    Symbol(char),
}

impl Token {
    fn is_symbol(&self, symbol: char) -> bool {
        self.is == Is::Symbol(symbol)
    }

    fn text<'t>(&self, script: &'t str) -> &'t str {
        script.get(self.position.start..self.position.end).unwrap_or_default()
    }

    fn is_word(&self, script: &str, word: &str) -> bool {
        self.is == Is::Word && self.text(script).eq_ignore_ascii_case(word)
    }
}

/// The next token; comments and white space are passed over.
fn token(cursor: &mut Cursor<'_>) -> Option<Token> {
    loop {
        cursor.skip_while(char::is_whitespace);
        if cursor.sees("--") {
            cursor.skip_while(|c| c != '\n');
        } else if cursor.sees("/*") {
            let length = cursor.rest()[2..].find("*/").map_or(usize::MAX, |length| length + 4);
            cursor.skip(length);
        } else {
            break;
        }
    }
    let start = *cursor;
    match cursor.peek()? {
        '\'' => {
            cursor.step();
            let inner = *cursor;
            while let Some(next) = cursor.peek() {
                if next == '\'' && !cursor.sees("''") {
                    break;
                }
                cursor.skip(if next == '\'' { 2 } else { next.len_utf8() });
            }
            let position = cursor.position_since(&inner);
            cursor.step();
            Some(Token { is: Is::Text, position })
        }
        symbol if "();,=".contains(symbol) => {
            cursor.step();
            Some(Token { is: Is::Symbol(symbol), position: cursor.position_since(&start) })
        }
        '`' => {
            // A name in backticks ends in its line, or is none.
            let closed = cursor.rest()[1..].find(['`', '\n']).filter(|at| cursor.rest()[1 + at..].starts_with('`'));
            cursor.skip(closed.map_or(1, |at| at + 2));
            Some(Token { is: Is::Word, position: cursor.position_since(&start) })
        }
        _ => {
            while cursor.peek().is_some_and(|c| !c.is_whitespace() && !"();,='`".contains(c)) && !cursor.sees("--") {
                cursor.step();
            }
            Some(Token { is: Is::Word, position: cursor.position_since(&start) })
        }
    }
}

/// What a statement configures.
fn read(script: &str, statement: &[Token], into: &mut Script) {
    match statement {
        [set, key, equals, value @ ..] if set.is_word(script, "SET") && equals.is_symbol('=') => {
            into.settings.extend(setting(script, key, value));
        }
        [create, ..] if create.is_word(script, "CREATE") => {
            let is_table = statement.iter().take(5).any(|token| token.is_word(script, "TABLE"));
            let with = statement.windows(2).position(|pair| pair[0].is_word(script, "WITH") && pair[1].is_symbol('('));
            let Some(with) = with.filter(|_| is_table) else { return };
            for option in statement[with + 2..].split(|token| token.is_symbol(',')) {
                match option {
                    [key, equals, value, ..] if equals.is_symbol('=') && key.is == Is::Text && value.is == Is::Text => {
                        into.table_options.extend(setting(script, key, &[*value]));
                    }
                    _ => break,
                }
            }
        }
        _ => {}
    }
}

/// A key with what stands behind its equal sign: a text, or everything up to the statement's end.
fn setting(script: &str, key: &Token, value: &[Token]) -> Option<Setting> {
    let (first, last) = (value.first()?, value.last()?);
    let name = key.text(script);
    let is_key = !name.is_empty() && !matches!(key.is, Is::Symbol(_));
    let position = match first.is {
        Is::Text => first.position,
        _ => Position { end: last.position.end, ..first.position },
    };
    let text = script.get(position.start..position.end)?;
    let value = if first.is == Is::Text { text.replace("''", "'") } else { text.to_owned() };
    is_key.then(|| Setting { key: name.replace("''", "'"), value, position, written: key.position })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn pairs(text: &str) -> Vec<String> {
        parse(text).settings.iter().map(|s| format!("{}={}", s.key, s.value)).collect()
    }

    #[rstest]
    #[case("SET 'a.b' = '4g';", &["a.b=4g"])]
    #[case("set a.b=4g; Set  'c' = 'it''s' ;SET d = e f;", &["a.b=4g", "c=it's", "d=e f"])]
    #[case("SET\n  'a.b'\n  = -- why\n  '4 g'\n;", &["a.b=4 g"])]
    #[case("-- SET 'x' = '1';\n/* SET 'y' = '1'; */ SET 'a' = '-- no /* comment */';", &["a=-- no /* comment */"])]
    #[case("SET 'a' = '1'", &["a=1"])]
    #[case("SET 'a' = '';", &["a="])]
    #[case("SET table.k='v';", &["table.k=v"])]
    #[case("SET 'a' = '1'; RESET 'a'; RESET; SET;", &["a=1"])]
    #[case("SET x.opts=-Da=b -Dc=d;", &["x.opts=-Da=b -Dc=d"])]
    fn settings_are_read_as_every_version_writes_them(#[case] text: &str, #[case] expected: &[&str]) {
        assert_eq!(pairs(text), expected);
    }

    #[rstest]
    #[case("BEGIN STATEMENT SET; INSERT INTO a SELECT * FROM b; END;")]
    #[case("EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT 1; END;")]
    #[case("UPDATE t SET a = 1;")]
    #[case("ALTER TABLE t SET ('a' = 'b');")]
    #[case("SET TIMEZONE TO 'x';")]
    #[case("SET = 1; SET 'a' 'b'; SET 'a' =; SET '' = '1';")]
    #[case("SELECT 'SET ''a'' = 1; SET b.c = 1';")]
    #[case("SET 'a")]
    fn what_sets_nothing_is_passed_over(#[case] text: &str) {
        assert_eq!(pairs(text), Vec::<String>::new());
    }

    #[test]
    fn options_of_tables_are_kept_apart() {
        let text = "CREATE TEMPORARY TABLE IF NOT EXISTS t (\n  a INT COMMENT 'x;y', `WITH (` STRING\n) PARTITIONED BY (a) WITH (\n  \
                    'connector' = 'kafka',\n  'properties.max' = '4m' -- big\n);\nCREATE CATALOG c WITH ('type' = 'x');\nSET 'k' = \
                    'v';";
        let script = parse(text);
        let options: Vec<_> = script.table_options.iter().map(|o| format!("{}={}", o.key, o.value)).collect();
        assert_eq!(options, ["connector=kafka", "properties.max=4m"]);
        assert_eq!(script.settings.len(), 1);
    }

    #[test]
    fn key_and_value_know_where_they_stand_between_their_quotes() {
        let text = "SET 'é' = 'x';  SET\t'a.b' = '4 g';\nSET c = d ;";
        let at = |position: Position| (position.line, position.column, &text[position.start..position.end]);
        let settings = parse(text).settings;
        assert_eq!(at(settings[1].written), (1, 22, "a.b"));
        assert_eq!(at(settings[1].position), (1, 30, "4 g"));
        assert_eq!((at(settings[2].written), at(settings[2].position)), ((2, 5, "c"), (2, 9, "d")));
    }

    #[rstest]
    #[case("-- x\n\nSET 'state.backend' = 'rocksdb';\n", true)]
    #[case("  set table.exec.state.ttl = 1;\n", true)]
    #[case("set -e\nset -o pipefail\n", false)]
    #[case("SET autocommit=0;\n", false)]
    #[case("settings.a: 1\nset.b: x=1\n", false)]
    #[case("sét\nse", false)]
    fn scripts_are_recognised_by_content(#[case] text: &str, #[case] expected: bool) {
        assert_eq!(is_sql_script(text), expected);
    }

    #[test]
    fn a_script_lies_over_a_configuration_that_is_elsewhere() {
        let subject = subject(&Source::Stdin, "SET 'a.b' = '1';").unwrap();
        assert!(subject.partial && subject.shipped && subject.version.is_none() && subject.name.is_none());
        assert_eq!(super::subject(&Source::Stdin, "SELECT 1;").unwrap_err(), NoSettings);
    }

    #[test]
    fn a_large_script_is_read_in_no_time() {
        for piece in ["SET 'a' = 'b';", "'", "/*", "`", "--", "= ", "CREATE TABLE WITH (", "SET a="] {
            let script = parse(&piece.repeat(1_000_000 / piece.len()));
            assert!(script.settings.len() <= 100_000);
        }
    }

    proptest! {
        #[test]
        fn no_text_panics_and_every_place_is_in_it(text in "(SET |set|CREATE TABLE|WITH|[-a-c.'`;=(),/* \né]){0,30}") {
            let _ = is_sql_script(&text);
            let script = parse(&text);
            for setting in script.settings.iter().chain(&script.table_options) {
                let value = &text[setting.position.start..setting.position.end];
                prop_assert!(value == setting.value || value.contains("''"));
                prop_assert!(text.get(setting.written.start..setting.written.end).is_some());
            }
        }
    }
}
