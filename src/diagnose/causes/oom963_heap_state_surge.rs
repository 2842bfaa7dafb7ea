use super::marks;
use crate::diagnose::cause::cause;
use crate::diagnose::postmortem::case::Case;
use crate::diagnose::postmortem::late::{Decides, Late, Weight};
use crate::diagnose::postmortem::signal::{Says, Signal};
use crate::model::{Area, Role};

cause! {
    /// Keyed state lies on the Java heap, and it outgrew it.
    ///
    /// ### What is seen
    /// The state backend is `hashmap` (up to 1.12 `filesystem` or `jobmanager`), the heap is full after every
    /// collection, checkpoints expire, backpressure reaches the sources, then `OutOfMemoryError` or a TaskManager that
    /// hangs without a word until its heartbeat times out. It comes with more keys, a longer window, a burst of data or
    /// a catch-up, and comes again after each restart, since the state is restored.
    ///
    /// ### What it is not
    /// - A leak: the state is wanted, and its place is wrong.
    /// - A heap that is full of a connector's batches (OOM947): the state backend is RocksDB there.
    /// - RocksDB beyond its memory (OOM902): that ends with a kill from outside.
    ///
    /// ### How to prove it
    /// `jcmd PID GC.class_histogram | grep -e CopyOnWriteState -e HeapPriorityQueue` on the successor when its heap is
    /// nearly full; the size of full checkpoints in the web interface, which on the heap takes several times as much.
    ///
    /// ### Cure
    /// `state.backend.type: rocksdb` (up to 1.16 `state.backend`) with `state.backend.incremental: true`: state then
    /// takes managed memory and disk. A savepoint in canonical form moves the state over. Smaller state: a state TTL,
    /// shorter windows, pre-aggregation, more parallelism. If it is to stay on the heap:
    /// `taskmanager.memory.managed.size: 0` gives the heap what RocksDB would have had, 40 % by default, and
    /// `taskmanager.memory.task.heap.size` more.
    ///
    /// ### Sources
    /// - Flink, `HeapKeyedStateBackend`, `CopyOnWriteStateMap`: a snapshot keeps old versions of what changes
    ///   meanwhile.
    /// - Measured: Flink 1.20.5, hashmap state on 153.6 MiB of heap hangs, the same job on RocksDB runs
    ///   (`testdata/series/failures`).
    "OOM963" "heap-state-surge" {
        late: Some(Late {
            required,
            supporting,
            weight: Weight::Explains,
            area: |_| Area::Heap,
            title,
            decides: Some(Decides {
                evidence: "whether state tables fill the heap: a histogram of its classes when it is nearly full again",
                command: "jcmd PID GC.class_histogram",
            }),
            ..Late::UNMARKED
        }),
    }
}

/// Backends that keep keyed state on the heap, by their names and classes.
const BACKENDS: [&str; 8] = [
    "hashmap",
    "filesystem",
    "jobmanager",
    "memory",
    "org.apache.flink.runtime.state.hashmap.HashMapStateBackendFactory",
    "org.apache.flink.runtime.state.hashmap.HashMapStateBackend",
    "org.apache.flink.runtime.state.filesystem.FsStateBackendFactory",
    "org.apache.flink.runtime.state.memory.MemoryStateBackendFactory",
];
/// Classes of that state.
const CLASSES: [&str; 4] =
    ["HeapKeyedStateBackend", "CopyOnWriteStateMap", "CopyOnWriteStateTable", "HashMapStateBackend"];

/// What tells of it.
pub(super) fn required<'s>(case: &Case<'s>) -> Vec<&'s Signal> {
    let full = marks::heap_exhausted(case);
    if full.is_empty() || marks::role(case) == Some(Role::JobManager) || signs(case).is_empty() {
        return Vec::new();
    }
    full
}

/// What shows keyed state on the heap.
fn signs<'s>(case: &Case<'s>) -> Vec<&'s Signal> {
    let given = ["state.backend.type", "state.backend"].into_iter().filter_map(|key| case.given(key));
    let given = given.filter(|(_, value)| BACKENDS.iter().any(|backend| value.trim().eq_ignore_ascii_case(backend)));
    let mut found: Vec<&'s Signal> = given.map(|(signal, _)| signal).collect();
    let said = marks::said_with(case, &CLASSES).into_iter();
    found.extend(said.filter(|signal| !matches!(signal.says, Says::Given { .. })));
    found.extend(case.told_with(&CLASSES));
    found
}

fn supporting<'s>(case: &Case<'s>) -> Vec<&'s Signal> {
    let mut found = signs(case);
    found.extend(marks::heap_borne_out(case));
    found.extend(marks::strained(case, &["checkpoint-expired"]));
    found
}

fn title(case: &Case<'_>) -> String {
    let backend = ["state.backend.type", "state.backend"].into_iter().find_map(|key| case.given(key));
    let backend = backend.map_or(String::new(), |(_, value)| format!(" ({})", value.trim()));
    format!("keyed state lies on the Java heap{backend} and outgrew it{}", marks::given_as(case, "-Xmx"))
}

#[cfg(test)]
mod tests {
    use super::super::left::Left;
    use super::*;
    use crate::diagnose::postmortem::signal::Origin;
    use crate::model::{Confidence, Killer};

    fn exhausted() -> Left {
        Left::killed_by(Killer::Jvm, Area::Heap).quote("java.lang.OutOfMemoryError: Java heap space")
    }

    #[test]
    fn an_exhausted_heap_with_state_on_it_is_the_cause() {
        for key in ["state.backend", "state.backend.type"] {
            let verdict = exhausted().given(key, "hashmap").verdict();
            assert_eq!(
                (verdict.code, verdict.area, verdict.confidence),
                (Some("OOM963"), Area::Heap, Confidence::High)
            );
            assert!(verdict.summary.contains("(hashmap)"), "{}", verdict.summary);
        }
        let borne_out = exhausted().given("state.backend", "filesystem").ended(239);
        let borne_out = borne_out.strain(Origin::Flink, "checkpoint-expired", None);
        assert_eq!(borne_out.first(), Some("OOM963"));
    }

    #[test]
    fn a_class_of_the_state_in_the_stack_is_a_sign() {
        let in_stack = exhausted().because("thrown in CopyOnWriteStateMap.doubleCapacity");
        assert_eq!(in_stack.first(), Some("OOM963"));
    }

    #[test]
    fn rocksdb_a_jobmanager_and_a_kill_from_outside_are_not() {
        assert!(!exhausted().given("state.backend", "rocksdb").codes().contains(&"OOM963"));
        assert!(!exhausted().codes().contains(&"OOM963"));
        let jobmanager = exhausted().given("role", "jobmanager").given("state.backend", "hashmap");
        assert!(!jobmanager.codes().contains(&"OOM963"));
        let killed = Left::killed_by(Killer::KernelMemcg, Area::Container).given("state.backend", "hashmap");
        assert!(!killed.codes().contains(&"OOM963"));
        assert!(
            !exhausted()
                .given("state.backend", "rocksdb")
                .given("state.checkpoint-storage", "filesystem")
                .codes()
                .contains(&"OOM963")
        );
    }
}
