//! Lists and maps written in one text (`StructuredOptionsSplitter`): items between delimiters, trimmed, with single or
//! double quotes where an item holds a delimiter itself.

use thiserror::Error;

/// Why a text is no list; the messages are Flink's.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SplitError {
    /// Something follows a closing quote that is no delimiter.
    #[error("Could not split string. Illegal quoting at position: {0}")]
    IllegalQuoting(usize),
    /// A quote is never closed.
    #[error("Could not split string. Quoting was not closed properly.")]
    Unclosed,
}

enum Token {
    Quoted(String),
    Unquoted(String),
    Delimiter,
}

/// Splits a text (`StructuredOptionsSplitter.splitEscaped`). Positions count UTF-16 units, as in Java.
pub fn split(text: &str, delimiter: char) -> Result<Vec<String>, SplitError> {
    let tokens = tokenize(text, delimiter)?;
    let mut items = Vec::new();
    for (at, (token, _)) in tokens.iter().enumerate() {
        let next = tokens.get(at + 1);
        match token {
            Token::Quoted(item) => {
                if let Some((Token::Quoted(_) | Token::Unquoted(_), position)) = next {
                    return Err(SplitError::IllegalQuoting(position - 1));
                }
                items.push(item.clone());
            }
            Token::Unquoted(item) => items.push(item.clone()),
            Token::Delimiter => {
                if let Some((Token::Delimiter, _)) = next {
                    items.push(String::new());
                }
            }
        }
    }
    Ok(items)
}

fn tokenize(text: &str, delimiter: char) -> Result<Vec<(Token, usize)>, SplitError> {
    let letters: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let (mut at, mut position) = (0, 0);
    while let Some(&letter) = letters.get(at) {
        let start = at;
        let token = match letter {
            '\'' | '"' => {
                let mut item = String::new();
                at += 1;
                loop {
                    match letters.get(at) {
                        Some(&c) if c == letter && letters.get(at + 1) == Some(&letter) => {
                            item.push(c);
                            at += 2;
                        }
                        Some(&c) if c == letter => break,
                        Some(&c) => {
                            item.push(c);
                            at += 1;
                        }
                        None => return Err(SplitError::Unclosed),
                    }
                }
                at += 1;
                Some(Token::Quoted(item))
            }
            c if c == delimiter => {
                at += 1;
                Some(Token::Delimiter)
            }
            c if is_java_whitespace(c) => {
                at += 1;
                None
            }
            _ => {
                let length = letters[at..].iter().position(|c| *c == delimiter).unwrap_or(letters.len() - at);
                let item: String = letters[at..at + length].iter().collect();
                at += length;
                Some(Token::Unquoted(super::java::trim(&item).to_owned()))
            }
        };
        if let Some(token) = token {
            tokens.push((token, position));
        }
        position += letters[start..at].iter().map(|c| c.len_utf16()).sum::<usize>();
    }
    Ok(tokens)
}

/// `Character.isWhitespace`: Unicode spaces that may be broken at, and the separators of ASCII.
fn is_java_whitespace(c: char) -> bool {
    matches!(c, '\u{1c}'..='\u{1f}')
        || (c.is_whitespace() && !matches!(c, '\u{a0}' | '\u{2007}' | '\u{202f}' | '\u{85}'))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("a:1, b:2", ',', &["a:1", "b:2"])]
    #[case("\"a;b\" ; c", ';', &["a;b", "c"])]
    #[case("'it''s';x", ';', &["it's", "x"])]
    #[case("a;;b;", ';', &["a", "", "b"])]
    #[case("  ", ';', &[])]
    fn items_are_split_and_trimmed(#[case] text: &str, #[case] delimiter: char, #[case] expected: &[&str]) {
        assert_eq!(split(text, delimiter).unwrap(), expected);
    }

    #[rstest]
    #[case("'STATE_BACKEND':'70'", ',', SplitError::IllegalQuoting(14))]
    #[case("'a", ',', SplitError::Unclosed)]
    fn bad_quotes_are_refused_in_flinks_words(#[case] text: &str, #[case] delimiter: char, #[case] error: SplitError) {
        assert_eq!(split(text, delimiter), Err(error));
    }
}
