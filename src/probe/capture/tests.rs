#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rstest::rstest;

use super::*;
use crate::artefact::masking::Masker;
use crate::probe::root::Root;
use crate::probe::{cgroup, process};

const SECRET: &str = "geheim";

/// A machine with a process 7, which is 1 in its container, and a companion 8.
fn machine() -> tempfile::TempDir {
    let at = tempfile::tempdir().unwrap();
    let ticks =
        "S 1 2 2 0 -1 4194304 1 0 0 0 1 1 0 0 20 0 2 0 4242 3 4 5 6 7 8 9 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0 0 0 0 0 0 0 0";
    let status = |name: &str, pid: &str| {
        format!(
            "Name:\t{name}\nState:\tS (sleeping)\nPPid:\t1\nUid:\t9\t9\t9\t9\nNSpid:\t{pid}\nVmRSS:\t8 kB\nThreads:\t2\n"
        )
    };
    let maps = "7f0000000000-7f0000002000 r-xp 00000000 00:01 5      /jvm/libjvm.so\n\
                7f0000002000-7f000000a000 rw-s 00000000 00:01 6      /tmp/hsperfdata_flink/1\n";
    let smaps: String = maps.lines().map(|line| format!("{line}\nSize: 8 kB\nRss: 8 kB\nPss: 8 kB\n")).collect();
    let limits = "Limit  Soft Limit  Hard Limit  Units\nMax processes  unlimited unlimited processes\n\
                  Max open files 9 9 files\nMax address space unlimited unlimited bytes\n";
    let words = format!("java\0-Xmx1g\0-Ddb.password={SECRET} a\0com.example.Main\0--token\0{SECRET} b\0");
    let performance = format!("\u{1}\0\0-Xmx1g -Ddb.password={SECRET} a\0com.example.Main --token {SECRET} b\0");
    let pod = "sys/fs/cgroup/kubepods/pod1";
    let files: &[(&str, &str)] = &[
        ("proc/7/status", &status("java", "7\t1")),
        ("proc/7/stat", &format!("7 (java) {ticks}\n")),
        ("proc/7/statm", "1 2 3\n"),
        ("proc/7/maps", maps),
        ("proc/7/smaps", &smaps),
        ("proc/7/limits", limits),
        ("proc/7/cgroup", "0::/kubepods/pod1/c1\n"),
        ("proc/7/oom_score", "700\n"),
        ("proc/7/oom_score_adj", "0\n"),
        ("proc/7/cmdline", &words),
        ("proc/7/environ", &format!("AWS_SECRET_ACCESS_KEY={SECRET}\0MALLOC_ARENA_MAX=1\0")),
        ("proc/7/mem", SECRET),
        ("proc/7/task/7/comm", "java\n"),
        ("proc/7/task/7/syscall", "202 0x1 0x2 0x0 0x0 0x0 0x0 0x7f10 0x7f11\n"),
        ("proc/7/task/9/comm", "GC Thread#0\n"),
        ("proc/8/status", &status("python3", "8\t2")),
        ("proc/8/stat", &format!("8 (python3) {ticks}\n")),
        ("proc/8/cmdline", &format!("python3\0-m\0pyflink.x\0--url\0http://me:{SECRET}@h/\0")),
        ("proc/meminfo", "MemTotal: 100 kB\n"),
        ("proc/stat", "cpu 1 2\nbtime 1700000000\nintr 5\n"),
        ("proc/sys/kernel/osrelease", "6.1.0\n"),
        ("tmp/hsperfdata_flink/1", &performance),
        ("tmp/hsperfdata_flink/2", SECRET),
        (&format!("{pod}/c1/memory.stat"), "anon 500\nfile 300\nslab 1\n"),
        (&format!("{pod}/c1/memory.max"), "1073741824\n"),
        (&format!("{pod}/c1/memory.current"), "900\n"),
        (&format!("{pod}/c1/pids.max"), "64\n"),
        (&format!("{pod}/c1/pids.current"), "9\n"),
        (&format!("{pod}/c1/cgroup.procs"), "7\n"),
        (&format!("{pod}/c1/inner/cgroup.procs"), "8\n"),
        (&format!("{pod}/memory.max"), "max\n"),
        (&format!("{pod}/memory.current"), "901\n"),
        ("sys/fs/cgroup/memory.stat", "anon 600\n"),
    ];
    for (path, text) in files {
        let path = at.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    at
}

fn bundle(machine: &Path) -> Bundle {
    let is_secret = |key: &str| key.contains("password") || key.contains("token");
    take(&Root::captured(machine), 7, &Masker::new(&is_secret), false).unwrap()
}

/// Everything that the readers see of process 7.
fn seen(root: &Root) -> String {
    let mut files = process::read(root, 7).unwrap();
    if let Ok(threads) = &mut files.threads {
        threads.sort_by(|one, other| one.name.cmp(&other.name));
    }
    format!("{files:?}\n{:?}", cgroup::read(root, 7).unwrap())
}

#[rstest]
#[case("a.tar.gz")]
#[case("a.tgz")]
#[case("a.tar")]
#[case("a/")]
fn a_bundle_is_read_like_the_machine_it_is_from(#[case] name: &str) {
    let machine = machine();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    bundle(machine.path()).save(&path, Shape::of(name)).unwrap();
    let opened = open(&path).unwrap();
    assert_eq!(opened.pid, Ok(7));
    let manifest = opened.manifest.as_ref().unwrap();
    assert_eq!((manifest.host.kernel.as_deref(), manifest.pid), (Some("6.1.0"), 7));
    let live = seen(&Root::captured(machine.path())).replace(&format!("{SECRET} a"), "********");
    assert_eq!(seen(&opened.root), live.replace(&format!("{SECRET} b"), "********"));
    assert!(live.contains("python3 pyflink.x") && live.contains("MALLOC_ARENA_MAX") && live.contains("1073741824"));
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), if name.ends_with('/') { 0o700 } else { 0o600 });
    assert_eq!(mode(&opened.root.path("/proc/7")), 0o700);
    assert_eq!(mode(&opened.root.path("/proc/7/smaps")), 0o600);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left");
    let unpacked = opened.root.path("/");
    drop(opened);
    assert_eq!(unpacked.exists(), name.ends_with('/'), "what was unpacked is gone");
}

