#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]

use proptest::prelude::*;

use super::seal::sealed;
use super::*;
use crate::model::{Measure, Observation, Origin, Pool, Role, Unseen};

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap()
}

fn target(pid: u32) -> Identity {
    Identity { pid, started: Some(88_123), role: Some(Role::TaskManager), name: "10.0.0.7:41235-1b2c3d".to_owned() }
}

fn header() -> Header {
    Header {
        format: FORMAT,
        oomph: "0.1.0".to_owned(),
        since: at(1_763_754_538_123),
        part: 0,
        target: target(4242),
        machine: Machine { boot: Some("6b1f".to_owned()), memory: Some(Bytes::gib(16)) },
        limit: Ok(Limit::AtMost(Bytes::mib(1728))),
        budget: vec![(Component::TaskHeap, Bytes::mib(384)), (Component::CutOffHeap, Bytes::mib(1))],
    }
}

fn sample(ms: i64, values: &[(Measure, Seen<u64>)]) -> Observations {
    let all = values.iter().map(|(measure, value)| Observation {
        measure: *measure,
        value: value.clone(),
        origin: Origin::Smaps,
    });
    Observations { at: at(ms), target: target(4242), all: all.collect() }
}

/// A sample as a TaskManager of 1728 MiB gives one: all measures, sizes of nine and ten digits.
fn full(ms: i64) -> Observations {
    let pools = Pool::ALL.into_iter().map(Measure::Pool);
    let measures = pools.chain(Measure::BESIDE_POOLS).enumerate();
    let values: Vec<(Measure, Seen<u64>)> = measures
        .map(|(index, measure)| {
            let value = match index % 10 {
                7 => Err(Unseen::because("the JVM's performance data are switched off").granted_by("-XX:+UsePerfData")),
                0 | 3 => Ok(ms.unsigned_abs() % 1000 + index as u64),
                1 | 5 | 8 => Ok(12_345_344 + 4096 * index as u64),
                _ => Ok(1_335_537_664 - 4096 * index as u64),
            };
            (measure, value)
        })
        .collect();
    sample(ms, &values)
}

fn read(bytes: &[u8]) -> (Vec<Entry>, Tally) {
    let mut entries = Entries::of(bytes);
    let mut all = Vec::new();
    while let Some(entry) = entries.read().unwrap().unwrap() {
        all.push(entry);
    }
    (all, entries.tally())
}

fn refused(bytes: &[u8]) -> Refused {
    Entries::of(bytes).read().unwrap().unwrap_err()
}

fn written(samples: &[Observations]) -> String {
    let mut encoder = Encoder::new();
    let mut text = encoder.header(&header());
    for one in samples {
        text.extend(encoder.sample(one));
    }
    text
}

#[test]
fn what_is_written_is_read_again() {
    let events = [
        Event::Started,
        Event::Resumed,
        Event::Gone { why: "it ended".to_owned() },
        Event::NewProcess(target(7)),
        Event::Job { what: "submitted a1".to_owned() },
        Event::Budget(vec![(Component::Network, Bytes::mib(128))]),
        Event::Limit(Limit::AtMost(Bytes::gib(2))),
        Event::Limit(Limit::Unlimited),
        Event::Lost { samples: 3, why: "No space left on device".to_owned() },
        Event::Note("trimmed \"by hand\"\n".to_owned()),
        Event::Stopped,
    ];
    let mut encoder = Encoder::new();
    let mut text = encoder.header(&header());
    let samples = [full(1_763_754_538_123), full(1_763_754_548_124)];
    text.extend(samples.iter().flat_map(|one| encoder.sample(one)));
    text.extend(events.iter().map(|event| encoder.event(at(5), event)));
    let (entries, tally) = read(text.as_bytes());
    let mut expected = vec![Entry::Header(header())];
    expected.extend(samples.map(Entry::Sample));
    expected.extend(events.map(|what| Entry::Event { at: at(5), what }));
    assert_eq!(entries, expected);
    assert_eq!(tally, Tally { samples: 2, events: 11, ..Tally::default() });
}

