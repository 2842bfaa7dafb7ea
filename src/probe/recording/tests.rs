#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]

use std::fs;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::*;
use crate::artefact::recording::{Entry, Event, FORMAT, Header, Machine, Refused, Tally};
use crate::model::{Identity, Limit, Measure, Observation, Observations, Origin, Pool, Role};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_763_754_000 + second).unwrap()
}

fn target(pid: u32) -> Identity {
    Identity { pid, started: Some(u64::from(pid) * 10), role: Some(Role::TaskManager), name: "tm".to_owned() }
}

fn header(pid: u32) -> Header {
    Header {
        format: FORMAT,
        oomph: "0.1.0".to_owned(),
        since: at(0),
        part: 0,
        target: target(pid),
        machine: Machine { boot: Some("one".to_owned()), memory: None },
        limit: Ok(Limit::Unlimited),
        budget: Vec::new(),
    }
}

fn sample(second: i64, pid: u32) -> Observations {
    let measures = Pool::ALL.into_iter().map(Measure::Pool).chain(Measure::BESIDE_POOLS);
    let one =
        |measure| Observation { measure, value: Ok(1_000_000_000 + second.unsigned_abs()), origin: Origin::Smaps };
    Observations { at: at(second), target: target(pid), all: measures.map(one).collect() }
}

fn written(outcome: Outcome) {
    assert!(matches!(outcome, Outcome::Written), "{outcome:?}");
}

/// The seconds of the samples, the events, and what could not be read.
fn read(path: &Path) -> (Vec<i64>, Vec<Event>, Summary) {
    let mut recording = Recording::open(path).unwrap();
    let (mut seconds, mut events) = (Vec::new(), Vec::new());
    while let Some(entry) = recording.read().unwrap() {
        match entry {
            Entry::Header(_) => {}
            Entry::Sample(sample) => seconds.push(sample.at.as_second() - at(0).as_second()),
            Entry::Event { what, .. } => events.push(what),
        }
    }
    (seconds, events, recording.summary())
}

fn a_folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tm.rec");
    (folder, path)
}

/// A recording of ten seconds.
fn begun(path: &Path, rotation: Option<Rotation>) -> Recorder {
    let mut recorder = Recorder::create(path, &header(1), rotation).unwrap();
    (0..10).for_each(|second| written(recorder.append(&sample(second, 1))));
    recorder
}

#[test]
fn a_recording_is_read_while_it_is_written() {
    let (_folder, path) = a_folder();
    let mut recorder = begun(&path, None);
    written(recorder.event(at(9), &Event::Note("trimmed".to_owned())));
    let (seconds, events, summary) = read(&path);
    assert_eq!(seconds, (0..10).collect::<Vec<_>>());
    assert_eq!(events, [Event::Started, Event::Note("trimmed".to_owned())]);
    assert_eq!(summary.lines, Tally { samples: 10, events: 2, ..Tally::default() });
}

#[test]
fn a_file_that_is_there_is_never_overwritten() {
    let (folder, path) = a_folder();
    drop(begun(&path, None));
    let before = fs::read(&path).unwrap();
    let error = Recorder::create(&path, &header(1), None).unwrap_err();
    assert!(matches!(error, RecordError::Exists { .. }), "{error}");
    assert_eq!(fs::read(&path).unwrap(), before);
    let foreign = folder.path().join("flink-conf.yaml");
    fs::write(&foreign, "a: b\n").unwrap();
    for error in [
        Recorder::create(&foreign, &header(1), None).unwrap_err(),
        Recorder::resume(&foreign, &header(1), at(20), None).unwrap_err(),
        Recorder::create(folder.path(), &header(1), None).unwrap_err(),
    ] {
        assert!(matches!(error, RecordError::Foreign { .. }), "{error}");
    }
    assert_eq!(fs::read_to_string(&foreign).unwrap(), "a: b\n");
    // What rotation would write over is in the way as well.
    let free = folder.path().join("free");
    fs::write(folder.path().join("free.2"), "mine").unwrap();
    let error = Recorder::create(&free, &header(1), Some(Rotation::new(0, 1))).unwrap_err();
    assert!(error.to_string().contains("free.2"), "{error}");
}

