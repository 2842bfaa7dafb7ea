//! A recording among what is left: judged as `attach --recording` judges it, and told as evidence.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::artefact::recording::begins_like_one;
use crate::cli::attach::over_time::recall;
use crate::diagnose::postmortem::recorded;
use crate::diagnose::postmortem::signal::Signal;
use crate::report::diagnose::Input;

/// So many bytes tell.
const HEAD: u64 = 64;

/// Whether a file is a recording. What cannot be read is none: it is said with the others.
pub fn is_recording(path: &Path) -> bool {
    let mut head = Vec::new();
    // A pipe would lose what is looked at.
    path.is_file()
        && File::open(path).and_then(|file| file.take(HEAD).read_to_end(&mut head)).is_ok()
        && !head.is_empty()
        && begins_like_one(&head)
}

/// What it says, and what it is among the inputs; else why it says nothing.
pub fn read(number: usize, path: &Path) -> Result<(Input, Vec<Signal>), String> {
    let (recalled, read) = recall(path).map_err(|error| error.to_string())?;
    let recalled = recalled.ok_or_else(|| "it holds no look at a process".to_owned())?;
    let signals = recorded::signals(number, &recalled);
    let mut left_out = Vec::new();
    if read.missing_parts > 0 {
        left_out.push(format!("its first parts are gone: {}", read.missing_parts));
    }
    left_out.extend(read.strangers.iter().map(|name| format!("{name} is another recording")));
    let input = Input {
        name: path.display().to_string(),
        bytes: path.metadata().map_or(0, |metadata| metadata.len()),
        left_out,
        signals: signals.len(),
        is_configuration: false,
    };
    Ok((input, signals))
}