#[test]
fn no_secret_is_in_any_byte_and_nothing_is_there_that_should_not_be() {
    let bundle = bundle(machine().path());
    for (path, bytes) in &bundle.files {
        let text = String::from_utf8_lossy(bytes);
        assert!(!text.contains(SECRET), "{}: {text}", path.display());
    }
    let has = |path: &str| bundle.files.contains_key(Path::new(path));
    assert!(!has("proc/7/mem") && !has("tmp/hsperfdata_flink/2") && has("tmp/hsperfdata_flink/1"));
    let size = |path: &str| bundle.files[Path::new(path)].len();
    assert_eq!(
        size("proc/7/cmdline"),
        format!("java -Xmx1g -Ddb.password={SECRET} a com.example.Main --token {SECRET} b ").len()
    );
    assert_eq!(bundle.files[Path::new("proc/stat")], b"btime 1700000000\n");
    assert_eq!(bundle.files[Path::new("proc/7/environ")], b"MALLOC_ARENA_MAX=1\0");
    assert_eq!(bundle.masked(), 5);
}

#[test]
fn taking_a_capture_of_a_capture_gives_the_same_files() {
    let machine = machine();
    let first = bundle(machine.path());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    first.save(&path, Shape::Directory).unwrap();
    assert_eq!(bundle(&path).files, first.files);
}

#[test]
fn the_same_bundle_is_the_same_bytes_with_the_manifest_first() {
    let bundle = bundle(machine().path());
    let packed = || {
        let mut out = Vec::new();
        bundle.write(&mut out, Shape::Tar).unwrap();
        out
    };
    assert_eq!(packed(), packed());
    assert!(packed().starts_with(b"oomph-capture.json\0"));
}

#[test]
fn what_cannot_be_read_is_named_and_the_rest_is_kept() {
    let machine = machine();
    for gone in ["proc/7/smaps", "proc/7/oom_score", "sys"] {
        let path = machine.path().join(gone);
        if path.is_dir() { fs::remove_dir_all(path).unwrap() } else { fs::remove_file(path).unwrap() }
    }
    let bundle = bundle(machine.path());
    let lacking: Vec<&str> = bundle.lacking().map(|absent| absent.what.as_str()).collect();
    assert_eq!(lacking, ["/proc/7/smaps", "the cgroup's files"]);
    let named: Vec<&str> = bundle.manifest.not_read.iter().map(|absent| absent.what.as_str()).collect();
    assert!(named.contains(&"/proc/7/oom_score"), "{named:?}");
    assert!(bundle.files.contains_key(Path::new("proc/7/status")));
}

