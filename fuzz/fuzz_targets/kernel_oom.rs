//! Reports of the kernel: any text is read, each report lies in it, and nothing is made up in number.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oomph::artefact::excerpt::Excerpt;
use oomph::artefact::kernel_oom;
use oomph::diagnose::postmortem;

fuzz_target!(|text: &str| {
    for report in kernel_oom::reports(text) {
        assert!(report.start <= report.end && report.end <= text.len());
        assert!(text.is_char_boundary(report.telling));
        assert!(report.killed.len() + report.tasks.len() <= text.len());
    }
    postmortem::kernel::signals(&Excerpt::plain(text));
});
