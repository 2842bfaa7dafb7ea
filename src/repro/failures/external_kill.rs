//! `external-kill`: somebody ends the process. It looks like a death of memory, and is none.

use super::jobs;
use crate::model::{Area, Bytes, Killer, Role};
use crate::repro::failure::{End, Failure, Fence, settings};

/// The failure.
pub const FAILURE: Failure = Failure {
    name: "external-kill",
    title: "A TaskManager is killed from outside, and memory has nothing to do with it",
    story: "SIGKILL, exit code 137, a lost TaskManager: what the kernel does to a container that is full looks the same in \
            Flink's logs. The container's counters and the kernel's log tell them apart, and no memory is to be raised.",
    role: Role::TaskManager,
    settings: |_| settings(&[("taskmanager.memory.process.size", "1728m"), ("taskmanager.numberOfTaskSlots", "2")]),
    cure: |_| settings(&[]),
    job: |_| jobs::small(),
    parallelism: 2,
    fence: Fence::Container,
    tmpfs: None,
    restarts: false,
    python: None,
    end: End::EndedFromOutside,
    killers: &[Killer::NotOom],
    areas: &[Area::Other],
    causes: &[],
    seconds: 20,
    usual_seconds: 30,
    memory: Bytes::gib(4),
    disk: Bytes::mib(512),
};
