//! Metrics of a death: any text is read, and every signal has a line of it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oomph::artefact::excerpt::Excerpt;
use oomph::diagnose::postmortem::metrics::signals;

fuzz_target!(|text: &str| {
    let lines = text.lines().count();
    for signal in signals(&Excerpt::plain(text)) {
        assert!(signal.line as usize <= lines && signal.quote.len() <= 300);
    }
});
