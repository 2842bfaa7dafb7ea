//! What was seen of each part of the memory model, from what the worker said at each look.

use super::outcome::{Measured, Moment};
use super::prediction::Part;
use crate::model::{Bytes, Progress, StoreSettings};

/// The parts that can be told from one another. What is seen of the whole process alone (floors, buffers of compactions, the
/// worker) stays in its anonymous memory.
pub fn measured(moments: &[Moment], store: &StoreSettings) -> Vec<(Part, Measured)> {
    let is_shared = store.pool.is_some();
    let mut all = vec![
        (Part::BlockCache, over(moments, |said, _| blocks(said, is_shared))),
        (Part::Memtables, over(moments, |said, _| said.memtables)),
    ];
    if !store.index_and_filter_in_cache {
        all.push((Part::IndexAndFilter, over(moments, |said, _| said.table_readers)));
    }
    if moments.iter().filter_map(|moment| moment.said.as_ref()).any(|said| said.iterators > 0) {
        let beyond = |said: &Progress, _: &Moment| {
            let (usage, capacity): (u64, u64) = (said.cache_usage.iter().sum(), said.cache_capacity.iter().sum());
            usage.saturating_sub(capacity)
        };
        all.push((Part::Pinned, over(moments, beyond)));
    }
    all.push((
        Part::AllocatorWaste,
        over(moments, |said, moment| moment.anonymous.get().saturating_sub(said.allocated)),
    ));
    all.retain(|(_, measured)| measured.is_some());
    all.into_iter().filter_map(|(part, measured)| Some((part, measured?))).collect()
}

/// Blocks in the caches: what they are charged with, less the memtables that are charged to a shared one, at most their
/// capacity. What goes beyond is pinned.
fn blocks(said: &Progress, is_shared: bool) -> u64 {
    let (usage, capacity): (u64, u64) = (said.cache_usage.iter().sum(), said.cache_capacity.iter().sum());
    let charged = if is_shared { said.memtables } else { 0 };
    usage.min(capacity).saturating_sub(charged)
}

fn over(moments: &[Moment], of: impl Fn(&Progress, &Moment) -> u64) -> Option<Measured> {
    let last = moments.last()?.millis;
    let values: Vec<(u64, u64)> =
        moments.iter().filter_map(|moment| Some((moment.millis, of(moment.said.as_ref()?, moment)))).collect();
    let peak = values.iter().map(|(_, value)| *value).max()?;
    let mut later: Vec<u64> = values.iter().filter(|(at, _)| *at * 2 >= last).map(|(_, value)| *value).collect();
    later.sort_unstable();
    let steady = later.get(later.len() / 2).copied().unwrap_or(peak);
    Some(Measured { peak: Bytes::new(peak), steady: Bytes::new(steady) })
}