#[test]
fn an_empty_file_is_begun() {
    let (_folder, path) = a_folder();
    fs::write(&path, "").unwrap();
    drop(begun(&path, None));
    assert_eq!(read(&path).0.len(), 10);
}

#[test]
fn a_recording_that_was_cut_anywhere_is_gone_on_with() {
    let (_folder, path) = a_folder();
    drop(begun(&path, None));
    let whole = fs::read(&path).unwrap();
    let head = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    for cut in (head..whole.len()).step_by(37).chain([head, whole.len() - 1]) {
        fs::write(&path, &whole[..cut]).unwrap();
        let kept = read(&path).0;
        let mut recorder = Recorder::resume(&path, &header(1), at(100), None).unwrap();
        written(recorder.append(&sample(100, 1)));
        let (seconds, events, summary) = read(&path);
        assert_eq!(seconds, [kept, vec![100]].concat(), "cut at {cut}");
        assert_eq!(events.last(), Some(&Event::Resumed));
        assert!(!summary.lines.torn_end && summary.lines.damaged <= 1 && summary.lines.unexplained == 0, "{summary:?}");
        assert!(fs::read(&path).unwrap().starts_with(&whole[..cut]), "what was there is changed");
    }
}

#[test]
fn another_process_is_not_put_into_a_recording() {
    let (_folder, path) = a_folder();
    drop(begun(&path, None));
    let error = Recorder::resume(&path, &header(2), at(20), None).unwrap_err();
    let told = error.to_string();
    assert!(told.ends_with("it is about process 1 (tm, started 10 ticks after boot), and this is process 2 (tm, started 20 ticks after boot)"), "{told}");
    let later = Header { machine: Machine { boot: Some("two".to_owned()), memory: None }, ..header(1) };
    let error = Recorder::resume(&path, &later, at(20), None).unwrap_err();
    assert!(matches!(error, RecordError::OtherBoot { .. }), "{error}");
    let missing = Recorder::resume(&path.with_extension("none"), &header(1), at(20), None).unwrap_err();
    assert!(matches!(missing, RecordError::Unreadable { .. }), "{missing}");
    assert!(!path.with_extension("none").exists());
}

#[test]
fn a_process_that_was_started_again_is_told_and_gone_on_with() {
    let (_folder, path) = a_folder();
    let mut recorder = begun(&path, None);
    written(recorder.event(at(10), &Event::Gone { why: "it has ended".to_owned() }));
    written(recorder.append(&sample(11, 2)));
    drop(recorder);
    let (seconds, events, _) = read(&path);
    assert_eq!(seconds.len(), 11);
    assert_eq!(events.last(), Some(&Event::NewProcess(target(2))));
    assert!(Recorder::resume(&path, &header(1), at(20), None).is_err(), "it is about the new one now");
    assert!(Recorder::resume(&path, &header(2), at(20), None).is_ok());
}

#[test]
fn two_recorders_do_not_write_one_file() {
    let (_folder, path) = a_folder();
    let _first = begun(&path, None);
    let error = Recorder::resume(&path, &header(1), at(20), None).unwrap_err();
    assert!(matches!(error, RecordError::Busy { .. }), "{error}");
}

#[test]
fn rotation_bounds_the_disk_and_keeps_the_newest() {
    for keep in [0, 1, 3] {
        let (folder, path) = a_folder();
        let rotation = Rotation::new(64 << 10, keep);
        let mut recorder = Recorder::create(&path, &header(1), Some(rotation)).unwrap();
        for second in 0..1000 {
            written(recorder.append(&sample(second, 1)));
            let taken: u64 =
                fs::read_dir(folder.path()).unwrap().map(|one| one.unwrap().metadata().unwrap().len()).sum();
            assert!(taken <= (64 << 10) * u64::from(keep + 1), "{taken} bytes with {keep} kept");
        }
        let (seconds, _, summary) = read(&path);
        let first = seconds[0];
        assert!(first > 0);
        assert_eq!(seconds, (first..1000).collect::<Vec<_>>());
        assert_eq!(summary.parts, u64::from(keep) + 1);
        assert!(
            summary.missing_parts > 0 && summary.lines.is_complete() && summary.strangers.is_empty(),
            "{summary:?}"
        );
        // The parts put behind one another are a recording as well.
        let mut all = Vec::new();
        for number in (1..=keep).rev() {
            all.extend(fs::read(super::rotation::older(&path, number)).unwrap());
        }
        all.extend(fs::read(&path).unwrap());
        let streamed =
            Recording::stream(Cursor::new(all)).unwrap().filter(|entry| matches!(entry, Ok(Entry::Sample(_))));
        assert_eq!(streamed.count(), seconds.len());
        drop(recorder);
        let mut recorder = Recorder::resume(&path, &header(1), at(1000), Some(rotation)).unwrap();
        (1000..1200).for_each(|second| written(recorder.append(&sample(second, 1))));
        let seconds = read(&path).0;
        assert_eq!(seconds, (seconds[0]..1200).collect::<Vec<_>>());
    }
}

