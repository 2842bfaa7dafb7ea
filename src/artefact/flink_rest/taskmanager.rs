//! `/taskmanagers` and `/taskmanagers/:id` (`TaskManagerInfo`, `TaskManagerDetailsInfo`).

use super::answer::{AnswerError, Fields, Node, open_object};
use super::process_metrics::ProcessMetrics;
use crate::model::{Bytes, Seen};

/// The budget of a TaskManager to the byte (`TaskExecutorMemoryConfiguration`, since 1.11). `totalResource` beside it is
/// cut to whole MiB and not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemoryConfiguration {
    /// `frameworkHeap`.
    pub framework_heap: Seen<Bytes>,
    /// `taskHeap`.
    pub task_heap: Seen<Bytes>,
    /// `frameworkOffHeap`.
    pub framework_off_heap: Seen<Bytes>,
    /// `taskOffHeap`.
    pub task_off_heap: Seen<Bytes>,
    /// `networkMemory`.
    pub network: Seen<Bytes>,
    /// `managedMemory`.
    pub managed: Seen<Bytes>,
    /// `jvmMetaspace`.
    pub metaspace: Seen<Bytes>,
    /// `jvmOverhead`.
    pub overhead: Seen<Bytes>,
    /// `totalFlinkMemory`.
    pub total_flink: Seen<Bytes>,
    /// `totalProcessMemory`.
    pub total_process: Seen<Bytes>,
}

/// A TaskManager as the JobManager knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskManager {
    /// Its resource id.
    pub id: Seen<String>,
    /// The address of its RPC: `pekko.tcp://flink@HOST:PORT/user/rpc/taskmanager_0`, `akka.tcp` before 1.18.
    pub path: Seen<String>,
    /// The port of its shuffle service.
    pub data_port: Seen<u64>,
    /// The time of its last heartbeat in milliseconds since 1970. The field is called `timeSinceLastHeartbeat`.
    pub last_heartbeat: Seen<u64>,
    /// Its slots.
    pub slots: Seen<u64>,
    /// Those that no job has.
    pub free_slots: Seen<u64>,
    /// The memory of its machine as the JVM sees it.
    pub physical_memory: Seen<Bytes>,
    /// Managed memory (`hardware.managedMemory`, also in versions without a memory configuration).
    pub managed_memory: Seen<Bytes>,
    /// Its budget.
    pub memory: MemoryConfiguration,
    /// What it measures of itself; only `/taskmanagers/:id` has it, some seconds old (`metrics.fetcher.update-interval`).
    pub metrics: ProcessMetrics,
}

impl TaskManager {
    /// Host and port of its RPC.
    pub fn rpc(&self) -> Option<(&str, u16)> {
        let (_, behind) = self.path.as_ref().ok()?.split_once('@')?;
        let (host, port) = behind.split('/').next()?.rsplit_once(':')?;
        Some((host, port.parse().ok()?))
    }

    /// The slots that a job has.
    pub fn slots_in_use(&self) -> Option<u64> {
        self.slots.as_ref().ok()?.checked_sub(*self.free_slots.as_ref().ok()?)
    }
}

/// The TaskManagers of `/taskmanagers`.
///
/// # Errors
///
/// Where the answer is no JSON object of Flink's.
pub fn task_managers(answer: &[u8]) -> Result<Vec<TaskManager>, AnswerError> {
    let text = String::from_utf8_lossy(answer);
    let nodes = open_object(&text)?.seen_list("taskmanagers").map_err(|_| AnswerError::NotA("list of TaskManagers"))?;
    Ok(nodes.into_iter().filter_map(|node: Node| node.fields("")).map(|fields| of_fields(&fields)).collect())
}

/// The TaskManager of `/taskmanagers/:id`.
///
/// # Errors
///
/// Where the answer is no JSON object of Flink's.
pub fn task_manager(answer: &[u8]) -> Result<TaskManager, AnswerError> {
    let text = String::from_utf8_lossy(answer);
    Ok(of_fields(&open_object(&text)?))
}

fn of_fields(fields: &Fields<'_>) -> TaskManager {
    let memory = fields.object("memoryConfiguration");
    let hardware = fields.object("hardware");
    TaskManager {
        id: fields.text("id"),
        path: fields.text("path"),
        data_port: fields.whole("dataPort"),
        last_heartbeat: fields.whole("timeSinceLastHeartbeat"),
        slots: fields.whole("slotsNumber"),
        free_slots: fields.whole("freeSlots"),
        physical_memory: hardware.bytes("physicalMemory"),
        managed_memory: hardware.bytes("managedMemory"),
        memory: MemoryConfiguration {
            framework_heap: memory.bytes("frameworkHeap"),
            task_heap: memory.bytes("taskHeap"),
            framework_off_heap: memory.bytes("frameworkOffHeap"),
            task_off_heap: memory.bytes("taskOffHeap"),
            network: memory.bytes("networkMemory"),
            managed: memory.bytes("managedMemory"),
            metaspace: memory.bytes("jvmMetaspace"),
            overhead: memory.bytes("jvmOverhead"),
            total_flink: memory.bytes("totalFlinkMemory"),
            total_process: memory.bytes("totalProcessMemory"),
        },
        metrics: ProcessMetrics::of_details(&fields.object("metrics")),
    }
}
