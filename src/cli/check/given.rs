//! What the command line and `oomph.yaml` come to.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::ValueEnum;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

use super::before::Before;
use super::{CheckArgs, FailOn, Format, write};
use crate::check::baseline::{Baseline, Recorder};
use crate::check::team::{Override, Paths, Team};
use crate::check::{Policy, Selection, Told, by_code_or_name};
use crate::cli::Exit;
use crate::cli::plan::width;
use crate::flink::Version;
use crate::model::{Deployment, Role, Severity};

/// Everything that is asked.
pub struct Given {
    pub inputs: Vec<String>,
    pub policy: Policy,
    pub fail_on: FailOn,
    pub width: usize,
    pub mend: Mend,
    pub baseline: Option<Baseline>,
    pub stdin_name: String,
    pub only_flink: bool,
    pub before: Option<Before>,
    /// Whether any format shows the inputs' lines.
    pub snippets: bool,
    told: Told,
    asked: (Option<Version>, Option<Role>, Option<Deployment>),
    select: Vec<String>,
    ignore: Vec<String>,
    severities: Vec<(String, Severity)>,
    paths: Patterns,
    overrides: Vec<(Patterns, Override)>,
    write_baseline: Option<PathBuf>,
}

/// What is done about fixes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mend {
    pub safe: bool,
    pub all: bool,
    pub diff: bool,
}

/// Patterns in the manner of `.gitignore`.
pub struct Patterns {
    include: Option<Gitignore>,
    exclude: Gitignore,
}

