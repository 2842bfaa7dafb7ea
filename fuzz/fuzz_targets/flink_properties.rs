//! The variable FLINK_PROPERTIES, by the rules of every version's image.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oomph::config::environment;
use oomph::flink::profile::Profile;

fuzz_target!(|text: &str| {
    for profile in Profile::all() {
        let _ = environment::properties(text, profile);
    }
});
