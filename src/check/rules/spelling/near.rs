//! How far one key is from another.

/// Whether one letter more, less or other, or two neighbours exchanged, make one text of the other.
pub fn is_one_edit(a: &str, b: &str) -> bool {
    let (a, b) = if a.len() <= b.len() { (a.as_bytes(), b.as_bytes()) } else { (b.as_bytes(), a.as_bytes()) };
    if b.len() - a.len() > 1 || a == b {
        return false;
    }
    let start = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let (a, b) = (&a[start..], &b[start..]);
    let end = a.iter().rev().zip(b.iter().rev()).take_while(|(x, y)| x == y).count();
    let (a, b) = (&a[..a.len() - end], &b[..b.len() - end]);
    match (a, b) {
        ([], [_]) | ([_], [_]) => true,
        ([x, y], [z, w]) => x == w && y == z,
        _ => false,
    }
}

/// Whether two keys are the same but for upper and lower case and for `.`, `-` and `_`.
pub fn is_same_but_for_separators(a: &str, b: &str) -> bool {
    letters_of(a).eq(letters_of(b))
}

fn letters_of(text: &str) -> impl Iterator<Item = u8> + '_ {
    text.bytes().filter(|byte| !matches!(byte, b'.' | b'-' | b'_')).map(|byte| byte.to_ascii_lowercase())
}

/// How many edits apart two texts are, where there are no more than `limit` of them.
pub fn distance(a: &str, b: &str, limit: usize) -> Option<usize> {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len().abs_diff(b.len()) > limit {
        return None;
    }
    // Three rows of the table are enough, and are used again.
    let mut before_last: Vec<usize> = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    let mut row: Vec<usize> = vec![0; b.len() + 1];
    for (i, x) in a.iter().enumerate() {
        row[0] = i + 1;
        let mut least = row[0];
        for (j, y) in b.iter().enumerate() {
            let mut best = (last[j] + usize::from(x != y)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                best = best.min(before_last[j - 1] + 1);
            }
            row[j + 1] = best;
            least = least.min(best);
        }
        if least > limit {
            return None;
        }
        std::mem::swap(&mut before_last, &mut last);
        std::mem::swap(&mut last, &mut row);
    }
    last.last().copied().filter(|edits| *edits <= limit)
}

/// The name that is meant where a name is none of `all`: the one that it begins, else the fewest edits away, where a third
/// of its letters at most are wrong.
pub fn nearest<'n>(name: &str, all: &[&'n str]) -> Option<&'n str> {
    let lower = name.to_lowercase();
    let begun = all.iter().copied().find(|other| lower.len() >= 4 && other.starts_with(&lower));
    begun.or_else(|| {
        let near = all.iter().filter_map(|other| Some((distance(&lower, other, lower.len() / 3)?, other)));
        near.min_by_key(|(edits, _)| *edits).map(|(_, other)| *other)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("size", "sizes", true)]
    #[case("size", "sze", true)]
    #[case("size", "sixe", true)]
    #[case("size", "szie", true)]
    #[case("size", "size", false)]
    #[case("size", "zsei", false)]
    #[case("size", "si", false)]
    #[case("", "s", true)]
    fn one_edit_is_a_letter_more_less_other_or_exchanged(#[case] a: &str, #[case] b: &str, #[case] expected: bool) {
        assert_eq!(is_one_edit(a, b), expected);
    }

    #[test]
    fn separators_and_case_do_not_count() {
        assert!(is_same_but_for_separators("taskManager.number_of.task-slots", "taskmanager.numberOfTaskSlots"));
        assert!(!is_same_but_for_separators("a.b", "a.c"));
    }

    #[rstest]
    #[case("unmanaged-rocsdb", Some("unmanaged-rocksdb"))]
    #[case("Unmanaged", Some("unmanaged-rocksdb"))]
    #[case("softcache", Some("soft-cache"))]
    #[case("heap", None)]
    #[case("", None)]
    fn a_name_is_taken_for_the_one_that_it_begins_or_nearly_is(#[case] name: &str, #[case] expected: Option<&str>) {
        assert_eq!(nearest(name, &["unmanaged-rocksdb", "soft-cache"]), expected);
    }

    proptest! {
        #[test]
        fn one_edit_is_a_distance_of_one(a in "[ab.]{0,6}", b in "[ab.]{0,6}") {
            prop_assert_eq!(is_one_edit(&a, &b), distance(&a, &b, 3) == Some(1));
        }
    }
}
