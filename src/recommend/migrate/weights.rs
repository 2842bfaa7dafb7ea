//! The weights by which consumers share managed memory: their names changed twice, and the ways to write them once.

use std::collections::BTreeMap;

use super::{Draft, Request};
use crate::flink::keys;
use crate::flink::profile::ConsumerNames;
use crate::flink::structured;

const BOTH: &str = "DATAPROC";
const PARTS: [&str; 2] = ["OPERATOR", "STATE_BACKEND"];

/// Writes the weights as the new version reads them; gives back what it cannot be told.
pub fn carried(request: &Request<'_>, draft: &mut Draft) -> Vec<String> {
    let (old, new) = (&request.from.behaviour, &request.to.behaviour);
    let key = keys::CONSUMER_WEIGHTS.name();
    let prefix = format!("{key}.");
    let prefixed: Vec<(String, String)> = draft
        .config
        .with_prefix(&prefix)
        .map(|(full, setting)| (full.to_owned(), setting.value.java_text().into_owned()))
        .collect();
    if old.consumer_names == ConsumerNames::None {
        return Vec::new();
    }
    if new.consumer_names == ConsumerNames::None {
        // Without weights a backend takes the whole slot: what other weights do has no name there.
        let keys = prefixed.into_iter().map(|(full, _)| full);
        return if draft.config.get(key).is_none() { keys.collect() } else { Vec::new() };
    }
    let whole = draft.config.get(key).map(|setting| setting.value.java_text().into_owned());
    let counts_prefixed = whole.is_none() && old.prefixed_map_keys && !prefixed.is_empty();
    let mut weights: BTreeMap<String, String> = match (&whole, counts_prefixed) {
        (Some(text), _) => match pairs(text) {
            Some(pairs) => pairs,
            None => return Vec::new(),
        },
        (None, true) => prefixed.iter().map(|(full, value)| (full[prefix.len()..].to_owned(), value.clone())).collect(),
        (None, false) => return Vec::new(),
    };
    let before = weights.clone();
    match new.consumer_names {
        ConsumerNames::UseCases => {
            if let Some(weight) = weights.remove(BOTH).filter(|_| old.consumer_names != ConsumerNames::UseCases) {
                for part in PARTS {
                    weights.entry(part.to_owned()).or_insert_with(|| weight.clone());
                }
            }
        }
        ConsumerNames::Dataproc if old.consumer_names != ConsumerNames::Dataproc => {
            let parts: Vec<Option<String>> =
                PARTS.iter().map(|part| weights.remove(*part).or_else(|| weights.get(BOTH).cloned())).collect();
            if parts[0] != parts[1] {
                // One weight for two consumers that have two.
                return vec![key.to_owned()];
            }
            weights.retain(|name, _| name == BOTH || name == "PYTHON");
            if let Some(weight) = parts.into_iter().flatten().next() {
                weights.insert(BOTH.to_owned(), weight);
            }
        }
        _ => {}
    }
    let spelled_otherwise = counts_prefixed && !new.prefixed_map_keys;
    if weights != before || spelled_otherwise {
        for (full, _) in &prefixed {
            draft.config.remove(full);
        }
        let text: Vec<String> = weights.iter().map(|(name, weight)| format!("{name}:{weight}")).collect();
        draft.put(key, text.join(","), "the same weights under the names that this version has for consumers");
    }
    Vec::new()
}

/// `k:v,k:v`; nothing where it is written otherwise.
fn pairs(text: &str) -> Option<BTreeMap<String, String>> {
    let items = structured::split(text, ',').ok()?;
    items
        .iter()
        .map(|item| item.split_once(':').map(|(name, weight)| (name.trim().to_owned(), weight.trim().to_owned())))
        .collect()
}
