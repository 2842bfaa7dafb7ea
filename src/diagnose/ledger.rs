//! What is used laid over what was planned: every component of Flink's budget with the pools it pays for, and what no
//! budget pays for.

use super::account::Account;
use super::layout::Basis;
use crate::model::{Budget, Bytes, Component, Origin, Pool, Role, Seen, Unseen};

/// Components that pay for the same pools, with what is used of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The components: those of the heap cannot be told apart from outside.
    pub components: Vec<Component>,
    /// What Flink planned for them.
    pub budget: Bytes,
    /// What their pools hold; unseen where one of them could not be told from others.
    pub used: Seen<Bytes>,
    /// What they hold at most, where that is all that can be said.
    pub at_most: Option<Bytes>,
    /// The largest use that is known of.
    pub peak: Option<Bytes>,
    /// Their pools.
    pub pools: Vec<(Pool, Bytes)>,
    /// The least sure way in which a pool was told.
    pub basis: Option<Basis>,
    /// Where the numbers were read.
    pub origin: Option<Origin>,
}

/// What is left of a budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeadRoom {
    /// So much may still come.
    Left(Bytes),
    /// It is used up, and so much more is used.
    Over(Bytes),
}

impl HeadRoom {
    /// Of a budget of which so much is used.
    pub fn of(budget: Bytes, used: Bytes) -> HeadRoom {
        match budget.checked_sub(used) {
            Some(left) => HeadRoom::Left(left),
            None => HeadRoom::Over(Bytes::new(used.get().saturating_sub(budget.get()))),
        }
    }

    /// The same as one number of bytes, negative where the budget is passed.
    pub fn signed(self) -> i64 {
        match self {
            HeadRoom::Left(left) => i64::try_from(left.get()).unwrap_or(i64::MAX),
            HeadRoom::Over(over) => i64::try_from(over.get()).map_or(i64::MIN, |over| -over),
        }
    }
}

impl Row {
    /// What is left of the budget; nothing where the use is not known.
    pub fn head_room(&self) -> Option<HeadRoom> {
        self.used.as_ref().ok().map(|used| HeadRoom::of(self.budget, *used))
    }

    /// The name in tables.
    pub fn label(&self) -> String {
        let names: Vec<&str> = self.components.iter().map(|component| component.label()).collect();
        match names.as_slice() {
            ["Framework Heap", "Task Heap"] => "JVM Heap".to_owned(),
            ["Framework Off-heap", "Task Off-heap"] => "Off-heap".to_owned(),
            names => names.join(" + "),
        }
    }
}

/// What is resident and no component pays for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outside {
    /// Where it is.
    pub pool: Pool,
    /// How much.
    pub bytes: Bytes,
    /// How it was told.
    pub basis: Basis,
    /// What it is, in a few words.
    pub why: &'static str,
}

/// The whole comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ledger {
    /// The components.
    pub rows: Vec<Row>,
    /// What none of them pays for.
    pub outside: Vec<Outside>,
    /// What is resident in all.
    pub rss: Bytes,
    /// What Flink planned in all.
    pub total: Bytes,
}

impl Ledger {
    /// Lays an account over a budget.
    pub fn of(account: &Account, budget: &Budget) -> Ledger {
        let role = budget.role();
        let mut groups: Vec<Vec<Component>> = Vec::new();
        for (component, _) in budget.parts() {
            let group =
                Pool::ALL.iter().map(|pool| payers(*pool, role, budget)).find(|payers| payers.contains(component));
            let group = group.unwrap_or_else(|| vec![*component]);
            if !groups.contains(&group) {
                groups.push(group);
            }
        }
        let rows = groups.into_iter().map(|components| row(account, budget, components)).collect();
        let outside = account.entries().iter().filter(|entry| {
            payers(entry.pool, role, budget).is_empty()
                && entry.pool != Pool::MallocUndivided
                && entry.pool.is_resident()
        });
        let outside = outside.map(|entry| Outside {
            pool: entry.pool,
            bytes: entry.bytes,
            basis: entry.basis,
            why: why_outside(entry.pool),
        });
        Ledger { rows, outside: outside.collect(), rss: account.rss(), total: budget.total_process().bytes }
    }

