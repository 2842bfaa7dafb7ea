//! One change of one option, and a configuration with changes in it.

use std::fmt;

use crate::config::{Config, Value};
use crate::model::{Place, Source};

/// What becomes of one key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Change {
    /// It is given this value, whatever it had.
    Set {
        /// The key.
        key: String,
        /// The value, as it is written in a configuration file.
        value: String,
    },
    /// It is taken out, so that its default or what is derived counts.
    Remove {
        /// The key.
        key: String,
    },
}

impl Change {
    /// Gives a key a value.
    pub fn set(key: impl Into<String>, value: impl Into<String>) -> Change {
        Change::Set { key: key.into(), value: value.into() }
    }

    /// Takes a key out.
    pub fn remove(key: impl Into<String>) -> Change {
        Change::Remove { key: key.into() }
    }

    /// The key it is about.
    pub fn key(&self) -> &str {
        match self {
            Change::Set { key, .. } | Change::Remove { key } => key,
        }
    }

    /// The value it is given; nothing where it is taken out.
    pub fn value(&self) -> Option<&str> {
        match self {
            Change::Set { value, .. } => Some(value),
            Change::Remove { .. } => None,
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Change::Set { key, value } => write!(f, "{key}: {value}"),
            Change::Remove { key } => write!(f, "without {key}"),
        }
    }
}

/// The configuration with the changes in it, in order.
pub fn applied(config: &Config, changes: &[Change]) -> Config {
    let mut changed = config.clone();
    for change in changes {
        match change {
            Change::Set { key, value } => {
                changed.set(key.clone(), Value::text(value), Place::of(Source::Proposed));
            }
            Change::Remove { key } => changed.remove(key),
        }
    }
    changed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_set_and_take_out_keys_and_leave_the_rest() {
        let mut config = Config::new();
        for key in ["a", "b", "c"] {
            config.set(key.to_owned(), Value::text("1"), Place::of(Source::Stdin));
        }
        let changed = applied(&config, &[Change::set("a", "2"), Change::remove("b")]);
        let left: Vec<_> = changed.iter().map(|(key, setting)| (key, setting.value.java_text().into_owned())).collect();
        assert_eq!(left, [("a", "2".to_owned()), ("c", "1".to_owned())]);
        assert_eq!(changed.get("a").unwrap().place.source, Source::Proposed);
    }
}
