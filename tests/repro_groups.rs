//! What holds an experiment on a real kernel: groups that kill, the kernel's reports, and that nothing is left.
//!
//! These need the right to make memory cgroups. Where there is none, they fail and say so; `OOMPH_NO_CGROUP=1` lets them
//! pass there, with the same words.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use oomph::artefact::kernel_oom;
use oomph::harness::child::{Door, Running, Task};
use oomph::harness::group::{Group, Home};
use oomph::harness::leftovers::{RunDirectory, sweep};
use oomph::harness::supervise::{Followed, Heard, Recording, Watch, follow};
use oomph::harness::tmpfs::Tmpfs;
use oomph::harness::{disk, enter, limit};
use oomph::model::{Bytes, Limit, Progress, Said};
use oomph::probe::root::Root;
use oomph::repro::outcome::Ending;
use rustix::process::{Pid, Signal, kill_process, kill_process_group, test_kill_process};

/// A process that takes a MiB each few milliseconds.
const GROWS: &str = "import time\nkept = []\nwhile True:\n  kept.append(bytearray(1 << 20))\n  time.sleep(0.004)";

/// A process that does nothing for longer than any of these tests takes.
const SLEEPS: &str = "import time\nprint('asleep', flush=True)\ntime.sleep(600)";

/// A test binary as the door: its arguments are taken for names of tests, of which one is there.
fn door() -> Door {
    let words = ["--exact", "become_the_command", "--ignored", "--nocapture", "--"];
    Door { program: std::env::current_exe().unwrap(), words: words.map(Into::into).to_vec() }
}

#[test]
#[ignore = "the door of the others: becomes the command that its arguments name"]
fn become_the_command() {
    if let Some(error) = enter::enter(std::env::args_os()) {
        eprintln!("error: could not {error}");
        std::process::exit(enter::EXIT);
    }
}

fn python(script: &str) -> Task {
    Task::of("python3").with(["-c", script])
}

/// Whether this machine lets groups be made.
fn has_groups() -> bool {
    static TRIED: AtomicU32 = AtomicU32::new(0);
    let name = format!("oomph-{}-tried-{}", std::process::id(), TRIED.fetch_add(1, Ordering::Relaxed));
    let tried = Group::create(&Root::live(), &name, Limit::Unlimited);
    let Err(error) = tried else { return true };
    let excused = std::env::var_os("OOMPH_NO_CGROUP").is_some_and(|value| value == "1");
    assert!(excused, "NOT TESTED: could not {error}. OOMPH_NO_CGROUP=1 lets this pass on such a machine");
    eprintln!("NOT TESTED: could not {error}");
    false
}

/// A run in a group of its own, from beginning to end.
fn run(scenario: &str, bytes: Bytes, task: &Task, change: impl FnOnce(&mut Watch<'_>)) -> Followed {
    let root = Root::live();
    let base = tempfile::tempdir().unwrap();
    let directory = RunDirectory::create(&root, Some(base.path()), scenario).unwrap();
    let group = directory.group(&root, Limit::AtMost(bytes)).unwrap();
    let running = Running::start(&root, &door(), task, Some(&group)).unwrap();
    let stop = AtomicBool::new(false);
    let mut watch = Watch::until(Duration::from_secs(60), &stop);
    change(&mut watch);
    let followed = follow(&root, running, Some(&group), &watch, &mut |_| {});
    let (place, path) = (group.directory().to_owned(), directory.path().to_owned());
    group.remove().unwrap();
    directory.remove().unwrap();
    assert!(!place.exists() && !path.exists());
    assert_eq!(followed.troubles, Vec::<String>::new());
    followed
}

#[test]
fn a_process_that_grows_past_its_limit_is_killed_by_the_kernel_whose_report_says_so() {
    if !has_groups() {
        return;
    }
    let limit = Bytes::mib(64);
    let followed = run("grows", limit, &python(GROWS), |_| {});
    let Ending::KilledByKernel { pid, report } = &followed.ending else { panic!("{:?}", followed.ending) };
    assert_eq!(followed.oom_kills, Some(1));
    // Everything but the kernel's own part of the group is the process's.
    assert!(
        followed.peak_anonymous <= limit && followed.peak_anonymous > Bytes::mib(56),
        "{}",
        followed.peak_anonymous
    );
    let read = kernel_oom::reports(report);
    assert_eq!(read.len(), 1, "{report}");
    assert_eq!(read[0].victim(), Some(*pid));
    let named = format!("oomph-{}-grows", std::process::id());
    assert!(read[0].limited.as_deref().is_some_and(|path| path.ends_with(&named)), "{report}");
    assert!(report.lines().all(|line| line.starts_with('[')), "{report}");
    let last = followed.moments.last().unwrap();
    assert!(last.usage.is_some() && last.group_anonymous.is_some_and(|anonymous| anonymous > Bytes::mib(40)));
    // What is left of it tells the same story to whoever finds it.
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), report).unwrap();
    let diagnosed = Command::new(env!("CARGO_BIN_EXE_oomph")).arg("diagnose").arg(file.path()).output().unwrap();
    let said = String::from_utf8_lossy(&diagnosed.stdout);
    assert!(said.contains("kernel") && said.contains(&named), "{said}");
}

