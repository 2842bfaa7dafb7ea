//! What systemd, systemd-oomd and earlyoom write: any text is read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oomph::artefact::excerpt::Excerpt;
use oomph::artefact::systemd_oom;
use oomph::diagnose::postmortem;

fuzz_target!(|text: &str| {
    for told in systemd_oom::told(text) {
        assert!(text.is_char_boundary(told.at));
    }
    postmortem::systemd::signals(&Excerpt::plain(text));
});
