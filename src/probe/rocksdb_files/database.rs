//! One database: its log, options, manifest and table files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::Effort;
use super::file;
use crate::artefact::rocksdb_directory::{Owner, Partial, RocksDbInstance, TableFiles};
use crate::artefact::rocksdb_log::{self, RocksDbLog};
use crate::artefact::rocksdb_manifest::{self, RocksDbManifest};
use crate::artefact::rocksdb_options::{self, RocksDbOptions};
use crate::artefact::rocksdb_sst;
use crate::model::{Bytes, Seen, Unseen};
use crate::probe::root::Root;

/// Options of a database with a thousand column families have 10 MB.
const LARGEST_OPTIONS: u64 = 32 << 20;
/// A manifest is begun anew at 1 GB; Flink's databases are young, theirs have kilobytes.
const LARGEST_MANIFEST: u64 = 64 << 20;
/// So much of a log is read at once.
const PIECE: usize = 1 << 20;

/// What a directory lists.
#[derive(Debug, Default)]
struct Listing {
    tables: BTreeMap<u64, u64>,
    options: Option<u64>,
    manifest: Option<u64>,
    log: bool,
}

pub(super) fn read(
    root: &Root,
    pid: u32,
    directory: &Path,
    open: bool,
    logs: &BTreeSet<PathBuf>,
    effort: &Effort,
) -> RocksDbInstance {
    let at = file::found(root, pid, directory);
    let unseen = |path: &Path, error: &io::Error| {
        let unseen = Unseen::because(format!("{}: {error}", path.display()));
        match error.kind() {
            io::ErrorKind::PermissionDenied => unseen.granted_by(root.grant_of(pid)),
            _ => unseen,
        }
    };
    let listing = list(&at).map_err(|error| unseen(directory, &error));
    let named = |name: Option<String>, what: &str| match (&listing, name) {
        (Err(refused), _) => Err(refused.clone()),
        (Ok(_), None) => Err(Unseen::because(format!("{} has no {what}", directory.display()))),
        (Ok(_), Some(name)) => Ok(name),
    };
    let listed = listing.as_ref().ok();
    let options = named(listed.and_then(|l| l.options).map(|number| format!("OPTIONS-{number:06}")), "OPTIONS file")
        .and_then(|name| {
            file::read(&at.join(&name), LARGEST_OPTIONS).map_err(|error| unseen(&directory.join(name), &error))
        })
        .map(|bytes| rocksdb_options::read(&bytes));
    let manifest = named(current(&at).or_else(|| listed.and_then(|l| l.manifest).map(manifest_name)), "MANIFEST")
        .and_then(|name| {
            file::read(&at.join(&name), LARGEST_MANIFEST).map_err(|error| unseen(&directory.join(name), &error))
        });
    let manifest_bytes = manifest.as_ref().map(|bytes| Bytes::new(bytes.len() as u64)).map_err(Clone::clone);
    let manifest = manifest.map(|bytes| rocksdb_manifest::read(&bytes));
    let log = log_path(root, pid, directory, listed, options.as_ref().ok(), logs)
        .and_then(|path| read_log(&file::found(root, pid, &path), effort).map_err(|error| unseen(&path, &error)));
    let tables =
        listing.map(|listing| measure(&at, &listing.tables, log.as_ref().ok(), manifest.as_ref().ok(), effort.tables));
    RocksDbInstance {
        owner: Owner::of(directory),
        directory: directory.to_owned(),
        open,
        log,
        options,
        manifest,
        manifest_bytes,
        tables,
    }
}

fn list(at: &Path) -> io::Result<Listing> {
    let mut listing = Listing::default();
    for entry in fs::read_dir(at)? {
        let Ok(entry) = entry else { continue };
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        if let Some(number) = name.strip_suffix(".sst").and_then(|digits| digits.parse().ok()) {
            // A file that is gone already is not there.
            if let Ok(found) = entry.metadata() {
                listing.tables.insert(number, found.len());
            }
        } else if let Some(number) = name.strip_prefix("OPTIONS-").and_then(|digits| digits.parse().ok()) {
            listing.options = listing.options.max(Some(number));
        } else if let Some(number) = name.strip_prefix("MANIFEST-").and_then(|digits| digits.parse().ok()) {
            listing.manifest = listing.manifest.max(Some(number));
        } else if name == "LOG" {
            listing.log = true;
        }
    }
    Ok(listing)
}

fn manifest_name(number: u64) -> String {
    format!("MANIFEST-{number:06}")
}

/// The manifest that `CURRENT` names.
fn current(at: &Path) -> Option<String> {
    let text = String::from_utf8(file::read(&at.join("CURRENT"), 256).ok()?).ok()?;
    let number = text.trim_end().strip_prefix("MANIFEST-")?.parse().ok()?;
    Some(manifest_name(number))
}

