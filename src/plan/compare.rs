//! Two plans side by side: what moves where between two configurations, or between two versions of one. A function of
//! two surveys.

mod options;

pub use options::{OptionDifference, Reading, differences};

use super::settings::Notice;
use super::store::Store;
use super::{Backend, Mode, Slots, Survey};
use crate::model::{Bytes, Component, Limit};

/// Something that two plans may both have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// The whole process, or the container that the cut-off model divides.
    TotalProcess,
    /// The process without metaspace and overhead.
    TotalFlink,
    /// `-Xmx`.
    JvmHeap,
    /// `-XX:MaxDirectMemorySize`.
    DirectLimit,
    /// One part of the budget.
    Part(Component),
    /// What YARN or Kubernetes lets the process have.
    ContainerLimit,
    /// How many slots a TaskManager has.
    Slots,
    /// How many network buffers all slots have together.
    NetworkBuffers,
    /// One slot's share of a part.
    SlotShare(Component),
    /// The memory of a store's pool.
    Pool(Store),
    /// The block cache of a store's pool.
    BlockCache(Store),
    /// The write-buffer manager of a store's pool.
    WriteBufferManager(Store),
    /// What each column family of a store may take, where there is no pool.
    ColumnFamily(Store),
}

/// How much of a measure there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amount {
    /// A size.
    Size(Bytes),
    /// A number of things.
    Count(u64),
}

impl Amount {
    /// Bytes or things.
    pub fn get(self) -> u64 {
        match self {
            Amount::Size(bytes) => bytes.get(),
            Amount::Count(count) => count,
        }
    }
}

/// One measure in both plans; nothing where a plan has no such thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// What is measured.
    pub measure: Measure,
    /// In the first plan.
    pub a: Option<Amount>,
    /// In the second plan.
    pub b: Option<Amount>,
}

impl Row {
    /// By how much the second plan has more (or less); nothing where one has no such thing.
    pub fn difference(&self) -> Option<i128> {
        Some(i128::from(self.b?.get()) - i128::from(self.a?.get()))
    }
}

/// What differs between two plans, and what does not.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// Every measure that one of them has, in the order of a table.
    pub rows: Vec<Row>,
    /// What the JVM is started with, first and second, where that differs.
    pub jvm_arguments: Option<(String, String)>,
    /// What Flink logs for the first plan only.
    pub only_a: Vec<Notice>,
    /// What Flink logs for the second plan only.
    pub only_b: Vec<Notice>,
}

impl Measure {
    /// The name in a table; of what is one slot's, that says so.
    pub fn label(self) -> String {
        match self {
            Measure::TotalProcess => "Total Process Memory".to_owned(),
            Measure::TotalFlink => "Total Flink Memory".to_owned(),
            Measure::JvmHeap => "JVM Heap".to_owned(),
            Measure::DirectLimit => "Direct memory limit".to_owned(),
            Measure::Part(component) => component.label().to_owned(),
            Measure::ContainerLimit => "Container limit".to_owned(),
            Measure::Slots => "Slots".to_owned(),
            Measure::NetworkBuffers => "Network buffers".to_owned(),
            Measure::SlotShare(component) => format!("{component} per slot"),
            Measure::Pool(store) => format!("{} pool per slot", store.label()),
            Measure::BlockCache(store) => format!("{} block cache per slot", store.label()),
            Measure::WriteBufferManager(store) => format!("{} write buffers per slot", store.label()),
            Measure::ColumnFamily(store) => format!("{} column family per slot", store.label()),
        }
    }

    /// The name in JSON.
    pub fn key(self) -> String {
        match self {
            Measure::TotalProcess => "total_process".to_owned(),
            Measure::TotalFlink => "total_flink".to_owned(),
            Measure::JvmHeap => "jvm_heap".to_owned(),
            Measure::DirectLimit => "jvm_direct".to_owned(),
            Measure::Part(component) => component.key().to_owned(),
            Measure::ContainerLimit => "container_limit".to_owned(),
            Measure::Slots => "slots".to_owned(),
            Measure::NetworkBuffers => "network_buffers".to_owned(),
            Measure::SlotShare(component) => format!("slot_{}", component.key()),
            Measure::Pool(store) => format!("slot_{}_pool", prefix(store)),
            Measure::BlockCache(store) => format!("slot_{}_block_cache", prefix(store)),
            Measure::WriteBufferManager(store) => format!("slot_{}_write_buffer_manager", prefix(store)),
            Measure::ColumnFamily(store) => format!("{}_column_family", prefix(store)),
        }
    }
}

