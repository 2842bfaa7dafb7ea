//! What could be known, and why not where it could not.

use super::Bytes;

/// A size that was found out, or the reason why it was not: missing is never zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Known to the byte.
    Seen(Bytes),
    /// Not known, and why.
    Unseen(String),
}

impl Reading {
    /// The size, where there is one.
    pub fn seen(&self) -> Option<Bytes> {
        match self {
            Reading::Seen(bytes) => Some(*bytes),
            Reading::Unseen(_) => None,
        }
    }
}
