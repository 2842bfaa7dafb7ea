//! From arguments to plans: every input read, put under the layers of the command line, and planned.

use std::sync::Arc;

use super::{ConsumerArg, DeploymentArg, PlanArgs, RoleArg, machine, unreadable};
use crate::artefact::command_line::CommandLine;
use crate::check;
use crate::cli::Exit;
use crate::config::layers::{Layers, Remark};
use crate::config::load::{self, Choice, Input, LoadError, Loaded, Reason};
use crate::config::{Assignment, Subject, Variable, environment};
use crate::flink::profile::{Match, Profile};
use crate::flink::{Version, keys};
use crate::model::{Bytes, Deployment, Place, Role, Source, UseCase};
use crate::plan::inferred::{self, Inference, Known};
use crate::plan::jvm::Machine;
use crate::plan::store::Store;
use crate::plan::{self, Backend, Question, container};
use crate::recommend::mend;
use crate::report::Sheet;

/// What the arguments come to.
#[derive(Default)]
pub struct Request {
    pub inputs: Vec<Input>,
    layers: Layers,
    consumers: Vec<UseCase>,
}

/// What is told beside the input.
#[derive(Default)]
pub struct Asked {
    /// Whose memory.
    pub role: Option<Role>,
    /// Who starts the process.
    pub deployment: Option<Deployment>,
    /// The JVM and its machine.
    pub machine: Machine,
}

impl Asked {
    fn of(args: &PlanArgs) -> Asked {
        Asked {
            role: args.role.map(RoleArg::role),
            deployment: args.deployment.map(DeploymentArg::deployment),
            machine: machine(args),
        }
    }
}

impl Request {
    /// Reads the arguments; what is wrong with them is one line.
    pub fn of(args: &PlanArgs) -> Result<Request, String> {
        let environment = args.env.iter().map(|text| variable(text)).collect::<Result<Vec<_>, _>>()?;
        let inputs: Vec<Input> = args
            .inputs
            .iter()
            .map(|path| if path.as_os_str() == "-" { Input::Stdin } else { Input::Path(path.clone()) })
            .collect();
        if inputs.iter().filter(|input| **input == Input::Stdin).count() > 1 {
            return Err("standard input can be read once: give - once".to_owned());
        }
        let told = !(args.dynamic.is_empty() && args.set.is_empty() && environment.is_empty())
            || args.tm.is_some()
            || args.jm.is_some()
            || !args.wanted.want.is_empty();
        let inputs = match (inputs.is_empty(), told) {
            (false, _) => inputs,
            (true, true) => vec![Input::Nothing],
            (true, false) => {
                return Err("no configuration: name a file or a directory, - for standard input, or set keys with -D \
                            (see oomph plan --help)"
                    .to_owned());
            }
        };
        let consumers = args.consumers.iter().map(|consumer| match consumer {
            ConsumerArg::StateBackend => UseCase::StateBackend,
            ConsumerArg::Operator => UseCase::Operator,
            ConsumerArg::Python => UseCase::Python,
        });
        Ok(Request {
            inputs,
            layers: Layers {
                environment,
                dynamic: assignments("-D", &args.dynamic)?,
                yarn_tm: args.tm.clone(),
                yarn_jm: args.jm.clone(),
                supposed: assignments("--set", &args.set)?,
                ..Layers::default()
            },
            consumers: consumers.collect(),
        })
    }

    /// Tells of keys on the command line that no Flink knows, where one that it knows is a slip away: Flink itself takes any
    /// key and says nothing.
    pub fn note_slips(&self, version: Option<Version>) {
        let asked = version.and_then(|version| Profile::of(version).ok());
        let profile = asked.map_or_else(Profile::newest, |(profile, _)| profile);
        for key in self.layers.dynamic.iter().chain(&self.layers.supposed).map(|assignment| &assignment.key) {
            if let Some(meant) = check::meant_by(key, profile) {
                anstream::eprintln!("note: no Flink knows {key}; did you mean {meant}?");
            }
        }
    }

    /// The plans of all inputs. One input that cannot be read never hides another: its error is told at once, and the
    /// exit code tells the worst.
    pub fn gather(&self, args: &PlanArgs) -> (Vec<Sheet>, Exit) {
        let mut exit = Exit::Clean;
        let mut sheets = Vec::new();
        for sheet in self.inputs.iter().flat_map(|input| self.sheets(args, input)) {
            match sheet {
                Ok(sheet) => sheets.push(sheet),
                Err(error) => exit = exit.max(unreadable(&error, args.flink.is_some())),
            }
        }
        (sheets, exit)
    }

