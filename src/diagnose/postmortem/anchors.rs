//! The words by which the lines that tell of deaths are found in a log of any size.

use super::metrics;
use crate::artefact::anchors::{Anchor, Anchors};
use crate::artefact::{
    cgroup_listing, flink_log, gc_log, hs_err, jcmd_text, jvm_oom, kernel_oom, kubernetes_status, native_death,
    python_worker, rocksdb_traces, systemd_oom, yarn_container,
};

/// A kernel's report from its first line on: the trace, the counters, and a table of all tasks.
const REPORT: u32 = 500;
/// A crash report, from its first line to the process's limits and the container.
const CRASH: u32 = 400;

/// All of them. A search with SIMD takes 64 at most.
pub fn anchors() -> Anchors {
    let far =
        |words: &'static [&'static str], lines: u32| words.iter().map(move |word| Anchor::reaching(word, 5, lines));
    let near = [
        cgroup_listing::ANCHORS,
        flink_log::ANCHORS,
        gc_log::ANCHORS,
        jcmd_text::ANCHORS,
        jvm_oom::ANCHORS,
        kubernetes_status::ANCHORS,
        metrics::ANCHORS,
        native_death::ANCHORS,
        python_worker::ANCHORS,
        rocksdb_traces::ANCHORS,
        systemd_oom::ANCHORS,
        yarn_container::ANCHORS,
    ];
    let near = near.into_iter().flatten().map(|word| Anchor::of(word));
    Anchors::new(near.chain(far(kernel_oom::ANCHORS, REPORT)).chain(far(hs_err::ANCHORS, CRASH)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_no_more_words_than_are_searched_for_at_once() {
        assert!((30..=64).contains(&anchors().len()), "{}", anchors().len());
    }
}
