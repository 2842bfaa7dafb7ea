//! `oomph record`: look at a process again and again, and write down what was seen.

mod jobs;

use std::path::PathBuf;
use std::time::Instant;

use anyhow::Context;
use clap::Args;
use jiff::{SignedDuration, Timestamp};

use super::Exit;
use super::attach::look::{self, LookArgs};
use super::attach::targets::process_id;
use super::attach::{interval, sleep_until};
use crate::artefact::recording::{Event, Header};
use crate::diagnose::examination::Examination;
use crate::diagnose::recalled;
use crate::model::{Bytes, Limit, Seen, Unseen};
use crate::probe::recording::{Outcome, RecordError, Recorder, Rotation};
use crate::probe::root::Root;
use crate::probe::target::{self, Target};

const EXAMPLES: &str = "\
Examples, each with what it answers:
  oomph record 4711 -o tm.rec
      what a TaskManager does until it ends, or is killed
  oomph record 4711 -o tm.rec --interval 1s --for 10m
      the same closely for ten minutes
  oomph record 4711 -o tm.rec --resume
      go on after the recorder was ended
  oomph attach --recording tm.rec
      what the recording says

Ctrl-C ends it; what is written is whole up to the last look, however the
recorder or the process ends.

Exit codes:
  0  the process has ended, or the time is over
  2  the command line is wrong
  3  the recording could not be written
  4  the process is gone or refuses to be looked at";

/// Write down what a process uses, look by look, within a bounded part of the disk.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct RecordArgs {
    /// The process.
    #[arg(value_name = "PID", value_parser = process_id)]
    pid: u32,

    /// The recording. A file that is there is never written over.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,

    /// The time between two looks.
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = interval)]
    interval: SignedDuration,

    /// End after this time.
    #[arg(long = "for", value_name = "TIME", value_parser = interval)]
    duration: Option<SignedDuration>,

    /// Begin a new part when this one would become larger.
    #[arg(long, value_name = "SIZE", default_value = "64MiB", value_parser = size)]
    max_size: Bytes,

    /// How many older parts stay, as FILE.1, FILE.2 and so on.
    #[arg(long, value_name = "PARTS", default_value_t = 3, value_parser = clap::value_parser!(u32).range(..=99))]
    keep: u32,

    /// Go on with a recording of the same process.
    #[arg(long)]
    resume: bool,

    /// The time between two looks at malloc's chunks and RocksDB's files, which cost most.
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = interval)]
    heap_walk_every: SignedDuration,

    #[command(flatten)]
    look: LookArgs,
}

/// A size such as `64MiB`, `64M` or `67108864`.
fn size(text: &str) -> Result<Bytes, String> {
    let short = ["iB", "ib", "B", "b"].into_iter().find_map(|end| text.strip_suffix(end)).unwrap_or(text);
    Bytes::parse_jvm(short).map_err(|_| "give a size such as 64MiB".to_owned())
}

/// Runs the verb.
pub fn run(args: &RecordArgs) -> anyhow::Result<Exit> {
    let root = Root::live();
    let mut watched = match target::of_pid(&root, args.pid) {
        Ok(target) => Watched { root, target, args, planned: None, walked: None },
        Err(unseen) => return Ok(refused(args.pid, &unseen)),
    };
    let first = match watched.look() {
        Ok(first) => first,
        Err(unseen) => return Ok(refused(args.pid, &unseen)),
    };
    let mut recorder = match begin(args, &watched.root, &first) {
        Ok(recorder) => recorder,
        Err(error) => {
            anstream::eprintln!("error: could not {error}");
            return Ok(Exit::Input);
        }
    };
    let file = args.output.display();
    anstream::eprintln!(
        "recording {} to {file} every {:#}; oomph attach --recording {file} reads it",
        args.pid,
        args.interval
    );
    follow(&mut watched, &mut recorder, first)
}

fn refused(pid: u32, unseen: &Unseen) -> Exit {
    anstream::eprintln!("error: could not look at process {pid}: {unseen}");
    Exit::Target
}

/// Opens the recording, new or old.
fn begin(args: &RecordArgs, root: &Root, first: &Examination) -> Result<Recorder, RecordError> {
    let header = header(root, first);
    let rotation = Some(Rotation::new(args.max_size.get(), args.keep));
    match args.resume {
        true => Recorder::resume(&args.output, &header, first.sample.at, rotation),
        false => Recorder::create(&args.output, &header, rotation),
    }
}

