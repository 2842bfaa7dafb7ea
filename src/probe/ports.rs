//! The ports that a process listens on: how it is found among the TaskManagers of a cluster.

use std::collections::BTreeSet;

use super::root::Root;
use crate::artefact::listening;

/// Ports of the process's own sockets; none where its open files may not be listed.
pub fn listening(root: &Root, pid: u32) -> Vec<u16> {
    let entries = std::fs::read_dir(root.process(pid).join("fd")).into_iter().flatten().flatten();
    let sockets: BTreeSet<u64> = entries
        .filter_map(|entry| {
            let target = std::fs::read_link(entry.path()).ok()?;
            target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
        })
        .collect();
    let texts = ["net/tcp", "net/tcp6"].iter().filter_map(|name| root.read_of(pid, name).ok());
    let all = texts.flat_map(|bytes| listening::listening(&String::from_utf8_lossy(&bytes)));
    let mut ports: Vec<u16> = all.filter(|(_, inode)| sockets.contains(inode)).map(|(port, _)| port).collect();
    ports.sort_unstable();
    ports.dedup();
    ports
}
