//! The memory files of a cgroup as people paste them: one file alone, several one behind the other under `==> name
//! <==`, `name:line` as grep prints it, `name: value`, or the value under the command that printed it.
//!
//! The files themselves are described in [`super::cgroup`]. Here it is not known which group they are of, and whether
//! all of them are of the same: the first of each counts.

use std::sync::LazyLock;

use regex::Regex;

use super::cgroup::v1_limit;
use super::kernel_oom::MemcgStat;
use crate::model::{Bytes, Limit};

/// The words by which a reader of a long log finds these files.
pub const ANCHORS: &[&str] = &["oom_kill "];

/// What the files say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// Processes of the group that were killed: `oom_kill` of `memory.events` or of `memory.oom_control`, with where it
    /// stands.
    pub kills: Option<(usize, u64)>,
    /// How often this group's own limit let the kernel look for a process: `oom` of `memory.events`.
    pub ooms: Option<u64>,
    /// How often the limit was met: `max` of `memory.events`, `memory.failcnt`.
    pub hits: Option<(usize, u64)>,
    /// `memory.max`, `memory.limit_in_bytes`.
    pub limit: Option<Limit>,
    /// `memory.current`, `memory.usage_in_bytes`.
    pub usage: Option<Bytes>,
    /// `memory.peak`, `memory.max_usage_in_bytes`.
    pub peak: Option<Bytes>,
    /// `memory.stat`.
    pub stat: MemcgStat,
}

/// `memory.events`: `oom 3` stands right before `oom_kill 3`; `memory.oom_control`: `under_oom 0` does.
static KILLS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"\b(?:max[ \t]+(\d+)\s(?:\S*:)?\s*)?(?:\S*:)?(?:oom[ \t]+(\d+)",
        r"|under_oom[ \t]+[01])\s(?:\S*memory\.(?:events",
        r"|oom_control)\S*:)?\s*oom_kill[ \t]+(\d+)\b|memory\.(?:events|events\.local",
        r"|oom_control):\s?oom_kill[ \t]+(\d+)\b"
    ))
    .ok()
});

/// A file with one number: its name, then `<==`, `:`, `=`, blanks or the end of the line, then the number.
static NUMBER: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"\bmemory\.(max|current|peak|failcnt|limit_in_bytes|usage_in_bytes",
        r"|max_usage_in_bytes)(?:[ \t]*<==|[ \t]*[:=])?\s{1,4}(max|\d+)(?:\s|$)|\bmemory\.(max",
        r"|current|peak|failcnt|limit_in_bytes|usage_in_bytes|max_usage_in_bytes)[:=](max",
        r"|\d+)(?:\s|$)"
    ))
    .ok()
});

/// `memory.stat` starts with these in version 2 and in version 1.
static STAT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?:^|[\s:])(?:anon[ \t]+\d+\s+(?:\S*:)?file[ \t]+\d+|cache[ \t]+\d+\s+(?:\S*:)?rss[ \t]+\d+)").ok()
});

