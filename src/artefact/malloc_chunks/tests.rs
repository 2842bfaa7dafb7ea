//! Heaps as glibc lays them out, built byte by byte, and what a walk makes of them.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use proptest::prelude::*;

use super::*;

const PAGE: u64 = 4096;
const BASE: u64 = 64 << 20;

/// A range of memory. Reading a page of it that is not in memory fails the test.
struct Image {
    start: u64,
    bytes: Vec<u8>,
    present: Vec<bool>,
    swapped: Vec<bool>,
    heap_end: Option<u64>,
    /// Bytes that change after so many reads at or before their place.
    later: Option<(usize, u64, u64)>,
}

impl Image {
    fn new(start: u64, length: u64) -> Image {
        let pages = (length / PAGE) as usize;
        Image {
            start,
            bytes: vec![0; length as usize],
            present: vec![true; pages],
            swapped: vec![false; pages],
            heap_end: None,
            later: None,
        }
    }

    fn put(&mut self, at: u64, word: u64) {
        let from = (at - self.start) as usize;
        self.bytes[from..from + 8].copy_from_slice(&word.to_le_bytes());
    }

    /// Chunks from an address on, each with its size and whether it is in use; where they end.
    fn chunks(&mut self, first: u64, flags: u64, chunks: &[(u64, bool)]) -> u64 {
        let (mut at, mut before) = (first, true);
        for (size, in_use) in chunks {
            self.put(at + 8, size | u64::from(before) | flags);
            at += size;
            if !in_use && at < self.start + self.bytes.len() as u64 {
                self.put(at, *size);
            }
            before = *in_use;
        }
        if at + 16 <= self.start + self.bytes.len() as u64 {
            self.put(at + 8, u64::from(before));
        }
        at
    }

    /// The chunks, and a top that fills the range from there to `end`.
    fn chunks_and_top(&mut self, first: u64, flags: u64, chunks: &[(u64, bool)], end: u64) {
        let used: u64 = chunks.iter().map(|(size, _)| size).sum();
        let mut all = chunks.to_vec();
        all.push((end - first - used, true));
        self.chunks(first, flags, &all);
    }

    fn heap_info(&mut self, at: u64, arena: u64, previous: u64, size: u64) {
        for (word, value) in (0_u64..).step_by(8).zip([arena, previous, size, size]) {
            self.put(at + word, value);
        }
    }

    fn resident(&self) -> u64 {
        self.present.iter().filter(|present| **present).count() as u64 * PAGE
    }

    fn mapping(&self) -> HeapMapping {
        let end = self.start + self.bytes.len() as u64;
        HeapMapping { start: self.start, end, brk: false, resident: self.resident() }
    }
}

impl Memory for Image {
    fn page_size(&self) -> u64 {
        PAGE
    }

    fn pages(&mut self, from: u64, entries: &mut [u64]) -> Result<(), Lost> {
        for (at, entry) in entries.iter_mut().enumerate() {
            let page = (from.wrapping_sub(self.start) / PAGE) as usize + at;
            let [present, swapped] = [&self.present, &self.swapped].map(|all| all.get(page).copied().unwrap_or(false));
            *entry = u64::from(present) << 63 | u64::from(swapped) << 62;
        }
        Ok(())
    }

    fn read(&mut self, from: u64, bytes: &mut [u8]) -> Result<(), Lost> {
        let start = (from - self.start) as usize;
        let end = start + bytes.len();
        assert!((start..end).all(|at| self.present[at / PAGE as usize]), "a page that is not in memory is read");
        bytes.copy_from_slice(&self.bytes[start..end]);
        if let Some((reads, at, word)) = self.later {
            match reads {
                0 => self.put(at, word),
                _ => self.later = Some((reads - 1, at, word)),
            }
        }
        Ok(())
    }

    fn heap_end(&mut self) -> Option<u64> {
        self.heap_end
    }
}

/// In use, free, in use, free and small, in use.
const CHUNKS: [(u64, bool); 5] = [(0x290, true), (0x5000, false), (0x40, true), (0x30, false), (0x1000, true)];
const THREAD: u64 = 4;

