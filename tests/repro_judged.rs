//! What scenarios state, held against runs that were recorded: it holds as they ran, and not with their halves swapped.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

use std::collections::BTreeSet;
use std::fs;

use oomph::report::repro::json;
use oomph::repro::outcome::{Run, Trial};
use oomph::repro::scenario::{CURED, FAILS};
use oomph::repro::scenarios;

fn recorded() -> Vec<Trial> {
    let text = fs::read_to_string("testdata/repro/trials/trials.json").unwrap();
    json::read(&text).unwrap().trials().cloned().collect()
}

fn held(scenario: &str, runs: &[Run]) -> bool {
    let statements = (scenarios::named(scenario).unwrap().judge)(runs);
    !statements.is_empty() && statements.iter().all(|statement| statement.held)
}

#[test]
fn every_scenario_was_run_and_did_what_it_states() {
    let trials = recorded();
    let run: BTreeSet<&str> = trials.iter().map(|trial| trial.scenario.as_str()).collect();
    let all: BTreeSet<&str> = scenarios::ALL.iter().map(|scenario| scenario.name).collect();
    assert_eq!(run, all);
    for trial in &trials {
        let statements = (scenarios::named(&trial.scenario).unwrap().judge)(&trial.runs);
        assert!(held(&trial.scenario, &trial.runs), "{}: {statements:#?}", trial.scenario);
    }
}

#[test]
fn no_scenario_holds_with_its_halves_swapped() {
    for trial in recorded() {
        let swapped: Vec<Run> = trial
            .runs
            .iter()
            .map(|run| {
                let label = match run.label.as_str() {
                    FAILS => CURED.to_owned(),
                    CURED => FAILS.to_owned(),
                    other => other.to_owned(),
                };
                Run { label, ..run.clone() }
            })
            .collect();
        assert!(!held(&trial.scenario, &swapped), "{} holds with its halves swapped", trial.scenario);
    }
}

#[test]
fn a_half_that_was_not_run_is_no_success() {
    for trial in recorded() {
        assert!(!held(&trial.scenario, &[]), "{} holds without any run", trial.scenario);
        let failing: Vec<Run> = trial.runs.into_iter().filter(|run| run.label == FAILS).collect();
        assert!(!held(&trial.scenario, &failing), "{} holds with its failing half alone", trial.scenario);
    }
}
