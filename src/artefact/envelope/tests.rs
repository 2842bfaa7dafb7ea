#![allow(clippy::unwrap_used, reason = "a test")]

use jiff::civil::date;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use rstest::rstest;

use super::*;

fn opened(text: &str) -> Excerpt {
    opened_bytes(text.as_bytes())
}

fn opened_bytes(bytes: &[u8]) -> Excerpt {
    let mut opener = Opener::new(Manner::of(std::iter::once(bytes)));
    for (number, line) in (1..).zip(bytes.strip_suffix(b"\n").unwrap_or(bytes).split(|byte| *byte == b'\n')) {
        opener.line(number, line);
    }
    opener.finish()
}

fn zoned(text: &str) -> Option<Moment> {
    Some(Moment::Zoned(text.parse::<Timestamp>().unwrap()))
}

fn local(year: i16, month: i8, day: i8, hour: i8, minute: i8, second: i8, milli: i32) -> Option<Moment> {
    Some(Moment::Local(date(year, month, day).at(hour, minute, second, milli * 1_000_000)))
}

fn yearless(month: i8, day: i8, hour: i8, minute: i8, second: i8) -> Option<Moment> {
    Some(Moment::Yearless(date(0, month, day).at(hour, minute, second, 0)))
}

fn since(seconds: i64, micros: i32) -> Option<Moment> {
    Some(Moment::Since(SignedDuration::new(seconds, micros * 1000)))
}

const FLINK: &str = "2026-03-01 12:00:00,123 INFO  org.apache.flink.Foo [] - ready";

