//! The machine that a process runs on.

use super::root::Root;
use crate::artefact::host::{self, Host};
use crate::model::{Bytes, Seen, Unseen};

/// Reads the machine's files.
pub fn read(root: &Root) -> Host {
    let meminfo = text(root, "/proc/meminfo");
    let size = |key: &str| -> Seen<Bytes> {
        host::meminfo(meminfo.as_ref().map_err(Clone::clone)?, key)
            .ok_or_else(|| Unseen::because(format!("/proc/meminfo has no {key}")))
    };
    let huge_pages = "/sys/kernel/mm/transparent_hugepage/enabled";
    let max_mappings = "/proc/sys/vm/max_map_count";
    let malformed = |path: &str| Unseen::because(format!("{path} is not as the kernel writes it"));
    Host {
        memory: size("MemTotal"),
        available: size("MemAvailable"),
        swap: size("SwapTotal"),
        huge_pages: text(root, huge_pages)
            .and_then(|text| host::huge_pages(&text).ok_or_else(|| malformed(huge_pages))),
        max_mappings: text(root, max_mappings)
            .and_then(|text| text.trim().parse().map_err(|_| malformed(max_mappings))),
    }
}

fn text(root: &Root, path: &str) -> Seen<String> {
    root.read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}
