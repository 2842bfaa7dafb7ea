//! A recording among what is left: judged as `attach --recording` judges it, and told as evidence.

use std::path::Path;

use crate::cli::attach::over_time::recall;
use crate::diagnose::postmortem::recorded;
use crate::diagnose::postmortem::signal::Signal;
use crate::probe::recording::bytes;
use crate::report::diagnose::Input;

/// What it says, and what it is among the inputs; else why it says nothing.
pub fn read(number: usize, path: &Path) -> Result<(Input, Vec<Signal>), String> {
    let (recalled, read) = recall(path).map_err(|error| error.to_string())?;
    let recalled = recalled.ok_or_else(|| "it holds no look at a process".to_owned())?;
    let signals = recorded::signals(number, &recalled);
    let input = Input {
        name: path.display().to_string(),
        bytes: bytes(path),
        left_out: read.left_out(),
        signals: signals.len(),
        is_configuration: false,
    };
    Ok((input, signals))
}
