//! What RocksDB says of itself: its settings, how full its caches are, writes that were held back. It never kills.

use std::collections::BTreeMap;

use super::signal::{Origin, Says, Signal, Strain};
use crate::artefact::excerpt::Excerpt;
use crate::artefact::rocksdb_log::{self, RocksDbLog};
use crate::artefact::rocksdb_options;
use crate::artefact::rocksdb_traces::{Cause, Role, Trace, What, traces};
use crate::model::{Area, Bytes};

/// A quotation is no longer, in bytes.
const LONGEST_QUOTE: usize = 300;
/// A cache is worth a word from this share of its capacity on, in percent.
const NEARLY_FULL: u64 = 95;
/// So many flushes tell whether the write-buffer manager forces them.
const FEW_FLUSHES: u64 = 10;
/// A job of more states has no more different settings.
const MOST_SETTINGS: usize = 1000;

/// What an excerpt says.
pub fn signals(excerpt: &Excerpt) -> Vec<Signal> {
    let text = excerpt.text();
    let mut reading = Reading { excerpt, lines: Vec::new(), found: Vec::new() };
    if text.contains("Options.") && text.contains("write_buffer") || text.contains("EVENT_LOG_v1 ") {
        reading.index();
        reading.log(&rocksdb_log::read(text.as_bytes()));
    }
    if text.contains("[CFOptions \"") {
        reading.index();
        reading.options(text);
    }
    reading.traces(&traces(text));
    reading.found
}

struct Reading<'e> {
    excerpt: &'e Excerpt,
    /// Where each line of the excerpt's text starts.
    lines: Vec<usize>,
    found: Vec<Signal>,
}

