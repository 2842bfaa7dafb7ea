//! `oomph record` and `oomph attach --recording` as they are called: a process that is recorded until it is killed, a
//! recorder that is killed, and recordings of job restarts made of numbers that were measured.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use oomph::artefact::recording::{Entry, Event, FORMAT, Header, Machine};
use oomph::model::{Bytes, Component, Identity, Limit, Measure, Observation, Observations, Origin, Pool, Role, Unseen};
use oomph::probe::recording::{Outcome, Recorder, Recording};
use rstest::rstest;
use serde_json::Value;

const MIB: u64 = 1 << 20;

fn oomph() -> Command {
    Command::new(env!("CARGO_BIN_EXE_oomph"))
}

/// A process that waits until it is killed.
struct Waiting(Child);

impl Waiting {
    fn started() -> Waiting {
        Waiting(Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap())
    }

    fn pid(&self) -> String {
        self.0.id().to_string()
    }

    fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn recorder(pid: &str, file: &Path, more: &[&str]) -> Child {
    let mut command = oomph();
    command.args(["record", pid, "--interval", "100ms", "-o"]).arg(file).args(more);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn samples(file: &Path) -> usize {
    let Ok(recording) = Recording::open(file) else { return 0 };
    recording.filter(|entry| matches!(entry, Ok(Entry::Sample(_)))).count()
}

fn events(file: &Path) -> Vec<Event> {
    let entries = Recording::open(file).unwrap();
    entries.filter_map(|entry| if let Entry::Event { what, .. } = entry.unwrap() { Some(what) } else { None }).collect()
}

/// Waits for so many looks; a minute at most, however loaded the machine is.
fn wait_for(file: &Path, looks: usize) {
    let since = Instant::now();
    while samples(file) < looks {
        assert!(since.elapsed() < Duration::from_secs(60), "{} of {looks} looks", samples(file));
        thread::sleep(Duration::from_millis(50));
    }
}

fn a_file() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tm.rec");
    (folder, file)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn read(file: &Path, format: &str) -> Output {
    oomph().args(["attach", "--format", format, "--recording"]).arg(file).output().unwrap()
}

fn json(file: &Path) -> Value {
    let output = read(file, "json");
    assert!(output.status.success(), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_process_is_recorded_until_it_is_killed() {
    let (_folder, file) = a_file();
    let mut target = Waiting::started();
    let child = recorder(&target.pid(), &file, &[]);
    wait_for(&file, 4);
    target.kill();
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(0), "{}", text(&ended.stderr));
    assert!(text(&ended.stderr).contains("oomph attach --recording"), "{}", text(&ended.stderr));
    let events = events(&file);
    assert_eq!(events.first(), Some(&Event::Started));
    assert!(matches!(events.last(), Some(Event::Gone { .. })), "{events:?}");

    let document = json(&file);
    assert_eq!(document["schema"], "oomph.recording/1");
    assert!(document["looks"].as_u64().unwrap() >= 4);
    assert!(document["gone"].as_str().unwrap().contains("ended"), "{}", document["gone"]);
    let last = document["rss"].as_u64().unwrap();
    assert!((100_000..1 << 30).contains(&last), "{last}");
    let page = read(&file, "text");
    let page = text(&page.stdout);
    assert!(page.contains("the target is gone: process") && page.contains("Resident"), "{page}");
    assert!(page.lines().all(|line| line.chars().count() <= 80), "{page}");

    let mut streamed = oomph();
    streamed.args(["attach", "--format", "json", "--recording", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut streamed = streamed.spawn().unwrap();
    streamed.stdin.take().unwrap().write_all(&fs::read(&file).unwrap()).unwrap();
    let streamed: Value = serde_json::from_slice(&streamed.wait_with_output().unwrap().stdout).unwrap();
    assert_eq!(streamed["looks"], document["looks"]);
}

#[test]
fn a_recorder_that_is_killed_leaves_a_recording_that_is_gone_on_with() {
    let (_folder, file) = a_file();
    let target = Waiting::started();
    let mut child = recorder(&target.pid(), &file, &[]);
    wait_for(&file, 3);
    child.kill().unwrap();
    child.wait().unwrap();
    let before = samples(&file);
    assert_eq!(json(&file)["looks"].as_u64(), Some(before as u64));

    let refused = recorder(&target.pid(), &file, &[]).wait_with_output().unwrap();
    assert_eq!(refused.status.code(), Some(3));
    assert!(text(&refused.stderr).contains("--resume goes on with it"), "{}", text(&refused.stderr));
    assert_eq!(samples(&file), before);

    let gone_on = recorder(&target.pid(), &file, &["--resume", "--for", "300ms"]).wait_with_output().unwrap();
    assert_eq!(gone_on.status.code(), Some(0), "{}", text(&gone_on.stderr));
    assert!(samples(&file) > before);
    assert_eq!(events(&file), [Event::Started, Event::Resumed, Event::Stopped]);

    let other = Waiting::started();
    let refused = recorder(&other.pid(), &file, &["--resume"]).wait_with_output().unwrap();
    assert_eq!(refused.status.code(), Some(3));
    assert!(text(&refused.stderr).contains("it is about process"), "{}", text(&refused.stderr));
}

#[test]
fn a_file_that_is_none_and_a_process_that_is_none_are_refused() {
    let (folder, _) = a_file();
    let foreign = folder.path().join("flink-conf.yaml");
    fs::write(&foreign, "a: b\n").unwrap();
    let target = Waiting::started();
    let refused = recorder(&target.pid(), &foreign, &[]).wait_with_output().unwrap();
    assert_eq!((refused.status.code(), fs::read_to_string(&foreign).unwrap().as_str()), (Some(3), "a: b\n"));
    assert_eq!(read(&foreign, "text").status.code(), Some(3));
    let nobody = recorder("4194305", &folder.path().join("new"), &[]).wait_with_output().unwrap();
    assert_eq!(nobody.status.code(), Some(4));
    assert!(!folder.path().join("new").exists());
}

#[test]
fn a_watched_process_is_printed_look_by_look_until_it_ends() {
    let mut target = Waiting::started();
    let mut watch = oomph();
    watch.args(["attach", &target.pid(), "--watch", "--interval", "100ms"]);
    let watch = watch.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    thread::sleep(Duration::from_secs(1));
    target.kill();
    let ended = watch.wait_with_output().unwrap();
    let (out, told) = (text(&ended.stdout), text(&ended.stderr));
    assert_eq!(ended.status.code(), Some(4), "{told}");
    assert!(told.contains("could not look at process"), "{told}");
    assert!(!out.contains('\x1b'), "escapes in a pipe: {out}");
    // On a loaded machine it may have ended before the first look, and then nothing is printed.
    let blocks = out.lines().filter(|line| line.starts_with("Process ")).count();
    assert_eq!(blocks == 0, out.is_empty(), "{out}");
}

fn series(name: &str) -> Vec<Vec<Option<u64>>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/series/restarts").join(format!("{name}.csv"));
    let text = fs::read_to_string(path).unwrap();
    let field = |field: &str| field.parse::<u64>().ok().map(|mib| mib * MIB);
    text.lines().skip(1).map(|line| line.split(',').map(field).collect()).collect()
}

/// What a look of the recordings below sees, in bytes.
#[derive(Clone, Copy)]
struct Seen {
    rss: u64,
    heap: u64,
    /// Kept by malloc and in use in it, where it could be looked into.
    malloc: Option<(u64, u64)>,
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_763_754_000 + second).unwrap()
}

fn target() -> Identity {
    Identity { pid: 4711, started: Some(1), role: Some(Role::TaskManager), name: "tm".to_owned() }
}

/// A look at which every resident byte is in a pool.
fn look(second: i64, seen: Seen) -> Observations {
    let rest = seen.rss - seen.heap;
    let pool = |pool: Pool| match (pool, seen.malloc) {
        (Pool::JavaHeap, _) => Ok(seen.heap),
        (Pool::AllocatorRetained, Some((kept, _))) => Ok(kept),
        (Pool::BlockCache, Some((_, in_use))) => Ok(in_use),
        (Pool::MallocUndivided, None) => Ok(rest),
        (Pool::Unaccounted, Some((kept, in_use))) => Ok(rest.saturating_sub(kept + in_use)),
        (pool, None) if pool.is_malloc() => Err(Unseen::because("malloc could not be looked into")),
        (pool, _) if pool.is_resident() => Ok(0),
        _ => Err(Unseen::because("the kernel does not say it for this cgroup")),
    };
    let mut all: Vec<Observation> = Pool::ALL
        .into_iter()
        .map(|one| Observation { measure: Measure::Pool(one), value: pool(one), origin: Origin::Smaps })
        .collect();
    let in_use = seen.malloc.map(|(_, in_use)| in_use).ok_or_else(|| Unseen::because("jemalloc"));
    all.push(Observation { measure: Measure::Rss, value: Ok(seen.rss), origin: Origin::Status });
    all.push(Observation { measure: Measure::MallocInUse, value: in_use, origin: Origin::HeapWalk });
    Observations { at: at(second), target: target(), all }
}

/// Records one job after the other, each of 14 looks at load and 6 behind its cancellation, whose numbers are measured
/// ones; `leak` is what every job leaves in use besides.
fn restarts(file: &Path, name: &str, leak: u64, with_jobs: bool) {
    let header = Header {
        format: FORMAT,
        oomph: "0.1.0".to_owned(),
        since: at(0),
        part: 0,
        target: target(),
        machine: Machine::default(),
        limit: Ok(Limit::AtMost(Bytes::mib(1728))),
        budget: vec![
            (Component::FrameworkHeap, Bytes::mib(128)),
            (Component::TaskHeap, Bytes::mib(384)),
            (Component::FrameworkOffHeap, Bytes::mib(128)),
            (Component::Network, Bytes::mib(128)),
            (Component::Managed, Bytes::mib(512)),
            (Component::JvmMetaspace, Bytes::mib(256)),
            (Component::JvmOverhead, Bytes::mib(192)),
        ],
    };
    let mut recorder = Recorder::create(file, &header, None).unwrap();
    let written = |outcome: Outcome| assert!(matches!(outcome, Outcome::Written), "{outcome:?}");
    let mut second = 0;
    for (number, row) in series(name).into_iter().enumerate() {
        let leaked = leak * number as u64;
        if with_jobs {
            written(recorder.event(at(second), &Event::submitted("orders")));
        }
        for step in 1..=20u64 {
            let running = if step <= 14 { 250 * MIB * step / 14 } else { 0 };
            let malloc = row[2].zip(row[3]);
            let malloc = malloc.map(|(kept, in_use)| (kept.saturating_sub(running), in_use + running + leaked));
            let rss = row[0].unwrap() + running / 4 + leaked;
            written(recorder.append(&look(second + 1, Seen { rss, heap: row[1].unwrap(), malloc })));
            second += 10;
        }
    }
}

/// Any form of it.
fn names_retention(document: &Value) -> bool {
    document["findings"].as_array().unwrap().iter().any(|finding| finding["name"] == "allocator-retention")
}

fn has_retention(document: &Value) -> bool {
    document["findings"].as_array().unwrap().iter().any(|finding| {
        finding["name"] == "allocator-retention" && finding["title"].as_str().unwrap().contains("every job restart")
    })
}

#[rstest]
#[case(false)]
#[case(true)]
fn a_job_that_was_resubmitted_eight_times_is_allocator_retention(#[case] with_jobs: bool) {
    let (_folder, file) = a_file();
    restarts(&file, "glibc", 0, with_jobs);
    let document = json(&file);
    assert_eq!(document["restarts"]["verdict"], "step_per_restart", "{document:#}");
    assert_eq!(document["restarts"]["keeper"], "allocator");
    assert!(has_retention(&document), "{:#}", document["findings"]);
    // 1728 MiB are some 225 above what the eighth restart left.
    assert!((2..=4).contains(&document["restarts"]["fewest_to_limit"].as_u64().unwrap()));
    assert_eq!(document["budget"]["total_process"].as_u64(), Some(1728 * MIB));
    let page = text(&read(&file, "text").stdout);
    assert!(page.contains("OOM901") && page.contains("step per restart"), "{page}");
    assert!(page.lines().all(|line| line.chars().count() <= 80), "{page}");
}

#[rstest]
#[case("arena-max-1", false, "plateau")]
#[case("jemalloc", true, "plateau")]
fn with_one_arena_or_jemalloc_restarts_leave_nothing_more(
    #[case] name: &str,
    #[case] with_jobs: bool,
    #[case] verdict: &str,
) {
    let (_folder, file) = a_file();
    restarts(&file, name, 0, with_jobs);
    let document = json(&file);
    assert_eq!(document["restarts"]["verdict"], verdict, "{document:#}");
    assert!(!names_retention(&document), "{:#}", document["findings"]);
}

#[test]
fn what_is_in_use_and_grows_is_no_allocator_retention() {
    let (_folder, file) = a_file();
    restarts(&file, "glibc", 40 * MIB, false);
    let document = json(&file);
    assert_eq!(document["restarts"]["keeper"], "program", "{document:#}");
    assert!(!has_retention(&document), "{:#}", document["findings"]);
}

#[test]
fn a_torn_line_is_said_and_the_rest_is_read() {
    let (_folder, file) = a_file();
    restarts(&file, "glibc", 0, false);
    let whole = fs::read(&file).unwrap();
    fs::write(&file, &whole[..whole.len() - 40]).unwrap();
    let document = json(&file);
    assert_eq!((document["looks"].as_u64(), document["read"]["torn_end"].as_bool()), (Some(159), Some(true)));
    assert!(text(&read(&file, "text").stdout).contains("is torn"));
}
