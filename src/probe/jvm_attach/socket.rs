//! The socket: whose it is, and one question through it.

use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};

use super::guard::Target;
use crate::model::{Seen, Unseen};
use crate::probe::root::Root;

/// No reply that is wanted is larger: `VM.native_memory detail` of a large process has some MiB.
const LARGEST: u64 = 64 << 20;

/// How long is waited before a JVM whose queue is full is tried again.
const PAUSE: Duration = Duration::from_millis(5);

/// Where a JVM listens.
#[derive(Clone, Debug)]
pub(super) struct Endpoint {
    path: PathBuf,
    pid: u32,
}

/// Why there is no socket.
#[derive(Debug)]
pub(super) enum Absent {
    /// A handshake would make one.
    Yet(Unseen),
    /// Nothing would, or the place is another's.
    Not(Unseen),
}

impl Absent {
    pub(super) fn into_unseen(self) -> Unseen {
        match self {
            Absent::Yet(unseen) | Absent::Not(unseen) => unseen,
        }
    }
}

impl Endpoint {
    /// The socket `.java_pidNUMBER` in the process's own `/tmp`; whatever `TMPDIR` says, HotSpot uses no other. That the
    /// process listens there is shown by the kernel.
    pub(super) fn of(root: &Root, target: &Target) -> Result<Endpoint, Absent> {
        let path = root.process(target.pid).join(format!("root/tmp/.java_pid{}", target.within));
        let shown = path.display();
        let at = match std::fs::symlink_metadata(&path) {
            Ok(at) => at,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(Absent::Yet(Unseen::because(format!(
                    "{shown} is not there: the JVM was not attached to yet"
                ))));
            }
            Err(error) => return Err(Absent::Not(root.unseen_of(target.pid, "root/tmp", &error))),
        };
        let remedy = format!("have {shown} removed, which only its owner should do");
        let stale = |why: String| Absent::Not(Unseen::because(format!("{shown} {why}")).granted_by(remedy.clone()));
        if !at.file_type().is_socket() {
            return Err(stale("is no socket".to_owned()));
        }
        if at.uid() != target.uid {
            return Err(stale(format!("is uid {}'s, the process is uid {}'s", at.uid(), target.uid)));
        }
        let endpoint = Endpoint { path: path.clone(), pid: target.pid };
        match endpoint.connect(Instant::now() + Duration::from_secs(1)) {
            Ok(_) => Ok(endpoint),
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                Err(stale("is of a dead process: nobody listens there".to_owned()))
            }
            Err(error) => Err(Absent::Not(Unseen::because(format!("{shown}: {error}")))),
        }
    }

    /// Sends a request and reads the reply until the JVM closes the connection.
    pub(super) fn ask(&self, request: &[u8], patience: Duration) -> Seen<Vec<u8>> {
        let until = Instant::now() + patience;
        self.exchange(request, until).map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Unseen::because(format!(
                "the JVM did not answer within {} s: it is stopped, starved, or busy with another question",
                patience.as_secs()
            )),
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
                Unseen::because(format!("{}: the process has ended", self.path.display()))
            }
            _ => Unseen::because(format!("{}: {error}", self.path.display())),
        })
    }

    fn exchange(&self, request: &[u8], until: Instant) -> io::Result<Vec<u8>> {
        let mut stream = self.connect(until)?;
        stream.set_write_timeout(Some(left(until)?))?;
        stream.write_all(request)?;
        let mut reply = Vec::new();
        let mut part = [0; 1 << 16];
        while reply.len() as u64 <= LARGEST {
            stream.set_read_timeout(Some(left(until)?))?;
            match stream.read(&mut part) {
                Ok(0) => return Ok(reply),
                Ok(count) => reply.extend_from_slice(part.get(..count).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // The JVM closes a connection that it refuses before it has read the request.
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Ok(reply),
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::new(io::ErrorKind::InvalidData, "the answer is larger than 64 MiB"))
    }

    /// Connects without waiting for a queue that is full, and has the kernel say who listens.
    fn connect(&self, until: Instant) -> io::Result<UnixStream> {
        let stream = loop {
            match connect_now(&self.path) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    std::thread::sleep(PAUSE.min(left(until)?));
                }
                other => break other?,
            }
        };
        // Of a process outside this pid namespace the kernel says 0.
        let listens = rustix::net::sockopt::socket_peercred(&stream)?.pid.as_raw_nonzero().get();
        if u32::try_from(listens) != Ok(self.pid) {
            let why = format!("process {listens} listens there, not {}", self.pid);
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
        }
        let stream = UnixStream::from(stream);
        stream.set_nonblocking(false)?;
        Ok(stream)
    }
}

fn connect_now(path: &Path) -> io::Result<OwnedFd> {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    rustix::net::connect(&socket, &SocketAddrUnix::new(path)?)?;
    Ok(socket)
}

/// The time that is left; none is an error, as no time would mean "for ever" to a socket.
fn left(until: Instant) -> io::Result<Duration> {
    let left = until.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
}
