//! What a RocksDB waits for: reads, flushes, compactions. Each verdict has the numbers that it rests on and the options to
//! turn; where there is too little to tell, that is said, and never taken for "nothing is wrong".

mod figures;
mod rules;
#[cfg(test)]
mod tests;
mod turn;

use std::fmt;

pub use figures::{Figures, FlushFigures, StallFigures, lookup_figures};
pub use turn::{Direction, Turn};

use crate::flink::profile::Profile;
use crate::model::{Bytes, Confidence, Unseen};
use crate::plan::store::{Scope, Store};

/// Fewer lookups than this tell nothing of a ratio: with 1,000, a ratio of 90 % is known to about 2 points (three
/// standard deviations of a binomial are 2.8).
pub const LEAST_LOOKUPS: u64 = 1000;
/// Below this share of lookups that hit, in thousandths, one block in ten is read from a file. RocksDB names no limit: this is
/// ours.
pub const LOW_HITS: u64 = 900;
/// A cache is full from this share on, in thousandths. It is never quite full: each of its 64 shards evicts for itself.
pub const FULL: u64 = 950;
/// Index and filter blocks crowd data blocks out from this share of the cache on, in thousandths. Ours.
pub const CROWDED: u64 = 500;
/// Fewer flushes than this tell nothing of their size.
pub const LEAST_FLUSHES: u64 = 5;
/// Memtables are small below this share of the write buffer, in thousandths: level 0 then fills four times as fast as it is
/// laid out for. Ours.
pub const SMALL_MEMTABLE: u64 = 250;
/// Flushes are constant from this many a minute on. Ours: with Flink's default of 64 MB that is 6 MB/s written or more.
pub const CONSTANT_FLUSHES: u64 = 6;
/// Fewer stalls than this within [`RECENT`] are no pattern.
pub const LEAST_STALLS: u64 = 3;
/// Writes that are held back for this share of the time, in thousandths, cost throughput.
pub const COSTLY_STALL: u64 = 10;
/// Writes that are held back for this share of the last interval, in thousandths, are stalled now.
pub const STALLED: u64 = 100;
/// Compaction falls behind from this share of a limit on at which RocksDB delays writes, in thousandths
/// (`GetWriteStallConditionAndCause`, `db/column_family.cc`, has the limits).
pub const NEAR_LIMIT: u64 = 500;
/// The last ten minutes of a log count, in microseconds: what was long ago is no verdict on now.
pub const RECENT: u64 = 600_000_000;
/// `level0_slowdown_writes_trigger` where nothing else is known (`include/rocksdb/advanced_options.h`).
pub const LEVEL0_SLOWDOWN: u64 = 20;
/// `soft_pending_compaction_bytes_limit` where nothing else is known (likewise).
pub const SOFT_PENDING: Bytes = Bytes::gib(64);

/// What a RocksDB waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Bound {
    /// Writes are stopped or delayed now.
    Stalled,
    /// Blocks that are not in the cache are read from files.
    Reads,
    /// Memtables are written too often, or not fast enough.
    Flushes,
    /// Files are merged too slowly.
    Compactions,
}

impl Bound {
    /// All of them, the most pressing first.
    pub const ALL: [Bound; 4] = [Bound::Stalled, Bound::Reads, Bound::Flushes, Bound::Compactions];

    /// The name in a text.
    pub fn label(self) -> &'static str {
        match self {
            Bound::Stalled => "stalled",
            Bound::Reads => "read-bound",
            Bound::Flushes => "flush-bound",
            Bound::Compactions => "compaction-bound",
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.label())
    }
}

/// Why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// What is read again and again is larger than the cache.
    WorkingSet,
    /// Index and filter blocks leave data blocks no room.
    IndexAndFilter,
    /// A memtable's allocation is above what memtables may take: RocksDB flushes with every write.
    ArenaBlock,
    /// All memtables share too little: the write-buffer manager flushes them half empty.
    WriteBufferShare,
    /// Memtables fill faster than they are written to files.
    Memtables,
    /// Level 0 has too many files.
    Level0,
    /// Too much waits to be compacted.
    PendingCompaction,
    /// Nothing that was seen says why.
    Unknown,
}

impl Cause {
    /// As a sentence without a full stop.
    pub fn sentence(self) -> &'static str {
        match self {
            Cause::WorkingSet => "what is read again and again is larger than the block cache",
            Cause::IndexAndFilter => "index and filter blocks leave data blocks no room in the cache",
            Cause::ArenaBlock => {
                "one memtable's allocation is above what all memtables may take, so they are flushed with every write"
            }
            Cause::WriteBufferShare => {
                "the memtables of the slot share too little memory and are flushed before they are full"
            }
            Cause::Memtables => "memtables fill faster than they are written to files",
            Cause::Level0 => "level 0 has so many files that RocksDB holds writes back",
            Cause::PendingCompaction => "so much waits to be compacted that RocksDB holds writes back",
            Cause::Unknown => "what was seen does not say why",
        }
    }
}

/// A number with its unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amount {
    /// A size.
    Bytes(Bytes),
    /// How many.
    Count(u64),
    /// Thousandths of something.
    Permille(u64),
}

/// A number that a verdict rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// What it counts.
    pub what: &'static str,
    /// How much.
    pub is: Amount,
    /// The limit that it is held against, where there is one.
    pub limit: Option<Amount>,
}

/// One verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What RocksDB waits for.
    pub bound: Bound,
    /// Why.
    pub cause: Cause,
    /// How sure that is.
    pub confidence: Confidence,
    /// The numbers that it rests on.
    pub evidence: Vec<Evidence>,
    /// What to turn, the most promising first; only options that this version of Flink has.
    pub turns: Vec<Turn>,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Judged {
    /// The verdicts, the most pressing first; none where what was seen is well.
    pub verdicts: Vec<Verdict>,
    /// What could not be judged, and what would allow it.
    pub undecided: Vec<(Bound, Unseen)>,
}

/// Which RocksDB, so that options are named as it reads them.
#[derive(Clone, Copy, Debug)]
pub struct Setting<'a> {
    /// RocksDB or ForSt.
    pub store: Store,
    /// Where its memory comes from; nothing where that is not known, which is taken for managed memory, Flink's default.
    pub scope: Option<Scope>,
    /// The version of Flink; nothing where it is not known, and then all options are named.
    pub profile: Option<&'a Profile>,
}

/// Judges one database or all that share a cache.
pub fn judge(figures: &Figures, setting: &Setting<'_>) -> Judged {
    let mut judged = Judged::default();
    for (bound, rule) in [
        (Bound::Stalled, rules::stalled as rules::Rule),
        (Bound::Reads, rules::reads),
        (Bound::Flushes, rules::flushes),
        (Bound::Compactions, rules::compactions),
    ] {
        match rule(figures, setting) {
            Ok(found) => judged.verdicts.extend(found),
            Err(unseen) => judged.undecided.push((bound, unseen)),
        }
    }
    judged
}
