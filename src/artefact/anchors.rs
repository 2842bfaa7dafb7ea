//! The words by which the lines that matter are found in a log of any size.

use aho_corasick::packed::{Builder, MatchKind, Searcher};
use aho_corasick::{AhoCorasick, Input};

/// Lines kept before a line that matters, unless its word says otherwise: what was logged just before.
const BEFORE: u32 = 5;
/// Lines kept from it on: a stack trace with its causes, a process tree.
const AFTER: u32 = 60;

/// A word that stands in lines that matter, and how much around it belongs to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// The word, as its bytes stand in the file.
    pub word: &'static str,
    /// Lines before it.
    pub before: u32,
    /// Lines behind it.
    pub after: u32,
}

impl Anchor {
    /// A word with what usually belongs to it.
    pub const fn of(word: &'static str) -> Anchor {
        Anchor { word, before: BEFORE, after: AFTER }
    }

    /// A word that stands at the start or the end of something long.
    pub const fn reaching(word: &'static str, before: u32, after: u32) -> Anchor {
        Anchor { word, before, after }
    }
}

impl From<&'static str> for Anchor {
    fn from(word: &'static str) -> Anchor {
        Anchor::of(word)
    }
}

/// All words, made ready to be searched for at once.
#[derive(Debug)]
pub struct Anchors {
    all: Vec<Anchor>,
    search: Search,
}

#[derive(Debug)]
enum Search {
    Nothing,
    /// With SIMD: 64 words at most, on x86-64 with SSSE3 or AVX2 and on aarch64.
    Packed(Searcher),
    Automaton(AhoCorasick),
}

/// A word at an offset of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hit {
    pub(crate) offset: usize,
    pub(crate) anchor: usize,
}

impl Anchors {
    /// How many words there are.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// The words.
    pub fn words(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.all.iter().map(|anchor| anchor.word)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Makes words ready. Of equal words the one that reaches furthest counts; empty ones are none.
    pub fn new<A: Into<Anchor>>(words: impl IntoIterator<Item = A>) -> Anchors {
        let mut all: Vec<Anchor> = Vec::new();
        for anchor in words.into_iter().map(Into::into).filter(|anchor| !anchor.word.is_empty()) {
            match all.iter_mut().find(|known| known.word == anchor.word) {
                Some(known) => {
                    known.before = known.before.max(anchor.before);
                    known.after = known.after.max(anchor.after);
                }
                None => all.push(anchor),
            }
        }
        let words = || all.iter().map(|anchor| anchor.word);
        let packed = || {
            let mut builder = aho_corasick::packed::Config::new().match_kind(MatchKind::LeftmostLongest).builder();
            let builder: &mut Builder = builder.extend(words());
            builder.build()
        };
        let automaton =
            || AhoCorasick::builder().match_kind(aho_corasick::MatchKind::LeftmostLongest).build(words()).ok();
        let search = if all.is_empty() {
            Search::Nothing
        } else {
            packed().map(Search::Packed).or_else(|| automaton().map(Search::Automaton)).unwrap_or(Search::Nothing)
        };
        Anchors { all, search }
    }

    /// The words, in the order in which they were given.
    pub fn all(&self) -> &[Anchor] {
        &self.all
    }

    pub(crate) fn get(&self, index: usize) -> Option<Anchor> {
        self.all.get(index).copied()
    }

    /// Where which word stands, in the order of offsets: the longest of those that start at one offset.
    pub(crate) fn find(&self, block: &[u8], hits: &mut Vec<Hit>) {
        let mut from = 0;
        while let Some((start, anchor)) = self.next(block, from) {
            hits.push(Hit { offset: start, anchor });
            from = start + 1;
        }
    }

    fn next(&self, block: &[u8], from: usize) -> Option<(usize, usize)> {
        match &self.search {
            Search::Nothing => None,
            Search::Packed(search) => {
                let found = search.find_in(block, (from..block.len()).into())?;
                Some((found.start(), found.pattern().as_usize()))
            }
            Search::Automaton(search) => {
                let found = search.find(Input::new(block).range(from..))?;
                Some((found.start(), found.pattern().as_usize()))
            }
        }
    }
}
