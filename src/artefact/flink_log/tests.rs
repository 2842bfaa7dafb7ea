#![allow(clippy::unwrap_used, reason = "a test")]

use proptest::prelude::*;
use rstest::rstest;

use super::demand::Step;
use super::fatal::Fatal;
use super::job::Event;
use super::loss::Noticed;
use super::memory_logger::{HeapUsage, Usage};
use super::shortage::{Pool, RocksDb, Shortage};
use super::*;

/// Everything that there is to read.
fn read_all(text: &str) -> usize {
    worker::ends(text).len()
        + worker::pods(text).len()
        + loss::losses(text).len()
        + fatal::ends(text).len()
        + fatal::thrown(text).len()
        + shortage::shortages(text).len()
        + shortage::rocksdb(text).len()
        + rejection::rejections(text).len()
        + process_spec::settings(text).len()
        + memory_logger::usages(text).len()
        + job::events(text).len()
        + demand::steps(text).len()
}

const YARN: &str = "\
2024-03-01 10:00:00,001 INFO  org.apache.flink.runtime.resourcemanager.active.ActiveResourceManager [] - Worker container_e07_1700000000001_0042_01_000003(node-7.example:8041) is terminated. Diagnostics: Container container_e07_1700000000001_0042_01_000003 marked as failed.
 Exit code:137.
 Diagnostics:[2024-03-01 09:59:59.900]Container killed on request. Exit code is 137
[2024-03-01 09:59:59.950]Killed by external signal
.
2024-03-01 10:00:00,002 INFO  org.apache.flink.runtime.resourcemanager.active.ActiveResourceManager [] - Closing TaskExecutor connection container_e07_1700000000001_0042_01_000003(node-7.example:8041) because: Container container_e07_1700000000001_0042_01_000003 marked as failed.
 Exit code:137.
2024-03-01 10:00:00,003 INFO  org.apache.flink.runtime.executiongraph.ExecutionGraph [] - Source: x (1/1) switched from RUNNING to FAILED, exit code 1
";

#[rstest]
#[case(r"Worker (?<unit>\S+) is terminated\. ?Diagnostics:", &["Diagnostics"])]
#[case(r"eartbeat of (?:Task|Job)Managers? [with] id", &["eartbeat"])]
#[case(r"first alternative|second (?:or|third) one|fourth", &["alternative", "second", "fourth"])]
#[case(r"long alternative|(?:nothing) but [groups]", &[])]
#[case(r"optiona?l|words?", &["option", "word"])]
fn a_sentence_knows_the_words_that_it_cannot_be_without(#[case] pattern: &str, #[case] words: &[&str]) {
    // The letter before a question mark may be missing.
    assert_eq!(needed_words(pattern), words);
}

#[test]
fn a_worker_of_yarn_is_told_twice_with_its_diagnostics() {
    let ends = worker::ends(YARN);
    let units: Vec<_> = ends.iter().map(|end| (end.what.unit.as_str(), end.what.terminated)).collect();
    let container = "container_e07_1700000000001_0042_01_000003";
    assert_eq!(units, [(container, true), (container, false)]);
    for end in &ends {
        assert_eq!(worker::exit_code(&end.what.diagnostics.what), Some(137));
        assert!(!end.what.diagnostics.what.contains("ExecutionGraph"));
    }
}

#[rstest]
#[case("Diagnostics: Exception from container-launch.\nContainer id: c\nExit code: 239\nStack trace:", Some(239))]
#[case(
    "[2024-01-01 00:00:00.000]Container exited with a non-zero exit code 143. Error file: prelaunch.err.",
    Some(143)
)]
#[case("Container marked as failed.\n Exit code:-104.\n Diagnostics:", Some(-104))]
#[case("exitStatus=-100 diagnostics=Container released on a *lost* node", Some(-100))]
#[case("AM Container exited with  exitCode: 1", Some(1))]
#[case("Exit code: 99999999999999", None)]
#[case("Container released on a *lost* node", None)]
fn yarns_exit_codes_are_read(#[case] diagnostics: &str, #[case] code: Option<i32>) {
    // A number that is too long is no code, and neither are its first digits.
    assert_eq!(worker::exit_code(diagnostics), code);
}

