//! Takes RocksDB out of a distribution of Flink: `flink-dist*.jar` carries its library, for several kinds of machine.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use zip::ZipArchive;
use zip::result::ZipError;

/// What all of RocksDB's libraries in a jar begin with (`org.rocksdb.NativeLibraryLoader`).
const BEGINNING: &str = "librocksdbjni-";

/// Several times the largest library that Flink ships (16.5 MB in 2.3.0).
const LARGEST: u64 = 256 << 20;

/// Why the library is not there to be loaded.
#[derive(Debug, thiserror::Error)]
pub enum JarError {
    /// Not a distribution of Flink.
    #[error("find lib/flink-dist*.jar in {}: {why}", home.display())]
    NoDistribution {
        /// Where it was looked for.
        home: PathBuf,
        /// What there is instead.
        why: String,
    },
    /// More than one jar.
    #[error("tell which RocksDB to use: {} has {}; name one with --flink-dist", home.display(), jars.join(" and "))]
    SeveralJars {
        /// Where they lie.
        home: PathBuf,
        /// Their names.
        jars: Vec<String>,
    },
    /// It cannot be read.
    #[error("read {}: {why}", jar.display())]
    Unread {
        /// The jar.
        jar: PathBuf,
        /// In the system's words.
        why: io::Error,
    },
    /// It is no archive, or a broken one.
    #[error("read {} as a jar: {why}", jar.display())]
    NoArchive {
        /// The file.
        jar: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// No RocksDB in it.
    #[error("find RocksDB in {}: there is no {BEGINNING}*.so in it; only flink-dist*.jar carries one", jar.display())]
    NoRocksDb {
        /// The jar.
        jar: PathBuf,
    },
    /// RocksDB, but for other machines.
    #[error("find {wanted} for this machine in {}: there is only {}", jar.display(), there.join(", "))]
    OtherMachines {
        /// The jar.
        jar: PathBuf,
        /// What this machine needs.
        wanted: &'static str,
        /// What there is.
        there: Vec<String>,
    },
    /// Nowhere to put it.
    #[error("write {}: {why}", path.display())]
    Unwritten {
        /// The file.
        path: PathBuf,
        /// In the system's words.
        why: io::Error,
    },
}

/// The jar of a distribution: `HOME/lib/flink-dist*.jar`.
///
/// # Errors
/// Where there is none, or more than one.
pub fn find(home: &Path) -> Result<PathBuf, JarError> {
    let no_distribution = |why: String| JarError::NoDistribution { home: home.to_owned(), why };
    let entries = fs::read_dir(home.join("lib")).map_err(|why| no_distribution(format!("lib: {why}")))?;
    let names = entries.filter_map(Result::ok).filter_map(|entry| entry.file_name().into_string().ok());
    let mut jars: Vec<String> = names.filter(|name| name.starts_with("flink-dist") && name.ends_with(".jar")).collect();
    jars.sort();
    match &jars[..] {
        [] => Err(no_distribution("there is none".to_owned())),
        [jar] => Ok(home.join("lib").join(jar)),
        _ => Err(JarError::SeveralJars { home: home.to_owned(), jars }),
    }
}

/// Takes the library for this machine out of a jar, into a directory that is there already. Returns where it lies.
///
/// # Errors
/// Where there is no such jar, no such library in it, or no room for it; nothing is left behind then.
pub fn take_out(jar: &Path, into: &Path) -> Result<PathBuf, JarError> {
    let file = File::open(jar).map_err(|why| JarError::Unread { jar: jar.to_owned(), why })?;
    let broken = |error: ZipError| match error {
        ZipError::Io(why) => JarError::Unread { jar: jar.to_owned(), why },
        other => JarError::NoArchive { jar: jar.to_owned(), why: other.to_string() },
    };
    let mut archive = ZipArchive::new(file).map_err(broken)?;
    let wanted = name();
    if archive.index_for_name(wanted).is_none() {
        let mut there: Vec<String> =
            archive.file_names().filter(|name| name.starts_with(BEGINNING)).map(str::to_owned).collect();
        there.sort();
        return Err(if there.is_empty() {
            JarError::NoRocksDb { jar: jar.to_owned() }
        } else {
            JarError::OtherMachines { jar: jar.to_owned(), wanted, there }
        });
    }
    let library = archive.by_name(wanted).map_err(broken)?;
    let path = into.join(wanted);
    let written = written(library, &path, jar);
    if written.is_err() {
        // Half a library is no use; what cannot be taken away either is the lesser evil.
        let _ = fs::remove_file(&path);
    }
    written.map(|()| path)
}

/// Copies a library, and tells what cannot be read from what cannot be written.
fn written(library: impl Read, path: &Path, jar: &Path) -> Result<(), JarError> {
    let unwritten = |why| JarError::Unwritten { path: path.to_owned(), why };
    let mut file = File::create(path).map_err(unwritten)?;
    let mut library = library.take(LARGEST);
    let mut buffer = vec![0; 1 << 16];
    loop {
        let read = library.read(&mut buffer);
        let read = read.map_err(|why| JarError::NoArchive { jar: jar.to_owned(), why: why.to_string() })?;
        if read == 0 {
            // What a full disk refuses, it may refuse this late.
            return file.sync_all().map_err(unwritten);
        }
        file.write_all(&buffer[..read]).map_err(unwritten)?;
    }
}

/// The library's name for this machine (`org.rocksdb.util.Environment`).
fn name() -> &'static str {
    let musl = cfg!(target_env = "musl");
    match std::env::consts::ARCH {
        "x86_64" if musl => "librocksdbjni-linux64-musl.so",
        "aarch64" if musl => "librocksdbjni-linux-aarch64-musl.so",
        "aarch64" => "librocksdbjni-linux-aarch64.so",
        "powerpc64" if musl => "librocksdbjni-linux-ppc64le-musl.so",
        "powerpc64" => "librocksdbjni-linux-ppc64le.so",
        "s390x" => "librocksdbjni-linux-s390x.so",
        _ => "librocksdbjni-linux64.so",
    }
}

