#![allow(clippy::unwrap_used, reason = "a test")]

use rstest::rstest;

use super::*;

/// A report of a cgroup at its limit, with these statistics.
fn report(stat: &str) -> String {
    format!(
        "java invoked oom-killer: gfp_mask=0x100cca(GFP_HIGHUSER_MOVABLE), order=0, oom_score_adj=0\n \
         __filemap_add_folio+0x1/0x2\n memory: usage 1048576kB, limit 1048576kB, failcnt 12\n\
         swap: usage 0kB, limit 0kB, failcnt 0\nMemory cgroup stats for /a:\n{stat}\n\
         oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=a,mems_allowed=0,oom_memcg=/a,task_memcg=/a/docker-{}.scope,task=java,pid=41,uid=0\n\
         Memory cgroup out of memory: Killed process 41 (java) total-vm:9000000kB, anon-rss:900000kB, file-rss:0kB, shmem-rss:0kB\n",
        "0a".repeat(32)
    )
}

fn deaths(text: &str) -> Vec<Death> {
    let death = |signal: Signal| match signal.says {
        Says::Death(death) => Some(death),
        _ => None,
    };
    signals(&Excerpt::plain(text)).into_iter().filter_map(death).collect()
}

#[rstest]
#[case::processes("anon 1000000000\nfile 20000000\nshmem 0\nkernel 9000000", Area::Container)]
#[case::tmpfs("anon 200000000\nfile 850000000\nshmem 840000000\nkernel 9000000", Area::Tmpfs)]
#[case::page_cache(
    "anon 200000000\nfile 850000000\nshmem 0\nfile_dirty 700000000\nfile_writeback 90000000",
    Area::PageCache
)]
#[case::slab("anon 200000000\nfile 10000\nshmem 0\nkernel_stack 90000\nslab 850000000", Area::Other)]
#[case::sockets("anon 200000000\nfile 10000\nshmem 0\nkernel 100000\nsock 850000000", Area::Other)]
#[case::nothing_stated("", Area::Container)]
fn counters_and_not_the_trace_decide_the_area(#[case] stat: &str, #[case] area: Area) {
    let deaths = deaths(&report(stat));
    let [death] = &deaths[..] else { panic!("{deaths:?}") };
    assert_eq!((death.killer, death.area), (Killer::KernelMemcg, Some(area)));
    assert_eq!((death.pid, death.limit, death.usage), (Some(41), Some(Bytes::gib(1)), Some(Bytes::gib(1))));
    assert_eq!(death.unit.as_deref(), Some(&*"0a".repeat(32)));
    assert_eq!(death.because.starts_with("no counters"), stat.is_empty());
}

#[test]
fn counters_at_their_limit_are_a_second_origin() {
    let signals = signals(&Excerpt::plain(&report("anon 1000000000\nfile 0\nshmem 0")));
    assert_eq!(signals.iter().map(|signal| signal.origin).collect::<Vec<_>>(), [Origin::Kernel, Origin::Counters]);
    let Says::Strain(strain) = &signals[1].says else { panic!("{signals:?}") };
    assert_eq!((strain.name, strain.limit), ("limit-hit", Some(Bytes::gib(1))));
    assert_eq!(signals[1].quote, "memory: usage 1048576kB, limit 1048576kB, failcnt 12");
    assert!(signals[0].quote.starts_with("Memory cgroup out of memory: Killed process 41"));
}

/// The same with a table of tasks: name and resident pages.
fn with_tasks(tasks: &[(&str, u32)]) -> String {
    let row = |(at, (name, pages)): (usize, &(&str, u32))| {
        format!(
            "[    10.000000] [{:>7}]     0 {:>5}   900000 {pages:>8}   900000        0             0 {name}\n",
            41 + at,
            41 + at
        )
    };
    let rows: String = tasks.iter().enumerate().map(row).collect();
    let header = "[    10.000000] [  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name\n";
    report("anon 1000000000\nfile 0\nshmem 0").replace("oom-kill:", &format!("{header}{rows}oom-kill:"))
}