fn prefix(store: Store) -> &'static str {
    match store {
        Store::RocksDb => "rocksdb",
        Store::ForSt => "forst",
    }
}

/// Compares two plans.
pub fn compare(a: &Survey, b: &Survey) -> Comparison {
    let (mine, theirs) = (measures(a), measures(b));
    let of = |all: &[(Measure, Amount)], wanted: Measure| all.iter().find(|(m, _)| *m == wanted).map(|(_, n)| *n);
    let mut order: Vec<Measure> =
        ORDER.iter().copied().filter(|m| mine.iter().chain(&theirs).any(|(n, _)| n == m)).collect();
    // Stores are not in the fixed order: they come last, each with its own lines.
    for (measure, _) in mine.iter().chain(&theirs) {
        if !order.contains(measure) {
            order.push(*measure);
        }
    }
    let rows = order.into_iter().map(|measure| Row { measure, a: of(&mine, measure), b: of(&theirs, measure) });
    let arguments = (a.plan.jvm_arguments.clone(), b.plan.jvm_arguments.clone());
    let without = |from: &[Notice], others: &[Notice]| from.iter().filter(|n| !others.contains(n)).cloned().collect();
    Comparison {
        rows: rows.collect(),
        jvm_arguments: (arguments.0 != arguments.1).then_some(arguments),
        only_a: without(&a.plan.notices, &b.plan.notices),
        only_b: without(&b.plan.notices, &a.plan.notices),
    }
}

/// The order of a table, from the whole inwards.
const ORDER: [Measure; 21] = [
    Measure::TotalProcess,
    Measure::TotalFlink,
    Measure::JvmHeap,
    Measure::Part(Component::FrameworkHeap),
    Measure::Part(Component::TaskHeap),
    Measure::Part(Component::Managed),
    Measure::DirectLimit,
    Measure::Part(Component::FrameworkOffHeap),
    Measure::Part(Component::TaskOffHeap),
    Measure::Part(Component::OffHeap),
    Measure::Part(Component::Network),
    Measure::Part(Component::JvmMetaspace),
    Measure::Part(Component::JvmOverhead),
    Measure::Part(Component::CutOff),
    Measure::ContainerLimit,
    Measure::Slots,
    Measure::NetworkBuffers,
    Measure::SlotShare(Component::TaskHeap),
    Measure::SlotShare(Component::TaskOffHeap),
    Measure::SlotShare(Component::Network),
    Measure::SlotShare(Component::Managed),
];

/// Everything that can be measured of a plan.
pub fn measures(survey: &Survey) -> Vec<(Measure, Amount)> {
    let plan = &survey.plan;
    let budget = &plan.budget;
    let size = |measure, bytes| (measure, Amount::Size(bytes));
    let mut found = vec![size(Measure::TotalProcess, budget.total_process().bytes)];
    if !matches!(plan.mode, Mode::CutOff | Mode::StartScript) {
        found.push(size(Measure::TotalFlink, budget.total_flink().bytes));
    }
    found.push(size(Measure::JvmHeap, budget.heap()));
    found.extend(plan.direct.map(|bytes| size(Measure::DirectLimit, bytes)));
    // A part that is the whole heap has its line already.
    let whole_heap = |component| matches!(component, Component::Heap | Component::CutOffHeap);
    let parts = budget.parts().iter().filter(|(component, _)| !whole_heap(*component));
    found.extend(parts.map(|(component, figure)| size(Measure::Part(*component), figure.bytes)));
    if let Ok(container) = &survey.container
        && let Limit::AtMost(limit) = container.limit
    {
        found.push(size(Measure::ContainerLimit, limit));
    }
    if let Some(Ok(slots)) = &plan.slots {
        found.push((Measure::Slots, Amount::Count(u64::from(slots.count))));
        if let Some(Ok(buffers)) = &plan.network_buffers {
            found.push((Measure::NetworkBuffers, Amount::Count(buffers.count)));
        }
        found.extend(slots.shares.iter().map(|(component, figure)| size(Measure::SlotShare(*component), figure.bytes)));
        found.extend(store_measures(slots, &survey.backend));
    }
    found
}

