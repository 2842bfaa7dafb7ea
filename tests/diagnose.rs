//! `oomph diagnose` on what real deaths left and on the five incidents: the verdict, and a recommendation that is proved.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use jiff::Timestamp;
use oomph::artefact::recording::{self, Event, Header, Machine};
use oomph::model::{Bytes, Identity, Limit, Measure, Observation, Observations, Origin, Role};
use oomph::probe::recording::{Outcome, Recorder};
use rstest::rstest;
use serde_json::Value;

fn testdata(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(folder)
}

fn oomph(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_oomph")).arg("diagnose").args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn json(folder: &str, arguments: &[&str]) -> Value {
    let path = testdata(folder);
    let output = oomph(&[&[path.to_str().unwrap(), "--format", "json"], arguments].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn verdict(document: &Value) -> [&str; 4] {
    ["killer", "area", "confidence", "code"].map(|field| document["verdict"][field].as_str().unwrap_or_default())
}

/// The value that a recommendation gives a key, and whether it is proved; the first that has it.
fn recommended<'d>(document: &'d Value, key: &str) -> Option<(&'d str, bool)> {
    document["recommendations"].as_array().unwrap().iter().find_map(|cure| {
        Some((cure["changes"].get(key)?.as_str().unwrap_or_default(), cure["proved"].as_bool().unwrap()))
    })
}

#[rstest]
#[case("1-pyflink-yarn", ["yarn-pmem", "config", "high", "OOM954"], "containerized.heap-cutoff-min")]
#[case("2-feature-join", ["yarn-pmem", "managed-rocksdb", "high", "OOM902"], "taskmanager.memory.jvm-overhead.max")]
#[case("3-jobmanager-latency-metrics", ["jvm", "heap", "high", "OOM961"], "metrics.latency.granularity")]
#[case("5-heap-state-surge", ["jvm", "heap", "high", "OOM963"], "state.backend")]
fn each_incident_ends_in_its_verdict_and_a_proved_recommendation(
    #[case] folder: &str,
    #[case] expected: [&str; 4],
    #[case] key: &str,
) {
    let document = json(&format!("incidents/{folder}"), &[]);
    assert_eq!(verdict(&document), expected, "{:#}", document["causes"]);
    let found = recommended(&document, key);
    assert!(found.is_some_and(|(_, proved)| proved), "{key}: {found:?} in {:#}", document["recommendations"]);
}

#[test]
fn page_cache_at_the_limit_is_answered_without_more_memory() {
    let document = json("incidents/4-batch-shuffle-page-cache", &[]);
    assert_eq!(verdict(&document), ["kernel-memcg", "page-cache", "high", "OOM905"]);
    for cure in document["recommendations"].as_array().unwrap() {
        let changes = cure["changes"].as_object().unwrap();
        assert!(changes.keys().all(|key| !key.contains(".memory.")), "{changes:?}");
        let grew = cure["process"].as_array().is_some_and(|sizes| sizes[0].as_u64() < sizes[1].as_u64());
        assert!(!grew, "{cure:#}");
    }
    assert!(document["refused"].to_string().contains("more memory"), "{}", document["refused"]);
}

#[test]
fn the_cut_off_model_is_answered_in_its_own_keys_and_after_moving_on() {
    let document = json("incidents/1-pyflink-yarn", &[]);
    let verdict = &document["verdict"];
    assert_eq!(verdict["pid"], 28107);
    assert_eq!(verdict["limit_bytes"], 4_u64 << 30);
    assert_eq!(verdict["usage_bytes"], (1_048_512 + 310) * 4096_u64);
    assert_eq!(recommended(&document, "taskmanager.memory.jvm-overhead.min"), Some(("1024m", true)));
    assert_eq!(recommended(&document, "taskmanager.memory.jvm-overhead.max"), Some(("2048m", true)));
    let steps = document["recommendations"].to_string();
    assert!(steps.contains("setUseManagedMemory(true)") && steps.contains("setUseManagedMemory(True)"), "{steps}");
    let refused = document["refused"].to_string();
    assert!(refused.contains("-Xmx") && refused.contains("larger container alone"), "{refused}");
    // What decides, and the metrics to switch on.
    let page = text(&oomph(&[testdata("incidents/1-pyflink-yarn").to_str().unwrap()]).stdout);
    let metrics = [
        "block-cache-capacity",
        "block-cache-usage",
        "size-all-mem-tables",
        "num-running-flushes",
        "num-running-compactions",
    ];
    assert!(metrics.iter().all(|metric| page.contains(&format!("rocksdb.metrics.{metric}: true"))), "{page}");
    assert!(page.contains("the likeliest first"), "{page}");
}

#[test]
fn what_is_left_tells_the_version_and_the_deployment_that_a_configuration_is_planned_with() {
    let folder = tempfile::tempdir().unwrap();
    let conf = folder.path().join("flink-conf.yaml");
    std::fs::write(&conf, "taskmanager.heap.size: 4096m\n").unwrap();
    let conf = conf.to_str().unwrap();
    let cut_off = "containerized.heap-cutoff-min";
    // Its flags are those of the model before 1.10, whose cut-off only a container has.
    let proved = json("incidents/1-pyflink-yarn", &["--conf", conf]);
    assert!(recommended(&proved, cut_off).is_some_and(|(_, proved)| proved), "{:#}", proved["recommendations"]);
    let told = json("incidents/1-pyflink-yarn", &["--conf", conf, "--flink", "1.20"]);
    assert_eq!(recommended(&told, cut_off), None, "{:#}", told["recommendations"]);
}

#[rstest]
#[case("rocksdb-unmanaged-cgroup-oom", ["kernel-memcg", "managed-rocksdb", "high", "OOM921"],
       ("state.backend.rocksdb.memory.managed", "true"))]
