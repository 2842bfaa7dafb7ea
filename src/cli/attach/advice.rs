//! What to change for what a process really uses: of its configuration file where one is given, else of what its command
//! line says.

use super::budget;
use super::look::LookArgs;
use crate::cli::used;
use crate::diagnose::examination::Examination;
use crate::diagnose::over_time::OverTime;
use crate::model::{Seen, Unseen};
use crate::plan::jvm::Machine;
use crate::probe::target::Target;
use crate::recommend::from_use::{self, Advice};

/// Sizes from use, each proved by planning it.
pub(super) fn of(
    target: &Target,
    examination: &Examination,
    before: Option<&OverTime>,
    args: &LookArgs,
) -> Seen<Advice> {
    let planned = examination.planned.as_ref().map_err(Clone::clone)?;
    let machine = Machine::default();
    let sheet = match args.conf() {
        Some(conf) => budget::sheet_of_configuration(conf, target, planned)?,
        None => budget::sheet_of_command(target, examination.sample.command(), machine)?,
    };
    let used = used::of(examination, before);
    let advice = from_use::advise(&sheet.config, sheet.choice.profile, &sheet.question, machine, &used);
    advice.map_err(|rejected| Unseen::because(format!("Flink refuses the configuration: {}", rejected.rejection)))
}
