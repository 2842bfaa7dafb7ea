//! Bars of a drawing: parts of memory one behind the other, on a scale.

use super::amount::mib;
use crate::model::Bytes;

/// A bar's full width, in units of the drawing.
pub const FULL: u64 = 960;

/// A part of a bar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Where it begins.
    pub x: u64,
    /// How wide it is.
    pub width: u64,
    /// The class that gives it its colour.
    pub colour: String,
    /// What it is, with its size.
    pub text: String,
}

/// What a bar of full width stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scale(pub Bytes);

impl Scale {
    /// How wide something is.
    pub fn of(&self, bytes: Bytes) -> u64 {
        let x = u128::from(bytes.get()) * u128::from(FULL);
        x.checked_div(u128::from(self.0.get())).and_then(|x| u64::try_from(x).ok()).unwrap_or(0).min(FULL)
    }

    /// Pieces one behind the other: each begins where the last ends, so that no gap is from rounding.
    pub fn stack(&self, parts: impl Iterator<Item = (Bytes, String, String)>) -> Vec<Piece> {
        let mut sum = 0_u64;
        let mut pieces = Vec::new();
        for (bytes, colour, name) in parts {
            let x = self.of(Bytes::new(sum));
            sum = sum.saturating_add(bytes.get());
            let width = self.of(Bytes::new(sum)).saturating_sub(x);
            pieces.push(Piece { x, width, colour, text: format!("{name} {} MiB", mib(bytes)) });
        }
        pieces
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_follow_one_another_and_end_at_the_sum() {
        let parts = [1_u64, 0, 333, 667].map(|bytes| (Bytes::new(bytes), String::new(), String::new()));
        let pieces = Scale(Bytes::new(1001)).stack(parts.into_iter());
        assert!(pieces.windows(2).all(|two| two[0].x + two[0].width == two[1].x));
        assert_eq!(pieces.last().map(|last| last.x + last.width), Some(FULL));
        assert_eq!(Scale(Bytes::ZERO).of(Bytes::mib(1)), 0);
    }
}
