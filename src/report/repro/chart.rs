//! Memory over time as lines of text: anonymous memory as an area, files in memory upon it, the limit as a line, and where
//! the run was ended.

use super::words::at_mark;
use crate::model::Bytes;
use crate::report::amount::about;
use crate::report::sparkline::Signs;
use crate::repro::outcome::{Ending, Moment, Run};

/// Rows of a chart: its scale has three or four steps, and twelve rows divide into either.
const ROWS: u64 = 12;

/// Columns to the left of the drawing: a size and the axis.
const MARGIN: usize = 10;

/// The scale that charts share, so that they can be held against one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The size of a step of the scale, a power of two.
    pub step: Bytes,
    /// How many steps there are: three or four, seldom fewer.
    pub steps: u64,
    /// Milliseconds from the left end to the right.
    pub span: u64,
}

/// What one column shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Level {
    pub anonymous: u64,
    pub shmem: u64,
    pub file: u64,
}

impl Level {
    /// Everything one upon the other.
    pub(super) fn sum(&self) -> u64 {
        self.anonymous.saturating_add(self.shmem).saturating_add(self.file)
    }

    pub(super) fn of(moment: &Moment, shown: Shown) -> Level {
        let size = |is_shown: bool, size: Option<Bytes>| size.filter(|_| is_shown).map_or(0, Bytes::get);
        Level {
            anonymous: moment.counted_anonymous().get(),
            shmem: size(shown.shmem, moment.shmem),
            file: size(shown.file, moment.file),
        }
    }
}

/// What is drawn upon the anonymous memory: that of which there is enough to matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shown {
    pub shmem: bool,
    pub file: bool,
}

impl Shown {
    /// What matters in any of these runs: more than an eighth of the most anonymous memory.
    pub(super) fn of(runs: &[&Run]) -> Shown {
        let moments = || runs.iter().flat_map(|run| &run.moments);
        let anonymous = moments().map(|moment| moment.counted_anonymous().get()).max().unwrap_or(0);
        let matters = |of: fn(&Moment) -> Option<Bytes>| {
            moments().filter_map(of).max().is_some_and(|most| most.get() > anonymous / 8)
        };
        Shown { shmem: matters(|moment| moment.shmem), file: matters(|moment| moment.file) }
    }
}

impl Frame {
    /// The scale for runs that are held against one another; nothing where nothing was seen of any of them.
    pub fn of(runs: &[&Run]) -> Option<Frame> {
        let shown = Shown::of(runs);
        let moments = || runs.iter().flat_map(|run| &run.moments);
        let most = moments().map(|moment| Level::of(moment, shown).sum()).max()?;
        // A limit that is far away would make everything else flat.
        let limits = runs.iter().filter_map(|run| run.limit()).map(Bytes::get);
        let near = limits.filter(|limit| *limit / 3 <= most).max().unwrap_or(0);
        let top = most.max(near).max(1);
        let step = top.div_ceil(4).next_power_of_two();
        let ends =
            runs.iter().flat_map(|run| run.moments.last().map(|moment| moment.millis).into_iter().chain([run.millis]));
        Some(Frame { step: Bytes::new(step), steps: top.div_ceil(step), span: ends.max().unwrap_or(0).max(1) })
    }

    /// What the upper end stands for.
    pub fn top(&self) -> Bytes {
        Bytes::new(self.step.get().saturating_mul(self.steps))
    }

    /// Milliseconds between two marks of the time, so that there are at most so many marks.
    pub fn time_step(&self, most: u64) -> u64 {
        const STEPS: [u64; 14] = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200];
        let fits = |seconds: &u64| self.span / (seconds * 1000) < most.max(1);
        STEPS.into_iter().find(fits).unwrap_or(self.span / 1000 + 1) * 1000
    }
}

/// The signs of a drawing.
struct Drawing {
    /// Eighths of a cell, from an empty one to a full one.
    eighths: [char; 9],
    shmem: char,
    file: char,
    limit: char,
    axis: char,
    tick: char,
    corner: char,
    floor: char,
    mark: char,
}

