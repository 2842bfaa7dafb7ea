//! The RocksDB that is linked in: 8.10.0, by `librocksdb-sys`, feature `rocksdb`.

// Nothing of its declarations is used (they are those of `table.rs`); naming it is what links it.
use librocksdb_sys as _;

use super::EngineError;
use super::release::{NEWEST, Release};
use super::table::{Everywhere, MakeCache, ManagerCalls, Since6, Since8, Table};

/// The table of the linked RocksDB, and its release.
///
/// # Errors
/// None in this build.
pub(super) fn table() -> Result<(Table, Release), EngineError> {
    let table = Table {
        all: Everywhere::linked(),
        since6: Some(Since6::linked()),
        since8: Some(Since8::linked()),
        make_cache: MakeCache::C,
        manager: ManagerCalls::C,
    };
    Ok((table, NEWEST))
}
