//! Where keyed state lives, as far as the configuration tells; a job may still choose another backend in its code.

use super::settings::Settings;
use super::store::Store;
use crate::flink::keys;

/// The state backend by configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Backend {
    /// RocksDB or ForSt.
    Embedded(Store),
    /// On the Java heap.
    Heap,
    /// A class of the user's.
    Other(String),
    /// Not configured: the job's code decides, else the heap.
    Unset,
}

impl Backend {
    /// Reads the option in its name of this version (`StateBackendLoader`).
    pub fn of(settings: &Settings<'_>) -> Backend {
        let key = match settings.row(keys::STATE_BACKEND) {
            Some(_) => keys::STATE_BACKEND,
            None => keys::STATE_BACKEND_UNTIL_1_16,
        };
        let Some(found) = settings.find(key) else { return Backend::Unset };
        let name = found.setting.value.java_text().into_owned();
        match name.to_lowercase().as_str() {
            "rocksdb" => Backend::Embedded(Store::RocksDb),
            "forst" => Backend::Embedded(Store::ForSt),
            "hashmap" | "jobmanager" | "filesystem" => Backend::Heap,
            lower if lower.contains("rocksdb") => Backend::Embedded(Store::RocksDb),
            lower if lower.contains("forst") => Backend::Embedded(Store::ForSt),
            _ => Backend::Other(name),
        }
    }

    /// Whether it takes managed memory; one that is not known is taken to do so, as Flink does.
    pub fn takes_managed_memory(&self) -> bool {
        *self != Backend::Heap
    }
}
