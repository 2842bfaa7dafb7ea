//! What a JVM says as it runs out of memory: errors, crash reports, logs of collections.

use super::signal::Signal;
use crate::artefact::excerpt::Excerpt;

/// What an excerpt says.
pub fn signals(_excerpt: &Excerpt) -> Vec<Signal> {
    Vec::new()
}
