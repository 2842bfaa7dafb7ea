#![allow(clippy::unwrap_used, reason = "a test")]

use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::diagnose::postmortem::signal::{Death, Ended, Strain};
use crate::model::{Area, Killer};

fn said(text: &str) -> Vec<Says> {
    signals(&Excerpt::plain(text)).into_iter().map(|signal| signal.says).collect()
}

fn deaths(text: &str) -> Vec<Death> {
    let death = |says| if let Says::Death(death) = says { Some(death) } else { None };
    said(text).into_iter().filter_map(death).collect()
}

fn ended(exit: Option<i32>, unit: Option<&str>) -> Says {
    Says::Ended(Ended { exit, pid: None, unit: unit.map(str::to_owned) })
}

fn other_reasons(text: &str) -> Vec<(String, bool)> {
    let other = |says| if let Says::OtherReason { reason, ends } = says { Some((reason, ends)) } else { None };
    said(text).into_iter().filter_map(other).collect()
}

/// Both sentences that a JobManager has for one worker.
fn both(unit: &str, diagnostics: &str) -> String {
    format!(
        "2024-03-01 10:00:00,001 INFO  a.ActiveResourceManager [] - Worker {unit} is terminated. Diagnostics: {diagnostics}\n\
         2024-03-01 10:00:00,002 INFO  a.ActiveResourceManager [] - Closing TaskExecutor connection {unit} because: \
         {diagnostics}\n2024-03-01 10:00:01,000 INFO  next [] - message\n"
    )
}

fn pod(statuses: &str) -> String {
    both("demo-taskmanager-1-2", &format!("Pod terminated, container termination statuses: {statuses}"))
}

#[test]
fn a_pod_that_was_oomkilled_is_one_death_by_the_kernel() {
    let text = pod("[flink-main-container(exitCode=137, reason=OOMKilled, message=null)]");
    let signals = signals(&Excerpt::plain(&text));
    assert_eq!(signals.len(), 1, "{signals:?}");
    assert_eq!((signals[0].origin, signals[0].line), (Origin::Kubernetes, 1));
    let Says::Death(death) = &signals[0].says else { panic!("{signals:?}") };
    assert_eq!((death.killer, death.area), (Killer::KernelMemcg, Some(Area::Container)));
    assert_eq!((death.unit.as_deref(), death.limit, death.usage), (Some("demo-taskmanager-1-2"), None, None));
}

#[test]
fn the_same_words_in_a_jobs_exception_are_not_another_death() {
    let statuses = "[flink-task-manager(exitCode=137, reason=OOMKilled, message=null)]";
    let text = pod(statuses)
        + "org.apache.flink.util.FlinkException: Pod terminated, container termination statuses: "
        + statuses;
    assert_eq!(deaths(&text).len(), 1);
    // Alone they are one, of an unnamed pod.
    let alone = deaths(&format!("Pod terminated, container termination statuses:\n{statuses}"));
    assert_eq!((alone.len(), alone[0].unit.as_deref()), (1, None));
}

#[rstest]
#[case("[flink-main-container(exitCode=137, reason=Error, message=null)]", 137)]
#[case("[flink-main-container(exitCode=143, reason=Error, message=null)]", 143)]
#[case("[flink-main-container(exitCode=239, reason=Error, message=null)]", 239)]
#[case("[flink-main-container(exitCode=1, reason=Error, message=null)]", 1)]
#[case(
    "[sidecar(exitCode=0, reason=Completed, message=null),flink-main-container(exitCode=137, reason=Error, message=x)]",
    137
)]
fn an_exit_code_alone_decides_nothing(#[case] statuses: &str, #[case] exit: i32) {
    assert_eq!(said(&pod(statuses)), [ended(Some(exit), Some("demo-taskmanager-1-2"))]);
}

