//! OOM200 of `oomph check` against real Flink: every configuration of `testdata/golden` that a file can hold, written
//! as that file, is found to be refused exactly where Flink refuses it. A test build asks every eighth row,
//! `OOMPH_EVERY=1 cargo test --release --test rejections` all.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flate2::read::GzDecoder;
use oomph::check::{Policy, Selection, Told, check};
use oomph::config::load::TextInput;
use oomph::config::template::Templates;
use oomph::config::{FileKind, is_placeholder};
use oomph::flink::profile::Profile;
use oomph::model::{Deployment, Role, Source};
use rstest::rstest;
use serde_json::{Value as Json, json};

/// A row with the version and the set of its table: `1.20.5.tm.jsonl.gz`.
struct Row {
    version: String,
    set: String,
    json: Json,
}

fn every() -> usize {
    std::env::var("OOMPH_EVERY").map_or(8, |text| text.parse().unwrap())
}

/// The rows of all tables of the given sets, thinned for a slow build.
fn rows(sets: &[&str]) -> Vec<Row> {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/golden");
    let files = |folder: PathBuf| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut tables: Vec<PathBuf> = files(golden.clone()).chain(files(golden.join("adversarial"))).collect();
    tables.sort();
    let mut all = Vec::new();
    for table in tables {
        let name = table.file_name().unwrap().to_str().unwrap();
        let Some((version, set)) = name.strip_suffix(".jsonl.gz").and_then(|name| name.rsplit_once('.')) else {
            continue;
        };
        if !sets.contains(&set) {
            continue;
        }
        let mut text = String::new();
        GzDecoder::new(fs::File::open(&table).unwrap()).read_to_string(&mut text).unwrap();
        all.extend(text.lines().map(|line| Row {
            version: version.to_owned(),
            set: set.to_owned(),
            json: serde_json::from_str(line).unwrap(),
        }));
    }
    let asked = |row: &Row| row.json["out"]["na"] != true;
    all.into_iter().filter(asked).step_by(every()).collect()
}

impl Row {
    fn id(&self) -> String {
        format!("{} {}", self.version, self.json["id"].as_str().unwrap())
    }

    fn profile(&self) -> &'static Profile {
        Profile::of(self.version.parse().unwrap()).unwrap().0
    }

    fn role(&self) -> Role {
        if self.set.starts_with("jm") { Role::JobManager } else { Role::TaskManager }
    }

    /// Before 1.10, and for the JobManager before 1.11, the rows say what a container's process is given.
    fn deployment(&self) -> Deployment {
        match self.json.get("map").and_then(Json::as_str) {
            _ if self.set.ends_with("19") => Deployment::Yarn,
            Some("process") => Deployment::Yarn,
            Some("none") => Deployment::None,
            _ => Deployment::Standalone,
        }
    }

    /// Whether Flink refuses the row's configuration.
    fn is_refused(&self) -> bool {
        self.json["out"]["ok"] == false || self.json["out"].get("containerErr").is_some()
    }

    /// Whether oomph says that Flink refuses a text.
    fn is_found(&self, kind: FileKind, text: &str) -> bool {
        let input = TextInput {
            source: Source::File(Arc::from(kind.file_name())),
            text: text.to_owned(),
            kind_by_name: Some(kind),
            distribution: None,
            templates: Templates::Refused,
        };
        let told = Told {
            version: Some(self.version.parse().unwrap()),
            role: Some(self.role()),
            deployment: Some(self.deployment()),
            ..Told::default()
        };
        let selection = Selection::new(&["OOM200".to_owned()], &[]).unwrap();
        let checked = check(&input, &told, &Policy::default(), None, &selection);
        !checked.unwrap_or_else(|error| panic!("{}: {error}", self.id())).findings.is_empty()
    }
}

/// A configuration as the text of a file; nothing where that kind of file cannot say it.
fn written(config: &Json, kind: FileKind) -> Option<String> {
    let settings = config.as_object().unwrap().iter().map(|(key, value)| (key.as_str(), value.as_str().unwrap()));
    settings
        .map(|(key, value)| match kind {
            FileKind::Legacy => {
                let says_it = !value.is_empty() && !value.contains(['#', '\n', '\r']) && value.trim_ascii() == value;
                says_it.then(|| format!("{key}: {value}\n"))
            }
            // A JSON string is a YAML string; all are quoted, for every value of a row is a text.
            FileKind::Standard => Some(format!("{key}: {}\n", Json::from(value))),
        })
        .collect()
}

