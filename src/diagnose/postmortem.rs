//! The post-mortem: what artefacts say about a death, who ended the process, and what had filled its memory. Functions over
//! values: no file is touched.

mod anchors;
mod beside;
pub mod candidates;
pub mod case;
pub mod death;
pub mod flink;
pub mod groups;
pub mod identity;
mod judge;
pub mod jvm;
pub mod kernel;
pub mod kubernetes;
pub mod late;
pub mod metrics;
pub mod native;
pub mod recorded;
pub mod rocksdb;
pub mod signal;
pub mod systemd;
pub mod timeline;
mod well;
pub mod yarn;

pub use anchors::anchors;
pub use judge::{Judged, Verdict, cases, judge, main};

use crate::artefact::excerpt::Excerpt;
use signal::Signal;

/// Reads what one format says.
type Reader = fn(&Excerpt) -> Vec<Signal>;

/// Every format, the most particular first.
const READERS: &[Reader] = &[
    kernel::signals,
    yarn::signals,
    kubernetes::signals,
    systemd::signals,
    jvm::signals,
    native::signals,
    flink::signals,
    rocksdb::signals,
    metrics::signals,
    well::signals,
    identity::signals,
];

/// Everything that one input says, in the order of its lines.
pub fn signals(file: usize, excerpt: &Excerpt) -> Vec<Signal> {
    let mut all: Vec<Signal> = READERS.iter().flat_map(|read| read(excerpt)).collect();
    for signal in &mut all {
        signal.file = file;
    }
    all.sort_by_key(|signal| signal.line);
    all
}
