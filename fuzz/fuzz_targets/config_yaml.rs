//! Standard YAML as Flink flattens it, for files and for single values.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oomph::config::{standard, yaml};

fuzz_target!(|text: &str| {
    let _ = standard::parse(text);
    let _ = yaml::value(text);
});