fn header(root: &Root, first: &Examination) -> Header {
    let boot = root.read("/proc/sys/kernel/random/boot_id").ok();
    recalled::header(first, boot.map(|id| String::from_utf8_lossy(&id).trim().to_owned()))
}

/// The process, and what is kept from look to look.
struct Watched<'a> {
    root: Root,
    target: Target,
    args: &'a RecordArgs,
    planned: Option<Seen<Box<crate::plan::Survey>>>,
    /// When everything was looked into last.
    walked: Option<Instant>,
}

impl Watched<'_> {
    fn look(&mut self) -> Seen<Examination> {
        let now = Instant::now();
        let every = self.args.heap_walk_every.unsigned_abs();
        let is_due = self.walked.is_none_or(|walked| now.duration_since(walked) >= every);
        if is_due {
            self.walked = Some(now);
            return look::examine_again(&self.root, &self.target, &self.args.look, &mut self.planned);
        }
        look::examine_again(&self.root, &self.target, &self.args.look.brief(), &mut self.planned)
    }

    /// Whether the process that is recorded is there.
    fn is_there(&self) -> bool {
        target::of_pid(&self.root, self.target.pid).is_ok_and(|now| now.started == self.target.started)
    }
}

/// Looks until the process ends or the time is over.
fn follow(watched: &mut Watched<'_>, recorder: &mut Recorder, first: Examination) -> anyhow::Result<Exit> {
    let began = Instant::now();
    let mut next = began;
    let mut looked: Seen<Examination> = Ok(first);
    let mut jobs = jobs::Jobs::default();
    let mut limited: Option<Limit> = None;
    let mut trouble: Option<String> = None;
    loop {
        match looked {
            Ok(examination) => {
                let at = examination.sample.at;
                if let Ok(now) = examination.limit() {
                    if limited.is_some_and(|before| before != now) {
                        tell(recorder.event(at, &Event::Limit(now)));
                    }
                    limited = Some(now);
                }
                if let Some(Ok(listed)) = examination.sample.rest.as_ref().ok().map(|rest| &rest.jobs) {
                    jobs.changes(listed).iter().for_each(|event| tell(recorder.event(at, event)));
                }
                tell(recorder.append(&examination.observations));
                trouble = None;
            }
            Err(unseen) if watched.is_there() => {
                let why = unseen.to_string();
                if trouble.as_ref() != Some(&why) {
                    tell(recorder.event(Timestamp::now(), &Event::Note(format!("could not be looked at: {why}"))));
                }
                trouble = Some(why);
            }
            Err(unseen) => {
                tell(recorder.event(Timestamp::now(), &Event::Gone { why: unseen.to_string() }));
                anstream::eprintln!("process {} is gone: {unseen}", watched.target.pid);
                return Ok(Exit::Clean);
            }
        }
        if watched.args.duration.is_some_and(|most| began.elapsed() >= most.unsigned_abs()) {
            let stopped = recorder.event(Timestamp::now(), &Event::Stopped);
            return match stopped {
                Outcome::Written => Ok(Exit::Clean),
                Outcome::Trouble(error) => Err(error).context("could not write the recording"),
                Outcome::StillInTrouble => Ok(Exit::Input),
            };
        }
        next = sleep_until(next, watched.args.interval);
        looked = watched.look();
    }
}

/// Says once that writing fails; the recorder goes on, and notes the loss when writing works again.
fn tell(outcome: Outcome) {
    if let Outcome::Trouble(error) = outcome {
        anstream::eprintln!("warning: the recording cannot be written, looks are lost until it can: {error}");
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("64MiB", 64 << 20)]
    #[case("64M", 64 << 20)]
    #[case("1g", 1 << 30)]
    #[case("65536", 65536)]
    #[case("65536B", 65536)]
    fn sizes_are_read_as_people_write_them(#[case] text: &str, #[case] bytes: u64) {
        assert_eq!(size(text).unwrap(), Bytes::new(bytes));
    }

    #[test]
    fn what_is_no_size_or_no_time_is_refused() {
        assert!(size("many").is_err() && size("").is_err() && interval("10").is_err() && interval("0s").is_err());
    }
}
