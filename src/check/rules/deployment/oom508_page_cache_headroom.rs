use crate::check::rule::rule;
use crate::check::{Case, Collector};
use crate::model::{Confidence, Deployment, Limit, Role, Severity};

rule! {
    /// A batch job writes shuffle files in a container that has no room beside the process.
    ///
    /// ### Why
    /// Blocking exchanges write all data between two stages to local files. Their pages are charged to the container too.
    /// Clean ones are given back, and a container that is full of them is well; pages that a slow disk has not yet taken
    /// cannot be, and the kernel kills the container although heap and RSS are small. Where the limit is the process size,
    /// which is Flink's default, nothing is left for them once the process uses what it was planned to.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20 deployment=kubernetes
    /// taskmanager.memory.process.size: 8g
    /// execution.runtime-mode: BATCH
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20 deployment=kubernetes
    /// taskmanager.memory.process.size: 8g
    /// execution.runtime-mode: BATCH
    /// kubernetes.taskmanager.memory.limit-factor: 1.2
    /// ```
    ///
    /// ### Sources
    /// - Batch shuffle in Kubernetes at Xiaohongshu: killed at 20 GB with 7 GB of RSS, a page-cache charge in the kernel's
    ///   trace, a slow cloud disk.
    /// - The same with Spark's shuffle: https://github.com/awslabs/data-on-eks/pull/1041.
    /// - A measurement of ours for the other side: at a limit of 1000 MiB and a fast disk, 4.1 GB of shuffle files were
    ///   written and read again, usage stood at the limit, and the job finished.
    "OOM508" "page-cache-headroom" {
        severity: Severity::Note,
        confidence: Confidence::Medium,
        since: Some((1, 12)),
        check: check,
    }
}

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    if case.deployment != Some(Deployment::Kubernetes) {
        return;
    }
    let Some(mode) = case.find("execution.runtime-mode") else { return };
    let exchanges = case.value("execution.batch-shuffle-mode");
    let is_pipelined = exchanges.is_some_and(|mode| mode.eq_ignore_ascii_case("ALL_EXCHANGES_PIPELINED"));
    // Another service, such as Celeborn, writes elsewhere.
    let is_remote = case.find("shuffle-service-factory.class").is_some_and(|class| !class.text().contains("Netty"))
        || case.find("taskmanager.network.hybrid-shuffle.remote.path").is_some();
    if !mode.text().eq_ignore_ascii_case("BATCH") || is_pipelined || is_remote {
        return;
    }
    let Some(survey) = case.survey(Role::TaskManager) else { return };
    let total = survey.plan.budget.total_process().bytes;
    let limit = match survey.container.as_ref().map(|container| container.limit) {
        Ok(Limit::AtMost(limit)) if limit <= total => limit,
        _ => return,
    };
    found
        .find("Shuffle files share a container that has no room beside the process")
        .at(mode.place(), "blocking exchanges write to local disk")
        .note(format!("the container's limit of {limit} is the process size; pages not yet on disk are charged to it as well"))
        .help(
            "should pods be killed while they write: set kubernetes.taskmanager.memory.limit-factor to 1.2, use more and \
             smaller TaskManagers on more nodes, a faster disk under io.tmp.dirs, or a remote shuffle service",
        );
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use crate::check::tried::codes;

    #[rstest]
    #[case("deployment=kubernetes", "execution.runtime-mode: batch", true)]
    #[case("deployment=kubernetes", "execution.runtime-mode: STREAMING", false)]
    #[case("deployment=yarn", "execution.runtime-mode: BATCH", false)]
    #[case(
        "deployment=kubernetes",
        "execution.runtime-mode: BATCH\nexecution.batch-shuffle-mode: ALL_EXCHANGES_PIPELINED",
        false
    )]
    #[case(
        "deployment=kubernetes",
        "execution.runtime-mode: BATCH\nshuffle-service-factory.class: a.RemoteFactory",
        false
    )]
    fn only_local_shuffle_files_in_a_pod_count(#[case] facts: &str, #[case] lines: &str, #[case] expected: bool) {
        let text = format!("# oomph: flink=1.20 {facts}\ntaskmanager.memory.process.size: 8g\n{lines}\n");
        assert_eq!(codes("config.yaml", &text).contains(&"OOM508"), expected);
    }
}
