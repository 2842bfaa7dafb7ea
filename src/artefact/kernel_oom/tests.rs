#![allow(clippy::unwrap_used, reason = "a test")]

use proptest::prelude::*;
use rstest::rstest;

use super::*;

/// Red Hat 6: `kill process … or a child` in small letters, a UID before the name, no counters but those of the limit.
const V2_6_32: &str = "\
kernel: java invoked oom-killer: gfp_mask=0xd0, order=0, oom_adj=0, oom_score_adj=0
kernel: java cpuset=/ mems_allowed=0
kernel: Pid: 4711, comm: java Not tainted 2.6.32-754.el6.x86_64 #1
kernel: Call Trace:
kernel: [<ffffffff81131640>] ? mem_cgroup_out_of_memory+0x92/0xb0
kernel: Task in /yarn/container_e07_1500000000000_0042_01_000003 killed as a result of limit of /yarn
kernel: memory: usage 4194304kB, limit 4194304kB, failcnt 812
kernel: memory+swap: usage 4194304kB, limit 9007199254740991kB, failcnt 0
kernel: [ pid ]   uid  tgid total_vm      rss cpu oom_adj oom_score_adj name
kernel: [ 4700]   501  4700   651234   512000   3       0             0 java
kernel: Memory cgroup out of memory: Kill process 4700 (java) score 990 or sacrifice child
kernel: Killed process 4700, UID 501, (java) total-vm:2604936kB, anon-rss:2040000kB, file-rss:8000kB
";

/// 3.10: the child of the chosen process dies.
const V3_10: &str = "\
[ 100.000001] python invoked oom-killer: gfp_mask=0xd0, order=0, oom_score_adj=0
[ 100.000002] python cpuset=abc mems_allowed=0
[ 100.000003]  [<ffffffff811cf4e4>] mem_cgroup_oom_synchronize+0x554/0x580
[ 100.000004] Task in /docker/aaaa killed as a result of limit of /docker/aaaa
[ 100.000005] memory: usage 1048576kB, limit 1048576kB, failcnt 33
[ 100.000006] memory+swap: usage 1048576kB, limit 2097152kB, failcnt 0
[ 100.000007] kmem: usage 0kB, limit 9007199254740988kB, failcnt 0
[ 100.000008] Memory cgroup stats for /docker/aaaa: cache:900000KB rss:148576KB rss_huge:0KB mapped_file:12KB swap:0KB \
inactive_anon:500000KB active_anon:520000KB inactive_file:10KB active_file:20KB unevictable:0KB
[ 100.000009] [ pid ]   uid  tgid total_vm      rss nr_ptes swapents oom_score_adj name
[ 100.000010] [ 1201]     0  1201     1100      300       8        0             0 bash
[ 100.000011] [ 1234]     0  1234   800000    30000     100        0             0 python my app
[ 100.000012] Memory cgroup out of memory: Kill process 1201 (bash) score 900 or sacrifice child
[ 100.000013] Killed process 1234 (python my app) total-vm:3200000kB, anon-rss:110000kB, file-rss:10000kB
";

