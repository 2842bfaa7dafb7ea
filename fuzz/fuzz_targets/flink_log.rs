//! Flink's logs: any text is read, and every fact stands where the text has it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oomph::artefact::excerpt::Excerpt;
use oomph::artefact::flink_log::{demand, fatal, job, loss, memory_logger, process_spec, rejection, shortage, worker};
use oomph::diagnose::postmortem::flink;

fuzz_target!(|text: &str| {
    let spans = [
        worker::ends(text).into_iter().map(|at| at.span).collect::<Vec<_>>(),
        worker::pods(text).into_iter().map(|at| at.span).collect(),
        loss::losses(text).into_iter().map(|at| at.span).collect(),
        fatal::ends(text).into_iter().map(|at| at.span).collect(),
        shortage::shortages(text).into_iter().map(|at| at.span).collect(),
        shortage::rocksdb(text).into_iter().map(|at| at.span).collect(),
        rejection::rejections(text).into_iter().map(|at| at.span).collect(),
        process_spec::settings(text).into_iter().map(|at| at.span).collect(),
        memory_logger::usages(text).into_iter().map(|at| at.span).collect(),
        job::events(text).into_iter().map(|at| at.span).collect(),
        demand::steps(text).into_iter().map(|at| at.span).collect(),
    ];
    for span in spans.into_iter().flatten() {
        assert!(text.get(span).is_some());
    }
    for signal in flink::signals(&Excerpt::plain(text)) {
        assert!(signal.quote.chars().count() <= 300);
    }
});
