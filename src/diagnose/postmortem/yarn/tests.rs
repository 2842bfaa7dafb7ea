//! One death of many words.

#![allow(clippy::unwrap_used, reason = "a test")]

use super::*;

const ID: &str = "container_e07_1699000000123_0042_01_000003";

fn of(text: &str) -> Vec<Signal> {
    signals(&Excerpt::plain(text))
}

fn deaths(text: &str) -> Vec<Death> {
    let all = of(text).into_iter().filter_map(|signal| match signal.says {
        Says::Death(death) => Some(death),
        _ => None,
    });
    all.collect()
}

fn death(text: &str) -> Death {
    let all = deaths(text);
    assert_eq!(all.len(), 1, "{all:?}");
    all.into_iter().next().unwrap()
}

/// A kill of Hadoop 2 with its dump: the pages of the JVM, its flags, and what is printed of physical memory.
fn kill(pages: u64, flags: &str, printed: &str) -> String {
    format!(
        "Container [pid=4100,containerID={ID}] is running beyond physical memory limits. Current usage: {printed} physical \
         memory used; 4.1 GB of 4.2 GB virtual memory used. Killing container.\n\
         Dump of the process-tree for {ID} :\n\
         \t|- PID PPID PGRPID SESSID CMD_NAME USER_MODE_TIME(MILLIS) SYSTEM_TIME(MILLIS) VMEM_USAGE(BYTES) \
         RSSMEM_USAGE(PAGES) FULL_CMD_LINE\n\
         \t|- 4133 4100 4100 4100 (java) 91820 4411 4284000000 {pages} java {flags} org.apache.flink.yarn.\
         YarnTaskExecutorRunner -D taskmanager.memory.managed.size=100b\n\
         \t|- 4100 4098 4100 4100 (bash) 0 1 118000000 10 /bin/bash -c java {flags} x\n\n\
         Container killed on request. Exit code is 143\nContainer exited with a non-zero exit code 143\n"
    )
}

#[test]
fn the_table_says_to_the_page_what_the_sentence_rounds() {
    let death = death(&kill(524_480, "-Xmx1100m -XX:MaxDirectMemorySize=500m", "2.0 GB of 2 GB"));
    assert_eq!((death.killer, death.area, death.pid), (Killer::YarnPmem, Some(Area::Container), Some(4100)));
    assert_eq!((death.limit, death.usage), (Some(Bytes::gib(2)), Some(Bytes::new(524_490 * 4096))));
    assert!(death.exact);
    assert_eq!((death.unit.as_deref(), death.process.as_deref()), (Some(ID), Some("java")));
}

#[test]
fn pages_of_64_kib_are_told_by_what_is_printed() {
    let death = death(&kill(32_800, "-Xmx1g", "2.0 GB of 2 GB"));
    assert_eq!(death.usage, Some(Bytes::new(32_810 * 65_536)));
}

#[test]
fn a_table_that_contradicts_what_is_printed_is_not_believed() {
    let death = death(&kill(1_000, "-Xmx1g", "2.1 GB of 2 GB"));
    assert_eq!((death.usage, death.exact), (Some(Bytes::new(2_254_857_830)), false));
}

#[test]
fn a_heap_and_direct_memory_as_large_as_the_container_are_the_cause() {
    let flags = "-Xmx1500m -XX:MaxDirectMemorySize=548m";
    assert_eq!(death(&kill(524_480, flags, "2.0 GB of 2 GB")).area, Some(Area::Config));
    let death = death(&kill(524_480, "-Xmx3g", "2.0 GB of 2 GB"));
    assert_eq!(death.area, Some(Area::Config));
    assert!(death.because.contains("-Xmx3g alone may take 3 GiB"), "{}", death.because);
}

