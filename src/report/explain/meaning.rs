//! What each quantity is, and which options move it.

use crate::flink::profile::Profile;
use crate::model::{Component, Derivation, Figure, Held, Provenance, Quantity, Role};
use crate::plan::process::Mode;

/// What a quantity was up to Flink 1.9, where that was something else than later.
pub fn old_meaning(quantity: Quantity, mode: Mode, role: Role) -> Option<&'static str> {
    Some(match (quantity, mode, role) {
        (Quantity::Part(Component::CutOffHeap), _, Role::TaskManager) => {
            "Java objects, and the managed memory of batch operators unless it is kept off the heap; passed as -Xmx and \
             -Xms."
        }
        (Quantity::Part(Component::CutOffHeap), _, Role::JobManager) => {
            "The JobManager's Java objects; passed as -Xmx and -Xms."
        }
        (Quantity::Part(Component::Managed), Mode::CutOff | Mode::StartScript, _) => {
            "Native memory for batch operators; RocksDB gets none of it."
        }
        (Quantity::TotalProcess, Mode::StartScript, _) => "The process takes more than this.",
        _ => return None,
    })
}

/// What a quantity is, for someone who meets it for the first time.
pub fn meaning(quantity: Quantity) -> Option<&'static str> {
    Some(match quantity {
        Quantity::TotalProcess => "Everything the process may take; on YARN and Kubernetes, the size of its container.",
        Quantity::TotalFlink => "What Flink divides up: the process without the JVM's own needs.",
        Quantity::JvmHeap => "Where Java objects live; passed to the JVM as -Xmx and -Xms.",
        Quantity::JvmDirect => "The JVM's limit for direct buffers, -XX:MaxDirectMemorySize.",
        Quantity::Part(Component::FrameworkHeap) => "Java objects of Flink itself.",
        Quantity::Part(Component::TaskHeap) => {
            "Java objects of operators and user code, and state that is kept on the heap."
        }
        Quantity::Part(Component::FrameworkOffHeap) => {
            "Direct and native memory of Flink itself, Netty and batch shuffle."
        }
        Quantity::Part(Component::TaskOffHeap) => "Direct and native memory of operators and user code.",
        Quantity::Part(Component::Network) => "Buffers for data between tasks, all allocated at the start.",
        Quantity::Part(Component::Managed) => {
            "Native memory that Flink hands out to RocksDB, batch operators and Python."
        }
        Quantity::Part(Component::JvmMetaspace) => "Class metadata; passed as -XX:MaxMetaspaceSize.",
        Quantity::Part(Component::JvmOverhead) => {
            "Set aside for thread stacks, compiled code, the collector and whatever nobody plans; nothing enforces it."
        }
        Quantity::Part(Component::Heap) => "The JobManager's Java objects; passed as -Xmx and -Xms.",
        Quantity::Part(Component::OffHeap) => "The JobManager's direct and native memory.",
        Quantity::Part(Component::CutOff) => "Taken off the container and planned for nothing in particular.",
        Quantity::BlockCache => "Where RocksDB keeps blocks that it has read.",
        Quantity::MutableLimit => "Above it RocksDB flushes memtables.",
        Quantity::WriteBufferManager => "What bounds all memtables of the slot together.",
        Quantity::HighPriorityPool => "The part of the cache kept for index and filter blocks.",
        Quantity::ArenaBlock => "What a memtable allocates at a time, as Flink computes it for its warning.",
        Quantity::RealArenaBlock => {
            "What a memtable really allocates at a time in the RocksDB that this version ships."
        }
        _ => return None,
    })
}

