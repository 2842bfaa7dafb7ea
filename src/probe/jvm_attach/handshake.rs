//! Asks a JVM to open its socket: a trigger file, a SIGQUIT, and patience (`AttachListener::is_init_trigger`,
//! `VirtualMachineImpl`'s constructor). Without the trigger file the JVM would print all its stacks instead.

use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::fs::{AtFlags, Gid, Mode, OFlags, Uid};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal};

use super::guard::Target;
use crate::model::{Seen, Unseen};
use crate::probe::hsperf;
use crate::probe::root::Root;

/// How often is looked whether the socket is there: it takes a JVM some milliseconds.
const PAUSE: Duration = Duration::from_millis(1);

/// Has the socket opened, and says how long that took.
pub(super) fn shake(root: &Root, target: &Target, patience: Duration) -> Seen<Duration> {
    target.may_be_signalled()?;
    // From here on a signal can only reach the process that has this number now, not one that gets it later.
    let process = Process::of(target.pid)?;
    // The process that was judged above is the one that is held: it started at the same time, and still catches SIGQUIT.
    Target::of(root, target.pid)?.may_be_signalled()?;
    still_the_same(root, target)?;
    let began = Instant::now();
    let trigger = Trigger::make(root, target)?;
    still_the_same(root, target)?;
    process.signal(target.pid)?;
    let socket = root.process(target.pid).join(format!("root/tmp/.java_pid{}", target.within));
    while std::fs::symlink_metadata(&socket).is_err() {
        if began.elapsed() >= patience {
            return Err(Unseen::because(format!(
                "the JVM has not opened its socket within {} s after the signal: it is starved or stopped",
                patience.as_secs()
            )));
        }
        still_the_same(root, target)?;
        std::thread::sleep(PAUSE);
    }
    drop(trigger);
    Ok(began.elapsed())
}

fn still_the_same(root: &Root, target: &Target) -> Seen<()> {
    match hsperf::state_and_start(root, target.pid) {
        Some((_, started)) if started == target.started => Ok(()),
        _ => Err(Unseen::because("the process has ended")),
    }
}

/// A process that is held by a descriptor. Kernels before 5.3 have none, and seccomp profiles may forbid it; there the time
/// of its start, compared just before, is all there is.
enum Process {
    Held(OwnedFd),
    Numbered(Pid),
}

impl Process {
    fn of(pid: u32) -> Seen<Process> {
        let number = i32::try_from(pid).ok().and_then(Pid::from_raw);
        let number = number.ok_or_else(|| Unseen::because(format!("{pid} is no process id")))?;
        match rustix::process::pidfd_open(number, PidfdFlags::empty()) {
            Ok(held) => Ok(Process::Held(held)),
            Err(Errno::NOSYS | Errno::PERM) => Ok(Process::Numbered(number)),
            Err(Errno::SRCH) => Err(Unseen::because("the process has ended")),
            Err(error) => Err(Unseen::because(format!("process {pid}: {error}"))),
        }
    }

    fn signal(&self, pid: u32) -> Seen<()> {
        let sent = match self {
            Process::Held(held) => rustix::process::pidfd_send_signal(held, Signal::QUIT),
            Process::Numbered(number) => rustix::process::kill_process(*number, Signal::QUIT),
        };
        sent.map_err(|error| match error {
            Errno::SRCH => Unseen::because("the process has ended"),
            Errno::PERM => Unseen::because(format!("process {pid} may not be signalled"))
                .granted_by("run as the process's own user, or grant CAP_KILL"),
            _ => Unseen::because(format!("process {pid} could not be signalled: {error}")),
        })
    }
}

/// The trigger file, `.attach_pidNUMBER`: it is removed when this value is, also where the process has ended since.
struct Trigger {
    directory: OwnedFd,
    name: String,
    /// What was made, so that nothing else is ever removed.
    inode: u64,
}

impl Trigger {
    /// In the process's `/tmp`, or where that may not be written to or has one already, in its working directory, where
    /// HotSpot looks first.
    fn make(root: &Root, target: &Target) -> Seen<Trigger> {
        let name = format!(".attach_pid{}", target.within);
        let mut first = None;
        for place in ["root/tmp", "cwd"] {
            match Trigger::make_in(root, target, place, &name) {
                Ok(trigger) => return Ok(trigger),
                Err(error) => first = first.or(Some((place, error))),
            }
        }
        let (place, error) = first.unwrap_or(("root/tmp", Errno::NOENT));
        let at = format!("/proc/{}/{place}/{name}", target.pid);
        Err(match error {
            Errno::EXIST => {
                Unseen::because(format!("{at} is there already: another tool is attaching, or died while it was"))
                    .granted_by("try again; where it stays, have it removed")
            }
            Errno::ROFS => Unseen::because(format!("{at}: the file system is read-only")).granted_by(
                "mount a writable /tmp (an emptyDir); without one the JVM could not open its socket either",
            ),
            _ => Unseen::because(format!("{at} could not be made: {error}")),
        })
    }

    fn make_in(root: &Root, target: &Target, place: &str, name: &str) -> Result<Trigger, Errno> {
        let directory = root.process(target.pid).join(place);
        let directory =
            rustix::fs::open(&directory, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&directory, name, flags, Mode::RUSR | Mode::WUSR)?;
        let made = rustix::fs::fstat(&file)?;
        let trigger = Trigger { directory, name: name.to_owned(), inode: made.st_ino };
        // The JVM only believes a file of its own user; later ones also believe root.
        if made.st_uid != target.uid {
            rustix::fs::fchown(&file, Some(Uid::from_raw(target.uid)), Some(Gid::from_raw(target.gid)))?;
        }
        Ok(trigger)
    }
}

impl Drop for Trigger {
    fn drop(&mut self) {
        let directory = self.directory.as_fd();
        let there = rustix::fs::statat(directory, self.name.as_str(), AtFlags::SYMLINK_NOFOLLOW);
        if there.is_ok_and(|there| there.st_ino == self.inode) {
            // Where even this fails there is nobody left to tell: the file is empty.
            let _ = rustix::fs::unlinkat(directory, self.name.as_str(), AtFlags::empty());
        }
    }
}
