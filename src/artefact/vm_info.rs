//! Where a JVM's memory lies, as `VM.info` prints it: the places of the heap, the class space, the CDS archive, the code
//! heaps and the collector's tables (JDK 11 to 25; `vmError.cpp`, `VMError::print_vm_info`). An error log, `hs_err_pid*.log`,
//! has the same lines.

/// Addresses from the first to the one behind the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AddressRange {
    /// The first address.
    pub start: u64,
    /// The address behind the last.
    pub end: u64,
}

impl AddressRange {
    /// A range that is not empty.
    pub fn new(start: u64, end: u64) -> Option<AddressRange> {
        (start < end).then_some(AddressRange { start, end })
    }

    /// How many bytes.
    pub fn size(self) -> u64 {
        self.end - self.start
    }

    /// Whether an address is in it.
    pub fn contains(self, address: u64) -> bool {
        (self.start..self.end).contains(&address)
    }
}

/// One segment of the code cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeHeap {
    /// `non-nmethods`, `profiled nmethods`, `non-profiled nmethods`; `CodeCache` where it is not segmented.
    pub name: String,
    /// What is reserved.
    pub reserved: AddressRange,
    /// Up to where it is committed.
    pub committed_end: u64,
    /// Bytes in use, which the JVM prints in whole KiB.
    pub used: Option<u64>,
}

/// A table of the collector: `Card table`, `Prev Bits`, `Bits`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CollectorTable {
    /// As the JVM calls it.
    pub name: String,
    /// Where it lies.
    pub at: AddressRange,
}

/// Where memory lies. What the JVM does not print is absent: ZGC says nothing of its heap.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VmInfo {
    /// `g1 gc`, `z gc`, `concurrent mark sweep gc`, as in the line `Java VM:`.
    pub collector: Option<String>,
    /// The reserved heap.
    pub heap: Option<AddressRange>,
    /// The mapped CDS archive.
    pub cds: Option<AddressRange>,
    /// The reserved class space.
    pub class_space: Option<AddressRange>,
    /// The code cache.
    pub code_heaps: Vec<CodeHeap>,
    /// The collector's tables.
    pub tables: Vec<CollectorTable>,
}

/// More code heaps or tables than any JVM has.
const MOST: usize = 16;

impl VmInfo {
    /// Reads a text; nothing in it is required. Up to the heap's history: what is behind tells of the past.
    pub fn parse(text: &str) -> VmInfo {
        let mut info = VmInfo::default();
        let mut code_heap: Option<(&str, Option<u64>)> = None;
        let mut spaces: Option<AddressRange> = None;
        for line in text.lines().take_while(|line| !is_history(line)) {
            let trimmed = line.trim();
            if let Some(rest) = trimmed.strip_prefix("# Java VM: ") {
                info.collector = info.collector.or_else(|| collector(rest));
            } else if let Some(rest) = without_case(trimmed, "heap address: ") {
                info.heap = info.heap.or_else(|| address_and_megabytes(rest));
            } else if let Some(rest) = trimmed.strip_prefix("CDS archive(s) mapped at: [") {
                info.cds = info.cds.or_else(|| dashed(rest));
            } else if let Some(rest) = trimmed.strip_prefix("Compressed class space mapped at: ") {
                info.class_space = info.class_space.or_else(|| dashed(rest));
            } else if let Some(rest) = trimmed.strip_prefix("Compressed class space size: ") {
                info.class_space = info.class_space.or_else(|| size_and_address(rest));
            } else if trimmed.starts_with("CodeHeap '") || trimmed.starts_with("CodeCache: ") {
                let name = trimmed.split('\'').nth(1).unwrap_or("CodeCache");
                code_heap = Some((name, kibibytes_after(trimmed, " used=")));
            } else if let Some(rest) = trimmed.strip_prefix("bounds [") {
                let known = code_heap.take().filter(|_| info.code_heaps.len() < MOST);
                info.code_heaps.extend(known.and_then(|(name, used)| bounds(name, used, rest)));
            } else if let Some(table) = table(trimmed).filter(|_| info.tables.len() < MOST) {
                info.tables.push(table);
            } else if line.starts_with(' ') && !line.starts_with("  ") {
                // Of each generation: where it begins, where its committed part ends, where it ends.
                spaces = union(spaces, generation(trimmed));
            }
        }
        info.heap = info.heap.or(spaces);
        info
    }
}

