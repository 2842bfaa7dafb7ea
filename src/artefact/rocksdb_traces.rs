//! What RocksDB says in lines that stand alone: in the midst of another log, or quoted without the log around them. A
//! whole `LOG` is for [`super::rocksdb_log`].
//!
//! Stalls are of `ColumnFamilyData::RecalculateWriteStallConditions`; caches of `InternalStats::CacheEntryRoleStats`
//! (6.22 and later; `usage` from 7.7.2); counts of `InternalStats::DumpCFStats` (`Stalls(count)` to 8.0,
//! `Write Stall (count)` from 8.1); refusals of a cache with a strict limit of `LRUCacheShard` and `ClockCacheShard`.

use std::sync::LazyLock;

use regex::Regex;

use super::rocksdb_log::human_size;
use crate::model::Bytes;

/// Words by which a line of these is found in a large log.
pub const ANCHORS: &[&str] = &[" writes because ", "Block cache "];

/// Something that is said, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// Where it begins.
    pub at: usize,
    /// What.
    pub what: What,
}

/// What is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// Writes are held back from now on.
    Stall {
        /// Stopped altogether, and not only slowed down.
        stopped: bool,
        /// Of what there is too much.
        cause: Cause,
        /// How much: memtables, files, bytes.
        figure: u64,
        /// The column family.
        family: Option<String>,
    },
    /// How often writes were held back since the database was opened.
    Stalls {
        /// Slowed down.
        delays: u64,
        /// Stopped.
        stops: u64,
        /// Stopped by the limit of the write-buffer manager.
        manager_stops: u64,
    },
    /// A block cache.
    Cache {
        /// `LRUCache@0x55deca6980f0#30528`.
        name: String,
        /// Its capacity.
        capacity: Option<Bytes>,
        /// What is in it.
        usage: Option<Bytes>,
    },
    /// What a block cache holds.
    Roles(Vec<Role>),
    /// A cache with a strict limit had no room.
    Refused,
}

/// Of what there is too much.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// Memtables that wait to be flushed.
    Memtables,
    /// Files in level 0.
    Level0,
    /// Bytes that wait to be compacted.
    Pending,
}

/// `DataBlock(441761,6.82 GB,75.765%)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// `CacheEntryRole`.
    pub name: String,
    /// Its size, with a fraction of a byte dropped.
    pub bytes: Bytes,
}

/// No more are kept.
const MOST: usize = 10_000;

static STALL: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?:\[([^\[\]\n]{1,200})\]\s+)?(Stopping|Stalling)\s+writes\s+because\s+",
        r"(?:we\s+have\s+(\d+)\s+(immutable\s+memtables|level-0\s+files)|",
        r"of\s+estimated\s+pending\s+compaction\s+bytes\s+(\d+))",
    ))
    .ok()
});
static CACHE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"Block\s+cache\s+(\w+@\S+)\s+capacity:\s*([\d.]+ ?[KMGT]?B)",
        r"(?:\s+seed:\s*\d+)?(?:\s+usage:\s*([\d.]+ ?[KMGT]?B))?",
    ))
    .ok()
});
static ROLES: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"Block\s+cache\s+entry\s+stats\(count,\s?size,\s?portion\):((?:\s*\w+\(\d+,[\d.]+ ?[KMGT]?B,[\d.e+-]+%\))+)",
    )
    .ok()
});
static ROLE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(\w+)\(\d+,([\d.]+ ?[KMGT]?B),").ok());
static COUNTS: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(Write Stall \(count\)|Stalls\(count\)): ([^\n]{1,1000})").ok());
static REFUSED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"Insert\s+failed\s+(?:due\s+to\s+LRU\s+cache\s+being\s+full|",
        r"because\s+(?:the\s+total\s+charge\s+has\s+exceeded|all\s+slots\s+in\s+the\s+hash\s+table\s+are\s+full))",
    ))
    .ok()
});