/// The sizes of the store that the configuration names, and of RocksDB where it names none.
fn store_measures(slots: &Slots, backend: &Backend) -> Vec<(Measure, Amount)> {
    let wanted = match backend {
        Backend::Embedded(store) => *store,
        Backend::Heap => return Vec::new(),
        Backend::Other(_) | Backend::Unset => Store::RocksDb,
    };
    let Some((_, Ok(memory))) = slots.stores.iter().find(|(store, _)| *store == wanted) else { return Vec::new() };
    let mut found = Vec::new();
    if let Some(pool) = &memory.pool {
        let size = |n: i64| Bytes::new(u64::try_from(n).unwrap_or(0));
        found.push((Measure::Pool(wanted), Amount::Size(pool.total.bytes)));
        found.push((Measure::BlockCache(wanted), Amount::Size(size(pool.sizes.block_cache))));
        found.push((Measure::WriteBufferManager(wanted), Amount::Size(size(pool.sizes.write_buffer_manager))));
    }
    if let Some(family) = &memory.column_family {
        found.push((Measure::ColumnFamily(wanted), Amount::Size(family.bound)));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Value};
    use crate::flink::profile::Profile;
    use crate::model::{Place, Role, Source, UseCase};
    use crate::plan::jvm::Machine;
    use crate::plan::{Deployment, Question, survey};

    fn planned(version: &str, settings: &[(&str, &str)]) -> Survey {
        let mut config = Config::new();
        for (key, value) in settings {
            config.set((*key).to_owned(), Value::text(*value), Place::of(Source::Caller));
        }
        let question = Question {
            role: Role::TaskManager,
            deployment: Deployment::Yarn,
            consumers: vec![UseCase::StateBackend],
            managed_backend: true,
            stores: vec![Store::RocksDb],
        };
        let machine = Machine { jdk: None, cores: None, collector: None };
        survey(&config, Profile::of(version.parse().unwrap()).unwrap().0, &question, machine).unwrap()
    }

    fn row(comparison: &Comparison, measure: Measure) -> Row {
        *comparison.rows.iter().find(|row| row.measure == measure).unwrap()
    }

    #[test]
    fn what_network_memory_gains_without_its_bound_task_heap_loses() {
        let settings = [("taskmanager.memory.process.size", "32g")];
        let comparison = compare(&planned("1.16", &settings), &planned("1.17", &settings));
        let network = row(&comparison, Measure::Part(Component::Network)).difference().unwrap();
        let heap = row(&comparison, Measure::JvmHeap).difference().unwrap();
        assert!(network > 0 && heap == -network, "{network} {heap}");
        assert_eq!(row(&comparison, Measure::TotalProcess).difference(), Some(0));
        assert!(comparison.jvm_arguments.is_some());
        assert_eq!((comparison.only_a.len(), comparison.only_b.len()), (1, 0));
    }

    #[test]
    fn what_one_model_has_no_notion_of_has_one_side_only() {
        let old = planned("1.9", &[("taskmanager.heap.size", "4096m")]);
        let new = planned("1.10", &[("taskmanager.memory.process.size", "4096m")]);
        let comparison = compare(&old, &new);
        assert_eq!(row(&comparison, Measure::TotalProcess).difference(), Some(0));
        assert_eq!(row(&comparison, Measure::Part(Component::JvmMetaspace)).a, None);
        assert_eq!(row(&comparison, Measure::Part(Component::CutOff)).b, None);
        assert!(row(&comparison, Measure::JvmHeap).difference().is_some());
    }
}