#[test]
fn the_oldest_form_bears_its_exit_status_with_it() {
    let text = "INFO  org.apache.flink.yarn.YarnFlinkResourceManager - Diagnostics for container container_1_0001_01_000002 \
                in state COMPLETE : exitStatus=-100 diagnostics=Container released on a *lost* node\n";
    let ends = worker::ends(text);
    assert_eq!(ends[0].what.unit, "container_1_0001_01_000002");
    assert_eq!(worker::exit_code(&ends[0].what.diagnostics.what), Some(-100));
}

#[test]
fn statuses_of_a_pods_containers_are_read_also_where_they_are_wrapped() {
    let text = "Pod terminated, container termination statuses:\n \
                [istio-proxy(exitCode=0, reason=Completed, message=null),flink-main-container(exitCode=137,\n\
                reason=OOMKilled, message=null)], pod status: Failed(reason=null, message=null)\n";
    let pods = worker::pods(text);
    assert_eq!(pods.len(), 1);
    let pod = &pods[0].what;
    let containers: Vec<_> = pod.containers.iter().map(|c| (c.name.as_str(), c.exit, c.reason.as_deref())).collect();
    let expected = [("istio-proxy", 0, Some("Completed")), ("flink-main-container", 137, Some("OOMKilled"))];
    assert_eq!(containers, expected);
    assert_eq!((pod.reason.as_deref(), pod.message.as_deref()), (None, None));
}

#[test]
fn an_evicted_pod_says_what_its_node_lacked() {
    let text = "INFO x [] - Worker demo-taskmanager-1-4 is terminated. Diagnostics: Pod terminated, container termination \
                statuses: [], pod status: Failed(reason=Evicted, message=The node was low on resource: memory. Container \
                flink-main-container was using 2345Mi, which exceeds its request of 2Gi. )\n";
    let pods = worker::pods(text);
    let pod = &pods[0].what;
    assert!(pod.containers.is_empty());
    assert_eq!(pod.reason.as_deref(), Some("Evicted"));
    assert!(pod.message.as_deref().unwrap().contains("2345Mi"), "{pod:?}");
    assert_eq!(worker::ends(text)[0].what.unit, "demo-taskmanager-1-4");
}

#[rstest]
#[case("The heartbeat of TaskManager with id container_1_2  timed out.", Noticed::Heartbeat, "container_1_2")]
#[case(
    "The heartbeat of TaskManager with id 10.0.0.9:6122-ab12cd(10.0.0.9:6124) timed out.",
    Noticed::Heartbeat,
    "10.0.0.9:6122-ab12cd"
)]
#[case("Heartbeat of TaskManager with id\n  tm-3 timed out.", Noticed::Heartbeat, "tm-3")]
#[case("The heartbeat of Ta\nskManager with id tm-3 timed out.", Noticed::Heartbeat, "tm-3")]
#[case("TaskManager with id tm-3 is no longer reachable.", Noticed::Unreachable, "tm-3")]
#[case(
    "RemoteTransportException: Connection unexpectedly closed by remote task manager 'h/10.0.0.9:40123'. This might indicate",
    Noticed::Connection,
    "h/10.0.0.9:40123"
)]
#[case(
    "closed by remote task manager 'h/10.0.0.9:40123 [ tm-3 ] '. This might indicate that",
    Noticed::Connection,
    "h/10.0.0.9:40123"
)]
#[case(
    "Lost connection to task manager '10.0.0.9:40123'. This indicates that the",
    Noticed::Connection,
    "10.0.0.9:40123"
)]
#[case(
    "Association with remote system [pekko.tcp://flink@h:6122] has failed, address is now gated",
    Noticed::Rpc,
    "pekko.tcp://flink@h:6122"
)]
#[case("java.lang.Exception: The assigned slot abc_0 was removed.", Noticed::Removed, "abc_0")]
fn losses_are_noticed_in_every_versions_words(#[case] text: &str, #[case] noticed: Noticed, #[case] unit: &str) {
    let losses = loss::losses(text);
    assert_eq!(losses.len(), 1, "{losses:?}");
    assert_eq!((losses[0].what.noticed, losses[0].what.unit.as_deref()), (noticed, Some(unit)));
}

