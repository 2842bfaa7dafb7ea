//! What in a Flink process has which size.

use super::header::{HEADER, LEAST};
use super::{HeapWalk, Tally};

/// What is known of the sizes that a process asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownSizes {
    /// Bytes of a network segment (`taskmanager.memory.segment-size`) and how many the budget has.
    pub network_segments: Option<(u64, u64)>,
    /// Whether the JVM tracks native memory: then what it asks for has 16 bytes more (`MallocHeader` in HotSpot's
    /// `services/mallocHeader.hpp`, with its footer from JDK 18 on 18).
    pub tracked: bool,
    /// Bytes of the blocks of RocksDB's memtables (`arena_block_size` in its `OPTIONS` file; 8 MiB with Flink's FRocksDB
    /// 6.20, 1 MiB with 8.10).
    pub memtable_blocks: Vec<u64>,
    /// Bytes of RocksDB's data blocks (`block_size` in its `OPTIONS` file, 4096 as delivered).
    pub block_size: u64,
    /// Bytes of a page.
    pub page_size: u64,
}

/// All chunks in use, those that are mappings of their own included, each in one class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SizeClasses {
    /// Flink's network segments; never more than the budget has. Exact, but for another chunk of their size.
    pub network: Tally,
    /// Blocks of RocksDB's memtables. A direct buffer of the same size is among them.
    pub memtables: Tally,
    /// RocksDB's data blocks: chunks about as large as its block size.
    pub data_blocks: Tally,
    /// All others above 3500 bytes: RocksDB's index and filter blocks, direct buffers, the JVM's own large structures.
    pub other_large: Tally,
    /// 3500 bytes and less: symbols, class data, RocksDB's handles.
    pub small: Tally,
}

/// Up to here a chunk is small. Held against RocksDB's own metrics on Flink 1.20 and 2.3: what is larger, less the network
/// segments, was within 3 % of pinned blocks and memtables.
const SMALL: u64 = 3500;

/// Bytes of the chunk that a request gets (`request2size`).
pub fn chunk_size(request: u64) -> u64 {
    request.saturating_add(8).min(u64::MAX - HEADER).next_multiple_of(HEADER).max(LEAST)
}

/// Bytes of the chunk that a request gets where it is a mapping of its own (`sysmalloc_mmap`).
pub fn mapped_chunk_size(request: u64, page_size: u64) -> u64 {
    let bytes = chunk_size(request).saturating_add(8);
    bytes.checked_next_multiple_of(page_size.max(1)).unwrap_or(bytes)
}

impl SizeClasses {
    /// Splits the chunks of a walk.
    pub fn of(walk: &HeapWalk, known: &KnownSizes) -> SizeClasses {
        let mut classes = SizeClasses::default();
        let blocks = data_block_chunks(known.block_size);
        let segment = known.network_segments.map(|(bytes, count)| {
            let header = if known.tracked { 16 } else { 0 };
            (bytes.saturating_add(header), count)
        });
        let mut segments_left = segment.map_or(0, |(_, count)| count);
        let all = walk.sizes.iter().map(|at| (at, false)).chain(walk.mapped.iter().map(|at| (at, true)));
        for ((size, tally), mapped) in all {
            let fits = |request: u64| {
                size == if mapped { mapped_chunk_size(request, known.page_size) } else { chunk_size(request) }
            };
            let mut rest = tally;
            if segment.is_some_and(|(bytes, _)| fits(bytes)) {
                let part = tally.part(segments_left);
                segments_left -= part.chunks;
                classes.network.add(part);
                rest = tally.less(part);
            }
            let class = if known.memtable_blocks.iter().any(|block| fits(*block)) {
                &mut classes.memtables
            } else if blocks.contains(&size) {
                &mut classes.data_blocks
            } else if size > SMALL {
                &mut classes.other_large
            } else {
                &mut classes.small
            };
            class.add(rest);
        }
        classes
    }

    /// All of them.
    pub fn total(&self) -> Tally {
        let mut sum = self.network;
        for part in [self.memtables, self.data_blocks, self.other_large, self.small] {
            sum.add(part);
        }
        sum
    }
}

/// The chunks that data blocks of a size have: RocksDB closes a block where the next entry would make it larger, if it is
/// nearly full (`block_size_deviation`, 10 %), and a chunk has 8 to 23 bytes more and the block's trailer. For 4096 bytes these
/// are 3503 to 4202, about what was measured.
fn data_block_chunks(block_size: u64) -> std::ops::RangeInclusive<u64> {
    let share = |thousandths: u64| block_size.saturating_mul(thousandths) / 1000;
    share(855).max(SMALL) + 1..=share(1026)
}
