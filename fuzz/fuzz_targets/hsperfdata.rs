//! Performance data: any bytes are read or refused, and what is made of them is bounded by them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oomph::artefact::hsperfdata::{HsPerf, PerfData};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(data) = PerfData::parse(bytes) {
        assert!(data.counters().len() * 20 <= bytes.len());
        assert!(data.remarks.len() <= 5);
        let perf = HsPerf::of(&data);
        let _ = (perf.heap_used(), perf.heap_committed(), perf.old_used(), perf.refreshed());
        let _ = (perf.young_collections(), perf.full_collections(), perf.concurrent_pauses());
    }
});
