//! From one look at a process to its account: what each mapping is, then what malloc holds.

use std::borrow::Cow;

use super::account::{self, Account};
use super::hints;
use super::layout::{self, Basis, Hints, Kind, MallocOf, Placed};
use super::sample::Sample;
use crate::artefact::malloc_chunks::{Allocator, HeapMapping, HeapWalk, KnownSizes, Piece, PieceKind, SizeClasses};
use crate::artefact::smaps::{Mapping, Smaps};
use crate::model::{Bytes, Origin, Pool, Seen};

/// What is known of the sizes that Flink and RocksDB allocate in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NativeSizes {
    /// Bytes of a network buffer, and how many there are.
    pub network: Option<(u64, u64)>,
    /// Bytes of the blocks that memtables are made of.
    pub memtable_blocks: Vec<u64>,
    /// Bytes of RocksDB's data blocks.
    pub block_size: Option<u64>,
    /// Direct memory that is no network buffer, where somebody said how much.
    pub other_direct: Option<Bytes>,
    /// Whether the process has RocksDB or ForSt loaded.
    pub has_rocksdb: bool,
}

/// `BlockBasedTableOptions::block_size` as delivered (RocksDB's table.h; Flink keeps it).
const BLOCK_SIZE: u64 = 4096;

/// What Netty allocates direct memory in: 4 MiB from Flink 1.10 on, 16 MiB before (`NettyConfig`, `PooledByteBufAllocator`).
const NETTY_CHUNKS: [u64; 2] = [4 << 20, 16 << 20];

/// Hints out of everything that was read.
pub fn hints(sample: &Sample) -> Hints {
    let threads = sample.files.threads.as_deref().unwrap_or_default();
    Hints {
        stack_pointers: threads.iter().filter_map(|thread| thread.stack_pointer).collect(),
        malloc: match sample.allocator {
            Allocator::Glibc => MallocOf::Glibc,
            _ => MallocOf::Another,
        },
        ..hints::of(sample.command(), sample.jvm.as_ref().ok())
    }
}

/// Where malloc's chunks of a process may lie, for a walk.
///
/// # Errors
/// Where its mappings were not seen, or an allocator serves it whose chunks cannot be walked.
pub fn walkable(sample: &Sample) -> Seen<Vec<HeapMapping>> {
    let smaps = sample.files.smaps.as_ref().map_err(Clone::clone)?;
    match sample.allocator.unseen() {
        Some(unseen) => Err(unseen),
        None => Ok(malloc_mappings(smaps, &hints(sample))),
    }
}

/// The mappings that malloc's chunks may lie in: its heaps, and what nothing else is known to be.
fn malloc_mappings(smaps: &Smaps, hints: &Hints) -> Vec<HeapMapping> {
    let placed = layout::place(smaps, hints);
    let mapping = |index: usize| {
        let mapping = &smaps.mappings[index];
        let access = mapping.access;
        let may_be = access.read && access.write && !access.execute && !access.shared && mapping.inode == 0;
        may_be.then(|| HeapMapping {
            start: mapping.start,
            end: mapping.end,
            brk: mapping.name == "[heap]",
            resident: mapping.rss,
        })
    };
    account::may_be_malloc(&placed).filter_map(mapping).collect()
}

/// What each mapping is, and the account of all of them.
pub fn reckon(sample: &Sample, sizes: &NativeSizes) -> Seen<(Vec<Placed>, Account)> {
    let smaps = sample.files.smaps.as_ref().map_err(Clone::clone)?;
    let mut hints = hints(sample);
    let walk = sample.heap.as_ref().ok();
    if let Some(walk) = walk {
        let chunks = walk.pieces.iter().filter(|piece| piece.kind == PieceKind::MappedChunk);
        hints.malloc_chunks = chunks.map(|piece| piece.start).collect();
        hints.chunks_were_read = true;
        hints.named.extend(walk.pieces.iter().map(|piece| layout::Named {
            start: piece.start,
            end: piece.end,
            kind: match piece.kind {
                PieceKind::Brk => Kind::MainHeap,
                PieceKind::MainMapping | PieceKind::Heap => Kind::Arena,
                PieceKind::MappedChunk => Kind::MallocMapped,
            },
        }));
    }
    let smaps = walk.map_or(Cow::Borrowed(smaps), |walk| Cow::Owned(cut_at_pieces(smaps, walk)));
    let placed = layout::place(&smaps, &hints);
    let mut account = Account::of_mappings(&smaps, &placed);
    if let Some(committed) = hints.metaspace_committed {
        account::trust_metaspace(&mut account, Bytes::new(committed));
    }
    if let Some(walk) = walk {
        divide_malloc(&mut account, walk, sizes, sample.tracks_native_memory());
    }
    Ok((placed, account))
}