    /// The plans of an input: one of a configuration, as many as there are in a manifest or log.
    pub fn sheets(&self, args: &PlanArgs, input: &Input) -> Vec<Result<Sheet, LoadError>> {
        match load::load(input, args.flink) {
            Ok(loaded) => {
                let asked = of_role(loaded, args.role.map(RoleArg::role));
                asked.into_iter().map(|loaded| self.sheet(args, input, loaded)).collect()
            }
            Err(error) => vec![Err(error)],
        }
    }

    /// The one configuration of an input, for questions about one: of a manifest with several, that of the role asked
    /// about.
    pub fn only(&self, args: &PlanArgs, input: &Input, version: Option<Version>) -> Result<Loaded, LoadError> {
        let mut loaded = load::load(input, version)?;
        let role = args.role.map_or(Role::TaskManager, RoleArg::role);
        if loaded.len() > 1 {
            loaded = of_role(loaded, Some(role));
        }
        match loaded.len() {
            1 => Ok(loaded.remove(0)),
            count => {
                let names: Vec<String> = loaded.into_iter().filter_map(|loaded| loaded.subject.name).collect();
                let source = Source::File(Arc::from(input.to_string()));
                let reason = format!(
                    "it holds {count} configurations of a {role} ({}), and this question is about one: give it alone",
                    names.join(", ")
                );
                Err(LoadError::Untold { place: Place::of(source), reason })
            }
        }
    }

    /// The plan of what was read.
    pub fn sheet(&self, args: &PlanArgs, input: &Input, loaded: Loaded) -> Result<Sheet, LoadError> {
        self.sheet_of(&Asked::of(args), input, loaded)
    }

    /// The plan of what was read, for callers without the arguments of `oomph plan`.
    pub fn sheet_of(&self, asked: &Asked, input: &Input, mut loaded: Loaded) -> Result<Sheet, LoadError> {
        let source = (*input != Input::Nothing).then(|| input.to_string());
        let mut role = asked.role.or(loaded.subject.role);
        let mut deployment = asked.deployment.or(loaded.subject.deployment);
        let mut inferred = Vec::new();
        if let Some((command, place)) = loaded.subject.command.take() {
            let inference = self.infer(&command, place, &mut loaded, role)?;
            role = role.or(Some(inference.role));
            deployment = deployment.or(Some(inference.deployment));
            inferred = inference.reasons;
        }
        let role = role.unwrap_or(Role::TaskManager);
        let deployment = deployment.unwrap_or_default();
        let profile = loaded.choice.profile;
        let assembled = load::assemble(&loaded, &self.layers)?;
        let backend = Backend::of(&plan::settings::Settings::new(&assembled.config, profile));
        let consumers_supposed = self.consumers.is_empty();
        let question = Question {
            role,
            deployment,
            consumers: if consumers_supposed { vec![UseCase::StateBackend] } else { self.consumers.clone() },
            managed_backend: backend.takes_managed_memory(),
            stores: vec![Store::RocksDb, Store::ForSt],
        };
        let mut outcome = plan::survey(&assembled.config, profile, &question, asked.machine);
        let Subject { name, pods, fleet, mut remarks, partial, .. } = loaded.subject;
        if partial {
            let text = "this lies over a configuration that is not here: the rest is planned with the one that Flink comes with"
                .to_owned();
            let place = Place::of(Source::File(Arc::from(input.to_string())));
            remarks.insert(0, Remark { place, text });
        }
        let pod = pods.into_iter().find(|(known, _)| *known == role).map(|(_, pod)| pod);
        // A limit that a manifest or YARN states counts, whatever Flink would have asked for.
        if let Ok(survey) = &mut outcome
            && let Some(limit) = pod.as_ref().and_then(|pod| pod.limit.as_ref())
        {
            survey.container = Ok(container::written(limit, survey.plan.budget.total_process().bytes));
        }
        let cures = outcome.as_ref().err().map(|_| mend::cures(&assembled.config, profile, &question));
        let remarks = remarks.into_iter().chain(assembled.remarks).collect();
        Ok(Sheet {
            source,
            name,
            pod,
            fleet,
            inferred,
            choice: loaded.choice,
            question,
            consumers_supposed,
            config: assembled.config,
            remarks,
            outcome,
            cures,
            network_need: None,
            workload_need: None,
        })
    }
}

