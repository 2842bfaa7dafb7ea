#![allow(clippy::unwrap_used, reason = "a test")]

use rstest::rstest;

use super::*;
use crate::diagnose::postmortem::signal::Death;
use crate::model::{Area, Bytes, Killer};

fn deaths(text: &str) -> Vec<Death> {
    let each = signals(&Excerpt::plain(text)).into_iter().filter_map(|signal| match signal.says {
        Says::Death(death) => Some(death),
        _ => None,
    });
    each.collect()
}

fn areas(text: &str) -> Vec<Area> {
    deaths(text).into_iter().filter_map(|death| death.area).collect()
}

const SHORT: &str = "# There is insufficient memory for the Java Runtime Environment to continue.\n";

#[test]
fn one_error_in_many_threads_is_one_death_with_all_its_numbers() {
    let found = deaths(
        "java.lang.OutOfMemoryError: Direct buffer memory. The direct out-of-memory error has occurred. This can mean\n\
         Caused by: java.lang.OutOfMemoryError: Cannot reserve 10 bytes of direct buffer memory (allocated: 95, limit: 100)\n\
         java.lang.OutOfMemoryError: Cannot reserve 10 bytes of direct buffer memory (allocated: 96, limit: 100)\n",
    );
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].usage, found[0].limit), (Some(Bytes::new(95)), Some(Bytes::new(100))));
    assert!(found[0].exact && found[0].killer == Killer::Jvm);
}

#[test]
fn a_flag_bounds_what_ran_out_unless_it_is_of_another_jvm() {
    let text = "JVM Options:\n  -Xmx512m\n  -XX:MaxMetaspaceSize=64m\njava.lang.OutOfMemoryError: Metaspace\n";
    assert_eq!(deaths(text)[0].limit, Some(Bytes::mib(64)));
    let text = format!("org.apache.flink.runtime.entrypoint.ClusterEntrypoint - {text}");
    assert_eq!(deaths(&text)[0].limit, None);
    let text = "-Xmx1g -Xmx2g\njava.lang.OutOfMemoryError: Java heap space\n";
    assert_eq!(deaths(text)[0].limit, None);
}

#[test]
fn an_error_without_a_name_is_heard_only_where_none_has_one() {
    let bare = "Exception: java.lang.OutOfMemoryError thrown from the UncaughtExceptionHandler in thread \"x\"\n";
    assert_eq!(areas(bare), [Area::Heap]);
    assert_eq!(areas(&format!("java.lang.OutOfMemoryError: Metaspace\n{bare}")), [Area::Metaspace]);
}

#[rstest]
#[case("# Native memory allocation (malloc) failed to allocate 32 bytes for Chunk::new\n", Area::Native)]
#[case(
    "# Native memory allocation (mmap) failed to map 12288 bytes for committing reserved memory.\nCurrent thread (0x1):  JavaThread \"a\" [_thread_new, id=9]\n",
    Area::Threads
)]
#[case("# Cannot create worker GC thread. Out of system resources.\n", Area::Threads)]
#[case("# Cannot create VM thread. Out of system resources.\n", Area::Threads)]
#[case(
    "# Cannot create worker GC thread. Out of system resources.\nrlimit: STACK 8192k, NPROC 100, AS infinity\n0x1 JavaThread \"a\"\nThreads class SMR info:\n_java_thread_list=0x1, length=80, elements={\n",
    Area::Config
)]
#[case(
    "[0.1s][warning][os,thread] Failed to start thread \"GC Thread#0\" - pthread_create failed (EPERM) for attributes: stacksize: 1024k\n# Cannot create GC thread. Out of system resources.\n",
    Area::Config
)]
#[case(
    "# Native memory allocation (mmap) failed to map 65536 bytes for committing reserved memory.\nrlimit: STACK 8192k, NPROC 100, AS 4194304k\n",
    Area::Config
)]
#[case(
    "# Native memory allocation (mmap) failed to map 65536 bytes for committing reserved memory.\nrlimit: AS infinity, AS 4194304k\nVirtual Size: 1000K\n",
    Area::Native
)]
#[case(
    "# Native memory allocation (mmap) failed to map 16384 bytes. Error detail: committing reserved memory.\n/proc/sys/vm/max_map_count (x): 2\nDynamic libraries:\n10000000-20000000 rw-p\n30000000-40000000 rw-p\n",
    Area::Config
)]
#[case(
    "# Native memory allocation (mmap) failed to map 4294967296 bytes for committing reserved memory.\n# JRE version:  (21.0.1+2) (build )\nelapsed time: 0.012345 seconds\n",
    Area::Config
)]
#[case(
    "# Native memory allocation (mmap) failed to map 4294967296 bytes for committing reserved memory.\nelapsed time: 900.0 seconds\n",
    Area::Native
)]
fn a_crash_report_says_what_was_too_small(#[case] text: &str, #[case] expected: Area) {
    assert_eq!(areas(&format!("{SHORT}{text}")), [expected]);
}

