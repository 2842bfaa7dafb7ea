//! What was measured once and is not derived: how long things take, what is allocated before there is data, what allocators
//! waste. `profiles/repro/coefficients.yaml` says by which command each was measured.

use std::sync::LazyLock;

use serde::{Deserialize, Deserializer};
use thiserror::Error;

use crate::model::{Bytes, Malloc};

use super::release::Release;

/// Why the profile is not read.
#[derive(Debug, Error)]
#[error("read the coefficients of the memory model: {0}")]
pub struct CoefficientsError(#[from] serde_yaml::Error);

/// All of them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Coefficients {
    /// How long things take.
    pub time: Time,
    /// What is taken before there is data.
    pub floor: Floor,
    /// Buffers of jobs.
    pub buffers: Buffers,
    /// glibc's malloc.
    pub glibc: Waste,
    /// glibc's malloc with one arena; in between where more are allowed.
    pub glibc_one_arena: Waste,
    /// jemalloc.
    pub jemalloc: Waste,
    /// How far reality lies from what is expected, in thousandths.
    pub spread: Spread,
}

/// How long things take, on a core of this machine's kind. They decide how far memtables grow while one is flushed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Time {
    /// Cores.
    pub cores: u64,
    /// A write or a deletion, beside its bytes.
    pub write_nanos: u64,
    /// Each byte of it, in thousandths of a nanosecond.
    pub write_byte_picos: u64,
    /// A read of one entry, or a seek in one sorted run.
    pub read_nanos: u64,
    /// Opening an iterator and closing it.
    pub open_nanos: u64,
    /// One entry further.
    pub next_nanos: u64,
    /// A block that is not in the cache.
    pub load_nanos: u64,
    /// The shortest flush or compaction.
    pub job_nanos: u64,
    /// An entry of a memtable that is flushed.
    pub flush_entry_nanos: u64,
    /// Each byte of it, in thousandths of a nanosecond.
    pub flush_byte_picos: u64,
    /// How much longer a slow flush lasts, in thousandths.
    pub slow_flush: u64,
    /// How long one waits now and then for the disk.
    pub stall_nanos: u64,
    /// An entry that a compaction reads.
    pub compact_entry_nanos: u64,
    /// Each byte of it before compression, in thousandths of a nanosecond.
    pub compact_byte_picos: u64,
}

/// What is taken before there is data.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Floor {
    /// The worker with its engine, before the first instance.
    pub worker: ByRelease,
    /// The same under jemalloc.
    pub worker_jemalloc: ByRelease,
    /// A column family into which something was written, with its share of what each memtable has.
    pub family: ByRelease,
    /// An instance.
    #[serde(deserialize_with = "bytes")]
    pub instance: Bytes,
    /// A column family's own cache.
    #[serde(deserialize_with = "bytes")]
    pub own_cache: Bytes,
    /// A pool.
    #[serde(deserialize_with = "bytes")]
    pub pool: Bytes,
    /// An open file beside index and filter.
    #[serde(deserialize_with = "bytes")]
    pub table_reader: Bytes,
    /// An iterator.
    #[serde(deserialize_with = "bytes")]
    pub iterator: Bytes,
    /// What it has of each sorted run.
    #[serde(deserialize_with = "bytes")]
    pub iterator_run: Bytes,
    /// The touched part of a thread's stack.
    #[serde(deserialize_with = "bytes")]
    pub stack: Bytes,
}

/// A size in each release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ByRelease {
    /// RocksDB 5.17.2.
    #[serde(rename = "5.17.2", deserialize_with = "bytes")]
    pub r5: Bytes,
    /// RocksDB 6.20.3.
    #[serde(rename = "6.20.3", deserialize_with = "bytes")]
    pub r6: Bytes,
    /// RocksDB 8.10.0.
    #[serde(rename = "8.10.0", deserialize_with = "bytes")]
    pub r8: Bytes,
}

impl ByRelease {
    /// That of one.
    pub fn of(&self, release: Release) -> Bytes {
        match release {
            Release::R5 => self.r5,
            Release::R6 => self.r6,
            Release::R8 => self.r8,
        }
    }
}

/// Buffers of jobs.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Buffers {
    /// Any job, however small.
    #[serde(deserialize_with = "bytes")]
    pub least: Bytes,
    /// A flush, as far as it has so many bytes.
    #[serde(deserialize_with = "bytes")]
    pub flush: Bytes,
    /// A compaction, beside the index that it builds.
    #[serde(deserialize_with = "bytes")]
    pub compaction: Bytes,
}

/// What an allocator has beyond what is asked of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Waste {
    /// Of the room of evicted blocks, how much joins to pieces that a memtable fits into; in thousandths.
    pub joined: u64,
    /// Time after which all but a third of what is free is given back; 0 never is.
    pub decay_nanos: u64,
    /// Whether all threads share one heap; else each task has its own.
    pub one_heap: bool,
    /// Thousandths of blocks in the cache: what rounding leaves between them.
    pub blocks: u64,
    /// Thousandths of memtables.
    pub memtables: u64,
    /// Thousandths of everything else.
    pub rest: u64,
    /// What it keeps for each task's thread.
    #[serde(deserialize_with = "bytes")]
    pub thread: Bytes,
}

/// How far reality lies from what is expected, in thousandths of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Spread {
    /// Below.
    pub below: u64,
    /// Above.
    pub above: u64,
}

impl Coefficients {
    /// Reads them.
    pub fn parse(text: &str) -> Result<Coefficients, CoefficientsError> {
        Ok(serde_yaml::from_str(text)?)
    }

    /// Those that oomph is built with.
    pub fn shipped() -> Result<&'static Coefficients, &'static CoefficientsError> {
        static SHIPPED: LazyLock<Result<Coefficients, CoefficientsError>> =
            LazyLock::new(|| Coefficients::parse(include_str!("../../../profiles/repro/coefficients.yaml")));
        SHIPPED.as_ref()
    }

    /// What this allocator wastes.
    pub fn waste(&self, malloc: Malloc) -> Waste {
        match malloc {
            Malloc::Glibc { arenas: Some(1) } => self.glibc_one_arena,
            Malloc::Glibc { .. } => self.glibc,
            Malloc::Jemalloc => self.jemalloc,
        }
    }
}

fn bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Bytes, D::Error> {
    let text = String::deserialize(deserializer)?;
    Bytes::parse_flink(&text).map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use super::*;

    #[test]
    fn the_shipped_coefficients_are_read() {
        let known = Coefficients::shipped().unwrap();
        assert!(known.floor.family.of(Release::R5) < known.floor.family.of(Release::R8));
        assert!(known.time.flush_entry_nanos > 0 && known.time.cores > 0);
    }
}
