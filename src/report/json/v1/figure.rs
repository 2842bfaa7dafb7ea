//! Numbers, where they come from, and places.

use serde::Serialize;

use crate::model::{Derivation, Figure, Held, Place, Position, Provenance, Range, Ratio, Reading, Term};
use crate::report::Sheet;

/// A number with its reason.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FigureV1 {
    bytes: u64,
    provenance: ProvenanceV1,
}

impl FigureV1 {
    pub fn of(sheet: &Sheet, figure: &Figure) -> FigureV1 {
        FigureV1 { bytes: figure.bytes.get(), provenance: provenance(sheet, &figure.provenance) }
    }
}

/// Where a number comes from.
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum ProvenanceV1 {
    /// Written by the user.
    Set {
        /// The key as written.
        key: &'static str,
        place: PlaceV1,
        /// Places where the same key is set to no effect.
        overrides: Vec<PlaceV1>,
    },
    /// The default of this version.
    Default {
        key: &'static str,
        /// The field of Flink's class that declares it.
        source: &'static str,
    },
    /// Computed from other numbers.
    Derived(DerivedV1),
    /// Measured.
    Measured { from: &'static str },
}

/// How a number is computed.
#[derive(Serialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DerivedV1 {
    formula: String,
    /// The sizes that went in.
    inputs: Vec<InputV1>,
    /// The fraction, ratio, weight or count in the formula.
    #[serde(skip_serializing_if = "Option::is_none")]
    ratio: Option<f64>,
    /// The product before a bound took effect.
    #[serde(skip_serializing_if = "Option::is_none")]
    unbounded: Option<u64>,
    /// The range of the result.
    #[serde(skip_serializing_if = "Option::is_none")]
    range: Option<[u64; 2]>,
    /// `minimum` or `maximum` where one took effect.
    #[serde(skip_serializing_if = "Option::is_none")]
    held_at: Option<&'static str>,
    /// The options that went in, set or not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    options: Vec<ProvenanceV1>,
}

/// A size with its name.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct InputV1 {
    name: &'static str,
    bytes: u64,
}

impl InputV1 {
    pub fn of(term: &Term) -> InputV1 {
        InputV1 { name: term.quantity.label(), bytes: term.bytes.get() }
    }
}

/// Where something is written.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PlaceV1 {
    source: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<u32>,
    /// First byte of the value.
    #[serde(skip_serializing_if = "Option::is_none")]
    start: Option<usize>,
    /// Byte behind its last.
    #[serde(skip_serializing_if = "Option::is_none")]
    end: Option<usize>,
}

impl PlaceV1 {
    pub fn of(place: &Place) -> PlaceV1 {
        let at = place.position;
        PlaceV1 {
            source: place.source.to_string(),
            line: at.map(|Position { line, .. }| line),
            column: at.map(|Position { column, .. }| column),
            start: at.map(|Position { start, .. }| start),
            end: at.map(|Position { end, .. }| end),
        }
    }
}

/// A size, or why it is not known.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum ReadingV1 {
    Bytes(u64),
    Unknown(String),
}

impl ReadingV1 {
    pub fn of(reading: &Reading) -> ReadingV1 {
        match reading {
            Reading::Seen(bytes) => ReadingV1::Bytes(bytes.get()),
            Reading::Unseen(why) => ReadingV1::Unknown(why.clone()),
        }
    }
}

/// Where a number comes from, with what it hides.
pub fn provenance(sheet: &Sheet, provenance: &Provenance) -> ProvenanceV1 {
    match provenance {
        Provenance::Set { key, place } => ProvenanceV1::Set {
            key,
            place: PlaceV1::of(place),
            overrides: sheet.overridden(provenance).into_iter().map(PlaceV1::of).collect(),
        },
        Provenance::Default { key, source } => ProvenanceV1::Default { key, source },
        Provenance::Measured { from } => ProvenanceV1::Measured { from },
        Provenance::Derived(derivation) => {
            let options = derivation.options().into_iter().map(|option| self::provenance(sheet, option)).collect();
            ProvenanceV1::Derived(DerivedV1 { options, ..derived(derivation) })
        }
    }
}

fn derived(derivation: &Derivation) -> DerivedV1 {
    let of = |formula: &str, inputs: &[&Term]| DerivedV1 {
        formula: formula.to_owned(),
        inputs: inputs.iter().map(|term| InputV1::of(term)).collect(),
        ..DerivedV1::default()
    };
    let in_range = |ratio: &Ratio, product: crate::model::Bytes, range: Option<&Range>, held: Held| DerivedV1 {
        ratio: Some(ratio.value),
        unbounded: Some(product.get()),
        range: range.map(|range| [range.min.bytes.get(), range.max.bytes.get()]),
        held_at: match held {
            Held::Free => None,
            Held::AtMinimum => Some("minimum"),
            Held::AtMaximum => Some("maximum"),
        },
        ..DerivedV1::default()
    };
    match derivation {
        Derivation::Share { whole, ratio, product, range, held } => {
            let formula = if range.is_some() { "whole x ratio, held in its range" } else { "whole x ratio" };
            let DerivedV1 { formula, inputs, .. } = of(formula, &[whole]);
            DerivedV1 { formula, inputs, ..in_range(ratio, *product, range.as_ref(), *held) }
        }
        Derivation::ShareOfUnknown { rest, ratio, product, range, held } => {
            let DerivedV1 { formula, inputs, .. } = of("rest x ratio / (1 - ratio), held in its range", &[rest]);
            DerivedV1 { formula, inputs, ..in_range(ratio, *product, Some(range), *held) }
        }
        Derivation::Remainder { whole, parts } => {
            let inputs: Vec<&Term> = std::iter::once(whole).chain(parts).collect();
            of("the first minus all others", &inputs)
        }
        Derivation::Sum(parts) => of("sum", &parts.iter().collect::<Vec<_>>()),
        Derivation::Buffers { count, segment } => DerivedV1 {
            inputs: vec![InputV1 { name: "memory segment", bytes: segment.bytes.get() }],
            ratio: Some(count.value),
            ..of("segment x count", &[])
        },
        Derivation::Divided { whole, count } => {
            DerivedV1 { ratio: Some(*count as f64), ..of("whole / count", &[whole]) }
        }
        Derivation::Weighted { whole, weight, weights } => {
            DerivedV1 { ratio: Some(*weight as f64 / *weights as f64), ..of("whole x weight / weights", &[whole]) }
        }
        Derivation::BlockCache { total, ratio } => {
            DerivedV1 { ratio: Some(ratio.value), ..of("pool x (3 - ratio) / 3", &[total]) }
        }
        Derivation::WriteBufferManager { total, ratio } => {
            DerivedV1 { ratio: Some(ratio.value), ..of("pool x 2 x ratio / 3", &[total]) }
        }
        Derivation::ArenaBlock { write_buffer, at_most } => DerivedV1 {
            inputs: vec![InputV1 { name: "write buffer", bytes: write_buffer.bytes.get() }],
            range: at_most.map(|at_most| [0, at_most.get()]),
            ..of("write buffer / 8, in whole 4 KiB", &[])
        },
        Derivation::MutableLimit { manager } => of("write-buffer manager x 7 / 8", &[manager]),
        Derivation::CutOff { formula, .. } => of(formula, &[]),
    }
}
