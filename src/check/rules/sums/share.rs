//! A part of a budget that is a share of another, held between two bounds.

use crate::model::{Bytes, Derivation, Figure, Held, Place, Provenance, Range, Ratio, Source};

/// What a share was computed from.
pub struct Share<'a> {
    /// Which share.
    pub ratio: &'a Ratio,
    /// What it would be without bounds.
    pub product: Bytes,
    /// The bounds.
    pub range: &'a Range,
    /// Whether a bound took effect.
    pub held: Held,
}

impl<'a> Share<'a> {
    /// The share behind a figure; nothing where it is set or derived otherwise, or has no bounds.
    pub fn of(figure: &'a Figure) -> Option<Share<'a>> {
        let Provenance::Derived(derivation) = &figure.provenance else { return None };
        match derivation.as_ref() {
            Derivation::Share { ratio, product, range: Some(range), held, .. }
            | Derivation::ShareOfUnknown { ratio, product, range, held, .. } => {
                Some(Share { ratio, product: *product, range, held: *held })
            }
            _ => None,
        }
    }
}

/// Where somebody wrote a number; nothing for a default, or for what comes with the image.
pub fn written(provenance: &Provenance) -> Option<&Place> {
    match provenance {
        Provenance::Set { place, .. } if place.source != Source::Shipped => Some(place),
        _ => None,
    }
}

/// Whether a figure is what others leave.
pub fn is_remainder(figure: &Figure) -> bool {
    let Provenance::Derived(derivation) = &figure.provenance else { return false };
    matches!(**derivation, Derivation::Remainder { .. })
}
