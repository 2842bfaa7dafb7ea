//! Options read as a version of Flink reads them: old names, defaults, types, and what is logged on the way.

use std::cell::RefCell;
use std::fmt;

use super::rejection::{BadValue, ExceptionClass, Outcome, Reason, Rejection};
use crate::config::{Config, Setting, Value};
use crate::flink::java;
use crate::flink::key::{Boolean, Double, Float, Int, Key, Size, Text};
use crate::flink::memory_size;
use crate::flink::profile::{OptionRow, Profile, UnreadableNumber};
use crate::model::{Bytes, Figure, FlinkSizeError, Provenance, Ratio};

/// How loud Flink says something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// INFO.
    Info,
    /// WARN.
    Warn,
}

/// A line that Flink logs while it derives memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Its level.
    pub level: Level,
    /// Its message.
    pub text: String,
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = match self.level {
            Level::Info => "INFO",
            Level::Warn => "WARN",
        };
        write!(f, "{level} {}", self.text)
    }
}

/// What a size may look like.
pub const ACCEPTED_SIZE: &str =
    "a whole number and b, k, m, g or t, such as 1536m or \"1536 mb\"; no decimals; bare digits are bytes";
const ACCEPTED_FRACTION: &str = "a number such as 0.1, with a point and without a percent sign";
const ACCEPTED_INT: &str = "a whole number such as 4, with nothing around it";
const ACCEPTED_BOOLEAN: &str = "true or false";

/// A configuration as one version of Flink sees it.
pub struct Settings<'a> {
    config: &'a Config,
    profile: &'static Profile,
    stand_in: Option<StandIn>,
    notices: RefCell<Vec<Notice>>,
}

/// A setting that is read in the place of another option's.
#[derive(Clone)]
pub struct StandIn {
    /// The option it stands in for.
    pub target: &'static str,
    /// The key or variable it was written as.
    pub written: &'static str,
    /// The setting.
    pub setting: Setting,
}

/// A setting with the name under which it was found.
pub struct Found<'a> {
    /// The key as written: the option's own or an old name of it.
    pub written: &'static str,
    /// The setting.
    pub setting: &'a Setting,
}

impl Found<'_> {
    /// That it was set, and where.
    pub fn provenance(&self) -> Provenance {
        Provenance::Set { key: self.written, place: self.setting.place.clone() }
    }

    /// A value that cannot be read as a size, where Flink lets the parser's own exception surface.
    pub fn bad_size(&self, error: FlinkSizeError) -> Box<Rejection> {
        <Box<Rejection>>::from(error).because(self.bad_value(ACCEPTED_SIZE))
    }

    fn bad_value(&self, accepted: &'static str) -> Reason {
        Reason::BadValue(BadValue {
            key: self.written.to_owned(),
            value: self.setting.value.java_text().into_owned(),
            place: self.setting.place.clone(),
            accepted,
        })
    }
}

