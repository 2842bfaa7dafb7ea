//! Walks the chunks of one range, from the first to the top or to the fences.

use super::header::{FREE_HEAD, HEADER, HEAP_INFO, Header, HeapInfo, LEAST};
use super::residence::Residence;
use super::{ChunkUse, Lost, Memory, Sizes, Tally, is_range};

/// So many chunks can be gone back where the process changes them meanwhile.
const RECENT: usize = 512;
/// How often that is done in a range.
const REWINDS: usize = 4096;
/// How often a range is walked again that could not be walked to its end.
const RETRIES: usize = 2;
/// Most bytes that are read at once.
const LARGEST_READ: u64 = 256 << 10;
/// Where the next header is farther away than this behind what was read, what lies between is not read.
const NEAR: u64 = 8 << 10;
/// Headers that have to follow one another where the first chunk may be anywhere.
const PROOF: usize = 16;
/// Headers of 16 bytes in a row where the main arena goes on elsewhere.
const MOST_FENCES: u64 = 3;
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
    /// Whether it ends in the fences that the main arena leaves behind when it goes on elsewhere.
    pub fenced: bool,
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
    let mut walker = Walker { window, residence, stretch, pass: Pass::default(), recent: Vec::new(), open: None };
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

    /// What was read may have changed.
    fn forget(&mut self) {
        self.bytes.clear();
        self.next = 0;
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
    /// The last chunks, which are not counted yet.
    recent: Vec<Settled>,
    /// The chunk of which the next header says whether it is in use.
    open: Option<Settled>,
}

