//! `EVENT_LOG_v1 {...}`: one JSON object a line.

use std::borrow::Cow;

use serde::Deserialize;

/// The members that matter, of all events.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Event<'a> {
    #[serde(borrow)]
    pub event: Cow<'a, str>,
    pub time_micros: Option<u64>,
    pub job: Option<u64>,
    #[serde(borrow)]
    pub cf_name: Option<Cow<'a, str>>,
    pub file_number: Option<u64>,
    pub file_size: Option<u64>,
    pub table_properties: Option<Properties>,
    pub memory_usage: Option<u64>,
    pub total_data_size: Option<u64>,
    #[serde(borrow)]
    pub flush_reason: Option<Cow<'a, str>>,
    pub lsm_state: Option<Vec<u64>>,
    pub compaction_time_micros: Option<u64>,
    pub total_output_size: Option<u64>,
}

/// The properties of a table file.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Properties {
    pub data_size: Option<u64>,
    pub index_size: Option<u64>,
    pub filter_size: Option<u64>,
    pub num_entries: Option<u64>,
}
