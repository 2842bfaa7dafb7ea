//! Writing a file so that nobody ever sees half of it.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Puts a file in the place of another one, or makes it: whole, or not at all. A link keeps pointing at its target, which is
/// what changes; permissions stay.
pub fn atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let target = if path.is_symlink() { fs::canonicalize(path)? } else { path.to_owned() };
    let beside = beside(&target)?;
    let result = (|| {
        let mut file = fs::OpenOptions::new().write(true).create_new(true).open(&beside)?;
        file.write_all(bytes)?;
        if let Ok(known) = fs::metadata(&target) {
            fs::set_permissions(&beside, known.permissions())?;
        }
        file.sync_all()?;
        fs::rename(&beside, &target)
    })();
    if result.is_err() {
        // Nothing of ours stays behind; that it is gone already is no error.
        let _ = fs::remove_file(&beside);
    }
    result
}

/// A name in the same directory that nothing has yet.
fn beside(target: &Path) -> io::Result<PathBuf> {
    let name = target.file_name().ok_or_else(|| io::Error::other("it is no file"))?.to_string_lossy();
    Ok(target.with_file_name(format!(".{name}.oomph-{}", std::process::id())))
}

/// The same for a file that was read before: only if it still is what it was.
pub fn over(path: &Path, before: &str, after: &str) -> io::Result<()> {
    if fs::read(path)? != before.as_bytes() {
        return Err(io::Error::other("it has changed since it was read; nothing was written"));
    }
    atomically(path, after.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_changed_meanwhile_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.yaml");
        fs::write(&path, "theirs").unwrap();
        let error = over(&path, "read", "ours").unwrap_err();
        assert!(error.to_string().contains("changed since"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "theirs");
        over(&path, "theirs", "ours").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "ours");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn links_and_permissions_stay() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("a"), folder.path().join("b"));
        fs::write(&file, "1").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        atomically(&link, b"2").unwrap();
        assert!(link.is_symlink());
        assert_eq!(fs::read_to_string(&file).unwrap(), "2");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
    }
}
