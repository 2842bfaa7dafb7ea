//! A budget printed as Flink's own start-up block and planned again is the same budget: over every configuration that
//! real Flink accepted.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

use std::fs::File;
use std::io::Read;
use std::path::Path;

use flate2::read::GzDecoder;
use oomph::config::layers::Layers;
use oomph::config::{Config, Value, startup_log};
use oomph::flink::profile::Profile;
use oomph::model::{Place, Role, Source};
use oomph::plan::{self, Deployment, Question};
use oomph::report::flink_log;
use rstest::rstest;
use serde_json::Value as Json;

fn rows(table: &str) -> Vec<Json> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/golden").join(table);
    let mut text = String::new();
    GzDecoder::new(File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn question(role: Role) -> Question {
    Question { role, deployment: Deployment::None, consumers: Vec::new(), managed_backend: true, stores: Vec::new() }
}

#[rstest]
fn a_budget_printed_as_flinks_log_is_read_back_as_the_same_budget(
    #[values("1.11.4", "1.16.3", "1.20.5", "2.3.0")] version: &str,
    #[values(("tm", Role::TaskManager), ("jm", Role::JobManager))] table: (&str, Role),
) {
    let (set, role) = table;
    let profile = Profile::of(version.parse().unwrap()).unwrap().0;
    let mut compared = 0;
    for row in rows(&format!("{version}.{set}.jsonl.gz")) {
        let mut config = Config::new();
        for (key, value) in row["cfg"].as_object().unwrap() {
            config.set(key.clone(), Value::text(value.as_str().unwrap()), Place::of(Source::Caller));
        }
        let Ok(plan) = plan::plan(&config, profile, &question(role)) else { continue };
        let text = flink_log::block(&plan.budget);
        // Whether a JobManager's direct memory is enforced is in its flags alone.
        let flags = if role == Role::JobManager { format!("java {}\n", plan.jvm_arguments) } else { String::new() };
        let subjects = startup_log::subjects(&Source::Stdin, &format!("{flags}{text}")).unwrap();
        assert_eq!((subjects.len(), subjects[0].role), (1, Some(role)), "{row}");
        let layers = Layers { settings: subjects[0].settings.clone(), ..Layers::default() };
        let config = layers.assemble(profile).unwrap().config;
        let again = plan::plan(&config, profile, &question(role))
            .unwrap_or_else(|rejected| panic!("{}: {}\n{text}", row["id"], rejected.rejection.exception.message));
        assert_eq!(flink_log::block(&again.budget), text, "{}", row["id"]);
        assert_eq!(again.jvm_arguments, plan.jvm_arguments, "{}", row["id"]);
        compared += 1;
    }
    assert!(compared > 100, "only {compared} rows were compared");
}
