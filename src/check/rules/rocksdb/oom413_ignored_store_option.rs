use super::stores;
use crate::check::rule::rule;
use crate::check::{Case, Collector, Written};
use crate::model::{Confidence, Place};
use crate::plan::store::Store;

rule! {
    /// An option of a store is set that the store does not follow.
    ///
    /// ### Why
    /// RocksDB merges at most one memtable less than `writebuffer.count`, 2 by default: it takes a larger
    /// `writebuffer.number-to-merge` down without a word, and with 2 nothing is merged at all.
    ///
    /// Up to Flink 1.14 it is `DefaultConfigurableOptionsFactory` that reads sizes, threads and files from the
    /// configuration. An `options-factory` of one's own takes its place: unless it extends that class, those options
    /// are not read.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// state.backend.type: rocksdb
    /// state.backend.rocksdb.writebuffer.number-to-merge: 2
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// state.backend.type: rocksdb
    /// state.backend.rocksdb.writebuffer.number-to-merge: 2
    /// state.backend.rocksdb.writebuffer.count: 4
    /// ```
    ///
    /// ### Sources
    /// - Measured with the RocksDB in flink-dist 1.20.5 and 2.3.0: 60 MB through memtables of 8 MiB, 2 to merge, make 7
    ///   files with a count of 2, as without merging, and 3 files with a count of 3.
    /// - `EmbeddedRocksDBStateBackend.configureOptionsFactory` and `DefaultConfigurableOptionsFactory.configure`, Flink
    ///   1.9 to 1.14; FLINK-24046 changed it in 1.15: https://github.com/apache/flink/pull/17874.
    "OOM413" "ignored-store-option" {
        check: check,
    }
}

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    for &store in stores::possible(case) {
        merge(case, found, store);
    }
    factory(case, found);
}

fn merge(case: &Case<'_>, found: &mut Collector<'_>, store: Store) {
    let Some(written) = stores::written(case, store, "writebuffer.number-to-merge") else { return };
    let Ok(merge) = written.text().parse::<u64>() else { return };
    let Some(count) = stores::write_buffers(case, store) else { return };
    let most = count.saturating_sub(1).max(1);
    if merge <= most {
        return;
    }
    let key = case.store_key(store, "writebuffer.count");
    let what = if most == 1 { "nothing is merged".to_owned() } else { format!("at most {most} are merged") };
    let mut draft = found
        .find(format!("{} is {merge}, and of {count} memtables {what}", written.key))
        .at(written.place(), format!("taken down to {most}"));
    if let Some(count) = stores::written(case, store, "writebuffer.count") {
        draft = draft.at(count.place(), "one more than may be merged");
    }
    draft.help(format!("set {key}: {} as well, which takes that many more memtables, or take the line out", merge + 1));
}

/// `RocksDBOptions.OPTIONS_FACTORY` up to 1.14.
const DEFAULT_FACTORY: &str = "org.apache.flink.contrib.streaming.state.DefaultConfigurableOptionsFactory";

fn factory(case: &Case<'_>, found: &mut Collector<'_>) {
    if case.profile().version().line() > (1, 14) || !stores::possible(case).contains(&Store::RocksDb) {
        return;
    }
    let Some(factory) = stores::written(case, Store::RocksDb, "options-factory") else { return };
    if factory.text().eq_ignore_ascii_case(DEFAULT_FACTORY) {
        return;
    }
    let read = |written: &Written<'_>| {
        let declared = case.option(written.key).map(|row| row.source);
        // The backend itself reads `WRITE_BATCH_SIZE`, the factory everything else of this class.
        declared.is_some_and(|declared| declared.starts_with("RocksDBConfigurableOptions."))
            && !written.key.ends_with(".write-batch-size")
    };
    let with_prefix = case.config.with_prefix("state.backend.rocksdb.");
    let mut lost: Vec<(&str, &Place)> = with_prefix
        .map(|(key, setting)| Written { key, setting })
        .filter(|written| written.is_own() && read(written))
        .map(|written| (written.key, &written.setting.place))
        .collect();
    if lost.is_empty() {
        return;
    }
    lost.sort_by_key(|(_, place)| place.position.map_or(u32::MAX, |position| position.line));
    let count = lost.len();
    let mut draft = found
        .find(format!("an options-factory stands in the way of {count} options that only the default one reads"))
        .confidence(Confidence::Medium)
        .at(factory.place(), "takes the place of the default");
    for (key, place) in lost {
        draft = draft.at(place, format!("{key} is not read"));
    }
    draft
        .note(format!("unless the class extends {DEFAULT_FACTORY}"))
        .help("let the class extend it and call super, or set in it what you want");
}

#[cfg(test)]
mod tests {
    use crate::check::tried::{codes, find};

    #[test]
    fn predefined_options_with_four_memtables_may_merge_three() {
        let text = "# oomph: flink=1.20\nstate.backend.rocksdb.predefined-options: SPINNING_DISK_OPTIMIZED_HIGH_MEM\n\
                    state.backend.rocksdb.writebuffer.number-to-merge: 3\n";
        assert!(!codes("config.yaml", text).contains(&"OOM413"));
        let finding = find("OOM413", "config.yaml", &text.replace("merge: 3", "merge: 4"));
        assert!(finding.title.ends_with("of 4 memtables at most 3 are merged"), "{finding:?}");
    }

    #[test]
    fn a_count_behind_a_placeholder_is_not_the_default() {
        let text = "state.backend.rocksdb.writebuffer.number-to-merge: 2\n\
                    state.backend.rocksdb.writebuffer.count: ${N}\n";
        assert!(!codes("config.yaml", text).contains(&"OOM413"));
    }

    #[test]
    fn a_factory_of_ones_own_hides_options_up_to_1_14() {
        let text = "# oomph: flink=1.14\nstate.backend.rocksdb.options-factory: com.example.Options\n\
                    state.backend.rocksdb.writebuffer.size: 128mb\nstate.backend.rocksdb.memory.managed: true\n\
                    state.backend.rocksdb.write-batch-size: 4mb\n";
        let finding = find("OOM413", "flink-conf.yaml", text);
        assert_eq!(finding.labels.len(), 2, "{finding:?}");
        assert!(finding.labels[1].text.starts_with("state.backend.rocksdb.writebuffer.size"));
        assert!(!codes("flink-conf.yaml", &text.replace("1.14", "1.15")).contains(&"OOM413"));
        let default = "org.apache.flink.contrib.streaming.state.DefaultConfigurableOptionsFactory";
        assert!(!codes("flink-conf.yaml", &text.replace("com.example.Options", default)).contains(&"OOM413"));
    }
}
