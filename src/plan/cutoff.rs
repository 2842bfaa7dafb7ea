//! The cut-off model: a container gives up a share for whatever nobody plans, and the rest is heap, network and, where
//! asked for, managed memory off the heap. The TaskManager of Flink 1.9 and the JobManager up to 1.10
//! (`ContaineredTaskManagerParameters`, `TaskManagerServices`, `NettyShuffleEnvironmentConfiguration`,
//! `BootstrapTools.calculateHeapSize`). Products are 32-bit floats, truncated.

use super::network;
use super::rejection::{ExceptionClass, Outcome, Rejection};
use super::settings::Settings;
use crate::flink::key::{Int, Key, Size, Text};
use crate::flink::keys;
use crate::model::{Bytes, Figure, Provenance};

/// A TaskManager's container in Flink 1.9.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskManagerContainer {
    /// The container in mebibytes, and where it is set.
    pub total_mb: (i64, Provenance),
    /// What is taken off.
    pub cutoff_mb: i64,
    /// `-Xmx`.
    pub heap_mb: i64,
    /// `-XX:MaxDirectMemorySize`: the container minus the heap, cut-off included. Below nothing it is left out.
    pub direct_mb: i64,
    /// Network memory in bytes.
    pub network: i64,
    /// Managed memory in bytes as the resource manager passes it on; on the heap unless asked for off it.
    pub managed: Outcome<i64>,
    /// Whether managed memory is off the heap.
    pub managed_off_heap: bool,
}

/// A JobManager's container up to 1.10.
#[derive(Clone, Debug, PartialEq)]
pub struct JobManagerContainer {
    /// What is taken off.
    pub cutoff_mb: i64,
    /// `-Xmx`.
    pub heap_mb: i64,
}

impl TaskManagerContainer {
    /// The arguments the JVM is started with.
    pub fn jvm_arguments(&self) -> String {
        let heap = self.heap_mb;
        match self.direct_mb {
            direct if direct >= 0 => format!("-Xms{heap}m -Xmx{heap}m -XX:MaxDirectMemorySize={direct}m"),
            _ => format!("-Xms{heap}m -Xmx{heap}m"),
        }
    }
}

impl JobManagerContainer {
    /// The arguments the JVM is started with.
    pub fn jvm_arguments(&self) -> String {
        format!("-Xms{0}m -Xmx{0}m", self.heap_mb)
    }
}

/// The total of a TaskManager or the heap of a JobManager in mebibytes, by `heap.size` or the older `heap.mb`
/// (`ConfigurationUtils.getTaskManagerHeapMemory`, `getJobManagerHeapMemory`).
pub fn total_mb(settings: &Settings<'_>, size: Key<Size>, mb: Key<Int>) -> Outcome<(i64, Provenance)> {
    let (text, provenance) = match settings.find(size) {
        Some(found) => (found.setting.value.java_text().into_owned(), found.provenance()),
        None if settings.is_set(mb) => {
            let (mb, provenance) = settings.int(mb)?;
            (format!("{mb}m"), provenance)
        }
        None => settings.default_text(size)?,
    };
    let bytes = match settings.find(size) {
        Some(found) => Bytes::parse_flink(&text).map_err(|e| found.bad_size(e))?,
        None => Bytes::parse_flink(&text)?,
    };
    // Java keeps mebibytes in 32 bits.
    Ok((i64::from(bytes.whole_mib() as i32), provenance))
}

/// How much of a container is taken off (`calculateCutoffMB`).
fn cutoff_mb(settings: &Settings<'_>, container_mb: i64) -> Outcome<i64> {
    if container_mb <= 0 {
        // A precondition of Java, without a message.
        return Err(Rejection::illegal_argument(""));
    }
    let ratio = settings.fraction(keys::CUTOFF_RATIO)?.value as f32;
    if ratio >= 1.0 || ratio <= 0.0 {
        return Err(ratio_out_of_range(ratio));
    }
    let (min, _) = settings.int(keys::CUTOFF_MIN)?;
    if i64::from(min) >= container_mb {
        return Err(Rejection::illegal_argument(format!(
            "The configuration value '{}'='{min}' is larger than the total container memory {container_mb}",
            keys::CUTOFF_MIN.name()
        )));
    }
    Ok(((container_mb as f32 * ratio) as i64).max(i64::from(min)))
}

fn ratio_out_of_range(ratio: f32) -> Box<Rejection> {
    Rejection::illegal_argument(format!(
        "The configuration value '{}' must be between 0 and 1. Value given={}",
        keys::CUTOFF_RATIO.name(),
        float_to_string(ratio)
    ))
}

/// `Float.toString` of the numbers that occur as fractions.
fn float_to_string(value: f32) -> String {
    if !value.is_finite() {
        return crate::flink::java::double_to_string(f64::from(value));
    }
    // The shortest text of the float, read as a double, has the same digits.
    let shortest: f64 = ryu::Buffer::new().format_finite(value).parse().unwrap_or(f64::from(value));
    crate::flink::java::double_to_string(shortest)
}

