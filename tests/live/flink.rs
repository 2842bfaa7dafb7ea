//! A Flink that `scripts/live-flink` starts, one at a time for all tests, and that does not outlive them.

use std::io::Write as _;
use std::ops::Deref;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;

/// The one that runs, and what it was started for.
static RUNNING: Mutex<Option<Flink>> = Mutex::new(None);

/// Ends what was started in the folder when its standard input ends, so when the tests end in whatever way. Where they end
/// during the start, there may be nothing to stop yet.
const GUARD: &str = r#"read _; for _ in $(seq 180); do "$0" stop --dir "$1" && exit; sleep 1; done"#;

/// A running TaskManager with its JobManager.
pub struct Flink {
    wanted: Vec<String>,
    /// The TaskManager's process.
    pub pid: u32,
    rest: String,
    directory: PathBuf,
    guard: Child,
}

/// Nobody else uses the Flink, or starts another, until this is dropped.
pub struct Turn(MutexGuard<'static, Option<Flink>>);

impl Deref for Turn {
    type Target = Flink;

    fn deref(&self) -> &Flink {
        self.0.as_ref().expect("a turn is only given out with a Flink")
    }
}

/// The Flink that was started with these options, by this test or another.
pub fn with(options: &[&str]) -> Turn {
    let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
    if running.as_ref().is_none_or(|flink| flink.wanted != options) {
        *running = None;
        *running = Some(Flink::start(options));
    }
    Turn(running)
}

/// A Flink that no test has used.
pub fn fresh(options: &[&str]) -> Turn {
    let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
    *running = None;
    *running = Some(Flink::start(options));
    Turn(running)
}

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/live-flink")
}

impl Flink {
    fn start(options: &[&str]) -> Flink {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("live-flink");
        if directory.join("processes").exists() {
            succeed(Command::new(script()).arg("stop").arg("--dir").arg(&directory));
        }
        // A group of its own: an interrupt from the terminal must not end it before the tests.
        let guard = Command::new("bash")
            .args(["-c", GUARD])
            .arg(script())
            .arg(&directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .unwrap();
        let mut flink = Flink {
            wanted: options.iter().map(ToString::to_string).collect(),
            pid: 0,
            rest: String::new(),
            directory,
            guard,
        };
        let mut start = Command::new(script());
        start.arg("start").arg("--dir").arg(&flink.directory).args(options);
        // The version is the caller's to choose: what holds for one must hold for all.
        if let Ok(version) = std::env::var("OOMPH_LIVE_FLINK")
            && !options.contains(&"--flink")
        {
            start.args(["--flink", &version]);
        }
        let told = succeed(&mut start);
        let told = |key: &str| {
            let word = told.split_whitespace().find_map(|word| word.strip_prefix(key)?.strip_prefix('='));
            word.unwrap_or_else(|| panic!("no {key} in {told}")).to_owned()
        };
        flink.pid = told("pid").parse().unwrap();
        flink.rest = told("rest");
        flink
    }

    /// Cancels every job and waits until none runs.
    pub fn cancel(&self) {
        succeed(Command::new(script()).arg("cancel").arg("--dir").arg(&self.directory));
    }

    /// Submits the job and waits until its records are in.
    pub fn submit(&self) {
        succeed(Command::new(script()).arg("submit").arg("--dir").arg(&self.directory));
    }

    /// What Flink's REST interface answers.
    pub fn rest(&self, path: &str) -> Value {
        let mut answer = ureq::get(format!("{}{path}", self.rest)).call().unwrap();
        serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap()
    }

    /// What the JVM's own tool says.
    pub fn jcmd(&self, command: &[&str]) -> String {
        succeed(Command::new("jcmd").arg(self.pid.to_string()).args(command))
    }

    /// What `oomph attach` finds in the TaskManager.
    pub fn attach(&self) -> Value {
        let pid = self.pid.to_string();
        attach(&["--format", "json", &pid])
    }
}

impl Drop for Flink {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
        // A test that fails is looked into with the logs.
        let _ = writeln!(std::io::stderr(), "the logs of this Flink are in {}", self.directory.display());
    }
}

/// What `oomph attach` prints, as JSON.
pub fn attach(arguments: &[&str]) -> Value {
    let text = succeed(Command::new(env!("CARGO_BIN_EXE_oomph")).arg("attach").args(arguments));
    serde_json::from_str(&text).unwrap()
}

/// Runs a program to its good end: its standard output.
pub fn succeed(command: &mut Command) -> String {
    let output = command.stderr(Stdio::inherit()).output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{command:?}: {}\n{text}", output.status);
    text
}