#[test]
fn a_fatal_error_has_the_exceptions_behind_it_and_not_the_next_messages() {
    let text = "\
2024-01-01 00:00:00,000 ERROR org.apache.flink.runtime.taskexecutor.TaskManagerRunner [] - Fatal error occurred while executing the TaskManager. Shutting it down...
org.apache.flink.util.FlinkException: Outer.
\tat org.apache.flink.Foo.bar(Foo.java:1)
Caused by: java.lang.NoClassDefFoundError: com/example/Missing
\tat x
2024-01-01 00:00:00,100 WARN  other [] - java.io.IOException: another
2024-01-01 00:00:01,000 ERROR org.apache.flink.util.FatalExitExceptionHandler [] - FATAL: Thread 'flink-akka.actor.default-dispatcher-3' produced an uncaught exception. Stopping the process...
java.lang.OutOfMemoryError: Metaspace
2024-01-01 00:00:02,000 ERROR x [] - WARNING: Thread 'pool-1' produced an uncaught exception. If you want to fail on
";
    let ends = fatal::ends(text);
    assert_eq!(ends.len(), 2, "{ends:?}");
    let Fatal::Itself { thrown, .. } = &ends[0].what else { panic!("{ends:?}") };
    let classes: Vec<_> = thrown.iter().map(|t| (t.class.as_str(), t.message.as_str())).collect();
    let outer = ("org.apache.flink.util.FlinkException", "Outer.");
    assert_eq!(classes, [outer, ("java.lang.NoClassDefFoundError", "com/example/Missing")]);
    let Fatal::Itself { thrown, sentence } = &ends[1].what else { panic!("{ends:?}") };
    assert_eq!(thrown[0].class, "java.lang.OutOfMemoryError");
    assert!(sentence.starts_with("FATAL: Thread 'flink-akka"));
}

#[rstest]
#[case("RECEIVED SIGNAL 15: SIGTERM. Shutting down as requested.", Fatal::Signal { signal: 15 })]
#[case("Task 'Map (1/2)#0' did not react to cancelling signal for 30 seconds, but is stuck in method:",
    Fatal::Stuck { task: "Map (1/2)#0".to_owned() })]
#[case("FlinkRuntimeException: Task did not exit gracefully within 180 + seconds.", Fatal::NotStopped { seconds: Some(180) })]
#[case("Terminating cluster entrypoint process KubernetesApplicationClusterEntrypoint with exit code 1443.", Fatal::Exit { code: 1443 })]
#[case("Terminating TaskManagerRunner with exit code 1.", Fatal::Exit { code: 1 })]
fn other_ends_are_read(#[case] text: &str, #[case] expected: Fatal) {
    assert_eq!(fatal::ends(text).into_iter().map(|end| end.what).collect::<Vec<_>>(), [expected]);
}

#[rstest]
#[case(
    "java.io.IOException: Insufficient number of network buffers: required 7, but only 2 available. The total number of \
     network buffers is currently set to 4096 of 32768 bytes each. You can increase this number",
    Some(7),
    Some(2),
    Some(4096),
    Some(32_768)
)]
#[case(
    "Insufficient number of network buffers: required 7, but only 2\n> available. The total number\n> of network buffers \
     is currently set to 4096 of 32768 bytes each.",
    Some(7),
    Some(2),
    Some(4096),
    Some(32_768)
)]
#[case(
    r"Insufficient number of network buffers: required 7, but only 2 available.\nThe total number of network buffers is currently set to 12. You",
    Some(7), Some(2), Some(12), None
)]
#[case(
    "Insufficient number of network buffers: required 5, but only 1 of 2048 available.",
    Some(5),
    Some(1),
    Some(2048),
    None
)]
#[case("Insufficient number of network buffers: required 5, but only 1 available", Some(5), Some(1), None, None)]
#[case("IOException: Insufficient number of network buffers", None, None, None, None)]
fn network_buffers_run_short_in_every_versions_words(
    #[case] text: &str,
    #[case] required: Option<u64>,
    #[case] available: Option<u64>,
    #[case] count: Option<u64>,
    #[case] buffer: Option<u64>,
) {
    let pool = Pool { count, buffer: buffer.map(Bytes::new) };
    let found: Vec<_> = shortage::shortages(text).into_iter().map(|found| found.what).collect();
    assert_eq!(found, [Shortage::NetworkBuffers { required, available, pool }]);
}

