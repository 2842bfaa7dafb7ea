//! Sizes that are no sum of components: which managed memory gives RocksDB this cache, which process this container.
//! Both grow with what they follow from, so the smallest size that reaches a want is found by halving.

use super::search::Asked;
use super::{Conflict, Target, Want};
use crate::flink::key::{Key, Size};
use crate::flink::keys;
use crate::model::{Bytes, Component, Limit};
use crate::plan::container;
use crate::plan::settings::Settings;
use crate::plan::store::{Scope, Store};
use crate::recommend::change::{Change, applied};
use crate::recommend::option;

/// No process is larger than 4 EiB.
const MOST: u64 = 1 << 62;

/// The smallest number up to a bound for which a size, growing with it, reaches a want; and the sizes around it where
/// it is passed over.
fn smallest(want: Want, most: u64, size_at: impl Fn(u64) -> Option<Bytes>) -> Result<u64, Conflict> {
    let reaches = |n: u64| size_at(n).is_some_and(|size| size >= want.bytes);
    let mut high = 1u64;
    while !reaches(high) {
        if high >= most {
            return Err(Conflict::Between { want, below: size_at(high), above: None });
        }
        high = (high * 2).min(most);
    }
    let mut low = 0u64;
    while low < high {
        let middle = low + (high - low) / 2;
        if reaches(middle) { high = middle } else { low = middle + 1 }
    }
    match size_at(low) {
        Some(size) if size == want.bytes => Ok(low),
        above => Err(Conflict::Between { want, below: low.checked_sub(1).and_then(&size_at), above }),
    }
}

/// The total process memory of which the container's limit is the wanted one: whole mebibytes.
pub fn process_for_container(asked: &Asked<'_>, want: Want) -> Result<Bytes, Conflict> {
    let settings = Settings::new(asked.config, asked.profile);
    let limit = |mib: u64| {
        let total = Bytes::mib(1).checked_mul(mib)?;
        let container = container::container(&settings, asked.question.deployment, asked.question.role, total).ok()?;
        match container.limit {
            Limit::AtMost(limit) => Some(limit),
            Limit::Unlimited => None,
        }
    };
    Ok(Bytes::new(smallest(want, MOST >> 20, limit)? << 20))
}

/// Where a slot's pool comes from, and how large that must be for what is wanted of RocksDB.
pub enum PoolSource {
    /// Managed memory of the whole TaskManager.
    Managed(Bytes),
    /// A pool of a fixed size.
    Fixed(Key<Size>, Bytes),
}

/// What the pool must be made of for all that is wanted of RocksDB; nothing where nothing is.
pub fn pool_source(asked: &Asked<'_>, forced: &[Change]) -> Result<Option<PoolSource>, Conflict> {
    let wants: Vec<Want> = asked.wants.iter().copied().filter(|want| want.target.is_rocksdb()).collect();
    let Some(first) = wants.first() else { return Ok(None) };
    let frame = option::frame(asked.question.role);
    // Managed memory alone is looked at: everything else is set so that it fits in whatever the size.
    let mut base = forced.to_vec();
    base.push(Change::set(keys::TASK_HEAP.name(), "128m"));
    for total in [frame.process, frame.flink] {
        base.extend(option::taken_out(asked.config, asked.profile, asked.question, total));
    }
    let plan_with = |key: Key<Size>, size: Bytes| {
        let changes =
            [&base[..], &[Change::set(keys::MANAGED_SIZE.name(), "1g"), Change::set(key.name(), option::text(size))]]
                .concat();
        let config = applied(asked.config, &changes);
        let plan = asked.plan(&config).ok()?;
        Some((plan, config))
    };
    let (plan, _) = plan_with(keys::MANAGED_SIZE, Bytes::gib(1)).ok_or(Conflict::Absent(first.target))?;
    let scope = plan.slots.as_ref().and_then(|slots| {
        let (_, memory) = slots.as_ref().ok()?.stores.iter().find(|(store, _)| *store == Store::RocksDb)?;
        Some(memory.as_ref().ok()?.scope)
    });
    let key = match scope {
        Some(Scope::SlotSharedManaged) => keys::MANAGED_SIZE,
        Some(Scope::SlotSharedUnmanaged) => keys::ROCKSDB.fixed_per_slot,
        Some(Scope::TmSharedUnmanaged) => keys::ROCKSDB.fixed_per_tm,
        Some(Scope::None) | None => return Err(Conflict::Absent(first.target)),
    };
    let size_at = |want: Want, size: Bytes| {
        let (plan, config) = plan_with(key, size)?;
        want.target.size(&plan, &config, asked.question)
    };
    let mut needed = Bytes::ZERO;
    for want in &wants {
        needed = needed.max(Bytes::new(smallest(*want, MOST, |n| size_at(*want, Bytes::new(n)))?));
    }
    let gives_all = |size: Bytes| wants.iter().all(|want| size_at(*want, size) == Some(want.bytes));
    // Several sizes may give the same: the one there is before a round one before the smallest.
    let present = match key.name() == keys::MANAGED_SIZE.name() {
        true => asked.before.and_then(|plan| Target::Part(Component::Managed).size(plan, asked.config, asked.question)),
        false => option::reading(&Settings::new(asked.config, asked.profile), key),
    };
    let rounds = [1 << 20, 1 << 10].map(|step| needed.round_up_to(Bytes::new(step)));
    let size = [present].into_iter().chain(rounds).flatten().find(|size| gives_all(*size)).unwrap_or(needed);
    Ok(Some(match key.name() == keys::MANAGED_SIZE.name() {
        true => PoolSource::Managed(size),
        false => PoolSource::Fixed(key, size),
    }))
}
