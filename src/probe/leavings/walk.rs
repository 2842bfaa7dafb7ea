//! Which files there are below what the user names, and how each is opened so that nothing hangs.

use std::collections::HashSet;
use std::fs::{File, FileType, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use ignore::WalkBuilder;

use crate::model::{Seen, Unseen};

/// Files of all directories together. Those beyond it are counted and not opened.
const MOST_FILES: usize = 20_000;
/// Nested deeper than any log directory.
const DEEPEST: usize = 64;
/// `O_NONBLOCK` of Linux, on all architectures that Flink runs on.
const NONBLOCKING: i32 = 0o4000;

/// Goes through paths and meets every file once.
#[derive(Debug, Default)]
pub(super) struct Walk {
    met: HashSet<(u64, u64)>,
    files: usize,
    /// Files that were not opened because there were too many.
    pub(super) beyond: u64,
}

impl Walk {
    /// The files of a directory in the order of their names, and what in it is none that is read.
    pub(super) fn directory(&mut self, directory: &Path, mut each: impl FnMut(&Path, Seen<File>)) {
        let mut builder = WalkBuilder::new(directory);
        // Everything is looked at: hidden files, and those that git does not know.
        builder.standard_filters(false).follow_links(false).max_depth(Some(DEEPEST));
        builder.sort_by_file_name(Ord::cmp);
        for entry in builder.build() {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    let at = failed_at(&error).unwrap_or(directory).to_owned();
                    each(&at, Err(Unseen::because(plainly(&error))));
                    continue;
                }
            };
            let path = entry.path();
            // A link to a file is followed, as /var/log/containers has them; one to a directory may lead anywhere.
            let Ok(metadata) = path.metadata() else {
                each(path, Err(Unseen::because("it is a link to nothing, or may not be looked at")));
                continue;
            };
            let link = entry.path_is_symlink();
            if metadata.is_dir() {
                if link && entry.depth() > 0 {
                    let why = Unseen::because("it is a link to a directory");
                    each(path, Err(why.granted_by("name the directory itself")));
                }
                continue;
            }
            if let Some(what) = special(metadata.file_type()) {
                each(path, Err(Unseen::because(format!("it is {what}")).granted_by("name it itself")));
                continue;
            }
            if !self.first_time(&metadata) {
                continue;
            }
            if self.files >= MOST_FILES {
                self.beyond += 1;
                continue;
            }
            self.files += 1;
            // Whatever it has become since, it is opened without waiting and only read if it is a file.
            let opened = open(path, true).and_then(|file| Ok((file.metadata()?.is_file(), file)));
            match opened {
                Ok((true, file)) => each(path, Ok(file)),
                Ok((false, _)) => each(path, Err(Unseen::because("it is no file any more"))),
                Err(error) => each(path, Err(Unseen::because(reason(&error)))),
            }
        }
    }

    /// A file that the user names: a pipe or a device too.
    pub(super) fn named(&mut self, path: &Path, metadata: &Metadata) -> Seen<File> {
        let kind = metadata.file_type();
        if kind.is_socket() {
            return Err(Unseen::because("it is a socket"));
        }
        // A pipe is waited for, as `cat` would; files of the kernel that never end give what they have now.
        self.first_time(metadata);
        open(path, !kind.is_fifo()).map_err(|error| Unseen::because(reason(&error)))
    }

    fn first_time(&mut self, metadata: &Metadata) -> bool {
        !metadata.is_file() || self.met.insert((metadata.dev(), metadata.ino()))
    }

    pub(super) fn beyond(&self) -> Option<Unseen> {
        let beyond = self.beyond;
        (beyond > 0).then(|| {
            Unseen::because(format!("there are {beyond} files more than the {MOST_FILES} that are read"))
                .granted_by("name fewer directories")
        })
    }
}

fn open(path: &Path, without_waiting: bool) -> io::Result<File> {
    let flags = if without_waiting { NONBLOCKING } else { 0 };
    OpenOptions::new().read(true).custom_flags(flags).open(path)
}

fn special(kind: FileType) -> Option<&'static str> {
    if kind.is_fifo() {
        Some("a pipe")
    } else if kind.is_socket() {
        Some("a socket")
    } else if kind.is_block_device() || kind.is_char_device() {
        Some("a device")
    } else {
        None
    }
}

fn failed_at(error: &ignore::Error) -> Option<&Path> {
    match error {
        ignore::Error::WithPath { path, .. } => Some(path.as_path()),
        ignore::Error::WithDepth { err, .. } => failed_at(err),
        ignore::Error::Loop { child, .. } => Some(child.as_path()),
        _ => None,
    }
}

fn plainly(error: &ignore::Error) -> String {
    error.io_error().map_or_else(|| error.to_string(), reason)
}

/// Without the number that the standard library puts behind it.
pub(super) fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::PermissionDenied => "you may not read it".to_owned(),
        io::ErrorKind::NotFound => "it is no longer there".to_owned(),
        _ => format!("it cannot be read: {error}"),
    }
}

/// The path as it is shown.
pub(super) fn shown(path: &Path) -> String {
    let path: PathBuf = path.components().collect();
    path.display().to_string()
}
