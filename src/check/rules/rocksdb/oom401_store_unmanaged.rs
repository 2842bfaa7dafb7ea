use super::stores;
use crate::check::policy::threshold;
use crate::check::rule::rule;
use crate::check::{Case, Collector};
use crate::model::Severity;

rule! {
    /// RocksDB takes its memory from nobody's budget.
    ///
    /// ### Why
    /// With `memory.managed: false` and no fixed size, every state of every slot has memtables and a block cache of its own,
    /// and index and filter blocks lie outside of any cache. What that comes to grows with states x slots; nothing bounds it,
    /// and no part of Flink's budget pays for it. Flink 1.9 and a job that builds its own backend behave the same.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 8g
    /// taskmanager.numberOfTaskSlots: 4
    /// state.backend.type: rocksdb
    /// state.backend.rocksdb.memory.managed: false
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 8g
    /// taskmanager.numberOfTaskSlots: 4
    /// state.backend.type: rocksdb
    /// state.backend.rocksdb.memory.managed: true
    /// ```
    ///
    /// ### Sources
    /// - `RocksDBMemoryConfiguration` and `RocksDBResourceContainer`, Flink 1.10 to 2.3.
    /// - Flink's large_state_tuning page: about 140 MB for each state in each slot.
    /// - Thread: https://github.com/apache/flink/pull/10449.
    "OOM401" "store-unmanaged" {
        severity: Severity::Error,
        since: Some((1, 10)),
        check: check,
    }
}

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    let Some((store, written)) = stores::unmanaged(case) else { return };
    let large = case.policy.size(&threshold::UNMANAGED_STATE_LARGE);
    // Where it grows with the state, another rule says so with the same numbers.
    if stores::growth(case, store, large).is_some() {
        return;
    }
    let mut draft =
        found.find(format!("{} takes its memory from nobody's budget", store.label())).at(written.place(), "no pool");
    for note in stores::bound(case, store) {
        draft = draft.note(note);
    }
    let family = case.store_memory(store).and_then(|memory| memory.column_family.as_ref());
    if let Some(place) = family.and_then(|family| stores::place(&family.write_buffer.provenance)) {
        draft = draft.at(place, "one memtable");
    }
    draft.help("take the line out: managed memory then holds cache and memtables of each slot");
}

#[cfg(test)]
mod tests {
    use crate::check::tried::{codes, find};

    #[test]
    fn the_bound_is_states_times_slots() {
        let text = "# oomph: flink=1.20 states=3\ntaskmanager.memory.process.size: 8g\ntaskmanager.numberOfTaskSlots: 4\n\
                    state.backend.type: rocksdb\nstate.backend.rocksdb.memory.managed: false\n";
        let finding = find("OOM401", "config.yaml", text);
        assert!(finding.notes[1].contains("1632 MiB for 3 states"), "{finding:?}");
    }

    #[test]
    fn a_fixed_size_is_a_bound() {
        let text = "state.backend.type: rocksdb\nstate.backend.rocksdb.memory.managed: false\n\
                    state.backend.rocksdb.memory.fixed-per-slot: 256mb\n";
        assert!(!codes("config.yaml", text).contains(&"OOM401"));
    }
}
