//! The planner against what real Flink computed: every row of `testdata/golden`, whose PROVENANCE.md says how they were
//! made. The questions go through the batch protocol in this process.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use oomph::config::{Config, Value};
use oomph::flink::profile::Profile;
use oomph::model::{Place, Source};
use oomph::plan::settings::Settings;
use oomph::plan::{cutoff, start_script};
use rstest::rstest;
use serde_json::{Map, Value as Json, json};

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/golden")
}

/// The rows of a table with its version and set: `1.20.5.tm.jsonl.gz`.
fn rows(file: &Path) -> (String, String, Vec<Json>) {
    let name = file.file_name().unwrap().to_str().unwrap().strip_suffix(".jsonl.gz").unwrap();
    let (version, set) = name.rsplit_once('.').unwrap();
    let mut text = String::new();
    GzDecoder::new(fs::File::open(file).unwrap()).read_to_string(&mut text).unwrap();
    let rows = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (version.to_owned(), set.to_owned(), rows)
}

fn tables(folder: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(golden().join(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "gz"))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no tables in {folder}");
    files
}

/// The question of a row, in the batch protocol.
fn question(version: &str, kind: &str, row: &Json, id: usize) -> Json {
    let mut question = json!({"id": id, "flink": version});
    let fields = question.as_object_mut().unwrap();
    let copy = |fields: &mut Map<String, Json>, from: &str, to: &str| {
        if let Some(value) = row.get(from) {
            fields.insert(to.to_owned(), value.clone());
        }
    };
    if let Some(ask) = [("mem", "memory-size"), ("mul", "fraction"), ("rocks", "rocksdb")].iter().find(|a| a.0 == kind)
    {
        fields.insert("ask".into(), ask.1.into());
        for field in ["text", "bytes", "fraction", "total", "ratio", "wbs"] {
            copy(fields, field, field);
        }
        return question;
    }
    let role = if kind.starts_with("jm") { "jobmanager" } else { "taskmanager" };
    let legacy = match row.get("map").and_then(Json::as_str) {
        Some("process") => "container",
        Some("none") => "none",
        _ => "standalone",
    };
    fields.insert("role".into(), role.into());
    fields.insert("legacy_total".into(), legacy.into());
    copy(fields, "cfg", "config");
    copy(fields, "files", "files");
    copy(fields, "dynamic", "dynamic");
    copy(fields, "useCases", "consumers");
    copy(fields, "sbManaged", "state_backend_managed");
    copy(fields, "rocks", "rocksdb");
    question
}

/// A class without its package.
fn class(name: &str) -> Json {
    name.rsplit('.').next().unwrap().into()
}

fn error(error: &Json) -> Json {
    let causes: Vec<Json> = error["causes"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|cause| json!([class(cause[0].as_str().unwrap()), cause[1]]))
        .collect();
    json!({"class": class(error["class"].as_str().unwrap()), "message": error["msg"], "causes": causes})
}

/// What Flink logged, level first, each line once.
fn notices(log: &Json) -> Json {
    let mut seen: Vec<String> = Vec::new();
    for line in log.as_array().into_iter().flatten() {
        let text = format!("{} {}", line[0].as_str().unwrap(), line[2].as_str().unwrap());
        if !seen.contains(&text) {
            seen.push(text);
        }
    }
    seen.into()
}

/// Fields of a row under the names of the protocol.
fn renamed(from: &Json, names: &[(&str, &str)]) -> Json {
    let pairs = names.iter().filter_map(|(old, new)| Some(((*new).to_owned(), from.get(old)?.clone())));
    Json::Object(pairs.collect())
}

