//! What may be asked: a closed list.

use std::fmt;

/// A diagnostic command that stops nothing in the JVM: its own safepoint counters do not move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Command {
    /// `VM.native_memory summary`: for [`crate::artefact::nmt`]. Half a millisecond.
    NativeMemorySummary,
    /// `VM.native_memory detail`: regions and call sites. A sixth of a second of the JVM's CPU for a TaskManager.
    NativeMemoryDetail,
    /// `VM.info`: for [`crate::artefact::vm_info`]. Some 20 ms of the JVM's CPU.
    Info,
    /// `VM.flags`: for [`crate::artefact::vm_flags`].
    Flags,
    /// `VM.version`.
    Version,
    /// `VM.command_line`.
    CommandLine,
    /// `Compiler.codecache`: the code heaps, as in `VM.info`.
    CodeCache,
    /// `GC.heap_info`.
    HeapInfo,
    /// `System.map`: each mapping with its meaning. Temurin 21.0.8 and 25.0.3 have it, OpenJDK 17.0.21 has not.
    SystemMap,
}

impl Command {
    /// All.
    pub const ALL: [Command; 9] = [
        Command::NativeMemorySummary,
        Command::NativeMemoryDetail,
        Command::Info,
        Command::Flags,
        Command::Version,
        Command::CommandLine,
        Command::CodeCache,
        Command::HeapInfo,
        Command::SystemMap,
    ];

    /// As the JVM calls it.
    pub fn words(self) -> &'static str {
        match self {
            Command::NativeMemorySummary => "VM.native_memory summary",
            Command::NativeMemoryDetail => "VM.native_memory detail",
            Command::Info => "VM.info",
            Command::Flags => "VM.flags",
            Command::Version => "VM.version",
            Command::CommandLine => "VM.command_line",
            Command::CodeCache => "Compiler.codecache",
            Command::HeapInfo => "GC.heap_info",
            Command::SystemMap => "System.map",
        }
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.words())
    }
}

/// A diagnostic command that stops the program or changes the process. There is no `GC.run` among them: it is never the way
/// to learn something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Disturbing {
    /// `VM.metaspace`: metaspace by class loader.
    Metaspace,
    /// `Thread.print`: the stacks of all threads.
    ThreadPrint,
    /// `GC.class_histogram`: live objects by class.
    ClassHistogram,
    /// `System.trim_native_heap`: glibc gives free pages back (`malloc_trim`).
    TrimNativeHeap,
}

impl Disturbing {
    /// All.
    pub const ALL: [Disturbing; 4] =
        [Disturbing::Metaspace, Disturbing::ThreadPrint, Disturbing::ClassHistogram, Disturbing::TrimNativeHeap];

    /// As the JVM calls it.
    pub fn words(self) -> &'static str {
        match self {
            Disturbing::Metaspace => "VM.metaspace",
            Disturbing::ThreadPrint => "Thread.print",
            Disturbing::ClassHistogram => "GC.class_histogram",
            Disturbing::TrimNativeHeap => "System.trim_native_heap",
        }
    }

    /// What it does to the process, in a sentence for the person who asks for it. The times are of a Flink TaskManager with
    /// a heap of 512 MiB, OpenJDK 17, on two cores.
    pub fn price(self) -> &'static str {
        match self {
            Disturbing::Metaspace => {
                "stops the JVM once, for 0.7 to 5 ms; its performance data say how much metaspace is used without that"
            }
            Disturbing::ThreadPrint => {
                "stops the JVM two or three times, for some 2 ms together with a hundred threads"
            }
            Disturbing::ClassHistogram => {
                "collects the whole heap and walks it while the JVM stands still: 140 to 380 ms with a heap of 512 MiB, \
                 seconds with a large one"
            }
            Disturbing::TrimNativeHeap => {
                "changes the process: glibc gives its free pages back to the kernel (malloc_trim), without a stop of the JVM, \
                 but with each of its arenas locked while that is trimmed; JDK 18 and later, and OpenJDK 17 where its \
                 updates have it (17.0.15 has)"
            }
        }
    }
}

impl fmt::Display for Disturbing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.words())
    }
}
