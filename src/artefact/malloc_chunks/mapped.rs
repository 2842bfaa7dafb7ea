//! Finds, beside the heaps, chunks that are mappings of their own, and the mappings in which the main arena goes on.
//!
//! Mappings that touch one another are one to the kernel: a run may be several chunks, and something else before or behind
//! them. A chunk where a mapping or another chunk ends is believed; one in the midst of something else only where what
//! follows it is a chunk too or the end. A mapping of the main arena in the midst of something else (a program's own
//! `mmap`, which the kernel has merged with it) is believed where many of its chunks follow one another, or where they
//! end in the fences that the arena leaves behind when it goes on elsewhere.

use super::chain::{self, Stretch};
use super::header::{HEADER, Header};
use super::residence::Residence;
use super::{ArenaKind, Found, Lost, Memory, Piece, PieceKind, Run};

/// What is asked at a time which pages are in memory.
const SEGMENT: u64 = 64 << 20;
/// Headers that fit one another and end with a page, in a mapping of the main arena.
const LEAST_HEADERS: u64 = 2;
/// So many chunks in a row are no chance, though the last ones could not be walked.
const SURELY_CHUNKS: u64 = 256;
/// So many, to the end, are none where anything else may lie.
const UNSURELY_CHUNKS: u64 = 16;

pub(super) struct Mapped<'a, M: Memory> {
    pub memory: &'a mut M,
    pub found: &'a mut Found,
    /// Where mappings start.
    pub starts: &'a [u64],
}

