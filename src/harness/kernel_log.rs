//! The kernel's own report of a kill, out of its log.
//!
//! `/dev/kmsg` gives one record a read (Documentation/ABI/testing/dev-kmsg). Its end is remembered before a process is
//! started, so that only what was said since is read.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;

use rustix::fs::OFlags;
use rustix::io::Errno;

use crate::model::{Seen, Unseen};
use crate::probe::root::Root;

/// The device.
const DEVICE: &str = "/dev/kmsg";

/// No record is larger: `PRINTK_MESSAGE_MAX` of kernel/printk/printk.c has 2048 bytes, `CONSOLE_EXT_LOG_MAX` 8192.
const LARGEST: usize = 8192;

/// So many records are read at a time: a flood of them may not hold an experiment up.
const MOST: usize = 1 << 16;

/// The kernel's log from a moment on.
#[derive(Debug)]
pub struct KernelLog {
    device: File,
}

/// One record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Microseconds since boot.
    pub micros: u64,
    /// The task or processor that said it (`CONFIG_PRINTK_CALLER`), where the kernel keeps that.
    pub caller: Option<String>,
    /// What it said; several lines sometimes.
    pub text: String,
}

impl KernelLog {
    /// Remembers where the log ends now.
    ///
    /// # Errors
    /// [`Unseen`] where it may not be read, with what would let it be.
    pub fn from_here(root: &Root) -> Seen<KernelLog> {
        let flags = OFlags::NONBLOCK.bits().cast_signed();
        let opened = OpenOptions::new().read(true).custom_flags(flags).open(root.path(DEVICE));
        let mut device = opened.map_err(|error| unseen(&error))?;
        device.seek(SeekFrom::End(0)).map_err(|error| unseen(&error))?;
        Ok(KernelLog { device })
    }

    /// What was said since the last time.
    ///
    /// # Errors
    /// [`Unseen`] where it may not be read any more.
    pub fn read(&mut self) -> Seen<Vec<Record>> {
        let mut records = Vec::new();
        let mut buffer = vec![0; LARGEST];
        while records.len() < MOST {
            match self.device.read(&mut buffer) {
                Ok(0) => break,
                Ok(length) => records.extend(Record::parse(&buffer[..length])),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // What was next has been overwritten: the device goes on with what is there.
                Err(error) if error.raw_os_error().map(Errno::from_raw_os_error) == Some(Errno::PIPE) => {}
                Err(error) => return Err(unseen(&error)),
            }
        }
        Ok(records)
    }
}

fn unseen(error: &io::Error) -> Unseen {
    match error.kind() {
        io::ErrorKind::PermissionDenied => Unseen::because(format!("{DEVICE}: permission denied"))
            .granted_by("run as root, or set kernel.dmesg_restrict to 0; in a container also --device /dev/kmsg"),
        io::ErrorKind::NotFound => {
            Unseen::because(format!("{DEVICE} is not there")).granted_by("in a container: --device /dev/kmsg")
        }
        _ => Unseen::because(format!("{DEVICE}: {error}")),
    }
}

impl Record {
    /// Reads a record: `6,1234,123456789,-,caller=T22;text`, then lines of keys and values that begin with a blank. What is
    /// no letter stands as `\x0a`.
    pub fn parse(bytes: &[u8]) -> Option<Record> {
        let text = String::from_utf8_lossy(bytes);
        let (head, body) = text.split_once(';')?;
        let mut head = head.split(',').skip(2);
        let micros = head.next()?.parse().ok()?;
        let caller = head.find_map(|word| word.strip_prefix("caller=")).map(str::to_owned);
        Some(Record { micros, caller, text: unescaped(body.lines().next().unwrap_or_default()) })
    }

    /// The record as `dmesg` writes it.
    pub fn line(&self) -> String {
        format!("[{:5}.{:06}] {}", self.micros / 1_000_000, self.micros % 1_000_000, self.text)
    }
}

fn unescaped(text: &str) -> String {
    let mut parts = text.split("\\x");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let byte = part.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match byte.filter(u8::is_ascii) {
            Some(byte) => {
                plain.push(char::from(byte));
                plain.push_str(&part[2..]);
            }
            None => {
                plain.push_str("\\x");
                plain.push_str(part);
            }
        }
    }
    plain
}

/// The first words of a report (`dump_header` in mm/oom_kill.c).
const FIRST: &str = "invoked oom-killer";

/// Its last ones (`__oom_kill_process`).
const KILLED: &str = "Killed process ";

