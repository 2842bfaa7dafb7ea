//! Flink's own start-up block (`BashJavaUtils.logTaskExecutorConfiguration`, `logMasterConfiguration`, 1.11 to 2.3), so
//! that a plan can be diffed with a real log.

use crate::flink::memory_size::human;
use crate::model::{Budget, Bytes, Component, Role};

/// The block, as it stands in a log.
pub fn block(budget: &Budget) -> String {
    let size = |component| budget.size(component);
    let sum = |components: &[Component]| Bytes::new(components.iter().map(|c| size(*c).get()).sum());
    let (title, lines): (&str, Vec<(&str, Bytes)>) = match budget.role() {
        Role::TaskManager => {
            let direct = [Component::FrameworkOffHeap, Component::TaskOffHeap, Component::Network];
            let off_heap = Bytes::new(sum(&direct).get() + size(Component::Managed).get());
            let lines = vec![
                ("  Total Process Memory:          ", budget.total_process().bytes),
                ("    Total Flink Memory:          ", budget.total_flink().bytes),
                ("      Total JVM Heap Memory:     ", budget.heap()),
                ("        Framework:               ", size(Component::FrameworkHeap)),
                ("        Task:                    ", size(Component::TaskHeap)),
                ("      Total Off-heap Memory:     ", off_heap),
                ("        Managed:                 ", size(Component::Managed)),
                ("        Total JVM Direct Memory: ", sum(&direct)),
                ("          Framework:             ", size(Component::FrameworkOffHeap)),
                ("          Task:                  ", size(Component::TaskOffHeap)),
                ("          Network:               ", size(Component::Network)),
                ("    JVM Metaspace:               ", size(Component::JvmMetaspace)),
                ("    JVM Overhead:                ", size(Component::JvmOverhead)),
            ];
            ("TaskExecutor", lines)
        }
        Role::JobManager => {
            let lines = vec![
                ("  Total Process Memory: ", budget.total_process().bytes),
                ("    Total Flink Memory: ", budget.total_flink().bytes),
                ("      JVM Heap:         ", size(Component::Heap)),
                ("      Off-heap:         ", size(Component::OffHeap)),
                ("    JVM Metaspace:      ", size(Component::JvmMetaspace)),
                ("    JVM Overhead:       ", size(Component::JvmOverhead)),
            ];
            ("Master", lines)
        }
    };
    let mut out = format!("INFO  [] - Final {title} Memory configuration:\n");
    for (label, bytes) in lines {
        out += &format!("INFO  [] - {label}{}\n", human(bytes));
    }
    out
}