const COMPONENTS: [(&str, &str); 14] = [
    ("fwHeap", "framework_heap"),
    ("taskHeap", "task_heap"),
    ("fwOff", "framework_off_heap"),
    ("taskOff", "task_off_heap"),
    ("network", "network"),
    ("managed", "managed"),
    ("metaspace", "jvm_metaspace"),
    ("overhead", "jvm_overhead"),
    ("flink", "total_flink"),
    ("process", "total_process"),
    ("jvmHeap", "jvm_heap"),
    ("jvmDirect", "jvm_direct"),
    ("heap", "heap"),
    ("offHeap", "off_heap"),
];
const POOL: [(&str, &str); 8] = [
    ("total", "total"),
    ("cache", "block_cache"),
    ("wbm", "write_buffer_manager"),
    ("arena", "arena_block"),
    ("mutableLimit", "mutable_limit"),
    ("arenaOk", "arena_ok"),
    ("scope", "scope"),
    ("writeBufferSize", "write_buffer"),
];
const CONTAINER: [(&str, &str); 6] = [
    ("cutoffMB", "cutoff_mb"),
    ("heapMB", "heap_mb"),
    ("directMB", "direct_mb"),
    ("jvm", "jvm_args"),
    ("networkBytes", "network"),
    ("rmManagedSize", "managed_size"),
];

fn process(out: &Json) -> Json {
    if out["ok"] == false {
        return json!({"ok": false, "error": error(&out["err"]), "notices": notices(&out["log"])});
    }
    let mut answer = json!({
        "ok": true,
        "components": renamed(&out["m"], &COMPONENTS),
        "jvm_args": out["jvm"],
        "dynamic_properties": out["dyn"],
        "notices": notices(&out["log"]),
    });
    if let Some(slot) = out.get("slot") {
        let names = [
            ("n", "count"),
            ("taskHeap", "task_heap"),
            ("taskOff", "task_off_heap"),
            ("network", "network"),
            ("managed", "managed"),
        ];
        answer["slots"] = renamed(slot, &names);
    }
    if let Some(net) = out.get("net") {
        answer["network_buffers"] = renamed(net, &[("buffers", "count"), ("pageSize", "page_size")]);
    }
    for (name, consumer) in out["consumers"].as_object().into_iter().flatten() {
        let fraction: Option<f64> = consumer["fraction"].as_str().map(|text| text.parse().unwrap());
        answer["consumers"][name] = json!({"fraction": fraction, "bytes": consumer["bytes"]});
        if let Some(err) = consumer.get("err") {
            answer["consumers"][name]["error"] = error(err);
        }
    }
    if let Some(err) = out.get("consumersErr") {
        answer["consumers_error"] = error(err);
    }
    // A text says that the driver could not ask.
    if let Some(rocks) = out.get("rocks").filter(|rocks| !rocks["err"].is_string()) {
        answer["rocksdb"] = match (rocks.get("err"), rocks.get("validateErr")) {
            (Some(err), _) => json!({"error": error(err)}),
            (None, refused) => {
                let mut pool = renamed(rocks, &POOL);
                if let Some(refused) = refused {
                    pool["error"] = error(refused);
                }
                pool
            }
        };
    }
    answer
}

/// What the answer to a row must hold.
fn expected(kind: &str, row: &Json) -> Json {
    let out = &row["out"];
    match kind {
        "mem" if out["ok"] == true => json!({"ok": true, "bytes": out["bytes"], "human": out["human"]}),
        "mem" => json!({"ok": false, "error": error(&out["err"])}),
        "mul" => renamed(out, &[("mul", "multiplied"), ("mulInverse", "inverse_multiplied")]),
        "rocks" => renamed(out, &POOL),
        "tm19" | "jm19" if out["ok"] == false => json!({"ok": false, "error": error(&out["err"])}),
        "tm19" | "jm19" => {
            let mut answer = json!({"ok": true});
            if let Some(container) = out.get("container") {
                answer["container"] = renamed(container, &CONTAINER);
            }
            if let Some(err) = out.get("containerErr") {
                answer["container_error"] = json!({"class": error(err)["class"], "message": err["msg"]});
            }
            answer
        }
        "yaml" if out["ok"] == false => {
            let err = error(&out["err"]);
            json!({"ok": false, "error": {"class": err["class"], "message": err["message"]}})
        }
        "yaml" => {
            let mut answer = json!({"read": out["map"]});
            if let Some(tm) = out.get("tm") {
                answer["taskmanager"] = process(tm);
            }
            answer
        }
        _ => process(out),
    }
}