#[test]
fn flags_and_properties_are_given_once() {
    let text = kill(524_480, "-Xmx1100m -XX:MaxDirectMemorySize=500m", "2.0 GB of 2 GB");
    let given = |text: &str| -> Vec<(String, String)> {
        let all = of(text).into_iter().filter_map(|signal| match signal.says {
            Says::Given { key, value } => Some((key, value)),
            _ => None,
        });
        all.collect()
    };
    let expected =
        [("-Xmx", "1100m"), ("-XX:MaxDirectMemorySize", "500m"), ("taskmanager.memory.managed.size", "100b")];
    let expected = expected.map(|(key, value)| (key.to_owned(), value.to_owned()));
    assert_eq!(given(&text), expected);
    assert_eq!(given(&format!("{text}{text}")), expected);
}

#[test]
fn what_several_places_tell_of_a_container_is_one_death() {
    let kill = kill(524_480, "-Xmx1100m", "2.0 GB of 2 GB");
    let text = format!(
        "2023-11-03 08:26:40,100 INFO  ActiveResourceManager [] - Worker {ID} is terminated. Diagnostics: Container {ID} marked \
         as failed.\n Exit code:-104.\n Diagnostics:[2023-11-03 08:26:40.001]{kill}\n\
         2023-11-03 08:26:40,101 INFO  ActiveResourceManager [] - Closing TaskExecutor connection {ID} because: Container {ID} \
         marked as failed.\n Exit code:-104.\n Diagnostics:[2023-11-03 08:26:40.001]{kill}\n\
         WARN Process tree for container: {ID} has processes older than 1 iteration running over the configured limit. \
         Limit=2147483648, current usage = 2148311040\n"
    );
    let death = death(&text);
    assert_eq!((death.usage, death.pid), (Some(Bytes::new(2_148_311_040)), Some(4100)));
    assert!(!of(&text).iter().any(|signal| matches!(signal.says, Says::Ended(_) | Says::OtherReason { .. })));
}

#[test]
fn two_attempts_are_two_deaths_and_their_statuses_none() {
    let attempt = |number: u32, pid: u32| {
        format!(
            "AM Container for appattempt_1699000000123_0042_00000{number} exited with  exitCode: -104\nFailing this attempt.\
             Diagnostics: [2023-11-03 08:26:40.001]Container [pid={pid},containerID=container_1699000000123_0042_0{number}_000001] \
             is running 3432448B beyond the 'PHYSICAL' memory limit. Current usage: 173.3 MB of 170 MB physical memory used; \
             2.0 GB of 357.0 MB virtual memory used. Killing container.\n"
        )
    };
    let all = deaths(&format!("{}{}", attempt(1, 31), attempt(2, 32)));
    assert_eq!(all.iter().map(|death| death.pid).collect::<Vec<_>>(), [Some(31), Some(32)]);
    assert!(all.iter().all(|death| death.usage == Some(Bytes::new((170 << 20) + 3_432_448)) && death.exact));
}

#[test]
fn a_virtual_kill_is_the_checks_and_its_numbers_are_virtual() {
    let text = format!(
        "Container [pid=12,containerID={ID}] is running 419430400B beyond the 'VIRTUAL' memory limit. Current usage: 90.4 MB of \
         1 GB physical memory used; 2.5 GB of 2.1 GB virtual memory used. Killing container."
    );
    let death = death(&text);
    assert_eq!((death.killer, death.area), (Killer::YarnVmem, Some(Area::Config)));
    assert_eq!(
        (death.limit, death.usage),
        (Some(Bytes::new(2_254_857_830)), Some(Bytes::new(2_254_857_830 + 419_430_400)))
    );
    assert!(!death.exact);
}

#[test]
fn a_status_alone_names_the_memory_and_no_numbers() {
    let text = format!("Container {ID} marked as failed.\n Exit code:-103.\n Diagnostics:");
    let death = death(&text);
    assert_eq!((death.killer, death.limit, death.unit.as_deref()), (Killer::YarnVmem, None, Some(ID)));
}

