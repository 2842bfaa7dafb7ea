use super::super::jobmanager::heap_share::{about, percent, times};
use super::checkpointing::{self, WRITE_BUFFER};
use crate::check::policy::threshold;
use crate::check::rule::rule;
use crate::check::{Case, Collector};
use crate::model::{Confidence, Role};

rule! {
    /// The write buffers of checkpoint streams fill the TaskManager's heap.
    ///
    /// ### Why
    /// Every stream that a checkpoint is written with allocates its buffer whole, on the heap, when it is opened, and every
    /// task that has state opens at least one at the same moment, when the barrier comes. A buffer of 64 MB for each of five
    /// tasks in each of four slots is 1.25 GB that a heap without a checkpoint does not show. File systems that write to
    /// object stores have buffers of their own behind it.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 8g
    /// taskmanager.numberOfTaskSlots: 4
    /// execution.checkpointing.write-buffer-size: 67108864
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 8g
    /// taskmanager.numberOfTaskSlots: 4
    /// execution.checkpointing.write-buffer-size: 1048576
    /// ```
    ///
    /// ### Sources
    /// - `FsCheckpointStreamFactory.FsCheckpointStateOutputStream`, whose constructor makes a `byte[]` of that size, Flink 1.9
    ///   to 2.3.
    /// - `CheckpointingOptions.FS_WRITE_BUFFER_SIZE`: bytes, 4096 by default.
    "OOM709" "checkpoint-write-buffer" {
        confidence: Confidence::Medium,
        check: check,
    }
}

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    let Some((written, buffer)) = checkpointing::size(case, &WRITE_BUFFER) else { return };
    let slots = case.slots().map_or_else(|| case.int("taskmanager.numberOfTaskSlots"), |slots| Some(i64::from(slots)));
    let slots = slots.and_then(|slots| u64::try_from(slots).ok()).unwrap_or(1).max(1);
    let vertices = case.policy.count(&threshold::JOB_VERTICES);
    let streams = slots.saturating_mul(vertices);
    let taken = times(buffer, streams);
    let heap = case.survey(Role::TaskManager).map(|survey| survey.plan.budget.heap());
    let limit = match heap {
        Some(heap) => percent(heap, case.policy.count(&threshold::CHECKPOINT_STREAMS_PERCENT)),
        None => case.policy.size(&threshold::CHECKPOINT_STREAMS),
    };
    if taken < limit {
        return;
    }
    let mut draft = found
        .find(format!("A checkpoint takes about {} of the TaskManager's heap for write buffers", about(taken)))
        .at(written.place(), "each stream's buffer, allocated whole")
        .note(format!("{buffer} x {streams} streams ({vertices} tasks in each of {slots} slots, one stream each)"));
    if let Some(heap) = heap {
        draft = draft.note(format!("the TaskManager's heap is {heap}"));
    }
    draft.help(format!("set {} to 1048576 or less; the default is 4096", written.key));
}

#[cfg(test)]
mod tests {
    use crate::check::tried::{codes, find};

    #[test]
    fn without_a_heap_the_threshold_of_the_team_counts() {
        let text = |size: u32| format!("# oomph: flink=1.18\nstate.storage.fs.write-buffer-size: {size}\n");
        assert!(find("OOM709", "flink-conf.yaml", &text(67_108_864)).notes[0].contains("x 5 streams"));
        assert!(!codes("flink-conf.yaml", &text(8_388_608)).contains(&"OOM709"));
    }
}
