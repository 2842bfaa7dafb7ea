//! The files of one process below `/proc`.

use super::root::Root;
use crate::artefact::process_status::{self, ProcessFiles, ProcessLimits, ProcessStatus, Thread};
use crate::artefact::smaps::{self, Smaps};
use crate::model::{Seen, Unseen};

/// Reads everything. Files that cannot be read are unseen, each with its reason; a process that has ended meanwhile, or
/// whose id another one got, is one reason for all.
pub fn read(root: &Root, pid: u32) -> Seen<ProcessFiles> {
    let before = started(root, pid);
    let files = ProcessFiles {
        started: before.clone(),
        status: root.read_of(pid, "status").and_then(|bytes| ProcessStatus::parse(&bytes)),
        command: root.read_of(pid, "cmdline").and_then(|bytes| process_status::command(&bytes)),
        smaps: read_smaps(root, pid),
        limits: root.read_of(pid, "limits").and_then(|bytes| ProcessLimits::parse(&bytes)),
        allocator_variables: root.read_of(pid, "environ").map(|bytes| process_status::allocator_variables(&bytes)),
        threads: threads(root, pid),
    };
    if !root.process(pid).exists() || files.status.as_ref().is_ok_and(|status| status.is_zombie) {
        return Err(Unseen::because(format!("process {pid} has ended")));
    }
    match (before, started(root, pid)) {
        (Ok(before), Ok(after)) if before != after => {
            Err(Unseen::because(format!("process {pid} ended while it was read, and another one got its id")))
        }
        _ => Ok(files),
    }
}

/// When a process started.
pub fn started(root: &Root, pid: u32) -> Seen<u64> {
    root.read_of(pid, "stat").and_then(|bytes| process_status::started(&bytes))
}

fn read_smaps(root: &Root, pid: u32) -> Seen<Smaps> {
    let bytes = root.read_of(pid, "smaps")?;
    smaps::parse(&bytes).map_err(|error| Unseen::because(format!("/proc/{pid}/smaps: {error}")))
}

fn threads(root: &Root, pid: u32) -> Seen<Vec<Thread>> {
    let directory = root.process(pid).join("task");
    let entries = std::fs::read_dir(&directory).map_err(|error| root.unseen_of(pid, "task", &error))?;
    let threads = entries.flatten().filter_map(|entry| {
        // A thread that has ended since is none.
        let name = std::fs::read_to_string(entry.path().join("comm")).ok()?;
        let syscall = std::fs::read(entry.path().join("syscall")).ok();
        let stack_pointer = syscall.and_then(|bytes| process_status::stack_pointer(&bytes));
        Some(Thread { name: name.trim_end().to_owned(), stack_pointer })
    });
    Ok(threads.collect())
}