#[test]
fn an_eviction_is_of_memory_only_where_it_says_so() {
    let evicted = |message: &str| pod(&format!("[], pod status: Failed(reason=Evicted, message={message})"));
    let of_memory = "The node was low on resource: memory. Threshold quantity: 100Mi, available: 1Mi. Container a was using \
                     100Mi, request is 1, has larger consumption of memory. Container flink-main-container was using \
                     2345Mi, request is 2Gi, has larger consumption of memory. ";
    let deaths_ = deaths(&evicted(of_memory));
    assert_eq!((deaths_.len(), deaths_[0].killer), (1, Killer::KubeletEvict));
    assert_eq!(deaths_[0].usage, Some(Bytes::mib(2345)));
    let of_disk = "The node was low on resource: ephemeral-storage. ";
    assert_eq!(deaths(&evicted(of_disk)), []);
    assert_eq!(other_reasons(&evicted(of_disk)).len(), 1);
    assert_eq!(said(&evicted("null")), [ended(None, Some("demo-taskmanager-1-2"))]);
}

const CONTAINER: &str = "container_e07_1700000000001_0042_01_000003";

#[rstest]
#[case("Container c marked as failed.\n Exit code:-104.\n Diagnostics:", Killer::YarnPmem)]
#[case("Container c marked as failed.\n Exit code:-103.\n Diagnostics:", Killer::YarnVmem)]
fn yarns_own_exit_statuses_name_the_killer(#[case] diagnostics: &str, #[case] killer: Killer) {
    let found = deaths(&both(CONTAINER, diagnostics));
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].killer, found[0].unit.as_deref()), (killer, Some(CONTAINER)));
}

#[test]
fn what_yarn_says_of_its_limits_is_left_to_its_reader() {
    let text = both(
        CONTAINER,
        "[2024-03-01 09:59:59.900]Container [pid=41,containerID=c] is running 1B beyond the 'PHYSICAL' memory limit. \
         Current usage: 4.0 GB of 4 GB physical memory used",
    );
    assert_eq!(said(&text), []);
}

#[rstest]
#[case("Container released on a *lost* node", true)]
#[case("Container c was preempted by yarn. Diagnostics: Container preempted by scheduler", true)]
#[case("Container released by application", true)]
#[case(
    "Container c is failed because threshold number of the nodemanager-local-directories or threshold number of the \
        nodemanager-log-directories have become bad. Diagnostics: x",
    true
)]
#[case("TaskExecutor exceeded the idle timeout.", true)]
#[case("Container c exited normally. Diagnostics: ", true)]
fn other_reasons_are_no_want_of_memory(#[case] diagnostics: &str, #[case] ends: bool) {
    let found = other_reasons(&both(CONTAINER, diagnostics));
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].1, ends);
    assert_eq!(deaths(&both(CONTAINER, diagnostics)), []);
}

#[test]
fn exit_239_is_an_end_and_beside_an_out_of_memory_error_only_what_follows() {
    let text = both(CONTAINER, "Exception from container-launch.\nContainer id: c\nExit code: 239\nStack trace:");
    assert_eq!(said(&text), [ended(Some(239), Some(CONTAINER))]);
    let with = format!("java.lang.OutOfMemoryError: Java heap space\n{text}");
    let said = said(&with);
    assert!(matches!(&said[..], [Says::Strain(Strain { name: "fatal-exit", .. })]), "{said:?}");
}

#[test]
fn a_lost_heartbeat_is_a_consequence_and_an_unreachable_worker_has_ended() {
    let heartbeat =
        both("tm-1", "The heartbeat of TaskManager with id tm-1 timed out.").lines().nth(1).unwrap().to_owned();
    assert!(said(&heartbeat).iter().all(|says| *says == Says::Consequence));
    let gone = "x INFO StandaloneResourceManager [] - TaskManager with id tm-1 is no longer reachable.\n\
                x INFO StandaloneResourceManager [] - Closing TaskExecutor connection tm-1 because: TaskManager with id tm-1 \
                is no longer reachable.\n";
    let said = said(gone);
    assert!(said.contains(&ended(None, Some("tm-1"))) && said.contains(&Says::Consequence), "{said:?}");
    assert_eq!(deaths(gone), []);
}

const FATAL: &str = "2024-01-01 00:00:00,000 ERROR org.apache.flink.runtime.taskexecutor.TaskManagerRunner [] - Fatal error \
                     occurred while executing the TaskManager. Shutting it down...\n";