/// A thread's arena of one heap, with the first chunk where a glibc has it.
fn arena(own: u64, first: u64) -> Image {
    let mut image = Image::new(BASE, 0x21000);
    image.heap_info(BASE, BASE + own, 0, 0x21000);
    image.chunks_and_top(BASE + first, THREAD, &CHUNKS, BASE + 0x21000);
    image
}

fn walked(image: &mut Image) -> HeapWalk {
    let mapping = image.mapping();
    walk(image, &[mapping]).unwrap()
}

#[test]
fn heaps_of_every_layout_since_2_17_are_walked() {
    for (own, first) in [(32, 0x8b0), (32, 0x8c0), (48, 0x8d0)] {
        let mut image = arena(own, first);
        // The number of threads of an arena of 2.23 looks like the header of a chunk of 32 bytes.
        image.put(BASE + 0x898, 33);
        let walk = walked(&mut image);
        let [arena] = walk.arenas.as_slice() else { panic!("{:?}", walk.arenas) };
        assert_eq!((arena.kind, arena.heaps, arena.start), (ArenaKind::Thread, 1, BASE));
        let found = arena.chunks;
        assert_eq!((found.in_use.chunks, found.in_use.bytes), (3, 0x290 + 0x40 + 0x1000));
        assert_eq!((found.free.chunks, found.free.bytes), (2, 0x5030));
        // From 0x...b90 or so to 0x5...: four whole pages.
        assert_eq!(found.free.resident, 0x4000);
        assert_eq!(found.structures, first);
        assert_eq!((found.unwalked, found.swapped), (0, 0));
        assert_eq!(walk.resident(), image.resident());
        assert_eq!(walk.trimmable(), 0x4000);
        assert_eq!(walk.free_resident(), 0x4000 + found.top.resident);
    }
}

#[test]
fn free_pages_that_are_not_in_memory_are_not_resident() {
    let mut image = arena(48, 0x8d0);
    image.present[2] = false;
    image.swapped[2] = true;
    image.present[20] = false;
    let walk = walked(&mut image);
    let found = walk.total();
    assert_eq!((found.free.bytes, found.free.resident), (0x5030, 0x3000));
    assert_eq!((found.unwalked, found.swapped), (0, PAGE));
    assert_eq!(walk.resident(), image.resident());
}

#[test]
fn what_lies_behind_a_swapped_header_is_not_walked_and_not_read() {
    let mut image = arena(48, 0x8d0);
    // The chunk behind the free one starts on page 5.
    image.present[5] = false;
    image.swapped[5] = true;
    let walk = walked(&mut image);
    let found = walk.total();
    assert_eq!(found.in_use.chunks, 1);
    assert_eq!(found.unwalked, 0x21000 - 0x8d0 - 0x290);
    assert_eq!(walk.resident(), image.resident());
}

#[test]
fn a_full_heap_ends_with_fences_and_its_arena_goes_on_in_another() {
    const SIZE: u64 = 64 << 20;
    let mut image = Image::new(BASE, SIZE + 0x21000);
    image.heap_info(BASE, BASE + 48, 0, SIZE);
    let first = BASE + 0x8d0;
    let end = image.chunks(first, THREAD, &[(0x1000, true), (SIZE - 0x8d0 - 0x1020, false), (16, true)]);
    assert_eq!(end, BASE + SIZE - 16);
    let second = BASE + SIZE;
    image.heap_info(second, BASE + 48, BASE, 0x21000);
    image.chunks_and_top(second + 48, THREAD, &CHUNKS, second + 0x21000);
    let walk = walked(&mut image);
    let [arena] = walk.arenas.as_slice() else { panic!("{:?}", walk.arenas) };
    assert_eq!(arena.heaps, 2);
    assert_eq!((arena.chunks.in_use.chunks, arena.chunks.free.chunks, arena.chunks.top.chunks), (4, 3, 1));
    assert_eq!(arena.chunks.structures, 0x8d0 + 48 + 32);
    assert_eq!(arena.chunks.unwalked, 0);
    assert_eq!(walk.pieces.iter().map(|piece| piece.start).collect::<Vec<_>>(), [BASE, second]);
    assert_eq!(walk.resident(), image.resident());
}

