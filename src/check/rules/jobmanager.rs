//! OOM6xx: what fills a JobManager.

use crate::check::rule::catalogue;

catalogue! {}
