//! The sizes of a process, as they are answered.

use serde::Serialize;

use crate::model::{Bytes, Component, Role};
use crate::plan::Plan;

/// Every component and total of a role.
#[derive(Serialize)]
#[serde(untagged)]
pub enum Components {
    TaskManager {
        framework_heap: u64,
        task_heap: u64,
        framework_off_heap: u64,
        task_off_heap: u64,
        network: u64,
        managed: u64,
        jvm_metaspace: u64,
        jvm_overhead: u64,
        total_flink: u64,
        total_process: u64,
        jvm_heap: u64,
        jvm_direct: u64,
    },
    JobManager {
        heap: u64,
        off_heap: u64,
        jvm_metaspace: u64,
        jvm_overhead: u64,
        total_flink: u64,
        total_process: u64,
    },
}

impl Components {
    /// What a plan gives.
    pub fn of(plan: &Plan) -> Components {
        let budget = &plan.budget;
        let size = |component| budget.size(component).get();
        let (total_flink, total_process) = (budget.total_flink().bytes.get(), budget.total_process().bytes.get());
        let (jvm_metaspace, jvm_overhead) = (size(Component::JvmMetaspace), size(Component::JvmOverhead));
        match budget.role() {
            Role::TaskManager => Components::TaskManager {
                framework_heap: size(Component::FrameworkHeap),
                task_heap: size(Component::TaskHeap),
                framework_off_heap: size(Component::FrameworkOffHeap),
                task_off_heap: size(Component::TaskOffHeap),
                network: size(Component::Network),
                managed: size(Component::Managed),
                jvm_metaspace,
                jvm_overhead,
                total_flink,
                total_process,
                jvm_heap: budget.heap().get(),
                jvm_direct: plan.direct.map_or(0, Bytes::get),
            },
            Role::JobManager => Components::JobManager {
                heap: size(Component::Heap),
                off_heap: size(Component::OffHeap),
                jvm_metaspace,
                jvm_overhead,
                total_flink,
                total_process,
            },
        }
    }
}
