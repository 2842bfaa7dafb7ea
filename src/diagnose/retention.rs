//! What malloc keeps of memory that the program gave back, held against what the budget has left for it.

use super::examination::Examination;
use crate::model::{Bytes, Component, Pool};

/// Less than this is usual within minutes of any job with RocksDB: 31 to 153 MiB were measured.
pub const USUAL: Bytes = Bytes::mib(160);

/// More than is usual, and more than JVM Overhead, which alone may hold it, has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// What malloc keeps.
    pub kept: Bytes,
    /// What JVM Overhead has left beside all that is counted to it.
    pub left: Bytes,
}

impl Retention {
    /// That of a process; nothing where it is usual, has room, or was not seen.
    pub fn of(process: &Examination) -> Option<Retention> {
        let kept = process.account.as_ref().ok()?.bytes(Pool::AllocatorRetained);
        let overhead = process.ledger.as_ref().ok()?.row(Component::JvmOverhead)?;
        let left = overhead.budget.checked_sub(*overhead.used.as_ref().ok()?).unwrap_or(Bytes::ZERO);
        (kept > USUAL && kept > left).then_some(Retention { kept, left })
    }
}
