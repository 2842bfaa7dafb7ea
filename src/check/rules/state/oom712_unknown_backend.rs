use super::checkpointing::{self, STORAGE};
use crate::check::rule::{FixKind, rule};
use crate::check::{Case, Collector, Written};
use crate::model::Severity;

rule! {
    /// This version of Flink has no state backend, or no checkpoint storage, of this name.
    ///
    /// ### Why
    /// A name that Flink does not know is taken for the class of a factory, and each job fails with `Cannot find configured
    /// state backend factory class`. Names came and went: `hashmap` is there since 1.13, `forst` since 2.0, and 2.0 took out
    /// `jobmanager` and `filesystem`, which said in one word where state and where checkpoints live.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=2.1
    /// state.backend.type: filesystem
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=2.1
    /// state.backend.type: hashmap
    /// ```
    ///
    /// ### Sources
    /// - `StateBackendLoader` of Flink 1.12.5, 1.13.6, 1.16.3, 1.20.5, 2.0.2, 2.1.3 and 2.3.0.
    /// - `CheckpointStorageLoader`, Flink 1.13 to 2.3.
    "OOM712" "unknown-backend" {
        severity: Severity::Error,
        fix: FixKind::Unsafe,
        check: check,
    }
}

/// Major and minor.
type Line = (u16, u16);

/// Names of backends with the first and the last line of versions that knows each.
const BACKENDS: [(&str, Line, Line); 5] = [
    ("rocksdb", (1, 9), (u16::MAX, 0)),
    ("hashmap", (1, 13), (u16::MAX, 0)),
    ("forst", (2, 0), (u16::MAX, 0)),
    ("filesystem", (1, 9), (1, 20)),
    ("jobmanager", (1, 9), (1, 20)),
];

/// Factories of the same backends that 2.0 took out.
const FACTORIES: [(&str, &str); 3] = [
    ("org.apache.flink.contrib.streaming.state.RocksDBStateBackendFactory", "rocksdb"),
    ("org.apache.flink.runtime.state.filesystem.FsStateBackendFactory", "filesystem"),
    ("org.apache.flink.runtime.state.memory.MemoryStateBackendFactory", "jobmanager"),
];

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    backend(case, found);
    let Some(written) = checkpointing::find(case, &STORAGE) else { return };
    let text = written.text();
    let is_known = ["jobmanager", "filesystem"].contains(&text.to_lowercase().as_str());
    if !is_known && !text.contains('.') {
        found
            .find(format!("Flink has no checkpoint storage {}", written.shown()))
            .at(written.place(), "taken for a class")
            .note("there are jobmanager and filesystem")
            .help(format!("set {}: filesystem, and the directory of checkpoints", written.key));
    }
}

fn backend(case: &Case<'_>, found: &mut Collector<'_>) {
    let Some(written) = case.backend_setting().filter(Written::is_own) else { return };
    let line = case.profile().version().line();
    let text = written.text();
    let known = |name: &str| {
        let (_, since, until) = BACKENDS.iter().find(|(known, ..)| *known == name)?;
        Some(*since <= line && line <= *until)
    };
    let lower = text.to_lowercase();
    let short = match FACTORIES.iter().find(|(class, _)| *class == text) {
        Some((_, short)) if line >= (2, 0) => short,
        // Some class: only its class path knows.
        _ if text.contains('.') => return,
        _ => lower.as_str(),
    };
    let is_short = short == lower;
    if is_short && known(short) == Some(true) {
        return;
    }
    let instead = match short {
        "filesystem" | "jobmanager" => Some("hashmap"),
        "hashmap" => Some("filesystem"),
        name if name.contains("rocks") => Some("rocksdb"),
        name if name.contains("hash") || name.contains("heap") || name.contains("memory") => Some("hashmap"),
        _ => None,
    };
    let instead = instead.filter(|name| known(name) == Some(true));
    let names: Vec<&str> = BACKENDS.iter().map(|(name, ..)| *name).filter(|name| known(name) == Some(true)).collect();
    let mut draft = found
        .find(format!("Flink {} has no state backend {}", case.version(), written.shown()))
        .at(written.place(), "taken for a class")
        .note(format!("there are {}", names.join(", ")));
    if short == "jobmanager" || short == "filesystem" {
        draft =
            draft.note("where checkpoints go is another option: the directory of checkpoints, or else the JobManager");
    }
    if let Some(instead) = instead {
        draft
            .help(format!("set {}: {instead}", written.key))
            .unsafe_fix(format!("name {instead}"), case.set(written, instead));
    } else {
        draft.help(format!("set {} to one of these, or to the class of a factory", written.key));
    }
}

#[cfg(test)]
mod tests {
    use crate::check::tried::{codes, find};

    fn text(version: &str, backend: &str) -> String {
        format!("# oomph: flink={version}\nstate.backend: {backend}\n")
    }

    #[test]
    fn names_are_known_by_version() {
        for (version, backend, is_known) in [
            ("1.12", "hashmap", false),
            ("1.13", "hashmap", true),
            ("1.20", "FileSystem", true),
            ("2.0", "jobmanager", false),
            ("1.20", "forst", false),
            ("2.0", "forst", true),
            ("1.20", "rocks", false),
        ] {
            let file = if version.starts_with('2') { "config.yaml" } else { "flink-conf.yaml" };
            let found = codes(file, &text(version, backend)).contains(&"OOM712");
            assert_eq!(found, !is_known, "{version} {backend}");
        }
    }

    #[test]
    fn a_class_is_somebodys_own_unless_it_is_gone() {
        let class = "org.apache.flink.contrib.streaming.state.RocksDBStateBackendFactory";
        assert!(!codes("flink-conf.yaml", &text("1.20", class)).contains(&"OOM712"));
        let finding = find("OOM712", "config.yaml", &text("2.0", class));
        assert!(!finding.notes.is_empty(), "{finding:?}");
        assert!(!codes("config.yaml", &text("2.0", "com.acme.MyFactory")).contains(&"OOM712"));
    }

    #[test]
    fn a_storage_is_named_by_its_place() {
        let storage = |name: &str| format!("# oomph: flink=1.20\nstate.checkpoint-storage: {name}\n");
        assert!(codes("config.yaml", &storage("s3")).contains(&"OOM712"));
        assert!(!codes("config.yaml", &storage("com.acme.Storage")).contains(&"OOM712"));
    }
}
