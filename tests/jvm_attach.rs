//! HotSpot's attach protocol and performance data with real JVMs, which the tests start and end themselves. They need a JDK
//! (`java`, `jcmd`, 17 or later) on the path: `cargo test --features live-tests --test jvm_attach`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::process::{Child, Command as Program, Stdio};
use std::time::{Duration, Instant};

use oomph::artefact::nmt::Nmt;
use oomph::artefact::vm_flags::VmFlags;
use oomph::artefact::vm_info::VmInfo;
use oomph::probe::hsperf::{self, Located, Proof};
use oomph::probe::jvm_attach::{Attached, Command, Disturbing, Handshake, PATIENCE};
use oomph::probe::root::Root;
use rustix::process::{Pid, Signal, kill_process};

const SOURCE: &str = r#"
public class Sleeper {
    public static void main(String[] arguments) throws Exception {
        System.out.println("ready");
        Thread.sleep(600_000);
    }
}
"#;

/// A process that ends with the test.
struct Running {
    child: Child,
    _directory: tempfile::TempDir,
}

impl Running {
    /// A JVM that has come to its `main` and sleeps there.
    fn jvm(options: &[&str], environment: &[(&str, &str)]) -> Running {
        let directory = tempfile::tempdir().unwrap();
        let source = directory.path().join("Sleeper.java");
        fs::write(&source, SOURCE).unwrap();
        let mut program = Program::new("java");
        // No safepoints of the JVM's own accord, so that those are seen that somebody caused.
        program.args([
            "-XX:+UnlockDiagnosticVMOptions",
            "-XX:GuaranteedSafepointInterval=0",
            "-Xmx64m",
            "-XX:+UseSerialGC",
        ]);
        program.args(options).arg(&source).envs(environment.iter().copied());
        let program = program.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = program.spawn().expect("these tests need a JDK: no `java` could be started");
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n", "java did not run the source file: these tests need a JDK of 17 or later");
        child.stdout = Some(out.into_inner());
        Running { child, _directory: directory }
    }

    fn pid(&self) -> u32 {
        self.child.id()
    }

    fn open(&self, handshake: Handshake) -> Result<Attached, oomph::model::Unseen> {
        Attached::open(&Root::live(), self.pid(), handshake, PATIENCE)
    }