impl<'a> Settings<'a> {
    /// A configuration under a version's eyes.
    pub fn new(config: &'a Config, profile: &'static Profile) -> Settings<'a> {
        Settings { config, profile, stand_in: None, notices: RefCell::new(Vec::new()) }
    }

    /// Reads a setting in the place of an option that is not set itself.
    pub fn stand_in(&mut self, stand_in: StandIn) {
        self.stand_in = Some(stand_in);
    }

    /// What the version knows.
    pub fn profile(&self) -> &'static Profile {
        self.profile
    }

    /// The configuration itself.
    pub fn config(&self) -> &'a Config {
        self.config
    }

    /// Whether the texts of lists and maps are tried as YAML first.
    pub fn structures_are_yaml(&self) -> bool {
        self.profile.behaviour.structures_as_yaml && !self.config.is_from_legacy_file()
    }

    /// Remembers a line that Flink logs; one that was logged before is not repeated.
    pub fn notice(&self, level: Level, text: String) {
        let notice = Notice { level, text };
        let mut notices = self.notices.borrow_mut();
        if !notices.contains(&notice) {
            notices.push(notice);
        }
    }

    /// What was logged so far, in order of first appearance.
    pub fn notices(&self) -> Vec<Notice> {
        self.notices.borrow().clone()
    }

    /// A second reader of the same configuration that logs for itself.
    pub fn unheard(&self) -> Settings<'a> {
        Settings { stand_in: self.stand_in.clone(), ..Settings::new(self.config, self.profile) }
    }

    /// The option's row in this version.
    pub fn row<T>(&self, key: Key<T>) -> Option<&'static OptionRow> {
        self.profile.option_at(key.index())
    }

    /// The setting of an option: by its own name, else by another option's that is read in its place, else by an old
    /// one, which is warned about (`Configuration.applyWithOption`).
    pub fn find<T>(&self, key: Key<T>) -> Option<Found<'_>> {
        if let Some(setting) = self.config.get(key.name()) {
            return Some(Found { written: key.name(), setting });
        }
        if let Some(StandIn { written, setting, .. }) = self.stand_in.as_ref().filter(|s| s.target == key.name()) {
            return Some(Found { written, setting });
        }
        let row = self.row(key)?;
        for written in row.fallback {
            if let Some(setting) = self.config.get(written) {
                let text =
                    format!("Config uses fallback configuration key '{written}' instead of key '{}'", key.name());
                self.notice(Level::Info, text);
                return Some(Found { written, setting });
            }
        }
        for written in row.deprecated {
            if let Some(setting) = self.config.get(written) {
                let text = format!(
                    "Config uses deprecated configuration key '{written}' instead of proper key '{}'",
                    key.name()
                );
                self.notice(Level::Warn, text);
                return Some(Found { written, setting });
            }
        }
        None
    }

    /// Whether an option is set, whatever its value (`Configuration.contains`).
    pub fn is_set<T>(&self, key: Key<T>) -> bool {
        self.find(key).is_some()
    }

    /// The default of an option, as it stands in Flink's source; nothing where this version has none.
    pub fn default_of<T>(&self, key: Key<T>) -> Option<(&'static str, Provenance)> {
        let row = self.row(key)?;
        Some((row.default?, Provenance::Default { key: key.name(), source: row.source }))
    }

    /// The default of an option as a text.
    pub fn default_text<T>(&self, key: Key<T>) -> Outcome<(String, Provenance)> {
        let (text, provenance) = self.default_of(key).ok_or_else(|| not_an_option(key))?;
        Ok((text.to_owned(), provenance))
    }

    /// Whether a number that cannot be read is only warned about, as in Flink 1.9.
    fn forgives_numbers(&self) -> bool {
        self.profile.behaviour.unreadable_number == UnreadableNumber::Default
    }

    fn warn_of_number(&self, found: &Found<'_>, kind: &str) {
        let value = found.setting.value.java_text();
        self.notice(Level::Warn, format!("Configuration cannot evaluate value {value} as {kind}"));
    }

    /// A size as `ProcessMemoryUtils.getMemorySizeFromConfig` reads it.
    pub fn memory_size(&self, key: Key<Size>) -> Outcome<Figure> {
        let cannot_read = |cause: Box<Rejection>| {
            let message = format!("Cannot read memory size from config option '{}'.", key.name());
            cause.wrapped(ExceptionClass::IllegalConfiguration, message)
        };
        match self.size(key).map_err(cannot_read)? {
            Some(figure) => Ok(figure),
            None => Err(Rejection::illegal_configuration(format!(
                "Cannot read memory size from config option '{}'.",
                key.name()
            ))),
        }
    }

    /// A size as `Configuration.get` reads it; nothing where it is not set and has no default.
    pub fn size(&self, key: Key<Size>) -> Outcome<Option<Figure>> {
        if let Some(found) = self.find(key) {
            let bytes = Bytes::parse_flink(&found.setting.value.java_text())
                .map_err(|e| could_not_parse(key, &found, e.into(), ACCEPTED_SIZE))?;
            return Ok(Some(Figure { bytes, provenance: found.provenance() }));
        }
        match self.default_of(key) {
            Some((text, provenance)) => Ok(Some(Figure { bytes: Bytes::parse_flink(text)?, provenance })),
            None => Ok(None),
        }
    }

    /// A fraction: a 32-bit float, widened.
    pub fn fraction(&self, key: Key<Float>) -> Outcome<Ratio> {
        if let Some(found) = self.find(key) {
            match float(&found.setting.value) {
                Ok(value) => return Ok(Ratio { value: f64::from(value), provenance: found.provenance() }),
                Err(_) if self.forgives_numbers() => self.warn_of_number(&found, "a float value"),
                Err(e) => return Err(could_not_parse(key, &found, e, ACCEPTED_FRACTION)),
            }
        }
        let (text, provenance) = self.default_of(key).ok_or_else(|| not_an_option(key))?;
        Ok(Ratio { value: f64::from(java::parse_float(text)?), provenance })
    }

    /// A 64-bit float; nothing where it is not set and has no default.
    pub fn double(&self, key: Key<Double>) -> Outcome<Option<Ratio>> {
        if let Some(found) = self.find(key) {
            let value = match &found.setting.value {
                Value::Double(x) => *x,
                other => java::parse_double(&other.java_text())
                    .map_err(|e| could_not_parse(key, &found, e.into(), ACCEPTED_FRACTION))?,
            };
            return Ok(Some(Ratio { value, provenance: found.provenance() }));
        }
        match self.default_of(key) {
            Some((text, provenance)) => Ok(Some(Ratio { value: java::parse_double(text)?, provenance })),
            None => Ok(None),
        }
    }

    /// A whole number.
    pub fn int(&self, key: Key<Int>) -> Outcome<(i32, Provenance)> {
        if let Some(found) = self.find(key) {
            match int(&found.setting.value) {
                Ok(value) => return Ok((value, found.provenance())),
                Err(_) if self.forgives_numbers() => self.warn_of_number(&found, "an integer number"),
                Err(e) => return Err(could_not_parse(key, &found, e, ACCEPTED_INT)),
            }
        }
        let (text, provenance) = self.default_of(key).ok_or_else(|| not_an_option(key))?;
        Ok((java::parse_int(text)?, provenance))
    }

    /// true or false.
    pub fn boolean(&self, key: Key<Boolean>) -> Outcome<(bool, Provenance)> {
        if let Some(found) = self.find(key) {
            let value = match boolean(&found.setting.value) {
                Ok(value) => value,
                Err(_) if self.forgives_numbers() => false,
                Err(e) => return Err(could_not_parse(key, &found, e, ACCEPTED_BOOLEAN)),
            };
            return Ok((value, found.provenance()));
        }
        let (text, provenance) = self.default_of(key).ok_or_else(|| not_an_option(key))?;
        Ok((text == "true", provenance))
    }

    /// A text; nothing where it is not set and has no default.
    pub fn text(&self, key: Key<Text>) -> Option<(String, Provenance)> {
        if let Some(found) = self.find(key) {
            return Some((found.setting.value.java_text().into_owned(), found.provenance()));
        }
        self.default_of(key).map(|(text, provenance)| (text.to_owned(), provenance))
    }

    /// The option as Flink's messages print it (`ConfigOption.toString`).
    pub fn described<T>(&self, key: Key<T>) -> String {
        let row = self.row(key);
        let keys: Vec<String> = row
            .map(|row| {
                let of = |keys: &[&str], deprecated: bool| -> Vec<String> {
                    keys.iter().map(|k| format!("{{key={k}, isDeprecated={deprecated}}}")).collect()
                };
                [of(row.fallback, false), of(row.deprecated, true)].concat()
            })
            .unwrap_or_default();
        let default = row
            .and_then(|row| row.default)
            .map_or("null".to_owned(), |text| Bytes::parse_flink(text).map_or(text.to_owned(), memory_size::short));
        format!("Key: '{}' , default: {default} (fallback keys: [{}])", key.name(), keys.join(", "))
    }
}