/// The options that move a figure.
pub fn levers(quantity: Quantity, role: Role, figure: &Figure, profile: &Profile, mode: Mode) -> Option<String> {
    let prefix = match role {
        Role::TaskManager => "taskmanager.memory",
        Role::JobManager => "jobmanager.memory",
    };
    let derivation = match &figure.provenance {
        Provenance::Derived(derivation) => Some(&**derivation),
        _ => None,
    };
    if matches!(derivation, Some(Derivation::Sum(_))) {
        return Some("its parts".to_owned());
    }
    let directly = |key: String| match derivation {
        Some(_) => format!("everything named here; {key} would set it directly"),
        None => key,
    };
    let cut_off = profile.option("taskmanager.memory.process.size").is_none()
        || (role == Role::JobManager && profile.option("jobmanager.memory.process.size").is_none());
    let ranged = |what: &str| match derivation {
        Some(Derivation::Share { held, .. } | Derivation::ShareOfUnknown { held, .. }) => match held {
            Held::AtMinimum => format!("{prefix}.{what}.min"),
            Held::AtMaximum => format!("{prefix}.{what}.max"),
            Held::Free => format!("{prefix}.{what}.fraction"),
        },
        Some(Derivation::Buffers { .. }) => "taskmanager.network.numberOfBuffers".to_owned(),
        _ => "everything named here".to_owned(),
    };
    Some(match quantity {
        Quantity::TotalProcess if cut_off => match role {
            Role::TaskManager => "taskmanager.heap.size".to_owned(),
            Role::JobManager => "jobmanager.heap.size".to_owned(),
        },
        Quantity::Part(Component::CutOffHeap) if mode == Mode::StartScript => match role {
            Role::TaskManager => "taskmanager.heap.size, and what is taken out of it".to_owned(),
            Role::JobManager => "jobmanager.heap.size".to_owned(),
        },
        Quantity::Part(Component::CutOff | Component::CutOffHeap) => {
            "containerized.heap-cutoff-ratio and containerized.heap-cutoff-min".to_owned()
        }
        Quantity::Part(Component::Network) if cut_off => {
            "taskmanager.network.memory.fraction, .min and .max".to_owned()
        }
        Quantity::Part(Component::Managed) if cut_off => {
            "taskmanager.memory.size or taskmanager.memory.fraction".to_owned()
        }
        Quantity::TotalProcess => format!("{prefix}.process.size"),
        Quantity::TotalFlink => directly(format!("{prefix}.flink.size")),
        Quantity::Part(Component::FrameworkHeap) => format!("{prefix}.framework.heap.size"),
        Quantity::Part(Component::TaskHeap) => directly(format!("{prefix}.task.heap.size")),
        Quantity::Part(Component::FrameworkOffHeap) => format!("{prefix}.framework.off-heap.size"),
        Quantity::Part(Component::TaskOffHeap) => format!("{prefix}.task.off-heap.size"),
        Quantity::Part(Component::Network) => ranged("network"),
        Quantity::Part(Component::Managed) => match figure.provenance {
            Provenance::Set { .. } => format!("{prefix}.managed.size"),
            _ => format!("{prefix}.managed.fraction, or {prefix}.managed.size in its place"),
        },
        Quantity::Part(Component::Heap) => directly(format!("{prefix}.heap.size")),
        Quantity::Part(Component::OffHeap) => format!("{prefix}.off-heap.size"),
        Quantity::Part(Component::JvmMetaspace) => format!("{prefix}.jvm-metaspace.size"),
        Quantity::Part(Component::JvmOverhead) => ranged("jvm-overhead"),
        Quantity::SlotShare(_) => "taskmanager.numberOfTaskSlots".to_owned(),
        Quantity::ConsumerShare(_) if is_alone(derivation) => "the managed memory of the slot".to_owned(),
        Quantity::ConsumerShare(_) => {
            profile.option("taskmanager.memory.managed.consumer-weights")?;
            "taskmanager.memory.managed.consumer-weights".to_owned()
        }
        Quantity::BlockCache | Quantity::WriteBufferManager => {
            "state.backend.rocksdb.memory.write-buffer-ratio, and the pool's size".to_owned()
        }
        Quantity::HighPriorityPool => "state.backend.rocksdb.memory.high-prio-pool-ratio".to_owned(),
        Quantity::ArenaBlock | Quantity::RealArenaBlock => "state.backend.rocksdb.writebuffer.size".to_owned(),
        _ => return None,
    })
}

/// Whether a consumer shares a slot's managed memory with nobody.
fn is_alone(derivation: Option<&Derivation>) -> bool {
    matches!(derivation, Some(Derivation::Weighted { weight, weights, .. }) if weight == weights)
}
