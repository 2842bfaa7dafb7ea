//! The ends of a text by bytes, cut where a letter ends: a grammar that looks around a word looks no farther than it must,
//! however long the line is.

/// At most so many first bytes.
pub(super) fn first(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    text.get(..end).unwrap_or_default()
}

/// At most so many last bytes.
pub(super) fn last(text: &str, most: usize) -> &str {
    let from = text.len().saturating_sub(most);
    let start = (from..=text.len()).find(|start| text.is_char_boundary(*start)).unwrap_or(text.len());
    text.get(start..).unwrap_or_default()
}

/// What stands on the line before an offset, at most so many bytes of it.
pub(super) fn line_before(text: &str, offset: usize, most: usize) -> &str {
    last(text.get(..offset).unwrap_or_default(), most).rsplit('\n').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_never_cuts_a_letter() {
        assert_eq!((first("aé", 2), last("éa", 2)), ("a", "a"));
        assert_eq!((first("ab", 9), last("ab", 9)), ("ab", "ab"));
        assert_eq!((line_before("one\ntwo", 6, 99), line_before("one", 99, 9)), ("tw", ""));
    }
}
