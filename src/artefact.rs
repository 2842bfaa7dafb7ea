//! What a process shows of itself or leaves behind, as typed facts: one file a format. Facts are stated, never
//! interpreted; those of a log know their line. Functions over bytes: no file is touched.

pub mod anchors;
pub mod banner;
pub mod cgroup;
pub mod cgroup_files;
pub mod cgroup_listing;
pub mod command_line;
pub mod container_limit;

pub mod envelope;
pub mod excerpt;
pub mod flink_log;
pub mod flink_process;
pub mod flink_rest;
pub mod gc_log;
pub mod host;
pub mod hs_err;
pub mod hsperfdata;
pub mod jcmd_text;
pub mod jvm_oom;
pub mod kernel_oom;
pub mod kubernetes_status;
pub mod listening;
pub mod loaded_property;
pub mod malloc_chunks;
pub mod masking;
pub mod native_death;
pub mod nmt;
mod part;
pub mod process_status;
pub mod prometheus;
pub mod python_worker;
pub mod recording;
pub mod rocksdb_directory;
pub mod rocksdb_events;
pub mod rocksdb_log;
pub mod rocksdb_manifest;
pub mod rocksdb_options;
pub mod rocksdb_sst;
pub mod rocksdb_traces;
pub mod smaps;
pub mod startup_block;
pub mod systemd_oom;
pub mod vm_flags;
pub mod vm_info;
pub mod yarn_container;

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
