//! Pages of files and volumes in memory: never more memory (OOM905, OOM906).

use super::by_version::shuffle_compression;
use super::proof::{Case, Draft};
use super::{Advice, Step};
use crate::flink::keys;
use crate::model::Deployment;
use crate::recommend::Change;

const SOURCE: &str = "a batch shuffle in Kubernetes: 20 GB of working set, 7 GB resident, the kernel's trace at a \
                      page-cache charge, a slow cloud disk; Linux, cgroup-v2.rst (writeback): writers of a version 2 \
                      group are throttled, of a version 1 group are not";

/// OOM905.
pub(super) fn unwritten(case: &Case<'_>, advice: &mut Advice) {
    less_to_write(case, advice);
    let kubernetes = case.patient.question.deployment == Deployment::Kubernetes;
    case.offer(
        advice,
        Draft {
            title: "a disk that keeps up with the shuffle".to_owned(),
            steps: vec![Step::platform(
                format!(
                    "put what io.tmp.dirs names ({}) on a faster disk, or on several",
                    case.value("io.tmp.dirs").unwrap_or("/tmp by default".to_owned())
                ),
                "io.tmp.dirs: /disk1/flink,/disk2/flink",
            )],
            risk: "each path has to be a volume that is mounted where the key names it".to_owned(),
            watch: "file_dirty and file_writeback in memory.stat while a stage writes".to_owned(),
            why: "pages wait for the disk: those that are not written yet cannot be given back".to_owned(),
            source: SOURCE,
            ..Draft::default()
        },
    );
    let mut steps =
        vec![Step::advice("more and smaller TaskManagers, each with fewer slots, for the same parallelism")];
    if kubernetes {
        steps.push(Step::advice(
            "spread them over nodes: topologySpreadConstraints on kubernetes.io/hostname with maxSkew 1 in the pod \
             template",
        ));
    } else {
        steps.push(Step::advice("spread them over nodes, so that fewer of them write to one disk"));
    }
    case.offer(
        advice,
        Draft {
            title: "more and smaller processes, spread over nodes".to_owned(),
            steps,
            risk: "more processes have more overhead together".to_owned(),
            watch: "file_dirty in each container, and the use of each node's disk".to_owned(),
            why: "each disk gets less to write in the same time".to_owned(),
            source: SOURCE,
            ..Draft::default()
        },
    );
    case.offer(
        advice,
        Draft {
            title: "writers that are slowed down before the limit is".to_owned(),
            steps: vec![
                Step::platform(
                    "let the kernel write earlier and hold writers earlier",
                    "sysctl -w vm.dirty_background_bytes=67108864 vm.dirty_bytes=268435456",
                ),
                Step::advice("or a node with cgroup version 2, whose writers are throttled by their own group"),
            ],
            risk: "it is the node's setting: everything on it writes earlier".to_owned(),
            watch: "oom_kill in memory.events stays as it is, and stages take a little longer".to_owned(),
            why: "dirty pages are allowed by the node's memory and counted by the container's".to_owned(),
            source: SOURCE,
            ..Draft::default()
        },
    );
    advice.refused.push(
        "more memory, in the container or in any part: page cache fills whatever is there, and the disk is no faster \
         for it"
            .to_owned(),
    );
}

/// Fewer bytes and fewer files.
fn less_to_write(case: &Case<'_>, advice: &mut Advice) {
    let mut steps = Vec::new();
    if let Some(key) = shuffle_compression(case)
        && case.reading(key).is_none_or(|now| !now.eq_ignore_ascii_case("true"))
    {
        steps.push(Step::set(key, "true"));
    }
    let sorted = keys::SORT_MIN_PARALLELISM.name();
    if case.has(sorted) && case.reading(sorted).is_none_or(|now| now != "1") {
        steps.push(Step::set(sorted, "1"));
    }
    let kind = "taskmanager.network.blocking-shuffle.type";
    if case.has(kind) && case.value(kind).is_some_and(|value| value != "file") {
        steps.push(Step::set(kind, "file"));
    }
    if steps.is_empty() {
        return;
    }
    case.offer(
        advice,
        Draft {
            title: "a shuffle that writes less, in order, and not through mappings".to_owned(),
            steps,
            risk: "compression takes processor time; sorting takes network buffers (sort-shuffle.min-buffers)"
                .to_owned(),
            watch: "bytes written to io.tmp.dirs in a stage".to_owned(),
            why: "compressed data is fewer dirty pages, and one sorted file is written in order where a file for each \
                  subpartition is not"
                .to_owned(),
            source: "NettyShuffleEnvironmentOptions: sorted by default since 1.15, compressed since 1.15",
            ..Draft::default()
        },
    );
}

/// OOM906: a volume in memory counts to the container.
pub(super) fn memory_volume(case: &Case<'_>, advice: &mut Advice) {
    beside_the_others(case, advice);
    let mut steps = vec![Step::platform("a volume on a disk for io.tmp.dirs", "io.tmp.dirs: /flink-data")];
    let rocks = "state.backend.rocksdb.localdir";
    if case.patient.evidence.rocksdb || case.value(rocks).is_some() {
        steps.push(Step::platform("the same for RocksDB's files", format!("{rocks}: /flink-data/rocksdb")));
    }
    case.offer(
        advice,
        Draft {
            title: "temporary files and state on a disk".to_owned(),
            steps,
            risk: "the path has to be a volume on a disk: an emptyDir without medium: Memory, or a local volume"
                .to_owned(),
            watch: "shmem in memory.stat: it falls to what Flink itself maps".to_owned(),
            why: "files on tmpfs are memory of the container and cannot be given back".to_owned(),
            source: "Linux, cgroup-v2.rst: shmem; Kubernetes: emptyDir.medium Memory counts to the container",
            ..Draft::default()
        },
    );
    case.offer(
        advice,
        Draft {
            title: "a bound for the volume".to_owned(),
            steps: vec![Step::platform(
                "a sizeLimit for the volume in memory",
                "emptyDir: {medium: Memory, sizeLimit: 256Mi}",
            )],
            risk: "the pod is evicted when files pass it".to_owned(),
            watch: "the volume's use".to_owned(),
            why: "without a sizeLimit it may fill the container".to_owned(),
            source: "Kubernetes: emptyDir.sizeLimit",
            ..Draft::default()
        },
    );
    advice.refused.push("more memory: files fill it too".to_owned());
}

/// Where RocksDB has a directory of its own and temporary files have another, that of its own is what somebody put in memory.
fn beside_the_others(case: &Case<'_>, advice: &mut Advice) {
    let rocks = "state.backend.rocksdb.localdir";
    let (Some(own), Some(others)) = (case.value(rocks), case.value("io.tmp.dirs")) else { return };
    let in_memory = |path: &str| ["/dev/shm", "/run/"].iter().any(|prefix| path.trim().starts_with(prefix));
    if others.split([',', ':']).any(|other| other.trim() == own.trim() || in_memory(other)) {
        return;
    }
    case.offer(
        advice,
        Draft {
            title: "RocksDB's files beside the other temporary files".to_owned(),
            steps: vec![Step::Change(Change::remove(rocks))],
            risk: format!("{others} has to lie on a disk with room for the state: findmnt -T {others}"),
            watch: "shmem in memory.stat: it falls to what Flink itself maps".to_owned(),
            why: format!("RocksDB has a directory of its own, {own}; without it its files go to io.tmp.dirs, {others}"),
            source: "Flink, RocksDBOptions.LOCAL_DIRECTORIES: by default the directories of io.tmp.dirs",
            ..Draft::default()
        },
    );
}
