//! RocksDB's `MANIFEST-*`: a log of edits (`db/version_edit.cc`) in records (`db/log_format.h`), of which the last states
//! make up the table files that a database has now, on which level and how large. `CURRENT` names the one that counts.

use std::collections::BTreeMap;

use super::rocksdb_sst::varint;
use crate::model::Bytes;

/// `log::kBlockSize`: no record's piece crosses such a boundary.
const BLOCK: usize = 32 << 10;
/// Checksum, length, type.
const HEADER: usize = 7;
/// The same with the log's number, in logs that are recycled.
const RECYCLABLE_HEADER: usize = 11;
/// More than any job's states: a bound on memory.
const MOST_FAMILIES: usize = 4096;
/// A level above this is broken: RocksDB's default is 7 levels.
const MOST_LEVELS: u64 = 64;
/// Tags with this bit may be skipped: a length and so many bytes follow (`kTagSafeIgnoreMask`).
const SAFE_TO_IGNORE: u64 = 1 << 13;

/// What a manifest says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RocksDbManifest {
    /// The column families that were not dropped.
    pub column_families: Vec<FamilyFiles>,
    /// Edits that were read.
    pub edits: u64,
    /// Edits of which something could not be read: of an unknown kind, or broken. Files may be missing, or be too many.
    pub unreadable: u64,
    /// Whether the last record is cut off: RocksDB is writing it.
    pub cut_off: bool,
}

/// The table files of a column family.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FamilyFiles {
    /// Its number.
    pub id: u64,
    /// Its name; that of number 0 is `default`.
    pub name: String,
    /// Its files by number: level and size.
    pub files: BTreeMap<u64, (u32, Bytes)>,
}

impl RocksDbManifest {
    /// Files and their size on each level that has some, of all column families.
    pub fn levels(&self) -> BTreeMap<u32, (u64, Bytes)> {
        let mut levels: BTreeMap<u32, (u64, Bytes)> = BTreeMap::new();
        for (level, size) in self.column_families.iter().flat_map(|family| family.files.values()) {
            let (files, bytes) = levels.entry(*level).or_default();
            *files += 1;
            *bytes = bytes.checked_add(*size).unwrap_or(Bytes::new(u64::MAX));
        }
        levels
    }
}

/// What a manifest's bytes say, up to where they end or break.
pub fn read(bytes: &[u8]) -> RocksDbManifest {
    let mut manifest = RocksDbManifest::default();
    let mut families =
        BTreeMap::from([(0, FamilyFiles { id: 0, name: "default".to_owned(), ..FamilyFiles::default() })]);
    let mut record: Vec<u8> = Vec::new();
    let mut started = false;
    for block in bytes.chunks(BLOCK) {
        let mut rest = block;
        while let Some((kind, data, behind)) = piece(rest) {
            rest = behind;
            // Full, first, middle and last; the same again for logs that are recycled.
            let (first, last) = match kind {
                1 | 5 => (true, true),
                2 | 6 => (true, false),
                3 | 7 => (false, false),
                4 | 8 => (false, true),
                _ => continue,
            };
            if first {
                record.clear();
                started = true;
            }
            if !started {
                continue;
            }
            record.extend_from_slice(data);
            if last {
                started = false;
                manifest.edits += 1;
                if edit(&record, &mut families).is_none() {
                    manifest.unreadable += 1;
                }
            }
        }
        manifest.cut_off = started || rest.iter().any(|byte| *byte != 0);
    }
    manifest.column_families = families.into_values().collect();
    manifest
}

/// A piece's type, its data, and what follows in the block.
fn piece(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let header = bytes.get(..HEADER)?;
    let length = usize::from(u16::from_le_bytes([header[4], header[5]]));
    let kind = header[6];
    // Room that was allocated and not written yet is zeros.
    if kind == 0 {
        return None;
    }
    let start = if (5..=8).contains(&kind) { RECYCLABLE_HEADER } else { HEADER };
    Some((kind, bytes.get(start..start + length)?, &bytes[start + length..]))
}

/// An edit's fields, in turn.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn number(&mut self) -> Option<u64> {
        let (number, rest) = varint(self.0)?;
        self.0 = rest;
        Some(number)
    }

    fn text(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(text)
    }

    fn level(&mut self) -> Option<u32> {
        self.number().filter(|level| *level < MOST_LEVELS).and_then(|level| u32::try_from(level).ok())
    }
}