#[cfg(test)]
mod tests {
    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    /// A jar with these entries.
    fn jar(directory: &Path, entries: &[(&str, &[u8])]) -> PathBuf {
        let path = directory.join("flink-dist-0.jar");
        let mut writer = ZipWriter::new(File::create(&path).unwrap());
        for (name, content) in entries {
            writer.start_file(*name, SimpleFileOptions::default()).unwrap();
            writer.write_all(content).unwrap();
        }
        writer.finish().unwrap();
        path
    }

    #[test]
    fn the_library_of_this_machine_is_taken_out_whole() {
        let directory = tempfile::tempdir().unwrap();
        let content: Vec<u8> = (0..200_000_u32).flat_map(u32::to_le_bytes).collect();
        let jar = jar(
            directory.path(),
            &[("META-INF/MANIFEST.MF", b""), (name(), &content), ("librocksdbjni-osx.jnilib", b"")],
        );
        let taken = take_out(&jar, directory.path()).unwrap();
        assert_eq!(taken, directory.path().join(name()));
        assert!(fs::read(&taken).unwrap() == content);
    }

    #[test]
    fn a_jar_without_rocksdb_or_with_one_for_other_machines_says_so() {
        let directory = tempfile::tempdir().unwrap();
        let none = take_out(&jar(directory.path(), &[("org/apache/flink/A.class", b"")]), directory.path());
        assert!(none.unwrap_err().to_string().ends_with("only flink-dist*.jar carries one"));
        let other = take_out(&jar(directory.path(), &[("librocksdbjni-win64.dll", b"")]), directory.path());
        let other = other.unwrap_err().to_string();
        assert!(other.starts_with(&format!("find {} for this machine in", name())), "{other}");
        assert!(other.ends_with("there is only librocksdbjni-win64.dll"), "{other}");
    }

    #[test]
    fn what_is_no_jar_and_what_is_not_there_say_so() {
        let directory = tempfile::tempdir().unwrap();
        let text = directory.path().join("text.jar");
        fs::write(&text, "text").unwrap();
        let error = take_out(&text, directory.path()).unwrap_err().to_string();
        assert!(error.contains("text.jar as a jar: "), "{error}");
        let error = take_out(&directory.path().join("none.jar"), directory.path()).unwrap_err().to_string();
        assert!(error.contains("No such file"), "{error}");
    }

    #[test]
    fn a_broken_entry_and_a_directory_that_takes_nothing_leave_nothing_behind() {
        let directory = tempfile::tempdir().unwrap();
        let content: Vec<u8> = (0..50_000_u32).flat_map(|n| (n.wrapping_mul(2_654_435_761)).to_le_bytes()).collect();
        let jar = jar(directory.path(), &[(name(), &content)]);
        let into = directory.path().join("into");
        fs::create_dir(&into).unwrap();
        let full = take_out(&jar, &directory.path().join("nowhere")).unwrap_err().to_string();
        assert!(full.starts_with("write ") && full.contains("No such file"), "{full}");
        let mut bytes = fs::read(&jar).unwrap();
        bytes[1000] ^= 1;
        fs::write(&jar, bytes).unwrap();
        assert!(matches!(take_out(&jar, &into), Err(JarError::NoArchive { .. })));
        assert_eq!(fs::read_dir(&into).unwrap().count(), 0);
    }

    #[test]
    fn the_jar_of_a_distribution_is_found_and_is_one() {
        let home = tempfile::tempdir().unwrap();
        let error = find(home.path()).unwrap_err().to_string();
        assert!(error.contains("find lib/flink-dist*.jar in") && error.contains("No such file"), "{error}");
        let lib = home.path().join("lib");
        fs::create_dir(&lib).unwrap();
        fs::write(lib.join("log4j.jar"), "").unwrap();
        assert!(find(home.path()).unwrap_err().to_string().ends_with("there is none"));
        fs::write(lib.join("flink-dist_2.12-1.13.6.jar"), "").unwrap();
        assert_eq!(find(home.path()).unwrap(), lib.join("flink-dist_2.12-1.13.6.jar"));
        fs::write(lib.join("flink-dist_2.11-1.13.6.jar"), "").unwrap();
        let error = find(home.path()).unwrap_err().to_string();
        assert!(error.contains("flink-dist_2.11-1.13.6.jar and flink-dist_2.12-1.13.6.jar"), "{error}");
    }
}
