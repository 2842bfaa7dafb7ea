//! Where every resident byte of a process is: each in exactly one pool, and the pools add up to what is resident.

use crate::artefact::smaps::Smaps;
use crate::model::{Bytes, Measure, Observations, Origin, Pool, Seen, Unseen};

use super::layout::{Basis, Kind, Placed};

/// What one pool holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The pool.
    pub pool: Pool,
    /// Its resident bytes.
    pub bytes: Bytes,
    /// How surely they are its: the least sure of the ways in which a twentieth of it or more was told.
    pub basis: Basis,
    /// Where the number was read.
    pub origin: Origin,
}

/// Every resident byte of a process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    entries: Vec<Entry>,
    direct_is_mixed: bool,
}

impl Account {
    /// What the mappings hold, with malloc as one pool.
    pub fn of_mappings(smaps: &Smaps, placed: &[Placed]) -> Account {
        let mut account = Account::default();
        for pool in Pool::ALL {
            let mut by_basis: Vec<(Basis, u64)> = Vec::new();
            for (mapping, placed) in smaps.mappings.iter().zip(placed) {
                if placed.kind.pool() == pool && mapping.rss > 0 {
                    match by_basis.iter_mut().find(|(basis, _)| *basis == placed.basis) {
                        Some((_, bytes)) => *bytes = bytes.saturating_add(mapping.rss),
                        None => by_basis.push((placed.basis, mapping.rss)),
                    }
                }
            }
            let total = by_basis.iter().map(|(_, bytes)| *bytes).fold(0, u64::saturating_add);
            let counts = |bytes: u64| bytes.saturating_mul(20) >= total;
            let basis = by_basis.iter().filter(|(_, bytes)| counts(*bytes)).map(|(basis, _)| *basis).max();
            if let Some(basis) = basis {
                account.entries.push(Entry { pool, bytes: Bytes::new(total), basis, origin: Origin::Smaps });
            }
        }
        account
    }

    /// What a look had in its pools; unseen where one of them was not, for then the others do not add up to what is
    /// resident. How each was told is taken from where it was read.
    pub fn of_observations(look: &Observations) -> Seen<Account> {
        let observed = |pool: Pool| look.all.iter().find(|one| one.measure == Measure::Pool(pool));
        let mut account = Account::default();
        for pool in Pool::ALL.into_iter().filter(|pool| pool.is_resident()) {
            let missing = || Unseen::because(format!("the look does not have {}", pool.label()));
            match observed(pool).map(|one| (one.value.as_ref(), one.origin)) {
                Some((Ok(value), origin)) => account.add(pool, Bytes::new(*value), Basis::of(origin), origin),
                // Where malloc was not looked into, it is one pool, and that was seen.
                _ if pool.is_malloc() && pool != Pool::MallocUndivided => {}
                Some((Err(unseen), _)) => return Err(unseen.clone()),
                None => return Err(missing()),
            }
        }
        Ok(account)
    }

    /// What each pool holds, in the order of tables; empty pools are left out.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Says that direct buffers beyond those of Netty's size could not be told from RocksDB's large blocks.
    pub fn mix_direct_buffers(&mut self) {
        self.direct_is_mixed = true;
    }

    /// Whether some direct buffers are among [`Pool::IndexAndFilter`].
    pub fn has_mixed_direct_buffers(&self) -> bool {
        self.direct_is_mixed
    }

    /// What a pool holds; nothing is resident in one that is not listed.
    pub fn bytes(&self, pool: Pool) -> Bytes {
        self.entry(pool).map_or(Bytes::ZERO, |entry| entry.bytes)
    }

    /// A pool's entry.
    pub fn entry(&self, pool: Pool) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.pool == pool)
    }

    /// All pools of malloc together.
    pub fn malloc(&self) -> Bytes {
        self.sum(Pool::is_malloc)
    }

    /// All pools together: the resident set.
    pub fn rss(&self) -> Bytes {
        self.sum(Pool::is_resident)
    }

    /// The pools that a rule picks, together.
    pub fn sum(&self, picks: impl Fn(Pool) -> bool) -> Bytes {
        let picked = self.entries.iter().filter(|entry| picks(entry.pool));
        Bytes::new(picked.map(|entry| entry.bytes.get()).fold(0, u64::saturating_add))
    }

    /// Moves bytes from pools to another, as many as they have; says how many those were.
    pub fn transfer(&mut self, from: &[Pool], to: Pool, wanted: Bytes, basis: Basis, origin: Origin) -> Bytes {
        let mut moved = 0;
        for pool in from {
            let Some(entry) = self.entries.iter_mut().find(|entry| entry.pool == *pool) else { continue };
            let part = entry.bytes.get().min(wanted.get() - moved);
            entry.bytes = Bytes::new(entry.bytes.get() - part);
            moved += part;
        }
        self.entries.retain(|entry| entry.bytes > Bytes::ZERO);
        self.add(to, Bytes::new(moved), basis, origin);
        Bytes::new(moved)
    }

    fn add(&mut self, pool: Pool, bytes: Bytes, basis: Basis, origin: Origin) {
        if bytes == Bytes::ZERO {
            return;
        }
        match self.entries.iter_mut().find(|entry| entry.pool == pool) {
            Some(entry) => {
                let sum = entry.bytes.get().saturating_add(bytes.get());
                *entry = Entry { pool, bytes: Bytes::new(sum), basis: entry.basis.max(basis), origin };
            }
            None => self.entries.push(Entry { pool, bytes, basis, origin }),
        }
        self.entries.sort_by_key(|entry| entry.pool);
    }
}

/// How far the mappings told to be metaspace may be off what the JVM says before its word counts.
const METASPACE_TOLERANCE: u64 = 2 << 20;

/// Takes the JVM's word for metaspace where the mappings that look like it hold clearly less or more. What is committed
/// is resident but for the last granule of each class loader.
pub fn trust_metaspace(account: &mut Account, committed: Bytes) {
    let told = account.bytes(Pool::Metaspace);
    if told.get().abs_diff(committed.get()) <= METASPACE_TOLERANCE {
        return;
    }
    let (basis, origin) = (Basis::Named, Origin::HsPerfData);
    let rest = [Pool::Unaccounted, Pool::MallocUndivided];
    if told < committed {
        let missing = Bytes::new(committed.get() - told.get());
        account.transfer(&rest, Pool::Metaspace, missing, basis, origin);
    } else {
        let over = Bytes::new(told.get() - committed.get());
        account.transfer(&[Pool::Metaspace], Pool::Unaccounted, over, Basis::LeftOver, Origin::Smaps);
    }
}

/// The first addresses of the mappings that malloc may have made: its heaps, and what has no other name.
pub fn may_be_malloc(placed: &[Placed]) -> impl Iterator<Item = usize> + '_ {
    let may_be = |kind: Kind| {
        matches!(kind, Kind::Arena | Kind::MainHeap | Kind::MallocMapped | Kind::Unknown | Kind::CollectorTable)
    };
    placed.iter().enumerate().filter(move |(_, placed)| may_be(placed.kind)).map(|(index, _)| index)
}
