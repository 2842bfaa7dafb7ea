//! Memory over time as a drawing for a page of HTML: what it is made of, one part upon the other, the limit, and where the run
//! was ended. Coordinates are whole units of a drawing of 980 by 480.

use super::chart::{Frame, Level, Shown, end_height};
use super::words::{at_mark, plain, seconds};
use crate::model::Bytes;
use crate::report::amount::about;
use crate::repro::figures::{Layers, thinned};
use crate::repro::outcome::{Moment, Run};

/// The left and right end of the time axis.
const LEFT: u64 = 130;
const RIGHT: u64 = 940;
/// The upper and lower end of the scale.
const TOP: u64 = 36;
const BOTTOM: u64 = 420;

/// More moments than this are nothing that an eye could tell apart.
const MOMENTS: usize = 400;

/// What is less than this part of the scale is not drawn: nobody would see it.
const NARROWEST: u64 = 200;

/// A drawing of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Chart {
    /// What it shows, for those who cannot see it.
    pub says: String,
    /// Parts, the lowest first.
    pub areas: Vec<Area>,
    /// Where the limit is, and what stands over it.
    pub limit: Option<Line>,
    /// The limit, where it lies above the drawing.
    pub limit_above: Option<String>,
    /// Where it was ended.
    pub end: Option<End>,
    /// Marks of the scale: height and size.
    pub sizes: Vec<(u64, String)>,
    /// Marks of the time.
    pub times: Vec<(u64, String)>,
}

/// A part over time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Area {
    /// The class that gives it its colour.
    pub colour: &'static str,
    /// What it is, with the most that it took.
    pub name: String,
    /// The points of its outline.
    pub points: String,
}

/// The limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub y: u64,
    pub text: String,
    /// Where its text stands: away from the mark of the end.
    pub x: u64,
    pub anchor: &'static str,
}

/// The end of a run that was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct End {
    pub x: u64,
    pub y: u64,
    pub text: String,
}

/// The parts in the order in which they are drawn, the lowest first.
const PARTS: [(&str, &str); 8] = [
    ("blocks", "blocks in the cache"),
    ("memtables", "memtables"),
    ("readers", "index and filter outside the cache"),
    ("kept", "kept by the allocator"),
    ("rest", "other anonymous memory"),
    ("others", "other processes"),
    ("tmpfs", "tmpfs"),
    ("cache", "page cache"),
];

fn parts(moment: &Moment, charged: bool, shown: Shown) -> [u64; 8] {
    let bare = Layers { rest: moment.anonymous, ..Layers::default() };
    let layers = moment.layers(charged).unwrap_or(bare);
    let level = Level::of(moment, shown);
    [
        layers.blocks.get(),
        layers.memtables.get(),
        layers.readers.get(),
        layers.kept.get(),
        layers.rest.get(),
        level.anonymous.saturating_sub(moment.anonymous.get()),
        level.shmem,
        level.file,
    ]
}

/// The drawing of a run among those that it is held against.
pub(super) fn chart(run: &Run, frame: &Frame, all: &[&Run]) -> Chart {
    let shown = Shown::of(all);
    let charged = run.experiment.store.pool.is_some();
    let moments = thinned(&run.moments, MOMENTS);
    let stacks: Vec<(u64, [u64; 8])> =
        moments.iter().map(|moment| (x(moment.millis, frame), parts(moment, charged, shown))).collect();
    let knows_parts = run.moments.iter().any(|moment| moment.said.is_some());
    let mut areas = Vec::new();
    for (at, (colour, name)) in PARTS.iter().enumerate() {
        let most = stacks.iter().map(|(_, parts)| parts[at]).max().unwrap_or(0);
        if most <= frame.top().get() / NARROWEST {
            continue;
        }
        let height = |parts: &[u64; 8], upto: usize| {
            y(Bytes::new(parts[..upto].iter().fold(0, |sum, part| sum.saturating_add(*part))), frame)
        };
        let upper = stacks.iter().map(|(x, parts)| format!("{x},{}", height(parts, at + 1)));
        let lower = stacks.iter().rev().map(|(x, parts)| format!("{x},{}", height(parts, at)));
        let name = if *colour == "rest" && !knows_parts { "anonymous memory" } else { name };
        areas.push(Area {
            colour,
            name: format!("{name}, at most {}", about(Bytes::new(most))),
            points: upper.chain(lower).collect::<Vec<_>>().join(" "),
        });
    }
    let limit = run.limit();
    let end = end(run, frame, shown);
    let is_early = end.as_ref().is_some_and(|end| end.x < (LEFT + RIGHT) / 2);
    let (text_at, anchor) = if is_early { (RIGHT, "end") } else { (LEFT + 10, "start") };
    Chart {
        says: format!("Memory of {} over {}", plain(&run.label), seconds(run.millis)),
        areas,
        limit: limit.filter(|limit| *limit <= frame.top()).map(|limit| Line {
            y: y(limit, frame),
            text: format!("limit {}", about(limit)),
            x: text_at,
            anchor,
        }),
        limit_above: limit.filter(|limit| *limit > frame.top()).map(|limit| format!("the limit is {}", about(limit))),
        end,
        sizes: (0..=frame.steps)
            .map(|step| Bytes::new(frame.step.get().saturating_mul(step)))
            .map(|size| (y(size, frame), if size == Bytes::ZERO { "0".to_owned() } else { size.to_string() }))
            .collect(),
        times: times(frame),
    }
}

fn times(frame: &Frame) -> Vec<(u64, String)> {
    let step = frame.time_step(6);
    let marks = (0..=frame.span / step).map(|mark| mark * step);
    marks
        .map(|millis| (x(millis, frame), if millis == 0 { "0".to_owned() } else { format!("{} s", millis / 1000) }))
        .collect()
}

fn end(run: &Run, frame: &Frame, shown: Shown) -> Option<End> {
    let text = at_mark(run)?;
    let height = Bytes::new(end_height(run, frame, shown)).min(frame.top());
    let x = x(run.millis, frame);
    Some(End { x, y: y(height, frame), text })
}

fn x(millis: u64, frame: &Frame) -> u64 {
    LEFT + scaled(millis, RIGHT - LEFT, frame.span)
}

fn y(size: Bytes, frame: &Frame) -> u64 {
    BOTTOM - scaled(size.get(), BOTTOM - TOP, frame.top().get())
}

fn scaled(value: u64, length: u64, full: u64) -> u64 {
    let scaled = (u128::from(value) * u128::from(length)).checked_div(u128::from(full)).unwrap_or(0);
    u64::try_from(scaled).unwrap_or(length).min(length)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use super::*;
    use crate::report::repro::made;

    #[test]
    fn parts_of_one_upon_the_other_reach_as_high_as_the_memory() {
        let run = made::run("cured");
        let frame = Frame::of(&[&run]).unwrap();
        let chart = chart(&run, &frame, &[&run]);
        let last = chart.areas.last().unwrap();
        let top: u64 =
            last.points.split(' ').map(|point| point.split_once(',').unwrap().1.parse().unwrap()).min().unwrap();
        assert_eq!(top, y(Bytes::mib(170), &frame));
        assert!(chart.areas.iter().any(|area| area.colour == "memtables"));
    }

    #[test]
    fn a_kill_is_marked_at_the_limit() {
        let run = made::killed("fails");
        let frame = Frame::of(&[&run]).unwrap();
        let chart = chart(&run, &frame, &[&run]);
        assert_eq!(chart.end.unwrap().y, chart.limit.unwrap().y);
    }
}