#[test]
fn a_pool_that_no_number_holds_has_no_size() {
    let pool = Pool { count: Some(u64::MAX), buffer: Some(Bytes::new(32_768)) };
    assert_eq!(pool.size(), None);
}

#[rstest]
#[case("Could not allocate 512 pages. Only 17 pages are remaining.", 512, 17, true, false)]
#[case("Could not allocate 1048576 bytes. Only 0 bytes are remaining.", 1_048_576, 0, false, false)]
#[case(
    "Could not allocate 1048576 bytes, only 96 bytes are remaining. This usually indicates",
    1_048_576,
    96,
    false,
    false
)]
#[case(
    "Caused by: java.io.IOException: Failed to acquire shared cache resource for RocksDB\n\tat x\nCaused by: \
     org.apache.flink.runtime.memory.MemoryReservationException: Could not allocate 64 bytes, only 0 bytes are remaining.",
    64,
    0,
    false,
    true
)]
fn managed_memory_runs_short(
    #[case] text: &str,
    #[case] wanted: u64,
    #[case] remaining: u64,
    #[case] pages: bool,
    #[case] rocksdb: bool,
) {
    let found: Vec<_> = shortage::shortages(text).into_iter().map(|found| found.what).collect();
    let (wanted, remaining) = (Some(wanted), Some(remaining));
    assert_eq!(found, [Shortage::Managed { wanted, remaining, pages, rocksdb }]);
}

#[test]
fn the_other_pools_run_short_too() {
    let text = "OutOfMemoryError: Could not allocate enough memory segments for NetworkBufferPool (required (Mb): 64, al\n\
                located (Mb): 9, missing (Mb): 55). Cause: Direct buffer memory\n\
                Timeout triggered when requesting exclusive buffers: The total number of network buffers is currently set to \
                8 of 4096 bytes each.\nBuffer request timeout, this means there is a fierce contention of the batch\n\
                The fraction of memory to allocate should not be 0. Please\nHash join exceeded maximum number of recursions";
    let found: Vec<_> = shortage::shortages(text).into_iter().map(|found| found.what).collect();
    let pool = Pool { count: Some(8), buffer: Some(Bytes::new(4096)) };
    let expected = [
        Shortage::NetworkPoolNotAllocated { required: Some(64), allocated: Some(9) },
        Shortage::NetworkTimeout { pool },
        Shortage::BatchReadTimeout,
        Shortage::NoShare,
        Shortage::Operator,
    ];
    assert_eq!(found, expected);
}

