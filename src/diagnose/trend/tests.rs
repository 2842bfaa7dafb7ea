#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use rstest::rstest;

use super::restarts::{Floor, Keeper, Sources, Verdict as Left, judge};
use super::*;
use crate::model::{Identity, Measure, Observation, Observations, Origin, Pool, Unseen};

fn at(second: f64) -> Timestamp {
    let since = SignedDuration::try_from_secs_f64(second).unwrap();
    Timestamp::from_second(1_763_754_000).unwrap().checked_add(since).unwrap()
}

/// One look in ten seconds.
fn series(values: impl IntoIterator<Item = u64>) -> Series {
    let point = |(index, value): (usize, u64)| Point { at: at(index as f64 * 10.0), value, life: 0 };
    Series::of_points(Measure::Rss, values.into_iter().enumerate().map(point).collect(), 0)
}

fn trend(values: impl IntoIterator<Item = u64>) -> Trend {
    series(values).trend().unwrap()
}

/// Numbers without a pattern that are the same everywhere.
fn jitter(index: u64, most: u64) -> u64 {
    let mixed = (index + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed ^ mixed >> 29).wrapping_mul(0xBF58_476D_1CE4_E5B9) % most.max(1)
}

macro_rules! rows {
    ($name:literal) => {
        ($name, include_str!(concat!("../../../testdata/series/", $name, ".csv")))
    };
}

const FILES: [(&str, &str); 7] = [
    rows!("restarts/glibc"),
    rows!("restarts/arena-max-1"),
    rows!("restarts/jemalloc"),
    rows!("restarts/glibc-2.3.0"),
    rows!("failures/killed-by-kernel"),
    rows!("failures/heap-full"),
    rows!("failures/batch-shuffle"),
];

fn file(name: &str) -> Vec<Vec<Option<f64>>> {
    let (_, text) = FILES.into_iter().find(|(of, _)| *of == name).unwrap();
    text.lines().skip(1).map(|line| line.split(',').map(|field| field.parse().ok()).collect()).collect()
}

const MIB: u64 = 1 << 20;

fn floors(name: &str) -> Vec<Floor> {
    let bytes = |row: &[Option<f64>], column: usize| row[column].map(|mib| mib as u64 * MIB);
    let rows = file(&format!("restarts/{name}")).into_iter().enumerate();
    rows.map(|(index, row)| Floor {
        at: at(index as f64 * 60.0),
        rss: bytes(&row, 0),
        heap: bytes(&row, 1),
        retained: bytes(&row, 2),
        in_use: bytes(&row, 3),
    })
    .collect()
}

#[rstest]
#[case("glibc", Left::StepPerRestart(Keeper::Allocator))]
#[case("arena-max-1", Left::Plateau)]
#[case("jemalloc", Left::Plateau)]
#[case("glibc-2.3.0", Left::StepPerRestart(Keeper::Unseen))]
fn real_restarts_are_judged_by_who_keeps_the_memory(#[case] name: &str, #[case] verdict: Left) {
    let judged = judge(&floors(name));
    assert_eq!(judged.verdict, verdict, "{judged:?}");
}

#[test]
fn the_restarts_until_a_limit_are_counted() {
    let judged = judge(&floors("glibc"));
    let per_restart = judged.per_restart.unwrap();
    assert!((60.0..80.0).contains(&(per_restart.per_second / MIB as f64)), "{per_restart:?}");
    // 1728 MiB are 225 MiB above the 1503 of the eighth restart: about three more.
    let (fewest, most) = judged.until(1728 * MIB).unwrap();
    assert!((2..=3).contains(&fewest) && (3..=6).contains(&most.unwrap()), "{fewest} {most:?}");
    assert_eq!(judged.until(100_000 * MIB), None);
    assert_eq!(judge(&floors("arena-max-1")).until(1728 * MIB), None);
}

#[test]
fn restarts_that_leave_more_in_use_are_the_programs() {
    let mut all = floors("glibc");
    for (index, floor) in all.iter_mut().enumerate() {
        floor.in_use = floor.in_use.map(|in_use| in_use + 40 * MIB * index as u64);
    }
    assert_eq!(judge(&all).verdict, Left::StepPerRestart(Keeper::Program));
}

#[test]
fn few_restarts_are_no_verdict() {
    let judged = judge(&floors("glibc")[..5]);
    assert_eq!(judged.verdict, Left::Unclear { why: "5 of the 6 restarts that it takes".to_owned() });
    assert_eq!(judge(&[]).floors, 0);
}

