//! What holds for every cause.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::collections::BTreeSet;

use super::left::Left;
use super::tried::{Tried, group};
use super::*;
use crate::artefact::cgroup::MemoryStat;
use crate::artefact::hsperfdata::Space;
use crate::diagnose::postmortem::late::Weight;
use crate::diagnose::postmortem::signal::Origin;
use crate::flink::options;
use crate::model::{Area, Killer, Pool, Role};

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

/// Who may end a process by a text, and what that text may say to have filled the memory.
const TOLD: &[(Killer, &[Area])] = &[
    (Killer::KernelMemcg, &[Area::Container, Area::PageCache, Area::Tmpfs, Area::Other]),
    (Killer::KernelGlobal, &[Area::Container, Area::PageCache, Area::Tmpfs, Area::Other]),
    (Killer::YarnPmem, &[Area::Container, Area::Config, Area::Native]),
    (Killer::YarnVmem, &[Area::Container, Area::Config]),
    (Killer::YarnElastic, &[Area::Container]),
    (Killer::KubeletEvict, &[Area::Container, Area::PageCache, Area::Tmpfs]),
    (Killer::SystemdOomd, &[Area::Container]),
    (
        Killer::Jvm,
        &[
            Area::Heap,
            Area::Metaspace,
            Area::Direct,
            Area::Network,
            Area::Threads,
            Area::Native,
            Area::Config,
            Area::Container,
        ],
    ),
    (Killer::Flink, &[Area::Network, Area::Config, Area::Direct, Area::ManagedRocksDb, Area::Other]),
    (Killer::Python, &[Area::Native, Area::Container, Area::Other]),
    (Killer::Unknown, &[Area::Heap, Area::Metaspace, Area::Native, Area::Threads, Area::Container, Area::Other]),
];

#[test]
fn whatever_a_text_tells_of_a_death_has_a_cause_that_keeps_its_area() {
    let mut seen = BTreeSet::new();
    for (killer, areas) in TOLD {
        for area in *areas {
            let left = Left::killed_by(*killer, *area).limit(Bytes::mib(1728)).usage(Bytes::mib(1729));
            let verdict = left.verdict();
            assert!(verdict.code.is_some(), "{killer} {area:?}");
            assert_eq!((verdict.killer, verdict.area), (*killer, *area), "{verdict:?}");
            left.with_judged(|judged| {
                let first = judged.suspects.first().unwrap();
                let ends = if *killer == Killer::Unknown && matches!(area, Area::Container | Area::Other) {
                    Weight::Nothing
                } else if (*killer, *area) == (Killer::Flink, Area::Other) {
                    Weight::NotMemory
                } else {
                    Weight::Bounds
                };
                assert!(first.weight <= ends, "{killer} {area:?}: {first:?}");
            });
            seen.extend(verdict.code);
        }
    }
    assert!(seen.len() > 20, "{seen:?}");
    assert_eq!(TOLD.len(), Killer::ALL.len() - 1, "only what is no death at all is left out");
}

#[test]
fn a_title_is_one_sentence_without_an_end_and_every_cause_of_a_death_says_what_would_decide() {
    for (killer, areas) in TOLD {
        for area in *areas {
            Left::killed_by(*killer, *area).limit(Bytes::mib(1728)).with_judged(|judged| {
                for suspect in &judged.suspects {
                    let title = &suspect.title;
                    assert!(title.len() > 20 && !title.ends_with('.') && !title.contains('\n'), "{title}");
                    assert!(suspect.decides.is_some(), "{:?}", suspect.cause);
                }
            });
        }
    }
    for late in CAUSES.iter().filter_map(|cause| cause.late.as_ref()) {
        let decides = late.decides.unwrap();
        let reads = [
            "oomph attach",
            "oomph plan",
            "dmesg",
            "grep",
            "cat ",
            "df ",
            "wc ",
            "ps ",
            "journalctl",
            "yarn logs",
            "jstat",
            "jcmd PID GC.class_histogram",
            "jcmd PID VM.classloader_stats",
            "jcmd PID Thread.print",
            "kubectl get",
            "kubectl describe",
            "curl -s ",
        ];
        assert!(reads.iter().any(|start| decides.command.starts_with(start)), "{decides:?}");
        assert!(!decides.command.contains('>') && !decides.command.contains(';'), "{decides:?}");
    }
}

#[test]
fn nothing_that_is_said_names_nothing_but_what_it_is_about() {
    assert!(Left::default().given("-Xmx", "1g").given("state.backend.type", "hashmap").codes().is_empty());
    let settings = Left::default().given("state.backend.rocksdb.memory.managed", "false");
    assert!(settings.given("metrics.latency.interval", "1000").codes().is_empty());
}

/// One kind of death, as its artefacts tell it, and the cause that has to come first.
#[test]
fn the_cause_that_says_most_comes_first_among_many_signals() {
    let killed = || Left::killed_by(Killer::KernelMemcg, Area::Container).limit(Bytes::mib(1216));
    let lost = |left: Left| left.consequence("TaskManager with id a is no longer reachable.");
    let heap = || Left::killed_by(Killer::Jvm, Area::Heap);
    let unmanaged = ("state.backend.rocksdb.memory.managed", "false");
    let cases: Vec<(Left, &str, Area)> = vec![
        (lost(killed()).given(unmanaged.0, unmanaged.1), "OOM921", Area::ManagedRocksDb),
        (lost(killed()).strain(Origin::RocksDb, "write-stall", Some(Area::ManagedRocksDb)), "OOM940", Area::Container),
        (killed().strain(Origin::GcLog, "full-collections", Some(Area::Heap)), "OOM940", Area::Container),
        (lost(heap()).given("state.backend", "hashmap").ended(239), "OOM963", Area::Heap),
        (lost(heap()).other_reason("checkpoints that expired", false), "OOM947", Area::Heap),
        (
            Left::killed_by(Killer::YarnPmem, Area::Config)
                .limit(Bytes::mib(4096))
                .given("-Xmx", "2764m")
                .given("-XX:MaxDirectMemorySize", "1332m"),
            "OOM954",
            Area::Config,
        ),
        (Left::killed_by(Killer::YarnPmem, Area::Container).ended(143), "OOM941", Area::Container),
        (Left::killed_by(Killer::KernelMemcg, Area::Tmpfs).ended(137), "OOM906", Area::Tmpfs),
    ];
    for (left, code, area) in cases {
        let verdict = left.verdict();
        assert_eq!((verdict.code, verdict.area), (Some(code), area), "{left:?}");
    }
}
