#![allow(clippy::unwrap_used, reason = "a test")]

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};

use flate2::Compression;
use flate2::write::GzEncoder;
use rstest::rstest;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

use super::*;

fn anchors() -> Anchors {
    Anchors::new(["Killed process "])
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::new(), Compression::fast());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

fn zst(bytes: &[u8]) -> Vec<u8> {
    compress_to_vec(bytes, CompressionLevel::Fastest)
}

fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = tar::Builder::new(Vec::new());
    for (name, bytes) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        out.append_data(&mut header, name, *bytes).unwrap();
    }
    out.into_inner().unwrap()
}

fn read_all(directory: &Path) -> Leavings {
    read(&[directory], &anchors()).unwrap()
}

fn texts(leavings: &Leavings) -> Vec<(&str, &str)> {
    leavings.inputs.iter().map(|input| (input.name.rsplit('/').next().unwrap(), input.excerpts[0].text())).collect()
}

fn why(leavings: &Leavings) -> Vec<(&str, String)> {
    leavings.unread.iter().map(|(name, why)| (name.rsplit('/').next().unwrap(), why.to_string())).collect()
}

#[test]
fn files_of_a_directory_are_read_in_the_order_of_their_names() {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("b")).unwrap();
    for name in ["c.log", "b/2", "b/1", ".hidden", "a.log"] {
        fs::write(directory.path().join(name), format!("{name}\n")).unwrap();
    }
    fs::write(directory.path().join(".gitignore"), "*\n").unwrap();
    let leavings = read_all(directory.path());
    assert_eq!(
        texts(&leavings).iter().map(|(name, _)| *name).collect::<Vec<_>>(),
        [".gitignore", ".hidden", "a.log", "1", "2", "c.log"]
    );
    assert_eq!(leavings.unread, []);
}

#[test]
fn packed_files_are_unpacked_in_one_another() {
    let directory = tempfile::tempdir().unwrap();
    let long = format!("{}/tm.log", "d".repeat(150));
    let inner = tar(&[("jm.log.gz", &gz(b"jm\n")), ("empty", b""), (&long, b"tm\n")]);
    let files: [(&str, Vec<u8>); 5] = [
        ("a.gz", [gz(b"one\n"), gz(b"two\n")].concat()),
        ("b.zst", [zst(b"one\n"), b"\x50\x2a\x4d\x18\x02\0\0\0xx".to_vec(), zst(b"two\n")].concat()),
        ("c.tar", inner.clone()),
        ("d.tar.gz", gz(&inner)),
        ("e.tar.zst", zst(&inner)),
    ];
    for (name, bytes) in files {
        fs::write(directory.path().join(name), bytes).unwrap();
    }
    let leavings = read_all(directory.path());
    let expected = [("a.gz", "one\ntwo\n"), ("b.zst", "one\ntwo\n")];
    assert_eq!(texts(&leavings)[..2], expected);
    for (index, name) in [(2, "c.tar"), (4, "d.tar.gz"), (6, "e.tar.zst")] {
        assert_eq!(texts(&leavings)[index], (format!("{name}:jm.log.gz").as_str(), "jm\n"));
        assert_eq!(texts(&leavings)[index + 1], ("tm.log", "tm\n"));
        assert!(leavings.inputs[index + 1].name.ends_with(&format!("{name}:{long}")));
    }
    assert!(why(&leavings).iter().all(|(_, why)| why == "it is empty"));
}

#[test]
fn nothing_in_a_directory_makes_it_hang() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    fs::write(path("real"), "x\n").unwrap();
    symlink(path("real"), path("link")).unwrap();
    symlink(directory.path(), path("loop")).unwrap();
    symlink("nowhere", path("broken")).unwrap();
    symlink("/dev/zero", path("zero")).unwrap();
    fs::write(path("secret"), "x\n").unwrap();
    fs::set_permissions(path("secret"), fs::Permissions::from_mode(0o000)).unwrap();
    let status = std::process::Command::new("mkfifo").arg(path("pipe")).status().unwrap();
    assert!(status.success());
    let _socket = std::os::unix::net::UnixListener::bind(path("socket")).unwrap();
    let leavings = read_all(directory.path());
    let mut inputs: Vec<&str> = texts(&leavings).iter().map(|(name, _)| *name).collect();
    // Root reads it all the same.
    inputs.retain(|name| *name != "secret");
    assert_eq!(inputs, ["link"], "a file is read once, under its first name");
    let mut unread = why(&leavings);
    unread.retain(|(name, _)| *name != "secret");
    let said = |name, text: &str| (name, text.to_owned());
    assert_eq!(
        unread,
        [
            said("broken", "it is a link to nothing, or may not be looked at"),
            said("loop", "it is a link to a directory (name the directory itself)"),
            said("pipe", "it is a pipe (name it itself)"),
            said("socket", "it is a socket (name it itself)"),
            said("zero", "it is a device (name it itself)"),
        ]
    );
}

