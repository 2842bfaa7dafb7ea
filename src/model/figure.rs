//! A size and why it is what it is: the only thing a table may show.

use super::{Bytes, Place, Quantity};

/// Where a number comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum Provenance {
    /// Written by the user.
    Set {
        /// The key as written; it may be a deprecated name of the option.
        key: &'static str,
        /// Where it is written.
        place: Place,
    },
    /// What this version of Flink takes when nobody says otherwise.
    Default {
        /// The option.
        key: &'static str,
        /// The constant in Flink's source, as `Class.FIELD`.
        source: &'static str,
    },
    /// Computed from other numbers.
    Derived(Box<Derivation>),
    /// Measured somewhere, and written down with the command or capture that measured it.
    Measured {
        /// Where and how.
        from: &'static str,
    },
}

/// A size with its provenance.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// The size.
    pub bytes: Bytes,
    /// Why.
    pub provenance: Provenance,
}

impl Figure {
    /// A figure computed from others.
    pub fn derived(bytes: Bytes, derivation: Derivation) -> Figure {
        Figure { bytes, provenance: Provenance::Derived(Box::new(derivation)) }
    }
}

/// A number without unit, such as a fraction, with its provenance.
#[derive(Clone, Debug, PartialEq)]
pub struct Ratio {
    /// The value as Flink computes with it: a fraction is a 32-bit float widened to 64 bits.
    pub value: f64,
    /// Why.
    pub provenance: Provenance,
}

/// A named size inside a formula.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Term {
    /// What it is.
    pub quantity: Quantity,
    /// How much.
    pub bytes: Bytes,
}

impl Term {
    /// A named size.
    pub fn new(quantity: Quantity, bytes: Bytes) -> Term {
        Term { quantity, bytes }
    }
}

/// The bounds between which a share is held.
#[derive(Clone, Debug, PartialEq)]
pub struct Range {
    /// Not less than this.
    pub min: Figure,
    /// Not more than this.
    pub max: Figure,
}

/// Whether a bound took effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// Neither bound was met.
    Free,
    /// The share was smaller than the minimum, which counts instead.
    AtMinimum,
    /// The share was larger than the maximum, which counts instead.
    AtMaximum,
}

/// How a number is computed: the formula with the numbers that went in.
#[derive(Clone, Debug, PartialEq)]
pub enum Derivation {
    /// `whole x ratio`, truncated, held between two bounds where there are any.
    Share {
        /// What the share is taken of.
        whole: Term,
        /// Which share.
        ratio: Ratio,
        /// The product before a bound was applied.
        product: Bytes,
        /// The bounds.
        range: Option<Range>,
        /// Whether a bound took effect.
        held: Held,
    },
    /// `rest x ratio / (1 - ratio)`: the share is one of a whole that is not known yet, of which the rest is.
    ShareOfUnknown {
        /// The part of the whole that is known.
        rest: Term,
        /// Which share of the whole.
        ratio: Ratio,
        /// The product before a bound was applied.
        product: Bytes,
        /// The bounds.
        range: Range,
        /// Whether a bound took effect.
        held: Held,
    },
    /// `whole - parts`.
    Remainder {
        /// What is divided up.
        whole: Term,
        /// What is taken out of it.
        parts: Vec<Term>,
    },
    /// The sum of all parts.
    Sum(Vec<Term>),
    /// `count x size`: network memory given as a number of buffers.
    Buffers {
        /// How many, and why so many.
        count: Ratio,
        /// The size of one.
        segment: Figure,
    },
    /// `whole / count`, the rest of the division lost.
    Divided {
        /// What is shared out.
        whole: Term,
        /// Among how many.
        count: u64,
    },
    /// `whole x weight / weights`, truncated: a consumer's share of managed memory.
    Weighted {
        /// What is shared out.
        whole: Term,
        /// The consumer's weight.
        weight: i64,
        /// The weights of all consumers in the slot.
        weights: i64,
    },
    /// `(3 - ratio) x total / 3`.
    BlockCache {
        /// The pool.
        total: Term,
        /// The write-buffer ratio.
        ratio: Ratio,
    },
    /// `2 x total x ratio / 3`.
    WriteBufferManager {
        /// The pool.
        total: Term,
        /// The write-buffer ratio.
        ratio: Ratio,
    },
    /// An eighth of the write buffer, rounded up to 4 KiB, and not more than `at_most` where RocksDB bounds it.
    ArenaBlock {
        /// The write buffer.
        write_buffer: Figure,
        /// RocksDB's own upper bound, from 6.21 on.
        at_most: Option<Bytes>,
    },
    /// `7/8` of the write-buffer manager.
    MutableLimit {
        /// The write-buffer manager.
        manager: Term,
    },
    /// Computed by the cut-off model in 32-bit floats.
    CutOff {
        /// The formula with its numbers, as an end to the sentence that "It is" begins.
        formula: String,
        /// The options in it.
        options: Vec<Provenance>,
    },
}

impl Derivation {
    /// The options that go into the formula, set or not.
    pub fn options(&self) -> Vec<&Provenance> {
        match self {
            Derivation::Share { ratio, range, .. } => {
                let bounds = range.iter().flat_map(|range| [&range.min.provenance, &range.max.provenance]);
                std::iter::once(&ratio.provenance).chain(bounds).collect()
            }
            Derivation::ShareOfUnknown { ratio, range, .. } => {
                vec![&ratio.provenance, &range.min.provenance, &range.max.provenance]
            }
            Derivation::Buffers { count, segment } => vec![&count.provenance, &segment.provenance],
            Derivation::BlockCache { ratio, .. } | Derivation::WriteBufferManager { ratio, .. } => {
                vec![&ratio.provenance]
            }
            Derivation::ArenaBlock { write_buffer, .. } => vec![&write_buffer.provenance],
            Derivation::CutOff { options, .. } => options.iter().collect(),
            Derivation::Remainder { .. }
            | Derivation::Sum(_)
            | Derivation::Divided { .. }
            | Derivation::Weighted { .. }
            | Derivation::MutableLimit { .. } => Vec::new(),
        }
    }
}
