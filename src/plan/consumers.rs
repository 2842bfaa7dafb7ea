//! Who gets how much of a slot's managed memory (`ManagedMemoryUtils`, `MemoryManager.computeMemorySize`).

use std::collections::BTreeMap;

use super::rejection::{BadValue, ExceptionClass, Outcome, Reason, Rejection};
use super::settings::Settings;
use crate::config::{Value, yaml};
use crate::flink::profile::{ConsumerNames, MapItemError};
use crate::flink::{hash_order, java, keys, structured};
use crate::model::{Bytes, Component, Derivation, Figure, Place, Quantity, Source, Term, UseCase};

const ACCEPTED_WEIGHTS: &str = "names and whole numbers, such as OPERATOR:70,STATE_BACKEND:70,PYTHON:30";

/// What one consumer gets.
#[derive(Clone, Debug, PartialEq)]
pub struct ConsumerShare {
    /// The consumer.
    pub use_case: UseCase,
    /// Its share of the slot's managed memory, from 0 to 1.
    pub fraction: f64,
    /// The share in bytes; a fraction of 0 fails when the job starts.
    pub share: Outcome<Figure>,
}

/// The weights, by consumer; those that are not named have none.
pub type Weights = BTreeMap<UseCase, i32>;

/// Reads the weights; `None` in versions that have none.
pub fn weights(settings: &Settings<'_>) -> Outcome<Option<Weights>> {
    let names = settings.profile().behaviour.consumer_names;
    if names == ConsumerNames::None {
        return Ok(None);
    }
    let (entries, written) = read_map(settings)?;
    let mut weights = Weights::new();
    if names == ConsumerNames::Dataproc {
        // A HashMap is walked, so its order decides which error comes first.
        let names: Vec<&str> = entries.iter().map(|(name, _)| name.as_str()).collect();
        for index in hash_order::iteration_order(&names) {
            let (name, text) = &entries[index];
            let weight = weight(text, name, &written)?;
            match name.as_str() {
                "DATAPROC" => weights.extend([(UseCase::Operator, weight), (UseCase::StateBackend, weight)]),
                "PYTHON" => drop(weights.insert(UseCase::Python, weight)),
                _ => {
                    let message = format!("Unknown managed memory consumer: {name}");
                    return Err(with_place(Rejection::illegal_configuration(message), &written));
                }
            }
        }
        return Ok(Some(weights));
    }
    for use_case in UseCase::ALL {
        let old_name = match (names, use_case) {
            (ConsumerNames::UseCasesOrDataproc, UseCase::Operator | UseCase::StateBackend) => Some("DATAPROC"),
            _ => None,
        };
        let text = [Some(use_case.name()), old_name]
            .into_iter()
            .flatten()
            .find_map(|name| entries.iter().find(|(key, _)| key == name).map(|(_, text)| text));
        if let Some(text) = text {
            weights.insert(use_case, weight(text, use_case.name(), &written)?);
        }
    }
    Ok(Some(weights))
}

/// The map's text and place, for a message.
struct Written {
    value: String,
    place: Place,
}

fn with_place(rejection: Box<Rejection>, written: &Written) -> Box<Rejection> {
    rejection.because(Reason::BadValue(BadValue {
        key: keys::CONSUMER_WEIGHTS.name().to_owned(),
        value: written.value.clone(),
        place: written.place.clone(),
        accepted: ACCEPTED_WEIGHTS,
    }))
}

fn weight(text: &str, name: &str, written: &Written) -> Outcome<i32> {
    let weight = java::parse_int(text).map_err(|e| with_place(e.into(), written))?;
    if weight < 0 {
        let message =
            format!("Managed memory weight should not be negative. Configured weight for {name} is {weight}.");
        return Err(with_place(Rejection::illegal_configuration(message), written));
    }
    Ok(weight)
}

/// The map's entries: from the plain key, else from prefixed keys, else the default.
fn read_map(settings: &Settings<'_>) -> Outcome<(Vec<(String, String)>, Written)> {
    let key = keys::CONSUMER_WEIGHTS;
    if let Some(found) = settings.find(key) {
        let written =
            Written { value: found.setting.value.java_text().into_owned(), place: found.setting.place.clone() };
        let entries = parse_map(settings, &written.value).map_err(|cause| {
            let message = format!("Could not parse value '{}' for key '{}'.", written.value, key.name());
            with_place(cause.wrapped(ExceptionClass::IllegalArgument, message), &written)
        })?;
        return Ok((entries, written));
    }
    if settings.profile().behaviour.prefixed_map_keys {
        let prefix = format!("{}.", key.name());
        let mut place = None;
        let entries: Vec<_> = settings
            .config()
            .with_prefix(&prefix)
            .map(|(name, setting)| {
                place.get_or_insert_with(|| setting.place.clone());
                (name[prefix.len()..].to_owned(), setting.value.flink_text().into_owned())
            })
            .collect();
        if let Some(place) = place {
            let value = entries.iter().map(|(k, v)| format!("{k}:{v}")).collect::<Vec<_>>().join(",");
            return Ok((entries, Written { value, place }));
        }
    }
    // Defaults look like {OPERATOR=70, STATE_BACKEND=70, PYTHON=30}.
    let default = settings.row(key).and_then(|row| row.default).unwrap_or_default();
    let entries = default
        .trim_matches(['{', '}'])
        .split(", ")
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, weight)| (name.to_owned(), weight.to_owned()))
        .collect();
    Ok((entries, Written { value: default.to_owned(), place: Place::of(Source::Caller) }))
}

