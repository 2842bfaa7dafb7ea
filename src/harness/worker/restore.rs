//! A restart with another parallelism: copies of a snapshot are opened beside an empty instance, and everything in them is
//! written into it in batches, as `RocksDBIncrementalRestoreOperation` and `RocksDBWriteBatchWrapper` do.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::harness::engine::{Database, EngineError};
use crate::model::StoreSettings;

use super::databases::Instance;
use super::gauge::Gauge;

/// Entries of one batch at most (`RocksDBWriteBatchWrapper.PER_RECORD_BYTES` and its 500 records).
const ENTRIES: u32 = 500;

/// Loads so many copies; says how many bytes were written.
pub fn run(
    instance: &Instance,
    store: &StoreSettings,
    copies: u32,
    gauge: &Gauge,
    stop: &AtomicBool,
) -> Result<u64, EngineError> {
    let snapshot = instance.directory.join("restored-from");
    instance.database.checkpoint(&snapshot)?;
    let mut written = 0;
    // All are opened before any is read, as the handles of several old subtasks are.
    let mut opened = Vec::new();
    for copy in 0..copies {
        let directory = instance.directory.join(format!("restored-{copy}"));
        link_all(&snapshot, &directory)?;
        let shared = instance.shared.as_deref();
        opened.push(Database::open(&instance.library, &directory, &instance.families, store, shared)?);
    }
    let target = instance.directory.join("restored-into");
    let shared = instance.shared.as_deref();
    let into = Database::open(&instance.library, &target, &instance.families, store, shared)?;
    for from in &opened {
        for family in 0..instance.families.len() {
            written += copy(from, &into, family, store, gauge, stop)?;
        }
    }
    Ok(written)
}

fn copy(
    from: &Database,
    into: &Database,
    family: usize,
    store: &StoreSettings,
    gauge: &Gauge,
    stop: &AtomicBool,
) -> Result<u64, EngineError> {
    let mut batch = into.batch();
    let mut written = 0;
    let (mut entries, mut bytes) = (0, 0);
    let mut iterator = from.iterator(family);
    iterator.seek_to_first();
    while let (Some(key), Some(value)) = (iterator.key(), iterator.value()) {
        batch.put(family, key, value);
        let size = (key.len() + value.len()) as u64;
        entries += 1;
        bytes += size;
        written += size;
        if entries >= ENTRIES || bytes >= store.write_batch.get().max(1) {
            batch.write()?;
            gauge.operations.fetch_add(u64::from(entries), Ordering::Relaxed);
            (entries, bytes) = (0, 0);
            if stop.load(Ordering::Relaxed) {
                return Ok(written);
            }
        }
        iterator.step();
    }
    iterator.check()?;
    batch.write()?;
    Ok(written)
}

/// Links files into another directory, as a restore from local disk does.
fn link_all(from: &Path, to: &Path) -> Result<(), EngineError> {
    let failed =
        |path: &Path, why: std::io::Error| EngineError::Files { doing: "link into", path: path.to_owned(), why };
    fs::create_dir_all(to).map_err(|error| failed(to, error))?;
    for entry in fs::read_dir(from).map_err(|error| failed(from, error))? {
        let entry = entry.map_err(|error| failed(from, error))?;
        let target: PathBuf = to.join(entry.file_name());
        // Files that are written to again must be copies; tables never change.
        let is_table = entry.path().extension().is_some_and(|extension| extension == "sst");
        let made = match is_table {
            true => fs::hard_link(entry.path(), &target),
            false => fs::copy(entry.path(), &target).map(drop),
        };
        made.map_err(|error| failed(&target, error))?;
    }
    Ok(())
}
