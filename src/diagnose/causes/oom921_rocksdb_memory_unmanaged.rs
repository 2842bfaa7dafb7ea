use super::{marks, mib};
use crate::artefact::rocksdb_directory::{Databases, SharedCache};
use crate::diagnose::cause::{Outlook, Told, cause};
use crate::diagnose::ledger::HeadRoom;
use crate::diagnose::postmortem::case::Case;
use crate::diagnose::postmortem::late::{Decides, Late, Weight};
use crate::diagnose::postmortem::signal::Signal;
use crate::diagnose::sample::Sample;
use crate::model::{Area, Bytes, Component, Confidence, Finding, Severity};
use crate::plan::store::Scope;

cause! {
    /// RocksDB's memory is not managed: every state has a cache and memtables of its own, and nothing bounds their sum.
    ///
    /// ### What is seen
    /// The LOG files of the databases name a block cache for each column family instead of one a slot. Each state of each
    /// subtask then takes its cache, 8 MiB, and two memtables of 64 MiB by default, and index and filter blocks come on top
    /// outside any cache. Managed memory is still planned where its size is set, and stays unused beside it.
    ///
    /// ### What it is not
    /// - A soft limit that iterators pass (OOM902): there is one cache a slot.
    /// - `state.backend.rocksdb.memory.fixed-per-slot`, which has one cache a slot outside of every budget.
    ///
    /// ### How to prove it
    /// `grep -h 'block_cache:' *LOG | sort | uniq -c` in the databases' directories or Flink's log directory: a pointer for
    /// each column family.
    ///
    /// ### Cure
    /// `state.backend.rocksdb.memory.managed: true`, its default since 1.10, and `taskmanager.memory.managed.fraction` for what
    /// RocksDB needs. In code: no options factory that sets a block cache, and no backend object that switches it off.
    ///
    /// ### Sources
    /// - [FLINK-7289](https://issues.apache.org/jira/browse/FLINK-7289), RocksDB in managed memory.
    /// - `RocksDBResourceContainer.getColumnOptions`, Flink 1.10 to 2.3; RocksDB, `BlockBasedTableOptions::block_cache` (8 MiB
    ///   where none is set).
    /// - Measured: Flink 1.20.5, unmanaged with 256 MiB memtables, killed in 25 s; managed, flat at 522 MB.
    "OOM921" "rocksdb-memory-unmanaged" {
        early: early,
        late: Some(Late {
            required,
            supporting: |case| case.shows_rocksdb(),
            weight: Weight::Explains,
            area: |_| Area::ManagedRocksDb,
            title,
            decides: Some(Decides {
                evidence: "a block cache for each state in the LOG files, instead of one a slot",
                command: "grep -h 'block_cache:' *LOG | sort | uniq -c",
            }),
            ..Late::UNMARKED
        }),
    }
}

/// Fewer caches could be slots.
const FEWEST: usize = 2;
/// `ColumnFamilyOptions::write_buffer_size` where the log does not say it (RocksDB's options.h; Flink keeps it).
const WRITE_BUFFER: Bytes = Bytes::mib(64);
/// `max_write_buffer_number` (advanced_options.h).
const WRITE_BUFFERS: u64 = 2;

fn early(outlook: &Outlook<'_>) -> Vec<Finding> {
    finding(outlook).into_iter().collect()
}

