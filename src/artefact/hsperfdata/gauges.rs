//! What the counters say of memory, collections and threads, whatever the collector.

use super::PerfData;

/// One space of a generation, metaspace or the class space, in bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Space {
    /// The JVM's name: `eden`, `s0`, `old`, `space`.
    pub name: String,
    /// In use, as of the last time the JVM refreshed it: see [`HsPerf::refreshed`].
    pub used: Option<u64>,
    /// Committed.
    pub capacity: Option<u64>,
    /// The most that may be committed.
    pub max: Option<u64>,
}

/// One generation of the heap. Collectors without generations have all in generation 1.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Generation {
    /// 0 is the young one, 1 the old one.
    pub index: u8,
    /// The JVM's name: `new`, `young`, `old`, `Heap`.
    pub name: String,
    /// Committed bytes.
    pub capacity: Option<u64>,
    /// The most that may be committed, in bytes; with G1 and ZGC the whole heap for each.
    pub max: Option<u64>,
    /// Its spaces.
    pub spaces: Vec<Space>,
}

impl Generation {
    /// The bytes in use of all its spaces; nothing where one does not say. Shenandoah's young generation has neither spaces
    /// nor capacity.
    pub fn used(&self) -> Option<u64> {
        if self.spaces.is_empty() {
            return self.capacity.filter(|capacity| *capacity == 0);
        }
        total(self.spaces.iter().map(|space| space.used))
    }
}

/// What has been collected, and how long that took.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Collector {
    /// 0 collects the young generation, 1 the whole heap, 2 pauses for what runs beside the program; but see
    /// [`HsPerf::full_collections`].
    pub index: u8,
    /// The JVM's name: `G1 young collection pauses`.
    pub name: String,
    /// How often.
    pub invocations: Option<u64>,
    /// How long in all, in nanoseconds.
    pub nanoseconds: Option<u64>,
}

/// A collector, as the counters tell it: by `sun.gc.policy.name`, or where there is none by the names of collectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CollectorKind {
    /// `-XX:+UseSerialGC`.
    Serial,
    /// `-XX:+UseParallelGC`.
    Parallel,
    /// `-XX:+UseConcMarkSweepGC`, until JDK 13.
    Cms,
    /// `-XX:+UseG1GC`.
    G1,
    /// `-XX:+UseShenandoahGC`.
    Shenandoah,
    /// `-XX:+UseZGC` without generations, until JDK 23.
    Z,
    /// `-XX:+UseZGC` with generations, from JDK 21.
    ZGenerational,
}

impl CollectorKind {
    /// The name in a text.
    pub fn label(self) -> &'static str {
        match self {
            CollectorKind::Serial => "Serial",
            CollectorKind::Parallel => "Parallel",
            CollectorKind::Cms => "CMS",
            CollectorKind::G1 => "G1",
            CollectorKind::Shenandoah => "Shenandoah",
            CollectorKind::Z => "ZGC",
            CollectorKind::ZGenerational => "generational ZGC",
        }
    }
}

/// When the JVM writes the used bytes of the heap into its counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refreshed {
    /// At the end of a collection only: the figure may be long out of date and far too small (`G1MonitoringSupport`).
    AtCollection,
    /// By the sampler, each 50 ms (`-XX:PerfDataSamplingInterval`; `ContiguousSpaceUsedHelper`,
    /// `MutableSpaceUsedHelper`).
    Sampled,
    /// At the pauses of a collection's phases (`ZServiceability`); when it ran last, what it had not freed yet counts.
    AtPhases,
    /// By a task of the collector while the heap changes (`ShenandoahMonitoringSupport`).
    WhileChanging,
}

/// What a JVM tells of itself, typed. A figure is absent where the JVM has no such counter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HsPerf {
    /// The collector.
    pub collector: Option<CollectorKind>,
    /// `sun.gc.policy.name`: `GarbageFirst`, `Copy:MSC`; Shenandoah and ZGC have none.
    pub policy: Option<String>,
    /// The heap's generations, the young one first.
    pub generations: Vec<Generation>,
    /// Collectors by index.
    pub collectors: Vec<Collector>,
    /// Metaspace, the class space included.
    pub metaspace: Option<Space>,
    /// The class space; all 0 where class pointers are not compressed.
    pub class_space: Option<Space>,
    /// How often the whole JVM was stopped, since its start.
    pub safepoints: Option<u64>,
    /// How long it was stopped in all, in nanoseconds.
    pub safepoint_nanoseconds: Option<u64>,
    /// How long it took to stop its threads, in nanoseconds.
    pub safepoint_sync_nanoseconds: Option<u64>,
    /// Java threads that live. Threads of libraries, the collector and the compiler are not among them.
    pub threads: Option<u64>,
    /// Those of them that are daemons.
    pub daemon_threads: Option<u64>,
    /// The most Java threads that lived at once.
    pub peak_threads: Option<u64>,
    /// Java threads that were ever started.
    pub started_threads: Option<u64>,
    /// Classes that were loaded, those of the CDS archive included.
    pub loaded_classes: Option<u64>,
    /// Classes that were unloaded.
    pub unloaded_classes: Option<u64>,
    /// Main class (or jar, or module) and its arguments; cut after 1,024 bytes.
    pub java_command: Option<String>,
    /// The JVM's options; cut after 1,024 bytes.
    pub vm_args: Option<String>,
    /// The options of a `.hotspotrc` or `-XX:Flags` file; cut after 1,024 bytes.
    pub vm_flags: Option<String>,
    /// `17.0.21`; JDK 8 has the counter, too.
    pub java_version: Option<String>,
    /// `17.0.21+9-1-deb12u1-Debian`.
    pub vm_version: Option<String>,
    /// `OpenJDK 64-Bit Server VM`.
    pub vm_name: Option<String>,
    /// `Eclipse Adoptium`.
    pub vm_vendor: Option<String>,
    /// When the JVM began to start, in milliseconds since 1970.
    pub began: Option<u64>,
    /// How long it has run, in nanoseconds, as of the sampler's last turn.
    pub uptime_nanoseconds: Option<u64>,
    /// Whether the JVM had finished its start; before, figures are missing.
    pub accessible: bool,
    /// What is wrong with the file, one sentence each.
    pub remarks: Vec<String>,
}