/// What begins the sections of events and of other things than addresses.
fn is_history(line: &str) -> bool {
    ["GC Heap History", "Compilation events", "Dynamic libraries:", "VM Arguments:"]
        .iter()
        .any(|start| line.starts_with(start))
}

/// `…, compressed class ptrs, g1 gc, linux-amd64)`.
fn collector(rest: &str) -> Option<String> {
    rest.split(", ").find(|part| part.ends_with(" gc")).map(str::to_owned)
}

/// JDK 8 writes `heap address:`.
fn without_case<'a>(line: &'a str, start: &str) -> Option<&'a str> {
    line.get(..start.len()).filter(|begin| begin.eq_ignore_ascii_case(start)).and_then(|_| line.get(start.len()..))
}

/// `0x00000000e0000000, size: 512 MB, Compressed Oops mode: 32-bit`.
fn address_and_megabytes(rest: &str) -> Option<AddressRange> {
    let start = address(rest)?;
    let size = digits(rest.split_once("size: ")?.1)?.checked_mul(1 << 20)?;
    AddressRange::new(start, start.checked_add(size)?)
}

/// JDK 11's `1073741824 Address: 0x0000000100000000`.
fn size_and_address(rest: &str) -> Option<AddressRange> {
    let start = address(rest.split_once("Address: ")?.1)?;
    AddressRange::new(start, start.checked_add(digits(rest)?)?)
}

/// `0x…-0x…`, and in a list of regions the first and the last.
fn dashed(rest: &str) -> Option<AddressRange> {
    let list = rest.split([')', ',', ']']).next()?;
    AddressRange::new(address(list)?, address(list.rsplit('-').next()?)?)
}

/// `0x…, 0x…, 0x…]`: begin, end of the committed part, end.
fn bounds(name: &str, used: Option<u64>, rest: &str) -> Option<CodeHeap> {
    let mut parts = rest.split(',').map(|part| address(part.trim()));
    let (start, committed_end, end) = (parts.next()??, parts.next()??, parts.next()??);
    let reserved = AddressRange::new(start, end)?;
    (start <= committed_end && committed_end <= end).then(|| CodeHeap {
        name: name.to_owned(),
        reserved,
        committed_end,
        used,
    })
}

/// `Card table byte_map: [0x…,0x…] …`, `Prev Bits: [0x…, 0x…)`, `End Bits:   [0x…, 0x…)`.
fn table(line: &str) -> Option<CollectorTable> {
    let (name, rest) = line.split_once(':')?;
    let rest = rest.trim_start().strip_prefix('[')?;
    let name = name.trim_end_matches(" byte_map");
    let known = name == "Card table" || name.ends_with("Bits");
    let (start, rest) = rest.split_once(',').filter(|_| known)?;
    Some(CollectorTable { name: name.to_owned(), at: AddressRange::new(address(start)?, address(rest.trim())?)? })
}

/// `PSYoungGen total 28672K, used 10458K [0x…, 0x…, 0x…)`; G1's has two addresses, Shenandoah's is `- [0x…, 0x…)`.
fn generation(line: &str) -> Option<AddressRange> {
    let (before, rest) = line.split_once('[')?;
    let heap = before == "- " || before.contains(" total ") && before.contains(" used ");
    let list = rest.strip_suffix(')').filter(|_| heap)?;
    AddressRange::new(address(list)?, address(list.rsplit(',').next()?.trim())?)
}

fn union(one: Option<AddressRange>, other: Option<AddressRange>) -> Option<AddressRange> {
    match (one, other) {
        (Some(one), Some(other)) => AddressRange::new(one.start.min(other.start), one.end.max(other.end)),
        (one, other) => one.or(other),
    }
}

/// `size=5692Kb used=1456Kb`.
fn kibibytes_after(line: &str, what: &str) -> Option<u64> {
    digits(line.split_once(what)?.1)?.checked_mul(1 << 10)
}

fn digits(text: &str) -> Option<u64> {
    text.split(|letter: char| !letter.is_ascii_digit()).next()?.parse().ok()
}

