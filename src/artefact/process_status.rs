//! What the kernel says of a process in a few lines: `/proc/PID/status`, `stat`, `limits`, `cmdline`, `environ`.
//!
//! Read by hand: the parsers of the procfs library panic on a line of `limits` that is too short (0.18), and a capture
//! may hold anything.

use super::smaps::Smaps;
use crate::model::{Bytes, Limit, Seen, Unseen};

/// What the kernel shows of a process.
#[derive(Clone, Debug)]
pub struct ProcessFiles {
    /// When it started, in clock ticks since boot.
    pub started: Seen<u64>,
    /// Its sizes and its owner.
    pub status: Seen<ProcessStatus>,
    /// The words it was started with.
    pub command: Seen<Vec<String>>,
    /// Its mappings.
    pub smaps: Seen<Smaps>,
    /// Its limits.
    pub limits: Seen<ProcessLimits>,
    /// The variables that its allocator reads.
    pub allocator_variables: Seen<Vec<(String, String)>>,
    /// Its threads: how each is called, and where its stack pointer stands while it waits.
    pub threads: Seen<Vec<Thread>>,
}

/// A thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thread {
    /// Its name, at most 15 bytes.
    pub name: String,
    /// Its stack pointer; nothing while it runs or where that may not be read.
    pub stack_pointer: Option<u64>,
}

/// `/proc/PID/status`. Sizes that the kernel does not give (a kernel before 4.5, a process that has ended) are nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessStatus {
    /// The program's name, at most 15 bytes, which it may change at will.
    pub name: String,
    /// Whether it has ended and only waits to be collected.
    pub is_zombie: bool,
    /// Whose it is: the effective user.
    pub uid: u32,
    /// Its process id in the innermost namespace it lives in.
    pub namespace_pid: u32,
    /// The resident set.
    pub rss: Option<Bytes>,
    /// Its anonymous part.
    pub rss_anon: Option<Bytes>,
    /// Its file pages.
    pub rss_file: Option<Bytes>,
    /// Its shared memory.
    pub rss_shmem: Option<Bytes>,
    /// The largest resident set so far.
    pub rss_peak: Option<Bytes>,
    /// Swapped out.
    pub swap: Option<Bytes>,
    /// Page tables: the kernel's memory, counted to the container.
    pub page_tables: Option<Bytes>,
    /// Addresses in use.
    pub virtual_size: Option<Bytes>,
    /// Threads.
    pub threads: Option<u64>,
}

impl ProcessStatus {
    /// Reads `status`.
    pub fn parse(bytes: &[u8]) -> Seen<ProcessStatus> {
        let text = String::from_utf8_lossy(bytes);
        let text = |key: &str| text.lines().find_map(|line| Some(line.strip_prefix(key)?.strip_prefix(':')?.trim()));
        let malformed = |key: &str| Unseen::because(format!("/proc/PID/status has no {key} as the kernel writes it"));
        let number = |key: &str| text(key).and_then(|value| value.parse::<u32>().ok());
        let size = |key: &str| {
            let kib: u64 = text(key)?.strip_suffix("kB")?.trim().parse().ok()?;
            kib.checked_mul(1024).map(Bytes::new)
        };
        let column = |key: &str, index: usize| text(key)?.split_whitespace().nth(index)?.parse::<u32>().ok();
        let innermost = text("NSpid").and_then(|all| all.split_whitespace().next_back()?.parse().ok());
        Ok(ProcessStatus {
            name: text("Name").ok_or_else(|| malformed("Name"))?.to_owned(),
            is_zombie: text("State").ok_or_else(|| malformed("State"))?.starts_with('Z'),
            uid: column("Uid", 1).ok_or_else(|| malformed("Uid"))?,
            namespace_pid: innermost.or_else(|| number("Pid")).ok_or_else(|| malformed("Pid"))?,
            rss: size("VmRSS"),
            rss_anon: size("RssAnon"),
            rss_file: size("RssFile"),
            rss_shmem: size("RssShmem"),
            rss_peak: size("VmHWM"),
            swap: size("VmSwap"),
            page_tables: size("VmPTE"),
            virtual_size: size("VmSize"),
            threads: number("Threads").map(u64::from),
        })
    }
}

