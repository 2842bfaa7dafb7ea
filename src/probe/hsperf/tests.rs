#![allow(clippy::unwrap_used, reason = "a test")]

use std::fs;

use super::*;

const FLINK: &[u8] = include_bytes!("../../../testdata/hsperfdata/flink/1.20.5");

/// A root with one process whose number is 700 outside and 7 inside.
struct Capture {
    directory: tempfile::TempDir,
}

impl Capture {
    fn new() -> Capture {
        let capture = Capture { directory: tempfile::tempdir().unwrap() };
        capture.put("proc/700/status", b"Name:\tjava\nNSpid:\t700\t7\n");
        capture.put("proc/700/cmdline", b"java\0-Xmx1g\0Main\0");
        capture.put("proc/700/maps", b"7f-80 rw-s 0 08:01 1 /tmp/hsperfdata_flink/7\n");
        capture.put("proc/700/stat", b"700 (java) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 5000 0 0");
        capture
    }

    fn put(&self, path: &str, bytes: &[u8]) {
        let path = self.directory.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    fn remove(&self, path: &str) {
        fs::remove_file(self.directory.path().join(path)).unwrap();
    }

    fn located(&self) -> Seen<Located> {
        Located::of(&Root::captured(self.directory.path()), 700)
    }
}

#[test]
fn a_mapped_file_is_found_by_the_number_in_its_namespace() {
    let capture = Capture::new();
    capture.put("proc/700/root/tmp/hsperfdata_flink/7", FLINK);
    let located = capture.located().unwrap();
    assert_eq!(located.proof, Proof::Mapped);
    assert_eq!(located.read().unwrap().java_version.as_deref(), Some("17.0.21"));
}

#[test]
fn a_file_that_the_process_has_not_mapped_is_not_its_own() {
    let capture = Capture::new();
    capture.put("tmp/hsperfdata_other/7", FLINK);
    let unseen = capture.located().unwrap_err();
    assert!(unseen.why.ends_with("is of another process: this one has not mapped it"), "{unseen}");
    capture.put("tmp/hsperfdata_flink/7", FLINK);
    assert_eq!(capture.located().unwrap().proof, Proof::Mapped);
    capture.put("proc/700/maps", b"7f-80 rw-s 0 08:01 1 /tmp/hsperfdata_flink/7 (deleted)\n");
    assert!(capture.located().is_err());
}

#[test]
fn a_file_older_than_the_process_is_stale() {
    let capture = Capture::new();
    capture.put("tmp/hsperfdata_flink/7", FLINK);
    // Its JVM began in November 2026; this machine was booted in 2033.
    capture.put("proc/stat", b"cpu 1\nbtime 2000000000\n");
    let unseen = capture.located().unwrap_err();
    assert!(unseen.why.ends_with("its JVM began before this process did"), "{unseen}");
    capture.put("proc/stat", b"cpu 1\nbtime 1700000000\n");
    assert!(capture.located().is_ok());
}

#[test]
fn without_mappings_the_command_line_must_agree() {
    let capture = Capture::new();
    capture.remove("proc/700/maps");
    capture.put("tmp/hsperfdata_flink/7", FLINK);
    let unseen = capture.located().unwrap_err();
    assert!(unseen.why.contains("it names another program"), "{unseen}");
    let data = PerfData::parse(FLINK).unwrap();
    let command = data.text("sun.rt.javaCommand").unwrap();
    let line = format!("java\0-Xmx536870902\0{}", command.replace(' ', "\0"));
    capture.put("proc/700/cmdline", format!("{line}and more than 1,024 bytes\0").as_bytes());
    assert_eq!(capture.located().unwrap().proof, Proof::CommandLine);
}

#[test]
fn the_option_that_prevents_it_is_named() {
    let capture = Capture::new();
    capture.put("proc/700/cmdline", b"java\0-XX:+PerfDisableSharedMem\0Main\0");
    let unseen = capture.located().unwrap_err();
    assert!(unseen.why.contains("-XX:+PerfDisableSharedMem"), "{unseen}");
    assert_eq!(unseen.grant.as_deref(), Some("start the JVM without -XX:+PerfDisableSharedMem"));
}

#[test]
fn a_process_that_is_no_jvm_is_told_so() {
    let capture = Capture::new();
    assert!(capture.located().unwrap_err().why.contains("no HotSpot JVM"));
    capture.put("proc/700/maps", b"7f-80 r-xp 0 08:01 1 /usr/lib/jvm/lib/server/libjvm.so\n");
    assert!(capture.located().unwrap_err().why.contains("may have been removed"));
}

#[test]
fn a_user_without_a_name_is_told() {
    let capture = Capture::new();
    capture.put("proc/700/maps", b"7f-80 r-xp 0 08:01 1 /usr/lib/jvm/lib/server/libjvm.so\n");
    capture.put("proc/700/status", b"Uid:\t10007\t10007\t10007\t10007\nNSpid:\t700\t7\n");
    capture.put("proc/700/root/etc/passwd", b"root:x:0:0:root:/root:/bin/sh\n");
    assert!(capture.located().unwrap_err().why.starts_with("uid 10007 has no name"));
    capture.put("proc/700/root/etc/passwd", b"flink:x:10007:0::/:/bin/sh\n");
    assert!(capture.located().unwrap_err().why.contains("may have been removed"));
}

#[test]
fn a_link_or_another_kind_of_file_is_not_followed() {
    let capture = Capture::new();
    capture.put("elsewhere", FLINK);
    let directory = capture.directory.path().join("tmp/hsperfdata_flink");
    fs::create_dir_all(&directory).unwrap();
    std::os::unix::fs::symlink(capture.directory.path().join("elsewhere"), directory.join("7")).unwrap();
    assert!(capture.located().is_err());
    capture.remove("tmp/hsperfdata_flink/7");
    rustix::fs::mknodat(rustix::fs::CWD, directory.join("7"), rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR, 0)
        .unwrap();
    assert!(capture.located().is_err());
}

#[test]
fn a_file_that_was_replaced_is_another_process() {
    let capture = Capture::new();
    capture.put("tmp/hsperfdata_flink/7", FLINK);
    let located = capture.located().unwrap();
    capture.put("tmp/new", FLINK);
    let at = |path: &str| capture.directory.path().join(path);
    fs::rename(at("tmp/new"), at("tmp/hsperfdata_flink/7")).unwrap();
    assert!(located.read().unwrap_err().why.ends_with("the process has ended"));
}
