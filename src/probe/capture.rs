//! A bundle of one process for a support ticket, laid out like the machine's root, so that whatever reads a live process
//! reads it too. Secrets are masked as the files are read: no byte of one is ever written.

mod collect;
mod manifest;
mod open;
mod rocksdb;
mod unpack;
mod write;

use std::collections::BTreeMap;
use std::path::PathBuf;

pub use collect::take;
pub use manifest::{Absent, HostFacts, MANIFEST, Manifest, Taken};
pub use open::{Listed, Opened, list, open};
pub use write::{NotWritten, Shape};

/// What was read of a process.
#[derive(Clone, Debug)]
pub struct Bundle {
    /// What is in it, and what is not.
    pub manifest: Manifest,
    /// By path, without a leading slash.
    files: BTreeMap<PathBuf, Vec<u8>>,
}

impl Bundle {
    /// How many files it has, the manifest aside.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// How many secrets were masked.
    pub fn masked(&self) -> usize {
        self.manifest.files.iter().map(|file| file.masked).sum()
    }

    /// What could not be read and without which the process's memory cannot be accounted for.
    pub fn lacking(&self) -> impl Iterator<Item = &Absent> {
        self.manifest.not_read.iter().filter(|absent| absent.matters)
    }
}

#[cfg(test)]
mod tests;
