//! The rules, a file each, in families by the first digit of their codes.

mod deployment;
mod jobmanager;
mod jvm;
mod rocksdb;
mod spelling;
mod state;
mod sums;

pub(super) use spelling::{PLACEHOLDER, Standing, UNREAD_DIRECTIVE, UNUSED_IGNORE, about_directive, unread_template};
pub use spelling::{meant_by, nearest};
pub(super) use sums::{REJECTED, SHRINKS, refused_file, shrinks};

use super::rule::Rule;

/// Every rule, by code.
pub fn catalogue() -> impl Iterator<Item = &'static Rule> {
    [spelling::RULES, sums::RULES, jvm::RULES, rocksdb::RULES, deployment::RULES, jobmanager::RULES, state::RULES]
        .into_iter()
        .flatten()
        .copied()
}

/// The rule with this code, in any case, or this name.
pub fn by_code_or_name(text: &str) -> Option<&'static Rule> {
    catalogue().find(|rule| rule.code.eq_ignore_ascii_case(text) || rule.name == text)
}

#[cfg(test)]
mod tests;
