//! The properties of a RocksDB table file: how large its index and filter are. Only the end of the file is asked for, by
//! position: a footer leads to the index of meta blocks, that to the block of properties (`table/format.cc`,
//! `table/meta_blocks.cc`).
//!
//! Checksums are not verified: a file that RocksDB is still writing has no footer yet and is told by that.

use thiserror::Error;

use crate::model::Bytes;

/// `kBlockBasedTableMagicNumber`, since footers have a version.
const MAGIC: u64 = 0x88e2_41b7_85f4_cff7;
/// `kLegacyBlockBasedTableMagicNumber`: a footer of version 0.
const LEGACY_MAGIC: u64 = 0xdb47_7524_8b80_fb57;
/// `kExtendedMagic`: begins the second part of a footer from version 6 on, where older ones have a block's position.
const EXTENDED_MAGIC: [u8; 4] = [0x3e, 0x00, 0x7a, 0x00];
/// Checksum type, two block handles of at most 20 bytes, format version, magic number.
const FOOTER: usize = 1 + 40 + 4 + 8;
/// The footer of version 0 has neither checksum type nor version.
const LEGACY_FOOTER: usize = 40 + 8;
/// What follows a block: its compression type and a checksum.
const TRAILER: usize = 5;
/// Asked for at once: footer, index of meta blocks, properties and a small index are mostly within.
const TAIL: usize = 8 << 10;
/// Blocks of metadata are no larger: the properties that RocksDB writes itself are some 1.5 KB.
const LARGEST_META: u64 = 4 << 20;

/// What a table file says of itself. What it does not say is nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableProperties {
    /// The version of its footer: 0 to 6 and later.
    pub format_version: u32,
    /// Its data blocks, compressed.
    pub data: Option<Bytes>,
    /// Its index, compressed; with a split index all of it.
    pub index: Option<Bytes>,
    /// The top of a split index.
    pub top_level_index: Option<Bytes>,
    /// Its filter; 0 where it has none.
    pub filter: Option<Bytes>,
    /// Its keys, before prefixes are shared and blocks compressed.
    pub raw_keys: Option<Bytes>,
    /// Its values, before blocks are compressed.
    pub raw_values: Option<Bytes>,
    /// Its entries.
    pub entries: Option<u64>,
    /// Those of them that delete.
    pub deleted: Option<u64>,
    /// Its data blocks.
    pub data_blocks: Option<u64>,
    /// The filter's name; nothing or an empty text where it has none.
    pub filter_policy: Option<String>,
    /// How its blocks are compressed, such as `Snappy`.
    pub compression: Option<String>,
    /// Its column family.
    pub column_family: Option<String>,
}

/// Why no properties were read. `E` is what the reader of bytes says.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SstError<E> {
    /// The bytes could not be read.
    #[error("{0}")]
    Read(E),
    /// Too short for a footer, or none of RocksDB's magic numbers: another kind of file, or one that is still written.
    #[error("no footer of a block-based table at its end")]
    NoFooter,
    /// A position or a length that cannot be.
    #[error("{0} is broken")]
    Broken(&'static str),
    /// A block of metadata is compressed; RocksDB writes them plainly.
    #[error("{0} is compressed")]
    Compressed(&'static str),
    /// A table without properties.
    #[error("it has no block of properties")]
    NoProperties,
}

/// Where a block is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Handle {
    at: u64,
    size: u64,
}

/// Reads the properties of a table file of this size. `read_at` gives as many bytes as it is asked for from a position on; it
/// is asked for no more than 16 MiB in all.
///
/// # Errors
/// See [`SstError`].
pub fn properties<E>(
    size: u64,
    mut read_at: impl FnMut(u64, usize) -> Result<Vec<u8>, E>,
) -> Result<TableProperties, SstError<E>> {
    let held = usize::try_from(size).unwrap_or(usize::MAX).min(TAIL);
    let tail_at = size - held as u64;
    let tail = read_at(tail_at, held).map_err(SstError::Read)?;
    let mut block = |handle: Handle, name: &'static str| -> Result<Vec<u8>, SstError<E>> {
        let end = handle.at.checked_add(handle.size).and_then(|end| end.checked_add(TRAILER as u64));
        if handle.size > LARGEST_META || end.is_none_or(|end| end > size) {
            return Err(SstError::Broken(name));
        }
        let length = usize::try_from(handle.size).map_err(|_| SstError::Broken(name))? + TRAILER;
        let inside = handle.at.checked_sub(tail_at).and_then(|at| usize::try_from(at).ok());
        let mut bytes = match inside.and_then(|at| tail.get(at..at + length)) {
            Some(bytes) => bytes.to_vec(),
            None => read_at(handle.at, length).map_err(SstError::Read)?,
        };
        if bytes.len() != length {
            return Err(SstError::Broken(name));
        }
        let kind = bytes[length - TRAILER];
        bytes.truncate(length - TRAILER);
        // `kNoCompression` is 0.
        if kind == 0 { Ok(bytes) } else { Err(SstError::Compressed(name)) }
    };
    let (format_version, metaindex) = footer(&tail, size).ok_or(SstError::NoFooter)?;
    let metaindex = block(metaindex, "the index of meta blocks")?;
    let mut found = None;
    entries(&metaindex, |key, value| {
        // The name before RocksDB 2.8.
        if key == b"rocksdb.properties" || key == b"rocksdb.stats" {
            found = handle(value).map(|(handle, _)| handle);
        }
    })
    .ok_or(SstError::Broken("the index of meta blocks"))?;
    let bytes = block(found.ok_or(SstError::NoProperties)?, "the block of properties")?;
    let mut properties = TableProperties { format_version, ..TableProperties::default() };
    entries(&bytes, |key, value| properties.set(key, value)).ok_or(SstError::Broken("the block of properties"))?;
    Ok(properties)
}

