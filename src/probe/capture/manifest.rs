//! What a bundle says of itself.

use serde::{Deserialize, Serialize};

use crate::model::Unseen;

/// The manifest's name, at the top of a bundle.
pub const MANIFEST: &str = "oomph-capture.json";

/// The layout that this oomph writes; it reads those up to it.
pub(super) const FORMAT: u32 = 1;

/// What is in a bundle, what is not and why, and where it was taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of this layout: 1.
    pub format: u32,
    /// The version of oomph that wrote it.
    pub oomph: String,
    /// When the process was read, in RFC 3339, UTC.
    pub captured: String,
    /// The process.
    pub pid: u32,
    /// The machine it runs on.
    pub host: HostFacts,
    /// The files, by path.
    pub files: Vec<Taken>,
    /// What could not be read.
    pub not_read: Vec<Absent>,
    /// The directories of its RocksDB databases, as the process names them; empty where they were not asked for.
    #[serde(default)]
    pub rocksdb: Vec<String>,
}

/// A file of a bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taken {
    /// Its path, from the root on.
    pub path: String,
    /// Its bytes in the bundle.
    pub bytes: u64,
    /// How many values in it were masked.
    #[serde(default)]
    pub masked: usize,
    /// What of it is in the bundle, where that is not all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only: Option<String>,
}

/// Something that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Absent {
    /// What.
    pub what: String,
    /// Why.
    pub why: String,
    /// What would let it be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<String>,
    /// Whether memory cannot be accounted for without it.
    pub matters: bool,
}

/// What a reader elsewhere has to know of the machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostFacts {
    /// The kernel's release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kernel: Option<String>,
    /// Its processors that are on, as the kernel lists them: `0-7`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpus: Option<String>,
    /// Bytes of a page.
    pub page_size: u64,
    /// Clock ticks of `/proc/PID/stat` in a second.
    pub ticks_per_second: u64,
}

impl Absent {
    /// What was not seen.
    pub(super) fn of(what: impl Into<String>, unseen: &Unseen, matters: bool) -> Absent {
        Absent { what: what.into(), why: unseen.why.clone(), grant: unseen.grant.clone(), matters }
    }

    /// The same in the words of everything that is not seen.
    pub fn unseen(&self) -> Unseen {
        Unseen { why: self.why.clone(), grant: self.grant.clone() }
    }
}
