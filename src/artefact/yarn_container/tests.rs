//! Kills of every wording, and what becomes of them on their way.

#![allow(clippy::unwrap_used, reason = "a test")]

use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::model::Bytes;

const ID: &str = "container_e07_1699000000123_0042_01_000003";

const HADOOP_2: &str = "\
Container [pid=4100,containerID=container_e07_1699000000123_0042_01_000003] is running beyond physical memory limits. Current usage: 2.0 GB of 2 GB physical memory used; 4.1 GB of 4.2 GB virtual memory used. Killing container.
Dump of the process-tree for container_e07_1699000000123_0042_01_000003 :
\t|- PID PPID PGRPID SESSID CMD_NAME USER_MODE_TIME(MILLIS) SYSTEM_TIME(MILLIS) VMEM_USAGE(BYTES) RSSMEM_USAGE(PAGES) FULL_CMD_LINE
\t|- 4100 4098 4100 4100 (bash) 0 1 118000000 310 /bin/bash -c /usr/lib/jvm/java-8/bin/java -Xms1100m -Xmx1100m -XX:MaxDirectMemorySize=500m org.apache.flink.yarn.YarnTaskExecutorRunner --configDir . 1> /logs/taskmanager.out 2> /logs/taskmanager.err
\t|- 4133 4100 4100 4100 (java) 91820 4411 4284000000 524180 /usr/lib/jvm/java-8/bin/java -Xms1100m -Xmx1100m -XX:MaxDirectMemorySize=500m -cp lib/flink-dist_2.11-1.9.3.jar org.apache.flink.yarn.YarnTaskExecutorRunner --configDir .

Container killed on request. Exit code is 143
Container exited with a non-zero exit code 143
";

const HADOOP_3: &str = "[2023-11-03 08:26:40.001]Container [pid=77,containerID=container_1699000000123_0042_01_000003] is running \
     50331648B beyond the 'PHYSICAL' memory limit. Current usage: 1.0 GB of 1 GB physical memory used; 3.4 GB of 2.1 GB \
     virtual memory used. Killing container.";

fn one(text: &str) -> Kill {
    let all = kills(text);
    assert_eq!(all.len(), 1, "{text}\n{all:?}");
    all.into_iter().next().unwrap()
}

fn size(text: &str) -> Rounded {
    Rounded::parse(text).unwrap()
}

#[test]
fn hadoop_2_says_rounded_sizes_and_the_processes() {
    let kill = one(HADOOP_2);
    assert_eq!((kill.pid, kill.container.as_deref(), kill.memory), (Some(4100), Some(ID), Memory::Physical));
    assert_eq!((kill.excess, kill.at), (None, 0));
    assert_eq!(kill.physical, Some(Pair { usage: size("2.0GB"), limit: size("2GB") }));
    assert_eq!(kill.virtual_memory, Some(Pair { usage: size("4.1GB"), limit: size("4.2GB") }));
    assert_eq!((kill.tree.processes.len(), kill.tree.torn), (2, 0));
    assert_eq!(kill.tree.resident_pages(kill.pid), Some(524_490));
    assert_eq!(kill.tree.mapped(kill.pid), Some(4_402_000_000));
    let main = kill.tree.main().unwrap();
    assert_eq!((main.pid, main.name.as_str()), (Some(4133), "java"));
    assert!(main.command.starts_with("/usr/lib/jvm") && main.command.ends_with("--configDir ."));
}

#[test]
fn hadoop_3_says_what_is_too_much_to_the_byte() {
    let kill = one(HADOOP_3);
    assert_eq!((kill.pid, kill.memory, kill.excess), (Some(77), Memory::Physical, Some(50_331_648)));
    assert_eq!(kill.physical.unwrap().limit, size("1 GB"));
    assert!(kill.tree.processes.is_empty() && kill.tree.resident_pages(kill.pid).is_none());
    let other = one(&HADOOP_3.replace("'PHYSICAL'", "'VIRTUAL'"));
    assert_eq!(other.memory, Memory::Virtual);
}

#[test]
fn the_oldest_wordings_are_read() {
    let kill =
        one("Container [pid=9,containerID=container_1330000000000_0001_01_000002] is running beyond virtual memory \
                    limits. Current usage: 300.5mb of 1.0gb physical memory used; 2.2gb of 2.1gb virtual memory used. \
                    Killing container.");
    assert_eq!((kill.memory, kill.physical.unwrap().usage), (Memory::Virtual, size("300.5mb")));
    let first =
        one("Container [pid=9,containerID=container_1330000000000_0001_01_000002] is running beyond memory-limits. \
                     Current usage : 2254857999bytes. Limit : 2254857830bytes. Killing container.");
    let pair = first.virtual_memory.unwrap();
    assert_eq!((pair.usage.bytes, pair.limit.bytes), (Bytes::new(2_254_857_999), Bytes::new(2_254_857_830)));
    assert!(pair.limit.is_exact());
}