#[test]
fn a_fatal_error_is_put_down_to_what_was_thrown() {
    assert_eq!(said(FATAL), [ended(Some(239), None)]);
    let with = |thrown: &str| format!("{FATAL}{thrown}\n\tat org.apache.flink.Foo.bar(Foo.java:1)\n");
    let missing = other_reasons(&with("java.lang.NoClassDefFoundError: com/example/Missing"));
    assert!(missing.iter().any(|(reason, ends)| *ends && reason.contains("com/example/Missing")), "{missing:?}");
    let memory = said(&with("java.lang.OutOfMemoryError: Metaspace"));
    assert!(matches!(&memory[..], [Says::Strain(Strain { name: "fatal-exit", .. })]), "{memory:?}");
}

#[test]
fn a_task_that_does_not_stop_is_another_reason() {
    let text = format!(
        "Task 'Map (1/1)#0' did not react to cancelling signal for 30 seconds, but is stuck in method:\n{FATAL}\
         org.apache.flink.util.FlinkRuntimeException: Task did not exit gracefully within 180 + seconds.\n"
    );
    let found = other_reasons(&text);
    assert!(found.iter().any(|(_, ends)| *ends) && found.iter().any(|(_, ends)| !*ends), "{found:?}");
    assert_eq!(said(&text).iter().filter(|says| matches!(says, Says::Ended(_))).count(), 0);
}

#[test]
fn a_signal_after_the_jobs_end_is_meant() {
    let signal = "RECEIVED SIGNAL 15: SIGTERM. Shutting down as requested.\n";
    assert_eq!(said(signal), [ended(Some(143), None)]);
    let after = |state: &str| format!("Job x (abc) switched from state RUNNING to {state}.\n{signal}");
    assert_eq!(other_reasons(&after("FINISHED")).len(), 1);
    assert_eq!(said(&after("FAILED")), [ended(Some(143), None)]);
}

#[test]
fn network_buffers_are_one_death_however_many_tasks_fail_of_them() {
    let sentence = "java.io.IOException: Insufficient number of network buffers: required 7, but only 2 available. The total \
                    number of network buffers is currently set to 4096 of 32768 bytes each. You can\n";
    let found = deaths(&(sentence.to_owned() + &sentence.replace("only 2", "only 0")));
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].killer, found[0].area, found[0].limit),
        (Killer::Flink, Some(Area::Network), Some(Bytes::mib(128)))
    );
}

#[test]
fn a_task_that_waits_for_buffers_until_a_timeout_fails_for_want_of_them() {
    let text = "java.io.IOException: Timeout triggered when requesting exclusive buffers: The total number of network \
                buffers is currently set to 8 of 4096 bytes each. You can increase this number\n";
    let found = deaths(text);
    assert_eq!(
        (found[0].killer, found[0].area, found[0].limit),
        (Killer::Flink, Some(Area::Network), Some(Bytes::kib(32)))
    );
}

#[test]
fn a_state_store_that_is_refused_memory_at_its_opening_fails_the_task() {
    let opened = |error: &str| {
        let text = format!(
            "Caused by: java.io.IOException: Error while opening RocksDB instance.\nCaused by: org.rocksdb.RocksDBException: {error}\n"
        );
        deaths(&text).first().map(|death| (death.killer, death.area))
    };
    assert_eq!(opened("While mmap file: /d/7.sst: Cannot allocate memory"), Some((Killer::Jvm, Some(Area::Native))));
    assert_eq!(opened("Busy: Memory limit exceeded"), Some((Killer::Flink, Some(Area::ManagedRocksDb))));
    let read = "FlinkRuntimeException: Error while retrieving data from RocksDB.\nCaused by: org.rocksdb.RocksDBException: \
                Insert failed due to LRU cache being full.\n";
    let found = deaths(&format!("{read}{read}"));
    assert_eq!((found.len(), found[0].killer, found[0].area), (1, Killer::Flink, Some(Area::ManagedRocksDb)));
    assert_eq!(opened("While open a file: /d/7.sst: No such file or directory"), None);
}

