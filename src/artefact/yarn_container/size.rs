//! Sizes as Hadoop prints them.

use crate::model::Bytes;

/// A size as it was printed: `4.0 GB` is anything that rounds to it, `4 GB` exactly that
/// (`StringUtils.TraditionalBinaryPrefix.long2String`; before Hadoop 2.3 `humanReadableInt`: `1.1gb`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rounded {
    /// The number as it stands, in bytes, with a fraction of a byte dropped.
    pub bytes: Bytes,
    /// How far the true size may be from it: half of the last digit's place.
    pub within: u64,
}

impl Rounded {
    /// Reads digits with at most one decimal sign and a unit of powers of 1024: `4.0GB`, `512 MB`, `500B`.
    pub fn parse(text: &str) -> Option<Rounded> {
        let text = text.trim();
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.' && c != ',').unwrap_or(text.len());
        let (number, unit) = text.split_at(end);
        let shift = match unit.trim_start().bytes().next().map(|byte| byte.to_ascii_lowercase()) {
            None | Some(b'b') => 0,
            Some(b'k') => 10,
            Some(b'm') => 20,
            Some(b'g') => 30,
            Some(b't') => 40,
            Some(b'p') => 50,
            Some(_) => return None,
        };
        let (whole, fraction) = number.split_once(['.', ',']).unwrap_or((number, ""));
        let places = u32::try_from(fraction.len()).ok().filter(|places| *places <= 9)?;
        let scale = 10u128.checked_pow(places)?;
        let digits: u128 = format!("{whole}{fraction}").parse().ok()?;
        let bytes = digits.checked_mul(1 << shift)? / scale;
        let within = if places == 0 { 0 } else { (1u128 << shift).div_ceil(2 * scale) };
        Some(Rounded { bytes: Bytes::new(u64::try_from(bytes).ok()?), within: u64::try_from(within).ok()? })
    }

    /// Whether it was printed to the byte.
    pub fn is_exact(self) -> bool {
        self.within == 0
    }

    /// Whether a size would have been printed so.
    pub fn fits(self, bytes: u64) -> bool {
        // A byte more: what was printed may have been cut off.
        self.bytes.get().abs_diff(bytes) <= self.within.saturating_add(u64::from(!self.is_exact()))
    }
}
