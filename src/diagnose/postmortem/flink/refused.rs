//! Configurations that Flink refused: a process that never was.

use super::{Told, shown};
use crate::artefact::flink_log::Printed;
use crate::artefact::flink_log::rejection::{self, Why};
use crate::diagnose::postmortem::signal::{Death, Says};
use crate::model::{Area, Bytes, Killer};

pub(super) fn tell(told: &mut Told<'_>) {
    let text = told.text();
    let rejections = rejection::rejections(text);
    let numbered = |why: &Why| matches!(why, Why::TooMuch { .. } | Why::OutOfRange { .. } | Why::Unequal { .. });
    let any_numbered = rejections.iter().any(|rejection| numbered(&rejection.what.why));
    let out_of_memory = text.contains("OutOfMemoryError");
    for rejection in &rejections {
        let why = &rejection.what.why;
        // A cause with numbers says more than what is wrapped around it; and a script that got nothing from the JVM may
        // have met one that ran out of memory itself.
        if (any_numbered && !numbered(why)) || (*why == Why::Unsaid && out_of_memory) {
            continue;
        }
        let death = death(why, &rejection.what.sentence);
        told.flink(format!("refused {why:?}"), &rejection.span, Says::Death(death));
    }
}

fn death(why: &Why, sentence: &str) -> Death {
    let mut death = Death { area: Some(Area::Config), because: cut(sentence), ..Death::by(Killer::Flink) };
    let bytes = |printed: &Option<Printed>| printed.map(|printed| printed.bytes);
    let exact = |printed: &Option<Printed>| printed.is_some_and(|printed| printed.exact);
    match why {
        Why::TooMuch { parts, whole, limit } => {
            death.limit = bytes(limit);
            death.exact = exact(limit);
            if let [(_, only)] = parts.as_slice() {
                death.usage = Some(only.bytes);
            }
            let all = sum(parts);
            let list: Vec<String> = parts.iter().map(|(name, size)| format!("{name} {}", shown(size.bytes))).collect();
            match (all, death.limit) {
                (Some(all), Some(limit)) if parts.len() > 1 => {
                    death.because =
                        format!("{} come to {}, and {whole} is {}", list.join(" + "), shown(all), shown(limit));
                }
                (_, Some(limit)) if !list.is_empty() => {
                    death.because = format!("{} does not fit in {whole} of {}", list.join(" + "), shown(limit));
                }
                _ => {}
            }
        }
        Why::OutOfRange { part, derived, min, max } => {
            death.usage = bytes(derived);
            death.exact = exact(derived);
            let above = derived.zip(*max).is_some_and(|(derived, max)| derived.bytes > max.bytes);
            death.limit = bytes(max).filter(|_| above);
            if let (Some(derived), Some(min), Some(max)) = (derived, min, max) {
                death.because = format!(
                    "{} are left for {part}, which may be {} to {}",
                    shown(derived.bytes),
                    shown(min.bytes),
                    shown(max.bytes)
                );
            }
        }
        Why::Unequal { parts, limit } => {
            death.limit = bytes(limit);
            death.exact = exact(limit);
            if let [(_, only)] = parts.as_slice() {
                death.usage = Some(only.bytes);
            }
        }
        Why::NotSet => {
            death.because = "none of the sizes is set from which Flink derives the others".to_owned();
        }
        Why::BadValue { key: Some(key) } => {
            death.because = format!("the value of {key} cannot be used: {}", cut(sentence));
        }
        Why::BadValue { key: None } | Why::Unsaid => {}
    }
    death
}

/// The parts together; nothing where there are none, or too much for a number.
fn sum(parts: &[(String, Printed)]) -> Option<Bytes> {
    let mut all = 0u64;
    for (_, part) in parts {
        all = all.checked_add(part.bytes.get())?;
    }
    (!parts.is_empty()).then(|| Bytes::new(all))
}

fn cut(sentence: &str) -> String {
    sentence.chars().take(300).collect()
}
