//! Walks the chunks of glibc's malloc in a live process, without stopping it.
//!
//! Reading a page that is not in memory would change the process: an untouched one gets the zero page, a swapped one is
//! swapped in. So `/proc/PID/pagemap` is asked first, heap by heap, and only what is in memory is read through
//! `/proc/PID/mem`. A page that leaves memory in between, within milliseconds, is read nevertheless.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use super::root::Root;
use crate::artefact::malloc_chunks::{HeapMapping, HeapWalk, Lost, Memory, walk};
use crate::model::{Seen, Unseen};

/// Walks the heaps of a process of this machine, in those of its mappings that are given.
///
/// # Errors
/// [`Unseen`] in a capture, which has no memory, and where `/proc/PID/pagemap` or `/proc/PID/mem` may not be read.
pub fn walk_heap(root: &Root, pid: u32, mappings: &[HeapMapping]) -> Seen<HeapWalk> {
    if !root.is_live() {
        return Err(Unseen::because("a capture holds no memory: only a live process's chunks can be walked"));
    }
    let mut memory = ProcessMemory::open(root, pid)?;
    walk(&mut memory, mappings)
}

/// The memory of a live process.
struct ProcessMemory<'r> {
    root: &'r Root,
    pid: u32,
    page: u64,
    memory: File,
    pagemap: File,
    entries: Vec<u8>,
}

impl ProcessMemory<'_> {
    fn open(root: &Root, pid: u32) -> Seen<ProcessMemory<'_>> {
        let open =
            |name: &str| File::open(root.process(pid).join(name)).map_err(|error| root.unseen_of(pid, name, &error));
        let (pagemap, memory) = (open("pagemap")?, open("mem")?);
        let page = rustix::param::page_size() as u64;
        Ok(ProcessMemory { root, pid, page, memory, pagemap, entries: Vec::new() })
    }

    fn lost(&self, name: &str, error: &io::Error) -> Lost {
        match error.kind() {
            // A file below /proc ends at once where the process has ended.
            io::ErrorKind::UnexpectedEof => {
                Lost::Unseen(Unseen::because(format!("/proc/{}/{name}: the process has ended", self.pid)))
            }
            _ if error.raw_os_error().map(rustix::io::Errno::from_raw_os_error) == Some(rustix::io::Errno::IO) => {
                Lost::Unmapped
            }
            _ => Lost::Unseen(self.root.unseen_of(self.pid, name, error)),
        }
    }
}

impl Memory for ProcessMemory<'_> {
    fn page_size(&self) -> u64 {
        self.page
    }

    fn pages(&mut self, from: u64, entries: &mut [u64]) -> Result<(), Lost> {
        self.entries.resize(entries.len() * 8, 0);
        let offset = from / self.page * 8;
        self.pagemap.read_exact_at(&mut self.entries, offset).map_err(|error| self.lost("pagemap", &error))?;
        let (words, _) = self.entries.as_chunks::<8>();
        for (entry, word) in entries.iter_mut().zip(words) {
            *entry = u64::from_le_bytes(*word);
        }
        Ok(())
    }

    fn read(&mut self, from: u64, bytes: &mut [u8]) -> Result<(), Lost> {
        self.memory.read_exact_at(bytes, from).map_err(|error| self.lost("mem", &error))
    }

    fn heap_end(&mut self) -> Option<u64> {
        let maps = self.root.read_of(self.pid, "maps").ok()?;
        let maps = String::from_utf8_lossy(&maps);
        let line = maps.lines().rfind(|line| line.ends_with(" [heap]"))?;
        let (_, end) = line.split(' ').next()?.split_once('-')?;
        u64::from_str_radix(end, 16).ok()
    }
}
