//! `oomph attach` on a real Flink under load, which the tests start themselves: a TaskManager with state in RocksDB, from the
//! Python package index. Needs what `scripts/live-flink` needs, and Linux with glibc:
//!
//! ```text
//! cargo test --release --features live-tests --test live
//! OOMPH_LIVE_FLINK=1.20.5 cargo test --release --features live-tests --test live -- pool
//! ```
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

mod flink;
mod truth;

use std::collections::BTreeMap;
use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use flink::{Flink, succeed};

/// One that keeps books of its native memory, for the tests that only look at it.
const BOOKKEEPING: &[&str] = &["--nmt", "detail"];

const MIB: u64 = 1 << 20;

fn bytes(document: &Value, pointer: &str) -> u64 {
    document.pointer(pointer).and_then(Value::as_u64).unwrap_or_else(|| panic!("no {pointer} in {document:#}"))
}

/// 3 MiB or 3 %, whichever is more.
fn tolerance(truth: u64) -> u64 {
    (3 * MIB).max(truth * 3 / 100)
}

fn mib(bytes: u64) -> String {
    format!("{}.{:02}", bytes / MIB, bytes % MIB * 100 / MIB)
}

/// What is wrong with a document, when the truth was `before` and `after` it was made.
fn disagreements(document: &Value, before: &BTreeMap<&str, u64>, after: &BTreeMap<&str, u64>) -> Vec<String> {
    let pools = ["java_heap", "metaspace", "class_space", "code_cache", "thread_stacks", "gc", "cds_archive", "malloc"];
    let judged = pools.into_iter().map(|pool| {
        let [before, after] = [before, after].map(|truth| truth.get(pool).copied().unwrap_or_default());
        let (least, most) = (before.min(after), before.max(after));
        let ours = bytes(document, &format!("/pools/{pool}"));
        let agrees = ours + tolerance(least) >= least && ours <= most + tolerance(most);
        let line = format!("{pool}: {} MiB, the JVM says {} to {}", mib(ours), mib(least), mib(most));
        eprintln!("{line}");
        (!agrees).then_some(line)
    });
    judged.flatten().collect()
}

#[test]
fn every_pool_agrees_with_native_memory_tracking_taken_in_the_same_second() {
    let flink = flink::with(BOOKKEEPING);
    // A process under load moves; three looks in a row that all miss are no accident.
    let mut wrong = Vec::new();
    for _ in 0..3 {
        let regions = truth::Regions::of(&flink.jcmd(&["VM.native_memory", "detail"]));
        let before = truth::resident(flink.pid, &regions);
        let document = flink.attach();
        let after = truth::resident(flink.pid, &regions);
        wrong = disagreements(&document, &before, &after);
        let sum: u64 = document["pools"].as_object().unwrap().values().filter_map(Value::as_u64).sum();
        assert_eq!(sum, bytes(&document, "/rss"), "every resident byte is in one pool: {document:#}");
        if wrong.is_empty() {
            return;
        }
    }
    panic!("{}", wrong.join("\n"));
}

#[test]
fn the_inside_of_malloc_agrees_with_the_jvm_and_with_flink() {
    let flink = flink::with(BOOKKEEPING);
    let books = flink.jcmd(&["VM.native_memory", "summary"]);
    let document = flink.attach();
    let malloc = |part: &str| bytes(&document, &format!("/malloc/{part}"));

    // Each segment is a chunk of its own: 32 KiB, malloc's header, and that of native memory tracking.
    let segments = bytes(&document, "/budget/network") / 32_768;
    let network = malloc("network_segments");
    assert!(network.abs_diff(segments * (32_768 + 32)) <= MIB, "{segments} segments, {network} bytes");

    // `Other` is what direct buffers are tracked as: Flink's network buffers and all the rest.
    let other = malloced(&books, "Other");
    let direct = network + malloc("direct_buffers");
    assert!(direct.abs_diff(other) <= tolerance(other), "direct {} MiB, the JVM says {}", mib(direct), mib(other));

    // What the JVM took for itself is small, but for its arenas' chunks and tables.
    let own = malloced(&books, "Total:") - other;
    let small = malloc("native_small") + malloc("index_and_filter");
    assert!(small + tolerance(own) >= own, "small {} MiB, the JVM's own {}", mib(small), mib(own));

    // The rest of that object are sums over the same bytes.
    let sums = ["in_use", "free_resident", "trimmable"];
    let parts = document["malloc"].as_object().unwrap().iter().filter(|(key, _)| !sums.contains(&key.as_str()));
    let parts: u64 = parts.filter_map(|(_, value)| value.as_u64()).sum();
    assert_eq!(parts, bytes(&document, "/pools/malloc"), "{document:#}");
    assert!(malloc("block_cache") + malloc("memtables") > 0, "600 thousand records lie in RocksDB: {document:#}");
}