#[test]
fn a_process_that_is_not_there_or_shows_nothing_is_no_bundle() {
    let machine = machine();
    let root = Root::captured(machine.path());
    let masker = Masker::new(&|_| false);
    assert_eq!(take(&root, 77, &masker, false).unwrap_err().why, "there is no process 77");
    fs::create_dir(machine.path().join("proc/9")).unwrap();
    let unseen = take(&root, 9, &masker, false).unwrap_err();
    assert!(unseen.why.starts_with("nothing of process 9 can be read: /proc/9/"), "{unseen}");
    fs::write(machine.path().join("proc/9/status"), "Name:\tx\nState:\tZ\nUid:\t1\t1\nNSpid:\t9\n").unwrap();
    assert!(take(&root, 9, &masker, false).unwrap_err().why.contains("has ended"));
}

#[test]
fn what_has_the_name_already_stays() {
    let bundle = bundle(machine().path());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    fs::write(&path, "mine").unwrap();
    for shape in [Shape::Tar, Shape::TarGz, Shape::Directory] {
        let error = bundle.save(&path, shape).unwrap_err();
        assert_eq!(error.to_string(), format!("{} is there already: name another file, or remove it", path.display()));
    }
    assert_eq!(fs::read(&path).unwrap(), b"mine");
    let nowhere = bundle.save(&folder.path().join("no/such/a"), Shape::Tar).unwrap_err();
    assert!(matches!(nowhere, NotWritten::Failed { .. }), "{nowhere}");
}

/// A tar of one entry with any name, kind and content.
fn tar_of(name: &[u8], kind: tar::EntryType, bytes: &[u8]) -> Vec<u8> {
    let mut header = tar::Header::new_ustar();
    header.as_mut_bytes()[..name.len()].copy_from_slice(name);
    header.set_entry_type(kind);
    header.set_size(bytes.len() as u64);
    header.set_mode(0o600);
    header.set_cksum();
    let mut out = tar::Builder::new(Vec::new());
    out.append(&header, bytes).unwrap();
    out.into_inner().unwrap()
}

#[rstest]
#[case(tar_of(b"../evil", tar::EntryType::Regular, b"x"), "is no capture: it holds ../evil, which leads out of it")]
#[case(tar_of(b"/tmp/evil", tar::EntryType::Regular, b"x"), "is no capture: it holds /tmp/evil, which leads out of it")]
#[case(tar_of(b"a/../../evil", tar::EntryType::Regular, b"x"), "which leads out of it")]
#[case(
    tar_of(b"a", tar::EntryType::Symlink, b""),
    "is no capture: it holds a symbolic link, where only plain files may be"
)]
#[case(tar_of(b"a", tar::EntryType::Link, b""), "a hard link")]
#[case(tar_of(b"a", tar::EntryType::Char, b""), "a device")]
#[case(tar_of(b"a", tar::EntryType::Fifo, b""), "a pipe")]
#[case(tar_of(b"a", tar::EntryType::Regular, b""), "is no capture: there is no proc/PID in it")]
#[case(Vec::new(), "is no capture: it is empty")]
#[case(b"PK\x03\x04".to_vec(), "is no capture: it is neither a .tar nor a .tar.gz")]
#[case([tar_of(b"proc/1/smaps", tar::EntryType::Regular, b""); 1].concat().repeat(1)[..700].to_vec(), "ends too early")]
fn what_is_no_bundle_is_refused_in_one_line(#[case] bytes: Vec<u8>, #[case] expected: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.tar");
    fs::write(&path, bytes).unwrap();
    let unseen = open(&path).unwrap_err();
    assert!(unseen.why.contains(expected) && !unseen.why.contains('\n'), "{unseen}");
    assert!(!folder.path().join("evil").exists() && !Path::new("/tmp/evil").exists());
}