fn finding(outlook: &Outlook<'_>) -> Option<Finding> {
    let sample = &outlook.now.sample;
    let databases = sample.rocksdb.as_ref().ok();
    let caches = databases.map(Databases::slots).unwrap_or_default();
    let each_its_own = caches.len() >= FEWEST && caches.iter().all(|cache| cache.families == 1);
    let configured = is_configured(sample) || is_planned(outlook);
    let is_open = databases.is_some_and(|databases| !databases.instances.is_empty());
    if !(each_its_own || configured && is_open) {
        return None;
    }
    let managed = outlook.now.ledger.as_ref().ok().and_then(|ledger| ledger.row(Component::Managed));
    let over = managed.and_then(|row| row.head_room()).and_then(|room| match room {
        HeadRoom::Over(over) => Some(over),
        HeadRoom::Left(_) => None,
    });
    let bound = databases.map(|databases| bound(databases, &caches)).filter(|bound| *bound > Bytes::ZERO);
    let families: usize = caches.iter().map(|cache| cache.families).sum();
    let title = match bound.filter(|_| each_its_own) {
        Some(bound) => format!(
            "RocksDB's memory is not managed: {families} column families may take {} and more, which nothing bounds",
            mib(bound)
        ),
        None => "RocksDB's memory is not managed: nothing bounds what its states take together".to_owned(),
    };
    let sure = each_its_own && (configured || caches.len() > 2 * FEWEST);
    let mut finding = CAUSE.finding(
        if over.is_some() { Severity::Error } else { Severity::Warning },
        if sure { Confidence::High } else { Confidence::Medium },
        title,
    );
    if each_its_own {
        finding = finding.note(format!("{} block caches, one for each column family", caches.len()));
    }
    if let Some(over) = over {
        finding = finding.note(format!("in use now: {} more than managed memory", mib(over)));
    }
    Some(finding.help("set state.backend.rocksdb.memory.managed to true and restart the job"))
}

/// Caches and memtables of all column families at their sizes; index and filter blocks are not bounded.
fn bound(databases: &Databases, caches: &[SharedCache]) -> Bytes {
    let cached = caches.iter().filter_map(|cache| cache.capacity).map(Bytes::get).fold(0, u64::saturating_add);
    let families = databases.instances.iter().filter_map(|instance| instance.log.as_ref().ok());
    let families = families.flat_map(|log| &log.column_families);
    let memtables = families.map(|family| {
        let size = family.write_buffer_size.as_ref().map_or(WRITE_BUFFER, |stated| stated.what);
        let count = family.max_write_buffer_number.as_ref().map_or(WRITE_BUFFERS, |stated| stated.what);
        size.get().saturating_mul(count)
    });
    Bytes::new(memtables.fold(cached, u64::saturating_add))
}

/// Whether Flink's own configuration says so, by REST.
fn is_configured(sample: &Sample) -> bool {
    let configuration = sample.rest.as_ref().ok().and_then(|rest| rest.configuration.as_ref().ok());
    let value = |key: &str| configuration.and_then(|all| Some(all.iter().find(|(name, _)| name == key)?.1.as_str()));
    let fixed = ["state.backend.rocksdb.memory.fixed-per-slot", "state.backend.rocksdb.memory.fixed-per-tm"];
    value("state.backend.rocksdb.memory.managed") == Some("false") && fixed.iter().all(|key| value(key).is_none())
}

fn is_planned(outlook: &Outlook<'_>) -> bool {
    let slots = outlook.now.planned.as_ref().ok().and_then(|survey| survey.plan.slots.as_ref()?.as_ref().ok());
    let mut stores = slots.into_iter().flat_map(|slots| &slots.stores);
    stores.any(|(_, memory)| memory.as_ref().is_ok_and(|memory| memory.scope == Scope::None))
}

const MANAGED: &str = "state.backend.rocksdb.memory.managed";

/// A container at its limit, while RocksDB was told to take what it wants.
fn required<'s>(case: &Case<'s>) -> Vec<&'s Signal> {
    let fixed = ["state.backend.rocksdb.memory.fixed-per-slot", "state.backend.rocksdb.memory.fixed-per-tm"];
    let is_fixed = fixed.iter().any(|key| case.given(key).is_some());
    let backend = ["state.backend.type", "state.backend"].into_iter().find_map(|key| case.given(key));
    let is_other = backend.is_some_and(|(_, value)| !value.to_lowercase().contains("rocksdb"));
    let shown = [Area::PageCache, Area::Tmpfs, Area::Other];
    let filled_otherwise = !marks::told_of(case, &marks::OUTSIDE, &shown).is_empty();
    let Some(unmanaged) = case.is_given(MANAGED, "false").filter(|_| !is_fixed && !is_other && !filled_otherwise)
    else {
        return Vec::new();
    };
    let mut found = marks::killed(case, &marks::AT_ITS_LIMIT);
    if !found.is_empty() {
        found.push(unmanaged);
    }
    found
}

fn title(case: &Case<'_>) -> String {
    format!(
        "RocksDB's memory is not managed ({MANAGED}: false), and {} was killed with its container at {}",
        marks::victim(case),
        marks::its_limit(case)
    )
}