/// When a process started, in clock ticks since boot (`/proc/PID/stat`): with its id, what tells it from another that got
/// the same id later.
pub fn started(bytes: &[u8]) -> Seen<u64> {
    let text = String::from_utf8_lossy(bytes);
    // The name stands in brackets and may hold any; what follows it is numbers, the start being the 22nd field of all.
    let behind_name = text.rsplit_once(") ").map(|(_, rest)| rest);
    let field = behind_name.and_then(|rest| rest.split_whitespace().nth(19)?.parse().ok());
    field.ok_or_else(|| Unseen::because("/proc/PID/stat is not as the kernel writes it"))
}

/// The limits of a process that can end it or keep it from growing (`/proc/PID/limits`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessLimits {
    /// Processes and threads of its user together; a number, not bytes.
    pub processes: Limit,
    /// Addresses (`ulimit -v`).
    pub address_space: Limit,
    /// Open files; a number, not bytes.
    pub open_files: Limit,
}

impl ProcessLimits {
    /// Reads `limits`.
    pub fn parse(bytes: &[u8]) -> Seen<ProcessLimits> {
        let text = String::from_utf8_lossy(bytes);
        let soft = |name: &str| {
            let value = text.lines().find_map(|line| line.strip_prefix(name)?.split_whitespace().next());
            match value {
                Some("unlimited") => Ok(Limit::Unlimited),
                Some(digits) => digits.parse().map(|value| Limit::AtMost(Bytes::new(value))).map_err(|_| ()),
                None => Err(()),
            }
            .map_err(|()| Unseen::because(format!("/proc/PID/limits has no {name} as the kernel writes it")))
        };
        Ok(ProcessLimits {
            processes: soft("Max processes")?,
            address_space: soft("Max address space")?,
            open_files: soft("Max open files")?,
        })
    }
}

/// The words of a command line, which the kernel separates by zero bytes (`/proc/PID/cmdline`). A process without one is
/// a kernel thread or has ended.
pub fn command(bytes: &[u8]) -> Seen<Vec<String>> {
    let bytes = bytes.strip_suffix(b"\0").unwrap_or(bytes);
    if bytes.is_empty() {
        return Err(Unseen::because("the process has no command line: it has ended, or is the kernel's own"));
    }
    Ok(bytes.split(|byte| *byte == 0).map(|word| String::from_utf8_lossy(word).into_owned()).collect())
}

/// The variables that decide how an allocator behaves; nothing else of an environment is ever kept, since it holds
/// secrets.
const ALLOCATOR_VARIABLES: [&str; 7] =
    ["LD_PRELOAD", "GLIBC_TUNABLES", "MALLOC_", "_RJEM_MALLOC_CONF", "JE_MALLOC_CONF", "TCMALLOC_", "MIMALLOC_"];

/// The variables of an environment that an allocator reads (`/proc/PID/environ`), as names and values.
pub fn allocator_variables(bytes: &[u8]) -> Vec<(String, String)> {
    let variables = bytes.split(|byte| *byte == 0).filter_map(|variable| {
        let text = String::from_utf8_lossy(variable);
        let (name, value) = text.split_once('=')?;
        ALLOCATOR_VARIABLES.iter().any(|known| name.starts_with(known)).then(|| (name.to_owned(), value.to_owned()))
    });
    variables.collect()
}