/// What mails, web pages and JSON make of a text.
fn mangled(how: &str, text: &str) -> String {
    let wrapped = |start: &str, width: usize| {
        let mut out = String::from(start);
        let mut column = 0;
        for word in text.split(' ') {
            if column + word.len() > width {
                out += &format!("\n{start}");
                column = 0;
            } else if column > 0 {
                out.push(' ');
            }
            out += word;
            column += word.len() + 1;
        }
        out
    };
    match how {
        "mail" => wrapped("> ", 72),
        "twice quoted" => wrapped("> > ", 60),
        "code comment" => wrapped("// ", 90),
        "markdown" => {
            text.replace('_', "\\_").replace('[', "\\[").replace(']', "\\]").replace('|', "\\|").replace('-', "\\-")
        }
        "html" => text.replace('\'', "&#39;").replace('>', "&gt;").replace('\n', "<br/>\n").replace("  ", "&nbsp; "),
        "json" => text.replace('\n', "\\n").replace('\t', "\\t").replace('\'', "\\u0027"),
        "nested json" => text.replace('\n', "\\\\n").replace('\t', "\\\\t"),
        "quoted-printable" => {
            let encoded: Vec<char> = text.replace('=', "=3D").chars().collect();
            encoded.chunks(75).map(|line| line.iter().collect::<String>()).collect::<Vec<_>>().join("=\n")
        }
        "rsyslog" => text.replace('\n', "#012").replace('\t', "#011"),
        "prefixed" => text.lines().map(|line| format!("03-11-2023 08:26:41 CET etl INFO - {line}\n")).collect(),
        "one line" => text.replace("\n\t", " ").replace('\n', " "),
        "web page" => text
            .replace("\n\t", " ")
            .replace("|- PID", ":-PID")
            .replace("|- ", "|-")
            .replace(") 0 1 ", ") 01 ")
            .replace(" -X", "-X")
            .replace('\'', "‘"),
        "crlf" => text.replace('\n', "\r\n"),
        _ => text.to_owned(),
    }
}

#[rstest]
#[case("as it is")]
#[case("mail")]
#[case("twice quoted")]
#[case("code comment")]
#[case("markdown")]
#[case("html")]
#[case("json")]
#[case("nested json")]
#[case("quoted-printable")]
#[case("rsyslog")]
#[case("prefixed")]
#[case("one line")]
#[case("web page")]
#[case("crlf")]
fn a_kill_survives(#[case] how: &str) {
    let kill = one(&mangled(how, HADOOP_2));
    assert_eq!((kill.pid, kill.container.as_deref(), kill.memory), (Some(4100), Some(ID), Memory::Physical), "{how}");
    assert_eq!(kill.physical, Some(Pair { usage: size("2.0GB"), limit: size("2GB") }), "{how}");
    assert_eq!(kill.tree.resident_pages(kill.pid), Some(524_490), "{how}: {:?}", kill.tree);
    let main = kill.tree.main().unwrap();
    assert!(main.command.contains("-Xmx1100m"), "{how}: {}", main.command);
    assert!(!main.command.contains("Exit code"), "{how}: {}", main.command);
    let third = one(&mangled(how, HADOOP_3));
    assert_eq!((third.memory, third.excess, third.pid), (Memory::Physical, Some(50_331_648), Some(77)), "{how}");
}

#[test]
fn two_kills_have_each_their_own_processes() {
    let other = HADOOP_2.replace("000003", "000007").replace("4100", "5100").replace("524180", "524181");
    let all = kills(&format!("{HADOOP_2}\n2023-11-03 08:26:41,000 INFO x - {other}"));
    assert_eq!(all.iter().map(|kill| kill.pid).collect::<Vec<_>>(), [Some(4100), Some(5100)]);
    assert_eq!(
        all.iter().filter_map(|kill| kill.tree.resident_pages(kill.pid)).collect::<Vec<_>>(),
        [524_490, 524_491]
    );
}

