//! One look at a process as observations: what recordings, trends and metrics are made of.

use super::account::Account;
use super::container::ContainerAccount;
use super::rocksdb_metrics::RocksDbUse;
use super::rocksdb_view::RocksDbView;
use super::sample::Sample;
use crate::artefact::process_status::ProcessStatus;
use crate::model::{Bytes, Measure, Observation, Observations, Origin, Pool, Seen, Unseen};

/// All measures of a look.
pub fn observations(
    sample: &Sample,
    account: &Seen<Account>,
    container: &Seen<ContainerAccount>,
    rocksdb: &RocksDbView,
) -> Observations {
    let mut all = Vec::new();
    pools(&mut all, account, container);
    status(&mut all, sample);
    cgroup(&mut all, sample, container);
    jvm(&mut all, sample);
    malloc(&mut all, sample);
    from_rest(&mut all, sample, rocksdb);
    Observations { at: sample.at, target: sample.identity(), all }
}

fn pools(all: &mut Vec<Observation>, account: &Seen<Account>, container: &Seen<ContainerAccount>) {
    let is_divided = account.as_ref().is_ok_and(|account| account.bytes(Pool::AllocatorRetained) > Bytes::ZERO);
    for pool in Pool::ALL {
        let value = match (pool.is_resident(), account, container) {
            (true, Err(unseen), _) => Err(unseen.clone()),
            (true, Ok(_), _) if pool.is_malloc() && pool != Pool::MallocUndivided && !is_divided => {
                Err(Unseen::because("malloc could not be looked into"))
            }
            (true, Ok(account), _) => Ok(account.bytes(pool).get()),
            (false, _, Err(unseen)) => Err(unseen.clone()),
            (false, _, Ok(container)) => match container.beside(pool) {
                Some(bytes) => Ok(bytes.get()),
                None => Err(Unseen::because("the kernel does not say it for this cgroup")),
            },
        };
        let origin = match account {
            Ok(account) if pool.is_resident() => account.entry(pool).map_or(Origin::Smaps, |entry| entry.origin),
            _ if pool.is_resident() => Origin::Smaps,
            _ => Origin::Cgroup,
        };
        all.push(Observation { measure: Measure::Pool(pool), value, origin });
    }
}

fn status(all: &mut Vec<Observation>, sample: &Sample) {
    let mut size = |measure: Measure, of: fn(&ProcessStatus) -> Option<Bytes>| {
        let value = sample.files.status.as_ref().map_err(Clone::clone).and_then(|status| {
            of(status).map(Bytes::get).ok_or_else(|| Unseen::because("this kernel does not give it"))
        });
        all.push(Observation { measure, value, origin: Origin::Status });
    };
    size(Measure::Rss, |status| status.rss);
    size(Measure::RssAnon, |status| status.rss_anon);
    size(Measure::RssFile, |status| status.rss_file);
    size(Measure::RssShmem, |status| status.rss_shmem);
    size(Measure::RssPeak, |status| status.rss_peak);
    size(Measure::Swap, |status| status.swap);
    let threads = sample.files.status.as_ref().map_err(Clone::clone).and_then(|status| {
        status.threads.ok_or_else(|| Unseen::because("/proc/PID/status does not count the process's threads"))
    });
    all.push(Observation { measure: Measure::Threads, value: threads, origin: Origin::Status });
}

fn cgroup(all: &mut Vec<Observation>, sample: &Sample, container: &Seen<ContainerAccount>) {
    let group = sample.cgroup.as_ref().map(|cgroup| &cgroup.own);
    let mut push = |measure: Measure, of: &dyn Fn() -> Option<u64>| {
        let value = match &group {
            Err(unseen) => Err((*unseen).clone()),
            Ok(_) => of().ok_or_else(|| Unseen::because("the cgroup does not say it")),
        };
        all.push(Observation { measure, value, origin: Origin::Cgroup });
    };
    let own = group.as_ref().ok().copied();
    let bytes = |size: Option<Bytes>| size.map(Bytes::get);
    let stat = || own.map(|group| &group.stat);
    push(Measure::CgroupUsage, &|| bytes(own?.usage));
    push(Measure::CgroupPeak, &|| bytes(own?.peak));
    push(Measure::CgroupLimit, &|| bytes(container.as_ref().ok()?.limit));
    push(Measure::CgroupWorkingSet, &|| bytes(own?.working_set()));
    push(Measure::CgroupAnon, &|| bytes(stat()?.anon));
    push(Measure::CgroupFile, &|| bytes(stat()?.file));
    push(Measure::CgroupDirty, &|| bytes(stat()?.dirty));
    push(Measure::CgroupWriteback, &|| bytes(stat()?.writeback));
    push(Measure::CgroupShmem, &|| bytes(stat()?.shmem));
    push(Measure::CgroupKernel, &|| bytes(stat()?.kernel));
    push(Measure::CgroupOomKills, &|| own?.oom_kills);
    push(Measure::CgroupLimitHits, &|| own?.limit_hits);
    push(Measure::CgroupRefaults, &|| stat()?.refaults);
}

