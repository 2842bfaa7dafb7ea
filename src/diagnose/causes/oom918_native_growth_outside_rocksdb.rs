use super::mib;
use super::room::{self, Room};
use crate::artefact::smaps::Mapping;
use crate::diagnose::cause::{Outlook, Told, cause};
use crate::diagnose::over_time::OverTime;
use crate::diagnose::trend::{Forecast, Trend, Verdict, restarts};
use crate::model::{Bytes, Confidence, Finding, Measure, Pool, Severity};

cause! {
    /// Native memory in use grows, and it is not RocksDB's blocks or memtables: a leak of a library or of user code.
    ///
    /// ### What is seen
    /// What malloc has in use rises without an end while RocksDB's cache, its memtables, the Java heap and metaspace are flat.
    /// Compression codecs that are not closed (zlib, zstd, snappy), JNI clients, Netty outside of its bound, iterators and
    /// options of RocksDB that Flink or a job forgets to close: all of them take memory that Flink neither plans nor
    /// measures. A job dies after days, always after the same number of them.
    ///
    /// ### What it is not
    /// - Memory that malloc keeps after it was freed (OOM901): what is in use stays flat there.
    /// - A RocksDB that fills its cache: that ends at the cache's capacity. Without managed memory it may not (OOM921).
    /// - Direct memory, which has a bound (OOM913).
    ///
    /// ### How to prove it
    /// A recording over hours (`oomph record`). Then profile who allocates: jemalloc with `prof:true`, or `async-profiler -e
    /// malloc`. `jcmd PID VM.native_memory` shows the JVM's own part, which is not it.
    ///
    /// ### Cure
    /// Upgrade or close what leaks. Known in Flink: options that a compaction keeps until a restart (FLINK-39753), and in 2.0
    /// and later statistics with ticker metrics (`state.backend.rocksdb.metrics.block-cache-hit` and others, FLINK-39923).
    /// Until then `taskmanager.memory.jvm-overhead.min` and `taskmanager.memory.jvm-overhead.max` buy time.
    ///
    /// ### Sources
    /// - [FLINK-39753](https://github.com/apache/flink/pull/28251), [FLINK-39923](https://github.com/apache/flink/pull/28489),
    ///   [FLINK-21986](https://github.com/apache/flink/pull/15619): native leaks by version.
    /// - [iceberg#3950](https://github.com/apache/iceberg/issues/3950): native codecs that are not returned.
    /// - PyFlink on YARN: RocksDB's metrics stable, the container killed after five days.
    "OOM918" "native-growth-outside-rocksdb" {
        early: early,
    }
}

/// Growth over what was watched that is worth a word, of what malloc has in use, in thousandths. Ours.
const WORTH: f64 = 0.02;

fn early(outlook: &Outlook<'_>) -> Vec<Finding> {
    finding(outlook).into_iter().collect()
}

fn finding(outlook: &Outlook<'_>) -> Option<Finding> {
    let before = outlook.before?;
    let restarts = before.restarts.as_ref().map(|restarts| &restarts.verdict);
    if matches!(restarts, Some(restarts::Verdict::StepPerRestart(restarts::Keeper::Allocator))) {
        return None;
    }
    let native = before.trend(Measure::MallocInUse).filter(|trend| is_rising(trend))?;
    let per_second = native.slope?.per_second;
    let gained = per_second * native.span().as_secs_f64();
    if gained < native.level as f64 * WORTH {
        return None;
    }
    let flat = elsewhere(outlook, before)?;
    let anon = before.trend(Measure::RssAnon).is_some_and(is_rising);
    let forecast = Room::of(outlook).and_then(|room| room.forecast(before));
    let soon = matches!(forecast, Some(Forecast::Between { latest: Some(_), .. }));
    let by = mib(Bytes::new((per_second * 3600.0).max(0.0) as u64));
    let mut finding = CAUSE.finding(
        if soon { Severity::Error } else { Severity::Warning },
        if anon { Confidence::High } else { Confidence::Medium },
        format!("native memory in use grows by {by} an hour, and it is not RocksDB's blocks or memtables"),
    );
    finding = finding.note(format!("malloc has {} in use", mib(Bytes::new(native.level))));
    finding = finding.note(flat);
    if let Some(when) = forecast.as_ref().and_then(room::when) {
        finding = finding.note(format!("the container's limit is reached {when}"));
    }
    if before.trend(Measure::DirectUsed).is_some_and(is_rising) {
        finding = finding.note("direct buffers grow as well: see whose they are first");
    }
    Some(finding.help(
        "profile who allocates (jemalloc with prof:true, async-profiler -e malloc), and upgrade or close what leaks",
    ))
}

