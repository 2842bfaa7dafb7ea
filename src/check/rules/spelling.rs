//! OOM1xx: keys and values that are not what they seem to be.

use crate::check::Collector;
use crate::check::rule::{Rule, catalogue};
use crate::model::Place;

mod declared_type;
mod known;
mod near;
mod nested;

catalogue! {
    oom101_unknown_key,
    oom102_duplicate_key,
    oom103_invented_key,
    oom104_deprecated_key,
    oom105_removed_key,
    oom106_not_yet_key,
    oom107_ignored_in_mode,
    oom108_overridden_key,
    oom109_wrong_unit,
    oom110_bare_number,
    oom111_yaml_type_trap,
    oom112_unread_line,
    oom113_value_cut_at_hash,
    oom114_quotes_kept,
    oom115_nested_in_flat_file,
    oom116_wrong_file,
    oom117_wrong_type,
    oom118_operator_size_fraction,
    oom119_invisible_character,
    oom190_placeholder,
    oom191_unused_ignore,
    oom192_unread_directive,
}

pub(in crate::check) use known::Standing;
pub use near::nearest;
pub use oom101_unknown_key::meant_by;
pub(in crate::check) use oom190_placeholder::{RULE as PLACEHOLDER, unread_template};
pub(in crate::check) use oom191_unused_ignore::RULE as UNUSED_IGNORE;
pub(in crate::check) use oom192_unread_directive::RULE as UNREAD_DIRECTIVE;

/// A directive that is of no use, told by the engine, which alone knows.
pub(in crate::check) fn about_directive(found: &mut Collector<'_>, rule: &Rule, place: &Place, what: &str) {
    if rule.code == UNUSED_IGNORE.code {
        oom191_unused_ignore::tell(found, place, what);
    } else {
        oom192_unread_directive::tell(found, place, what);
    }
}
