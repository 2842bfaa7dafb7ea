//! A line that moves on standard error while something runs; nothing where that is no terminal.

use std::io::{IsTerminal, stderr};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::harness::supervise::Heard;
use crate::model::{Limit, Said};
use crate::repro::judging::mebibytes;

/// The line.
pub struct Line {
    bar: ProgressBar,
    limit: Limit,
    memory: String,
}

impl Line {
    /// For a run.
    pub fn new(name: &str, limit: Limit) -> Line {
        let target = match stderr().is_terminal() {
            true => ProgressDrawTarget::stderr_with_hz(4),
            false => ProgressDrawTarget::hidden(),
        };
        let bar = ProgressBar::with_draw_target(Some(0), target);
        if let Ok(style) = ProgressStyle::with_template("{prefix} {bar:20} {percent}% {per_sec} {eta} left  {msg}") {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_prefix(name.to_owned());
        bar.enable_steady_tick(Duration::from_millis(250));
        Line { bar, limit, memory: String::new() }
    }

    /// Shows what was heard.
    pub fn hear(&mut self, heard: Heard<'_>) {
        match heard {
            Heard::Said(Said::Progress(progress)) => {
                self.bar.set_length(progress.of);
                self.bar.set_position(progress.records);
                self.bar.set_message(format!("{} {}", progress.phase, self.memory));
            }
            Heard::Look(moment) => {
                let of = match self.limit {
                    Limit::AtMost(limit) => format!(" of {}", mebibytes(limit)),
                    Limit::Unlimited => String::new(),
                };
                self.memory = format!("{}{of}", mebibytes(moment.anonymous));
            }
            Heard::Said(_) | Heard::Line(_) => {}
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
