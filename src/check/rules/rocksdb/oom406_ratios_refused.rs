use super::stores;
use crate::check::rule::rule;
use crate::check::{Case, Collector};
use crate::model::Severity;
use crate::plan::store::check_ratios;

rule! {
    /// Memtables and high-priority pool leave nothing of the cache, which Flink refuses.
    ///
    /// ### Why
    /// Memtables are charged to the cache: with a write-buffer ratio r they may take 2r / (3 - r) of it, the
    /// high-priority pool its own ratio of it. Where the two come to 1 or more nothing is left for data, and Flink
    /// throws when it builds the backend: a job fails although its processes have started. It does so even where there
    /// is no pool.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// state.backend.type: rocksdb
    /// state.backend.rocksdb.memory.write-buffer-ratio: 0.9
    /// state.backend.rocksdb.memory.high-prio-pool-ratio: 0.3
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// state.backend.type: rocksdb
    /// state.backend.rocksdb.memory.write-buffer-ratio: 0.6
    /// state.backend.rocksdb.memory.high-prio-pool-ratio: 0.3
    /// ```
    ///
    /// ### Sources
    /// - `RocksDBMemoryConfiguration.validate`, Flink 1.10 to 2.3; `ForStMemoryConfiguration.validate`, Flink 2.0 to
    ///   2.3.
    "OOM406" "ratios-refused" {
        severity: Severity::Error,
        since: Some((1, 10)),
        check: check,
    }
}

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    for &store in stores::possible(case) {
        let rests = ["memory.write-buffer-ratio", "memory.high-prio-pool-ratio"];
        let written = rests.map(|rest| stores::written(case, store, rest));
        if written.iter().all(Option::is_none) {
            continue;
        }
        let [writes, priority] = rests.map(|rest| case.number(&case.store_key(store, rest)));
        let (Some(writes), Some(priority)) = (writes, priority) else { continue };
        let Err(rejection) = check_ratios(writes, priority) else { continue };
        let mut draft = found.find(format!("Flink refuses to build the {} backend with these ratios", store.label()));
        for written in written.iter().flatten() {
            draft = draft.at(written.place(), "");
        }
        draft = draft.note(rejection.exception.message.clone()).note(format!(
            "2 x {writes} / (3 - {writes}) + {priority} is {:.3}, and must be below 1",
            2.0 * writes / (3.0 - writes) + priority
        ));
        let below = 3.0 * (1.0 - priority) / (3.0 - priority);
        draft.help(if (0.0..1.0).contains(&priority) {
            format!("with a high-prio-pool-ratio of {priority}, set a write-buffer-ratio below {below:.3}")
        } else {
            "set a high-prio-pool-ratio below 1".to_owned()
        });
    }
}

#[cfg(test)]
mod tests {
    use crate::check::tried::{codes, find};

    #[test]
    fn one_ratio_is_compared_with_the_others_default() {
        let text = "state.backend.rocksdb.memory.high-prio-pool-ratio: 0.6\n";
        let finding = find("OOM406", "config.yaml", text);
        assert_eq!(finding.notes[0], "Invalid configuration: writeBufferRatio 0.5 with highPriPoolRatio 0.6");
        assert_eq!(finding.notes[1], "2 x 0.5 / (3 - 0.5) + 0.6 is 1.000, and must be below 1");
        assert!(!codes("config.yaml", &text.replace("0.6", "0.59")).contains(&"OOM406"));
    }

    #[test]
    fn the_help_names_the_ratio_that_ends_it() {
        let finding = find("OOM406", "config.yaml", "state.backend.rocksdb.memory.write-buffer-ratio: 0.95\n");
        assert!(finding.help.unwrap().ends_with("below 0.931"));
        assert!(!codes("config.yaml", "state.backend.rocksdb.memory.write-buffer-ratio: 0.93\n").contains(&"OOM406"));
    }

    #[test]
    fn a_ratio_behind_a_placeholder_or_in_1_9_is_not_judged() {
        let text = "state.backend.rocksdb.memory.write-buffer-ratio: 0.95\n";
        let hidden = format!("{text}state.backend.rocksdb.memory.high-prio-pool-ratio: ${{RATIO}}\n");
        assert!(!codes("config.yaml", &hidden).contains(&"OOM406"));
        assert!(!codes("flink-conf.yaml", &format!("# oomph: flink=1.9\n{text}")).contains(&"OOM406"));
    }

    #[test]
    fn forst_is_as_strict() {
        let text = "# oomph: flink=2.2\nstate.backend.type: forst\nstate.backend.forst.memory.write-buffer-ratio: 1\n";
        assert!(find("OOM406", "config.yaml", text).title.contains("ForSt"));
    }
}
