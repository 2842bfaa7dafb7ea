use super::stores;
use crate::check::policy::threshold;
use crate::check::rule::rule;
use crate::check::{Case, Collector};
use crate::flink::profile::ArenaBlock;
use crate::model::{Bytes, Severity};
use crate::plan::store::{Pool, Scope, Store, StoreMemory, pool_sizes};

rule! {
    /// A memtable's arena block is larger than all memtables may be: RocksDB flushes constantly.
    ///
    /// ### Why
    /// A memtable takes memory by arena blocks of an eighth of `writebuffer.size`: 8 MiB of the default. Seven eighths
    /// of the write-buffer manager may be in use before RocksDB flushes. Where one block is more, a flush follows every
    /// write or two: many files of a few records, and a job that hardly moves. OOM208 asks the same of several
    /// states.
    ///
    /// RocksDB 8.10, which Flink 2.x ships, takes blocks of 1 MiB at most, and begins a flush only when the last one
    /// has ended: above the limit it never stops, but writes go on. Flink 2.x still computes an eighth, and warns of
    /// flushes that do not happen; that is a note.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 4g
    /// taskmanager.numberOfTaskSlots: 4
    /// state.backend.type: rocksdb
    /// state.backend.rocksdb.writebuffer.size: 1gb
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 4g
    /// taskmanager.numberOfTaskSlots: 4
    /// state.backend.type: rocksdb
    /// ```
    ///
    /// ### Sources
    /// - FLINK-19238: https://github.com/apache/flink/pull/13393, https://github.com/apache/flink/pull/13688.
    /// - `RocksDBMemoryControllerUtils.validateArenaBlockSize`, Flink 1.12 to 2.3; RocksDB's own bound of 1 MiB:
    ///   https://github.com/facebook/rocksdb/pull/9020.
    /// - Measured with the RocksDB in flink-dist, write buffers of 64 MiB: under a manager of 4 MiB, 4,000 writes make
    ///   1,770 files with 1.20.5 and none with 2.3.0; with 2.3.0 under one of 1 MiB, 30,000 writes make
    ///   76 files. The ForSt in 2.3.0 does as its RocksDB.
    "OOM402" "arena-over-write-buffers" {
        severity: Severity::Error,
        since: Some((1, 10)),
        check: check,
    }
}

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    let Some(store) = case.store() else { return };
    let Some(memory) = case.store_memory(store) else { return };
    let Some(pool) = &memory.pool else { return };
    // A manager of nothing is none to RocksDB, and one below nothing is the largest there is.
    if pool.sizes.write_buffer_manager <= 0 {
        return;
    }
    if pool.flushes_constantly {
        flushes(case, found, store, memory, pool);
    } else if !pool.sizes.arena_ok && case.profile().behaviour.arena_check {
        warned_in_vain(case, found, store, memory, pool);
    }
}

fn flushes(case: &Case<'_>, found: &mut Collector<'_>, store: Store, memory: &StoreMemory, pool: &Pool) {
    let enough = enough(pool, memory.write_buffer.bytes, pool.real_arena_block);
    let constantly = case.profile().rocksdb.arena_block == ArenaBlock::EighthOfWriteBuffer;
    let (how, severity) = if constantly { ("constantly", Severity::Error) } else { ("without end", Severity::Warning) };
    let mut draft = found.find(format!(
        "{} flushes {how}: an arena block of {} is above the limit of {}",
        store.label(),
        pool.real_arena_block,
        size(pool.sizes.mutable_limit)
    ));
    draft = draft.severity(severity);
    for (place, text) in places(case, memory, pool) {
        draft = draft.at(&place, text);
    }
    draft = draft.note(sum(pool, memory));
    if !constantly {
        let release = case.profile().rocksdb.version;
        draft = draft.note(format!("RocksDB {release} begins the next flush as soon as the last has ended"));
    }
    let key = case.store_key(store, "writebuffer.size");
    // A memtable that the limit lets fill up is worth more than the largest with which the flushes end.
    let fits = size(pool.sizes.mutable_limit).whole_mib();
    let or = (fits > 0).then(|| format!(", or set {key}: {fits}mb at most, which the limit lets fill up"));
    draft.help(format!("{}{}", more(case, store, memory, enough), or.unwrap_or_default()));
}

