//! What both processes have in common since the unified model: metaspace and overhead around the memory that Flink
//! divides up (`ProcessMemoryUtils`, 1.10 to 2.3).

use super::rejection::{ExceptionClass, Outcome, Reason, Rejection};
use super::settings::{Level, Settings};
use crate::flink::fraction::{self, LongOverflow};
use crate::flink::java;
use crate::flink::key::{Float, Key, Size};
use crate::flink::memory_size::human;
use crate::flink::profile::{MissingTotalNames, OverheadMismatch, ProcessBelowFlink};
use crate::model::{Bytes, Component, Derivation, Figure, Held, Quantity, Range, Ratio, Term};

/// The options of a role that frame its memory (`ProcessMemoryOptions`).
pub struct ProcessKeys {
    /// What is required for the mode in which single parts are set.
    pub fine_grained: &'static [Key<Size>],
    /// Total Flink memory.
    pub flink: Key<Size>,
    /// Total process memory.
    pub process: Key<Size>,
    /// Metaspace.
    pub metaspace: Key<Size>,
    /// Least overhead.
    pub overhead_min: Key<Size>,
    /// Most overhead.
    pub overhead_max: Key<Size>,
    /// Overhead as a share of the process.
    pub overhead_fraction: Key<Float>,
}

/// Which totals a derivation starts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Single parts are set: the totals are their sums.
    FineGrained,
    /// Total Flink memory is set.
    TotalFlink,
    /// Total process memory is set.
    TotalProcess,
    /// The model of Flink 1.9: a container minus a cut-off.
    CutOff,
    /// What the start scripts of Flink 1.9 hand out: nothing is planned besides.
    StartScript,
}

/// A process's frame: its totals, and what is not Flink's.
pub struct Frame {
    /// Metaspace.
    pub metaspace: Figure,
    /// Overhead.
    pub overhead: Figure,
    /// The whole process.
    pub process: Figure,
}

/// Which mode a configuration is in: the first that matches.
pub fn mode(settings: &Settings<'_>, keys: &ProcessKeys) -> Outcome<Mode> {
    if keys.fine_grained.iter().all(|key| settings.is_set(*key)) {
        return Ok(Mode::FineGrained);
    }
    if settings.is_set(keys.flink) {
        return Ok(Mode::TotalFlink);
    }
    if settings.is_set(keys.process) {
        return Ok(Mode::TotalProcess);
    }
    Err(no_total(settings, keys))
}

fn no_total(settings: &Settings<'_>, keys: &ProcessKeys) -> Box<Rejection> {
    let message = match settings.profile().behaviour.missing_total_names {
        MissingTotalNames::Keys => {
            // Only the TaskManager of 1.10 says it so.
            let part = |label: &str, key: Key<Size>| format!("{label} size ({})", key.name());
            format!(
                "Either {} and {}, or {}, or {} need to be configured explicitly.",
                part("Task Heap Memory", keys.fine_grained[0]),
                part("Managed Memory", keys.fine_grained[1]),
                part("Total Flink Memory", keys.flink),
                part("Total Process Memory", keys.process)
            )
        }
        MissingTotalNames::Options => {
            let required: Vec<&str> = keys.fine_grained.iter().map(|key| key.name()).collect();
            format!(
                "Either required fine-grained memory ({}), or Total Flink Memory size ({}), or Total Process Memory \
                 size ({}) need to be configured explicitly.",
                required.join(" and "),
                settings.described(keys.flink),
                settings.described(keys.process)
            )
        }
    };
    let keys = vec![keys.process.name(), keys.flink.name()];
    Rejection::illegal_configuration(message).because(Reason::NoTotal { keys })
}

/// From the whole process: metaspace and overhead, and what is left for Flink.
pub fn from_total_process(settings: &Settings<'_>, keys: &ProcessKeys) -> Outcome<(Frame, Figure)> {
    let process = settings.memory_size(keys.process)?;
    let whole = Term::new(Quantity::TotalProcess, process.bytes);
    let metaspace = settings.memory_size(keys.metaspace)?;
    let range = overhead_range(settings, keys)?;
    let overhead = share(settings, whole, &range, "jvm overhead memory")?;
    let parts = vec![
        Term::new(Quantity::Part(Component::JvmMetaspace), metaspace.bytes),
        Term::new(Quantity::Part(Component::JvmOverhead), overhead.bytes),
    ];
    let sum = add(metaspace.bytes, overhead.bytes)?;
    let Some(rest) = process.bytes.checked_sub(sum) else {
        let message = format!(
            "Sum of configured JVM Metaspace ({}) and JVM Overhead ({}) exceed configured Total Process Memory ({}).",
            human(metaspace.bytes),
            human(overhead.bytes),
            human(process.bytes)
        );
        return Err(Rejection::illegal_configuration(message).because(Reason::DoesNotFit { parts, whole }));
    };
    let flink = Figure::derived(rest, Derivation::Remainder { whole, parts });
    Ok((Frame { metaspace, overhead, process }, flink))
}

