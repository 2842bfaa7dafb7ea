//! A whole post-mortem: any bytes through the streaming reader, every format, the judge and every report; the verdict is
//! the same however large the blocks are that the bytes come in.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oomph::diagnose::postmortem::{self, anchors};
use oomph::probe::digest::Digest;
use oomph::recommend::cure::Advice;
use oomph::report::diagnose::{self, Input, Report};

fuzz_target!(|bytes: &[u8]| {
    let Ok(digest) = Digest::of(bytes, &anchors()) else { return };
    let signals = postmortem::signals(0, &digest.excerpt);
    let cases = postmortem::cases(&signals);
    let main = postmortem::main(&cases).expect("there is always a case");
    for signal in &signals {
        assert!(signal.line >= 1);
    }
    let inputs = [Input {
        name: "left.log".to_owned(),
        bytes: digest.bytes,
        left_out: Vec::new(),
        signals: signals.len(),
        is_configuration: false,
    }];
    let advice = Advice::default();
    let report =
        Report { inputs: &inputs, unread: &[], cases: &cases, main, budget: None, no_budget: None, advice: &advice };
    let text = diagnose::text::page(&report, 80);
    assert!(!text.is_empty());
    diagnose::markdown::page(&report);
    diagnose::html::page(&report).expect("the template can be filled");
    serde_json::to_string(&diagnose::json::document(&report)).expect("a document is JSON");
});
