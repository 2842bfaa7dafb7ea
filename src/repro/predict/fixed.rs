//! Fractions in 32 bits behind the point: sizes are never floats here, and the same question has the same answer on every
//! machine.

/// One.
pub const ONE: u64 = 1 << 32;

/// `part` of `whole`, at most [`ONE`]; of nothing it is nothing.
pub fn share(part: u64, whole: u64) -> u64 {
    match whole {
        0 => 0,
        _ => ((u128::from(part.min(whole)) << 32) / u128::from(whole)) as u64,
    }
}

/// So much of a count.
pub fn of(value: u64, share: u64) -> u64 {
    ((u128::from(value) * u128::from(share)) >> 32) as u64
}

/// `value * times / by` without overflow; 0 where `by` is.
pub fn scaled(value: u64, times: u64, by: u64) -> u64 {
    (u128::from(value) * u128::from(times)).checked_div(u128::from(by)).map_or(0, |scaled| scaled as u64)
}

/// What so many draws leave untouched of a population that is drawn from evenly: e to the power of minus draws over
/// population.
pub fn untouched(draws: u64, population: u64) -> u64 {
    if population == 0 {
        return 0;
    }
    let power = (u128::from(draws) << 32) / u128::from(population);
    // Beyond 22 less than one in 2^32 is left.
    if power >= 22 << 32 {
        return 0;
    }
    // (1 - x / 4096 + (x / 4096)^2 / 2) to the power of 4096.
    let step = (power as u64) >> 12;
    let mut left = ONE - step + (of(step, step) >> 1);
    for _ in 0..12 {
        left = of(left, left);
    }
    left
}

/// How many of a population have been met, where `met` had been before and so many draws follow.
pub fn met(met: u64, population: u64, draws: u64) -> u64 {
    let missing = population.saturating_sub(met);
    // Few draws of a large population would all be rounded away.
    if draws.saturating_mul(1024) < population {
        return population.min(met + scaled(draws, missing, population));
    }
    population - of(missing, untouched(draws, population))
}

/// Two to the power of so many hundredths, 0 to 100.
pub fn two_to(hundredths: u8) -> u64 {
    // 2^(1/100) in 2^-32, by multiplication.
    const HUNDREDTH: u64 = 4_324_841_156;
    (0..hundredths).fold(ONE, |power, _| of(power, HUNDREDTH))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: u64, expected: u64) {
        assert!(found.abs_diff(expected) <= expected / 500 + 2, "{found} is not {expected}");
    }

    #[test]
    fn what_draws_leave_is_an_exponential() {
        near(untouched(1_000, 1_000), 1_580_030_169);
        near(untouched(3_000, 1_000), 213_833_830);
        near(untouched(1, 1_000_000), ONE - 4_295);
        assert_eq!(untouched(1, 0), 0);
        assert_eq!(untouched(u64::MAX, 1), 0);
    }

    #[test]
    fn draws_meet_more_and_never_more_than_there_are() {
        near(met(0, 1_000_000, 1_000_000), 632_120);
        near(met(500_000, 1_000_000, 100), 500_050);
        assert_eq!(met(10, 10, 1_000), 10);
        assert_eq!(met(0, 0, 1_000), 0);
    }

    #[test]
    fn roots_of_two_give_two() {
        near(two_to(100), 2 * ONE);
        near(two_to(50), 6_074_001_000);
    }
}
