#![no_main]
//! RocksDB's `LOG`: whatever comes in, in whatever pieces, the same is read, and what is kept is bounded.

use libfuzzer_sys::fuzz_target;
use oomph::artefact::rocksdb_log::{Reader, read};

fuzz_target!(|text: &[u8]| {
    let whole = read(text);
    let mut reader = Reader::default();
    let piece = usize::from(text.last().copied().unwrap_or_default()) + 1;
    text.chunks(piece).for_each(|bytes| reader.feed(bytes));
    assert_eq!(whole, reader.finish());
    assert!(whole.flushes.recent.len() <= 128 && whole.stalls.recent.len() <= 128 && whole.errors.first.len() <= 32);
});
