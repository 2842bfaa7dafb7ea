//! Walks the chunks of one range, from the first to the top or to the fences.

use super::header::{FREE_HEAD, HEADER, HEAP_INFO, Header, HeapInfo, LEAST};
use super::residence::Residence;
use super::{ChunkUse, Lost, Memory, Sizes, Tally, is_range};

/// How often a range is walked again in which an impossible header was met.
const RETRIES: usize = 2;
/// Most bytes that are read at once.
const LARGEST_READ: u64 = 256 << 10;
/// Where the next header is farther away than this behind what was read, what lies between is not read.
const NEAR: u64 = 8 << 10;
/// Headers that have to follow one another where the first chunk may be anywhere.
const PROOF: usize = 16;
/// Where it is at one of two places, its own header tells.
const OWN_HEADER: usize = 1;
/// Where the first chunk of `[heap]` is searched for: a statically linked program has its thread-local data before it.
const BRK_SEARCH: u64 = 64 << 10;
/// A larger `[heap]` is not walked: what says which of its pages are in memory would take more than 6 MiB.
const LARGEST_RANGE: u64 = 128 << 30;

/// A range of chunks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stretch {
    start: u64,
    /// Where the chunks end.
    end: u64,
    /// Where what is readable and writable ends.
    open: u64,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Brk,
    MainMapping,
    /// With the address of the arena's first heap.
    Heap(HeapInfo, u64),
}

impl Stretch {
    pub(super) fn brk(start: u64, end: u64) -> Stretch {
        Stretch { start, end, open: end, kind: Kind::Brk }
    }

    pub(super) fn main_mapping(start: u64, end: u64) -> Stretch {
        Stretch { start, end, open: end, kind: Kind::MainMapping }
    }

    pub(super) fn heap(start: u64, info: HeapInfo, first_heap: u64) -> Stretch {
        Stretch { start, end: start + info.size, open: start + info.open, kind: Kind::Heap(info, first_heap) }
    }

    /// The same range as it is now.
    fn again<M: Memory>(self, memory: &mut M) -> Stretch {
        match self.kind {
            Kind::Brk => {
                let page = memory.page_size();
                let now = memory.heap_end().filter(|end| is_range(self.start, *end, page));
                now.map_or(self, |end| Stretch::brk(self.start, end))
            }
            Kind::MainMapping => self,
            Kind::Heap(before, first) => {
                let mut bytes = [0; HEAP_INFO];
                let page = memory.page_size();
                let read = memory.read(self.start, &mut bytes).is_ok();
                let now = read.then(|| HeapInfo::of(self.start, &bytes, page)).flatten();
                let same = now.filter(|now| now.arena == before.arena && now.previous == before.previous);
                same.map_or(self, |now| Stretch::heap(self.start, now, first))
            }
        }
    }

    /// Where the first chunk may start, likeliest first, and how many headers prove it.
    fn firsts(&self) -> Vec<(u64, usize)> {
        match self.kind {
            Kind::Brk => {
                let end = self.end.min(self.start + BRK_SEARCH);
                (self.start..end).step_by(HEADER as usize).map(|at| (at, PROOF)).collect()
            }
            Kind::MainMapping => vec![(self.start, OWN_HEADER)],
            Kind::Heap(info, first) if first != self.start => {
                info.own_bytes(first).map(|bytes| (self.start + bytes, OWN_HEADER)).into_iter().collect()
            }
            Kind::Heap(info, first) => {
                // Behind 32 bytes come the arena's state of 2184 bytes (2.17), 2192 (from 2.23) or 2200 (from 2.27) and what
                // fills it up to 16; behind 48 (from 2.35) one of 2200. Fields of it may look like headers, so nothing
                // before that is looked at. What fills it up is 0.
                let known: u64 = if info.own_bytes(first) == Some(32) { 0x8b0 } else { 0x8d0 };
                let places = (known..known + 0x100).step_by(HEADER as usize);
                let proof = |at| if at <= known + HEADER { OWN_HEADER } else { PROOF };
                places.map(|at| (self.start + at, proof(at))).collect()
            }
        }
    }
}

/// What one walk over a range gave.
#[derive(Default)]
pub(super) struct Pass {
    pub chunks: ChunkUse,
    pub sizes: Sizes,
}

/// Why a walk went no farther.
enum Stop {
    Impossible,
    Fatal(Lost),
}

impl From<Lost> for Stop {
    fn from(lost: Lost) -> Stop {
        match lost {
            Lost::Unmapped => Stop::Impossible,
            Lost::Unseen(_) => Stop::Fatal(lost),
        }
    }
}

