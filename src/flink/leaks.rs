//! Leaks that belong to versions: which releases have them, what sets them off, and which release is without
//! (`profiles/leaks/*.yaml`).

use super::{Version, duration};
use crate::model::Severity;

include!(concat!(env!("OUT_DIR"), "/leaks.rs"));

/// Memory that a release of Flink does not give back.
#[derive(Debug)]
pub struct Leak {
    /// Flink's issue, `FLINK-39753`; with a word behind it where one issue is two leaks.
    pub id: &'static str,
    /// What stays behind, as a sentence without capital and full stop.
    pub title: &'static str,
    /// Which part of Flink leaks: a store leaks only where it is used.
    pub component: Component,
    /// How much it matters.
    pub severity: Severity,
    affected: &'static [Affected],
    /// Settings that must all be so.
    pub all: &'static [Condition],
    /// Settings of which one must be so, where there are any.
    pub any: &'static [Condition],
    /// How memory grows.
    pub growth: &'static str,
    /// What to do without another release.
    pub workaround: &'static str,
    /// Threads.
    pub sources: &'static [&'static str],
}

/// Which part of Flink leaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Component {
    /// RocksDB as a state backend.
    RocksDb,
    /// ForSt as a state backend.
    ForSt,
    /// Recovery from a checkpoint, with any state backend.
    Recovery,
}

/// A minor line that has a leak.
#[derive(Debug)]
struct Affected {
    major: u16,
    minor: u16,
    /// The patch release that is the first without.
    fixed: Option<u16>,
}

/// A setting that has a part in a leak.
#[derive(Debug)]
pub struct Condition {
    /// The option.
    pub option: &'static str,
    /// How its value must be.
    pub test: Test,
}

/// How a value must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Test {
    /// `true`.
    True,
    /// A number, or a duration in milliseconds, above this one.
    Above(u64),
}

impl Test {
    /// Whether a value is so.
    pub fn holds(self, value: &str) -> bool {
        match self {
            Test::True => value.trim().eq_ignore_ascii_case("true"),
            Test::Above(least) => duration::millis(value).is_some_and(|number| number > least),
        }
    }
}

impl Leak {
    /// Every leak, by id.
    pub fn all_known() -> &'static [Leak] {
        &LEAKS
    }

    /// The leaks that a version has.
    pub fn of(version: Version) -> impl Iterator<Item = &'static Leak> {
        LEAKS.iter().filter(move |leak| leak.is_in(version))
    }

    /// Whether a version has it. A version that names no patch release stands for the newest of its line.
    pub fn is_in(&self, version: Version) -> bool {
        self.line(version).is_some_and(|line| match line.fixed {
            Some(fixed) => version.patch.is_some_and(|patch| patch < fixed),
            None => true,
        })
    }

    /// The release of the same minor line that is the first without it, where one is known.
    pub fn fixed_in_line(&self, version: Version) -> Option<Version> {
        let fixed = self.line(version)?.fixed?;
        Some(Version { patch: Some(fixed), ..version })
    }

    /// The first release of a later line that is without it, where one is known.
    pub fn fixed_later(&self, version: Version) -> Option<Version> {
        let later = self.affected.iter().filter(|line| (line.major, line.minor) > version.line());
        later
            .filter_map(|line| Some(Version { major: line.major, minor: line.minor, patch: Some(line.fixed?) }))
            .min_by_key(|version| version.line())
    }

    fn line(&self, version: Version) -> Option<&Affected> {
        self.affected.iter().find(|line| (line.major, line.minor) == version.line())
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::flink::options;
    use crate::flink::profile::Profile;

    fn has(id: &str, version: &str) -> bool {
        Leak::of(version.parse().unwrap()).any(|leak| leak.id == id)
    }

    #[rstest]
    #[case("FLINK-39753", "1.20.4", true)]
    #[case("FLINK-39753", "1.20.5", false)]
    #[case("FLINK-39753", "1.20", false)]
    #[case("FLINK-39753", "1.19.3", false)]
    #[case("FLINK-39753", "2.1", true)]
    #[case("FLINK-39753", "2.2.1", true)]
    #[case("FLINK-39753", "2.3.0", false)]
    #[case("FLINK-39923", "1.20.5", false)]
    #[case("FLINK-39923", "2.3.0", true)]
    #[case("FLINK-21986", "1.11.3", true)]
    #[case("FLINK-21986", "1.11.4", false)]
    #[case("FLINK-40354", "2.4", false)]
    fn a_leak_belongs_to_releases(#[case] id: &str, #[case] version: &str, #[case] expected: bool) {
        assert_eq!(has(id, version), expected);
    }

    #[test]
    fn a_line_without_a_fix_points_to_a_later_one() {
        let leak = Leak::all_known().iter().find(|leak| leak.id == "FLINK-39753").unwrap();
        let shown = |version: Option<Version>| version.map(|version| version.to_string());
        assert_eq!(shown(leak.fixed_in_line("1.20.1".parse().unwrap())).as_deref(), Some("1.20.5"));
        assert_eq!(shown(leak.fixed_in_line("2.0.1".parse().unwrap())), None);
        assert_eq!(shown(leak.fixed_later("2.0.1".parse().unwrap())).as_deref(), Some("2.2.2"));
    }

    #[rstest]
    #[case(Test::True, "TRUE", true)]
    #[case(Test::True, "false", false)]
    #[case(Test::Above(0), "1 min", true)]
    #[case(Test::Above(0), "0 s", false)]
    #[case(Test::Above(1), "1", false)]
    #[case(Test::Above(1), "4", true)]
    #[case(Test::Above(0), "soon", false)]
    fn a_value_is_tested(#[case] test: Test, #[case] value: &str, #[case] expected: bool) {
        assert_eq!(test.holds(value), expected);
    }

    #[test]
    fn every_leak_has_options_that_its_versions_have() {
        for leak in Leak::all_known() {
            for line in leak.affected {
                let profile = Profile::of(Version::minor(line.major, line.minor)).unwrap().0;
                for condition in leak.all.iter().chain(leak.any) {
                    let found = options::declared(condition.option, profile).is_some();
                    assert!(found, "{}: {} in {}.{}", leak.id, condition.option, line.major, line.minor);
                }
            }
        }
    }

    #[test]
    fn every_leak_but_that_of_a_store_has_a_trigger() {
        for leak in Leak::all_known() {
            let any_trigger = !leak.all.is_empty() || !leak.any.is_empty();
            assert!(any_trigger || leak.component != Component::Recovery, "{}", leak.id);
        }
    }
}