impl Reading<'_> {
    fn index(&mut self) {
        if self.lines.is_empty() {
            let ends = memchr::memchr_iter(b'\n', self.excerpt.text().as_bytes()).map(|end| end + 1);
            self.lines = std::iter::once(0).chain(ends).collect();
        }
    }

    /// Where a line of the excerpt's text starts, from 1.
    fn start(&self, line: u32) -> usize {
        let at = usize::try_from(line).unwrap_or(usize::MAX).saturating_sub(1);
        self.lines.get(at).copied().unwrap_or_default()
    }

    fn push(&mut self, at: usize, says: Says) {
        let line = self.excerpt.line(at);
        let text = line.text.trim();
        let quote = text.get(..text.floor_char_boundary(LONGEST_QUOTE)).unwrap_or_default().to_owned();
        let time = self.excerpt.at(at);
        self.found.push(Signal { origin: Origin::RocksDb, file: 0, line: line.number, at: time, quote, says });
    }

    /// A setting, once.
    fn given(&mut self, at: usize, key: &str, value: String) {
        let says = Says::Given { key: key.to_owned(), value };
        if self.found.len() < MOST_SETTINGS && !self.found.iter().any(|known| known.says == says) {
            self.push(at, says);
        }
    }

    fn strain(&mut self, at: usize, name: &'static str, text: String, usage: Option<Bytes>, limit: Option<Bytes>) {
        self.push(at, Says::Strain(Strain { name, area: Some(Area::ManagedRocksDb), text, usage, limit }));
    }

    fn log(&mut self, log: &RocksDbLog) {
        let number = |bytes: Bytes| bytes.get().to_string();
        if let Some(version) = &log.version {
            self.given(self.start(version.line), "rocksdb.version", version.what.clone());
        }
        let database = &log.database;
        if let Some(manager) = &database.write_buffer_manager {
            self.given(self.start(manager.line), "rocksdb.write_buffer_manager", manager.what.to_string());
        }
        if let Some(size) = &database.db_write_buffer_size {
            self.given(self.start(size.line), "rocksdb.db_write_buffer_size", number(size.what));
        }
        if let Some(files) = &database.max_open_files {
            self.given(self.start(files.line), "state.backend.rocksdb.files.open", files.what.to_string());
        }
        for family in &log.column_families {
            let table = &family.table;
            let sizes = [
                ("state.backend.rocksdb.writebuffer.size", &family.write_buffer_size),
                ("rocksdb.arena_block_size", &family.arena_block_size),
                ("rocksdb.block_cache.capacity", &table.cache_capacity),
                ("state.backend.rocksdb.block.blocksize", &table.block_size),
            ];
            for (key, size) in sizes {
                if let Some(size) = size {
                    self.given(self.start(size.line), key, number(size.what));
                }
            }
            if let Some(count) = &family.max_write_buffer_number {
                self.given(self.start(count.line), "state.backend.rocksdb.writebuffer.count", count.what.to_string());
            }
            if let Some(cache) = &table.block_cache {
                self.given(self.start(cache.line), "rocksdb.block_cache", cache.what.to_string());
            }
            let flags = [
                ("rocksdb.block_cache.strict_capacity_limit", &table.strict_capacity_limit),
                ("rocksdb.cache_index_and_filter_blocks", &table.cache_index_and_filter_blocks),
                ("rocksdb.no_block_cache", &table.no_block_cache),
            ];
            for (key, flag) in flags {
                if let Some(flag) = flag {
                    self.given(self.start(flag.line), key, flag.what.to_string());
                }
            }
        }
        self.flushes(log);
        if let Some(error) = log.errors.first.iter().find(|error| error.what.no_space || error.what.corruption) {
            let reason =
                if error.what.no_space { "no space left on RocksDB's disk" } else { "a broken file of RocksDB" };
            let says = Says::OtherReason { reason: reason.to_owned(), ends: false };
            self.push(self.start(error.line), says);
        }
    }

    /// Memtables that are flushed by the write-buffer manager long before they are full.
    fn flushes(&mut self, log: &RocksDbLog) {
        let forced = log.flushes.by_reason.get("Write Buffer Manager").copied().unwrap_or_default();
        let all = log.flushes.count;
        if all < FEW_FLUSHES || forced <= all / 2 {
            return;
        }
        let at = self.excerpt.text().rfind("Write Buffer Manager").unwrap_or_default();
        let last = log.flushes.recent.iter().rev().find_map(|flush| flush.memory);
        let took = last.map_or(String::new(), |memory| format!(", the last of {memory}"));
        let text = format!("{forced} of {all} flushes were forced by the limit of all memtables{took}");
        self.strain(at, "forced-flushes", text, last, None);
    }

    fn options(&mut self, text: &str) {
        let options = rocksdb_options::read(text.as_bytes());
        let wanted = [
            ("write_buffer_size", "state.backend.rocksdb.writebuffer.size"),
            ("max_write_buffer_number", "state.backend.rocksdb.writebuffer.count"),
            ("arena_block_size", "rocksdb.arena_block_size"),
            ("block_size", "state.backend.rocksdb.block.blocksize"),
            ("cache_index_and_filter_blocks", "rocksdb.cache_index_and_filter_blocks"),
            ("no_block_cache", "rocksdb.no_block_cache"),
            ("db_write_buffer_size", "rocksdb.db_write_buffer_size"),
            ("max_open_files", "state.backend.rocksdb.files.open"),
            ("rocksdb_version", "rocksdb.version"),
        ];
        for (name, value) in options.sections.iter().flat_map(|section| &section.options) {
            if let Some((_, key)) = wanted.into_iter().find(|(wanted, _)| wanted == name) {
                self.given(self.start(value.line), key, value.what.clone());
            }
        }
    }

    fn traces(&mut self, traces: &[Trace]) {
        // By what held writes back and how hard: how often, the last figure and where.
        let mut stalls: BTreeMap<(bool, Cause), (u64, u64, usize)> = BTreeMap::new();
        let mut counted: Option<(usize, [u64; 3])> = None;
        let mut refused: Option<(usize, u64)> = None;
        let mut roles: Option<&[Role]> = None;
        for trace in traces {
            match &trace.what {
                What::Stall { stopped, cause, figure, .. } => {
                    let (count, last, at) = stalls.entry((*stopped, *cause)).or_default();
                    (*count, *last, *at) = (count.saturating_add(1), *figure, trace.at);
                }
                What::Stalls { delays, stops, manager_stops } => {
                    let (at, sums) = counted.get_or_insert((trace.at, [0; 3]));
                    *at = trace.at;
                    for (sum, count) in sums.iter_mut().zip([delays, stops, manager_stops]) {
                        // Each dump counts since the database was opened.
                        *sum = (*sum).max(*count);
                    }
                }
                What::Roles(all) => roles = Some(all),
                What::Refused => {
                    let (_, count) = refused.get_or_insert((trace.at, 0));
                    *count = count.saturating_add(1);
                }
                What::Cache { .. } => {}
            }
        }
        for ((stopped, cause), (count, figure, at)) in stalls {
            let name = if stopped { "write-stop" } else { "write-stall" };
            let what = match cause {
                Cause::Memtables => "memtables that waited to be flushed",
                Cause::Level0 => "files in level 0",
                Cause::Pending => "bytes that waited to be compacted",
            };
            let how = if stopped { "stopped" } else { "slowed down" };
            let text = format!("writes were {how} {count} times, at last with {figure} {what}");
            self.strain(at, name, text, None, None);
        }
        if let Some((at, [delays, stops, manager])) = counted
            && (delays, stops, manager) != (0, 0, 0)
        {
            let text = format!(
                "writes were slowed down {delays} times and stopped {stops} times, and {manager} times by the limit of \
                 all memtables"
            );
            self.strain(at, if stops + manager > 0 { "write-stop" } else { "write-stall" }, text, None, None);
        }
        if let Some((at, count)) = refused {
            let text = format!("the block cache refused {count} times to grow above its strict limit");
            self.strain(at, "strict-cache-limit", text, None, None);
        }
        self.caches(traces, roles);
    }

    fn caches(&mut self, traces: &[Trace], roles: Option<&[Role]>) {
        // Each dump tells of each cache; the last one counts.
        let mut last = BTreeMap::new();
        for trace in traces {
            if let What::Cache { name, capacity, usage } = &trace.what {
                last.insert(name, (trace.at, *capacity, *usage));
            }
        }
        for (at, capacity, usage) in last.into_values() {
            let Some(capacity) = capacity else { continue };
            self.given(at, "rocksdb.block_cache.capacity", capacity.get().to_string());
            // Versions that do not say what is in a cache list what it holds; roles are no more than all of it.
            let Some(usage) =
                usage.or_else(|| roles.and_then(|roles| Bytes::checked_sum(roles.iter().map(|role| role.bytes))))
            else {
                continue;
            };
            if capacity > Bytes::ZERO && is_nearly(usage, capacity) {
                let over = usage > capacity;
                let name = if over { "block-cache-above-capacity" } else { "block-cache-full" };
                let text = format!("the block cache holds {usage} of {capacity}{}", held(roles.unwrap_or_default()));
                self.strain(at, name, text, Some(usage), Some(capacity));
            }
        }
    }
}

