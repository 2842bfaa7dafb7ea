//! Mappings and what has been found out about each so far: a rule places what no rule before it has placed.

use crate::artefact::smaps::Mapping;
use crate::model::{Origin, Pool};

/// What a mapping is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The Java heap.
    JavaHeap,
    /// Class metadata outside the class space.
    Metaspace,
    /// The compressed class space.
    ClassSpace,
    /// Compiled code.
    CodeCache,
    /// A thread's stack.
    Stack,
    /// A table of the collector.
    CollectorTable,
    /// The archive of classes.
    CdsArchive,
    /// A heap of one of glibc's arenas.
    Arena,
    /// `[heap]`, the main arena.
    MainHeap,
    /// A chunk of malloc that has a mapping of its own.
    MallocMapped,
    /// A file.
    File,
    /// A library's zeroed data.
    LibraryData,
    /// The kernel's own: `[vdso]`.
    Kernel,
    /// What no rule knows.
    Unknown,
}

impl Kind {
    /// The pool that its resident bytes are in.
    pub fn pool(self) -> Pool {
        match self {
            Kind::JavaHeap => Pool::JavaHeap,
            Kind::Metaspace => Pool::Metaspace,
            Kind::ClassSpace => Pool::ClassSpace,
            Kind::CodeCache => Pool::CodeCache,
            Kind::Stack => Pool::ThreadStacks,
            Kind::CollectorTable => Pool::Gc,
            Kind::CdsArchive => Pool::CdsArchive,
            Kind::Arena | Kind::MainHeap | Kind::MallocMapped => Pool::MallocUndivided,
            Kind::File | Kind::LibraryData => Pool::MappedFiles,
            Kind::Kernel | Kind::Unknown => Pool::Unaccounted,
        }
    }
}

/// How it was told, the surest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Basis {
    /// The JVM, a thread's registers or malloc's own header say so.
    Named,
    /// By the name that the kernel gives.
    Name,
    /// By size, place and access.
    Shape,
    /// By nothing else being left that it could be.
    LeftOver,
}

impl Basis {
    /// The least sure way in which a number that was read there is told.
    pub fn of(origin: Origin) -> Basis {
        match origin {
            Origin::Smaps | Origin::HeapWalk => Basis::Shape,
            Origin::LeftOver => Basis::LeftOver,
            _ => Basis::Named,
        }
    }

    /// The word in a report.
    pub fn label(self) -> &'static str {
        match self {
            Basis::Named => "measured",
            Basis::Name => "by name",
            Basis::Shape => "by shape",
            Basis::LeftOver => "left over",
        }
    }
}

/// What a mapping is and how that was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed {
    /// What.
    pub kind: Kind,
    /// How it was told.
    pub basis: Basis,
}

/// All mappings, each with what is known of it.
pub(super) struct Board<'m> {
    mappings: &'m [Mapping],
    placed: Vec<Option<Placed>>,
}

impl<'m> Board<'m> {
    pub(super) fn new(mappings: &'m [Mapping]) -> Board<'m> {
        Board { mappings, placed: vec![None; mappings.len()] }
    }

    pub(super) fn mapping(&self, index: usize) -> &'m Mapping {
        &self.mappings[index]
    }

    /// The mapping that an address lies in.
    pub(super) fn at(&self, address: u64) -> Option<usize> {
        let behind = self.mappings.partition_point(|mapping| mapping.start <= address);
        behind.checked_sub(1).filter(|index| address < self.mappings[*index].end)
    }

    pub(super) fn len(&self) -> usize {
        self.mappings.len()
    }

    pub(super) fn kind(&self, index: usize) -> Option<Kind> {
        self.placed[index].map(|placed| placed.kind)
    }

    /// Whether no rule has placed it.
    pub(super) fn is_open(&self, index: usize) -> bool {
        self.placed[index].is_none()
    }

    /// What is not placed and could hold something.
    pub(super) fn open(&self) -> Vec<usize> {
        (0..self.len()).filter(|index| self.is_open(*index)).collect()
    }

    /// Places what is not placed yet.
    pub(super) fn place(&mut self, index: usize, kind: Kind, basis: Basis) {
        self.placed[index].get_or_insert(Placed { kind, basis });
    }

    pub(super) fn place_each(&mut self, basis: Basis, rule: impl Fn(&Mapping) -> Option<Kind>) {
        for index in self.open() {
            if let Some(kind) = rule(&self.mappings[index]) {
                self.place(index, kind, basis);
            }
        }
    }

    /// Places the mappings that lie in a range, or most of which does.
    pub(super) fn place_range(&mut self, start: u64, end: u64, kind: Kind, basis: Basis) {
        let first = self.mappings.partition_point(|mapping| mapping.end <= start);
        for index in first..self.len() {
            let mapping = &self.mappings[index];
            if mapping.start >= end {
                break;
            }
            let within = mapping.end.min(end) - mapping.start.max(start);
            if within * 2 >= mapping.size() {
                self.place(index, kind, basis);
            }
        }
    }

    /// The mappings from one on that follow each other without a gap, as long as a rule holds.
    pub(super) fn run(&self, first: usize, holds: impl Fn(usize) -> bool) -> std::ops::Range<usize> {
        let mut behind = first;
        while behind < self.len()
            && holds(behind)
            && (behind == first || self.mappings[behind - 1].end == self.mappings[behind].start)
        {
            behind += 1;
        }
        first..behind
    }

    /// Every mapping's place; what no rule reached is unknown.
    pub(super) fn finish(self) -> Vec<Placed> {
        let unknown = Placed { kind: Kind::Unknown, basis: Basis::LeftOver };
        self.placed.into_iter().map(|placed| placed.unwrap_or(unknown)).collect()
    }
}