/// What a text says, in order.
pub fn traces(text: &str) -> Vec<Trace> {
    let mut found = Vec::new();
    if let Some(stall) = STALL.as_ref().filter(|_| text.contains("writes")) {
        for caught in stall.captures_iter(text).take(MOST) {
            let of = |group: usize| caught.get(group).map(|part| part.as_str());
            let Some(at) = caught.get(0).map(|whole| whole.start()) else { continue };
            let cause = match of(4) {
                Some(word) if word.starts_with('i') => Cause::Memtables,
                Some(_) => Cause::Level0,
                None => Cause::Pending,
            };
            let Some(figure) = of(3).or_else(|| of(5)).and_then(|digits| digits.parse().ok()) else { continue };
            let family = of(1).map(str::to_owned).filter(|name| !matches!(name.as_str(), "WARN" | "INFO" | "ERROR"));
            found.push(Trace { at, what: What::Stall { stopped: of(2) == Some("Stopping"), cause, figure, family } });
        }
    }
    if text.contains("cache") {
        caches(text, &mut found);
    }
    if let Some(refused) = REFUSED.as_ref().filter(|_| text.contains("Insert")) {
        found.extend(refused.find_iter(text).take(MOST).map(|whole| Trace { at: whole.start(), what: What::Refused }));
    }
    if let Some(counts) = COUNTS.as_ref().filter(|_| text.contains("(count)")) {
        for caught in counts.captures_iter(text).take(MOST) {
            let Some((whole, list)) = caught.get(0).zip(caught.get(2)) else { continue };
            let is_new = whole.as_str().starts_with('W');
            if let Some(what) = if is_new { new_counts(list.as_str()) } else { old_counts(list.as_str()) } {
                found.push(Trace { at: whole.start(), what });
            }
        }
    }
    found.sort_by_key(|trace| trace.at);
    found
}

fn caches(text: &str, found: &mut Vec<Trace>) {
    if let Some(cache) = CACHE.as_ref() {
        found.extend(cache.captures_iter(text).take(MOST).filter_map(|caught| {
            let size = |group: usize| caught.get(group).and_then(|part| size(part.as_str()));
            let name = caught.get(1)?.as_str().to_owned();
            Some(Trace { at: caught.get(0)?.start(), what: What::Cache { name, capacity: size(2), usage: size(3) } })
        }));
    }
    if let Some((roles, role)) = ROLES.as_ref().zip(ROLE.as_ref()) {
        found.extend(roles.captures_iter(text).take(MOST).filter_map(|caught| {
            let all = role.captures_iter(caught.get(1)?.as_str()).take(64).filter_map(|caught| {
                Some(Role { name: caught.get(1)?.as_str().to_owned(), bytes: size(caught.get(2)?.as_str())? })
            });
            Some(Trace { at: caught.get(0)?.start(), what: What::Roles(all.collect()) })
        }));
    }
}

/// `cf-l0-file-count-limit-stops-with-ongoing-compaction: 0, …, total-delays: 0, total-stops: 0`, and of the whole
/// database `write-buffer-manager-limit-stops: 0`.
fn new_counts(list: &str) -> Option<What> {
    let of = |wanted: &str| {
        let mut parts = list.split(", ").filter_map(|part| part.rsplit_once(": "));
        parts.find(|(name, _)| name.trim() == wanted).and_then(|(_, count)| count.trim().parse::<u64>().ok())
    };
    let manager_stops = of("write-buffer-manager-limit-stops");
    let (delays, stops) = (of("total-delays"), of("total-stops"));
    (manager_stops.is_some() || delays.is_some() || stops.is_some()).then(|| What::Stalls {
        delays: delays.unwrap_or_default(),
        stops: stops.unwrap_or_default(),
        manager_stops: manager_stops.unwrap_or_default(),
    })
}

/// `0 level0_slowdown, 0 level0_slowdown_with_compaction, 0 level0_numfiles, 0 level0_numfiles_with_compaction, 0 stop
/// for pending_compaction_bytes, 0 slowdown for pending_compaction_bytes, 0 memtable_compaction, 0 memtable_slowdown,
/// interval 0 total count`. What is with compaction is counted in what is without.
fn old_counts(list: &str) -> Option<What> {
    let of = |wanted: &str| {
        let mut parts = list.split(", ").filter_map(|part| part.trim().split_once(' '));
        parts.find(|(_, name)| *name == wanted).and_then(|(count, _)| count.parse::<u64>().ok())
    };
    let sum = |names: [&str; 3]| names.into_iter().filter_map(of).fold(0u64, u64::saturating_add);
    of("level0_slowdown").or_else(|| of("memtable_compaction"))?;
    Some(What::Stalls {
        delays: sum(["level0_slowdown", "slowdown for pending_compaction_bytes", "memtable_slowdown"]),
        stops: sum(["level0_numfiles", "stop for pending_compaction_bytes", "memtable_compaction"]),
        manager_stops: 0,
    })
}

