#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]

use super::*;
use crate::artefact::recording::{FORMAT, Machine};
use crate::model::{Component, Identity, Observation, Origin, Role, Unseen};

const MIB: u64 = 1 << 20;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_763_754_000 + second).unwrap()
}

fn target(pid: u32) -> Identity {
    Identity { pid, started: Some(7), role: Some(Role::TaskManager), name: "tm".to_owned() }
}

fn header() -> Header {
    let mib = |n: u32| Bytes::mib(n);
    Header {
        format: FORMAT,
        oomph: "0.1.0".to_owned(),
        since: at(0),
        part: 0,
        target: target(1),
        machine: Machine::default(),
        limit: Ok(Limit::AtMost(mib(1000))),
        budget: vec![
            (Component::TaskHeap, mib(400)),
            (Component::Managed, mib(200)),
            (Component::JvmMetaspace, mib(100)),
            (Component::JvmOverhead, mib(100)),
        ],
    }
}

/// A look with ten MiB in each pool, as much in the heap as is said; malloc looked into or not.
fn look(second: i64, pid: u32, heap: u64, divided: bool, kills: u64) -> Observations {
    let seen = |pool: Pool| match pool {
        Pool::JavaHeap => Ok(heap * MIB),
        Pool::MallocUndivided => Ok(if divided { 0 } else { 60 * MIB }),
        _ if pool.is_malloc() && !divided => Err(Unseen::because("not looked into")),
        _ => Ok(10 * MIB),
    };
    let mut all: Vec<Observation> = Pool::ALL
        .into_iter()
        .map(|pool| Observation { measure: Measure::Pool(pool), value: seen(pool), origin: Origin::Smaps })
        .collect();
    let mut push = |measure: Measure, value: u64| {
        all.push(Observation { measure, value: Ok(value), origin: Origin::Status });
    };
    push(Measure::Rss, (heap + 150) * MIB);
    push(Measure::CgroupOomKills, kills);
    Observations { at: at(second), target: target(pid), all }
}

fn recalled(entries: impl IntoIterator<Item = Entry>) -> Recalled {
    let mut recalling = Recalling::default();
    recalling.take(Entry::Header(header()));
    entries.into_iter().for_each(|entry| recalling.take(entry));
    recalling.judged().unwrap()
}

#[test]
fn a_recording_without_a_look_says_nothing() {
    let mut recalling = Recalling::default();
    recalling.take(Entry::Header(header()));
    recalling.take(Entry::Event { at: at(0), what: Event::Started });
    assert!(recalling.judged().is_none());
    assert!(Recalling::default().judged().is_none());
}

#[test]
fn the_account_is_that_of_the_last_look_into_malloc() {
    let all = recalled([
        Entry::Sample(look(0, 1, 100, true, 0)),
        Entry::Sample(look(10, 1, 110, false, 0)),
        Entry::Sample(look(20, 1, 120, false, 0)),
    ]);
    assert_eq!((all.looks, all.last.at, all.span()), (3, at(20), SignedDuration::from_secs(20)));
    assert_eq!(all.examination.observations.at, at(0));
    let ledger = all.examination.ledger.as_ref().unwrap();
    assert_eq!(ledger.total, Bytes::mib(800));
    assert_eq!(ledger.row(Component::TaskHeap).unwrap().used, Ok(Bytes::mib(100)));
    assert_eq!(ledger.row(Component::Managed).unwrap().used, Ok(Bytes::mib(30)));
    assert_eq!(all.limit, Some(Bytes::mib(1000)));
}

#[test]
fn what_another_process_had_is_not_shown_as_this_ones() {
    let all = recalled([Entry::Sample(look(0, 1, 100, true, 0)), Entry::Sample(look(10, 2, 50, false, 0))]);
    assert_eq!(all.examination.observations.at, at(10));
    let managed = all.examination.ledger.as_ref().unwrap().row(Component::Managed).unwrap().clone();
    assert!(managed.used.is_err(), "what is hidden in malloc is not zero: {managed:?}");
    let told = all.happened.iter().map(|happened| &happened.what).collect::<Vec<_>>();
    assert_eq!(told, [&What::Event(Event::NewProcess(target(2)))]);
}

#[test]
fn a_look_that_misses_a_pool_has_no_account() {
    let mut broken = look(0, 1, 100, true, 0);
    broken.all.iter_mut().find(|one| one.measure == Measure::Pool(Pool::Gc)).unwrap().value =
        Err(Unseen::because("denied"));
    let all = recalled([Entry::Sample(broken)]);
    assert_eq!(all.examination.account.unwrap_err().why, "denied");
    let mut short = look(0, 1, 100, true, 0);
    short.all.retain(|one| one.measure != Measure::Pool(Pool::Gc));
    assert!(recalled([Entry::Sample(short)]).examination.ledger.is_err());
}

#[test]
fn gaps_kills_and_the_end_are_told() {
    let looks =
        [0, 10, 20, 90, 100].map(|second| Entry::Sample(look(second, 1, 100, true, u64::from(second > 90) * 2)));
    let gone = Entry::Event { at: at(101), what: Event::Gone { why: "it has ended".to_owned() } };
    let all = recalled(looks.into_iter().chain([gone]));
    let told: Vec<_> = all.happened.iter().map(|happened| happened.what.clone()).collect();
    assert_eq!(told[0], What::Gap(SignedDuration::from_secs(70)));
    assert_eq!(told[1], What::Killed(2));
    assert_eq!((all.end(), all.kills()), (Some("it has ended"), 2));
}

#[test]
fn growth_meets_the_limit_and_what_is_short_has_no_forecast() {
    let growing = recalled((0..100).map(|n| Entry::Sample(look(n * 10, 1, 200 + n.unsigned_abs() * 4, true, 0))));
    let ahead = growing.ahead.iter().find(|ahead| ahead.bound == ahead::Bound::Container).unwrap();
    // 746 MiB at the end, 4 MiB more in 10 s, 1000 at most: 635 s.
    let super::super::trend::Forecast::Between { earliest, latest } = &ahead.forecast else { panic!("{ahead:?}") };
    assert!(earliest.as_secs() > 550 && latest.unwrap().as_secs() < 750, "{ahead:?}");
    let short = recalled((0..5).map(|n| Entry::Sample(look(n * 10, 1, 200, true, 0))));
    assert!(matches!(&short.ahead[0].forecast, super::super::trend::Forecast::Never { .. }));
}

#[test]
fn events_and_jobs_are_bounded() {
    let jobs = (0..5000).map(|n| Entry::Event { at: at(n), what: Event::submitted("orders") });
    let all = recalled(std::iter::once(Entry::Sample(look(0, 1, 1, true, 0))).chain(jobs));
    assert_eq!((all.happened.len(), all.more_happened), (EVENTS, 5000 - EVENTS as u64));
}
