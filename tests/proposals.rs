//! What `recommend` proposes, over the configurations of real Flink's answers (`testdata/golden`): every proposal is
//! planned again here. A test build asks every eighth row, `OOMPH_EVERY=1 cargo test --release --test proposals` all.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

use std::fs;
use std::io::Read;
use std::path::Path;

use flate2::read::GzDecoder;
use oomph::config::{Config, Value};
use oomph::flink::profile::Profile;
use oomph::model::{Bytes, Place, Role, Source};
use oomph::plan::store::Store;
use oomph::plan::{self, Deployment, Question};
use oomph::recommend::change::applied;
use oomph::recommend::mend;
use oomph::recommend::want::{self, Target, Want};
use rstest::rstest;
use serde_json::Value as Json;

/// The configurations of a table, those with other questions left out, thinned for a slow build.
fn cases(table: &str) -> Vec<(String, Config, Json)> {
    let every: usize = std::env::var("OOMPH_EVERY").map_or(8, |text| text.parse().unwrap());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("testdata/golden/{table}.jsonl.gz"));
    let mut text = String::new();
    GzDecoder::new(fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    text.lines()
        .map(|line| serde_json::from_str::<Json>(line).unwrap())
        .filter(|row| row["out"]["na"] != true && row.get("cfg").is_some())
        .step_by(every)
        .map(|row| {
            let mut config = Config::new();
            for (key, value) in row["cfg"].as_object().unwrap() {
                config.set(key.clone(), Value::text(value.as_str().unwrap()), Place::of(Source::Caller));
            }
            (row["id"].as_str().unwrap().to_owned(), config, row)
        })
        .collect()
}

fn profile(table: &str) -> &'static Profile {
    let (version, _) = table.rsplit_once('.').unwrap();
    Profile::of(version.parse().unwrap()).unwrap().0
}

fn question(role: Role, row: &Json) -> Question {
    Question {
        role,
        deployment: match row.get("map").and_then(Json::as_str) {
            Some("process") => Deployment::Yarn,
            Some("none") => Deployment::None,
            _ => Deployment::Standalone,
        },
        consumers: Vec::new(),
        managed_backend: true,
        stores: vec![Store::RocksDb],
    }
}

const FIELDS: [(&str, &str); 8] = [
    ("fwHeap", "framework.heap"),
    ("taskHeap", "task.heap"),
    ("fwOff", "framework.off-heap"),
    ("taskOff", "task.off-heap"),
    ("network", "network"),
    ("managed", "managed"),
    ("metaspace", "metaspace"),
    ("overhead", "overhead"),
];

/// What Flink answered, as wants.
fn answered(row: &Json) -> Option<Vec<Want>> {
    let sizes = row["out"].get("m").filter(|_| row["out"]["ok"] == true)?;
    FIELDS
        .iter()
        .map(|(field, name)| {
            let target = Target::named(name, Role::TaskManager)?;
            Some(Want { target, bytes: Bytes::new(sizes[*field].as_u64()?) })
        })
        .collect()
}

/// The same of a JobManager.
fn jobmanager_answered(row: &Json) -> Option<Vec<Want>> {
    let sizes = row["out"].get("m").filter(|_| row["out"]["ok"] == true)?;
    [("heap", "heap"), ("offHeap", "off-heap"), ("metaspace", "metaspace"), ("overhead", "overhead")]
        .iter()
        .map(|(field, name)| {
            let target = Target::named(name, Role::JobManager)?;
            Some(Want { target, bytes: Bytes::new(sizes[*field].as_u64()?) })
        })
        .collect()
}

/// Whether the configuration with the changes, planned again, gives every want.
fn gives(config: &Config, profile: &'static Profile, question: &Question, wants: &[Want], solution: &want::Solution) {
    let changed = applied(config, &solution.changes);
    let plan = plan::plan(&changed, profile, question).unwrap();
    for want in wants {
        assert_eq!(want.target.size(&plan, &changed, question), Some(want.bytes), "{want:?} {:?}", solution.changes);
    }
}

#[rstest]
#[case("1.20.5.tm")]
#[case("2.3.0.tm")]
fn all_components_of_real_flinks_answers_are_had_from_an_empty_configuration(#[case] table: &str) {
    let profile = profile(table);
    let (mut asked, mut changes) = (0, 0);
    for (id, _, row) in cases(table) {
        let Some(wants) = answered(&row) else { continue };
        let question = question(Role::TaskManager, &row);
        let solution = want::solve(&Config::new(), profile, &question, &wants)
            .unwrap_or_else(|conflict| panic!("{id}: {wants:?} {conflict:?}"));
        gives(&Config::new(), profile, &question, &wants, &solution);
        asked += 1;
        changes += solution.changes.len();
    }
    assert!(asked > 80, "only {asked} rows");
    println!("{table}: {asked} of {asked} exact, {changes} keys");
}

#[rstest]
#[case("1.20.5.tm")]
#[case("2.3.0.tm")]
fn sizes_of_another_row_are_had_over_a_rows_own_configuration_where_that_is_claimed(#[case] table: &str) {
    let profile = profile(table);
    let cases = cases(table);
    let accepted: Vec<Vec<Want>> = cases.iter().filter_map(|(_, _, row)| answered(row)).collect();
    let (mut asked, mut claimed) = ([0, 0], [0, 0]);
    for (index, (_, config, row)) in cases.iter().enumerate() {
        let question = question(Role::TaskManager, row);
        let sizes = &accepted[(index * 7 + 3) % accepted.len()];
        for (number, wants) in
            [vec![sizes[index % 8]], vec![sizes[index % 8], sizes[(index + 3) % 8]]].iter().enumerate()
        {
            asked[number] += 1;

            if let Ok(solution) = want::solve(config, profile, &question, wants) {
                gives(config, profile, &question, wants, &solution);
                claimed[number] += 1;
            }
        }
    }
    println!("{table}: one size {} of {}, two {} of {}", claimed[0], asked[0], claimed[1], asked[1]);
    assert!(claimed[0] * 10 > asked[0] * 9, "{claimed:?} of {asked:?}");
}

