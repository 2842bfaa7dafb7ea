use super::checkpointing::{self, DIRECTORY, STORAGE};
use crate::check::rule::rule;
use crate::check::{Case, Collector, Written};
use crate::model::{Confidence, Severity};

rule! {
    /// Checkpoints are to go to a file system, and no directory is named.
    ///
    /// ### Why
    /// The checkpoint storage `filesystem` asks the configuration for a directory, and so do the backends `filesystem` and
    /// `rocksdb` up to Flink 1.12. Without one, each job fails with an IllegalConfigurationException, unless its code sets the
    /// backend or the storage itself.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// execution.checkpointing.storage: filesystem
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// execution.checkpointing.storage: filesystem
    /// execution.checkpointing.dir: hdfs:///checkpoints
    /// ```
    ///
    /// ### Sources
    /// - `FileSystemCheckpointStorage.createFromConfig`, Flink 1.13 to 2.3: the configuration does not specify the checkpoint
    ///   directory.
    /// - `FsStateBackendFactory` and `RocksDBStateBackendFactory`, Flink 1.9 to 1.12, with the same message.
    "OOM713" "checkpoint-directory" {
        severity: Severity::Error,
        confidence: Confidence::Medium,
        check: check,
    }
}

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    let line = case.profile().version().line();
    let asks = if line >= (1, 13) {
        checkpointing::find(case, &STORAGE).filter(|written| written.text().eq_ignore_ascii_case("filesystem"))
    } else {
        let backend = case.backend_setting().filter(Written::is_own);
        backend.filter(|written| ["filesystem", "rocksdb"].contains(&written.text().to_lowercase().as_str()))
    };
    let Some(written) = asks.filter(|_| checkpointing::is_absent(case, &DIRECTORY)) else { return };
    let Some(name) = checkpointing::name(case, &DIRECTORY) else { return };
    found
        .find(format!("{}: {} needs {name}", written.key, written.shown()))
        .at(written.place(), "asks for a directory")
        .note(format!("the configuration does not specify the checkpoint directory '{name}'"))
        .help(format!("set {name} to a directory of a file system that all processes reach"));
}

#[cfg(test)]
mod tests {
    use crate::check::tried::codes;

    #[test]
    fn up_to_1_12_the_backend_asks() {
        let text = |version: &str| format!("# oomph: flink={version}\nstate.backend: rocksdb\n");
        assert!(codes("flink-conf.yaml", &text("1.12")).contains(&"OOM713"));
        assert!(!codes("flink-conf.yaml", &text("1.13")).contains(&"OOM713"));
        let with = format!("{}state.checkpoints.dir: hdfs:///c\n", text("1.12"));
        assert!(!codes("flink-conf.yaml", &with).contains(&"OOM713"));
        let old = format!("{}state.backend.fs.checkpointdir: hdfs:///c\n", text("1.12"));
        assert!(!codes("flink-conf.yaml", &old).contains(&"OOM713"));
    }

    #[test]
    fn a_directory_behind_a_placeholder_is_one() {
        let text = "# oomph: flink=1.20\nexecution.checkpointing.storage: filesystem\nstate.checkpoints.dir: ${DIR}\n";
        assert!(!codes("config.yaml", text).contains(&"OOM713"));
    }
}
