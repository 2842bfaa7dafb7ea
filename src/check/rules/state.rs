//! OOM7xx: state and checkpoints.

use crate::check::rule::catalogue;

catalogue! {}