#[test]
fn managed_memory_is_rocksdbs_only_where_that_is_said() {
    let inner = "org.apache.flink.runtime.memory.MemoryReservationException: Could not allocate 1048576 bytes, only 64 bytes \
                 are remaining. This usually";
    let found = deaths(inner);
    assert_eq!((found[0].killer, found[0].area), (Killer::Flink, Some(Area::Config)));
    assert_eq!((found[0].usage, found[0].limit), (Some(Bytes::mib(1)), Some(Bytes::new(64))));
    let outer = format!("java.io.IOException: Failed to acquire shared cache resource for RocksDB\nCaused by: {inner}");
    assert_eq!(deaths(&outer)[0].area, Some(Area::ManagedRocksDb));
}

#[test]
fn strains_are_no_deaths() {
    let text = "RocksDBStateBackend performance will be poor because of the current Flink memory \
                configuration! Details: arenaBlockSize 8388608 > mutableLimit 7340032 (x)\n\
                Checkpoint 7 of job abc expired before completing.\nCheckpoint 8 of job abc expired before completing.\n\
                Memory usage stats: [HEAP: 1020/1024/1024 MB, NON HEAP: 60/61/-1 MB (used/committed/max)]\n";
    let names: Vec<_> = said(text)
        .into_iter()
        .filter_map(|says| if let Says::Strain(strain) = says { Some(strain.name) } else { None })
        .collect();
    assert_eq!(names, ["arena-block", "heap-nearly-full", "checkpoint-expired"]);
    assert_eq!(deaths(text), []);
}

#[test]
fn a_refusal_is_told_once_however_often_it_is_repeated() {
    let sum = "Sum of configured Framework Heap Memory (128.000mb (134217728 bytes)), Framework Off-Heap Memory (128.000mb \
               (134217728 bytes)), Task Off-Heap Memory (0 bytes), Managed Memory (80.000mb (83886080 bytes)) and Network \
               Memory (64.000mb (67108864 bytes)) exceed configured Total Flink Memory (200.000mb (209715200 bytes)).";
    let text = format!(
        "[ERROR] Could not get JVM parameters and dynamic configurations properly.\n[ERROR] Raw output from BashJavaUtils:\n\
         Exception in thread \"main\" IllegalConfigurationException: TaskManager memory configuration failed: {sum}\n\
         Caused by: IllegalConfigurationException: {sum}\n"
    );
    let found = deaths(&text);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].killer, found[0].area), (Killer::Flink, Some(Area::Config)));
    assert_eq!((found[0].limit, found[0].usage, found[0].exact), (Some(Bytes::mib(200)), None, true));
    assert!(found[0].because.contains("come to 400 MiB"), "{}", found[0].because);
    // As an operator's JSON has it.
    let json =
        format!(r#"{{"type":"X","message":"{}","throwableList":[{{"message":"{sum}"}}]}}"#, sum.replace(" (", "\\n("));
    assert_eq!(deaths(&json).len(), 1);
}

#[test]
fn one_part_that_does_not_fit_is_the_usage() {
    let text = "The configured JVM Heap Memory (512.000mb (536870912 bytes)) exceeds the configured Total Flink Memory \
                (400.000mb (419430400 bytes)).";
    let found = deaths(text);
    assert_eq!((found[0].usage, found[0].limit), (Some(Bytes::mib(512)), Some(Bytes::mib(400))));
}

#[test]
fn what_was_given_is_said_once_a_value() {
    let text = "INFO  [] - Loading configuration property: taskmanager.memory.process.size, 4g\n\
                INFO  [] - Loading configuration property: taskmanager.memory.process.size, 4g\n\
                INFO  [] - Loading configuration property: metrics.latency.interval, 1000\n\
                INFO  [] - Loading configuration property: s3.secret-key, ******\n\
                INFO  [] - Final TaskExecutor Memory configuration:\n\
                INFO  [] -   Total Process Memory:          4.000gb (4294967296 bytes)\n\
                INFO  [] -       Total JVM Heap Memory:     1.452gb (1559442198 bytes)\n";
    let signals = signals(&Excerpt::plain(text));
    let given: Vec<_> = signals
        .iter()
        .filter_map(|signal| match &signal.says {
            Says::Given { key, value } => Some((signal.line, key.as_str(), value.as_str())),
            _ => None,
        })
        .collect();
    let process = "taskmanager.memory.process.size";
    let expected = [
        (6, process, "4294967296b"),
        (7, "-Xmx", "1559442198"),
        (1, process, "4g"),
        (3, "metrics.latency.interval", "1000"),
    ];
    assert_eq!(given, expected);
    assert_eq!(given.len(), signals.len());
}

