//! What the JVM really takes: the heap as it rounds it, and the memory of its own that Flink's overhead has to carry.
//!
//! Figures are bounds by HotSpot's rules where it has rules, and measurements where it has none; each says which.

use super::settings::Settings;
use super::{Deployment, Plan};
use crate::flink::key::{Key, Text};
use crate::flink::keys;
use crate::flink::profile::G1AskedFor;
use crate::model::{Bytes, Reading, Role};

/// HotSpot's collectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Collector {
    /// `-XX:+UseG1GC`.
    G1,
    /// `-XX:+UseParallelGC`.
    Parallel,
    /// `-XX:+UseSerialGC`.
    Serial,
    /// `-XX:+UseConcMarkSweepGC`, up to JDK 13.
    ConcMarkSweep,
    /// `-XX:+UseZGC`.
    Z,
    /// `-XX:+UseShenandoahGC`.
    Shenandoah,
}

impl Collector {
    /// All of them with the flag that asks for them.
    pub const FLAGS: [(Collector, &'static str); 6] = [
        (Collector::G1, "-XX:+UseG1GC"),
        (Collector::Parallel, "-XX:+UseParallelGC"),
        (Collector::Serial, "-XX:+UseSerialGC"),
        (Collector::ConcMarkSweep, "-XX:+UseConcMarkSweepGC"),
        (Collector::Z, "-XX:+UseZGC"),
        (Collector::Shenandoah, "-XX:+UseShenandoahGC"),
    ];

    /// The collector that a JVM's options ask for.
    pub fn asked_for<'o>(options: impl IntoIterator<Item = &'o str>) -> Option<Collector> {
        let asked = |option: &str| Collector::FLAGS.iter().find(|(_, flag)| *flag == option);
        options.into_iter().find_map(asked).map(|(collector, _)| *collector)
    }

    /// The name in a text.
    pub fn label(self) -> &'static str {
        match self {
            Collector::G1 => "G1",
            Collector::Parallel => "Parallel",
            Collector::Serial => "Serial",
            Collector::ConcMarkSweep => "CMS",
            Collector::Z => "ZGC",
            Collector::Shenandoah => "Shenandoah",
        }
    }
}

/// What the caller knows of the machine and the JVM.
#[derive(Clone, Copy, Debug, Default)]
pub struct Machine {
    /// The JDK's feature release.
    pub jdk: Option<u16>,
    /// Cores that the JVM sees.
    pub cores: Option<u32>,
    /// The collector.
    pub collector: Option<Collector>,
}

/// Something found out, and why it is believed.
#[derive(Clone, Debug, PartialEq)]
pub struct Believed<T> {
    /// The thing.
    pub value: T,
    /// Why.
    pub why: &'static str,
}

/// One kind of memory that the JVM takes besides the parts Flink plans.
#[derive(Clone, Debug, PartialEq)]
pub struct Share {
    /// What it is.
    pub what: &'static str,
    /// The most it can be.
    pub at_most: Reading,
    /// What it was on a live TaskManager ([`SEEN_ON`]), where that was measured.
    pub seen: Option<Bytes>,
    /// Why the bound is what it is.
    pub why: String,
}

/// What the JVM takes besides.
#[derive(Clone, Debug, PartialEq)]
pub struct Footprint {
    /// The JDK.
    pub jdk: Believed<u16>,
    /// The cores.
    pub cores: Believed<u32>,
    /// The collector.
    pub collector: Believed<Collector>,
    /// The heap as the JVM takes it.
    pub heap: Reading,
    /// Everything else.
    pub shares: Vec<Share>,
}

/// Where the resident sizes come from.
pub const SEEN_ON: &str = "a live TaskManager: Flink 1.20.5, JDK 17, G1, 512 MiB heap, 2 slots, 115 threads, RocksDB";

/// The heap is a multiple of this: a card-table page's worth of heap, 512 B x 4 KiB
/// (`CardTable::ct_max_alignment_constraint`); seen on JDK 17 and 25 with G1, Parallel and Serial.
const HEAP_ALIGNMENT: Bytes = Bytes::mib(2);

/// `-XX:ReservedCodeCacheSize` with tiered compilation, JDK 8 to 25 on 64 bits.
const CODE_CACHE: Bytes = Bytes::mib(240);

/// `-Xss` on 64-bit Linux.
const THREAD_STACK: Bytes = Bytes::mib(1);

