#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

use proptest::prelude::*;

use super::*;
use crate::config::Value;
use crate::model::{Place, Source};
use crate::plan::Deployment;

const DAY: u64 = 100_000;

fn config(settings: &[(&str, &str)]) -> Config {
    let mut config = Config::new();
    for (key, value) in settings {
        config.set((*key).to_owned(), Value::text(*value), Place::of(Source::Caller));
    }
    config
}

fn question(role: Role) -> Question {
    Question {
        role,
        deployment: Deployment::Standalone,
        consumers: Vec::new(),
        managed_backend: true,
        stores: Vec::new(),
    }
}

fn profile() -> &'static Profile {
    Profile::of("1.20".parse().unwrap()).unwrap().0
}

fn unseen() -> Use {
    Use::unseen(&Unseen::because("made up"))
}

fn after(seconds: u64) -> Use {
    Use { seconds: Ok(seconds), collections: Ok(100), ..unseen() }
}

fn advice(used: &Use) -> Advice {
    let config = config(&[("taskmanager.memory.process.size", "4g")]);
    advise(&config, profile(), &question(Role::TaskManager), Machine::default(), used).unwrap()
}

fn mib(mib: u32) -> Seen<Bytes> {
    Ok(Bytes::mib(mib))
}

fn of(advice: &Advice, part: Part) -> Recommendation {
    advice.recommendations.iter().find(|found| found.part == part).cloned().expect("a recommendation")
}

#[test]
fn of_too_little_nothing_is_recommended_and_that_is_said() {
    for used in [
        unseen(),
        Use { live_set: mib(1400), ..after(60) },
        Use { collections: Ok(1), live_set: mib(1400), ..after(DAY) },
    ] {
        let advice = advice(&used);
        assert!(advice.recommendations.is_empty(), "{:?}", advice.recommendations);
        assert!(advice.withheld.iter().any(|(part, _)| *part == Part::Heap), "{:?}", advice.withheld);
    }
    assert!(advice(&Use { collections: Ok(1), live_set: mib(1400), ..after(DAY) }).withheld[0].1.contains("too few"));
}

#[test]
fn a_heap_that_is_full_of_what_lives_becomes_twice_that() {
    let found = of(&advice(&Use { live_set: mib(1400), ..after(700) }), Part::Heap);
    assert_eq!((found.after, found.answers), (Bytes::mib(2800), Some("OOM908")));
    assert!(found.process_after > found.process_before, "nobody is known to have room");
    let with_room = Use { live_set: mib(1300), store: mib(200), ..after(DAY) };
    let found = of(&advice(&with_room), Part::Heap);
    assert_eq!(found.process_after, found.process_before, "RocksDB leaves enough: {:?}", found.changes);
}

#[test]
fn a_large_heap_is_made_smaller_after_a_day_only() {
    assert!(
        advice(&Use { live_set: mib(200), ..after(7000) })
            .withheld
            .iter()
            .any(|(_, why)| why.contains("1 of 24 hours"))
    );
    let found = of(&advice(&Use { live_set: mib(200), ..after(DAY) }), Part::Heap);
    assert_eq!((found.after, found.answers, found.process_after), (Bytes::mib(600), None, found.process_before));
}

#[test]
fn what_may_be_garbage_makes_no_heap_larger() {
    let full = advice(&Use { live_at_most: mib(1400), ..after(DAY) });
    assert!(
        full.recommendations.is_empty() && full.withheld[0].1.contains("while it is watched"),
        "{:?}",
        full.withheld
    );
    assert_eq!(of(&advice(&Use { live_at_most: mib(200), ..after(DAY) }), Part::Heap).after, Bytes::mib(600));
}

#[test]
fn metaspace_that_grows_gets_a_day_and_is_called_a_leak() {
    let grows = Use { metaspace: mib(200), metaspace_growth: Some(Bytes::mib(10)), ..after(4000) };
    let found = of(&advice(&grows), Part::Metaspace);
    assert_eq!((found.after, found.answers), (Bytes::mib(484), Some("OOM907")));
    assert!(found.risk.contains("cures nothing"));
}