#[rstest]
#[case::log4j("2026-03-01 12:00:00,123 INFO  org.apache.flink.Foo [] - x", "", local(2026, 3, 1, 12, 0, 0, 123))]
#[case::log4j1("2026-03-01 12:00:00,123 WARN  org.apache.flink.Foo  - x", "", local(2026, 3, 1, 12, 0, 0, 123))]
#[case::hadoop("2026-03-01 12:00:00,123 INFO org.apache.hadoop.Foo: x", "", local(2026, 3, 1, 12, 0, 0, 123))]
#[case::yarn_diagnostics("[2026-03-01 12:00:00.123]Container killed on request.", "", local(2026, 3, 1, 12, 0, 0, 123))]
#[case::exception("2026-03-01 12:00:00", "", local(2026, 3, 1, 12, 0, 0, 0))]
#[case::rocksdb("2026/03/01-12:00:00.123000 99 [WARN] x", "", local(2026, 3, 1, 12, 0, 0, 123))]
#[case::spark("26/03/01 12:00:00 ERROR Foo: x", "", local(2026, 3, 1, 12, 0, 0, 0))]
#[case::azkaban("01-03-2026 12:00:00 CST job INFO - x", "", local(2026, 3, 1, 12, 0, 0, 0))]
#[case::level_first("ERROR [main] 2026-03-01 12:00:00,123 Foo.java:1 - x", "", local(2026, 3, 1, 12, 0, 0, 123))]
#[case::jvm("[2026-03-01T12:00:00.123+0100][0.006s][info][gc] x", "", zoned("2026-03-01T11:00:00.123Z"))]
#[case::jvm_uptime("[12.006s][info][gc] x", "", since(12, 6000))]
#[case::jdk_8("12.006: [GC (Allocation Failure) x", "", since(12, 6000))]
#[case::dmesg("[  123.456789] java invoked oom-killer: x", "java invoked oom-killer: x", since(123, 456_789))]
#[case::dmesg_caller("[  123.456789][   T42] java invoked", "java invoked", since(123, 456_789))]
#[case::dmesg_indented("[ 8523.347189]  dump_stack+0x10/0x16", " dump_stack+0x10/0x16", since(8523, 347_189))]
#[case::dmesg_t("[Wed Oct  9 01:02:03 2024] x", "x", local(2024, 10, 9, 1, 2, 3, 0))]
#[case::dmesg_t_german("[Di Dez  9 01:02:03 2025] x", "x", local(2025, 12, 9, 1, 2, 3, 0))]
#[case::dmesg_t_french("[mer. févr.  9 01:02:03 2024] x", "x", local(2024, 2, 9, 1, 2, 3, 0))]
#[case::dmesg_t_french_day_first("[ven. 9 août 01:02:03 2024] x", "x", local(2024, 8, 9, 1, 2, 3, 0))]
#[case::dmesg_t_chinese("[三 10月  9 01:02:03 2024] x", "x", local(2024, 10, 9, 1, 2, 3, 0))]
#[case::dmesg_t_unknown("[xx yy  9 01:02:03 2024] x", "x", None)]
#[case::dmesg_x("kern  :err   : [  123.456789] x", "x", since(123, 456_789))]
#[case::raw("<6>[  123.456789] x", "x", since(123, 456_789))]
#[case::kmsg("6,1234,123456789,-;x", "x", since(123, 456_789))]
#[case::kmsg_caller("4,1234,123456789,c,caller=T12;x", "x", since(123, 456_789))]
#[case::syslog("Oct 12 19:00:20 node1 kernel: [ 8523.347189] x", "x", yearless(10, 12, 19, 0, 20))]
#[case::syslog_hostless("Feb  8 17:34:47  kernel: x", "x", yearless(2, 8, 17, 34, 47))]
#[case::syslog_blotted(
    "Feb 03 19:57:08 ** kernel: [  38886]     0 38886",
    "[  38886]     0 38886",
    yearless(2, 3, 19, 57, 8)
)]
#[case::syslog_program("Oct 12 19:00:20 n1 kubelet[24]: I1012 x", "", yearless(10, 12, 19, 0, 20))]
#[case::rsyslog("2026-03-01T12:00:00.123456+01:00 n1 kernel: x", "x", zoned("2026-03-01T11:00:00.123456Z"))]
#[case::short_iso("2026-03-01T12:00:00+0100 n1 kernel: x", "x", zoned("2026-03-01T11:00:00Z"))]
#[case::short_full("Sun 2026-03-01 12:00:00 UTC n1 kernel: x", "x", zoned("2026-03-01T12:00:00Z"))]
#[case::short_unix("1772366400.500000 n1 kernel: x", "x", zoned("2026-03-01T12:00:00.5Z"))]
#[case::rfc_5424("<4>1 2026-03-01T12:00:00Z n1 app 12 - [a@1 b=\"\\]\"] x", "x", zoned("2026-03-01T12:00:00Z"))]
#[case::cri("2026-03-01T12:00:00.123456789Z stdout F x", "x", zoned("2026-03-01T12:00:00.123456789Z"))]
#[case::cri_empty("2026-03-01T12:00:00.1Z stderr F ", "", zoned("2026-03-01T12:00:00.1Z"))]
#[case::kubectl("[pod/a-1/flink] 2026-03-01T12:00:00.123456789Z x", "x", zoned("2026-03-01T12:00:00.123456789Z"))]
#[case::docker(r#"{"log":"x\n","stream":"stdout","time":"2026-03-01T12:00:00Z"}"#, "x", zoned("2026-03-01T12:00:00Z"))]
#[case::journal_json(
    r#"{"__REALTIME_TIMESTAMP":"1772366400000000","MESSAGE":"x","SYSLOG_IDENTIFIER":"kernel"}"#,
    "x",
    zoned("2026-03-01T12:00:00Z")
)]
#[case::log4j2_json(
    r#"{"instant":{"epochSecond":1772366400,"nanoOfSecond":0},"thread":"main","level":"ERROR","loggerName":"a.B","message":"x","endOfBatch":false}"#,
    "ERROR a.B - x",
    zoned("2026-03-01T12:00:00Z")
)]
#[case::coloured("\x1b[32mINFO\x1b[0m x", "INFO x", None)]
#[case::html(
    "Possible causes: &lt;init&gt; &amp; &#39;x&#39; &bogus; &#10;",
    "Possible causes: <init> & 'x' &bogus; &#10;",
    None
)]
fn a_line_is_taken_out_and_its_time_read(#[case] line: &str, #[case] text: &str, #[case] at: Option<Moment>) {
    let excerpt = opened(line);
    let only = excerpt.lines().next().unwrap();
    let whole = text.is_empty() && !line.ends_with("F ");
    assert_eq!((only.text, only.at), (if whole { line } else { text }, at));
}

#[rstest]
#[case("[  38886]     0 38886      243        1    28672        0          -998 pause")]
#[case("{\"type\":\"a.B\",\"message\":\"no escapes here\"}")]
#[case("issue #012 is fixed")]
#[case("| TM_1 | 2 |")]
#[case("> one line alone")]
#[case("x=3 and y=4")]
#[case("C:\\_tmp\\[a] is a path with _ and [b]")]
#[case("# There is insufficient memory for the Java Runtime Environment to continue.\n# Native memory allocation")]
#[case("# HELP a b\n# TYPE a gauge")]
#[case("2026-03-01T12:00:00Z INFO kernel: not syslog's")]
#[case("<notify> is no priority")]
#[case("12,5 percent;of it")]
#[case("{\"log\":\"of something else\"}")]
fn what_may_be_content_stays(#[case] text: &str) {
    assert_eq!(opened(text).text().trim_end(), text);
}