const UNICODE: Drawing = Drawing {
    eighths: [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'],
    shmem: '▒',
    file: '░',
    limit: '─',
    axis: '│',
    tick: '┤',
    corner: '└',
    floor: '─',
    mark: '┬',
};

const ASCII: Drawing = Drawing {
    eighths: [' ', ' ', ' ', ' ', '#', '#', '#', '#', '#'],
    shmem: '%',
    file: ':',
    limit: '-',
    axis: '|',
    tick: '+',
    corner: '+',
    floor: '-',
    mark: '+',
};

/// The sign of an end other than that of being done.
fn mark(ending: &Ending) -> Option<char> {
    match ending {
        Ending::Finished => None,
        ending if ending.is_death_of_memory() => Some('x'),
        _ => Some('!'),
    }
}

/// Where a run ended otherwise than by being done: the sign, its column and row.
fn end_mark(run: &Run, frame: &Frame, columns: usize) -> Option<(char, usize, usize)> {
    let sign = mark(&run.ending)?;
    let at = u128::from(run.millis) * columns as u128 / u128::from(frame.span);
    let column = usize::try_from(at).unwrap_or(columns).min(columns.saturating_sub(1));
    Some((sign, column, row_of(end_height(run, frame, Shown::of(&[run])), frame)))
}

/// How high the mark of the end stands: at what was met, or at the most of the last moments, since what ended it may be gone
/// at the last look.
pub(super) fn end_height(run: &Run, frame: &Frame, shown: Shown) -> u64 {
    match (&run.ending, run.limit()) {
        (Ending::KilledByKernel { .. }, Some(limit)) => limit.get(),
        (Ending::KilledByWatchdog { at }, _) => at.get(),
        _ => {
            let end = run.moments.last().map_or(0, |moment| moment.millis);
            let late = run.moments.iter().filter(|moment| moment.millis + frame.span / 30 >= end);
            late.map(|moment| Level::of(moment, shown).sum()).max().unwrap_or(0)
        }
    }
}

/// The row in which a size lies, from below.
fn row_of(size: u64, frame: &Frame) -> usize {
    let row = u128::from(size) * u128::from(ROWS) / u128::from(frame.top().get());
    usize::try_from(row).unwrap_or(usize::MAX).min(ROWS as usize)
}

/// What each column shows: the most of its time; the look before where there was none, as long as the run lasted.
fn levels(run: &Run, frame: &Frame, columns: usize, shown: Shown) -> Vec<Option<Level>> {
    let mut levels: Vec<Option<Level>> = vec![None; columns];
    let column = |millis: u64| {
        let at = u128::from(millis) * columns as u128 / u128::from(frame.span);
        usize::try_from(at).unwrap_or(columns).min(columns.saturating_sub(1))
    };
    for moment in &run.moments {
        let level = Level::of(moment, shown);
        if let Some(cell) = levels.get_mut(column(moment.millis)) {
            *cell = Some(cell.map_or(level, |known| if known.sum() < level.sum() { level } else { known }));
        }
    }
    let last = run.moments.last().map_or(0, |moment| column(moment.millis));
    let mut before = None;
    for (at, cell) in levels.iter_mut().enumerate() {
        before = cell.or(before);
        if at <= last {
            *cell = before;
        }
    }
    levels
}

/// The chart of a run, lines of at most `width` signs.
pub fn chart(run: &Run, frame: &Frame, shown: &[&Run], width: usize, signs: Signs) -> String {
    let signs = match signs {
        Signs::Blocks => &UNICODE,
        Signs::Ascii => &ASCII,
    };
    let shown = Shown::of(shown);
    let columns = width.saturating_sub(MARGIN).max(10);
    let levels = levels(run, frame, columns, shown);
    let limit = run.limit().filter(|limit| *limit <= frame.top()).map(|limit| row_of(limit.get(), frame));
    let mark = end_mark(run, frame, columns);
    let mut out = String::new();
    for row in (0..=ROWS as usize).rev() {
        let (label, is_tick) = label(row, frame);
        let mut line = format!("{label:>8} {}", if is_tick { signs.tick } else { signs.axis });
        for (column, level) in levels.iter().enumerate() {
            line.push(match mark {
                Some((sign, at, height)) if (at, height) == (column, row) => sign,
                _ => match cell(level.unwrap_or_default(), row, frame, signs) {
                    ' ' if limit == Some(row) => signs.limit,
                    sign => sign,
                },
            });
        }
        out += line.trim_end();
        out.push('\n');
    }
    out + &time_axis(frame, columns, signs)
}

/// The size at the foot of a row, where a step of the scale begins there.
fn label(row: usize, frame: &Frame) -> (String, bool) {
    let scaled = row as u64 * frame.steps;
    if !scaled.is_multiple_of(ROWS) {
        return (String::new(), false);
    }
    let size = Bytes::new(frame.step.get().saturating_mul(scaled / ROWS));
    (if size == Bytes::ZERO { "0".to_owned() } else { size.to_string() }, true)
}

fn cell(level: Level, row: usize, frame: &Frame, signs: &Drawing) -> char {
    let top = u128::from(frame.top().get());
    let eighths = |size: u64| {
        let filled = u128::from(size) * u128::from(ROWS) * 8 / top;
        usize::try_from(filled).unwrap_or(usize::MAX).saturating_sub(row * 8)
    };
    // What lies upon the anonymous memory is drawn in whole cells.
    if eighths(level.anonymous) >= 8 {
        return signs.eighths[8];
    }
    let is_filled = |size: u64| eighths(size) >= 4;
    let with_shmem = level.anonymous.saturating_add(level.shmem);
    if level.shmem > 0 && is_filled(with_shmem) {
        return signs.shmem;
    }
    if level.file > 0 && is_filled(level.sum()) {
        return signs.file;
    }
    signs.eighths[eighths(level.anonymous).min(8)]
}

fn time_axis(frame: &Frame, columns: usize, signs: &Drawing) -> String {
    let step = frame.time_step(columns as u64 / 9);
    let mut axis = vec![signs.floor; columns];
    let mut labels = String::new();
    let mut at = 0_u64;
    while at <= frame.span {
        let column = u128::from(at) * columns as u128 / u128::from(frame.span);
        let column = usize::try_from(column).unwrap_or(columns).min(columns - 1);
        let text = if at == 0 { "0".to_owned() } else { format!("{} s", at / 1000) };
        let from = column.saturating_sub(text.len() / 2).min(columns.saturating_sub(text.len()));
        if at > 0 {
            axis[column] = signs.mark;
        }
        if labels.is_empty() || from > labels.len() {
            labels = format!("{labels:<from$}{text}");
        }
        at += step;
    }
    let axis: String = axis.into_iter().collect();
    format!("{:>8} {}{axis}\n{:>MARGIN$}{labels}\n", "", signs.corner, "")
}

/// What the signs of a run's chart mean, one after another.
pub fn key(run: &Run, frame: &Frame, shown: &[&Run], signs: Signs) -> Vec<String> {
    let signs = match signs {
        Signs::Blocks => &UNICODE,
        Signs::Ascii => &ASCII,
    };
    let shown = Shown::of(shown);
    let mut parts = vec![format!("{} anonymous memory", signs.eighths[8])];
    if shown.shmem {
        parts.push(format!("{} tmpfs", signs.shmem));
    }
    if shown.file {
        parts.push(format!("{} page cache", signs.file));
    }
    match run.limit() {
        Some(limit) if limit <= frame.top() => parts.push(format!("{} limit {}", signs.limit, about(limit))),
        Some(limit) => parts.push(format!("the limit, {}, lies above", about(limit))),
        None => {}
    }
    parts.extend(mark(&run.ending).zip(at_mark(run)).map(|(sign, text)| format!("{sign} {text}")));
    parts
}

/// Lines of two texts beside one another, the second from a column on.
pub(super) fn side_by_side(left: &str, right: &str, from: usize) -> String {
    let (mut left, mut right) = (left.lines(), right.lines());
    let mut out = String::new();
    loop {
        let (one, other) = (left.next(), right.next());
        if one.is_none() && other.is_none() {
            return out;
        }
        let line = format!("{:<from$}{}", one.unwrap_or_default(), other.unwrap_or_default());
        out += line.trim_end();
        out.push('\n');
    }
}