/// The stack pointer of a thread that waits in the kernel (`/proc/PID/task/TID/syscall`); nothing where it is running.
pub fn stack_pointer(bytes: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(bytes).ok()?;
    // "202 0x7f.. 0x189 0x0 0x0 0x0 0x0 0x7f..(sp) 0x7f..(pc)", "-1 0xsp 0xpc" or "running".
    let mut from_behind = text.split_whitespace().rev();
    let _program_counter = from_behind.next()?;
    u64::from_str_radix(from_behind.next()?.strip_prefix("0x")?, 16).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use super::*;

    const STATUS: &str = "Name:\tjava\nUmask:\t0022\nState:\tS (sleeping)\nTgid:\t31883\nNgid:\t0\nPid:\t31883\nPPid:\t1\n\
        TracerPid:\t0\nUid:\t9999\t9999\t9999\t9999\nGid:\t0\t0\t0\t0\nFDSize:\t256\nGroups:\t \nNStgid:\t31883\t7\n\
        NSpid:\t31883\t7\nVmPeak:\t 3039568 kB\nVmHWM:\t 1221292 kB\nVmRSS:\t 1197840 kB\nRssAnon:\t 1167052 kB\n\
        Threads:\t118\nSigQ:\t2/96365\nSigPnd:\t0\nShdPnd:\t0\nSigBlk:\t0\nSigIgn:\t0\nSigCgt:\t2000000101005ccf\n\
        CapInh:\t0\nCapPrm:\t0\nCapEff:\t0\n";

    #[test]
    fn sizes_are_bytes_and_the_innermost_process_id_counts() {
        let status = ProcessStatus::parse(STATUS.as_bytes()).unwrap();
        assert_eq!((status.uid, status.namespace_pid, status.threads), (9999, 7, Some(118)));
        assert_eq!(status.rss, Some(Bytes::new(1_197_840 * 1024)));
        assert_eq!((status.rss_file, status.swap, status.is_zombie), (None, None, false));
    }

    #[test]
    fn a_status_that_ends_too_early_is_unseen_with_the_reason() {
        let unseen = ProcessStatus::parse(b"Name:\tjava\n").unwrap_err();
        assert_eq!(unseen.why, "/proc/PID/status has no State as the kernel writes it");
        assert!(
            ProcessStatus::parse(b"").is_err() && started(b"1 (java").is_err() && ProcessLimits::parse(b"x").is_err()
        );
    }

    #[test]
    fn threads_that_the_kernel_does_not_count_are_not_none() {
        let status = ProcessStatus::parse(STATUS.replace("Threads:", "Other:").as_bytes()).unwrap();
        assert_eq!(status.threads, None);
    }

    #[test]
    fn a_program_may_have_brackets_and_spaces_in_its_name() {
        let rest = "S 1 2 2 0 -1 4194304 1 0 0 0 1 1 0 0 20 0 118 0 4242 3 4 5 6 7 8 9 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0 0 0 \
                    0 0 0 0 0 0";
        assert_eq!(started(format!("77 (a) b (c) {rest}").as_bytes()), Ok(4242));
    }

    #[test]
    fn only_the_variables_of_an_allocator_are_kept() {
        let environment = b"AWS_SECRET=x\0MALLOC_ARENA_MAX=1\0PATH=/\0LD_PRELOAD=/a/libjemalloc.so\0broken\0";
        let kept = allocator_variables(environment);
        let names: Vec<&str> = kept.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["MALLOC_ARENA_MAX", "LD_PRELOAD"]);
    }

    #[test]
    fn a_waiting_thread_shows_its_stack_pointer_and_a_running_one_does_not() {
        let waiting = b"202 0x7f0709470910 0x189 0x0 0x0 0x0 0xffffffff 0x7f070946f6c0 0x7f07098f1f16\n";
        assert_eq!(stack_pointer(waiting), Some(0x7f07_0946_f6c0));
        assert_eq!(stack_pointer(b"running\n"), None);
        assert_eq!(stack_pointer(b""), None);
        assert_eq!(stack_pointer(b"-1 0x10 0x20"), Some(0x10));
    }

    #[test]
    fn a_command_line_may_hold_blanks_and_empty_words() {
        assert_eq!(command(b"java\0-Da=b c\0\0-cp\0").unwrap(), ["java", "-Da=b c", "", "-cp"]);
        assert!(command(b"").is_err());
    }
}
