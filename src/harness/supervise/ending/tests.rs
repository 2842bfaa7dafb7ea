use super::*;

const REPORT: &str = "[ 1.000000] worker invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0\n\
    [ 1.000001] Memory cgroup out of memory: Killed process 9 (worker) total-vm:2052kB, anon-rss:1024kB, file-rss:0kB, \
    shmem-rss:0kB, UID:0 pgtables:44kB oom_score_adj:0\n";

/// A SIGKILL of process 9.
fn killed<'l>(oom_kills: Option<u64>, reports: &'l [String]) -> Left<'l> {
    Left { cut: None, status: Some(ExitStatus::from_raw(9)), ended: None, pid: 9, oom_kills, reports, stderr: "" }
}

fn is_the_kernels(left: &Left<'_>) -> bool {
    matches!(ending(left), Ending::KilledByKernel { .. })
}

#[test]
fn a_sigkill_is_the_kernels_where_it_counts_it_or_says_so() {
    let report = [REPORT.to_owned()];
    assert!(is_the_kernels(&killed(Some(1), &report)));
    assert!(is_the_kernels(&killed(Some(1), &[])), "the log may not be read");
    assert!(is_the_kernels(&killed(None, &report)), "a kernel before 4.13 does not count kills");
    assert!(!is_the_kernels(&killed(Some(0), &[])));
    assert!(!is_the_kernels(&killed(None, &[])));
}

#[test]
fn a_report_of_another_process_alone_is_not_this_ones_death() {
    let report = [REPORT.to_owned()];
    assert!(!is_the_kernels(&Left { pid: 8, ..killed(Some(0), &report) }));
    // In another pid namespace: the kernel counts, and its log has an id that is not known here.
    let Ending::KilledByKernel { pid, report } = ending(&Left { pid: 8, ..killed(Some(1), &report) }) else {
        unreachable!("the kernel counts a kill")
    };
    assert_eq!((pid, report.as_str()), (8, REPORT));
}

#[test]
fn what_oomph_ended_is_not_the_kernels_kill() {
    let report = [REPORT.to_owned()];
    let cut = |cut| ending(&Left { cut: Some(cut), ..killed(Some(1), &report) });
    assert_eq!(cut(Cut::OutOfTime), Ending::OutOfTime);
    assert_eq!(cut(Cut::Stopped), Ending::Interrupted);
    assert_eq!(cut(Cut::Guard(Bytes::mib(3))), Ending::KilledByWatchdog { at: Bytes::mib(3) });
    assert_eq!(cut(Cut::Disk("full".to_owned())), Ending::Failed("full".to_owned()));
}

#[test]
fn a_worker_that_says_that_it_failed_has_failed_whatever_its_code() {
    let left = |ended, code: i32| Left { status: Some(ExitStatus::from_raw(code << 8)), ended, ..killed(None, &[]) };
    let failed = || Some(Ended::Failed("no engine".to_owned()));
    assert_eq!(ending(&left(failed(), 0)), Ending::Failed("no engine".to_owned()));
    assert_eq!(ending(&left(failed(), 1)), Ending::Failed("no engine".to_owned()));
    assert_eq!(ending(&left(Some(Ended::Done), 0)), Ending::Finished);
    // Done, and then it crashed.
    assert!(matches!(ending(&left(Some(Ended::Done), 3)), Ending::Died { .. }));
    assert!(matches!(ending(&left(None, enter::EXIT)), Ending::Failed(_)));
}

#[test]
fn a_kill_of_a_process_beside_the_worker_is_the_kernels_too() {
    let report = [REPORT.to_owned()];
    let failed = Some(Ended::Failed("the Python process ended: signal 9".to_owned()));
    let left = |oom_kills| Left { ended: failed.clone(), status: None, pid: 8, ..killed(oom_kills, &report) };
    assert!(matches!(ending(&left(Some(1))), Ending::KilledByKernel { pid: 9, .. }));
    // Somebody else ended it.
    assert!(matches!(ending(&left(Some(0))), Ending::Failed(_)));
}
