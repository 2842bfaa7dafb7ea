use super::share::Share;
use super::total::total;
use crate::check::policy::threshold;
use crate::check::rule::rule;
use crate::check::{Case, Collector, FixKind, Written};
use crate::config::job_plan::{Exchange, JobPlan};
use crate::model::{Bytes, Component, Confidence, Role, Severity};
use crate::plan::network_need;
use crate::plan::settings::Settings;

rule! {
    /// A large TaskManager gives gigabytes to network buffers, for the maximum is gone.
    ///
    /// ### Why
    /// Up to 1.16 network memory was at most 1 GiB. From 1.17 on the default maximum is no maximum: a tenth of total Flink
    /// memory, however large that is. The memory is allocated when the process starts and serves nothing else. What a
    /// shuffle may take depends on slots and parallelism, not on the size of the process; after an upgrade the difference
    /// comes off task heap.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20 parallelism=64
    /// taskmanager.memory.process.size: 48g
    /// taskmanager.numberOfTaskSlots: 8
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20 parallelism=64
    /// taskmanager.memory.process.size: 48g
    /// taskmanager.memory.network.max: 1g
    /// taskmanager.numberOfTaskSlots: 8
    /// ```
    ///
    /// ### Sources
    /// - `TaskManagerOptions.NETWORK_MEMORY_MAX`, Flink 1.16 and 1.17 to 2.3.
    /// - FLINK-30472: https://github.com/apache/flink/pull/21618.
    "OOM216" "network-unbounded" {
        severity: Severity::Note,
        confidence: Confidence::Medium,
        since: Some((1, 17)),
        fix: FixKind::Unsafe,
        check: check,
    }
}

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    let (Some(survey), Some(total)) = (case.survey(Role::TaskManager), total(case, Role::TaskManager)) else { return };
    let Some(network) = survey.plan.budget.part(Component::Network) else { return };
    let own = |name: &str| case.find(&format!("taskmanager.memory.network.{name}")).filter(Written::is_own);
    let is_set = ["min", "max", "fraction"].iter().any(|name| own(name).is_some());
    if network.bytes < case.policy.size(&threshold::NETWORK_UNASKED_MAX) || is_set || Share::of(network).is_none() {
        return;
    }
    // Where the parallelism is known, what shuffles may take of it is.
    let Some((shuffles, wanted, parallelism)) = wanted(case) else { return };
    if wanted.checked_mul(2).is_none_or(|twice| twice > network.bytes) {
        return;
    }
    let key = "taskmanager.memory.network.max";
    let shuffles = if shuffles == 1 { "one shuffle".to_owned() } else { format!("{shuffles} shuffles in a row") };
    found
        .find(format!("{} of network memory is set apart, twice what {shuffles} can take", network.bytes))
        .at(total.place(), format!("a tenth of {}", survey.plan.budget.total_flink().bytes))
        .note(format!("{shuffles} at parallelism {parallelism} can take {wanted}, overdraft included"))
        .note(format!("network memory is {}", network.bytes))
        .note(format!("up to Flink 1.16 it would be 1 GiB; {key} has no default any more"))
        .help(format!("set {key}, such as {key}: 1g: the rest becomes task heap"))
        .unsafe_fix("hold network memory at 1 GiB", case.insert_below(total, key, "1g"));
}

/// A number of shuffles, what they take at most, and the parallelism.
fn wanted(case: &Case<'_>) -> Option<(usize, Bytes, u32)> {
    // One is what every shipped file says, and no job of so large a process.
    let parallelism = case.parallelism().filter(|parallelism| *parallelism > 1)?;
    let told = case.told.workload.edges.clone();
    // More than this are rare in one pipeline.
    let edges = told.unwrap_or_else(|| vec!["4xhash".to_owned()]);
    if case.told.workload.batch_shuffle == Some(true) || case.find("execution.runtime-mode").is_some() {
        return None;
    }
    let job = JobPlan::chain(parallelism, Exchange::PipelinedBounded, &edges).ok()?;
    let settings = Settings::new(case.config, case.profile());
    let demand = network_need::demand(&settings, case.slots()?, &job, None).ok()?;
    let segment = case.size("taskmanager.memory.segment-size")?;
    let buffers = demand.wanted?.checked_add(demand.overdraft)?;
    Some((job.vertices.len() - 1, segment.checked_mul(buffers)?, parallelism))
}

#[cfg(test)]
mod tests {
    use crate::check::tried::{codes, find};

    fn text(version: &str, parallelism: u32) -> String {
        format!(
            "# oomph: flink={version} parallelism={parallelism}\ntaskmanager.memory.process.size: 48g\n\
             taskmanager.numberOfTaskSlots: 8\n"
        )
    }

    #[test]
    fn what_shuffles_take_is_said() {
        let finding = find("OOM216", "config.yaml", &text("1.20", 64));
        assert!(finding.notes[0].starts_with("4 shuffles in a row at parallelism 64 can take"), "{finding:?}");
    }

    #[test]
    fn a_wide_job_takes_it() {
        assert!(!codes("config.yaml", &text("1.20", 600)).contains(&"OOM216"));
    }

    #[test]
    fn the_maximum_was_a_gibibyte_before() {
        assert!(!codes("flink-conf.yaml", &text("1.16", 64)).contains(&"OOM216"));
        let set = format!("{}taskmanager.memory.network.fraction: 0.1\n", text("1.20", 64));
        assert!(!codes("config.yaml", &set).contains(&"OOM216"));
    }

    #[test]
    fn without_a_parallelism_nobody_knows() {
        let text = "taskmanager.memory.process.size: 48g\n";
        assert!(!codes("config.yaml", text).contains(&"OOM216"));
        assert!(!codes("config.yaml", &format!("{text}parallelism.default: 1\n")).contains(&"OOM216"));
    }
}
