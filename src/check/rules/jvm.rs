//! OOM3xx: what the configuration tells the JVM.

use crate::check::rule::catalogue;

catalogue! {}