    /// The row that a component is in.
    pub fn row(&self, component: Component) -> Option<&Row> {
        self.rows.iter().find(|row| row.components.contains(&component))
    }

    /// All that no component pays for.
    pub fn outside_total(&self) -> Bytes {
        Bytes::new(self.outside.iter().map(|outside| outside.bytes.get()).fold(0, u64::saturating_add))
    }
}

/// Those of a pool's payers that this budget has; the cut-off model pays for everything native out of one part.
fn payers(pool: Pool, role: Role, budget: &Budget) -> Vec<Component> {
    let has = |component: &Component| budget.part(*component).is_some();
    if has(&Component::CutOff) {
        let payer = match pool {
            Pool::JavaHeap => Component::CutOffHeap,
            Pool::NetworkSegments if has(&Component::Network) => Component::Network,
            Pool::BlockCache | Pool::Memtables | Pool::IndexAndFilter if has(&Component::Managed) => Component::CutOff,
            _ if pool.payers(role).is_empty() => return Vec::new(),
            _ => Component::CutOff,
        };
        return Some(payer).filter(has).into_iter().collect();
    }
    pool.payers(role).iter().copied().filter(has).collect()
}

/// From a fiftieth of malloc on, what could not be divided leaves a row's use open.
const HIDES_A_ROW: u64 = 50;

fn row(account: &Account, budget: &Budget, components: Vec<Component>) -> Row {
    let role = budget.role();
    let paid = Pool::ALL.into_iter().filter(|pool| pool.is_resident() && payers(*pool, role, budget) == components);
    let paid: Vec<Pool> = paid.collect();
    let pools: Vec<(Pool, Bytes)> =
        paid.iter().map(|pool| (*pool, account.bytes(*pool))).filter(|(_, bytes)| *bytes > Bytes::ZERO).collect();
    let seen = account.sum(|pool| paid.contains(&pool));
    let undivided = account.bytes(Pool::MallocUndivided);
    // A heap that changed while it was walked hides a little, which is named beside the rows.
    let matters = undivided.get().saturating_mul(HIDES_A_ROW) > account.malloc().get();
    let hidden = matters && paid.iter().any(|pool| pool.is_malloc());
    let sizes = components.iter().map(|component| budget.size(*component));
    let budgeted = Bytes::checked_sum(sizes).unwrap_or(Bytes::ZERO);
    let mixed = account.has_mixed_direct_buffers() && paid.contains(&Pool::DirectBuffers);
    let large = account.bytes(Pool::IndexAndFilter);
    let entries = || account.entries().iter().filter(|entry| paid.contains(&entry.pool));
    Row {
        budget: budgeted,
        used: match hidden {
            false if mixed => Err(Unseen::because(format!(
                "part of {} MiB of large native blocks, which only Flink's REST tells apart",
                large.whole_mib()
            ))
            .granted_by("give --rest http://JOBMANAGER:8081")),
            false => Ok(seen),
            true => Err(Unseen::because(format!(
                "part of {} MiB of malloc, which could not be looked into",
                undivided.whole_mib()
            ))),
        },
        at_most: (hidden || mixed).then(|| {
            if !hidden {
                return Bytes::new(seen.get().saturating_add(large.get()));
            }
            let most = Bytes::new(seen.get().saturating_add(undivided.get()));
            // Flink's pool of network buffers is fixed: it is never larger than its budget.
            if components == [Component::Network] { most.min(budgeted) } else { most }
        }),
        peak: None,
        pools,
        basis: entries().map(|entry| entry.basis).max(),
        origin: entries().map(|entry| entry.origin).max(),
        components,
    }
}

