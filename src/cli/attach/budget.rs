//! The budget of a running process, out of its own command line: exact, without its configuration and without REST.

use std::sync::Arc;

use crate::cli::plan::gather::{Asked, Request};
use crate::config::load::{self, Input, TextInput};
use crate::config::template::Templates;
use crate::model::{Seen, Source, Unseen};
use crate::plan::Survey;
use crate::plan::jvm::Machine;
use crate::probe::target::Target;

/// Plans a process as its command line says it was started.
pub fn of_command(target: &Target, words: &[String], machine: Machine) -> Seen<Box<Survey>> {
    let Some(flink) = &target.flink else {
        return Err(Unseen::because(format!("{} is not Flink's, so it has no budget", target.program)));
    };
    let path = format!("/proc/{}/cmdline", target.pid);
    // A word with a blank in it would be two; what is in it is no memory option.
    let text = words.iter().filter(|word| !word.contains(char::is_whitespace)).cloned().collect::<Vec<_>>().join(" ");
    let input = TextInput {
        source: Source::File(Arc::from(path.as_str())),
        text,
        kind_by_name: None,
        distribution: None,
        templates: Templates::Refused,
    };
    let unseen = |error: &dyn std::fmt::Display| Unseen::because(format!("the command line does not tell it: {error}"));
    let mut loaded = load::interpret(input, None).map_err(|error| unseen(&error))?;
    let Some(loaded) = loaded.pop() else {
        return Err(Unseen::because("the command line says nothing of memory"));
    };
    let asked = Asked { role: Some(flink.role), deployment: flink.deployment, machine };
    let sheet =
        Request::default().sheet_of(&asked, &Input::Path(path.into()), loaded).map_err(|error| unseen(&error))?;
    match sheet.outcome {
        Ok(survey) => Ok(Box::new(survey)),
        Err(rejected) => Err(unseen(&rejected.rejection)),
    }
}