fn address(text: &str) -> Option<u64> {
    let hex = text.strip_prefix("0x")?;
    u64::from_str_radix(hex.split(|letter: char| !letter.is_ascii_hexdigit()).next()?, 16).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]
    use super::*;

    macro_rules! captured {
        ($name:literal) => {
            VmInfo::parse(include_str!(concat!("../../testdata/vm-info/", $name, ".txt")))
        };
    }

    fn range(start: u64, end: u64) -> Option<AddressRange> {
        AddressRange::new(start, end)
    }

    #[test]
    fn a_task_manager_with_g1_says_where_everything_is() {
        let info = captured!("flink/2.3.0");
        assert_eq!(info.collector.as_deref(), Some("g1 gc"));
        assert_eq!(info.heap, range(0xe000_0000, 0x1_0000_0000));
        assert_eq!(info.cds, range(0x7f06_c600_0000, 0x7f06_c6bc_b000));
        assert_eq!(info.class_space, range(0x7f06_c700_0000, 0x7f06_d400_0000));
        assert_eq!(info.class_space.unwrap().size(), 218_103_808);
        let names: Vec<&str> = info.code_heaps.iter().map(|heap| heap.name.as_str()).collect();
        assert_eq!(names, ["non-profiled nmethods", "profiled nmethods", "non-nmethods"]);
        let first = &info.code_heaps[0];
        assert_eq!(Some(first.reserved), range(0x7f06_f0ec_7000, 0x7f06_f840_0000));
        assert_eq!((first.committed_end, first.used), (0x7f06_f12a_7000, Some(3922 << 10)));
        let tables: Vec<(&str, u64)> = info.tables.iter().map(|table| (table.name.as_str(), table.at.size())).collect();
        // A card a 512 bytes, a bit a 8 bytes of 512 MiB.
        assert_eq!(tables, [("Card table", 1 << 20), ("Prev Bits", 8 << 20), ("Next Bits", 8 << 20)]);
    }

    #[test]
    fn every_collector_and_jdk_says_what_it_does() {
        let heap = range(0xfa00_0000, 0x1_0000_0000);
        let all = [
            (captured!("jdk/serial-17"), "serial gc", heap, vec!["Card table"]),
            (captured!("jdk/parallel-17"), "parallel gc", heap, vec!["Card table", "Begin Bits", "End Bits"]),
            (captured!("jdk/shenandoah-17"), "shenandoah gc", heap, vec![]),
            (captured!("jdk/z-17"), "z gc", None, vec![]),
            (captured!("jdk/z-25"), "z gc", None, vec![]),
            (captured!("jdk/g1-25"), "g1 gc", heap, vec!["Card table", "Bits"]),
            (captured!("jdk/g1-11"), "g1 gc", heap, vec!["Card table", "Prev Bits", "Next Bits"]),
            (captured!("jdk/cms-11"), "concurrent mark sweep gc", heap, vec!["Card table", "Bits", "Bits"]),
        ];
        for (info, collector, heap, tables) in all {
            assert_eq!(info.collector.as_deref(), Some(collector));
            assert_eq!(info.heap, heap, "{collector}");
            assert_eq!(info.tables.iter().map(|table| table.name.as_str()).collect::<Vec<_>>(), tables, "{collector}");
            assert_eq!(info.class_space.unwrap().size(), 1 << 30, "{collector}");
            assert_eq!(info.code_heaps.len(), 3, "{collector}");
        }
    }

    #[test]
    fn a_heap_too_large_for_compressed_pointers_is_told_by_its_generations() {
        let text = include_str!("../../testdata/vm-info/jdk/parallel-17.txt").replace("Heap address", "Nothing");
        assert_eq!(VmInfo::parse(&text).heap, range(0xfa00_0000, 0x1_0000_0000));
        let text = include_str!("../../testdata/vm-info/jdk/shenandoah-17.txt").replace("Heap address", "Nothing");
        assert_eq!(VmInfo::parse(&text).heap, range(0xfa00_0000, 0x1_0000_0000));
    }

    #[test]
    fn addresses_that_cannot_be_are_left_out() {
        let info = VmInfo::parse(
            "Heap address: 0xffffffffffff0000, size: 99999999999 MB\n\
             CDS archive(s) mapped at: [0x20-0x10)\nCDS archive(s) not mapped\n\
             CodeHeap 'x': size=1Kb used=1Kb\n bounds [0x30, 0x50, 0x40]\n bounds [0x1, 0x2, 0x3]\n",
        );
        assert_eq!(info, VmInfo::default());
    }
}