/// An option that this version does not have was asked for: a fault in oomph, told as such and not as a panic.
pub fn not_an_option<T>(key: Key<T>) -> Box<Rejection> {
    Rejection::illegal_argument(format!("oomph: this version has no option {}", key.name()))
}

/// `Could not parse value … for key …`, with the reason below it.
fn could_not_parse<T>(key: Key<T>, found: &Found<'_>, cause: Box<Rejection>, accepted: &'static str) -> Box<Rejection> {
    let message = format!("Could not parse value '{}' for key '{}'.", found.setting.value.java_text(), key.name());
    cause.wrapped(ExceptionClass::IllegalArgument, message).because(found.bad_value(accepted))
}

/// `ConfigurationUtils.convertToFloat`.
fn float(value: &Value) -> Outcome<f32> {
    match value {
        Value::Double(x) => {
            let magnitude = x.abs();
            // Float.MIN_VALUE is the smallest subnormal.
            let smallest = f64::from(f32::from_bits(1));
            if *x == 0.0 || (magnitude >= smallest && magnitude <= f64::from(f32::MAX)) {
                Ok(*x as f32)
            } else {
                let text = java::double_to_string(*x);
                let message = format!("Configuration value {text} overflows/underflows the float type.");
                Err(Rejection::illegal_argument(message))
            }
        }
        other => Ok(java::parse_float(&other.java_text())?),
    }
}

/// `ConfigurationUtils.convertToInt`.
fn int(value: &Value) -> Outcome<i32> {
    match value {
        Value::Int(n) => i32::try_from(*n).map_err(|_| {
            Rejection::illegal_argument(format!("Configuration value {n} overflows/underflows the integer type."))
        }),
        other => Ok(java::parse_int(&other.java_text())?),
    }
}

/// `ConfigurationUtils.convertToBoolean`.
fn boolean(value: &Value) -> Outcome<bool> {
    let text = value.java_text();
    match text.to_uppercase().as_str() {
        "TRUE" => Ok(true),
        "FALSE" => Ok(false),
        _ => Err(Rejection::illegal_argument(format!(
            "Unrecognized option for boolean: {text}. Expected either true or false(case insensitive)"
        ))),
    }
}
