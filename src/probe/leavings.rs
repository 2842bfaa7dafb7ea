//! Opens what is left of a death, as the user names it: files, directories, archives, standard input. What cannot be
//! read is said beside what was, and nothing that is left makes the program hang or grow.

mod cgroup;
mod unpack;
mod walk;

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::{fs, mem};

use super::archive;
use super::digest::{Digest, LeftOut};
use super::recording;
use crate::artefact::anchors::Anchors;
use crate::artefact::excerpt::Excerpt;
use crate::artefact::recording::{self as recording_format, FIRST_BYTES};
use crate::model::Unseen;
use unpack::{Packing, Zstd, begin};
use walk::{Walk, reason, shown};

/// Of one file, unpacked: an hour's reading at most, whatever its few bytes promise.
const UNPACKED: u64 = 16 << 30;
/// An archive in an archive in a compressed file; no deeper.
const NESTED: usize = 4;
/// Members of all archives together.
const MOST_MEMBERS: usize = 20_000;

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Leavings {
    /// The texts, in the order in which they were named, those of a directory or an archive in its own order: a
    /// directory's is that of names. The files of a cgroup that lie in one folder are one text, behind the others.
    pub inputs: Vec<Input>,
    /// Recordings of oomph, each by the name under which its parts are read: [`super::recording`] reads them.
    pub recordings: Vec<PathBuf>,
    /// What was not read, by its name, and why.
    pub unread: Vec<(String, Unseen)>,
}

/// A text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Input {
    /// As the user named it; behind it, after a colon, the member of an archive. `-` is standard input.
    pub name: String,
    /// What is worth reading of it.
    pub excerpts: Vec<Excerpt>,
    /// How many bytes of text it has, unpacked.
    pub bytes: u64,
    /// How many lines.
    pub lines: u32,
    /// What of it was not kept.
    pub left_out: Vec<LeftOut>,
}

/// A path that the user named and that leads nowhere.
#[derive(Debug, thiserror::Error)]
#[error("{}: {error}", path.display())]
pub struct NoSuchPath {
    /// The path.
    pub path: PathBuf,
    /// What the system says.
    #[source]
    pub error: io::Error,
}

/// Reads everything that is named.
pub fn read<P: AsRef<Path>>(paths: &[P], anchors: &Anchors) -> Result<Leavings, NoSuchPath> {
    let mut reading = Reading { anchors, leavings: Leavings::default(), members: 0 };
    // All are looked for before any is read: a mistyped one is said at once.
    for path in paths.iter().map(AsRef::as_ref).filter(|path| *path != Path::new("-")) {
        if let Err(error) = fs::metadata(path)
            && (error.kind() == io::ErrorKind::NotFound || error.kind() == io::ErrorKind::NotADirectory)
        {
            return Err(NoSuchPath { path: path.to_owned(), error });
        }
    }
    let mut walk = Walk::default();
    for path in paths.iter().map(AsRef::as_ref) {
        if path == Path::new("-") {
            reading.stream("-", io::stdin().lock());
            continue;
        }
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => walk.directory(path, |path, file| match file {
                Ok(file) => reading.file(path, file),
                Err(unseen) => reading.unread(&shown(path), unseen),
            }),
            Ok(metadata) => match walk.named(path, &metadata) {
                Ok(file) => reading.file(path, file),
                Err(unseen) => reading.unread(&shown(path), unseen),
            },
            Err(error) => reading.unread(&shown(path), Unseen::because(reason(&error))),
        }
        if let Some(beyond) = walk.beyond() {
            walk.beyond = 0;
            reading.unread(&shown(path), beyond);
        }
    }
    let leavings = mem::take(&mut reading.leavings);
    Ok(Leavings {
        inputs: cgroup::together(leavings.inputs),
        recordings: recording::whole(leavings.recordings),
        unread: leavings.unread,
    })
}

struct Reading<'a> {
    anchors: &'a Anchors,
    leavings: Leavings,
    members: usize,
}

