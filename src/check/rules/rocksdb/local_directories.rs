//! Where a TaskManager puts the files of its store, and what lies under those directories.

use crate::check::Case;
use crate::check::case::Written;
use crate::config::{Mount, Volume, VolumeKind};
use crate::model::{Deployment, Role};
use crate::plan::store::Store;

/// A directory, absolute and without a slash at its end.
pub struct Directory<'a> {
    /// The path.
    pub path: String,
    /// The setting that names it; nothing where it is Flink's default.
    pub written: Option<Written<'a>>,
}

/// What a directory's files are kept in, where that is memory.
pub enum Memory<'a> {
    /// A volume of medium `Memory`, or a tmpfs of Docker's.
    Volume(&'a Mount, &'a Volume),
    /// A file system that Linux keeps in memory.
    System,
}

/// The option of a store's directories.
pub fn option(store: Store) -> &'static str {
    match store {
        Store::RocksDb => "state.backend.rocksdb.localdir",
        Store::ForSt => "state.backend.forst.local-dir",
    }
}

/// Where a store keeps its local files: in its own option, else in the working directory (from 1.15 on), else in one for
/// temporary files (`EmbeddedRocksDBStateBackend.lazyInitializeForJob`, `ClusterOptions`). Nothing where that is not known.
pub fn of_store<'a>(case: &Case<'a>, store: Store) -> Vec<Directory<'a>> {
    let options = [option(store), "process.taskmanager.working-dir", "process.working-dir", "io.tmp.dirs"];
    for option in options {
        if case.is_hidden(option) {
            return Vec::new();
        }
        if let Some(written) = case.find(option) {
            let text = written.text();
            let parts = parts(&text).filter_map(absolute).map(|path| Directory { path, written: Some(written) });
            return parts.collect();
        }
    }
    match case.deployment {
        // YARN gives each container directories of its own.
        Some(Deployment::Yarn) => Vec::new(),
        _ => vec![Directory { path: "/tmp".to_owned(), written: None }],
    }
}

/// The parts of a list of directories, as Flink splits it on Linux: nothing is trimmed.
pub fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split([',', '|', ':'])
}

/// An absolute path without a slash at its end.
pub fn absolute(text: &str) -> Option<String> {
    let text = text.trim();
    text.starts_with('/').then(|| {
        let parts: Vec<&str> = text.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
        format!("/{}", parts.join("/"))
    })
}

/// The path of a URI on the local file system.
pub fn local(uri: &str, default_scheme: Option<&str>) -> Option<String> {
    match uri.trim().split_once(':') {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("file") => {
            absolute(rest.strip_prefix("//localhost").unwrap_or(rest))
        }
        Some(_) => None,
        None if default_scheme.is_none_or(|scheme| scheme.starts_with("file:")) => absolute(uri),
        None => None,
    }
}

/// Whether a path is a folder or lies below it.
pub fn is_under(path: &str, folder: &str) -> bool {
    folder == "/" || path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The mount of a TaskManager's container that holds a path.
pub fn mount<'a>(case: &Case<'a>, path: &str) -> Option<&'a Mount> {
    case.pod(Role::TaskManager)?.mount_of(path)
}

/// The volume that a mount shows, where the manifest holds it.
pub fn volume<'a>(case: &Case<'a>, mount: &Mount) -> Option<&'a Volume> {
    case.pod(Role::TaskManager)?.volume_of(mount)
}

/// Whether the files of a directory are kept in memory.
pub fn memory<'a>(case: &Case<'a>, path: &str) -> Option<Memory<'a>> {
    if let Some(mount) = mount(case, path) {
        let volume = volume(case, mount)?;
        let in_memory = matches!(volume.kind, VolumeKind::EmptyDir { memory: true, .. });
        return in_memory.then_some(Memory::Volume(mount, volume));
    }
    // systemd mounts a tmpfs on /run; a container has none there unless it asks for one.
    let bare = case.deployment == Some(Deployment::Standalone) && case.pod(Role::TaskManager).is_none();
    let system = is_under(path, "/dev/shm") || bare && (is_under(path, "/run") || is_under(path, "/var/run"));
    system.then_some(Memory::System)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("/data/", Some("/data"))]
    #[case("//data/./x", Some("/data/x"))]
    #[case("/", Some("/"))]
    #[case("data", None)]
    fn paths_are_made_comparable(#[case] text: &str, #[case] expected: Option<&str>) {
        assert_eq!(absolute(text).as_deref(), expected);
    }

    #[rstest]
    #[case("file:///data/x", None, Some("/data/x"))]
    #[case("file:/data", None, Some("/data"))]
    #[case("s3://bucket/x", None, None)]
    #[case("/data", None, Some("/data"))]
    #[case("/data", Some("hdfs://name:8020"), None)]
    fn a_uri_may_be_local(#[case] uri: &str, #[case] scheme: Option<&str>, #[case] expected: Option<&str>) {
        assert_eq!(local(uri, scheme).as_deref(), expected);
    }

    #[rstest]
    #[case("/data/x", "/data", true)]
    #[case("/data", "/data", true)]
    #[case("/database", "/data", false)]
    #[case("/data", "/", true)]
    fn a_path_lies_under_a_folder(#[case] path: &str, #[case] folder: &str, #[case] expected: bool) {
        assert_eq!(is_under(path, folder), expected);
    }
}
