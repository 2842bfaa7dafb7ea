//! From a text to findings: its subjects, their plans, the rules over them, and what the text says to ignore.

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};

use super::case::Case;
use super::collect::Collector;
use super::directive::{self, Directive, Ignore, Says};
use super::edits::Lines;
use super::judge::{deployment_of, is_memory_key, is_total, judge, take_placeholders};
use super::moved::{self, Planned};
use super::policy::Policy;
use super::rule::Rule;
use super::rules::{self, catalogue};
use crate::config::layers::Layers;
use crate::config::load::{self, LoadError, Loaded, Reason, TextInput};
use crate::config::workload::{Starter, Workload};
use crate::config::{Config, Of};
use crate::flink::Version;
use crate::model::{Deployment, Finding, Place, Role, Severity, Source};
use crate::plan::Backend;
use crate::plan::settings::Settings;

/// What is told beside a text.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// The Flink version, whatever the text says.
    pub version: Option<Version>,
    /// The Flink version where the text says none.
    pub default_version: Option<Version>,
    /// The one role whose whole configuration the text is.
    pub role: Option<Role>,
    /// Who starts the processes, whatever the text says.
    pub deployment: Option<Deployment>,
    /// Who starts them where the text does not tell.
    pub default_deployment: Option<Deployment>,
    /// What is known of the job.
    pub workload: Workload,
}

/// The properties of a `yarn-site.xml`.
#[derive(Clone, Debug)]
pub struct Yarn {
    /// By name.
    pub config: Config,
}

impl Yarn {
    /// The properties of a `yarn-site.xml`, without those that hold a placeholder; nothing where the text is none.
    pub fn read(input: TextInput) -> Result<Option<Yarn>, LoadError> {
        let loaded = load::interpret(input, None)?;
        let Some(hadoop) = loaded.iter().find(|loaded| loaded.subject.of == Of::Yarn) else { return Ok(None) };
        let mut config = load::assemble(hadoop, &Layers::default())?.config;
        take_placeholders(&mut config);
        Ok(Some(Yarn { config }))
    }
}

/// Which rules run.
#[derive(Clone, Debug)]
pub struct Selection {
    rules: Vec<&'static Rule>,
    severities: Vec<(String, Severity)>,
}

impl Selection {
    /// Those that are selected and not ignored; each selector names at least one rule, or it is the error.
    pub fn new(select: &[String], ignore: &[String]) -> Result<Selection, String> {
        for selector in select.iter().chain(ignore) {
            if !catalogue().any(|rule| rule.is_named_by(selector)) {
                return Err(selector.clone());
            }
        }
        let named = |list: &[String], rule: &Rule| list.iter().any(|selector| rule.is_named_by(selector));
        let wanted = |rule: &&'static Rule| (select.is_empty() || named(select, rule)) && !named(ignore, rule);
        Ok(Selection { rules: catalogue().filter(wanted).collect(), severities: Vec::new() })
    }

    /// The same with other severities for the rules that these selectors name; a later one wins.
    pub fn with_severities(mut self, severities: &[(String, Severity)]) -> Result<Selection, String> {
        for (selector, _) in severities {
            if !catalogue().any(|rule| rule.is_named_by(selector)) {
                return Err(selector.clone());
            }
        }
        self.severities = severities.to_vec();
        Ok(self)
    }

    /// What a rule's findings are held to be.
    fn severity(&self, finding: &Finding) -> Severity {
        let rule = catalogue().find(|rule| rule.code == finding.code);
        let named = |selector: &str| rule.is_some_and(|rule| rule.is_named_by(selector));
        let last = self.severities.iter().rev().find(|(selector, _)| named(selector));
        last.map_or(finding.severity, |(_, severity)| *severity)
    }

    /// Whether the rule of this code runs.
    pub fn names(&self, code: &str) -> bool {
        self.rules.iter().any(|rule| rule.code == code)
    }

    fn has(&self, rule: &Rule) -> bool {
        self.rules.iter().any(|known| known.code == rule.code)
    }
}

impl Default for Selection {
    fn default() -> Selection {
        Selection { rules: catalogue().collect(), severities: Vec::new() }
    }
}