/// What a category of `VM.native_memory summary` got from malloc, in bytes.
fn malloced(books: &str, category: &str) -> u64 {
    let mut lines = books.lines().skip_while(|line| !line.trim_start_matches(['-', ' ']).starts_with(category));
    let kilobytes = lines.find_map(|line| {
        let (_, rest) = line.split_once("malloc=").or_else(|| line.split_once("malloc: "))?;
        rest.split_once("KB")?.0.parse::<u64>().ok()
    });
    kilobytes.unwrap_or_else(|| panic!("no {category} in {books}")) * 1024
}

#[test]
fn the_budget_is_what_flink_reports_to_the_byte() {
    let flink = flink::with(BOOKKEEPING);
    let listed = flink.rest("/taskmanagers");
    let id = listed["taskmanagers"][0]["id"].as_str().unwrap();
    let reported = &flink.rest(&format!("/taskmanagers/{id}"))["memoryConfiguration"];
    let names = [
        ("framework_heap", "frameworkHeap"),
        ("task_heap", "taskHeap"),
        ("framework_off_heap", "frameworkOffHeap"),
        ("task_off_heap", "taskOffHeap"),
        ("network", "networkMemory"),
        ("managed", "managedMemory"),
        ("jvm_metaspace", "jvmMetaspace"),
        ("jvm_overhead", "jvmOverhead"),
        ("total_flink", "totalFlinkMemory"),
        ("total_process", "totalProcessMemory"),
    ];
    let document = flink.attach();
    assert_eq!(reported.as_object().unwrap().len(), names.len(), "{reported}");
    for (ours, flinks) in names {
        assert_eq!(bytes(&document, &format!("/budget/{ours}")), reported[flinks].as_u64().unwrap(), "{ours}");
    }
}

#[test]
fn looking_stops_no_thread_of_the_jvm() {
    const LOOKS: u32 = 50;
    let flink = flink::with(BOOKKEEPING);
    // The job is idle but for two records a second; how often the JVM stops of its own accord is measured on both sides.
    let pause = Duration::from_secs(8);
    let before = stops_a_second(&flink, || std::thread::sleep(pause));
    let mut took = Duration::ZERO;
    let first = safepoints(&flink);
    let begun = Instant::now();
    for _ in 0..LOOKS {
        flink.attach();
    }
    let last = safepoints(&flink);
    took += begun.elapsed();
    let after = stops_a_second(&flink, || std::thread::sleep(pause));
    let own = before.max(after) * took.as_secs_f64();
    let seen = last - first;
    eprintln!("{seen} stops in {took:?} with {LOOKS} looks, {before:.2} and {after:.2} a second without");
    // Counts of rare events scatter with their square root.
    assert!((seen as f64) < own + 2.0 * own.sqrt() + 5.0, "{seen} stops with {LOOKS} looks, {own:.1} without");
}

/// How often the JVM stopped all threads since it started.
fn safepoints(flink: &Flink) -> u64 {
    let counters = flink.jcmd(&["PerfCounter.print"]);
    let value = counters.lines().find_map(|line| line.strip_prefix("sun.rt.safepoints="));
    value.unwrap_or_else(|| panic!("no sun.rt.safepoints in {counters}")).parse().unwrap()
}

fn stops_a_second(flink: &Flink, wait: impl FnOnce()) -> f64 {
    let first = safepoints(flink);
    let begun = Instant::now();
    wait();
    (safepoints(flink) - first) as f64 / begun.elapsed().as_secs_f64()
}

/// `oomph record`, until it is dropped; then the recording ends at its last whole line.
struct Recorder(Child);

