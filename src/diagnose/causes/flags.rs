//! What the JVM and Flink were told in the process's own command line.

use crate::artefact::hsperfdata::HsPerf;
use crate::diagnose::sample::Sample;
use crate::model::Bytes;

/// A size that an option gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Told<'s> {
    /// The option as it is written.
    pub word: &'s str,
    /// What it comes to.
    pub bytes: Bytes,
}

/// The last of these options, the one that counts (`Arguments::parse` in HotSpot's arguments.cpp reads them in order).
/// Those of the environment (`JAVA_TOOL_OPTIONS`), which only the performance data shows, come before the command's.
pub(super) fn size<'s>(sample: &'s Sample, names: &[&str]) -> Option<Told<'s>> {
    let from_environment = sample.jvm.as_ref().ok().and_then(vm_args).unwrap_or_default();
    let words = from_environment.split_whitespace().chain(sample.command().iter().map(String::as_str));
    let told = |word: &'s str| {
        let text = names.iter().find_map(|name| word.strip_prefix(name))?;
        Some(Told { word, bytes: Bytes::parse_jvm(text).ok()? })
    };
    words.rev().find_map(told)
}

fn vm_args(jvm: &HsPerf) -> Option<&str> {
    jvm.vm_args.as_deref()
}

/// What Flink was told of a size: `-D taskmanager.memory.managed.size=536870920b`.
pub(super) fn property(sample: &Sample, key: &str) -> Option<Bytes> {
    let words = sample.command().iter().map(|word| word.strip_prefix("-D").unwrap_or(word));
    let value = words.rev().find_map(|word| word.strip_prefix(key)?.strip_prefix('='))?;
    Bytes::parse_flink(value).ok()
}

/// `-Xmx` and its long form.
pub(super) const MAX_HEAP: &[&str] = &["-Xmx", "-XX:MaxHeapSize="];
/// The bound of metaspace.
pub(super) const MAX_METASPACE: &[&str] = &["-XX:MaxMetaspaceSize="];
/// The bound of direct memory.
pub(super) const MAX_DIRECT: &[&str] = &["-XX:MaxDirectMemorySize="];
/// The bound of compiled code.
pub(super) const CODE_CACHE: &[&str] = &["-XX:ReservedCodeCacheSize="];