/// A TaskManager in a container (`ContaineredTaskManagerParameters.create`).
pub fn taskmanager_container(settings: &Settings<'_>) -> Outcome<TaskManagerContainer> {
    let total_mb = total_mb(settings, keys::TM_HEAP_SIZE, keys::TM_HEAP_MB)?;
    let cutoff_mb = cutoff_mb(settings, total_mb.0)?;
    let java_mb = total_mb.0 - cutoff_mb;
    if java_mb <= 0 {
        return Err(Rejection::illegal_argument(""));
    }
    let java = java_mb << 20;
    let network = reserved_network(settings, java)?;
    let heap_and_managed = java - network;
    let (managed_off_heap, _) = settings.boolean(keys::MANAGED_OFF_HEAP_1_9)?;
    let heap = if managed_off_heap {
        let managed = managed_memory(settings, heap_and_managed)?;
        if managed >= heap_and_managed {
            let what = format!(
                "Managed memory size too large for {} MB network buffer memory and a total of {java_mb} MB JVM memory",
                network >> 20
            );
            return Err(invalid(keys::MANAGED_SIZE_1_9.name(), &managed.to_string(), &what));
        }
        heap_and_managed - managed
    } else {
        heap_and_managed
    };
    let heap_mb = heap >> 20;
    Ok(TaskManagerContainer {
        cutoff_mb,
        heap_mb,
        direct_mb: total_mb.0 - heap_mb,
        network,
        managed: managed_memory(settings, heap_and_managed),
        managed_off_heap,
        total_mb,
    })
}

/// A JobManager in a container (`BootstrapTools.calculateHeapSize`); its bounds are laxer than the TaskManager's.
pub fn jobmanager_container(settings: &Settings<'_>, memory_mb: i64) -> Outcome<JobManagerContainer> {
    let ratio = settings.fraction(keys::CUTOFF_RATIO)?.value as f32;
    let (min, _) = settings.int(keys::CUTOFF_MIN)?;
    #[expect(clippy::manual_range_contains, reason = "as in Java, NaN is in no range and passes")]
    if ratio > 1.0 || ratio < 0.0 {
        return Err(ratio_out_of_range(ratio));
    }
    if i64::from(min) > memory_mb {
        return Err(Rejection::illegal_argument(format!(
            "The configuration value '{}' is higher ({min}) than the requested amount of memory {memory_mb}",
            keys::CUTOFF_MIN.name()
        )));
    }
    let cutoff_mb = i64::from((memory_mb as f32 * ratio) as i32).max(i64::from(min));
    Ok(JobManagerContainer { cutoff_mb, heap_mb: memory_mb - cutoff_mb })
}

fn invalid(name: &str, value: &str, what: &str) -> Box<Rejection> {
    Rejection::illegal_configuration(format!("Invalid configuration value for {name} : {value} - {what}"))
}

/// Whether network memory is given by fraction, minimum and maximum rather than by a number of buffers.
pub fn has_new_network_keys(settings: &Settings<'_>) -> bool {
    settings.is_set(keys::NETWORK_FRACTION_1_9)
        || settings.is_set(keys::NETWORK_MIN_1_9)
        || settings.is_set(keys::NETWORK_MAX_1_9)
        || !settings.is_set(keys::NETWORK_BUFFERS)
}

/// Network memory out of the container without the cut-off (`calculateNetworkBufferMemory`).
fn reserved_network(settings: &Settings<'_>, total: i64) -> Outcome<i64> {
    let segment = segment_size(settings)?;
    if has_new_network_keys(settings) {
        let fraction = settings.fraction(keys::NETWORK_FRACTION_1_9)?.value as f32;
        return network_in_bounds(settings, (total as f32 * fraction) as i64, total);
    }
    let (count, _) = settings.int(keys::NETWORK_BUFFERS)?;
    let bytes = i64::from(count) * i64::from(segment);
    let key = keys::NETWORK_BUFFERS.name();
    if count <= 0 {
        return Err(invalid(key, &count.to_string(), "Must have at least one network buffer"));
    }
    if bytes >= total {
        let what = format!("Network buffer memory size too large: {bytes} >= {total} (total JVM memory size)");
        return Err(invalid(key, &bytes.to_string(), &what));
    }
    Ok(bytes)
}

