//! What Flink 1.9's own start scripts compute for a standalone TaskManager, and those of 1.9 and 1.10 for a standalone
//! JobManager: bash and awk, which do not agree with the Java code of the same version to the mebibyte
//! (`bin/config.sh`, `bin/taskmanager.sh`, `bin/jobmanager.sh`).

use super::rejection::{ExceptionClass, Outcome, Rejection};
use super::settings::Settings;
use crate::flink::key::Key;
use crate::flink::keys;
use crate::model::{Place, Provenance};

/// The upper bound that the script puts on direct memory: `Long.MAX_VALUE` in tebibytes, so none.
const MAX_DIRECT: &str = "8388607T";

/// A standalone TaskManager of Flink 1.9.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskManager {
    /// The total in mebibytes, and where it is set.
    pub total_mb: (i64, Provenance),
    /// What is set aside for network buffers.
    pub network_mb: i64,
    /// The same in bytes, before it is floored to mebibytes, and what it is made of.
    pub network: Network,
    /// Managed memory off the heap, where asked for.
    pub managed_mb: Option<i64>,
    /// `-Xmx`.
    pub heap_mb: i64,
}

/// What the script sets aside for network buffers.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    /// In bytes.
    pub bytes: i64,
    /// Which share of the total it was to be; nothing where minimum and maximum are one.
    pub fraction: Option<f64>,
    /// The range that the share is held in, in bytes.
    pub range: (i64, i64),
}

impl TaskManager {
    /// The arguments the JVM is started with.
    pub fn jvm_arguments(&self) -> String {
        format!("-Xms{0}M -Xmx{0}M -XX:MaxDirectMemorySize={MAX_DIRECT}", self.heap_mb)
    }
}

/// A standalone JobManager of Flink 1.9 or 1.10.
#[derive(Clone, Debug, PartialEq)]
pub struct JobManager {
    /// `-Xmx` in mebibytes, and where it is set.
    pub heap_mb: (i64, Provenance),
}

impl JobManager {
    /// The arguments the JVM is started with.
    pub fn jvm_arguments(&self) -> String {
        format!("-Xms{0}m -Xmx{0}m", self.heap_mb.0)
    }
}

/// The script prints an error and ends.
fn fails(message: impl Into<String>) -> Box<Rejection> {
    Rejection::new(ExceptionClass::StartScript, message)
}

/// A value as bash passes it on without quotes: its first word.
fn word<T>(settings: &Settings<'_>, key: Key<T>) -> Option<(String, Place)> {
    let setting = settings.config().get(key.name())?;
    let text = setting.value.java_text();
    Some((text.split_whitespace().next().unwrap_or_default().to_owned(), setting.place.clone()))
}

/// `parseBytes` of `config.sh`.
fn parse_bytes(text: &str) -> Outcome<i64> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(end);
    if digits.is_empty() {
        return Err(fails("text does not start with a number"));
    }
    let shift = match unit.to_ascii_lowercase().as_str() {
        "" | "b" | "bytes" => 0,
        "k" | "kb" | "kibibytes" => 10,
        "m" | "mb" | "mebibytes" => 20,
        "g" | "gb" | "gibibytes" => 30,
        "t" | "tb" | "tebibytes" => 40,
        other => {
            return Err(fails(format!("[ERROR] Memory size unit {other} does not match any of the recognized units")));
        }
    };
    digits.parse::<i64>().ok().and_then(|n| n.checked_mul(1 << shift)).ok_or_else(|| {
        fails(format!("[ERROR] The value {text} cannot be re represented as 64bit number of bytes (numeric overflow)."))
    })
}

/// The total or heap in mebibytes: the environment's, else `heap.size`, else `heap.mb`; without any of them the script
/// passes no memory flags at all.
fn heap_mb<S, M>(
    settings: &Settings<'_>,
    variable: &'static str,
    size: Key<S>,
    mb: Key<M>,
) -> Outcome<(i64, Provenance)> {
    let set = |key: &'static str, place: Place| Provenance::Set { key, place };
    let sized = match settings.config().variable(variable) {
        Some(text) => {
            let place = Place::of(crate::model::Source::Environment(variable.into()));
            Some((text.split_whitespace().next().unwrap_or_default().to_owned(), set(variable, place)))
        }
        None => word(settings, size).map(|(text, place)| (text, set(size.name(), place))),
    };
    let (mb, provenance) = match sized {
        Some((text, provenance)) if text != "0" => (parse_bytes(&text)? >> 20, provenance),
        _ => match word(settings, mb) {
            Some((text, place)) => {
                let number = text.parse::<i64>().ok().filter(|n| *n >= 0 && text.bytes().all(|b| b.is_ascii_digit()));
                let message = format!("[ERROR] Configured heap size is not a number. Please set '{}'.", size.name());
                (number.ok_or_else(|| fails(message))?, set(mb.name(), place))
            }
            None => return Err(no_flags(size.name())),
        },
    };
    if mb == 0 { Err(no_flags(size.name())) } else { Ok((mb, provenance)) }
}

