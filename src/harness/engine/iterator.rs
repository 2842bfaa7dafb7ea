//! Walks over a column family.
#![allow(unsafe_code, reason = "the C interface of RocksDB")]

use super::callbacks::bytes;
use super::owned::{Owned, calling};
use super::table::RawIterator;
use super::{Database, EngineError};

/// Stands at an entry of a column family, or behind the last one. Holds the memtables and files of the moment in which it was
/// made, and the block that it stands in.
pub struct DatabaseIterator<'d> {
    database: &'d Database,
    raw: Owned<RawIterator>,
    /// Whether it stands at an entry: asked once after every step, as all that follows needs it.
    stands: bool,
}

impl<'d> DatabaseIterator<'d> {
    pub(super) fn new(database: &'d Database, raw: Owned<RawIterator>) -> DatabaseIterator<'d> {
        DatabaseIterator { database, raw, stands: false }
    }

    /// Goes to the first entry whose key is not before this one.
    pub fn seek(&mut self, key: &[u8]) {
        let all = &self.database.library().table().all;
        // SAFETY: the iterator lives, and so does the key until it returns.
        unsafe { (all.rocksdb_iter_seek)(self.raw.raw(), key.as_ptr().cast(), key.len()) };
        self.stood();
    }

    /// Goes to the first entry.
    pub fn seek_to_first(&mut self) {
        let all = &self.database.library().table().all;
        // SAFETY: the iterator lives.
        unsafe { (all.rocksdb_iter_seek_to_first)(self.raw.raw()) };
        self.stood();
    }

    /// Goes to the next entry; stays where there is none.
    pub fn step(&mut self) {
        if !self.stands {
            return;
        }
        let all = &self.database.library().table().all;
        // SAFETY: the iterator lives and stands at an entry.
        unsafe { (all.rocksdb_iter_next)(self.raw.raw()) };
        self.stood();
    }

    /// Whether it stands at an entry.
    pub fn is_valid(&self) -> bool {
        self.stands
    }

    /// The key that it stands at.
    pub fn key(&self) -> Option<&[u8]> {
        let all = &self.database.library().table().all;
        let mut length = 0;
        // SAFETY: it stands at an entry, whose key stays where it is until the next step, which takes `&mut self`.
        self.stands.then(|| unsafe {
            let start = (all.rocksdb_iter_key)(self.raw.raw(), &raw mut length);
            bytes(start, length)
        })
    }

    /// The value that it stands at.
    pub fn value(&self) -> Option<&[u8]> {
        let all = &self.database.library().table().all;
        let mut length = 0;
        // SAFETY: as for the key.
        self.stands.then(|| unsafe {
            let start = (all.rocksdb_iter_value)(self.raw.raw(), &raw mut length);
            bytes(start, length)
        })
    }

    /// Whether it stands behind the last entry because there are no more, and not because they could not be read.
    ///
    /// # Errors
    /// What RocksDB says.
    pub fn check(&self) -> Result<(), EngineError> {
        let all = &self.database.library().table().all;
        // SAFETY: the iterator lives.
        calling(all, |failure| unsafe { (all.rocksdb_iter_get_error)(self.raw.raw(), failure) })
            .map_err(|why| EngineError::refused("iterate over", self.database.path(), why))
    }

    fn stood(&mut self) {
        let all = &self.database.library().table().all;
        // SAFETY: the iterator lives.
        self.stands = unsafe { (all.rocksdb_iter_valid)(self.raw.raw()) } != 0;
    }
}