#[rstest]
#[case(b"\x7fELF\x02", "it is a program or a core dump")]
#[case(b"PK\x03\x04", "it is a zip or jar file (unpack it first)")]
#[case(b"JAVA PROFILE 1.0.2\0", "it is a heap dump")]
#[case(b"\xfd7zXZ\0", "it is packed with xz (unpack it first)")]
#[case(b"\0\x01\x02\x03", "it is not text")]
#[case(b"", "it is empty")]
#[case(b"\x28\xb5\x2f\xfd\x00\x88\x01\0\0", "window has 128 MiB")]
#[case(b"\x28\xb5\x2f\xfd\xe0\xff\xff\xff\xff\xff\xff\xff\xff\x01\0\0", "MiB are read: unpack it first")]
#[case(b"\x1f\x8b\x08\0", "it cannot be read: ")]
fn what_is_not_read_is_said(#[case] bytes: &[u8], #[case] text: &str) {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), bytes).unwrap();
    let leavings = read_all(file.path());
    assert_eq!(leavings.inputs, []);
    assert!(leavings.unread[0].1.to_string().contains(text), "{}", leavings.unread[0].1);
}

#[test]
fn recordings_are_told_from_texts_wherever_they_lie() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let line = b"{\"k\":\"oomph-recording\",\"x\":\"00000000\"}\n";
    for name in ["tm.rec", "tm.rec.1", "tm.rec.2"] {
        fs::write(path(name), line).unwrap();
    }
    fs::write(path("torn.json"), &line[..10]).unwrap();
    fs::write(path("packed.gz"), gz(line)).unwrap();
    let leavings = read_all(directory.path());
    assert_eq!(leavings.recordings, [path("tm.rec")], "parts are one recording");
    assert_eq!(texts(&leavings).iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["torn.json"]);
    let said = "it is a recording of oomph (put it into a file and name that)".to_owned();
    assert_eq!(why(&leavings), [("packed.gz", said)]);
    let named = read(&[path("tm.rec"), path("tm.rec.1")], &anchors()).unwrap();
    assert_eq!(named.recordings, leavings.recordings);
}

#[test]
fn files_of_one_group_are_one_text_in_whatever_order_they_are_named() {
    let directory = tempfile::tempdir().unwrap();
    for group in ["a", "b"] {
        fs::create_dir(directory.path().join(group)).unwrap();
    }
    let files = ["a/memory.max", "b/memory.max", "a/memory.current"].map(|name| directory.path().join(name));
    files.iter().for_each(|path| fs::write(path, "1048576\n").unwrap());
    let leavings = read(&files, &anchors()).unwrap();
    let of_a = "==> memory.max <==\n1048576\n==> memory.current <==\n1048576\n";
    assert_eq!(texts(&leavings), [("memory.*", of_a), ("memory.*", "==> memory.max <==\n1048576\n")]);
}

#[test]
fn a_torn_archive_is_read_as_far_as_it_goes() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let text: String =
        (0..50_000).map(|number: u32| format!("line {}\n", number.wrapping_mul(2_654_435_761))).collect();
    let whole = gz(text.as_bytes());
    fs::write(file.path(), &whole[..whole.len() / 2]).unwrap();
    let leavings = read_all(file.path());
    let input = &leavings.inputs[0];
    assert!(input.lines > 10_000, "{}", input.lines);
    assert!(matches!(input.left_out[..], [LeftOut::Rest { .. }]));
}

#[test]
fn a_bomb_of_nothing_is_no_text() {
    let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
    io::copy(&mut io::repeat(0).take(64 << 20), &mut bomb).unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), bomb.finish().unwrap()).unwrap();
    assert_eq!(why(&read_all(file.path()))[0].1, "it is not text");
}

#[test]
fn a_path_that_is_not_there_is_an_error() {
    let error = read(&["/nowhere/at all"], &anchors()).unwrap_err();
    assert!(error.to_string().starts_with("/nowhere/at all: No such file"), "{error}");
}

#[test]
fn files_of_proc_and_devices_end() {
    let leavings = read(&["/proc/self/status", "/dev/zero", "/dev/null", "/proc/self/pagemap"], &anchors()).unwrap();
    assert_eq!(leavings.inputs.len(), 1);
    assert!(leavings.inputs[0].excerpts[0].text().contains("VmRSS"));
    assert_eq!(leavings.unread.len(), 3);
}

#[test]
fn a_named_pipe_that_is_named_is_read() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("pipe");
    std::process::Command::new("mkfifo").arg(&path).status().unwrap();
    let writing = path.clone();
    let writer = std::thread::spawn(move || File::options().write(true).open(writing).unwrap().write_all(b"x\n"));
    let leavings = read_all(&path);
    writer.join().unwrap().unwrap();
    assert_eq!(texts(&leavings), [("pipe", "x\n")]);
}
