//! Everything that is known of one process after one look: what reports show and findings are drawn from.

use super::account::Account;
use super::cause::Outlook;
use super::causes;
use super::configured::Configured;
use super::container::ContainerAccount;
use super::ledger::Ledger;
use super::observe;
use super::over_time::OverTime;
use super::reckoning::{self, NativeSizes};
use super::rocksdb_view::{self, RocksDbView};
use super::sample::Sample;
use crate::model::{Bytes, Finding, Limit, Observations, Seen, Unseen};
use crate::plan::Survey;

/// One process, examined.
#[derive(Clone, Debug)]
pub struct Examination {
    /// What was read.
    pub sample: Sample,
    /// What Flink planned for it; unseen where it is not Flink's or its command line does not say.
    pub planned: Seen<Box<Survey>>,
    /// Where every resident byte is.
    pub account: Seen<Account>,
    /// The same laid over the plan.
    pub ledger: Seen<Ledger>,
    /// What lies beside it in its container.
    pub container: Seen<ContainerAccount>,
    /// Where it differs from its configuration; nothing where none was given.
    pub configured: Option<Seen<Configured>>,
    /// RocksDB.
    pub rocksdb: RocksDbView,
    /// All measures.
    pub observations: Observations,
    /// What will end it, or is wrong.
    pub findings: Vec<Finding>,
}

impl Examination {
    /// Examines a sample.
    pub fn of(sample: Sample, planned: Seen<Box<Survey>>) -> Examination {
        let rocksdb = rocksdb_view::view(&sample, planned.as_deref().ok());
        let sizes = native_sizes(&sample, planned.as_deref().ok(), rocksdb.other_direct.as_ref().ok().copied());
        let account = reckoning::reckon(&sample, &sizes).map(|(_, account)| account);
        let container = sample.cgroup.as_ref().map(ContainerAccount::of).map_err(Clone::clone);
        let observations = observe::observations(&sample, &account, &container, &rocksdb);
        let ledger = match (&account, &planned) {
            (Ok(account), Ok(survey)) => Ok(Ledger::of(account, &survey.plan.budget)),
            (Err(unseen), _) | (_, Err(unseen)) => Err(unseen.clone()),
        };
        let mut examination = Examination {
            sample,
            planned,
            account,
            ledger,
            container,
            configured: None,
            rocksdb,
            observations,
            findings: Vec::new(),
        };
        examination.findings = causes::early(&Outlook { now: &examination, before: None });
        examination
    }

    /// The same with what came before, so that what takes time to show is found as well.
    #[must_use]
    pub fn with_history(mut self, before: &OverTime) -> Examination {
        self.findings = causes::early(&Outlook { now: &self, before: Some(before) });
        self
    }

    /// What bounds its container.
    ///
    /// # Errors
    /// Where its container was not seen, or the limit of a group that it lies in.
    pub fn limit(&self) -> Seen<Limit> {
        self.sample.cgroup.as_ref().map_err(Clone::clone)?.limit()
    }

    /// What could not be seen, by the name of what it is.
    pub fn unseen(&self) -> Vec<(&'static str, &Unseen)> {
        let files = &self.sample.files;
        let mut all: Vec<(&'static str, Option<&Unseen>)> = vec![
            ("sizes", files.status.as_ref().err()),
            ("command line", files.command.as_ref().err()),
            ("mappings", files.smaps.as_ref().err()),
            ("limits", files.limits.as_ref().err()),
            ("environment", files.allocator_variables.as_ref().err()),
            ("threads", files.threads.as_ref().err()),
            ("cgroup", self.sample.cgroup.as_ref().err()),
            ("performance data", self.sample.jvm.as_ref().err()),
            ("malloc's chunks", self.sample.heap.as_ref().err()),
            ("native memory tracking", self.sample.nmt.as_ref().err()),
            ("RocksDB's files", self.sample.rocksdb.as_ref().err()),
            ("Flink's REST", self.sample.rest.as_ref().err()),
        ];
        all.push(("budget", self.planned.as_ref().err()));
        all.push(("configuration", self.configured.as_ref().and_then(|configured| configured.as_ref().err())));
        all.into_iter().filter_map(|(what, unseen)| Some((what, unseen?))).collect()
    }
}

/// The sizes that Flink and RocksDB allocate in, as planned.
fn native_sizes(sample: &Sample, planned: Option<&Survey>, other_direct: Option<Bytes>) -> NativeSizes {
    let mapped = sample.files.smaps.as_ref().map(|smaps| smaps.mappings.as_slice()).unwrap_or_default();
    let is_store = |name: &str| name.contains("rocksdb") || name.contains("forst");
    let has_rocksdb = mapped.iter().any(|mapping| mapping.access.execute && is_store(mapping.file_name()));
    let buffers = planned.and_then(|survey| survey.plan.network_buffers.as_ref()?.as_ref().ok());
    let stores = planned.and_then(|survey| survey.plan.slots.as_ref()?.as_ref().ok()).map(|slots| &slots.stores);
    let pools = stores.into_iter().flatten().filter_map(|(_, memory)| memory.as_ref().ok()?.pool.as_ref());
    let planned_blocks = pools.map(|pool| pool.real_arena_block.get());
    let databases = sample.rocksdb.as_ref().map(|databases| databases.instances.as_slice()).unwrap_or_default();
    let logged = databases.iter().filter_map(|instance| instance.arena_block()).map(Bytes::get);
    let mut blocks: Vec<u64> = planned_blocks.chain(logged).collect();
    blocks.sort_unstable();
    blocks.dedup();
    let network = buffers.map(|buffers| (buffers.segment.bytes.get(), buffers.count));
    NativeSizes {
        network,
        memtable_blocks: blocks,
        block_size: None,
        other_direct: other_direct.or_else(|| booked_direct(sample, network)),
        has_rocksdb,
    }
}

/// Direct memory beside the network buffers, where the JVM keeps books: what `Unsafe` allocates is `Other` there (HotSpot's
/// unsafe.cpp, `Unsafe_AllocateMemory0`, from JDK 11 on).
fn booked_direct(sample: &Sample, network: Option<(u64, u64)>) -> Option<Bytes> {
    let (segment, count) = network?;
    let other = sample.nmt.as_ref().ok()?.category("Other")?.malloc?.bytes;
    other.checked_sub(segment.saturating_mul(count)).map(Bytes::new)
}