/// Around a known total Flink memory: metaspace, overhead and the whole process.
pub fn around_total_flink(settings: &Settings<'_>, keys: &ProcessKeys, flink: Bytes) -> Outcome<Frame> {
    let metaspace = settings.memory_size(keys.metaspace)?;
    let flink_and_metaspace = add(flink, metaspace.bytes)?;
    let parts = vec![
        Term::new(Quantity::TotalFlink, flink),
        Term::new(Quantity::Part(Component::JvmMetaspace), metaspace.bytes),
    ];
    if settings.is_set(keys.process) {
        let process = settings.memory_size(keys.process)?;
        let whole = Term::new(Quantity::TotalProcess, process.bytes);
        let Some(rest) = process.bytes.checked_sub(flink_and_metaspace) else {
            return Err(process_below(settings, flink, metaspace.bytes, process.bytes)
                .because(Reason::DoesNotFit { parts, whole }));
        };
        let overhead = Figure::derived(rest, Derivation::Remainder { whole, parts: parts.clone() });
        check_overhead(settings, keys, overhead.bytes, whole, parts)?;
        return Ok(Frame { metaspace, overhead, process });
    }
    let rest = Term::new(Quantity::FlinkAndMetaspace, flink_and_metaspace);
    let overhead = share_of_unknown(settings, rest, &overhead_range(settings, keys)?, "jvm overhead memory")?;
    let process = add(flink_and_metaspace, overhead.bytes)?;
    let parts = [parts, vec![Term::new(Quantity::Part(Component::JvmOverhead), overhead.bytes)]].concat();
    Ok(Frame { metaspace, overhead, process: Figure::derived(process, Derivation::Sum(parts)) })
}

fn process_below(settings: &Settings<'_>, flink: Bytes, metaspace: Bytes, process: Bytes) -> Box<Rejection> {
    match settings.profile().behaviour.process_below_flink {
        ProcessBelowFlink::NegativeBytes => Rejection::illegal_argument("bytes must be >= 0"),
        ProcessBelowFlink::Message => Rejection::illegal_configuration(format!(
            "The configured Total Process Memory size ({}) is less than the sum of the derived Total Flink Memory size \
             ({}) and the configured or default JVM Metaspace size  ({}).",
            human(process),
            human(flink),
            human(metaspace)
        )),
    }
}

/// Overhead that is what others leave must lie in its range; that it is not its fraction is only worth a line.
fn check_overhead(
    settings: &Settings<'_>,
    keys: &ProcessKeys,
    overhead: Bytes,
    whole: Term,
    parts: Vec<Term>,
) -> Outcome<()> {
    let RangeFraction { range: Range { min, max }, ratio } = overhead_range(settings, keys)?;
    if overhead > max.bytes || overhead < min.bytes {
        let message = format!(
            "Derived JVM Overhead size ({}) is not in configured JVM Overhead range [{}, {}].",
            human(overhead),
            human(min.bytes),
            human(max.bytes)
        );
        let rest = Term::new(Quantity::Part(Component::JvmOverhead), overhead);
        let reason = Reason::OutOfRange { rest, whole, parts, min: Box::new(min), max: Box::new(max) };
        return Err(Rejection::illegal_configuration(message).because(reason));
    }
    if settings.is_set(keys.overhead_fraction) && overhead != fraction::multiply(whole.bytes, ratio.value)? {
        let (which, spelling) = match settings.profile().behaviour.overhead_mismatch {
            OverheadMismatch::ConfiguredOVerhead => ("configured", "OVerhead"),
            OverheadMismatch::ConfiguredOrDefaultOVerhead => ("configured or default", "OVerhead"),
            OverheadMismatch::ConfiguredOrDefaultOverhead => ("configured or default", "Overhead"),
        };
        settings.notice(
            Level::Info,
            format!(
                "The derived JVM Overhead size ({}) does not match the {which} JVM Overhead fraction ({}) from the \
                 configured Total Process Memory size ({}). The derived JVM {spelling} size will be used.",
                human(overhead),
                java::double_to_string(ratio.value),
                human(whole.bytes)
            ),
        );
    }
    Ok(())
}