#[test]
fn a_process_that_stays_below_its_limit_ends_by_itself() {
    if !has_groups() {
        return;
    }
    let script = "import sys, time\nkept = bytearray(b'x') * (20 << 20)\nprint(sys.stdin.read(), len(kept), flush=True)\ntime.sleep(0.5)";
    let task = Task { input: b"told".to_vec(), ..python(script) };
    let followed = run("stays", Bytes::mib(96), &task, |_| {});
    assert_eq!(followed.ending, Ending::Finished);
    assert!(followed.lines.iter().any(|line| line == "told 20971520"), "{:?}", followed.lines);
    assert!(followed.peak_anonymous > Bytes::mib(20) && followed.peak_anonymous < Bytes::mib(60));
    assert_eq!(followed.oom_kills, Some(0));
}

#[test]
fn only_the_process_that_grew_is_killed_and_its_report_is_there_though_it_is_not_the_command() {
    if !has_groups() {
        return;
    }
    let script = format!(
        "import subprocess, sys\nchild = subprocess.run([sys.executable, '-c', '''{GROWS}'''])\nsys.exit(7 if child.returncode == -9 else 8)"
    );
    let followed = run("grandchild", Bytes::mib(64), &python(&script), |_| {});
    let Ending::Died { status, .. } = &followed.ending else { panic!("{:?}", followed.ending) };
    assert_eq!(status, "exit code 7");
    assert_eq!((followed.oom_kills, followed.reports.map(|reports| reports.len())), (Some(1), Ok(1)));
}

#[test]
fn files_on_a_tmpfs_kill_and_the_tmpfs_is_gone_afterwards() {
    if !has_groups() {
        return;
    }
    let root = Root::live();
    let base = tempfile::tempdir().unwrap();
    let directory = RunDirectory::create(&root, Some(base.path()), "tmpfs").unwrap();
    let group = directory.group(&root, Limit::AtMost(Bytes::mib(48))).unwrap();
    let tmpfs = Tmpfs::create(&directory, Bytes::mib(256)).unwrap();
    let script = "import sys, time\nfile = open(sys.argv[1] + '/state', 'wb')\nwhile True:\n  file.write(bytes(1 << 20))\n  time.sleep(0.02)";
    let task = python(script).with([tmpfs.path()]);
    let running = Running::start(&root, &door(), &task, Some(&group)).unwrap();
    let stop = AtomicBool::new(false);
    let followed = follow(&root, running, Some(&group), &Watch::until(Duration::from_secs(60), &stop), &mut |_| {});
    assert!(matches!(followed.ending, Ending::KilledByKernel { .. }), "{:?}", followed.ending);
    assert!(disk::taken(directory.path()) < Bytes::mib(1), "a tmpfs takes nothing of the disk");
    let most = followed.moments.iter().filter_map(|moment| moment.shmem).max();
    assert!(most.is_some_and(|shmem| shmem > Bytes::mib(20)), "{most:?}");
    assert!(followed.peak_anonymous < Bytes::mib(24), "{}", followed.peak_anonymous);
    let place = tmpfs.path().to_owned();
    drop(tmpfs);
    assert!(!mounted(&place));
    group.remove().unwrap();
    directory.remove().unwrap();
}

fn mounted(place: &Path) -> bool {
    fs::read_to_string("/proc/self/mountinfo").unwrap().contains(place.to_str().unwrap())
}

