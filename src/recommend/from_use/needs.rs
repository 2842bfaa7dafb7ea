//! What a part should have for what is used of it.

use super::{Part, Use};
use crate::model::{Bytes, Seen};
use crate::recommend::mib;

/// A part is made larger after so many seconds: a job's start is over.
const LEAST_TO_GROW: u64 = 600;
/// A part is made smaller after so many seconds: a day, since load has its hours.
const LEAST_TO_SHRINK: u64 = 86_400;
/// Fewer collections than this do not show what lives.
const LEAST_COLLECTIONS: u64 = 5;
/// What is saved by less than this is not worth a restart.
const WORTH: Bytes = Bytes::mib(128);
/// `TaskManagerOptions.JVM_METASPACE` of Flink 1.10: nobody is told to live on less.
const LEAST_METASPACE: Bytes = Bytes::mib(96);
/// `TaskManagerOptions.NETWORK_MEMORY_MIN` by default.
const LEAST_NETWORK: Bytes = Bytes::mib(64);
/// Hours that a larger metaspace is to last where classes leak.
const HOURS: u64 = 24;

/// A size that a part should have.
pub(super) struct Need {
    /// How much, in whole mebibytes.
    pub bytes: Bytes,
    /// The cause that it answers.
    pub answers: Option<&'static str>,
    /// Why.
    pub why: String,
    /// What may go wrong.
    pub risk: &'static str,
    /// Where the rule is from.
    pub source: &'static str,
}

/// So many hundredths of something, rounded up to a mebibyte.
fn hundredths(of: Bytes, hundredths: u64) -> Option<Bytes> {
    let product = u64::try_from(u128::from(of.get()) * u128::from(hundredths) / 100).ok()?;
    Bytes::new(product).round_up_to(Bytes::mib(1))
}

/// The least that a part can live on by what is known of its use; nothing where that is not known.
pub(super) fn least(part: Part, used: &Use) -> Option<Bytes> {
    let known = |seen: &Seen<Bytes>, of: u64| seen.as_ref().ok().and_then(|bytes| hundredths(*bytes, of));
    used.seconds.as_ref().ok().filter(|seconds| **seconds >= LEAST_TO_SHRINK)?;
    match part {
        Part::Heap => known(&used.live_set, 200).or_else(|| known(&used.live_at_most, 200)),
        Part::Metaspace if used.metaspace_growth.is_none() => {
            known(&used.metaspace, 150).map(|m| m.max(LEAST_METASPACE))
        }
        Part::Metaspace => None,
        Part::Network => known(&used.network, 150).map(|network| network.max(LEAST_NETWORK)),
        Part::Managed => known(&used.store, 130).filter(|bytes| *bytes > Bytes::ZERO),
        // A peak of native memory is not seen.
        Part::Overhead => None,
    }
}

/// What a part should have in the place of its size; nothing where that fits.
///
/// # Errors
/// Why nothing can be said.
pub(super) fn need(part: Part, size: Bytes, used: &Use) -> Result<Option<Need>, String> {
    let seconds = *used.seconds.as_ref().map_err(|unseen| format!("how long it has run was not seen ({unseen})"))?;
    if seconds < LEAST_TO_GROW {
        return Err(format!("it has run for {seconds} s, and {LEAST_TO_GROW} s are the least to go by"));
    }
    let need = match part {
        Part::Heap => heap(size, used)?,
        Part::Metaspace => metaspace(size, used)?,
        Part::Network => network(size, used)?,
        Part::Managed => managed(size, used)?,
        Part::Overhead => overhead(size, used)?,
    };
    let Some(need) = need else { return Ok(None) };
    if need.bytes >= size {
        return Ok(Some(need).filter(|need| need.bytes > size));
    }
    let saved = size.checked_sub(need.bytes).unwrap_or(Bytes::ZERO);
    if saved < WORTH {
        return Ok(None);
    }
    if seconds < LEAST_TO_SHRINK {
        let (hours, least) = (seconds / 3600, LEAST_TO_SHRINK / 3600);
        return Err(format!("{} could do with less, but {hours} of {least} hours were seen of it", part.label()));
    }
    Ok(Some(need))
}