/// Eight jobs of which each fills 250 MiB and is cancelled, as the floors of glibc were measured.
fn jobs() -> (Timeline, Vec<Timestamp>) {
    let (mut timeline, mut submitted, mut second) = (Timeline::of_capacity(1000), Vec::new(), 0.0);
    for floor in floors("glibc") {
        submitted.push(at(second));
        for step in 0..20u64 {
            let running = if step < 14 { 250 * MIB * (step + 1) / 14 } else { 0 };
            let retained = floor.retained.unwrap().saturating_sub(running);
            timeline.push(look(
                second + 1.0,
                1,
                &[
                    (Measure::Rss, floor.rss.unwrap() + running / 4),
                    (Measure::Pool(Pool::JavaHeap), floor.heap.unwrap()),
                    (Measure::Pool(Pool::AllocatorRetained), retained),
                    (Measure::MallocInUse, floor.in_use.unwrap() + running + jitter(step, MIB)),
                ],
            ));
            second += 10.0;
        }
    }
    (timeline, submitted)
}

#[test]
fn restarts_are_found_in_what_is_in_use() {
    let (timeline, submitted) = jobs();
    let sources = Sources::of(&timeline);
    let told = sources.floors(&submitted);
    assert_eq!(told.len(), 8);
    assert_eq!(judge(&told).verdict, Left::StepPerRestart(Keeper::Allocator));
    // The first dip is the beginning itself, before any job had run.
    let found = sources.floors(&[]);
    assert_eq!(judge(&found).verdict, Left::StepPerRestart(Keeper::Allocator), "{found:?}");
    assert!((8..=9).contains(&found.len()), "{found:?}");
}

fn process(name: &str, looks: usize) -> Series {
    let rows = file(&format!("failures/{name}"));
    let point = |row: &Vec<Option<f64>>| Point { at: at(row[0].unwrap()), value: row[1].unwrap() as u64, life: 0 };
    Series::of_points(Measure::Rss, rows.iter().take(looks).map(point).collect(), 0)
}

#[test]
fn real_processes_are_judged_by_their_resident_set() {
    let killed = process("killed-by-kernel", 100).trend().unwrap();
    assert_eq!(killed.verdict, Verdict::Growing, "{killed:?}");
    let full = process("heap-full", 100).trend().unwrap();
    assert!(matches!(full.verdict, Verdict::Plateau { .. }), "{full:?}");
    // Stages of a batch job come and go.
    let batch = process("batch-shuffle", 100).trend().unwrap();
    assert!(!batch.is_growing(), "{batch:?}");
}

#[test]
fn a_kill_is_foretold_from_the_first_half() {
    // The kernel killed it at its limit of 1275068416 bytes, 24 seconds after the first look.
    let half = process("killed-by-kernel", 14).trend().unwrap();
    let whole = process("killed-by-kernel", 100);
    let left = whole.points()[whole.points().len() - 1].at.duration_since(half.to).as_secs_f64();
    let Forecast::Between { earliest, latest } = half.time_to(1_275_068_416) else { panic!("{half:?}") };
    assert!(
        earliest.as_secs_f64() < left + 1.0 && left - 1.0 < latest.unwrap().as_secs_f64(),
        "{left}: {earliest} to {latest:?}"
    );
}

#[test]
fn a_constant_is_a_plateau_of_all_its_time() {
    for value in [0, 1, 4096, 1 << 40, u64::MAX] {
        let trend = trend(std::iter::repeat_n(value, 50));
        assert_eq!(trend.verdict, Verdict::Plateau { since: at(0.0), change: 0 });
        assert_eq!(
            trend.time_to(u64::MAX - 1),
            if value == u64::MAX { Forecast::Reached } else { Forecast::Never { why: "it does not grow".to_owned() } }
        );
    }
}

#[test]
fn a_rise_that_ended_is_a_plateau() {
    let rise = |n: u64| 400 * MIB + if n < 60 { n * 5 * MIB } else { 300 * MIB } + jitter(n, MIB);
    let trend = trend((0..120).map(rise));
    let Verdict::Plateau { change, .. } = trend.verdict else { panic!("{trend:?}") };
    assert!(change.abs_diff(300 << 20) < 4 * MIB, "{change}");
}

#[test]
fn a_leak_that_began_late_is_growing() {
    let late = |n: u64| 800 * MIB + n.saturating_sub(80) * 2 * MIB + jitter(n, MIB);
    assert!(trend((0..140).map(late)).is_growing());
}

/// Up for nine looks, down in one.
fn teeth(n: u64, leak: u64) -> u64 {
    200 * MIB + (n % 10) * 30 * MIB + n / 10 * leak + jitter(n, MIB)
}

