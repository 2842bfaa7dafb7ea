//! What can be wanted, by name, and how large it is in a plan.

use crate::config::Config;
use crate::model::{Bytes, Component, Limit, Quantity, Role};
use crate::plan::settings::Settings;
use crate::plan::store::{Pool, Store};
use crate::plan::{Plan, Question, container};

/// Something in a process that has a size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// One component.
    Part(Component),
    /// Total Flink memory.
    Flink,
    /// Total process memory.
    Process,
    /// A TaskManager's heap: framework and task heap.
    Heap,
    /// A TaskManager's direct memory: framework off-heap, task off-heap and network.
    Direct,
    /// The container's limit.
    Container,
    /// What RocksDB gets in one pool.
    Pool,
    /// RocksDB's block cache in one pool.
    BlockCache,
    /// RocksDB's write-buffer manager in one pool.
    WriteBufferManager,
}

const TASKMANAGER: [(&str, Target); 16] = [
    ("framework.heap", Target::Part(Component::FrameworkHeap)),
    ("task.heap", Target::Part(Component::TaskHeap)),
    ("framework.off-heap", Target::Part(Component::FrameworkOffHeap)),
    ("task.off-heap", Target::Part(Component::TaskOffHeap)),
    ("network", Target::Part(Component::Network)),
    ("managed", Target::Part(Component::Managed)),
    ("metaspace", Target::Part(Component::JvmMetaspace)),
    ("overhead", Target::Part(Component::JvmOverhead)),
    ("flink", Target::Flink),
    ("process", Target::Process),
    ("heap", Target::Heap),
    ("direct", Target::Direct),
    ("container", Target::Container),
    ("rocksdb.pool", Target::Pool),
    ("rocksdb.cache", Target::BlockCache),
    ("rocksdb.write-buffer-manager", Target::WriteBufferManager),
];

const JOBMANAGER: [(&str, Target); 7] = [
    ("heap", Target::Part(Component::Heap)),
    ("off-heap", Target::Part(Component::OffHeap)),
    ("metaspace", Target::Part(Component::JvmMetaspace)),
    ("overhead", Target::Part(Component::JvmOverhead)),
    ("flink", Target::Flink),
    ("process", Target::Process),
    ("container", Target::Container),
];

/// What can be wanted of a role, with the name it goes by.
pub fn targets(role: Role) -> &'static [(&'static str, Target)] {
    match role {
        Role::TaskManager => &TASKMANAGER,
        Role::JobManager => &JOBMANAGER,
    }
}

impl Target {
    /// The target of a name: `task.heap`, `task-heap`, `task_heap`, `jvm-metaspace`, or as the option is called,
    /// `taskmanager.memory.task.heap.size`.
    pub fn named(name: &str, role: Role) -> Option<Target> {
        let plain = |name: &str| name.to_lowercase().replace(['-', '_'], ".");
        let wanted = plain(name);
        let mut wanted = wanted.as_str();
        for prefix in ["taskmanager.", "jobmanager.", "memory.", "total.", "jvm."] {
            wanted = wanted.strip_prefix(prefix).unwrap_or(wanted);
        }
        for suffix in [".size", ".memory"] {
            wanted = wanted.strip_suffix(suffix).unwrap_or(wanted);
        }
        targets(role).iter().find(|(name, _)| plain(name) == wanted).map(|(_, target)| *target)
    }

    /// The name it goes by.
    pub fn name(self, role: Role) -> &'static str {
        targets(role).iter().find(|(_, target)| *target == self).map_or("", |(name, _)| name)
    }

    /// The name in a table.
    pub fn label(self) -> &'static str {
        match self {
            Target::Part(component) => component.label(),
            Target::Flink => Quantity::TotalFlink.label(),
            Target::Process => Quantity::TotalProcess.label(),
            Target::Heap => Quantity::JvmHeap.label(),
            Target::Direct => "Direct Memory",
            Target::Container => "the container's limit",
            Target::Pool => "RocksDB's pool",
            Target::BlockCache => "RocksDB's block cache",
            Target::WriteBufferManager => "RocksDB's write-buffer manager",
        }
    }

    /// Whether it is RocksDB's.
    pub fn is_rocksdb(self) -> bool {
        matches!(self, Target::Pool | Target::BlockCache | Target::WriteBufferManager)
    }

    /// How large it is in a plan of this configuration; nothing where there is no such thing.
    pub fn size(self, plan: &Plan, config: &Config, question: &Question) -> Option<Bytes> {
        let size = |n: i64| u64::try_from(n).ok().map(Bytes::new);
        match self {
            Target::Part(component) => plan.budget.part(component).map(|figure| figure.bytes),
            Target::Flink => Some(plan.budget.total_flink().bytes),
            Target::Process => Some(plan.budget.total_process().bytes),
            Target::Heap => Some(plan.budget.heap()),
            Target::Direct => plan.direct,
            Target::Container => {
                let settings = Settings::new(config, plan.profile);
                let total = plan.budget.total_process().bytes;
                match container::container(&settings, question.deployment, question.role, total).ok()?.limit {
                    Limit::AtMost(limit) => Some(limit),
                    Limit::Unlimited => None,
                }
            }
            Target::Pool => pool(plan).map(|pool| pool.total.bytes),
            Target::BlockCache => pool(plan).and_then(|pool| size(pool.sizes.block_cache)),
            Target::WriteBufferManager => pool(plan).and_then(|pool| size(pool.sizes.write_buffer_manager)),
        }
    }
}

fn pool(plan: &Plan) -> Option<&Pool> {
    let slots = plan.slots.as_ref()?.as_ref().ok()?;
    let (_, memory) = slots.stores.iter().find(|(store, _)| *store == Store::RocksDb)?;
    memory.as_ref().ok()?.pool.as_ref()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("task.heap", Some(Target::Part(Component::TaskHeap)))]
    #[case("task_heap", Some(Target::Part(Component::TaskHeap)))]
    #[case("Task-Off-Heap", Some(Target::Part(Component::TaskOffHeap)))]
    #[case("taskmanager.memory.task.off-heap.size", Some(Target::Part(Component::TaskOffHeap)))]
    #[case("jvm-overhead", Some(Target::Part(Component::JvmOverhead)))]
    #[case("total_process", Some(Target::Process))]
    #[case("process.size", Some(Target::Process))]
    #[case("jvm-heap", Some(Target::Heap))]
    #[case("rocksdb.cache", Some(Target::BlockCache))]
    #[case("off-heap", None)]
    #[case("heap.of.gold", None)]
    fn names_are_read_in_every_spelling(#[case] name: &str, #[case] expected: Option<Target>) {
        assert_eq!(Target::named(name, Role::TaskManager), expected);
    }

    #[test]
    fn every_target_is_found_by_its_own_name() {
        for role in [Role::TaskManager, Role::JobManager] {
            for (name, target) in targets(role) {
                assert_eq!(Target::named(name, role), Some(*target));
                assert_eq!(target.name(role), *name);
            }
        }
    }
}
