//! The JVM's options of a process as the configuration passes them on, in the order of the command line.
//!
//! Flink joins `env.java.default-opts.all`, `env.java.opts.all` (`env.java.opts` until 1.16, an old name of it later),
//! `env.java.default-opts.taskmanager` and `env.java.opts.taskmanager`, or those of the JobManager, in this order
//! (`bin/config.sh` and `bin/taskmanager.sh` of 1.9.3, 1.13.6, 1.16.3 to 1.20.5 and 2.3.0; `BootstrapTools` and
//! `YarnClusterDescriptor`), and puts them behind `-Xmx` and the other flags of its own: `$JVM_ARGS ${FLINK_ENV_JAVA_OPTS}`
//! in `bin/flink-console.sh`, `%jvmmem% %jvmopts%` in the start command of a YARN container. The JVM takes the last of two
//! equal flags, so these win.

use crate::check::{Case, Written};

use crate::config::is_placeholder;
use crate::model::{Bytes, Deployment, Edit, Place, Role};
use crate::plan::jvm::Collector;

/// One option.
#[derive(Clone)]
pub struct JavaOption<'a> {
    /// As the JVM gets it.
    pub text: String,
    /// The setting that it stands in.
    pub written: Written<'a>,
    /// Whether the options of a role that was looked at before hold it too.
    pub told: bool,
    /// Where it stands in the setting's value.
    span: (usize, usize),
}

/// The options of one role.
pub struct JavaOptions<'a> {
    /// Whose.
    pub role: Role,
    /// Whether a part of them is only known once a shell has run, so that none can be said to be missing.
    pub hidden: bool,
    /// Options that stand without a blank between them, so that the JVM reads none of them.
    pub joined: Vec<JavaOption<'a>>,
    all: Vec<JavaOption<'a>>,
}

impl<'a> JavaOption<'a> {
    /// Where its setting stands.
    pub fn place(&self) -> &'a Place {
        self.written.place()
    }

    /// The edit that takes it out of its setting, or the setting out where nothing else stands in it.
    pub fn remove(&self, case: &Case<'a>) -> Option<Vec<Edit>> {
        remove(case, &[self])
    }
}

/// The edits that take options out of their settings, and a setting out where nothing else stands in it.
pub fn remove<'a>(case: &Case<'a>, options: &[&JavaOption<'a>]) -> Option<Vec<Edit>> {
    let mut edits = Vec::new();
    let mut done: Vec<&str> = Vec::new();
    for option in options {
        let written = option.written;
        if done.contains(&written.key) {
            continue;
        }
        done.push(written.key);
        let mut rest = written.text().into_owned();
        let here = options.iter().filter(|other| other.written.key == written.key);
        let mut spans: Vec<(usize, usize)> = here.map(|other| other.span).collect();
        spans.sort_unstable();
        for (from, to) in spans.into_iter().rev() {
            let (before, behind) = (rest.get(..from)?.trim_end(), rest.get(to..)?.trim_start());
            let gap = if before.is_empty() || behind.is_empty() || before == "\"" || behind == "\"" { "" } else { " " };
            rest = format!("{before}{gap}{behind}");
        }
        let nothing = rest.chars().all(|c| c.is_whitespace() || c == '"');
        edits.extend(if nothing { case.remove(written)? } else { case.set(written, &rest)? });
    }
    (!edits.is_empty()).then_some(edits)
}

/// Variables that bring options too, before those of the configuration.
const OTHER_WAYS: [&str; 3] = ["JVM_ARGS", "JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS"];

