//! Which pages of a range are in memory.

use super::{Lost, Memory};

/// Bit 63 of an entry of pagemap.
const PRESENT: u64 = 1 << 63;
/// Bit 62.
const SWAPPED: u64 = 1 << 62;
/// Entries that are read at a time: 64 KiB.
const ENTRIES: usize = 8192;

/// One bit a page, and how many pages are in memory before each 64th.
pub(super) struct Residence {
    start: u64,
    page: u64,
    /// The page size as a shift: dividing by it took a third of a walk.
    shift: u32,
    words: Vec<u64>,
    before: Vec<u32>,
    /// Bytes that are swapped.
    pub swapped: u64,
}

impl Residence {
    /// Of the pages from `start` to `end`, both at a page's start.
    pub(super) fn read<M: Memory>(memory: &mut M, start: u64, end: u64) -> Result<Residence, Lost> {
        let page = memory.page_size().next_power_of_two();
        let pages = usize::try_from(end.saturating_sub(start) / page).unwrap_or(usize::MAX);
        let mut words = Vec::new();
        let mut swapped = 0;
        let mut entries = vec![0; ENTRIES.min(pages)];
        let mut done = 0;
        while done < pages {
            let count = ENTRIES.min(pages - done);
            let part = entries.get_mut(..count).unwrap_or_default();
            part.fill(0);
            memory.pages(start + done as u64 * page, part)?;
            for bits in part.chunks(64) {
                words.push(bits.iter().enumerate().fold(0, |word, (at, entry)| word | (entry >> 63 << at)));
                swapped += bits.iter().filter(|entry| *entry & (SWAPPED | PRESENT) == SWAPPED).count() as u64 * page;
            }
            done += count;
        }
        let mut sum = 0_u32;
        let mut before = Vec::with_capacity(words.len() + 1);
        before.push(0);
        before.extend(words.iter().map(|word| {
            sum += word.count_ones();
            sum
        }));
        Ok(Residence { start, page, shift: page.trailing_zeros(), words, before, swapped })
    }

    /// Pages in memory among the first `pages`.
    fn rank(&self, pages: u64) -> u64 {
        let word = usize::try_from(pages / 64).unwrap_or(usize::MAX);
        match (self.before.get(word), self.words.get(word)) {
            (Some(before), Some(bits)) => u64::from(before + (bits & ((1 << (pages % 64)) - 1)).count_ones()),
            _ => self.before.last().copied().unwrap_or_default().into(),
        }
    }

    pub(super) fn has(&self, address: u64) -> bool {
        let Some(offset) = address.checked_sub(self.start) else { return false };
        let page = offset >> self.shift;
        let word = usize::try_from(page / 64).ok().and_then(|word| self.words.get(word));
        word.is_some_and(|word| word >> (page % 64) & 1 == 1)
    }

    /// Where the pages in memory end that begin with an address's; the address itself where its page is not in memory. Not
    /// farther than `limit`.
    pub(super) fn run_end(&self, address: u64, limit: u64) -> u64 {
        let mut at = address;
        while at < limit && self.has(at) {
            at = (at & !(self.page - 1)) + self.page;
        }
        at.min(limit)
    }

    /// The next page from an address on that is in memory, before `limit`.
    pub(super) fn next(&self, address: u64, limit: u64) -> Option<u64> {
        let mut page = address.saturating_sub(self.start).div_ceil(self.page);
        loop {
            let word = *self.words.get(usize::try_from(page / 64).ok()?)? >> (page % 64);
            if word != 0 {
                let at = self.start + (page + u64::from(word.trailing_zeros())) * self.page;
                return (at < limit).then_some(at);
            }
            page = page / 64 * 64 + 64;
        }
    }

    /// Resident bytes between two addresses, to the byte.
    pub(super) fn bytes(&self, from: u64, to: u64) -> u64 {
        let [from, to] = [from, to].map(|at| at.saturating_sub(self.start));
        if to <= from {
            return 0;
        }
        let part = |at: u64| {
            let inside = at & (self.page - 1);
            let whole = self.rank(at >> self.shift) << self.shift;
            if inside > 0 && self.has(self.start + at) { whole + inside } else { whole }
        };
        part(to) - part(from)
    }

    /// Resident bytes of the pages that lie wholly between two addresses.
    pub(super) fn whole_pages(&self, from: u64, to: u64) -> u64 {
        let from = (from.saturating_sub(self.start) + self.page - 1) >> self.shift;
        let to = to.saturating_sub(self.start) >> self.shift;
        if to <= from { 0 } else { (self.rank(to) - self.rank(from)) << self.shift }
    }
}