impl<M: Memory> Walker<'_, '_, M> {
    /// Walks to the end; where that fails, what was reached and everything from there on is counted as not walked.
    fn run(&mut self) -> Result<(), (u64, Stop)> {
        let start = self.stretch.start;
        let result = match self.first() {
            Ok(first) => {
                self.pass.chunks.structures += self.residence.bytes(start, first);
                self.chunks(first)
            }
            Err(stop) => Err((start, stop)),
        };
        let Stretch { end, open, .. } = *self.stretch;
        self.pass.chunks.swapped = self.residence.swapped;
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
    /// heap of a thread's arena, two chunks of 16 bytes where the main arena goes on elsewhere,
    /// before which there may be a third, what was left of the top.
    fn fence_bytes(&mut self, at: u64) -> Result<Option<u64>, Stop> {
        let end = self.stretch.end;
        let of_thread = matches!(self.stretch.kind, Kind::Heap(..));
        if of_thread && at + HEADER == end {
            return Ok((self.header(at)?.size() == 0).then_some(HEADER));
        }
        if of_thread && at + LEAST != end {
            return Ok(None);
        }
        let mut fences = 0;
        while fences < MOST_FENCES
            && at + (fences + 1) * HEADER <= end
            && self.header(at + fences * HEADER)?.size() == HEADER
        {
            fences += 1;
        }
        let whole = if of_thread { fences == 1 && self.header(at + HEADER)?.size() == 0 } else { fences > 1 };
        Ok(whole.then_some(if of_thread { LEAST } else { fences * HEADER }))
    }

    /// Walks from the first chunk on. Where the process changed the chunks meanwhile, the walk goes back by one chunk, then by
    /// two, by four, and reads again.
    fn chunks(&mut self, first: u64) -> Result<(), (u64, Stop)> {
        let (mut at, mut farthest, mut back, mut rewinds) = (first, first, 1, 0);
        let result = loop {
            match self.step(&mut at) {
                Ok(true) => break Ok(()),
                Ok(false) => {}
                Err(Stop::Impossible) if back <= RECENT && rewinds < REWINDS => {
                    back = if at > farthest { 1 } else { back * 2 };
                    farthest = farthest.max(at);
                    rewinds += 1;
                    at = self.rewind(at, back);
                }
                Err(stop) => break Err((self.open.take().map_or(at, |open| open.start), stop)),
            }
        };
        self.settle(0);
        result
    }

    /// Forgets some chunks, and everything that was read: where to go on.
    fn rewind(&mut self, at: u64, chunks: usize) -> u64 {
        let open = self.open.take().map_or(at, |open| open.start);
        let kept = self.recent.len().saturating_sub(chunks - 1);
        let from = self.recent.drain(kept..).next().map_or(open, |settled| settled.start);
        self.window.forget();
        let now = self.stretch.again(self.window.memory);
        let grown = now.open != self.stretch.open;
        if grown || !self.residence.has(at) && self.is_present(at) {
            // Where it cannot be asked, what was known stays.
            if let Ok(residence) = Residence::read(self.window.memory, now.start, now.open) {
                self.residence = residence;
                *self.stretch = now;
            }
        } else {
            self.stretch.end = now.end;
        }
        from
    }

    /// Whether a page is in memory now.
    fn is_present(&mut self, at: u64) -> bool {
        let mut entry = [0];
        let page = at - at % self.window.memory.page_size();
        self.window.memory.pages(page, &mut entry).is_ok() && entry.iter().all(|entry| entry >> 63 == 1)
    }

    /// Looks at one header; true at the end.
    fn step(&mut self, at: &mut u64) -> Result<bool, Stop> {
        let here = *at;
        if here == self.stretch.end {
            if let Some(open) = self.open.take() {
                self.recent.push(Settled { what: What::Top, ..open });
            }
            return Ok(true);
        }
        let header = self.header(here)?;
        let is_chunk = header.is_possible() && self.is_within(here, header) && self.is_of_arena(header);
        let fences = if is_chunk { None } else { self.fence_bytes(here)? };
        if !is_chunk && fences.is_none() {
            if self.stretch.kind != Kind::MainMapping || !self.is_page(here) || self.open.is_none() {
                return Err(Stop::Impossible);
            }
            // The mapping ends here, with the top, and touches one that is not malloc's.
            self.stretch.end = here;
            self.stretch.open = here;
            return Ok(false);
        }
        if let Some(open) = self.open {
            let what = match header.previous_in_use() {
                true => open.what,
                false if header.previous_size == open.size => What::Free,
                false => return Err(Stop::Impossible),
            };
            self.recent.push(Settled { what, ..open });
            self.open = None;
            if self.recent.len() > 2 * RECENT {
                self.settle(RECENT);
            }
        }
        let size = fences.unwrap_or(header.size());
        *at += size;
        let whole = *at <= self.window.end();
        match fences {
            None => self.open = Some(Settled { start: here, size, what: What::InUse { whole } }),
            Some(_) => self.recent.push(Settled { start: here, size, what: What::Fences }),
        }
        if fences.is_some() && self.stretch.kind == Kind::MainMapping && self.is_page(*at) {
            // Behind it lies another mapping, which is looked at by itself.
            self.pass.fenced = true;
            self.stretch.end = *at;
            self.stretch.open = *at;
        }
        Ok(false)
    }

    fn is_page(&self, at: u64) -> bool {
        at.is_multiple_of(self.window.memory.page_size())
    }

    /// Counts all chunks but the last few.
    fn settle(&mut self, but: usize) {
        let Walker { recent, residence, pass: Pass { chunks, sizes, .. }, .. } = self;
        for Settled { start, size, what } in recent.drain(..recent.len().saturating_sub(but)) {
            let end = start + size;
            let free_from = match what {
                What::InUse { whole } => {
                    let resident = if whole { size } else { residence.bytes(start, end) };
                    chunks.in_use.add(Tally { chunks: 1, bytes: size, resident });
                    sizes.count(size, resident);
                    continue;
                }
                What::Fences => {
                    chunks.structures += residence.bytes(start, end);
                    continue;
                }
                What::Free => start + FREE_HEAD,
                // `systrim` keeps MINSIZE + 1 bytes of the main arena's.
                What::Top => start + LEAST + 1,
            };
            let resident = residence.whole_pages(free_from, end);
            let tally = if what == What::Top { &mut chunks.top } else { &mut chunks.free };
            tally.add(Tally { chunks: 1, bytes: size, resident });
            chunks.free_shared += residence.bytes(start, end) - resident;
        }
    }

    fn is_of_arena(&self, header: Header) -> bool {
        matches!(self.stretch.kind, Kind::Heap(..)) || !header.is_of_thread()
    }
}

/// A chunk, and what the header behind it said of it.
#[derive(Clone, Copy)]
struct Settled {
    start: u64,
    size: u64,
    what: What,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    /// Whether it was read whole, so that all of it is in memory.
    InUse {
        whole: bool,
    },
    Free,
    Top,
    Fences,
}
