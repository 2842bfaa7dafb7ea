//! Pasted logs and command lines: facts, subjects, and what is inferred from flags.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oomph::config::{Config, startup_log};
use oomph::model::{Bytes, Source};
use oomph::plan::inferred::{self, Known};

fuzz_target!(|text: &str| {
    let Ok(subjects) = startup_log::subjects(&Source::Stdin, text) else { return };
    assert!(!subjects.is_empty());
    let config = Config::new();
    // Inference plans many times: a few processes show as much as many.
    for (command, place) in subjects.into_iter().filter_map(|subject| subject.command).take(2) {
        for limit in [None, Some(Bytes::gib(4))] {
            let known = Known { config: &config, profile: None, role: None, limit, place: place.clone() };
            let inference = inferred::infer(&command, &known);
            assert!(!inference.reasons.is_empty() || inference.settings.is_none());
        }
    }
});
