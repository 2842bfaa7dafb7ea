//! The heap keys of Flink 1.9, which versions up to 1.20 read in the place of a newer total
//! (`MemoryBackwardsCompatibilityUtils`).

use super::rejection::{ExceptionClass, Outcome, Rejection};
use super::settings::{Level, Settings, StandIn};
use crate::config::{Layer, Setting, Value};
use crate::flink::key::{Int, Key, Size};
use crate::flink::memory_size::human;
use crate::model::{Bytes, Place, Source};

/// Where an old total may be written.
pub struct Keys {
    /// The environment variable, which is looked at first.
    pub variable: &'static str,
    /// The key with a unit.
    pub size: Key<Size>,
    /// The key in mebibytes.
    pub mb: Key<Int>,
}

/// The old total, where this version reads it and the option it stands in for is not set.
pub fn map(settings: &Settings<'_>, target: Key<Size>, keys: Keys) -> Outcome<Option<StandIn>> {
    if !settings.profile().behaviour.legacy_heap_keys || settings.is_set(target) {
        return Ok(None);
    }
    let (written, bytes, place) = if let Some(text) = settings.config().variable(keys.variable) {
        let bytes = Bytes::parse_flink(text).map_err(|e| {
            let message = format!("Cannot read total process memory size from environment variable value {text}.");
            <Box<Rejection>>::from(e).wrapped(ExceptionClass::IllegalConfiguration, message)
        })?;
        let place = Place::of(Source::Environment(keys.variable.into()));
        (keys.variable, bytes, place)
    } else if let Some(found) = settings.find(keys.size) {
        let bytes = settings.memory_size(keys.size)?.bytes;
        (found.written, bytes, found.setting.place.clone())
    } else if let Some(found) = settings.find(keys.mb) {
        let (mb, _) = settings.int(keys.mb)?;
        let bytes = u32::try_from(mb).map(Bytes::mib).map_err(|_| {
            Rejection::illegal_configuration(format!(
                "Configured total process memory size ({mb}MB) must not be less than 0."
            ))
        })?;
        (found.written, bytes, found.setting.place.clone())
    } else {
        return Ok(None);
    };
    settings.notice(
        Level::Info,
        format!(
            "'{}' is not specified, use the configured deprecated task manager heap value ({}) for it.",
            target.name(),
            human(bytes)
        ),
    );
    let value = Value::text(format!("{}b", bytes.get()));
    Ok(Some(StandIn {
        target: target.name(),
        written,
        setting: Setting { value, place, written: None, overridden: Vec::new(), layer: Layer::default() },
    }))
}
