//! Envelopes: any lines are opened, every line stays within the text, and none has a number that was not given.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oomph::artefact::envelope::{Manner, Opener};

fuzz_target!(|bytes: &[u8]| {
    let mut opener = Opener::new(Manner::of(std::iter::once(bytes)));
    let mut count = 0;
    for (number, line) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
        opener.line(number, line);
        count = number;
    }
    let excerpt = opener.finish();
    for line in excerpt.lines() {
        assert!((1..=count).contains(&line.number));
        assert!(excerpt.text()[line.offset..].starts_with(line.text));
    }
});