/// More generations or collectors than any JVM has; names are made up to here.
const MOST_GENERATIONS: u8 = 4;

/// More spaces than any generation has: Serial's and Parallel's young one has three.
const MOST_SPACES: u64 = 8;

/// G1 adds up to three times the alignment of objects, at most 256 bytes, to capacities up to JDK 20, so that none is 0
/// (`G1MonitoringSupport::pad_capacity`). What is committed is a multiple of a page.
const G1_PADDING: u64 = 4096;

impl HsPerf {
    /// What counters say.
    pub fn of(data: &PerfData) -> HsPerf {
        let nanoseconds = |name: &str| nanoseconds(data, name);
        let text = |name: &str| data.text(name).map(str::to_owned);
        // Classes of the archive are counted beside the others.
        let both = |one: &str, shared: &str| {
            let one = data.number(one)?;
            one.checked_add(data.number(shared).unwrap_or_default())
        };
        let collectors: Vec<Collector> = (0..MOST_GENERATIONS).filter_map(|index| collector(data, index)).collect();
        let policy = text("sun.gc.policy.name");
        let kind = kind(policy.as_deref(), &collectors);
        HsPerf {
            collector: kind,
            policy,
            generations: (0..MOST_GENERATIONS).filter_map(|index| generation(data, index, kind)).collect(),
            collectors,
            metaspace: outside_heap(data, "metaspace"),
            class_space: outside_heap(data, "compressedclassspace"),
            safepoints: data.number("sun.rt.safepoints"),
            safepoint_nanoseconds: nanoseconds("sun.rt.safepointTime"),
            safepoint_sync_nanoseconds: nanoseconds("sun.rt.safepointSyncTime"),
            threads: data.number("java.threads.live"),
            daemon_threads: data.number("java.threads.daemon"),
            peak_threads: data.number("java.threads.livePeak"),
            started_threads: data.number("java.threads.started"),
            loaded_classes: both("java.cls.loadedClasses", "java.cls.sharedLoadedClasses"),
            unloaded_classes: both("java.cls.unloadedClasses", "java.cls.sharedUnloadedClasses"),
            java_command: text("sun.rt.javaCommand"),
            vm_args: text("java.rt.vmArgs"),
            vm_flags: text("java.rt.vmFlags"),
            java_version: text("java.property.java.version"),
            vm_version: text("java.property.java.vm.version"),
            vm_name: text("java.property.java.vm.name"),
            vm_vendor: text("java.property.java.vm.vendor"),
            began: data.number("sun.rt.createVmBeginTime"),
            uptime_nanoseconds: nanoseconds("sun.os.hrt.ticks"),
            accessible: data.accessible,
            remarks: data.remarks.clone(),
        }
    }

    /// When the used bytes of the heap were refreshed last; nothing where the collector is not known.
    pub fn refreshed(&self) -> Option<Refreshed> {
        self.collector.map(|kind| match kind {
            CollectorKind::Serial | CollectorKind::Parallel | CollectorKind::Cms => Refreshed::Sampled,
            CollectorKind::G1 => Refreshed::AtCollection,
            CollectorKind::Shenandoah => Refreshed::WhileChanging,
            CollectorKind::Z | CollectorKind::ZGenerational => Refreshed::AtPhases,
        })
    }

    /// The bytes of the heap that are in use: see [`HsPerf::refreshed`].
    pub fn heap_used(&self) -> Option<u64> {
        total(self.generations.iter().map(Generation::used))
    }

    /// The bytes of the heap that are committed.
    pub fn heap_committed(&self) -> Option<u64> {
        total(self.generations.iter().map(|generation| generation.capacity))
    }