/// 6.8 and later, version 2: a table with the parts of the resident sets, `kernel` as one number, a whole group.
const V6_8: &str = "\
[Mon Mar  2 10:00:00 2026] Source: kafka - invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=872
[Mon Mar  2 10:00:00 2026] CPU: 3 UID: 0 PID: 990 Comm: Source: kafka - Not tainted 6.8.0-45-generic #45-Ubuntu
[Mon Mar  2 10:00:00 2026] memory: usage 2097152kB, limit 2097152kB, failcnt 77
[Mon Mar  2 10:00:00 2026] swap: usage 0kB, limit 0kB, failcnt 0
[Mon Mar  2 10:00:00 2026] Memory cgroup stats for /kubepods.slice/kubepods-pod1234.slice:
[Mon Mar  2 10:00:00 2026] anon 1932735283
[Mon Mar  2 10:00:00 2026] file 1048576
[Mon Mar  2 10:00:00 2026] kernel 67108864
[Mon Mar  2 10:00:00 2026] kernel_stack 5242880
[Mon Mar  2 10:00:00 2026] sock 4096
[Mon Mar  2 10:00:00 2026] shmem 524288
[Mon Mar  2 10:00:00 2026] inactive_anon 1932735283
[Mon Mar  2 10:00:00 2026] slab 9437184
[Mon Mar  2 10:00:00 2026] Tasks state (memory values in pages):
[Mon Mar  2 10:00:00 2026] [  pid  ]   uid  tgid total_vm      rss rss_anon rss_file rss_shmem pgtables_bytes swapents oom_score_adj name
[Mon Mar  2 10:00:00 2026] [    900]  9999   900  1500000   470000   468000     2000         0  4000000        0           872 java
[Mon Mar  2 10:00:00 2026] oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=x,mems_allowed=0,oom_memcg=/kubepods.slice/kubepods-pod1234.slice,task_memcg=/kubepods.slice/kubepods-pod1234.slice/cri-containerd-55.scope,task=java,pid=900,uid=9999
[Mon Mar  2 10:00:00 2026] Memory cgroup out of memory: Killed process 900 (java) total-vm:6000000kB, anon-rss:1872000kB, file-rss:8000kB, shmem-rss:0kB, UID:9999 pgtables:3906kB oom_score_adj:872
[Mon Mar  2 10:00:00 2026] Tasks in /kubepods.slice/kubepods-pod1234.slice/cri-containerd-55.scope are going to be killed due to memory.oom.group set
[Mon Mar  2 10:00:00 2026] Memory cgroup out of memory: Killed process 900 (java) total-vm:6000000kB, anon-rss:1872000kB, file-rss:8000kB, shmem-rss:0kB, UID:9999 pgtables:3906kB oom_score_adj:872
[Mon Mar  2 10:00:00 2026] Memory cgroup out of memory: Killed process 955 (python3) total-vm:6000kB, anon-rss:2000kB, file-rss:100kB, shmem-rss:0kB, UID:9999 pgtables:39kB oom_score_adj:872
[Mon Mar  2 10:00:00 2026] oom_reaper: reaped process 900 (java), now anon-rss:0kB, file-rss:0kB, shmem-rss:0kB
";

