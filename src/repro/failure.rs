//! A failure on a real Flink: the settings and the job with which it happens, what `diagnose` has to say of it, and what
//! cures it. `harness::flink::failing` runs it; the closed loop takes its cure from `diagnose` instead.

use super::launch::{Settings, Version};
use super::on_flink::{Half, mib};
use super::outcome::{Ending, Statement, Verdict};
use crate::model::{Area, Bytes, Killer, Role};

/// Where one run of a failure happens.
#[derive(Clone, Copy, Debug)]
pub struct Site<'s> {
    /// Flink's.
    pub version: Version,
    /// A directory of the run's own, on a disk.
    pub directory: &'s str,
    /// A directory in memory, where the failure asks for one.
    pub tmpfs: Option<&'s str>,
    /// Who runs Python functions, where the failure asks for that.
    pub python: Option<Worker<'s>>,
}

/// What runs Python functions.
#[derive(Clone, Copy, Debug)]
pub struct Worker<'s> {
    /// The interpreter, with PyFlink.
    pub program: &'s str,
    /// The file with the functions.
    pub module: &'s str,
}

/// Python functions of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Module {
    /// Its file.
    pub file: &'static str,
    /// Its text.
    pub text: &'static str,
}

/// What bounds the process that the failure is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fence {
    /// Nothing but the JVM's own bounds.
    Nothing,
    /// A container as large as Flink plans the whole process.
    Container,
    /// So many threads more than the process has when it has come up. What cures it is a step of the platform's.
    Threads(u32),
}

/// How the failing run has to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The kernel kills the process.
    Killed,
    /// The process does not come up.
    DoesNotStart,
    /// The process ends itself, or the job fails, or nothing goes on any more.
    Fails,
    /// Somebody ends the process from outside, who is not memory.
    EndedFromOutside,
    /// Nothing: it only looks as if.
    Lives,
}

impl End {
    fn says(self) -> &'static str {
        match self {
            End::Killed => "the kernel kills the process at its limit",
            End::DoesNotStart => "the process does not come up, or its job does not start",
            End::Fails => "the process ends, its job fails, or it works no more: a full heap, an OutOfMemoryError",
            End::EndedFromOutside => "somebody ends the process from outside",
            End::Lives => "nothing ends the process",
        }
    }
}