#[test]
fn the_parts_of_a_line_become_one_again() {
    let text = "2026-03-01T12:00:00.1Z stdout P one, \n2026-03-01T12:00:00.1Z stderr F between\n\
                2026-03-01T12:00:00.1Z stdout P two, \n2026-03-01T12:00:00.2Z stdout F three\n\
                2026-03-01T12:00:00.3Z stdout F next\n";
    let excerpt = opened(text);
    let lines: Vec<_> = excerpt.lines().map(|line| (line.number, line.text)).collect();
    assert_eq!(lines, [(2, "between"), (1, "one, two, three"), (5, "next")]);
    assert!(!excerpt.text().contains('\x0c'));
    assert_eq!(opened("2026-03-01T12:00:00.1Z stdout P torn").text(), "torn\n");
    let half = "x".repeat(16 << 10);
    let docker = format!(
        "{{\"log\":\"{half}\",\"stream\":\"stdout\",\"time\":\"2026-03-01T12:00:00Z\"}}\n{{\"log\":\"end\\n\",\"stream\":\"stdout\",\"time\":\"2026-03-01T12:00:00Z\"}}"
    );
    assert_eq!(opened(&docker).text(), format!("{half}end\n"));
}

#[test]
fn envelopes_in_envelopes_are_all_taken_off() {
    let text = format!("2026-03-01T12:00:00.123456789Z stdout F {{\"log\":\"{FLINK}\\n\",\"stream\":\"stdout\"}}");
    assert_eq!(opened(&text).text(), format!("{FLINK}\n"));
    let text = "{\"log\":\"\\u001b[31mOct 12 19:00:20 n1 kernel: [ 12.345678] a#012b#011c\\n\",\"stream\":\"stdout\"}";
    let excerpt = opened(text);
    assert_eq!(excerpt.text(), "a\nb\tc\n");
    assert!(excerpt.lines().all(|line| line.number == 1));
}

#[test]
fn a_program_s_words_in_json_become_lines_with_the_number_of_theirs() {
    let text = r#"{"type":"a.B","message":"first\n\tat a.B.c(B.java:1)\nCaused by: \"x\"","other":"a\\b\n"}"#;
    let excerpt = opened(text);
    assert_eq!(
        excerpt.text(),
        "{\"type\":\"a.B\",\"message\":\"first\n\tat a.B.c(B.java:1)\nCaused by: \"x\"\",\"other\":\"a\\\\b\\n\"}\n"
    );
    assert!(excerpt.lines().all(|line| line.number == 1));
    let nested = r#"error: {"error":"{\"message\":\"a\\nb \\u003d c\"}"}"#;
    assert_eq!(opened(nested).text(), "error: {\"error\":\"{\"message\":\"a\nb = c\"}\"}\n");
}

#[test]
fn an_event_in_json_has_its_stack_trace() {
    let ecs = r#"{"@timestamp":"2026-03-01T12:00:00.5Z","log.level":"ERROR","log.logger":"a.B","message":"m","error.type":"E","error.message":"e","error.stack_trace":"E: e\n\tat a.B.c(B.java:1)\n","kubernetes":{"pod":"p-1"}}"#;
    assert_eq!(opened(ecs).text(), "ERROR a.B - m\nE: e\n\tat a.B.c(B.java:1)\n\n{\"kubernetes\":{\"pod\":\"p-1\"}}\n");
    let log4j = r#"{"timeMillis":1772366400000,"level":"WARN","loggerName":"a.B","message":"m","thrown":{"name":"E","message":"e","extendedStackTrace":[{"class":"a.B","method":"c","file":"B.java","line":7}],"cause":{"name":"F"}}}"#;
    let excerpt = opened(log4j);
    assert_eq!(excerpt.text(), "WARN a.B - m\nE: e\n\tat a.B.c(B.java:7)\nCaused by: F\n");
    assert_eq!(excerpt.at(0), zoned("2026-03-01T12:00:00Z"));
}

#[test]
fn an_array_of_lines_is_lines() {
    assert_eq!(opened("[\n\"one\",\n\"\\tat two\",\n\"three\\\\\"\n]\n").text(), "[\none\n\tat two\nthree\\\n]\n");
}