/// What a collector keeps beside the heap, fitted to `NMT GC committed` of JDK 17.0.15 and 25 with heaps of 512 MiB,
/// 2 GiB and 8 GiB (`-Xms` = `-Xmx`) and 1, 2, 4, 8 and 16 active processors; the fit is never more than 4 % below.
struct Structures {
    /// Bytes for each mebibyte of heap.
    per_heap_mib: u64,
    /// Whatever the heap.
    fixed: Bytes,
    /// For each parallel worker.
    per_worker: Bytes,
}

fn structures(collector: Collector, jdk: u16) -> Option<Structures> {
    // One mark bitmap instead of two since JDK 20.
    let one_bitmap = jdk >= 20;
    let (per_heap_mib, fixed, per_worker) = match (collector, one_bitmap) {
        (Collector::G1, false) => (40_000, Bytes::kib(37_200), Bytes::kib(2_120)),
        (Collector::G1, true) => (20_700, Bytes::kib(34_200), Bytes::kib(2_140)),
        (Collector::Parallel, false) => (38_400, Bytes::kib(3_300), Bytes::kib(3_210)),
        (Collector::Parallel, true) => (19_900, Bytes::kib(100), Bytes::kib(3_080)),
        (Collector::Serial, _) => (3_420, Bytes::kib(16), Bytes::ZERO),
        _ => return None,
    };
    Some(Structures { per_heap_mib, fixed, per_worker })
}

/// `ParallelGCThreads` by default: all cores up to eight, five eighths of the others.
fn workers(cores: u32) -> u64 {
    let cores = u64::from(cores);
    if cores <= 8 { cores } else { 8 + (cores - 8) * 5 / 8 }
}

/// What the JVM of a planned process takes besides its parts.
pub fn footprint(settings: &Settings<'_>, plan: &Plan, deployment: Deployment, machine: Machine) -> Footprint {
    let role = plan.budget.role();
    let options = java_options(settings, role);
    let jdk = match machine.jdk {
        Some(value) => Believed { value, why: "as told" },
        None => Believed { value: plan.profile.image_jdk, why: "the official image's; --jdk names another" },
    };
    let cores = cores(settings, role, deployment, machine);
    let collector = collector(&options, plan, deployment, &jdk, &cores, machine);
    let heap = rounded_heap(plan.budget.heap(), collector.value, jdk.value);
    let shares = vec![
        gc_structures(heap.seen().unwrap_or(plan.budget.heap()), collector.value, jdk.value, cores.value),
        code_cache(&options),
        thread_stacks(&options),
        Share {
            what: "class-data archive, libraries, symbols",
            at_most: Reading::Unseen("grows with what is loaded".to_owned()),
            seen: Some(Bytes::mib(12 + 30 + 26)),
            why: "12 MiB archive, 30 MiB shared libraries, 26 MiB the JVM's own malloc".to_owned(),
        },
    ];
    Footprint { jdk, cores, collector, heap, shares }
}

/// The JVM options that the configuration passes on, in the order of the command line.
fn java_options(settings: &Settings<'_>, role: Role) -> Vec<String> {
    let all = if settings.row(keys::JAVA_OPTS).is_some() { keys::JAVA_OPTS } else { keys::JAVA_OPTS_UNTIL_1_16 };
    let (before_own, own) = match role {
        Role::TaskManager => (keys::JAVA_DEFAULT_OPTS_TM, keys::JAVA_OPTS_TM),
        Role::JobManager => (keys::JAVA_DEFAULT_OPTS_JM, keys::JAVA_OPTS_JM),
    };
    let of = |key: Key<Text>| {
        let known = settings.row(key).and_then(|_| settings.text(key));
        known.map(|(text, _)| text).unwrap_or_default()
    };
    // `config.sh` joins them in this order.
    let joined = [keys::JAVA_DEFAULT_OPTS, all, before_own, own].map(of).join(" ");
    joined.split_whitespace().map(str::to_owned).collect()
}

fn cores(settings: &Settings<'_>, role: Role, deployment: Deployment, machine: Machine) -> Believed<u32> {
    if let Some(value) = machine.cores {
        return Believed { value, why: "as told" };
    }
    let kubernetes = match role {
        Role::TaskManager => [keys::KUBERNETES_TM_CPU, keys::KUBERNETES_TM_CPU_UNTIL_1_16],
        Role::JobManager => [keys::KUBERNETES_JM_CPU, keys::KUBERNETES_JM_CPU_UNTIL_1_16],
    };
    let key = match deployment {
        Deployment::Kubernetes => kubernetes.into_iter().find(|key| settings.row(*key).is_some()),
        _ => Some(keys::CPU_CORES).filter(|key| role == Role::TaskManager && settings.row(*key).is_some()),
    };
    let configured = key.and_then(|key| settings.double(key).ok().flatten()).map(|ratio| ratio.value);
    match configured.filter(|cores| *cores > 0.0 && *cores < 100_000.0) {
        // A container's share of a core counts as a whole one.
        Some(cores) => Believed { value: cores.ceil() as u32, why: "as configured" },
        None => Believed { value: 2, why: "assumed; --cores names another" },
    }
}