#[case("metaspace", ["jvm", "metaspace", "high", "OOM948"], ("taskmanager.memory.jvm-metaspace.size", "256m"))]
#[case("java-heap-space", ["jvm", "heap", "high", "OOM963"], ("state.backend.type", "rocksdb"))]
#[case("network-buffers", ["flink", "network", "medium", "OOM956"], ("taskmanager.memory.network.max", "64m"))]
#[case("direct-memory-batch-shuffle", ["jvm", "direct", "medium", "OOM950"],
       ("taskmanager.memory.framework.off-heap.size", "128m"))]
fn a_real_failure_gets_the_change_that_was_seen_to_cure_it(
    #[case] folder: &str,
    #[case] expected: [&str; 4],
    #[case] (key, value): (&str, &str),
) {
    let document = json(&format!("failures/{folder}"), &["--flink", "1.20.5"]);
    assert_eq!(verdict(&document), expected, "{:#}", document["causes"]);
    assert_eq!(recommended(&document, key), Some((value, true)), "{:#}", document["recommendations"]);
}

#[rstest]
#[case("page-cache-batch-shuffle", "not-oom")]
#[case("tm-sigkill", "unknown")]
fn an_end_that_is_no_want_of_memory_gets_no_change_of_memory(#[case] folder: &str, #[case] killer: &str) {
    let document = json(&format!("failures/{folder}"), &[]);
    assert_eq!(document["verdict"]["killer"], killer);
    for cure in document["recommendations"].as_array().unwrap() {
        assert_eq!(cure["changes"], serde_json::json!({}), "{cure:#}");
    }
}

/// The kernel's report, the counters and the recording lie in one folder, as somebody would copy them.
#[test]
fn what_a_recording_shows_that_malloc_kept_gets_one_arena_and_no_memory() {
    let document = json("failures/allocator-retention", &[]);
    assert_eq!(verdict(&document), ["kernel-memcg", "native", "high", "OOM901"], "{:#}", document["causes"]);
    let first = document["recommendations"][0].to_string();
    assert!(first.contains("MALLOC_ARENA_MAX") && !first.contains("taskmanager.memory."), "{first}");
}

#[test]
fn threads_that_cannot_start_are_no_want_of_memory() {
    let document = json("failures/native-threads", &[]);
    assert_eq!(verdict(&document)[..2], ["jvm", "threads"]);
    assert!(document["refused"].to_string().contains("more memory"), "{}", document["refused"]);
}

