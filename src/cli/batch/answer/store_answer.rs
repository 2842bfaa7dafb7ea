//! What a store makes of its memory, as it is answered.

use serde::Serialize;

use super::Error;

/// How a pool is divided, in bytes.
#[derive(Serialize, Default)]
pub struct Sizes {
    pub block_cache: i64,
    pub write_buffer_manager: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arena_block: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mutable_limit: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arena_ok: Option<bool>,
}

/// Where the pool comes from, and how it is divided.
#[derive(Serialize, Default)]
pub struct Store {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub write_buffer: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub sizes: Option<Sizes>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Error>,
}