fn collector(
    options: &[String],
    plan: &Plan,
    deployment: Deployment,
    jdk: &Believed<u16>,
    cores: &Believed<u32>,
    machine: Machine,
) -> Believed<Collector> {
    if let Some(value) = machine.collector {
        return Believed { value, why: "as told" };
    }
    if let Some(value) = Collector::asked_for(options.iter().map(AsRef::as_ref)) {
        return Believed { value, why: "asked for in env.java.opts" };
    }
    let script = match (plan.profile.behaviour.g1_asked_for, deployment) {
        (G1AskedFor::ByStandaloneScript | G1AskedFor::ByScripts, Deployment::Standalone) => {
            Some("bin/taskmanager.sh asks for it where env.java.opts are empty")
        }
        (G1AskedFor::ByScripts, Deployment::Kubernetes) => {
            Some("bin/kubernetes-taskmanager.sh asks for it where env.java.opts are empty")
        }
        _ => None,
    };
    if let Some(why) = script.filter(|_| plan.budget.role() == Role::TaskManager && options.is_empty()) {
        return Believed { value: Collector::G1, why };
    }
    // HotSpot's own choice (`GCConfig::select_gc_ergonomically`): a server has two processors and 1792 MB. Without a
    // memory cgroup it is the machine's memory that counts, and that is taken to be large enough.
    let contained = deployment == Deployment::Kubernetes;
    let large = !contained || plan.budget.total_process().bytes >= Bytes::mib(1792);
    let server = cores.value >= 2 && large;
    match (server, jdk.value) {
        (false, _) => Believed { value: Collector::Serial, why: "the JVM's choice with fewer than 2 cores or 1792 MB" },
        (true, ..9) => Believed { value: Collector::Parallel, why: "the JVM's choice up to JDK 8" },
        (true, _) => Believed { value: Collector::G1, why: "the JVM's choice from JDK 9 on" },
    }
}

/// G1's region: about a 2048th of the heap, a power of two from 1 to 32 MiB (`HeapRegion::setup_heap_region_size`).
fn region(heap: Bytes) -> Bytes {
    let about = heap.get() / 2048;
    Bytes::new(about.checked_next_power_of_two().unwrap_or(u64::MAX).clamp(1 << 20, 32 << 20))
}

fn rounded_heap(heap: Bytes, collector: Collector, jdk: u16) -> Reading {
    if jdk < 11 {
        return Reading::Unseen(
            "oomph has not measured how this JDK rounds a heap; JDK 8 was seen to add 1 %".to_owned(),
        );
    }
    let alignment = match collector {
        Collector::G1 => HEAP_ALIGNMENT.max(region(heap)),
        Collector::Parallel | Collector::Serial => HEAP_ALIGNMENT,
        _ => return Reading::Unseen(format!("oomph has not measured how {} rounds a heap", collector.label())),
    };
    heap.round_up_to(alignment).map_or_else(|| Reading::Unseen("beyond 64 bits".to_owned()), Reading::Seen)
}

fn gc_structures(heap: Bytes, collector: Collector, jdk: u16, cores: u32) -> Share {
    let what = "structures of the collector";
    let Some(Structures { per_heap_mib, fixed, per_worker }) = structures(collector, jdk) else {
        let reason = format!("oomph has not measured {}", collector.label());
        return Share { what, at_most: Reading::Unseen(reason), seen: None, why: String::new() };
    };
    let heap_mib = heap.whole_mib();
    let bytes = heap_mib
        .checked_mul(per_heap_mib)
        .and_then(|n| n.checked_add(fixed.get()))
        .and_then(|n| n.checked_add(per_worker.get() * workers(cores)));
    Share {
        what,
        at_most: bytes.map_or_else(|| Reading::Unseen("beyond 64 bits".to_owned()), |n| Reading::Seen(Bytes::new(n))),
        seen: (collector == Collector::G1).then_some(Bytes::mib(18)),
        why: format!(
            "card tables, mark bitmaps and queues of {} for this heap and {} workers; fitted to JDK 17 and 25",
            collector.label(),
            workers(cores)
        ),
    }
}