/// Two workers, one of which is lost; then as many come as are said.
fn after_a_loss(came: usize, more: &str) -> String {
    use std::fmt::Write;
    let mut log = String::new();
    for n in 1..=2 {
        writeln!(log, "Requesting new TaskExecutor container with resources <memory:1024>. Number pending requests 1.")
            .unwrap();
        writeln!(log, "Received new container: container_1_1_01_00000{n} - Remaining pending container requests: 0")
            .unwrap();
    }
    writeln!(
        log,
        "Closing TaskExecutor connection container_1_1_01_000002 because: Container released on a *lost* node"
    )
    .unwrap();
    log += more;
    for n in 0..came {
        writeln!(log, "Requesting new slot [SlotRequestId{{{}}}] and profile x", n % 2).unwrap();
        writeln!(log, "Requesting new TaskExecutor container with resources <memory:1024>. Number pending requests 1.")
            .unwrap();
        writeln!(log, "Received new container: container_1_1_01_0001{n:02} - Remaining pending container requests: 0")
            .unwrap();
    }
    log
}

#[test]
fn workers_beyond_all_need_are_counted() {
    let beyond = |log: &str| {
        said(log).into_iter().find_map(|says| match says {
            Says::Strain(strain) if strain.name == "containers-beyond-need" => Some(strain.text),
            _ => None,
        })
    };
    let text = beyond(&after_a_loss(20, "")).unwrap();
    assert!(text.starts_with("2 workers stood before the first was lost; 1 were lost, 20 new ones"), "{text}");
    assert!(text.contains("21 stood at once, for 2 slots"), "{text}");
    // A replacement is what is needed, and another job may need more.
    assert_eq!(beyond(&after_a_loss(1, "")), None);
    assert_eq!(beyond(&after_a_loss(20, "Received JobGraph submission 'x'\n")), None);
    assert_eq!(beyond("Received new container: container_1 - Remaining pending container requests: 0\n"), None);
}

#[test]
fn a_jobs_own_exception_ends_no_process() {
    let text = "org.apache.flink.runtime.JobException: Recovery is suppressed by NoRestartBackoffTimeStrategy\n\
                \tat org.apache.flink.Foo.bar(Foo.java:1)\nCaused by: java.lang.RuntimeException: outer\n\
                Caused by: com.example.ParseException: bad input\n\tat x\n";
    let found = other_reasons(text);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].0.contains("ParseException: bad input") && !found[0].1);
}

#[rstest]
#[case(
    "ExecutorLostFailure (executor 2 exited) Reason: Container killed by YARN for exceeding memory limits. 5.5 GB of 5.5 GB"
)]
#[case("java.lang.OutOfMemoryError: Java heap space\n\tat java.util.Arrays.copyOf(Arrays.java:3332)")]
#[case("elasticsearch: fatal error in thread [main], exiting java.lang.StackOverflowError")]
#[case("Exception in thread \"main\" com.example.FooException: no")]
#[case("systemd[1]: app.service: Main process exited, code=killed, status=9/KILL")]
fn other_programs_logs_say_nothing(#[case] text: &str) {
    assert_eq!(said(text), []);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_cut_of_a_log_makes_it_panic_and_every_quote_is_short(cut in 0usize..4000) {
        let log = after_a_loss(3, FATAL) + &both("é", "Container released on a *lost* node") + &"é".repeat(500);
        let mut cut = cut.min(log.len());
        while !log.is_char_boundary(cut) {
            cut -= 1;
        }
        for part in [&log[..cut], &log[cut..]] {
            for signal in signals(&Excerpt::plain(part)) {
                prop_assert!(signal.quote.chars().count() <= 300);
                prop_assert!(signal.line >= 1);
            }
        }
    }
}
