#![allow(clippy::unwrap_used, reason = "a test")]

use rstest::rstest;

use super::*;
use crate::artefact::malloc_chunks::Allocator;

const WHOLE: &str = "\
#
# There is insufficient memory for the Java Runtime Environment to continue.
# Native memory allocation (malloc) failed to allocate 32744 bytes. Error detail: ChunkPool::allocate
# Possible reasons:
#   The system is out of physical RAM or swap space
#
#  Out of Memory Error (arena.cpp:191), pid=4711, tid=4790
#
# JRE version: OpenJDK Runtime Environment (21.0.4+7) (build 21.0.4+7)
Command Line: -Xms512m -Xmx512m org.apache.flink.runtime.taskexecutor.TaskManagerRunner
Time: Mon Jan  5 10:11:12 2026 UTC elapsed time: 12,345678 seconds (0d 0h 0m 12s)
Current thread (0x00007f0000000000):  JavaThread \"C2 CompilerThread0\" daemon [_thread_in_native, id=4790]
Native frames: (J=compiled Java code, j=interpreted, Vv=VM code, C=native code)
V  [libjvm.so+0x1]  Arena::grow(unsigned long)+0x2f1

Threads class SMR info:
_java_thread_list=0x00007f0000000001, length=41, elements={
Java Threads: ( => current thread )
  0x00007f0000000002 JavaThread \"main\"
Total: 52

Heap:
 def new generation   total 157248K, used 1024K [0x0, 0x1, 0x2)
 tenured generation   total 349568K, used 2048K [0x0, 0x1, 0x2)
 Metaspace       used 40960K, committed 45056K, reserved 262144K
Dynamic libraries:
e0000000-100000000 rw-p 00000000 00:00 0
55d0c0000000-55d0c0001000 r-xp 00000000 08:01 1 /opt/jdk/bin/java
OS:
rlimit (soft/hard): STACK 8192k/infinity , CORE 0k/0k , NPROC 4096/8192 , NOFILE 1024/1024 , AS 4194304k/infinity , CPU infinity/infinity , DATA infinity/infinity
/proc/meminfo:
MemTotal:        8000000 kB
MemAvailable:     100000 kB
Virtual Size: 4190000K (peak: 4190000K)
Resident Set Size: 900000K (peak: 900000K)
/proc/sys/vm/max_map_count (maximum number of memory map areas a process may have): 65530
/proc/sys/kernel/threads-max (system-wide limit on the number of threads):
62000
container (cgroup) information:
kernel_memory_limit_in_bytes: unlimited
memory_limit_in_bytes: 1048576 k
memory_usage_in_bytes: 1048000 k
maximum number of tasks: 900
current number of tasks: 60
END.
";

#[test]
fn a_report_is_read_whole() {
    let found = reports(&Excerpt::plain(WHOLE));
    assert_eq!(found.len(), 1);
    let (report, of) = (&found[0], &found[0].sections);
    assert_eq!((report.pid, report.place.as_deref()), (Some(4711), Some("arena.cpp:191")));
    let asked = Request {
        by: Some("malloc".into()),
        size: Some(Bytes::new(32_744)),
        purpose: Some("ChunkPool::allocate".into()),
    };
    assert_eq!(report.reason, Reason::Memory(asked));
    let kib = |kib: u64| Some(Bytes::new(kib * 1024));
    assert_eq!((of.elapsed_ms, of.threads, of.mappings), (Some(12_345), Some(52), Some(2)));
    assert_eq!((of.heap_total, of.heap_used), (kib(506_816), kib(3072)));
    assert_eq!((of.metaspace_used, of.metaspace_committed), (kib(40_960), kib(45_056)));
    assert_eq!((of.machine.total, of.machine.available), (kib(8_000_000), kib(100_000)));
    assert_eq!((of.limits.address_space, of.limits.processes, of.limits.data), (kib(4_194_304), Some(4096), None));
    assert_eq!((of.limits.mappings, of.limits.threads_max, of.limits.tasks), (Some(65_530), Some(62_000), Some(900)));
    assert_eq!((of.limits.container, of.container_usage), (kib(1_048_576), kib(1_048_000)));
    assert!(of.whole && !of.is_starting && of.frames.len() == 1);
}

#[test]
fn mappings_of_a_report_that_ends_before_them_are_not_counted() {
    let (before, _) = WHOLE.split_once("Dynamic libraries:").unwrap();
    let sections = &reports(&Excerpt::plain(before))[0].sections;
    assert_eq!((sections.mappings, sections.allocator), (None, None));
}

#[rstest]
#[case("", None)]
#[case("7f0000000000-7f0000001000 r-xp 00000000 08:01 2 /usr/lib/x86_64-linux-gnu/libc.so.6\n", Some(Allocator::Glibc))]
#[case(
    "7f0000000000-7f0000001000 r-xp 00000000 08:01 2 /usr/lib/x86_64-linux-gnu/libc.so.6\n\
     7f0000002000-7f0000003000 r-xp 00000000 08:01 3 /usr/lib/x86_64-linux-gnu/libjemalloc.so.2\n",
    Some(Allocator::Jemalloc)
)]
fn whose_malloc_it_was_is_told_by_the_mapped_files(#[case] mapped: &str, #[case] allocator: Option<Allocator>) {
    let text = WHOLE.replace("OS:\n", &format!("{mapped}OS:\n"));
    assert_eq!(reports(&Excerpt::plain(&text))[0].sections.allocator, allocator);
}