/// `ConfigurationUtils.convertToProperties`.
fn parse_map(settings: &Settings<'_>, text: &str) -> Outcome<Vec<(String, String)>> {
    let behaviour = &settings.profile().behaviour;
    if settings.structures_are_yaml()
        && let Some(entries) = yaml_map(text)
    {
        return Ok(entries);
    }
    let split = |text: &str, delimiter| {
        structured::split(text, delimiter).map_err(|e| Rejection::illegal_argument(e.to_string()))
    };
    let mut entries: Vec<(String, String)> = Vec::new();
    for item in split(text, ',')? {
        let pair = split(&item, ':')?;
        let [name, value] = &pair[..] else {
            return Err(Rejection::illegal_argument(match behaviour.map_item_error {
                MapItemError::Pair => format!("Could not parse pair in the map [{}]", pair.join(", ")),
                MapItemError::Item => "Map item is not a key-value pair (missing ':'?)".to_owned(),
            }));
        };
        if let Some((_, first)) = entries.iter().find(|(known, _)| known == name) {
            let message = format!("Duplicate key {name} (attempted merging values {first} and {value})");
            return Err(Rejection::new(ExceptionClass::IllegalState, message));
        }
        entries.push((name.clone(), value.clone()));
    }
    Ok(entries)
}

/// The text as a YAML map; nothing where it is none, for then Flink falls back to its own syntax.
fn yaml_map(text: &str) -> Option<Vec<(String, String)>> {
    let Value::Map(entries) = yaml::value(text).ok()?? else { return None };
    let entry = |(key, value): &(Value, Value)| {
        let texts = (key.flink_text().into_owned(), value.flink_text().into_owned());
        (*value != Value::Null).then_some(texts)
    };
    entries.iter().map(entry).collect()
}

/// What each consumer present in a slot gets of the slot's managed memory.
///
/// `managed_backend` tells whether the state backend takes managed memory at all.
///
/// Managed memory is handed out in pages of `segment` bytes.
pub fn shares(
    weights: &Weights,
    present: &[UseCase],
    managed_backend: bool,
    slot_managed: Bytes,
    segment: Bytes,
) -> Vec<ConsumerShare> {
    let counts = |use_case: UseCase| use_case != UseCase::StateBackend || managed_backend;
    let weight = |use_case: UseCase| weights.get(&use_case).copied().unwrap_or(0);
    // Java sums the weights in 32 bits; the sum may wrap.
    let total = UseCase::ALL
        .into_iter()
        .filter(|u| present.contains(u) && counts(*u))
        .fold(0i32, |sum, use_case| sum.wrapping_add(weight(use_case)));
    present
        .iter()
        .map(|&use_case| {
            let (weight, weights) = (i64::from(weight(use_case)), i64::from(total));
            let fraction = if counts(use_case) && total > 0 { rounded_down(weight, weights) } else { 0.0 };
            let whole = Term::new(Quantity::SlotShare(Component::Managed), slot_managed);
            let share = memory_of(slot_managed, fraction, segment)
                .map(|bytes| Figure::derived(bytes, Derivation::Weighted { whole, weight, weights }));
            ConsumerShare { use_case, fraction, share }
        })
        .collect()
}

/// The quotient cut off after 16 decimals (`ManagedMemoryUtils.getFractionRoundedDown`).
fn rounded_down(dividend: i64, divisor: i64) -> f64 {
    const SCALE: i128 = 10_000_000_000_000_000;
    let quotient = i128::from(dividend) * SCALE / i128::from(divisor);
    format!("{}.{:016}", quotient / SCALE, quotient % SCALE).parse().unwrap_or(0.0)
}

/// The bytes of a fraction of a slot's managed memory (`MemoryManager.computeMemorySize`).
pub fn memory_of(slot_managed: Bytes, fraction: f64, segment: Bytes) -> Outcome<Bytes> {
    let pages = slot_managed.get() / segment.get().max(1);
    if pages > i32::MAX as u64 {
        // Flink's own placeholders are not filled in.
        return Err(Rejection::illegal_argument(format!(
            "The given number of memory bytes (%d) corresponds to more than MAX_INT pages (%d > %d). [{}, {pages}, {}]",
            slot_managed.get(),
            i32::MAX
        )));
    }
    if fraction <= 0.0 {
        return Err(Rejection::illegal_argument(
            "The fraction of memory to allocate should not be 0. Please make sure that all types of managed memory \
             consumers contained in the job are configured with a non-negative weight via \
             `taskmanager.memory.managed.consumer-weights`.",
        ));
    }
    if fraction > 1.0 {
        // Only a sum of weights that has wrapped gets here.
        let fraction = java::double_to_string(fraction);
        let message = format!("The fraction of memory to allocate must within (0, 1], was: {fraction}.");
        return Err(Rejection::illegal_argument(message));
    }
    Ok(Bytes::new((slot_managed.get() as f64 * fraction).floor() as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fraction_is_cut_off_after_sixteen_decimals() {
        assert_eq!(rounded_down(70, 170).to_string(), "0.4117647058823529");
        assert_eq!(rounded_down(10, 67).to_string(), "0.1492537313432835");
        assert_eq!(rounded_down(1, 1), 1.0);
    }

    #[test]
    fn a_consumer_without_weight_gets_nothing_and_the_job_fails() {
        let weights = Weights::from([(UseCase::Python, 30)]);
        let shares = shares(&weights, &[UseCase::StateBackend, UseCase::Python], true, Bytes::mib(100), Bytes::kib(32));
        assert!(shares[0].share.as_ref().unwrap_err().exception.message.contains("should not be 0"));
        assert_eq!(shares[1].share.as_ref().unwrap().bytes, Bytes::mib(100));
    }
}