#[test]
fn a_heap_whose_heap_before_is_missing_is_none() {
    let mut image = arena(48, 0x8d0);
    image.heap_info(BASE, BASE * 3 + 48, BASE * 3, 0x21000);
    assert_eq!(walked(&mut image).arenas, []);
}

#[test]
fn an_impossible_header_is_looked_at_again() {
    let at = BASE + 0x8d0 + 0x290 + 8;
    let mut image = arena(48, 0x8d0);
    let right = 0x5000 | 1 | THREAD;
    image.put(at, 24);
    image.later = Some((2, at, right));
    assert_eq!(walked(&mut image).total().unwalked, 0);

    for wrong in [0, 24 | 1, 0x5008 | 1, 1 << 40, u64::MAX] {
        let mut image = arena(48, 0x8d0);
        image.put(at + 0x5000, wrong);
        let walk = walked(&mut image);
        assert_eq!(walk.total().unwalked, 0x21000 - 0x8d0 - 0x290, "{wrong:x}");
        assert_eq!(walk.resident(), image.resident());
    }
}

#[test]
fn the_main_arena_that_has_grown_is_walked_to_its_new_end() {
    let mut image = Image::new(BASE, 0x42000);
    image.chunks_and_top(BASE, 0, &CHUNKS, BASE + 0x42000);
    let old = HeapMapping { start: BASE, end: BASE + 0x21000, brk: true, resident: 0x21000 };
    let walk_of_old = walk(&mut image, &[old]).unwrap();
    assert!(walk_of_old.total().unwalked > 0);
    image.heap_end = Some(BASE + 0x42000);
    let walk = walk(&mut image, &[old]).unwrap();
    let found = walk.total();
    assert_eq!((walk.arenas[0].kind, found.unwalked, found.in_use.chunks), (ArenaKind::Main, 0, 3));
    assert_eq!(walk.resident(), image.resident());
    assert_eq!(walk.trimmable(), walk.free_resident());
    assert_eq!(walk.pieces, [Piece { start: BASE, end: BASE + 0x42000, kind: PieceKind::Brk, resident: 0x42000 }]);
}

#[test]
fn the_main_arena_goes_on_in_mappings() {
    let start = BASE + 0x1000;
    let mut image = Image::new(start, 3 << 20);
    let size = (1 << 20) - 0x1000 - 48;
    // A full mapping with what is left of its top and two fences, and behind it one with the top.
    let end = image.chunks(start, 0, &[(0x1000, true), (size, true), (16, true), (16, true), (16, true)]);
    assert_eq!(end, start + (1 << 20));
    image.chunks_and_top(end, 0, &CHUNKS, start + (3 << 20));
    let walk = walked(&mut image);
    assert_eq!(walk.pieces.iter().map(|piece| piece.kind).collect::<Vec<_>>(), [PieceKind::MainMapping; 2]);
    let found = walk.total();
    assert_eq!((found.in_use.chunks, found.free.chunks, found.top.chunks), (5, 2, 1));
    assert_eq!(walk.resident(), image.resident());
}

#[test]
fn chunks_that_are_mappings_are_found_side_by_side_and_behind_something_else() {
    let mut image = Image::new(BASE + 0x1000, 0x80000);
    let at = |page: u64| BASE + 0x1000 + page * PAGE;
    image.put(at(0) + 8, 0x21000 | 2);
    image.put(at(0x21) + 8, 0x10000 | 2);
    // Aligned to 4096: the chunk starts behind its mapping.
    image.put(at(0x31) + 0xff0, 0xff0);
    image.put(at(0x31) + 0xff8, (0x11000 - 0xff0) | 2);
    // Something else, in which a number looks like a header, and a last chunk.
    image.put(at(0x42), 7);
    image.put(at(0x44) + 8, 0x3000 | 2);
    image.put(at(0x60) + 8, 0x20000 | 2);
    image.present[2] = false;
    let walk = walked(&mut image);
    let found: Vec<(u64, u64)> = walk.pieces.iter().map(|piece| (piece.start, piece.end)).collect();
    assert_eq!(found, [(at(0), at(0x21)), (at(0x21), at(0x31)), (at(0x31), at(0x42)), (at(0x60), at(0x80))]);
    let total = walk.mapped_total();
    assert_eq!((total.chunks, total.resident), (4, 0x62000 - PAGE));
    assert_eq!(walk.mapped.of(0x21000), Tally { chunks: 1, bytes: 0x21000, resident: 0x20000 });
}

