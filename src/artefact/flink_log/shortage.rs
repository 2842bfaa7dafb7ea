//! Where Flink's own pools run short: network buffers (`NetworkBufferPool`), the buffers of batch shuffles
//! (`SortMergeResultPartitionReadScheduler`), managed memory (`MemoryManager`, `UnsafeMemoryBudget`), and what is said
//! of RocksDB in it (`RocksDBOperationUtils`, `RocksDBMemoryControllerUtils`).

use std::sync::LazyLock;

use super::{At, MOST_MESSAGES, Sentence, end_of_message, group, number, span, stretch};
use crate::model::Bytes;

/// How many network buffers there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pool {
    /// How many.
    pub count: Option<u64>,
    /// Of how many bytes each; not said up to 1.2.
    pub buffer: Option<Bytes>,
}

impl Pool {
    /// Of all together.
    pub fn size(self) -> Option<Bytes> {
        self.buffer?.checked_mul(self.count?)
    }
}

/// What ran short.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shortage {
    /// `Insufficient number of network buffers`.
    NetworkBuffers {
        /// Wanted at once.
        required: Option<u64>,
        /// Left.
        available: Option<u64>,
        /// The pool.
        pool: Pool,
    },
    /// `Timeout triggered when requesting exclusive buffers` (1.10 and later).
    NetworkTimeout {
        /// The pool.
        pool: Pool,
    },
    /// `Buffer request timeout`: the read buffers of batch shuffles (1.13 and later).
    BatchReadTimeout,
    /// `Could not allocate enough memory segments for NetworkBufferPool`: the JVM gave no direct memory for it. In MiB.
    NetworkPoolNotAllocated {
        /// Wanted.
        required: Option<u64>,
        /// Got until then.
        allocated: Option<u64>,
    },
    /// Managed memory, in bytes from 1.10 on, in pages before.
    Managed {
        /// Wanted.
        wanted: Option<u64>,
        /// Left.
        remaining: Option<u64>,
        /// Whether these are pages.
        pages: bool,
        /// Whether the message is about RocksDB's share, as what stands around it says.
        rocksdb: bool,
    },
    /// `The fraction of memory to allocate should not be 0`: a consumer without a weight.
    NoShare,
    /// A batch operator's hash table or sorter that has too little.
    Operator,
}

/// What is said of RocksDB.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RocksDb {
    /// `Obtained shared RocksDB cache of size … bytes` (1.10 and later).
    SharedCache(Bytes),
    /// `RocksDBStateBackend performance will be poor …`: the write buffers' blocks do not fit (1.12 and later).
    ArenaBlock {
        /// The block.
        block: Option<Bytes>,
        /// What the write buffers may hold before they are flushed.
        limit: Option<Bytes>,
        /// What all write buffers may hold.
        capacity: Option<Bytes>,
    },
    /// RocksDB could not get memory, or its cache may not grow: the words of its exception.
    Refused {
        /// RocksDB's own words.
        error: String,
    },
    /// `Error while opening RocksDB instance`, with the error's message.
    NotOpened {
        /// RocksDB's own words.
        error: Option<String>,
    },
}

const ONLY: &str = r"(?<available>\d+)";
const POOL: &str =
    r"(?: The total number of network buffers is currently set to (?<count>\d+)(?: of (?<buffer>\d+) bytes)?)?";

static NETWORK: LazyLock<Sentence> = LazyLock::new(|| {
    let of = r"(?: of (?<of>\d+) available| available)";
    Sentence::new(&format!(
        r"Insufficient number of network buffers(?:: required (?<required>\d+), but only {ONLY}{of}\.?{POOL})?"
    ))
});
static TIMEOUT: LazyLock<Sentence> =
    LazyLock::new(|| Sentence::new(&format!(r"Timeout triggered when requesting exclusive buffers:{POOL}")));
static BATCH: LazyLock<Sentence> =
    LazyLock::new(|| Sentence::new(r"Buffer request timeout, this means there is a fierce"));
