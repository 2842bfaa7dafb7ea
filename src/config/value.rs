//! A value as Flink holds it: `config.yaml` keeps the types of YAML, everything else is text.

use std::borrow::Cow;

use crate::flink::java;

/// A configuration value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A text: all there is in `flink-conf.yaml` and on command lines.
    Text(String),
    /// A whole number of at most 64 bits (`Integer` or `Long`).
    Int(i64),
    /// A larger whole number, by its decimal digits (`BigInteger`).
    BigInt(String),
    /// A number with point or exponent (`Double`).
    Double(f64),
    /// `true` or `false`.
    Bool(bool),
    /// Nothing; only inside lists, elsewhere Flink refuses it.
    Null,
    /// A list.
    List(Vec<Value>),
    /// A map inside a list; other maps become prefixed keys.
    Map(Vec<(Value, Value)>),
}

impl Value {
    /// A text.
    pub fn text(text: impl Into<String>) -> Value {
        Value::Text(text.into())
    }

    /// The type's name in YAML.
    pub fn type_name(&self) -> &'static str {
        match self {
            Value::Text(_) => "text",
            Value::Int(_) | Value::BigInt(_) => "integer",
            Value::Double(_) => "float",
            Value::Bool(_) => "boolean",
            Value::Null => "null",
            Value::List(_) => "list",
            Value::Map(_) => "map",
        }
    }

    /// `Object.toString`: what options are parsed from and what messages quote.
    pub fn java_text(&self) -> Cow<'_, str> {
        match self {
            Value::Text(text) | Value::BigInt(text) => Cow::Borrowed(text),
            Value::Int(n) => Cow::Owned(n.to_string()),
            Value::Double(x) => Cow::Owned(java::double_to_string(*x)),
            Value::Bool(flag) => Cow::Borrowed(if *flag { "true" } else { "false" }),
            Value::Null => Cow::Borrowed("null"),
            Value::List(items) => {
                let items: Vec<_> = items.iter().map(Value::java_text).collect();
                Cow::Owned(format!("[{}]", items.join(", ")))
            }
            Value::Map(entries) => {
                let entries: Vec<_> =
                    entries.iter().map(|(k, v)| format!("{}={}", k.java_text(), v.java_text())).collect();
                Cow::Owned(format!("{{{}}}", entries.join(", ")))
            }
        }
    }

    /// What Flink's flat map of a `config.yaml` shows (`YamlParserUtils.toYAMLString`): a text as it is, anything
    /// else as one line of YAML.
    pub fn flink_text(&self) -> Cow<'_, str> {
        match self {
            Value::Text(text) => Cow::Borrowed(text),
            other => other.flow_text(),
        }
    }

    /// The value as YAML reads it back, in one line: a text that would read as something else is quoted.
    pub fn yaml_text(&self) -> Cow<'_, str> {
        self.flow_text()
    }

    fn flow_text(&self) -> Cow<'_, str> {
        match self {
            Value::Text(text) => quoted_in_flow(text),
            Value::Double(x) if x.is_nan() => Cow::Borrowed(".nan"),
            Value::Double(x) if x.is_infinite() => Cow::Borrowed(if *x > 0.0 { ".inf" } else { "-.inf" }),
            Value::List(items) => {
                let items: Vec<_> = items.iter().map(Value::flow_text).collect();
                Cow::Owned(format!("[{}]", items.join(", ")))
            }
            Value::Map(entries) => {
                let entries: Vec<_> =
                    entries.iter().map(|(k, v)| format!("{}: {}", k.flow_text(), v.flow_text())).collect();
                Cow::Owned(format!("{{{}}}", entries.join(", ")))
            }
            other => other.java_text(),
        }
    }
}

/// A text as an item of a YAML flow collection: plain where it would read back as the same text, else quoted
/// (`Emitter.analyzeScalar` of snakeyaml-engine).
fn quoted_in_flow(text: &str) -> Cow<'_, str> {
    let printable = |c: char| matches!(c, '\u{20}'..='\u{7e}' | '\u{85}' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    let breaks = |c: char| matches!(c, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}');
    if text.chars().any(|c| !printable(c) || breaks(c)) {
        return Cow::Owned(double_quoted(text));
    }
    let plain = super::yaml::plain_value(text) == Value::Text(text.to_owned()) && plain_in_flow(text);
    if plain { Cow::Borrowed(text) } else { Cow::Owned(format!("'{}'", text.replace('\'', "''"))) }
}

fn plain_in_flow(text: &str) -> bool {
    if text.is_empty() || text.starts_with("---") || text.starts_with("...") {
        return false;
    }
    let space = |c: Option<char>| c.is_none_or(|c| c == ' ' || c == '\t');
    if text.starts_with(' ') || text.ends_with(' ') {
        return false;
    }
    let letters: Vec<char> = text.chars().collect();
    letters.iter().enumerate().all(|(at, letter)| {
        let next = letters.get(at + 1).copied();
        match letter {
            ',' | '[' | ']' | '{' | '}' | '?' | ':' => false,
            '#' => at > 0 && !space(Some(letters[at - 1])),
            '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@' | '`' => at > 0,
            '-' => at > 0 || !space(next),
            _ => true,
        }
    })
}

fn double_quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\0' => out.push_str("\\0"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{b}' => out.push_str("\\v"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            '\u{1b}' => out.push_str("\\e"),
            '\u{85}' => out.push_str("\\N"),
            '\u{2028}' => out.push_str("\\L"),
            '\u{2029}' => out.push_str("\\P"),
            c if (c as u32) < 0x20 || c as u32 == 0x7f => out.push_str(&format!("\\x{:02x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(Value::Double(1e9), "1.0E9", "1.0E9")]
    #[case(Value::Double(f64::INFINITY), "Infinity", ".inf")]
    #[case(Value::Int(4_294_967_296), "4294967296", "4294967296")]
    #[case(Value::text("[a]"), "[a]", "[a]")]
    #[case(Value::List(vec![Value::text("a"), Value::Int(1), Value::text("1")]), "[a, 1, 1]", "[a, 1, '1']")]
    #[case(Value::List(vec![Value::text("a:b"), Value::text("it's"), Value::text("'q")]), "[a:b, it's, 'q]", "['a:b', it's, '''q']")]
    #[case(Value::List(vec![]), "[]", "[]")]
    fn texts_are_those_of_java_and_of_flinks_yaml(#[case] value: Value, #[case] java: &str, #[case] flink: &str) {
        assert_eq!((value.java_text().as_ref(), value.flink_text().as_ref()), (java, flink));
    }
}