#[rstest]
#[case("1.20.5.tm", Role::TaskManager)]
#[case("1.20.5.jm", Role::JobManager)]
#[case("2.3.0.tm", Role::TaskManager)]
#[case("2.3.0.jm", Role::JobManager)]
#[case("1.10.3.tm", Role::TaskManager)]
#[case("1.16.3.jm", Role::JobManager)]
fn every_cure_of_what_real_flink_refuses_is_accepted(#[case] table: &str, #[case] role: Role) {
    let profile = profile(table);
    let (mut refused, mut cured) = (0, 0);
    let mut without = Vec::new();
    for (id, config, row) in cases(table) {
        let question = question(role, &row);
        let cures = mend::cures(&config, profile, &question);
        if row["out"]["ok"] == true {
            assert!(cures.is_empty(), "{id}");
            continue;
        }
        refused += 1;
        cured += usize::from(!cures.is_empty());
        for cure in &cures {
            let changed = applied(&config, std::slice::from_ref(&cure.change));
            let plan = plan::plan(&changed, profile, &question).unwrap_or_else(|_| panic!("{id}: {}", cure.change));
            assert_eq!(plan.jvm_arguments, cure.plan.jvm_arguments, "{id}: {}", cure.change);
        }
        if cures.is_empty() {
            without.push(format!("{id} {} {}", row["cfg"], row["out"]["err"]["msg"]));
        }
    }
    println!("{table}: {cured} of {refused} refused rows have a cure");
    for row in without {
        println!("  without: {row}");
    }
    assert!(cured * 100 >= refused * 75, "{cured} of {refused}");
}

#[rstest]
#[case("1.20.5.jm")]
#[case("2.3.0.jm")]
fn all_components_of_a_jobmanager_are_had_from_an_empty_configuration(#[case] table: &str) {
    let profile = profile(table);
    let mut asked = 0;
    for (id, _, row) in cases(table) {
        let Some(wants) = jobmanager_answered(&row) else { continue };
        let question = question(Role::JobManager, &row);
        let solution = want::solve(&Config::new(), profile, &question, &wants)
            .unwrap_or_else(|conflict| panic!("{id}: {wants:?} {conflict:?}"));
        gives(&Config::new(), profile, &question, &wants, &solution);
        asked += 1;
    }
    assert!(asked > 10, "only {asked} rows");
    println!("{table}: {asked} of {asked} exact");
}

#[test]
fn what_rocksdb_has_in_a_row_is_had_again_without_the_rows_sizes() {
    let profile = profile("1.20.5.tm");
    let (mut asked, mut claimed) = (0, 0);
    for (_, config, row) in cases("1.20.5.tm") {
        let mut question = question(Role::TaskManager, &row);
        question.consumers = vec![oomph::model::UseCase::StateBackend];
        let Ok(plan) = plan::plan(&config, profile, &question) else { continue };
        // Only how the pool is divided stays; how large it is has to be found.
        let mut bare = Config::new();
        for (key, setting) in config.iter().filter(|(key, _)| !key.contains(".memory.") || key.contains("ratio")) {
            bare.set(key.to_owned(), setting.value.clone(), setting.place.clone());
        }
        for target in [Target::Pool, Target::BlockCache, Target::WriteBufferManager] {
            let size = target.size(&plan, &config, &question);
            let Some(bytes) = size.filter(|size| *size > Bytes::ZERO) else { continue };
            let wants = [Want { target, bytes }];
            asked += 1;
            if let Ok(solution) = want::solve(&bare, profile, &question, &wants) {
                gives(&bare, profile, &question, &wants, &solution);
                claimed += 1;
            }
        }
    }
    println!("RocksDB: {claimed} of {asked} exact");
    assert!(asked > 100 && claimed * 10 > asked * 9, "{claimed} of {asked}");
}

#[rstest]
#[case(Role::TaskManager, "taskmanager")]
#[case(Role::JobManager, "jobmanager")]
fn the_largest_and_smallest_sizes_are_answered(#[case] role: Role, #[case] name: &str) {
    let profile = Profile::newest();
    let mut question = question(role, &Json::Null);
    question.deployment = Deployment::Kubernetes;
    let sizes = [0, 1, 1 << 40, 1 << 62, Bytes::FLINK_MAX.get() - 1, Bytes::FLINK_MAX.get()];
    for total in ["", "1b", "4g", "9223372036854775807b", "9999999999999999999"] {
        let mut config = Config::new();
        if !total.is_empty() {
            config.set(format!("{name}.memory.process.size"), Value::text(total), Place::of(Source::Caller));
        }
        mend::cures(&config, profile, &question);
        for (_, target) in want::targets(role) {
            for bytes in sizes.map(Bytes::new) {
                let wants = [Want { target: *target, bytes }];
                if let Ok(solution) = want::solve(&config, profile, &question, &wants) {
                    gives(&config, profile, &question, &wants, &solution);
                }
            }
        }
    }
}
