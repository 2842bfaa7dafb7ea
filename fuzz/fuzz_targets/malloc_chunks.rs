//! Chunks out of any bytes: no page that is not in memory is read, and each byte that is counted is there.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oomph::artefact::malloc_chunks::{HeapMapping, KnownSizes, Lost, Memory, SizeClasses, walk};

const PAGE: u64 = 4096;
const BASE: u64 = 64 << 20;

/// The bytes as memory, from the start of a heap on; a page is in memory if its first byte of flags says so.
struct Image<'a> {
    bytes: &'a [u8],
    flags: &'a [u8],
    end: u64,
}

impl Image<'_> {
    fn present(&self, at: u64) -> bool {
        let flag = at.checked_sub(BASE).and_then(|at| self.flags.get((at / PAGE) as usize % self.flags.len().max(1)));
        (BASE..self.end).contains(&at) && flag.is_none_or(|flag| flag & 3 != 3)
    }
}

impl Memory for Image<'_> {
    fn page_size(&self) -> u64 {
        PAGE
    }

    fn pages(&mut self, from: u64, entries: &mut [u64]) -> Result<(), Lost> {
        for (at, entry) in (from..).step_by(PAGE as usize).zip(entries) {
            *entry = u64::from(self.present(at)) << 63;
        }
        Ok(())
    }

    fn read(&mut self, from: u64, bytes: &mut [u8]) -> Result<(), Lost> {
        assert!((from..from + bytes.len() as u64).all(|at| self.present(at)));
        for (at, byte) in (from - BASE..).zip(bytes) {
            *byte = self.bytes.get(at as usize).copied().unwrap_or(0);
        }
        Ok(())
    }

    fn heap_end(&mut self) -> Option<u64> {
        Some(self.end + PAGE)
    }
}

fuzz_target!(|data: &[u8]| {
    let Some(([pages, first, count], rest)) = data.split_first_chunk() else { return };
    let (flags, bytes) = rest.split_at((*count as usize % 8).min(rest.len()));
    let end = BASE + u64::from(*pages).max(1) * PAGE;
    let cut = BASE + u64::from(*first) % u64::from(*pages).max(1) * PAGE;
    let mut image = Image { bytes, flags, end };
    for brk in [false, true] {
        let mappings = [
            HeapMapping { start: BASE, end: cut, brk, resident: 1 },
            HeapMapping { start: cut, end, brk: false, resident: 1 },
        ];
        let Ok(walk) = walk(&mut image, &mappings) else { return };
        assert_eq!(walk.resident(), walk.pieces.iter().map(|piece| piece.resident).sum::<u64>());
        assert!(walk.resident() <= end + PAGE - BASE);
        assert!(walk.pieces.windows(2).all(|two| two[0].end <= two[1].start));
        let known = KnownSizes {
            network_segments: Some((32768, 2)),
            tracked: false,
            memtable_blocks: vec![1 << 20],
            block_size: 4096,
            page_size: PAGE,
        };
        let total = SizeClasses::of(&walk, &known).total();
        assert_eq!(total.bytes, walk.total().in_use.bytes + walk.mapped_total().bytes);
    }
});