    /// The old generation; nothing with collectors that have no generations (Shenandoah, ZGC before its generations).
    pub fn old(&self) -> Option<&Generation> {
        let kind = self.collector?;
        let generations = !matches!(kind, CollectorKind::Shenandoah | CollectorKind::Z);
        self.generations.iter().find(|generation| generations && generation.index == 1)
    }

    /// The old generation's bytes in use: see [`HsPerf::refreshed`].
    pub fn old_used(&self) -> Option<u64> {
        self.old().and_then(Generation::used)
    }

    /// Collections of the young generation; nothing with collectors that have none.
    pub fn young_collections(&self) -> Option<&Collector> {
        let kind = self.collector?;
        (!matches!(kind, CollectorKind::Shenandoah | CollectorKind::Z)).then(|| self.collector_of(0)).flatten()
    }

    /// Collections of the whole heap while the program stands still. Nothing with Shenandoah, which counts every pause of
    /// its concurrent cycles there, and with ZGC, which has none: see [`HsPerf::concurrent_pauses`].
    pub fn full_collections(&self) -> Option<&Collector> {
        let kind = self.collector?;
        let counted = !matches!(kind, CollectorKind::Shenandoah | CollectorKind::Z | CollectorKind::ZGenerational);
        counted.then(|| self.collector_of(1)).flatten()
    }

    /// The pauses of collections that run beside the program.
    pub fn concurrent_pauses(&self) -> Option<&Collector> {
        self.collector_of(if self.collector == Some(CollectorKind::Shenandoah) { 1 } else { 2 })
    }

    fn collector_of(&self, index: u8) -> Option<&Collector> {
        self.collectors.iter().find(|collector| collector.index == index)
    }
}

fn kind(policy: Option<&str>, collectors: &[Collector]) -> Option<CollectorKind> {
    let named = |start: &str| collectors.iter().any(|collector| collector.name.starts_with(start));
    match policy {
        Some("Copy:MSC") => Some(CollectorKind::Serial),
        Some("ParScav:MSC") => Some(CollectorKind::Parallel),
        Some("ParNew:CMS") => Some(CollectorKind::Cms),
        Some("GarbageFirst") => Some(CollectorKind::G1),
        Some(_) => None,
        None if named("Shenandoah ") => Some(CollectorKind::Shenandoah),
        None if named("ZGC minor ") => Some(CollectorKind::ZGenerational),
        None if named("Z ") || named("ZGC ") => Some(CollectorKind::Z),
        None => None,
    }
}

fn collector(data: &PerfData, index: u8) -> Option<Collector> {
    let at = format!("sun.gc.collector.{index}");
    let name = data.text(&format!("{at}.name"))?.to_owned();
    let nanoseconds = nanoseconds(data, &format!("{at}.time"));
    Some(Collector { index, name, invocations: data.number(&format!("{at}.invocations")), nanoseconds })
}

/// A counter of the clock's ticks.
fn nanoseconds(data: &PerfData, name: &str) -> Option<u64> {
    let ticks = data.number(name)?;
    let frequency = data.number("sun.os.hrt.frequency").filter(|frequency| *frequency > 0)?;
    u64::try_from(u128::from(ticks) * 1_000_000_000 / u128::from(frequency)).ok()
}

fn generation(data: &PerfData, index: u8, kind: Option<CollectorKind>) -> Option<Generation> {
    let at = format!("sun.gc.generation.{index}");
    let name = data.text(&format!("{at}.name"))?.to_owned();
    let padded = kind == Some(CollectorKind::G1);
    let size = |name: &str| {
        let bytes = data.number(name)?;
        Some(if padded { bytes - bytes % G1_PADDING } else { bytes })
    };
    let spaces = data.number(&format!("{at}.spaces")).unwrap_or_default().min(MOST_SPACES);
    let spaces = (0..spaces)
        .map(|space| {
            let at = format!("{at}.space.{space}");
            Space {
                name: data.text(&format!("{at}.name")).unwrap_or_default().to_owned(),
                used: data.number(&format!("{at}.used")),
                capacity: size(&format!("{at}.capacity")),
                max: size(&format!("{at}.maxCapacity")),
            }
        })
        .collect();
    let capacity = size(&format!("{at}.capacity"));
    Some(Generation { index, name, capacity, max: size(&format!("{at}.maxCapacity")), spaces })
}

fn outside_heap(data: &PerfData, name: &str) -> Option<Space> {
    let number = |what: &str| data.number(&format!("sun.gc.{name}.{what}"));
    let space =
        Space { name: name.to_owned(), used: number("used"), capacity: number("capacity"), max: number("maxCapacity") };
    (space.used.is_some() || space.capacity.is_some()).then_some(space)
}

/// The sum; nothing where there is none, or where one is missing.
fn total(parts: impl Iterator<Item = Option<u64>>) -> Option<u64> {
    let mut sum = None;
    for part in parts {
        sum = Some(sum.unwrap_or(0_u64).checked_add(part?)?);
    }
    sum
}