/// A fraction with the range it is held in (`RangeFraction`), already checked.
pub struct RangeFraction {
    /// The bounds.
    pub range: Range,
    /// The fraction.
    pub ratio: Ratio,
}

fn overhead_range(settings: &Settings<'_>, keys: &ProcessKeys) -> Outcome<RangeFraction> {
    range_fraction(settings, keys.overhead_min, keys.overhead_max, keys.overhead_fraction)
}

/// Reads minimum, maximum and fraction, in this order, and checks them (`ProcessMemoryUtils.getRangeFraction`).
pub fn range_fraction(
    settings: &Settings<'_>,
    min: Key<Size>,
    max: Key<Size>,
    fraction: Key<Float>,
) -> Outcome<RangeFraction> {
    let range = Range { min: settings.memory_size(min)?, max: settings.memory_size(max)? };
    let ratio = settings.fraction(fraction)?;
    check_range(settings, range.min.bytes, range.max.bytes, &ratio, fraction)?;
    Ok(RangeFraction { range, ratio })
}

/// Minimum not above maximum, and a fraction in [0, 1).
pub fn check_range(settings: &Settings<'_>, min: Bytes, max: Bytes, ratio: &Ratio, key: Key<Float>) -> Outcome<()> {
    let inconsistent = if min > max {
        "min value must be less or equal to max value"
    } else if !(ratio.value >= 0.0 && ratio.value < 1.0) {
        "fraction must be in range [0, 1)"
    } else {
        return Ok(());
    };
    let message = format!(
        "Inconsistently configured {} ({}) and its min ({}), max ({}) value",
        settings.described(key),
        java::double_to_string(ratio.value),
        human(min),
        human(max)
    );
    Err(Rejection::illegal_argument(inconsistent).wrapped(ExceptionClass::IllegalConfiguration, message))
}

/// A share of a known whole, held in its range (`deriveWithFraction`).
pub fn share(settings: &Settings<'_>, whole: Term, share: &RangeFraction, name: &str) -> Outcome<Figure> {
    let product = fraction::multiply(whole.bytes, share.ratio.value)?;
    let (bytes, held) = hold(settings, product, &share.range, name);
    let (ratio, range) = (share.ratio.clone(), Some(share.range.clone()));
    Ok(Figure::derived(bytes, Derivation::Share { whole, ratio, product, range, held }))
}

/// A share of a whole of which the rest is known, held in its range (`deriveWithInverseFraction`).
pub fn share_of_unknown(settings: &Settings<'_>, rest: Term, share: &RangeFraction, name: &str) -> Outcome<Figure> {
    let product = fraction::multiply(rest.bytes, fraction::of_the_rest(share.ratio.value))?;
    let (bytes, held) = hold(settings, product, &share.range, name);
    let (ratio, range) = (share.ratio.clone(), share.range.clone());
    Ok(Figure::derived(bytes, Derivation::ShareOfUnknown { rest, ratio, product, range, held }))
}

/// `capToMinMax`: the maximum is looked at first.
fn hold(settings: &Settings<'_>, product: Bytes, range: &Range, name: &str) -> (Bytes, Held) {
    let (bound, held, relation, which) = if product > range.max.bytes {
        (range.max.bytes, Held::AtMaximum, "greater", "max")
    } else if product < range.min.bytes {
        (range.min.bytes, Held::AtMinimum, "less", "min")
    } else {
        return (product, Held::Free);
    };
    settings.notice(
        Level::Info,
        format!(
            "The derived from fraction {name} ({}) is {relation} than its {which} value {}, {which} value will be used \
             instead",
            human(product),
            human(bound)
        ),
    );
    (bound, held)
}

/// `MemorySize.add`.
pub fn add(a: Bytes, b: Bytes) -> Result<Bytes, LongOverflow> {
    a.checked_add(b).ok_or(LongOverflow)
}

/// The sum of terms, in order.
pub fn sum(terms: &[Term]) -> Result<Bytes, LongOverflow> {
    terms.iter().try_fold(Bytes::ZERO, |total, term| add(total, term.bytes))
}
