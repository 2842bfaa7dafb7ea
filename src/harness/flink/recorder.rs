//! `oomph record` beside a process of a cluster, as somebody runs it who waits for the next death: what restarts leave
//! behind, nothing else that is left tells.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use thiserror::Error;

/// Between two looks, malloc's chunks included: several within each pause between two runs of a job.
const EVERY: &str = "2s";

/// A recorder notices at its next look that the process is gone, and writes that down.
const PATIENCE: Duration = Duration::from_secs(20);

/// Between two looks whether it has ended.
const PAUSE: Duration = Duration::from_millis(100);

/// Why there is none. The texts go on after "could not".
#[derive(Debug, Error)]
#[error("start {}: {source}", program.display())]
pub struct RecorderError {
    program: PathBuf,
    source: io::Error,
}

/// A recorder that looks on. It is ended where the value goes.
#[derive(Debug)]
pub struct Recorder {
    child: Child,
}

impl Recorder {
    /// Starts one that writes a file: `program` is oomph.
    ///
    /// # Errors
    ///
    /// Where the program cannot be started.
    pub fn start(program: &Path, pid: u32, file: &Path) -> Result<Recorder, RecorderError> {
        let mut command = Command::new(program);
        command.arg("record").arg(pid.to_string()).arg("--output").arg(file);
        command.args(["--interval", EVERY, "--heap-walk-every", EVERY]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().map_err(|source| RecorderError { program: program.to_owned(), source })?;
        Ok(Recorder { child })
    }

    /// Waits until it has written down that its process is gone.
    pub fn finish(mut self) {
        let since = Instant::now();
        while matches!(self.child.try_wait(), Ok(None)) && since.elapsed() < PATIENCE {
            thread::sleep(PAUSE);
        }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            // A recording ends at its last whole line.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
