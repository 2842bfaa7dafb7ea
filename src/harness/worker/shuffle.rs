//! Writing as a blocking shuffle writes: files one after another, each read once when it is whole. The bytes lie in the
//! page cache, which the kernel charges to the group.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{Advice, fadvise};

use crate::model::{Bytes, Shuffle};
use crate::repro::stream::Material;

use super::gauge::Gauge;

/// Bytes of one write: Flink's buffers are written some at a time.
const PIECE: usize = 256 << 10;

/// Writes and reads until everything is written.
pub fn run(shuffle: &Shuffle, directory: &Path, gauge: &Gauge, stop: &AtomicBool) -> Result<(), String> {
    let directory = directory.join("shuffle");
    let failed =
        |what: &str, error: &dyn std::fmt::Display| format!("could not {what} {}: {error}", directory.display());
    fs::create_dir_all(&directory).map_err(|error| failed("make", &error))?;
    gauge.enter("shuffle");
    let piece = Material::new(1).piece(PIECE);
    let began = Instant::now();
    let mut written = 0_u64;
    let mut number = 0;
    while written < shuffle.bytes.get() && !stop.load(Ordering::Relaxed) {
        let path = directory.join(format!("{number}.shuffle"));
        number += 1;
        let mut file = File::create(&path).map_err(|error| failed("write in", &error))?;
        let mut of_file = 0;
        while of_file < shuffle.file.get() && written < shuffle.bytes.get() && !stop.load(Ordering::Relaxed) {
            let left = (shuffle.file.get() - of_file).min(shuffle.bytes.get() - written).min(PIECE as u64);
            let bytes = piece.get(..left as usize).unwrap_or(&piece);
            file.write_all(bytes).map_err(|error| failed("write in", &error))?;
            of_file += left;
            written += left;
            gauge.records.store(written, Ordering::Relaxed);
            gauge.written.store(written, Ordering::Relaxed);
            gauge.operations.fetch_add(1, Ordering::Relaxed);
            if shuffle.written_back {
                give_back(&file).map_err(|error| failed("write back in", &error))?;
            }
            pace(shuffle.rate, written, began);
        }
        if !shuffle.written_back {
            read(&path, stop).map_err(|error| failed("read in", &error))?;
        }
    }
    Ok(())
}

/// Has everything written so far written to the disk, and its pages given up.
fn give_back(file: &File) -> std::io::Result<()> {
    file.sync_data()?;
    fadvise(file, 0, None, Advice::DontNeed)?;
    Ok(())
}

fn read(path: &Path, stop: &AtomicBool) -> std::io::Result<()> {
    let mut file = File::open(path)?;
    let mut buffer = vec![0; PIECE];
    while !stop.load(Ordering::Relaxed) && file.read(&mut buffer)? > 0 {}
    Ok(())
}

/// Sleeps until so many bytes are due.
fn pace(rate: Option<Bytes>, written: u64, began: Instant) {
    let Some(rate) = rate else { return };
    let due = Duration::from_millis(written.saturating_mul(1000) / rate.get().max(1));
    if let Some(early) = due.checked_sub(began.elapsed()) {
        thread::sleep(early);
    }
}
