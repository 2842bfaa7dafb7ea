//! A pasted log or command line as configuration: what Flink said of its memory when it started, put back into the
//! options that give exactly that.

use super::layers::Remark;
use super::subject::{Placed, Pod, Subject, Written};
use super::{Value, environment};
use crate::artefact::command_line::{self, CommandLine};
use crate::artefact::loaded_property::{self, LoadedProperty};
use crate::artefact::startup_block::{self, Label, StartupBlock};
use crate::artefact::{Stated, banner, container_limit};
use crate::flink::{keys, sensitive};
use crate::model::{Bytes, Deployment, Place, Position, Role, Source};

/// Whether a text is a log or a command line rather than a configuration.
pub fn is_startup_log(text: &str) -> bool {
    let signs = ["Memory configuration:", "Loading configuration property: ", "-Xmx", "Total JVM Direct Memory:"];
    signs.iter().any(|sign| text.contains(sign)) && !text.lines().any(|line| line.starts_with("env.java.opts"))
}

/// A log that says something of memory, but too little.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogError {
    /// What is missing.
    pub reason: String,
    /// The line that is about, where there is one.
    pub line: Option<u32>,
}

/// Every process that a text tells of.
pub fn subjects(source: &Source, text: &str) -> Result<Vec<Subject>, LogError> {
    let log = Log::new(source, text);
    let mut blocks: Vec<StartupBlock> = Vec::new();
    for block in startup_block::parse(text) {
        // A process that starts again, or a shell that repeats its child, says the same.
        if !blocks.iter().any(|known| known.says_the_same_as(&block)) {
            blocks.push(block);
        }
    }
    let mut commands = command_line::parse(text);
    let mut subjects = Vec::new();
    let pairs: Vec<(&StartupBlock, Option<Stated<CommandLine>>)> = blocks
        .iter()
        .map(|block| {
            let heap = block.figure(Label::Heap).map(|stated| stated.what);
            let own = commands.iter().position(|command| command.what.xmx.as_ref().map(|flag| flag.bytes) == heap);
            (block, own.map(|index| commands.remove(index)))
        })
        .collect();
    let count = pairs.len() + commands.len();
    if count > MOST_PROCESSES {
        let reason =
            format!("it tells of more than {MOST_PROCESSES} different processes: give those that are asked about");
        return Err(LogError { reason, line: None });
    }
    let many = count > 1;
    for (block, own) in &pairs {
        subjects.push(log.of_block(block, own.as_ref(), many)?);
    }
    for command in &commands {
        subjects.push(log.of_command(command, many));
    }
    if subjects.is_empty() {
        let settings = log.loaded();
        if settings.is_empty() {
            let reason = "it holds neither Flink's block about memory nor a command line with -Xmx".to_owned();
            return Err(LogError { reason, line: None });
        }
        subjects.push(Subject { settings, ..log.subject(1, false) });
    }
    Ok(subjects)
}

/// How many lines a banner may be away from the block of its process, in a text about several.
const NEAR_BANNER: u32 = 200;

/// How many lines above a process's command line YARN states its limit.
const NEAR_LIMIT: u32 = 10;

/// More processes than these are no paste about one.
const MOST_PROCESSES: usize = 100;

/// A text with what is asked of it again and again.
struct Log<'t> {
    source: &'t Source,
    lines: Vec<&'t str>,
    /// Where each line starts.
    starts: Vec<usize>,
    banners: Vec<Stated<String>>,
    limits: Vec<Stated<Bytes>>,
    loaded: Vec<Stated<LoadedProperty>>,
}

