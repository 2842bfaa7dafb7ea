//! What Flink logs of its configuration as it reads it (`GlobalConfiguration.logConfiguration` and its predecessors).

use super::Stated;

/// One option as it was loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadedProperty {
    /// The key.
    pub key: String,
    /// The value; `******` where Flink takes it for a secret.
    pub value: String,
}

const FILE: &str = "Loading configuration property: ";
const DYNAMIC: &str = "Loading dynamic configuration property: ";

/// Every option that a text says was loaded, in its order: the last of a key counts.
pub fn parse(text: &str) -> Vec<Stated<LoadedProperty>> {
    text.lines()
        .enumerate()
        .filter_map(|(index, line)| {
            let rest = [FILE, DYNAMIC].into_iter().find_map(|title| line.split_once(title).map(|(_, rest)| rest))?;
            let (key, value) = rest.split_once(", ")?;
            let (key, value) = (key.trim().to_owned(), value.trim().to_owned());
            (!key.is_empty()).then(|| Stated::at(index, LoadedProperty { key, value }))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loaded_options_are_read_with_their_lines() {
        let text = "x\n2026-11-21 INFO GlobalConfiguration [] - Loading configuration property: a.b, 1, 2\n\
                    INFO  [] - Loading dynamic configuration property: c, ******\n Loading configuration property: \n";
        let read: Vec<_> = parse(text).into_iter().map(|p| (p.what.key, p.what.value, p.line)).collect();
        assert_eq!(read, [("a.b".into(), "1, 2".into(), 2), ("c".into(), "******".into(), 3)]);
    }
}