fn warned_in_vain(case: &Case<'_>, found: &mut Collector<'_>, store: Store, memory: &StoreMemory, pool: &Pool) {
    let tiny = pool.total.bytes < case.policy.size(&threshold::STORE_POOL_MIN);
    let mut draft = match tiny {
        // What Flink warns of does not happen, but this is too little for anything.
        true => found
            .find(format!("{} has only {} in a slot for the cache and all memtables", store.label(), pool.total.bytes))
            .severity(Severity::Warning),
        false => found
            .find(format!(
                "Flink {} warns of constant flushes that its {} does not make",
                case.version(),
                store.label()
            ))
            .severity(Severity::Note),
    };
    for (place, text) in places(case, memory, pool) {
        draft = draft.at(&place, text);
    }
    draft
        .note(format!(
            "Flink computes an arena block of {}, above the limit of {}; RocksDB {} takes {} at a time",
            size(pool.sizes.arena_block),
            size(pool.sizes.mutable_limit),
            case.profile().rocksdb.version,
            pool.real_arena_block
        ))
        .note(format!("all memtables of a slot share {} all the same", size(pool.sizes.write_buffer_manager)))
        .help(match tiny {
            true => "give the store more managed memory, or have fewer slots",
            false => "take no notice of the warning in the log, or give the store more memory",
        });
}

/// The parts of the comparison.
fn sum(pool: &Pool, memory: &StoreMemory) -> String {
    format!(
        "a pool of {} gives memtables {}, of which 7/8 may be in use; an arena block is an eighth of {}",
        pool.total.bytes,
        size(pool.sizes.write_buffer_manager),
        memory.write_buffer.bytes
    )
}

/// What to set so that the pool is large enough.
fn more(case: &Case<'_>, store: Store, memory: &StoreMemory, enough: Option<Bytes>) -> String {
    let Some(enough) = enough else { return "set a smaller write buffer".to_owned() };
    let fixed = |rest| format!("set {}: {}", case.store_key(store, rest), enough.get());
    match memory.scope {
        Scope::SlotSharedUnmanaged => fixed("memory.fixed-per-slot"),
        Scope::TmSharedUnmanaged => fixed("memory.fixed-per-tm"),
        Scope::SlotSharedManaged | Scope::None => {
            let slots = case.slots().unwrap_or(1);
            let all = enough.checked_mul(u64::from(slots)).unwrap_or(Bytes::FLINK_MAX);
            format!(
                "give the store {enough} of managed memory in each slot (taskmanager.memory.managed.size: {} for \
                 {slots} slots of which it is the only consumer)",
                all.get()
            )
        }
    }
}

/// Where the figures come from: the memtable, the pool, else the backend.
fn places(case: &Case<'_>, memory: &StoreMemory, pool: &Pool) -> Vec<(crate::model::Place, String)> {
    let mut all = Vec::new();
    if let Some(place) = stores::place(&memory.write_buffer.provenance) {
        all.push((place.clone(), format!("a memtable of {}", memory.write_buffer.bytes)));
    }
    if let Some(place) = stores::place(&pool.total.provenance) {
        all.push((place.clone(), "the pool".to_owned()));
    } else {
        let of_pool = ["taskmanager.memory.managed.size", "taskmanager.memory.managed.fraction"];
        let written = of_pool.into_iter().find_map(|key| case.find(key)).filter(crate::check::Written::is_own);
        all.extend(written.map(|written| (written.place().clone(), format!("{} for a slot", pool.total.bytes))));
    }
    if all.is_empty() {
        all.extend(case.backend_setting().map(|written| (written.place().clone(), String::new())));
    }
    all
}