/// A path from the root, without links and `..`; as it is where there is no such file.
fn whole(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

impl Patterns {
    fn new(base: &Path, paths: &Paths) -> Result<Patterns, String> {
        let build = |lines: &[String]| {
            let mut builder = GitignoreBuilder::new(base);
            for line in lines {
                builder.add_line(None, line).map_err(|error| format!("`{line}` is no pattern of paths: {error}"))?;
            }
            builder.build().map_err(|error| error.to_string())
        };
        let include = (!paths.include.is_empty()).then(|| build(&paths.include)).transpose()?;
        Ok(Patterns { include, exclude: build(&paths.exclude)? })
    }

    /// Whether a file is meant.
    pub fn has(&self, path: &Path) -> bool {
        let matches = |list: &Gitignore| {
            let path = whole(path);
            path.starts_with(list.path()) && list.matched_path_or_any_parents(&path, false).is_ignore()
        };
        self.include.as_ref().is_none_or(matches) && !matches(&self.exclude)
    }
}

impl Given {
    /// Reads the arguments and the team's file; what is wrong with them is one line.
    pub fn of(args: &CheckArgs) -> Result<Given, String> {
        let (base, team) = team(args)?;
        let about_team = |error: &dyn std::fmt::Display| format!("oomph.yaml: {error}");
        let version = |text: &Option<String>| -> Result<Option<Version>, String> {
            text.as_deref().map(str::parse).transpose().map_err(|error| about_team(&error))
        };
        let asked =
            (args.flink, args.role.map(|role| role.role()), args.deployment.map(|deployment| deployment.deployment()));
        let told = Told {
            version: args.flink,
            default_version: version(&team.flink)?,
            role: asked.1,
            deployment: asked.2,
            default_deployment: team.deployment.as_deref().map(deployment).transpose()?,
            workload: team.workload().map_err(|error| about_team(&error))?,
        };
        let fail_on = match (args.fail_on, &team.fail_on) {
            (Some(asked), _) => asked,
            (None, Some(text)) => FailOn::from_str(text, true)
                .map_err(|_| about_team(&format!("fail-on is note, warning, error or never, not `{text}`")))?,
            (None, None) => FailOn::Error,
        };
        let mut ignore = args.ignore.clone();
        let mut severities = Vec::new();
        for (selector, word) in &team.severity {
            match Severity::ALL.into_iter().find(|severity| severity.name() == word) {
                Some(severity) => severities.push((selector.clone(), severity)),
                None if word == "off" => ignore.push(selector.clone()),
                None => {
                    let reason = format!("severity of {selector} is note, warning, error or off, not `{word}`");
                    return Err(about_team(&reason));
                }
            }
        }
        // What the caller selects wins over what the team ignores.
        let select = if args.select.is_empty() { team.select.clone() } else { args.select.clone() };
        if args.select.is_empty() {
            ignore.extend(team.ignore.clone());
        }
        let absolute = whole(&base);
        let mut overrides = Vec::new();
        for one in &team.overrides {
            let paths = Paths { include: one.paths.clone(), exclude: Vec::new() };
            version(&one.flink)?;
            one.deployment.as_deref().map(deployment).transpose()?;
            one.role.as_deref().map(role).transpose()?;
            one.workload().map_err(|error| about_team(&error))?;
            overrides.push((Patterns::new(&absolute, &paths).map_err(|error| about_team(&error))?, one.clone()));
        }
        let write_baseline = match &args.write_baseline {
            None => None,
            Some(file) => Some(file.clone().or_else(|| args.baseline.clone()).ok_or(
                "--write-baseline: name the file, as --write-baseline=FILE or with --baseline FILE".to_owned(),
            )?),
        };
        let baseline = match &args.baseline {
            Some(path) if args.write_baseline.is_none() => {
                let text = std::fs::read_to_string(path)
                    .map_err(|error| format!("could not read the baseline {}: {error}", path.display()))?;
                Some(Baseline::parse(&text).map_err(|error| format!("{}: {error}", path.display()))?)
            }
            _ => None,
        };
        let format_of = |output: &String| Format::from_str(output.split('=').next()?, true).ok();
        let text_in_a_file = args.output.iter().any(|output| format_of(output) == Some(Format::Text));
        let given = Given {
            inputs: if args.inputs.is_empty() { vec![".".to_owned()] } else { args.inputs.clone() },
            policy: team.policy().map_err(|error| about_team(&error))?,
            fail_on,
            width: width(),
            mend: Mend { safe: args.fix || args.unsafe_fixes || args.diff, all: args.unsafe_fixes, diff: args.diff },
            baseline,
            stdin_name: args.stdin_name.clone(),
            only_flink: args.only_flink,
            before: Before::of(args)?,
            snippets: args.format == Format::Text || text_in_a_file,
            told,
            asked,
            select,
            ignore,
            severities,
            paths: Patterns::new(&absolute, &team.paths).map_err(|error| about_team(&error))?,
            overrides,
            write_baseline,
        };
        given.selection(&[])?;
        for (_, one) in &given.overrides {
            given.selection(&one.ignore)?;
        }
        if given.inputs.iter().filter(|input| *input == "-").count() > 1 {
            return Err("standard input can be read once: give - once".to_owned());
        }
        Ok(given)
    }

    fn selection(&self, more: &[String]) -> Result<Selection, String> {
        let unknown = |selector: String| {
            let near = by_code_or_name(&selector.to_uppercase()).map(|rule| format!("; there is {}", rule.code));
            format!("no rule is named by `{selector}`{}: see oomph rules", near.unwrap_or_default())
        };
        let ignore: Vec<String> = self.ignore.iter().chain(more).cloned().collect();
        Selection::new(&self.select, &ignore).and_then(|s| s.with_severities(&self.severities)).map_err(unknown)
    }

    /// Whether a file that a walk comes across is looked at.
    pub fn wants(&self, path: &Path) -> bool {
        self.paths.has(path)
    }

    /// What is told of a file, and which rules run on it.
    pub fn for_file(&self, path: &Path) -> (Told, Selection) {
        let mut told = self.told.clone();
        let mut ignore = Vec::new();
        for (_, one) in self.overrides.iter().filter(|(patterns, _)| patterns.has(path)) {
            let (version, role_asked, deployment_asked) = &self.asked;
            if let (None, Some(Ok(version))) = (version, one.flink.as_deref().map(str::parse)) {
                told.version = Some(version);
            }
            if let (None, Some(Ok(named))) = (role_asked, one.role.as_deref().map(role)) {
                told.role = Some(named);
            }
            if let (None, Some(Ok(named))) = (deployment_asked, one.deployment.as_deref().map(deployment)) {
                told.deployment = Some(named);
            }
            if let Ok(workload) = one.workload() {
                told.workload = workload.or(told.workload);
            }
            ignore.extend(one.ignore.iter().cloned());
        }
        // Each was tried when it was read.
        let selection = self.selection(&ignore).unwrap_or_default();
        (told, selection)
    }

    /// What takes down findings for a new baseline, where one is asked for.
    pub fn recorder(&self) -> Option<Recorder> {
        self.write_baseline.as_ref().map(|_| Recorder::default())
    }

    /// Writes the new baseline.
    pub fn write_baseline(&self, recorder: &Recorder) -> anyhow::Result<Exit> {
        let Some(path) = &self.write_baseline else { return Ok(Exit::Clean) };
        write::atomically(path, recorder.text().as_bytes())
            .with_context(|| format!("could not write {}", path.display()))?;
        let count = recorder.count();
        let are = if count == 1 { "finding is" } else { "findings are" };
        anstream::eprintln!("{}: {count} {are} known from now on", path.display());
        Ok(Exit::Clean)
    }
}

fn deployment(text: &str) -> Result<Deployment, String> {
    match text {
        "standalone" => Ok(Deployment::Standalone),
        "yarn" => Ok(Deployment::Yarn),
        "kubernetes" => Ok(Deployment::Kubernetes),
        _ => Err(format!("oomph.yaml: deployment is standalone, yarn or kubernetes, not `{text}`")),
    }
}

fn role(text: &str) -> Result<Role, String> {
    Role::of_key(text).ok_or_else(|| format!("oomph.yaml: role is taskmanager or jobmanager, not `{text}`"))
}

/// The team's file with the directory it is about.
fn team(args: &CheckArgs) -> Result<(PathBuf, Team), String> {
    let here = || std::env::current_dir().map_err(|error| format!("could not tell this directory: {error}"));
    let found = match &args.config {
        Some(path) => Some(path.clone()),
        None => here()?.ancestors().map(|directory| directory.join("oomph.yaml")).find(|path| path.is_file()),
    };
    let Some(path) = found else { return Ok((here()?, Team::default())) };
    let text = std::fs::read_to_string(&path).map_err(|error| format!("could not read {}: {error}", path.display()))?;
    let team = Team::parse(&text).map_err(|error| format!("{}: {error}", path.display()))?;
    let base = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    Ok((base.map_or_else(here, |parent| Ok(parent.to_owned()))?, team))
}
