//! What a process is started with, ready for a command line.

use crate::plan::Plan;

/// The arguments of the JVM, in a line.
pub fn jvm(plan: &Plan) -> String {
    format!("{}\n", plan.jvm_arguments)
}

/// Flink's dynamic properties, in a line, spaces as Flink prints them; nothing in versions that have none.
pub fn properties(plan: &Plan) -> Option<String> {
    plan.dynamic_properties.as_ref().map(|text| format!("{text}\n"))
}