#[rstest]
#[case(0, Troughs::Level)]
#[case(6 * MIB, Troughs::Rising)]
fn the_troughs_of_a_sawtooth_count(#[case] leak: u64, #[case] expected: Troughs) {
    let trend = trend((0..150).map(|n| teeth(n, leak)));
    let Verdict::Sawtooth { cycles, height, troughs } = trend.verdict else { panic!("{trend:?}") };
    assert!((13..=15).contains(&cycles), "{cycles}");
    assert!(height.abs_diff(270 * MIB) < 10 * MIB, "{height}");
    assert_eq!(troughs, expected);
    assert_eq!(trend.is_growing(), leak > 0);
    if leak > 0 {
        // 6 MiB in 100 s; what meets the limit is the peaks.
        let Forecast::Between { earliest, latest } = trend.time_to(trend.level + 60 * MIB) else { panic!("{trend:?}") };
        assert!(earliest.as_secs() > 800 && latest.unwrap().as_secs() < 1200, "{earliest} {latest:?}");
    }
}

#[test]
fn no_time_is_given_from_too_little_or_too_far_ahead() {
    let short = trend((0..11).map(|n| n * MIB));
    assert_eq!(short.verdict, Verdict::Unclear { why: "11 of the 12 looks that it takes".to_owned() });
    assert_eq!(
        short.time_to(1 << 40),
        Forecast::Never { why: "not clear: 11 of the 12 looks that it takes".to_owned() }
    );
    let clear = trend((0..100).map(|n| n * MIB));
    let horizon = SignedDuration::from_secs(5 * 990);
    assert_eq!(clear.time_to(1 << 40), Forecast::Beyond { horizon });
    assert_eq!(clear.time_to(5 * MIB), Forecast::Reached);
    let Forecast::Between { earliest, latest } = clear.time_to(200 * MIB) else { panic!("{clear:?}") };
    assert!((990..=1060).contains(&earliest.as_secs()) && latest.unwrap() >= earliest);
}

#[test]
fn a_process_that_was_started_again_is_judged_by_its_last_life() {
    let grown = (0..40).map(|n| Point { at: at(n as f64 * 10.0), value: n * 10 * MIB, life: 0 });
    let fresh = (40..80).map(|n| Point { at: at(n as f64 * 10.0), value: 100 * MIB, life: 1 });
    let both = Series::of_points(Measure::Rss, grown.chain(fresh.clone()).collect(), 0).trend().unwrap();
    assert_eq!((both.points, both.from), (40, at(400.0)));
    assert!(matches!(both.verdict, Verdict::Plateau { .. }));
    // A life that has only begun does not hide the one before.
    let begun = Series::of_points(
        Measure::Rss,
        (0..40).map(|n| Point { at: at(n as f64 * 10.0), value: n * 10 * MIB, life: 0 }).chain(fresh.take(3)).collect(),
        0,
    )
    .trend()
    .unwrap();
    assert!(begun.is_growing() && begun.to == at(390.0));
}

#[test]
fn a_counter_is_judged_by_its_rate() {
    let counter = |values: Vec<u64>| {
        let point = |(index, value): (usize, u64)| Point { at: at(index as f64 * 10.0), value, life: 0 };
        Series::of_points(Measure::YoungCollections, values.into_iter().enumerate().map(point).collect(), 0)
    };
    let steady = counter((0..60).map(|n| n * 20).collect());
    assert!(steady.rates().iter().all(|rate| rate.per_second == 2.0));
    assert!(matches!(steady.trend().unwrap().verdict, Verdict::Plateau { .. }));
    assert!(counter((0..60).map(|n| n * n * 20).collect()).trend().unwrap().is_growing());
    // A counter that falls is another process's.
    let restarted = counter((0..20).chain(0..20).collect());
    assert_eq!((restarted.points()[20].life, restarted.rates().len()), (1, 38));
}

fn look(second: f64, pid: u32, values: &[(Measure, u64)]) -> Observations {
    let one = |(measure, value): &(Measure, u64)| Observation {
        measure: *measure,
        value: Ok(*value),
        origin: Origin::Status,
    };
    let target = Identity { pid, started: None, role: None, name: "tm".to_owned() };
    Observations { at: at(second), target, all: values.iter().map(one).collect() }
}

#[test]
fn two_looks_are_told_as_a_change_and_no_more() {
    let mut one = look(0.0, 1, &[(Measure::Rss, 10), (Measure::Threads, 5)]);
    one.all.push(Observation { measure: Measure::Swap, value: Err(Unseen::because("no")), origin: Origin::Status });
    let later = look(60.0, 1, &[(Measure::Rss, 4), (Measure::Swap, 0)]);
    let told = delta::delta(&one, &later).unwrap();
    assert_eq!((told.over, told.changes.len()), (SignedDuration::from_secs(60), 1));
    assert_eq!((told.changes[0].measure, told.changes[0].by()), (Measure::Rss, -6));
    assert_eq!(told.one_sided, [Measure::Swap, Measure::Threads]);
    assert_eq!(delta::delta(&one, &look(60.0, 2, &[])), None);
}