impl TableProperties {
    /// The names are those of `TablePropertiesNames`.
    fn set(&mut self, key: &[u8], value: &[u8]) {
        let number = || varint(value).filter(|(_, rest)| rest.is_empty()).map(|(number, _)| number);
        let size = || number().map(Bytes::new);
        let text = || Some(String::from_utf8_lossy(value).into_owned());
        match key {
            b"rocksdb.data.size" => self.data = size(),
            b"rocksdb.index.size" => self.index = size(),
            b"rocksdb.top-level.index.size" => self.top_level_index = size(),
            b"rocksdb.filter.size" => self.filter = size(),
            b"rocksdb.raw.key.size" => self.raw_keys = size(),
            b"rocksdb.raw.value.size" => self.raw_values = size(),
            b"rocksdb.num.entries" => self.entries = number(),
            b"rocksdb.deleted.keys" => self.deleted = number(),
            b"rocksdb.num.data.blocks" => self.data_blocks = number(),
            b"rocksdb.filter.policy" => self.filter_policy = text(),
            b"rocksdb.compression" => self.compression = text(),
            b"rocksdb.column.family.name" => self.column_family = text(),
            _ => {}
        }
    }
}

/// The footer's version and where the index of meta blocks is. `tail` is the end of a file of this size.
fn footer(tail: &[u8], size: u64) -> Option<(u32, Handle)> {
    let (before, magic) = tail.split_last_chunk::<8>()?;
    match u64::from_le_bytes(*magic) {
        LEGACY_MAGIC => {
            let handles = tail.get(tail.len().checked_sub(LEGACY_FOOTER)?..)?;
            Some((0, handle(handles)?.0))
        }
        MAGIC => {
            let (_, version) = before.split_last_chunk::<4>()?;
            let version = u32::from_le_bytes(*version);
            let part = tail.get(tail.len().checked_sub(FOOTER)? + 1..)?;
            if !part.starts_with(&EXTENDED_MAGIC) {
                return Some((version, handle(part)?.0));
            }
            // Behind the magic number: the footer's checksum, the base of others, the size of the block right before it.
            let length = u64::from(u32::from_le_bytes(*part.get(12..)?.first_chunk::<4>()?));
            let end = size.checked_sub((FOOTER + TRAILER) as u64)?;
            Some((version, Handle { at: end.checked_sub(length)?, size: length }))
        }
        _ => None,
    }
}

/// A block handle and what follows it.
fn handle(bytes: &[u8]) -> Option<(Handle, &[u8])> {
    let (at, rest) = varint(bytes)?;
    let (size, rest) = varint(rest)?;
    Some((Handle { at, size }, rest))
}

/// A varint64 and what follows it (`util/coding.h`).
pub(super) fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut number = 0_u64;
    for (at, byte) in bytes.iter().take(10).enumerate() {
        let bits = u64::from(byte & 0x7f);
        if at == 9 && bits > 1 {
            return None;
        }
        number |= bits << (7 * at);
        if byte & 0x80 == 0 {
            return Some((number, &bytes[at + 1..]));
        }
    }
    None
}

/// Every key and value of a block (`table/block_based/block.cc`): each key shares a prefix with the one before. Nothing where
/// the block is not built so.
fn entries(block: &[u8], mut each: impl FnMut(&[u8], &[u8])) -> Option<()> {
    let (before, count) = block.split_last_chunk::<4>()?;
    // The highest bit says that a hash index follows, which no block of metadata has.
    let restarts = usize::try_from(u32::from_le_bytes(*count)).ok()?.checked_mul(4)?;
    let mut rest = before.get(..before.len().checked_sub(restarts)?)?;
    let mut key = Vec::new();
    while !rest.is_empty() {
        let (shared, behind) = varint(rest)?;
        let (unshared, behind) = varint(behind)?;
        let (length, behind) = varint(behind)?;
        let shared = usize::try_from(shared).ok().filter(|shared| *shared <= key.len())?;
        let (unshared, length) = (usize::try_from(unshared).ok()?, usize::try_from(length).ok()?);
        key.truncate(shared);
        key.extend_from_slice(behind.get(..unshared)?);
        let behind = behind.get(unshared..)?;
        each(&key, behind.get(..length)?);
        rest = behind.get(length..)?;
    }
    Some(())
}

#[cfg(test)]
mod tests;
