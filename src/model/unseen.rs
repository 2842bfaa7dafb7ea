//! What could not be looked at, and what would allow it.

use std::fmt;

/// Why something was not seen, and the exact grant that would show it: data, not an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unseen {
    /// Why, as an end to the sentence "not seen: ".
    pub why: String,
    /// What would let it be seen (run as uid 9999; start with an option), as a sentence without a full stop; nothing where
    /// nothing would.
    pub grant: Option<String>,
}

impl Unseen {
    /// Something that nothing would show.
    pub fn because(why: impl Into<String>) -> Unseen {
        Unseen { why: why.into(), grant: None }
    }

    /// The same with what would show it.
    pub fn granted_by(self, grant: impl Into<String>) -> Unseen {
        Unseen { grant: Some(grant.into()), ..self }
    }
}

impl fmt::Display for Unseen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)?;
        self.grant.as_ref().map_or(Ok(()), |grant| write!(f, " ({grant})"))
    }
}

/// What was seen, or why it was not: missing is never zero.
pub type Seen<T> = Result<T, Unseen>;
