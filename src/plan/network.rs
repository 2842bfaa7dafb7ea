//! Network memory: its range, the old number of buffers, the check where it is what others leave, and how many buffers
//! it comes to (`TaskExecutorFlinkMemoryUtils`, `NettyShuffleEnvironmentConfiguration`).

use super::process::{self, RangeFraction};
use super::rejection::{ExceptionClass, Outcome, Reason, Rejection};
use super::settings::{Level, Settings, not_an_option};
use crate::flink::keys;
use crate::flink::memory_size::human;
use crate::flink::{fraction, java};
use crate::model::{Bytes, Component, Derivation, Figure, Quantity, Ratio, Term};

/// The smallest segment (`MemoryManager.MIN_PAGE_SIZE`).
const MIN_SEGMENT: i32 = 4096;

/// How many buffers a TaskManager's network memory holds.
#[derive(Clone, Debug, PartialEq)]
pub struct NetworkBuffers {
    /// How many.
    pub count: u64,
    /// How large one is.
    pub segment: Figure,
}

/// Whether network memory is given as a number of buffers: only if that key is set and none of the newer ones is.
pub fn is_number_of_buffers(settings: &Settings<'_>) -> bool {
    settings.profile().behaviour.number_of_buffers
        && !(settings.is_set(keys::NETWORK_MIN)
            || settings.is_set(keys::NETWORK_MAX)
            || settings.is_set(keys::NETWORK_FRACTION))
        && settings.is_set(keys::NETWORK_BUFFERS)
}

/// Minimum, maximum and fraction.
pub fn range(settings: &Settings<'_>) -> Outcome<RangeFraction> {
    process::range_fraction(settings, keys::NETWORK_MIN, keys::NETWORK_MAX, keys::NETWORK_FRACTION)
}

/// Number of buffers times segment size, without any bound.
pub fn from_number_of_buffers(settings: &Settings<'_>) -> Outcome<Figure> {
    let (count, provenance) = settings.int(keys::NETWORK_BUFFERS)?;
    let segment = segment_size(settings)?;
    let product = i64::from(count) * segment.bytes.as_java_long().unwrap_or(i64::MAX);
    let bytes = u64::try_from(product).map_err(|_| Rejection::illegal_argument("bytes must be >= 0"))?;
    let count = Ratio { value: f64::from(count), provenance };
    Ok(Figure::derived(Bytes::new(bytes), Derivation::Buffers { count, segment }))
}

/// Network memory as a share of total Flink memory.
pub fn from_total_flink(settings: &Settings<'_>, flink: Bytes) -> Outcome<Figure> {
    let whole = Term::new(Quantity::TotalFlink, flink);
    process::share(settings, whole, &range(settings)?, "network memory")
}

/// Network memory as a share of a total Flink memory of which everything else is known.
pub fn around(settings: &Settings<'_>, without_network: Bytes) -> Outcome<Figure> {
    let rest = Term::new(Quantity::FlinkWithoutNetwork, without_network);
    process::share_of_unknown(settings, rest, &range(settings)?, "network memory")
}

/// Network memory that is what others leave of total Flink memory must agree with what is configured for it.
pub fn check_remainder(settings: &Settings<'_>, network: Bytes, flink: Bytes, parts: &[Term]) -> Outcome<()> {
    check(settings, network, flink, parts).map_err(|rejection| {
        if !rejection.is_illegal_configuration() {
            return rejection;
        }
        rejection.wrapped(
            ExceptionClass::IllegalConfiguration,
            "If Total Flink, Task Heap and (or) Managed Memory sizes are explicitly configured then the Network Memory \
             size is the rest of the Total Flink memory after subtracting all other configured types of memory, but \
             the derived Network Memory is inconsistent with its configuration.",
        )
    })
}

fn check(settings: &Settings<'_>, network: Bytes, flink: Bytes, parts: &[Term]) -> Outcome<()> {
    let rest = Term::new(Quantity::Part(Component::Network), network);
    let whole = Term::new(Quantity::TotalFlink, flink);
    if is_number_of_buffers(settings) {
        let configured = from_number_of_buffers(settings)?;
        if configured.bytes != network {
            let message = format!(
                "Derived Network Memory size ({}) does not match configured Network Memory size ({}).",
                human(network),
                human(configured.bytes)
            );
            let min = Box::new(configured);
            let reason = Reason::OutOfRange { rest, whole, parts: parts.to_vec(), max: min.clone(), min };
            return Err(Rejection::illegal_configuration(message).because(reason));
        }
        return Ok(());
    }
    let RangeFraction { range, ratio } = range(settings)?;
    if network > range.max.bytes || network < range.min.bytes {
        let message = format!(
            "Derived Network Memory size ({}) is not in configured Network Memory range [{}, {}].",
            human(network),
            human(range.min.bytes),
            human(range.max.bytes)
        );
        let (min, max) = (Box::new(range.min), Box::new(range.max));
        let reason = Reason::OutOfRange { rest, whole, parts: parts.to_vec(), min, max };
        return Err(Rejection::illegal_configuration(message).because(reason));
    }
    if settings.is_set(keys::NETWORK_FRACTION) && network != fraction::multiply(flink, ratio.value)? {
        settings.notice(
            Level::Info,
            format!(
                "The derived Network Memory size ({}) does not match the configured Network Memory fraction ({}) from \
                 the configured Total Flink Memory size ({}). The derived Network Memory size will be used.",
                human(network),
                java::double_to_string(ratio.value),
                human(flink)
            ),
        );
    }
    Ok(())
}

/// The size of one buffer: at least 4096 and a power of two (`ConfigurationParserUtils.getPageSize`).
pub fn segment_size(settings: &Settings<'_>) -> Outcome<Figure> {
    let figure = settings.size(keys::SEGMENT_SIZE)?.ok_or_else(|| not_an_option(keys::SEGMENT_SIZE))?;
    let bytes = i32::try_from(figure.bytes.get()).map_err(|_| {
        Rejection::illegal_argument(format!("Cannot downcast long value {} to integer.", figure.bytes.get()))
    })?;
    check_segment(bytes)?;
    Ok(figure)
}

/// What every version asks of a segment.
pub fn check_segment(bytes: i32) -> Outcome<()> {
    let wrong = |what: &str| {
        let message = format!("Invalid configuration value for {} : {bytes} - {what}", keys::SEGMENT_SIZE.name());
        Rejection::illegal_configuration(message)
    };
    if bytes < MIN_SEGMENT {
        return Err(wrong("Minimum memory segment size is 4096"));
    }
    if bytes.count_ones() != 1 {
        return Err(wrong("Memory segment size must be a power of 2."));
    }
    Ok(())
}

/// Whole buffers; the rest of the division is lost.
pub fn buffers(settings: &Settings<'_>, network: Bytes) -> Outcome<NetworkBuffers> {
    let segment = segment_size(settings)?;
    let count = network.get() / segment.bytes.get();
    if count > i32::MAX as u64 {
        return Err(Rejection::illegal_argument(format!(
            "The given number of memory bytes ({}) corresponds to more than MAX_INT pages.",
            network.get()
        )));
    }
    Ok(NetworkBuffers { count, segment })
}
