use crate::check::rule::rule;
use crate::check::{Case, Collector, FixKind, Written};
use crate::model::{Bytes, Component, Role, Severity};
use crate::plan::store::Scope;

rule! {
    /// RocksDB lives in managed memory, and there is none.
    ///
    /// ### Why
    /// Flink hands RocksDB a pool of 0 bytes and does not complain: the block cache holds nothing, so that every read goes
    /// to files, and RocksDB takes a write-buffer manager of 0 bytes for "no limit", so that memtables of all states of
    /// all slots grow into memory that no part of the budget pays for.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 4g
    /// taskmanager.memory.managed.size: 0
    /// state.backend.type: rocksdb
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 4g
    /// taskmanager.memory.managed.size: 1g
    /// state.backend.type: rocksdb
    /// ```
    ///
    /// ### Sources
    /// - `MemoryManager.getSharedMemoryResourceForManagedMemory`, run with a size of 0 on Flink 1.11.4, 1.20.5 and 2.3.0: the
    ///   store's initializer is called with 0, and nothing is thrown.
    /// - RocksDB's `include/rocksdb/write_buffer_manager.h`: a buffer size of 0 means that there is no limit.
    "OOM207" "managed-nothing-for-store" {
        severity: Severity::Error,
        since: Some((1, 10)),
        fix: FixKind::Unsafe,
        check: check,
    }
}

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    let (Some(store), Some(survey)) = (case.store(), case.survey(Role::TaskManager)) else { return };
    if survey.plan.budget.part(Component::Managed).is_none_or(|figure| figure.bytes > Bytes::ZERO) {
        return;
    }
    if case.store_memory(store).is_none_or(|memory| memory.scope != Scope::SlotSharedManaged) {
        return;
    }
    let own = |name: &str| case.find(&format!("taskmanager.memory.managed.{name}")).filter(Written::is_own);
    let Some(set) = own("size").or_else(|| own("fraction")) else { return };
    let title = format!("{} lives in managed memory, and {}: {} leaves none", store.label(), set.key, set.text());
    let mut draft = found.find(title).at(set.place(), "no managed memory");
    if let Some(backend) = case.backend_setting() {
        draft = draft.at(backend.place(), "takes managed memory");
    }
    draft
        .note("a pool of 0 bytes caches no block and puts no limit to memtables")
        .help(format!("take {} out: managed memory is then 40 % of total Flink memory", set.key))
        .unsafe_fix(format!("take {} out", set.key), case.remove(set));
}

#[cfg(test)]
mod tests {
    use crate::check::tried::{codes, find};

    #[test]
    fn forst_is_alike() {
        let text = "# oomph: flink=2.0\ntaskmanager.memory.process.size: 4g\n\
                    taskmanager.memory.managed.fraction: 0\nstate.backend.type: forst\n";
        assert!(find("OOM207", "config.yaml", text).title.starts_with("ForSt lives in managed memory"));
    }

    #[test]
    fn a_pool_of_a_fixed_size_needs_no_managed_memory() {
        let text = "taskmanager.memory.process.size: 4g\ntaskmanager.memory.managed.size: 0\n\
                    state.backend.type: rocksdb\nstate.backend.rocksdb.memory.fixed-per-slot: 512m\n";
        assert!(!codes("config.yaml", text).contains(&"OOM207"));
    }
}
