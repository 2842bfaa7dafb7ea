//! What is decided outside of Flink: YARN's checks, the node, the kubelet, systemd, the kernel (OOM914 to OOM916,
//! OOM942 to OOM946, OOM952, OOM964).

use super::proof::{Case, Draft};
use super::{Advice, Step, allocator, mib, native};
use crate::flink::keys;
use crate::model::{Deployment, Role};

/// OOM942: virtual memory is address space.
pub(super) fn virtual_memory(case: &Case<'_>, advice: &mut Advice) {
    case.offer(
        advice,
        Draft {
            title: "no check of virtual memory".to_owned(),
            steps: vec![Step::platform(
                "yarn-site.xml on the nodes, then restart the NodeManagers",
                "yarn.nodemanager.vmem-check-enabled=false",
            )],
            risk: "none for memory: physical memory is still checked".to_owned(),
            watch: "\"beyond the 'VIRTUAL' memory limit\" in the NodeManager's log".to_owned(),
            why: "a JVM reserves address space that it never touches: class space, code cache, arenas, mapped files"
                .to_owned(),
            source: "https://github.com/apache/hudi/issues/9339: 39.9 GB of 12.6 GB virtual; yarn-default.xml",
            ..Draft::default()
        },
    );
    case.offer(
        advice,
        Draft {
            title: "a higher ratio of virtual to physical memory".to_owned(),
            steps: vec![Step::platform("yarn-site.xml on the nodes", "yarn.nodemanager.vmem-pmem-ratio=5")],
            risk: "another JVM may need more again".to_owned(),
            watch: "the virtual size that the NodeManager logs for the container".to_owned(),
            why: "the ratio of 2.1 is below what a JVM with many threads reserves".to_owned(),
            source: "yarn-default.xml: yarn.nodemanager.vmem-pmem-ratio 2.1",
            ..Draft::default()
        },
    );
    allocator::offer(case, advice);
    advice.refused.push("a larger container: its physical memory was not the bound, its address space was".to_owned());
}

/// OOM943: all containers of a node together.
pub(super) fn elastic_control(case: &Case<'_>, advice: &mut Advice) {
    case.offer(
        advice,
        Draft {
            title: "fewer bytes promised on each node".to_owned(),
            steps: vec![
                Step::platform(
                    "yarn-site.xml: leave room for the system and for page cache",
                    "yarn.nodemanager.resource.memory-mb=<the node's memory less an eighth>",
                ),
                Step::platform(
                    "or strict limits for each container in the place of one for all",
                    "yarn.nodemanager.elastic-memory-control.enabled=false",
                ),
            ],
            risk: "fewer containers a node".to_owned(),
            watch: "the memory of the NodeManager's root cgroup against its limit".to_owned(),
            why: "the containers of the node were too large together; the one that was killed may have been within \
                  its own limit"
                .to_owned(),
            source: "Hadoop, NodeManagerCGroupsMemory: elastic memory control kills by age and over-use",
            ..Draft::default()
        },
    );
    advice.refused.push("a larger container: it is the node that was full, and larger ones fill it sooner".to_owned());
}

/// OOM944: the whole machine.
pub(super) fn node_full(case: &Case<'_>, advice: &mut Advice) {
    guaranteed(case, advice);
    case.offer(
        advice,
        Draft {
            title: "less on the node, or a larger one".to_owned(),
            steps: vec![
                Step::advice(
                    "find what else runs on the node: the kernel's list of processes names their resident sets",
                ),
                Step::platform("Kubernetes: hold memory back for the system", "kubelet --system-reserved=memory=2Gi"),
            ],
            risk: "fewer processes a node".to_owned(),
            watch: "MemAvailable in /proc/meminfo".to_owned(),
            why: "the machine had no free memory, and the kernel chose the largest process; its container had room"
                .to_owned(),
            source: "Linux, mm/oom_kill.c: oom_badness; constraint=CONSTRAINT_NONE",
            ..Draft::default()
        },
    );
    advice
        .refused
        .push("a larger container or heap: the machine was full, and a larger process is chosen first".to_owned());
}