#[test]
fn managed_memory_that_nobody_reserves_goes_to_the_heap() {
    let used = Use { managed_reserved: mib(0), slots_in_use: Ok(2), ..after(DAY) };
    let found = of(&advice(&used), Part::Managed);
    assert_eq!((found.after, found.process_after), (Bytes::ZERO, found.process_before));
    assert!(found.survey.plan.budget.heap() > Bytes::gib(2));
    let idle = Use { slots_in_use: Ok(0), ..used };
    assert!(advice(&idle).recommendations.is_empty());
}

#[test]
fn rocksdb_beyond_managed_memory_gets_what_it_takes() {
    let found = of(&advice(&Use { store: mib(2000), ..after(700) }), Part::Managed);
    assert_eq!((found.after, found.answers), (Bytes::mib(2200), Some("OOM902")));
}

#[test]
fn what_the_allocator_keeps_is_not_cured_by_overhead() {
    let kept = advice(&Use { overhead: mib(200), retained: mib(500), ..after(DAY) });
    assert!(kept.recommendations.is_empty() && kept.withheld.iter().any(|(_, why)| why.contains("jemalloc")));
    let found = of(&advice(&Use { overhead: mib(600), ..after(DAY) }), Part::Overhead);
    assert_eq!((found.after, found.answers), (Bytes::mib(660), Some("OOM912")));
}

#[test]
fn a_jobmanager_has_a_heap_and_no_network() {
    let config = config(&[("jobmanager.memory.process.size", "1600m")]);
    let used = Use { live_set: mib(900), network: mib(1), ..after(DAY) };
    let advice = advise(&config, profile(), &question(Role::JobManager), Machine::default(), &used).unwrap();
    assert_eq!(advice.recommendations.len(), 1);
    assert_eq!(of(&advice, Part::Heap).after, Bytes::mib(1800));
}

#[test]
fn before_the_unified_model_nothing_is_recommended() {
    let old = Profile::of("1.9".parse().unwrap()).unwrap().0;
    let config = config(&[("taskmanager.heap.size", "4g")]);
    let used = Use { live_set: mib(3000), ..after(DAY) };
    let advice = advise(&config, old, &question(Role::TaskManager), Machine::default(), &used).unwrap();
    assert!(
        advice.recommendations.is_empty() && advice.withheld.iter().any(|(_, why)| why.contains("1.10")),
        "{advice:?}"
    );
}

fn some_use() -> impl Strategy<Value = Use> {
    let size = || prop::option::of(1u32..6000);
    (prop::bool::ANY, size(), size(), size(), size(), size()).prop_map(
        |(long, live, metaspace, network, store, overhead)| {
            let seen = |mib: Option<u32>| mib.map(Bytes::mib).ok_or_else(|| Unseen::because("made up"));
            Use {
                live_set: seen(live),
                metaspace: seen(metaspace),
                network: seen(network),
                store: seen(store),
                overhead: seen(overhead),
                ..after(if long { DAY } else { 1000 })
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// Applied, Flink takes it, the part has the size that was said, and so has the process; who shrinks keeps its use.
    #[test]
    fn what_is_recommended_is_what_it_says(used in some_use(), total in 1500u32..20_000) {
        let config = config(&[("taskmanager.memory.process.size", &format!("{total}m"))]);
        let question = question(Role::TaskManager);
        let advice = advise(&config, profile(), &question, Machine::default(), &used).unwrap();
        prop_assert_eq!(advice.recommendations.len() + advice.withheld.len() + advice.fitting.len(), Part::ALL.len());
        for found in &advice.recommendations {
            let plan = plan::plan(&applied(&config, &found.changes), profile(), &question).unwrap();
            prop_assert_eq!(found.part.size(&plan.budget), Some(found.after));
            prop_assert_ne!(found.after, found.before);
            prop_assert_eq!(plan.budget.total_process().bytes, found.process_after);
            for other in Part::ALL.into_iter().filter(|part| *part != found.part) {
                let is = other.size(&plan.budget).unwrap();
                let was = other.size(&plan::plan(&config, profile(), &question).unwrap().budget).unwrap();
                prop_assert!(is >= was || needs::least(other, &used).is_some_and(|least| is >= least));
            }
        }
    }
}
