//! What to change for what a process really uses.

use serde::Serialize;

use super::text::wrapped;
use crate::model::Bytes;
use crate::recommend::Change;
use crate::recommend::from_use::{Advice, Recommendation};
use crate::report::amount::mib;

/// The recommendations, a paragraph each; nothing where there is none.
pub fn text(advice: &Advice, width: usize) -> String {
    let mut out = String::new();
    if !advice.recommendations.is_empty() {
        out += "\nFrom what it uses\n";
    }
    for one in &advice.recommendations {
        let verb = if one.after > one.before { "raise" } else { "lower" };
        let answers = one.answers.map_or_else(String::new, |code| format!(" [{code}]"));
        let (part, before, after) = (one.part.label(), mib(one.before), mib(one.after));
        out += &wrapped(&format!("  {verb} {part} from {before} to {after} MiB{answers}: {}", one.why), width, "    ");
        for change in &one.changes {
            out += &wrapped(&format!("    {}", shown(change)), width, "      ");
        }
        out += &wrapped(&format!("    planned: Flink accepts it, and {}", process(one)), width, "      ");
        out += &wrapped(&format!("    risk: {}", one.risk), width, "      ");
    }
    out
}

fn shown(change: &Change) -> String {
    match change {
        Change::Set { key, value } => format!("{key}: {value}"),
        Change::Remove { key } => format!("take out {key}"),
    }
}

fn process(one: &Recommendation) -> String {
    let less = |one: Bytes, other: Bytes| mib(one.checked_sub(other).unwrap_or(Bytes::ZERO));
    match one.process_after.cmp(&one.process_before) {
        std::cmp::Ordering::Equal => "the process stays as large as it is".to_owned(),
        std::cmp::Ordering::Greater => {
            format!("the process grows by {} MiB, as its container must", less(one.process_after, one.process_before))
        }
        std::cmp::Ordering::Less => {
            format!("the process shrinks by {} MiB", less(one.process_before, one.process_after))
        }
    }
}

/// A recommendation in JSON. Sizes are bytes.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RecommendationV1 {
    /// What it sizes, in words.
    part: &'static str,
    /// The cause of a coming end that it answers; null where it only saves memory.
    answers: Option<&'static str>,
    /// What to change.
    changes: Vec<ChangeV1>,
    /// The part's size.
    before: u64,
    /// The same with the changes, as planned.
    after: u64,
    /// The whole process.
    process_before: u64,
    /// The same with the changes, as planned.
    process_after: u64,
    /// Why.
    why: String,
    /// What may go wrong.
    risk: &'static str,
    /// Where the rule is from.
    source: &'static str,
}

/// A key and its new value.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct ChangeV1 {
    /// The key.
    key: String,
    /// Its value; null takes it out.
    value: Option<String>,
}

/// The recommendations in JSON.
pub fn json(advice: &Advice) -> Vec<RecommendationV1> {
    let change = |change: &Change| match change {
        Change::Set { key, value } => ChangeV1 { key: key.clone(), value: Some(value.clone()) },
        Change::Remove { key } => ChangeV1 { key: key.clone(), value: None },
    };
    let one = |one: &Recommendation| RecommendationV1 {
        part: one.part.label(),
        answers: one.answers,
        changes: one.changes.iter().map(change).collect(),
        before: one.before.get(),
        after: one.after.get(),
        process_before: one.process_before.get(),
        process_after: one.process_after.get(),
        why: one.why.clone(),
        risk: one.risk,
        source: one.source,
    };
    advice.recommendations.iter().map(one).collect()
}
