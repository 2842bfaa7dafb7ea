//! Which embedded stores a configuration is about, and whether they have a pool.

use crate::check::{Case, Written};
use crate::model::{Bytes, Place, Provenance};
use crate::plan::Backend;
use crate::plan::store::{Scope, Store};

/// The predefined options with a cache, memtables and a filter of their own.
pub const HIGH_MEM: &str = "SPINNING_DISK_OPTIMIZED_HIGH_MEM";

/// The store that is named. Where no backend is named the job's code may choose either, so that one of which something
/// is set counts; where another backend is named, neither is in use.
pub fn possible(case: &Case<'_>) -> &'static [Store] {
    match case.backend() {
        Backend::Embedded(Store::RocksDb) => &[Store::RocksDb],
        Backend::Embedded(Store::ForSt) => &[Store::ForSt],
        Backend::Unset => {
            let is_set = |prefix| case.config.with_prefix(prefix).next().is_some();
            match (is_set("state.backend.rocksdb."), is_set("state.backend.forst.")) {
                (true, true) => &[Store::RocksDb, Store::ForSt],
                (true, false) => &[Store::RocksDb],
                (false, true) => &[Store::ForSt],
                (false, false) => &[],
            }
        }
        Backend::Heap | Backend::Other(_) => &[],
    }
}

/// An option of a store, if somebody wrote it.
pub fn written<'a>(case: &Case<'a>, store: Store, rest: &str) -> Option<Written<'a>> {
    case.find(&case.store_key(store, rest)).filter(Written::is_own)
}

/// Whether cache and memtables of a slot, or of all slots, come out of one pool; nothing where a placeholder hides it.
/// The order is Flink's: a size for each slot, managed memory, a size for the TaskManager.
pub fn has_pool(case: &Case<'_>, store: Store) -> Option<bool> {
    let key = |rest| case.store_key(store, rest);
    let [per_slot, managed, per_tm] = [key("memory.fixed-per-slot"), key("memory.managed"), key("memory.fixed-per-tm")];
    if case.find(&per_slot).is_some() {
        return Some(true);
    }
    // Flink 1.9 knows no pools.
    if case.option(&managed).is_none() {
        return Some(false);
    }
    if case.is_hidden(&per_slot) {
        return None;
    }
    if case.flag(&managed)? {
        return Some(true);
    }
    if case.is_hidden(&per_tm) {
        return None;
    }
    Some(case.size(&per_tm).is_some_and(|size| size > Bytes::ZERO))
}

/// The setting that takes the store's memory from nobody's budget, and the store.
pub fn unmanaged<'a>(case: &Case<'a>) -> Option<(Store, Written<'a>)> {
    let store = case.store()?;
    let managed = written(case, store, "memory.managed")?;
    (has_pool(case, store) == Some(false)).then_some((store, managed))
}

/// What makes index and filter blocks large where they lie outside of any cache.
pub enum Growth<'a> {
    /// A filter for every key.
    Filter(Written<'a>),
    /// Predefined options with a filter for every key.
    Predefined(Written<'a>),
    /// A state of this size.
    State(Bytes),
}

/// What makes index and filter blocks of an unmanaged store large; nothing where a bound of open files bounds them.
pub fn growth<'a>(case: &Case<'a>, store: Store, large: Bytes) -> Option<Growth<'a>> {
    if case.int(&case.store_key(store, "files.open")).is_some_and(|files| files > 0) {
        return None;
    }
    let filter = written(case, store, "use-bloom-filter");
    if let Some(filter) = filter {
        if filter.text().eq_ignore_ascii_case("true") {
            return Some(Growth::Filter(filter));
        }
    } else if let Some(predefined) = high_mem(case, store) {
        return Some(Growth::Predefined(predefined));
    }
    case.told.workload.state_size.filter(|size| *size >= large).map(Growth::State)
}

/// The setting of the predefined options that touch memory; ForSt has none.
pub fn high_mem<'a>(case: &Case<'a>, store: Store) -> Option<Written<'a>> {
    written(case, store, "predefined-options").filter(|written| written.text() == HIGH_MEM)
}

/// How many memtables a state has: what is set, else what the predefined options set, else RocksDB's default.
pub fn write_buffers(case: &Case<'_>, store: Store) -> Option<u64> {
    match written(case, store, "writebuffer.count") {
        Some(count) => count.text().parse().ok(),
        None if case.is_hidden(&case.store_key(store, "writebuffer.count")) => None,
        None if high_mem(case, store).is_some() => Some(4),
        // `max_write_buffer_number`, include/rocksdb/advanced_options.h.
        None => Some(2),
    }
}

/// What one state without a pool may take, where the plan knows it.
pub fn bound(case: &Case<'_>, store: Store) -> Vec<String> {
    let memory = case.store_memory(store).filter(|memory| memory.scope == Scope::None);
    let Some((family, slots)) = memory.and_then(|memory| memory.column_family.as_ref()).zip(case.slots()) else {
        return Vec::new();
    };
    let states = case.told.workload.states;
    let times = u64::from(slots) * u64::from(states.unwrap_or(1));
    let mut notes = vec![format!(
        "each state may take {} in each slot ({} memtables of {} and a cache of {}), index and filter blocks on top",
        family.bound, family.write_buffers, family.write_buffer.bytes, family.block_cache.bytes
    )];
    if let Some(bound) = family.bound.checked_mul(times) {
        let count = states.map_or("each state".to_owned(), |states| format!("{states} states"));
        let slots = if slots == 1 { "one slot".to_owned() } else { format!("{slots} slots") };
        notes.push(format!("with {slots} that is {bound} for {count}; timers count as a state"));
    }
    notes
}

/// Where a size is written, if somebody wrote it.
pub fn place(provenance: &Provenance) -> Option<&Place> {
    match provenance {
        Provenance::Set { place, .. } => Some(place),
        _ => None,
    }
}