/// Walks a range, again where needed, and gives the pass that left the least, with the end of the range.
pub(super) fn walk<M: Memory>(memory: &mut M, stretch: Stretch) -> Result<(Pass, u64), Lost> {
    let mut stretch = stretch;
    let mut best: Option<(Pass, u64)> = None;
    for attempt in 0..=RETRIES {
        if attempt > 0 {
            stretch = stretch.again(memory);
        }
        let Some(pass) = once(memory, &mut stretch)? else { continue };
        let left = pass.chunks.unwalked;
        if best.as_ref().is_none_or(|(best, _)| left < best.chunks.unwalked) {
            best = Some((pass, stretch.open));
        }
        if left == 0 {
            break;
        }
    }
    best.ok_or(Lost::Unmapped)
}

/// One pass; nothing where no page of the range is in memory any more.
fn once<M: Memory>(memory: &mut M, stretch: &mut Stretch) -> Result<Option<Pass>, Lost> {
    if stretch.open - stretch.start > LARGEST_RANGE {
        return Ok(None);
    }
    let residence = match Residence::read(memory, stretch.start, stretch.open) {
        Ok(residence) => residence,
        Err(Lost::Unmapped) => return Ok(None),
        Err(lost) => return Err(lost),
    };
    if residence.next(stretch.start, stretch.open).is_none() {
        return Ok(None);
    }
    let window = Window { memory, bytes: Vec::new(), at: 0, next: 0 };
    let mut walker = Walker { window, residence, stretch, pass: Pass::default() };
    match walker.run() {
        Ok(()) | Err((_, Stop::Impossible)) => Ok(Some(walker.pass)),
        Err((_, Stop::Fatal(lost))) => Err(lost),
    }
}

/// The bytes that were read last.
struct Window<'m, M: Memory> {
    memory: &'m mut M,
    bytes: Vec<u8>,
    at: u64,
    /// How much is read next.
    next: u64,
}

impl<M: Memory> Window<'_, M> {
    fn header(&mut self, residence: &Residence, at: u64, limit: u64) -> Result<Header, Stop> {
        if let Some(header) = self.held(at) {
            return Ok(header);
        }
        let page = self.memory.page_size();
        let follows = at >= self.at && at < self.end() + NEAR;
        self.next = if follows { (self.next * 2).clamp(page, LARGEST_READ.max(page)) } else { page };
        let end = residence.run_end(at, limit.min(at - at % page + self.next));
        self.bytes.resize(usize::try_from(end - at).unwrap_or(0), 0);
        self.at = at;
        let read = self.memory.read(at, &mut self.bytes);
        if read.is_err() {
            self.bytes.clear();
        }
        read?;
        self.held(at).ok_or(Stop::Impossible)
    }

    fn end(&self) -> u64 {
        self.at + self.bytes.len() as u64
    }

    fn held(&self, at: u64) -> Option<Header> {
        let from = usize::try_from(at.checked_sub(self.at)?).ok()?;
        self.bytes.get(from..)?.first_chunk().map(|bytes| Header::of(*bytes))
    }
}

struct Walker<'m, 's, M: Memory> {
    window: Window<'m, M>,
    residence: Residence,
    stretch: &'s mut Stretch,
    pass: Pass,
}

impl<M: Memory> Walker<'_, '_, M> {
    /// Walks to the end; where that fails, what was reached and everything from there on is counted as not walked.
    fn run(&mut self) -> Result<(), (u64, Stop)> {
        let start = self.stretch.start;
        self.pass.chunks.swapped = self.residence.swapped;
        let result = match self.first() {
            Ok(first) => {
                self.pass.chunks.structures += self.residence.bytes(start, first);
                self.chunks(first)
            }
            Err(stop) => Err((start, stop)),
        };
        let Stretch { end, open, .. } = *self.stretch;
        match &result {
            Ok(()) => {
                // What lies behind the top is only there for a moment, after the heap has shrunk.
                self.pass.chunks.top.resident += self.residence.bytes(end, open);
            }
            Err((at, _)) => {
                self.pass.chunks.unwalked += open.saturating_sub(*at);
                self.pass.chunks.unwalked_resident += self.residence.bytes(*at, open);
            }
        }
        result
    }

    fn header(&mut self, at: u64) -> Result<Header, Stop> {
        self.window.header(&self.residence, at, self.stretch.end)
    }

    /// Where the first chunk starts.
    fn first(&mut self) -> Result<u64, Stop> {
        for (at, headers) in self.stretch.firsts() {
            if self.is_chain(at, headers)? {
                return Ok(at);
            }
        }
        Err(Stop::Impossible)
    }