fn no_flags(key: &str) -> Box<Rejection> {
    fails(format!(
        "{key} is not set or below 1 MB: the start script passes no memory flags, and the JVM takes a quarter of the \
         machine's memory for its heap"
    ))
}

/// A standalone TaskManager (`calculateTaskManagerHeapSizeMB`).
pub fn taskmanager(settings: &Settings<'_>) -> Outcome<TaskManager> {
    let variable = crate::config::environment::TM_HEAP;
    let total_mb = heap_mb(settings, variable, keys::TM_HEAP_SIZE, keys::TM_HEAP_MB)?;
    let network = network(settings, total_mb.0)?;
    let network_mb = network.bytes >> 20;
    let without_network = total_mb.0 - network_mb;
    let off_heap =
        word(settings, keys::MANAGED_OFF_HEAP_1_9).is_some_and(|(text, _)| text.eq_ignore_ascii_case("true"));
    let managed_mb = if off_heap { Some(managed(settings, without_network)?) } else { None };
    let heap_mb = without_network - managed_mb.unwrap_or(0);
    Ok(TaskManager { total_mb, network_mb, network, managed_mb, heap_mb })
}

/// A standalone JobManager.
pub fn jobmanager(settings: &Settings<'_>) -> Outcome<JobManager> {
    let variable = crate::config::environment::JM_HEAP;
    Ok(JobManager { heap_mb: heap_mb(settings, variable, keys::JM_HEAP_SIZE, keys::JM_HEAP_MB)? })
}

/// `calculateNetworkBufferMemory`. The number of buffers is read as bytes, for minimum and maximum alike.
fn network(settings: &Settings<'_>, total_mb: i64) -> Outcome<Network> {
    let size = |key, default: i64| match word(settings, key) {
        Some((text, _)) => parse_bytes(&text),
        None => Ok(default),
    };
    let (min, max) = match word(settings, keys::NETWORK_BUFFERS) {
        Some((text, _)) if text != "-1" => {
            let bytes = parse_bytes(&text)?;
            (bytes, bytes)
        }
        _ => (size(keys::NETWORK_MIN_1_9, 64 << 20)?, size(keys::NETWORK_MAX_1_9, 1 << 30)?),
    };
    let (bytes, fraction) = if min == max {
        (min, None)
    } else {
        if min > max {
            return Err(fails(format!(
                "[ERROR] Configured TaskManager network buffer memory min/max '{min}'/'{max}' are not valid."
            )));
        }
        let fraction = fraction(settings, keys::NETWORK_FRACTION_1_9, 0.1, "network buffer memory")?;
        let share = total_mb as f64 * 1_048_576.0 * fraction;
        // awk's %.0f: ties to even.
        (share.clamp(min as f64, max as f64).round_ties_even() as i64, Some(fraction))
    };
    if total_mb << 20 <= bytes {
        return Err(fails(format!(
            "[ERROR] Configured TaskManager memory size ({total_mb} MB, from '{}') must be larger than the network \
             buffer memory size ({bytes} bytes, from: '{}', '{}', '{}', and '{}').",
            keys::TM_HEAP_SIZE.name(),
            keys::NETWORK_FRACTION_1_9.name(),
            keys::NETWORK_MIN_1_9.name(),
            keys::NETWORK_MAX_1_9.name(),
            keys::NETWORK_BUFFERS.name()
        )));
    }
    Ok(Network { bytes, fraction, range: (min, max) })
}

fn managed(settings: &Settings<'_>, without_network_mb: i64) -> Outcome<i64> {
    let mb = match word(settings, keys::MANAGED_SIZE_1_9) {
        Some((text, _)) if text.ends_with(|c: char| c.is_ascii_digit()) => parse_bytes(&format!("{text}m"))? >> 20,
        Some((text, _)) => parse_bytes(&text)? >> 20,
        None => 0,
    };
    if mb > 0 {
        if without_network_mb <= mb {
            return Err(fails(format!(
                "[ERROR] Remaining TaskManager memory size ({without_network_mb} MB) must be larger than the managed \
                 memory size ({mb} MB, from: '{}').",
                keys::MANAGED_SIZE_1_9.name()
            )));
        }
        return Ok(mb);
    }
    let fraction = fraction(settings, keys::MANAGED_FRACTION_1_9, 0.7, "managed memory")?;
    Ok((without_network_mb as f64 * fraction).round_ties_even() as i64)
}

/// A fraction as awk reads it, between 0 and 1.
fn fraction<T>(settings: &Settings<'_>, key: Key<T>, default: f64, what: &str) -> Outcome<f64> {
    let Some((text, _)) = word(settings, key) else { return Ok(default) };
    text.parse::<f64>()
        .ok()
        .filter(|f| *f > 0.0 && *f < 1.0)
        .ok_or_else(|| fails(format!("[ERROR] Configured TaskManager {what} fraction '{text}' is not a valid value.")))
}