fn why_outside(pool: Pool) -> &'static str {
    match pool {
        Pool::AllocatorRetained => "freed by the program, kept by malloc; malloc_trim would return it",
        Pool::MappedFiles => "programs, libraries, jars: shared with the page cache, given back under pressure",
        _ => "no rule knows what it is",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use super::*;
    use crate::artefact::smaps;
    use crate::diagnose::layout::{self, Hints};
    use crate::model::{Figure, Place, Provenance, Source};

    fn figure(mib: u32) -> Figure {
        let place = Place::of(Source::Caller);
        Figure { bytes: Bytes::mib(mib), provenance: Provenance::Set { key: "a.key", place } }
    }

    fn budget() -> Budget {
        let parts = vec![
            (Component::FrameworkHeap, figure(1)),
            (Component::TaskHeap, figure(1)),
            (Component::Network, figure(1)),
            (Component::Managed, figure(4)),
            (Component::JvmMetaspace, figure(2)),
            (Component::JvmOverhead, figure(1)),
        ];
        Budget::new(Role::TaskManager, parts, figure(7), figure(10)).unwrap()
    }

    /// A heap of two MiB, a heap of glibc's with a MiB, and a library.
    fn account() -> Account {
        let smaps = smaps::parse(
            b"e0000000-e0200000 rw-p 0 0:0 0 \nRss: 1536 kB\nVmFlags: rd wr ac\n\
              7f0000000000-7f0000100000 rw-p 0 0:0 0 \nRss: 1024 kB\nVmFlags: rd wr nr\n\
              7f0000100000-7f0004000000 ---p 0 0:0 0 \nRss: 0 kB\nVmFlags: nr\n\
              7f1000000000-7f1000100000 r-xp 0 8:1 7 /usr/lib/libjvm.so\nRss: 512 kB\n",
        )
        .unwrap();
        let placed = layout::place(&smaps, &Hints { max_heap: Some(2 << 20), ..Hints::default() });
        Account::of_mappings(&smaps, &placed)
    }

    #[test]
    fn every_resident_byte_is_in_a_row_or_outside_or_in_undivided_malloc() {
        let mut account = account();
        for divided in [false, true] {
            if divided {
                let all = account.bytes(Pool::MallocUndivided);
                account.transfer(&[Pool::MallocUndivided], Pool::BlockCache, all, Basis::Shape, Origin::HeapWalk);
            }
            let ledger = Ledger::of(&account, &budget());
            let rows: u64 = ledger.rows.iter().flat_map(|row| &row.pools).map(|(_, bytes)| bytes.get()).sum();
            let undivided = account.bytes(Pool::MallocUndivided).get();
            assert_eq!(rows + ledger.outside_total().get() + undivided, account.rss().get());
            assert_eq!(account.rss(), Bytes::kib(1536 + 1024 + 512));
        }
    }

    #[test]
    fn what_is_hidden_in_malloc_is_bounded_and_not_zero() {
        let ledger = Ledger::of(&account(), &budget());
        let managed = ledger.row(Component::Managed).unwrap();
        assert!(managed.used.is_err() && managed.head_room().is_none());
        assert_eq!(managed.at_most, Some(Bytes::mib(1)));
        let heap = ledger.row(Component::TaskHeap).unwrap();
        assert_eq!((heap.label().as_str(), heap.budget), ("JVM Heap", Bytes::mib(2)));
        assert_eq!(heap.head_room(), Some(HeadRoom::Left(Bytes::kib(512))));
    }

    #[test]
    fn a_budget_that_is_passed_says_by_how_much() {
        assert_eq!(HeadRoom::of(Bytes::mib(1), Bytes::mib(3)), HeadRoom::Over(Bytes::mib(2)));
        assert_eq!(HeadRoom::of(Bytes::mib(3), Bytes::mib(3)), HeadRoom::Left(Bytes::ZERO));
        assert_eq!(HeadRoom::of(Bytes::new(1), Bytes::new(3)).signed(), -2);
        assert_eq!(HeadRoom::of(Bytes::new(3), Bytes::new(1)).signed(), 2);
    }
}
