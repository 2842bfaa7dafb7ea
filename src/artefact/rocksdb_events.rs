//! Events in RocksDB's LOG: flushes, compactions, tables written and deleted (`logging/event_logger.cc`,
//! `db/event_helpers.cc`; the same names in 5.17, 6.20 and 8.10).

use serde::Deserialize;

use crate::model::Bytes;

/// What stands before an event's JSON.
const MARK: &[u8] = b"EVENT_LOG_v1 {";

/// Events of one kind, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Events {
    /// `flush_finished`.
    pub flushes: u64,
    /// `compaction_finished`.
    pub compactions: u64,
    /// `table_file_creation`, of flushes and compactions alike.
    pub tables_written: u64,
    /// Bytes of those tables.
    pub bytes_written: Bytes,
    /// `table_file_deletion`.
    pub tables_deleted: u64,
}

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(borrow)]
    event: std::borrow::Cow<'a, str>,
    #[serde(default)]
    file_size: u64,
}

impl Events {
    /// Counts what stands in a LOG; what is torn or of another kind is passed over.
    pub fn count(log: &[u8]) -> Events {
        let mut events = Events::default();
        let mut rest = log;
        while let Some(at) = memchr::memmem::find(rest, MARK) {
            let from = &rest[at + MARK.len() - 1..];
            let line = &from[..memchr::memchr(b'\n', from).unwrap_or(from.len())];
            events.take(line);
            rest = &from[line.len()..];
        }
        events
    }

    fn take(&mut self, json: &[u8]) {
        let mut values = serde_json::Deserializer::from_slice(json).into_iter::<Event<'_>>();
        let Some(Ok(event)) = values.next() else { return };
        match &*event.event {
            "flush_finished" => self.flushes += 1,
            "compaction_finished" => self.compactions += 1,
            "table_file_creation" => {
                self.tables_written += 1;
                let bytes = self.bytes_written.get().saturating_add(event.file_size);
                self.bytes_written = Bytes::new(bytes);
            }
            "table_file_deletion" => self.tables_deleted += 1,
            _ => {}
        }
    }

    /// The events of two logs together.
    pub fn and(self, other: Events) -> Events {
        Events {
            flushes: self.flushes + other.flushes,
            compactions: self.compactions + other.compactions,
            tables_written: self.tables_written + other.tables_written,
            bytes_written: Bytes::new(self.bytes_written.get().saturating_add(other.bytes_written.get())),
            tables_deleted: self.tables_deleted + other.tables_deleted,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &[u8] = b"\
2026/11/22-02:10:11.123456 7f1 EVENT_LOG_v1 {\"time_micros\": 1, \"job\": 2, \"event\": \"flush_started\", \"num_memtables\": 1}
2026/11/22-02:10:11.123456 7f1 EVENT_LOG_v1 {\"time_micros\": 1, \"cf_name\": \"s\", \"job\": 2, \"event\": \"table_file_creation\", \"file_number\": 8, \"file_size\": 4096, \"table_properties\": {\"data_size\": 3000}}
2026/11/22-02:10:11.123456 7f1 (Original Log Time 2026/11/22-02:10:11.1) EVENT_LOG_v1 {\"time_micros\": 1, \"job\": 2, \"event\": \"flush_finished\", \"lsm_state\": [1, 0]}
2026/11/22-02:10:12.123456 7f1 [db/compaction.cc:1] compacted
2026/11/22-02:10:12.123456 7f1 EVENT_LOG_v1 {\"time_micros\": 1, \"job\": 3, \"event\": \"table_file_deletion\", \"file_number\": 8}
2026/11/22-02:10:12.123456 7f1 EVENT_LOG_v1 {\"time_micros\": 1, \"job\": 3, \"event\": \"compaction_fin";

    #[test]
    fn events_are_counted_and_a_torn_one_is_passed_over() {
        let counted = Events::count(LOG);
        let expected = Events {
            flushes: 1,
            compactions: 0,
            tables_written: 1,
            bytes_written: Bytes::new(4096),
            tables_deleted: 1,
        };
        assert_eq!(counted, expected);
        assert_eq!(counted.and(counted).tables_written, 2);
    }

    #[test]
    fn every_beginning_of_a_log_is_read_without_harm() {
        for end in 0..LOG.len() {
            assert!(Events::count(&LOG[..end]).flushes <= 1);
        }
    }
}
