//! What Flink's logs say of a death.

use super::signal::Signal;
use crate::artefact::excerpt::Excerpt;

/// What an excerpt says.
pub fn signals(_excerpt: &Excerpt) -> Vec<Signal> {
    Vec::new()
}
