use super::total::total;
use crate::check::rule::rule;
use crate::check::{Case, Collector, Written};
use crate::model::{Bytes, Component, Role, Severity};
use crate::plan::store::Scope;

rule! {
    /// A slot's share of managed memory is too small for the states that RocksDB keeps in it.
    ///
    /// ### Why
    /// Every state that is written to has a memtable, and a memtable takes memory by the arena block: 8 MiB at a time with
    /// the RocksDB of Flink up to 1.20, 1 MiB with that of 2.x. When the blocks alone reach the limit at which RocksDB
    /// flushes, 7/8 of the write-buffer manager, it flushes tables that are all but empty, and compacts what comes of it, for
    /// as long as the job runs. One state fits into a share that several do not.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20 states=12
    /// taskmanager.memory.process.size: 4g
    /// taskmanager.numberOfTaskSlots: 8
    /// state.backend.type: rocksdb
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20 states=12
    /// taskmanager.memory.process.size: 4g
    /// taskmanager.numberOfTaskSlots: 2
    /// state.backend.type: rocksdb
    /// ```
    ///
    /// ### Sources
    /// - `RocksDBMemoryControllerUtils.calculateRocksDBMutableLimit` and `validateArenaBlockSize`, Flink 1.12 to 2.3, which ask
    ///   the same of one state.
    /// - RocksDB's `SanitizeOptions` in `db/column_family.cc`: an arena block is 1/8 of a memtable, from 6.21 at most 1 MiB.
    /// - Our measurements: `arena_block_size` in RocksDB's LOG is 8388608 under Flink 1.20.5 and 1048576 under 2.3.0; with the
    ///   RocksDB of 1.20.5 under a manager of 30 MiB, where 3 blocks fit, 5,000 writes to 3 databases take 0.5 s, to 4
    ///   databases 19 s and 1,802 files.
    /// - Thread: https://github.com/apache/flink/pull/13393.
    "OOM208" "slot-share-small" {
        severity: Severity::Warning,
        since: Some((1, 10)),
        check: check,
    }
}

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    let Some(states) = case.told.workload.states.filter(|states| *states > 1) else { return };
    let (Some(store), Some(slots)) = (case.store(), case.slots()) else { return };
    let of_a_slot = [Scope::SlotSharedManaged, Scope::SlotSharedUnmanaged];
    let Some(memory) = case.store_memory(store).filter(|memory| of_a_slot.contains(&memory.scope)) else { return };
    let Some(pool) = &memory.pool else { return };
    let limit = Bytes::new(u64::try_from(pool.sizes.mutable_limit).unwrap_or(0));
    let arena = pool.real_arena_block;
    let Some(all) = arena.checked_mul(states.into()) else { return };
    // What is too little for one state is Flink's own check.
    if all <= limit || arena > limit {
        return;
    }
    let title = format!("{states} states do not fit into a slot's {} of {}", pool.total.bytes, store.label());
    let own = |key: &str| case.find(key).filter(Written::is_own);
    let managed = ["taskmanager.memory.managed.size", "taskmanager.memory.managed.fraction"];
    let managed = managed.iter().find_map(|key| own(key));
    let mut draft = found.find(title);
    if let Some(written) = own("taskmanager.numberOfTaskSlots") {
        draft = draft.at(written.place(), format!("managed memory is divided by {slots}"));
    }
    if let Some(written) = managed.or_else(|| total(case, Role::TaskManager)) {
        draft = draft.at(written.place(), "managed memory comes from here");
    }
    draft = draft
        .note(format!("each state that is written to takes an arena block of {arena}, {states} of them {all}"))
        .note(format!("{} flushes when {limit} are taken, 7/8 of its write-buffer manager", store.label()));
    // limit = 7/8 x 2/3 x ratio x pool
    let ratio = pool.write_buffer_ratio.value;
    let enough = (all.get() as f64 * 12.0 / 7.0 / ratio).ceil();
    if enough.is_finite()
        && let Some(bytes) = Bytes::new(enough as u64).round_up_to(Bytes::mib(1))
    {
        let managed = case.survey(Role::TaskManager).map(|survey| survey.plan.budget.size(Component::Managed));
        draft.help(format!(
            "have fewer slots, or at least {bytes} of managed memory for each{}",
            managed.map(|managed| format!("; there are {managed} in all")).unwrap_or_default()
        ));
    }
}

#[cfg(test)]
mod tests {
    use crate::check::tried::{codes, find};

    fn text(version: &str, states: u32, slots: u32) -> String {
        format!(
            "# oomph: flink={version} states={states}\ntaskmanager.memory.process.size: 4g\n\
             taskmanager.numberOfTaskSlots: {slots}\nstate.backend.type: rocksdb\n"
        )
    }

    #[test]
    fn the_blocks_of_2_x_are_smaller() {
        let finding = find("OOM208", "config.yaml", &text("1.20", 8, 8));
        assert!(finding.notes[0].contains("8 MiB, 8 of them 64 MiB"), "{finding:?}");
        assert!(!codes("config.yaml", &text("2.0", 8, 8)).contains(&"OOM208"));
        assert!(codes("config.yaml", &text("2.0", 60, 8)).contains(&"OOM208"));
    }

    #[test]
    fn what_is_proposed_is_enough() {
        let finding = find("OOM208", "config.yaml", &text("1.20", 8, 8));
        let help = finding.help.unwrap();
        let mib: u64 = help.split("at least ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
        let with = |mib: u64| format!("{}taskmanager.memory.managed.size: {}m\n", text("1.20", 8, 1), mib);
        assert!(!codes("config.yaml", &with(mib)).contains(&"OOM208"));
        assert!(codes("config.yaml", &with(mib - 1)).contains(&"OOM208"));
    }

    #[test]
    fn what_one_state_does_not_fit_into_is_another_rule() {
        let with = |version: &str| format!("{}taskmanager.memory.managed.size: 20m\n", text(version, 30, 1));
        assert!(!codes("config.yaml", &with("1.20")).contains(&"OOM208"));
        assert!(codes("config.yaml", &with("2.0")).contains(&"OOM208"));
    }

    #[test]
    fn it_needs_to_be_told_of_the_states() {
        let text = text("1.20", 8, 8).replace(" states=8", "");
        assert!(!codes("config.yaml", &text).contains(&"OOM208"));
    }
}
