//! Sizes for titles, where all bytes of an odd number would hide what is said.

use crate::model::Bytes;

/// Whole mebibytes of what is many; the bytes themselves stand in notes.
pub fn about(bytes: Bytes) -> String {
    let exact = bytes.to_string();
    if exact.ends_with(" B") && bytes >= Bytes::mib(10) { format!("{} MiB", bytes.whole_mib()) } else { exact }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_odd_numbers_are_cut() {
        assert_eq!(about(Bytes::gib(4)), "4 GiB");
        assert_eq!(about(Bytes::new(1438814063)), "1372 MiB");
        assert_eq!(about(Bytes::new(4097)), "4097 B");
    }
}