/// What came of a text.
#[derive(Clone, Debug, Default)]
pub struct Checked {
    /// What was found, by line, then by code.
    pub findings: Vec<Finding>,
    /// How many findings the text itself says to ignore.
    pub ignored: usize,
    /// How many configurations it holds.
    pub subjects: usize,
    /// Whether any of them sets an option that Flink, or YARN, knows.
    pub is_known: bool,
}

/// Checks one text.
pub fn check(
    input: &TextInput,
    told: &Told,
    policy: &Policy,
    yarn: Option<&Yarn>,
    selection: &Selection,
) -> Result<Checked, LoadError> {
    check_against(input, None, told, policy, yarn, selection)
}

/// Checks one text, also against what it was before.
pub fn check_against(
    input: &TextInput,
    before: Option<&TextInput>,
    told: &Told,
    policy: &Policy,
    yarn: Option<&Yarn>,
    selection: &Selection,
) -> Result<Checked, LoadError> {
    let directives = directive::read(&input.text);
    let lines = Lines::new(input.source.clone(), &input.text);
    let mut loaded = match interpreted(input, told, &directives) {
        // What a template comes to decides whether it can be read at all.
        Err(LoadError::Template { place, reason }) => {
            let mut checked = Checked { is_known: may_configure_flink(&input.text), ..Checked::default() };
            if selection.has(&rules::PLACEHOLDER) {
                checked.findings = rules::unread_template(&place, &reason);
            }
            return Ok(checked);
        }
        other => other?,
    };
    let mut checked = Checked { subjects: loaded.len(), ..Checked::default() };
    for loaded in &mut loaded {
        let told = scoped(told, &directives, loaded)?;
        let is_named = input.kind_by_name.is_some();
        check_subject(loaded, &lines, is_named, &told, policy, yarn, selection, &mut checked)?;
    }
    if let Some(before) = before
        && selection.has(&rules::SHRINKS)
    {
        checked.findings.extend(moved::shrunk(before, input, told, policy));
    }
    // What several subjects share is found once for each of them.
    let mut seen = HashSet::new();
    checked.findings.retain(|finding| {
        let placed = finding.place().is_some_and(|place| place.position.is_some());
        !placed || seen.insert((finding.code, finding.title.clone(), finding.labels.clone()))
    });
    ignore(&mut checked, &directives, selection, &input.source);
    if !selection.severities.is_empty() {
        for finding in &mut checked.findings {
            finding.severity = selection.severity(finding);
        }
    }
    checked.findings.sort_by(|a, b| (a.line(), a.code, &a.title).cmp(&(b.line(), b.code, &b.title)));
    Ok(checked)
}

/// The processes that a text plans; none where it cannot be read.
pub fn plans(input: &TextInput, told: &Told) -> Vec<Planned> {
    let directives = directive::read(&input.text);
    let Ok(all) = interpreted(input, told, &directives) else { return Vec::new() };
    let mut planned = Vec::new();
    for mut loaded in all {
        let Ok(told) = scoped(told, &directives, &mut loaded) else { continue };
        let Ok(assembled) = load::assemble(&loaded, &Layers::default()) else { continue };
        let mut config = assembled.config;
        let placeholders = take_placeholders(&mut config);
        let deployment = deployment_of(&loaded, &config, &told);
        for role in [Role::TaskManager, Role::JobManager] {
            let Some(judged) = judge(&loaded, &config, &placeholders, &told, deployment, role) else { continue };
            let of_role = |key: &str| is_memory_key(key, role);
            let mut places: Vec<_> = config
                .iter()
                .filter(|(key, setting)| of_role(key) && setting.place.source == input.source)
                .map(|(key, setting)| (!is_total(key), setting.place.position.map(|p| p.line), &setting.place))
                .collect();
            places.sort_by_key(|(part, line, _)| (*part, *line));
            planned.push(Planned {
                subject: loaded.subject.name.clone(),
                role,
                place: places.first().map(|(_, _, place)| (*place).clone()),
                survey: judged.outcome.ok(),
                backend: Backend::of(&Settings::new(&config, loaded.choice.profile)),
                config: config.clone(),
            });
        }
    }
    planned
}

