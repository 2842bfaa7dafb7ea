//! RocksDB, whichever: the one that oomph is built with, or the one that a distribution of Flink carries.
//!
//! Both offer the C interface, so that everything runs through the same lines:
//!
//! * `table.rs` is the list of C functions with their signatures, as one struct of function pointers. A loaded library fills
//!   it by name ([`Library::load`]), the linked one by linking ([`Library::embedded`]; `embedded_absent.rs` takes its place
//!   in a build without the feature `rocksdb`).
//! * `release.rs` says which releases there are and in what they differ. A library says itself which one it is, and is
//!   refused where it is none of them: the signature of a function is nothing that a library could be asked for.
//! * `jar.rs` takes the library out of `flink-dist*.jar`.
//! * `options.rs` sets RocksDB up as Flink does; [`Library::deviations`] says what could not be.
//! * [`Database`], [`DatabaseIterator`], [`Batch`], [`SstFile`] and [`SharedMemory`] are safe: they hold what RocksDB needs
//!   for as long as it needs it.
//!
//! A new release is a line in `release.rs`, after its header was compared; what it calls otherwise goes into `table.rs`.
//!
//! A process loads one library only, and never unloads it. Two would share what C++ marks unique in a process, such as
//! `rocksdb::UncompressionDict::GetEmptyDict()::empty_dict`, whose layout is not the same in any two releases; and the
//! threads of RocksDB's default environment never end.

mod batch;
mod callbacks;
mod database;
#[cfg(feature = "rocksdb")]
mod embedded;
#[cfg(not(feature = "rocksdb"))]
#[path = "engine/embedded_absent.rs"]
mod embedded;
mod iterator;
pub mod jar;
mod library;
mod options;
mod owned;
mod release;
mod shared_memory;
mod sst_file;
mod table;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

pub use batch::Batch;
pub use database::{ColumnFamily, Database, Expiry};
pub use iterator::DatabaseIterator;
pub use library::Library;
pub use release::{RELEASES, Release};
pub use shared_memory::{CacheState, SharedMemory};
pub use sst_file::SstFile;

/// Why RocksDB does not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// This build has none.
    #[error(
        "use a RocksDB of its own: this oomph is built without one; build it with `cargo build --release --features \
         rocksdb`, or name a distribution of Flink whose RocksDB is to be used with --flink-home or --flink-dist"
    )]
    NotBuiltIn,
    /// The system's loader refuses the file.
    #[error("load {}: {why}", path.display())]
    NotLoaded {
        /// The file.
        path: PathBuf,
        /// In the loader's words.
        why: String,
    },
    /// It is no shared library at all.
    #[error("load {}: it is no ELF library", path.display())]
    NoLibrary {
        /// The file.
        path: PathBuf,
    },
    /// It is for other processors.
    #[error("load {}: it is built for {found}, and this machine is {}", path.display(), std::env::consts::ARCH)]
    OtherArchitecture {
        /// The file.
        path: PathBuf,
        /// What it is for.
        found: String,
    },
    /// It lacks a function.
    #[error("load {}: it does not export {name}, so it is not RocksDB as Flink ships it", path.display())]
    NoFunction {
        /// The file.
        path: PathBuf,
        /// The first that is missing.
        name: String,
    },
    /// It is a RocksDB, but none of the known ones.
    #[error("load {}: it is RocksDB {found}; known are {}", path.display(), Release::known())]
    UnknownRelease {
        /// The file.
        path: PathBuf,
        /// Its number, or what it said in its place.
        found: String,
    },
    /// Another one is in this process already.
    #[error("load {}: this process has loaded {} already, and can hold one only", path.display(), other.display())]
    SecondLibrary {
        /// The file.
        path: PathBuf,
        /// The one that is loaded.
        other: PathBuf,
    },
    /// It makes no write-buffer managers.
    #[error(
        "share memory between databases: the RocksDB of this distribution (Flink 1.9) has no write-buffer manager; Flink \
         bounds RocksDB from 1.10 on"
    )]
    NoWriteBufferManager,
    /// A name holds a zero.
    #[error("hand {text:?} to RocksDB: there is a zero in it")]
    Zero {
        /// The name.
        text: String,
    },
    /// The file system refuses.
    #[error("{doing} {}: {why}", path.display())]
    Files {
        /// What was tried.
        doing: &'static str,
        /// Where.
        path: PathBuf,
        /// In the system's words.
        why: std::io::Error,
    },
    /// RocksDB refuses.
    #[error("{doing} {}: RocksDB says: {why}", path.display())]
    Refused {
        /// What was tried.
        doing: &'static str,
        /// The database or the file.
        path: PathBuf,
        /// In RocksDB's words.
        why: String,
    },
}

impl EngineError {
    fn refused(doing: &'static str, path: &Path, why: String) -> EngineError {
        EngineError::Refused { doing, path: path.to_owned(), why }
    }
}
