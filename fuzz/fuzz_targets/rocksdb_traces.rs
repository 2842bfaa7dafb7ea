//! RocksDB's lines that stand alone: any text is read, in order, and what is found lies in it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oomph::artefact::excerpt::Excerpt;
use oomph::artefact::rocksdb_traces::traces;
use oomph::diagnose::postmortem::rocksdb::signals;

fuzz_target!(|text: &str| {
    let found = traces(text);
    assert!(found.is_sorted_by_key(|trace| trace.at));
    assert!(found.iter().all(|trace| text.is_char_boundary(trace.at)));
    assert!(signals(&Excerpt::plain(text)).iter().all(|signal| signal.quote.len() <= 300));
});
