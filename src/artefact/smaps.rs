//! `/proc/PID/smaps`: every mapping of a process with what of it is resident.
//!
//! Read by hand and not by a library, since a process may have 65,530 mappings and a table of all fields of each would
//! take the observer 60 MB. Format: `Documentation/filesystems/proc.rst` and `fs/proc/task_mmu.c` of Linux.

use thiserror::Error;

/// What a mapping may be used for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// `r`.
    pub read: bool,
    /// `w`.
    pub write: bool,
    /// `x`.
    pub execute: bool,
    /// `s`: what is written is seen by others.
    pub shared: bool,
}

/// The bits of `VmFlags` that tell mappings apart. The kernel prints them since 3.8.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VmFlags {
    /// `nr`: mapped with MAP_NORESERVE. glibc maps its heaps so, and the JVM what it only reserves.
    pub no_reserve: bool,
    /// `nh`: MADV_NOHUGEPAGE. The JVM advises it for stacks since 17.0.9 and 21.
    pub no_huge: bool,
    /// `gd`: grows down: the stack of the first thread.
    pub grows_down: bool,
}

/// One mapping. Sizes are in bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mapping {
    /// The first address.
    pub start: u64,
    /// The address behind the last.
    pub end: u64,
    /// What it may be used for.
    pub access: Access,
    /// Where in the file it begins.
    pub offset: u64,
    /// The file's inode; 0 where there is no file.
    pub inode: u64,
    /// The file's path, `[heap]`, or empty. Line feeds in it are written as `\012` by the kernel.
    pub name: String,
    /// Resident: every page of it that is in memory, shared or not.
    pub rss: u64,
    /// The share of it that this process pays for: pages mapped n times count an n-th.
    pub pss: u64,
    /// Pages that belong to no file, written pages of private file mappings among them.
    pub anonymous: u64,
    /// Pages that were written.
    pub dirty: u64,
    /// In transparent huge pages.
    pub huge: u64,
    /// Swapped out.
    pub swap: u64,
    /// What the kernel says of it; nothing where it says nothing.
    pub flags: Option<VmFlags>,
}

impl Mapping {
    /// How many addresses it has.
    pub fn size(&self) -> u64 {
        self.end.saturating_sub(self.start)
    }

    /// Whether no file and no name stands behind it.
    pub fn is_anonymous(&self) -> bool {
        self.inode == 0 && (self.name.is_empty() || self.name.starts_with("[anon"))
    }

    /// Whether nothing in it may be touched: a guard, or what is only reserved.
    pub fn is_reserved(&self) -> bool {
        !self.access.read && !self.access.write && !self.access.execute
    }

    /// The last part of the path, without what the kernel adds to a file that is gone.
    pub fn file_name(&self) -> &str {
        let path = self.name.strip_suffix(" (deleted)").unwrap_or(&self.name);
        path.rsplit('/').next().unwrap_or(path)
    }
}

/// All mappings of a process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Smaps {
    /// In the order of addresses.
    pub mappings: Vec<Mapping>,
}

impl Smaps {
    /// The resident set that the mappings add up to.
    pub fn rss(&self) -> u64 {
        self.mappings.iter().map(|mapping| mapping.rss).fold(0, u64::saturating_add)
    }

    /// What is swapped out.
    pub fn swap(&self) -> u64 {
        self.mappings.iter().map(|mapping| mapping.swap).fold(0, u64::saturating_add)
    }

    /// The mapping that an address lies in.
    pub fn at(&self, address: u64) -> Option<usize> {
        let behind = self.mappings.partition_point(|mapping| mapping.start <= address);
        let index = behind.checked_sub(1)?;
        (address < self.mappings[index].end).then_some(index)
    }
}

