//! What it costs to ask a JVM through its socket: for `scripts/bench-jvm-attach`, which says what is judged.
//!
//! `jvm_attach_cost PID TIMES` opens the socket, with a handshake where there is none, asks for `VM.native_memory summary`
//! that many times, reads the performance data as often, and prints a line of JSON; times are in microseconds.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use oomph::model::Unseen;
use oomph::probe::hsperf::Located;
use oomph::probe::jvm_attach::{Attached, Command, Handshake, PATIENCE};
use oomph::probe::root::Root;

fn main() -> ExitCode {
    let numbers: Vec<u32> = std::env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    let [pid, times] = numbers.as_slice() else {
        eprintln!("usage: jvm_attach_cost PID TIMES");
        return ExitCode::from(2);
    };
    match measured(*pid, *times) {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(unseen) => {
            eprintln!("{unseen}");
            ExitCode::FAILURE
        }
    }
}

fn measured(pid: u32, times: u32) -> Result<String, Unseen> {
    let root = Root::live();
    let (located, locate) = timed(|| Located::of(&root, pid));
    let located = located?;
    let (attached, open) = timed(|| Attached::open(&root, pid, Handshake::Allowed, PATIENCE));
    let attached = attached?;
    let before = located.read()?.safepoints;
    let (mut asks, mut reads) = (Vec::new(), Vec::new());
    for _ in 0..times {
        let (reply, took) = timed(|| attached.ask(Command::NativeMemorySummary));
        reply?;
        asks.push(took.as_micros());
        let (perf, took) = timed(|| located.read());
        perf?;
        reads.push(took.as_micros());
    }
    let after = located.read()?.safepoints;
    let handshake = attached.handshake.map_or_else(|| "null".to_owned(), |took| took.as_micros().to_string());
    let safepoints =
        before.zip(after).map_or_else(|| "null".to_owned(), |(before, after)| (after - before).to_string());
    Ok(format!(
        "{{\"locate\": {}, \"open\": {}, \"handshake\": {handshake}, \"safepoints\": {safepoints}, \"asks\": {asks:?}, \
         \"reads\": {reads:?}}}",
        locate.as_micros(),
        open.as_micros(),
    ))
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let began = Instant::now();
    let done = work();
    (done, began.elapsed())
}