impl Reading<'_> {
    fn unread(&mut self, name: &str, why: Unseen) {
        self.leavings.unread.push((name.to_owned(), why));
    }

    fn file(&mut self, path: &Path, file: File) {
        if is_recording(&file) {
            self.leavings.recordings.push(path.to_owned());
        } else {
            self.stream(&shown(path), file);
        }
    }

    fn stream(&mut self, name: &str, reader: impl Read) {
        self.packed(name, &mut Bounded { reader: &mut { reader }, left: u64::MAX }, 0);
    }

    /// A text, or something that holds texts.
    fn packed(&mut self, name: &str, reader: &mut Bounded<'_>, depth: usize) {
        let (packing, mut reader) = match begin(reader) {
            Ok(begun) => begun,
            Err(error) => return self.unread(name, Unseen::because(reason(&error))),
        };
        if depth == NESTED && matches!(packing, Packing::Gzip | Packing::Zstd | Packing::Tar) {
            return self.unread(name, Unseen::because("it is packed too many times over"));
        }
        match packing {
            Packing::None => self.text(name, reader),
            Packing::Unread(why, remedy) => {
                let unseen = Unseen::because(why);
                self.unread(
                    name,
                    match remedy {
                        Some(remedy) => unseen.granted_by(remedy),
                        None => unseen,
                    },
                );
            }
            Packing::Gzip => {
                let mut inside = unpack::gzip(reader);
                self.packed(name, &mut Bounded { reader: &mut inside, left: UNPACKED }, depth + 1);
            }
            Packing::Zstd => {
                let mut inside = Zstd::new(io::BufReader::new(reader));
                self.packed(name, &mut Bounded { reader: &mut inside, left: UNPACKED }, depth + 1);
            }
            Packing::Tar => {
                if let Err(error) = self.archive(name, &mut io::BufReader::new(&mut reader), depth) {
                    self.unread(name, Unseen::because(format!("the rest of it is damaged: {error}")));
                }
            }
        }
    }

    fn text(&mut self, name: &str, reader: impl Read) {
        match Digest::of(reader, self.anchors) {
            Ok(digest) if digest.bytes == 0 && digest.left_out.is_empty() => {
                self.unread(name, Unseen::because("it is empty"));
            }
            Ok(Digest { bytes: 0, left_out, .. }) => {
                let why = left_out.into_iter().find_map(|left_out| match left_out {
                    LeftOut::Rest { why, .. } => Some(why),
                    _ => None,
                });
                self.unread(name, Unseen::because(why.unwrap_or_default()));
            }
            Ok(digest) => self.leavings.inputs.push(Input {
                name: name.to_owned(),
                excerpts: vec![digest.excerpt],
                bytes: digest.bytes,
                lines: digest.lines,
                left_out: digest.left_out,
            }),
            Err(unseen) => self.unread(name, unseen),
        }
    }

    /// The members of a tar archive in their order.
    fn archive(&mut self, name: &str, reader: &mut dyn Read, depth: usize) -> io::Result<()> {
        let mut members = tar::Archive::new(reader);
        let mut long_name = None;
        for entry in members.entries()?.raw(true) {
            let mut entry = entry?;
            let kind = entry.header().entry_type();
            if archive::is_name(kind) {
                long_name = archive::name(&mut entry)?.or(long_name);
                continue;
            }
            let path = long_name.take().unwrap_or_else(|| entry.path_bytes().into_owned());
            let member = format!("{name}:{}", String::from_utf8_lossy(&path));
            if kind.is_dir() || kind.is_pax_global_extensions() || kind.is_gnu_longlink() {
                continue;
            }
            if !kind.is_file() && !kind.is_contiguous() {
                self.unread(&member, Unseen::because("it is no plain file"));
                continue;
            }
            self.members += 1;
            if self.members > MOST_MEMBERS {
                let why = format!("it has more than the {MOST_MEMBERS} members that are read");
                self.unread(name, Unseen::because(why).granted_by("unpack it and name fewer files"));
                return Ok(());
            }
            self.packed(&member, &mut Bounded { reader: &mut entry, left: u64::MAX }, depth + 1);
        }
        Ok(())
    }
}

/// Whether a file is a recording of oomph. Looked at in its place, so that a pipe, which has none, loses nothing.
fn is_recording(file: &File) -> bool {
    let mut start = [0; FIRST_BYTES];
    file.read_exact_at(&mut start, 0).is_ok() && recording_format::is_begun(&start)
}

/// Reads so much and no more; what would come then is an error, so that it is said.
struct Bounded<'r> {
    reader: &'r mut dyn Read,
    left: u64,
}

impl Read for Bounded<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 && !buffer.is_empty() {
            return match self.reader.read(&mut [0])? {
                0 => Ok(0),
                _ => Err(io::Error::other(format!("it unpacks to more than {} GiB", UNPACKED >> 30))),
            };
        }
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let count = self.reader.read(buffer.get_mut(..most).unwrap_or_default())?;
        self.left = self.left.saturating_sub(count as u64);
        Ok(count)
    }
}

#[cfg(test)]
mod tests;
