//! What grows beside RocksDB: a leak of native memory in the worker itself, and a Python process in the same group.

use std::io::Write;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::model::{Bytes, Workload};

/// The Python process: takes as many bytes as each line says, and keeps them. It ends when its input does.
const SCRIPT: &str = "\
import sys
kept = []
for line in sys.stdin:
    kept.append(b'x' * int(line))
";

/// What is beside RocksDB, and how far it has grown.
#[derive(Debug, Default)]
pub struct Beside {
    leak: Option<Bytes>,
    leaked: Vec<Vec<u8>>,
    leaked_bytes: u64,
    python: Option<(Child, Bytes)>,
    asked: u64,
}

/// The least that is leaked at a time, so that the list of pieces stays small.
const PIECE: u64 = 64 << 10;

impl Beside {
    /// Starts what the workload has.
    pub fn start(workload: &Workload) -> Result<Beside, String> {
        let python = match workload.python {
            Some(rate) => {
                let child = Command::new("python3")
                    .args(["-u", "-c", SCRIPT])
                    .stdin(Stdio::piped())
                    .stdout(Stdio::null())
                    .spawn()
                    .map_err(|error| format!("could not start python3: {error}"))?;
                Some((child, rate))
            }
            None => None,
        };
        Ok(Beside { leak: workload.leak, python, ..Beside::default() })
    }

    /// Lets it grow to where it is to be after this time.
    pub fn grow(&mut self, elapsed: Duration) -> Result<(), String> {
        let due = |rate: Bytes| (u128::from(rate.get()) * elapsed.as_millis() / 1000) as u64;
        if let Some(rate) = self.leak {
            while self.leaked_bytes + PIECE <= due(rate) {
                // Not zeros: pages of zeros from the kernel are not there until they are written.
                self.leaked.push(vec![1; PIECE as usize]);
                self.leaked_bytes += PIECE;
            }
        }
        if let Some((child, rate)) = &mut self.python {
            if let Ok(Some(status)) = child.try_wait() {
                return Err(format!("the Python process ended: {status}"));
            }
            let more = due(*rate).saturating_sub(self.asked);
            if more >= PIECE {
                let told = child.stdin.as_mut().map(|input| writeln!(input, "{more}"));
                if !matches!(told, Some(Ok(()))) {
                    return Err("the Python process does not listen any more".to_owned());
                }
                self.asked += more;
            }
        }
        Ok(())
    }

    /// Ends the Python process.
    pub fn end(&mut self) {
        if let Some((mut child, _)) = self.python.take() {
            drop(child.stdin.take());
            let ended = child.kill().and_then(|()| child.wait());
            drop(ended);
        }
    }
}
