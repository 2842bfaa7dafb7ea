//! `config.yaml` by Flink's standard YAML rules (`YamlParserUtils` and `GlobalConfiguration`, 1.19 to 2.3): maps of any
//! depth are flattened with dots, dotted and nested spellings mix, the later one in the text wins; types survive.

use super::Value;
use super::yaml::{self, KeyValue, Kind, Node, Walk, YamlError};
use crate::model::Position;

/// One flattened entry.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The whole key, with dots.
    pub key: String,
    /// The value with its type.
    pub value: Value,
    /// Where the value stands.
    pub position: Position,
    /// Where the last part of the key stands.
    pub written: Position,
}

/// Reads a whole file; Flink refuses the file as a whole or not at all.
pub fn parse(text: &str) -> Result<Vec<Entry>, YamlError> {
    let mut flat = Flat { entries: Vec::new(), walk: Walk::default() };
    if let Some(root) = yaml::parse(text)? {
        match &root.kind {
            Kind::Mapping(entries) => flat.mapping("", entries)?,
            Kind::Scalar(Value::Null) => {}
            Kind::Scalar(_) => return Err(refused(&root, "the file is a single value, not a map of options")),
            Kind::Sequence(_) => return Err(refused(&root, "the file is a list, not a map of options")),
        }
    }
    Ok(flat.entries)
}

fn refused(node: &Node, reason: &str) -> YamlError {
    YamlError::new(reason.to_owned(), node.position)
}

struct Flat {
    entries: Vec<Entry>,
    walk: Walk,
}

impl Flat {
    fn mapping(&mut self, prefix: &str, entries: &[KeyValue]) -> Result<(), YamlError> {
        for (key, value) in entries {
            let name = match &key.kind {
                Kind::Scalar(Value::Text(text)) => text.as_str(),
                Kind::Scalar(Value::Null) => "null",
                Kind::Scalar(other) => {
                    let reason = format!("the key {} is not a text: put it in quotes", other.java_text());
                    return Err(refused(key, &reason));
                }
                _ => return Err(refused(key, "a list or a map is no key")),
            };
            let full = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}.{name}") };
            self.walk.key(&full, value)?;
            match &value.kind {
                Kind::Mapping(inner) => {
                    self.walk.enter(value)?;
                    self.mapping(&full, inner)?;
                    self.walk.leave();
                }
                Kind::Scalar(Value::Null) => {
                    let reason =
                        format!("{full} has no value: Flink refuses the whole file (write \"\" for an empty text)");
                    return Err(refused(value, &reason));
                }
                _ => {
                    let value_of = self.walk.value(value)?;
                    let entry = Entry { key: full, value: value_of, position: value.position, written: key.position };
                    self.entries.push(entry);
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn flat(text: &str) -> Vec<(String, String)> {
        parse(text).unwrap().into_iter().map(|e| (e.key, e.value.flink_text().into_owned())).collect()
    }

    #[rstest]
    #[case("a:\n  b:\n    c: 4g\n")]
    #[case("a.b.c: 4g\n")]
    #[case("a:\n  b.c: 4g\n")]
    #[case("{a: {b: {c: 4g}}}")]
    #[case("\u{feff}a.b:\n  c: \"4g\"\n")]
    fn nested_flat_and_mixed_spellings_are_the_same_key(#[case] text: &str) {
        assert_eq!(flat(text), [("a.b.c".to_owned(), "4g".to_owned())]);
    }

    #[rstest]
    #[case("a: null\n")]
    #[case("a:\n")]
    #[case("- a\n")]
    #[case("42\n")]
    #[case("1: 2\n")]
    #[case("true: 2\n")]
    #[case("? [a]\n: 2\n")]
    fn what_flink_refuses_is_refused_whole(#[case] text: &str) {
        assert!(parse(text).is_err());
    }

    #[test]
    fn merge_keys_are_not_special_and_empty_maps_vanish() {
        let text = "base: &b\n  size: 4g\nx:\n  <<: *b\nempty: {}\nnull: 2\nlist: []\n";
        let keys: Vec<_> = flat(text).into_iter().map(|(k, v)| format!("{k}={v}")).collect();
        assert_eq!(keys, ["base.size=4g", "x.<<.size=4g", "null=2", "list=[]"]);
    }

    #[test]
    fn a_yaml_bomb_ends_in_an_error() {
        let mut bomb = String::from("a0: &a0 {x: 1, y: 2}\n");
        for n in 1..22 {
            bomb += &format!("a{n}: &a{n} {{x: *a{m}, y: *a{m}}}\n", m = n - 1);
        }
        let error = parse(&bomb).unwrap_err();
        assert!(error.reason.contains("more than 1000000 nodes"), "{error}");
    }

    #[rstest]
    #[case(format!("a: &a {}\nb: [{}]\n", "x".repeat(1 << 19), vec!["*a"; 1 << 17].join(", ")))]
    #[case(format!("? {}\n: {{{}}}\n", "x".repeat(900), (0..80_000).map(|n| format!("k{n}: 1, ")).collect::<String>()))]
    fn a_text_that_stands_for_very_much_more_of_it_ends_in_an_error(#[case] text: String) {
        let error = parse(&text).unwrap_err();
        assert!(error.reason.ends_with("more than 64 MiB") && error.beyond_oomph, "{error}");
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in "[-a-z0-9:{}\\[\\],&*!|>'\"%@` \\n\\t#.]{0,80}") {
            let _ = parse(&text);
        }
    }
}
