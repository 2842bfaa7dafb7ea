//! Flink's version numbers.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// A Flink version: a minor line such as 1.20, or one release of it such as 1.20.5.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Version {
    /// 1 or 2.
    pub major: u16,
    /// The minor line.
    pub minor: u16,
    /// The patch release, where one is named.
    pub patch: Option<u16>,
}

/// A text that is no Flink version.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{0}` is not a Flink version: write a minor line such as 1.20 or a release such as 1.20.5")]
pub struct VersionError(String);

impl Version {
    /// A minor line.
    pub const fn minor(major: u16, minor: u16) -> Version {
        Version { major, minor, patch: None }
    }

    /// Major and minor, for comparisons that leave the patch release out.
    pub const fn line(self) -> (u16, u16) {
        (self.major, self.minor)
    }
}

/// Reads `1.20`, `1.20.5` and `1.20-SNAPSHOT`.
impl FromStr for Version {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Version, VersionError> {
        let error = || VersionError(text.to_owned());
        let (numbers, suffix) = text.split_once('-').unwrap_or((text, "SNAPSHOT"));
        if suffix.is_empty() {
            return Err(error());
        }
        let mut parts = Vec::new();
        for part in numbers.split('.') {
            if part.is_empty() || !part.bytes().all(|b| b.is_ascii_digit()) {
                return Err(error());
            }
            parts.push(part.parse::<u16>().map_err(|_| error())?);
        }
        match parts[..] {
            [major, minor] => Ok(Version { major, minor, patch: None }),
            [major, minor, patch] => Ok(Version { major, minor, patch: Some(patch) }),
            _ => Err(error()),
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self.patch {
            Some(patch) => format!("{}.{}.{patch}", self.major, self.minor),
            None => format!("{}.{}", self.major, self.minor),
        };
        f.pad(&text)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("1.20", "1.20")]
    #[case("1.20.5", "1.20.5")]
    #[case("2.4-SNAPSHOT", "2.4")]
    fn versions_are_read(#[case] text: &str, #[case] shown: &str) {
        assert_eq!(text.parse::<Version>().unwrap().to_string(), shown);
    }

    #[rstest]
    #[case("1")]
    #[case("latest")]
    #[case("1.x")]
    #[case("1.2.3.4")]
    #[case("1.20-")]
    #[case("+1.2")]
    #[case("")]
    fn what_is_no_version_is_refused_with_the_forms_that_are(#[case] text: &str) {
        assert!(text.parse::<Version>().unwrap_err().to_string().contains("1.20.5"));
    }
}