/// The subjects of a text under the version that is told, or that its comments or the team's file tell.
fn interpreted(input: &TextInput, told: &Told, directives: &[Directive]) -> Result<Vec<Loaded>, LoadError> {
    let whole = told_by(told, directives, |_| true);
    let loaded = load::interpret(input.clone(), whole.version)?;
    let unsaid = |loaded: &Loaded| matches!(loaded.choice.reason, Reason::NewestReading(_) | Reason::Newest);
    if whole.version.is_none() && whole.default_version.is_some() && loaded.iter().all(unsaid) {
        return load::interpret(input.clone(), whole.default_version);
    }
    Ok(loaded)
}

/// What is told, with what the text's own comments tell below it; of the job they know better than the team's file.
fn told_by(told: &Told, directives: &[Directive], counts: impl Fn(&Directive) -> bool) -> Told {
    let mut all = told.clone();
    for directive in directives.iter().filter(|directive| counts(directive)) {
        let Says::Facts(facts, role) = &directive.says else { continue };
        all.version = all.version.or(facts.flink);
        all.deployment = all.deployment.or(facts.deployment.map(|starter| match starter {
            Starter::Standalone => Deployment::Standalone,
            Starter::Yarn => Deployment::Yarn,
            Starter::Kubernetes => Deployment::Kubernetes,
        }));
        all.role = all.role.or(*role);
        all.workload = Workload::clone(facts).or(all.workload);
    }
    all
}

/// What is told about one subject: comments within a file that another text embeds are about that file alone.
fn scoped(told: &Told, directives: &[Directive], loaded: &mut Loaded) -> Result<Told, LoadError> {
    let file = loaded.subject.file.as_ref();
    let embedded = file.filter(|file| file.offset.lines > 0).map(|file| {
        let count = u32::try_from(file.text.lines().count()).unwrap_or(u32::MAX);
        file.offset.lines + 1..=file.offset.lines.saturating_add(count)
    });
    let told = match &embedded {
        Some(range) => told_by(told, directives, |directive| range.contains(&directive.position.line)),
        None => told_by(told, directives, |_| true),
    };
    if embedded.is_some()
        && let Some(version) = told.version
    {
        loaded.choice = load::version(Some(version))?;
    }
    Ok(told)
}

#[expect(clippy::too_many_arguments, reason = "what a text is checked with, once")]
fn check_subject(
    loaded: &Loaded,
    lines: &Lines<'_>,
    is_named: bool,
    told: &Told,
    policy: &Policy,
    yarn: Option<&Yarn>,
    selection: &Selection,
    checked: &mut Checked,
) -> Result<(), LoadError> {
    let name = loaded.subject.name.as_deref();
    let profile = loaded.choice.profile;
    let mut config = match load::assemble(loaded, &Layers::default()) {
        Ok(assembled) => assembled.config,
        Err(LoadError::Yaml { place, reason, refused: true }) => {
            let is_flinks = has_flinks_lines(lines.text());
            if !is_flinks && !is_named && told.role.is_none() {
                let reason = format!("nothing in it configures Flink, nor is it YAML that Flink reads: {reason}");
                return Err(LoadError::Untold { place, reason });
            }
            checked.is_known |= is_flinks;
            if selection.has(&rules::REJECTED) {
                checked.findings.extend(rules::refused_file(name, &place, &reason));
            }
            return Ok(());
        }
        Err(LoadError::Template { place, reason }) => {
            checked.is_known |= may_configure_flink(lines.text());
            if selection.has(&rules::PLACEHOLDER) {
                checked.findings.extend(rules::unread_template(&place, &reason));
            }
            return Ok(());
        }
        Err(other) => return Err(other),
    };
    let placeholders = take_placeholders(&mut config);
    let known = |key: &str| !crate::flink::options::ever(key).is_empty();
    checked.is_known |= loaded.subject.of == Of::Yarn
        || !loaded.subject.pods.is_empty()
        || config.iter().any(|(key, setting)| setting.place.source != Source::Shipped && known(key))
        || placeholders.iter().any(|(key, _)| known(key));
    let deployment = deployment_of(loaded, &config, told);
    let judged = |role| judge(loaded, &config, &placeholders, told, deployment, role);
    let flink = loaded.subject.of == Of::Flink;
    let case = Case {
        loaded,
        config: &config,
        placeholders: &placeholders,
        deployment,
        told,
        policy,
        yarn,
        lines,
        taskmanager: if flink { judged(Role::TaskManager) } else { None },
        jobmanager: if flink { judged(Role::JobManager) } else { None },
        backend: OnceCell::new(),
        standings: OnceCell::new(),
    };
    let mut collector: Option<Collector<'_>> = None;
    for rule in selection.rules.iter().filter(|rule| rule.of == loaded.subject.of && rule.is_for(profile)) {
        let collector = collector.get_or_insert_with(|| Collector::new(rule, name));
        collector.turn_to(rule);
        (rule.check)(&case, collector);
    }
    let found = collector.map(Collector::into_findings).unwrap_or_default();
    // What is all but an option of Flink's is meant to be one.
    checked.is_known |= found.iter().any(|finding| finding.severity > Severity::Note);
    checked.findings.extend(found);
    Ok(())
}

