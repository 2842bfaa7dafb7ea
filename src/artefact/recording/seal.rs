//! The checksum at the end of a line, and what a first line begins with.

use std::fmt::Write;

/// What the first line of a recording begins with, in every version of the format.
pub(super) const HEAD: &str = r#"{"k":"oomph-recording""#;

/// What stands before the checksum.
const BEFORE: &str = r#","x":""#;

/// What stands behind it.
const BEHIND: &str = "\"}";

/// The digits of a checksum.
const DIGITS: usize = 8;

/// A JSON object with its checksum as the last field, and the end of the line: CRC-32 (that of zip and PNG) of
/// everything before `,"x":`.
pub(super) fn sealed(mut object: String) -> String {
    object.pop();
    let checksum = crc32(object.as_bytes());
    // Writing to a text cannot fail.
    let _ = writeln!(object, "{BEFORE}{checksum:08x}{BEHIND}");
    object
}

/// How long the checksum with what is around it is.
pub(super) const LENGTH: usize = BEFORE.len() + DIGITS + BEHIND.len();

/// Whether a line, without its end, is as it was written.
pub(super) fn is_whole(line: &[u8]) -> bool {
    split(line).is_some_and(|(object, checksum)| checksum == crc32(object))
}

/// Whether a line ends with a checksum, right or wrong.
pub(super) fn is_sealed(line: &[u8]) -> bool {
    split(line).is_some()
}

/// What a checksum is of, and the checksum.
fn split(line: &[u8]) -> Option<(&[u8], u32)> {
    let (rest, digits) = line.strip_suffix(BEHIND.as_bytes())?.split_last_chunk::<DIGITS>()?;
    let digits = std::str::from_utf8(digits).ok()?;
    Some((rest.strip_suffix(BEFORE.as_bytes())?, u32::from_str_radix(digits, 16).ok()?))
}

/// The table of the reflected polynomial 0xEDB88320 (ISO 3309).
const TABLE: [u32; 256] = {
    let mut table = [0u32; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut rest = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            rest = if rest & 1 == 1 { rest >> 1 ^ 0xEDB8_8320 } else { rest >> 1 };
            bit += 1;
        }
        table[byte] = rest;
        byte += 1;
    }
    table
};

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| TABLE[((crc ^ u32::from(*byte)) & 0xFF) as usize] ^ crc >> 8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_one_of_the_standard() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
    }

    #[test]
    fn a_line_that_is_cut_or_changed_anywhere_is_not_whole() {
        let line = sealed(r#"{"k":"e","t":1}"#.to_owned());
        let line = line.trim_end().as_bytes();
        assert!(is_whole(line));
        for at in 0..line.len() {
            assert!(!is_whole(&line[..at]), "cut at {at}");
            let mut changed = line.to_owned();
            changed[at] ^= 0x04;
            assert!(!is_whole(&changed), "changed at {at}: {}", String::from_utf8_lossy(&changed));
        }
    }
}