/// The whole machine, 5.x, pages of 64 KiB.
const GLOBAL: &str = "\
kernel: kthreadd invoked oom-killer: gfp_mask=0x1100dca(GFP_HIGHUSER_MOVABLE|__GFP_ZERO), order=0, oom_score_adj=0
kernel:  __alloc_pages_slowpath.constprop.0+0xcbd/0xe10
kernel: Mem-Info:
kernel: active_anon:50000 inactive_anon:10000 isolated_anon:0
kernel:  active_file:10 inactive_file:20 isolated_file:0
kernel:  slab_reclaimable:100 slab_unreclaimable:900
kernel:  mapped:13 shmem:500 pagetables:77
kernel:  free:1200 free_pcp:0 free_cma:0
kernel: Node 0 active_anon:3200000kB inactive_anon:640000kB shmem:32000kB
kernel: Free swap  = 0kB
kernel: Total swap = 0kB
kernel: 65536 pages RAM
kernel: [  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name
kernel: [   4242]  1000  4242    90000    50000   159744        0             0 java
kernel: oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task_memcg=/user.slice,task=java,pid=4242,uid=1000
kernel: Out of memory: Killed process 4242 (java) total-vm:5760000kB, anon-rss:3199000kB, file-rss:1000kB, shmem-rss:0kB, UID:1000 pgtables:59264kB oom_score_adj:0
";

fn one(text: &str) -> Report {
    let mut reports = reports(text);
    assert_eq!(reports.len(), 1, "{reports:#?}");
    reports.remove(0)
}

fn kib(number: u32) -> Bytes {
    Bytes::kib(number)
}

#[test]
fn the_report_of_2_6_32_names_victim_and_limit() {
    let report = one(V2_6_32);
    assert_eq!((report.victim(), report.victim_name(), report.bound), (Some(4700), Some("java"), Some(Bound::Memcg)));
    assert_eq!(report.at_limit().unwrap().limit, Some(kib(4_194_304)));
    assert_eq!(report.counters[1].limit, None);
    assert_eq!(report.limited.as_deref(), Some("/yarn"));
    assert_eq!(report.victim_resident(), Some(kib(2_048_000)));
    assert_eq!((report.tasks[0].rss, report.tasks[0].score_adjustment), (512_000, Some(0)));
    assert_eq!(report.invoked.unwrap().name.as_deref(), Some("java"));
}

#[test]
fn a_child_that_dies_for_its_parent_is_the_victim() {
    let report = one(V3_10);
    assert_eq!((report.victim(), report.victim_name()), (Some(1234), Some("python my app")));
    assert_eq!(report.chosen.as_ref().unwrap().pid, 1201);
    assert_eq!(report.tasks[1].name, "python my app");
    // It does not print shared memory; the lists hold more than the memory of processes.
    assert_eq!(report.stat.all_shmem(), Some(kib(871_424)));
}

#[test]
fn a_whole_group_that_dies_is_one_report_with_a_table_by_its_header() {
    let report = one(V6_8);
    assert!(report.whole_group);
    assert_eq!(report.killed.iter().map(|killed| killed.pid).collect::<Vec<_>>(), [900, 955]);
    assert_eq!((report.tasks[0].rss, report.tasks[0].rss_anon), (470_000, Some(468_000)));
    assert_eq!(
        (report.stat.anon, report.stat.all_kernel()),
        (Some(Bytes::new(1_932_735_283)), Some(Bytes::new(67_112_960)))
    );
    assert_eq!(report.invoked.as_ref().unwrap().name.as_deref(), Some("Source: kafka -"));
    assert_eq!(report.group.as_deref(), Some("/kubepods.slice/kubepods-pod1234.slice/cri-containerd-55.scope"));
}

#[test]
fn a_machine_without_memory_shows_the_size_of_its_pages() {
    let report = one(GLOBAL);
    assert_eq!((report.bound, report.at_limit()), (Some(Bound::Machine), None));
    assert_eq!(report.page(), kib(64));
    assert_eq!(
        (report.machine.anon_lists, report.machine.shmem, report.machine.ram),
        (Some(60_000), Some(500), Some(65_536))
    );
    let without_sizes = GLOBAL.replace("anon-rss:3199000kB, file-rss:1000kB, shmem-rss:0kB", "");
    assert_eq!(one(&without_sizes).victim_resident(), Some(kib(3_200_000)));
}

#[rstest]
#[case::at_memory((100, 100), (100, 200), Counting::Memory)]
#[case::swap_is_full((90, 100), (120, 120), Counting::MemorySwap)]
#[case::above_it((101, 100), (101, 200), Counting::Memory)]
#[case::nearest((99, 100), (100, 200), Counting::Memory)]
fn the_counter_at_its_limit_counts(#[case] memory: (u32, u32), #[case] both: (u32, u32), #[case] expected: Counting) {
    let text = format!(
        "memory: usage {}kB, limit {}kB, failcnt 0\nmemory+swap: usage {}kB, limit {}kB, failcnt 9\n\
         kmem: usage 1kB, limit 9007199254740988kB, failcnt 0\n",
        memory.0, memory.1, both.0, both.1
    );
    assert_eq!(one(&text).at_limit().unwrap().what, expected);
}

#[test]
fn groups_below_the_limited_one_are_summed() {
    let report = one("Task in /pod/a killed as a result of limit of /pod\n\
        Memory cgroup stats for /pod: cache:0KB rss:0KB rss_huge:0KB shmem:0KB dirty:0KB\n\
        Memory cgroup stats for /pod/a: cache:10KB rss:100KB rss_huge:0KB shmem:4KB dirty:1KB\n\
        Memory cgroup stats for /pod/b: cache:20KB rss:200KB rss_huge:0KB shmem:6KB dirty:2KB\n");
    assert_eq!((report.stat.anon, report.stat.file), (Some(kib(300)), Some(kib(30))));
    assert_eq!((report.stat.shmem, report.stat.dirty), (Some(kib(10)), Some(kib(3))));
}

#[rstest]
#[case("anon 4096#012file 8192#012shmem 1024")]
#[case("anon 4096\\nfile 8192\\nshmem 1024")]
#[case("anon 4096\n                 file 8192\n                 shmem 1024\n")]
#[case("anon 4096\nx kernel: file 8192\nx kernel: shmem 1024\n")]
fn one_record_of_many_lines_is_read_however_a_collector_joins_them(#[case] lines: &str) {
    let report = one(&format!("memory: usage 8kB, limit 8kB, failcnt 1\nMemory cgroup stats for /a:{lines}"));
    let stat = (report.stat.anon.unwrap().get(), report.stat.file.unwrap().get(), report.stat.shmem.unwrap().get());
    assert_eq!(stat, (4096, 8192, 1024));
}

#[test]
fn lines_wrapped_and_quoted_in_a_mail_are_read() {
    let report = one("> host kernel: [1.1] gzip invoked\n> oom-killer: gfp_mask=0xd0, order=0, oom_score_adj=0\n\
        > host kernel: [1.2] Task in\n> /a/b killed as a result of limit of /a\n\
        > host kernel: [1.3] memory: usage\n> 512kB, limit 512kB, failcnt 3\n\
        > host kernel: [1.4] Memory cgroup out of memory: Killed process 77\n\
        > (gzip) total-vm:4124kB, anon-rss:72kB, file-rss:0kB,\n> shmem-rss:4kB, UID:0 pgtables:48kB\n");
    assert_eq!((report.limited.as_deref(), report.group.as_deref()), (Some("/a"), Some("/a/b")));
    assert_eq!(report.at_limit().unwrap().usage, kib(512));
    assert_eq!((report.victim(), report.victim_resident()), (Some(77), Some(kib(76))));
}

#[test]
fn markdown_and_translators_of_web_pages_leave_it_readable() {
    let markdown = GLOBAL.replace('_', "\\_").replace('[', "\\[").replace(']', "\\]");
    let report = one(&markdown);
    assert_eq!((report.bound, report.victim(), report.tasks[0].rss), (Some(Bound::Machine), Some(4242), 50_000));
    let report = one(
        "memory:usage512kB,limit512kB,failcnt3\nMemory cgroup out of memory: Killed process77(java)total-vm:9kB, anon-rss:8kB\n",
    );
    assert_eq!((report.at_limit().unwrap().usage, report.victim()), (kib(512), Some(77)));
}

#[test]
fn a_mail_as_it_was_sent_is_read() {
    let sent = V6_8.replace('=', "=3D").replace("Killed process 955", "Killed =\n> process 955");
    let report = one(&sent);
    assert_eq!((report.bound, report.killed.last().map(|killed| killed.pid)), (Some(Bound::Memcg), Some(955)));
    assert_eq!(report.limited.as_deref(), Some("/kubepods.slice/kubepods-pod1234.slice"));
    assert_eq!(report.invoked, one(V6_8).invoked);
}

#[test]
fn a_line_that_another_cpu_has_torn_still_names_the_victim() {
    let report =
        one("oom-kill:constraint=CONSTRAINT_MEMCG,nodema[  2.1] BUG: something\n[  2.2] ,task=a b,pid=31,uid=0\n");
    assert_eq!((report.bound, report.victim(), report.victim_name()), (Some(Bound::Memcg), Some(31), Some("a b")));
}

#[test]
fn a_number_that_is_cut_off_is_none() {
    let report = one(
        "memory: usage 5120kB, limit 512\nMemory cgroup out of memory: Killed process 9 (java) total-vm:9kB, anon-rss:12",
    );
    assert_eq!((report.counters[0].usage, report.counters[0].limit), (kib(5120), None));
    assert_eq!(report.victim_resident(), None);
}

#[test]
fn two_reports_are_two_and_a_kill_goes_to_the_report_that_chose_it() {
    assert_eq!(reports(&format!("{V3_10}{V6_8}{GLOBAL}")).len(), 3);
    let chosen = |pid| {
        format!(
            "x invoked oom-killer: gfp_mask=0xd0, order=0\nMemory cgroup out of memory: Kill process {pid} (java) score 9 or sacrifice child\n"
        )
    };
    let killed = |pid| format!("Killed process {pid} (java) total-vm:1kB, anon-rss:{pid}kB, file-rss:0kB\n");
    let mixed = reports(&format!("{}{}{}{}", chosen(1), chosen(2), killed(1), killed(2)));
    let victims: Vec<_> = mixed.iter().map(|report| (report.victim(), report.victim_resident())).collect();
    assert_eq!(victims, [(Some(1), Some(kib(1))), (Some(2), Some(kib(2)))]);
}

#[test]
fn only_the_lines_with_a_kill_make_a_report_each() {
    let line = |pid| {
        format!("Out of memory: Killed process {pid} (java) total-vm:9kB, anon-rss:8kB, file-rss:0kB, shmem-rss:0kB\n")
    };
    let victims: Vec<_> = reports(&format!("{}{}", line(5), line(6))).iter().map(Report::victim).collect();
    assert_eq!(victims, [Some(5), Some(6)]);
}

#[rstest]
#[case::nobody("Memory cgroup out of memory and no killable processes...\n", Some(Bound::Memcg))]
#[case::nobody_at_all("Out of memory and no killable processes...\n", Some(Bound::Machine))]
fn a_report_without_a_victim_says_so(#[case] text: &str, #[case] bound: Option<Bound>) {
    let report = one(text);
    assert!(report.nobody);
    assert_eq!((report.bound, report.victim()), (bound, None));
}

#[test]
fn a_kill_by_hand_is_known_by_its_order() {
    let report = one(
        "sysrq: Manual OOM execution\nkworker/1:2 invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=-1, oom_score_adj=0\n\
        Out of memory: Killed process 3 (java) total-vm:9kB, anon-rss:8kB, file-rss:0kB, shmem-rss:0kB\n",
    );
    assert!(report.by_hand);
    assert_eq!((report.victim(), report.invoked.unwrap().name.as_deref()), (Some(3), Some("kworker/1:2")));
}

#[rstest]
#[case::a_program("2026-01-01 INFO Killed process 31 (worker) on request")]
#[case::a_stuck_task("INFO: task java:31 blocked for more than 120 seconds.\n __alloc_pages_slowpath+0x1/0x2\n")]
#[case::a_java_log("java.lang.OutOfMemoryError: Java heap space\nOut of memory in task 3")]
#[case::prose("The kernel may invoke its OOM killer when memory: usage is high.")]
#[case::a_table("[ pid ]   uid  tgid total_vm      rss name\n[ 1] 0 1 2 3 init\n")]
fn what_is_no_report_is_not_read(#[case] text: &str) {
    assert_eq!(reports(text), []);
}

#[test]
fn every_part_of_a_report_is_read() {
    for text in [V2_6_32, V3_10, V6_8, GLOBAL] {
        for at in (0..text.len()).filter(|at| text.is_char_boundary(*at)).step_by(41) {
            reports(&text[..at]);
            reports(&text[at..]);
        }
    }
}

proptest! {
    #[test]
    fn lines_in_any_order_are_read(mut lines in Just([V3_10, V6_8, GLOBAL].concat().lines().map(str::to_owned).collect::<Vec<_>>()).prop_shuffle(), keep in 0_usize..60) {
        lines.truncate(keep);
        for report in reports(&lines.join("\n")) {
            prop_assert!(report.start <= report.end && report.killed.len() <= lines.len());
        }
    }
}

#[test]
fn where_a_group_dies_as_one_its_first_kill_is_the_victim() {
    let killed = |pid: u32, name: &str| {
        format!(
            "Memory cgroup out of memory: Killed process {pid} ({name}) total-vm:9kB, anon-rss:{pid}kB, file-rss:0kB\n"
        )
    };
    let group = "Tasks in /a/b are going to be killed due to memory.oom.group set\n";
    let text = format!("{}{group}{}{}", killed(70, "java"), killed(70, "java"), killed(81, "tini"));
    let reports = reports(&text);
    assert_eq!(reports.len(), 1);
    assert_eq!((reports[0].victim(), reports[0].victim_name()), (Some(70), Some("java")));
    assert_eq!(reports[0].victim_resident(), Some(Bytes::kib(70)));
}

#[test]
fn two_messages_of_a_node_event_are_one_text() {
    let text = "Out of memory: Kill process 7 (java) score 9 or sacrifice child\\nKilled process 7 (java) total-vm:9kB, \
                anon-rss:5kB, file-rss:1kB";
    let reports = reports(text);
    assert_eq!((reports[0].victim(), reports[0].victim_resident()), (Some(7), Some(Bytes::kib(6))));
}

#[test]
fn a_group_that_is_named_was_the_bound_whatever_the_constraint() {
    let text = "oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/a,task_memcg=/a,\
                task=java,pid=9,uid=0\n";
    assert_eq!(reports(text)[0].bound, Some(Bound::Memcg));
    let nobody = "memory: usage 9kB, limit 8kB, failcnt 1\nOut of memory and no killable processes...\n";
    assert_eq!(reports(nobody)[0].bound, None);
}

#[test]
fn a_machine_that_stopped_is_a_report() {
    for words in ["Out of memory: system-wide panic_on_oom is enabled", "System is deadlocked on memory"] {
        assert!(reports(&format!("Kernel panic - not syncing: {words}\n"))[0].panic);
    }
}