/// Those that are about the role asked for; all where none is, since their configuration may be about both.
fn of_role(loaded: Vec<Loaded>, role: Option<Role>) -> Vec<Loaded> {
    let fits = |loaded: &Loaded| role.is_none() || loaded.subject.role.is_none() || loaded.subject.role == role;
    match loaded.iter().any(fits) {
        true => loaded.into_iter().filter(fits).collect(),
        false => loaded,
    }
}

impl Request {
    /// What a command line was configured with; the settings go into the subject, below what the caller sets.
    fn infer(
        &self,
        command: &CommandLine,
        place: Place,
        loaded: &mut Loaded,
        role: Option<Role>,
    ) -> Result<Inference, LoadError> {
        let base = load::assemble(loaded, &Layers::default())?;
        let told = matches!(loaded.choice.reason, Reason::Asked | Reason::Told(_));
        let given = self.layers.dynamic.iter().chain(&self.layers.supposed);
        let given = given.filter(|assignment| assignment.key == keys::TM_PROCESS.name());
        let given = given.filter_map(|assignment| Bytes::parse_flink(&assignment.value).ok()).next_back();
        let stated = loaded.subject.pods.iter().find_map(|(_, pod)| pod.limit.as_ref().map(|limit| limit.bytes));
        let known = Known {
            config: &base.config,
            profile: told.then_some(loaded.choice.profile),
            role,
            limit: given.or(stated),
            place: place.clone(),
        };
        let inference = inferred::infer(command, &known);
        let Some(settings) = &inference.settings else {
            return Err(LoadError::Untold { place, reason: inference.reasons.join("; ") });
        };
        loaded.subject.settings.extend(settings.iter().cloned());
        if !told {
            // All versions with the unified model give the same flags: then nothing tells which it was.
            let reason = match plan::is_cut_off(inference.profile, inference.role) {
                true => Reason::Told("as the flags of the JVM tell".to_owned()),
                false => Reason::Newest,
            };
            let version = inference.profile.version();
            loaded.choice = Choice { version, profile: inference.profile, found: Match::Line, reason };
        }
        Ok(inference)
    }
}

/// `KEY=VALUE`s. Not read by clap, which would show a secret in its error.
fn assignments(flag: &str, texts: &[String]) -> Result<Vec<Assignment>, String> {
    texts.iter().map(|text| text.parse().map_err(|error| format!("{flag}: {error}"))).collect()
}

/// `NAME=VALUE`, or `NAME` to take the value from this process's environment.
fn variable(text: &str) -> Result<Variable, String> {
    let (name, value) = match text.split_once('=') {
        Some((name, value)) => (name, Some(value.to_owned())),
        None => (text, None),
    };
    let known = environment::VARIABLES;
    let Some(name) = known.iter().find(|variable| **variable == name) else {
        // What was given may hold a secret.
        return Err(format!("--env: only these variables have a bearing on memory: {}", known.join(", ")));
    };
    let value = value
        .or_else(|| std::env::var(name).ok())
        .ok_or_else(|| format!("--env {name}: the variable is not set here; write --env {name}=VALUE"))?;
    Ok(Variable::given(*name, value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::load::TextInput;
    use crate::config::template::Templates;

    fn told(text: &str) -> String {
        let input = TextInput {
            source: Source::Caller,
            text: text.to_owned(),
            kind_by_name: None,
            distribution: None,
            templates: Templates::Refused,
        };
        let loaded = load::interpret(input, None).unwrap().remove(0);
        let sheet = Request::default().sheet_of(&Asked::default(), &Input::Stdin, loaded).unwrap();
        format!("{}, {}", sheet.choice.version, sheet.choice.reason)
    }

    #[test]
    fn flags_tell_the_version_only_where_no_other_gives_them() {
        let cut_off = "java -Xmx2764m -XX:MaxDirectMemorySize=1332m";
        assert_eq!(told(cut_off), "1.9, as the flags of the JVM tell");
        let unified = "java -Xmx1530082070 -XX:MaxDirectMemorySize=1207959552 -XX:MaxMetaspaceSize=268435456";
        let newest = Profile::newest().version();
        assert_eq!(told(unified), format!("{newest}, the newest; name another with --flink"));
    }
}
