//! The dump of statistics: `DBImpl::DumpStats`, `InternalStats`, and the tickers behind `STATISTICS:`.

use std::collections::BTreeMap;

use super::facts::Pointer;
use crate::model::Bytes;

/// No database has more column families, and no dump more caches: a bound on memory.
const MOST_PARTS: usize = 1024;
/// RocksDB 9 has some 250 tickers.
const MOST_TICKERS: usize = 1024;

/// One dump. Sizes are as precise as RocksDB writes them: two digits behind the point of the largest unit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dump {
    /// Its first line, from 1.
    pub line: u32,
    /// When, in microseconds since 1970 on the process's clock and in its time zone.
    pub at: Option<u64>,
    /// Milliseconds since the database was opened.
    pub uptime: Option<u64>,
    /// Milliseconds since the dump before.
    pub interval: Option<u64>,
    /// How long writes were held back since the database was opened.
    pub stall: Option<StallTime>,
    /// How long writes were held back since the dump before.
    pub interval_stall: Option<StallTime>,
    /// Writes that were stopped by the write-buffer manager's limit; 8.1 and later say so.
    pub write_buffer_manager_stops: Option<u64>,
    /// Its column families.
    pub families: Vec<FamilyDump>,
    /// Its caches; 6.22 and later tell of them. A cache of several column families is told of once.
    pub caches: Vec<CacheDump>,
    /// `rocksdb.block.cache.hit` and others since the database was opened, where statistics are on.
    pub tickers: BTreeMap<String, u64>,
    of_cache: bool,
}

/// How long writes were held back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StallTime {
    /// Milliseconds.
    pub millis: u64,
    /// Its share of the time, in thousandths.
    pub permille: u64,
}

/// A column family in a dump.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FamilyDump {
    /// Its name.
    pub name: String,
    /// Its levels that have files, or had compactions.
    pub levels: Vec<LevelDump>,
    /// What waits to be compacted; 8.2 and later say so.
    pub pending_compaction: Option<Bytes>,
    /// How often its writes were held back since the database was opened.
    pub stalls: Option<StallCounts>,
}

/// A level of a column family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LevelDump {
    /// Which.
    pub level: u32,
    /// Its files.
    pub files: u64,
    /// Their size.
    pub bytes: Bytes,
}

/// How often writes were held back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StallCounts {
    /// Delayed, for files in level 0.
    pub level0_delays: u64,
    /// Stopped, for files in level 0.
    pub level0_stops: u64,
    /// Delayed, for memtables.
    pub memtable_delays: u64,
    /// Stopped, for memtables.
    pub memtable_stops: u64,
    /// Delayed, for what waits to be compacted.
    pub pending_delays: u64,
    /// Stopped, for what waits to be compacted.
    pub pending_stops: u64,
}

/// A cache in a dump: `Block cache LRUCache@0x7feb60a3f150#4001884 capacity: 40.00 GB usage: 39.97 GB ...`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheDump {
    /// `LRUCache` and others.
    pub name: String,
    /// The cache's address, the same as in the options of tables only where RocksDB has not wrapped it.
    pub pointer: Option<Pointer>,
    /// Its capacity.
    pub capacity: Option<Bytes>,
    /// What is in it; 7.7 and later say so.
    pub usage: Option<Bytes>,
    /// What it holds, by role.
    pub roles: Vec<CacheRole>,
}

impl CacheDump {
    /// What it holds of a role, such as `DataBlock` or `IndexBlock`: none where the role is not listed but others are.
    pub fn of(&self, role: &str) -> Option<Bytes> {
        let found = self.roles.iter().find(|part| part.name == role).map(|part| part.bytes);
        found.or((!self.roles.is_empty()).then_some(Bytes::ZERO))
    }
}

/// `DataBlock(165238,10.35 GB,25.885%)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheRole {
    /// `CacheEntryRole`: `DataBlock`, `FilterBlock`, `IndexBlock`, `WriteBuffer`, `Misc` and others.
    pub name: String,
    /// Its entries.
    pub count: u64,
    /// Its size.
    pub bytes: Bytes,
}

