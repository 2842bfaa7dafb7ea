//! In place of the RocksDB that is linked in, in a build without the feature `rocksdb`: says how to get it.

use super::EngineError;
use super::release::Release;
use super::table::Table;

/// The table of the linked RocksDB, and its release.
///
/// # Errors
/// Always: there is none in this build.
pub(super) fn table() -> Result<(Table, Release), EngineError> {
    Err(EngineError::NotBuiltIn)
}
