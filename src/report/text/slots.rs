//! What each slot gets: its shares, the consumers of managed memory, and the pool of RocksDB or ForSt.

use super::super::Sheet;
use super::super::amount::{amount, mib};
use super::super::table::{self, Align, wrapped};
use super::{heading, is_shown, origin};
use crate::model::{Bytes, Component, Quantity, UseCase};
use crate::plan::consumers::ConsumerShare;
use crate::plan::store::{ColumnFamily, Pool, Scope, StoreMemory};
use crate::plan::{Backend, Slots, Survey};

const SIZES: [Align; 3] = [Align::Left, Align::Right, Align::Right];

pub fn section(sheet: &Sheet, survey: &Survey, width: usize) -> String {
    let slots = match &survey.plan.slots {
        None => return String::new(),
        Some(Err(rejection)) => {
            return heading("Slots") + &wrapped(&format!("Flink refuses them: {rejection}"), width, 2);
        }
        Some(Ok(slots)) => slots,
    };
    let mut out = match slots.count {
        1 => heading("The one slot has"),
        count => heading(&format!("Each of the {count} slots has")),
    };
    let rows: Vec<Vec<String>> = slots.shares.iter().map(|(c, figure)| sized(c.label(), figure.bytes)).collect();
    out += &table::plain(2, &["", "MiB", "bytes"], &SIZES, &rows);
    out += &match &survey.plan.network_buffers {
        Some(Ok(buffers)) => wrapped(
            &format!("All slots together have {} network buffers of {}.", buffers.count, buffers.segment.bytes),
            width,
            2,
        ),
        Some(Err(rejection)) => wrapped(&format!("Flink refuses the network buffers: {rejection}"), width, 2),
        None => String::new(),
    };
    out += &consumers(slots, survey, sheet.consumers_supposed, width);
    for (store, outcome) in slots.stores.iter().filter(|(store, _)| is_shown(sheet, survey, *store)) {
        out += &match outcome {
            Ok(memory) => store_section(memory, survey, width),
            Err(rejection) => {
                heading(store.label())
                    + &wrapped(&format!("Flink refuses it when the job starts: {rejection}"), width, 2)
            }
        };
    }
    if survey.backend == Backend::Heap && slots.share(Component::Managed) > Bytes::ZERO {
        let idle = survey.plan.budget.size(Component::Managed);
        let text = format!(
            "State is configured to live on the heap, so the state backend takes none of the {} of managed memory.",
            amount(idle)
        );
        out += &format!("\n{}", wrapped(&text, width, 0));
    }
    out
}

fn sized(name: &str, bytes: Bytes) -> Vec<String> {
    vec![name.to_owned(), mib(bytes), bytes.get().to_string()]
}

fn consumers(slots: &Slots, survey: &Survey, supposed: bool, width: usize) -> String {
    let mut out = heading("Managed memory of a slot, by consumer");
    let shares = match &slots.consumers {
        None if survey.plan.budget.part(Component::Managed).is_none() => return String::new(),
        None => {
            let text = "This version has no weights: RocksDB may take the whole share, and so may batch operators.";
            return out + &wrapped(text, width, 2);
        }
        Some(Err(rejection)) => return out + &wrapped(&format!("Flink refuses the weights: {rejection}"), width, 2),
        Some(Ok(shares)) => shares,
    };
    let mut refused = None;
    // State on the heap asks for no managed memory, so it is not refused a share either.
    let on_heap = survey.backend == Backend::Heap;
    let shares: Vec<&ConsumerShare> =
        shares.iter().filter(|share| !(on_heap && share.use_case == UseCase::StateBackend)).collect();
    if shares.is_empty() {
        return String::new();
    }
    let rows: Vec<Vec<String>> = shares
        .iter()
        .map(|share| match &share.share {
            Ok(figure) => sized(share.use_case.name(), figure.bytes),
            Err(rejection) => {
                refused = Some(rejection);
                vec![share.use_case.name().to_owned(), "refused".to_owned(), "-".to_owned()]
            }
        })
        .collect();
    out += &table::plain(2, &["", "MiB", "bytes"], &SIZES, &rows);
    if let Some(rejection) = refused {
        out += &wrapped(&format!("The job fails when it starts: {}", rejection.exception.message), width, 2);
    }
    if supposed {
        out += &wrapped("Supposed: a slot with keyed state and nothing else; --consumers names others.", width, 2);
    }
    out
}