#[rstest]
#[case::workers_of_python(
    &[("java", 100_000), ("pyflink-udf-run", 500), ("python3.11", 40_000), ("python3.11", 90_000), ("tee", 100)],
    Some(("python-workers", 130_500, "python3.11", 44))
)]
#[case::others(&[("java", 100_000), ("agent", 60_000), ("bash", 900)], Some(("other-processes", 60_900, "agent", 42)))]
#[case::a_smaller_jvm(&[("java", 60_000), ("java", 100_000)], Some(("other-processes", 60_000, "java", 41)))]
#[case::little_beside(&[("java", 200_000), ("python3", 30_000), ("bash", 900)], None)]
#[case::no_jvm(&[("worker", 100_000), ("python3", 90_000)], None)]
fn a_table_of_tasks_shows_what_ran_beside_the_jvm(
    #[case] tasks: &[(&str, u32)],
    #[case] beside: Option<(&str, u32, &str, u32)>,
) {
    let signals = signals(&Excerpt::plain(&with_tasks(tasks)));
    let found = signals.iter().find_map(|signal| match &signal.says {
        Says::Strain(strain) if strain.name != "limit-hit" => Some((signal, strain)),
        _ => None,
    });
    assert_eq!(found.map(|(_, strain)| strain.name), beside.map(|(name, ..)| name));
    if let (Some((signal, strain)), Some((_, pages, name, pid))) = (found, beside) {
        assert_eq!((strain.usage, strain.limit), (Some(Bytes::kib(4 * pages)), Some(Bytes::gib(1))));
        assert!(strain.text.contains(&format!("({name}, process {pid})")), "{}", strain.text);
        assert!(signal.quote.ends_with(name) && signal.quote.contains(&pid.to_string()), "{}", signal.quote);
    }
}

#[test]
fn a_death_told_twice_is_one() {
    let told = report("anon 1000000000\nfile 0\nshmem 0");
    let again = "node-problem-detector: Memory cgroup out of memory: Killed process 41 (java) total-vm:9000000kB, \
                 anon-rss:900000kB, file-rss:0kB\n";
    assert_eq!(deaths(&format!("{told}{again}")), deaths(&format!("{again}{told}")));
    assert_eq!(deaths(&format!("{told}{again}")).len(), 1);
}

#[test]
fn without_counters_the_resident_set_is_the_usage_and_no_limit_is_named() {
    let line = "Out of memory: Killed process 8 (java) total-vm:99kB, anon-rss:70kB, file-rss:5kB, shmem-rss:1kB\n";
    let deaths = deaths(line);
    assert_eq!(
        (deaths[0].killer, deaths[0].limit, deaths[0].usage),
        (Killer::KernelGlobal, None, Some(Bytes::kib(76)))
    );
}

#[rstest]
#[case::the_machine(
    "active_anon:90 inactive_anon:9 x\n active_file:1 inactive_file:1\n slab_unreclaimable:5 shmem:4 free:3\n",
    Area::Container
)]
#[case::shared(
    "active_anon:90 inactive_anon:9 x\n active_file:1 inactive_file:1\n slab_unreclaimable:5 shmem:94 free:3\n",
    Area::Tmpfs
)]
#[case::the_kernel(
    "active_anon:9 inactive_anon:9 x\n active_file:1 inactive_file:1\n slab_unreclaimable:95 shmem:4 free:3\n",
    Area::Other
)]
fn the_area_of_a_machine_is_read_in_its_lists(#[case] lists: &str, #[case] area: Area) {
    let text = format!(
        "java invoked oom-killer: gfp_mask=0x0, order=0\nMem-Info:\n{lists}Out of memory: Kill process 3 (java) score 1 or sacrifice child\n"
    );
    let deaths = deaths(&text);
    assert_eq!((deaths[0].killer, deaths[0].area, deaths[0].pid), (Killer::KernelGlobal, Some(area), Some(3)));
}

