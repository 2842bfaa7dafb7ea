//! Takes lines in, one after another.

use std::collections::VecDeque;

use super::dump::{Dump, hexadecimal};
use super::event::Event;
use super::facts::{
    ColumnFamily, Errors, Flush, LoggedError, Pointer, RocksDbLog, StallCause, StallKind, StallLine, Table,
};
use super::line::{Headed, headed};
use crate::artefact::Stated;
use crate::model::Bytes;

/// Of a longer line only so much is read: the longest that RocksDB writes are events of some 2 KB.
const LONGEST_LINE: usize = 64 << 10;
/// More column families than any job has states: a bound on memory.
const MOST_FAMILIES: usize = 1024;
/// More table files than a database of one task has: 64 Ki of them at 64 MB are 4 TB.
const MOST_TABLES: usize = 1 << 16;
/// So many of the last flushes and stalls are kept.
const KEPT: usize = 128;
/// So many of the first errors are kept.
const KEPT_ERRORS: usize = 32;
/// RocksDB 9 has 20 reasons for a flush.
const MOST_REASONS: usize = 64;
/// So much of an error's text is kept, in bytes.
const LONGEST_ERROR: usize = 400;
/// So many jobs are remembered with their column family: far more than run at once.
const KEPT_JOBS: usize = 64;

/// Takes a log in, in pieces of any size, and keeps what it states. Memory is bounded, whatever comes in.
#[derive(Debug, Default)]
pub struct Reader {
    log: RocksDbLog,
    /// The start of a line whose end is yet to come.
    started: Vec<u8>,
    /// The column family whose options are being listed.
    family: Option<usize>,
    /// Whether the options of its tables are.
    in_table: bool,
    /// What stands before the head of lines with one, so also before those without.
    prefix: usize,
    jobs: VecDeque<(u64, usize)>,
}

