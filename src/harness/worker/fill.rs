//! Fills a block cache and tells what the allocator saw of it: whether RocksDB's memory comes from the allocator that the
//! worker is named after.

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use serde::{Deserialize, Serialize};

use super::{Allocated, Program};
use crate::harness::engine::{ColumnFamily, Database, Library};
use crate::model::{Bytes, StoreSettings};
use crate::repro::stream::Material;

/// The word that asks for it: `--fill-cache [LIBRARY]`.
pub const FILL: &str = "--fill-cache";

/// What is put into the cache.
const FILLING: u64 = 100 << 20;
/// One value: a block alone.
const VALUE: usize = 4 << 10;

/// What came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filled {
    /// Bytes by which the cache's usage grew.
    pub cached: u64,
    /// Bytes by which the allocator's own count grew meanwhile.
    pub allocated: u64,
}

/// Fills, and writes a [`Filled`] as JSON.
pub fn run(program: Program, library: Option<&Path>) -> ExitCode {
    let told =
        fill(program, library).and_then(|filled| serde_json::to_string(&filled).map_err(|error| error.to_string()));
    match told {
        Ok(line) => {
            drop(writeln!(io::stdout(), "{line}"));
            ExitCode::SUCCESS
        }
        Err(error) => {
            drop(writeln!(io::stderr(), "error: could not {error}"));
            ExitCode::FAILURE
        }
    }
}

fn fill(program: Program, library: Option<&Path>) -> Result<Filled, String> {
    let library = library.map_or_else(Library::embedded, Library::load).map_err(|error| error.to_string())?;
    let directory = std::env::temp_dir().join(format!("oomph-fill-{}", std::process::id()));
    let filled = filled(program, &library, &directory);
    let removed = fs::remove_dir_all(&directory);
    drop(removed);
    filled.map_err(|error| error.to_string())
}

fn filled(
    program: Program,
    library: &Library,
    directory: &Path,
) -> Result<Filled, crate::harness::engine::EngineError> {
    // A cache that nobody charges for anything but blocks; Flink 1.9's RocksDB has no other.
    let settings = StoreSettings { block_cache: Bytes::mib(256), ..crate::repro::settings::plain() };
    let database = Database::open(library, directory, &[ColumnFamily::new("s")], &settings, None)?;
    let usage = || database.caches().iter().map(|cache| cache.usage.get()).sum::<u64>();
    let material = Material::new(1);
    let entries = FILLING / VALUE as u64;
    for entry in 0..entries {
        database.put(0, &entry.to_be_bytes(), &material.piece(VALUE))?;
    }
    database.flush()?;
    let before: Allocated = (program.allocated)();
    let empty = usage();
    let mut value = Vec::with_capacity(VALUE);
    for entry in 0..entries {
        database.get(0, &entry.to_be_bytes(), &mut value)?;
    }
    let after = (program.allocated)();
    Ok(Filled { cached: usage().saturating_sub(empty), allocated: after.used.saturating_sub(before.used) })
}