/// The mappings, those that hold both chunks of malloc and something else cut up: the kernel merges what lies side by
/// side. What is resident in each chunk was seen; the rest is shared out among what lies between, the first first.
fn cut_at_pieces(smaps: &Smaps, walk: &HeapWalk) -> Smaps {
    let mut mappings = Vec::with_capacity(smaps.mappings.len());
    for mapping in &smaps.mappings {
        let first = walk.pieces.partition_point(|piece| piece.end <= mapping.start);
        let inside = walk.pieces[first..].iter().take_while(|piece| piece.start < mapping.end);
        let chunks: Vec<&Piece> = inside.filter(|piece| piece.kind == PieceKind::MappedChunk).collect();
        let whole = chunks.iter().any(|piece| piece.start <= mapping.start && mapping.end <= piece.end);
        if chunks.is_empty() || whole || !mapping.is_anonymous() {
            mappings.push(mapping.clone());
            continue;
        }
        let resident = chunks.iter().map(|piece| piece.resident).fold(0, u64::saturating_add);
        let mut rest = mapping.rss.saturating_sub(resident);
        let mut seen = mapping.rss.min(resident);
        let mut part = |start: u64, end: u64, of_chunk: Option<u64>| {
            let (pot, most) =
                if of_chunk.is_some() { (&mut seen, of_chunk.unwrap_or(0)) } else { (&mut rest, end - start) };
            let rss = most.min(*pot);
            *pot -= rss;
            Mapping { start, end, rss, ..mapping.clone() }
        };
        let mut at = mapping.start;
        for piece in chunks {
            let (start, end) = (piece.start.max(at), piece.end.min(mapping.end));
            if at < start {
                mappings.push(part(at, start, None));
            }
            if start < end {
                mappings.push(part(start, end, Some(piece.resident)));
                at = end;
            }
        }
        if at < mapping.end {
            mappings.push(part(at, mapping.end, None));
        }
        // Time passed between the two looks: what is in no part yet belongs to the last.
        if let Some(last) = mappings.last_mut() {
            last.rss = last.rss.saturating_add(rest).saturating_add(seen);
        }
    }
    Smaps { mappings }
}

/// Divides what malloc holds by what the walk saw in it. What it saw more than the mappings have, since time passes
/// between the two, is left out of what was freed; what it could not walk stays undivided.
fn divide_malloc(account: &mut Account, walk: &HeapWalk, sizes: &NativeSizes, tracked: bool) {
    let known = KnownSizes {
        network_segments: sizes.network,
        tracked,
        memtable_blocks: if sizes.has_rocksdb { sizes.memtable_blocks.clone() } else { Vec::new() },
        block_size: sizes.block_size.unwrap_or(BLOCK_SIZE),
        page_size: 4096,
    };
    let classes = SizeClasses::of(walk, &known);
    let total = walk.total();
    let small = classes.small.resident + total.structures + total.free_shared;
    let large = classes.other_large.resident;
    let (direct, large) = match (sizes.other_direct, sizes.has_rocksdb) {
        (Some(direct), _) => (direct.get().min(large), large.saturating_sub(direct.get())),
        (None, false) => (large, 0),
        (None, true) => {
            account.mix_direct_buffers();
            let netty = netty_chunks(walk, tracked).min(large);
            (netty, large - netty)
        }
    };
    // Without RocksDB there are no blocks of its own: chunks of their size are other native code's.
    let (blocks, small) = match sizes.has_rocksdb {
        true => (classes.data_blocks.resident, small),
        false => (0, small.saturating_add(classes.data_blocks.resident)),
    };
    let parts = [
        (Pool::NetworkSegments, classes.network.resident),
        (Pool::DirectBuffers, direct),
        (Pool::BlockCache, blocks),
        (Pool::Memtables, classes.memtables.resident),
        (Pool::IndexAndFilter, large),
        (Pool::NativeSmall, small),
        (Pool::AllocatorRetained, walk.free_resident()),
    ];
    for (pool, bytes) in parts {
        account.transfer(&[Pool::MallocUndivided], pool, Bytes::new(bytes), Basis::Named, Origin::HeapWalk);
    }
}

fn netty_chunks(walk: &HeapWalk, tracked: bool) -> u64 {
    use crate::artefact::malloc_chunks::{chunk_size, mapped_chunk_size};
    let header = if tracked { 16 } else { 0 };
    let of = |size: &u64| {
        // Direct memory is aligned to a page where the JVM is asked to; Netty asks for a cache line.
        let requests = [size + header, size + header + 64, size + header + 4096];
        let inside = requests.iter().map(|request| walk.sizes.of(chunk_size(*request)).resident);
        let mapped = requests.iter().map(|request| mapped_chunk_size(*request, 4096));
        let mut mapped: Vec<u64> = mapped.collect();
        mapped.dedup();
        inside.sum::<u64>() + mapped.iter().map(|size| walk.mapped.of(*size).resident).sum::<u64>()
    };
    NETTY_CHUNKS.iter().map(of).fold(0, u64::saturating_add)
}