#[test]
fn the_monitors_line_alone_tells_its_memory_by_its_limit() {
    let line = |limit: u64| {
        format!(
            "Process tree for container: {ID} has processes older than 1 iteration running over the configured limit. \
             Limit={limit}, current usage = {}",
            limit + 4096
        )
    };
    let physical = death(&line(3 << 30));
    assert_eq!((physical.killer, physical.limit, physical.exact), (Killer::YarnPmem, Some(Bytes::gib(3)), true));
    assert_eq!(death(&line(2_254_857_728)).killer, Killer::YarnVmem);
}

#[test]
fn elastic_control_has_its_own_name() {
    let text = format!(
        "WARN DefaultOOMHandler: Container {ID} was killed by elastic cgroups OOM handler using 3221225472 when requested only \
         2147483648\nContainer {ID} exited with a non-zero exit code 137\n"
    );
    let death = death(&text);
    assert_eq!(
        (death.killer, death.limit, death.usage),
        (Killer::YarnElastic, Some(Bytes::gib(2)), Some(Bytes::gib(3)))
    );
    assert!(!of(&text).iter().any(|signal| matches!(signal.says, Says::Ended(_))));
}

#[test]
fn ends_and_other_reasons_are_no_deaths() {
    let ended = "Container from a bad node: x on host: h. Exit status: 137. Diagnostics: Container killed on request. Exit \
                 code is 137\nContainer exited with a non-zero exit code 137. \nKilled by external signal\n";
    assert!(deaths(ended).is_empty());
    let ends =
        of(ended).into_iter().filter(|signal| matches!(&signal.says, Says::Ended(ended) if ended.exit == Some(137)));
    assert_eq!(ends.count(), 1);
    let lost = format!(
        "Container marked as failed: {ID} on host: h. Exit status: -100. Diagnostics: Container released on a *lost* node"
    );
    let all = of(&lost);
    assert_eq!(all.len(), 1, "{all:?}");
    assert!(matches!(&all[0].says, Says::OtherReason { reason, ends: true } if reason.contains("lost")));
    assert!(of("Last State: Terminated\n Reason: OOMKilled\n Exit Code: 137\n").is_empty());
}

#[test]
fn a_reason_in_words_is_told_instead_of_the_general_one() {
    let text = format!(
        "Worker {ID} is terminated. Diagnostics: Container {ID} killed by YARN, either due to being released by the \
         application or being 'lost' due to node failures etc. Diagnostics: Container released by application"
    );
    let reasons: Vec<String> = of(&text)
        .into_iter()
        .filter_map(|signal| match signal.says {
            Says::OtherReason { reason, .. } => Some(reason),
            _ => None,
        })
        .collect();
    assert_eq!(reasons, ["released by its application"]);
}

#[test]
fn the_monitors_ratio_is_seen_where_the_table_is_whole() {
    // 2.1 as a `float`, times 1 GiB.
    let text = format!(
        "Container [pid=9,containerID={ID}] is running 511451136B beyond the 'VIRTUAL' memory limit. Current usage: \
         231.5 MB of 1 GB physical memory used; 2.6 GB of 2.1 GB virtual memory used. Killing container.\n\
         Dump of the process-tree for {ID} :\n\t|- 9 7 9 9 (bash) 0 0 14000000 300 /bin/bash -c java\n\
         \t|- 20 9 9 9 (java) 771 61 2752308864 58964 java\n"
    );
    let death = death(&text);
    assert_eq!((death.limit, death.exact), (Some(Bytes::new(2_254_857_728)), true));
}

#[test]
fn sparks_words_are_no_second_death() {
    let spark = "Container killed by YARN for exceeding memory limits. 2.0 GB of 2 GB physical memory used. Consider boosting x.";
    let alone = death(spark);
    assert_eq!((alone.killer, alone.limit, alone.pid), (Killer::YarnPmem, Some(Bytes::gib(2)), None));
    assert_eq!(deaths(&format!("{}{spark}", kill(524_480, "-Xmx1g", "2.0 GB of 2 GB"))).len(), 1);
}

