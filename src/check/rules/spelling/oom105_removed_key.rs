use super::known::{self, Standing};
use crate::check::rule::rule;
use crate::check::{Case, Collector};
use crate::flink::Version;
use crate::flink::profile::Profile;
use crate::model::Severity;

rule! {
    /// This version does not read the key any more.
    ///
    /// ### Why
    /// An option that was removed is ignored without a word: a memory setting that worked for years stops to work with an
    /// upgrade, and the default takes its place. `taskmanager.memory.fraction` has done nothing since 1.10, and
    /// `taskmanager.heap.size` does nothing in 2.0.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=2.0
    /// taskmanager.memory.process.size: 4g
    /// taskmanager.network.numberOfBuffers: 4096
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=2.0
    /// taskmanager.memory.process.size: 4g
    /// taskmanager.memory.network.min: 128m
    /// ```
    ///
    /// ### Sources
    /// - The options of every version, read out of its jars, and the string constants of those jars: `profiles/options.tsv`.
    /// - Thread: https://github.com/GoogleCloudPlatform/flink-on-k8s-operator/issues/288.
    "OOM105" "removed-key" {
        severity: Severity::Warning,
        check: check,
    }
}

/// Beginnings of keys that are about memory, state and checkpoints.
const GRAVE: [&str; 9] = [
    "containerized.heap-cutoff",
    "execution.checkpointing.",
    "jobmanager.heap.",
    "jobmanager.memory.",
    "state.",
    "taskmanager.heap.",
    "taskmanager.memory.",
    "taskmanager.network.memory.",
    "taskmanager.network.numberOfBuffers",
];

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    for (written, standing) in known::unusual(case) {
        let Standing::Gone(last) = standing else { continue };
        let key = written.key;
        if !known::is_clusters_own(key) {
            continue;
        }
        let severity =
            if GRAVE.iter().any(|prefix| key.starts_with(prefix)) { Severity::Error } else { Severity::Warning };
        let draft = found
            .find(format!("Flink {} does not read {key} any more", case.version()))
            .at(&written.key_place(), format!("read up to {}", last.to().version()))
            .severity(severity);
        match successor(key, case.profile()) {
            Some((fact, help)) => draft.note(fact).help(help),
            None => draft.help("take it out, and look for what took its place in the release notes"),
        };
    }
}

/// What took the place of a key in this version: a fact, and what to do.
fn successor(key: &str, profile: &Profile) -> Option<(&'static str, &'static str)> {
    let line = profile.version().line();
    Some(match key {
        "taskmanager.heap.size" | "taskmanager.heap.mb" => (
            "up to 1.20 it stood in for the total of a TaskManager; since 2.0 nothing reads it",
            "set taskmanager.memory.process.size",
        ),
        "jobmanager.heap.size" | "jobmanager.heap.mb" => (
            "up to 1.20 it stood in for the total or the heap of a JobManager; since 2.0 nothing reads it",
            "set jobmanager.memory.process.size",
        ),
        "taskmanager.memory.fraction" => (
            "since 1.10 managed memory is taskmanager.memory.managed.fraction of total Flink memory, 0.4 by default",
            "set taskmanager.memory.managed.fraction; it is a share of another whole, so the number changes too",
        ),
        "taskmanager.memory.off-heap" | "taskmanager.memory.preallocate" => {
            ("since 1.10 managed memory is always off-heap and never allocated in advance", "take it out")
        }
        "taskmanager.network.numberOfBuffers" => (
            "since 2.0 network memory is a share between taskmanager.memory.network.min and .max",
            "set taskmanager.memory.network.min and .max to the buffers times the segment size",
        ),
        "taskmanager.network.memory.buffers-per-channel" | "taskmanager.network.memory.floating-buffers-per-gate" => {
            ("since 2.0 a channel has 2 buffers and a gate 8 floating ones", "take it out")
        }
        "taskmanager.network.memory.max-overdraft-buffers-per-gate" => {
            ("since 2.0 a gate may overdraw 20 buffers", "take it out")
        }
        "taskmanager.network.memory.max-buffers-per-channel" => {
            ("since 2.0 a channel may have 10 buffers at most", "take it out")
        }
        "containerized.heap-cutoff-ratio" | "containerized.heap-cutoff-min" => (
            "what the cut-off left free is budgeted by parts now: JVM overhead, metaspace and off-heap",
            "set taskmanager.memory.jvm-overhead.fraction, .min and .max",
        ),
        "cluster.evenly-spread-out-slots" => (
            "since 2.0 taskmanager.load-balance.mode says how slots are spread",
            "set taskmanager.load-balance.mode: SLOTS where it was true",
        ),
        "security.ssl.enabled" => (
            "since 2.0 TLS within the cluster and TLS of the REST endpoint are switched on separately",
            "set security.ssl.internal.enabled and security.ssl.rest.enabled",
        ),
        "pipeline.default-kryo-serializers" | "pipeline.registered-kryo-types" | "pipeline.registered-pojo-types" => {
            ("since 2.0 serializers are listed in pipeline.serialization-config", "move them there")
        }
        "table.exec.shuffle-mode" => {
            ("since 2.0 execution.batch-shuffle-mode alone decides", "set execution.batch-shuffle-mode")
        }
        "state.backend.async" => ("snapshots are always asynchronous", "take it out"),
        "pipeline.time-characteristic" => ("since 1.12 jobs work in event time by default", "take it out"),
        _ if key.starts_with("mesos.") && line >= Version::minor(1, 14).line() => {
            ("Flink does not run on Mesos since 1.14", "take it out")
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use crate::check::tried::{codes, find};
    use crate::model::Severity;

    #[rstest]
    #[case("1.10", "taskmanager.memory.fraction", true)]
    #[case("1.9", "taskmanager.memory.fraction", false)]
    #[case("1.20", "taskmanager.heap.size", false)]
    #[case("2.0", "taskmanager.heap.size", true)]
    #[case("1.10", "containerized.heap-cutoff-ratio", false)]
    #[case("1.11", "containerized.heap-cutoff-ratio", true)]
    #[case("2.3", "taskmanager.memory.size", false)]
    #[case("1.20", "sink.parallelism", false)]
    #[case("1.17", "env.java.opts", false)]
    #[case("1.18", "akka.ask.timeout", false)]
    fn a_key_is_gone_from_the_version_that_stopped_to_read_it(
        #[case] version: &str,
        #[case] key: &str,
        #[case] gone: bool,
    ) {
        let text = format!("# oomph: flink={version}\n{key}: 1\n");
        assert_eq!(codes("flink-conf.yaml", &text).contains(&"OOM105"), gone, "{key} in {version}");
    }

    #[test]
    fn memory_matters_more_than_the_rest() {
        let of = |key: &str| find("OOM105", "config.yaml", &format!("# oomph: flink=2.0\n{key}: 1\n"));
        let heap = of("taskmanager.heap.size");
        assert_eq!(heap.severity, Severity::Error);
        assert!(heap.help.unwrap().contains("taskmanager.memory.process.size"));
        assert_eq!(of("mesos.master").severity, Severity::Warning);
    }
}