/// The reports of kills in a group of a name, each as `dmesg` writes it, the first kill first. The kernel prints one report
/// after the other (`oom_lock`); what else it says in between is left out where the caller is known.
pub fn reports(records: &[Record], group: &str) -> Vec<String> {
    let starts: Vec<usize> = (0..records.len()).filter(|at| records[*at].text.contains(FIRST)).collect();
    let ends = starts.iter().skip(1).copied().chain([records.len()]);
    let blocks = starts.iter().zip(ends).map(|(start, end)| report(&records[*start..end]));
    blocks.filter(|report| names(report, group) && report.contains(KILLED)).collect()
}

/// What belongs to the report that begins a block: everything up to the kill, afterwards what tells of kills.
fn report(block: &[Record]) -> String {
    let by = &block[0].caller;
    let killed = block.iter().position(|record| record.text.contains(KILLED)).unwrap_or(block.len());
    let belongs = |at: usize, record: &Record| match at > killed {
        true => record.text.contains(KILLED) || record.text.contains("oom_reaper:"),
        false => by.is_none() || record.caller == *by,
    };
    let kept = block.iter().enumerate().filter(|(at, record)| belongs(*at, record));
    kept.map(|(_, record)| record.line() + "\n").collect()
}

/// Whether a group of this name, and not one whose name only begins so, stands in a path.
fn names(report: &str, group: &str) -> bool {
    let named = format!("/{group}");
    report.match_indices(&named).any(|(at, _)| {
        let next = report[at + named.len()..].chars().next();
        next.is_none_or(|next| !next.is_alphanumeric() && next != '-' && next != '_')
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use super::*;
    use crate::artefact::kernel_oom;

    fn record(text: &str) -> Record {
        Record::parse(format!("4,10,6218184662,-;{text}\n SUBSYSTEM=memory\n").as_bytes()).unwrap()
    }

    fn said() -> Vec<Record> {
        [
            "other invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0",
            "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/x/oomph-7-leaky,\
             task_memcg=/x/oomph-7-leaky,task=other,pid=8,uid=0",
            "Memory cgroup out of memory: Killed process 8 (other) total-vm:2052kB, anon-rss:1024kB, file-rss:0kB, \
             shmem-rss:0kB, UID:0 pgtables:44kB oom_score_adj:0",
            "worker invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0",
            "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/x/oomph-7-leak,\
             task_memcg=/x/oomph-7-leak,task=worker,pid=9,uid=0",
            "Memory cgroup out of memory: Killed process 9 (worker) total-vm:2052kB, anon-rss:1024kB, file-rss:0kB, \
             shmem-rss:0kB, UID:0 pgtables:44kB oom_score_adj:0",
            "EXT4-fs (vda): mounted filesystem",
            "oom_reaper: reaped process 9 (worker), now anon-rss:0kB, file-rss:0kB, shmem-rss:0kB",
        ]
        .map(record)
        .to_vec()
    }

    #[test]
    fn a_record_becomes_a_line_of_dmesg() {
        let record = Record::parse(b"6,339,5140900,-,caller=T1;a\\x09b\\x5cc d\\xzz\n SUBSYSTEM=pci\n").unwrap();
        assert_eq!(record.line(), "[    5.140900] a\tb\\c d\\xzz");
        assert_eq!(record.caller.as_deref(), Some("T1"));
        assert_eq!(Record::parse(b"no record"), None);
    }

    #[test]
    fn only_the_report_of_the_group_is_kept_and_can_be_read() {
        let found = reports(&said(), "oomph-7-leak");
        assert_eq!(found.len(), 1);
        assert!(!found[0].contains("EXT4") && found[0].ends_with("shmem-rss:0kB\n"), "{}", found[0]);
        let read = kernel_oom::reports(&found[0]);
        assert_eq!((read.len(), read[0].victim()), (1, Some(9)));
        assert_eq!(read[0].limited.as_deref(), Some("/x/oomph-7-leak"));
        assert_eq!(reports(&said(), "oomph-7-leaky").len(), 1);
        assert_eq!(reports(&said(), "oomph-8-leak"), Vec::<String>::new());
    }

    #[test]
    fn what_others_say_in_between_is_left_out_where_the_kernel_keeps_who_said_it() {
        let by = |caller: &str, text: &str| Record { caller: Some(caller.to_owned()), ..record(text) };
        let mut all = said().split_off(3);
        all.iter_mut().for_each(|record| record.caller = Some("T9".to_owned()));
        all.insert(1, by("T3", "usb 1-1: new device"));
        assert!(!reports(&all, "oomph-7-leak")[0].contains("usb"));
    }

    #[test]
    fn a_log_that_is_not_there_is_unseen_with_what_would_show_it() {
        let empty = tempfile::tempdir().unwrap();
        let unseen = KernelLog::from_here(&Root::captured(empty.path())).unwrap_err();
        assert_eq!(unseen.to_string(), "/dev/kmsg is not there (in a container: --device /dev/kmsg)");
    }
}
