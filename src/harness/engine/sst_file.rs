//! A file that is written beside a database, to be taken into it whole.
#![allow(unsafe_code, reason = "the C interface of RocksDB")]

use std::path::{Path, PathBuf};

use super::owned::{Owned, calling, path_for_c};
use super::table::{EnvOptions, SstWriter};
use super::{Database, EngineError};
use crate::model::Bytes;

/// A file for [`Database::ingest`], set up as a column family is.
pub struct SstFile<'d> {
    database: &'d Database,
    path: PathBuf,
    writer: Owned<SstWriter>,
    /// Whose copy the writer has.
    _environment: Owned<EnvOptions>,
}

impl<'d> SstFile<'d> {
    /// Begins a file.
    ///
    /// # Errors
    /// What RocksDB says.
    pub fn create(database: &'d Database, family: usize, path: &Path) -> Result<SstFile<'d>, EngineError> {
        let all = &database.library().table().all;
        let name = path_for_c(path)?;
        // SAFETY: values of this library that are ours; the options live as long as the database, which is borrowed.
        unsafe {
            let environment = Owned::new((all.rocksdb_envoptions_create)(), all.rocksdb_envoptions_destroy);
            let writer = Owned::new(
                (all.rocksdb_sstfilewriter_create)(environment.raw(), database.options_of(family)),
                all.rocksdb_sstfilewriter_destroy,
            );
            calling(all, |failure| (all.rocksdb_sstfilewriter_open)(writer.raw(), name.as_ptr(), failure))
                .map_err(|why| EngineError::refused("write", path, why))?;
            Ok(SstFile { database, path: path.to_owned(), writer, _environment: environment })
        }
    }

    /// Adds an entry, whose key must come behind the one before.
    ///
    /// # Errors
    /// What RocksDB says, of keys out of order too.
    pub fn put(&mut self, key: &[u8], value: &[u8]) -> Result<(), EngineError> {
        let all = &self.database.library().table().all;
        // SAFETY: the writer lives, and so do the bytes until it returns.
        calling(all, |failure| unsafe {
            (all.rocksdb_sstfilewriter_put)(
                self.writer.raw(),
                key.as_ptr().cast(),
                key.len(),
                value.as_ptr().cast(),
                value.len(),
                failure,
            );
        })
        .map_err(|why| EngineError::refused("write", &self.path, why))
    }

    /// Ends the file, and says how large it is.
    ///
    /// # Errors
    /// What RocksDB says, of a file without entries too.
    pub fn finish(self) -> Result<Bytes, EngineError> {
        let all = &self.database.library().table().all;
        let mut size = 0;
        // SAFETY: the writer lives.
        unsafe {
            calling(all, |failure| (all.rocksdb_sstfilewriter_finish)(self.writer.raw(), failure))
                .map_err(|why| EngineError::refused("write", &self.path, why))?;
            (all.rocksdb_sstfilewriter_file_size)(self.writer.raw(), &raw mut size);
        }
        Ok(Bytes::new(size))
    }
}