/// The first place where an answer lacks what it must hold; more than that it may hold, but for what was read.
fn difference(expected: &Json, got: &Json, path: &str) -> Option<String> {
    match expected {
        Json::Null => None,
        Json::Object(fields) if path != ".read" => fields.iter().find_map(|(name, value)| {
            difference(value, got.get(name).unwrap_or(&Json::Null), &format!("{path}.{name}"))
        }),
        _ if expected == got => None,
        _ => Some(format!("{path}: Flink {expected}, ours {got}")),
    }
}

/// Answers of all questions, by number.
fn ask(questions: &[Json]) -> BTreeMap<usize, Json> {
    let input: String = questions.iter().map(|q| format!("{q}\n")).collect();
    let mut output = Vec::new();
    oomph::cli::batch::run(input.as_bytes(), &mut output).unwrap();
    let answers = output.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    answers
        .map(|line| {
            let answer: Json = serde_json::from_slice(line).unwrap();
            (usize::try_from(answer["id"].as_u64().unwrap()).unwrap(), answer)
        })
        .collect()
}

#[rstest]
#[case::published("", 39_000)]
#[case::adversarial("adversarial", 2_900)]
fn every_row_of_real_flink_is_answered_to_the_byte(#[case] folder: &str, #[case] at_least: usize) {
    let mut asked = Vec::new();
    let mut wanted = Vec::new();
    for file in tables(folder) {
        let (version, set, rows) = rows(&file);
        for row in rows {
            if row["out"]["na"] == true {
                continue;
            }
            let kind = if set == "unit" { row["role"].as_str().unwrap().to_owned() } else { set.clone() };
            asked.push(question(&version, &kind, &row, asked.len()));
            wanted.push((format!("{version} {}", row["id"]), expected(&kind, &row)));
        }
    }
    assert!(asked.len() > at_least, "only {} rows", asked.len());
    let answers = ask(&asked);
    let wrong: Vec<String> = wanted
        .iter()
        .enumerate()
        .filter_map(|(id, (name, expected))| {
            difference(expected, answers.get(&id).unwrap_or(&Json::Null), "").map(|d| format!("{name} {d}"))
        })
        .collect();
    let shown = wrong.iter().take(10).map(String::as_str).collect::<Vec<_>>().join("\n");
    assert!(wrong.is_empty(), "{} of {} rows differ:\n{shown}", wrong.len(), wanted.len());
}

fn config_of(settings: &Json) -> Config {
    let mut config = Config::new();
    for (key, value) in settings.as_object().unwrap() {
        config.set(key.clone(), Value::text(value.as_str().unwrap()), Place::of(Source::Caller));
    }
    config
}

#[test]
fn the_start_script_of_1_9_is_computed_as_bash_and_awk_do() {
    let text = fs::read_to_string(golden().join("start-script-1.9.3.jsonl")).unwrap();
    let profile = Profile::of("1.9".parse().unwrap()).unwrap().0;
    for line in text.lines() {
        let row: Json = serde_json::from_str(line).unwrap();
        let config = config_of(&row["config"]);
        let script = start_script::taskmanager(&Settings::new(&config, profile)).unwrap();
        assert_eq!(script.jvm_arguments(), row["jvm"].as_str().unwrap(), "{line}");
    }
}

#[test]
fn a_started_taskmanager_of_1_9_computes_network_memory_from_its_heap() {
    let profile = Profile::of("1.9".parse().unwrap()).unwrap().0;
    let mut compared = 0;
    for row in rows(&golden().join("1.9.3.tm19.jsonl.gz")).2 {
        let java = &row["out"]["java"];
        let (Some(heap_mb), Some(network)) = (java["heapMB"].as_i64(), java["runtimeNetworkBytes"].as_i64()) else {
            continue;
        };
        let config = config_of(&row["cfg"]);
        // The driver asks for network memory by fraction whatever the configuration says.
        if !cutoff::has_new_network_keys(&Settings::new(&config, profile)) {
            continue;
        }
        let ours = cutoff::network_of_heap(&Settings::new(&config, profile), heap_mb << 20).unwrap();
        assert_eq!(ours, network, "{}", row["id"]);
        compared += 1;
    }
    assert!(compared > 200, "only {compared} rows");
}
