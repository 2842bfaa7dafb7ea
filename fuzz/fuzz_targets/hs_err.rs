//! Crash reports: any text is read, and each report begins where the one before has ended.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oomph::artefact::{excerpt::Excerpt, hs_err};

fuzz_target!(|text: &str| {
    let excerpt = Excerpt::plain(text);
    let reports = hs_err::reports(&excerpt);
    assert!(reports.windows(2).all(|two| two[0].offset < two[1].offset));
    let _ = (hs_err::commits(&excerpt), hs_err::refusals(&excerpt));
});
