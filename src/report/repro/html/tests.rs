#![allow(clippy::unwrap_used, reason = "a test")]

use super::*;
use crate::report::repro::made;

#[test]
fn a_text_cannot_become_markup() {
    let evil = "<script>alert(1)</script>\"><i>'</title>";
    let mut trial = made::trial();
    trial.scenario = evil.to_owned();
    trial.title = evil.to_owned();
    trial.notes = vec![evil.to_owned()];
    trial.statements[0].says = evil.to_owned();
    trial.statements[0].measured = evil.to_owned();
    for run in &mut trial.runs {
        run.label = evil.to_owned();
        run.release = Some(evil.to_owned());
        run.configuration = Some(format!("{evil}{}\n", run.millis));
        run.deviations = vec![evil.to_owned()];
        run.shown[0].name = evil.to_owned();
        run.shown[0].value = evil.to_owned();
        run.experiment.workload.name = evil.to_owned();
        run.experiment.workload.about = evil.to_owned();
        run.recording = Some(evil.to_owned());
    }
    trial.runs[0].ending = Ending::KilledByKernel { pid: 1, report: format!("Killed process {evil}") };
    trial.runs[1].ending = Ending::Died { status: evil.to_owned(), stderr: evil.to_owned() };
    let missing = NotRun { name: evil.to_owned(), title: evil.to_owned(), needs: evil.to_owned() };
    for html in [page(&[trial.clone()], &[missing]).unwrap(), page_of_runs(&trial.runs).unwrap()] {
        assert!(!html.contains("<script") && !html.contains("<i>") && html.matches("</title>").count() < 40, "{html}");
        assert_eq!(html.split("<style>").next().unwrap().matches("</title>").count(), 1);
    }
}

#[test]
fn a_page_loads_nothing() {
    let html = page(&[made::trial()], &[]).unwrap();
    assert!(!html.contains("http:") && !html.contains("https:") && !html.contains("src=") && !html.contains("url("));
}

#[test]
fn both_halves_are_drawn_on_one_scale_with_the_limit_and_the_kill() {
    let html = page(&[made::trial()], &[]).unwrap();
    let limits: Vec<&str> =
        html.split("class=\"limit\"").take(2).map(|before| before.rsplit("<line").next().unwrap()).collect();
    assert_eq!(limits[0], limits[1]);
    assert!(html.contains("<title>killed by the kernel, 29.5 s</title>") && html.contains("limit 256 MiB"));
}

#[test]
fn a_run_that_nobody_looked_at_has_a_page() {
    let mut run = made::run("quick");
    run.moments.clear();
    let html = page_of_runs(&[run]).unwrap();
    assert!(html.contains("Nobody looked at its memory.") && !html.contains("<polygon"));
}

#[test]
fn a_scenario_that_was_not_run_is_named_with_what_it_needs() {
    let missing = NotRun {
        name: "latency-metrics".to_owned(),
        title: "Latency markers fill the JobManager".to_owned(),
        needs: "--flink-home DIR".to_owned(),
    };
    let html = page(&[made::trial()], &[missing]).unwrap();
    assert!(html.contains("latency-metrics: needs --flink-home DIR"));
    assert!(html.contains("1 of 1 scenario held"));
}