#[test]
fn a_table_that_is_not_whole_has_no_sum() {
    let cut = &HADOOP_2[..HADOOP_2.find("524180").unwrap()];
    let kill = one(cut);
    assert_eq!((kill.tree.processes.len(), kill.tree.torn), (1, 1));
    assert_eq!(kill.tree.resident_pages(kill.pid), None);
    let rootless: String =
        HADOOP_2.lines().filter(|line| !line.contains("(bash)")).map(|line| format!("{line}\n")).collect();
    assert_eq!(one(&rootless).tree.resident_pages(Some(4100)), None);
    // Sizes that have run together.
    let glued = HADOOP_2.replace("4284000000 524180", "4284000000524180");
    assert_eq!(one(&glued).tree.resident_pages(Some(4100)), None);
}

#[test]
fn names_with_blanks_and_the_columns_of_the_first_hadoop_are_read() {
    let text = HADOOP_2.replace("(bash)", "(Web Content (1))");
    assert_eq!(
        one(&text).tree.processes.first().map(|process| process.name.clone()).as_deref(),
        Some("Web Content (1)")
    );
    let old = "Container [pid=7,containerID=container_1330000000000_0001_01_000002] is running beyond memory-limits. Current usage : \
               5000000bytes. Limit : 4000000bytes. Killing container.\nDump of the process-tree for x :\n\
               \t|- PID PPID PGRPID SESSID CMD_NAME VMEM_USAGE(BYTES) FULL_CMD_LINE\n\t|- 7 1 7 7 (sh) 5000000 sh -c work\n";
    let kill = one(old);
    assert_eq!((kill.tree.mapped(kill.pid), kill.tree.resident_pages(kill.pid)), (Some(5_000_000), None));
}

#[rstest]
#[case("6.2 GB", 6_657_199_308, false)]
#[case("6 GB", 6_442_450_944, true)]
#[case("170 MB", 178_257_920, true)]
#[case("1.1gb", 1_181_116_006, false)]
#[case("4,0 GB", 4_294_967_296, false)]
#[case("500 B", 500, true)]
#[case("1.5 TB", 1_649_267_441_664, false)]
fn sizes_are_read_to_the_byte(#[case] text: &str, #[case] bytes: u64, #[case] exact: bool) {
    let rounded = size(text);
    assert_eq!((rounded.bytes, rounded.is_exact()), (Bytes::new(bytes), exact));
    assert!(rounded.fits(bytes));
}

#[test]
fn a_rounded_size_stands_for_what_rounds_to_it() {
    let rounded = size("4.0 GB");
    assert!(rounded.fits(4_295_753_728) && rounded.fits(4_250_000_000));
    assert!(!rounded.fits(4_400_000_000) && !rounded.fits(4_240_000_000));
    assert!(Rounded::parse("99999999999999999999 TB").is_none() && Rounded::parse("GB").is_none());
}

#[test]
fn spark_says_the_same_in_its_own_words() {
    let text = "ExecutorLostFailure (executor 4 exited caused by one of the running tasks) Reason: Container killed by YARN for \
                exceeding memory limits.  5.6 GB of 5.5 GB physical memory used. Consider boosting spark.yarn.executor.memoryOverhead.";
    let all = spark_kills(text);
    assert_eq!(all.iter().map(|kill| kill.memory).collect::<Vec<_>>(), [Memory::Physical]);
    assert_eq!(all[0].pair, Some(Pair { usage: size("5.6GB"), limit: size("5.5GB") }));
    let newer =
        spark_kills("Container killed by YARN for exceeding virtual memory limits. Consider disabling the check.");
    assert_eq!(newer.iter().map(|kill| (kill.memory, kill.pair)).collect::<Vec<_>>(), [(Memory::Virtual, None)]);
}

#[test]
fn elastic_control_is_read_in_its_three_wordings() {
    let text = format!(
        "WARN Container {ID} was killed by elastic cgroups OOM handler using 3221225472 when requested only 2147483648\n\
         WARN Newest container {ID} killed by elastic cgroups OOM handler using\n\
         WARN container {ID} killed by elastic cgroups OOM handler.\n\
         WARN Found no running containers to kill in order to release memory\n"
    );
    let told = diagnostics(&text);
    let usage: Vec<_> = told.elastic.iter().map(|told| told.what.usage).collect();
    assert_eq!(usage, [Some((Bytes::gib(3), Bytes::gib(2))), None, None]);
    assert!(told.elastic.iter().all(|told| told.container.as_deref() == Some(ID)));
    assert!(told.nobody_to_kill.is_some());
}