/// Where the log is: with the database, or where its options say, under the database's path with `_` for every separator
/// (`GetInfoLogPrefix` in `file/filename.cc`). Flink sets that directory to its own log's from 1.11 on where the path is short
/// enough (`RocksDBResourceContainer.relocateDefaultDbLogDir`).
fn log_path(
    root: &Root,
    pid: u32,
    directory: &Path,
    listed: Option<&Listing>,
    options: Option<&RocksDbOptions>,
    open: &BTreeSet<PathBuf>,
) -> Seen<PathBuf> {
    if listed.is_some_and(|listing| listing.log) {
        return Ok(directory.join("LOG"));
    }
    let name = log_name(directory);
    // The process may name the directory by another path than the one that RocksDB was given: the end is the same.
    let own = directory.parent().and_then(Path::file_name).and_then(|name| name.to_str()).unwrap_or_default();
    let own = format!("{own}_db_LOG");
    let fits = |path: &&PathBuf| {
        let open = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        open == name || (own.len() > 64 && open.ends_with(&own))
    };
    if let Some(path) = open.iter().find(fits) {
        return Ok(path.clone());
    }
    let elsewhere = options.and_then(|options| options.database()).and_then(|section| section.value("db_log_dir"));
    let Some(elsewhere) = elsewhere.filter(|path| !path.is_empty()) else {
        return Err(Unseen::because(format!("{} has no LOG", directory.display()))
            .granted_by("let RocksDB log: state.backend.rocksdb.log.level"));
    };
    let path = Path::new(elsewhere).join(&name);
    if file::found(root, pid, &path).exists() {
        return Ok(path);
    }
    let listed = fs::read_dir(file::found(root, pid, Path::new(elsewhere))).into_iter().flatten().flatten();
    let found = listed.map(|entry| Path::new(elsewhere).join(entry.file_name())).find(|path| fits(&path));
    found.ok_or_else(|| Unseen::because(format!("{} is not there", path.display())))
}

fn log_name(directory: &Path) -> String {
    let path = directory.to_string_lossy();
    let plain = path.strip_prefix('/').unwrap_or(&path);
    let kept = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    plain.chars().map(|c| if kept(c) { c } else { '_' }).chain("_LOG".chars()).collect()
}

/// Reads a log, whole or its start and its end.
fn read_log(path: &Path, effort: &Effort) -> io::Result<RocksDbLog> {
    let file = file::open(path)?;
    let size = file.metadata()?.len();
    let mut reader = rocksdb_log::Reader::default();
    if size <= effort.log_head.saturating_add(effort.log_tail) {
        feed(&mut reader, &file, 0, size)?;
    } else {
        feed(&mut reader, &file, 0, effort.log_head)?;
        reader.skip();
        feed(&mut reader, &file, size - effort.log_tail, size)?;
    }
    Ok(reader.finish())
}

fn feed(reader: &mut rocksdb_log::Reader, file: &fs::File, from: u64, to: u64) -> io::Result<()> {
    let mut at = from;
    while at < to {
        let length = usize::try_from(to - at).unwrap_or(PIECE).min(PIECE);
        reader.feed(&file::read_at(file, at, length)?);
        at += length as u64;
    }
    Ok(())
}

/// Sums the properties of table files: what the log told of is not opened, and of the others only the newest and the largest.
fn measure(
    at: &Path,
    tables: &BTreeMap<u64, u64>,
    log: Option<&RocksDbLog>,
    manifest: Option<&RocksDbManifest>,
    most: usize,
) -> TableFiles {
    let total = |sizes: &mut dyn Iterator<Item = u64>| Bytes::new(sizes.fold(0, u64::saturating_add));
    let bytes = total(&mut tables.values().copied());
    let listed: Option<BTreeSet<u64>> = manifest
        .filter(|manifest| manifest.unreadable == 0)
        .map(|manifest| manifest.column_families.iter().flat_map(|family| family.files.keys().copied()).collect());
    let unlisted = listed.map(|listed| {
        let others = || tables.iter().filter(|(number, _)| !listed.contains(number)).map(|(_, size)| *size);
        (others().count() as u64, total(&mut others()))
    });
    let all = Partial { all_files: bytes, ..Partial::default() };
    let mut sum = TableFiles {
        files: tables.len() as u64,
        bytes,
        unlisted,
        data: all,
        index: all,
        filter: all,
        from_log: 0,
        opened: 0,
        vanished: 0,
        unreadable: (0, None),
    };
    let mut rest = Vec::new();
    for (number, size) in tables {
        let told = log.and_then(|log| log.tables.get(number)).filter(|told| told.file.get() == *size);
        if let Some(told) = told.filter(|told| told.index.is_some() && told.filter.is_some()) {
            sum.from_log += 1;
            sum.take(told.data, told.index, told.filter, told.file);
        } else {
            rest.push((*number, *size));
        }
    }
    for (number, size) in chosen(rest, most) {
        let path = at.join(format!("{number:06}.sst"));
        let found = file::open(&path)
            .map_err(rocksdb_sst::SstError::Read)
            .and_then(|file| rocksdb_sst::properties(size, |at, length| file::read_at(&file, at, length)));
        match found {
            Ok(found) => {
                sum.opened += 1;
                sum.take(found.data, found.index, found.filter, Bytes::new(size));
            }
            Err(rocksdb_sst::SstError::Read(error)) if error.kind() == io::ErrorKind::NotFound => sum.vanished += 1,
            Err(error) => {
                sum.unreadable.0 += 1;
                sum.unreadable.1 = Some(format!("{}: {error}", path.display()));
            }
        }
    }
    sum
}

/// The largest files make up most of the sum, the newest are those of now: half of each.
fn chosen(mut files: Vec<(u64, u64)>, most: usize) -> Vec<(u64, u64)> {
    if files.len() <= most {
        return files;
    }
    files.sort_unstable_by_key(|(_, size)| std::cmp::Reverse(*size));
    let mut newest = files.split_off(most.div_ceil(2));
    newest.sort_unstable_by_key(|(number, _)| std::cmp::Reverse(*number));
    newest.truncate(most / 2);
    files.extend(newest);
    files
}

impl TableFiles {
    fn take(&mut self, data: Option<Bytes>, index: Option<Bytes>, filter: Option<Bytes>, file: Bytes) {
        self.data.add(data, file);
        self.index.add(index, file);
        self.filter.add(filter, file);
    }
}
