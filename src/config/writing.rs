//! Settings as lines of a configuration file, so that reading them again gives the same settings.

use std::borrow::Cow;

use thiserror::Error;

use super::{FileKind, Value, yaml};
use crate::flink::java;
use crate::flink::profile::OptionKind;

/// Why a setting cannot be a line of a `flink-conf.yaml`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Unwritable {
    /// Everything behind a `#` is lost.
    #[error("a flink-conf.yaml cuts every line at the first #, and the value has one")]
    Comment,
    /// A value of several lines.
    #[error("a flink-conf.yaml has one line for each setting, and the value has several")]
    Lines,
    /// Nothing, or white space around it.
    #[error("a flink-conf.yaml drops white space around a value, and a value that is nothing else")]
    Space,
    /// A map or a list inside a list.
    #[error("a flink-conf.yaml has no nested lists and maps")]
    Nested,
    /// A key that the line would not be split at.
    #[error("the key cannot stand in front of a colon in a flink-conf.yaml")]
    Key,
}

/// One setting as a line, without its end. The option's type, where it is known, tells whether a text that looks like a
/// number is one.
pub fn line(kind: FileKind, key: &str, value: &Value, option: Option<OptionKind>) -> Result<String, Unwritable> {
    match kind {
        FileKind::Standard => {
            let value = typed(value, option);
            Ok(format!("{}: {}", Value::text(key).yaml_text(), value.yaml_text()))
        }
        FileKind::Legacy => {
            if key.is_empty() || key.contains(['#', '\n', '\r']) || key.contains(": ") || java::trim(key) != key {
                return Err(Unwritable::Key);
            }
            let text = legacy_text(value)?;
            if text.contains('#') {
                return Err(Unwritable::Comment);
            }
            if text.contains(['\n', '\r']) {
                return Err(Unwritable::Lines);
            }
            if text.is_empty() || java::trim(&text) != text {
                return Err(Unwritable::Space);
            }
            Ok(format!("{key}: {text}"))
        }
    }
}

/// A text that reads as a number or truth value is written as one, unless the option wants a text or Java would print
/// the number otherwise.
fn typed<'a>(value: &'a Value, option: Option<OptionKind>) -> Cow<'a, Value> {
    let Value::Text(text) = value else { return Cow::Borrowed(value) };
    if option == Some(OptionKind::String) {
        return Cow::Borrowed(value);
    }
    match yaml::plain_value(text) {
        plain @ (Value::Int(_) | Value::Double(_) | Value::Bool(_)) if plain.java_text() == *text => Cow::Owned(plain),
        _ => Cow::Borrowed(value),
    }
}

/// A list's items stand apart by semicolons.
fn legacy_text(value: &Value) -> Result<Cow<'_, str>, Unwritable> {
    match value {
        Value::List(items) => {
            let item = |item: &Value| match item {
                Value::List(_) | Value::Map(_) => Err(Unwritable::Nested),
                scalar => Ok(quoted_item(&scalar.java_text())),
            };
            Ok(Cow::Owned(items.iter().map(item).collect::<Result<Vec<_>, _>>()?.join(";")))
        }
        Value::Map(_) => Err(Unwritable::Nested),
        scalar => Ok(scalar.java_text()),
    }
}

fn quoted_item(text: &str) -> String {
    match text.contains([';', '\'', '"']) {
        true => format!("'{}'", text.replace('\'', "''")),
        false => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;
    use crate::config::{legacy, standard};

    #[rstest]
    #[case("4096m", None, "k: 4096m")]
    #[case("4", None, "k: 4")]
    #[case("4", Some(OptionKind::String), "k: '4'")]
    #[case("true", Some(OptionKind::Boolean), "k: true")]
    #[case("true", Some(OptionKind::String), "k: 'true'")]
    #[case("0.4", None, "k: 0.4")]
    #[case("1e9", None, "k: '1e9'")]
    #[case("007", None, "k: '007'")]
    #[case("null", None, "k: 'null'")]
    #[case("a # b", None, "k: 'a # b'")]
    #[case("a: b", None, "k: 'a: b'")]
    #[case("", None, "k: ''")]
    fn a_text_is_quoted_where_yaml_would_read_another_value(
        #[case] text: &str,
        #[case] option: Option<OptionKind>,
        #[case] expected: &str,
    ) {
        assert_eq!(line(FileKind::Standard, "k", &Value::text(text), option).unwrap(), expected);
    }

    #[rstest]
    #[case("a#b", Unwritable::Comment)]
    #[case("a\nb", Unwritable::Lines)]
    #[case("", Unwritable::Space)]
    #[case(" a", Unwritable::Space)]
    fn what_a_flink_conf_cannot_hold_is_not_written(#[case] text: &str, #[case] expected: Unwritable) {
        assert_eq!(line(FileKind::Legacy, "k", &Value::text(text), None), Err(expected));
    }

    #[test]
    fn a_list_goes_into_a_flink_conf_with_semicolons() {
        let list = Value::List(vec![Value::text("a"), Value::Int(1), Value::text("b;c")]);
        assert_eq!(line(FileKind::Legacy, "k", &list, None).unwrap(), "k: a;1;'b;c'");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back_as_the_same_text(text in "[ -~é\\n]{0,20}") {
            let value = Value::text(&text);
            let written = line(FileKind::Standard, "a.k", &value, None).unwrap() + "\n";
            let read = standard::parse(&written).unwrap();
            prop_assert_eq!(read[0].value.java_text(), value.java_text());
            if let Ok(written) = line(FileKind::Legacy, "a.k", &value, None) {
                let (read, unread) = legacy::parse(&written);
                prop_assert!(unread.is_empty());
                prop_assert_eq!(read[0].value.java_text(), value.java_text());
            }
        }
    }
}