/// Applies an edit; nothing where it holds something unknown. Tags are those of `Tag` in `db/version_edit.h`.
fn edit(bytes: &[u8], families: &mut BTreeMap<u64, FamilyFiles>) -> Option<()> {
    let mut fields = Fields(bytes);
    let (mut family, mut added, mut dropped) = (0, None, false);
    let mut deleted = Vec::new();
    let mut new = Vec::new();
    while !fields.0.is_empty() {
        match fields.number()? {
            // The comparator's name.
            1 => drop(fields.text()?),
            // Numbers of logs, files and sequences, the highest column family, edits that belong together.
            2 | 3 | 4 | 9 | 10 | 203 | 300 => drop(fields.number()?),
            // Where the next compaction of a level begins.
            5 => {
                fields.level()?;
                fields.text()?;
            }
            6 => {
                fields.level()?;
                deleted.push(fields.number()?);
            }
            tag @ (7 | 100 | 102 | 103) => new.push(new_file(tag, &mut fields)?),
            200 => family = fields.number()?,
            201 => added = Some(String::from_utf8_lossy(fields.text()?).into_owned()),
            202 => dropped = true,
            tag if tag & SAFE_TO_IGNORE != 0 => drop(fields.text()?),
            _ => return None,
        }
    }
    if dropped {
        families.remove(&family);
        return Some(());
    }
    if let Some(name) = added
        && families.len() < MOST_FAMILIES
    {
        families.insert(family, FamilyFiles { id: family, name, files: BTreeMap::new() });
    }
    let files = &mut families.get_mut(&family)?.files;
    for number in deleted {
        files.remove(&number);
    }
    // A file that moves to another level is deleted and added by one edit.
    files.extend(new);
    Some(())
}

fn new_file(tag: u64, fields: &mut Fields<'_>) -> Option<(u64, (u32, Bytes))> {
    let level = fields.level()?;
    let number = fields.number()?;
    if tag == 102 {
        // The number of the path that it is in.
        fields.number()?;
    }
    let size = Bytes::new(fields.number()?);
    // The smallest and the largest key, and from `kNewFile2` on the smallest and the largest sequence number.
    fields.text()?;
    fields.text()?;
    if tag != 7 {
        fields.number()?;
        fields.number()?;
    }
    if tag == 103 {
        // Fields that are named, up to `kTerminate`.
        while fields.number()? != 1 {
            fields.text()?;
        }
    }
    Some((number, (level, size)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLINK_1_20: &[u8] = include_bytes!("../../testdata/rocksdb/flink-1.20/MANIFEST-000004");
    const FLINK_2_3: &[u8] = include_bytes!("../../testdata/rocksdb/flink-2.3/MANIFEST-000005");

    fn files(manifest: &RocksDbManifest) -> Vec<(u64, u64)> {
        let all = manifest.column_families.iter().flat_map(|family| &family.files);
        all.map(|(number, (_, size))| (*number, size.get())).collect()
    }

    #[test]
    fn a_manifest_of_flink_1_20_has_the_files_that_lay_beside_it() {
        let manifest = read(FLINK_1_20);
        assert_eq!((manifest.unreadable, manifest.cut_off), (0, false));
        let expected =
            [(37, 67_680_410), (38, 67_680_580), (39, 47_553_152), (40, 20_493_677), (41, 1_151_173), (42, 19_818_719)];
        assert_eq!(files(&manifest), expected);
        let names: Vec<&str> = manifest.column_families.iter().map(|family| family.name.as_str()).collect();
        assert_eq!(names[..2], ["default", "data-state-with-append"]);
    }

    #[test]
    fn a_manifest_of_flink_2_3_has_the_files_that_lay_beside_it() {
        let manifest = read(FLINK_2_3);
        assert_eq!((manifest.unreadable, manifest.cut_off), (0, false));
        let found = files(&manifest);
        assert!(found.contains(&(45, 6013)) && found.contains(&(44, 5152)), "{found:?}");
        let levels = manifest.levels();
        assert_eq!(levels[&1].0, 1, "{levels:?}");
        assert_eq!(levels.values().map(|(files, _)| files).sum::<u64>(), found.len() as u64);
    }

    #[test]
    fn a_manifest_that_is_cut_off_gives_what_it_holds() {
        let whole = read(FLINK_2_3);
        for end in 0..FLINK_2_3.len() {
            let part = read(&FLINK_2_3[..end]);
            assert!(part.edits <= whole.edits && part.unreadable == 0, "{end}");
        }
        assert!(read(&FLINK_2_3[..FLINK_2_3.len() - 1]).cut_off);
    }

    #[test]
    fn a_manifest_is_cut_off_wherever_it_does_not_end_with_an_edit() {
        let ends: Vec<usize> = (0..=FLINK_2_3.len())
            .filter(|end| read(&FLINK_2_3[..*end]).edits > read(&FLINK_2_3[..end.saturating_sub(1)]).edits)
            .collect();
        assert!(ends.len() > 3, "{ends:?}");
        for end in 1..FLINK_2_3.len() {
            assert_eq!(read(&FLINK_2_3[..end]).cut_off, !ends.contains(&end), "{end}");
        }
    }

    #[test]
    fn room_that_is_not_written_yet_is_no_edit() {
        let mut bytes = FLINK_2_3.to_vec();
        bytes.resize(4 << 20, 0);
        assert_eq!(read(&bytes), read(FLINK_2_3));
    }

    #[test]
    fn an_edit_of_an_unknown_kind_is_counted() {
        let mut bytes = FLINK_2_3.to_vec();
        bytes.extend_from_slice(&[0, 0, 0, 0, 2, 0, 1, 0x90, 0x03]);
        assert_eq!(read(&bytes).unreadable, 1);
    }
}
