//! A row of values as a line of small bars.

/// The bars of a terminal that shows Unicode, from low to high.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Those of one that does not.
const ASCII: [char; 8] = ['_', '.', ',', '-', '~', '=', '*', '#'];

/// Which signs a sparkline is drawn with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signs {
    /// Eighths of a block.
    Blocks,
    /// Signs of ASCII.
    Ascii,
}

/// Values as bars, as many as `width` signs, the oldest first. Nothing is a gap and is blank; the lowest value is the
/// lowest bar and the highest the highest, and all the lowest where all are equal. More values than signs are put
/// together, of which the largest is shown: a peak is never lost. Fewer stand at the end, behind blanks.
pub fn sparkline(values: &[Option<u64>], width: usize, signs: Signs) -> String {
    let signs = match signs {
        Signs::Blocks => BARS,
        Signs::Ascii => ASCII,
    };
    let columns = values.len().min(width);
    let shown: Vec<Option<u64>> = (0..columns)
        .map(|column| {
            let (from, to) = (column * values.len() / columns, (column + 1) * values.len() / columns);
            values[from..to].iter().flatten().max().copied()
        })
        .collect();
    let (low, high) = (shown.iter().flatten().min(), shown.iter().flatten().max());
    let sign = |value: Option<u64>| match (value, low, high) {
        (Some(value), Some(low), Some(high)) => {
            // The last of eight equal steps includes the highest value.
            let step = u128::from(value - low) * 8 / (u128::from(high - low).max(1));
            signs[usize::try_from(step).map_or(7, |step| step.min(7))]
        }
        _ => ' ',
    };
    std::iter::repeat_n(' ', width - columns).chain(shown.iter().copied().map(sign)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(&[Some(0), Some(1), Some(2), Some(3), Some(4), Some(5), Some(6), Some(7)], 8, "▁▂▃▄▅▆▇█")]
    #[case(&[Some(1000), None, Some(1008)], 3, "▁ █")]
    #[case(&[Some(5), Some(5)], 4, "  ▁▁")]
    #[case(&[Some(0), Some(9), Some(0), Some(1)], 2, "█▁")]
    #[case(&[None, None], 2, "  ")]
    #[case(&[], 3, "   ")]
    #[case(&[Some(1)], 0, "")]
    #[case(&[Some(0), Some(u64::MAX)], 2, "▁█")]
    fn values_are_bars_and_gaps_are_blanks(#[case] values: &[Option<u64>], #[case] width: usize, #[case] line: &str) {
        assert_eq!(sparkline(values, width, Signs::Blocks), line);
    }

    #[test]
    fn there_are_bars_without_unicode() {
        assert_eq!(sparkline(&[Some(0), Some(4), None, Some(8)], 4, Signs::Ascii), "_~ #");
    }

    proptest! {
        #[test]
        fn a_line_is_as_wide_as_asked_for(
            values in proptest::collection::vec(proptest::option::of(any::<u64>()), 0..200),
            width in 0usize..150,
        ) {
            let line = sparkline(&values, width, Signs::Ascii);
            prop_assert_eq!(line.chars().count(), width);
            let seen = values.iter().flatten().count();
            prop_assert_eq!(line.trim().is_empty(), seen == 0 || width == 0);
        }
    }
}