#[test]
fn a_rotation_that_ended_in_the_middle_is_read_and_gone_on_with() {
    let rotation = Some(Rotation::new(0, 3));
    for newest in [None, Some(""), Some("{\"k\":\"oomph-rec")] {
        let (_folder, path) = a_folder();
        drop(begun(&path, rotation));
        fs::rename(&path, super::rotation::older(&path, 1)).unwrap();
        newest.inspect(|text| fs::write(&path, text).unwrap());
        assert_eq!(read(&path).0.len(), 10, "{newest:?}");
        let mut recorder = Recorder::resume(&path, &header(1), at(20), rotation).unwrap();
        written(recorder.append(&sample(20, 1)));
        let (seconds, _, summary) = read(&path);
        assert_eq!((seconds.len(), seconds.last(), summary.parts), (11, Some(&20), 2), "{newest:?}");
    }
}

#[test]
fn a_file_named_like_a_part_is_left_out_and_told() {
    let (_folder, path) = a_folder();
    drop(begun(&path, None));
    let other = super::rotation::older(&path, 1);
    fs::write(&other, "a page of the manual").unwrap();
    let (seconds, _, summary) = read(&path);
    assert_eq!((seconds.len(), summary.strangers), (10, vec![other]));
}

#[test]
fn a_directory_that_goes_away_is_trouble_once_and_told_in_the_recording_when_it_is_back() {
    let (folder, _) = a_folder();
    let sub = folder.path().join("sub");
    fs::create_dir(&sub).unwrap();
    let path = sub.join("tm.rec");
    let mut recorder = Recorder::create(&path, &header(1), Some(Rotation::new(0, 1))).unwrap();
    let (mut troubles, mut still, mut second) = (0, 0, 0);
    let aside = folder.path().join("aside");
    while troubles + still < 5 {
        if second == 50 {
            fs::rename(&sub, &aside).unwrap();
        }
        match recorder.append(&sample(second, 1)) {
            Outcome::Written => {}
            Outcome::Trouble(_) => troubles += 1,
            Outcome::StillInTrouble => still += 1,
        }
        second += 1;
    }
    assert_eq!((troubles, still), (1, 4));
    fs::rename(&aside, &sub).unwrap();
    written(recorder.append(&sample(second, 1)));
    let (seconds, events, summary) = read(&path);
    assert_eq!(seconds.len() as i64, second + 1 - 5);
    assert!(matches!(events.last(), Some(Event::Lost { samples: 5, .. })), "{events:?}");
    assert!(summary.lines.is_complete(), "{summary:?}");
}

#[test]
fn what_is_no_recording_is_an_error_of_one_line() {
    let (_folder, path) = a_folder();
    assert!(matches!(Recording::open(&path), Err(ReadError::Io(_))));
    fs::write(&path, "").unwrap();
    assert!(matches!(Recording::open(&path), Err(ReadError::Refused(Refused::Empty))));
    let mut file = fs::File::create(&path).unwrap();
    file.write_all(&[0xFF; 4096]).unwrap();
    let error = Recording::open(&path).unwrap_err();
    assert_eq!(error.to_string().lines().count(), 1);
    let mut newer = fs::File::create(&path).unwrap();
    newer.write_all(b"{\"k\":\"oomph-recording\",\"format\":\"9.3\"}\n").unwrap();
    assert!(matches!(Recording::open(&path), Err(ReadError::Refused(Refused::Newer { major: 9 }))));
}
