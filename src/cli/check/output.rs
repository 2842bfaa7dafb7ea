//! Where findings go: standard output in one format, and files in others.

use std::fs::File;
use std::io::{self, BufWriter, Write};

use anyhow::Context;
use clap::ValueEnum;

use super::given::Given;
use super::work::Done;
use super::{CheckArgs, Format};
use crate::report::check::{Sink, Totals, sink};

/// Every output with its format.
pub struct Outputs {
    all: Vec<Output>,
    totals: Totals,
    diff_only: bool,
}

struct Output {
    name: String,
    sink: Box<dyn Sink>,
    out: Box<dyn Write>,
}

/// The width of a text that goes to a file.
const FILE_WIDTH: usize = 100;

impl Outputs {
    /// Opens the files; what is wrong is one line.
    pub fn open(args: &CheckArgs, given: &Given) -> Result<Outputs, String> {
        let out: Box<dyn Write> = match args.format {
            // Only this one has colours to take out.
            Format::Text => Box::new(BufWriter::new(anstream::AutoStream::auto(io::stdout()))),
            _ => Box::new(BufWriter::new(io::stdout())),
        };
        let name = "standard output".to_owned();
        let mut all = vec![Output { name, sink: sink(args.format.format(), given.width), out }];
        if args.write_baseline.is_some() {
            // What is known from now on is not reported.
            all.clear();
        }
        for text in &args.output {
            let Some((format, path)) = text.split_once('=') else {
                return Err(format!("--output {text}: write FORMAT=FILE, such as sarif=oomph.sarif"));
            };
            let format = Format::from_str(format, true).map_err(|_| {
                let names: Vec<String> = Format::value_variants()
                    .iter()
                    .filter_map(|format| Some(format.to_possible_value()?.get_name().to_owned()))
                    .collect();
                format!("--output {text}: {format} is no format; there are {}", names.join(", "))
            })?;
            let file =
                File::create(path).map_err(|error| format!("--output {text}: could not write {path}: {error}"))?;
            let out: Box<dyn Write> = Box::new(BufWriter::new(anstream::StripStream::new(file)));
            all.push(Output { name: path.to_owned(), sink: sink(format.format(), FILE_WIDTH), out });
        }
        Ok(Outputs { all, totals: Totals::default(), diff_only: given.mend.diff })
    }

    /// One more file.
    pub fn entry(&mut self, done: &Done) -> io::Result<()> {
        for message in &done.messages {
            anstream::eprintln!("{message}");
        }
        if self.diff_only {
            let mut out = io::stdout().lock();
            return out.write_all(done.diff.as_bytes());
        }
        if let Some(entry) = &done.entry {
            self.totals.add(entry);
            for output in &mut self.all {
                output.sink.entry(entry, &mut output.out)?;
            }
        }
        Ok(())
    }

    /// The end of all files.
    pub fn done(mut self, result: io::Result<()>) -> anyhow::Result<()> {
        result.context("could not print the findings")?;
        if self.diff_only {
            return Ok(());
        }
        for Output { name, sink, out } in &mut self.all {
            let written = sink.finish(&self.totals, out).and_then(|()| out.flush());
            written.with_context(|| format!("could not write {name}"))?;
        }
        Ok(())
    }
}
