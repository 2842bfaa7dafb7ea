//! The file system that a process is looked at through: the live one, or a captured directory laid out like it.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::model::{Seen, Unseen};

/// No file of the kernel or of the JVM that is read whole is larger: an smaps of 65,530 mappings has 60 MB.
const LARGEST: u64 = 256 << 20;

/// Where `/proc`, `/sys` and the rest are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root {
    at: PathBuf,
}

impl Root {
    /// This machine.
    pub fn live() -> Root {
        Root { at: PathBuf::from("/") }
    }

    /// A directory laid out like a machine's root.
    pub fn captured(at: &Path) -> Root {
        Root { at: at.to_owned() }
    }

    /// Whether it is this machine: only there are there sockets and memory to look at.
    pub fn is_live(&self) -> bool {
        self.at == Path::new("/")
    }

    /// Where a path of the machine is to be found.
    pub fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        let path = path.as_ref();
        self.at.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// `/proc/PID`.
    pub fn process(&self, pid: u32) -> PathBuf {
        self.path(format!("/proc/{pid}"))
    }

    /// The bytes of a file, whole.
    pub fn read(&self, path: impl AsRef<Path>) -> Seen<Vec<u8>> {
        read_whole(&self.path(&path)).map_err(|error| unseen(path.as_ref(), &error))
    }

    /// The bytes of a file below `/proc/PID`; where it is refused, the grant names the process's owner.
    pub fn read_of(&self, pid: u32, name: &str) -> Seen<Vec<u8>> {
        let path = self.process(pid).join(name);
        read_whole(&path).map_err(|error| self.unseen_of(pid, name, &error))
    }

    /// Why a file below `/proc/PID` could not be read, and what would allow it.
    pub fn unseen_of(&self, pid: u32, name: &str, error: &io::Error) -> Unseen {
        let shown = format!("/proc/{pid}/{name}");
        match error.raw_os_error().map(rustix::io::Errno::from_raw_os_error) {
            Some(rustix::io::Errno::ACCESS | rustix::io::Errno::PERM) => {
                Unseen::because(format!("{shown}: permission denied")).granted_by(self.grant_of(pid))
            }
            Some(rustix::io::Errno::SRCH) => Unseen::because(format!("{shown}: the process has ended")),
            _ if error.kind() == io::ErrorKind::NotFound && !self.process(pid).exists() => {
                Unseen::because(format!("{shown}: the process has ended"))
            }
            _ => unseen(Path::new(&shown), error),
        }
    }

    /// What lets the files of a process be read that only its tracer may read.
    pub fn grant_of(&self, pid: u32) -> String {
        let owner = std::fs::metadata(self.process(pid)).map(|at| at.uid()).ok();
        let ours = rustix::process::geteuid().as_raw();
        let yama = std::fs::read_to_string(self.path("/proc/sys/kernel/yama/ptrace_scope")).unwrap_or_default();
        match (owner, yama.trim()) {
            (Some(owner), "1" | "2" | "3") if owner == ours => {
                format!("kernel.yama.ptrace_scope is {}: grant CAP_SYS_PTRACE", yama.trim())
            }
            (Some(owner), _) if owner == ours => {
                "the process is not dumpable or in another user namespace: grant CAP_SYS_PTRACE there".to_owned()
            }
            (Some(owner), _) => format!(
                "run as uid {owner}, the process's own (runAsUser: {owner} in a debug container), or grant CAP_SYS_PTRACE"
            ),
            (None, _) => "run as the process's own user, or grant CAP_SYS_PTRACE".to_owned(),
        }
    }
}

fn unseen(path: &Path, error: &io::Error) -> Unseen {
    let shown = path.display();
    match error.kind() {
        io::ErrorKind::NotFound => Unseen::because(format!("{shown} is not there")),
        io::ErrorKind::PermissionDenied => Unseen::because(format!("{shown}: permission denied")),
        _ => Unseen::because(format!("{shown}: {error}")),
    }
}

fn read_whole(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(LARGEST).read_to_end(&mut bytes)?;
    Ok(bytes)
}