fn seen(what: &Seen<Bytes>, name: &str) -> Result<Bytes, String> {
    what.as_ref().copied().map_err(|unseen| format!("{name} was not seen ({unseen})"))
}

/// Twice what lives, and no change from one and a half times to three times of it.
fn heap(size: Bytes, used: &Use) -> Result<Option<Need>, String> {
    // Garbage among it is no reason for a larger heap, and none against a smaller one.
    let known = if used.live_set.is_ok() { &used.live_set } else { &used.live_at_most };
    let live = seen(known, "what is left of the heap after a collection")?;
    let collections = *used.collections.as_ref().map_err(|unseen| format!("collections were not seen ({unseen})"))?;
    if collections < LEAST_COLLECTIONS {
        return Err(format!(
            "{collections} collections are too few to tell what lives: {LEAST_COLLECTIONS} are the least"
        ));
    }
    let why = format!("{} of {} are in use after collections", mib(live), mib(size));
    let source = "Hunt and John, Java Performance (2011), chapter 7: an old generation of one and a half to two times, a heap \
                  of three to four times the live data";
    let need = |bytes, answers, risk| Some(Need { bytes, answers, why, risk, source });
    let (Some(tight), Some(wide), Some(double)) = (hundredths(live, 150), hundredths(live, 300), hundredths(live, 200))
    else {
        return Err("sizes beyond 64 bits".to_owned());
    };
    if size < tight && used.live_set.is_err() {
        return Err(format!(
            "the old generation holds {} of {}, and how much of that is garbage only shows while it is watched",
            mib(live),
            mib(size)
        ));
    }
    Ok(if size < tight {
        need(
            double,
            Some("OOM908"),
            "if the live set grows without an end, it is a leak, and a larger heap only delays it",
        )
    } else if size > wide {
        need(wide, None, "a rare peak of load that was not seen in this time would collect more often")
    } else {
        None
    })
}

fn metaspace(size: Bytes, used: &Use) -> Result<Option<Need>, String> {
    let metaspace = seen(&used.metaspace, "metaspace in use")?;
    let source = "HotSpot commits metaspace in granules for each class loader (metaspaceSettings.hpp), so what is committed is \
                  above what is used";
    if let Some(growth) = used.metaspace_growth.filter(|growth| *growth > Bytes::ZERO) {
        let day =
            growth.checked_mul(HOURS).and_then(|more| metaspace.checked_add(more)).and_then(|all| hundredths(all, 110));
        let bytes = day.ok_or_else(|| "sizes beyond 64 bits".to_owned())?;
        return Ok(Some(bytes).filter(|bytes| *bytes > size).map(|bytes| Need {
            bytes,
            answers: Some("OOM907"),
            why: format!("{} are in use and it grows by {} an hour: this lasts for a day", mib(metaspace), mib(growth)),
            risk: "class loaders leak: this buys a day and cures nothing",
            source,
        }));
    }
    let bytes = hundredths(metaspace, 150).map(|bytes| bytes.max(LEAST_METASPACE));
    let bytes = bytes.ok_or_else(|| "sizes beyond 64 bits".to_owned())?;
    let tight = hundredths(metaspace, 118).is_none_or(|tight| tight > size);
    let wide = metaspace.get().saturating_mul(2) < size.get();
    Ok((tight || wide).then(|| Need {
        bytes,
        answers: tight.then_some("OOM907"),
        why: format!("{} of {} are in use", mib(metaspace), mib(size)),
        risk: "a job with more generated classes than those that ran would need more",
        source,
    }))
}