fn store_section(memory: &StoreMemory, survey: &Survey, width: usize) -> String {
    let name = memory.store.label();
    let release = &survey.plan.profile.rocksdb;
    let supposed = if matches!(survey.backend, Backend::Embedded(_)) { "" } else { ", if the job uses it" };
    let scope = match memory.scope {
        Scope::SlotSharedManaged => " in each slot, out of managed memory",
        Scope::SlotSharedUnmanaged => " in each slot, a fixed size outside of managed memory",
        Scope::TmSharedUnmanaged => ", one pool for all slots, a fixed size outside of managed memory",
        Scope::None => " in each state of each slot, with no common bound",
    };
    let mut out = heading(&format!("{name}{scope}{supposed}"));
    if let Some(family) = &memory.column_family {
        return out + &column_family(family, width);
    }
    let Some(pool) = &memory.pool else { return out };
    let figures = pool.figures(&memory.write_buffer, release);
    let rows: Vec<Vec<String>> =
        figures.iter().map(|(quantity, figure)| sized(quantity.label(), figure.bytes)).collect();
    out += &table::plain(2, &["", "MiB", "bytes"], &SIZES, &rows);
    if let Some(rejection) = &memory.refused {
        out += &wrapped(&format!("Flink refuses it when the job starts: {}", rejection.exception.message), width, 2);
    }
    let keeps = if pool.partitioned_index_filters == Some(true) { "only the top of them" } else { "all of them" };
    let bound = format!(
        "Cache and memtables together stay within {}: memtables are charged to the cache, so the two do not add up; only \
         half of the write-buffer manager may come on top. Blocks that open iterators pin are beyond every bound. Index \
         and filter blocks live in the cache, {keeps}.",
        amount(pool.bound())
    );
    out += &wrapped(&bound, width, 2);
    if let Some(key) = memory.without_effect {
        let text = format!("{key} is set to no effect: it counts only where {name} is not in managed memory.");
        out += &wrapped(&text, width, 2);
    }
    out + &wrapped(&flushing(pool, survey, memory.store.label()), width, 2)
}

/// Whether memtables are flushed all the time: as Flink believes, and as RocksDB does.
fn flushing(pool: &Pool, survey: &Survey, name: &str) -> String {
    let release = survey.plan.profile.rocksdb.version;
    let checked = survey.plan.profile.behaviour.arena_check;
    let families = pool.column_families_without_thrashing();
    let really = if pool.flushes_constantly {
        format!(
            "one arena block of {} is above the mutable limit, so every write flushes: give {name} more memory or a \
             smaller write buffer",
            pool.real_arena_block
        )
    } else {
        format!(
            "an arena block is {}, so {families} column famil{} (states) can take writes before they flush each other",
            pool.real_arena_block,
            if families == 1 { "y" } else { "ies" }
        )
    };
    let believed = match (checked, pool.sizes.arena_ok, pool.flushes_constantly) {
        (false, _, _) | (true, true, false) | (true, false, true) => String::new(),
        (true, false, false) => {
            " Flink warns of constant flushing all the same: it takes the arena block for an eighth of \
                                 the write buffer, which this RocksDB no longer does."
                .to_owned()
        }
        (true, true, true) => " Flink does not warn of it.".to_owned(),
    };
    format!("In RocksDB {release}, {really}.{believed}")
}

fn column_family(family: &ColumnFamily, width: usize) -> String {
    let rows = vec![
        sized(&format!("{} memtables", family.write_buffers), family_memtables(family)),
        sized(Quantity::BlockCache.label(), family.block_cache.bytes),
        sized("at most, for each state", family.bound),
    ];
    let mut out = table::plain(2, &["", "MiB", "bytes"], &SIZES, &rows);
    let text = format!(
        "Multiply by the number of states (timers count as one) and by the slots; index and filter blocks come on top. \
         The write buffer is {} ({}).",
        family.write_buffer.bytes,
        origin(&family.write_buffer)
    );
    out += &wrapped(&text, width, 2);
    out
}

fn family_memtables(family: &ColumnFamily) -> Bytes {
    family.bound.checked_sub(family.block_cache.bytes).unwrap_or(Bytes::ZERO)
}
