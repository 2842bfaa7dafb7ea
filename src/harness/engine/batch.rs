//! Writes that are gathered.
#![allow(unsafe_code, reason = "the C interface of RocksDB")]

use super::owned::{Owned, calling};
use super::table::RawBatch;
use super::{Database, EngineError};
use crate::model::Bytes;

/// Writes that are gathered, and written together.
pub struct Batch<'d> {
    database: &'d Database,
    raw: Owned<RawBatch>,
}

impl<'d> Batch<'d> {
    pub(super) fn new(database: &'d Database) -> Batch<'d> {
        let all = &database.library().table().all;
        // SAFETY: a batch of this library that is ours.
        let raw = unsafe { Owned::new((all.rocksdb_writebatch_create)(), all.rocksdb_writebatch_destroy) };
        Batch { database, raw }
    }

    /// Writes an entry.
    pub fn put(&mut self, family: usize, key: &[u8], value: &[u8]) {
        let all = &self.database.library().table().all;
        // SAFETY: the batch lives; the family is one of its database; the bytes are copied.
        unsafe {
            (all.rocksdb_writebatch_put_cf)(
                self.raw(),
                self.database.handle(family),
                key.as_ptr().cast(),
                key.len(),
                value.as_ptr().cast(),
                value.len(),
            );
        }
    }

    /// Appends to an entry.
    pub fn merge(&mut self, family: usize, key: &[u8], value: &[u8]) {
        let all = &self.database.library().table().all;
        // SAFETY: as for `put`.
        unsafe {
            (all.rocksdb_writebatch_merge_cf)(
                self.raw(),
                self.database.handle(family),
                key.as_ptr().cast(),
                key.len(),
                value.as_ptr().cast(),
                value.len(),
            );
        }
    }

    /// Deletes an entry.
    pub fn delete(&mut self, family: usize, key: &[u8]) {
        let all = &self.database.library().table().all;
        // SAFETY: as for `put`.
        unsafe {
            (all.rocksdb_writebatch_delete_cf)(
                self.raw(),
                self.database.handle(family),
                key.as_ptr().cast(),
                key.len(),
            );
        }
    }

    /// Writes what it gathers, all or nothing, and empties it.
    ///
    /// # Errors
    /// What RocksDB says; it keeps what it gathers then.
    pub fn write(&mut self) -> Result<(), EngineError> {
        let all = &self.database.library().table().all;
        let (db, options) = self.database.raw();
        // SAFETY: batch, database and options live; the families are those of this database.
        calling(all, |failure| unsafe { (all.rocksdb_write)(db, options, self.raw(), failure) })
            .map_err(|why| EngineError::refused("write a batch to", self.database.path(), why))?;
        self.clear();
        Ok(())
    }

    /// What it gathers, in the form in which RocksDB keeps it.
    pub fn size(&self) -> Bytes {
        let all = &self.database.library().table().all;
        let mut length = 0;
        // SAFETY: the batch lives; the bytes themselves are not looked at.
        unsafe { (all.rocksdb_writebatch_data)(self.raw(), &raw mut length) };
        Bytes::new(length as u64)
    }

    /// Forgets what it gathered, and keeps the room for it.
    pub fn clear(&mut self) {
        let all = &self.database.library().table().all;
        // SAFETY: the batch lives.
        unsafe { (all.rocksdb_writebatch_clear)(self.raw()) }
    }

    fn raw(&self) -> *mut RawBatch {
        self.raw.raw()
    }
}