impl<'t> Log<'t> {
    fn new(source: &'t Source, text: &'t str) -> Log<'t> {
        let starts = text.split_inclusive('\n').scan(0, |next, line| {
            let start = *next;
            *next += line.len();
            Some(start)
        });
        Log {
            source,
            lines: text.lines().collect(),
            starts: starts.collect(),
            banners: banner::versions(text),
            limits: container_limit::yarn(text),
            loaded: loaded_property::parse(text),
        }
    }

    fn place(&self, line: u32) -> Place {
        let index = usize::try_from(line).unwrap_or(usize::MAX).saturating_sub(1);
        let start = self.starts.get(index).copied().unwrap_or(0);
        let length = self.lines.get(index).map_or(0, |line| line.len());
        let position = Position { line, column: 1, start, end: start + length };
        Place { source: self.source.clone(), position: Some(position) }
    }

    /// What the text around a line tells of its process: all of it where there is but one.
    fn subject(&self, at: u32, many: bool) -> Subject {
        let near = |line: u32, reach: u32| !many || line.abs_diff(at) <= reach;
        let version = self.banners.iter().filter(|v| near(v.line, NEAR_BANNER)).min_by_key(|v| v.line.abs_diff(at));
        let index = |line: u32| usize::try_from(line).unwrap_or(usize::MAX);
        let says = |word: &str, reach: u32| {
            let first = if many { index(at.saturating_sub(reach + 1)) } else { 0 };
            let count = if many { index(2 * reach + 1) } else { usize::MAX };
            self.lines.iter().skip(first).take(count).any(|line| line.contains(word))
        };
        let on_yarn = !many && self.limit(at, many).is_some() || says("org.apache.flink.yarn", 0);
        let on_kubernetes = says("KubernetesTaskExecutorRunner", 0);
        Subject {
            version: version.map(|v| (v.what.clone(), format!("as the banner in line {} says", v.line))),
            deployment: if on_yarn { Some(Deployment::Yarn) } else { on_kubernetes.then_some(Deployment::Kubernetes) },
            ..Subject::default()
        }
    }

    /// The container's limit that YARN states about the process of a line.
    fn limit(&self, at: u32, many: bool) -> Option<Stated<Bytes>> {
        let near = |limit: &&Stated<Bytes>| !many || limit.line <= at && at - limit.line <= NEAR_LIMIT;
        self.limits.iter().rfind(near).cloned()
    }

    /// The options that the log says were loaded. Flink masks secrets in its log: those are left out.
    fn loaded(&self) -> Vec<Placed> {
        let shown = self.loaded.iter().filter(|property| property.what.value != sensitive::MASK);
        let placed = shown.map(|Stated { what, line }| Placed {
            key: what.key.clone(),
            value: Value::text(&what.value),
            place: self.place(*line),
            written: None,
        });
        placed.collect()
    }

    fn of_block(
        &self,
        block: &StartupBlock,
        command: Option<&Stated<CommandLine>>,
        many: bool,
    ) -> Result<Subject, LogError> {
        let line = block.title.or(block.figures.first().map(|(_, stated)| stated.line)).unwrap_or(1);
        let mut subject = self.subject(line, many);
        subject.role = Some(block.role);
        if many {
            subject.name = Some(format!("line {line}"));
        }
        subject.settings = self.loaded();
        // The figures decide everything that these would: what they were derived from is no longer needed, and could
        // contradict them to the byte.
        let settled = [keys::TM_PROCESS, keys::TM_FLINK, keys::JM_PROCESS, keys::JM_FLINK].map(|key| key.name());
        subject.settings.retain(|setting| !settled.contains(&setting.key.as_str()));
        self.add_command(&mut subject, command);
        if block.role == Role::JobManager
            && let Some(Stated { what: CommandLine { direct: Some(_), .. }, line }) = command
        {
            // The block does not tell that the JVM enforces it.
            let key = keys::JM_DIRECT_LIMIT.name().to_owned();
            subject.settings.push(Placed { key, value: Value::text("true"), place: self.place(*line), written: None });
        }
        let figures = whole(block)?;
        for (label, stated) in figures {
            for key in options(label, block.role) {
                let value = Value::text(format!("{}b", stated.what.get()));
                subject.settings.push(Placed {
                    key: (*key).to_owned(),
                    value,
                    place: self.place(stated.line),
                    written: None,
                });
            }
        }
        Ok(subject)
    }

    fn of_command(&self, command: &Stated<CommandLine>, many: bool) -> Subject {
        let mut subject = self.subject(command.line, many);
        subject.role = command.what.role;
        if many {
            subject.name = Some(format!("line {}", command.line));
            // Which of several processes a banner is of cannot be told from flags.
            subject.version = None;
        }
        subject.settings = self.loaded();
        self.add_command(&mut subject, Some(command));
        let sized = [keys::MANAGED_SIZE, keys::JM_HEAP].map(|key| key.name());
        let told = subject.settings.iter().any(|s| sized.contains(&s.key.as_str()));
        if !told {
            subject.command = Some((command.what.clone(), self.place(command.line)));
        }
        let role = command.what.role.unwrap_or(Role::TaskManager);
        let limit = self.limit(command.line, many);
        let limit = limit.map(|stated| Written { bytes: stated.what, place: self.place(stated.line) });
        if limit.is_some() {
            subject.deployment = Some(Deployment::Yarn);
            subject.pods.push((role, Pod { limit, ..Pod::default() }));
        }
        subject
    }

    /// What a command line adds: its dynamic properties, and the version on its class path.
    fn add_command(&self, subject: &mut Subject, command: Option<&Stated<CommandLine>>) {
        let Some(Stated { what, line }) = command else { return };
        for (key, value) in &what.dynamic {
            let place = self.place(*line);
            let value = Value::text(value.clone());
            subject.settings.push(Placed { key: key.clone(), value, place, written: None });
        }
        if subject.version.is_none() {
            subject.version = what.version.clone().map(|v| (v, format!("as the class path in line {line} says")));
        }
        let unread = what.dynamic.iter().filter(|(key, _)| environment::VARIABLES.contains(&key.as_str()));
        for (key, _) in unread {
            subject.remarks.push(Remark { place: self.place(*line), text: format!("{key} is no option of Flink's") });
        }
    }
}