/// Whether a text that cannot be read has lines that set options of Flink's. Sections of that name prove nothing: values of
/// a chart begin so too.
fn has_flinks_lines(text: &str) -> bool {
    let key = |line: &str| line.split_once(':').map(|(key, _)| key.to_owned());
    text.lines().filter_map(key).any(|key| key.contains('.') && !crate::flink::options::ever(&key).is_empty())
}

/// Whether a template that cannot be read seems to carry a configuration of Flink's.
fn may_configure_flink(text: &str) -> bool {
    let signs =
        ["flink-conf.yaml", "config.yaml", "FLINK_PROPERTIES", "kind: FlinkDeployment", "kind: FlinkSessionJob"];
    signs.iter().any(|sign| text.contains(sign)) || has_flinks_lines(text)
}

/// Takes out what the text says to ignore, and tells of directives that are of no use.
fn ignore(checked: &mut Checked, directives: &[Directive], selection: &Selection, source: &Source) {
    let mut about = Vec::new();
    let mut by_line: HashMap<u32, Vec<usize>> = HashMap::new();
    if !directives.is_empty() {
        for (index, finding) in checked.findings.iter().enumerate() {
            for line in lines_of(finding) {
                by_line.entry(line).or_default().push(index);
            }
        }
    }
    let mut ignored = vec![false; checked.findings.len()];
    for directive in directives {
        let place = Place { source: source.clone(), position: Some(directive.position) };
        match &directive.says {
            Says::Ignore(ignore) => {
                let mut is_used = false;
                for &index in by_line.get(&ignore.line).into_iter().flatten() {
                    if !ignored[index] && is_named(&checked.findings[index], ignore) {
                        ignored[index] = true;
                        is_used = true;
                    }
                }
                let runs = |selector: &String| {
                    let mut named = catalogue().filter(|rule| rule.is_named_by(selector)).peekable();
                    named.peek().is_none() || named.any(|rule| selection.has(rule))
                };
                if !is_used && ignore.selectors.iter().any(runs) {
                    about.push((&rules::UNUSED_IGNORE, place, ignore.selectors.join(", ")));
                }
            }
            Says::Unread(reason) => about.push((&rules::UNREAD_DIRECTIVE, place, reason.clone())),
            Says::Facts(..) => {}
        }
    }
    let before = checked.findings.len();
    let mut kept = ignored.into_iter().map(|ignored| !ignored);
    checked.findings.retain(|_| kept.next().unwrap_or(true));
    checked.ignored += before - checked.findings.len();
    for (rule, place, what) in about {
        if selection.has(rule) {
            let mut collector = Collector::new(rule, None);
            rules::about_directive(&mut collector, rule, &place, &what);
            checked.findings.extend(collector.into_findings());
        }
    }
}

/// Every line that a finding points at, in any of its texts.
fn lines_of(finding: &Finding) -> HashSet<u32> {
    let labels = finding.labels.iter().filter_map(|label| Some(label.place.position?.line));
    labels.chain([finding.line()]).collect()
}

fn is_named(finding: &Finding, ignore: &Ignore) -> bool {
    ignore.selectors.iter().any(|selector| {
        selector == finding.name || (selector.len() >= 4 && finding.code.starts_with(selector.as_str()))
    })
}
