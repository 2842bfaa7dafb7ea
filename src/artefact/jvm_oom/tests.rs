#![allow(clippy::unwrap_used, reason = "a test")]

use rstest::rstest;

use super::*;

fn read(text: &str) -> Vec<OutOfMemory> {
    errors(&Excerpt::plain(text))
}

fn kinds(text: &str) -> Vec<Exhausted> {
    read(text).into_iter().map(|error| error.exhausted).collect()
}

#[rstest]
#[case("java.lang.OutOfMemoryError: Java heap space", Exhausted::Heap)]
#[case("Caused by: java.lang.OutOfMemoryError: GC overhead limit exceeded", Exhausted::GcOverhead)]
#[case("java.lang.OutOfMemoryError: Requested array size exceeds VM limit", Exhausted::ArraySize)]
#[case("java.lang.OutOfMemoryError: Required length exceeds implementation limit", Exhausted::ArraySize)]
#[case("java.lang.OutOfMemoryError: Required array length 2147483639 + 9 is too large", Exhausted::ArraySize)]
#[case("java.lang.OutOfMemoryError: Metaspace", Exhausted::Metaspace)]
#[case("java.lang.OutOfMemoryError: Compressed class space", Exhausted::ClassSpace)]
#[case("Exception in thread \"main\" java.lang.OutOfMemoryError: PermGen space", Exhausted::PermGen)]
#[case("java.lang.OutOfMemoryError: Direct buffer memory", Exhausted::Direct)]
#[case("java.lang.OutOfMemoryError: unable to create new native thread", Exhausted::Threads)]
#[case(
    "java.lang.OutOfMemoryError: unable to create native thread: possibly out of memory or process/resource limits reached",
    Exhausted::Threads
)]
#[case("java.lang.OutOfMemoryError: Map failed", Exhausted::Map)]
#[case("java.lang.OutOfMemoryError: Unable to allocate 8589934608 bytes", Exhausted::Native)]
#[case(
    "java.lang.OutOfMemoryError: requested 32756 bytes for ChunkPool::allocate. Out of swap space?",
    Exhausted::Native
)]
#[case("Exception <a 'java/lang/OutOfMemoryError'{0x00000000f5a01c38}: Java heap space>", Exhausted::Heap)]
#[case(
    "Exception: java.lang.OutOfMemoryError thrown from the UncaughtExceptionHandler in thread \"a\"",
    Exhausted::Unnamed
)]
#[case("Error: Java heap space", Exhausted::Heap)]
#[case(
    "Uncaught error from thread [flink-akka.actor.default-dispatcher-4]: Metaspace, shutting down JVM",
    Exhausted::Metaspace
)]
#[case("java.lang.OutOfMemoryError：Java heap space", Exhausted::Heap)]
#[case(
    "> Caused by: java.lang.OutOfMemoryError: Direct\n> buffer memory\n> \tat java.nio.Bits.reserveMemory(Bits.java:658)",
    Exhausted::Direct
)]
#[case("java.io.IOException: Map failed\n\tat sun.nio.ch.FileChannelImpl.map(FileChannelImpl.java:1)", Exhausted::Map)]
#[case("java.io.IOException: Map failed\nCaused by: java.lang.OutOfMemoryError: Map failed", Exhausted::Map)]
#[case("// java.lang.OutOfMemoryError: Java heap space\n// \tat com.example.Leak.main(Leak.java:9)", Exhausted::Heap)]
#[case(
    "The metaspace out-of-memory error has occurred. This can mean two things: either the job requires a larger size",
    Exhausted::Metaspace
)]
#[case("java.lang.OutOfMemoryError\n\tat sun.misc.Unsafe.allocateMemory(Native Method)", Exhausted::Native)]
#[case(
    "java.lang.OutOfMemoryError: Could not allocate enough memory segments for NetworkBufferPool (required (MB): 64)",
    Exhausted::NetworkBuffers
)]
fn each_wording_names_its_memory(#[case] text: &str, #[case] expected: Exhausted) {
    assert_eq!(kinds(text), [expected]);
}

#[test]
fn the_numbers_of_direct_memory_are_read_of_the_jdk_and_of_netty() {
    let jdk = &read(
        "java.lang.OutOfMemoryError: Cannot reserve 65536 bytes of direct buffer memory (allocated: 1000, limit: 2000)",
    )[0];
    let of = |bytes| Some(Bytes::new(bytes));
    assert_eq!((jdk.requested, jdk.used, jdk.limit), (of(65_536), of(1000), of(2000)));
    let netty = &read(
        "org.apache.flink.shaded.netty4.io.netty.util.internal.OutOfDirectMemoryError: failed to allocate \
         2097152 byte(s) of direct memory (used: 134217727, max: 134217728)",
    )[0];
    assert_eq!((netty.exhausted, netty.used, netty.limit), (Exhausted::Direct, of(134_217_727), of(134_217_728)));
    let bare = "Handling exception: failed to allocate 2097152 byte(s) of direct memory (used: 1000, max: 2000)\n";
    assert_eq!((read(bare).len(), read(bare)[0].exhausted, read(bare)[0].used), (1, Exhausted::Direct, of(1000)));
    let bare = "cause: Cannot reserve 65536 bytes of direct\nbuffer memory (allocated: 1000, limit: 2000)\n";
    assert_eq!((read(bare).len(), read(bare)[0].used, read(bare)[0].limit), (1, of(1000), of(2000)));
    let too_large = &read(
        "io.netty.util.internal.OutOfDirectMemoryError: failed to allocate 1 byte(s) of direct memory (used: 99999999999999999999, max: 5)",
    )[0];
    assert_eq!((too_large.used, too_large.limit), (None, of(5)));
}