#[test]
fn a_container_that_is_nearly_full_is_under_strain() {
    let line = |used: &str| {
        format!(
            "Memory usage of ProcessTree 4100 for container-id {ID}: {used} of 2 GB physical memory used; 4.1 GB of 4.2 GB virtual \
             memory used"
        )
    };
    assert!(of(&line("1.2 GB")).is_empty());
    assert!(matches!(&of(&line("1.9 GB"))[0].says, Says::Strain(strain) if strain.limit == Some(Bytes::gib(2))));
}

proptest::proptest! {
    #[test]
    fn no_text_makes_it_panic(text: String, at in 0usize..900) {
        let whole = kill(524_480, "-Xmx1g", "2.0 GB of 2 GB");
        let _ = of(&format!("{}{text}{}", &whole[..at.min(whole.len())], &whole[at.min(whole.len())..]));
    }
}

/// A kill with more rows in its table: name, pages and command line.
fn with_rows(rows: &[(&str, u64, &str)], printed: &str) -> String {
    let row = |(at, (name, pages, command)): (usize, &(&str, u64, &str))| {
        format!("\t|- {} 4133 4100 4100 ({name}) 10 10 9000000000 {pages} {command}\n", 4200 + at)
    };
    let rows: String = rows.iter().enumerate().map(row).collect();
    kill(400_000, "-Xmx1100m", printed).replace("\t|- 4100", &format!("{rows}\t|- 4100"))
}

fn strain_of(text: &str) -> Option<(Signal, Strain)> {
    of(text).into_iter().find_map(|signal| match &signal.says {
        Says::Strain(strain) => Some((signal.clone(), strain.clone())),
        _ => None,
    })
}

#[test]
fn python_workers_in_the_table_are_what_ran_beside_the_jvm() {
    let worker = "/usr/bin/python3 -m pyflink.fn_execution.beam.beam_boot";
    let text = with_rows(
        &[("pyflink-udf-run", 400, "bash"), ("python3", 100_000, worker), ("python3", 24_000, worker)],
        "2.0 GB of 2 GB",
    );
    let (signal, strain) = strain_of(&text).unwrap();
    assert_eq!((strain.name, strain.usage), ("python-workers", Some(Bytes::new(124_400 * 4096))));
    assert_eq!(strain.limit, Some(Bytes::gib(2)));
    assert!(strain.text.contains("(python3, process 4201), the JVM 1562 of 2048 MiB"), "{}", strain.text);
    assert!(signal.quote.contains("4201 4133 4100 4100 (python3)"), "{}", signal.quote);
    assert_eq!(of(&format!("{text}{text}")).iter().filter(|signal| matches!(signal.says, Says::Strain(_))).count(), 1);
}

#[test]
fn a_jvm_that_starts_a_program_is_no_other_process() {
    let command = "java -Xmx1100m org.apache.flink.yarn.YarnTaskExecutorRunner -D taskmanager.memory.managed.size=100b";
    let text = with_rows(&[("java", 399_000, command)], "3.0 GB of 2 GB");
    assert_eq!(strain_of(&text), None);
    let (_, strain) = strain_of(&with_rows(&[("java", 399_000, "java -jar agent.jar")], "3.0 GB of 2 GB")).unwrap();
    assert_eq!(strain.name, "other-processes");
    let (_, strain) = strain_of(&with_rows(&[("python3", 399_000, command)], "3.0 GB of 2 GB")).unwrap();
    assert_eq!(strain.name, "python-workers");
}

#[test]
fn a_little_beside_or_a_table_that_is_not_what_was_printed_is_not_told() {
    assert_eq!(strain_of(&with_rows(&[("python3", 90_000, "python3")], "1.9 GB of 2 GB")), None);
    assert_eq!(strain_of(&with_rows(&[("python3", 200_000, "python3")], "2.0 GB of 2 GB")), None);
    assert_eq!(strain_of(&kill(524_480, "-Xmx1g", "2.0 GB of 2 GB")), None);
}
