//! glibc's malloc: arenas, heaps and chunks, out of the bytes of a process's memory.
//!
//! What holds from glibc 2.17 to 2.41 on 64-bit little-endian machines (`malloc/malloc.c`, `malloc/arena.c`): a chunk is
//! 16 bytes of header and what the program uses; its second word is its size with three flags, the lowest of which says
//! whether the chunk before it is in use. A thread's arena consists of heaps, each at a multiple of 64 MiB. The first one
//! holds the arena's state. Chunks follow one another to the end of the heap, and the last of them is `top`. The main
//! arena lies in `[heap]` and, where that cannot grow, in mappings of its own. A large chunk is a mapping of its own.
//!
//! A chunk in a thread's cache (`tcache`, since 2.26) or in a fastbin is marked as in use until it is merged: it is
//! counted as in use here. There are at most 7 such chunks for each of 64 sizes up to 1040 bytes in each thread, and
//! the fastbins' chunks have at most 128 bytes.
//!
//! Where `[heap]` cannot grow, the main arena goes on in mappings of 132 KiB and more, which the kernel merges with chunks
//! that are mappings of their own and with the program's. What is in one of them with fewer than 16 chunks to its end,
//! behind something of the program's, is not found.
//!
//! With the tunable `glibc.malloc.hugetlb=2` the heaps lie at multiples of four huge pages and are not found. What is
//! not found is in no [`Piece`].

use crate::model::{Seen, Unseen};

mod allocator;
mod chain;
mod header;
mod heaps;
mod mapped;
mod residence;
mod sizes;
mod split;
#[cfg(test)]
mod tests;

pub use allocator::Allocator;
pub use sizes::{Sizes, Tally};
pub use split::{KnownSizes, SizeClasses, chunk_size, mapped_chunk_size};

use mapped::Mapped;

/// What the chunks are read out of: the memory of a live process, or a piece of one that a test holds.
pub trait Memory {
    /// Bytes of a page.
    fn page_size(&self) -> u64;

    /// The entries of `/proc/PID/pagemap` for the pages from an address on, one 64-bit number a page
    /// (`Documentation/admin-guide/mm/pagemap.rst`: bit 63 is set where the page is in memory, bit 62 where it is swapped).
    ///
    /// # Errors
    /// [`Lost`] where they cannot be read.
    fn pages(&mut self, from: u64, entries: &mut [u64]) -> Result<(), Lost>;

    /// Bytes of memory. Only asked for pages that are in memory.
    ///
    /// # Errors
    /// [`Lost`] where they cannot be read.
    fn read(&mut self, from: u64, bytes: &mut [u8]) -> Result<(), Lost>;

    /// Where `[heap]` ends now; nothing where that cannot be told. Only asked where a chunk passes the end that it had.
    fn heap_end(&mut self) -> Option<u64> {
        None
    }
}

/// Why memory could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lost {
    /// The range is not mapped any more. The rest can still be read.
    Unmapped,
    /// Nothing can be read any more.
    Unseen(Unseen),
}

/// A mapping in which chunks may lie: private, readable, writable, not executable, without a file (a name such
/// as `[anon: glibc: malloc arena]` is no file). Those that are known to
/// be something else (the Java heap, stacks) should be left out: their pages would be searched for chunks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeapMapping {
    /// Its first address.
    pub start: u64,
    /// The first address after it.
    pub end: u64,
    /// Whether it is named `[heap]`. There is one at most.
    pub brk: bool,
    /// Its resident bytes (`Rss` in smaps); a mapping with none is passed over.
    pub resident: u64,
}

/// Everything that one walk found. Each resident byte of a [`Piece`] is counted exactly once: in a chunk in use, as free, as
/// top, in the allocator's own structures, or as not walked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeapWalk {
    /// The main arena, where it was found, then the threads' in the order of their addresses.
    pub arenas: Vec<Arena>,
    /// Chunks in use of all arenas, by size.
    pub sizes: Sizes,
    /// Chunks that are mappings of their own, by size.
    pub mapped: Sizes,
    /// Where all that lies, in the order of addresses; no two overlap.
    pub pieces: Vec<Piece>,
}