fn network(size: Bytes, used: &Use) -> Result<Option<Need>, String> {
    let network = seen(&used.network, "network buffers in use")?;
    let full = network.get().saturating_mul(100) >= size.get().saturating_mul(95);
    let wide = network.get().saturating_mul(2) < size.get();
    let bytes = hundredths(network, if full { 125 } else { 150 }).map(|bytes| bytes.max(LEAST_NETWORK));
    let bytes = bytes.ok_or_else(|| "sizes beyond 64 bits".to_owned())?;
    // A job that has nothing to send yet is no measure.
    if network == Bytes::ZERO {
        return Err("no network buffer is in use, so no job shows what it needs".to_owned());
    }
    Ok((full || wide).then(|| Need {
        bytes,
        answers: None,
        why: format!("{} of {} are in use at most", mib(network), mib(size)),
        risk: "a job with more channels (a higher parallelism, more shuffles) fails with \"Insufficient number of network \
               buffers\"",
        source: "LocalBufferPool, Flink 1.5 to 2.3: what a gate needs at least is taken when it starts, floating buffers as \
                 they are free",
    }))
}

fn managed(size: Bytes, used: &Use) -> Result<Option<Need>, String> {
    let nobody = used.managed_reserved == Ok(Bytes::ZERO) && used.slots_in_use.as_ref().is_ok_and(|slots| *slots > 0);
    if nobody && size > Bytes::ZERO {
        return Ok(Some(Need {
            bytes: Bytes::ZERO,
            answers: None,
            why: format!("a job runs and nobody has reserved any of {}", mib(size)),
            risk: "a job with RocksDB, Python functions or batch operators in this cluster would fail for want of it",
            source: "MemoryManager.reserveMemory, Flink 1.10 to 2.3: who uses managed memory reserves it when it starts",
        }));
    }
    let store = seen(&used.store, "what RocksDB has in use")?;
    if store == Bytes::ZERO {
        return Err("no RocksDB is open, and who else takes managed memory is not known".to_owned());
    }
    let over = store > size;
    let wide = store.get().saturating_mul(2) < size.get();
    let bytes = hundredths(store, if over { 110 } else { 130 }).ok_or_else(|| "sizes beyond 64 bits".to_owned())?;
    Ok((over || wide).then(|| Need {
        bytes,
        answers: over.then_some("OOM902"),
        why: format!("RocksDB has {} of {} in use", mib(store), mib(size)),
        risk: match over {
            true => "RocksDB's cache grows with what it is given: where memory is not managed, manage it first (OOM921)",
            false => "state that grows would find a smaller cache, and read more from files",
        },
        source: "RocksDBMemoryControllerUtils, Flink 1.10 to 2.3: cache and memtables out of a slot's managed memory, its limit \
                 is soft",
    }))
}

/// Larger only: a peak of native memory is not seen.
fn overhead(size: Bytes, used: &Use) -> Result<Option<Need>, String> {
    let overhead = seen(&used.overhead, "what JVM Overhead pays for")?;
    let retained = used.retained.as_ref().copied().unwrap_or(Bytes::ZERO);
    if overhead <= size {
        let all = overhead.checked_add(retained).ok_or_else(|| "sizes beyond 64 bits".to_owned())?;
        return match all > size {
            true => Err(format!(
                "the allocator keeps {} beyond it, which jemalloc or MALLOC_ARENA_MAX=1 cures and a larger size does not",
                mib(retained)
            )),
            false => Ok(None),
        };
    }
    let bytes = hundredths(overhead, 110).ok_or_else(|| "sizes beyond 64 bits".to_owned())?;
    Ok(Some(Need {
        bytes,
        answers: Some("OOM912"),
        why: format!(
            "code, stacks, the collector's tables and small native memory take {} of {}",
            mib(overhead),
            mib(size)
        ),
        risk: "if native memory leaks, this only delays the end",
        source: "TaskManagerOptions.JVM_OVERHEAD_FRACTION, Flink 1.10 to 2.3: nothing enforces it, so it must be what is used",
    }))
}
