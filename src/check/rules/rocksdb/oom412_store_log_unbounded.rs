use super::stores;
use crate::check::rule::rule;
use crate::check::{Case, Collector};
use crate::model::Bytes;

rule! {
    /// RocksDB writes a log that nothing ends.
    ///
    /// ### Why
    /// Each database writes a `LOG` of its own: events of every flush and compaction with INFO_LEVEL, far more with
    /// DEBUG_LEVEL. Where a file may grow without end it fills the disk of a long job, the one with the state, or the
    /// one of Flink's logs where it lies from 1.15 on. 0 as `log.max-file-size` means one file without end. Flink 1.13
    /// has no such option and 1.14 no default; both write nothing but a header as long as `log.level` is left alone.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// state.backend.type: rocksdb
    /// state.backend.rocksdb.log.max-file-size: 0
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// state.backend.type: rocksdb
    /// state.backend.rocksdb.log.max-file-size: 25mb
    /// ```
    ///
    /// ### Sources
    /// - The descriptions of `RocksDBConfigurableOptions.LOG_LEVEL` and `LOG_MAX_FILE_SIZE`, Flink 1.13 to 2.3:
    ///   "long-running tasks may lead to uncontrolled disk space usage"; "if 0, all logs will be written to one log
    ///   file".
    "OOM412" "store-log-unbounded" {
        since: Some((1, 13)),
        check: check,
    }
}

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    for &store in stores::possible(case) {
        let level = stores::written(case, store, "log.level");
        let name = level.map(|level| level.text().to_uppercase());
        // Levels above these tell of errors alone.
        let speaks = |name: &str| name.starts_with("DEBUG") || name.starts_with("INFO");
        let key = case.store_key(store, "log.max-file-size");
        if case.is_hidden(&key) {
            continue;
        }
        let size = stores::written(case, store, "log.max-file-size");
        let no_default = case.option(&key).is_none_or(|row| row.default.is_none());
        let endless = match size {
            Some(size) => Bytes::parse_flink(&size.text()) == Ok(Bytes::ZERO),
            None => no_default,
        };
        let told = match &name {
            Some(name) => speaks(name),
            // Up to 1.14 Flink's own level is HEADER_LEVEL, from 1.15 on INFO_LEVEL.
            None => !no_default && !case.is_hidden(&case.store_key(store, "log.level")),
        };
        let Some(first) = size.or(level).filter(|_| endless && told) else { continue };
        let mut draft = found.find(format!("the log of every {} database grows without end", store.label()));
        let text = if size.is_some() { "0 is one file without end" } else { "no file has an end" };
        draft = draft.at(first.place(), text);
        if let Some(level) = level.filter(|_| size.is_some()) {
            draft = draft.at(level.place(), "what is written");
        }
        if let Some(directory) = stores::written(case, store, "log.dir") {
            draft = draft.at(directory.place(), "where it is written");
        }
        draft.note("every operator with keyed state has a database in each slot").help(
            if case.option(&key).is_some() {
                format!("set {key}: 25mb, with {}: 4", case.store_key(store, "log.file-num"))
            } else {
                format!("take {} out once you have seen what you were after", case.store_key(store, "log.level"))
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use crate::check::tried::{codes, find};

    const LEVEL: &str = "state.backend.rocksdb.log.level: INFO_LEVEL\n";

    #[test]
    fn before_there_was_a_default_size_the_level_alone_makes_it_endless() {
        for version in ["1.13", "1.14"] {
            assert!(codes("flink-conf.yaml", &format!("# oomph: flink={version}\n{LEVEL}")).contains(&"OOM412"));
        }
        assert!(!codes("flink-conf.yaml", &format!("# oomph: flink=1.15\n{LEVEL}")).contains(&"OOM412"));
        let sized = format!("# oomph: flink=1.14\n{LEVEL}state.backend.rocksdb.log.max-file-size: 10mb\n");
        assert!(!codes("flink-conf.yaml", &sized).contains(&"OOM412"));
    }

    #[test]
    fn a_log_of_errors_alone_may_be_one_file() {
        let text = "# oomph: flink=1.20\nstate.backend.rocksdb.log.max-file-size: 0\n\
                    state.backend.rocksdb.log.level: X\n";
        for level in ["HEADER_LEVEL", "ERROR_LEVEL"] {
            assert!(!codes("config.yaml", &text.replace('X', level)).contains(&"OOM412"), "{level}");
        }
        assert_eq!(find("OOM412", "config.yaml", &text.replace('X', "DEBUG_LEVEL")).labels.len(), 2);
    }

    #[test]
    fn the_help_of_1_13_names_no_option_that_it_does_not_have() {
        let finding = find("OOM412", "flink-conf.yaml", &format!("# oomph: flink=1.13\n{LEVEL}"));
        assert!(finding.help.unwrap().starts_with("take state.backend.rocksdb.log.level out"));
    }
}