impl<'a> JavaOptions<'a> {
    /// Those of every role that the text is about.
    pub fn of_roles(case: &Case<'a>) -> Vec<JavaOptions<'a>> {
        if case.config.with_prefix("env.java.").next().is_none() {
            return Vec::new();
        }
        let known = case.told.role.or(case.subject().role);
        let both = [Role::TaskManager, Role::JobManager];
        let roles = both.into_iter().filter(|role| known.is_none_or(|known| known == *role));
        roles.map(|role| JavaOptions::of(case, role, known.is_none() && role == Role::JobManager)).collect()
    }

    /// Those of one role, where the text is about it.
    pub fn of_role(case: &Case<'a>, role: Role) -> JavaOptions<'a> {
        let known = case.told.role.or(case.subject().role);
        if known.is_none_or(|known| known == role) {
            return JavaOptions::of(case, role, false);
        }
        JavaOptions::none(role)
    }

    fn none(role: Role) -> JavaOptions<'a> {
        JavaOptions { role, hidden: false, joined: Vec::new(), all: Vec::new() }
    }

    fn of(case: &Case<'a>, role: Role, second: bool) -> JavaOptions<'a> {
        let (stem, container, variable) = match role {
            Role::TaskManager => ("taskmanager", "taskmanager", "FLINK_ENV_JAVA_OPTS_TM"),
            Role::JobManager => ("jobmanager", "master", "FLINK_ENV_JAVA_OPTS_JM"),
        };
        let pod = case.pod(role).map(|pod| pod.variables.as_slice()).unwrap_or_default();
        let is_set = |name: &str| {
            case.subject().environment.iter().any(|known| known.name == name)
                || pod.iter().any(|variable| variable.name == name)
                || case.exactly(&format!("containerized.{container}.env.{name}")).is_some()
        };
        // Until 1.16 the option for all processes is `env.java.opts`.
        let for_all = || case.find("env.java.opts.all").or_else(|| case.find("env.java.opts"));
        let [default, own] = ["default-opts", "opts"].map(|kind| case.find(&format!("env.java.{kind}.{stem}")));
        let parts = [
            ("FLINK_ENV_JAVA_OPTS", [case.find("env.java.default-opts.all"), for_all()], second),
            (variable, [default, own], false),
        ];
        let mut options = JavaOptions::none(role);
        options.hidden = OTHER_WAYS.into_iter().any(is_set);
        for (variable, settings, told) in parts {
            // The scripts look into the configuration only where the variable is empty.
            if is_set(variable) {
                options.hidden = true;
                continue;
            }
            for written in settings.into_iter().flatten() {
                let text = written.text();
                options.hidden |= is_placeholder(&text) || text.contains('$') || text.contains('`');
                for (text, span) in words(&text) {
                    let list = if is_joined(&text) { &mut options.joined } else { &mut options.all };
                    list.push(JavaOption { text, written, told, span });
                }
            }
        }
        options
    }

    /// Whether there are none at all.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = &JavaOption<'a>> {
        self.all.iter()
    }

    /// Every option that begins with one of these names.
    pub fn every(&self, names: &[&str]) -> Vec<&JavaOption<'a>> {
        self.all.iter().filter(|option| names.iter().any(|name| option.text.starts_with(name))).collect()
    }

    /// The last option that begins with one of these names, with what stands behind the name.
    pub fn last(&self, names: &[&str]) -> Option<(&JavaOption<'a>, &str)> {
        self.all.iter().rev().find_map(|option| {
            let value = names.iter().find_map(|name| option.text.strip_prefix(name))?;
            Some((option, value))
        })
    }

    /// The last option that begins with one of these names, with the size behind it; a size that cannot be read is none.
    pub fn size(&self, names: &[&str]) -> Option<(&JavaOption<'a>, Bytes)> {
        let (option, value) = self.last(names)?;
        Some((option, Bytes::parse_jvm(value).ok()?))
    }

    /// A switch `-XX:+Name` or `-XX:-Name`: the last one counts.
    pub fn switch(&self, name: &str) -> Option<(&JavaOption<'a>, bool)> {
        self.all.iter().rev().find_map(|option| {
            let on = switched(&option.text)?;
            (on.0 == name).then_some((option, on.1))
        })
    }