#[test]
fn chunks_are_split_into_what_flink_and_rocksdb_take() {
    let mut image = Image::new(BASE, 0x600000);
    image.heap_info(BASE, BASE + 48, 0, 0x300000);
    let sizes = [(0x8010, true); 3].into_iter().chain([
        (4112, true),
        (3520, true),
        (3488, true),
        (1 << 20 | 16, true),
        (0x5000, true),
    ]);
    let sizes: Vec<(u64, bool)> = sizes.collect();
    image.chunks_and_top(BASE + 0x8d0, THREAD, &sizes, BASE + 0x300000);
    image.put(BASE + 0x300008, 0x101000 | 2);
    let walk = walked(&mut image);
    let known = KnownSizes {
        network_segments: Some((32768, 2)),
        tracked: false,
        memtable_blocks: vec![1 << 20],
        block_size: 4096,
        page_size: PAGE,
    };
    let classes = SizeClasses::of(&walk, &known);
    assert_eq!((classes.network.chunks, classes.network.resident), (2, 0x10020));
    assert_eq!(classes.memtables.chunks, 2);
    assert_eq!(classes.data_blocks.bytes, 4112 + 3520);
    assert_eq!(classes.other_large.bytes, 0x8010 + 0x5000);
    assert_eq!(classes.small.bytes, 3488);
    assert_eq!(classes.total().bytes, walk.total().in_use.bytes + walk.mapped_total().bytes);

    let tracked = SizeClasses::of(&walk, &KnownSizes { tracked: true, ..known });
    assert_eq!(tracked.network, Tally::default());
    assert_eq!(chunk_size(32768), 32784);
    assert_eq!(chunk_size(32768 + 16), 32800);
    assert_eq!(chunk_size(0), 32);
    assert_eq!(mapped_chunk_size(8 << 20, PAGE), (8 << 20) + PAGE);
}

#[test]
fn sizes_beyond_the_first_thousands_are_kept_in_bands() {
    let mut sizes = Sizes::default();
    for at in 0..10_000_u64 {
        sizes.count((1 << 20) + at * 16, 16);
    }
    assert!(!sizes.is_exact());
    assert_eq!((sizes.total().chunks, sizes.total().resident), (10_000, 160_000));
    assert_eq!(sizes.of(1 << 20).chunks, 1 + 10_000 - 8192);
    let mut twice = sizes.clone();
    twice.add_all(&sizes);
    assert_eq!(twice.total().chunks, 20_000);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_resident_byte_is_counted_once(
        chunks in prop::collection::vec((2_u64..600, any::<bool>()), 0..60),
        absent in prop::collection::vec(0_usize..256, 0..40),
        broken in prop::option::of((0_u64..0xff000, any::<u64>())),
    ) {
        let mut image = Image::new(BASE, 0x100000);
        image.heap_info(BASE, BASE + 48, 0, 0x100000);
        let mut used = 0;
        let chunks: Vec<(u64, bool)> = chunks.into_iter().map(|(units, in_use)| (units * 16, in_use)).filter(|(size, _)| {
            used += size;
            used < 0xf0000
        }).collect();
        image.chunks_and_top(BASE + 0x8d0, THREAD, &chunks, BASE + 0x100000);
        let whole = broken.is_none() && absent.is_empty();
        if let Some((at, word)) = broken {
            image.put(BASE + 0x1000 + at / 8 * 8 % 0xfe000, word);
        }
        for page in absent {
            image.present[page] = page == 0;
        }
        let walk = walked(&mut image);
        if whole {
            let in_use: u64 = chunks.iter().filter(|(_, in_use)| *in_use).map(|(size, _)| size).sum();
            prop_assert_eq!(walk.total().in_use.bytes, in_use);
            prop_assert_eq!(walk.total().unwalked, 0);
        }
        prop_assert_eq!(walk.resident(), image.resident());
        prop_assert_eq!(walk.resident(), walk.pieces.iter().map(|piece| piece.resident).sum::<u64>());
        prop_assert_eq!(walk.sizes.total(), walk.total().in_use);
    }
}
