//! What the JVM counts of itself.

use serde::Serialize;

use crate::artefact::hsperfdata::{Collector, HsPerf, Refreshed};
use crate::artefact::nmt::{Category, Extent};

/// A JVM. Sizes are bytes, times nanoseconds; null is what this JVM or collector does not count.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct JvmV1 {
    /// `17.0.21`.
    java_version: Option<String>,
    /// `G1`, `Serial`, `Parallel`, `CMS`, `Shenandoah`, `ZGC`, `generational ZGC`.
    collector: Option<&'static str>,
    /// Heap in use: see `heap_used_as_of`.
    heap_used: Option<u64>,
    /// When the JVM refreshes `heap_used`: `collection` (then it may be far too small), `phase`, `sampled` (each 50 ms),
    /// `while_changing`.
    heap_used_as_of: Option<&'static str>,
    /// Heap that is committed.
    heap_committed: Option<u64>,
    /// The old generation in use.
    old_used: Option<u64>,
    /// Metaspace in use, the class space included.
    metaspace_used: Option<u64>,
    /// Metaspace that is committed, the class space included.
    metaspace_committed: Option<u64>,
    /// The class space in use.
    class_space_used: Option<u64>,
    young: CollectionsV1,
    full: CollectionsV1,
    /// Pauses of collections that run beside the program.
    concurrent: CollectionsV1,
    /// How often the whole JVM was stopped.
    safepoints: Option<u64>,
    safepoint_nanoseconds: Option<u64>,
    /// Java threads: those of libraries, the collector and the compiler are not among them.
    threads: Option<u64>,
    peak_threads: Option<u64>,
    classes_loaded: Option<u64>,
    classes_unloaded: Option<u64>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct CollectionsV1 {
    times: Option<u64>,
    nanoseconds: Option<u64>,
}

impl CollectionsV1 {
    fn of(collector: Option<&Collector>) -> CollectionsV1 {
        CollectionsV1 {
            times: collector.and_then(|collector| collector.invocations),
            nanoseconds: collector.and_then(|collector| collector.nanoseconds),
        }
    }
}

impl JvmV1 {
    pub(super) fn of(jvm: &HsPerf) -> JvmV1 {
        let metaspace = jvm.metaspace.as_ref();
        JvmV1 {
            java_version: jvm.java_version.clone(),
            collector: jvm.collector.map(|collector| collector.label()),
            heap_used: jvm.heap_used(),
            heap_used_as_of: jvm.refreshed().map(|refreshed| match refreshed {
                Refreshed::AtCollection => "collection",
                Refreshed::AtPhases => "phase",
                Refreshed::Sampled => "sampled",
                Refreshed::WhileChanging => "while_changing",
            }),
            heap_committed: jvm.heap_committed(),
            old_used: jvm.old_used(),
            metaspace_used: metaspace.and_then(|space| space.used),
            metaspace_committed: metaspace.and_then(|space| space.capacity),
            class_space_used: jvm.class_space.as_ref().and_then(|space| space.used),
            young: CollectionsV1::of(jvm.young_collections()),
            full: CollectionsV1::of(jvm.full_collections()),
            concurrent: CollectionsV1::of(jvm.concurrent_pauses()),
            safepoints: jvm.safepoints,
            safepoint_nanoseconds: jvm.safepoint_nanoseconds,
            threads: jvm.threads,
            peak_threads: jvm.peak_threads,
            classes_loaded: jvm.loaded_classes,
            classes_unloaded: jvm.unloaded_classes,
        }
    }
}

/// One category of native memory tracking, rounded down as the JVM prints it.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct NmtCategoryV1 {
    /// The JVM's name: `Java Heap`, `Class`, `Thread`, `Other`.
    name: String,
    /// Address space.
    reserved: u64,
    /// What of it may be used: it is not all resident.
    committed: u64,
    /// By malloc.
    malloc: Option<u64>,
    /// Committed by mmap.
    mmap: Option<u64>,
    /// In arenas, which are pieces of malloc that are shared out further.
    arena: Option<u64>,
}

impl NmtCategoryV1 {
    pub(super) fn of(category: &Category) -> NmtCategoryV1 {
        NmtCategoryV1 {
            name: category.name.clone(),
            reserved: category.extent.reserved,
            committed: category.extent.committed,
            malloc: category.malloc.map(|part| part.bytes),
            mmap: category.mmap.map(|Extent { committed, .. }| committed),
            arena: category.arena.map(|part| part.bytes),
        }
    }
}
