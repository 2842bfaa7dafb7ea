//! A workload with everything decided that nobody told: what is only supposed says so.

use super::{Basis, Fact, SizeError};
use crate::config::job_plan::{Exchange, JobPlan};
use crate::config::workload::{Access, Allocator, Starter, StateHome, Workload};
use crate::flink::keys;
use crate::flink::profile::{ConsumerNames, Profile, TaskmanagerModel};
use crate::model::Bytes;

/// What is sized.
#[derive(Clone, Debug)]
pub struct Load {
    /// What a TaskManager's process may take.
    pub container: Bytes,
    /// Slots of a TaskManager.
    pub slots: u32,
    /// TaskManagers.
    pub task_managers: u32,
    /// The job's shuffles.
    pub job: JobPlan,
    /// Whether exchanges are blocking.
    pub batch: bool,
    /// Where keyed state lives.
    pub home: StateHome,
    /// States of a slot.
    pub states: u32,
    /// State of a slot.
    pub slot_state: Bytes,
    /// State of a TaskManager.
    pub state: Bytes,
    /// What is done to state.
    pub access: Access,
    /// Heap that user code needs.
    pub user_heap: Bytes,
    /// Whether there are Python functions.
    pub python: bool,
    /// Who hands out native memory.
    pub allocator: Allocator,
    /// Cores that the JVM sees, where they are told.
    pub cores: Option<u32>,
    /// Who starts the processes.
    pub deployment: Starter,
    /// Subtasks of the job, or of one TaskManager where no parallelism is told.
    pub parallelism: u32,
}

/// Heap for user code where nobody told: this for each slot.
const HEAP_A_SLOT: Bytes = Bytes::mib(128);

impl Load {
    /// Decides what is left open. Every supposition goes into `facts`.
    pub fn of(workload: &Workload, profile: &Profile, facts: &mut Vec<Fact>) -> Result<Load, SizeError> {
        let refuse = |text: String| SizeError::NotSized(text);
        let version = profile.version();
        if profile.behaviour.taskmanager_model == TaskmanagerModel::CutOff {
            return Err(refuse(format!(
                "Flink {version} has no parts to size: heap and container are divided by a cut-off. Versions from 1.10 on are sized"
            )));
        }
        let container = workload
            .container
            .ok_or_else(|| refuse("how large may a TaskManager be? Tell --container, such as 8g".to_owned()))?;
        let mut assume = |what: String, source: &str| {
            facts.push(Fact { basis: Basis::Assumed, text: what, source: source.to_owned() });
        };
        let slots = workload.slots.unwrap_or(1);
        if slots == 0 || slots > 1024 {
            return Err(refuse(format!("{slots} slots are not from 1 to 1024")));
        }
        let home = workload.backend.unwrap_or_else(|| {
            assume("keyed state is in RocksDB".to_owned(), "--backend names another");
            StateHome::RocksDb
        });
        if home == StateHome::ForSt && profile.option(keys::FORST.managed.name()).is_none() {
            return Err(refuse(format!("Flink {version} has no ForSt; it came with 2.0")));
        }
        let python = workload.python.unwrap_or(false);
        if python && profile.behaviour.consumer_names == ConsumerNames::None {
            return Err(refuse(format!(
                "Python in Flink {version} is not paid by managed memory; oomph sizes it from 1.12 on"
            )));
        }
        let parallelism = workload.parallelism.unwrap_or_else(|| {
            assume(format!("the job has {slots} subtasks: one TaskManager"), "--parallelism tells how many");
            slots
        });
        let batch = workload.batch_shuffle.unwrap_or(false);
        let edges = workload.edges.clone().unwrap_or_else(|| {
            assume("vertices are joined by two all-to-all exchanges".to_owned(), "--edges tells which");
            vec!["2xhash".to_owned()]
        });
        let exchange = if batch { Exchange::Blocking } else { Exchange::PipelinedBounded };
        let job = JobPlan::chain(parallelism, exchange, &edges).map_err(|error| refuse(error.to_string()))?;
        let states = workload.states.unwrap_or_else(|| {
            assume("a slot has 4 states (timers count as one)".to_owned(), "--states tells how many");
            4
        });
        let total = workload.state_size.unwrap_or_else(|| {
            assume("there is hardly any state".to_owned(), "--state-size tells how much: a full checkpoint's size");
            Bytes::ZERO
        });
        let user_heap = match workload.user_heap {
            Some(heap) => heap,
            None => {
                assume(format!("user code needs {HEAP_A_SLOT} of heap in each slot"), "a rule of thumb; --user-heap");
                HEAP_A_SLOT.checked_mul(slots.into()).unwrap_or(Bytes::FLINK_MAX)
            }
        };
        let deployment = workload.deployment.unwrap_or(Starter::Kubernetes);
        let allocator = workload.allocator.unwrap_or(match deployment {
            Starter::Kubernetes if profile.behaviour.image_jemalloc => Allocator::Jemalloc,
            _ => Allocator::Glibc,
        });
        let task_managers = parallelism.div_ceil(slots);
        let slot_state = Bytes::new(total.get().div_ceil(u64::from(parallelism)));
        let state = slot_state.checked_mul(slots.min(parallelism).into()).unwrap_or(Bytes::FLINK_MAX);
        Ok(Load {
            container: Bytes::new(container.whole_mib() << 20),
            slots,
            task_managers,
            job,
            batch,
            home,
            states,
            slot_state,
            state,
            access: workload.access.unwrap_or_default(),
            user_heap,
            python,
            allocator,
            cores: workload.cores,
            deployment,
            parallelism,
        })
    }
}
