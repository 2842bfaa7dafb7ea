//! `oomph capture` from the outside: a live process into a bundle, what is in it, how it ends.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use oomph::probe::root::Root;
use oomph::probe::{capture, cgroup, process};

const SECRET: &str = "geheim-4711";

/// A process of our own that waits for its input and does nothing.
struct Waiting(Child);

impl Waiting {
    fn start() -> Waiting {
        let child = Command::new("sh")
            // Both are the shell's own: there is no other process.
            .args(["-c", "echo; read line", "sh", &format!("-Ddb.password={SECRET}"), "--token", SECRET, "-Xmx1g"])
            .env("AWS_SECRET_ACCESS_KEY", SECRET)
            .env("MALLOC_ARENA_MAX", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut waiting = Waiting(child);
        // From here on nothing of it changes.
        waiting.0.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
        waiting
    }

    fn id(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn oomph(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_oomph")).args(arguments).current_dir(folder).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files_below(&path)) } else { found.push(path) }
    }
    found
}

#[test]
fn a_live_process_is_read_from_its_bundle_as_it_is_read_live() {
    let waiting = Waiting::start();
    let pid = waiting.id().to_string();
    let folder = tempfile::tempdir().unwrap();
    let output = oomph(folder.path(), &["capture", &pid, "-o", "a.tar.gz"]);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(0), 0), "{output:?}");
    let told = text(&output.stderr);
    assert!(told.contains(&format!("wrote process {pid} to a.tar.gz: ")) && told.ends_with("are masked\n"), "{told}");

    let opened = capture::open(&folder.path().join("a.tar.gz")).unwrap();
    let id = opened.pid.clone().unwrap();
    assert_eq!(id, waiting.id());
    let (live, kept) = (process::read(&Root::live(), id).unwrap(), process::read(&opened.root, id).unwrap());
    assert_eq!((kept.started, kept.limits), (live.started, live.limits));
    assert_eq!(kept.threads.map(|all| all.len()), live.threads.map(|all| all.len()));
    assert_eq!(kept.allocator_variables, Ok(vec![("MALLOC_ARENA_MAX".to_owned(), "1".to_owned())]));
    let mappings = |smaps: oomph::model::Seen<oomph::artefact::smaps::Smaps>| smaps.unwrap().mappings.len();
    assert_eq!(mappings(kept.smaps), mappings(live.smaps));
    let masked = "*".repeat(SECRET.len());
    let words = ["sh", "-c", "echo; read line", "sh", &format!("-Ddb.password={masked}"), "--token", &masked, "-Xmx1g"];
    assert_eq!(kept.command.unwrap(), words);
    let group = |root: &Root| {
        let group = cgroup::read(root, id).map_err(|unseen| unseen.why)?;
        Ok::<_, String>((group.own.version, group.own.path.clone(), group.own.limit, group.above.len()))
    };
    assert_eq!(group(&opened.root), group(&Root::live()));
}

#[test]
fn no_byte_of_a_secret_leaves_the_machine() {
    let waiting = Waiting::start();
    let folder = tempfile::tempdir().unwrap();
    let output = oomph(folder.path(), &["capture", &waiting.id().to_string(), "-o", "a/", "--rocksdb"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let files = files_below(&folder.path().join("a"));
    assert!(files.len() > 10, "{files:?}");
    for file in files {
        let bytes = fs::read(&file).unwrap();
        assert!(!bytes.windows(SECRET.len()).any(|part| part == SECRET.as_bytes()), "{}", file.display());
    }
}

#[test]
fn a_bundle_goes_to_standard_output() {
    let waiting = Waiting::start();
    let folder = tempfile::tempdir().unwrap();
    let output = oomph(folder.path(), &["capture", &waiting.id().to_string(), "-o", "-"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    fs::write(folder.path().join("b.tgz"), output.stdout).unwrap();
    let listed = capture::list(folder.path()).unwrap();
    assert_eq!(listed.iter().map(|listed| listed.name.as_str()).collect::<Vec<_>>(), ["b"]);
    assert_eq!(capture::open(&listed[0].path).unwrap().pid, Ok(waiting.id()));
}

#[test]
fn what_cannot_be_done_is_one_line_and_its_own_exit_code() {
    let waiting = Waiting::start();
    let pid = waiting.id().to_string();
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("mine"), "mine").unwrap();
    let fails = |arguments: &[&str], code: i32, expected: &str| {
        let output = oomph(folder.path(), arguments);
        let told = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {told}");
        assert!(told.starts_with("error: ") && told.contains(expected), "{arguments:?}: {told}");
        told
    };
    for output in ["mine", "mine/"] {
        assert_eq!(fails(&["capture", &pid, "-o", output], 3, "is there already").lines().count(), 1);
    }
    assert_eq!(fails(&["capture", &pid, "-o", "no/such/a"], 3, "could not write no/such/a").lines().count(), 1);
    // One more than the kernel's largest (PID_MAX_LIMIT in include/linux/threads.h).
    assert_eq!(fails(&["capture", "4194305", "-o", "a"], 4, "there is no process 4194305").lines().count(), 1);
    assert_eq!(fails(&["capture", &pid, "--directory", "-o", "-"], 2, "standard output").lines().count(), 1);
    fails(&["capture", "0", "-o", "a"], 2, "a process is named by its id");
    fails(&["capture", &pid], 2, "--output <FILE>");
    assert_eq!(fs::read(folder.path().join("mine")).unwrap(), b"mine");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left behind");
}