#[test]
fn the_patch_is_a_diff_of_the_users_file_and_applies_nothing() {
    let folder = testdata("failures/metaspace");
    let conf = folder.join("config.yaml");
    let before = std::fs::read(&conf).unwrap();
    let output = oomph(&[folder.to_str().unwrap(), "--flink", "1.20.5", "--conf", conf.to_str().unwrap(), "--patch"]);
    let patch = text(&output.stdout);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(patch.starts_with("--- a/") && patch.contains("+taskmanager.memory.jvm-metaspace.size: 256m"), "{patch}");
    assert_eq!(std::fs::read(&conf).unwrap(), before);
}

#[rstest]
#[case("1-pyflink-yarn")]
#[case("2-feature-join")]
#[case("4-batch-shuffle-page-cache")]
fn the_page_fits_eighty_columns_but_for_what_is_taken_over_as_it_is(#[case] folder: &str) {
    let page = text(&oomph(&[testdata(&format!("incidents/{folder}")).to_str().unwrap()]).stdout);
    for line in page.lines().filter(|line| line.chars().count() > 80) {
        // Keys, commands and code of the cure.
        assert!(line.starts_with("     "), "{line}");
    }
    let first: Vec<&str> = page.lines().take(4).collect();
    assert!(first.join(" ").contains("OOM9"), "{first:?}");
}

#[test]
fn markdown_and_html_tell_the_same_verdict_and_load_nothing() {
    let folder = testdata("incidents/3-jobmanager-latency-metrics");
    let folder = folder.to_str().unwrap();
    let markdown = text(&oomph(&[folder, "--format", "markdown"]).stdout);
    let html = text(&oomph(&[folder, "--format", "html"]).stdout);
    for page in [&markdown, &html] {
        assert!(page.contains("OOM961") && page.contains("metrics.latency.granularity: operator"), "{page}");
    }
    for word in ["<script", "src=", "http-equiv", "@import", "url("] {
        assert!(!html.contains(word), "{word}");
    }
    assert!(html.contains("<svg"));
}

#[test]
fn a_broken_configuration_among_the_logs_does_not_hide_the_verdict() {
    let folder = tempfile::tempdir().unwrap();
    let log = testdata("incidents/1-pyflink-yarn").join("jobmanager.log");
    std::fs::copy(log, folder.path().join("jobmanager.log")).unwrap();
    let conf = folder.path().join("config.yaml");
    std::fs::write(&conf, "a: 1\na: 2\n").unwrap();
    let output = oomph(&[folder.path().to_str().unwrap(), "--format", "json"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(verdict(&document), ["yarn-pmem", "config", "high", "OOM954"]);
    assert!(document.to_string().contains("config.yaml:2:1"), "{document:#}");
    // One that was named is asked about, and has to be readable.
    let named = oomph(&[folder.path().to_str().unwrap(), "--conf", conf.to_str().unwrap()]);
    assert_eq!(named.status.code(), Some(3));
}

#[test]
fn what_is_not_recognised_is_listed_and_no_error() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("notes.txt"), "lunch at noon\n").unwrap();
    std::fs::write(folder.path().join("image.bin"), [0_u8, 159, 146, 150, 0, 0]).unwrap();
    let output = oomph(&[folder.path().to_str().unwrap()]);
    let page = text(&output.stdout);
    assert!(output.status.success());
    assert!(page.contains("Not read") && page.contains("notes.txt") && page.contains("image.bin"), "{page}");
    assert!(page.contains("not-oom"), "{page}");
    for format in ["markdown", "html"] {
        let output = oomph(&[folder.path().to_str().unwrap(), "--format", format]);
        let page = text(&output.stdout);
        assert!(page.contains("Not read") && page.contains("of a format that tells of deaths"), "{page}");
    }
}

#[test]
fn a_path_that_is_not_there_is_one_line_and_exit_3() {
    let output = oomph(&["/nowhere/at-all.log"]);
    let error = text(&output.stderr);
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(error.lines().count(), 1, "{error}");
    assert!(error.contains("/nowhere/at-all.log"), "{error}");
}

