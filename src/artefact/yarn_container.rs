//! What YARN says of a container that it ended: the kill of `ContainersMonitorImpl` with its dump of the process tree,
//! exit statuses (`ContainerExitStatus`) and diagnostics, and the kills of elastic memory control (`DefaultOOMHandler`).
//!
//! Of Hadoop 0.23 to 3.4. These words travel far: through the diagnostics of an application, the logs of Flink, Spark,
//! Hive and Tez, REST answers, mails and web pages. So nothing is tied to a line: blanks may be gone, or line breaks may
//! stand between any two letters of a sentence.

mod diagnostics;
mod kill;
mod plain;
mod size;
#[cfg(test)]
mod tests;
mod tree;

pub use diagnostics::{Diagnostics, Elastic, OverLimit, Reason, Told, TreeUsage, diagnostics};
pub use kill::{Kill, Memory, Pair, SparkKill, kills, spark_kills};
pub use size::Rounded;
pub use tree::{Process, Tree};

/// Words by which a line of these is found in a large log. The rows of a dump follow the first or second of them.
pub const ANCHORS: &[&str] = &[
    " memory limit",
    "Dump of the process-tree for ",
    "running over the configured limit",
    "elastic cgroups OOM handler",
    " with a non-zero exit code",
    "xit status: -1",
    "exitCode: -1",
    "Container released on a ",
];
