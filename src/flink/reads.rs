//! Under which name a version reads a key, by the old names in its profile.

use super::profile::Profile;

/// How a version reads a key that somebody has written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reads {
    /// As the option of that name.
    Itself,
    /// As an old name of this option, or as one that is read in its place.
    As(&'static str),
    /// Not at all, though another version does.
    Not,
    /// No profile knows the key: it has no bearing on memory.
    Foreign,
}

impl Profile {
    /// How this version reads a key. An option that is also an old name of a newer one is read as the newer one.
    pub fn reads(&self, name: &str) -> Reads {
        if let Some((newer, _)) = self.options().find(|(_, row)| row.answers_to(name)) {
            return Reads::As(newer);
        }
        if self.option(name).is_some() {
            return Reads::Itself;
        }
        let known = |profile: &Profile| {
            profile.option(name).is_some() || profile.options().any(|(_, row)| row.answers_to(name))
        };
        if Profile::all().iter().any(known) { Reads::Not } else { Reads::Foreign }
    }

    /// The name of an option in another version that has it under an old name only, going backwards.
    pub fn older_name_in(&self, name: &str, other: &Profile) -> Option<&'static str> {
        let row = self.option(name)?;
        row.deprecated.iter().find(|old| other.option(old).is_some()).copied()
    }
}

impl super::profile::OptionRow {
    /// Whether the option may be written under this other name.
    fn answers_to(&self, name: &str) -> bool {
        self.deprecated.contains(&name) || self.fallback.contains(&name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(version: &str) -> &'static Profile {
        Profile::of(version.parse().unwrap()).unwrap().0
    }

    #[test]
    fn a_version_reads_a_key_as_itself_as_a_newer_option_or_not_at_all() {
        assert_eq!(profile("1.16").reads("state.backend"), Reads::Itself);
        assert_eq!(profile("2.2").reads("state.backend"), Reads::As("state.backend.type"));
        assert_eq!(
            profile("1.10").reads("taskmanager.network.memory.max"),
            Reads::As("taskmanager.memory.network.max")
        );
        assert_eq!(profile("2.0").reads("taskmanager.heap.size"), Reads::Not);
        assert_eq!(profile("1.9").reads("taskmanager.memory.process.size"), Reads::Not);
        assert_eq!(profile("2.0").reads("parallelism.default"), Reads::Foreign);
    }

    #[test]
    fn going_backwards_an_option_is_found_under_its_old_name() {
        let old = profile("1.17").older_name_in("state.backend.type", profile("1.16"));
        assert_eq!(old, Some("state.backend"));
    }
}
