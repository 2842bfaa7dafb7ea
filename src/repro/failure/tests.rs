use super::*;
use crate::model::Bytes;
use crate::repro::failures;
use crate::repro::launch;
use crate::repro::on_flink::made::{half, look};

const WORKER: Worker<'static> = Worker { program: "/p/python3", module: "/var/tmp/a/lookup.py" };

fn seen(ending: Ending, millis: u64, state: Option<&str>) -> Seen {
    let mut half = half(512, vec![look(1, 100, 10)]);
    (half.ending, half.millis) = (ending, millis);
    Seen { half, state: state.map(str::to_owned) }
}

fn killed() -> Seen {
    seen(Ending::KilledByKernel { pid: 7, report: "Killed process 7 (java)".to_owned() }, 30_000, Some("RUNNING"))
}

fn verdict(killer: &str, area: &str) -> Verdict {
    Verdict {
        code: Some("OOM921".to_owned()),
        title: "it died".to_owned(),
        killer: killer.to_owned(),
        area: area.to_owned(),
        confidence: "high".to_owned(),
    }
}

fn failure(name: &str) -> &'static Failure {
    failures::ALL.iter().find(|failure| failure.name == name).unwrap_or(&failures::ALL[0])
}

#[test]
fn what_died_and_then_lived_twice_as_long_is_cured() {
    let failure = failure("unmanaged-rocksdb");
    let lived = seen(Ending::Finished, 60_000, Some("RUNNING"));
    assert!(failure.failed(&killed()).held);
    assert!(failure.cured(&killed(), &lived).held);
    // Swapped, neither holds.
    assert!(!failure.failed(&lived).held);
    assert!(!failure.cured(&lived, &killed()).held);
}

#[test]
fn a_cure_that_did_not_live_long_enough_or_does_no_work_is_none() {
    let failure = failure("unmanaged-rocksdb");
    assert!(!failure.cured(&killed(), &seen(Ending::Finished, 59_000, Some("RUNNING"))).held);
    assert!(!failure.cured(&killed(), &seen(Ending::Finished, 60_000, Some("RESTARTING"))).held);
    assert!(!failure.cured(&killed(), &seen(Ending::Finished, 60_000, None)).held);
    // All was done.
    assert!(failure.cured(&killed(), &seen(Ending::Finished, 9_000, Some("FINISHED"))).held);
}

#[test]
fn a_verdict_is_right_by_killer_and_area() {
    let failure = failure("unmanaged-rocksdb");
    assert!(failure.explained(Some(&verdict("kernel-memcg", "native"))).held);
    assert!(!failure.explained(Some(&verdict("kernel-memcg", "heap"))).held);
    assert!(!failure.explained(Some(&verdict("jvm", "native"))).held);
    assert!(!failure.explained(None).held);
}

#[test]
fn where_only_some_causes_are_right_another_is_wrong() {
    let failure = failure("python-worker");
    let said = |code: &str| Verdict { code: Some(code.to_owned()), ..verdict("kernel-memcg", "container") };
    assert!(failure.explained(Some(&said("OOM959"))).held);
    assert!(!failure.explained(Some(&said("OOM940"))).held);
    assert!(failure.states().iter().any(|states| states.contains("OOM959")), "{:?}", failure.states());
}

#[test]
fn a_job_with_python_functions_is_told_where_they_are_and_who_runs_them() {
    for failure in failures::ALL {
        let Ok(version) = "2.3.0".parse() else { continue };
        let site = Site { version, directory: "/var/tmp/a", tmpfs: None, python: Some(WORKER) };
        let settings = failure.settings_at(&site);
        let told = |key: &str| settings.get(key).map(String::as_str);
        assert_eq!(told("python.files"), failure.python.map(|_| WORKER.module), "{}", failure.name);
        for key in ["python.executable", "python.client.executable"] {
            assert_eq!(told(key), failure.python.map(|_| WORKER.program), "{}", failure.name);
        }
        assert_eq!((failure.job)(&site).contains("LANGUAGE PYTHON"), failure.python.is_some(), "{}", failure.name);
    }
}

#[test]
fn where_memory_had_nothing_to_do_with_it_only_that_is_right() {
    let failure = failure("external-kill");
    assert!(failure.is_negative());
    let ended = seen(Ending::Died { status: "signal 9".to_owned(), stderr: String::new() }, 10_000, Some("RUNNING"));
    assert!(failure.failed(&ended).held);
    assert!(failure.explained(Some(&verdict("not-oom", "other"))).held);
    assert!(!failure.explained(Some(&verdict("kernel-memcg", "container"))).held);
}

#[test]
fn every_failure_is_planned_by_the_flinks_that_it_is_run_on() {
    for version in ["1.20.5", "2.3.0"].iter().filter_map(|text| text.parse().ok()) {
        let site = Site { version, directory: "/var/tmp/a", tmpfs: Some("/dev/shm/a"), python: Some(WORKER) };
        for failure in failures::ALL {
            let fails = failure.settings_at(&site);
            let mut cured = fails.clone();
            cured.extend((failure.cure)(&site));
            for settings in [&fails, &cured] {
                let launched = launch::launch(version, failure.role, settings);
                assert!(launched.is_ok_and(|launch| launch.process < Bytes::gib(3)), "{} {version}", failure.name);
            }
            let has_no_key = failure.is_negative() || failure.is_of_the_platform();
            assert_eq!(fails == cured, has_no_key, "{}", failure.name);
            assert!((failure.job)(&site).contains("INSERT INTO"), "{}", failure.name);
        }
    }
}

#[test]
fn a_job_that_an_out_of_memory_error_stopped_has_failed_and_is_not_cured() {
    let failure = failure("batch-direct");
    let mut stuck = seen(Ending::OutOfTime, 60_000, Some("RUNNING"));
    assert!(!failure.failed(&stuck).held);
    stuck.half.marks.out_of_memory = Some("java.lang.OutOfMemoryError: Direct buffer memory".to_owned());
    assert!(failure.failed(&stuck).held);
    assert!(!failure.cured(&stuck, &stuck).held);
    // All was done in spite of it.
    stuck.state = Some("FINISHED".to_owned());
    assert!(!failure.failed(&stuck).held);
}
