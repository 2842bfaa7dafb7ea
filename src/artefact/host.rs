//! What the machine says of its memory: huge pages, swap, the number of mappings a process may have.

use crate::model::{Bytes, Seen};

/// How the kernel makes huge pages out of what a process did not ask for as such.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HugePages {
    /// Wherever it can: resident sets grow beyond what is touched.
    Always,
    /// Where a program asks for it.
    Madvise,
    /// Never.
    Never,
}

/// The machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// Its memory.
    pub memory: Seen<Bytes>,
    /// What is free or can be freed at once.
    pub available: Seen<Bytes>,
    /// Its swap space.
    pub swap: Seen<Bytes>,
    /// Transparent huge pages.
    pub huge_pages: Seen<HugePages>,
    /// Mappings that a process may have (`vm.max_map_count`).
    pub max_mappings: Seen<u64>,
}

/// A line of `/proc/meminfo`: `MemTotal:       24598652 kB`.
pub fn meminfo(text: &str, key: &str) -> Option<Bytes> {
    let value = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))?;
    value.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024).map(Bytes::new)
}

/// `/sys/kernel/mm/transparent_hugepage/enabled`: `always [madvise] never`.
pub fn huge_pages(text: &str) -> Option<HugePages> {
    let chosen = text.split_once('[')?.1.split_once(']')?.0;
    match chosen {
        "always" => Some(HugePages::Always),
        "madvise" => Some(HugePages::Madvise),
        "never" => Some(HugePages::Never),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machines_files_are_read_and_malformed_ones_give_nothing() {
        let text = "MemTotal:       24598652 kB\nMemAvailable:   1 kB\nSwapTotal: x kB\n";
        assert_eq!(meminfo(text, "MemTotal"), Some(Bytes::new(24_598_652 * 1024)));
        assert_eq!((meminfo(text, "SwapTotal"), meminfo(text, "Mem")), (None, None));
        assert_eq!(huge_pages("always [madvise] never\n"), Some(HugePages::Madvise));
        assert_eq!((huge_pages("[sometimes]"), huge_pages("")), (None, None));
    }
}
