//! Real table files of footer versions 5 and 6, and made ones of the others.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

use std::convert::Infallible;

use proptest::prelude::*;

use super::*;

const FLINK_2_3: &[u8] = include_bytes!("../../../testdata/rocksdb/flink-2.3/000044.sst");
const FORMAT_6: &[u8] = include_bytes!("../../../testdata/rocksdb/format-6/000385.sst");

fn read(file: &[u8]) -> Result<TableProperties, SstError<Infallible>> {
    properties(file.len() as u64, |at, length| {
        let start = usize::try_from(at).unwrap();
        Ok(file[start..start + length].to_vec())
    })
}

#[test]
fn a_file_of_flink_2_3_says_how_large_its_parts_are() {
    let found = read(FLINK_2_3).unwrap();
    assert_eq!(found.format_version, 5);
    assert_eq!(found.column_family.as_deref(), Some("accState"));
    assert_eq!((found.compression.as_deref(), found.filter_policy.as_deref()), (Some("Snappy"), None));
    assert_eq!(found.filter, Some(Bytes::ZERO));
    let parts = found.data.unwrap().checked_add(found.index.unwrap()).unwrap();
    assert!(parts.get() < 5152 && found.data.unwrap().get() > 3000, "{found:?}");
    assert!(found.entries.unwrap() > 0 && found.data_blocks.unwrap() > 0);
}

#[test]
fn a_file_of_footer_version_6_says_how_large_its_parts_are() {
    let found = read(FORMAT_6).unwrap();
    assert_eq!(found.format_version, 6);
    assert_eq!(found.column_family.as_deref(), Some("default"));
    assert!(found.filter.unwrap() > Bytes::ZERO && found.index.unwrap() > Bytes::ZERO, "{found:?}");
    assert_eq!(found.filter_policy.as_deref(), Some("bloomfilter"));
}

#[test]
fn what_is_cut_off_has_no_footer() {
    for end in 0..FLINK_2_3.len() {
        assert_eq!(read(&FLINK_2_3[..end]), Err(SstError::NoFooter), "{end}");
    }
}

#[test]
fn the_reader_s_own_error_is_handed_on() {
    assert_eq!(properties(99, |_, _| Err("gone")), Err(SstError::Read("gone")));
}

fn put_varint(to: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        to.push(u8::try_from(number & 0x7f).unwrap() | 0x80);
        number >>= 7;
    }
    to.push(u8::try_from(number).unwrap());
}

/// A block of these entries, prefixes shared, with one restart and a trailer.
fn block(entries: &[(Vec<u8>, Vec<u8>)], compression: u8) -> Vec<u8> {
    let (mut bytes, mut before): (Vec<u8>, &[u8]) = (Vec::new(), b"");
    for (key, value) in entries {
        let shared = key.iter().zip(before).take_while(|(a, b)| a == b).count();
        for number in [shared, key.len() - shared, value.len()] {
            put_varint(&mut bytes, number as u64);
        }
        bytes.extend_from_slice(&key[shared..]);
        bytes.extend_from_slice(value);
        before = key;
    }
    bytes.extend_from_slice(&[0, 0, 0, 0, 1, 0, 0, 0]);
    bytes.push(compression);
    bytes.extend_from_slice(&[0; 4]);
    bytes
}

fn at(position: usize, block: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    put_varint(&mut bytes, position as u64);
    put_varint(&mut bytes, (block.len() - TRAILER) as u64);
    bytes
}

/// A table file with so much data, these properties and a footer of this version.
fn table(data: usize, version: u32, numbers: &[(&str, u64)], compression: u8) -> Vec<u8> {
    let mut file = vec![7; data];
    let entries: Vec<_> = numbers
        .iter()
        .map(|(name, number)| {
            let mut value = Vec::new();
            put_varint(&mut value, *number);
            (format!("rocksdb.{name}").into_bytes(), value)
        })
        .collect();
    let properties = block(&entries, compression);
    let metaindex = block(&[(b"rocksdb.properties".to_vec(), at(file.len(), &properties))], 0);
    file.extend_from_slice(&properties);
    let mut handles = at(file.len(), &metaindex);
    file.extend_from_slice(&metaindex);
    handles.extend_from_slice(&[0, 0]);
    if version >= 6 {
        handles = EXTENDED_MAGIC.to_vec();
        handles.extend_from_slice(&[9; 8]);
        handles.extend_from_slice(&u32::try_from(metaindex.len() - TRAILER).unwrap().to_le_bytes());
    }
    handles.resize(40, 0);
    if version > 0 {
        file.push(1);
    }
    file.extend_from_slice(&handles);
    if version > 0 {
        file.extend_from_slice(&version.to_le_bytes());
    }
    file.extend_from_slice(&(if version > 0 { MAGIC } else { LEGACY_MAGIC }).to_le_bytes());
    file
}

#[test]
fn a_compressed_block_and_missing_properties_are_said() {
    assert_eq!(read(&table(10, 5, &[], 1)), Err(SstError::Compressed("the block of properties")));
    let mut file = table(10, 5, &[], 0);
    let name = file.windows(18).position(|window| window == b"rocksdb.properties").unwrap();
    file[name] = b'x';
    assert_eq!(read(&file), Err(SstError::NoProperties));
}

#[test]
fn a_position_outside_of_the_file_is_broken() {
    let mut file = Vec::new();
    file.push(1);
    let mut handles = Vec::new();
    put_varint(&mut handles, u64::MAX);
    put_varint(&mut handles, u64::MAX);
    handles.resize(40, 0);
    file.extend_from_slice(&handles);
    file.extend_from_slice(&5_u32.to_le_bytes());
    file.extend_from_slice(&MAGIC.to_le_bytes());
    assert_eq!(read(&file), Err(SstError::Broken("the index of meta blocks")));
}

proptest! {
    #[test]
    fn what_was_written_is_read(
        data in 0_usize..20_000, version in 0_u32..8, index: u64, filter: u64, entries: u64, top: u64
    ) {
        let numbers =
            [("filter.size", filter), ("index.size", index), ("num.entries", entries), ("top-level.index.size", top)];
        let found = read(&table(data, version, &numbers, 0)).unwrap();
        prop_assert_eq!(found, TableProperties {
            format_version: version,
            index: Some(Bytes::new(index)),
            filter: Some(Bytes::new(filter)),
            top_level_index: Some(Bytes::new(top)),
            entries: Some(entries),
            ..TableProperties::default()
        });
    }

    #[test]
    fn a_byte_that_flips_never_breaks_the_reader(at in 0_usize..3605, bit in 0_u8..8) {
        let mut file = FORMAT_6.to_vec();
        file[at] ^= 1 << bit;
        let _ = read(&file);
    }
}
