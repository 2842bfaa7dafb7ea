use super::stores;
use crate::check::policy::threshold;
use crate::check::rule::rule;
use crate::check::{Case, Collector};
use crate::model::{Bytes, Component, Limit, Role, Severity};
use crate::plan::store::Scope;

rule! {
    /// A store's fixed memory stands in no budget, and the process has no room for it.
    ///
    /// ### Why
    /// `memory.fixed-per-slot` and `memory.fixed-per-tm` are native memory beside everything that Flink plans. Managed
    /// memory is set aside all the same and holds nothing of the store; where nobody else uses it, it lies idle and is
    /// the first to pay. JVM overhead and task off-heap pay the rest, and need their own. What is left over is more
    /// than the container. A size of 0 is a pool of nothing, not "none": no block is cached, and nothing bounds the
    /// memtables.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 4g
    /// taskmanager.numberOfTaskSlots: 4
    /// state.backend.type: rocksdb
    /// state.backend.rocksdb.memory.fixed-per-slot: 1gb
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 4g
    /// taskmanager.numberOfTaskSlots: 4
    /// state.backend.type: rocksdb
    /// state.backend.rocksdb.memory.managed: true
    /// ```
    ///
    /// ### Sources
    /// - `RocksDBSharedResourcesFactory`, Flink 1.17 to 2.3; `RocksDBOperationUtils.allocateSharedCachesIfConfigured`,
    ///   Flink 1.10 to 1.16: a fixed size is allocated without reserving managed memory.
    /// - Thread: https://github.com/apache/flink/pull/21264 (`fixed-per-tm`).
    /// - Measured with the RocksDB in flink-dist 1.20.5 and 2.3.0: with a write-buffer manager of 0, memtables grow to
    ///   `writebuffer.size`; a cache of 0 caches nothing.
    "OOM403" "fixed-over-budget" {
        severity: Severity::Error,
        since: Some((1, 10)),
        check: check,
    }
}

