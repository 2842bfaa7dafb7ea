//! Where memory can be seen to be.

use std::fmt;

use super::{Component, Role};

/// A kind of memory that can be told from the others from outside the process. Every resident byte of a process is in
/// exactly one of those that are in [`Pool::is_resident`]; the rest lies beside the process in its container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Pool {
    /// The Java heap's mapped pages.
    JavaHeap,
    /// Class metadata outside the class space.
    Metaspace,
    /// Compressed class space.
    ClassSpace,
    /// Compiled code and the interpreter.
    CodeCache,
    /// Stacks of all threads, the JVM's and others.
    ThreadStacks,
    /// The collector's own tables: bitmaps, card tables, mark stacks.
    Gc,
    /// The JDK's archive of classes, `classes.jsa`.
    CdsArchive,
    /// Flink's network buffers, within malloc.
    NetworkSegments,
    /// Direct buffers that are no network buffers, within malloc.
    DirectBuffers,
    /// RocksDB's data blocks, cached or pinned, within malloc.
    BlockCache,
    /// RocksDB's memtables: arena blocks, within malloc.
    Memtables,
    /// RocksDB's index and filter blocks and other large native chunks, within malloc.
    IndexAndFilter,
    /// Small chunks in use: the JVM's own structures, RocksDB's handles, other native code.
    NativeSmall,
    /// Memory that the program gave back and the allocator keeps resident: what `malloc_trim` returns to the kernel.
    AllocatorRetained,
    /// malloc as a whole, where it could not be looked into.
    MallocUndivided,
    /// Programs, libraries, jars and other files that are mapped.
    MappedFiles,
    /// What no rule knows.
    Unaccounted,
    /// File pages of the container that no process has mapped.
    PageCache,
    /// Memory that lies in tmpfs or shared memory.
    Tmpfs,
    /// Other processes of the same container.
    OtherProcesses,
    /// The kernel's own memory for the container: slab, stacks, page tables, sockets.
    Kernel,
}

impl Pool {
    /// All of them, in the order of tables.
    pub const ALL: [Pool; 21] = [
        Pool::JavaHeap,
        Pool::Metaspace,
        Pool::ClassSpace,
        Pool::CodeCache,
        Pool::ThreadStacks,
        Pool::Gc,
        Pool::CdsArchive,
        Pool::NetworkSegments,
        Pool::DirectBuffers,
        Pool::BlockCache,
        Pool::Memtables,
        Pool::IndexAndFilter,
        Pool::NativeSmall,
        Pool::AllocatorRetained,
        Pool::MallocUndivided,
        Pool::MappedFiles,
        Pool::Unaccounted,
        Pool::PageCache,
        Pool::Tmpfs,
        Pool::OtherProcesses,
        Pool::Kernel,
    ];

    /// The name in tables.
    pub fn label(self) -> &'static str {
        match self {
            Pool::JavaHeap => "Java heap",
            Pool::Metaspace => "Metaspace",
            Pool::ClassSpace => "Class space",
            Pool::CodeCache => "Code cache",
            Pool::ThreadStacks => "Thread stacks",
            Pool::Gc => "GC tables",
            Pool::CdsArchive => "CDS archive",
            Pool::NetworkSegments => "Network buffers",
            Pool::DirectBuffers => "Direct buffers",
            Pool::BlockCache => "RocksDB blocks",
            Pool::Memtables => "RocksDB memtables",
            Pool::IndexAndFilter => "Index, filter, large",
            Pool::NativeSmall => "JVM and native small",
            Pool::AllocatorRetained => "Kept by allocator",
            Pool::MallocUndivided => "malloc",
            Pool::MappedFiles => "Mapped files",
            Pool::Unaccounted => "Unaccounted",
            Pool::PageCache => "Page cache",
            Pool::Tmpfs => "tmpfs",
            Pool::OtherProcesses => "Other processes",
            Pool::Kernel => "Kernel",
        }
    }

    /// The name in JSON, in recordings and in metrics.
    pub fn key(self) -> &'static str {
        match self {
            Pool::JavaHeap => "java_heap",
            Pool::Metaspace => "metaspace",
            Pool::ClassSpace => "class_space",
            Pool::CodeCache => "code_cache",
            Pool::ThreadStacks => "thread_stacks",
            Pool::Gc => "gc",
            Pool::CdsArchive => "cds_archive",
            Pool::NetworkSegments => "network_segments",
            Pool::DirectBuffers => "direct_buffers",
            Pool::BlockCache => "block_cache",
            Pool::Memtables => "memtables",
            Pool::IndexAndFilter => "index_and_filter",
            Pool::NativeSmall => "native_small",
            Pool::AllocatorRetained => "allocator_retained",
            Pool::MallocUndivided => "malloc_undivided",
            Pool::MappedFiles => "mapped_files",
            Pool::Unaccounted => "other",
            Pool::PageCache => "page_cache",
            Pool::Tmpfs => "tmpfs",
            Pool::OtherProcesses => "other_processes",
            Pool::Kernel => "kernel",
        }
    }

    /// The pool of a name in JSON.
    pub fn of_key(key: &str) -> Option<Pool> {
        Pool::ALL.into_iter().find(|pool| pool.key() == key)
    }

    /// Whether it is part of the process's resident set.
    pub fn is_resident(self) -> bool {
        !matches!(self, Pool::PageCache | Pool::Tmpfs | Pool::OtherProcesses | Pool::Kernel)
    }

    /// Whether it lies in what the C library's allocator got from the kernel.
    pub fn is_malloc(self) -> bool {
        matches!(
            self,
            Pool::NetworkSegments
                | Pool::DirectBuffers
                | Pool::BlockCache
                | Pool::Memtables
                | Pool::IndexAndFilter
                | Pool::NativeSmall
                | Pool::AllocatorRetained
                | Pool::MallocUndivided
        )
    }

    /// The components of Flink's budget that pay for it; none where no budget has a part for it.
    pub fn payers(self, role: Role) -> &'static [Component] {
        match (self, role) {
            (Pool::JavaHeap, Role::TaskManager) => &[Component::FrameworkHeap, Component::TaskHeap],
            (Pool::JavaHeap, Role::JobManager) => &[Component::Heap],
            (Pool::Metaspace | Pool::ClassSpace, _) => &[Component::JvmMetaspace],
            (Pool::CodeCache | Pool::ThreadStacks | Pool::Gc | Pool::CdsArchive | Pool::NativeSmall, _) => {
                &[Component::JvmOverhead]
            }
            (Pool::NetworkSegments, Role::TaskManager) => &[Component::Network],
            (Pool::DirectBuffers, Role::TaskManager) => &[Component::FrameworkOffHeap, Component::TaskOffHeap],
            (Pool::DirectBuffers, Role::JobManager) => &[Component::OffHeap],
            (Pool::BlockCache | Pool::Memtables | Pool::IndexAndFilter, Role::TaskManager) => &[Component::Managed],
            _ => &[],
        }
    }
}

impl fmt::Display for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.label())
    }
}
