//! Everything that a report on wanted sizes may show.

use super::Sheet;
use crate::recommend::want::{Conflict, Solution, Want};

/// What was wanted of one configuration, and the answer.
#[derive(Clone, Debug)]
pub struct Proposal {
    /// The configuration with the changes in it and its plan; as it was given where there is no solution.
    pub sheet: Sheet,
    /// What was wanted.
    pub wants: Vec<Want>,
    /// What to change, or why nothing helps.
    pub answer: Result<Solution, Conflict>,
}