/// OOM945: the kubelet evicted it.
pub(super) fn evicted(case: &Case<'_>, advice: &mut Advice) {
    guaranteed(case, advice);
    case.offer(
        advice,
        Draft {
            title: "a pod that is evicted last".to_owned(),
            steps: vec![
                Step::platform(
                    "a priority class for Flink's pods in the pod template",
                    "priorityClassName: flink-production",
                ),
                Step::advice("nodes of their own for what has to stay: a taint, a nodeSelector"),
            ],
            risk: "others are evicted before it".to_owned(),
            watch: "MemoryPressure of the node, and Evicted pods".to_owned(),
            why: "the kubelet ranks pods by use above their request, then by priority".to_owned(),
            source: "Kubernetes, Node-pressure Eviction",
            ..Draft::default()
        },
    );
    advice
        .refused
        .push("a larger limit: the node was short; what counts is the request, and who else is there".to_owned());
}

/// Request and limit the same.
fn guaranteed(case: &Case<'_>, advice: &mut Advice) {
    if case.patient.question.deployment != Deployment::Kubernetes {
        return;
    }
    let factor = match case.patient.role {
        Role::TaskManager => keys::KUBERNETES_TM_LIMIT_FACTOR,
        Role::JobManager => keys::KUBERNETES_JM_LIMIT_FACTOR,
    };
    let step = match case.value(factor.name()) {
        Some(value) if value.trim() != "1.0" && value.trim() != "1" && case.has(factor.name()) => {
            Step::set(factor.name(), "1.0")
        }
        _ => Step::advice("requests and limits of memory and processor the same in every container of the pod"),
    };
    case.offer(
        advice,
        Draft {
            title: "request and limit the same".to_owned(),
            steps: vec![step],
            risk: "a process that was let pass its request is held to it".to_owned(),
            watch: "the pod's qosClass: Guaranteed".to_owned(),
            why: "a pod that may use more than it asks for is first to go when the node is short".to_owned(),
            source: "Kubernetes, Quality of Service; KubernetesConfigOptions.TASK_MANAGER_MEMORY_LIMIT_FACTOR, Flink \
                     1.15 to 2.3",
            ..Draft::default()
        },
    );
}

/// OOM946.
pub(super) fn systemd_oomd(case: &Case<'_>, advice: &mut Advice) {
    case.offer(
        advice,
        Draft {
            title: "systemd-oomd keeps away from Flink's unit".to_owned(),
            steps: vec![
                Step::platform(
                    "a drop-in of the unit or slice that Flink runs in",
                    "[Service]\nManagedOOMMemoryPressure=auto\nManagedOOMSwap=auto\nManagedOOMPreference=avoid",
                ),
                Step::platform("earlyoom, where that runs", "earlyoom --avoid '^java$'"),
            ],
            risk: "something else is killed, or the kernel kills later".to_owned(),
            watch: "oomctl; memory.pressure of the unit".to_owned(),
            why: "it kills for pressure or swap of a group, long before a limit of Flink's is reached".to_owned(),
            source: "systemd-oomd.service(8), systemd.resource-control(5): ManagedOOMPreference",
            ..Draft::default()
        },
    );
    case.offer(
        advice,
        Draft {
            title: "less pressure on the machine".to_owned(),
            steps: vec![Step::advice(
                "fewer processes beside Flink, or a machine with more memory: pressure is time lost to reclaim",
            )],
            risk: "none for Flink".to_owned(),
            watch: "memory.pressure, avg60 of full".to_owned(),
            why: "the group waited for memory for most of half a minute".to_owned(),
            source: "oomd.conf(5): DefaultMemoryPressureLimit 60 %, 30 s; SwapUsedLimit 90 %",
            ..Draft::default()
        },
    );
    advice.refused.push("a larger heap: no limit of Flink's was reached".to_owned());
}

/// OOM952: native memory that the JVM could not get.
pub(super) fn native_allocation(case: &Case<'_>, advice: &mut Advice) {
    if case.patient.evidence.leak {
        return native::leak(case, advice);
    }
    let process = case.process().map_or("the process".to_owned(), mib);
    case.offer(
        advice,
        Draft {
            title: "a machine that has what it promises".to_owned(),
            steps: vec![
                Step::advice(format!("leave {process} free for this process: see what else runs there")),
                Step::platform("let memory be promised as it is by default", "sysctl -w vm.overcommit_memory=0"),
                Step::platform("no limit of address space", "ulimit -v unlimited"),
            ],
            risk: "none for Flink".to_owned(),
            watch: "CommitLimit and Committed_AS in /proc/meminfo".to_owned(),
            why: "the kernel refused memory that the JVM asked for: the machine, its overcommit or a limit was the \
                  bound, and hs_err_pid names which"
                .to_owned(),
            source: "HotSpot: os::commit_memory failed; error='Not enough space' (errno=12)",
            ..Draft::default()
        },
    );
    native::larger_overhead(case, advice);
    allocator::offer(case, advice);
    advice.refused.push("a larger heap: it takes from the machine what native memory could not have".to_owned());
}

