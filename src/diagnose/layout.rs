//! What each mapping of a JVM is: told by its name, by what the JVM says of its place, else by its shape.
//!
//! The rules are held against the JVM's own native memory tracking on captured processes (`tests/captures.rs`). Where one
//! says a size, it is HotSpot's or glibc's own, and the rule names the source.

mod board;
mod class_space;
mod collector_tables;
mod glibc;
mod java_heap;
mod metaspace;
mod stacks;

use board::Board;
pub use board::{Basis, Kind, Placed};

use crate::artefact::smaps::{Mapping, Smaps};
use crate::plan::jvm::Collector;

/// Who serves `malloc`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MallocOf {
    /// glibc: heaps of 64 MiB that can be told by their shape.
    #[default]
    Glibc,
    /// Another allocator, whose mappings have no shape that could be told.
    Another,
}

/// What is known of a process beside its mappings. All of it may be missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hints {
    /// The largest heap, as the command line asks for it: the JVM rounds it up.
    pub max_heap: Option<u64>,
    /// Sizes that the reserved class space may have, the likeliest first.
    pub class_space: Vec<u64>,
    /// Metaspace outside the class space that is committed.
    pub metaspace_committed: Option<u64>,
    /// Which collector runs.
    pub collector: Option<Collector>,
    /// Where the stack pointers of the threads stand.
    pub stack_pointers: Vec<u64>,
    /// Who serves malloc.
    pub malloc: MallocOf,
    /// Mappings of which malloc's own headers say that they are its chunks, by their first address.
    pub malloc_chunks: Vec<u64>,
    /// Whether memory could be read, so that what is not in `malloc_chunks` is none.
    pub chunks_were_read: bool,
    /// Ranges that the JVM itself names.
    pub named: Vec<Named>,
}

/// A range of addresses that the JVM names (`VM.info`, native memory tracking in detail).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Named {
    /// The first address.
    pub start: u64,
    /// The address behind the last.
    pub end: u64,
    /// What it is.
    pub kind: Kind,
}

/// What each mapping is, in their order.
pub fn place(smaps: &Smaps, hints: &Hints) -> Vec<Placed> {
    let mut board = Board::new(&smaps.mappings);
    for named in &hints.named {
        board.place_range(named.start, named.end, named.kind, Basis::Named);
    }
    java_heap::place(&mut board, hints);
    names(&mut board);
    stacks::place_by_pointer(&mut board, &hints.stack_pointers);
    code(&mut board);
    class_space::place(&mut board, &hints.class_space);
    if hints.malloc == MallocOf::Glibc {
        glibc::place(&mut board);
    }
    stacks::place_by_shape(&mut board);
    metaspace::place(&mut board, hints);
    collector_tables::place(&mut board, hints);
    library_data(&mut board);
    left_over(&mut board, hints);
    board.finish()
}

/// Files, by their names.
fn names(board: &mut Board) {
    board.place_each(Basis::Name, |mapping| {
        let name = mapping.name.as_str();
        match name {
            "[heap]" => return Some(Kind::MainHeap),
            "[stack]" => return Some(Kind::Stack),
            _ if name.starts_with("[stack:") => return Some(Kind::Stack),
            _ if mapping.is_anonymous() => return None,
            _ if name.starts_with('[') => return Some(Kind::Kernel),
            _ => {}
        }
        Some(match mapping.file_name() {
            _ if java_heap::is_memory_file(mapping) => Kind::JavaHeap,
            file if file.ends_with(".jsa") => Kind::CdsArchive,
            _ => Kind::File,
        })
    });
}

/// Nothing but compiled code and the interpreter is anonymous and executable (CodeCache, HotSpot).
fn code(board: &mut Board) {
    board.place_each(Basis::Shape, |mapping| {
        (mapping.is_anonymous() && mapping.access.execute).then_some(Kind::CodeCache)
    });
}

/// The zeroed data of a library lies right behind its last page in the file. libjvm.so has most of all, about a MiB.
const MOST_LIBRARY_DATA: u64 = 2 << 20;

fn library_data(board: &mut Board) {
    for index in board.open() {
        let Some(before) = index.checked_sub(1) else { continue };
        let (library, mapping) = (board.mapping(before), board.mapping(index));
        let follows = library.end == mapping.start && board.kind(before) == Some(Kind::File);
        let is_library = library.access.write && is_library(library);
        if follows && is_library && mapping.access.write && mapping.size() <= MOST_LIBRARY_DATA {
            board.place(index, Kind::LibraryData, Basis::Shape);
        }
    }
}

fn is_library(mapping: &Mapping) -> bool {
    let name = mapping.file_name();
    name.ends_with(".so") || name.contains(".so.") || mapping.name.contains("/bin/")
}

/// malloc maps a chunk of its own from this size on (`M_MMAP_THRESHOLD`, malloc.c of glibc), and adds a page for its header.
const SMALLEST_MAPPED_CHUNK: u64 = 128 << 10;

fn left_over(board: &mut Board, hints: &Hints) {
    for index in board.open() {
        let mapping = board.mapping(index);
        let writable = mapping.access.write && !mapping.access.shared;
        let (kind, basis) = if hints.malloc_chunks.contains(&mapping.start) {
            (Kind::MallocMapped, Basis::Named)
        } else if hints.malloc == MallocOf::Another && writable {
            (Kind::MallocMapped, Basis::LeftOver)
        } else if writable && !hints.chunks_were_read && mapping.size() > SMALLEST_MAPPED_CHUNK {
            (Kind::MallocMapped, Basis::LeftOver)
        } else if writable && hints.chunks_were_read && hints.max_heap.is_some() {
            // What a JVM has mapped and no other rule knows is its collector's, but for some hundred KiB.
            (Kind::CollectorTable, Basis::LeftOver)
        } else {
            (Kind::Unknown, Basis::LeftOver)
        };
        board.place(index, kind, basis);
    }
}
