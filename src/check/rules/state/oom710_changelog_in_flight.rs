use super::super::jobmanager::heap_share::percent;
use super::checkpointing;
use crate::check::policy::threshold;
use crate::check::rule::rule;
use crate::check::{Case, Collector};
use crate::model::{Confidence, Role};

rule! {
    /// Changes of state that wait for their upload may fill the TaskManager's heap.
    ///
    /// ### Why
    /// With a changelog in files, changes lie as bytes on the TaskManager's heap until their upload has succeeded. What holds
    /// them back is `max-in-flight` alone, 100 MB by default: as long as that is not reached, a job goes on while the file
    /// system is slow. A limit that is a good part of the heap is no limit. It holds for each job in the TaskManager.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 4g
    /// state.changelog.dstl.dfs.upload.max-in-flight: 1gb
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 4g
    /// state.changelog.dstl.dfs.upload.max-in-flight: 100mb
    /// ```
    ///
    /// ### Sources
    /// - `FsStateChangelogOptions.IN_FLIGHT_DATA_LIMIT`, `UploadThrottle` and `StateChange`, Flink 1.15 to 2.3.
    /// - Thread, more memory to buffer changes: https://github.com/apache/flink/pull/18431.
    "OOM710" "changelog-in-flight" {
        confidence: Confidence::Medium,
        since: Some((1, 15)),
        check: check,
    }
}

const IN_FLIGHT: [&str; 2] = ["state.changelog.dstl.dfs.upload.max-in-flight", "dstl.dfs.upload.max-in-flight"];

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    let Some((written, limit)) = checkpointing::size(case, &IN_FLIGHT) else { return };
    let Some(heap) = case.survey(Role::TaskManager).map(|survey| survey.plan.budget.heap()) else { return };
    if limit < percent(heap, case.policy.count(&threshold::CHECKPOINT_STREAMS_PERCENT)) {
        return;
    }
    found
        .find(format!("Up to {limit} of changes may wait on the TaskManager's heap"))
        .at(written.place(), "for each job")
        .note(format!("the TaskManager's heap is {heap}"))
        .help(format!("set {} lower; the default is 100mb", written.key));
}

#[cfg(test)]
mod tests {
    use crate::check::tried::{codes, find};

    #[test]
    fn the_old_name_counts_and_the_heap_must_be_known() {
        let text = "# oomph: flink=1.18\ndstl.dfs.upload.max-in-flight: 1gb\n";
        assert!(!codes("flink-conf.yaml", text).contains(&"OOM710"));
        let judged = format!("{text}taskmanager.memory.process.size: 4g\n");
        assert!(find("OOM710", "flink-conf.yaml", &judged).title.contains("1 GiB"));
        let large = judged.replace("4g", "16g");
        assert!(!codes("flink-conf.yaml", &large).contains(&"OOM710"));
    }
}
