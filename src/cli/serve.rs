//! `oomph serve`: the metrics of processes over HTTP, looked at anew when they are asked for.

mod http;

use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Args;

use super::Exit;
use super::attach::look::{self, LookArgs};
use super::attach::targets::process_id;
use crate::diagnose::examination::Examination;
use crate::probe::root::Root;
use crate::probe::target::{self, Target};
use crate::report::attach::openmetrics::{self, Scrape};

const EXAMPLES: &str = "\
Examples, each with what it answers:
  oomph serve 4711
      http://127.0.0.1:9749/metrics, for Prometheus on this machine
  oomph serve --all --every 1m
      of every Flink process here, looked at once in a minute at most
  oomph serve 4711 --listen 10.0.0.7:9749
      for others, who then can read all of it

Nothing is looked at until somebody asks. Ctrl-C ends it.

Exit codes:
  2  the command line is wrong
  3  nothing can listen at the address
  4  a process is not there";

/// Answer the metrics of running processes on http://127.0.0.1:9749/metrics, for Prometheus.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ServeArgs {
    /// Process ids.
    #[arg(value_name = "PID", value_parser = process_id)]
    pids: Vec<u32>,

    /// Every Flink process of this machine, also those that start later.
    #[arg(long, conflicts_with = "pids")]
    all: bool,

    /// Where to listen. What is answered there names processes and their sizes to anybody who asks.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:9749")]
    listen: SocketAddr,

    /// How old an answer may be: who asks again before gets the same one.
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = every)]
    every: Duration,

    #[command(flatten)]
    look: LookArgs,
}

/// So many are answered at once; who comes then is turned away.
const MOST_CLIENTS: usize = 16;

fn every(text: &str) -> Result<Duration, String> {
    let usage = || format!("{text} is no time such as 10s or 1m");
    let asked: jiff::SignedDuration = text.parse().map_err(|_| usage())?;
    Duration::try_from(asked).map_err(|_| usage())
}

/// Runs the verb.
pub fn run(args: ServeArgs) -> anyhow::Result<Exit> {
    if args.pids.is_empty() && !args.all {
        anstream::eprintln!(
            "error: no process: give its id, or --all for every Flink process of this machine (see oomph serve --help)"
        );
        return Ok(Exit::Usage);
    }
    let root = Root::live();
    let mut targets = Vec::new();
    for pid in &args.pids {
        match target::of_pid(&root, *pid) {
            Ok(target) => targets.push(target),
            Err(unseen) => return Ok(super::attach::gone(*pid, &unseen)),
        }
    }
    let listener = TcpListener::bind(args.listen).with_context(|| format!("could not listen on {}", args.listen))?;
    let at = listener.local_addr().context("could not listen")?;
    anstream::eprintln!("listening on http://{at}/metrics");
    if !at.ip().is_loopback() {
        anstream::eprintln!("warning: {at} is no loopback address: whoever reaches it can read names and sizes");
    }
    let served = Arc::new(Served { root, targets, args, last: Mutex::new(None) });
    let clients = Arc::new(AtomicUsize::new(0));
    for client in listener.incoming() {
        let Ok(client) = client else {
            // No file descriptor is left, or the client has gone: the next may have more luck.
            thread::sleep(Duration::from_millis(50));
            continue;
        };
        if clients.fetch_add(1, Ordering::SeqCst) >= MOST_CLIENTS {
            clients.fetch_sub(1, Ordering::SeqCst);
            continue;
        }
        let (served, counted) = (Arc::clone(&served), Arc::clone(&clients));
        let started = thread::Builder::new().spawn(move || {
            http::answer(client, || served.text());
            counted.fetch_sub(1, Ordering::SeqCst);
        });
        if started.is_err() {
            clients.fetch_sub(1, Ordering::SeqCst);
        }
    }
    Ok(Exit::Clean)
}

/// What is served, with the last answer.
struct Served {
    root: Root,
    targets: Vec<Target>,
    args: ServeArgs,
    last: Mutex<Option<(Instant, Arc<str>)>>,
}

impl Served {
    /// The metrics; looks where the last answer is too old. Others who ask meanwhile wait for it.
    fn text(&self) -> Arc<str> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, text)) = &*last
            && at.elapsed() < self.args.every
        {
            return Arc::clone(text);
        }
        let began = Instant::now();
        let text: Arc<str> = Arc::from(self.look());
        *last = Some((began, Arc::clone(&text)));
        text
    }

    fn look(&self) -> String {
        let found = if self.args.all { target::all(&self.root) } else { self.targets.clone() };
        let mut seen: Vec<Examination> = Vec::new();
        let mut gone = Vec::new();
        for target in &found {
            match look::examine(&self.root, target, &self.args.look) {
                Ok(examination) => seen.push(examination),
                // One that ended between the listing and the look was not asked for by name.
                Err(_) if self.args.all => {}
                Err(_) => gone.push(target.pid),
            }
        }
        openmetrics::text(&Scrape { processes: seen.iter().collect(), gone })
    }
}