static SEGMENTS: LazyLock<Sentence> = LazyLock::new(|| {
    Sentence::new(concat!(
        r"Could not allocate enough memory segments for \w+(?: \(required \([MmBb]+\): (?<required>\d+)",
        r"(?:, al\s?located \([MmBb]+\): (?<allocated>\d+))?)?",
    ))
});
static MANAGED: LazyLock<Sentence> = LazyLock::new(|| {
    Sentence::new(concat!(
        r"Could not allocate (?<wanted>\d+) (?<unit>bytes|pages)[.,]",
        r" [Oo]nly (?<remaining>\d+) (?:bytes|pages) are remaining",
    ))
});
static SHARED: LazyLock<Sentence> = LazyLock::new(|| {
    Sentence::new(r"Could not created? the shared memory resource of size (?<wanted>\d+)\. Not enough memory left")
});
static NO_SHARE: LazyLock<Sentence> =
    LazyLock::new(|| Sentence::new(r"The fraction of memory to allocate should not be 0\."));
static OPERATOR: LazyLock<Sentence> = LazyLock::new(|| {
    Sentence::new(concat!(
        r"Hash join exceeded maximum number of recursions|Memory ran out\. Compaction failed",
        r"|Too few memory segments provided\.|Too little memory provided to sorter",
    ))
});
static CACHE: LazyLock<Sentence> =
    LazyLock::new(|| Sentence::new(r"Obtained shared RocksDB cache of size (?<size>\d+) bytes"));
static ARENA: LazyLock<Sentence> =
    LazyLock::new(|| Sentence::new(r"performance will be poor because of the current Flink memory configuration"));
static ARENA_DETAILS: LazyLock<Sentence> =
    LazyLock::new(|| Sentence::new(r"arenaBlockSize (?<block>\d+) (?:>|&gt;|\\u003e)? ?mutableLimit (?<limit>\d+)"));
static ARENA_CAPACITY: LazyLock<Sentence> =
    LazyLock::new(|| Sentence::new(r"writeBufferManagerCapacity = (?<capacity>\d+)"));
static NOT_OPENED: LazyLock<Sentence> = LazyLock::new(|| Sentence::new(r"Error while opening RocksDB instance"));
static ROCKSDB_EXCEPTION: LazyLock<Sentence> =
    LazyLock::new(|| Sentence::new(r"org\.rocksdb\.RocksDBException: (?<error>[^\n\\]+)"));

/// What RocksDB says as it is refused memory by the system.
const REFUSED: [&str; 3] = ["annot allocate memory", "Not enough space", "std::bad_alloc"];
/// What it says where its cache has a limit that is kept (`strict_capacity_limit`).
const LIMITED: [&str; 2] = ["emory limit", "cache being full"];

/// Whether RocksDB's words say that a limit of its own refused it memory, and not the system; nothing where they are of
/// something else.
pub fn is_own_limit(error: &str) -> Option<bool> {
    let holds = |words: &[&str]| words.iter().any(|words| error.contains(words));
    if holds(&REFUSED) { Some(false) } else { holds(&LIMITED).then_some(true) }
}

fn pool(captures: &regex::Captures<'_>) -> Pool {
    let count = number(captures, "count").or_else(|| number(captures, "of"));
    Pool { count, buffer: number(captures, "buffer").map(Bytes::new) }
}

/// Every shortage that a text tells, in its order.
pub fn shortages(text: &str) -> Vec<At<Shortage>> {
    let mut found = Vec::new();
    found.extend(NETWORK.all(text).filter_map(|captures| {
        let (required, available) = (number(&captures, "required"), number(&captures, "available"));
        let span = span(&captures);
        // "If you see an IOException: Insufficient number of network buffers exception" is advice.
        let goes_on = || text.get(span.end..).is_some_and(|behind| behind.starts_with([' ', '`']));
        if required.is_none() && goes_on() {
            return None;
        }
        Some(At { span, what: Shortage::NetworkBuffers { required, available, pool: pool(&captures) } })
    }));
    found.extend(
        TIMEOUT
            .all(text)
            .map(|captures| At { span: span(&captures), what: Shortage::NetworkTimeout { pool: pool(&captures) } }),
    );
    found.extend(BATCH.all(text).map(|captures| At { span: span(&captures), what: Shortage::BatchReadTimeout }));
    found.extend(SEGMENTS.all(text).map(|captures| {
        let (required, allocated) = (number(&captures, "required"), number(&captures, "allocated"));
        At { span: span(&captures), what: Shortage::NetworkPoolNotAllocated { required, allocated } }
    }));
    found.extend(managed(text));
    found.extend(NO_SHARE.all(text).map(|captures| At { span: span(&captures), what: Shortage::NoShare }));
    found.extend(OPERATOR.all(text).map(|captures| At { span: span(&captures), what: Shortage::Operator }));
    found.sort_by_key(|shortage| shortage.span.start);
    found
}

