//! Last words of native programs: any text is read, and a line has one of them at most.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oomph::artefact::{excerpt::Excerpt, native_death};

fuzz_target!(|text: &str| {
    let excerpt = Excerpt::plain(text);
    assert!(native_death::read(&excerpt).len() <= excerpt.lines().count());
});
