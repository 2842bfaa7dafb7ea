//! One function a verdict.

use super::turn::{Direction, Turns};
use super::{
    Amount, Bound, CONSTANT_FLUSHES, COSTLY_STALL, CROWDED, Cause, Evidence, FULL, Figures, LEAST_FLUSHES,
    LEAST_LOOKUPS, LEAST_STALLS, LEVEL0_SLOWDOWN, LOW_HITS, NEAR_LIMIT, SMALL_MEMTABLE, SOFT_PENDING, STALLED, Setting,
    Turn, Verdict,
};
use crate::flink::options;
use crate::model::{Bytes, Confidence, Seen, Unseen};
use crate::plan::store::{Scope, Store};

/// A verdict, none, or why there is too little to tell.
pub(super) type Rule = fn(&Figures, &Setting<'_>) -> Seen<Option<Verdict>>;

fn permille(part: u64, whole: u64) -> Option<u64> {
    u64::try_from((u128::from(part) * 1000).checked_div(u128::from(whole))?).ok()
}

fn evidence(what: &'static str, is: Amount, limit: impl Into<Option<Amount>>) -> Evidence {
    Evidence { what, is, limit: limit.into() }
}

/// Why there is too little to tell, and the options of this version that would show it.
fn unseen(setting: &Setting<'_>, why: impl Into<String>, names: &[&str]) -> Unseen {
    let prefix = match setting.store {
        Store::RocksDb => "state.backend.rocksdb.metrics.",
        Store::ForSt => "state.backend.forst.metrics.",
    };
    let keys = names.iter().map(|name| format!("{prefix}{name}: true"));
    let known: Vec<String> = keys
        .filter(|line| {
            let key = line.trim_end_matches(": true");
            setting.profile.is_none_or(|profile| options::declared(key, profile).is_some())
        })
        .collect();
    let unseen = Unseen::because(why);
    if known.is_empty() { unseen } else { unseen.granted_by(format!("set {}", known.join(", "))) }
}

/// Writes are stopped or delayed now.
pub(super) fn stalled(figures: &Figures, setting: &Setting<'_>) -> Seen<Option<Verdict>> {
    let stopped = figures.writes_stopped.filter(|databases| *databases > 0);
    let delayed = figures.delayed_write_rate.filter(|rate| *rate > 0);
    let share = figures.stalls.permille.filter(|share| *share >= STALLED);
    if figures.writes_stopped.is_none() && figures.delayed_write_rate.is_none() && figures.stalls.permille.is_none() {
        let names = ["is-write-stopped", "actual-delayed-write-rate"];
        return Err(unseen(setting, "nothing says whether writes are held back now", &names));
    }
    let mut because = Vec::new();
    if let Some(databases) = stopped {
        because.push(evidence("databases whose writes are stopped", Amount::Count(databases), None));
    }
    if let Some(rate) = delayed {
        because.push(evidence("writes are slowed down to, in a second", Amount::Bytes(Bytes::new(rate)), None));
    }
    if let Some(share) = share {
        because.push(evidence(
            "time in which writes were held back",
            Amount::Permille(share),
            Amount::Permille(STALLED),
        ));
    }
    if because.is_empty() {
        return Ok(None);
    }
    let (cause, more) = stall_cause(figures);
    because.extend(more);
    let turns = match cause {
        Cause::Memtables => flush_turns(setting),
        _ => compaction_turns(setting),
    };
    // What was is not what is.
    let confidence = if stopped.is_some() || delayed.is_some() { Confidence::High } else { Confidence::Medium };
    Ok(Some(Verdict { bound: Bound::Stalled, cause, confidence, evidence: because, turns }))
}

/// Which limit is reached, in the order in which RocksDB asks (`GetWriteStallConditionAndCause`); else what held writes back most.
fn stall_cause(figures: &Figures) -> (Cause, Option<Evidence>) {
    if let (Some(waiting), Some(most)) = (figures.immutable_memtables, figures.max_write_buffers)
        && waiting >= most
    {
        let limit = Amount::Count(most);
        return (Cause::Memtables, Some(evidence("memtables that wait to be flushed", Amount::Count(waiting), limit)));
    }
    let level0_limit = figures.level0_slowdown.unwrap_or(LEVEL0_SLOWDOWN);
    if let Some(files) = figures.level0_files.filter(|files| *files >= level0_limit) {
        return (Cause::Level0, Some(evidence("files in level 0", Amount::Count(files), Amount::Count(level0_limit))));
    }
    let soft = figures.soft_pending.unwrap_or(SOFT_PENDING);
    if let Some(pending) = figures.pending_compaction.filter(|pending| *pending >= soft) {
        let is = evidence("waits to be compacted", Amount::Bytes(pending), Amount::Bytes(soft));
        return (Cause::PendingCompaction, Some(is));
    }
    let stalls = &figures.stalls;
    let most = [
        (stalls.memtables, Cause::Memtables),
        (stalls.level0, Cause::Level0),
        (stalls.pending, Cause::PendingCompaction),
    ]
    .into_iter()
    .filter_map(|(count, cause)| count.filter(|count| *count > 0).map(|count| (count, cause)))
    .max_by_key(|(count, _)| *count);
    match most {
        Some((count, cause)) => {
            (cause, Some(evidence("times that writes were held back for it", Amount::Count(count), None)))
        }
        None => (Cause::Unknown, None),
    }
}

/// Blocks that are not in the cache are read from files.
pub(super) fn reads(figures: &Figures, setting: &Setting<'_>) -> Seen<Option<Verdict>> {
    let (Some(hits), Some(misses)) = (figures.cache_hits, figures.cache_misses) else {
        let names = ["block-cache-hit", "block-cache-miss"];
        return Err(unseen(setting, "hits and misses of the block cache were not seen", &names));
    };
    let lookups = hits.saturating_add(misses);
    if lookups < LEAST_LOOKUPS {
        return Err(Unseen::because(format!(
            "{lookups} lookups in the block cache are too few to tell: at least {LEAST_LOOKUPS}"
        ))
        .granted_by("look again later"));
    }
    let Some(share) = permille(hits, lookups).filter(|share| *share < LOW_HITS) else { return Ok(None) };
    let (Some(usage), Some(capacity)) = (figures.cache_usage, figures.cache_capacity) else {
        let why =
            format!("only {share} in a thousand lookups hit the block cache, but nothing says whether it is full");
        return Err(unseen(setting, why, &["block-cache-usage", "block-cache-capacity"]));
    };
    let full = permille(usage.get(), capacity.get()).unwrap_or(1000);
    // A cache with room misses what it never had: more room would not help.
    if full < FULL {
        return Ok(None);
    }
    let mut because = vec![
        evidence("lookups that hit the block cache", Amount::Permille(share), Amount::Permille(LOW_HITS)),
        evidence("lookups", Amount::Count(lookups), None),
        evidence("charged to the block cache", Amount::Bytes(usage), Amount::Bytes(capacity)),
    ];
    if let Some(tables) = figures.table_bytes {
        because.push(evidence("table files", Amount::Bytes(tables), None));
    }
    if let Some(held) = share_of_memtables(figures) {
        because.push(evidence("reads that a memtable answered", Amount::Permille(held), None));
    }
    let inside = figures.cache_index_and_filter.and_then(|part| Some((part, permille(part.get(), capacity.get())?)));
    // Where nobody says what is in the cache, files do: what would not fit beside data blocks crowds them out.
    // Without a pool they lie beside the cache.
    let wanted = figures.table_index_and_filter.filter(|_| setting.scope != Some(Scope::None));
    let wanted = wanted.and_then(|part| Some((part, permille(part.get(), capacity.get())?)));
    let crowded = match (inside, wanted) {
        (Some((part, share)), _) if share >= CROWDED => {
            Some(("index and filter blocks in the cache", part, Confidence::High))
        }
        (None, Some((part, share))) if share >= CROWDED => {
            Some(("index and filter blocks of all files", part, Confidence::Medium))
        }
        _ => None,
    };
    let (cause, confidence, turns) = if let Some((what, part, confidence)) = crowded {
        because.push(evidence(what, Amount::Bytes(part), Amount::Bytes(capacity)));
        (Cause::IndexAndFilter, confidence, index_turns(setting))
    } else {
        let confidence = if inside.is_some() { Confidence::High } else { Confidence::Medium };
        (Cause::WorkingSet, confidence, read_turns(figures, setting))
    };
    Ok(Some(Verdict { bound: Bound::Reads, cause, confidence, evidence: because, turns }))
}

fn share_of_memtables(figures: &Figures) -> Option<u64> {
    let (hits, misses) = (figures.memtable_hits?, figures.memtable_misses?);
    permille(hits, hits.checked_add(misses)?)
}

fn index_turns(setting: &Setting<'_>) -> Vec<Turn> {
    Turns::of(setting)
        .store(
            "memory.partitioned-index-filters",
            Direction::On,
            "only the top of each index has to be in the cache, the rest comes and goes like data",
        )
        .cache()
        .store("block.blocksize", Direction::Raise, "an index has an entry a block: larger blocks, smaller indexes")
        .done()
}

fn read_turns(figures: &Figures, setting: &Setting<'_>) -> Vec<Turn> {
    let turns = Turns::of(setting).cache();
    // Filters take room themselves: they only help reads of keys that are not there.
    let turns = if figures.has_filters == Some(true) {
        turns
    } else {
        turns.store("use-bloom-filter", Direction::On, "reads of keys that are not there need no data block")
    };
    turns.done()
}

/// Memtables are written too often, or not fast enough.
pub(super) fn flushes(figures: &Figures, setting: &Setting<'_>) -> Seen<Option<Verdict>> {
    if let (Some(arena), Some(limit)) = (figures.arena_block, figures.mutable_limit)
        && arena > limit
    {
        let because = vec![evidence("what a memtable allocates at a time", Amount::Bytes(arena), Amount::Bytes(limit))];
        let turns = Turns::of(setting)
            .memory()
            .store("memory.write-buffer-ratio", Direction::Raise, "memtables may take more of the slot's memory")
            .store(
                "writebuffer.size",
                Direction::Lower,
                "a memtable allocates an eighth of this at a time, up to RocksDB 6",
            )
            .done();
        let verdict = Verdict {
            bound: Bound::Flushes,
            cause: Cause::ArenaBlock,
            confidence: Confidence::High,
            evidence: because,
            turns,
        };
        return Ok(Some(verdict));
    }
    if let Some(verdict) = waiting_memtables(figures, setting) {
        return Ok(Some(verdict));
    }
    if let Some(verdict) = small_memtables(figures, setting) {
        return Ok(Some(verdict));
    }
    let waiting = figures.immutable_memtables;
    let judged = waiting == Some(0) || (waiting.is_some() && figures.max_write_buffers.is_some());
    if judged || figures.flushes.is_some() || figures.stalls.memtables.is_some() {
        return Ok(None);
    }
    if let Some(waiting) = waiting {
        let why = format!("{waiting} memtables wait to be flushed, and nothing says how many there may be");
        return Err(Unseen::because(why).granted_by("let oomph read the LOG files of the databases"));
    }
    let names = ["num-immutable-mem-table", "mem-table-flush-pending"];
    Err(unseen(setting, "neither flushes nor waiting memtables were seen", &names))
}

/// Memtables fill faster than they are written.
fn waiting_memtables(figures: &Figures, setting: &Setting<'_>) -> Option<Verdict> {
    let mut because = Vec::new();
    let mut confidence = Confidence::Medium;
    // RocksDB stops writes with as many as it may have; with one less there is room for one memtable only.
    if let (Some(waiting), Some(most)) = (figures.immutable_memtables, figures.max_write_buffers)
        && most > 1
        && waiting >= most - 1
        && (waiting >= most || figures.flush_pending == Some(true))
    {
        because.push(evidence("memtables that wait to be flushed", Amount::Count(waiting), Amount::Count(most)));
    }
    if let Some(count) = figures.stalls.memtables.filter(|count| *count >= LEAST_STALLS) {
        let costly = figures.stalls.permille.map(|share| share >= COSTLY_STALL);
        if costly != Some(false) {
            because.push(evidence(
                "times that writes were held back for memtables",
                Amount::Count(count),
                Amount::Count(LEAST_STALLS),
            ));
        }
        if let Some(share) = figures.stalls.permille.filter(|share| *share >= COSTLY_STALL) {
            because.push(evidence(
                "time in which writes were held back",
                Amount::Permille(share),
                Amount::Permille(COSTLY_STALL),
            ));
            confidence = Confidence::High;
        } else if because.len() == 1 {
            // How long is not known.
            confidence = Confidence::Low;
        }
    }
    if because.is_empty() {
        return None;
    }
    let mut cause = Cause::Memtables;
    if let Some(flushes) = figures.flushes.filter(|flushes| flushes.count >= LEAST_FLUSHES) {
        because.push(evidence(
            "flushes that the write-buffer manager asked for",
            Amount::Count(flushes.by_manager),
            Amount::Count(flushes.count),
        ));
        if flushes.by_manager.saturating_mul(2) > flushes.count {
            cause = Cause::WriteBufferShare;
        }
    }
    let turns = if cause == Cause::WriteBufferShare { share_turns(setting) } else { flush_turns(setting) };
    Some(Verdict { bound: Bound::Flushes, cause, confidence, evidence: because, turns })
}

/// The write-buffer manager has memtables flushed long before they are full.
fn small_memtables(figures: &Figures, setting: &Setting<'_>) -> Option<Verdict> {
    let flushes = figures.flushes.filter(|flushes| flushes.count >= LEAST_FLUSHES)?;
    let write_buffer = figures.write_buffer?;
    let mean = Bytes::new(flushes.memory.get().checked_div(flushes.count)?);
    let filled = permille(mean.get(), write_buffer.get())?;
    let a_minute = flushes.count.saturating_mul(60_000).checked_div(flushes.millis)?;
    if flushes.by_manager.saturating_mul(2) <= flushes.count || filled >= SMALL_MEMTABLE || a_minute < CONSTANT_FLUSHES
    {
        return None;
    }
    let because = vec![
        evidence("a memtable when it is flushed", Amount::Bytes(mean), Amount::Bytes(write_buffer)),
        evidence("flushes in a minute", Amount::Count(a_minute), Amount::Count(CONSTANT_FLUSHES)),
        evidence(
            "flushes that the write-buffer manager asked for",
            Amount::Count(flushes.by_manager),
            Amount::Count(flushes.count),
        ),
    ];
    Some(Verdict {
        bound: Bound::Flushes,
        cause: Cause::WriteBufferShare,
        confidence: Confidence::High,
        evidence: because,
        turns: share_turns(setting),
    })
}

fn share_turns(setting: &Setting<'_>) -> Vec<Turn> {
    let turns = Turns::of(setting);
    if !turns.is_pooled() {
        return turns.store("writebuffer.size", Direction::Raise, "memtables are flushed later").done();
    }
    turns
        .store("memory.write-buffer-ratio", Direction::Raise, "memtables may take more of the slot's memory")
        .memory()
        .done()
}

fn flush_turns(setting: &Setting<'_>) -> Vec<Turn> {
    let turns = Turns::of(setting).store(
        "thread.num",
        Direction::Raise,
        "more threads write memtables to files and compact them",
    );
    let more = "a burst of writes finds room while a memtable is written";
    let turns = turns.store("writebuffer.count", Direction::Raise, more);
    if turns.is_pooled() { turns.memory().done() } else { turns.done() }
}

/// Files are merged too slowly.
pub(super) fn compactions(figures: &Figures, setting: &Setting<'_>) -> Seen<Option<Verdict>> {
    let mut because = Vec::new();
    let mut cause = Cause::Unknown;
    let mut confidence = Confidence::Medium;
    let level0_limit = figures.level0_slowdown.unwrap_or(LEVEL0_SLOWDOWN);
    let soft = figures.soft_pending.unwrap_or(SOFT_PENDING);
    let near = |part: u64, whole: u64| permille(part, whole).is_some_and(|share| share >= NEAR_LIMIT);
    if let Some(files) = figures.level0_files.filter(|files| near(*files, level0_limit)) {
        cause = Cause::Level0;
        because.push(evidence("files in level 0", Amount::Count(files), Amount::Count(level0_limit)));
        if files >= level0_limit {
            confidence = Confidence::High;
        }
    }
    if let Some(pending) = figures.pending_compaction.filter(|pending| near(pending.get(), soft.get())) {
        cause = Cause::PendingCompaction;
        because.push(evidence("waits to be compacted", Amount::Bytes(pending), Amount::Bytes(soft)));
        if pending >= soft {
            confidence = Confidence::High;
        }
    }
    let counts = [
        (figures.stalls.level0, Cause::Level0, "times that writes were held back for level 0"),
        (figures.stalls.pending, Cause::PendingCompaction, "times that writes were held back for pending compactions"),
    ];
    for (count, of, what) in counts {
        let Some(count) = count.filter(|count| *count >= LEAST_STALLS) else { continue };
        if figures.stalls.permille.is_some_and(|share| share < COSTLY_STALL) {
            continue;
        }
        because.push(evidence(what, Amount::Count(count), Amount::Count(LEAST_STALLS)));
        confidence = confidence.max(Confidence::Medium);
        if cause == Cause::Unknown {
            cause = of;
        }
    }
    if because.is_empty() {
        let stalls = &figures.stalls;
        let nothing = figures.level0_files.is_none() && figures.pending_compaction.is_none();
        if nothing && stalls.level0.is_none() && stalls.pending.is_none() {
            let names = ["estimate-pending-compaction-bytes"];
            return Err(unseen(setting, "nothing says how far compaction is behind", &names));
        }
        return Ok(None);
    }
    Ok(Some(Verdict {
        bound: Bound::Compactions,
        cause,
        confidence,
        evidence: because,
        turns: compaction_turns(setting),
    }))
}

fn compaction_turns(setting: &Setting<'_>) -> Vec<Turn> {
    Turns::of(setting)
        .store("thread.num", Direction::Raise, "more threads compact; this needs idle cores and a disk that keeps up")
        .store(
            "compaction.level.max-size-level-base",
            Direction::Raise,
            "with a level 1 as large as what level 0 collects, fewer bytes are written again",
        )
        .store(
            "compaction.level.target-file-size-base",
            Direction::Raise,
            "fewer and larger files are merged at a time",
        )
        .store(
            "compaction.level.use-dynamic-size",
            Direction::On,
            "levels are sized from the last one up: less is written again",
        )
        .done()
}
