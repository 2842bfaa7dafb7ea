//! The network buffers that a job needs on a TaskManager, against those that it has: by edge, gate and result partition.
//!
//! The worst case: every slot holds a subtask of every vertex that may run beside the others, and every channel is
//! remote. Vertices that a blocking exchange keeps apart do not run beside each other.

mod netty;
mod pools;

pub use netty::Netty;
pub use pools::{Gate, Knobs, Partition, Pool};

use super::Plan;
use super::rejection::{Outcome, Rejection};
use super::settings::Settings;
use crate::config::job_plan::{Exchange, Input, JobPlan, Pattern};
use crate::flink::keys;
use crate::flink::profile::InsufficientBuffersNames;
use crate::model::Bytes;

/// What an edge of the job needs on one TaskManager.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EdgeNeed {
    /// The vertex that writes.
    pub from: String,
    /// The vertex that reads.
    pub to: String,
    /// Flink's name for how the subtasks are joined, such as HASH.
    pub strategy: String,
    /// How data is handed over.
    pub exchange: Exchange,
    /// The result partition of one subtask; nothing where oomph does not compute it.
    pub partition: Option<Partition>,
    /// How many such partitions a TaskManager has.
    pub partitions: u64,
    /// The gate of one subtask; nothing where oomph does not compute it.
    pub gate: Option<Gate>,
    /// How many such gates a TaskManager has.
    pub gates: u64,
}

/// The buffers that a job needs on one TaskManager.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkNeed {
    /// The job's name, where it has one.
    pub job: Option<String>,
    /// By edge.
    pub edges: Vec<EdgeNeed>,
    /// Without these the job does not start.
    pub required: u64,
    /// More than these it never takes; nothing where it takes as many as there are.
    pub wanted: Option<u64>,
    /// What it may take beyond for records larger than a buffer.
    pub overdraft: u64,
    /// What the TaskManager has.
    pub had: u64,
    /// The size of a buffer.
    pub segment: Bytes,
    /// Slots of the TaskManager.
    pub slots: u32,
    /// How many groups of vertices blocking exchanges keep apart; the neediest is counted.
    pub regions: usize,
    /// Whether buffers in flight may be smaller than a segment.
    pub debloated: bool,
    /// Whether the job has hybrid exchanges, which are not in these numbers.
    pub hybrid: bool,
    /// Netty's own memory.
    pub netty: Netty,
    /// How Flink's exception ends, after the numbers that depend on which task comes last.
    pub exception: String,
}

impl NetworkNeed {
    /// How many buffers are missing before the job starts.
    pub fn missing(&self) -> u64 {
        self.required.saturating_sub(self.had)
    }
}

/// The number of a TaskManager's buffers as Flink has them.
fn had(plan: &Plan) -> Outcome<(u64, Bytes)> {
    match &plan.network_buffers {
        Some(Ok(buffers)) => Ok((buffers.count, buffers.segment.bytes)),
        Some(Err(rejection)) => Err(rejection.clone()),
        None => Err(Rejection::illegal_argument("a JobManager has no network buffers")),
    }
}

/// What a job needs on a planned TaskManager. `sorted` supposes that blocking shuffle is sorted, or that it is not.
pub fn need(settings: &Settings<'_>, plan: &Plan, job: &JobPlan, sorted: Option<bool>) -> Outcome<NetworkNeed> {
    let (had, segment) = had(plan)?;
    let slots = match &plan.slots {
        Some(Ok(slots)) => slots,
        Some(Err(rejection)) => return Err(rejection.clone()),
        None => return Err(Rejection::illegal_argument("a JobManager has no slots")),
    };
    let Demand { edges, required, wanted, overdraft, regions } = demand(settings, slots.count, job, sorted)?;
    let batch = edges.iter().any(|edge| edge.exchange == Exchange::Blocking);
    Ok(NetworkNeed {
        job: job.name.clone(),
        hybrid: edges.iter().any(|edge| edge.exchange == Exchange::Hybrid),
        edges,
        required,
        wanted,
        overdraft,
        had,
        segment,
        slots: slots.count,
        regions,
        debloated: settings.row(keys::BUFFER_DEBLOAT).is_some() && settings.boolean(keys::BUFFER_DEBLOAT)?.0,
        netty: netty::netty(settings, plan, slots, batch)?,
        exception: exception(settings, had, segment),
    })
}

/// What a job needs on a TaskManager with so many slots, whatever it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demand {
    /// By edge.
    pub edges: Vec<EdgeNeed>,
    /// Without these the job does not start.
    pub required: u64,
    /// More than these it never takes; nothing where it takes as many as there are.
    pub wanted: Option<u64>,
    /// What it may take beyond for records larger than a buffer.
    pub overdraft: u64,
    /// How many groups of vertices blocking exchanges keep apart; the neediest is counted.
    pub regions: usize,
}