#[test]
fn every_form_of_the_limit_is_read_again() {
    for limit in [Ok(Limit::Unlimited), Err(Unseen::because("no cgroup")), Err(Unseen::because("a").granted_by("b"))] {
        let header = Header { limit, machine: Machine::default(), budget: Vec::new(), ..header() };
        let line = Encoder::new().header(&header);
        assert_eq!(read(line.as_bytes()).0, [Entry::Header(header)]);
    }
}

#[test]
fn a_sample_of_all_measures_is_shorter_than_700_bytes() {
    let mut encoder = Encoder::new();
    let first = encoder.sample(&full(1_763_754_538_123));
    let second = encoder.sample(&full(1_763_754_548_123));
    assert_eq!((first.len(), second.len()), (4, 1), "what was explained once is not explained again");
    assert_eq!(full(0).all.len(), 62);
    assert!(second[0].len() < 700, "{} bytes: {}", second[0].len(), second[0]);
}

#[test]
fn a_recording_cut_anywhere_gives_its_whole_lines() {
    let samples: Vec<Observations> =
        (0..3).map(|n| sample(n * 1000, &[(Measure::Rss, Ok(n.unsigned_abs()))])).collect();
    let text = written(&samples);
    for cut in 1..text.len() {
        let part = &text.as_bytes()[..cut];
        if cut < seal::HEAD.len() {
            assert_eq!(refused(part), Refused::Foreign);
            continue;
        }
        // A line that only misses its newline is whole.
        let last = part.rsplit(|byte| *byte == b'\n').next().unwrap();
        let whole =
            part.split(|byte| *byte == b'\n').filter(|line| line.starts_with(br#"{"k":"s""#) && seal::is_whole(line));
        let (entries, tally) = read(part);
        assert_eq!(entries.iter().filter(|entry| matches!(entry, Entry::Sample(_))).count(), whole.count());
        assert_eq!(tally.torn_end, !last.is_empty() && !seal::is_whole(last), "cut at {cut}");
        assert_eq!(tally.damaged, 0);
    }
}

#[test]
fn a_torn_line_in_the_middle_is_left_out_and_counted() {
    let (one, two) = (sample(1, &[(Measure::Rss, Ok(1))]), sample(2, &[(Measure::Rss, Ok(2))]));
    let text = written(&[one.clone(), two.clone()]);
    let torn =
        format!("{}\n{}", &text[..text.len() - 20], &written(std::slice::from_ref(&two)).split_once('\n').unwrap().1);
    let (entries, tally) = read(torn.as_bytes());
    assert_eq!(entries, [Entry::Header(header()), Entry::Sample(one), Entry::Sample(two)]);
    assert_eq!(tally, Tally { samples: 2, damaged: 1, ..Tally::default() });
    assert!(!tally.is_complete());
}

#[test]
fn a_sample_whose_layout_was_damaged_is_left_out_and_counted() {
    let text = written(&[sample(1, &[(Measure::Rss, Ok(1))])]);
    let damaged = text.replace(r#""m":["rss"]"#, r#""m":["rsb"]"#);
    let (_, tally) = read(damaged.as_bytes());
    assert_eq!(tally, Tally { damaged: 1, unexplained: 1, ..Tally::default() });
}

#[test]
fn a_recording_whose_first_line_was_damaged_is_read() {
    let text = written(&[sample(1, &[(Measure::Rss, Ok(1))])]);
    let (entries, tally) = read(text.replacen("0.1.0", "0.1.1", 1).as_bytes());
    assert_eq!(entries, [Entry::Sample(sample(1, &[(Measure::Rss, Ok(1))]))]);
    assert_eq!(tally, Tally { samples: 1, damaged: 1, ..Tally::default() });
}

#[test]
fn what_a_later_minor_version_adds_is_left_out_and_counted() {
    let later = Header { format: Format { major: 1, minor: 7 }, ..header() };
    let mut text = Encoder::new().header(&later);
    text += written(&[sample(1, &[(Measure::Rss, Ok(1))])]).split_once('\n').unwrap().1;
    text += &sealed(r#"{"k":"l","n":5,"m":["rss","of_the_future"],"o":["status","status"],"new":1}"#.to_owned());
    text += &sealed(r#"{"k":"s","t":9,"p":0,"l":5,"v":[4,5]}"#.to_owned());
    text += &sealed(r#"{"k":"z","t":9}"#.to_owned());
    text += &sealed(r#"{"k":"e","t":9,"what":"unheard_of"}"#.to_owned());
    let (entries, tally) = read(text.as_bytes());
    assert_eq!(entries[0], Entry::Header(later));
    assert_eq!(tally, Tally { samples: 2, unknown_lines: 2, unknown_values: 1, ..Tally::default() });
    let Entry::Sample(last) = &entries[2] else { panic!("{entries:?}") };
    assert_eq!((last.value(Measure::Rss), last.all.len()), (Some(4), 1));
}

#[test]
fn a_later_major_version_is_refused_with_one_line() {
    let text = Encoder::new().header(&header()).replace("\"1.0\"", "\"2.0\"");
    let refused = refused(text.as_bytes());
    assert_eq!(refused, Refused::Newer { major: 2 });
    assert_eq!(
        refused.to_string(),
        "it is a recording of format 2, and this oomph reads format 1: use the oomph that wrote it"
    );
}

#[test]
fn what_is_no_recording_is_refused() {
    assert_eq!(refused(b""), Refused::Empty);
    for foreign in [&b"\n"[..], b"taskmanager.memory.process.size: 1g\n", b"{\"k\":\"s\"}\n", &[b' '; LONGEST_LINE * 2]]
    {
        assert_eq!(refused(foreign), Refused::Foreign);
    }
}

#[test]
fn a_line_without_end_is_left_out_and_counted() {
    let text = format!("{}{}\n{}", Encoder::new().header(&header()), "x".repeat(3 * LONGEST_LINE), "");
    assert_eq!(read(text.as_bytes()).1, Tally { damaged: 1, ..Tally::default() });
}

#[test]
fn a_whole_line_that_says_what_cannot_be_is_counted() {
    let mut text = written(&[]);
    for line in [
        r#"{"k":"s","t":1,"p":0,"l":0,"v":[-1]}"#,
        r#"{"k":"s","t":1,"p":0,"l":0,"v":[1.5]}"#,
        r#"{"k":"l","n":99999999,"m":[],"o":[]}"#,
        r#"{"k":"l","n":1,"m":["rss"],"o":[]}"#,
        r#"{"k":"e","t":9223372036854775807,"what":"started"}"#,
        r#"{"t":1}"#,
        "[]",
    ] {
        text += &sealed(line.to_owned());
    }
    assert_eq!(read(text.as_bytes()).1, Tally { damaged: 7, ..Tally::default() });
}

#[test]
fn more_reasons_than_are_kept_take_the_place_of_the_oldest() {
    let samples: Vec<Observations> =
        (0..700).map(|n| sample(n, &[(Measure::Rss, Err(Unseen::because(format!("reason {n}"))))])).collect();
    let (entries, tally) = read(written(&samples).as_bytes());
    assert_eq!(entries[1..], samples.into_iter().map(Entry::Sample).collect::<Vec<_>>());
    assert!(tally.is_complete());
}

fn a_measure() -> impl Strategy<Value = (Measure, Seen<u64>)> {
    let measures: Vec<Measure> = Measure::BESIDE_POOLS.into_iter().chain(Pool::ALL.map(Measure::Pool)).collect();
    let unseen = (".{0,20}", proptest::option::of(".{0,9}")).prop_map(|(why, grant)| Err(Unseen { why, grant }));
    (proptest::sample::select(measures), prop_oneof![any::<u64>().prop_map(Ok), unseen])
}

proptest! {
    #[test]
    fn any_sample_is_read_as_it_was_written(
        ms in -1_000_000_000_000i64..10_000_000_000_000,
        values in proptest::collection::vec(a_measure(), 0..70),
        name in ".{0,40}",
        pid in any::<u32>(),
    ) {
        let mut one = sample(ms, &values);
        one.target = Identity { pid, started: None, role: None, name };
        let (entries, tally) = read(written(&[one.clone(), one.clone()]).as_bytes());
        prop_assert_eq!(&entries[1..], &[Entry::Sample(one.clone()), Entry::Sample(one)][..]);
        prop_assert!(tally.is_complete());
    }

    #[test]
    fn no_bytes_behind_a_header_stop_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let mut text = written(&[]).into_bytes();
        text.extend(&bytes);
        let (_, tally) = read(&text);
        prop_assert_eq!(tally.samples, 0);
    }
}
