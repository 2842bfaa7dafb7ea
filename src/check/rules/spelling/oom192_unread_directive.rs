use crate::check::Collector;
use crate::check::rule::rule;
use crate::model::{Place, Severity};

rule! {
    /// A comment for oomph cannot be read, or gives no reason.
    ///
    /// ### Why
    /// Whoever reads `ignore[…]` a year from now must know why it stands there: without a reason nothing is ignored.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 4g  # oomph: ignore[OOM102]
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 4g
    /// ```
    ///
    /// ### Sources
    /// - oomph itself: docs/check.md lists the comments it reads.
    "OOM192" "unread-directive" {
        severity: Severity::Warning,
    }
}

/// Told by the engine.
pub fn tell(found: &mut Collector<'_>, place: &Place, reason: &str) {
    found
        .find("this comment for oomph has no effect")
        .at(place, reason)
        .help("write `# oomph: ignore[CODE] reason`, or facts such as `# oomph: flink=1.20 deployment=kubernetes`");
}