/// The text is no smaps.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SmapsError {
    /// It holds nothing: the process has ended and waits to be collected, or is a thread of the kernel.
    #[error("it is empty: the process has ended or is one of the kernel's")]
    Empty,
    /// A line is neither a mapping nor a field of one.
    #[error("line {line} is neither a mapping nor a field of one")]
    Line {
        /// Which, from 1.
        line: usize,
    },
    /// Mappings overlap or run backwards: what was read is from two processes.
    #[error("the mapping in line {line} lies before the one above it")]
    Order {
        /// Which, from 1.
        line: usize,
    },
}

/// Reads the whole of an smaps. A last line that was cut off, as when the process ends while it is read, is left out.
///
/// # Errors
/// [`SmapsError`] where it is empty, or a line has no place in an smaps.
pub fn parse(bytes: &[u8]) -> Result<Smaps, SmapsError> {
    let mut mappings: Vec<Mapping> = Vec::new();
    for (index, line) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let Some(line) = line.strip_suffix(b"\n") else { break };
        let wrong = SmapsError::Line { line: index + 1 };
        // A field begins with a capital letter, a mapping with a hexadecimal digit in lower case.
        if line.first().is_some_and(u8::is_ascii_uppercase) {
            let mapping = mappings.last_mut().ok_or(wrong.clone())?;
            field(line, mapping).ok_or(wrong)?;
        } else {
            let mapping = header(line).ok_or(wrong)?;
            if mappings.last().is_some_and(|above| mapping.start < above.end) {
                return Err(SmapsError::Order { line: index + 1 });
            }
            mappings.push(mapping);
        }
    }
    if mappings.is_empty() { Err(SmapsError::Empty) } else { Ok(Smaps { mappings }) }
}

/// `7f0700000000-7f0703fff000 rw-p 00000000 00:00 0     /path`
fn header(line: &[u8]) -> Option<Mapping> {
    let mut rest = line;
    let mut word = || {
        let end = rest.iter().position(|byte| *byte == b' ').unwrap_or(rest.len());
        let (word, behind) = rest.split_at(end);
        rest = behind.strip_prefix(b" ").unwrap_or(behind);
        word
    };
    let range = word();
    let dash = range.iter().position(|byte| *byte == b'-')?;
    let (start, end) = (hexadecimal(&range[..dash])?, hexadecimal(&range[dash + 1..])?);
    let access = word();
    let [read, write, execute, shared] = *access else { return None };
    let offset = hexadecimal(word())?;
    let _device = word();
    let inode = decimal(word())?;
    let name = String::from_utf8_lossy(rest.trim_ascii()).into_owned();
    let access = Access { read: read == b'r', write: write == b'w', execute: execute == b'x', shared: shared == b's' };
    (start < end).then(|| Mapping { start, end, access, offset, inode, name, ..Mapping::default() })
}

/// `Rss:                 128 kB`, or `VmFlags: rd wr mr mw me ac`. Fields that are not asked for are passed over.
fn field(line: &[u8], mapping: &mut Mapping) -> Option<()> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
    let target = match name {
        b"Rss" => &mut mapping.rss,
        b"Pss" => &mut mapping.pss,
        b"Anonymous" => &mut mapping.anonymous,
        b"AnonHugePages" => &mut mapping.huge,
        b"Swap" => &mut mapping.swap,
        b"Private_Dirty" | b"Shared_Dirty" => {
            mapping.dirty = mapping.dirty.saturating_add(kilobytes(value)?);
            return Some(());
        }
        b"VmFlags" => {
            let has = |flag: &[u8]| value.split(|byte| *byte == b' ').any(|word| word == flag);
            mapping.flags = Some(VmFlags { no_reserve: has(b"nr"), no_huge: has(b"nh"), grows_down: has(b"gd") });
            return Some(());
        }
        _ => return Some(()),
    };
    *target = kilobytes(value)?;
    Some(())
}

fn kilobytes(value: &[u8]) -> Option<u64> {
    decimal(value.strip_suffix(b" kB")?.trim_ascii())?.checked_mul(1024)
}

fn decimal(digits: &[u8]) -> Option<u64> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

