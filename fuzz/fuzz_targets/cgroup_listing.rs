//! The files of a cgroup as people paste them: any text is read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oomph::artefact::cgroup_listing;

fuzz_target!(|text: &str| {
    if let Some(listing) = cgroup_listing::read(text) {
        assert!(listing.kills.is_none_or(|(at, _)| text.is_char_boundary(at)));
    }
});
