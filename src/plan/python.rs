//! Python's share: PyFlink runs user functions in processes of their own, beside the JVM and inside its container.

use super::consumers::ConsumerShare;
use super::rejection::{Outcome, Rejection};
use super::settings::Settings;
use crate::flink::key::{Key, Text};
use crate::flink::keys;
use crate::flink::memory_size::human;
use crate::model::{Bytes, UseCase};

/// What Python workers may take, and out of what.
#[derive(Clone, Debug, PartialEq)]
pub enum Python {
    /// A share of each slot's managed memory. Flink hands it to the worker as a limit, but no worker of PyFlink 1.12 to
    /// 2.3 reads it: nobody enforces it.
    Managed(Outcome<Bytes>),
    /// Out of task off-heap memory, up to 1.11: what a worker needs at least.
    TaskOffHeap {
        /// `python.fn-execution.framework.memory.size` plus `python.fn-execution.buffer.memory.size`.
        required: Bytes,
        /// What PyFlink says when task off-heap memory is smaller.
        refused: Option<Box<Rejection>>,
    },
    /// Out of no budget at all.
    Unplanned,
}

/// Python's share of a slot, where a job has Python functions.
pub fn share(settings: &Settings<'_>, consumers: &[ConsumerShare], task_off_heap: Bytes) -> Outcome<Python> {
    let managed = match settings.row(keys::PYTHON_MANAGED) {
        Some(_) => settings.boolean(keys::PYTHON_MANAGED)?.0,
        None => false,
    };
    if managed && let Some(share) = consumers.iter().find(|share| share.use_case == UseCase::Python) {
        return Ok(Python::Managed(share.share.clone().map(|figure| figure.bytes)));
    }
    if settings.row(keys::PYTHON_FRAMEWORK_MEMORY).is_none() || managed {
        return Ok(Python::Unplanned);
    }
    let size = |key: Key<Text>| -> Outcome<Bytes> {
        let text = settings.text(key).map(|(text, _)| text).unwrap_or_default();
        Ok(Bytes::parse_flink(&text)?)
    };
    let required = size(keys::PYTHON_FRAMEWORK_MEMORY)?
        .checked_add(size(keys::PYTHON_BUFFER_MEMORY)?)
        .ok_or(crate::flink::fraction::LongOverflow)?;
    // `AbstractPythonFunctionOperator` of PyFlink 1.10 and 1.11.
    let refused = (task_off_heap < required).then(|| {
        Rejection::illegal_argument(format!(
            "The configured Task Off-Heap Memory {} is less than the least required Python worker Memory {}. The Task \
             Off-Heap Memory can be configured using the configuration key '{}'.",
            human(task_off_heap),
            human(required),
            keys::TASK_OFF_HEAP.name()
        ))
    });
    Ok(Python::TaskOffHeap { required, refused })
}
