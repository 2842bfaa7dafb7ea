use crate::check::case::Written;
use crate::check::rule::rule;
use crate::check::{Case, Collector, FixKind};
use crate::model::Role;
use crate::plan::store::Store;

rule! {
    /// Timers are kept on the Java heap though state is not.
    ///
    /// ### Why
    /// Every window and every registered timer of every key is then an object on the heap, which managed memory does not
    /// hold and RocksDB does not spill. With RocksDB each checkpoint also writes all of them anew, in the part for which the
    /// task stands still, whether checkpoints are incremental or not: such timers are raw state, not files of RocksDB. Few
    /// timers are faster on the heap; with many keys it is the heap that ends.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// state.backend.type: rocksdb
    /// state.backend.rocksdb.timer-service.factory: HEAP
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// state.backend.type: rocksdb
    /// state.backend.rocksdb.timer-service.factory: ROCKSDB
    /// ```
    ///
    /// ### Sources
    /// - `RocksDBKeyedStateBackend.requiresLegacySynchronousTimerSnapshots`, Flink 1.9 to 2.3: true for timers on the heap;
    ///   `ForStSyncKeyedStateBackend` says the same.
    /// - `ForStKeyedStateBackend` and `HeapPriorityQueuesManager`, Flink 2.0 to 2.3.
    /// - Timers on the heap may require too large containers:
    ///   https://docs.cloudera.com/csa/1.1.0/configuration/topics/csa-rocksdb-timers.html.
    "OOM417" "heap-timers" {
        fix: FixKind::Unsafe,
        check: check,
    }
}

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    let Some(store) = case.store() else { return };
    let option = case.store_key(store, "timer-service.factory");
    let Some(written) = case.find(&option).filter(Written::is_own) else { return };
    if !written.text().eq_ignore_ascii_case("heap") {
        return;
    }
    let other = match store {
        Store::RocksDb => "ROCKSDB",
        Store::ForSt => "ForStDB",
    };
    let mut draft = found
        .find(format!("{}: {} keeps every timer on the Java heap", written.key, written.text()))
        .at(written.place(), "each timer is an object");
    if let Some(survey) = case.survey(Role::TaskManager) {
        let heap = survey.plan.budget.heap();
        draft = draft.note(format!("the heap has {heap}, which user code and all slots share"));
    }
    if store == Store::RocksDb {
        draft =
            draft.note("each checkpoint writes all timers anew while the task stands still, also an incremental one");
    }
    draft
        .help(format!("set {}: {other}, and restart the job from a savepoint", written.key))
        .unsafe_fix(format!("set {}: {other}", written.key), case.set(written, other));
}

#[cfg(test)]
mod tests {
    use crate::check::tried::{codes, find};

    #[test]
    fn what_nobody_sets_is_no_finding_even_where_it_is_the_default() {
        assert!(!codes("flink-conf.yaml", "# oomph: flink=1.9\nstate.backend: rocksdb\n").contains(&"OOM417"));
        let text = "# oomph: flink=1.9\nstate.backend: rocksdb\nstate.backend.rocksdb.timer-service.factory: heap\n";
        assert!(codes("flink-conf.yaml", text).contains(&"OOM417"));
    }

    #[test]
    fn forst_has_a_name_of_its_own() {
        let text = "# oomph: flink=2.2\ntaskmanager.memory.process.size: 4g\nstate.backend.type: forst\n\
                    state.backend.forst.timer-service.factory: HEAP\n";
        let finding = find("OOM417", "config.yaml", text);
        assert!(finding.help.unwrap().contains("ForStDB") && finding.notes.len() == 1);
    }

    #[test]
    fn the_other_stores_timers_do_not_matter() {
        let text = "# oomph: flink=2.2\nstate.backend.type: forst\nstate.backend.rocksdb.timer-service.factory: HEAP\n";
        assert!(!codes("config.yaml", text).contains(&"OOM417"));
    }
}