/// A share held between minimum and maximum, and below what there is (`calculateNewNetworkBufferMemory`).
fn network_in_bounds(settings: &Settings<'_>, share: i64, at_most: i64) -> Outcome<i64> {
    let fraction = settings.fraction(keys::NETWORK_FRACTION_1_9)?.value as f32;
    let min = size_text(settings, keys::NETWORK_MIN_1_9)?;
    let max = size_text(settings, keys::NETWORK_MAX_1_9)?;
    let segment = i64::from(segment_size(settings)?);
    let (fraction_key, min_key, max_key) =
        (keys::NETWORK_FRACTION_1_9.name(), keys::NETWORK_MIN_1_9.name(), keys::NETWORK_MAX_1_9.name());
    if !(fraction > 0.0 && fraction < 1.0) {
        let what = "Network buffer memory fraction of the free memory must be between 0.0 and 1.0";
        return Err(invalid(fraction_key, &float_to_string(fraction), what));
    }
    for (key, bytes, which) in [(min_key, min, "Minimum"), (max_key, max, "Maximum")] {
        if bytes < segment {
            let what = format!(
                "{which} memory for network buffers must allow at least one network buffer with respect to the memory \
                 segment size"
            );
            return Err(invalid(key, &bytes.to_string(), &what));
        }
    }
    if max < min {
        let what =
            format!("Maximum memory for network buffers must not be smaller than minimum memory ({max_key}: {min})");
        return Err(invalid(max_key, &max.to_string(), &what));
    }
    let bytes = max.min(min.max(share));
    if bytes >= at_most {
        let what = format!("Network buffer memory size too large: {bytes} >= {at_most} (maximum JVM memory size)");
        let name = format!("({fraction_key}, {min_key}, {max_key})");
        let value = format!("({}, {min}, {max})", float_to_string(fraction));
        return Err(invalid(&name, &value, &what));
    }
    Ok(bytes)
}

/// Network memory as a started TaskManager computes it again from its heap, now in 64-bit floats
/// (`NettyShuffleEnvironmentConfiguration.calculateNewNetworkBufferMemory(config, maxJvmHeapMemory)`).
pub fn network_of_heap(settings: &Settings<'_>, heap: i64) -> Outcome<i64> {
    if !has_new_network_keys(settings) {
        let (count, _) = settings.int(keys::NETWORK_BUFFERS)?;
        return Ok(i64::from(count) * i64::from(segment_size(settings)?));
    }
    let (off_heap, _) = settings.boolean(keys::MANAGED_OFF_HEAP_1_9)?;
    let without_network = if off_heap {
        match managed_size(settings)? {
            Some(size) if size > 0 => heap + size,
            _ => {
                let fraction = settings.fraction(keys::MANAGED_FRACTION_1_9)?.value as f32;
                (heap as f64 / (1.0 - f64::from(fraction))) as i64
            }
        }
    } else {
        heap
    };
    let fraction = settings.fraction(keys::NETWORK_FRACTION_1_9)?.value;
    let share = (without_network as f64 / (1.0 - fraction) * fraction) as i64;
    network_in_bounds(settings, share, heap)
}

/// A size in bytes.
pub fn size_text(settings: &Settings<'_>, key: Key<Text>) -> Outcome<i64> {
    match settings.find(key) {
        Some(found) => {
            let bytes = Bytes::parse_flink(&found.setting.value.java_text()).map_err(|e| found.bad_size(e))?;
            Ok(bytes.get() as i64)
        }
        None => Ok(Bytes::parse_flink(&settings.default_text(key)?.0)?.get() as i64),
    }
}

/// The size of a network buffer.
pub fn segment_size(settings: &Settings<'_>) -> Outcome<i32> {
    let bytes: Figure = match settings.find(keys::SEGMENT_SIZE) {
        Some(found) => Figure {
            bytes: Bytes::parse_flink(&found.setting.value.java_text()).map_err(|e| found.bad_size(e))?,
            provenance: found.provenance(),
        },
        None => {
            let (text, provenance) = settings.default_text(keys::SEGMENT_SIZE)?;
            Figure { bytes: Bytes::parse_flink(&text)?, provenance }
        }
    };
    let bytes = i32::try_from(bytes.bytes.get()).map_err(|_| {
        Rejection::illegal_argument(format!("Cannot downcast long value {} to integer.", bytes.bytes.get()))
    })?;
    network::check_segment(bytes)?;
    Ok(bytes)
}

/// Managed memory as it is set; nothing where it is not. Bare digits are mebibytes.
fn managed_size(settings: &Settings<'_>) -> Outcome<Option<i64>> {
    let key = keys::MANAGED_SIZE_1_9;
    let Some(found) = settings.find(key) else { return Ok(None) };
    let bytes = Bytes::parse_flink_default_mib(&found.setting.value.java_text()).map_err(|e| {
        let cause = found.bad_size(e);
        cause.wrapped(ExceptionClass::IllegalConfiguration, format!("Could not read {}", key.name()))
    })?;
    Ok(Some(bytes.get() as i64))
}

/// Managed memory as it is set, else as a share of what heap and managed memory have together.
fn managed_memory(settings: &Settings<'_>, heap_and_managed: i64) -> Outcome<i64> {
    match managed_size(settings)? {
        Some(bytes) => Ok(bytes),
        None => {
            let fraction = settings.fraction(keys::MANAGED_FRACTION_1_9)?.value as f32;
            Ok((fraction * heap_and_managed as f32) as i64)
        }
    }
}