    /// The option that turns a switch on, unless a later one turns it off again.
    pub fn on(&self, name: &str) -> Option<&JavaOption<'a>> {
        self.switch(name).filter(|(_, on)| *on).map(|(option, _)| option)
    }

    /// The options that ask for a collector, each collector once. Two names stand for halves of one: `UseParallelOldGC`
    /// and `UseParNewGC`.
    pub fn collectors(&self) -> Vec<(Collector, &JavaOption<'a>)> {
        let asked = |(collector, flag)| Some((collector, self.on(switched(flag)?.0)?));
        Collector::FLAGS.into_iter().filter_map(asked).collect()
    }
}

/// Whether another option of the JVM's own stands within one, where no value may hold it.
fn is_joined(option: &str) -> bool {
    let free = ["-XX:OnOutOfMemoryError=", "-XX:OnError=", "-XX:HeapDumpPath=", "-XX:ErrorFile="];
    let own =
        option.starts_with("-XX:") || ["-Xmx", "-Xms", "-Xss", "-Xmn"].iter().any(|name| option.starts_with(name));
    let within = |marks: &[&str]| option.get(2..).is_some_and(|rest| marks.iter().any(|mark| rest.contains(mark)));
    own && !free.iter().any(|name| option.starts_with(name)) && within(&["-XX:", "-Xmx", "-Xms", "-Xss"])
        || option.starts_with("--add-") && within(&["--add-", "-XX:", "-Xmx"])
}

/// The name of a switch and whether it turns it on.
pub fn switched(option: &str) -> Option<(&str, bool)> {
    let on = option.strip_prefix("-XX:+").map(|name| (name, true));
    on.or_else(|| option.strip_prefix("-XX:-").map(|name| (name, false)))
}

/// Whether Flink's own memory flags come behind those of the configuration: only where a start command says so.
pub fn flink_comes_last(case: &Case<'_>) -> bool {
    let templates = [
        ("yarn.container-start-command-template", Deployment::Yarn),
        ("kubernetes.container-start-command-template", Deployment::Kubernetes),
    ];
    templates.into_iter().any(|(key, deployment)| {
        let counts = case.deployment.is_none_or(|known| known == deployment);
        let template = case.exactly(key).filter(|_| counts).map(|written| written.text());
        let at = |part| template.as_ref().and_then(|text| text.find(part));
        matches!((at("%jvmmem%"), at("%jvmopts%")), (Some(flink), Some(own)) if flink > own)
    })
}

/// Whether the start commands of a version pass `-XX:+IgnoreUnrecognizedVMOptions`, so that a flag the JVM does not know is
/// passed over in silence; without it the JVM does not start (FLINK-32290, 1.18).
pub fn ignores_unknown_flags(case: &Case<'_>) -> bool {
    case.profile().version().line() >= (1, 18)
}

/// The options of a shell's text, with the place of each; quotes around all of it are taken off first
/// (`bin/config.sh`), those within one option hold it together.
fn words(text: &str) -> Vec<(String, (usize, usize))> {
    let whole = text.trim();
    let bare = whole.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(whole);
    let start = text.find(bare).unwrap_or(0);
    let mut found = Vec::new();
    let mut word: Option<(String, usize)> = None;
    let mut quote: Option<char> = None;
    for (at, c) in bare.char_indices() {
        match (quote, c) {
            (None, c) if c.is_whitespace() => {
                found.extend(word.take().map(|(text, from)| (text, (start + from, start + at))));
            }
            (None, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_with(|| (String::new(), at));
            }
            (Some(open), c) if open == c => quote = None,
            (_, c) => word.get_or_insert_with(|| (String::new(), at)).0.push(c),
        }
    }
    found.extend(word.map(|(text, from)| (text, (start + from, start + bare.len()))));
    found
}

/// An option as it is shown: the beginning, where it is long.
pub fn shown(option: &JavaOption<'_>) -> String {
    let text = &option.text;
    let cut = text.char_indices().nth(80).map(|(at, _)| at);
    cut.map_or_else(|| text.clone(), |at| format!("{}...", &text[..at]))
}