#[cfg(test)]
mod tests {
    use super::super::left::Left;
    use super::super::tried::Tried;
    use super::*;
    use crate::artefact::rocksdb_directory::RocksDbInstance;
    use crate::artefact::rocksdb_log;
    use crate::model::{Killer, Pool, Unseen};

    const FAMILY: &str = "2026/11/21-10:00:00.000000 7f01 [/column_family.cc:621] --------------- Options for column \
                          family [NAME]:\n2026/11/21-10:00:00.000000 7f01           Options.write_buffer_size: 67108864\n\
                          2026/11/21-10:00:00.000000 7f01   Options.max_write_buffer_number: 2\n\
                          2026/11/21-10:00:00.000000 7f01           table_factory options:   \
                          flush_block_policy_factory: F (0x1)\n  block_cache: CACHE\n  block_cache_name: LRUCache\n  \
                          block_cache_options:\n    capacity : 8388608\n";

    fn databases(caches: &[&[u64]]) -> Databases {
        let instance = |caches: &&[u64]| {
            let family = |(index, cache): (usize, &u64)| {
                FAMILY.replace("NAME", &format!("state-{index}")).replace("CACHE", &format!("{cache:#x}"))
            };
            let text: String = caches.iter().enumerate().map(family).collect();
            let no = || Unseen::because("it is made up");
            RocksDbInstance {
                directory: "/data/db".into(),
                owner: None,
                open: true,
                log: Ok(rocksdb_log::read(text.as_bytes())),
                options: Err(no()),
                manifest: Err(no()),
                manifest_bytes: Err(no()),
                tables: Err(no()),
            }
        };
        Databases { instances: caches.iter().map(instance).collect(), ..Databases::default() }
    }

    fn tried(caches: &[&[u64]]) -> Tried {
        Tried::taskmanager().with(|sample| sample.rocksdb = Ok(databases(caches)))
    }

    #[test]
    fn a_cache_for_each_column_family_is_unmanaged() {
        let finding = tried(&[&[1, 2, 3], &[4, 5, 6]]).finding(&CAUSE);
        assert_eq!((finding.severity, finding.confidence), (Severity::Warning, Confidence::High));
        assert!(finding.title.contains("6 column families may take 816.0 MiB and more"), "{}", finding.title);
        let used = tried(&[&[1, 2], &[3]]).uses(&[(Pool::Memtables, 900)]);
        assert_eq!(used.finding(&CAUSE).severity, Severity::Error);
        assert!(!used.all().iter().any(|finding| finding.code == "OOM902"), "it is said once");
    }

    #[test]
    fn a_cache_for_each_slot_is_managed() {
        assert!(tried(&[&[1, 1, 1], &[2, 2]]).finds(&CAUSE).is_empty());
        assert!(tried(&[&[1]]).finds(&CAUSE).is_empty());
        assert!(Tried::taskmanager().finds(&CAUSE).is_empty());
    }

    #[test]
    fn a_container_killed_at_its_limit_with_unmanaged_memory_is_explained() {
        for killer in [Killer::KernelMemcg, Killer::YarnPmem] {
            let verdict =
                Left::killed_by(killer, Area::Container).limit(Bytes::mib(1216)).given(MANAGED, "false").verdict();
            assert_eq!((verdict.code, verdict.area), (Some("OOM921"), Area::ManagedRocksDb), "{killer}");
            assert!(verdict.summary.contains("its limit of 1216.0 MiB"), "{}", verdict.summary);
        }
    }

    #[test]
    fn managed_memory_another_backend_page_cache_and_other_deaths_are_not_unmanaged() {
        let killed = || Left::killed_by(Killer::KernelMemcg, Area::Container);
        let silent = [
            killed(),
            killed().given(MANAGED, "true"),
            killed().given(MANAGED, "false").given("state.backend.type", "hashmap"),
            killed().given(MANAGED, "false").given("state.backend.rocksdb.memory.fixed-per-slot", "512mb"),
            Left::killed_by(Killer::KernelMemcg, Area::PageCache).given(MANAGED, "false"),
            Left::killed_by(Killer::Jvm, Area::Heap).given(MANAGED, "false"),
            Left::default().given(MANAGED, "false").ended(137),
        ];
        for left in silent {
            assert!(!left.codes().contains(&"OOM921"), "{left:?}");
        }
    }
}