#[rstest]
#[case("CommandLine flags: -XX:+ExitOnOutOfMemoryError -XX:+HeapDumpOnOutOfMemoryError -XX:OnOutOfMemoryError=kill")]
#[case("OutOfMemory and StackOverflow Exception counts:\nOutOfMemoryErrors java_heap_errors=1\n")]
#[case("OutOfMemory and StackOverflow Exception counts:\nOutOfMemoryError java_heap_errors=3\n")]
#[case("OutOfMemoryError class_metaspace_errors=1\nLinkageErrors=12\n")]
#[case("} catch (OutOfMemoryError e) {")]
#[case("Raise it to avoid java.lang.OutOfMemoryError: Direct buffer memory in tasks.")]
#[case("If the heap is too small, the job may fail with `OutOfMemoryError: Java heap space`.")]
#[case("SparkOutOfMemoryError: Unable to acquire 65536 bytes of memory, got 0")]
#[case("System.OutOfMemoryException: Insufficient memory")]
#[case("BufferExhaustedException: Failed to allocate 16384 bytes within the configured max blocking time 60000 ms.")]
#[case("throw new RuntimeException(\"java.lang.OutOfMemoryError: Java heap space\");")]
#[case("java.lang.OutOfMemoryError instances: 0")]
#[case("java.lang.OutOfMemoryError.<init>(OutOfMemoryError.java:48)")]
fn what_only_has_the_name_in_it_is_no_error(#[case] text: &str) {
    assert_eq!(kinds(text), []);
}

#[test]
fn an_error_that_a_program_provokes_after_another_is_marked() {
    let found = read(
        "ERROR Force heap space OutOfMemoryError in the presence of\njava.lang.OutOfMemoryError: Direct buffer memory\n\
         java.lang.OutOfMemoryError: Java heap space\n",
    );
    let told: Vec<_> = found.iter().map(|error| (error.exhausted, error.provoked)).collect();
    assert_eq!(told, [(Exhausted::Direct, false), (Exhausted::Heap, true)]);
}

#[test]
fn a_job_manager_says_in_which_container_a_task_failed() {
    let found = read(
        "Map (1/2) (0a1b) switched from RUNNING to FAILED on container_e07_1700000000000_0009_01_000003 @ h7 \
         (dataPort=41000).\njava.lang.OutOfMemoryError: Java heap space\n\tat a.B.c(B.java:1)\n",
    );
    assert_eq!(found[0].unit.as_deref(), Some("container_e07_1700000000000_0009_01_000003"));
    let found = read(
        "2026-01-01 to FAILED on tm-7 @ h7 (dataPort=41000).\njava.lang.RuntimeException: x\n\tat a.B.c(B.java:1)\n\
         Caused by: java.lang.OutOfMemoryError: Metaspace\n2026-01-02 java.lang.OutOfMemoryError: Metaspace\n",
    );
    assert_eq!((found[0].unit.as_deref(), found[1].unit.as_deref()), (Some("tm-7"), None));
}

#[test]
fn exits_that_the_flags_ask_for_are_told_apart() {
    let text = "Terminating due to java.lang.OutOfMemoryError: Java heap space\n";
    assert_eq!(read(text)[0].told, Told::Ended);
    let text = "#\n# java.lang.OutOfMemoryError: Java heap space\n# -XX:OnOutOfMemoryError=\"kill -9 %p\"\n";
    assert_eq!((read(text)[0].told, read(text)[0].exhausted), (Told::Ended, Exhausted::Heap));
}

#[rstest]
#[case(
    "[0,123s][warning][os,thread] Failed to start thread - pthread_create failed (EAGAIN) for attributes: stacksize: 1024k, guardsize: 0k, detached.",
    None,
    Some("EAGAIN")
)]
#[case(
    "[9.1s][warning][os,thread] Failed to start thread \"GC Thread#3\" - pthread_create failed (ENOMEM) for attributes: stacksize: 1024k, guardsize: 4k, detached.",
    Some("GC Thread#3"),
    Some("ENOMEM")
)]
#[case("Failed to start the native thread for java.lang.Thread \"flush-1\"", Some("flush-1"), None)]
fn threads_that_did_not_start_are_read(#[case] text: &str, #[case] name: Option<&str>, #[case] error: Option<&str>) {
    let found = &threads(&Excerpt::plain(text))[0];
    assert_eq!((found.name.as_deref(), found.error.as_deref()), (name, error));
}

#[test]
fn heap_dumps_know_their_process_and_why_they_failed() {
    let text = "Dumping heap to /dumps/java_pid412.hprof ...\nUnable to create /dumps/java_pid412.hprof: File exists\n\
                Heap dump file created [1073741 bytes in 1.250 secs]\n";
    let found = heap_dumps(&Excerpt::plain(text));
    assert_eq!((found[0].pid, found[1].failed.as_deref()), (Some(412), Some("File exists")));
    assert_eq!(found[2].size, Some(Bytes::new(1_073_741)));
}

#[test]
fn every_prefix_is_read() {
    let text =
        "é java.lang.OutOfMemoryError：Cannot reserve 6 bytes of direct buffer memory (allocated: 1, limit: 2)\n\tat é";
    for end in (0..=text.len()).filter(|end| text.is_char_boundary(*end)) {
        let excerpt = Excerpt::plain(&text[..end]);
        assert!(errors(&excerpt).len() <= 1 && threads(&excerpt).is_empty() && heap_dumps(&excerpt).is_empty());
    }
}

#[test]
fn a_long_line_without_blanks_takes_no_longer_than_its_length_is() {
    // An answer of a REST interface on one line, with every blank taken out.
    let text = "java.lang.OutOfMemoryError.<init>(OutOfMemoryError.java:48)".repeat(8000);
    let start = std::time::Instant::now();
    assert_eq!(read(&text), []);
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}
