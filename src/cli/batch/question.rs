//! One line of the batch protocol, as it is asked.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserializer, Error, Visitor};
use serde::{Deserialize, de};

use crate::config::Value;
use crate::model::UseCase;

/// A question. Fields that are not known are passed over.
#[derive(Debug, Deserialize)]
pub struct Question {
    /// Returned as given.
    #[serde(default)]
    pub id: serde_json::Value,
    /// The Flink version; the newest where it is not named.
    pub flink: Option<String>,
    /// Whose memory; a TaskManager's where it is not named.
    #[serde(default)]
    pub role: Role,
    /// A flat configuration, or
    pub config: Option<BTreeMap<String, Setting>>,
    /// the files of a configuration directory.
    pub files: Option<BTreeMap<String, String>>,
    /// Dynamic properties over them.
    #[serde(default)]
    pub dynamic: BTreeMap<String, Setting>,
    /// How a heap key of Flink 1.9 is read.
    #[serde(default)]
    pub legacy_total: LegacyTotal,
    /// Which consumers of managed memory a slot has.
    pub consumers: Option<Vec<Consumer>>,
    /// Whether the state backend takes managed memory.
    pub state_backend_managed: Option<bool>,
    /// Whether RocksDB's memory is asked for too.
    #[serde(default)]
    pub rocksdb: bool,
    /// Sizes that are wanted, by name: what to change is asked for.
    pub want: Option<BTreeMap<String, String>>,
    /// Whether a refusal is to say what would be accepted.
    #[serde(default)]
    pub cures: bool,
    /// A question about Flink's arithmetic alone.
    pub ask: Option<Ask>,
    /// For `ask`: a size as text.
    pub text: Option<String>,
    /// For `ask`: a size.
    pub bytes: Option<u64>,
    /// For `ask`: a fraction as text.
    pub fraction: Option<String>,
    /// For `ask`: a pool's size.
    pub total: Option<i64>,
    /// For `ask`: a write-buffer ratio.
    pub ratio: Option<f64>,
    /// For `ask`: a write buffer's size.
    pub wbs: Option<i64>,
}

/// Whose memory.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// A TaskManager's.
    #[default]
    TaskManager,
    /// A JobManager's.
    JobManager,
}

/// How a heap key of Flink 1.9 is read.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LegacyTotal {
    /// As total Flink memory of a TaskManager, as heap of a JobManager.
    #[default]
    Standalone,
    /// As total process memory.
    Container,
    /// Not at all.
    None,
}

/// A consumer of managed memory.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Consumer {
    /// Batch operators.
    Operator,
    /// RocksDB or ForSt.
    StateBackend,
    /// Python workers.
    Python,
}

impl From<Consumer> for UseCase {
    fn from(consumer: Consumer) -> UseCase {
        match consumer {
            Consumer::Operator => UseCase::Operator,
            Consumer::StateBackend => UseCase::StateBackend,
            Consumer::Python => UseCase::Python,
        }
    }
}

/// A question about Flink's arithmetic alone.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ask {
    /// What a text is as a size.
    MemorySize,
    /// What a fraction of a size is.
    Fraction,
    /// How a pool is divided.
    Rocksdb,
}

/// A value: a text, or a number or boolean as `config.yaml` would hold it.
#[derive(Debug)]
pub struct Setting(pub Value);

impl<'de> Deserialize<'de> for Setting {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Setting, D::Error> {
        struct Any;
        impl Visitor<'_> for Any {
            type Value = Setting;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, number or boolean")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Setting, E> {
                Ok(Setting(Value::text(text)))
            }
            fn visit_string<E: de::Error>(self, text: String) -> Result<Setting, E> {
                Ok(Setting(Value::Text(text)))
            }
            fn visit_i64<E: de::Error>(self, n: i64) -> Result<Setting, E> {
                Ok(Setting(Value::Int(n)))
            }
            fn visit_u64<E: de::Error>(self, n: u64) -> Result<Setting, E> {
                Ok(Setting(i64::try_from(n).map(Value::Int).unwrap_or_else(|_| Value::BigInt(n.to_string()))))
            }
            fn visit_f64<E: de::Error>(self, x: f64) -> Result<Setting, E> {
                Ok(Setting(Value::Double(x)))
            }
            fn visit_bool<E: de::Error>(self, flag: bool) -> Result<Setting, E> {
                Ok(Setting(Value::Bool(flag)))
            }
        }
        deserializer.deserialize_any(Any)
    }
}

impl Question {
    /// Reads a line.
    pub fn read(line: &[u8]) -> Result<Question, serde_json::Error> {
        let question: Question = serde_json::from_slice(line)?;
        if question.config.is_some() && question.files.is_some() {
            return Err(serde_json::Error::custom("a question has either `config` or `files`, not both"));
        }
        Ok(question)
    }
}
