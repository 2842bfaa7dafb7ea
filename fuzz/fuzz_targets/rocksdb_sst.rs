#![no_main]
//! RocksDB's table files, of which the tail is read by positions, and its `MANIFEST-*` files.

use libfuzzer_sys::fuzz_target;
use oomph::artefact::{rocksdb_manifest, rocksdb_sst};

fuzz_target!(|file: &[u8]| {
    let mut read = 0;
    let _ = rocksdb_sst::properties(file.len() as u64, |at, length| {
        read += length;
        let start = usize::try_from(at).map_err(drop)?;
        file.get(start..).and_then(|rest| rest.get(..length)).map(<[u8]>::to_vec).ok_or(())
    });
    assert!(read <= 16 << 20);
    let manifest = rocksdb_manifest::read(file);
    assert!(manifest.column_families.iter().map(|family| family.files.len()).sum::<usize>() <= file.len());
});
