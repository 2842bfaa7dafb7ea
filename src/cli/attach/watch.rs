//! `--watch`: a look after the other, and where they go.

use std::io::{self, IsTerminal, Write};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use jiff::SignedDuration;

use super::look::{self, LookArgs};
use super::{Format, over_time};
use crate::cli::Exit;
use crate::cli::plan::width;
use crate::diagnose::ahead;
use crate::diagnose::over_time::OverTime;
use crate::diagnose::trend::Timeline;
use crate::model::{Bytes, Measure};
use crate::probe::root::Root;
use crate::probe::target::Target;
use crate::report::attach::watch::{self, Watched};

/// So many looks are held, thinned out evenly: an hour at one in 5 s, 0.8 MB.
const LOOKS: usize = 720;

/// Looks until the process ends.
pub fn run(
    root: &Root,
    targets: &[Target],
    args: &LookArgs,
    interval: SignedDuration,
    format: Format,
) -> anyhow::Result<Exit> {
    let [target] = targets else {
        anstream::eprintln!("error: --watch looks at one process, and these are {}", targets.len());
        return Ok(Exit::Usage);
    };
    if format != Format::Text || !root.is_live() {
        let why =
            if root.is_live() { "--watch is for people: leave out --format" } else { "a capture does not change" };
        anstream::eprintln!("error: {why}");
        return Ok(Exit::Usage);
    }
    let mut screen = Screen::of_stdout();
    let mut timeline = Timeline::of_capacity(LOOKS);
    let mut planned = None;
    let mut next = Instant::now();
    loop {
        match look::examine_again(root, target, args, &mut planned) {
            Ok(examination) => {
                timeline.push(examination.observations.clone());
                let before = OverTime::of(&timeline, &[]);
                let now = examination.with_history(&before);
                let budget = now.planned.as_ref().ok().map(|survey| &survey.plan.budget);
                let limit = now.container.as_ref().ok().and_then(|container| container.limit);
                let ahead = ahead::ahead(&before, budget, limit);
                let watched = Watched { now: &now, timeline: &timeline, before: &before, ahead: &ahead, limit };
                let block = watch::block(&watched, screen.width(), over_time::signs());
                screen.show(&block).context("could not print the look")?;
            }
            Err(unseen) => {
                let used = timeline.latest().and_then(|look| look.value(Measure::Rss)).map(Bytes::new);
                let used =
                    used.map_or_else(String::new, |used| format!("; it had {} MiB resident last", used.whole_mib()));
                anstream::eprintln!("error: could not look at process {} any more: {unseen}{used}", target.pid);
                return Ok(Exit::Target);
            }
        }
        next = sleep_until(next, interval);
    }
}

/// Sleeps to the next look, and says when that was due. Looks that would have been due meanwhile are left out rather than
/// made up for, so that a slow machine is not looked at all the time.
pub(in crate::cli) fn sleep_until(last: Instant, interval: SignedDuration) -> Instant {
    let now = Instant::now();
    let left = until_next(now.duration_since(last), interval.unsigned_abs());
    thread::sleep(left);
    now + left
}

/// The time to the next multiple of an interval.
fn until_next(since: Duration, interval: Duration) -> Duration {
    let over = since.as_nanos() % interval.as_nanos().max(1);
    interval.saturating_sub(Duration::from_nanos(u64::try_from(over).unwrap_or(u64::MAX)))
}

/// Where blocks are shown: a terminal is drawn over, anything else gets one behind the other.
struct Screen {
    is_terminal: bool,
    is_first: bool,
}

impl Screen {
    fn of_stdout() -> Screen {
        let is_dumb = std::env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb");
        Screen { is_terminal: io::stdout().is_terminal() && !is_dumb, is_first: true }
    }

    fn width(&self) -> usize {
        width()
    }

    fn show(&mut self, block: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        if self.is_terminal {
            let height = terminal_size::terminal_size().map_or(usize::MAX, |(_, height)| usize::from(height.0));
            out.write_all(drawn_over(block, height, self.is_first).as_bytes())?;
        } else {
            let apart = if self.is_first { "" } else { "\n" };
            write!(out, "{apart}{block}")?;
        }
        self.is_first = false;
        out.flush()
    }
}

/// A block that is written over the one before: the cursor goes home, each line is written over and its rest erased, and
/// so is what is below. What is higher than the terminal is cut off, since it would scroll.
fn drawn_over(block: &str, height: usize, is_first: bool) -> String {
    let mut out = String::from(if is_first { "\x1b[2J\x1b[H" } else { "\x1b[H" });
    for line in block.lines().take(height.saturating_sub(1).max(1)) {
        out += line;
        out += "\x1b[K\r\n";
    }
    out + "\x1b[J"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_that_are_late_are_left_out() {
        let next = |since: u64| until_next(Duration::from_millis(since), Duration::from_millis(100)).as_millis();
        assert_eq!([next(0), next(30), next(99), next(100), next(250)], [100, 70, 1, 100, 50]);
    }

    #[test]
    fn a_block_is_drawn_over_the_one_before_and_never_scrolls() {
        assert_eq!(drawn_over("a\nb\n", 24, false), "\x1b[Ha\x1b[K\r\nb\x1b[K\r\n\x1b[J");
        assert_eq!(drawn_over("a\nb\nc\n", 3, true), "\x1b[2J\x1b[Ha\x1b[K\r\nb\x1b[K\r\n\x1b[J");
    }
}