impl Dump {
    /// One dump's start.
    pub(super) fn at(line: u32, at: Option<u64>) -> Dump {
        Dump { line, at, ..Dump::default() }
    }

    /// How much of a ticker, where statistics are on.
    pub fn ticker(&self, name: &str) -> Option<u64> {
        self.tickers.get(name).copied()
    }

    /// Takes a line of the dump in. What is in none of the known forms is left.
    pub(super) fn line(&mut self, text: &str) {
        let text = text.trim();
        if let Some(name) = between(text, "** Compaction Stats [", "] **") {
            if self.families.last().is_none_or(|family| family.name != name) && self.families.len() < MOST_PARTS {
                self.families.push(FamilyDump { name: name.to_owned(), ..FamilyDump::default() });
            }
        } else if let Some(rest) = text.strip_prefix("Uptime(secs): ") {
            let mut parts = rest.split(", ").map(|part| decimal(part.split(' ').next()?, 1000));
            self.uptime = self.uptime.or(parts.next().flatten());
            self.interval = self.interval.or(parts.next().flatten());
        } else if let Some(rest) = text.strip_prefix("Cumulative stall: ") {
            self.stall = self.stall.or(stall_time(rest));
        } else if let Some(rest) = text.strip_prefix("Interval stall: ") {
            self.interval_stall = self.interval_stall.or(stall_time(rest));
        } else if let Some(rest) = text.strip_prefix("Write Stall (count): ") {
            self.write_stalls(rest);
        } else if let Some(rest) = text.strip_prefix("Stalls(count): ") {
            self.old_stalls(rest);
        } else if let Some(rest) = text.strip_prefix("Estimated pending compaction bytes: ") {
            if let Some(family) = self.families.last_mut() {
                family.pending_compaction = rest.parse().ok().map(Bytes::new);
            }
        } else if let Some(rest) = text.strip_prefix("Block cache entry stats(count,size,portion): ") {
            if let Some(cache) = self.caches.last_mut().filter(|_| self.of_cache) {
                cache.roles = rest.split(") ").filter_map(role).take(MOST_PARTS).collect();
            }
        } else if let Some(rest) = text.strip_prefix("Block cache ") {
            self.cache(rest);
        } else if text.starts_with('L') {
            self.level(text);
        } else if text.starts_with("rocksdb.") {
            self.counted(text);
        }
    }

    fn counted(&mut self, text: &str) {
        let Some((name, count)) = text.split_once(" COUNT : ") else { return };
        if let Ok(count) = count.parse()
            && !name.contains(' ')
            && self.tickers.len() < MOST_TICKERS
        {
            self.tickers.insert(name.to_owned(), count);
        }
    }

    /// `L0      2/0   230.43 KB   0.7 ...`: files, those of them that are being compacted, size.
    fn level(&mut self, text: &str) {
        let mut words = text.split_ascii_whitespace();
        let level = words.next().and_then(|word| word.strip_prefix('L')).and_then(|digits| digits.parse().ok());
        let files = words.next().and_then(|word| word.split_once('/')).and_then(|(files, _)| files.parse().ok());
        let bytes = words.next().zip(words.next()).and_then(|(number, unit)| human_size(number, unit));
        if let (Some(level), Some(files), Some(bytes), Some(family)) = (level, files, bytes, self.families.last_mut())
            && family.levels.len() < MOST_PARTS
        {
            family.levels.push(LevelDump { level, files, bytes });
        }
    }

