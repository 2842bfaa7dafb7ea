//! What holds for every cause.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::collections::BTreeSet;

use super::tried::{Tried, group};
use super::*;
use crate::artefact::cgroup::MemoryStat;
use crate::artefact::hsperfdata::Space;
use crate::flink::options;
use crate::model::{Pool, Role};

const SECTIONS: [&str; 5] =
    ["### What is seen", "### What it is not", "### How to prove it", "### Cure", "### Sources"];

fn is_kebab(name: &str) -> bool {
    !name.is_empty()
        && name
            .split('-')
            .all(|word| !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()))
}

#[test]
fn codes_and_names_are_unique_and_in_order() {
    let codes: Vec<&str> = CAUSES.iter().map(|cause| cause.code).collect();
    assert!(codes.is_sorted() && codes.windows(2).all(|pair| pair[0] != pair[1]), "{codes:?}");
    assert!(codes.iter().all(|code| code.len() == 6 && code.starts_with("OOM9")));
    let names: BTreeSet<&str> = CAUSES.iter().map(|cause| cause.name).collect();
    assert_eq!(names.len(), codes.len());
    assert!(names.iter().all(|name| is_kebab(name)), "{names:?}");
}

#[test]
fn every_page_has_its_sections_in_order_and_text_in_each() {
    for cause in CAUSES {
        let page = document(cause);
        let headings: Vec<&str> = page.lines().filter(|line| line.starts_with("###")).collect();
        assert_eq!(headings, SECTIONS, "{cause:?}");
        assert!(
            page.split("###").skip(1).all(|section| section.lines().skip(1).any(|line| line.len() > 20)),
            "{cause:?}"
        );
        assert!(cause.summary().len() > 20 && !cause.summary().contains("###"), "{cause:?}");
        let proof = page.split("### How to prove it").nth(1).and_then(|rest| rest.split("###").next()).unwrap();
        assert!(proof.contains('`'), "{cause:?} names no command");
    }
}

#[test]
fn pages_name_causes_that_exist() {
    for cause in CAUSES {
        for (at, _) in cause.page.match_indices("OOM9") {
            let code = &cause.page[at..at + 6];
            assert!(by_code_or_name(code).is_some(), "{cause:?} names {code}");
        }
    }
}

#[test]
fn pages_name_options_that_some_version_of_flink_has() {
    let prefixes =
        ["taskmanager.", "jobmanager.", "state.", "env.java.", "classloader.", "kubernetes.", "python.", "io."];
    let mut looked_up = 0;
    for cause in CAUSES {
        for word in cause.page.split('`').skip(1).step_by(2) {
            let key = word.split([':', ' ', '=']).next().unwrap();
            if !prefixes.iter().any(|prefix| key.starts_with(prefix)) || key.contains('*') || key.ends_with(".sh") {
                continue;
            }
            looked_up += 1;
            assert!(!options::ever(key).is_empty(), "{cause:?} names {key}");
        }
    }
    assert!(looked_up > 50, "only {looked_up} options were recognised");
}

#[test]
fn a_cause_is_found_by_code_and_by_name() {
    for cause in CAUSES {
        assert_eq!(by_code_or_name(&cause.code.to_lowercase()).map(|found| found.name), Some(cause.name));
        assert_eq!(by_code_or_name(cause.name).map(|found| found.code), Some(cause.code));
    }
    assert!(by_code_or_name("OOM101").is_none());
}

#[test]
fn of_what_was_not_seen_nothing_is_found() {
    assert_eq!(Tried::taskmanager().all(), []);
    assert_eq!(Tried::jobmanager().all(), []);
    let no_budget = Tried::planned(Role::TaskManager, &[("taskmanager.memory.process.size", "1728m")]);
    assert_eq!(no_budget.having(|now| now.planned = Err(crate::model::Unseen::because("made up"))).all(), []);
}

/// The sizes of a real TaskManager of Flink 1.20.5 with RocksDB, minutes after its start, in a container of its size.
#[test]
fn a_healthy_process_has_no_warning() {
    let pools = [
        (Pool::JavaHeap, 381),
        (Pool::Metaspace, 43),
        (Pool::ClassSpace, 7),
        (Pool::CodeCache, 15),
        (Pool::ThreadStacks, 10),
        (Pool::Gc, 18),
        (Pool::CdsArchive, 12),
        (Pool::NetworkSegments, 128),
        (Pool::DirectBuffers, 9),
        (Pool::BlockCache, 223),
        (Pool::Memtables, 40),
        (Pool::IndexAndFilter, 5),
        (Pool::NativeSmall, 38),
        (Pool::AllocatorRetained, 76),
        (Pool::MappedFiles, 31),
    ];
    let own = |usage, anon, file| {
        let mib = |mib| Some(Bytes::mib(mib));
        let stat = MemoryStat { anon: mib(anon), file: mib(file), shmem: mib(0), ..MemoryStat::default() };
        group(Some(1728), Some(usage), stat)
    };
    let healthy = |usage, anon, file| {
        Tried::taskmanager().uses(&pools).in_group(own(usage, anon, file)).jvm(|jvm| {
            jvm.metaspace = Some(Space { used: Some(50 << 20), ..Space::default() });
        })
    };
    assert_eq!(healthy(1400, 1010, 300).all(), []);
    let full_cache = healthy(1720, 1010, 700).all();
    assert_eq!(
        full_cache.iter().map(|finding| (finding.code, finding.severity)).collect::<Vec<_>>(),
        [("OOM905", Severity::Note)]
    );
}

#[test]
fn the_worst_comes_first() {
    let tried = Tried::taskmanager().contained(1000, 995, 990, 0).cgroup(|cgroup| cgroup.own.oom_kills = Some(1));
    let codes: Vec<&str> = tried.all().iter().map(|finding| finding.code).collect();
    assert_eq!(codes, ["OOM903", "OOM904", "OOM917"]);
}

#[test]
fn durations_are_told_in_two_units() {
    let told = |seconds| span(SignedDuration::from_secs(seconds));
    assert_eq!([told(7), told(600), told(4000)], ["7 s", "10 min", "1 h 6 min"]);
    assert_eq!((told(200_000), told(-5)), ("2 d 7 h".to_owned(), "0 s".to_owned()));
    assert_eq!((permille(1, 0), permille(u64::MAX, 1)), (None, None));
}
