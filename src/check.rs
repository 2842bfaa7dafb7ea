//! What is wrong in a configuration before anything runs: rules over a text, its configuration and its plan. Functions over
//! values: no file, clock or environment is touched.
//!
//! A rule is one file below `rules/`: page, metadata, code and tests; `docs/adding-a-rule.md` says how to add one.

pub mod baseline;
mod case;
mod collect;
pub mod directive;
pub mod edits;
mod engine;
pub mod example;
mod judge;
pub mod moved;
pub mod policy;
pub mod repair;
pub mod rule;
mod rules;
pub mod team;
#[cfg(test)]
pub(crate) mod tried;

pub use case::{Case, Judged, Written};
pub use collect::Collector;
pub use engine::{Checked, Selection, Told, Yarn, check, check_against};
pub use policy::Policy;
pub use rule::{FixKind, Rule};
pub use rules::{by_code_or_name, catalogue, meant_by, nearest};