#[test]
fn rocksdb_is_read_in_flinks_words() {
    let text = "INFO  x [] - Obtained shared RocksDB cache of size 123456 bytes\n\
                WARN  x [] - RocksDBStateBackend performance will be poor because of the current Flink memory configuration! \
                Details: arenaBlockSize 8388608 > mutableLimit 7340032 (writeBufferSize = 67108864, arenaBlockSizeConfigured \
                = 0, defaultArenaBlockSize = 8388608, writeBufferManagerCapacity = 8388608)\n\
                java.io.IOException: Error while opening RocksDB instance.\n\
                Caused by: org.rocksdb.RocksDBException: IO error: No such file or directory\n";
    let found: Vec<_> = shortage::rocksdb(text).into_iter().map(|found| found.what).collect();
    let size = |bytes| Some(Bytes::new(bytes));
    let expected = [
        RocksDb::SharedCache(Bytes::new(123_456)),
        RocksDb::ArenaBlock { block: size(8_388_608), limit: size(7_340_032), capacity: size(8_388_608) },
        RocksDb::NotOpened { error: Some("IO error: No such file or directory".to_owned()) },
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_copy_that_begins_at_the_details_of_an_arena_is_read_beside_what_else_is_said() {
    let text = "arenaBlockSize 8388608 > mutableLimit 7340032 (writeBufferManagerCapacity = 8388608)\n\
                INFO  x [] - Obtained shared RocksDB cache of size 123456 bytes\n";
    let found: Vec<_> = shortage::rocksdb(text).into_iter().map(|found| found.what).collect();
    let size = |bytes| Some(Bytes::new(bytes));
    let expected = [
        RocksDb::ArenaBlock { block: size(8_388_608), limit: size(7_340_032), capacity: size(8_388_608) },
        RocksDb::SharedCache(Bytes::new(123_456)),
    ];
    assert_eq!(found, expected);
}

#[rstest]
#[case("134217728 bytes", 134_217_728, true)]
#[case("128.000mb", 134_217_728, false)]
#[case("1.500kb (1536 bytes)", 1536, true)]
#[case("1.425gb", 1_530_082_099, false)]
fn printed_sizes_are_exact_where_they_can_be(#[case] text: &str, #[case] bytes: u64, #[case] exact: bool) {
    assert_eq!(Printed::parse(text), Some(Printed { bytes: Bytes::new(bytes), exact }));
    assert_eq!(Printed::parse("99999999999999999999999.999tb"), None);
    assert_eq!(Printed::parse("much"), None);
}

#[test]
fn what_a_jobmanager_asks_for_is_read_by_flinks_keys() {
    let text = "Requesting new TaskExecutor container with resource TaskExecutorProcessSpec {cpuCores=2.0, \
                frameworkHeapSize=128.000mb (134217728 bytes), frameworkOffHeapSize=128.000mb (134217728 bytes), \
                taskHeapSize=25.600mb (26843542 bytes), taskOffHeapSize=0 bytes, networkMemSize=64.000mb (67108864 bytes), \
                managedMemorySize=230.400mb (241591914 bytes), jvmMetaspaceSize=256.000mb (268435456 bytes), \
                jvmOverheadSize=192.000mb (201326592 bytes), numSlots=4}, priority 1.\n\
                Creating new TaskManager pod with name demo-taskmanager-1-1 and resource <1728,1.0>.\n\
                TaskExecutor container_1_1_1_2 will be started with container size 4096 MB, JVM heap size 2764 MB, JVM direct \
                memory limit 1332 MB";
    let found = process_spec::settings(text);
    let value = |key| found.iter().find(|setting| setting.what.key == key).map(|setting| setting.what.value.as_str());
    assert_eq!(value("taskmanager.cpu.cores"), Some("2.0"));
    assert_eq!(value("taskmanager.memory.task.heap.size"), Some("26843542b"));
    assert_eq!(value("taskmanager.memory.task.off-heap.size"), Some("0b"));
    assert_eq!(value("taskmanager.memory.managed.size"), Some("241591914b"));
    assert_eq!(value("taskmanager.numberOfTaskSlots"), Some("4"));
    assert_eq!(value("taskmanager.memory.process.size"), Some("1728m"));
    assert_eq!((value("-Xmx"), value("-XX:MaxDirectMemorySize")), (Some("2764m"), Some("1332m")));
}

#[test]
fn the_memory_logger_is_read() {
    let text = "Memory usage stats: [HEAP: 900/1000/1024 MB, NON HEAP: 60/61/-1 MB (used/committed/max)]\n\
                Direct memory stats: Count: 12, Total Capacity: 1000, Used Memory: 1001\n";
    let found: Vec<_> = memory_logger::usages(text).into_iter().map(|found| found.what).collect();
    let heap = HeapUsage { used: Bytes::mib(900), committed: Bytes::mib(1000), max: Some(Bytes::mib(1024)) };
    assert_eq!(found, [Usage::Heap(heap), Usage::Direct { count: 12, used: Bytes::new(1001) }]);
}

#[test]
fn what_befalls_jobs_is_read() {
    let text = "Received JobGraph submission 'x' (abc).\nCheckpoint 7 of job abc expired before completing.\n\
                Exceeded checkpoint tolerable failure threshold.\n\
                NoResourceAvailableException: Could not acquire the minimum required resources.\n\
                Job x (abc) switched from state RUNNING to FINISHED.\n";
    let found: Vec<_> = job::events(text).into_iter().map(|found| found.what).collect();
    let state = "FINISHED".to_owned();
    let slots = Event::NoSlots;
    let expired = Event::Expired { checkpoint: Some(7) };
    assert_eq!(found, [Event::Submitted, expired, Event::TooManyFailed, slots.clone(), slots, Event::Ended { state }]);
}

#[test]
fn the_demand_for_workers_is_counted_in_order() {
    let text = "Requesting new TaskExecutor container with resources <memory:4096, vCores:1>. Number pending requests 1.\n\
                Received new container: container_1_1_01_000002 - Remaining pending container requests: 1\n\
                Registering TaskManager with ResourceID container_1_1_01_000002 (akka.tcp://flink@h:1/user/x) at ResourceManager\n\
                Closing TaskExecutor connection container_1_1_01_000002 because: TaskExecutor exceeded the idle timeout.\n\
                need request 2 new workers, current worker number 0, declared worker number 2\n";
    let found: Vec<_> = demand::steps(text).into_iter().map(|found| found.what).collect();
    let unit = || "container_1_1_01_000002".to_owned();
    let expected = [
        Step::Requested,
        Step::Received(unit()),
        Step::Registered(unit()),
        Step::Gone(unit()),
        Step::Idle(unit()),
        Step::Declared(2),
    ];
    assert_eq!(found, expected);
}

#[rstest]
#[case("ExecutorLostFailure (executor 2 exited caused by one of the running tasks) Reason: Container marked as failed")]
#[case(
    "org.apache.kafka.clients.producer.BufferExhaustedException: Failed to allocate 5 bytes within the configured max"
)]
#[case("Could not allocate the object")]
#[case("Sum of configured limits exceed the quota")]
#[case("the heartbeat of my application is fine")]
#[case("Worker thread 7 is terminated")]
#[case("MaxMetaspaceSize = 268435456, memory usage stats")]
fn other_programs_say_nothing_of_flink(#[case] text: &str) {
    let said = read_all(text) - fatal::thrown(text).len();
    assert_eq!(said, 0, "{text}");
}