/// `8.00 MB`, `0.09 KB`, also without the blank.
fn size(text: &str) -> Option<Bytes> {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit() && c != '.')?);
    human_size(number, unit.trim_start())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use super::*;

    fn all(text: &str) -> Vec<What> {
        traces(text).into_iter().map(|trace| trace.what).collect()
    }

    #[test]
    fn stalls_are_read_with_their_column_family_and_without_a_head() {
        let log = "2026/03/01-10:00:00.000001 4711 [WARN] [/column_family.cc:991] [window-contents] Stopping \
                   writes because we have 3 immutable memtables (waiting for flush), max_write_buffer_number is set to 3\n  Stalling \
                   writes because we have 21 level-0 files rate 16777216\n[default] Stalling writes because of \
                   estimated pending compaction bytes 68719476999 rate 8388608\n";
        let stall = |stopped, cause, figure, family: Option<&str>| What::Stall {
            stopped,
            cause,
            figure,
            family: family.map(str::to_owned),
        };
        assert_eq!(
            all(log),
            [
                stall(true, Cause::Memtables, 3, Some("window-contents")),
                stall(false, Cause::Level0, 21, None),
                stall(false, Cause::Pending, 68_719_476_999, Some("default")),
            ]
        );
    }

    #[test]
    fn caches_are_read_of_every_age_and_in_any_order() {
        let text = "Block cache entry stats(count,size,portion): DataBlock(10,1.50 GB,75%) Misc(1,0.00 KB,0%)\n\
                    Block cache LRUCache@0x7f10#77 capacity: 2.00 GB collections: 3 last_copies: 1 last_secs: 0.1\n\
                    Block cache HyperClockCache@0x7f20#77 capacity: 512.00 MB seed: 99 usage: 511.25 MB \
                    table_size: 1024\n";
        let roles = vec![
            Role { name: "DataBlock".into(), bytes: Bytes::mib(1536) },
            Role { name: "Misc".into(), bytes: Bytes::ZERO },
        ];
        let cache = |name: &str, capacity, usage| What::Cache { name: name.into(), capacity: Some(capacity), usage };
        assert_eq!(
            all(text),
            [
                What::Roles(roles),
                cache("LRUCache@0x7f10#77", Bytes::gib(2), None),
                cache("HyperClockCache@0x7f20#77", Bytes::mib(512), Some(Bytes::new(536_084_480))),
            ]
        );
    }

    #[test]
    fn counts_of_both_ages_are_summed_and_refusals_are_found() {
        let old = "Stalls(count): 2 level0_slowdown, 2 level0_slowdown_with_compaction, 1 level0_numfiles, 0 \
                   level0_numfiles_with_compaction, 0 stop for pending_compaction_bytes, 4 slowdown for \
                   pending_compaction_bytes, 5 memtable_compaction, 1 memtable_slowdown, interval 0 total count";
        assert_eq!(all(old), [What::Stalls { delays: 7, stops: 6, manager_stops: 0 }]);
        let new = "Write Stall (count): l0-file-count-limit-delays: 1, memtable-limit-stops: 2, total-delays: 1, \
                   total-stops: 2\n\
                   Write Stall (count): write-buffer-manager-limit-stops: 8\n";
        let sums = [
            What::Stalls { delays: 1, stops: 2, manager_stops: 0 },
            What::Stalls { delays: 0, stops: 0, manager_stops: 8 },
        ];
        assert_eq!(all(new), sums);
        assert_eq!(all("org.rocksdb.RocksDBException: Insert failed due to LRU cache being full."), [What::Refused]);
        assert_eq!(
            all("MemoryLimit: Insert failed because the total charge has exceeded the capacity."),
            [What::Refused]
        );
    }

    #[test]
    fn what_only_sounds_alike_is_left() {
        assert!(
            all("Stopping writes because the disk is full\nBlock cache size: 5 GB\nStalls(count): none\n").is_empty()
        );
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text: String) {
            let _ = traces(&format!("Stopping writes because we have {text} Block cache a@b capacity: {text}"));
            let _ = traces(&format!("Stalls(count): {text}\nWrite Stall (count): {text}"));
            let _ = size(&text);
        }
    }
}
