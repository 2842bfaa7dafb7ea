//! The answers of every `…/metrics`: a list of names, or names and values.

use std::collections::BTreeMap;

use super::answer::{AnswerError, open_list};
use super::number::whole;
use crate::model::{Bytes, Seen, Unseen};

/// The names of a list of metrics.
///
/// # Errors
///
/// Where the answer is no JSON list of Flink's.
pub fn metric_names(answer: &[u8]) -> Result<Vec<String>, AnswerError> {
    let text = String::from_utf8_lossy(answer);
    Ok(open_list(&text)?.into_iter().filter_map(|node| node.fields("")?.text("id").ok()).collect())
}

/// Names and values of `metrics?get=…`; the values are texts, as Flink writes them.
///
/// # Errors
///
/// Where the answer is no JSON list of Flink's.
pub fn metric_values(answer: &[u8]) -> Result<Vec<(String, String)>, AnswerError> {
    let text = String::from_utf8_lossy(answer);
    let rows = open_list(&text)?.into_iter().filter_map(|node| {
        let row = node.fields("")?;
        let value = row.text("value").ok().or_else(|| row.whole("value").ok().map(|value| value.to_string()))?;
        Some((row.text("id").ok()?, value))
    });
    Ok(rows.collect())
}

/// Metrics by their name, whatever stands between its parts: `Status.JVM.Threads.Count` of REST is
/// `Status_JVM_Threads_Count` of Prometheus.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metrics(BTreeMap<String, String>);

impl Metrics {
    /// The value of a metric from now on.
    pub fn insert(&mut self, name: &str, value: &str) {
        self.0.insert(plain(name), value.to_owned());
    }

    /// A whole number.
    pub fn whole(&self, name: &str) -> Seen<u64> {
        let text = self.0.get(&plain(name)).ok_or_else(|| Unseen::because(format!("no metric {name} was given")))?;
        whole(text).map_err(|unseen| Unseen::because(format!("{name}: {}", unseen.why)))
    }

    /// A number of bytes.
    pub fn bytes(&self, name: &str) -> Seen<Bytes> {
        self.whole(name).map(Bytes::new)
    }

    /// What stands between a beginning and an end, for all names that have both.
    pub fn between(&self, begin: &str, end: &str) -> Vec<String> {
        let (begin, end) = (plain(begin), plain(end));
        let names = self.0.keys().filter_map(|name| name.strip_prefix(&begin)?.strip_suffix(&end));
        names.map(str::to_owned).collect()
    }
}

impl FromIterator<(String, String)> for Metrics {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(all: I) -> Metrics {
        Metrics(all.into_iter().map(|(name, value)| (plain(&name), value)).collect())
    }
}

fn plain(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}