/// `TaskManagerOptions.JVM_OVERHEAD_MIN`: what Flink leaves a JVM at least where nobody says otherwise.
const JVM_OVERHEAD_MIN: Bytes = Bytes::mib(192);

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    let Some(store) = case.store() else { return };
    let Some(memory) = case.store_memory(store) else { return };
    let Some(pool) = &memory.pool else { return };
    let (Some(survey), Some(slots)) = (case.survey(Role::TaskManager), case.slots()) else { return };
    let (rest, pools) = match memory.scope {
        Scope::SlotSharedUnmanaged => ("memory.fixed-per-slot", slots),
        Scope::TmSharedUnmanaged => ("memory.fixed-per-tm", 1),
        Scope::SlotSharedManaged | Scope::None => return,
    };
    let Some(written) = stores::written(case, store, rest) else { return };
    let key = written.key;
    if pool.total.bytes == Bytes::ZERO {
        found
            .find(format!("{key} is 0, which gives {} a pool of nothing", store.label()))
            .at(written.place(), "not the same as leaving it out")
            .note("no block is cached, and nothing bounds the memtables of a slot together")
            .help("take the line out");
        return;
    }
    let sum = pool.total.bytes.checked_mul(u64::from(pools)).unwrap_or(Bytes::FLINK_MAX);
    let budget = &survey.plan.budget;
    let managed = match case.told.workload.python {
        Some(true) => Bytes::ZERO,
        _ => budget.size(Component::Managed),
    };
    let (overhead, off_heap) = (budget.size(Component::JvmOverhead), budget.size(Component::TaskOffHeap));
    let beyond = match survey.container.as_ref().map(|container| container.limit) {
        Ok(Limit::AtMost(limit)) => limit.checked_sub(budget.total_process().bytes).unwrap_or(Bytes::ZERO),
        _ => Bytes::ZERO,
    };
    let room = Bytes::checked_sum([managed, overhead, off_heap, beyond]).unwrap_or(Bytes::FLINK_MAX);
    let what = if pools > 1 { format!("{pools} x {} = {sum}", pool.total.bytes) } else { sum.to_string() };
    let mut payers = format!("there is room in managed {managed}, JVM overhead {overhead}, task off-heap {off_heap}");
    if beyond > Bytes::ZERO {
        payers += &format!(", the container beyond the process {beyond}");
    }
    let fits = room.checked_sub(JVM_OVERHEAD_MIN).unwrap_or(Bytes::ZERO).whole_mib() / u64::from(pools.max(1));
    let or = if fits > 0 { format!(", or set {key}: {fits}mb at most") } else { String::new() };
    let instead = format!("take the line out, so that managed memory holds the store{or}");
    let title = |verb: &str| format!("{key} {verb}: {what} stand in no budget");
    match room.checked_sub(sum) {
        None => {
            let short = sum.checked_sub(room).unwrap_or(Bytes::ZERO);
            found
                .find(title("is more than the process has room for"))
                .at(written.place(), format!("{sum} outside of every budget"))
                .note(payers)
                .note(format!("{short} are missing when the pools are full"))
                .help(instead);
        }
        Some(left) if left < JVM_OVERHEAD_MIN => {
            found
                .find(title("leaves the JVM nothing to speak of"))
                .severity(Severity::Warning)
                .at(written.place(), format!("{sum} outside of every budget"))
                .note(payers)
                .note(format!("{left} are left for stacks, code and collector; Flink's least is {JVM_OVERHEAD_MIN}"))
                .help(instead);
        }
        Some(_) => {
            let idle = managed.checked_sub(sum).unwrap_or(Bytes::ZERO);
            if idle >= case.policy.size(&threshold::FIXED_IDLE_MANAGED) {
                found
                    .find(format!("{idle} of managed memory lie idle beside {key}"))
                    .severity(Severity::Warning)
                    .at(written.place(), format!("{what} for {}", store.label()))
                    .note(format!("managed memory is {managed}, and {} takes nothing of it", store.label()))
                    .note("batch operators and Python would still use it")
                    .help("take the line out, so that managed memory holds the store, or set a managed.size of less");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::check::tried::{codes, find};
    use crate::model::Severity;

    fn with(lines: &str) -> String {
        format!(
            "# oomph: flink=1.20\ntaskmanager.memory.process.size: 8g\ntaskmanager.numberOfTaskSlots: 2\n\
             state.backend.type: rocksdb\n{lines}"
        )
    }

    #[test]
    fn the_sum_of_all_slots_counts_and_what_is_missing_is_said() {
        let text = with("state.backend.rocksdb.memory.fixed-per-slot: 4gb\n");
        let finding = find("OOM403", "config.yaml", &text);
        assert_eq!(finding.severity, Severity::Error);
        assert!(finding.title.contains("2 x 4 GiB = 8 GiB"), "{finding:?}");
        assert!(finding.help.unwrap().ends_with("fixed-per-slot: 1736mb at most"));
        assert!(codes("config.yaml", &text.replace("4gb", "1737mb")).contains(&"OOM403"));
        assert!(!codes("config.yaml", &text.replace("4gb", "1736mb")).contains(&"OOM403"));
    }

    #[test]
    fn one_pool_for_the_taskmanager_counts_once() {
        let one = "state.backend.rocksdb.memory.managed: false\nstate.backend.rocksdb.memory.fixed-per-tm: 3gb\n";
        assert!(!codes("config.yaml", &with(one)).contains(&"OOM403"));
        let finding = find("OOM403", "config.yaml", &with(&one.replace("3gb", "5gb")));
        assert!(finding.title.contains("5 GiB stand"), "{finding:?}");
    }

    #[test]
    fn overhead_that_was_made_large_enough_pays() {
        let fixed = "taskmanager.memory.managed.size: 0\nstate.backend.rocksdb.memory.fixed-per-slot: 1gb\n";
        assert_eq!(find("OOM403", "config.yaml", &with(fixed)).severity, Severity::Error);
        let overhead = "taskmanager.memory.jvm-overhead";
        let paid = format!("{fixed}{overhead}.min: 3gb\n{overhead}.max: 3gb\n");
        assert!(!codes("config.yaml", &with(&paid)).contains(&"OOM403"));
        let tight = paid.replace("3gb", "2100mb");
        assert_eq!(find("OOM403", "config.yaml", &with(&tight)).severity, Severity::Warning);
    }

    #[test]
    fn managed_memory_far_above_the_fixed_size_lies_idle() {
        let finding = find("OOM403", "config.yaml", &with("state.backend.rocksdb.memory.fixed-per-slot: 256mb\n"));
        assert_eq!(finding.severity, Severity::Warning);
        assert!(finding.title.contains("lie idle"), "{finding:?}");
    }

    #[test]
    fn python_workers_use_managed_memory_so_that_it_pays_nothing() {
        let text = with("state.backend.rocksdb.memory.fixed-per-slot: 1gb\n").replace("1.20", "1.20 python=true");
        assert_eq!(find("OOM403", "config.yaml", &text).severity, Severity::Error);
    }

    #[test]
    fn a_size_of_0_is_a_pool_of_nothing() {
        let finding = find("OOM403", "config.yaml", &with("state.backend.rocksdb.memory.fixed-per-slot: 0\n"));
        assert!(finding.title.contains("pool of nothing"), "{finding:?}");
    }
}