/// OOM914.
pub(super) fn swapped_out(case: &Case<'_>, advice: &mut Advice) {
    case.offer(
        advice,
        Draft {
            title: "no swap for Flink".to_owned(),
            steps: vec![
                Step::platform("no swap in the container's group", "echo 0 > memory.swap.max"),
                Step::platform("or less of it on the node", "sysctl -w vm.swappiness=1"),
                Step::advice("less on the node: what is swapped had no room"),
            ],
            risk: "what would have been slow is killed in its place".to_owned(),
            watch: "VmSwap in /proc/PID/status".to_owned(),
            why: "a collection touches the whole heap, and every page of it that is on a disk has to come back"
                .to_owned(),
            source: "Linux, sysctl/vm.rst; cgroup-v2.rst: memory.swap.max",
            ..Draft::default()
        },
    );
}

/// OOM915.
pub(super) fn huge_pages(case: &Case<'_>, advice: &mut Advice) {
    case.offer(
        advice,
        Draft {
            title: "huge pages where they are asked for".to_owned(),
            steps: vec![Step::platform(
                "the node's setting",
                "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled",
            )],
            risk: "programs that gained from them without asking are a little slower".to_owned(),
            watch: "AnonHugePages in /proc/PID/smaps_rollup".to_owned(),
            why: "a page of 2 MiB stays whole when one of its 512 parts is used".to_owned(),
            source: "Linux, admin-guide/mm/transhuge.rst",
            ..Draft::default()
        },
    );
    allocator::offer(case, advice);
}

/// OOM916.
pub(super) fn slowed_down(case: &Case<'_>, advice: &mut Advice) {
    let mut steps = Vec::new();
    let key = ["kubernetes.taskmanager.cpu.amount", "kubernetes.taskmanager.cpu"].into_iter().find(|key| case.has(key));
    if case.patient.question.deployment == Deployment::Kubernetes
        && case.is_taskmanager()
        && let Some(key) = key
        && let Some(cores) = case.value(key).and_then(|text| text.trim().parse::<f64>().ok())
    {
        steps.push(Step::set(key, format!("{}", cores * 2.0)));
    } else {
        steps.push(Step::advice(
            "twice the processor time: kubernetes.taskmanager.cpu.limit-factor, yarn.containers.vcores",
        ));
    }
    case.offer(
        advice,
        Draft {
            title: "more processor time".to_owned(),
            steps,
            risk: "fewer processes a node".to_owned(),
            watch: "nr_throttled in cpu.stat".to_owned(),
            why: "collections and heartbeats of a process that is throttled come late".to_owned(),
            source: "Linux, cgroup-v2.rst: cpu.max, cpu.stat",
            ..Draft::default()
        },
    );
    advice.refused.push("more memory: it was processor time that was short".to_owned());
}

/// OOM964: slab, sockets, page tables.
pub(super) fn kernel_memory(case: &Case<'_>, advice: &mut Advice) {
    case.offer(
        advice,
        Draft {
            title: "less for the kernel to keep".to_owned(),
            steps: vec![
                Step::advice(
                    "fewer and larger files in RocksDB and checkpoints, and directories that are cleaned: each file \
                     is a dentry and an inode in slab",
                ),
                Step::platform(
                    "smaller socket buffers",
                    "sysctl -w net.core.rmem_max=4194304 \
                                                          net.core.wmem_max=4194304",
                ),
                Step::advice("a newer kernel: old ones keep the slab of groups that are gone"),
            ],
            risk: "connections over long distances are slower with small buffers".to_owned(),
            watch: "slab, sock and kernel_stack in memory.stat".to_owned(),
            why: "memory of the kernel counts to the container, and no part of Flink's budget pays for it".to_owned(),
            source: "Linux, cgroup-v2.rst: memory.stat; cgroup-v1/memory.rst 2.7",
            ..Draft::default()
        },
    );
    native::larger_overhead(case, advice);
    advice.refused.push("a larger heap: the kernel's memory is not in it".to_owned());
}