    /// The form of 8.1 and later.
    fn write_stalls(&mut self, text: &str) {
        let counts: BTreeMap<&str, u64> = text
            .split(", ")
            .filter_map(|part| part.rsplit_once(": "))
            .filter_map(|(name, count)| Some((name, count.trim().parse().ok()?)))
            .collect();
        if let Some(stops) = counts.get("write-buffer-manager-limit-stops") {
            self.write_buffer_manager_stops = Some(*stops);
        } else if let Some(family) = self.families.last_mut() {
            let of = |name| counts.get(name).copied().unwrap_or_default();
            // Where the names are others than these, nothing is known.
            family.stalls = counts.contains_key("memtable-limit-stops").then(|| StallCounts {
                level0_delays: of("l0-file-count-limit-delays"),
                level0_stops: of("l0-file-count-limit-stops"),
                memtable_delays: of("memtable-limit-delays"),
                memtable_stops: of("memtable-limit-stops"),
                pending_delays: of("pending-compaction-bytes-delays"),
                pending_stops: of("pending-compaction-bytes-stops"),
            });
        }
    }

    /// The form before 8.1.
    fn old_stalls(&mut self, text: &str) {
        let counts: BTreeMap<&str, u64> = text
            .split(", ")
            .filter_map(|part| part.split_once(' '))
            .filter_map(|(count, name)| Some((name, count.parse().ok()?)))
            .collect();
        if let Some(family) = self.families.last_mut() {
            let of = |name| counts.get(name).copied().unwrap_or_default();
            family.stalls = counts.contains_key("memtable_compaction").then(|| StallCounts {
                level0_delays: of("level0_slowdown"),
                level0_stops: of("level0_numfiles"),
                memtable_delays: of("memtable_slowdown"),
                memtable_stops: of("memtable_compaction"),
                pending_delays: of("slowdown for pending_compaction_bytes"),
                pending_stops: of("stop for pending_compaction_bytes"),
            });
        }
    }

    fn cache(&mut self, text: &str) {
        let (id, rest) = text.split_once(' ').unwrap_or((text, ""));
        let Some((name, address)) = id.split_once('@') else { return };
        let pointer = address.split('#').next().and_then(hexadecimal).map(Pointer);
        let words: Vec<&str> = rest.split_ascii_whitespace().take(64).collect();
        let of = |key: &str| {
            let at = words.iter().position(|word| *word == key)?;
            human_size(words.get(at + 1)?, words.get(at + 2)?)
        };
        let found = CacheDump {
            name: name.to_owned(),
            pointer,
            capacity: of("capacity:"),
            usage: of("usage:"),
            roles: Vec::new(),
        };
        self.caches.retain(|cache| cache.pointer != pointer);
        self.of_cache = self.caches.len() < MOST_PARTS;
        if self.of_cache {
            self.caches.push(found);
        }
    }
}

/// `0x7f06ac0ab150` as a number.
pub(super) fn hexadecimal(text: &str) -> Option<u64> {
    u64::from_str_radix(text.strip_prefix("0x")?, 16).ok()
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    text.strip_prefix(before)?.strip_suffix(after)
}

/// `DataBlock(165238,10.35 GB,25.885%`, with or without the closing bracket.
fn role(text: &str) -> Option<CacheRole> {
    let (name, rest) = text.trim().split_once('(')?;
    let mut parts = rest.split(',');
    let count = parts.next()?.parse().ok()?;
    let (number, unit) = parts.next()?.trim().split_once(' ')?;
    Some(CacheRole { name: name.to_owned(), count, bytes: human_size(number, unit)? })
}

/// `00:01:45.095 H:M:S, 85.3 percent`.
fn stall_time(text: &str) -> Option<StallTime> {
    let (clock, rest) = text.split_once(" H:M:S, ")?;
    let mut parts = clock.split(':');
    let (hours, minutes): (u64, u64) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    let seconds = decimal(parts.next()?, 1000)?;
    let millis = hours.checked_mul(3_600_000)?.checked_add(minutes.checked_mul(60_000)?)?.checked_add(seconds)?;
    Some(StallTime { millis, permille: decimal(rest.split(' ').next()?, 10)? })
}

/// `39.97 GB` in bytes, of units of 1024 (`BytesToHumanString`).
pub(in crate::artefact) fn human_size(number: &str, unit: &str) -> Option<Bytes> {
    let unit: u64 = match unit {
        "B" => 1,
        "KB" => 1 << 10,
        "MB" => 1 << 20,
        "GB" => 1 << 30,
        "TB" => 1 << 40,
        _ => return None,
    };
    decimal(number, unit).map(Bytes::new)
}