/// The options that give a part exactly the size of its line.
fn options(label: Label, role: Role) -> &'static [&'static str] {
    match (label, role) {
        (Label::FrameworkHeap, _) => &["taskmanager.memory.framework.heap.size"],
        (Label::TaskHeap, _) => &["taskmanager.memory.task.heap.size"],
        (Label::FrameworkOffHeap, _) => &["taskmanager.memory.framework.off-heap.size"],
        (Label::TaskOffHeap, _) => &["taskmanager.memory.task.off-heap.size"],
        (Label::Managed, _) => &["taskmanager.memory.managed.size"],
        (Label::Network, _) => &["taskmanager.memory.network.min", "taskmanager.memory.network.max"],
        (Label::Metaspace, Role::TaskManager) => &["taskmanager.memory.jvm-metaspace.size"],
        (Label::Overhead, Role::TaskManager) => {
            &["taskmanager.memory.jvm-overhead.min", "taskmanager.memory.jvm-overhead.max"]
        }
        (Label::Heap, Role::JobManager) => &["jobmanager.memory.heap.size"],
        (Label::OffHeap, Role::JobManager) => &["jobmanager.memory.off-heap.size"],
        (Label::Metaspace, Role::JobManager) => &["jobmanager.memory.jvm-metaspace.size"],
        (Label::Overhead, Role::JobManager) => {
            &["jobmanager.memory.jvm-overhead.min", "jobmanager.memory.jvm-overhead.max"]
        }
        (Label::TotalProcess | Label::TotalFlink | Label::Direct | Label::Heap | Label::OffHeap, _) => &[],
    }
}

/// The sums that hold between the lines of a block: a total and its parts.
fn sums(role: Role) -> &'static [(Label, &'static [Label])] {
    match role {
        Role::TaskManager => &[
            (Label::Heap, &[Label::FrameworkHeap, Label::TaskHeap]),
            (Label::Direct, &[Label::FrameworkOffHeap, Label::TaskOffHeap, Label::Network]),
            (Label::OffHeap, &[Label::Managed, Label::Direct]),
            (Label::TotalFlink, &[Label::Heap, Label::OffHeap]),
            (Label::TotalProcess, &[Label::TotalFlink, Label::Metaspace, Label::Overhead]),
        ],
        Role::JobManager => &[
            (Label::TotalFlink, &[Label::Heap, Label::OffHeap]),
            (Label::TotalProcess, &[Label::TotalFlink, Label::Metaspace, Label::Overhead]),
        ],
    }
}