    /// Whether so many chunks follow one another from an address on, or as many as are in memory.
    fn is_chain(&mut self, from: u64, headers: usize) -> Result<bool, Stop> {
        let mut at = from;
        for step in 0..headers {
            let header = match self.header(at) {
                Ok(header) => header,
                Err(Stop::Impossible) => return Ok(step > 0),
                Err(stop) => return Err(stop),
            };
            let sized = header.is_possible() && self.is_within(at, header);
            if !sized || step == 0 && !header.previous_in_use() {
                return Ok(false);
            }
            at += header.size();
            if at >= self.stretch.end || step + 1 < headers && matches!(self.fence_bytes(at), Ok(Some(_))) {
                break;
            }
        }
        Ok(true)
    }

    fn is_within(&self, at: u64, header: Header) -> bool {
        at.checked_add(header.size()).is_some_and(|end| end <= self.stretch.end)
    }

    /// Bytes of the fences at an address, where fences are there: a chunk of 16 bytes and an empty one at the end of a full
    /// heap of a thread's arena, two chunks of 16 bytes where the main arena goes on elsewhere.
    fn fence_bytes(&mut self, at: u64) -> Result<Option<u64>, Stop> {
        let end = self.stretch.end;
        let of_thread = matches!(self.stretch.kind, Kind::Heap(..));
        if of_thread && at + HEADER == end {
            return Ok((self.header(at)?.size() == 0).then_some(HEADER));
        }
        if at + LEAST > end || self.header(at)?.size() != HEADER || of_thread && at + LEAST != end {
            return Ok(None);
        }
        let second = self.header(at + HEADER)?.size();
        Ok((second == if of_thread { 0 } else { HEADER }).then_some(LEAST))
    }

    fn chunks(&mut self, first: u64) -> Result<(), (u64, Stop)> {
        // The chunk of which the next header says whether it is in use: where, how large, whether it was read whole.
        let mut open: Option<(u64, u64, bool)> = None;
        let mut at = first;
        loop {
            if at == self.stretch.end {
                if let Some((start, size, _)) = open {
                    self.top(start, size);
                }
                return Ok(());
            }
            let from = open.map_or(at, |(start, ..)| start);
            let header = self.header(at).map_err(|stop| (from, stop))?;
            if let Some((start, size, whole)) = open {
                if header.previous_in_use() {
                    self.in_use(start, size, whole);
                } else if header.previous_size == size {
                    self.free(start, size);
                } else {
                    return Err((from, Stop::Impossible));
                }
            }
            if header.is_possible() && self.is_within(at, header) && self.is_of_arena(header) {
                let start = at;
                at += header.size();
                open = Some((start, header.size(), at <= self.window.end()));
                continue;
            }
            let fences = self.fence_bytes(at).map_err(|stop| (at, stop))?;
            let Some(bytes) = fences else { return Err((at, Stop::Impossible)) };
            self.pass.chunks.structures += self.residence.bytes(at, at + bytes);
            at += bytes;
            open = None;
            if self.stretch.kind == Kind::MainMapping && at.is_multiple_of(self.window.memory.page_size()) {
                // Behind it lies another mapping, which is looked at by itself.
                self.stretch.end = at;
                self.stretch.open = at;
            }
        }
    }

    fn is_of_arena(&self, header: Header) -> bool {
        matches!(self.stretch.kind, Kind::Heap(..)) || !header.is_of_thread()
    }

    fn in_use(&mut self, at: u64, size: u64, whole: bool) {
        let resident = if whole { size } else { self.residence.bytes(at, at + size) };
        self.pass.chunks.in_use.add(Tally { chunks: 1, bytes: size, resident });
        self.pass.sizes.count(size, resident);
    }

    fn free(&mut self, at: u64, size: u64) {
        let resident = self.residence.whole_pages(at + FREE_HEAD, at + size);
        self.pass.chunks.free.add(Tally { chunks: 1, bytes: size, resident });
        self.pass.chunks.free_shared += self.residence.bytes(at, at + size) - resident;
    }

    fn top(&mut self, at: u64, size: u64) {
        // `systrim` keeps MINSIZE + 1 bytes of the main arena's.
        let resident = self.residence.whole_pages(at + LEAST + 1, at + size);
        self.pass.chunks.top.add(Tally { chunks: 1, bytes: size, resident });
        self.pass.chunks.free_shared += self.residence.bytes(at, at + size) - resident;
    }
}
