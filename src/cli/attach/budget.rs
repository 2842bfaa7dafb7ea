//! The budget of a running process, out of its own command line: exact, without its configuration and without REST.

use std::path::Path;
use std::sync::Arc;

use crate::cli::plan::gather::{Asked, Request};
use crate::config::load::{self, Input, TextInput};
use crate::config::template::Templates;
use crate::diagnose::configured::Configured;
use crate::model::{Seen, Source, Unseen};
use crate::plan::Survey;
use crate::plan::jvm::Machine;
use crate::probe::target::Target;

/// Where a process differs from a configuration: planned with the version that the process itself is of.
pub fn of_configuration(conf: &Path, target: &Target, planned: &Survey) -> Seen<Configured> {
    let unseen = |error: &dyn std::fmt::Display| Unseen::because(format!("could not {error}"));
    let version = planned.plan.profile.version();
    let input = Input::Path(conf.to_owned());
    let loaded = load::load(&input, Some(version)).map_err(|error| unseen(&error))?;
    let role = planned.plan.budget.role();
    let mut fitting = loaded.into_iter().filter(|loaded| loaded.subject.role.is_none_or(|known| known == role));
    let Some(loaded) = fitting.next() else {
        return Err(Unseen::because(format!("{} holds no configuration of a {role}", conf.display())));
    };
    let deployment = target.flink.as_ref().and_then(|flink| flink.deployment);
    let asked = Asked { role: Some(role), deployment, machine: Machine::default() };
    let sheet = Request::default().sheet_of(&asked, &input, loaded).map_err(|error| unseen(&error))?;
    let configured =
        sheet.outcome.map_err(|rejected| Unseen::because(format!("Flink refuses it: {}", rejected.rejection)))?;
    Ok(Configured::of(conf.display().to_string(), &configured.plan.budget, &planned.plan.budget))
}

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