#[test]
fn what_is_not_over_in_time_is_ended_with_all_that_it_started() {
    if !has_groups() {
        return;
    }
    // In a session of its own, the second one is not of the command's process group: only the group of the kernel holds it.
    let script = format!(
        "import subprocess, sys\nchild = subprocess.Popen([sys.executable, '-c', '''{SLEEPS}'''], start_new_session=True)\n\
         print('child', child.pid, flush=True)\nchild.wait()"
    );
    let followed = run("late", Bytes::mib(96), &python(&script), |watch| watch.deadline = Duration::from_secs(2));
    assert_eq!(followed.ending, Ending::OutOfTime);
    let line = followed.lines.iter().find_map(|line| line.strip_prefix("child ")).unwrap();
    assert!(!is_alive(line.parse().unwrap()));
}

/// Whether a process is there that is no zombie.
fn is_alive(pid: u32) -> bool {
    let state = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    test_kill_process(raw(pid)).is_ok() && !state.contains(") Z ")
}

fn raw(pid: u32) -> Pid {
    Pid::from_raw(i32::try_from(pid).unwrap()).unwrap()
}

/// A run without a group, which needs no rights.
fn without_a_group(task: &Task, change: impl FnOnce(&mut Watch<'_>)) -> Followed {
    let root = Root::live();
    let running = Running::start(&root, &door(), task, None).unwrap();
    let stop = AtomicBool::new(false);
    let mut watch = Watch::until(Duration::from_secs(60), &stop);
    change(&mut watch);
    follow(&root, running, None, &watch, &mut |_| {})
}

#[test]
fn without_a_group_oomph_itself_ends_what_grows_too_large() {
    let followed = without_a_group(&python(GROWS), |watch| watch.guard = Some(Bytes::mib(64)));
    let Ending::KilledByWatchdog { at } = followed.ending else { panic!("{:?}", followed.ending) };
    assert!(at > Bytes::mib(64) && followed.peak_anonymous >= at && at < Bytes::mib(512), "{at}");
    assert_eq!(followed.moments[0].usage, None);
}

#[test]
fn each_other_end_has_its_own_words() {
    let died = without_a_group(&python("import sys\nprint('gone', file=sys.stderr)\nsys.exit(3)"), |_| {});
    assert_eq!(died.ending, Ending::Died { status: "exit code 3".to_owned(), stderr: "gone".to_owned() });
    let crashed = without_a_group(&python("import os\nos.kill(os.getpid(), 11)"), |_| {});
    assert!(matches!(&crashed.ending, Ending::Died { status, .. } if status == "signal 11"), "{:?}", crashed.ending);
    // Nobody's limit: a SIGKILL alone is not the kernel's.
    let killed = without_a_group(&python("import os\nos.kill(os.getpid(), 9)"), |_| {});
    assert!(matches!(&killed.ending, Ending::Died { status, .. } if status == "signal 9"), "{:?}", killed.ending);
    let missing = without_a_group(&Task::of("/nowhere/worker"), |_| {});
    let Ending::Failed(why) = missing.ending else { panic!("{:?}", missing.ending) };
    assert_eq!(why, "error: could not start /nowhere/worker: No such file or directory (os error 2)");
    let failed = without_a_group(&python("print('{\"ended\":{\"failed\":\"no engine\"}}')"), |_| {});
    assert_eq!(failed.ending, Ending::Failed("no engine".to_owned()));
}

#[test]
fn what_takes_more_than_its_share_of_the_disk_is_ended() {
    let directory = tempfile::tempdir().unwrap();
    let script = "import os, sys, time\nfile = open(sys.argv[1] + '/state', 'wb')\nwhile True:\n  file.write(bytes(1 << 20))\n  \
                  file.flush()\n  time.sleep(0.02)";
    let task = python(script).with([directory.path()]);
    let followed = without_a_group(&task, |watch| {
        watch.disk =
            Some(oomph::harness::supervise::DiskShare { directory: directory.path().to_owned(), most: Bytes::mib(8) });
    });
    let Ending::Failed(why) = followed.ending else { panic!("{:?}", followed.ending) };
    assert!(why.ends_with("and may take 8 MiB of the disk"), "{why}");
}

#[test]
fn what_a_worker_says_is_heard_and_is_in_the_recording() {
    let said = |records: u64| {
        let progress = Progress { records, memtables: records << 20, ..Progress::default() };
        serde_json::to_string(&Said::Progress(Box::new(progress))).unwrap()
    };
    let began = serde_json::to_string(&Said::Began { release: "8.10.0".to_owned(), deviations: Vec::new() }).unwrap();
    let script = format!(
        "import time\nprint('''{began}''', flush=True)\nprint('''{}''', flush=True)\ntime.sleep(2)\nprint('''{}''', \
         flush=True)\ntime.sleep(2)\nprint('\"nothing\"')",
        said(1),
        said(2)
    );
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("run.rec");
    let followed = without_a_group(&python(&script), |watch| {
        watch.recording = Some(Recording { path: path.clone(), every: Duration::from_millis(500) });
        watch.whole_every = Some(Duration::from_secs(1));
    });
    assert_eq!(followed.ending, Ending::Finished, "{}", followed.stderr);
    assert_eq!(followed.troubles, Vec::<String>::new());
    assert_eq!(followed.release.as_deref(), Some("8.10.0"));
    assert_eq!(followed.progress.as_ref().map(|progress| progress.records), Some(2));
    let heard = followed.moments.iter().filter_map(|moment| moment.said.as_ref()).map(|said| said.records);
    assert!(heard.clone().any(|records| records == 1) && heard.max() == Some(2));
    assert!(followed.examination.is_some_and(|examination| examination.sample.heap.is_ok()));
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains("\"worker\"") && text.contains("it has done everything"), "{text}");
    let read = Command::new(env!("CARGO_BIN_EXE_oomph")).args(["attach", "--recording"]).arg(&path).output().unwrap();
    let shown = String::from_utf8_lossy(&read.stdout);
    assert!(
        read.status.success() && shown.contains("it has done everything"),
        "{shown}{}",
        String::from_utf8_lossy(&read.stderr)
    );
}

