use crate::check::Written;
use crate::check::rule::{FixKind, rule};
use crate::check::{Case, Collector};
use crate::flink::java;
use crate::model::{Component, Confidence, Deployment, Role, Severity};

rule! {
    /// The JobManager's off-heap size is a plan that nobody holds it to.
    ///
    /// ### Why
    /// A JobManager is started without `-XX:MaxDirectMemorySize` unless
    /// `jobmanager.memory.enable-jvm-direct-memory-limit: true` asks for it; `jobmanager.memory.off-heap.size` then only takes
    /// room out of the total. A JVM without the flag allows as much direct memory as heap. In a container, which has a limit
    /// of its own, a leak or a burst of direct memory is then answered by a kill without a message in the log, where a limit
    /// would have made an OutOfMemoryError with a stack trace. With checkpoints in S3 there is a known taker: metadata go
    /// through a local file, and each thread that writes one keeps a direct buffer as large as its largest write.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20 deployment=kubernetes
    /// jobmanager.memory.process.size: 4g
    /// jobmanager.memory.off-heap.size: 512m
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20 deployment=kubernetes
    /// jobmanager.memory.process.size: 4g
    /// jobmanager.memory.off-heap.size: 512m
    /// jobmanager.memory.enable-jvm-direct-memory-limit: true
    /// ```
    ///
    /// ### Sources
    /// - `JobManagerOptions.JVM_DIRECT_MEMORY_LIMIT_ENABLED` and `JobManagerProcessSpec`, Flink 1.11 to 2.3.
    /// - `jdk.internal.misc.VM.maxDirectMemory` of OpenJDK: without the flag it is `Runtime.maxMemory`;
    ///   `sun.nio.ch.Util.getTemporaryDirectBuffer`, which keeps a buffer for each thread.
    /// - Threads: https://github.com/apache/streampark/issues/2995, https://stackoverflow.com/questions/79818098.
    "OOM604" "off-heap-no-limit" {
        severity: Severity::Note,
        since: Some((1, 11)),
        fix: FixKind::Unsafe,
        check: check,
    }
}

const LIMIT: &str = "jobmanager.memory.enable-jvm-direct-memory-limit";

/// What the JobManager's JVM is given beside Flink's own arguments.
const JVM_OPTIONS: [&str; 5] = [
    "env.java.opts",
    "env.java.opts.all",
    "env.java.default-opts.all",
    "env.java.opts.jobmanager",
    "env.java.default-opts.jobmanager",
];

/// Where the JobManager writes the metadata of checkpoints and savepoints.
const METADATA: [&str; 4] = [
    "execution.checkpointing.dir",
    "state.checkpoints.dir",
    "execution.checkpointing.savepoint-dir",
    "state.savepoints.dir",
];

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    let is_contained = matches!(case.deployment, Some(Deployment::Kubernetes | Deployment::Yarn));
    let Some(written) = case.find("jobmanager.memory.off-heap.size").filter(Written::is_own) else { return };
    let limited = case.flag(LIMIT) == Some(true) || case.is_hidden(LIMIT);
    let by_hand = |key: &str| case.find(key).is_some_and(|options| options.text().contains("MaxDirectMemorySize"));
    if !is_contained || limited || JVM_OPTIONS.iter().any(|key| by_hand(key)) {
        return;
    }
    let Some(survey) = case.survey(Role::JobManager) else { return };
    let budget = &survey.plan.budget;
    let (heap, off_heap) = (budget.heap(), budget.size(Component::OffHeap));
    let Some(excess) = heap.checked_sub(off_heap).filter(|excess| excess.get() > 0) else { return };
    let s3 = METADATA.iter().filter_map(|key| case.find(key)).find(|dir| {
        let dir = dir.text().to_lowercase();
        ["s3:", "s3a:", "s3p:"].iter().any(|scheme| java::trim(&dir).starts_with(scheme))
    });
    let mut draft = found
        .find(format!("jobmanager.memory.off-heap.size: {} is no limit", written.shown()))
        .at(written.place(), "only taken out of the total")
        .note(format!(
            "without a limit the JVM allows direct memory up to the heap's {heap}, {excess} more than planned"
        ));
    if let Some(dir) = s3 {
        draft = draft
            .at(dir.place(), "written with direct buffers")
            .note("metadata for S3 go through a local file: each thread that writes one keeps a direct buffer as large as its largest write")
            .severity(Severity::Warning)
            .confidence(Confidence::Medium);
    }
    let edits = match case.find(LIMIT).filter(Written::is_own) {
        Some(limit) => case.set(limit, "true"),
        None => case.insert_below(written, LIMIT, "true"),
    };
    draft
        .help(format!("set {LIMIT}: true, so that too much of it is an error with a stack trace"))
        .unsafe_fix("enforce the size", edits);
}

#[cfg(test)]
mod tests {
    use crate::check::tried::{codes, find};
    use crate::model::Severity;

    const SET: &str = "jobmanager.memory.process.size: 4g\njobmanager.memory.off-heap.size: 512m\n";

    #[test]
    fn s3_makes_it_a_warning() {
        let text =
            format!("# oomph: flink=1.20 deployment=yarn\n{SET}state.checkpoints.dir: s3a://bucket/checkpoints\n");
        let finding = find("OOM604", "config.yaml", &text);
        assert_eq!((finding.severity, finding.labels.len()), (Severity::Warning, 2), "{finding:?}");
    }

    #[test]
    fn outside_of_a_container_or_with_a_limit_by_hand_it_is_silent() {
        assert!(!codes("config.yaml", SET).contains(&"OOM604"));
        let by_hand =
            format!("# oomph: deployment=yarn\n{SET}env.java.opts.jobmanager: -XX:MaxDirectMemorySize=512m\n");
        assert!(!codes("config.yaml", &by_hand).contains(&"OOM604"));
    }

    #[test]
    fn the_default_size_is_nobodys_limit() {
        let text = "# oomph: flink=1.20 deployment=kubernetes\njobmanager.memory.process.size: 4g\n";
        assert!(!codes("config.yaml", text).contains(&"OOM604"));
    }
}