#[rstest]
#[case::a_trace_alone(" mem_cgroup_out_of_memory+0x12a/0x140\n try_charge_memcg+0x4ba/0x640\n", Killer::KernelMemcg)]
#[case::the_last_resort(
    "java invoked oom-killer: gfp_mask=0x201da, order=0\n __alloc_pages_may_oom+0x1/0x2\n",
    Killer::KernelGlobal
)]
#[case::told_again("dmesg: \"Memory cgroup out of memory: Killed process (java)\"", Killer::KernelMemcg)]
#[case::a_header_of_a_charge("java invoked oom-killer: gfp_mask=0xd0, order=0, oom_score_adj=0\n", Killer::KernelMemcg)]
#[case::a_header_of_a_page(
    "java invoked oom-killer: gfp_mask=0x280da, order=0, oom_score_adj=0\n",
    Killer::KernelGlobal
)]
fn a_rest_of_a_report_names_the_killer_as_far_as_it_goes(#[case] text: &str, #[case] killer: Killer) {
    assert_eq!(deaths(text).iter().map(|death| death.killer).collect::<Vec<_>>(), [killer]);
}

#[test]
fn a_cgroups_files_count_its_kills() {
    let files = "memory.max: 1073741824\nmemory.current: 20480\nmemory.peak: 1073741824\nmax 4\noom 1\noom_kill 1\n";
    let told = deaths(files);
    assert_eq!((told[0].killer, told[0].limit), (Killer::KernelMemcg, Some(Bytes::gib(1))));
    assert_eq!((told[0].usage, told[0].area), (Some(Bytes::gib(1)), Some(Area::Container)));
    let none = files.replace("oom_kill 1", "oom_kill 0");
    assert_eq!(deaths(&none), []);
    let strains = signals(&Excerpt::plain(&none));
    assert!(matches!(&strains[..], [Signal { says: Says::Strain(strain), .. }] if strain.name == "limit-hit"));
}

#[rstest]
#[case("/docker/aa", Some("aa"))]
#[case("/kubepods/burstable/pod0f5eb28f-6722-4cf5-ab0f-b62748c018d4", Some("0f5eb28f-6722-4cf5-ab0f-b62748c018d4"))]
#[case(
    "/k.slice/kubepods-burstable-pod0f5eb28f_6722_4cf5_ab0f_b62748c018d4.slice",
    Some("0f5eb28f-6722-4cf5-ab0f-b62748c018d4")
)]
#[case("/hadoop-yarn/container_e36_1_0001_01_000002", Some("container_e36_1_0001_01_000002"))]
#[case("/", None)]
fn a_path_ends_in_what_others_call_it(#[case] path: &str, #[case] expected: Option<&str>) {
    assert_eq!(unit(path).as_deref(), expected);
}

#[test]
fn counters_without_a_kill_and_with_room_to_the_end_say_that_it_was_not_the_container() {
    let files = |peak: u64, hits: u64, kills: u64| {
        Excerpt::plain(&format!(
            "==> memory.limit_in_bytes <==\n1811939328\n==> memory.max_usage_in_bytes <==\n{peak}\n\
             ==> memory.failcnt <==\n{hits}\n==> memory.oom_control <==\noom_kill_disable 0\nunder_oom 0\noom_kill {kills}\n"
        ))
    };
    let is_spared = |excerpt: &Excerpt| {
        super::signals(excerpt).iter().any(|signal| matches!(signal.says, Says::OtherReason { ends: false, .. }))
    };
    assert!(is_spared(&files(493_981_696, 0, 0)));
    // It met its limit, it was about to, or somebody was killed.
    assert!(!is_spared(&files(493_981_696, 3, 0)));
    assert!(!is_spared(&files(1_811_939_328, 0, 0)));
    assert!(!is_spared(&files(493_981_696, 0, 1)));
}
