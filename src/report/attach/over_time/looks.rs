//! Looks that the pages about a time are tested with: a TaskManager with a budget of 1000 MiB whose RocksDB blocks grow.

#![allow(clippy::unwrap_used, reason = "a test")]

use jiff::Timestamp;

use crate::artefact::recording::{Entry, Event, FORMAT, Header, Machine};
use crate::model::{Bytes, Component, Identity, Limit, Measure, Observation, Observations, Origin, Pool, Role, Unseen};

const MIB: u64 = 1 << 20;

pub fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_763_754_000 + second).unwrap()
}

pub fn header() -> Header {
    let target = Identity { pid: 4711, started: Some(9), role: Some(Role::TaskManager), name: "tm-1".to_owned() };
    let mib = Bytes::mib;
    Header {
        format: FORMAT,
        oomph: "0.1.0".to_owned(),
        since: at(0),
        part: 0,
        target,
        machine: Machine::default(),
        limit: Ok(Limit::AtMost(mib(1000))),
        budget: vec![
            (Component::FrameworkHeap, mib(100)),
            (Component::TaskHeap, mib(300)),
            (Component::Network, mib(100)),
            (Component::Managed, mib(300)),
            (Component::JvmMetaspace, mib(100)),
            (Component::JvmOverhead, mib(100)),
        ],
    }
}

/// The look with a number, one in ten seconds: the heap rises and is collected, blocks grow by a MiB a look.
pub fn look(number: u64) -> Observations {
    let size = |pool: Pool| match pool {
        Pool::JavaHeap => Ok(200 + number % 8 * 20),
        Pool::Metaspace => Ok(50),
        Pool::ClassSpace => Ok(7),
        Pool::CodeCache => Ok(24),
        Pool::ThreadStacks => Ok(6),
        Pool::NetworkSegments => Ok(100),
        Pool::BlockCache => Ok(120 + number),
        Pool::Memtables => Ok(40),
        Pool::NativeSmall => Ok(30),
        Pool::AllocatorRetained => Ok(35),
        Pool::MappedFiles => Ok(20),
        pool if pool.is_resident() => Ok(0),
        _ => Err(Unseen::because("the kernel does not say it for this cgroup")),
    };
    let pools = Pool::ALL.into_iter().map(|pool| Observation {
        measure: Measure::Pool(pool),
        value: size(pool).map(|mib| mib * MIB),
        origin: Origin::Smaps,
    });
    let rss: u64 = pools.clone().filter_map(|one| one.value.ok()).sum();
    let beside =
        [(Measure::Rss, rss), (Measure::CgroupUsage, rss + 90 * MIB), (Measure::CgroupWorkingSet, rss + 30 * MIB)];
    let beside = beside.map(|(measure, value)| Observation { measure, value: Ok(value), origin: Origin::Cgroup });
    let second = i64::try_from(number).unwrap() * 10;
    Observations { at: at(second), target: header().target, all: pools.chain(beside).collect() }
}

/// A recording of so many looks that ends with a kill.
pub fn entries(looks: u64) -> Vec<Entry> {
    let mut all = vec![Entry::Header(header()), Entry::Event { at: at(0), what: Event::Started }];
    all.extend((0..looks).map(look).map(Entry::Sample));
    let end = at(i64::try_from(looks).unwrap() * 10);
    all.push(Entry::Event { at: end, what: Event::Gone { why: "process 4711 has ended".to_owned() } });
    all
}