/// A number with digits behind the point, times something, cut to a whole number.
fn decimal(text: &str, times: u64) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) {
        return None;
    }
    let fraction = fraction.get(..fraction.len().min(9))?;
    let scale = 10_u128.pow(u32::try_from(fraction.len()).ok()?);
    let part: u128 = if fraction.is_empty() { 0 } else { fraction.parse().ok()? };
    let whole = whole.parse::<u64>().ok()?.checked_mul(times)?;
    whole.checked_add(u64::try_from(part * u128::from(times) / scale).ok()?)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("39.97", "GB", Some(42_917_460_705))]
    #[case("8.00", "MB", Some(8 << 20))]
    #[case("0.09", "KB", Some(92))]
    #[case("12", "B", Some(12))]
    #[case("1.5", "XB", None)]
    #[case("-1", "KB", None)]
    #[case("99999999999999999999", "GB", None)]
    fn a_size_is_in_units_of_1024(#[case] number: &str, #[case] unit: &str, #[case] bytes: Option<u64>) {
        assert_eq!(human_size(number, unit).map(Bytes::get), bytes);
    }

    #[test]
    fn the_forms_of_both_ages_tell_the_same_stalls() {
        let mut dump = Dump::default();
        dump.line("** Compaction Stats [old] **");
        dump.line(
            "Stalls(count): 1028 level0_slowdown, 1018 level0_slowdown_with_compaction, 5 level0_numfiles, 0 \
             level0_numfiles_with_compaction, 2 stop for pending_compaction_bytes, 1809 slowdown for \
             pending_compaction_bytes, 924 memtable_compaction, 3 memtable_slowdown, interval 0 total count",
        );
        dump.line("** Compaction Stats [new] **");
        dump.line(
            "Write Stall (count): cf-l0-file-count-limit-delays-with-ongoing-compaction: 1018, \
             l0-file-count-limit-delays: 1028, l0-file-count-limit-stops: 5, memtable-limit-delays: 3, \
             memtable-limit-stops: 924, pending-compaction-bytes-delays: 1809, pending-compaction-bytes-stops: 2, \
             total-delays: 0, total-stops: 0",
        );
        let [old, new] = &dump.families[..] else { panic!("{dump:?}") };
        assert_eq!(old.stalls, new.stalls);
        assert_eq!(old.stalls.map(|stalls| stalls.pending_delays), Some(1809));
    }

    #[test]
    fn a_cache_is_told_with_what_it_holds() {
        let mut dump = Dump::default();
        dump.line(
            "Block cache LRUCache@0x7feb60a3f150#4001884 capacity: 40.00 GB usage: 39.97 GB table_size: 524288 \
             occupancy: 6030149 collections: 1018",
        );
        dump.line(
            "Block cache entry stats(count,size,portion): DataBlock(165238,10.35 GB,25.885%) \
             FilterBlock(22233,29.11 GB,72.7832%) Misc(1,0.00 KB,0%)",
        );
        let cache = &dump.caches[0];
        assert_eq!(cache.pointer, Some(Pointer(0x7feb_60a3_f150)));
        assert_eq!(cache.capacity, Some(Bytes::gib(40)));
        assert_eq!(cache.usage.map(Bytes::get), Some(42_917_460_705));
        assert_eq!(cache.roles.len(), 3);
        assert_eq!(cache.of("FilterBlock").map(Bytes::get), Some(31_256_624_496));
        assert_eq!(cache.of("IndexBlock"), Some(Bytes::ZERO));
    }

    #[test]
    fn a_cache_that_tells_nothing_of_roles_has_none_of_unknown_size() {
        let mut dump = Dump::default();
        dump.line("Block cache LRUCache@0x1639ff0 capacity: 1.00 MB collections: 491 last_copies: 0");
        assert_eq!((dump.caches[0].of("DataBlock"), dump.caches[0].usage), (None, None));
    }
}
