//! Answers of jcmd: any text is read, in order.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oomph::artefact::{excerpt::Excerpt, jcmd_text};

fuzz_target!(|text: &str| {
    let answers = jcmd_text::read(&Excerpt::plain(text));
    assert!(answers.windows(2).all(|two| two[0].offset <= two[1].offset));
});