/// A failure.
#[derive(Clone, Copy, Debug)]
pub struct Failure {
    /// Its name on the command line.
    pub name: &'static str,
    /// One line.
    pub title: &'static str,
    /// What happens and why, for people.
    pub story: &'static str,
    /// Whose memory.
    pub role: Role,
    /// The settings with which it happens, over those that every cluster has.
    pub settings: fn(&Site<'_>) -> Settings,
    /// What cures it, as the scenario itself knows; `loop` takes what diagnose proposes.
    pub cure: fn(&Site<'_>) -> Settings,
    /// The job, in SQL.
    pub job: fn(&Site<'_>) -> String,
    /// Subtasks of each operator.
    pub parallelism: u32,
    /// What bounds the process.
    pub fence: Fence,
    /// The size of a directory in memory that it is given.
    pub tmpfs: Option<Bytes>,
    /// Whether its job fails and starts again all the time, and `oomph record` looks on: nothing else that is left of such a
    /// death tells what restarts leave behind.
    pub restarts: bool,
    /// What the job has in Python: then it needs PyFlink.
    pub python: Option<Module>,
    /// How it ends.
    pub end: End,
    /// Who `diagnose` may say ended it.
    pub killers: &'static [Killer],
    /// What it may say had filled the memory.
    pub areas: &'static [Area],
    /// The causes that it may name; any where there are none.
    pub causes: &'static [&'static str],
    /// The failing run has at most so long, from the submission of its job.
    pub seconds: u64,
    /// Seconds that both runs take together on two cores, the starts of their clusters included.
    pub usual_seconds: u64,
    /// Memory that all of its processes take at most.
    pub memory: Bytes,
    /// What it writes at most.
    pub disk: Bytes,
}

/// What one run showed.
#[derive(Clone, Debug)]
pub struct Seen {
    /// As every run on Flink is told of.
    pub half: Half,
    /// What the job was at the end: `RUNNING`, `FAILED`; nothing where there was none.
    pub state: Option<String>,
}

/// A cured run lasts so many times as long as the failing one did.
const TIMES: u64 = 2;

/// ... and no less than this, in seconds: a job that starts at all may still fail soon.
const AT_LEAST: u64 = 20;

/// A process or job that does not start has started once this many seconds are over.
const STARTED: u64 = 15;

impl Failure {
    /// The settings of the failing run: the failure's over those that every cluster has.
    pub fn settings_at(&self, site: &Site<'_>) -> Settings {
        self.settings_over((self.settings)(site))
    }

    /// The same with others in place of the failure's.
    pub fn settings_over(&self, own: Settings) -> Settings {
        let mut all = settings(&[
            ("jobmanager.memory.process.size", "1024m"),
            // The job's figures are asked for each second.
            ("metrics.fetcher.update-interval", "1000"),
        ]);
        if own.keys().any(|key| key.starts_with("jobmanager.memory.") || key.starts_with("jobmanager.heap.")) {
            all.remove("jobmanager.memory.process.size");
        }
        all.extend(own);
        all
    }

    /// Whether what cures it is no key of the configuration but something outside of Flink.
    pub fn is_of_the_platform(&self) -> bool {
        matches!(self.fence, Fence::Threads(_))
    }

    /// Whether it is no death of memory: nothing is to be cured.
    pub fn is_negative(&self) -> bool {
        matches!(self.end, End::EndedFromOutside | End::Lives)
    }

    /// How long the cured run lasts, in seconds.
    pub fn cured_seconds(&self, failing_millis: u64) -> u64 {
        match self.end {
            End::DoesNotStart => STARTED,
            _ => (failing_millis.div_ceil(1000) * TIMES).max(AT_LEAST),
        }
    }

    /// What has to happen, a sentence each.
    pub fn states(&self) -> Vec<String> {
        let first = [self.end.says().to_owned(), self.is_explained_by()];
        let last = match self.is_negative() {
            true => "diagnose proposes no more memory".to_owned(),
            false => self.lives_by().to_owned(),
        };
        first.into_iter().chain([last]).collect()
    }

    fn is_explained_by(&self) -> String {
        let killers: Vec<&str> = self.killers.iter().map(|killer| killer.name()).collect();
        let areas: Vec<String> = self.areas.iter().map(ToString::to_string).collect();
        let causes = match self.causes {
            [] => String::new(),
            causes => format!("{}: ", causes.join(" or ")),
        };
        match self.is_negative() {
            true => format!("diagnose says that it was not memory ({})", killers.join(" or ")),
            false => format!("diagnose says {causes}{}, {}", killers.join(" or "), areas.join(" or ")),
        }
    }

    fn lives_by(&self) -> &'static str {
        match self.end {
            End::DoesNotStart => "with the change it starts and works",
            _ => "with the change it works at least twice as long, or does all that it is to do",
        }
    }

    /// Whether the failing run did what it states.
    pub fn failed(&self, seen: &Seen) -> Statement {
        let half = &seen.half;
        let job_failed = seen.state.as_deref() == Some("FAILED");
        let held = match self.end {
            End::Killed => half.ending.is_death_of_memory(),
            End::DoesNotStart => (half.died() && seen.state.is_none()) || job_failed,
            End::Fails => {
                let is_done = seen.state.as_deref() == Some("FINISHED");
                let stuck = half.heap_is_exhausted() || half.marks.out_of_memory.is_some();
                half.died() || job_failed || (stuck && !is_done)
            }
            End::EndedFromOutside => half.died(),
            End::Lives => !half.died() && !job_failed && matches!(half.ending, Ending::Finished | Ending::OutOfTime),
        };
        let says = self.end.says();
        Statement { says: says.to_owned(), held, measured: self.in_words(seen) }
    }

    /// Whether `diagnose` said of it what is true.
    pub fn explained(&self, verdict: Option<&Verdict>) -> Statement {
        let says = self.is_explained_by();
        let held = verdict.is_some_and(|verdict| {
            let is_area = self.areas.iter().any(|area| area.to_string() == verdict.area);
            let is_cause =
                self.causes.is_empty() || self.causes.iter().any(|code| verdict.code.as_deref() == Some(code));
            let is_killer = self.killers.iter().any(|killer| killer.name() == verdict.killer);
            is_killer && is_cause && (self.is_negative() || is_area)
        });
        let measured = verdict.map_or_else(
            || "nothing was said".to_owned(),
            |verdict| {
                let code = verdict.code.as_deref().map_or_else(String::new, |code| format!("{code}: "));
                format!("{code}{}, {} ({} confidence)", verdict.killer, verdict.area, verdict.confidence)
            },
        );
        Statement { says, held, measured }
    }

    /// Whether the cured run lived, and long enough.
    pub fn cured(&self, failing: &Seen, cured: &Seen) -> Statement {
        let half = &cured.half;
        let lived = !half.died() && !half.heap_is_exhausted() && half.marks.out_of_memory.is_none();
        let is_done = cured.state.as_deref() == Some("FINISHED");
        let is_between = self.restarts && cured.state.as_deref() == Some("RESTARTING");
        let works = is_done || is_between || cured.state.as_deref() == Some("RUNNING");
        let wanted = self.cured_seconds(failing.half.millis) * 1000;
        Statement {
            says: self.lives_by().to_owned(),
            held: lived && works && (is_done || half.millis >= wanted),
            measured: self.in_words(cured),
        }
    }

    fn in_words(&self, seen: &Seen) -> String {
        let half = &seen.half;
        let state = match &seen.state {
            Some(state) => format!("; job {state}"),
            None => String::new(),
        };
        let peak = half.moments.iter().map(|moment| moment.resident).max();
        let resident = peak.map_or_else(String::new, |peak| format!("; {} resident at most", mib(peak)));
        format!("{}{state}{resident}", half.end_in_words())
    }
}

/// Settings out of pairs.
pub fn settings(pairs: &[(&str, &str)]) -> Settings {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

#[cfg(test)]
mod tests;