/// A role's cores in a pod as the JVM counts them, and where they are written: the limit of the container, rounded up.
pub fn pod_cores(case: &Case<'_>, role: Role) -> Option<(u32, Place)> {
    let stated = case.pod(role).and_then(|pod| pod.cpu_limit.as_ref());
    if let Some(stated) = stated {
        let text = stated.text.trim();
        let limit = match text.strip_suffix('m') {
            Some(thousandths) => thousandths.parse::<f64>().ok()? / 1000.0,
            None => text.parse().ok()?,
        };
        return whole(limit).map(|cores| (cores, stated.place.clone()));
    }
    if case.deployment != Some(Deployment::Kubernetes) {
        return None;
    }
    let stem = role.key();
    let names = [format!("kubernetes.{stem}.cpu.amount"), format!("kubernetes.{stem}.cpu")];
    let written = names.iter().find_map(|name| case.find(name))?;
    let amount: f64 = written.text().trim().parse().ok()?;
    let factor = format!("kubernetes.{stem}.cpu.limit-factor");
    if case.is_hidden(&factor) {
        return None;
    }
    let limit = amount * case.number(&factor).filter(|factor| *factor >= 1.0).unwrap_or(1.0);
    whole(limit).map(|cores| (cores, written.place().clone()))
}

/// A part of a core counts as a whole one (`CgroupSubsystem::active_processor_count`).
fn whole(limit: f64) -> Option<u32> {
    (limit > 0.0 && limit < 100_000.0).then(|| limit.ceil() as u32)
}

/// The option that sets a role's heap.
pub fn heap_key(case: &Case<'_>, role: Role) -> &'static str {
    let names: [&str; 2] = match role {
        Role::TaskManager => ["taskmanager.memory.task.heap.size", "taskmanager.heap.size"],
        Role::JobManager => ["jobmanager.memory.heap.size", "jobmanager.heap.size"],
    };
    names.into_iter().find(|name| case.option(name).is_some()).unwrap_or(names[0])
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("-Xmx1g  -Xms1g", &["-Xmx1g", "-Xms1g"])]
    #[case("\"-Xmx1g -Xms1g\"", &["-Xmx1g", "-Xms1g"])]
    #[case("-Da='b c' -XX:OnOutOfMemoryError=\"kill -9 %p\"", &["-Da=b c", "-XX:OnOutOfMemoryError=kill -9 %p"])]
    #[case("  ", &[])]
    #[case("-Da='b", &["-Da=b"])]
    fn options_are_the_words_of_a_shell(#[case] text: &str, #[case] expected: &[&str]) {
        let found = words(text);
        assert_eq!(found.iter().map(|(word, _)| word.as_str()).collect::<Vec<_>>(), expected);
        assert!(found.iter().all(|(_, (from, to))| from < to && text.get(*from..*to).is_some()), "{found:?}");
    }

    #[rstest]
    #[case("-XX:+UseG1GC-XX:MaxGCPauseMillis=200", true)]
    #[case("-Xmx1g-Xms1g", true)]
    #[case("--add-opens=a/b=ALL-UNNAMED--add-opens=a/c=ALL-UNNAMED", true)]
    #[case("--add-opens=a/b=ALL-UNNAMED", false)]
    #[case("-XX:OnOutOfMemoryError=jmap -XX:x", false)]
    #[case("-Dopts=-Xmx1g-Xms1g", false)]
    #[case("-XX:+UseG1GC", false)]
    fn options_without_a_blank_between_them_are_told_apart(#[case] option: &str, #[case] expected: bool) {
        assert_eq!(is_joined(option), expected);
    }

    #[rstest]
    #[case("-XX:+UseG1GC", Some(("UseG1GC", true)))]
    #[case("-XX:-UseG1GC", Some(("UseG1GC", false)))]
    #[case("-XX:MaxHeapSize=1g", None)]
    fn switches_have_a_sign(#[case] option: &str, #[case] expected: Option<(&str, bool)>) {
        assert_eq!(switched(option), expected);
    }
}
