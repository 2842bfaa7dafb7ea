//! Looks at processes: reads their files below a root, asks their sockets and their REST, and hands the bytes to the
//! parsers of `artefact`. A capture is read with the same code as a live system. Nothing here changes a target.

mod archive;
pub mod capture;
pub mod cgroup;
pub mod digest;
pub mod heap;
pub mod host;
pub mod hsperf;
pub mod jvm_attach;
pub mod leavings;
pub mod ports;
pub mod process;
pub mod recording;
pub mod rest;
pub mod rocksdb_files;
pub mod root;
pub mod target;