/// The smallest pool in which this much is within the mutable limit; the limit grows with the pool.
fn enough(pool: &Pool, write_buffer: Bytes, wanted: Bytes) -> Option<Bytes> {
    let wanted = wanted.as_java_long()?;
    let write_buffer = write_buffer.as_java_long()?;
    let fits = |total: i64| pool_sizes(total, pool.write_buffer_ratio.value, write_buffer).mutable_limit >= wanted;
    // Far above any machine, and far below where Flink's arithmetic wraps.
    let (mut low, mut high) = (0, 1 << 48);
    if !fits(high) {
        return None;
    }
    while low < high {
        let middle = low + (high - low) / 2;
        if fits(middle) { high = middle } else { low = middle + 1 }
    }
    u64::try_from(low).ok().map(Bytes::new)
}

/// A size of Flink's arithmetic; none of those shown is below nothing.
fn size(bytes: i64) -> Bytes {
    Bytes::new(u64::try_from(bytes).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use crate::check::tried::{codes, find};
    use crate::model::Severity;

    fn with(version: &str, per_slot: u64) -> String {
        format!(
            "# oomph: flink={version}\ntaskmanager.memory.process.size: 4g\nstate.backend: rocksdb\n\
             state.backend.rocksdb.memory.fixed-per-slot: {per_slot}\ntaskmanager.memory.managed.size: 0\n"
        )
    }

    #[test]
    fn the_default_write_buffer_needs_28760943_bytes_up_to_1_20() {
        for version in ["1.10", "1.16", "1.20"] {
            let help = find("OOM402", "flink-conf.yaml", &with(version, 28_760_942)).help.unwrap();
            assert!(help.contains("fixed-per-slot: 28760943,"), "{version}: {help}");
            assert!(!codes("flink-conf.yaml", &with(version, 28_760_943)).contains(&"OOM402"), "{version}");
        }
    }

    #[test]
    fn flink_2_warns_of_what_its_rocksdb_does_not_do() {
        let finding = find("OOM402", "config.yaml", &with("2.1", 28_760_942));
        assert_eq!(finding.severity, Severity::Note);
        assert!(finding.notes[0].contains("takes 1 MiB at a time"), "{finding:?}");
        let tiny = find("OOM402", "config.yaml", &with("2.1", 12 << 20));
        assert!(tiny.severity == Severity::Warning && tiny.title.contains("only 12 MiB"), "{tiny:?}");
        let real = find("OOM402", "config.yaml", &with("2.1", 3_000_000));
        assert!(real.severity == Severity::Warning && real.title.contains("without end"), "{real:?}");
    }

    #[test]
    fn managed_memory_is_asked_for_all_slots_together() {
        let text = "# oomph: flink=1.20\ntaskmanager.memory.process.size: 4g\ntaskmanager.numberOfTaskSlots: 4\n\
                    taskmanager.memory.managed.size: 64mb\nstate.backend.type: rocksdb\n";
        let finding = find("OOM402", "config.yaml", text);
        assert!(finding.help.as_ref().unwrap().contains("managed.size: 115043772 for 4 slots"), "{finding:?}");
        assert!(codes("config.yaml", &text.replace("64mb", "115043771")).contains(&"OOM402"));
        assert!(!codes("config.yaml", &text.replace("64mb", "115043772")).contains(&"OOM402"));
        assert_eq!(finding.labels[0].place.position.unwrap().line, 4);
    }

    #[test]
    fn state_on_the_heap_or_a_write_buffer_manager_of_nothing_never_flush() {
        let heap = with("1.20", 1 << 20).replace("backend: rocksdb", "backend: hashmap");
        assert!(!codes("config.yaml", &heap).contains(&"OOM402"));
        assert!(!codes("config.yaml", &with("1.20", 0)).contains(&"OOM402"));
    }
}
