//! How killers, areas and times are said.

use crate::artefact::excerpt::Moment;
use crate::diagnose::postmortem::signal::Origin;
use crate::model::{Area, Killer};

/// Who did it, as the beginning of a sentence.
pub fn killer(killer: Killer) -> &'static str {
    match killer {
        Killer::KernelMemcg => "The kernel killed it at its cgroup's limit",
        Killer::KernelGlobal => "The kernel killed it: the machine was full",
        Killer::YarnPmem => "YARN killed it for physical memory",
        Killer::YarnVmem => "YARN killed it for virtual memory",
        Killer::YarnElastic => "YARN's elastic control killed it",
        Killer::KubeletEvict => "The kubelet evicted it for memory",
        Killer::SystemdOomd => "systemd-oomd killed it",
        Killer::Jvm => "The JVM ran out of memory",
        Killer::Flink => "Flink ended or refused it",
        Killer::Python => "A Python worker ran out of memory",
        Killer::NotOom => "Memory was not the reason",
        Killer::Unknown => "It ended, and nothing says why",
    }
}

/// What had filled the memory.
pub fn area(area: Area) -> &'static str {
    match area {
        Area::Heap => "the Java heap",
        Area::Metaspace => "metaspace",
        Area::Direct => "direct memory",
        Area::Native => "native memory",
        Area::Network => "network buffers",
        Area::ManagedRocksDb => "RocksDB",
        Area::PageCache => "page cache",
        Area::Tmpfs => "files in memory (tmpfs)",
        Area::Threads => "threads",
        Area::Container => "the container; by what is not shown",
        Area::Config => "a setting, not what was used",
        Area::Other => "something else",
    }
}

/// The same as a cause of a code tells it: a container that processes beside the JVM helped to fill is not one of which
/// nothing shows by what.
pub fn filled(code: Option<&str>, area: Area) -> &'static str {
    match (code, area) {
        (Some("OOM911" | "OOM959"), Area::Container) => "the container, not by the JVM alone",
        _ => self::area(area),
    }
}

/// Who says something.
pub fn origin(origin: Origin) -> &'static str {
    match origin {
        Origin::Kernel => "kernel",
        Origin::Counters => "counters",
        Origin::Yarn => "YARN",
        Origin::Kubernetes => "Kubernetes",
        Origin::Systemd => "systemd",
        Origin::Jvm => "JVM",
        Origin::GcLog => "GC log",
        Origin::Jcmd => "jcmd",
        Origin::Flink => "Flink",
        Origin::RocksDb => "RocksDB",
        Origin::Python => "Python",
        Origin::Metrics => "metrics",
        Origin::Recording => "recording",
        Origin::Given => "settings",
        Origin::Program => "program",
    }
}

/// A time as it is written beside an event.
pub fn moment(at: Moment) -> String {
    match at {
        Moment::Zoned(at) => at.strftime("%Y-%m-%d %H:%M:%SZ").to_string(),
        Moment::Local(at) => at.strftime("%Y-%m-%d %H:%M:%S").to_string(),
        Moment::Yearless(at) => at.strftime("%b %d %H:%M:%S").to_string(),
        Moment::Since(since) => {
            let seconds = since.as_secs();
            format!("+{}.{:03} s", seconds, since.subsec_millis().abs())
        }
    }
}