#[test]
fn a_bundle_that_is_cut_or_damaged_anywhere_is_refused_in_one_line() {
    let bundle = bundle(machine().path());
    let folder = tempfile::tempdir().unwrap();
    for shape in [Shape::TarGz, Shape::Tar] {
        let mut whole = Vec::new();
        bundle.write(&mut whole, shape).unwrap();
        // The two empty blocks at the end of a tar may be missing: everything is there.
        let end = whole.len() - if shape == Shape::Tar { 1024 } else { 1 };
        for cut in (1..=24).map(|part| end * part / 25) {
            let path = folder.path().join(format!("{cut}.x"));
            fs::write(&path, &whole[..cut]).unwrap();
            let unseen = open(&path).map(|_| cut).unwrap_err();
            let lines = ["ends too early", "is not whole", "neither a .tar nor"];
            assert!(lines.iter().any(|line| unseen.why.contains(line)), "{cut}: {unseen}");
        }
    }
    let mut whole = Vec::new();
    bundle.write(&mut whole, Shape::TarGz).unwrap();
    let middle = whole.len() / 2;
    whole[middle] ^= 0x55;
    let path = folder.path().join("damaged");
    fs::write(&path, whole).unwrap();
    assert!(open(&path).is_err());
}

#[test]
fn a_file_that_unpacks_to_more_than_any_capture_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bomb.tar.gz");
    let mut header = tar::Header::new_ustar();
    header.set_path("proc/1/smaps").unwrap();
    header.set_size(2 << 30);
    header.set_mode(0o600);
    header.set_cksum();
    let mut out = flate2::write::GzEncoder::new(fs::File::create(&path).unwrap(), flate2::Compression::fast());
    out.write_all(header.as_bytes()).unwrap();
    out.write_all(&vec![0; 1 << 20]).unwrap();
    out.finish().unwrap();
    assert!(open(&path).unwrap_err().why.ends_with("it holds more than 512 MiB"));
}

#[test]
fn long_paths_survive_both_kinds_of_tar() {
    let long = format!("proc/7/{}/smaps", "x".repeat(150));
    let folder = tempfile::tempdir().unwrap();
    let mut archive = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(1);
    header.set_mode(0o600);
    archive.append_data(&mut header, &long, b"g".as_slice()).unwrap();
    archive.append_pax_extensions([("path", long.replace('x', "y").as_bytes())]).unwrap();
    let mut header = tar::Header::new_ustar();
    header.set_path("short").unwrap();
    header.set_size(1);
    header.set_cksum();
    archive.append(&header, b"p".as_slice()).unwrap();
    let path = folder.path().join("a.tar");
    fs::write(&path, archive.into_inner().unwrap()).unwrap();
    let opened = open(&path).unwrap();
    assert_eq!(fs::read(opened.root.path(&long)).unwrap(), b"g");
    assert_eq!(fs::read(opened.root.path(long.replace('x', "y"))).unwrap(), b"p");
}

#[test]
fn captures_of_other_tools_are_opened_by_their_only_process() {
    let folder = tempfile::tempdir().unwrap();
    let make = |path: &str| {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
    };
    make("one/root/proc/5/smaps");
    make("one/root/proc/6/status");
    make("one/rest/overview.json");
    assert_eq!(open(&folder.path().join("one")).unwrap().pid, Ok(5));
    make("several/proc/5/smaps");
    make("several/proc/12/smaps");
    let unseen = open(&folder.path().join("several")).unwrap().pid.unwrap_err();
    assert!(unseen.why.ends_with("has several processes: 5, 12"), "{unseen}");
    make("packed/again/proc/5/smaps");
    assert_eq!(open(&folder.path().join("packed")).unwrap().pid, Ok(5));
    make("none/x/y");
    assert!(open(&folder.path().join("none")).unwrap_err().why.ends_with("there is no proc/PID in it"));
    make("notes.txt");
    bundle(machine().path()).save(&folder.path().join("b.tar.gz"), Shape::TarGz).unwrap();
    let listed: Vec<String> = list(folder.path()).unwrap().into_iter().map(|listed| listed.name).collect();
    assert_eq!(listed, ["b", "one", "packed", "several"]);
    assert!(list(&folder.path().join("nowhere")).is_err());
}

#[test]
fn a_manifest_of_a_later_layout_is_told_from_a_damaged_one() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("proc")).unwrap();
    let with = |text: &str| {
        fs::write(folder.path().join(MANIFEST), text).unwrap();
        open(folder.path()).unwrap_err().to_string()
    };
    assert!(
        with("{\"format\": 2}").ends_with("it is of format 2, which a later oomph wrote (read it with that oomph)")
    );
    assert!(with("{\"format\": 1}").contains("missing field"));
    assert!(with("{").contains("oomph-capture.json: EOF"));
}