#[test]
fn the_nodemanagers_lines_around_a_kill_are_read() {
    let text = format!(
        "WARN Process tree for container: {ID} has processes older than 1 iteration running over the configured limit. \
         Limit=2147483648, current usage = 2148311040\n\
         INFO Memory usage of ProcessTree 4100 for container-id {ID}: 1.9 GB of 2 GB physical memory used; 4.1 GB of 4.2 GB \
         virtual memory used\n"
    );
    let told = diagnostics(&text);
    let over: Vec<_> = told.over_limit.iter().map(|told| told.what).collect();
    assert_eq!(over, [OverLimit { limit: Bytes::gib(2), usage: Bytes::new(2_148_311_040) }]);
    assert_eq!(told.usage.iter().map(|told| told.what.pid).collect::<Vec<_>>(), [Some(4100)]);
}

#[rstest]
#[case("AM Container for appattempt_1_0001_000002 exited with  exitCode: -104 due to:", -104)]
#[case("Container container_1699000000123_0042_01_000003 marked as failed.\n Exit code:-103.\n Diagnostics:x", -103)]
#[case("Container marked as failed: container_1699000000123_0042_01_000003 on host: h. Exit status: -100. Diagnostics: x", -100)]
#[case("Exit code from container container_1699000000123_0042_01_000003 is : 137", 137)]
#[case("Container exited with a non-zero exit code 143. ", 143)]
#[case("ContainerStatus: [ContainerId: container_1699000000123_0042_01_000003, Diagnostics: , ExitStatus: -105, ]", -105)]
#[case("Exception from container-launch: ExitCodeException exitCode=239: ", 239)]
fn exit_statuses_are_read(#[case] text: &str, #[case] status: i32) {
    assert_eq!(diagnostics(text).statuses.iter().map(|told| told.what).collect::<Vec<_>>(), [status]);
}

#[rstest]
#[case("Diagnostics: Container released on a *lost* node", Reason::Lost)]
#[case("Diagnostics: Container released on a \\*lost\\* node", Reason::Lost)]
#[case(
    "Container container_1_0001_01_000002 was preempted by yarn. Diagnostics: Container preempted by scheduler",
    Reason::Preempted
)]
#[case("either due to being released by the application or being 'lost' due to node failures", Reason::Aborted)]
#[case("Container killed by the ApplicationMaster.", Reason::KilledByMaster)]
#[case("Task attempt_1 failed to report status for 600 seconds. Killing!", Reason::TimedOut)]
#[case("AttemptID:attempt_1699000000123_0042_m_000001_0 Timed out after 600 secs", Reason::TimedOut)]
#[case("Container expired since it was unused", Reason::Expired)]
#[case("Application application_1699000000123_0042 was killed by user etl at 192.0.2.1", Reason::KilledByUser)]
fn reasons_in_words_are_read(#[case] text: &str, #[case] reason: Reason) {
    assert!(diagnostics(text).reasons.iter().any(|told| told.what == reason), "{text}");
}

#[test]
fn what_is_no_containers_is_left() {
    for text in [
        "the load is running beyond physical limits",
        "Last State: Terminated\n  Reason: OOMKilled\n  Exit Code: 137\n",
        "java.lang.IllegalStateException: Process died with exit code 0",
        "segment usage beyond the memory of man",
    ] {
        assert!(kills(text).is_empty() && diagnostics(text).statuses.is_empty(), "{text}");
    }
}

#[test]
fn every_prefix_is_read_without_a_panic() {
    for text in [HADOOP_2, HADOOP_3] {
        for end in (0..text.len()).filter(|end| text.is_char_boundary(*end)) {
            let _ = (kills(&text[..end]), diagnostics(&text[..end]), kills(&text[end..]));
        }
    }
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text: String, at in 0..HADOOP_2.len()) {
        let torn = format!("{}{text}{}", &HADOOP_2[..at], &HADOOP_2[at..]);
        let _ = (kills(&torn), spark_kills(&torn), diagnostics(&torn));
        let _ = Rounded::parse(&text);
    }
}

#[test]
fn a_sentence_without_its_start_or_its_end_is_read_by_its_figures() {
    let text = "beyond physical memory limits. Current usage: 3.1 GB of 3 GB physical memory used; 5 GB of 6 GB virtual \
                memory used. Killing container.";
    assert_eq!(kills(text)[0].physical.unwrap().limit.bytes, Bytes::gib(3));
    let text = "Container is running beyond physical memory limits. Current usage:565MB of512MB physical memory used";
    let kill = &kills(text)[0];
    assert_eq!((kill.physical.unwrap().limit.bytes, kill.virtual_memory), (Bytes::mib(512), None));
    assert!(kills("you may see \"Container is running beyond physical memory limits\" in the log").is_empty());
}
