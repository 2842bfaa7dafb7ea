//! Python workers: any text is read, in order.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oomph::artefact::{excerpt::Excerpt, python_worker};

fuzz_target!(|text: &str| {
    let said = python_worker::read(&Excerpt::plain(text));
    assert!(said.windows(2).all(|two| two[0].offset <= two[1].offset));
});
