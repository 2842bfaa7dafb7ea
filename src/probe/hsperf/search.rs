//! Where the file of a process may lie, and whose it is.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{Located, Proof, not_readable, read};
use crate::artefact::hsperfdata::PerfData;
use crate::model::{Seen, Unseen};
use crate::probe::root::Root;

/// More files of one number than this are not looked at: each is of another user's directory.
const MOST: usize = 32;

/// Clocks of the boot time and of the JVM differ by less, in milliseconds.
const CLOCK_SLACK: u64 = 2_000;

/// What the process itself says, read before any file is believed.
struct Claims {
    /// Its mappings, where they may be read.
    maps: Option<Vec<u8>>,
    command_line: Vec<u8>,
    /// When it started, in milliseconds since 1970; nothing in a capture without `/proc/stat`.
    started: Option<u64>,
}

pub(super) fn locate(root: &Root, pid: u32) -> Seen<Located> {
    let command_line = root.read_of(pid, "cmdline")?;
    let claims = Claims { maps: root.read_of(pid, "maps").ok(), command_line, started: started(root, pid) };
    let mut refused = None;
    for path in candidates(root, pid)? {
        match judge(&path, &claims) {
            Ok(located) => return Ok(located),
            // Why the file was not believed that looked most like its own.
            Err(unseen) => refused = Some(refused.filter(|known: &Unseen| known.grant.is_some()).unwrap_or(unseen)),
        }
    }
    Err(refused.unwrap_or_else(|| why_none(root, pid, &claims)))
}

/// The number of a process in its own pid namespace: the last of `NSpid` in `/proc/PID/status`. Kernels before 4.1 do not say.
pub(in crate::probe) fn pid_within(root: &Root, pid: u32) -> Seen<u32> {
    let status = root.read_of(pid, "status")?;
    let status = String::from_utf8_lossy(&status);
    let line = status.lines().find_map(|line| line.strip_prefix("NSpid:"));
    Ok(line.and_then(|line| line.split_whitespace().last()).and_then(|last| last.parse().ok()).unwrap_or(pid))
}

/// Every `hsperfdata_*/NUMBER` in the process's `/tmp`, then in ours, which is the same where the two share it.
fn candidates(root: &Root, pid: u32) -> Seen<Vec<PathBuf>> {
    let within = pid_within(root, pid)?;
    let theirs = root.process(pid).join("root/tmp");
    let ours = root.path("/tmp");
    let mut found = Vec::new();
    let mut numbers = vec![within];
    // A capture may have been laid out by the number outside.
    numbers.extend((within != pid).then_some(pid));
    for tmp in [theirs, ours] {
        let entries = fs::read_dir(&tmp).into_iter().flatten().filter_map(Result::ok);
        for entry in entries {
            let directory = entry.file_name().as_encoded_bytes().starts_with(b"hsperfdata_");
            if !directory || !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                continue;
            }
            for number in &numbers {
                let path = entry.path().join(number.to_string());
                // A directory that may not be searched hides whether the file is there: it is tried.
                let there =
                    fs::symlink_metadata(&path).map_or_else(|error| error.kind() != io::ErrorKind::NotFound, |_| true);
                if there && found.len() < MOST {
                    found.push(path);
                }
            }
        }
    }
    Ok(found)
}

fn judge(path: &Path, claims: &Claims) -> Seen<Located> {
    let (bytes, inode) = read(path).map_err(|error| not_readable(path, &error))?;
    let data = PerfData::parse(&bytes).map_err(|error| Unseen::because(format!("{}: {error}", path.display())))?;
    let of_another = |why: &str| Unseen::because(format!("{} is of another process: {why}", path.display()));
    if let Some((began, started)) = data.number("sun.rt.createVmBeginTime").zip(claims.started)
        && began + CLOCK_SLACK < started
    {
        return Err(of_another("its JVM began before this process did"));
    }
    let located = |proof| Ok(Located { path: path.to_owned(), inode, proof });
    match &claims.maps {
        Some(maps) if has_mapped(maps, path) => located(Proof::Mapped),
        Some(_) => Err(of_another("this one has not mapped it")),
        None if says_the_same(&data, &claims.command_line) => located(Proof::CommandLine),
        None => Err(of_another("it names another program, and this one's mappings may not be read")),
    }
}

/// Whether a process has mapped a file of the same directory and name, and it is still there. Its inode would say more, but
/// on overlay file systems the two differ.
fn has_mapped(maps: &[u8], path: &Path) -> bool {
    let mut parts = path.components().rev().map(|part| part.as_os_str().as_encoded_bytes());
    let (Some(number), Some(directory)) = (parts.next(), parts.next()) else { return false };
    let name = [b"/".as_slice(), directory, b"/", number].concat();
    // One that was deleted ends with " (deleted)" instead.
    maps.split(|byte| *byte == b'\n').any(|line| line.ends_with(&name))
}