    fn lives(&mut self) -> bool {
        // Longer than a signal takes to be delivered.
        std::thread::sleep(Duration::from_millis(300));
        self.child.try_wait().unwrap().is_none()
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    fn safepoints(&self) -> u64 {
        hsperf::read_of(&Root::live(), self.pid()).unwrap().safepoints.unwrap()
    }

    /// Ends it, and gives what it printed behind "ready".
    fn printed(mut self) -> String {
        self.child.kill().unwrap();
        let mut text = String::new();
        self.child.stdout.take().unwrap().read_to_string(&mut text).unwrap();
        text
    }

    fn of_tmp(&self, name: &str) -> PathBuf {
        PathBuf::from(format!("/tmp/.{name}{}", self.pid()))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        for name in ["java_pid", "attach_pid"] {
            let _ = fs::remove_file(self.of_tmp(name));
        }
    }
}

#[test]
fn a_jvm_is_asked_what_jcmd_asks() {
    let jvm = Running::jvm(&["-XX:NativeMemoryTracking=summary"], &[]);
    let unseen = jvm.open(Handshake::Never).unwrap_err();
    assert!(unseen.grant.unwrap().contains("handshake"));
    let attached = jvm.open(Handshake::Allowed).unwrap();
    assert!(attached.handshake.is_some());
    assert!(!jvm.of_tmp("attach_pid").exists());
    assert!(jvm.open(Handshake::Never).unwrap().handshake.is_none(), "the socket is there now");

    let ours = Nmt::parse(&attached.ask(Command::NativeMemorySummary).unwrap()).unwrap();
    let jcmd = Program::new("jcmd").args([&jvm.pid().to_string(), "VM.native_memory", "summary"]).output();
    let jcmd = jcmd.expect("these tests need a JDK: no `jcmd` could be started").stdout;
    let theirs = Nmt::parse(&String::from_utf8(jcmd).unwrap()).unwrap();
    assert_eq!(ours.mmap.unwrap().reserved, theirs.mmap.unwrap().reserved);
    assert_eq!(ours.category("Java Heap"), theirs.category("Java Heap"));
    // The JVM keeps allocating between the two.
    assert!(ours.total.committed.abs_diff(theirs.total.committed) < 1 << 20, "{:?} {:?}", ours.total, theirs.total);

    let flags = VmFlags::parse(&attached.ask(Command::Flags).unwrap());
    assert_eq!(flags.number("MaxHeapSize"), Some(64 << 20));
    let info = VmInfo::parse(&attached.ask(Command::Info).unwrap());
    assert_eq!(info.heap.unwrap().size(), 64 << 20);
    assert!(attached.ask(Command::Version).unwrap().contains("JDK"));
}

#[test]
fn no_quiet_command_stops_the_program() {
    let jvm = Running::jvm(&["-XX:NativeMemoryTracking=detail"], &[]);
    let attached = jvm.open(Handshake::Allowed).unwrap();
    // The JVM may stop by itself, to throw compiled code away: not in each of some rounds.
    let caused = (0..5).map(|_| {
        let before = jvm.safepoints();
        for command in Command::ALL {
            // Not every JDK has every one.
            let _ = attached.ask(command);
        }
        jvm.safepoints() - before
    });
    assert_eq!(caused.min(), Some(0));
    let before = jvm.safepoints();
    attached.disturb(Disturbing::ThreadPrint).unwrap();
    assert!(jvm.safepoints() > before, "the counter moves at all");
}

#[test]
fn the_performance_data_are_proven_by_the_mapping() {
    let jvm = Running::jvm(&[], &[]);
    let located = Located::of(&Root::live(), jvm.pid()).unwrap();
    assert_eq!(located.proof, Proof::Mapped);
    let perf = located.read().unwrap();
    assert!(perf.java_command.as_ref().unwrap().contains("Sleeper.java"));
    assert!(perf.heap_committed() <= Some(64 << 20));
    drop(jvm);
    assert!(located.read().is_err());
}

#[test]
fn a_jvm_that_would_end_is_never_signalled() {
    for (options, environment) in [
        (vec!["-Xrs"], vec![]),
        (vec![], vec![("JAVA_TOOL_OPTIONS", "-Xrs")]),
        (vec!["-XX:+ReduceSignalUsage", "-XX:-UsePerfData"], vec![]),
    ] {
        let mut jvm = Running::jvm(&options, &environment);
        // Such a JVM opens its socket when it starts. Where that has been removed, there is no way to have another.
        let attached = jvm.open(Handshake::Allowed).unwrap();
        assert!(attached.handshake.is_none() && attached.ask(Command::Version).is_ok());
        fs::remove_file(jvm.of_tmp("java_pid")).unwrap();
        let unseen = jvm.open(Handshake::Allowed).unwrap_err();
        assert!(unseen.why.contains("the signal would end it"), "{unseen}");
        assert!(jvm.lives() && !jvm.of_tmp("attach_pid").exists());
    }
}

#[test]
fn a_jvm_that_forbids_attaching_is_never_signalled() {
    for (options, environment) in [
        (vec!["-XX:+DisableAttachMechanism"], vec![]),
        (vec!["-XX:-UsePerfData"], vec![("_JAVA_OPTIONS", "-XX:+DisableAttachMechanism")]),
        (vec![], vec![("JDK_JAVA_OPTIONS", "-XX:+DisableAttachMechanism")]),
    ] {
        let mut jvm = Running::jvm(&options, &environment);
        let unseen = jvm.open(Handshake::Allowed).unwrap_err();
        assert!(unseen.why.contains("DisableAttachMechanism"), "{unseen}");
        assert!(jvm.lives());
        // A JVM that is signalled without attaching prints its stacks.
        assert_eq!(jvm.printed(), "");
    }
}

#[test]
fn another_program_named_java_is_never_signalled() {
    let directory = tempfile::tempdir().unwrap();
    let java = directory.path().join("java");
    let sleep = ["/bin/sleep", "/usr/bin/sleep"].into_iter().find(|path| fs::metadata(path).is_ok()).unwrap();
    fs::copy(sleep, &java).unwrap();
    let child = Program::new(&java).arg("600").env("JAVA_TOOL_OPTIONS", "-XX:MaxMetaspaceSize=1g").spawn().unwrap();
    let mut sleeper = Running { child, _directory: directory };
    let unseen = sleeper.open(Handshake::Allowed).unwrap_err();
    assert!(unseen.why.contains("no HotSpot JVM"), "{unseen}");
    assert!(sleeper.lives());
}

#[test]
fn a_socket_that_a_dead_process_left_is_told_and_stays() {
    let jvm = Running::jvm(&[], &[]);
    let path = jvm.of_tmp("java_pid");
    let listener = UnixListener::bind(&path).unwrap();
    let unseen = jvm.open(Handshake::Allowed).unwrap_err();
    assert!(unseen.why.contains(&format!("process {} listens there", std::process::id())), "{unseen}");
    drop(listener);
    let unseen = jvm.open(Handshake::Allowed).unwrap_err();
    assert!(unseen.why.contains("of a dead process"), "{unseen}");
    assert!(path.exists());
    fs::remove_file(&path).unwrap();
    fs::write(&path, "").unwrap();
    assert!(jvm.open(Handshake::Allowed).unwrap_err().why.ends_with("is no socket"));
    assert!(path.exists() && !jvm.of_tmp("attach_pid").exists());
}

#[test]
fn a_trigger_of_another_tool_is_left_alone() {
    let jvm = Running::jvm(&[], &[]);
    let theirs = jvm.of_tmp("attach_pid");
    fs::write(&theirs, "").unwrap();
    let attached = jvm.open(Handshake::Allowed).unwrap();
    assert!(attached.handshake.is_some(), "the working directory takes the trigger instead");
    assert!(theirs.exists());
    let working = fs::read_link(format!("/proc/{}/cwd", jvm.pid())).unwrap();
    assert!(!working.join(format!(".attach_pid{}", jvm.pid())).exists());
}

#[test]
fn a_stopped_jvm_does_not_hang_us() {
    let jvm = Running::jvm(&[], &[]);
    let attached = jvm.open(Handshake::Allowed).unwrap();
    jvm.signal(Signal::STOP);
    let unseen = jvm.open(Handshake::Allowed).unwrap_err();
    assert!(unseen.why.contains("is stopped"), "{unseen}");
    let began = Instant::now();
    // More questions than its queue holds.
    for _ in 0..8 {
        let short = attached.clone().with_patience(Duration::from_millis(100));
        assert!(short.ask(Command::Version).unwrap_err().why.contains("did not answer"));
    }
    assert!(began.elapsed() < Duration::from_secs(8));
    jvm.signal(Signal::CONT);
    assert!(attached.ask(Command::Version).is_ok());
}

#[test]
fn a_jvm_that_ended_is_told_so() {
    let jvm = Running::jvm(&[], &[]);
    let attached = jvm.open(Handshake::Allowed).unwrap();
    drop(jvm);
    assert!(attached.ask(Command::Version).unwrap_err().why.contains("the process has ended"));
}
