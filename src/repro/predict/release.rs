//! Where the RocksDB releases that Flink ships differ in what they take.

use crate::model::Bytes;

/// A RocksDB that Flink ships: 5.17.2 in 1.9 to 1.13, 6.20.3 in 1.14 to 1.20, 8.10.0 in 2.x.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Release {
    /// 5.17.2.
    R5,
    /// 6.20.3.
    R6,
    /// 8.10.0.
    R8,
}

impl Release {
    /// From the text that a worker says, such as `6.20.3`: the nearest that Flink ships.
    pub fn from_text(text: &str) -> Release {
        match text.split('.').next().and_then(|major| major.trim().parse::<u32>().ok()) {
            Some(0..=5) => Release::R5,
            Some(6 | 7) => Release::R6,
            _ => Release::R8,
        }
    }

    /// As people write it.
    pub fn text(self) -> &'static str {
        match self {
            Release::R5 => "5.17.2",
            Release::R6 => "6.20.3",
            Release::R8 => "8.10.0",
        }
    }

    /// What a memtable allocates at a time where it is left to RocksDB: an eighth of the write buffer, up to 4 KiB, and
    /// since 6.24 1 MiB at most (`db/column_family.cc`, `SanitizeOptions`).
    pub fn arena_block(self, write_buffer: Bytes) -> Bytes {
        let eighth = write_buffer.get() / 8;
        let most = match self {
            Release::R5 | Release::R6 => u64::MAX,
            Release::R8 => 1 << 20,
        };
        Bytes::new(eighth.min(most).next_multiple_of(4096).max(4096))
    }

    /// The entries by which a write-buffer manager charges memtables to the cache (`memtable/write_buffer_manager.cc`,
    /// `kSizeDummyEntry`; 8.10: `cache/cache_reservation_manager.h`).
    pub fn dummy_entry(self) -> u64 {
        match self {
            Release::R5 => 1 << 20,
            Release::R6 | Release::R8 => 256 << 10,
        }
    }

    /// What remains charged when memtables are freed: 5.17 and 6.20 give back one entry a freed memtable, 8.10 all of them
    /// at once; each only below three quarters of what is charged (`FreeMemWithCache`; 8.10: `UpdateCacheReservation`).
    pub fn charged_after(self, charged: u64, used: u64) -> u64 {
        if used >= charged / 4 * 3 {
            return charged;
        }
        match self {
            Release::R5 | Release::R6 => charged.saturating_sub(self.dummy_entry()),
            Release::R8 => used.next_multiple_of(self.dummy_entry()),
        }
    }

    /// Whether a full write-buffer manager passes over column families whose last memtable is still being flushed
    /// (`db/db_impl/db_impl_write.cc`, `HandleWriteBufferManagerFlush`, since 7.x).
    pub fn spares_flushing_families(self) -> bool {
        self == Release::R8
    }

    /// Bytes of an index entry beside its key: header, block handle, restart point; and the sequence number that 5.17 keeps
    /// (format version 2; `table/block_based/index_builder.h`).
    pub fn index_entry(self) -> u64 {
        match self {
            Release::R5 => 3 + 7 + 4 + 8,
            Release::R6 | Release::R8 => 2 + 6 + 4,
        }
    }

    /// What a block in the cache is charged with beside its bytes: `Block`, its handle and key (`LRUHandle`, charged since
    /// 6.5: `kFullChargeCacheMetadata`), and what malloc rounds them to.
    pub fn charged_beside_block(self) -> u64 {
        match self {
            Release::R5 => 88,
            Release::R6 => 232,
            Release::R8 => 216,
        }
    }

    /// What a block in the cache takes beside its charge: the bucket of the hash table (`LRUHandleTable`), headers of malloc;
    /// in 5.17 the handle too, that is not charged there.
    pub fn uncharged_beside_block(self) -> u64 {
        match self {
            Release::R5 => 168,
            Release::R6 | Release::R8 => 36,
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(Release::R6, 64, 8 << 20)]
    #[case(Release::R5, 64, 8 << 20)]
    #[case(Release::R8, 64, 1 << 20)]
    #[case(Release::R8, 4, 512 << 10)]
    fn arena_blocks_are_those_of_the_release(#[case] release: Release, #[case] buffer: u32, #[case] expected: u64) {
        assert_eq!(release.arena_block(Bytes::mib(buffer)).get(), expected);
    }

    #[test]
    fn older_releases_give_charges_back_slowly() {
        let mib = |n: u64| n << 20;
        assert_eq!(Release::R8.charged_after(mib(40), mib(2)), mib(2));
        assert_eq!(Release::R6.charged_after(mib(40), mib(2)), mib(40) - (256 << 10));
        assert_eq!(Release::R8.charged_after(mib(40), mib(31)), mib(40));
    }

    #[test]
    fn a_release_is_told_by_its_text() {
        assert_eq!(Release::from_text("6.20.3"), Release::R6);
        assert_eq!(Release::from_text(Release::R8.text()), Release::R8);
        assert_eq!(Release::from_text("5.17.2"), Release::R5);
    }
}