#[test]
fn a_gap_ends_a_message() {
    let text = "Worker a is terminated. Diagnostics: unknown\n\x0c\nExit code: 137\n";
    assert_eq!(worker::exit_code(&worker::ends(text)[0].what.diagnostics.what), None);
}

#[test]
fn a_line_of_a_megabyte_is_not_all_one_messages_own() {
    let text = format!("Worker c_1 is terminated. Diagnostics: {}", "a".repeat(1 << 20));
    let found = worker::ends(&text);
    assert!((1000..=24 << 10).contains(&found[0].what.diagnostics.what.len()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_prefix_of_a_log_makes_a_reader_panic(cut in 0..YARN.len()) {
        let mut cut = cut;
        while !YARN.is_char_boundary(cut) {
            cut -= 1;
        }
        read_all(&YARN[..cut]);
        read_all(&YARN[cut..]);
    }

    #[test]
    fn no_text_makes_a_reader_panic(
        parts in proptest::collection::vec(
            prop_oneof![
                Just("Worker "), Just(" is terminated. Diagnostics:"), Just("Closing TaskExecutor connection "),
                Just(" because: "), Just("container termination statuses: ["), Just("(exitCode=99999999999, reason="),
                Just("pod status: Failed(reason=Evicted, message="), Just("é\n"), Just("\x0c\n"), Just(" INFO "),
                Just("Could not allocate 18446744073709551616 bytes, only "), Just("Sum of configured "),
                Just("JVM Overhead (9.9tb (18446744073709551615 bytes))"), Just(" exceed configured Total Flink Memory (")
            ],
            0..40,
        )
    ) {
        read_all(&parts.concat());
    }
}
