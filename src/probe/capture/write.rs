//! Writes a bundle: as one file, or as a directory.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::GzBuilder;
use thiserror::Error;

use super::Bundle;
use super::manifest::MANIFEST;

/// How a bundle is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// `.tar.gz`.
    TarGz,
    /// `.tar`.
    Tar,
    /// A directory.
    Directory,
}

/// Why a bundle was not written. Nothing is left behind then.
#[derive(Debug, Error)]
pub enum NotWritten {
    /// Something has the name already.
    #[error("{0} is there already: name another file, or remove it")]
    Exists(PathBuf),
    /// The system refuses.
    #[error("could not write {path}: {source}")]
    Failed {
        /// What was to be written.
        path: PathBuf,
        /// Why it was not.
        source: io::Error,
    },
}

impl Shape {
    /// What a name asks for: a directory by its last slash, a file by its ending.
    pub fn of(name: &str) -> Shape {
        match name {
            _ if name.ends_with('/') => Shape::Directory,
            _ if name.ends_with(".tar") => Shape::Tar,
            _ => Shape::TarGz,
        }
    }
}

impl Bundle {
    /// Writes a bundle under a name that nothing has yet, readable for its owner alone: under another name first, so that
    /// there is never half a bundle.
    ///
    /// # Errors
    /// Where the name is taken, or the system refuses.
    pub fn save(&self, path: &Path, shape: Shape) -> Result<(), NotWritten> {
        let failed = |source: io::Error| match source.kind() {
            io::ErrorKind::AlreadyExists => NotWritten::Exists(path.to_owned()),
            _ => NotWritten::Failed { path: path.to_owned(), source },
        };
        if fs::symlink_metadata(path).is_ok() {
            return Err(NotWritten::Exists(path.to_owned()));
        }
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut named = tempfile::Builder::new();
        named.prefix(".oomph-capture-");
        named.permissions(fs::Permissions::from_mode(if shape == Shape::Directory { 0o700 } else { 0o600 }));
        if shape == Shape::Directory {
            let directory = named.tempdir_in(parent).map_err(failed)?;
            self.lay_out(directory.path()).map_err(failed)?;
            rename_to_new(directory.path(), path).map_err(failed)?;
            let _moved = directory.keep();
            return Ok(());
        }
        let mut file = named.tempfile_in(parent).map_err(failed)?;
        self.write(&mut io::BufWriter::new(&mut file), shape).map_err(failed)?;
        file.persist_noclobber(path).map_err(|error| failed(error.error))?;
        Ok(())
    }

    /// Writes a bundle as one stream.
    ///
    /// # Errors
    /// Where the stream refuses.
    pub fn write(&self, out: &mut dyn Write, shape: Shape) -> io::Result<()> {
        let seconds = self.seconds();
        if shape == Shape::Tar {
            self.pack(&mut *out, seconds)?;
        } else {
            let time = u32::try_from(seconds).unwrap_or_default();
            let packed = GzBuilder::new().mtime(time).write(&mut *out, Compression::default());
            self.pack(packed, seconds)?.finish()?;
        }
        out.flush()
    }

    /// When it was taken, in seconds since 1970.
    fn seconds(&self) -> u64 {
        let time = self.manifest.captured.parse::<jiff::Timestamp>().map(jiff::Timestamp::as_second);
        time.ok().and_then(|seconds| u64::try_from(seconds).ok()).unwrap_or_default()
    }

    fn pack<W: Write>(&self, out: W, seconds: u64) -> io::Result<W> {
        let mut archive = tar::Builder::new(out);
        let manifest = self.manifest_text()?;
        let files = self.files.iter().map(|(path, bytes)| (path.as_path(), bytes.as_slice()));
        for (path, bytes) in std::iter::once((Path::new(MANIFEST), manifest.as_slice())).chain(files) {
            let mut header = tar::Header::new_gnu();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o600);
            header.set_mtime(seconds);
            header.set_uid(0);
            header.set_gid(0);
            archive.append_data(&mut header, path, bytes)?;
        }
        archive.into_inner()
    }

    fn lay_out(&self, directory: &Path) -> io::Result<()> {
        write_private(&directory.join(MANIFEST), &self.manifest_text()?)?;
        for (path, bytes) in &self.files {
            let path = directory.join(path);
            if let Some(parent) = path.parent() {
                make_private(parent)?;
            }
            write_private(&path, bytes)?;
        }
        Ok(())
    }

    fn manifest_text(&self) -> io::Result<Vec<u8>> {
        let mut text = serde_json::to_vec_pretty(&self.manifest)?;
        text.push(b'\n');
        Ok(text)
    }
}

/// Directories that only their owner may look into.
pub(super) fn make_private(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// A new file that only its owner may read.
pub(super) fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)
}

/// Renames, unless something has the name by now.
fn rename_to_new(from: &Path, to: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags};
    match rustix::fs::renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // Network file systems may not know it.
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) if fs::symlink_metadata(to).is_err() => {
            fs::rename(from, to)
        }
        other => Ok(other?),
    }
}
