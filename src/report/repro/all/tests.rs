use snapbox::{assert_data_eq, str};

use super::*;
use crate::report::repro::made;

#[test]
fn what_was_not_run_is_named_and_not_counted() {
    let mut failed = made::trial();
    failed.scenario = "soft-cache".to_owned();
    failed.statements[0].held = false;
    let missing = NotRun {
        name: "latency-metrics".to_owned(),
        title: "Latency markers fill the JobManager's metric store".to_owned(),
        needs: "--flink-home DIR".to_owned(),
    };
    assert_data_eq!(
        page(&[made::trial(), failed], &[missing], 80),
        str![[r#"
                                 end          cause    peak  limit    time
unmanaged-rocksdb  held                                             89.8 s
  fails                          kernel kill  OOM921  254.0  256.0  29.5 s
  cured                          finished     -       172.0  256.0  60.2 s
soft-cache         did not hold                                     89.8 s
  fails                          kernel kill  OOM921  254.0  256.0  29.5 s
  cured                          finished     -       172.0  256.0  60.2 s
  Peak and limit in MiB: what counted against the limit, or anonymous memory
  where there was no group.

soft-cache did not hold
  The kernel kills `fails` at its limit: killed after 29.5 s of at most 90 s

Not run
  latency-metrics: needs --flink-home DIR (Latency markers fill the JobManager's
    metric store)

1 of 2 scenarios held; 1 not run

"#]]
    );
}

#[test]
fn a_narrow_terminal_gets_the_columns_that_decide() {
    let page = page(&[made::trial()], &[], 60);
    assert!(page.lines().all(|line| line.chars().count() <= 60), "{page}");
    assert!(page.contains("peak") && page.contains("limit"), "{page}");
}

#[test]
fn nothing_run_is_nothing_held() {
    assert_eq!(page(&[], &[], 80), "\n0 of 0 scenarios held\n");
}

#[test]
fn what_ended_before_the_first_look_has_no_peak_rather_than_none_of_memory() {
    let mut trial = made::trial();
    trial.runs[0].moments.clear();
    trial.runs[0].peak_anonymous = None;
    let page = page(&[trial], &[], 80);
    let fails = page.lines().find(|line| line.trim_start().starts_with("fails")).unwrap();
    assert!(fails.contains(UNSEEN) && !fails.contains(" 0.0"), "{page}");
}
