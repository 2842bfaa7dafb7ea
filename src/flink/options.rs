//! Every option of every known Flink version, read out of its jars by reflection (`profiles/options.tsv`): what a key means
//! where memory does not depend on it. What memory depends on is in the profiles, with the behaviour of each version.

use super::profile::Profile;

include!(concat!(env!("OUT_DIR"), "/options.rs"));

/// An option as a stretch of versions declares it.
#[derive(Debug)]
pub struct Declared {
    /// Its key.
    pub key: &'static str,
    from: usize,
    to: usize,
    /// The type of its value.
    pub kind: ValueKind,
    /// The default as Flink prints it.
    pub default: Option<&'static str>,
    /// Old names that still work and are warned about.
    pub deprecated: &'static [&'static str],
    /// Other options that are read in its place.
    pub fallback: &'static [&'static str],
    /// The constant in Flink's source, as `Class.FIELD`.
    pub source: &'static str,
}

/// The type of an option's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueKind {
    /// A `MemorySize`.
    Size,
    /// A 32-bit float.
    Float,
    /// A 64-bit float.
    Double,
    /// A 32-bit integer.
    Int,
    /// A 64-bit integer.
    Long,
    /// true or false.
    Boolean,
    /// A `Duration`.
    Duration,
    /// A text.
    String,
    /// A list.
    List,
    /// A map.
    Map,
    /// One of some names.
    Enum,
    /// Flink declares no type: only 1.9 does so.
    Untyped,
}

impl Declared {
    /// The first version that declares it so.
    pub fn from(&self) -> &'static Profile {
        &Profile::all()[self.from]
    }

    /// The last version that declares it so.
    pub fn to(&self) -> &'static Profile {
        &Profile::all()[self.to]
    }

    /// Whether this version declares it so.
    pub fn is_in(&self, profile: &Profile) -> bool {
        (self.from..=self.to).contains(&profile.index())
    }
}

/// Every stretch of every option, by key, then by version.
pub fn all() -> &'static [Declared] {
    &DECLARED
}

/// What a version declares under this key.
pub fn declared(key: &str, profile: &Profile) -> Option<&'static Declared> {
    let index = profile.index();
    ever(key).iter().find(|row| (row.from..=row.to).contains(&index))
}

/// What any version declares under this key, oldest first.
pub fn ever(key: &str) -> &'static [Declared] {
    let mask = INDEX.len() - 1;
    let mut at = hash(key) as usize & mask;
    while let Some(start) = usize::from(INDEX[at]).checked_sub(1) {
        if DECLARED[start].key == key {
            let count = DECLARED[start..].iter().take_while(|row| row.key == key).count();
            return &DECLARED[start..start + count];
        }
        at = (at + 1) & mask;
    }
    &[]
}

/// FNV-1a, by which the table is indexed when oomph is compiled: rules ask for hundreds of options of each file.
fn hash(key: &str) -> u32 {
    key.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// Every option of a version.
pub fn of(profile: &Profile) -> impl Iterator<Item = &'static Declared> {
    let index = profile.index();
    DECLARED.iter().filter(move |row| (row.from..=row.to).contains(&index))
}

/// The option of this version that a key is an old name of, or a stand-in for.
pub fn behind(key: &str, profile: &Profile) -> Option<(&'static Declared, Alias)> {
    of(profile).find_map(|row| {
        if row.deprecated.contains(&key) {
            Some((row, Alias::Deprecated))
        } else if row.fallback.contains(&key) {
            Some((row, Alias::Fallback))
        } else {
            None
        }
    })
}

/// How one key stands in for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alias {
    /// An old name, warned about.
    Deprecated,
    /// Another option that is read in its place.
    Fallback,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flink::Version;

    fn profile(version: &str) -> &'static Profile {
        Profile::of(version.parse::<Version>().unwrap()).unwrap().0
    }

    #[test]
    fn the_table_is_sorted_and_no_stretch_overlaps_another() {
        for pair in DECLARED.windows(2) {
            assert!(pair[0].key < pair[1].key || (pair[0].key == pair[1].key && pair[0].to < pair[1].from), "{pair:?}");
        }
    }

    #[test]
    fn every_key_is_found_and_what_is_like_one_is_not() {
        for row in &DECLARED {
            assert!(ever(row.key).iter().any(|found| std::ptr::eq(found, row)), "{}", row.key);
            assert!(ever(&format!("{}x", row.key)).is_empty(), "{}", row.key);
        }
        assert!(ever("").is_empty());
    }

    #[test]
    fn an_option_has_the_type_of_its_version() {
        let kind = |version| declared("akka.ask.timeout", profile(version)).map(|row| row.kind);
        assert_eq!(
            (kind("1.9"), kind("1.16"), kind("2.0")),
            (Some(ValueKind::String), Some(ValueKind::Duration), None)
        );
        assert_eq!(declared("no.such.key", profile("1.20")).map(|row| row.key), None);
    }

    #[test]
    fn an_old_name_leads_to_its_option() {
        let (row, alias) = behind("state.backend", profile("1.20")).unwrap();
        assert_eq!((row.key, alias), ("state.backend.type", Alias::Deprecated));
        assert!(behind("state.backend", profile("1.16")).is_none());
    }

    #[test]
    fn every_option_of_the_profiles_is_in_the_table() {
        for profile in Profile::all() {
            let missing: Vec<_> =
                profile.options().map(|(key, _)| key).filter(|key| declared(key, profile).is_none()).collect();
            assert!(missing.is_empty(), "{}: {missing:?}", profile.version());
        }
    }
}
