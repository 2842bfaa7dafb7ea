//! What a process shows of itself or leaves behind, as typed facts: one file a format. Facts are stated, never
//! interpreted; those of a log know their line. Functions over bytes: no file is touched.

pub mod banner;
pub mod cgroup;
pub mod command_line;
pub mod container_limit;
pub mod digest;
pub mod envelope;
pub mod excerpt;
pub mod flink_process;
pub mod flink_rest;
pub mod host;
pub mod hsperfdata;
pub mod listening;
pub mod loaded_property;
pub mod malloc_chunks;
pub mod masking;
pub mod nmt;
pub mod process_status;
pub mod prometheus;
pub mod recording;
pub mod rocksdb_directory;
pub mod rocksdb_log;
pub mod rocksdb_manifest;
pub mod rocksdb_options;
pub mod rocksdb_sst;
pub mod smaps;
pub mod startup_block;
pub mod vm_flags;
pub mod vm_info;

/// A fact and the line it stands in, from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stated<T> {
    /// What is stated.
    pub what: T,
    /// Where.
    pub line: u32,
}

impl<T> Stated<T> {
    /// A fact in a line that is counted from 0.
    fn at(index: usize, what: T) -> Stated<T> {
        Stated { what, line: u32::try_from(index + 1).unwrap_or(u32::MAX) }
    }
}
