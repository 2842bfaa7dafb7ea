//! Logs of collections: any text is read, in order, with no more collections than arrows.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oomph::artefact::{excerpt::Excerpt, gc_log};

fuzz_target!(|text: &str| {
    let log = gc_log::read(&Excerpt::plain(text));
    assert!(log.collections.windows(2).all(|two| two[0].offset <= two[1].offset));
    assert!(log.collections.len() <= 2 * text.matches("->").count());
});
