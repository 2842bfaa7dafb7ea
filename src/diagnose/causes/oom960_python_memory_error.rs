use super::marks;
use crate::diagnose::cause::cause;
use crate::diagnose::postmortem::case::Case;
use crate::diagnose::postmortem::late::{Decides, Late, Weight};
use crate::diagnose::postmortem::signal::{Death, Origin, Signal};
use crate::model::{Area, Killer};

cause! {
    /// Python could not get memory for what a function asked for, and raised an error.
    ///
    /// ### What is seen
    /// `MemoryError`, numpy's `_ArrayMemoryError: Unable to allocate 7.45 GiB for an array with shape …`, `OSError:
    /// [Errno 12] Cannot allocate memory`, below "Error received from SDK harness for instruction" in the TaskManager's
    /// log. The job fails and restarts; neither the TaskManager nor the worker need die.
    ///
    /// ### What it is not
    /// - A worker that was killed (OOM959): Python is not asked then.
    /// - The Java heap: its size does not matter to a worker.
    /// - A container at its limit: there memory is promised and the process killed when it touches it. A refusal means
    ///   a size that makes no sense, `ulimit -v`, or a machine that does not overcommit.
    ///
    /// ### How to prove it
    /// `grep -B 30 -e MemoryError -e 'Unable to allocate' -e 'Errno 12' taskmanager.log`: the last lines of the
    /// traceback name the statement and the size. `cat /proc/sys/vm/overcommit_memory` and `ulimit -v` where the worker
    /// runs.
    ///
    /// ### Cure
    /// In the function: a whole window or bundle in one array is too much; a pandas function gets
    /// `python.fn-execution.arrow.batch.size` rows at once (10000 by default). `python.fn-execution.bundle.size` bounds
    /// what is kept until a bundle ends. More room in the container: `taskmanager.memory.managed.consumer-weights` with
    /// `PYTHON`.
    ///
    /// ### Sources
    /// - Python, library/exceptions, `MemoryError`; numpy, `numpy.core._exceptions._ArrayMemoryError`.
    /// - Flink, `PythonOptions` (`python.fn-execution.arrow.batch.size`).
    "OOM960" "python-memory-error" {
        late: Some(Late {
            required,
            supporting: |case| case.of_origin(Origin::Python),
            weight: Weight::Explains,
            area: |case| marks::area_by(case, &KILLER, Area::Native),
            title,
            decides: Some(Decides {
                evidence: "which statement asked for how much: the traceback above the error",
                command: "grep -B 30 -e MemoryError -e 'Unable to allocate' -e 'Errno 12' taskmanager.log",
            }),
            ..Late::UNMARKED
        }),
    }
}

const KILLER: [Killer; 1] = [Killer::Python];

/// Whether Python itself says that it was refused memory.
pub(super) fn is_one(signal: &Signal, death: &Death) -> bool {
    let words = ["MemoryError", "Unable to allocate", "could not get memory", "Cannot allocate memory", "Errno 12"];
    marks::speaks_of(signal, death, &words)
}

fn required<'s>(case: &Case<'s>) -> Vec<&'s Signal> {
    marks::told(case, &KILLER, is_one)
}

fn title(case: &Case<'_>) -> String {
    match marks::because(case, &KILLER) {
        because if because.is_empty() => "a Python function was refused the memory it asked for".to_owned(),
        because => format!("a Python function was refused memory{because}"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::left::Left;
    use super::*;

    #[test]
    fn pythons_own_error_is_the_cause() {
        let left = Left::killed_by(Killer::Python, Area::Native)
            .quote("numpy.core._exceptions._ArrayMemoryError: Unable to allocate");
        let verdict = left.because("7.45 GiB were asked for").verdict();
        assert_eq!((verdict.code, verdict.area), (Some("OOM960"), Area::Native));
        assert!(verdict.summary.ends_with("7.45 GiB were asked for"), "{}", verdict.summary);
    }

    #[test]
    fn a_killed_worker_and_an_error_of_a_function_are_not() {
        assert!(!Left::killed_by(Killer::Python, Area::Container).codes().contains(&"OOM960"));
        let failed = Left::default().other_reason("an error in a Python function: ValueError", false);
        assert!(!failed.codes().contains(&"OOM960"));
    }
}