impl Recorder {
    fn of(flink: &Flink, file: &std::path::Path) -> Recorder {
        let mut command = Command::new(env!("CARGO_BIN_EXE_oomph"));
        // The jobs of this test live for seconds only: malloc has to be looked into between any two of them.
        command.args(["record", &flink.pid.to_string(), "--interval", "5s", "--heap-walk-every", "5s", "-o"]);
        command.arg(file).stdout(Stdio::null());
        Recorder(command.spawn().unwrap())
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Eight times the same job on one TaskManager, recorded all the while, and cancelled at the end: what the recording says.
fn eight_restarts(flink: &Flink) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("restarts");
    let recorder = Recorder::of(flink, &file);
    // Longer than from one look to the next.
    let between = Duration::from_secs(7);
    for _ in 0..8 {
        flink.cancel();
        std::thread::sleep(between);
        flink.submit();
    }
    flink.cancel();
    std::thread::sleep(between);
    drop(recorder);
    let document = flink::attach(&["--recording", file.to_str().unwrap(), "--format", "json"]);
    eprintln!("after eight restarts: {:#}\n{:#}", document["restarts"], document["findings"]);
    document
}

/// The findings whose name says that the allocator keeps memory, as severities.
fn retention(document: &Value) -> Vec<&str> {
    let findings = document["findings"].as_array().unwrap().iter();
    let retention = findings.filter(|finding| finding["name"].as_str().unwrap().contains("allocator-retention"));
    retention.map(|finding| finding["severity"].as_str().unwrap()).collect()
}

/// Where it was measured at length: each restart of this job leaves some 70 MiB with glibc as delivered.
const RESTARTED: [&str; 4] = ["--flink", "1.20.5", "--rows", "400000"];

#[test]
fn eight_restarts_are_the_allocators_retention_which_a_trim_gives_back() {
    let flink = flink::fresh(&RESTARTED);
    let document = eight_restarts(&flink);
    assert_eq!(document["restarts"]["verdict"], "step_per_restart");
    assert_eq!(document["restarts"]["keeper"], "allocator");
    assert_eq!(retention(&document), ["error"]);
    let blames_rocksdb = |finding: &&Value| {
        let name = finding["name"].as_str().unwrap();
        name.contains("rocksdb") || name.contains("native-growth")
    };
    assert_eq!(document["findings"].as_array().unwrap().iter().find(blames_rocksdb), None);

    // What is kept at the tops of the threads' arenas, a trim leaves.
    let before = flink.attach();
    let [retained, trimmable] =
        ["allocator_retained", "trimmable"].map(|part| bytes(&before, &format!("/malloc/{part}")));
    flink.jcmd(&["System.trim_native_heap"]);
    let after = flink.attach();
    let given_back = bytes(&before, "/pools/malloc").saturating_sub(bytes(&after, "/pools/malloc"));
    eprintln!("retained {} MiB, trimmable {}, given back {}", mib(retained), mib(trimmable), mib(given_back));
    assert!(trimmable.abs_diff(given_back) <= trimmable * 15 / 100, "{trimmable} trimmable, {given_back} given back");
    assert!(given_back > retained / 2, "{retained} retained, {given_back} given back");
}

/// What the remedies have in common: restarts leave nothing more behind.
fn stays_after_eight_restarts(allocator: &str) {
    let flink = flink::fresh(&[RESTARTED.as_slice(), &["--allocator", allocator]].concat());
    let document = eight_restarts(&flink);
    assert_ne!(document["restarts"]["verdict"], "step_per_restart");
    assert_eq!(retention(&document), [""; 0]);
}

#[test]
fn with_one_arena_eight_restarts_leave_nothing_more_behind() {
    stays_after_eight_restarts("arena1");
}

#[test]
fn with_jemalloc_eight_restarts_leave_nothing_more_behind() {
    stays_after_eight_restarts("jemalloc");
}

/// A TaskManager by name only, that sleeps as a user of its own.
struct Stranger(Child);

const STRANGER: &str = "65534";

impl Stranger {
    fn start(folder: &std::path::Path) -> Stranger {
        let name = "org/apache/flink/runtime/taskexecutor/TaskManagerRunner";
        let source = folder.join("TaskManagerRunner.java");
        let text = "package org.apache.flink.runtime.taskexecutor; public class TaskManagerRunner {
            public static void main(String[] a) throws Exception { System.out.println(); Thread.sleep(600_000); } }";
        fs::write(&source, text).unwrap();
        succeed(Command::new("javac").arg("-d").arg(folder).arg(&source));
        succeed(Command::new("chmod").args(["-R", "a+rX"]).arg(folder));
        let mut java = Command::new("setpriv");
        java.args(["--reuid", STRANGER, "--regid", STRANGER, "--clear-groups", "java", "-Xmx64m", "-cp"]);
        let mut child = java.arg(folder).arg(name.replace('/', ".")).stdout(Stdio::piped()).spawn().unwrap();
        // Its first line: it is there.
        std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut [0]).unwrap();
        Stranger(child)
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn as_root_without_capabilities_another_users_process_names_the_grant() {
    assert!(rustix::process::geteuid().is_root(), "only root may become another user: run this test as root");
    let folder = tempfile::tempdir().unwrap();
    let stranger = Stranger::start(folder.path());
    let mut command = Command::new("setpriv");
    command.args(["--bounding-set=-all", "--inh-caps=-all", "--", env!("CARGO_BIN_EXE_oomph"), "attach"]);
    let text = succeed(command.args(["--format", "json", &stranger.0.id().to_string()]));
    let document: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(document["pools"], Value::Null, "it was seen without the right to");
    // What `smaps` and `mem` would have told.
    for what in ["mappings", "malloc's chunks"] {
        let told = document["unseen"].as_array().unwrap().iter().find(|told| told["what"] == what);
        let told = told.unwrap_or_else(|| panic!("{what} is not told of in {document:#}"));
        let grant = told["grant"].as_str().unwrap_or_default();
        assert!(grant.contains(&format!("run as uid {STRANGER}")), "{told}");
    }
}
