//! Prometheus' and OpenMetrics' text, and both views of it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oomph::artefact::flink_rest::whole;
use oomph::artefact::prometheus::{ContainerView, FlinkView, samples};
use oomph::diagnose::rocksdb_metrics::{Known, use_of};

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    for sample in samples(&text) {
        let _ = whole(sample.value);
    }
    let view = FlinkView::of_text(&text);
    let _ = view.processes();
    if let Ok(used) = use_of(view.readings(), &Known::default())
        && let Ok(caches) = used.caches
    {
        assert!(caches.at_least <= caches.caches && caches.caches <= caches.at_most, "{caches:?}");
    }
    let _ = ContainerView::of_text(&text).containers();
});