impl Reader {
    /// Takes the next bytes in; they need not end with a line.
    pub fn feed(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let (line, behind) = (&rest[..end], &rest[end + 1..]);
            if self.started.is_empty() {
                self.line(line);
            } else {
                self.start(line);
                let whole = std::mem::take(&mut self.started);
                self.line(&whole);
            }
            rest = behind;
        }
        self.start(rest);
    }

    fn start(&mut self, bytes: &[u8]) {
        let room = LONGEST_LINE.saturating_sub(self.started.len());
        self.started.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    /// Says that what comes next does not follow what came last: the middle was left out, and the next line begins anywhere.
    pub fn skip(&mut self) {
        if !self.started.is_empty() {
            let whole = std::mem::take(&mut self.started);
            self.line(&whole);
        }
        self.log.gap_after = Some(self.log.lines);
        (self.family, self.in_table) = (None, false);
    }

    /// What the log states.
    pub fn finish(mut self) -> RocksDbLog {
        if !self.started.is_empty() {
            let whole = std::mem::take(&mut self.started);
            self.line(&whole);
        }
        self.log
    }

    fn line(&mut self, line: &[u8]) {
        self.log.lines = self.log.lines.saturating_add(1);
        let line = String::from_utf8_lossy(&line[..line.len().min(LONGEST_LINE)]);
        let line = line.trim_end();
        match headed(line) {
            Some(head) => {
                self.prefix = head.prefix;
                self.in_table = false;
                self.log.first = self.log.first.or(Some(head.at));
                self.log.last = Some(head.at);
                self.record(&head);
            }
            None => {
                let text = line.get(self.prefix..).unwrap_or(line).trim_start();
                if self.in_table {
                    self.table_option(text);
                } else if let Some(dump) = &mut self.log.dump {
                    dump.line(text);
                }
                self.stall(text, None);
            }
        }
    }

    fn stated<T>(&self, what: T) -> Stated<T> {
        Stated { what, line: self.log.lines }
    }

    fn record(&mut self, head: &Headed<'_>) {
        let text = head.text.trim_start();
        if let Some(option) = text.strip_prefix("Options.") {
            return self.option(option);
        }
        if let Some(json) = text.strip_prefix("EVENT_LOG_v1 ") {
            return self.event(json);
        }
        if let Some(first) = text.strip_prefix("table_factory options:") {
            self.in_table = self.family.is_some();
            return self.table_option(first.trim());
        }
        if let Some(rest) = text.strip_prefix("RocksDB version: ") {
            self.family = None;
            self.log.version = Some(self.stated(rest.trim().to_owned()));
        } else if let Some(rest) = text.strip_prefix("DB Session ID:") {
            self.log.session = Some(self.stated(rest.trim().to_owned()));
        } else if let Some((directory, _)) =
            text.strip_prefix("SST files in ").and_then(|rest| rest.split_once(" dir, Total Num:"))
        {
            self.log.directory = Some(self.stated(directory.to_owned()));
        } else if let Some((_, name)) = text.split_once("--- Options for column family [") {
            let name = name.strip_suffix("]:").unwrap_or(name).to_owned();
            self.family = self.family_of(&name);
        } else if text.contains("------- DUMPING STATS -------") {
            self.log.dump = Some(Dump::at(self.log.lines, Some(head.at)));
        } else if !self.stall(text, Some(head.at)) {
            self.job(text);
            self.error(head, text);
        }
    }

    fn family_of(&mut self, name: &str) -> Option<usize> {
        if let Some(at) = self.log.column_families.iter().position(|family| family.name == name) {
            return Some(at);
        }
        if self.log.column_families.len() == MOST_FAMILIES {
            return None;
        }
        self.log.column_families.push(ColumnFamily { name: name.to_owned(), ..ColumnFamily::default() });
        Some(self.log.column_families.len() - 1)
    }

    /// `write_buffer_size: 67108864`, behind `Options.`; one has a blank before its colon.
    fn option(&mut self, text: &str) {
        let Some((key, value)) = text.split_once(':') else { return };
        let (key, value) = (key.trim_end(), value.trim());
        let line = self.log.lines;
        let Some(family) = self.family.and_then(|at| self.log.column_families.get_mut(at)) else {
            let database = &mut self.log.database;
            match key {
                "write_buffer_manager" => database.write_buffer_manager = pointer(value, line),
                "db_write_buffer_size" => set_bytes(&mut database.db_write_buffer_size, value, line),
                "max_open_files" => set(&mut database.max_open_files, value, line),
                "max_background_jobs" => set(&mut database.max_background_jobs, value, line),
                "stats_dump_period_sec" => set(&mut database.stats_dump_period, value, line),
                "db_log_dir" if !value.is_empty() => {
                    database.log_directory = Some(Stated { what: value.to_owned(), line });
                }
                _ => {}
            }
            return;
        };
        match key {
            "write_buffer_size" => set_bytes(&mut family.write_buffer_size, value, line),
            "max_write_buffer_number" => set(&mut family.max_write_buffer_number, value, line),
            "arena_block_size" => set_bytes(&mut family.arena_block_size, value, line),
            "level0_slowdown_writes_trigger" => set(&mut family.level0_slowdown, value, line),
            "level0_stop_writes_trigger" => set(&mut family.level0_stop, value, line),
            "soft_pending_compaction_bytes_limit" => set_bytes(&mut family.soft_pending, value, line),
            "hard_pending_compaction_bytes_limit" => set_bytes(&mut family.hard_pending, value, line),
            "compaction_style" => family.compaction_style = Some(Stated { what: value.to_owned(), line }),
            _ => {}
        }
    }

    /// `  block_cache: 0x7f06ac0ab150`. What stands before the key may be a collector's prefix, with colons of its own.
    fn table_option(&mut self, text: &str) {
        let Some((before, value)) = text.rsplit_once(':') else { return };
        let (key, value) = (before.split_ascii_whitespace().next_back().unwrap_or_default(), value.trim());
        let line = self.log.lines;
        let Some(family) = self.family.and_then(|at| self.log.column_families.get_mut(at)) else { return };
        let table = &mut family.table;
        match key {
            "block_cache" => table.block_cache = pointer(value, line),
            "block_cache_name" => table.cache_name = Some(Stated { what: value.to_owned(), line }),
            "capacity" => set_bytes(&mut table.cache_capacity, value, line),
            "strict_capacity_limit" => set_flag(&mut table.strict_capacity_limit, value, line),
            "high_pri_pool_ratio" => table.high_pri_pool_ratio = Some(Stated { what: value.to_owned(), line }),
            "cache_index_and_filter_blocks" => set_flag(&mut table.cache_index_and_filter_blocks, value, line),
            "pin_l0_filter_and_index_blocks_in_cache" => {
                set_flag(&mut table.pin_l0_filter_and_index_blocks, value, line);
            }
            "no_block_cache" => set_flag(&mut table.no_block_cache, value, line),
            "block_size" => set_bytes(&mut table.block_size, value, line),
            "filter_policy" => table.filter_policy = Some(Stated { what: value.to_owned(), line }),
            "index_type" => set(&mut table.index_type, value, line),
            "partition_filters" => set_flag(&mut table.partition_filters, value, line),
            _ => {}
        }
    }

    fn event(&mut self, json: &str) {
        let Ok(event) = serde_json::from_str::<Event<'_>>(json) else {
            self.log.unreadable_events = self.log.unreadable_events.saturating_add(1);
            return;
        };
        match event.event.as_ref() {
            "flush_started" => self.flush(&event),
            "table_file_creation" => self.created(&event),
            "table_file_deletion" => {
                if let Some(number) = event.file_number {
                    self.log.tables.remove(&number);
                }
            }
            "flush_finished" => self.levels(event),
            "compaction_finished" => {
                let compactions = &mut self.log.compactions;
                compactions.count = compactions.count.saturating_add(1);
                compactions.micros =
                    compactions.micros.saturating_add(event.compaction_time_micros.unwrap_or_default());
                compactions.written = compactions.written.saturating_add(event.total_output_size.unwrap_or_default());
                self.levels(event);
            }
            _ => {}
        }
    }

    fn flush(&mut self, event: &Event<'_>) {
        let flushes = &mut self.log.flushes;
        flushes.count = flushes.count.saturating_add(1);
        let reason = event.flush_reason.as_deref();
        if let Some(reason) = reason {
            if let Some(count) = flushes.by_reason.get_mut(reason) {
                *count = count.saturating_add(1);
            } else if flushes.by_reason.len() < MOST_REASONS {
                flushes.by_reason.insert(reason.to_owned(), 1);
            }
        }
        let flush = Flush {
            at: event.time_micros,
            memory: event.memory_usage.map(Bytes::new),
            data: event.total_data_size.map(Bytes::new),
            reason: reason.map(str::to_owned),
        };
        keep(&mut flushes.recent, flush);
    }

    fn created(&mut self, event: &Event<'_>) {
        let family = event.cf_name.as_deref().and_then(|name| self.family_of(name));
        if let (Some(job), Some(family)) = (event.job, family) {
            self.remember(job, family);
        }
        // An empty flush is told of as a file of no bytes that is not there.
        let (Some(number), Some(size)) = (event.file_number, event.file_size.filter(|size| *size > 0)) else { return };
        let properties = event.table_properties.unwrap_or_default();
        let table = Table {
            family,
            file: Bytes::new(size),
            data: properties.data_size.map(Bytes::new),
            index: properties.index_size.map(Bytes::new),
            filter: properties.filter_size.map(Bytes::new),
            entries: properties.num_entries,
        };
        self.log.tables.insert(number, table);
        if self.log.tables.len() > MOST_TABLES {
            self.log.tables.pop_first();
            self.log.tables_left_out = self.log.tables_left_out.saturating_add(1);
        }
    }

    /// `[accState] [JOB 6] ...`: events name a job, these lines its column family.
    fn job(&mut self, text: &str) {
        let Some((name, rest)) = text.strip_prefix('[').and_then(|rest| rest.split_once("] [JOB ")) else { return };
        let Some(job) = rest.split(']').next().and_then(|digits| digits.parse().ok()) else { return };
        if let Some(family) = self.family_of(name) {
            self.remember(job, family);
        }
    }

    fn remember(&mut self, job: u64, family: usize) {
        if self.jobs.back() != Some(&(job, family)) {
            self.jobs.push_back((job, family));
            if self.jobs.len() > KEPT_JOBS {
                self.jobs.pop_front();
            }
        }
    }

    fn levels(&mut self, event: Event<'_>) {
        let (Some(job), Some(mut levels)) = (event.job, event.lsm_state) else { return };
        let Some((_, family)) = self.jobs.iter().rev().find(|(of, _)| *of == job) else { return };
        levels.truncate(64);
        let stated = self.stated(levels);
        if let Some(family) = self.log.column_families.get_mut(*family) {
            family.files_by_level = Some(stated);
        }
    }

    /// The warnings of `ColumnFamilyData::RecalculateWriteStallConditions`; whether it was one.
    fn stall(&mut self, text: &str, at: Option<u64>) -> bool {
        let Some((before, rest)) = text.split_once(" writes because ") else { return false };
        let (family, word) = match before.rsplit_once("] ") {
            Some((family, word)) => (family.split_once('[').map(|(_, name)| name.to_owned()), word),
            None => (None, before.trim()),
        };
        let kind = match word {
            "Stopping" => StallKind::Stopped,
            "Stalling" => StallKind::Delayed,
            _ => return false,
        };
        let (cause, digits) = if let Some(digits) = rest.strip_prefix("of estimated pending compaction bytes ") {
            (StallCause::PendingCompaction, digits)
        } else if let Some(rest) = rest.strip_prefix("we have ") {
            let cause = match rest.split(' ').nth(1) {
                Some("immutable") => StallCause::Memtables,
                Some("level-0") => StallCause::Level0,
                _ => return false,
            };
            (cause, rest)
        } else {
            return false;
        };
        let Some(figure) = digits.split(' ').next().and_then(|digits| digits.parse().ok()) else { return false };
        let count = self.log.stalls.counts.entry((cause, kind)).or_default();
        *count = count.saturating_add(1);
        let stated = self.stated(StallLine { at, family, cause, kind, figure });
        keep(&mut self.log.stalls.recent, stated);
        true
    }

    fn error(&mut self, head: &Headed<'_>, text: &str) {
        let corruption = text.contains("Corruption: ");
        let no_space = text.contains("No space left on device");
        let told = corruption || no_space || text.contains("IO error: ") || text.contains("ackground error");
        if !told && !head.is_error {
            return;
        }
        let end = text.floor_char_boundary(LONGEST_ERROR);
        let what = LoggedError { at: Some(head.at), text: text[..end].to_owned(), corruption, no_space };
        let stated = self.stated(what);
        let Errors { count, first, last } = &mut self.log.errors;
        *count = count.saturating_add(1);
        if first.len() < KEPT_ERRORS {
            first.push(stated.clone());
        }
        *last = Some(stated);
    }
}

fn keep<T>(recent: &mut VecDeque<T>, next: T) {
    if recent.len() == KEPT {
        recent.pop_front();
    }
    recent.push_back(next);
}

fn set<T: std::str::FromStr>(slot: &mut Option<Stated<T>>, value: &str, line: u32) {
    if let Ok(what) = value.parse() {
        *slot = Some(Stated { what, line });
    }
}

fn set_bytes(slot: &mut Option<Stated<Bytes>>, value: &str, line: u32) {
    if let Ok(bytes) = value.parse() {
        *slot = Some(Stated { what: Bytes::new(bytes), line });
    }
}

fn set_flag(slot: &mut Option<Stated<bool>>, value: &str, line: u32) {
    if let "0" | "1" = value {
        *slot = Some(Stated { what: value == "1", line });
    }
}

/// `(nil)` is none.
fn pointer(value: &str, line: u32) -> Option<Stated<Pointer>> {
    hexadecimal(value).filter(|address| *address != 0).map(|address| Stated { what: Pointer(address), line })
}
