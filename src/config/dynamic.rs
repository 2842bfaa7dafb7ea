//! Settings given as arguments: `-D key=value`, `--set key=value` and the memory flags of YARN's command line.

use std::str::FromStr;

use thiserror::Error;

use crate::flink::sensitive;

/// One `key=value`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// The key.
    pub key: String,
    /// The value: everything behind the first `=`.
    pub value: String,
}

/// A text that is no `key=value`; it is shown only as far as it cannot be a secret.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0} is not of the form key=value")]
pub struct AssignmentError(String);

impl FromStr for Assignment {
    type Err = AssignmentError;

    fn from_str(text: &str) -> Result<Assignment, AssignmentError> {
        match text.split_once('=') {
            Some((key, value)) if !key.trim().is_empty() => {
                Ok(Assignment { key: key.trim().to_owned(), value: value.to_owned() })
            }
            _ => Err(AssignmentError(sensitive::shown_line(text, "the argument"))),
        }
    }
}

/// The value of YARN's `-tm` or `-jm` as a size: bare digits are mebibytes (`FlinkYarnSessionCli`).
pub fn yarn_memory(text: &str) -> String {
    let bare = text.trim().bytes().all(|b| b.is_ascii_digit());
    if bare { format!("{}m", text.trim()) } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn a_value_may_hold_more_equal_signs() {
        let assignment: Assignment = "env.java.opts=-Dx=y".parse().unwrap();
        assert_eq!((assignment.key.as_str(), assignment.value.as_str()), ("env.java.opts", "-Dx=y"));
    }

    #[rstest]
    #[case("taskmanager.memory.process.size")]
    #[case("=4g")]
    #[case("")]
    fn what_is_no_assignment_is_refused(#[case] text: &str) {
        assert!(text.parse::<Assignment>().is_err());
    }

    #[test]
    fn a_refused_text_does_not_show_a_secret() {
        let error = "s3.secret-key:abc".parse::<Assignment>().unwrap_err().to_string();
        assert!(!error.contains("abc"), "{error}");
    }

    #[rstest]
    #[case("4096", "4096m")]
    #[case("4g", "4g")]
    #[case(" 4096 ", "4096m")]
    fn yarns_bare_numbers_are_mebibytes(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(yarn_memory(text), expected);
    }
}