#[test]
fn a_timeline_holds_a_bounded_number_of_looks_over_all_its_time() {
    let mut timeline = Timeline::of_capacity(100);
    for n in 0..10_000u64 {
        timeline.push(look(n as f64, 1, &[(Measure::Rss, n * MIB)]));
        assert!(timeline.len() <= 100);
    }
    let series = timeline.series(Measure::Rss);
    let points = series.points();
    assert!(points.len() > 50 && points[0].at == at(0.0) && points[points.len() - 1].at == at(9999.0));
    let steps: Vec<i64> = points.windows(2).map(|pair| pair[1].at.as_second() - pair[0].at.as_second()).collect();
    assert!(steps[..steps.len() - 1].iter().all(|step| *step == steps[0]), "{steps:?}");
    assert!(series.trend().unwrap().is_growing());
    assert_eq!((timeline.looks(), timeline.latest().unwrap().at), (10_000, at(9999.0)));
    assert!(timeline.series(Measure::Swap).points().is_empty());
}

#[test]
fn columns_are_blank_where_nobody_looked() {
    let with_gap = (0..40).filter(|n| !(10..20).contains(n)).map(|n| Point { at: at(n as f64), value: n, life: 0 });
    let columns = Series::of_points(Measure::Rss, with_gap.collect(), 0).columns(13);
    assert_eq!(columns.len(), 13);
    assert_eq!((columns[0], columns[12]), (Some(3), Some(39)));
    assert!(columns[5].is_none() && columns[2].is_some() && columns[7].is_some(), "{columns:?}");
    // More columns than points leave no gaps between points that are as far apart as usual.
    assert!(series(0..10).columns(60).iter().all(Option::is_some));
}

proptest! {
    #[test]
    fn a_line_has_its_slope_wherever_it_lies(
        rise in 1u64..1000, base in 0u64..1 << 40, length in 12usize..200,
    ) {
        let trend = trend((0..length as u64).map(|n| base + n * rise * 4096));
        prop_assert!(trend.is_growing(), "{:?}", trend);
        let slope = trend.slope.unwrap();
        let expected = (rise * 4096) as f64 / 10.0;
        prop_assert!((slope.per_second / expected - 1.0).abs() < 1e-9 && slope.low <= slope.per_second && slope.per_second <= slope.high);
    }

    #[test]
    fn adding_a_constant_or_stretching_time_changes_nothing_else(
        values in proptest::collection::vec(0u64..1 << 32, 12..90), constant in 0u64..1 << 20, times in 1i32..50,
    ) {
        let one = trend(values.iter().copied()).slope;
        let added = trend(values.iter().map(|value| value + constant)).slope;
        prop_assert_eq!(one, added);
        let point = |(index, value): (usize, &u64)| Point { at: at(index as f64 * 10.0 * f64::from(times)), value: *value, life: 0 };
        let slow = Series::of_points(Measure::Rss, values.iter().enumerate().map(point).collect(), 0).trend().unwrap();
        if let (Some(one), Some(slow)) = (one, slow.slope) {
            let near = |a: f64, b: f64| a == b || (a - b * f64::from(times)).abs() <= 1e-6 * a.abs().max(1.0);
            prop_assert!(near(one.per_second, slow.per_second) && near(one.low, slow.low) && near(one.high, slow.high));
        }
    }

    #[test]
    fn a_tenth_of_spikes_changes_no_verdict(rise in 0u64..2, first in 0u64..10, spike in 2u64..20) {
        let clean = |n: u64| 1000 * MIB + n * rise * 4 * MIB + jitter(n, MIB);
        let spiked = |n: u64| clean(n) + if jitter(n + first * 1000, 10) == 0 { spike * 100 * MIB } else { 0 };
        let (clean, spiked) = (trend((0..200).map(clean)), trend((0..200).map(spiked)));
        prop_assert_eq!(clean.is_growing(), rise > 0, "{:?}", clean);
        prop_assert_eq!(spiked.is_growing(), rise > 0, "{:?}", spiked);
    }

    #[test]
    fn any_series_is_judged(values in proptest::collection::vec((any::<i32>(), any::<u64>(), 0u32..3), 0..300)) {
        let point = |(second, value, life): (i32, u64, u32)| Point { at: Timestamp::from_second(i64::from(second)).unwrap(), value, life };
        for measure in [Measure::Rss, Measure::Safepoints] {
            let series = Series::of_points(measure, values.iter().copied().map(point).collect(), 0);
            let trend = series.trend();
            prop_assert!(trend.is_some() || values.len() < 10 || measure.is_counter());
            if let Some(trend) = trend {
                trend.time_to(u64::MAX);
                prop_assert!(trend.slope.is_none_or(|slope| slope.low <= slope.high && !slope.per_second.is_nan()));
            }
            prop_assert_eq!(series.columns(40).len(), 40);
        }
    }
}