fn jvm(all: &mut Vec<Observation>, sample: &Sample) {
    let mut push = |measure: Measure, of: &dyn Fn() -> Option<u64>| {
        let value = match &sample.jvm {
            Err(unseen) => Err(unseen.clone()),
            Ok(_) => of().ok_or_else(|| Unseen::because("this collector or JDK does not count it")),
        };
        all.push(Observation { measure, value, origin: Origin::HsPerfData });
    };
    let jvm = sample.jvm.as_ref().ok();
    push(Measure::HeapUsed, &|| jvm?.heap_used());
    push(Measure::HeapCommitted, &|| jvm?.heap_committed());
    push(Measure::OldUsed, &|| jvm?.old_used());
    push(Measure::MetaspaceUsed, &|| jvm?.metaspace.as_ref()?.used);
    push(Measure::MetaspaceCommitted, &|| jvm?.metaspace.as_ref()?.capacity);
    push(Measure::ClassSpaceUsed, &|| jvm?.class_space.as_ref()?.used);
    push(Measure::ClassesLoaded, &|| jvm?.loaded_classes);
    push(Measure::YoungCollections, &|| jvm?.young_collections()?.invocations);
    push(Measure::YoungCollectionTime, &|| jvm?.young_collections()?.nanoseconds);
    push(Measure::FullCollections, &|| jvm?.full_collections()?.invocations);
    push(Measure::FullCollectionTime, &|| jvm?.full_collections()?.nanoseconds);
    push(Measure::Safepoints, &|| jvm?.safepoints);
    push(Measure::SafepointTime, &|| jvm?.safepoint_nanoseconds);
}

fn malloc(all: &mut Vec<Observation>, sample: &Sample) {
    let mut push = |measure: Measure, value: Seen<u64>| {
        all.push(Observation { measure, value, origin: Origin::HeapWalk });
    };
    let walk = sample.heap.as_ref().map_err(Clone::clone);
    push(Measure::MallocInUse, walk.clone().map(|walk| walk.total().in_use.resident + walk.mapped_total().resident));
    push(Measure::MallocFreeResident, walk.map(|walk| walk.free_resident()));
}

fn from_rest(all: &mut Vec<Observation>, sample: &Sample, rocksdb: &RocksDbView) {
    let mut push = |measure: Measure, value: Seen<Bytes>, origin: Origin| {
        all.push(Observation { measure, value: value.map(Bytes::get), origin });
    };
    let direct = sample.rest.as_ref().map_err(Clone::clone).and_then(|rest| rest.metrics.direct.used.clone());
    push(Measure::DirectUsed, direct, Origin::Rest);
    let used = |of: fn(&RocksDbUse) -> &Seen<Bytes>| {
        rocksdb.metrics.as_ref().map_err(Clone::clone).and_then(|metrics| of(metrics).clone())
    };
    push(Measure::RocksDbCacheUsage, used(|used| &used.cache_usage), Origin::Rest);
    push(Measure::RocksDbCacheCapacity, used(|used| &used.cache_capacity), Origin::Rest);
    push(Measure::RocksDbCachePinned, used(|used| &used.cache_pinned), Origin::Rest);
    push(Measure::RocksDbMemtables, used(|used| &used.memtables), Origin::Rest);
    let files = sample.rocksdb.as_ref().map(|databases| databases.table_bytes()).map_err(Clone::clone);
    push(Measure::RocksDbFiles, files, Origin::RocksDbFiles);
}