/// The block's figures, with those of missing lines that its sums still tell.
fn whole(block: &StartupBlock) -> Result<Vec<(Label, Stated<Bytes>)>, LogError> {
    let mut known = block.figures.clone();
    let size = |known: &[(Label, Stated<Bytes>)], label: Label| {
        known.iter().find(|(l, _)| *l == label).map(|(_, stated)| stated.clone())
    };
    loop {
        let mut told = None;
        for (total, parts) in sums(block.role) {
            let all: Vec<Label> = std::iter::once(*total).chain(parts.iter().copied()).collect();
            let unknown: Vec<Label> = all.iter().copied().filter(|label| size(&known, *label).is_none()).collect();
            let [label] = unknown.as_slice() else { continue };
            let sum = Bytes::checked_sum(parts.iter().filter_map(|part| size(&known, *part)).map(|s| s.what));
            let bytes = match size(&known, *total) {
                None => sum,
                Some(total) => sum.and_then(|sum| total.what.checked_sub(sum)),
            };
            let line = known.first().map_or(1, |(_, stated)| stated.line);
            told = bytes.map(|bytes| (*label, Stated { what: bytes, line }));
            if told.is_some() {
                break;
            }
        }
        match told {
            Some(figure) => known.push(figure),
            None => break,
        }
    }
    check_sums(block.role, &known)?;
    let all: &[Label] = match block.role {
        Role::TaskManager => &Label::TASK_MANAGER,
        Role::JobManager => &Label::JOB_MANAGER,
    };
    let missing: Vec<&str> =
        all.iter().filter(|label| size(&known, **label).is_none()).map(|label| label.name(block.role)).collect();
    if missing.is_empty() {
        return Ok(known);
    }
    let line = block.figures.last().map(|(_, stated)| stated.line);
    let reason = format!("Flink's block about memory is cut: {} cannot be told from what is left", missing.join(", "));
    Err(LogError { reason, line })
}

