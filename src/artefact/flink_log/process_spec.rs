//! The memory of a worker as a JobManager asks for it: `TaskExecutorProcessSpec {…}` and `WorkerResourceSpec {…}` (1.10
//! and later), a pod's resources (`KubernetesResourceManagerDriver`), and up to 1.9 the sizes of the container and the
//! JVM.

use std::sync::LazyLock;

use super::{At, MOST_MESSAGES, Printed, Sentence, number, span, stretch};

/// One size or number, by the key of Flink that sets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The key, or a flag of the JVM.
    pub key: &'static str,
    /// The value in the form in which Flink writes it behind the key: bytes with a `b`.
    pub value: String,
}

static SPEC: LazyLock<Sentence> =
    LazyLock::new(|| Sentence::new(r"(?:TaskExecutorProcessSpec|WorkerResourceSpec) ?\{"));
static POD: LazyLock<Sentence> = LazyLock::new(|| {
    Sentence::new(r"TaskManager pod with (?:name \S+ and resource )?<(?<mib>\d+), ?(?<cores>[\d.]+)>")
});
static CONTAINER: LazyLock<Sentence> = LazyLock::new(|| {
    Sentence::new(concat!(
        r"will be started with container size (?<container>\d+) MB, JVM heap size (?<heap>\d+) MB,",
        r"(?: new generation size \d+ MB,)? JVM direct memory limit (?<direct>-?\d+) MB",
    ))
});

/// The fields of both specifications and the keys that they come from.
const FIELDS: &[(&str, &str)] = &[
    ("cpuCores", "taskmanager.cpu.cores"),
    ("frameworkHeapSize", "taskmanager.memory.framework.heap.size"),
    ("frameworkOffHeapSize", "taskmanager.memory.framework.off-heap.size"),
    ("taskHeapSize", "taskmanager.memory.task.heap.size"),
    ("taskOffHeapSize", "taskmanager.memory.task.off-heap.size"),
    ("networkMemSize", "taskmanager.memory.network.max"),
    ("managedMemorySize", "taskmanager.memory.managed.size"),
    ("managedMemSize", "taskmanager.memory.managed.size"),
    ("jvmMetaspaceSize", "taskmanager.memory.jvm-metaspace.size"),
    ("jvmOverheadSize", "taskmanager.memory.jvm-overhead.max"),
    ("numSlots", "taskmanager.numberOfTaskSlots"),
];

/// Every setting that such a record states, in the order of the text.
pub fn settings(text: &str) -> Vec<At<Setting>> {
    let mut found = Vec::new();
    for captures in SPEC.all(text).take(MOST_MESSAGES) {
        let span = span(&captures);
        let inside = stretch(text, span.end, 1_500).split(['}', '\x0c']).next().unwrap_or_default();
        for (key, value) in fields(inside) {
            found.push(At { span: span.clone(), what: Setting { key, value } });
        }
    }
    for captures in POD.all(text) {
        let Some(mib) = number::<u64>(&captures, "mib") else { continue };
        let what = Setting { key: "taskmanager.memory.process.size", value: format!("{mib}m") };
        found.push(At { span: span(&captures), what });
    }
    for captures in CONTAINER.all(text) {
        let keys = [("container", "taskmanager.heap.size"), ("heap", "-Xmx"), ("direct", "-XX:MaxDirectMemorySize")];
        for (name, key) in keys {
            let Some(mib) = number::<u64>(&captures, name) else { continue };
            found.push(At { span: span(&captures), what: Setting { key, value: format!("{mib}m") } });
        }
    }
    found.sort_by_key(|setting| setting.span.start);
    found
}

fn fields(text: &str) -> Vec<(&'static str, String)> {
    let mut read = Vec::new();
    for (name, key) in FIELDS {
        let Some((_, rest)) = text.split_once(&format!("{name}=")) else { continue };
        // The next field begins behind a comma; sizes have none.
        let value = rest.split(',').next().unwrap_or(rest);
        let value = value.split_whitespace().collect::<Vec<_>>().join(" ");
        let value = match Printed::parse(&value) {
            Some(size) => format!("{}b", size.bytes.get()),
            None => value,
        };
        if !value.is_empty() && !read.iter().any(|(known, _)| known == key) {
            read.push((*key, value));
        }
    }
    read
}