fn hexadecimal(digits: &[u8]) -> Option<u64> {
    let is_lower_hex = |byte: &u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte);
    digits.iter().all(is_lower_hex).then(|| u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok())?
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

    use super::*;

    const TWO: &str = "\
7f0700000000-7f0703fff000 rw-p 00000000 00:00 0 
Size:              65532 kB
KernelPageSize:        4 kB
Rss:               64996 kB
Pss:               64990 kB
Shared_Dirty:          4 kB
Private_Dirty:     64992 kB
Anonymous:         64996 kB
AnonHugePages:      2048 kB
Swap:                 12 kB
THPeligible:           0
VmFlags: rd wr mr mw me nr 
7ffe84332000-7ffe84356000 r-xs 0000f000 fe:00 4711                       /opt/a b/lib.so (deleted)
Rss:                  44 kB
";

    #[test]
    fn fields_belong_to_the_mapping_above_them() {
        let smaps = parse(TWO.as_bytes()).unwrap();
        let [heap, library] = smaps.mappings.as_slice() else { panic!("{smaps:?}") };
        assert_eq!((heap.start, heap.size()), (0x7f07_0000_0000, 65532 << 10));
        assert_eq!((heap.rss, heap.pss, heap.dirty), (64996 << 10, 64990 << 10, 64996 << 10));
        assert_eq!((heap.huge, heap.swap), (2 << 20, 12 << 10));
        assert!(heap.is_anonymous() && heap.flags.unwrap().no_reserve && !heap.flags.unwrap().no_huge);
        assert_eq!((library.inode, library.offset, library.file_name()), (4711, 0xf000, "lib.so"));
        assert!(library.access.shared && library.access.execute && !library.access.write && library.flags.is_none());
        assert_eq!((smaps.rss(), smaps.swap()), ((64996 + 44) << 10, 12 << 10));
    }

    #[test]
    fn an_address_is_found_in_its_mapping_or_in_none() {
        let smaps = parse(TWO.as_bytes()).unwrap();
        assert_eq!(smaps.at(0x7f07_0000_0000), Some(0));
        assert_eq!(smaps.at(0x7f07_03ff_f000), None);
        assert_eq!(smaps.at(0x7ffe_8435_5fff), Some(1));
        assert_eq!(smaps.at(0), None);
    }

    #[test]
    fn a_text_that_was_cut_off_gives_what_it_holds() {
        let cut = TWO.find("AnonHuge").unwrap() + 9;
        let smaps = parse(&TWO.as_bytes()[..cut]).unwrap();
        assert_eq!((smaps.mappings.len(), smaps.mappings[0].anonymous), (1, 64996 << 10));
    }

    #[test]
    fn what_is_no_smaps_is_refused_with_its_line() {
        assert_eq!(parse(b""), Err(SmapsError::Empty));
        assert_eq!(parse(b"Rss:   1 kB\n"), Err(SmapsError::Line { line: 1 }));
        assert_eq!(parse(b"hello\n"), Err(SmapsError::Line { line: 1 }));
        assert_eq!(parse(b"1000-2000 rw-p 0 0:0 0 \nRss: many\n"), Err(SmapsError::Line { line: 2 }));
        assert_eq!(parse(b"2000-1000 rw-p 0 0:0 0 \n"), Err(SmapsError::Line { line: 1 }));
        let twice = b"1000-2000 rw-p 0 0:0 0 \n1000-3000 rw-p 0 0:0 0 \n";
        assert_eq!(parse(twice), Err(SmapsError::Order { line: 2 }));
    }

    #[test]
    fn a_process_at_the_limit_of_mappings_is_read() {
        let mut text = String::new();
        for index in 0..65_530_u64 {
            let start = 0x1000_0000 + index * 0x2000;
            text += &format!("{start:x}-{:x} rw-p 00000000 00:00 0 \nRss:   4 kB\nVmFlags: rd wr\n", start + 0x1000);
        }
        let smaps = parse(text.as_bytes()).unwrap();
        assert_eq!((smaps.mappings.len(), smaps.rss()), (65_530, 65_530 * 4096));
    }
}
