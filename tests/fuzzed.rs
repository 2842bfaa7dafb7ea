//! What fuzzing has found is tried by every `cargo test`: each input of `fuzz/corpora` goes through the very body of its
//! target in `fuzz/fuzz_targets`, without libFuzzer and without a nightly compiler. How inputs are found and kept says
//! `fuzz/README.md`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::panic::catch_unwind;
use std::path::Path;
use std::time::{Duration, Instant};

use flate2::read::GzDecoder;
use tar::Archive;

// The targets ask for `libfuzzer_sys`, and get what stands here.
extern crate self as libfuzzer_sys;

/// The targets, each as a module and as a test of its name.
macro_rules! targets {
    ($($name:ident)*) => {
        const TARGETS: &[&str] = &[$(stringify!($name)),*];

        mod nothing_that_was_found_breaks {
            $(
                #[test]
                fn $name() {
                    super::holds(stringify!($name), super::fuzz_targets::$name::run);
                }
            )*
        }
    };
}

#[path = "../fuzz/fuzz_targets"]
#[allow(unused_attributes, reason = "no_main is for the programs that these are elsewhere")]
mod fuzz_targets {
    pub mod attach_reply;
    pub mod batch;
    pub mod cgroup;
    pub mod cgroup_listing;
    pub mod check;
    pub mod config_yaml;
    pub mod diagnose;
    pub mod digest;
    pub mod envelope;
    pub mod flink_conf;
    pub mod flink_log;
    pub mod flink_properties;
    pub mod flink_rest;
    pub mod gc_log;
    pub mod hs_err;
    pub mod hsperfdata;
    pub mod jcmd_text;
    pub mod job_plan;
    pub mod jvm_oom;
    pub mod kernel_oom;
    pub mod kubernetes_status;
    pub mod malloc_chunks;
    pub mod manifest;
    pub mod masking;
    pub mod native_death;
    pub mod nmt;
    pub mod plan;
    pub mod postmortem_metrics;
    pub mod prometheus;
    pub mod python_worker;
    pub mod recording;
    pub mod rocksdb_log;
    pub mod rocksdb_options;
    pub mod rocksdb_sst;
    pub mod rocksdb_traces;
    pub mod shell_script;
    pub mod smaps;
    pub mod sql_script;
    pub mod startup_log;
    pub mod systemd_oom;
    pub mod template;
    pub mod values;
    pub mod vm_info;
    pub mod workload;
    pub mod yarn_container;
    pub mod yarn_site;
}

/// Makes a function of a target's body, which takes bytes apart as libFuzzer's own macro does. It stands behind the
/// targets, which import it: in front of them it would be in their scope without that.
#[macro_export]
macro_rules! fuzz_target {
    (|$bytes:ident: &[u8]| $body:expr) => {
        pub fn run($bytes: &[u8]) {
            $body
        }
    };
    (|$data:ident: $of:ty| $body:expr) => {
        pub fn run(bytes: &[u8]) {
            use arbitrary::{Arbitrary, Unstructured};
            if bytes.len() < <$of as Arbitrary>::size_hint(0).0 {
                return;
            }
            let Ok($data) = <$of as Arbitrary>::arbitrary_take_rest(Unstructured::new(bytes)) else { return };
            $body
        }
    };
}

targets! {
    attach_reply
    batch
    cgroup
    cgroup_listing
    check
    config_yaml
    diagnose
    digest
    envelope
    flink_conf
    flink_log
    flink_properties
    flink_rest
    gc_log
    hs_err
    hsperfdata
    jcmd_text
    job_plan
    jvm_oom
    kernel_oom
    kubernetes_status
    malloc_chunks
    manifest
    masking
    native_death
    nmt
    plan
    postmortem_metrics
    prometheus
    python_worker
    recording
    rocksdb_log
    rocksdb_options
    rocksdb_sst
    rocksdb_traces
    shell_script
    smaps
    sql_script
    startup_log
    systemd_oom
    template
    values
    vm_info
    workload
    yarn_container
    yarn_site
}

/// A debug build takes some milliseconds for a whole run, and half a second for a digest of nine megabytes: so many bytes and
/// so many inputs of a corpus are tried, what was a find first, then the smallest.
const MOST_BYTES: usize = 512 << 10;
const MOST_INPUTS: &[(&str, usize)] = &[("digest", 10)];
/// No input takes longer, on however busy a machine.
const LONGEST: Duration = Duration::from_secs(20);

/// The inputs of an archive, the smallest first, with their names.
fn inputs(target: &str) -> Vec<(String, Vec<u8>)> {
    let path = corpora().join(format!("{target}.tar.gz"));
    let file = fs::File::open(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut archive = Archive::new(GzDecoder::new(file));
    let read = archive.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        (entry.path().unwrap().display().to_string(), bytes)
    });
    let mut inputs: Vec<_> = read.collect();
    inputs.sort_by_key(|(name, bytes)| (!name.starts_with("found-"), bytes.len()));
    inputs
}

/// Runs a target over its archive.
fn holds(target: &str, run: fn(&[u8])) {
    let most = MOST_INPUTS.iter().find(|(name, _)| *name == target).map_or(usize::MAX, |(_, most)| *most);
    let (mut bytes, mut tried) = (0, 0);
    for (name, input) in inputs(target) {
        bytes += input.len();
        if tried > 0 && bytes > MOST_BYTES || tried == most {
            break;
        }
        let start = Instant::now();
        let ran = catch_unwind(|| run(&input));
        assert!(ran.is_ok(), "{target} panics at {name} of fuzz/corpora/{target}.tar.gz");
        assert!(start.elapsed() < LONGEST, "{target} takes {:?} for {name}", start.elapsed());
        tried += 1;
    }
    assert!(tried > 0, "fuzz/corpora/{target}.tar.gz is empty");
}

fn fuzz() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz"))
}

fn corpora() -> std::path::PathBuf {
    fuzz().join("corpora")
}

/// The names of a folder's files that end so, without that end.
fn named(folder: &Path, end: &str) -> BTreeSet<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter_map(|name| Some(name.strip_suffix(end)?.to_owned())).collect()
}

#[test]
fn every_target_is_built_and_weighed_and_tried_and_has_a_corpus() {
    let written = named(&fuzz().join("fuzz_targets"), ".rs");
    let told = |file: &str, of: fn(&str) -> Option<&str>| -> BTreeSet<String> {
        let text = fs::read_to_string(fuzz().join(file)).unwrap();
        text.lines().filter_map(|line| Some(of(line)?.to_owned())).collect()
    };
    let declared = told("Cargo.toml", |line| line.strip_prefix("path = \"fuzz_targets/")?.strip_suffix(".rs\""));
    let weighed = told("targets.py", |line| Some(line.strip_prefix("    \"")?.split_once("\": (")?.0));
    assert_eq!(written, declared, "fuzz/fuzz_targets and fuzz/Cargo.toml");
    assert_eq!(written, weighed, "fuzz/fuzz_targets and fuzz/targets.py");
    assert_eq!(written, TARGETS.iter().map(|name| (*name).to_owned()).collect(), "fuzz/fuzz_targets and this file");
    assert_eq!(written, named(&corpora(), ".tar.gz"), "fuzz/fuzz_targets and fuzz/corpora");
}