#[rstest]
#[case(
    "Native memory allocation (mmap) failed to map 1048576 bytes for committing reserved memory.",
    Some(1_048_576),
    Some("committing reserved memory.")
)]
#[case(
    "Native memory allocation (mprotect) failed to protect 16384 bytes for memory to guard stack pages",
    Some(16_384),
    Some("memory to guard stack pages")
)]
#[case(
    "Native memory allocation (malloc) failed to allocate 4088 bytes for AllocateHeap",
    Some(4088),
    Some("AllocateHeap")
)]
#[case(
    "Native memory allocation (mmap) failed to map 65536 bytes. Error detail: G1 virtual space",
    Some(65_536),
    Some("G1 virtual space")
)]
#[case(
    "Cannot create GC thread. Out of system resources.",
    None,
    Some("Cannot create GC thread. Out of system resources.")
)]
#[case("Out of swap space to map in thread stack.", None, Some("Out of swap space to map in thread stack."))]
fn each_form_of_the_request_is_read(#[case] line: &str, #[case] size: Option<u64>, #[case] purpose: Option<&str>) {
    let text = format!(
        "# There is insufficient memory for the Java Runtime Environment to continue.\n# {line}\n# Possible reasons:\n"
    );
    let Reason::Memory(request) = &reports(&Excerpt::plain(&text))[0].reason else { panic!() };
    assert_eq!((request.size, request.purpose.as_deref()), (size.map(Bytes::new), purpose));
}

#[rstest]
#[case("#  SIGSEGV (0xb) at pc=0x00007f00, pid=77, tid=78", Reason::Fatal { what: "SIGSEGV (0xb) at pc=0x00007f00, pid=77, tid=78".into() })]
#[case("#  Internal Error (debug.cpp:362), pid=77, tid=78\n#  fatal error: OutOfMemory encountered: Java heap space", Reason::OutOfMemoryError { detail: "Java heap space".into() })]
#[case("#  Internal Error (g1Remark.cpp:7), pid=77, tid=78\n#  guarantee(false) failed", Reason::Fatal { what: "Internal Error (g1Remark.cpp:7)".into() })]
fn a_fatal_error_is_no_lack_of_memory_unless_it_says_so(#[case] line: &str, #[case] expected: Reason) {
    let text = format!("# A fatal error has been detected by the Java Runtime Environment:\n#\n{line}\n#\n");
    let found = reports(&Excerpt::plain(&text));
    assert_eq!((&found[0].reason, found[0].pid), (&expected, Some(77)));
}

#[rstest]
#[case("memory_limit_in_bytes: 9554747392", Some(9_554_747_392))]
#[case("memory_limit_in_bytes: 2048 k", Some(2 << 20))]
#[case("memory_limit_in_bytes: unlimited", None)]
#[case("memory_limit_in_bytes: -1", None)]
#[case("memory_limit_in_bytes: 9223372036854771712", None)]
fn the_container_is_in_bytes_or_kibibytes(#[case] line: &str, #[case] expected: Option<u64>) {
    let text = format!("There is insufficient memory for the Java Runtime Environment\n{line}\n");
    assert_eq!(reports(&Excerpt::plain(&text))[0].sections.limits.container, expected.map(Bytes::new));
}

#[rstest]
#[case(
    "OpenJDK 64-Bit Server VM warning: INFO: os::commit_memory(0x0000000085330000, 2060255232, 0) failed; error='Cannot allocate memory' (errno=12)",
    Some(2_060_255_232),
    "Cannot allocate memory",
    12
)]
#[case(
    "INFO: os::commit_memory(0x00, 4096, 1) failed; error='Operation not permitted' (errno=1)",
    Some(4096),
    "Operation not permitted",
    1
)]
#[case(
    "INFO: os::commit_memory(0x00, 8192, 4096, 0) failed; error='Die Auslagerungsdatei ist zu klein' (DOS error/errno=1455)",
    Some(8192),
    "Die Auslagerungsdatei ist zu klein",
    1455
)]
fn failed_commits_are_read_in_any_language(
    #[case] text: &str,
    #[case] size: Option<u64>,
    #[case] error: &str,
    #[case] errno: u32,
) {
    let found = &commits(&Excerpt::plain(text))[0];
    assert_eq!((found.size, found.error.as_str(), found.errno), (size.map(Bytes::new), error, Some(errno)));
}

#[test]
fn a_jvm_that_cannot_place_its_heap_says_how_much_it_asked_for() {
    let text = "Error occurred during initialization of VM\nCould not reserve enough space for 2097152KB object heap\n";
    assert_eq!(refusals(&Excerpt::plain(text))[0].size, Some(Bytes::gib(2)));
    assert_eq!(refusals(&Excerpt::plain("Unable to allocate 300 MB of disk")), []);
    let text = "# An unexpected error has been detected by Java Runtime Environment:\n#\n# java.lang.OutOfMemoryError: \
                requested 1024 bytes for ChunkPool::allocate. Out of swap space?\n#\n#  Internal Error (allocation.hpp:42), \
                pid=2011, tid=4\n";
    let report = &reports(&Excerpt::plain(text))[0];
    assert_eq!(report.pid, Some(2011));
    assert!(matches!(&report.reason, Reason::Memory(request) if request.size == Some(Bytes::kib(1))), "{report:?}");
    let text = "Unable to allocate 258048KB bitmaps for parallel garbage collection for the requested 8388608KB heap.";
    assert_eq!(refusals(&Excerpt::plain(text)).len(), 1);
}

#[test]
fn every_prefix_is_read() {
    for end in 0..=WHOLE.len() {
        let excerpt = Excerpt::plain(&WHOLE[..end]);
        assert!(reports(&excerpt).len() <= 1 && commits(&excerpt).is_empty());
    }
}