#[test]
fn services_of_compose_are_taken_off_where_all_lines_have_one() {
    assert_eq!(opened("jm-1  | one\ntm-1  | two | three\ntm-1  |\n").text(), "one\ntwo | three\n\n");
    let table = "a | b\nnothing\nno table\nmore\n";
    assert_eq!(opened(table).text(), table);
}

#[test]
fn mail_is_unquoted() {
    assert_eq!(opened("Hello,\n> one\n> > two\n>three\n").text(), "Hello,\none\ntwo\nthree\n");
    let quoted = "gfp_mask=3D0xcc0, order=3D0 of =\nthe process caf=C3=A9\nlast";
    let excerpt = opened(quoted);
    assert_eq!(excerpt.text(), "gfp_mask=0xcc0, order=0 of the process café\nlast\n");
    assert_eq!(excerpt.lines().map(|line| line.number).collect::<Vec<_>>(), [1, 3]);
}

#[test]
fn markdown_and_comments_are_taken_off() {
    let brackets = "Container\\[pid=1,containerID=container_1_2\\]\nis";
    assert_eq!(opened(brackets).text(), "Container[pid=1,containerID=container_1_2]\nis\n");
    let text = "Container\\[pid=1,containerID=container\\_1\\_2\\]\nis running beyond";
    assert_eq!(opened(text).text(), "Container[pid=1,containerID=container_1_2]\nis running beyond\n");
    assert_eq!(opened("  // one\n  //   two\n  //\n").text(), "one\n  two\n\n");
    assert_eq!(opened("# one\n# two\n").text(), "one\ntwo\n");
}

#[test]
fn records_of_the_journal_know_their_time() {
    let text = "__CURSOR=s=1\n__REALTIME_TIMESTAMP=1772366400000000\nMESSAGE=java invoked oom-killer\n_PID=3\n";
    let excerpt = opened(text);
    let line = excerpt.lines().nth(2).unwrap();
    assert_eq!((line.text, line.at), ("java invoked oom-killer", zoned("2026-03-01T12:00:00Z")));
}

#[test]
fn a_line_that_would_become_millions_stays_within_bounds() {
    let mut opener = Opener::default();
    let line = format!("Oct 12 19:00:20 n1 app: {}", "#012".repeat(250_000));
    for number in 1..=20 {
        opener.line(number, line.as_bytes());
    }
    let excerpt = opener.finish();
    assert!(excerpt.lines().count() * LINE < 2 * UNFOLDED);
}

#[test]
fn a_gap_in_the_numbers_is_a_gap_in_the_excerpt() {
    let mut opener = Opener::default();
    opener.line(3, b"2026-03-01T12:00:00.1Z stdout P torn");
    opener.line(9, b"2026-03-01T12:00:00.1Z stdout F whole");
    assert_eq!(opener.finish().text(), "torn\n\x0c\nwhole\n");
}

#[test]
fn what_a_forwarder_knows_of_a_line_is_put_aside() {
    let line = |said: &str| {
        format!(
            "{{\"@timestamp\":\"2026-03-01T12:00:00.1Z\",\"message\":\"{said}\",\"kubernetes\":{{\"pod\":\"a\"}}}}\n"
        )
    };
    assert_eq!(opened(&format!("{}{}", line("one"), line("  two"))).text(), "one\n  two\n");
}

#[test]
fn line_breaks_of_a_page_are_lines() {
    assert_eq!(opened("one<br/>two<br>\nthree<br />\n").text(), "one\ntwo\nthree\n");
}

proptest! {
    #[test]
    fn any_text_is_opened(text in "[ -~\n\t\\\\\"{}é月]{0,300}") {
        opened(&text);
    }

    #[test]
    fn any_bytes_are_opened(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        opened_bytes(&bytes);
    }

    #[test]
    fn every_prefix_of_an_envelope_is_opened(
        line in prop::sample::select(vec![
            "<4>1 2026-03-01T12:00:00Z n1 app 12 - [a@1 b=\"\\]\"] x", "[三 10月  9 01:02:03 2024] é",
            "6,1234,123456789,-;x", "{\"error\":\"{\\\"message\\\":\\\"a\\\\nb \\\\u00e9\\\\ud83d\\\\ude00\\\"}\"}",
            "2026-03-01T12:00:00.123456789Z stdout F \u{1b}]0;t\u{7}x", "Sun 2026-03-01 12:00:00 UTC n1 kernel: #012#011",
        ]),
        cut in 0..120_usize,
    ) {
        let cut = (0..=cut.min(line.len())).rev().find(|cut| line.is_char_boundary(*cut)).unwrap();
        opened(&line[..cut]);
    }
}