fn assert_none(wrong: &[String], asked: usize) {
    let shown = wrong.iter().take(10).map(String::as_str).collect::<Vec<_>>().join("\n");
    assert!(wrong.is_empty(), "{} of {asked} rows are judged otherwise than by Flink:\n{shown}", wrong.len());
}

#[rstest]
#[case(&["tm"], 23_000)]
#[case(&["jm"], 5_600)]
#[case(&["tm19", "jm19"], 500)]
fn a_configuration_is_found_to_be_refused_exactly_where_flink_refuses_it(
    #[case] sets: &[&str],
    #[case] at_least: usize,
) {
    let (mut asked, mut refused, mut unwritten) = (0, 0, 0);
    let mut wrong = Vec::new();
    for row in rows(sets) {
        for kind in [FileKind::Legacy, FileKind::Standard] {
            if !kind.is_read_by(row.profile()) {
                continue;
            }
            let Some(text) = written(&row.json["cfg"], kind) else {
                unwritten += 1;
                continue;
            };
            asked += 1;
            refused += usize::from(row.is_refused());
            if row.is_found(kind, &text) != row.is_refused() {
                let said = if row.is_refused() { "refuses" } else { "accepts" };
                wrong.push(format!("{} in {kind}: Flink {said}\n{text}{}", row.id(), row.json["out"]["err"]));
            }
        }
    }
    println!("{sets:?}: {asked} files, {refused} refused, {unwritten} that no file holds");
    assert_none(&wrong, asked);
    assert!(asked > at_least / every() && refused > asked / 20, "{asked} files, {refused} refused");
    assert!(unwritten * 50 < asked, "{unwritten} of {asked} cannot be written");
}

#[test]
fn a_file_is_found_to_be_refused_exactly_where_flink_refuses_it_or_its_taskmanager() {
    let (mut asked, mut refused_files, mut passed_over) = (0, 0, 0);
    let mut wrong = Vec::new();
    for row in rows(&["yaml"]) {
        let files = row.json["files"].as_object().unwrap();
        let profile = row.profile();
        let has_legacy = files.contains_key(FileKind::Legacy.file_name());
        let kind = FileKind::read_by(profile, has_legacy);
        // Without the file that this version reads there is nothing to check; arguments stand in none.
        let Some(text) = files.get(kind.file_name()).and_then(Json::as_str) else { continue };
        // What a template leaves open is OOM190's.
        if row.json.get("dynamic").is_some() || is_placeholder(text) {
            passed_over += 1;
            continue;
        }
        let out = &row.json["out"];
        // A row whose question was the file alone.
        let Some(refused) = (if out["ok"] == false { Some(true) } else { out["tm"]["ok"].as_bool().map(|ok| !ok) })
        else {
            continue;
        };
        asked += 1;
        refused_files += usize::from(out["ok"] == false);
        if row.is_found(kind, text) != refused {
            let said = if refused { "refuses" } else { "accepts" };
            wrong.push(format!("{} {kind}: Flink {said}\n{text}\n{}{}", row.id(), out["err"], out["tm"]["err"]));
        }
    }
    println!("{asked} files, {refused_files} refused as a whole, {passed_over} passed over");
    assert_none(&wrong, asked);
    assert!(asked > 1_100 / every() && refused_files > 100 / every(), "{asked} files, {refused_files} refused");
    assert!(passed_over * 7 < asked, "{passed_over} of {asked}");
}

#[test]
fn what_the_start_script_of_1_9_takes_is_not_found_to_be_refused() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/golden/start-script-1.9.3.jsonl");
    let rows = fs::read_to_string(path).unwrap();
    let mut asked = 0;
    for line in rows.lines() {
        let script: Json = serde_json::from_str(line).unwrap();
        let json = json!({"id": "script", "map": "flink", "out": {"ok": true}});
        let row = Row { version: "1.9.3".to_owned(), set: "tm".to_owned(), json };
        let text = written(&script["config"], FileKind::Legacy).unwrap();
        assert!(!row.is_found(FileKind::Legacy, &text), "{line}");
        asked += 1;
    }
    assert!(asked > 150, "only {asked} rows");
}