#[test]
fn looks_and_lines_are_told_while_it_runs() {
    let root = Root::live();
    let running = Running::start(&root, &door(), &python(SLEEPS), None).unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let watch = Watch::until(Duration::from_secs(60), &stop);
    let mut looks = 0;
    let followed = follow(&root, running, None, &watch, &mut |heard| match heard {
        Heard::Look(_) => looks += 1,
        Heard::Line("asleep") => stop.store(true, Ordering::Relaxed),
        _ => {}
    });
    assert_eq!(followed.ending, Ending::Interrupted);
    assert_eq!(looks, followed.moments.len());
}

/// Where the process that supervises puts its directories.
const BASE: &str = "OOMPH_TEST_BASE";

#[test]
#[ignore = "the process that others end: supervises one that sleeps, in a group and with a tmpfs"]
fn supervise_one_that_sleeps() {
    let stop = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(2, Arc::clone(&stop)).unwrap();
    let root = Root::live();
    let base = PathBuf::from(std::env::var_os(BASE).unwrap());
    let directory = RunDirectory::create(&root, Some(&base), "sleeps").unwrap();
    let group = directory.group(&root, Limit::AtMost(Bytes::mib(64))).unwrap();
    let tmpfs = Tmpfs::create(&directory, Bytes::mib(8)).unwrap();
    let running = Running::start(&root, &door(), &python(SLEEPS), Some(&group)).unwrap();
    let pid = running.pid;
    let watch = Watch::until(Duration::from_secs(120), &stop);
    let followed = follow(&root, running, Some(&group), &watch, &mut |heard| {
        if let Heard::Line("asleep") = heard {
            println!("\nplaces {pid} {} {}", group.directory().display(), tmpfs.path().display());
        }
    });
    println!("\nended {:?}", followed.ending);
}

/// A supervising process, and what it made.
struct Supervised {
    process: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
    pid: u32,
    group: PathBuf,
    tmpfs: PathBuf,
}

fn supervised(base: &Path) -> Supervised {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "supervise_one_that_sleeps", "--ignored", "--nocapture"]).env(BASE, base);
    let mut process = command.stdout(Stdio::piped()).process_group(0).spawn().unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let told = lines.by_ref().map(Result::unwrap).find_map(|line| line.strip_prefix("places ").map(str::to_owned));
    let told = told.expect("it says where everything is");
    let mut places = told.split(' ');
    let pid = places.next().unwrap().parse().unwrap();
    Supervised { process, lines, pid, group: places.next().unwrap().into(), tmpfs: places.next().unwrap().into() }
}

