//! What stands before a chunk, and at the start of a heap.

/// The chunk before is in use (`PREV_INUSE`).
const PREVIOUS_IN_USE: u64 = 1;
/// The chunk is a mapping of its own (`IS_MMAPPED`).
const IS_MAPPED: u64 = 2;
/// The chunk belongs to a thread's arena (`NON_MAIN_ARENA`).
const NOT_MAIN: u64 = 4;
const FLAGS: u64 = 7;

/// Bytes of the header, and what a size is a multiple of (`CHUNK_HDR_SZ`, `MALLOC_ALIGNMENT`).
pub(super) const HEADER: u64 = 16;
/// Bytes of the least chunk (`MINSIZE`).
pub(super) const LEAST: u64 = 32;
/// Bytes that a free chunk needs for the lists that it is in (`sizeof (struct malloc_chunk)`).
pub(super) const FREE_HEAD: u64 = 48;

/// The header of a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// The size of the chunk before, where that is free; of a mapped chunk, how far it is from the start of the mapping.
    pub previous_size: u64,
    word: u64,
}

impl Header {
    pub(super) fn of(bytes: [u8; 16]) -> Header {
        let both = u128::from_le_bytes(bytes);
        Header { previous_size: both as u64, word: (both >> 64) as u64 }
    }

    /// Bytes of the chunk.
    pub(super) fn size(self) -> u64 {
        self.word & !FLAGS
    }

    pub(super) fn previous_in_use(self) -> bool {
        self.word & PREVIOUS_IN_USE != 0
    }

    pub(super) fn is_mapped(self) -> bool {
        self.word & IS_MAPPED != 0
    }

    /// A mapped chunk has no other flag.
    pub(super) fn is_only_mapped(self) -> bool {
        self.word & FLAGS == IS_MAPPED
    }

    pub(super) fn is_of_thread(self) -> bool {
        self.word & NOT_MAIN != 0
    }

    /// Whether a chunk of an arena can be so large.
    pub(super) fn is_possible(self) -> bool {
        self.size() >= LEAST && self.size().is_multiple_of(HEADER) && !self.is_mapped()
    }
}

/// Bytes at the start of a heap that are looked at.
pub(super) const HEAP_INFO: usize = 32;
/// The largest heap, and what its address is a multiple of (`HEAP_MAX_SIZE`, twice `DEFAULT_MMAP_THRESHOLD_MAX`).
pub(super) const HEAP_SPAN: u64 = 64 << 20;

/// The start of a heap of a thread's arena (`struct _heap_info`). Since 2.35 it has the page size behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct HeapInfo {
    /// Address of the arena's state.
    pub arena: u64,
    /// Address of the heap before; 0 in the arena's first.
    pub previous: u64,
    /// Bytes in use.
    pub size: u64,
    /// Bytes that are readable and writable.
    pub open: u64,
}

impl HeapInfo {
    /// The heap at an address, where it is one. One that is not its arena's first is only one if the one before is.
    pub(super) fn of(at: u64, bytes: &[u8; HEAP_INFO], page: u64) -> Option<HeapInfo> {
        let (words, _) = bytes.as_chunks::<8>();
        let [arena, previous, size, open] = *words else { return None };
        let [arena, previous, size, open] = [arena, previous, size, open].map(u64::from_le_bytes);
        let info = HeapInfo { arena, previous, size, open };
        let sized = size >= page && size <= open && open <= HEAP_SPAN && size.is_multiple_of(page);
        let linked = match previous {
            0 => info.own_bytes(at).is_some(),
            _ => previous.is_multiple_of(HEAP_SPAN) && previous != at && arena > 0,
        };
        (sized && open.is_multiple_of(page) && linked).then_some(info)
    }

    /// Bytes of this structure, told by the arena that follows it in the first heap: 32 to 2.34, 48 since.
    pub(super) fn own_bytes(&self, first_heap: u64) -> Option<u64> {
        self.arena.checked_sub(first_heap).filter(|bytes| matches!(bytes, 32 | 48))
    }
}
