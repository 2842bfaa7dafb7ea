//! What Kubernetes and container runtimes print: any text is read, and every limit is one that stands in it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oomph::artefact::excerpt::Excerpt;
use oomph::artefact::kubernetes_status;
use oomph::diagnose::postmortem;

fuzz_target!(|text: &str| {
    let status = kubernetes_status::read(text);
    for limit in status.pods.iter().flat_map(|pod| &pod.limits) {
        assert!(text.contains(&limit.text));
    }
    postmortem::kubernetes::signals(&Excerpt::plain(text));
});
