//! The files of a cgroup.

use super::super::signal::Signal;
use crate::artefact::excerpt::Excerpt;

pub(super) fn signals(_excerpt: &Excerpt) -> Vec<Signal> {
    Vec::new()
}