/// One arena, or its part that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arena {
    /// Whose it is.
    pub kind: ArenaKind,
    /// Address of its first heap, of `[heap]` for the main arena.
    pub start: u64,
    /// Heaps of a thread's arena, separate ranges of the main one.
    pub heaps: u32,
    /// What its chunks take.
    pub chunks: ChunkUse,
}

/// Whose an arena is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ArenaKind {
    /// The one that grows by `brk`.
    Main,
    /// One of the others, which threads share.
    Thread,
}

/// What the chunks of a range take. The resident parts add up to [`ChunkUse::resident`].
///
/// `malloc_trim` (`mtrim` in `malloc/malloc.c`) gives back the whole pages within a free chunk behind its first 48 bytes,
/// in every arena, and of the tops only the main arena's. The same pages count as free here; what a free chunk has on the
/// pages at its ends, which stay, is `free_shared`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChunkUse {
    /// Chunks in use, with their headers.
    pub in_use: Tally,
    /// Free chunks, top aside: their number, their bytes, and their resident whole pages.
    pub free: Tally,
    /// Resident bytes of free chunks, and of top, on pages that they share with others.
    pub free_shared: u64,
    /// The tops: their number, their bytes, and their resident whole pages.
    pub top: Tally,
    /// Resident bytes of what describes heaps and arenas, and of fences at the ends of heaps.
    pub structures: u64,
    /// Bytes that could not be walked: the process changed them at that moment, or a header is swapped.
    pub unwalked: u64,
    /// Resident bytes of those.
    pub unwalked_resident: u64,
    /// Bytes that are swapped; they are in no resident figure.
    pub swapped: u64,
}

impl ChunkUse {
    /// All resident bytes.
    pub fn resident(&self) -> u64 {
        [self.free.resident, self.free_shared, self.top.resident, self.structures, self.unwalked_resident]
            .into_iter()
            .fold(self.in_use.resident, u64::saturating_add)
    }

    fn add(&mut self, other: &ChunkUse) {
        self.in_use.add(other.in_use);
        self.free.add(other.free);
        self.top.add(other.top);
        for (ours, theirs) in [
            (&mut self.free_shared, other.free_shared),
            (&mut self.structures, other.structures),
            (&mut self.unwalked, other.unwalked),
            (&mut self.unwalked_resident, other.unwalked_resident),
            (&mut self.swapped, other.swapped),
        ] {
            *ours = ours.saturating_add(theirs);
        }
    }
}

/// A range of addresses that is malloc's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Its first address.
    pub start: u64,
    /// The first address after it.
    pub end: u64,
    /// What it is.
    pub kind: PieceKind,
    /// Its resident bytes, as the walk saw them.
    pub resident: u64,
}

/// What a range of malloc is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PieceKind {
    /// `[heap]`.
    Brk,
    /// A mapping in which the main arena went on where `[heap]` could not grow.
    MainMapping,
    /// A heap of a thread's arena.
    Heap,
    /// A chunk that is a mapping of its own.
    MappedChunk,
}

impl HeapWalk {
    /// All arenas together.
    pub fn total(&self) -> ChunkUse {
        self.arenas.iter().fold(ChunkUse::default(), |mut sum, arena| {
            sum.add(&arena.chunks);
            sum
        })
    }

    /// All chunks that are mappings of their own.
    pub fn mapped_total(&self) -> Tally {
        self.mapped.total()
    }

    /// Resident bytes of all of malloc: the sum over the pieces.
    pub fn resident(&self) -> u64 {
        self.total().resident().saturating_add(self.mapped_total().resident)
    }

    /// What `malloc_trim(0)` would return to the kernel: free whole pages of all arenas, and the main arena's top.
    pub fn trimmable(&self) -> u64 {
        let of = |arena: &Arena| match arena.kind {
            ArenaKind::Main => arena.chunks.free.resident.saturating_add(arena.chunks.top.resident),
            ArenaKind::Thread => arena.chunks.free.resident,
        };
        self.arenas.iter().map(of).fold(0, u64::saturating_add)
    }

    /// What the program has given back and is still resident: free chunks' whole pages and all tops.
    pub fn free_resident(&self) -> u64 {
        let total = self.total();
        total.free.resident.saturating_add(total.top.resident)
    }
}