/// Reads a text that holds such files; nothing where there is none.
pub fn read(text: &str) -> Option<Listing> {
    let mut listing = Listing::default();
    if let Some(kills) = KILLS.as_ref().filter(|_| text.contains("oom_kill"))
        && let Some(found) = kills.captures(text)
    {
        let number = |group: usize| found.get(group)?.as_str().parse::<u64>().ok();
        let at = found.get(3).or(found.get(4)).map_or(0, |kills| kills.start());
        listing.kills = number(3).or(number(4)).map(|kills| (at, kills));
        listing.ooms = number(2);
        listing.hits = number(1).map(|hits| (at, hits));
    }
    if let Some(number) = NUMBER.as_ref().filter(|_| text.contains("memory.")) {
        for found in number.captures_iter(text) {
            let (Some(name), Some(value)) = (found.get(1).or(found.get(3)), found.get(2).or(found.get(4))) else {
                continue;
            };
            let bytes = value.as_str().parse::<u64>().ok();
            match name.as_str() {
                "max" | "limit_in_bytes" => {
                    let limit = if value.as_str() == "max" { Some(Limit::Unlimited) } else { bytes.map(v1_limit) };
                    listing.limit = listing.limit.or(limit);
                }
                "current" | "usage_in_bytes" => listing.usage = listing.usage.or(bytes.map(Bytes::new)),
                "peak" | "max_usage_in_bytes" => listing.peak = listing.peak.or(bytes.map(Bytes::new)),
                _ => listing.hits = listing.hits.or(bytes.map(|hits| (name.start(), hits))),
            }
        }
    }
    if let Some(stat) = STAT.as_ref().filter(|_| text.contains("file ") || text.contains("cache "))
        && let Some(found) = stat.find(text)
        && !text.contains("Memory cgroup stats")
    {
        // A file has some fifty lines; those of a next group are not added.
        let rest = text.get(found.start()..).unwrap_or("");
        let rest = rest.get(..rest.floor_char_boundary(4000)).unwrap_or(rest);
        listing.stat.add(rest);
    }
    (listing != Listing::default()).then_some(listing)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    const V2: &str = "==> memory.current <==\n2147479552\n\n==> memory.max <==\n2147483648\n\n==> memory.events <==\nlow 0\n\
        high 0\nmax 1234\noom 3\noom_kill 2\noom_group_kill 0\n\n==> memory.stat <==\nanon 2040109466\nfile 12288\nkernel \
        3145728\nshmem 0\n";

    #[test]
    fn files_one_behind_the_other_are_read() {
        let listing = read(V2).unwrap();
        assert_eq!(listing.kills.map(|(_, kills)| kills), Some(2));
        assert_eq!((listing.ooms, listing.hits.map(|(_, hits)| hits)), (Some(3), Some(1234)));
        assert_eq!(listing.limit, Some(Limit::AtMost(Bytes::gib(2))));
        assert_eq!(listing.usage, Some(Bytes::new(2_147_479_552)));
        assert_eq!(listing.stat.anon, Some(Bytes::new(2_040_109_466)));
    }

    #[rstest]
    #[case::alone("low 0\nhigh 0\nmax 7\noom 1\noom_kill 1\n")]
    #[case::grepped(
        "/sys/fs/cgroup/memory.events:max 7\n/sys/fs/cgroup/memory.events:oom 1\n/sys/fs/cgroup/memory.events:oom_kill 1\n"
    )]
    #[case::one_line_of_grep("memory.events:oom_kill 1\n")]
    #[case::version_1("oom_kill_disable 0\nunder_oom 0\noom_kill 1\n")]
    fn kills_are_counted_in_every_form(#[case] text: &str) {
        assert_eq!(read(text).unwrap().kills.map(|(_, kills)| kills), Some(1));
    }

    #[rstest]
    #[case("memory.limit_in_bytes: 1048576\nmemory.failcnt: 5\n")]
    #[case("$ cat memory.limit_in_bytes\n1048576\n$ cat memory.failcnt\n5\n")]
    #[case("memory.limit_in_bytes:1048576\nmemory.failcnt=5\n")]
    fn a_file_of_one_number_is_read_under_its_name(#[case] text: &str) {
        let listing = read(text).unwrap();
        assert_eq!((listing.limit, listing.hits.map(|(_, hits)| hits)), (Some(Limit::AtMost(Bytes::mib(1))), Some(5)));
    }

    #[rstest]
    #[case("memory.limit_in_bytes: 99999999999999999999\nmemory.failcnt: 5\n", None)]
    #[case("memory.limit_in_bytes: 9223372036854771712\n", Some(Limit::Unlimited))]
    #[case("memory.max: max\n", Some(Limit::Unlimited))]
    fn a_limit_that_is_no_number_of_bytes_is_not_known(#[case] text: &str, #[case] limit: Option<Limit>) {
        assert_eq!(read(text).unwrap().limit, limit);
    }

    #[rstest]
    #[case::vmstat("pgfault 12\noom_kill 3\n")]
    #[case::a_metric("node_vmstat_oom_kill 3\n")]
    #[case::prose("the file memory.max holds the limit, memory.events counts")]
    #[case::a_setting("taskmanager.memory.max 4")]
    fn what_is_no_file_of_a_cgroup_is_not_read(#[case] text: &str) {
        assert_eq!(read(text).and_then(|listing| listing.kills), None);
    }

    proptest! {
        #[test]
        fn any_part_of_a_text_is_read(from in 0_usize..300, noise in ".{0,30}") {
            read(&format!("{noise}{}", V2.get(from.min(V2.len())..).unwrap_or("")));
        }
    }
}