impl<M: Memory> Mapped<'_, M> {
    /// Searches a run, without the pieces in it that are known.
    pub(super) fn search(&mut self, run: &Run, known: &[Piece]) -> Result<(), Lost> {
        let mut at = run.start;
        for piece in known.iter().filter(|piece| piece.end > run.start && piece.start < run.end) {
            if at < piece.start {
                self.gap(at, piece.start)?;
            }
            at = at.max(piece.end);
        }
        if at < run.end { self.gap(at, run.end) } else { Ok(()) }
    }

    fn gap(&mut self, start: u64, end: u64) -> Result<(), Lost> {
        let page = self.memory.page_size();
        let mut at = start;
        // Where a chunk may be expected.
        let mut expected = start;
        while at < end {
            let limit = end.min(at.saturating_add(SEGMENT));
            let residence = match Residence::read(self.memory, at, limit) {
                Ok(residence) => residence,
                Err(Lost::Unmapped) => return Ok(()),
                Err(lost) => return Err(lost),
            };
            while let Some(here) = residence.next(at, limit) {
                let sure = here == expected || self.starts.binary_search(&here).is_ok();
                match self.piece(here, end, sure)? {
                    Some(after) => (at, expected) = (after, after),
                    None => at = here + page,
                }
                if at >= limit {
                    break;
                }
            }
            at = at.max(limit);
        }
        Ok(())
    }

    /// What starts at a page that is in memory: where it ends, if it is malloc's.
    fn piece(&mut self, at: u64, end: u64, sure: bool) -> Result<Option<u64>, Lost> {
        let Some(header) = self.header(at)? else { return Ok(None) };
        if let Some(total) = mapped_bytes(header, 0, end - at, self.memory.page_size()) {
            let believed = sure || at + total == end || self.starts_mapped_chunk(at + total, end)?;
            return if believed { self.take_chunk(at, header.size(), total).map(Some) } else { Ok(None) };
        }
        if sure && let Some((size, total)) = self.aligned(at, end)? {
            return self.take_chunk(at, size, total).map(Some);
        }
        let fresh = header.previous_size == 0 && header.previous_in_use() && header.is_possible();
        if !fresh || header.is_of_thread() || header.size() > end - at || !sure && !self.is_chain(at, end)? {
            return Ok(None);
        }
        let (pass, after) = match chain::walk(self.memory, Stretch::main_mapping(at, end)) {
            Ok(walked) => walked,
            Err(Lost::Unmapped) => return Ok(None),
            Err(lost) => return Err(lost),
        };
        let found =
            [pass.chunks.in_use, pass.chunks.free, pass.chunks.top].iter().map(|tally| tally.chunks).sum::<u64>();
        let least = match (pass.chunks.unwalked > 0, sure || pass.fenced) {
            (true, _) => SURELY_CHUNKS,
            (false, true) => LEAST_HEADERS,
            (false, false) => UNSURELY_CHUNKS,
        };
        if found < least {
            return Ok(None);
        }
        self.found.take(ArenaKind::Main, PieceKind::MainMapping, at, after, &pass);
        Ok(Some(after))
    }

    /// Whether chunks, or fences, follow one another from a page on: a look at a few headers, before all of what follows is
    /// walked.
    fn is_chain(&mut self, from: u64, end: u64) -> Result<bool, Lost> {
        let mut at = from;
        for _ in 0..UNSURELY_CHUNKS {
            let Some(header) = self.present(at)? else { return Ok(false) };
            if header.size() == HEADER {
                return Ok(at > from);
            }
            if !header.is_possible() || header.is_of_thread() || header.size() > end - at {
                return Ok(false);
            }
            at += header.size();
            if at == end {
                break;
            }
        }
        Ok(true)
    }

    fn starts_mapped_chunk(&mut self, at: u64, end: u64) -> Result<bool, Lost> {
        let page = self.memory.page_size();
        Ok(self.present(at)?.is_some_and(|header| mapped_bytes(header, 0, end - at, page).is_some()))
    }

    /// The header at an address of which it is not known yet whether its page is in memory.
    fn present(&mut self, at: u64) -> Result<Option<Header>, Lost> {
        let mut entry = [0];
        match self.memory.pages(at - at % self.memory.page_size(), &mut entry) {
            Ok(()) if entry.iter().all(|entry| entry >> 63 == 1) => self.header(at),
            Ok(()) | Err(Lost::Unmapped) => Ok(None),
            Err(lost) => Err(lost),
        }
    }

    /// A chunk that was asked for at a multiple of more than 16 starts behind its mapping (`memalign`): its size and that
    /// of the mapping. It is only searched for in the mapping's first page.
    fn aligned(&mut self, at: u64, end: u64) -> Result<Option<(u64, u64)>, Lost> {
        let page = self.memory.page_size();
        let mut bytes = vec![0; usize::try_from(page).unwrap_or(0)];
        match self.memory.read(at, &mut bytes) {
            Ok(()) => {}
            Err(Lost::Unmapped) => return Ok(None),
            Err(lost) => return Err(lost),
        }
        let (headers, _) = bytes.as_chunks::<16>();
        let headers = headers.iter().map(|bytes| Header::of(*bytes)).zip((0..).step_by(HEADER as usize)).skip(1);
        let mut found = headers.filter_map(|(header, offset)| {
            mapped_bytes(header, offset, end - at, page).map(|total| (header.size(), total))
        });
        Ok(found.next())
    }

    fn take_chunk(&mut self, at: u64, size: u64, total: u64) -> Result<u64, Lost> {
        let mut resident = 0;
        let mut from = at;
        while from < at + total {
            let to = (at + total).min(from + SEGMENT);
            resident += match Residence::read(self.memory, from, to) {
                Ok(residence) => residence.bytes(from, to),
                Err(Lost::Unmapped) => 0,
                Err(lost) => return Err(lost),
            };
            from = to;
        }
        self.found.mapped.count(size, resident);
        self.found.pieces.push(Piece { start: at, end: at + total, kind: PieceKind::MappedChunk, resident });
        Ok(at + total)
    }

    fn header(&mut self, at: u64) -> Result<Option<Header>, Lost> {
        let mut bytes = [0; 16];
        match self.memory.read(at, &mut bytes) {
            Ok(()) => Ok(Some(Header::of(bytes))),
            Err(Lost::Unmapped) => Ok(None),
            Err(lost) => Err(lost),
        }
    }
}

/// Bytes of the mapping that a header so far from its start describes, where it describes one.
fn mapped_bytes(header: Header, offset: u64, room: u64, page: u64) -> Option<u64> {
    let total = header.size().checked_add(header.previous_size)?;
    let described = header.is_only_mapped() && header.previous_size == offset && header.size() >= page / 2;
    (described && total >= page && total <= room && total.is_multiple_of(page)).then_some(total)
}
