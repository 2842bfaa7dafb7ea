//! `oomph repro compare`.

use std::fs;
use std::io::Write;
use std::path::Path;

use super::results::refused;
use crate::cli::Exit;
use crate::cli::attach::over_time;
use crate::cli::plan::width;
use crate::report::repro as report;
use crate::repro::compare::{self, Side};

/// `oomph repro compare`.
pub fn compare(a: &Path, b: &Path, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let sides = match (sides(a), sides(b)) {
        (Ok(a), Ok(b)) => (a, b),
        (Err(error), _) | (_, Err(error)) => return Ok(refused(&error)),
    };
    let comparison = compare::compare(&sides.0, &sides.1);
    let names = (a.display().to_string(), b.display().to_string());
    write!(out, "{}", report::compare::page(&comparison, (&names.0, &names.1), width()))?;
    Ok(Exit::Clean)
}

/// What a file holds: a result as JSON, or a recording.
fn sides(path: &Path) -> Result<Vec<Side>, String> {
    let bytes = fs::read(path).map_err(|error| format!("could not read {}: {error}", path.display()))?;
    if bytes.trim_ascii_start().starts_with(b"{\n") || bytes.trim_ascii_start().starts_with(b"{ ") {
        let text = String::from_utf8_lossy(&bytes);
        let document =
            report::json::read(&text).map_err(|error| format!("could not read {}: {error}", path.display()))?;
        return Ok(document.sides());
    }
    match over_time::recall(path) {
        Ok((Some(recalled), _)) => Ok(vec![Side::of_recording(&recalled)]),
        Ok((None, _)) => Err(format!("could not compare {}: there is no look in it", path.display())),
        Err(error) => {
            Err(format!("could not read {}: no result of oomph repro, and as a recording: {error}", path.display()))
        }
    }
}
