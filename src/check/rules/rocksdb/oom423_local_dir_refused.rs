use super::local_directories;
use crate::check::case::Written;
use crate::check::rule::rule;
use crate::check::{Case, Collector, FixKind};
use crate::model::Severity;
use crate::plan::store::Store;

rule! {
    /// Flink refuses the store's local directories.
    ///
    /// ### Why
    /// The option is a list of absolute paths. Flink splits it at commas, bars and colons and trims nothing, so that
    /// `file:///data` becomes `file` and `///data`, and a blank behind a comma makes the next path a relative one. A
    /// relative path is refused, and no job with this store starts.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// state.backend.type: rocksdb
    /// state.backend.rocksdb.localdir: file:///data/rocksdb
    /// ```
    ///
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// state.backend.type: rocksdb
    /// state.backend.rocksdb.localdir: /data1/rocksdb, /data2/rocksdb
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// state.backend.type: rocksdb
    /// state.backend.rocksdb.localdir: /data1/rocksdb,/data2/rocksdb
    /// ```
    ///
    /// ### Sources
    /// - `RocksDBStateBackend` (1.9 to 1.12), `EmbeddedRocksDBStateBackend` (1.13 to 2.3) and `ForStStateBackend` (2.0 to
    ///   2.3): the constructor that reads the configuration, and `setDbStoragePaths`.
    "OOM423" "local-dir-refused" {
        severity: Severity::Error,
        fix: FixKind::Safe,
        check: check,
    }
}

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    let Some(store) = case.store() else { return };
    let Some(written) = case.find(local_directories::option(store)).filter(Written::is_own) else { return };
    let text = written.text();
    // On Windows the colon does not part; what becomes of a list of YAML's is another matter.
    if text.trim().is_empty() || text.contains('\\') || text.starts_with('[') {
        return;
    }
    let list = text.trim_end_matches([',', '|', ':']);
    let Some(refused) = local_directories::parts(list).find(|part| !part.starts_with('/')) else { return };
    let refused = if refused.is_empty() { "an empty path".to_owned() } else { format!("`{refused}`") };
    let draft = found
        .find(format!("Flink refuses {}: {refused} in it is no absolute path", written.key))
        .at(written.place(), "absolute paths only")
        .note(format!("Flink says: {}", message(store)));
    let meant: Option<Vec<String>> = list.split([',', '|']).map(|part| meant(part.trim())).collect();
    match meant.map(|meant| meant.join(",")) {
        Some(value) => draft
            .help(format!("set {}: {value}", written.key))
            .safe_fix(format!("set {}: {value}", written.key), case.set(written, &value)),
        None => {
            draft.help("write absolute paths of the TaskManager's own disks, with commas and no blanks between them")
        }
    };
}

fn message(store: Store) -> String {
    let name = store.label();
    format!(
        "Invalid configuration for {name} state backend's local storage directories: Relative paths are not supported"
    )
}

/// The path that somebody meant.
fn meant(part: &str) -> Option<String> {
    let bare = part.strip_prefix("file:").unwrap_or(part);
    local_directories::absolute(bare).filter(|path| !path.contains(':'))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use crate::check::tried::{codes, find};

    #[rstest]
    #[case("/a|/b", false)]
    #[case("/a:/b", false)]
    #[case("/a,", false)]
    #[case("/a, /b", true)]
    #[case("data/rocksdb", true)]
    #[case("hdfs://name/rocksdb", true)]
    #[case("'C:\\flink'", false)]
    #[case("${DIR}", false)]
    #[case("[/a, /b]", false)]
    fn a_relative_path_is_refused(#[case] value: &str, #[case] expected: bool) {
        let text =
            format!("# oomph: flink=1.20\nstate.backend.type: rocksdb\nstate.backend.rocksdb.localdir: {value}\n");
        assert_eq!(codes("config.yaml", &text).contains(&"OOM423"), expected);
    }

    #[rstest]
    #[case("file:///data/a, file:///data/b", Some("/data/a,/data/b"))]
    #[case("hdfs://name/rocksdb", None)]
    #[case("data", None)]
    fn what_is_meant_is_written(#[case] value: &str, #[case] expected: Option<&str>) {
        let text =
            format!("# oomph: flink=1.20\nstate.backend.type: rocksdb\nstate.backend.rocksdb.localdir: {value}\n");
        let fix = find("OOM423", "config.yaml", &text).fix;
        let title = expected.map(|value| format!("set state.backend.rocksdb.localdir: {value}"));
        assert_eq!(fix.map(|fix| fix.title), title);
    }

    #[test]
    fn a_store_that_is_not_used_refuses_nothing() {
        let text = "# oomph: flink=1.20\nstate.backend.type: hashmap\nstate.backend.rocksdb.localdir: data\n";
        assert!(!codes("config.yaml", text).contains(&"OOM423"));
    }
}
