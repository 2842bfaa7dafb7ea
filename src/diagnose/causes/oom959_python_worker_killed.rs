use super::{marks, oom960_python_memory_error as memory_error};
use crate::artefact::python_worker::is_worker;
use crate::diagnose::cause::cause;
use crate::diagnose::postmortem::case::Case;
use crate::diagnose::postmortem::late::{Decides, Late, Weight};
use crate::diagnose::postmortem::signal::{Origin, Signal};
use crate::model::{Area, Killer};

cause! {
    /// A Python worker of PyFlink was killed: it counts into the TaskManager's container, and no limit of its own holds
    /// it.
    ///
    /// ### What is seen
    /// The kernel's victim is `python` or `python3`, and the JVM lives: "Process died with exit code 137" from Beam,
    /// "Failed to create stage bundle factory", the job restarts and the pod does not, its restart count stays 0. On
    /// YARN the whole container goes, since the process tree is added up. `python.fn-execution.memory.managed` plans
    /// memory for workers, and nothing enforces it.
    ///
    /// ### What it is not
    /// - "Multiplexer hanging up" or "Hanged up for" in Beam's log: the usual close of its channels.
    /// - A `MemoryError` (OOM960), which Python raises itself.
    /// - An error of a Python function: a traceback below "Error received from SDK harness".
    ///
    /// ### How to prove it
    /// `dmesg -T | grep -i 'killed process'` on the node names the victim with its anon-rss; `ps -o pid,rss,args -C
    /// python3` in the container of a successor; `oomph attach PID` adds up all processes of the container.
    ///
    /// ### Cure
    /// Room in the container that no part of the JVM fills: `taskmanager.memory.task.off-heap.size`, by what the kernel's
    /// table shows that the workers had and a quarter more. Give workers their share of managed memory:
    /// `taskmanager.memory.managed.consumer-weights` with `PYTHON`, a larger `taskmanager.memory.managed.fraction`.
    /// Smaller batches: `python.fn-execution.bundle.size`,
    /// `python.fn-execution.arrow.batch.size`, `python.state.cache-size`. Fewer workers: fewer slots, or
    /// `python.execution-mode` `thread`, which runs functions inside the JVM's process. What the functions keep in
    /// global objects is never freed.
    ///
    /// ### Sources
    /// - [FLINK-17923](https://github.com/apache/flink/pull/12370), memory for Python workers out of managed memory.
    /// - [beam#34178](https://github.com/apache/beam/issues/34178): a worker that grows since its bundle never ends.
    /// - Linux, Documentation/admin-guide/cgroup-v2.rst (`memory.oom.group`): without it one process is killed.
    "OOM959" "python-worker-killed" {
        late: Some(Late {
            required,
            supporting,
            weight: Weight::Explains,
            area: |case| {
                case.death.as_ref().and_then(|told| told.area()).unwrap_or(Area::Container)
            },
            title,
            decides: Some(Decides {
                evidence: "that the kernel's victim was Python, and how large it was",
                command: "dmesg -T | grep -i 'killed process'",
            }),
            ..Late::UNMARKED
        }),
    }
}

fn required<'s>(case: &Case<'s>) -> Vec<&'s Signal> {
    if case.death.is_some() {
        let mut found = marks::told(case, &marks::OUTSIDE, |_, death| death.process.as_deref().is_some_and(is_worker));
        found.extend(marks::told(case, &[Killer::Python], |signal, death| !memory_error::is_one(signal, death)));
        return found;
    }
    died(case)
}

/// Workers that ended by a signal.
pub(super) fn died<'s>(case: &Case<'s>) -> Vec<&'s Signal> {
    let ends = case.ends().into_iter();
    ends.filter(|(signal, ended)| signal.origin == Origin::Python && ended.exit == Some(137))
        .map(|(signal, _)| signal)
        .collect()
}

fn supporting<'s>(case: &Case<'s>) -> Vec<&'s Signal> {
    let mut found = died(case);
    found.extend(case.of_origin(Origin::Python));
    found.extend(marks::strained(case, &["limit-hit", "python-workers"]));
    found
}

fn title(case: &Case<'_>) -> String {
    match case.death {
        Some(_) => format!(
            "a Python worker was killed, {}, with the container at {}{}",
            marks::victim(case),
            marks::its_limit(case),
            marks::in_words(case, &["python-workers"])
        ),
        None => "a Python worker was killed by signal 9; the text does not say whether for memory".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::left::Left;
    use super::*;
    use crate::diagnose::postmortem::signal::{Ended, Says};
    use crate::model::{Bytes, Confidence};

    fn beam(left: Left) -> Left {
        let ended = Ended { exit: Some(137), ..Ended::default() };
        left.says(Origin::Python, "Process died with exit code 137", Says::Ended(ended))
    }

    #[test]
    fn a_python_victim_is_the_cause_and_beams_word_bears_it_out() {
        let left = Left::killed_by(Killer::KernelMemcg, Area::Container).process("python3.8").limit(Bytes::mib(4096));
        let verdict = left.verdict();
        assert_eq!((verdict.code, verdict.area), (Some("OOM959"), Area::Container));
        assert!(verdict.summary.contains("process 4711 (python3.8)"), "{}", verdict.summary);
        assert_eq!(beam(left).verdict().confidence, Confidence::High);
    }

    #[test]
    fn beams_word_alone_names_it_without_a_killer() {
        let verdict = beam(Left::default()).verdict();
        assert_eq!(
            (verdict.code, verdict.killer, verdict.confidence),
            (Some("OOM959"), Killer::Unknown, Confidence::Low)
        );
    }

    #[test]
    fn a_jvm_as_victim_channels_that_close_and_a_memory_error_are_not() {
        let java = Left::killed_by(Killer::KernelMemcg, Area::Container).process("java");
        assert!(!java.codes().contains(&"OOM959"));
        let closed = Left::default().other_reason("the usual close of a Python worker's channels", false);
        assert!(!closed.codes().contains(&"OOM959"));
        let raised = Left::killed_by(Killer::Python, Area::Native).quote("MemoryError");
        assert!(!raised.codes().contains(&"OOM959"));
        assert!(!Left::default().ended(137).codes().contains(&"OOM959"));
    }
}