/// What a job needs on a TaskManager with so many slots.
pub fn demand(settings: &Settings<'_>, slots: u32, job: &JobPlan, sorted: Option<bool>) -> Outcome<Demand> {
    let mut knobs = Knobs::read(settings)?;
    if let Some(sorted) = sorted {
        knobs.suppose_sorted(sorted).map_err(Rejection::illegal_argument)?;
    }
    let regions = regions(job);
    let mut totals = vec![Total::default(); job.vertices.len()];
    let mut edges = Vec::new();
    for (to, vertex) in job.vertices.iter().enumerate() {
        for input in &vertex.inputs {
            let edge = edge(job, to, input, &knobs, slots)?;
            if let (Some(writing), Some(partition)) = (totals.get_mut(regions[input.from]), &edge.partition) {
                writing.add(partition.pool, partition.overdraft, edge.partitions);
            }
            if let (Some(reading), Some(gate)) = (totals.get_mut(regions[to]), &edge.gate) {
                reading.add(gate.pool(), 0, edge.gates);
            }
            edges.push(edge);
        }
    }
    // Regions that run one after the other share the buffers: what counts is the neediest.
    let neediest = totals.iter().max_by_key(|total| total.required).cloned().unwrap_or_default();
    let wanted = totals.iter().map(|total| total.most()).try_fold(0, |most, total| Some(total?.max(most)));
    let mut distinct = regions;
    distinct.sort_unstable();
    distinct.dedup();
    Ok(Demand { edges, required: neediest.required, wanted, overdraft: neediest.overdraft, regions: distinct.len() })
}

/// Buffers of vertices that run beside each other.
#[derive(Clone, Default)]
struct Total {
    required: u64,
    bounded: u64,
    unbounded: bool,
    overdraft: u64,
}

impl Total {
    fn add(&mut self, pool: Pool, overdraft: u64, times: u64) {
        let sum = |so_far: u64, each: u64| so_far.saturating_add(each.saturating_mul(times));
        self.required = sum(self.required, pool.required);
        self.overdraft = sum(self.overdraft, overdraft);
        match pool.most {
            Some(most) => self.bounded = sum(self.bounded, most),
            None => self.unbounded |= times > 0,
        }
    }

    fn most(&self) -> Option<u64> {
        (!self.unbounded).then_some(self.bounded)
    }
}

fn edge(job: &JobPlan, to: usize, input: &Input, knobs: &Knobs, slots: u32) -> Outcome<EdgeNeed> {
    let (writer, reader) = (&job.vertices[input.from], &job.vertices[to]);
    let (up, down) = (u64::from(writer.parallelism), u64::from(reader.parallelism));
    let (subpartitions, channels) = match input.pattern {
        Pattern::AllToAll => (down, up),
        // Each of the fewer has its share of the more.
        Pattern::Pointwise => (down.div_ceil(up), up.div_ceil(down)),
    };
    Ok(EdgeNeed {
        from: writer.name.clone(),
        to: reader.name.clone(),
        strategy: input.strategy.clone(),
        exchange: input.exchange,
        partition: knobs.partition(input.exchange, subpartitions)?,
        partitions: u64::from(slots).min(up),
        gate: knobs.gate(input.exchange, channels),
        gates: u64::from(slots).min(down),
    })
}

/// For each vertex a number that it shares with those that run beside it. Where no exchange is blocking, slot sharing
/// puts all of them beside each other; in a batch job only those that pipelined exchanges join
/// (`StreamGraph.setAllVerticesInSameSlotSharingGroupByDefault`).
fn regions(job: &JobPlan) -> Vec<usize> {
    let blocking = |input: &Input| input.exchange == Exchange::Blocking;
    if !job.vertices.iter().flat_map(|vertex| &vertex.inputs).any(blocking) {
        return vec![0; job.vertices.len()];
    }
    let mut parent: Vec<usize> = (0..job.vertices.len()).collect();
    fn root(parent: &mut [usize], mut vertex: usize) -> usize {
        while parent[vertex] != vertex {
            parent[vertex] = parent[parent[vertex]];
            vertex = parent[vertex];
        }
        vertex
    }
    for (to, vertex) in job.vertices.iter().enumerate() {
        for input in vertex.inputs.iter().filter(|input| !blocking(input)) {
            let (a, b) = (root(&mut parent, to), root(&mut parent, input.from));
            parent[a] = b;
        }
    }
    (0..job.vertices.len()).map(|vertex| root(&mut parent, vertex)).collect()
}

/// `NetworkBufferPool.getConfigDescription`; the numbers before it depend on which task comes last.
fn exception(settings: &Settings<'_>, had: u64, segment: Bytes) -> String {
    let prefix = match settings.profile().behaviour.insufficient_buffers_names {
        InsufficientBuffersNames::TaskmanagerNetworkMemory => "taskmanager.network.memory",
        InsufficientBuffersNames::TaskmanagerMemoryNetwork => "taskmanager.memory.network",
    };
    format!(
        "The total number of network buffers is currently set to {had} of {} bytes each. You can increase this number \
         by setting the configuration keys '{prefix}.fraction', '{prefix}.min', and '{prefix}.max'.",
        segment.get()
    )
}

#[cfg(test)]
mod tests;