/// Walks all chunks that lie in the mappings. The process may run: where an impossible header is met, the last chunks before
/// it are read again, and where that does not help, the whole heap, twice at most. The pass that came farthest counts, and
/// what it did not reach is `unwalked`.
///
/// Memory taken: a bit and a half for each page of the largest range, and less than 1 MiB.
///
/// # Errors
/// [`Unseen`] where the memory cannot be read at all.
pub fn walk<M: Memory>(memory: &mut M, mappings: &[HeapMapping]) -> Seen<HeapWalk> {
    let mut found = Found::default();
    let runs = runs(mappings, memory.page_size());
    let unseen = |lost: Lost| match lost {
        Lost::Unseen(unseen) => unseen,
        Lost::Unmapped => Unseen::because("the process unmapped its memory while it was read"),
    };
    heaps::walk_heaps(memory, &runs, &mut found).map_err(unseen)?;
    let page = memory.page_size();
    let brk = mappings.iter().find(|at| at.brk && at.resident > 0 && is_range(at.start, at.end, page));
    if let Some(mapping) = brk {
        found.walk_brk(memory, *mapping).map_err(unseen)?;
    }
    found.pieces.sort_by_key(|piece| piece.start);
    let known = found.pieces.clone();
    for run in &runs {
        Mapped { memory, found: &mut found, starts: &run.starts }.search(run, &known).map_err(unseen)?;
    }
    Ok(found.finish())
}

/// Whether two addresses are a range of whole pages that a process can have: no machine gives one more than 57 bits.
fn is_range(start: u64, end: u64, page: u64) -> bool {
    start < end && end <= 1 << 57 && start.is_multiple_of(page) && end.is_multiple_of(page)
}

/// Mappings that touch one another.
struct Run {
    start: u64,
    end: u64,
    /// Where a mapping starts.
    starts: Vec<u64>,
}

fn runs(mappings: &[HeapMapping], page: u64) -> Vec<Run> {
    let mut sorted: Vec<&HeapMapping> =
        mappings.iter().filter(|mapping| !mapping.brk && mapping.resident > 0).collect();
    sorted.retain(|mapping| is_range(mapping.start, mapping.end, page));
    sorted.sort_by_key(|mapping| mapping.start);
    let mut runs: Vec<Run> = Vec::new();
    for mapping in sorted {
        match runs.last_mut() {
            Some(run) if run.end == mapping.start => {
                run.end = mapping.end;
                run.starts.push(mapping.start);
            }
            Some(run) if run.end > mapping.start => {}
            _ => runs.push(Run { start: mapping.start, end: mapping.end, starts: vec![mapping.start] }),
        }
    }
    runs
}

/// What is found so far.
#[derive(Default)]
struct Found {
    main: Option<Arena>,
    threads: Vec<Arena>,
    sizes: Sizes,
    mapped: Sizes,
    pieces: Vec<Piece>,
}

impl Found {
    fn walk_brk<M: Memory>(&mut self, memory: &mut M, mapping: HeapMapping) -> Result<(), Lost> {
        let stretch = chain::Stretch::brk(mapping.start, mapping.end);
        match chain::walk(memory, stretch) {
            Ok((pass, end)) => {
                self.take(ArenaKind::Main, PieceKind::Brk, mapping.start, end, &pass);
                Ok(())
            }
            Err(Lost::Unmapped) => Ok(()),
            Err(lost) => Err(lost),
        }
    }

    /// Counts a range of an arena. A thread's heaps come in the order of their arenas' addresses.
    fn take(&mut self, kind: ArenaKind, piece: PieceKind, start: u64, end: u64, pass: &chain::Pass) {
        let fresh = Arena { kind, start, heaps: 0, chunks: ChunkUse::default() };
        let arena = match kind {
            ArenaKind::Main => Some(self.main.get_or_insert(fresh)),
            ArenaKind::Thread => self.threads.last_mut(),
        };
        if let Some(arena) = arena {
            arena.heaps += 1;
            arena.chunks.add(&pass.chunks);
        }
        self.sizes.add_all(&pass.sizes);
        self.pieces.push(Piece { start, end, kind: piece, resident: pass.chunks.resident() });
    }

    fn finish(mut self) -> HeapWalk {
        self.pieces.sort_by_key(|piece| piece.start);
        let arenas = self.main.into_iter().chain(self.threads).collect();
        HeapWalk { arenas, sizes: self.sizes, mapped: self.mapped, pieces: self.pieces }
    }
}