/// A log whose lines do not add up was edited, or is put together from two.
fn check_sums(role: Role, known: &[(Label, Stated<Bytes>)]) -> Result<(), LogError> {
    let size = |label: Label| known.iter().find(|(l, _)| *l == label).map(|(_, stated)| stated);
    for (total, parts) in sums(role) {
        let Some(stated) = size(*total) else { continue };
        let parts: Option<Vec<Bytes>> = parts.iter().map(|part| size(*part).map(|s| s.what)).collect();
        let Some(parts) = parts else { continue };
        if Bytes::checked_sum(parts) != Some(stated.what) {
            let reason = format!("the lines below {} do not add up to it: is this one block?", total.text(role));
            return Err(LogError { reason, line: Some(stated.line) });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "\
INFO  [] - Loading configuration property: taskmanager.numberOfTaskSlots, 2
INFO  [] - Loading configuration property: taskmanager.memory.process.size, 4g
INFO  [] - Loading configuration property: s3.secret-key, ******
INFO  [] - Final TaskExecutor Memory configuration:
INFO  [] -   Total Process Memory:          4.000gb (4294967296 bytes)
INFO  [] -     Total Flink Memory:          3.350gb (3597035104 bytes)
INFO  [] -       Total JVM Heap Memory:     1.452gb (1559442198 bytes)
INFO  [] -         Framework:               128.000mb (134217728 bytes)
INFO  [] -         Task:                    1.327gb (1425224470 bytes)
INFO  [] -       Total Off-heap Memory:     1.898gb (2037592906 bytes)
INFO  [] -         Managed:                 1.340gb (1438814063 bytes)
INFO  [] -         Total JVM Direct Memory: 571.040mb (598778843 bytes)
INFO  [] -           Framework:             128.000mb (134217728 bytes)
INFO  [] -           Task:                  100.000mb (104857600 bytes)
INFO  [] -           Network:               343.040mb (359703515 bytes)
INFO  [] -     JVM Metaspace:               256.000mb (268435456 bytes)
INFO  [] -     JVM Overhead:                409.600mb (429496736 bytes)
";

    fn read(text: &str) -> Result<Vec<Subject>, LogError> {
        subjects(&Source::Stdin, text)
    }

    fn value(subject: &Subject, key: &str) -> Option<String> {
        subject.settings.iter().rev().find(|s| s.key == key).map(|s| s.value.java_text().into_owned())
    }

    #[test]
    fn a_block_becomes_the_options_that_give_it() {
        let subjects = read(LOG).unwrap();
        assert_eq!(subjects.len(), 1);
        let value = |key| value(&subjects[0], key);
        assert_eq!(value("taskmanager.memory.managed.size").as_deref(), Some("1438814063b"));
        assert_eq!(value("taskmanager.memory.network.min"), value("taskmanager.memory.network.max"));
        assert_eq!(value("taskmanager.numberOfTaskSlots").as_deref(), Some("2"));
        assert_eq!(value("taskmanager.memory.process.size"), None);
        assert_eq!(value("s3.secret-key"), None);
    }

    #[test]
    fn a_cut_block_is_made_whole_by_its_sums() {
        let cut: String =
            LOG.lines().filter(|line| !line.contains("Managed")).map(|line| format!("{line}\n")).collect();
        let subject = &read(&cut).unwrap()[0];
        assert_eq!(value(subject, "taskmanager.memory.managed.size").as_deref(), Some("1438814063b"));
    }

    #[test]
    fn a_log_cut_in_the_middle_names_what_is_missing_and_the_last_line_there_is() {
        let cut: String = LOG.lines().take(11).map(|line| format!("{line}\n")).collect();
        let error = read(&cut).unwrap_err();
        assert_eq!(error.line, Some(11));
        assert!(error.reason.contains("Network, JVM Metaspace, JVM Overhead"), "{}", error.reason);
    }

    #[test]
    fn a_text_about_a_crowd_is_refused_and_soon() {
        let crowd: String =
            (1..200_000).map(|n| format!("java -Xmx{n}m\nLoading configuration property: k{n}, v\n")).collect();
        let error = read(&crowd).unwrap_err();
        assert!(error.reason.contains("more than 100 different processes"), "{}", error.reason);
    }

    #[test]
    fn lines_that_do_not_add_up_are_refused() {
        let edited = LOG.replace("(1438814063 bytes)", "(1438814064 bytes)");
        let error = read(&edited).unwrap_err();
        assert!(error.reason.contains("Total Off-heap Memory do not add up"), "{}", error.reason);
    }

    #[test]
    fn a_command_line_with_dynamic_properties_tells_everything() {
        let command = "java -Xmx536870902 -Xms536870902 -cp lib/flink-dist-1.20.5.jar: \
                       org.apache.flink.runtime.taskexecutor.TaskManagerRunner --configDir c \
                       -D taskmanager.memory.managed.size=536870920b -D taskmanager.numberOfTaskSlots=2";
        let subject = &read(command).unwrap()[0];
        assert!(subject.command.is_none());
        assert_eq!(subject.version.as_ref().map(|v| v.0.as_str()), Some("1.20.5"));
        assert_eq!(value(subject, "taskmanager.numberOfTaskSlots").as_deref(), Some("2"));
    }

    #[test]
    fn a_command_line_of_flags_alone_has_to_be_inferred() {
        let killed = "Container is running beyond physical memory limits. Current usage: 4.0 GB of 4 GB physical memory \
                      used. java -Xms2764m -Xmx2764m -XX:MaxDirectMemorySize=1332m org.apache.flink.yarn.YarnTaskExecutorRunner";
        let subject = &read(killed).unwrap()[0];
        assert!(subject.command.is_some());
        assert_eq!(subject.deployment, Some(Deployment::Yarn));
        assert_eq!(subject.pod(Role::TaskManager).unwrap().limit.as_ref().unwrap().bytes, Bytes::gib(4));
    }
}
