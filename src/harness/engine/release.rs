//! The releases of RocksDB that Flink carries, and what differs between them.
//!
//! A release more: compare its `include/rocksdb/c.h` with the declarations in `table.rs`, and the Java entry points that are
//! listed there with `java/rocksjni/*.cc`; then add a line to [`RELEASES`]. What cannot be said in the columns that there are
//! needs a column.

use std::fmt;

/// A release of RocksDB with what has to be known to call it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Release {
    /// Major, minor, patch.
    pub number: [u8; 3],
    /// Who ships it.
    pub shipped_in: &'static str,
    /// Arguments of `Java_org_rocksdb_LRUCache_newLRUCache`.
    pub(super) cache: CacheArguments,
    /// Who makes write-buffer managers.
    pub(super) manager: ManagerBy,
    /// Whether it has [`Since6`](super::table::Since6).
    pub(super) since6: bool,
    /// Whether it has [`Since8`](super::table::Since8).
    pub(super) since8: bool,
    /// How Flink says how many threads flush and compact.
    pub(super) threads: Threads,
    /// `BlockBasedTableConfig.formatVersion` of RocksDB's Java interface, which Flink hands over with the shared cache. That of
    /// 5.17.2 is not the one that RocksDB itself begins with, 2.
    pub(super) format_version: i32,
    /// Whether Flink's Bloom filters are those of a block each (`BloomFilter.DEFAULT_MODE` of 5.17.2) and not of a file.
    pub(super) block_based_bloom: bool,
}

/// Arguments of `Java_org_rocksdb_LRUCache_newLRUCache` (`java/rocksjni/lru_cache.cc`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CacheArguments {
    /// Capacity, shard bits, strict, part for high priority.
    HighPriority,
    /// As before, and the part for low priority.
    HighAndLowPriority,
}

/// Who makes write-buffer managers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ManagerBy {
    /// The Java interface (`java/rocksjni/write_buffer_manager.cc`): size and cache.
    Java,
    /// The C interface.
    C,
}

/// How Flink says how many threads flush and compact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Threads {
    /// `setIncreaseParallelism`: Flink 1.9 to 1.14, `DefaultConfigurableOptionsFactory`.
    IncreaseParallelism,
    /// `setMaxBackgroundJobs`: Flink 1.15 to 2.3, `RocksDBResourceContainer`.
    MaxBackgroundJobs,
}

/// All that are known, oldest first.
pub const RELEASES: [Release; 3] = [
    Release {
        number: [5, 17, 2],
        shipped_in: "Flink 1.9 to 1.13",
        cache: CacheArguments::HighPriority,
        manager: ManagerBy::Java,
        since6: false,
        since8: false,
        threads: Threads::IncreaseParallelism,
        format_version: 0,
        block_based_bloom: true,
    },
    Release {
        number: [6, 20, 3],
        shipped_in: "Flink 1.14 to 1.20",
        cache: CacheArguments::HighPriority,
        manager: ManagerBy::Java,
        since6: true,
        since8: false,
        threads: Threads::MaxBackgroundJobs,
        format_version: 5,
        block_based_bloom: false,
    },
    NEWEST,
];

/// The release that is also built in.
pub(super) const NEWEST: Release = Release {
    number: [8, 10, 0],
    shipped_in: "Flink 2.0 to 2.3",
    cache: CacheArguments::HighAndLowPriority,
    manager: ManagerBy::C,
    since6: true,
    since8: true,
    threads: Threads::MaxBackgroundJobs,
    format_version: 5,
    block_based_bloom: false,
};

impl Release {
    /// The release with that number; nothing where it is none of the known ones.
    pub fn of(number: [u8; 3]) -> Option<Release> {
        RELEASES.into_iter().find(|release| release.number == number)
    }

    /// The number that `java/rocksjni/rocksjni.cc` packs into one: a byte each.
    pub(super) fn unpacked(version: i32) -> [u8; 3] {
        let [_, major, minor, patch] = version.to_be_bytes();
        [major, minor, patch]
    }

    /// The number in the `OPTIONS` file that a database writes: `rocksdb_version=5.17.2` (`options/options_parser.cc`).
    pub(super) fn written(options: &str) -> Option<[u8; 3]> {
        let version = options.lines().find_map(|line| line.trim().strip_prefix("rocksdb_version="))?;
        let mut parts = version.trim().split('.').map(|part| part.parse().ok());
        let number = [parts.next()??, parts.next()??, parts.next()??];
        parts.next().is_none().then_some(number)
    }

    /// All that are known, for messages.
    pub(super) fn known() -> String {
        let known = RELEASES.iter().map(|release| format!("{release} ({})", release.shipped_in));
        known.collect::<Vec<_>>().join(", ")
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.number;
        f.pad(&format!("{major}.{minor}.{patch}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_is_known_by_its_whole_number() {
        assert_eq!(Release::of([6, 20, 3]).map(|release| release.to_string()), Some("6.20.3".to_owned()));
        assert_eq!(Release::of([6, 20, 4]), None);
        assert_eq!(Release::of([10, 0, 0]), None);
    }

    #[test]
    fn the_number_is_read_as_java_packs_it_and_as_a_database_writes_it() {
        assert_eq!(Release::unpacked(0x0006_1403), [6, 20, 3]);
        let file =
            "# This is a RocksDB option file.\n[Version]\n  rocksdb_version=5.17.2\n  options_file_version=1.1\n";
        assert_eq!(Release::written(file), Some([5, 17, 2]));
        for malformed in
            ["", "rocksdb_version=", "rocksdb_version=5.17", "rocksdb_version=5.17.2.1", "rocksdb_version=5.x.2"]
        {
            assert_eq!(Release::written(malformed), None, "{malformed}");
        }
    }
}
