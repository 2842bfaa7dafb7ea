//! Flink's arithmetic with fractions (`MemorySize.multiply`, `ProcessMemoryUtils.deriveWithInverseFraction`).
//!
//! A fraction option is a 32-bit float, widened to 64 bits; a size times it is the exact decimal product of the size
//! and the shortest decimal text of that double (`BigDecimal.valueOf`), truncated. Neither IEEE arithmetic nor the
//! fraction as written gives the same bytes: a tenth of 1728 MiB is 181193935, not 181193932.

use thiserror::Error;

use super::java;
use crate::model::Bytes;

/// `java.lang.ArithmeticException` as Flink's sizes throw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("long overflow")]
pub struct LongOverflow;

/// `size x multiplier`, truncated to whole bytes. The multiplier must be finite and not negative.
pub fn multiply(size: Bytes, multiplier: f64) -> Result<Bytes, LongOverflow> {
    debug_assert!(multiplier.is_finite() && multiplier >= 0.0);
    let (digits, exponent) = java::shortest_decimal(multiplier);
    // 64 bits times at most 17 digits fit in 128 bits.
    let product = u128::from(size.get()) * u128::from(digits);
    let max = u128::from(Bytes::FLINK_MAX.get());
    let power = |n: i32| 10u128.checked_pow(n.unsigned_abs());
    let (whole, rest) = if exponent >= 0 {
        if product == 0 {
            return Ok(Bytes::ZERO);
        }
        let scaled = power(exponent).and_then(|p| product.checked_mul(p)).ok_or(LongOverflow)?;
        (scaled, 0)
    } else {
        match power(exponent) {
            Some(divisor) => (product / divisor, product % divisor),
            None => (0, product),
        }
    };
    // Java compares the product before it is truncated.
    if whole > max || (whole == max && rest > 0) {
        return Err(LongOverflow);
    }
    Ok(Bytes::new(whole as u64))
}

/// What one of a whole is, as a multiple of the rest: `f / (1 - f)` in 64-bit floats. The fraction must be in [0, 1).
pub fn of_the_rest(fraction: f64) -> f64 {
    fraction / (1.0 - fraction)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(Bytes::mib(1728), 0.1, 181_193_935)]
    #[case(Bytes::new(3_221_225_472), 0.4, 1_288_490_208)]
    #[case(Bytes::mib(1728), 0.0, 0)]
    fn a_fraction_is_a_widened_float_multiplied_in_decimal(#[case] size: Bytes, #[case] f: f32, #[case] bytes: u64) {
        assert_eq!(multiply(size, f64::from(f)), Ok(Bytes::new(bytes)));
    }

    #[test]
    fn a_share_of_an_unknown_whole_is_a_multiple_of_the_rest() {
        let multiple = of_the_rest(f64::from(0.1f32));
        assert_eq!(java::double_to_string(multiple), "0.11111111295076065");
    }

    #[test]
    fn what_does_not_fit_in_a_long_overflows() {
        assert_eq!(multiply(Bytes::FLINK_MAX, 1.5), Err(LongOverflow));
        assert_eq!(multiply(Bytes::FLINK_MAX, 1e300), Err(LongOverflow));
        assert_eq!(multiply(Bytes::FLINK_MAX, 1.0), Ok(Bytes::FLINK_MAX));
        assert_eq!(multiply(Bytes::ZERO, 1e300), Ok(Bytes::ZERO));
        assert_eq!(multiply(Bytes::FLINK_MAX, 1e-300), Ok(Bytes::ZERO));
    }

    proptest! {
        #[test]
        fn a_share_is_never_more_than_the_whole(n in 0..=i64::MAX as u64, f in 0f32..1f32) {
            let share = multiply(Bytes::new(n), f64::from(f)).unwrap();
            prop_assert!(share.get() <= n);
        }
    }
}
