#![allow(clippy::unwrap_used, reason = "a test")]

use rstest::rstest;

use super::*;

#[rstest]
#[case("terminate called after throwing an instance of 'std::bad_alloc'", Said::RanOut)]
#[case("libc++abi: terminating with uncaught exception of type std::bad_alloc: std::bad_alloc", Said::RanOut)]
#[case("fatal error: runtime: out of memory", Said::RanOut)]
#[case("memory allocation of 8589934592 bytes failed", Said::RanOut)]
#[case("<jemalloc>: Error in malloc(): out of memory", Said::RanOut)]
#[case("java.io.IOException: Cannot run program \"ls\": error=12, Cannot allocate memory", Said::Refused)]
#[case("bash: fork: Cannot allocate memory", Said::NotStarted)]
#[case("terminate called after throwing an instance of 'std::length_error'", Said::Length)]
#[case("malloc(): corrupted top size", Said::Corrupted)]
#[case("*** Error in `java': double free or corruption (!prev): 0x00007f ***", Said::Corrupted)]
#[case("./run.sh: line 3: 99 Killed                  java -Xmx4g", Said::Killed)]
#[case("[1]  + 99 killed     java -Xmx4g", Said::Killed)]
#[case("./run.sh: line 3: 99 Segmentation fault      (core dumped) java", Said::Segfault)]
#[case("taskmanager_1 exited with code 137", Said::Killed)]
#[case("java.io.IOException: No space left on device", Said::DiskFull)]
fn each_runtime_has_its_last_words(#[case] text: &str, #[case] expected: Said) {
    let found: Vec<Said> = read(&Excerpt::plain(text)).iter().map(|one| one.said).collect();
    assert_eq!(found, [expected]);
}

#[rstest]
#[case("INFO: os::commit_memory(0x0, 1, 0) failed; error='Cannot allocate memory' (errno=12)")]
#[case("OSError: [Errno 12] Cannot allocate memory")]
#[case("an ordinary line about malloc and space")]
fn what_others_read_is_left_to_them(#[case] text: &str) {
    assert_eq!(read(&Excerpt::plain(text)), []);
}

#[test]
fn what_was_asked_for_is_known_where_it_is_said() {
    assert_eq!(read(&Excerpt::plain("memory allocation of 4096 bytes failed"))[0].size, Some(Bytes::kib(4)));
}