#[test]
fn a_secret_in_a_quoted_line_is_masked() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tm.log");
    let log = "2024-05-01 10:00:00,000 INFO  x [] - Loading configuration property: s3.secret-key, hunter2hunter2\n\
               2024-05-01 10:00:01,000 ERROR x [] - failed with s3.secret-key=hunter2hunter2 java.lang.OutOfMemoryError: \
               Java heap space\n\tat a.B.c(B.java:1)\n";
    std::fs::write(&file, log).unwrap();
    for format in ["text", "json", "markdown", "html"] {
        let output = oomph(&[file.to_str().unwrap(), "--format", format]);
        let page = text(&output.stdout);
        assert!(page.contains("heap"), "{page}");
        assert!(!page.contains("hunter2"), "{format}: {page}");
    }
}

#[test]
fn deaths_of_one_cause_are_grouped() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = String::new();
    for number in 1..=40 {
        log += &format!(
            "2024-05-0{} 1{}:0{}:00,000 WARN  org.apache.flink.runtime.resourcemanager.active.ActiveResourceManager [] - \
             Worker orders-taskmanager-1-{number} is terminated. Diagnostics: Pod terminated, container termination \
             statuses: [flink-main-container(exitCode=137, reason=OOMKilled, message=null)], pod status: \
             Failed(reason=null, message=null)\n",
            number % 9 + 1,
            number % 10,
            number % 7
        );
    }
    let file = folder.path().join("jobmanager.log");
    std::fs::write(&file, log).unwrap();
    let output = oomph(&[file.to_str().unwrap(), "--format", "json"]);
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["deaths"].as_array().unwrap().len(), 40);
    assert_eq!(document["groups"].as_array().unwrap().len(), 1);
    let page = text(&oomph(&[file.to_str().unwrap()]).stdout);
    assert!(page.contains("40 deaths, by cause"), "{page}");
}

/// A recording of a process that the kernel killed.
fn recorded(path: &Path) {
    let at = Timestamp::from_second(1_763_754_000).unwrap();
    let target = Identity { pid: 4242, started: Some(7), role: Some(Role::TaskManager), name: "tm".to_owned() };
    let header = Header {
        format: recording::FORMAT,
        oomph: "0.1.0".to_owned(),
        since: at,
        part: 0,
        target: target.clone(),
        machine: Machine::default(),
        limit: Ok(Limit::AtMost(Bytes::mib(1000))),
        budget: Vec::new(),
    };
    let mut recorder = Recorder::create(path, &header, None).unwrap();
    let rss = Observation { measure: Measure::Rss, value: Ok(900 << 20), origin: Origin::Smaps };
    let look = Observations { at, target, all: vec![rss] };
    assert!(matches!(recorder.append(&look), Outcome::Written));
    let gone = Event::Gone { why: recording::KILLED.to_owned() };
    assert!(matches!(recorder.event(at, &gone), Outcome::Written));
}

#[test]
fn a_recording_that_lies_in_a_folder_is_told_as_evidence_and_not_as_text() {
    let folder = tempfile::tempdir().unwrap();
    let newest = folder.path().join("tm.rec");
    recorded(&newest);
    // What rotation leaves beside it is read with it.
    std::fs::copy(&newest, folder.path().join("tm.rec.1")).unwrap();
    let of = |path: &Path| -> Value {
        let output = oomph(&[path.to_str().unwrap(), "--format", "json"]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let (alone, beside) = (of(&newest), of(folder.path()));
    assert_eq!(alone["verdict"]["killer"], "kernel-memcg", "{:#}", alone["verdict"]);
    assert_eq!(alone["inputs"].as_array().unwrap().len(), 1);
    assert_eq!(beside["inputs"].as_array().unwrap().len(), 1, "{:#}", beside["inputs"]);
    assert_eq!(alone["verdict"], beside["verdict"]);
}

#[test]
fn asking_prints_commands_that_only_read() {
    let output = oomph(&["--ask", "pod/orders-taskmanager-1-1"]);
    assert!(output.status.success());
    assert!(text(&output.stdout).contains("kubectl logs orders-taskmanager-1-1 --all-containers --previous"));
    let refused = oomph(&["--ask", "pod/$(reboot)"]);
    assert_eq!((refused.status.code(), refused.stdout.len()), (Some(2), 0));
}