/// Whether the file's main class and arguments, cut by the JVM after 1,024 bytes, are in the command line.
fn says_the_same(data: &PerfData, command_line: &[u8]) -> bool {
    let arguments: Vec<u8> = command_line.iter().map(|byte| if *byte == 0 { b' ' } else { *byte }).collect();
    data.text("sun.rt.javaCommand")
        .map(|command| command.trim_end().as_bytes())
        .is_some_and(|command| !command.is_empty() && arguments.windows(command.len()).any(|window| window == command))
}

/// The boot time and field 22 of `/proc/PID/stat`, which is in clock ticks.
fn started(root: &Root, pid: u32) -> Option<u64> {
    let stat = root.read("/proc/stat").ok()?;
    let boot = String::from_utf8_lossy(&stat)
        .lines()
        .find_map(|line| line.strip_prefix("btime ")?.trim().parse::<u64>().ok())?;
    let (_, ticks) = state_and_start(root, pid)?;
    let frequency = rustix::param::clock_ticks_per_second().max(1);
    boot.checked_mul(1_000)?.checked_add(ticks.checked_mul(1_000)? / frequency)
}

/// Fields 3 and 22 of `/proc/PID/stat`: the state's letter, and when the process started, in clock ticks since boot. Field 2,
/// the name, may have blanks and brackets in it.
pub(in crate::probe) fn state_and_start(root: &Root, pid: u32) -> Option<(u8, u64)> {
    let stat = root.read_of(pid, "stat").ok()?;
    let behind = stat.iter().rposition(|byte| *byte == b')').and_then(|at| stat.get(at + 1..))?;
    let mut fields = behind.split(|byte| byte.is_ascii_whitespace()).filter(|field| !field.is_empty());
    let state = *fields.next()?.first()?;
    let start = std::str::from_utf8(fields.nth(18)?).ok()?;
    Some((state, start.parse().ok()?))
}

fn why_none(root: &Root, pid: u32, claims: &Claims) -> Unseen {
    let arguments = || claims.command_line.split(|byte| *byte == 0);
    let has = |option: &str| arguments().any(|argument| argument == option.as_bytes());
    if let Some(option) = ["-XX:-UsePerfData", "-XX:+PerfDisableSharedMem"].into_iter().find(|option| has(option)) {
        return Unseen::because(format!("the JVM runs with {option}: it shares no performance data"))
            .granted_by(format!("start the JVM without {option}"));
    }
    if claims.maps.as_deref().is_some_and(|maps| !maps.windows(9).any(|part| part == b"libjvm.so")) {
        return Unseen::because("no performance data: the process is no HotSpot JVM (libjvm.so is not mapped)");
    }
    let theirs = root.process(pid).join("root/tmp");
    if let Err(error) = fs::read_dir(&theirs)
        && error.kind() == io::ErrorKind::PermissionDenied
    {
        return root.unseen_of(pid, "root/tmp", &error);
    }
    if let Some(uid) = nameless(root, pid) {
        return Unseen::because(format!(
            "uid {uid} has no name in the process's /etc/passwd: a JVM whose user has no name shares no performance data"
        ))
        .granted_by(format!("give uid {uid} a line in the container's /etc/passwd and restart the JVM"));
    }
    Unseen::because(format!(
        "no file hsperfdata_*/{} in the process's /tmp: it may have been removed while the JVM ran",
        pid_within(root, pid).unwrap_or(pid)
    ))
    .granted_by("restart the JVM; a cleaner of /tmp must leave hsperfdata_* alone")
}

/// The user of a process, where its own `/etc/passwd` can be read and does not name it: the directory is called after the
/// user's name, so the JVM makes none (`get_user_name` in `perfMemory_posix.cpp`). Clusters that give each container a uid
/// of its own are full of those.
fn nameless(root: &Root, pid: u32) -> Option<String> {
    let status = root.read_of(pid, "status").ok()?;
    let status = String::from_utf8_lossy(&status);
    let uid = status.lines().find_map(|line| line.strip_prefix("Uid:"))?.split_whitespace().nth(1)?;
    let passwd = root.read_of(pid, "root/etc/passwd").ok()?;
    let passwd = String::from_utf8_lossy(&passwd);
    let named = passwd.lines().any(|line| line.split(':').nth(2) == Some(uid));
    (!named).then(|| uid.to_owned())
}
