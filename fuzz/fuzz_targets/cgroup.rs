//! The files of a memory cgroup, of both versions, and where a process is in them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oomph::artefact::cgroup::{Files, Group, Version, memberships, mounted};
use oomph::artefact::{host, listening};

/// Every file has the same content.
struct Everywhere<'t>(&'t str);

impl Files for Everywhere<'_> {
    fn text(&self, _: &str) -> Option<String> {
        Some(self.0.to_owned())
    }
}

fuzz_target!(|text: &str| {
    for version in [Version::V1, Version::V2] {
        let group = Group::read(version, "/", &Everywhere(text));
        if let (Some(usage), Some(working_set)) = (group.usage, group.working_set()) {
            assert!(working_set <= usage);
        }
    }
    let _ = memberships(text);
    let _ = mounted(text);
    let _ = listening::listening(text);
    let _ = host::huge_pages(text);
    let _ = host::meminfo(text, "MemTotal");
});