fn managed(text: &str) -> Vec<At<Shortage>> {
    let mut found: Vec<At<Shortage>> = Vec::new();
    for captures in MANAGED.all(text).take(MOST_MESSAGES) {
        let (wanted, remaining) = (number(&captures, "wanted"), number(&captures, "remaining"));
        let span = span(&captures);
        let rocksdb = names_rocksdb(text, span.start);
        let pages = group(&captures, "unit") == Some("pages");
        found.push(At { span, what: Shortage::Managed { wanted, remaining, pages, rocksdb } });
    }
    // The outer exception alone, where the inner one is cut off.
    if found.is_empty() {
        found.extend(SHARED.all(text).take(MOST_MESSAGES).map(|captures| {
            let span = span(&captures);
            let (wanted, rocksdb) = (number(&captures, "wanted"), names_rocksdb(text, span.start));
            At { span, what: Shortage::Managed { wanted, remaining: None, pages: false, rocksdb } }
        }));
    }
    found
}

/// Whether the exceptions around a place are about RocksDB.
fn names_rocksdb(text: &str, at: usize) -> bool {
    let mut from = at.saturating_sub(6 << 10);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let before = text.get(from..at).unwrap_or_default();
    // Another message may stand before this one.
    let before = before.rfind('\x0c').map_or(before, |gap| before.get(gap..).unwrap_or_default());
    let behind = stretch(text, at, end_of_message(text, at).saturating_sub(at).min(6 << 10));
    let names = |part: &str| {
        ["shared cache resource for RocksDB", "EmbeddedRocksDB", "RocksDBOperationUtils", "RocksDBStateBackend"]
            .iter()
            .any(|name| part.contains(name))
    };
    names(before) || names(behind)
}

/// Everything that a text says of RocksDB in Flink's log, in its order.
pub fn rocksdb(text: &str) -> Vec<At<RocksDb>> {
    let mut found = Vec::new();
    let caches = CACHE.all(text).filter_map(|captures| {
        let size = number(&captures, "size").map(Bytes::new)?;
        Some(At { span: span(&captures), what: RocksDb::SharedCache(size) })
    });
    found.extend(caches);
    for captures in ARENA.all(text).take(MOST_MESSAGES) {
        let span = span(&captures);
        let part = stretch(text, span.start, 2_000);
        let details = ARENA_DETAILS.first(part);
        let detail = |name| details.as_ref().and_then(|captures| number(captures, name)).map(Bytes::new);
        let capacity = ARENA_CAPACITY.first(part).and_then(|captures| number(&captures, "capacity")).map(Bytes::new);
        found.push(At { span, what: RocksDb::ArenaBlock { block: detail("block"), limit: detail("limit"), capacity } });
    }
    // A copy may begin at the details.
    if !found.iter().any(|said| matches!(said.what, RocksDb::ArenaBlock { .. }))
        && let Some(captures) = ARENA_DETAILS.first(text)
    {
        let capacity = ARENA_CAPACITY.first(stretch(text, span(&captures).start, 1_000));
        let detail = |name| number(&captures, name).map(Bytes::new);
        let capacity = capacity.and_then(|captures| number(&captures, "capacity")).map(Bytes::new);
        let what = RocksDb::ArenaBlock { block: detail("block"), limit: detail("limit"), capacity };
        found.push(At { span: span(&captures), what });
    }
    for captures in ROCKSDB_EXCEPTION.all(text).take(MOST_MESSAGES) {
        let error = group(&captures, "error").filter(|error| is_own_limit(error).is_some());
        let Some(error) = error.map(str::to_owned) else { continue };
        found.push(At { span: span(&captures), what: RocksDb::Refused { error } });
    }
    for captures in NOT_OPENED.all(text).take(MOST_MESSAGES) {
        let span = span(&captures);
        let part = text.get(span.start..end_of_message(text, span.start)).unwrap_or_default();
        let error = ROCKSDB_EXCEPTION.first(part).and_then(|captures| group(&captures, "error")).map(str::to_owned);
        found.push(At { span, what: RocksDb::NotOpened { error } });
    }
    found.sort_by_key(|said| said.span.start);
    found
}