fn is_nearly(usage: Bytes, capacity: Bytes) -> bool {
    u128::from(usage.get()) * 100 >= u128::from(capacity.get()) * u128::from(NEARLY_FULL)
}

/// The largest parts of a cache.
fn held(roles: &[Role]) -> String {
    let mut largest: Vec<&Role> = roles.iter().filter(|role| role.bytes > Bytes::ZERO).collect();
    largest.sort_by_key(|role| std::cmp::Reverse(role.bytes));
    let parts: Vec<String> = largest.iter().take(3).map(|role| format!("{} {}", role.name, role.bytes)).collect();
    if parts.is_empty() { String::new() } else { format!(": {}", parts.join(", ")) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use super::*;

    fn of(text: &str) -> Vec<Signal> {
        signals(&Excerpt::plain(text))
    }

    fn strains(text: &str) -> Vec<&'static str> {
        let all = of(text).into_iter().filter_map(|signal| match signal.says {
            Says::Strain(strain) => Some(strain.name),
            _ => None,
        });
        all.collect()
    }

    fn given(text: &str, wanted: &str) -> Vec<String> {
        let all = of(text).into_iter().filter_map(|signal| match signal.says {
            Says::Given { key, value } if key == wanted => Some(value),
            _ => None,
        });
        all.collect()
    }

    const LOG: &str = "\
2026/05/06-07:08:09.000001 140001 RocksDB version: 8.10.0
2026/05/06-07:08:09.000002 140001                    Options.db_write_buffer_size: 0
2026/05/06-07:08:09.000003 140001                    Options.write_buffer_manager: 0x7f00aa10
2026/05/06-07:08:09.000004 140001 [/column_family.cc:625] --------------- Options for column family [default]:
2026/05/06-07:08:09.000005 140001            table_factory options:   flush_block_policy_factory: F (0x7f)
  no_block_cache: 0
  block_cache: 0x7f00bb20
  block_cache_options:
    capacity : 89478485
    strict_capacity_limit : 1
2026/05/06-07:08:09.000006 140001        Options.write_buffer_size: 67108864
2026/05/06-07:08:09.000007 140001  Options.max_write_buffer_number: 2
";

    #[test]
    fn settings_and_pointers_are_given_with_their_line() {
        assert_eq!(given(LOG, "rocksdb.block_cache"), ["0x7f00bb20"]);
        assert_eq!(given(LOG, "rocksdb.block_cache.capacity"), ["89478485"]);
        assert_eq!(given(LOG, "rocksdb.block_cache.strict_capacity_limit"), ["true"]);
        assert_eq!(given(LOG, "rocksdb.write_buffer_manager"), ["0x7f00aa10"]);
        assert_eq!(given(LOG, "state.backend.rocksdb.writebuffer.size"), ["67108864"]);
        let all = of(LOG);
        let size = all.iter().find(|signal| signal.quote.contains("Options.write_buffer_size")).unwrap();
        assert_eq!((size.line, size.origin), (11, Origin::RocksDb));
        assert!(all.iter().all(|signal| matches!(signal.says, Says::Given { .. })));
    }

    #[test]
    fn an_options_file_gives_the_same_keys() {
        let text = "[Version]\n  rocksdb_version=6.20.3\n[CFOptions \"default\"]\n  write_buffer_size=33554432\n";
        assert_eq!(given(text, "state.backend.rocksdb.writebuffer.size"), ["33554432"]);
        assert_eq!(given(text, "rocksdb.version"), ["6.20.3"]);
    }

    #[test]
    fn a_full_cache_is_a_strain_and_an_empty_one_is_not() {
        let cache = |usage: &str| format!("Block cache LRUCache@0x1#2 capacity: 1.00 GB usage: {usage} table_size: 4");
        assert_eq!(strains(&cache("1.25 GB")), ["block-cache-above-capacity"]);
        assert_eq!(strains(&cache("0.99 GB")), ["block-cache-full"]);
        assert_eq!(strains(&cache("12.00 MB")), [] as [&str; 0]);
        assert_eq!(given(&cache("12.00 MB"), "rocksdb.block_cache.capacity"), ["1073741824"]);
    }

    #[test]
    fn a_cache_that_does_not_say_its_use_is_judged_by_what_it_holds() {
        let cache = |blocks: &str| {
            format!(
                "Block cache LRUCache@0x1#2 capacity: 512.00 MB collections: 3 last_copies: 0 last_secs: 0.1\n\
                 Block cache entry stats(count,size,portion): DataBlock(10,{blocks},1%) IndexBlock(2,64.00 MB,12.5%)\n"
            )
        };
        assert_eq!(strains(&cache("600.00 MB")), ["block-cache-above-capacity"]);
        assert_eq!(strains(&cache("100.00 MB")), [] as [&str; 0]);
    }

    #[test]
    fn stalls_of_one_kind_are_one_strain_and_zero_counts_are_none() {
        let stop = "[a] Stopping writes because we have 2 immutable memtables (waiting for flush)\n";
        let text = format!("{stop}{stop}[a] Stalling writes because we have 20 level-0 files\n");
        assert_eq!(strains(&text), ["write-stall", "write-stop"]);
        assert!(strains("Write Stall (count): total-delays: 0, total-stops: 0\n").is_empty());
        assert_eq!(strains("Write Stall (count): write-buffer-manager-limit-stops: 3\n"), ["write-stop"]);
        assert_eq!(strains("RocksDBException: Insert failed due to LRU cache being full."), ["strict-cache-limit"]);
    }

    #[test]
    fn every_prefix_is_read_without_a_panic() {
        for end in 0..LOG.len() {
            let _ = of(&LOG[..end]);
        }
    }
}