fn is_rising(trend: &Trend) -> bool {
    trend.is_growing()
}

/// That nothing else that malloc holds explains it, in a sentence; nothing where it does, or where that was not seen.
fn elsewhere(outlook: &Outlook<'_>, before: &OverTime) -> Option<String> {
    let known =
        |measure: Measure| before.trend(measure).filter(|trend| !matches!(trend.verdict, Verdict::Unclear { .. }));
    if !has_rocksdb(outlook)? {
        return Some("RocksDB is not loaded".to_owned());
    }
    // RocksDB's own metrics, or the chunks of its sizes: both parts of one of the two.
    let pairs = [
        (Measure::RocksDbCacheUsage, Measure::RocksDbMemtables, "RocksDB's metrics"),
        (Measure::Pool(Pool::BlockCache), Measure::Pool(Pool::Memtables), "chunks of RocksDB's sizes"),
    ];
    let (cache, memtables, whose) =
        pairs.into_iter().find_map(|(cache, memtables, whose)| Some((known(cache)?, known(memtables)?, whose)))?;
    let flat = !is_rising(cache) && !is_rising(memtables);
    flat.then(|| format!("{whose} are flat: blocks {}, memtables {}", size(cache), size(memtables)))
}

fn size(trend: &Trend) -> String {
    mib(Bytes::new(trend.level))
}

fn has_rocksdb(outlook: &Outlook<'_>) -> Option<bool> {
    let is_store = |mapping: &Mapping| mapping.file_name().contains("rocksdb") || mapping.file_name().contains("forst");
    let smaps = outlook.now.sample.files.smaps.as_ref().ok()?;
    Some(smaps.mappings.iter().any(is_store))
}

#[cfg(test)]
mod tests {
    use super::super::tried::{self, Tried};
    use super::*;

    const MIB: u64 = 1 << 20;

    fn watched(rocksdb: bool) -> Tried {
        let mut library = tried::mapping(0, 4096);
        library.name = if rocksdb { "/tmp/librocksdbjni-linux64.so" } else { "/lib/libc.so.6" }.to_owned();
        let tried = Tried::taskmanager().mappings(vec![library]);
        tried.before(Measure::MallocInUse, (0..40).map(|look| (300 + 2 * look) * MIB))
    }

    fn flat(tried: Tried, measure: Measure) -> Tried {
        tried.before(measure, (0..40).map(|look| 200 * MIB + (look % 3) * 4096))
    }

    #[test]
    fn growth_beside_a_flat_rocksdb_is_found() {
        let tried = flat(flat(watched(true), Measure::RocksDbCacheUsage), Measure::RocksDbMemtables);
        let finding = tried.finding(&CAUSE);
        assert_eq!((finding.severity, finding.confidence), (Severity::Warning, Confidence::Medium));
        assert!(finding.title.contains("grows by 720.0 MiB an hour"), "{}", finding.title);
        let sure = flat(flat(watched(true), Measure::RocksDbCacheUsage), Measure::RocksDbMemtables)
            .before(Measure::RssAnon, (0..40).map(|look| (800 + 2 * look) * MIB));
        assert_eq!(sure.finding(&CAUSE).confidence, Confidence::High);
    }

    #[test]
    fn a_rocksdb_that_grows_or_was_not_seen_is_no_leak_of_another() {
        assert!(watched(true).finds(&CAUSE).is_empty());
        let fills = flat(watched(true), Measure::RocksDbMemtables)
            .before(Measure::RocksDbCacheUsage, (0..40).map(|look| (100 + 2 * look) * MIB));
        assert!(fills.finds(&CAUSE).is_empty());
    }

    #[test]
    fn without_rocksdb_growth_is_enough_and_without_growth_there_is_none() {
        assert_eq!(watched(false).finds(&CAUSE).len(), 1);
        assert!(flat(Tried::taskmanager().mappings(Vec::new()), Measure::MallocInUse).finds(&CAUSE).is_empty());
    }
}