fn code_cache(options: &[String]) -> Share {
    let set = flag_size(options, &["-XX:ReservedCodeCacheSize="]);
    Share {
        what: "compiled code",
        at_most: Reading::Seen(set.unwrap_or(CODE_CACHE)),
        seen: Some(Bytes::mib(16)),
        why: match set {
            Some(_) => "-XX:ReservedCodeCacheSize in env.java.opts".to_owned(),
            None => "-XX:ReservedCodeCacheSize, its default; reserved, and filled as code gets hot".to_owned(),
        },
    }
}

fn thread_stacks(options: &[String]) -> Share {
    let kib = |bytes: Bytes| bytes.get() >> 10;
    let stack = flag_size(options, &["-Xss"]).unwrap_or(THREAD_STACK);
    Share {
        what: "thread stacks",
        at_most: Reading::Unseen(format!("{} KiB for each thread, and nobody limits their number", kib(stack))),
        seen: Some(Bytes::mib(10)),
        why: "a thread touches about 90 KiB of its stack".to_owned(),
    }
}

/// The size that the last of these flags gives.
fn flag_size(options: &[String], names: &[&str]) -> Option<Bytes> {
    let value = |option: &String| {
        let text = names.iter().find_map(|name| option.strip_prefix(name))?;
        Bytes::parse_jvm(text).ok()
    };
    options.iter().rev().find_map(value)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::config::{Config, Value};
    use crate::flink::profile::Profile;
    use crate::model::{Place, Source};

    #[rstest]
    #[case(536_870_902, 536_870_912)]
    #[case(697_932_173, 698_351_616)]
    #[case(1_073_741_825, 1_075_838_976)]
    #[case(4_294_967_297, 4_297_064_448)]
    #[case(9_000_000_001, 9_000_976_384)]
    fn a_heap_is_rounded_as_jdk_17_was_seen_to_do(#[case] asked: u64, #[case] taken: u64) {
        assert_eq!(rounded_heap(Bytes::new(asked), Collector::G1, 17), Reading::Seen(Bytes::new(taken)));
    }

    /// `-XX:NativeMemoryTracking=summary`, GC committed in KiB, `-Xms` = `-Xmx`, `-XX:ActiveProcessorCount`.
    #[rstest]
    #[case(Collector::G1, 17, 512, 2, 57_844)]
    #[case(Collector::G1, 17, 2048, 16, 143_802)]
    #[case(Collector::G1, 17, 8192, 8, 371_114)]
    #[case(Collector::G1, 25, 512, 2, 47_544)]
    #[case(Collector::G1, 25, 8192, 16, 225_865)]
    #[case(Collector::Parallel, 17, 512, 16, 64_024)]
    #[case(Collector::Parallel, 17, 8192, 2, 316_097)]
    #[case(Collector::Parallel, 25, 2048, 4, 52_070)]
    #[case(Collector::Serial, 17, 8192, 2, 27_318)]
    fn collectors_keep_what_native_memory_tracking_says(
        #[case] collector: Collector,
        #[case] jdk: u16,
        #[case] heap: u32,
        #[case] cores: u32,
        #[case] committed_kib: u64,
    ) {
        let share = gc_structures(Bytes::mib(heap), collector, jdk, cores);
        let ours = share.at_most.seen().unwrap().get() as f64 / 1024.0;
        let error = ours / committed_kib as f64 - 1.0;
        assert!((-0.04..0.10).contains(&error), "{ours} KiB against {committed_kib} KiB");
    }

    #[test]
    fn flags_of_the_jvm_are_read_in_its_own_grammar() {
        let options: Vec<String> = ["-Xss512k", "-XX:ReservedCodeCacheSize=128m", "-Xss2m"].map(str::to_owned).into();
        assert_eq!(flag_size(&options, &["-Xss"]), Some(Bytes::mib(2)));
        assert_eq!(code_cache(&options).at_most, Reading::Seen(Bytes::mib(128)));
    }

    #[rstest]
    #[case("1.18", "-Dall -Dtm")]
    #[case("1.19", "-XX:+UseParallelGC -Xss1m -Dall -Dtm")]
    fn default_options_come_before_the_others_from_1_19_on(#[case] version: &str, #[case] expected: &str) {
        let mut config = Config::new();
        for (key, value) in [
            ("env.java.opts.taskmanager", "-Dtm"),
            ("env.java.opts.all", "-Dall"),
            ("env.java.default-opts.all", "-XX:+UseParallelGC -Xss1m"),
            ("env.java.default-opts.jobmanager", "-Djm"),
        ] {
            config.set(key.to_owned(), Value::text(value), Place::of(Source::Caller));
        }
        let profile = Profile::of(version.parse().unwrap()).unwrap().0;
        assert_eq!(java_options(&Settings::new(&config, profile), Role::TaskManager).join(" "), expected);
    }
}
