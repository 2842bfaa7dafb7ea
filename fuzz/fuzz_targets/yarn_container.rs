//! What YARN tells: any text is read, and what is found lies in it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oomph::artefact::excerpt::Excerpt;
use oomph::artefact::yarn_container::{diagnostics, kills, spark_kills};
use oomph::diagnose::postmortem::yarn::signals;

fuzz_target!(|text: &str| {
    for kill in kills(text) {
        assert!(text.is_char_boundary(kill.at));
        assert!(kill.tree.processes.iter().all(|process| process.at <= text.len()));
    }
    assert!(spark_kills(text).iter().all(|kill| text.is_char_boundary(kill.at)));
    let told = diagnostics(text);
    assert!(told.statuses.iter().all(|told| told.at <= told.end && told.end <= text.len()));
    assert!(signals(&Excerpt::plain(text)).iter().all(|signal| signal.quote.len() <= 300));
});
