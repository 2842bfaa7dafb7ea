//! `oomph capture`: a bundle of one process for a support ticket.

use std::io::{self, IsTerminal};
use std::path::Path;

use clap::Args;

use super::Exit;
use super::attach::targets::process_id;
use crate::artefact::masking::Masker;
use crate::flink::sensitive;
use crate::probe::capture::{self, Absent, Bundle, Shape};
use crate::probe::root::Root;

const EXAMPLES: &str = "\
Examples, each with what it does:
  oomph capture 4711 -o tm.tar.gz
      what the kernel and the JVM say of process 4711, secrets masked
  kubectl exec tm-1 -- oomph capture 1 -o - > tm.tar.gz
      a TaskManager in its container, into a file outside
  oomph capture 4711 -o tm.tar.gz --rocksdb
      with the logs and options of its databases
  oomph capture 4711 -o tm/
      as a directory

What is in a bundle, and what never is: docs/capture.md

Exit codes:
  0  written; a note says what is lacking
  2  the command line is wrong
  3  the bundle could not be written
  4  there is no such process, or nothing of it may be read";

/// Write what is known of a process into a file for a support ticket.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct CaptureArgs {
    /// The process.
    #[arg(value_name = "PID", value_parser = process_id)]
    pid: u32,

    /// What to write: .tar.gz, .tar, or a directory with a / at its end; - is standard output. Nothing is overwritten.
    #[arg(short, long, value_name = "FILE")]
    output: String,

    /// Write a directory, whatever its name.
    #[arg(long)]
    directory: bool,

    /// With the logs and the options of its RocksDB databases, and the sizes of their files.
    #[arg(long)]
    rocksdb: bool,
}

/// Runs the verb.
pub fn run(args: &CaptureArgs) -> anyhow::Result<Exit> {
    let to_stdout = args.output == "-";
    let shape = if args.directory { Shape::Directory } else { Shape::of(&args.output) };
    if let Some(wrong) = wrong(args, to_stdout) {
        anstream::eprintln!("error: {wrong}");
        return Ok(Exit::Usage);
    }
    // The slash says that it is to be a directory, whatever is there.
    let name = args.output.trim_end_matches('/');
    let path = Path::new(if name.is_empty() { "/" } else { name });
    // Before a process is read for nothing.
    if !to_stdout && std::fs::symlink_metadata(path).is_ok() {
        anstream::eprintln!("error: {}", capture::NotWritten::Exists(path.to_owned()));
        return Ok(Exit::Input);
    }
    let masker = Masker::new(&sensitive::is_sensitive);
    let bundle = match capture::take(&Root::live(), args.pid, &masker, args.rocksdb) {
        Ok(bundle) => bundle,
        Err(unseen) => {
            anstream::eprintln!("error: {unseen}");
            return Ok(Exit::Target);
        }
    };
    if to_stdout {
        bundle.write(&mut io::stdout().lock(), Shape::TarGz)?;
    } else if let Err(error) = bundle.save(path, shape) {
        anstream::eprintln!("error: {error}");
        return Ok(Exit::Input);
    }
    for lacking in bundle.lacking() {
        anstream::eprintln!("note: {}", shown(lacking));
    }
    anstream::eprintln!("{}", summary(args, &bundle));
    Ok(Exit::Clean)
}

fn wrong(args: &CaptureArgs, to_stdout: bool) -> Option<&'static str> {
    if to_stdout && args.directory {
        return Some("a directory cannot be written to standard output");
    }
    if to_stdout && io::stdout().is_terminal() {
        return Some("a bundle is no text: send standard output to a file, or name one with -o");
    }
    args.output.is_empty().then_some("the name of the output is empty")
}

fn shown(absent: &Absent) -> String {
    let unseen = absent.unseen();
    // The reason names the file where there is one.
    if unseen.why.starts_with(&absent.what) {
        format!("not in the bundle: {unseen}")
    } else {
        format!("not in the bundle: {}: {unseen}", absent.what)
    }
}

fn summary(args: &CaptureArgs, bundle: &Bundle) -> String {
    let bytes: u64 = bundle.manifest.files.iter().map(|file| file.bytes).sum();
    let masked = match bundle.masked() {
        0 => "no secret was found in it".to_owned(),
        1 => "1 value in it is masked".to_owned(),
        several => format!("{several} values in it are masked"),
    };
    let name = if args.output == "-" { "standard output" } else { args.output.as_str() };
    format!("wrote process {} to {name}: {} files, {} KiB; {masked}", args.pid, bundle.len(), bytes.div_ceil(1024))
}
