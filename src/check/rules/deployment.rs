//! OOM5xx: containers, pods, volumes and YARN.

use crate::check::rule::catalogue;

catalogue! {}
