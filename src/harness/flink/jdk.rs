//! The JDK that runs Flink.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// A JDK.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jdk {
    /// Its directory.
    pub home: PathBuf,
    /// Its feature release: 8, 11, 17.
    pub release: u16,
}

/// Why there is no JDK. The texts go on after "could not".
#[derive(Debug, Error)]
pub enum JdkError {
    /// None was found.
    #[error(
        "find a JDK: JAVA_HOME names none, and there is no java on the PATH; Flink 1.x needs 11 or 17, 2.x 17 or 21"
    )]
    None,
    /// `JAVA_HOME` leads nowhere.
    #[error("find a JDK: JAVA_HOME is {}, which has no bin/java", home.display())]
    NoJava {
        /// Its value.
        home: PathBuf,
    },
    /// It does not say which it is.
    #[error("tell which JDK {} is: {source}", path.display())]
    Release {
        /// The file that would say it.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// It only runs programs.
    #[error("compile what submits jobs: there is no {}; a JDK is needed, not a JRE alone: set JAVA_HOME", path.display())]
    NoCompiler {
        /// Where it would be.
        path: PathBuf,
    },
}

impl Jdk {
    /// That of `JAVA_HOME`, else of the first `java` on the `PATH`.
    ///
    /// # Errors
    ///
    /// Where there is none.
    pub fn find() -> Result<Jdk, JdkError> {
        if let Some(home) = env::var_os("JAVA_HOME").filter(|home| !home.is_empty()) {
            let home = PathBuf::from(home);
            return if home.join("bin/java").is_file() { Jdk::at(&home) } else { Err(JdkError::NoJava { home }) };
        }
        let path = env::var_os("PATH").unwrap_or_default();
        let java = env::split_paths(&path).map(|folder| folder.join("java")).find(|java| java.is_file());
        let java = java.and_then(|java| fs::canonicalize(java).ok()).ok_or(JdkError::None)?;
        Jdk::at(java.parent().and_then(Path::parent).ok_or(JdkError::None)?)
    }

    /// That of a directory.
    ///
    /// # Errors
    ///
    /// Where it does not say which release it is.
    pub fn at(home: &Path) -> Result<Jdk, JdkError> {
        // JDK 8 has the runtime in a folder of its own, and the compiler beside that.
        let home = match home.parent() {
            Some(above) if home.ends_with("jre") && above.join("bin/javac").is_file() => above,
            _ => home,
        };
        let path = home.join("release");
        let text = fs::read_to_string(&path).map_err(|source| JdkError::Release { path: path.clone(), source })?;
        let release = release_of(&text).ok_or_else(|| JdkError::Release {
            path,
            source: io::Error::new(io::ErrorKind::InvalidData, "it has no line JAVA_VERSION=\"…\""),
        })?;
        Ok(Jdk { home: home.to_owned(), release })
    }

    /// What runs programs.
    pub fn java(&self) -> PathBuf {
        self.home.join("bin/java")
    }

    /// What compiles them.
    ///
    /// # Errors
    ///
    /// Where it has none.
    pub fn javac(&self) -> Result<PathBuf, JdkError> {
        let path = self.home.join("bin/javac");
        if path.is_file() { Ok(path) } else { Err(JdkError::NoCompiler { path }) }
    }
}

/// The feature release in a file `release`: `JAVA_VERSION="17.0.15"`, `JAVA_VERSION="1.8.0_402"`.
fn release_of(text: &str) -> Option<u16> {
    let line = text.lines().find_map(|line| line.strip_prefix("JAVA_VERSION="))?;
    let version = line.trim().trim_matches('"');
    let version = version.strip_prefix("1.").unwrap_or(version);
    let digits = version.split(|sign: char| !sign.is_ascii_digit()).next()?;
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use super::*;

    #[test]
    fn a_jdk_says_which_it_is() {
        assert_eq!(release_of("IMPLEMENTOR=\"Debian\"\nJAVA_VERSION=\"17.0.15\"\n"), Some(17));
        assert_eq!(release_of("JAVA_VERSION=\"1.8.0_402\"\n"), Some(8));
        assert_eq!(release_of("JAVA_VERSION=\"25\""), Some(25));
        assert_eq!(release_of("OS_ARCH=\"x86_64\""), None);
    }

    #[test]
    fn a_runtime_without_a_compiler_is_told_so() {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("release"), "JAVA_VERSION=\"17.0.15\"").unwrap();
        let jdk = Jdk::at(home.path()).unwrap();
        let missing = jdk.javac().unwrap_err();
        assert!(missing.to_string().contains("not a JRE alone"), "{missing}");
    }
}
