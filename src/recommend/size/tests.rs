use rstest::rstest;

use super::*;

fn workload(container: &str) -> Workload {
    Workload {
        container: Some(Bytes::parse_flink(container).unwrap()),
        slots: Some(4),
        parallelism: Some(64),
        states: Some(6),
        state_size: Some(Bytes::gib(200)),
        edges: Some(vec!["hash".to_owned(), "rebalance".to_owned()]),
        ..Workload::default()
    }
}

fn sized(version: &str, workload: &Workload) -> Result<Sizing, SizeError> {
    size(workload, Profile::of(version.parse().unwrap()).unwrap().0)
}

#[test]
fn every_version_with_parts_gets_a_configuration_that_it_accepts() {
    for profile in Profile::all().iter().skip(1) {
        for home in [StateHome::RocksDb, StateHome::Heap] {
            let state_size = Some(if home == StateHome::Heap { Bytes::gib(8) } else { Bytes::gib(200) });
            let workload = Workload { backend: Some(home), state_size, ..workload("8g") };
            let sizing = size(&workload, profile).unwrap_or_else(|error| panic!("{}: {error:?}", profile.version()));
            assert_eq!(sizing.survey.plan.budget.total_process().bytes, Bytes::gib(8));
            assert_eq!(sizing.load.task_managers, 16);
        }
    }
}

#[rstest]
#[case(StateHome::RocksDb, false, false)]
#[case(StateHome::RocksDb, true, true)]
#[case(StateHome::Heap, true, true)]
#[case(StateHome::ForSt, true, false)]
fn consumers_of_managed_memory_get_what_is_named(#[case] home: StateHome, #[case] python: bool, #[case] batch: bool) {
    let state_size = Some(Bytes::gib(4));
    let workload = Workload {
        backend: Some(home),
        python: Some(python),
        batch_shuffle: Some(batch),
        state_size,
        ..workload("16g")
    };
    let sizing = sized("2.3", &workload).unwrap();
    let Some(Ok(slots)) = &sizing.survey.plan.slots else { panic!() };
    let shares = slots.consumers.as_ref().unwrap().as_ref().unwrap();
    for share in shares {
        assert!(share.share.as_ref().unwrap().bytes >= Bytes::mib(120), "{share:?}");
    }
    assert_eq!(sizing.network.need.missing(), 0);
}

#[test]
fn a_container_that_is_too_small_is_told_the_smallest_that_is_not() {
    let Err(SizeError::TooSmall(small)) = sized("2.3", &workload("1g")) else { panic!() };
    let sum = Bytes::checked_sum(small.parts.iter().map(|part| part.bytes)).unwrap();
    assert!(sum > Bytes::gib(1));
    let smallest = small.smallest.unwrap();
    assert!(sum <= smallest, "{sum} {smallest}");
    let with = |container: Bytes| sized("2.3", &Workload { container: Some(container), ..workload("1g") });
    assert!(with(smallest).is_ok());
    assert!(with(Bytes::new(smallest.get() - (1 << 20))).is_err());
}

#[test]
fn glibc_is_given_more_beside_the_pool_than_jemalloc() {
    let overhead = |allocator| {
        let sizing = sized("2.3", &Workload { allocator: Some(allocator), ..workload("8g") }).unwrap();
        sizing.survey.plan.budget.size(Component::JvmOverhead)
    };
    assert!(overhead(Allocator::Glibc) > overhead(Allocator::Jemalloc));
}

#[test]
fn the_arena_block_of_that_rocksdb_decides_what_a_slot_needs_at_least() {
    let least = |version: &str| {
        let Err(SizeError::TooSmall(small)) = sized(version, &workload("1g")) else { panic!() };
        small.parts.iter().find(|part| part.name == "Managed, for state").unwrap().bytes
    };
    assert!(least("1.20").get() > 7 * least("2.3").get());
}

#[test]
fn what_cannot_be_sized_says_why() {
    let Err(SizeError::NotSized(why)) = sized("1.9", &workload("8g")) else { panic!() };
    assert!(why.contains("cut-off"), "{why}");
    let forst = Workload { backend: Some(StateHome::ForSt), ..workload("8g") };
    assert!(matches!(sized("1.20", &forst), Err(SizeError::NotSized(_))));
    assert!(matches!(sized("1.20", &Workload::default()), Err(SizeError::NotSized(_))));
}

#[test]
fn every_workload_that_is_shipped_fits_into_its_container() {
    let shipped = [
        include_str!("../../../profiles/workload/batch-shuffle.yaml"),
        include_str!("../../../profiles/workload/feature-join-rocksdb.yaml"),
        include_str!("../../../profiles/workload/pyflink-yarn.yaml"),
        include_str!("../../../profiles/workload/state-on-heap.yaml"),
    ];
    for text in shipped {
        let workload = crate::config::workload::parse(text).unwrap();
        for profile in Profile::all().iter().filter(|profile| profile.behaviour.image_jemalloc) {
            size(&workload, profile).unwrap_or_else(|error| panic!("{}: {error:?}", profile.version()));
        }
    }
}