#[test]
fn ctrl_c_reaches_oomph_alone_and_leaves_nothing() {
    if !has_groups() {
        return;
    }
    let base = tempfile::tempdir().unwrap();
    let mut it = supervised(base.path());
    assert!(it.group.is_dir() && it.tmpfs.is_dir() && is_alive(it.pid));
    // As a terminal does: to the whole process group.
    kill_process_group(raw(it.process.id()), Signal::INT).unwrap();
    let ended = it.lines.map(Result::unwrap).find(|line| line.starts_with("ended "));
    assert_eq!(ended.as_deref(), Some("ended Interrupted"));
    it.process.wait().unwrap();
    assert!(!is_alive(it.pid) && !it.group.exists() && !mounted(&it.tmpfs));
    assert_eq!(fs::read_dir(base.path()).unwrap().count(), 0);
}

#[test]
fn what_an_oomph_that_was_killed_has_left_goes_at_the_next_start_and_not_before() {
    if !has_groups() {
        return;
    }
    let base = tempfile::tempdir().unwrap();
    let mut it = supervised(base.path());
    assert_eq!(sweep(&Root::live(), Some(base.path())), [], "it lives");
    kill_process(raw(it.process.id()), Signal::KILL).unwrap();
    assert_eq!(it.process.wait().unwrap().signal(), Some(9));
    let until = Instant::now() + Duration::from_secs(20);
    while is_alive(it.pid) {
        assert!(Instant::now() < until, "its process lives on");
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(it.group.is_dir() && mounted(&it.tmpfs));
    let swept = sweep(&Root::live(), Some(base.path()));
    assert_eq!(swept.len(), 1);
    assert_eq!(swept[0].kept, None);
    assert!(!it.group.exists() && !mounted(&it.tmpfs));
    assert_eq!(fs::read_dir(base.path()).unwrap().count(), 0);
}

#[test]
fn a_group_whose_directory_is_gone_goes_too_once_it_is_empty() {
    if !has_groups() {
        return;
    }
    let root = Root::live();
    let mut ended = Command::new("true").spawn().unwrap();
    ended.wait().unwrap();
    let home = Home::find(&root, std::process::id()).unwrap();
    let orphan = home.directory.join(format!("oomph-{}-orphan", ended.id()));
    fs::create_dir(&orphan).unwrap();
    let base = tempfile::tempdir().unwrap();
    assert!(sweep(&root, Some(base.path())).iter().any(|swept| swept.path == orphan && swept.kept.is_none()));
    assert!(!orphan.exists());
}

#[test]
#[ignore = "the process without rights: says why there is no group"]
fn ask_for_a_group() {
    let name = format!("oomph-{}-asked", std::process::id());
    println!("\nasked {}", Group::create(&Root::live(), &name, Limit::Unlimited).unwrap_err());
}

#[test]
fn without_rights_there_is_no_group_and_the_reason_says_what_would_help() {
    if !has_groups() {
        return;
    }
    // Where nobody may look into the directory of this binary, it has to be elsewhere.
    let elsewhere = tempfile::tempdir().unwrap();
    fs::set_permissions(elsewhere.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let binary = elsewhere.path().join("groups");
    fs::copy(std::env::current_exe().unwrap(), &binary).unwrap();
    let mut command = Command::new(&binary);
    command.args(["--exact", "ask_for_a_group", "--ignored", "--nocapture"]).current_dir("/").uid(65534).gid(65534);
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let said = said.lines().find(|line| line.starts_with("asked ")).expect("it asks");
    assert!(said.contains("permission denied; run as root"), "{said}");
}

#[test]
fn a_limit_that_would_endanger_this_machine_is_refused() {
    let room = limit::room(&Root::live()).unwrap();
    let too_much = Limit::AtMost(Bytes::new(room.most.get() + 4096));
    assert!(limit::check(too_much, &room).unwrap_err().to_string().contains("this machine can spare"));
    assert!(limit::check(Limit::AtMost(limit::FLOOR), &room).is_ok());
}
