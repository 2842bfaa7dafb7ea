#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]

use jiff::Timestamp;

use super::*;
use crate::artefact::recording::{Entry, Event, FORMAT, Header, Machine};
use crate::diagnose::postmortem;
use crate::diagnose::recalled::Recalling;
use crate::model::{Component, Identity, Limit, Observation, Role};

const MIB: u64 = 1 << 20;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_763_754_000 + second).unwrap()
}

fn target() -> Identity {
    Identity { pid: 4242, started: Some(7), role: Some(Role::TaskManager), name: "tm".to_owned() }
}

fn look(second: i64, anon: u64, file: u64, kills: u64) -> Entry {
    let seen = [
        (Measure::Rss, anon),
        (Measure::CgroupUsage, anon + file),
        (Measure::CgroupWorkingSet, anon + file),
        (Measure::CgroupLimit, 1000),
        (Measure::CgroupAnon, anon),
        (Measure::CgroupFile, file),
    ];
    let observed = |(measure, mib)| Observation { measure, value: Ok(mib * MIB), origin: crate::model::Origin::Cgroup };
    let mut all: Vec<Observation> = seen.into_iter().map(observed).collect();
    let origin = crate::model::Origin::Cgroup;
    all.push(Observation { measure: Measure::CgroupOomKills, value: Ok(kills), origin });
    Entry::Sample(Observations { at: at(second), target: target(), all })
}

fn told(entries: impl IntoIterator<Item = Entry>) -> Vec<Signal> {
    let mut recalling = Recalling::default();
    recalling.take(Entry::Header(Header {
        format: FORMAT,
        oomph: "0.1.0".to_owned(),
        since: at(0),
        part: 0,
        target: target(),
        machine: Machine::default(),
        limit: Ok(Limit::AtMost(Bytes::mib(1000))),
        budget: vec![(Component::TaskHeap, Bytes::mib(800)), (Component::JvmOverhead, Bytes::mib(200))],
    }));
    entries.into_iter().for_each(|entry| recalling.take(entry));
    signals(0, &recalling.judged().unwrap())
}

fn verdict(signals: &[Signal]) -> postmortem::Verdict {
    postmortem::main(&postmortem::cases(signals)).unwrap().verdict.clone()
}

#[test]
fn a_kill_that_was_counted_is_a_death_by_the_kernel() {
    let told = told([look(0, 700, 100, 0), look(10, 850, 100, 0), look(20, 990, 8, 1)]);
    let verdict = verdict(&told);
    assert_eq!((verdict.killer, verdict.area), (Killer::KernelMemcg, Area::Container));
    assert!(told.iter().any(|signal| matches!(&signal.says, Says::Strain(strain) if strain.name == "near-limit")));
}

#[test]
fn pages_of_files_are_not_memory_of_processes() {
    let told = told([look(0, 100, 700, 0), look(10, 100, 895, 0)]);
    let [Signal { says: Says::Strain(strain), .. }] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!(strain.area, Some(Area::PageCache));
}

#[test]
fn a_process_that_went_far_below_its_limit_did_not_die_of_it() {
    let gone = Entry::Event { at: at(20), what: Event::Gone { why: "it has ended".to_owned() } };
    let told = told([look(0, 300, 10, 0), look(10, 300, 10, 0), gone]);
    assert!(matches!(told.as_slice(), [Signal { says: Says::Ended(_), .. }]), "{told:?}");
    assert_ne!(verdict(&told).killer, Killer::KernelMemcg);
}

#[test]
fn whoever_recorded_a_kill_of_the_kernels_is_believed() {
    let gone = |why: &str| Entry::Event { at: at(20), what: Event::Gone { why: why.to_owned() } };
    let killed = told([look(0, 700, 10, 0), look(10, 980, 10, 0), gone(recording::KILLED)]);
    let verdict = verdict(&killed);
    assert_eq!((verdict.killer, verdict.limit), (Killer::KernelMemcg, Some(Bytes::mib(1000))));
    let done = told([look(0, 300, 10, 0), look(10, 300, 10, 0), gone(recording::DONE)]);
    assert!(matches!(done.as_slice(), [Signal { says: Says::Well, .. }]), "{done:?}");
}

#[test]
fn what_grew_towards_the_limit_is_said() {
    let told = told((0..40).map(|n| look(n * 10, 300 + n as u64 * 5, 10, 0)));
    assert!(
        told.iter().any(|signal| matches!(&signal.says, Says::Strain(strain) if strain.name == "growing")),
        "{told:?}"
    );
}

/// A full container in which malloc keeps so much, beside a heap.
fn kept(mib: u64) -> Vec<Signal> {
    let mut last = look(10, 985, 5, 1);
    let Entry::Sample(observations) = &mut last else { panic!("a look is a sample") };
    for pool in Pool::ALL.into_iter().filter(|pool| pool.is_resident()) {
        let mib = match pool {
            Pool::JavaHeap => 985 - mib,
            Pool::AllocatorRetained => mib,
            _ => 0,
        };
        let origin = crate::model::Origin::Smaps;
        observations.all.push(Observation { measure: Measure::Pool(pool), value: Ok(mib * MIB), origin });
    }
    told([look(0, 700, 100, 0), last])
}

#[test]
fn what_malloc_kept_beyond_its_room_is_named_as_what_filled_the_container() {
    let verdict = verdict(&kept(450));
    assert_eq!((verdict.code, verdict.area), (Some("OOM901"), Area::Native), "{verdict:?}");
    assert!(verdict.summary.starts_with("malloc kept 450.0 MiB"), "{}", verdict.summary);
}

#[test]
fn what_malloc_kept_within_its_room_is_not_what_filled_the_container() {
    assert_ne!(self::verdict(&kept(180)).code, Some("OOM901"));
}