#[test]
fn a_report_and_its_console_are_one_death_and_threads_follow_from_it() {
    let text = format!(
        "OpenJDK 64-Bit Server VM warning: INFO: os::commit_memory(0x1, 4096, 0) failed; error='Not enough space' (errno=12)\n{SHORT}\
         # Native memory allocation (mmap) failed to map 4096 bytes for committing reserved memory.\n# /tmp/hs_err_pid77.log\n\
         [1s][warning][os,thread] Failed to start thread - pthread_create failed (EAGAIN) for attributes: stacksize: 1024k\n"
    );
    let found = signals(&Excerpt::plain(&text));
    let told: Vec<_> = found.iter().map(|signal| matches!(signal.says, Says::Death(_))).collect();
    assert_eq!((told, deaths(&text)[0].pid), (vec![true, false], Some(77)));
    assert_eq!(found[1].says, Says::Consequence);
}

#[test]
fn a_crash_is_another_reason_but_for_the_flag_that_asks_for_it() {
    let fatal = "# A fatal error has been detected by the Java Runtime Environment:\n";
    let text =
        format!("{fatal}#  SIGSEGV (0xb) at pc=0x1, pid=5, tid=6\nOutOfMemory and StackOverflow Exception counts:\n");
    assert!(matches!(&signals(&Excerpt::plain(&text))[0].says, Says::OtherReason { ends: true, .. }));
    assert_eq!(areas(&text), []);
    let text = format!(
        "{fatal}#  Internal Error (debug.cpp:1), pid=5, tid=6\n#  fatal error: OutOfMemory encountered: Metaspace\n"
    );
    assert_eq!((areas(&text), deaths(&text)[0].pid), (vec![Area::Metaspace], Some(5)));
}

#[test]
fn what_a_report_remembers_did_not_end_the_jvm() {
    let text = "# A fatal error has been detected by the Java Runtime Environment:\n#  SIGSEGV (0xb) at pc=0x1, pid=5, tid=6\n\
                Event: 9.1 Thread 0x1 Exception <a 'java/lang/OutOfMemoryError'{0x1}: Java heap space> thrown\n";
    assert_eq!(areas(text), []);
}

#[test]
fn warnings_of_the_console_alone_are_native_or_a_rule() {
    let text = |errno: &str| format!("INFO: os::commit_memory(0x1, 4096, 0) failed; error='x' (errno={errno})\n");
    assert_eq!((areas(&text("12")), areas(&text("1"))), (vec![Area::Native], vec![Area::Config]));
    assert_eq!(areas("Could not reserve enough space for 4194304KB object heap\n"), [Area::Config]);
}

#[test]
fn a_log_that_ends_in_collections_that_free_nothing_ends_in_an_error() {
    let full = |number: u32, before: u32, after: u32| {
        format!("[1s][info][gc] GC({number}) Pause Full (G1 Compaction Pause) {before}M->{after}M(256M) 9ms\n")
    };
    let row = full(1, 255, 254) + &full(2, 254, 254);
    let found = deaths(&row);
    assert_eq!(
        (found[0].area, found[0].usage, found[0].limit),
        (Some(Area::Heap), Some(Bytes::mib(254)), Some(Bytes::mib(256)))
    );
    let half = full(1, 170, 170) + &full(2, 170, 170);
    assert_eq!((areas(&half), areas(&format!("{half}[2s][info][gc,heap,exit] Heap\n"))), (vec![], vec![Area::Heap]));
    let young = "[2s][info][gc] GC(3) Pause Young (Normal) (G1 Evacuation Pause) 100M->50M(256M) 9ms\n";
    assert_eq!(areas(&format!("{row}{young}")), []);
    assert_eq!(areas(&full(1, 255, 100)), []);
    let mut cut = Excerpt::plain(&row);
    cut.push(900, "[9s][info][gc] a line", None);
    assert!(signals(&cut).iter().all(|signal| matches!(signal.says, Says::Strain(_))));
    assert_eq!(areas(&row.replace("G1 Compaction Pause", "System.gc()")), []);
}

#[test]
fn a_log_may_say_so_itself() {
    let zgc = "[1s][info][gc] GC(1) Garbage Collection (Allocation Stall) 198M(52%)->198M(52%)\n";
    assert_eq!(areas(zgc), []);
    assert_eq!(areas(&format!("{zgc}[1s][info][gc] Out Of Memory (main)\n")), [Area::Heap]);
    assert_eq!(areas("[9s][info] Entering safepoint region: ReportJavaOutOfMemory\n"), [Area::Heap]);
    let ditch = "1.0: [Full GC (Last ditch collection) [PSYoungGen: 0K->0K(9K)] 9K->9K(99K), [Metaspace: 60K->60K(99K)], 0.1 secs]\n";
    assert_eq!((areas(ditch), areas(&ditch.repeat(2))), (vec![], vec![Area::Metaspace]));
}

#[test]
fn a_threshold_of_metaspace_at_the_start_is_nothing() {
    let text = "1.0: [Full GC (Metadata GC Threshold) [PSYoungGen: 0K->0K(9K)] 9K->9K(10K), [Metaspace: 20K->20K(99K)], 0.1 secs]\n";
    assert_eq!(signals(&Excerpt::plain(&text.repeat(4))), []);
}

#[test]
fn what_grew_in_native_memory_is_named() {
    let text = "Native Memory Tracking:\nTotal: reserved=9MB +2MB, committed=9MB +2MB\n-  Other (reserved=4MB +2MB, committed=4MB +2MB)\n";
    let found = signals(&Excerpt::plain(text));
    let Says::Strain(strain) = &found[0].says else { panic!() };
    assert_eq!((strain.area, strain.usage), (Some(Area::Direct), Some(Bytes::mib(9))));
}
