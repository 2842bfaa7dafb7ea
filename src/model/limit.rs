//! An upper bound, or the plain statement that there is none.

use std::fmt;

use super::Bytes;

/// What bounds a size: never -1, 0 or a huge number standing for "nothing does".
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Limit {
    /// Not more than this.
    AtMost(Bytes),
    /// Nothing bounds it.
    Unlimited,
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Limit::AtMost(bytes) => bytes.fmt(f),
            Limit::Unlimited => f.pad("unlimited"),
        }
    }
}
