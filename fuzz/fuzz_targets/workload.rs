//! A workload file, and the sizing of what it says.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oomph::config::workload;
use oomph::flink::profile::Profile;
use oomph::recommend::size;

fuzz_target!(|text: &str| {
    if let Ok(workload) = workload::parse(text) {
        let _ = size::size(&workload, Profile::newest());
    }
});
