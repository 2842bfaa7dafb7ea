#![no_main]
//! RocksDB's `OPTIONS-*` files.

use libfuzzer_sys::fuzz_target;
use oomph::artefact::rocksdb_options::read;

fuzz_target!(|text: &[u8]| {
    let options = read(text);
    assert!(options.sections.len() <= text.len());
});
