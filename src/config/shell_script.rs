//! Shell scripts and Dockerfiles: what their commands configure of Flink, as [`Subject`]s with places.
//!
//! Read are dynamic properties of Flink's own scripts, memory flags of YARN's client, `FLINK_PROPERTIES` of containers,
//! and configuration files that are written with here-documents and `echo`. Each lies over a configuration that is not
//! here, but for a file that is written anew. A program's other `-D` are not Flink's.

mod client;
mod container;
mod words;

use std::collections::HashMap;

use client::{assignment, bare, base};
use words::{Command, Dialect, Word};

use super::environment::{self, Variable};
use super::layers::{FileText, Offset, Remark};
use super::subject::{Fleet, Pod, Subject};
use super::{FileKind, is_placeholder, manifest, standard};
use crate::model::{Deployment, Place, Role, Source};

/// A script without anything that configures Flink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoSettings;

/// Whether a text says in its beginning that it is a script or a Dockerfile.
pub fn begins_as_script(text: &str) -> bool {
    if let Some(rest) = text.strip_prefix("#!") {
        return rest.lines().next().is_some_and(|line| base(line.trim_end()).contains("sh"));
    }
    is_dockerfile(text)
}

/// Whether the first instruction is one that a Dockerfile begins with.
fn is_dockerfile(text: &str) -> bool {
    let first = text.lines().map(str::trim_start).find(|line| !line.is_empty() && !line.starts_with('#'));
    let words = first.map(|line| line.split_whitespace().take(2).collect::<Vec<_>>());
    match words.as_deref() {
        Some([word, image]) => {
            word.eq_ignore_ascii_case("FROM") && !image.ends_with(':') || *word == "ARG" && text.contains("\nFROM ")
        }
        _ => false,
    }
}

/// Whether a line of a text is a command that concerns Flink.
pub fn has_command(text: &str) -> bool {
    const SIGNS: [&str; 5] = ["flink run", "-session", "docker run", "FLINK_PROPERTIES=", "manager.sh"];
    if !SIGNS.iter().any(|sign| text.contains(sign)) {
        return false;
    }
    text.lines().any(|line| {
        let line = line.trim_start().trim_start_matches("$ ").trim_start_matches("sudo ");
        let mut words = line.split_whitespace();
        let (first, second) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        match base(first) {
            "flink" => second.starts_with("run"),
            "docker" | "podman" => second == "run" && line.contains("flink"),
            "export" | "ENV" => second.starts_with("FLINK_PROPERTIES="),
            "kubernetes-session.sh" | "yarn-session.sh" | "flink-yarn-session" | "taskmanager.sh" | "jobmanager.sh" => {
                true
            }
            _ => first.starts_with("FLINK_PROPERTIES="),
        }
    })
}

/// Whose process a word names, as arguments of the official image do.
fn role(word: &str) -> Option<Role> {
    manifest::role(&[word])
}

/// Scripts with more to say were not written by a person.
const MAX_SUBJECTS: usize = 1_000;

/// What is taken over from a variable.
const MAX_TAKEN_OVER: usize = 1 << 16;

/// Everything in a script that configures Flink.
pub fn subjects(source: &Source, text: &str) -> Result<Vec<Subject>, NoSettings> {
    let dialect = if is_dockerfile(text) { Dialect::Dockerfile } else { Dialect::Shell };
    let mut script = Script { source, found: Vec::new(), files: Vec::new(), variables: HashMap::new(), stage: None };
    let commands = words::commands(source, text, dialect);
    for (number, command) in commands.iter().enumerate() {
        if dialect == Dialect::Dockerfile && command.first && script.instruction(command) {
            continue;
        }
        script.command(command, number.checked_sub(1).and_then(|before| commands.get(before)));
    }
    script.finish()
}

/// A script as far as it is read.
struct Script<'s> {
    source: &'s Source,
    found: Vec<Subject>,
    files: Vec<ConfFile>,
    /// Variables that are set to a text, by name; those that were used are no subjects of their own.
    variables: HashMap<String, Assigned>,
    stage: Option<Stage>,
}

/// A variable of the script.
struct Assigned {
    word: Word,
    line: u32,
    used: bool,
}

/// A configuration file that the script writes.
struct ConfFile {
    path: String,
    kind: FileKind,
    whole: bool,
    line: u32,
    content: Word,
    version: Option<String>,
}

/// A stage of a Dockerfile.
#[derive(Clone, Debug, Default)]
struct Stage {
    line: u32,
    version: Option<String>,
    subject: Subject,
}

impl Script<'_> {
    fn command(&mut self, command: &Command, before: Option<&Command>) {
        if self.found.len() >= MAX_SUBJECTS || self.files.len() >= MAX_SUBJECTS {
            return;
        }
        self.write(command, before);
        let words = bare(&command.words);
        let set = &command.words[..command.words.len() - words.len()];
        let name = |what: &str| Some(format!("{what} in line {}", command.line));
        let mut subject = None;
        if let Some(started) = container::started(words) {
            let environment: Vec<Variable> =
                started.variables.into_iter().filter_map(|(name, value)| self.variable(name, value)).collect();
            let known = started.role.is_some() || !environment.is_empty() || !started.settings.is_empty();
            let mut found = Subject {
                name: name("docker run"),
                environment,
                arguments: started.settings,
                deployment: Some(Deployment::Standalone),
                role: started.role,
                version: started.version.map(|version| (version, manifest::IMAGE_TAG.to_owned())),
                ..Subject::default()
            };
            if let Some((role, memory)) = started.role.zip(started.memory) {
                match container::limit(&memory) {
                    Ok(limit) => {
                        found.pods.extend(limit.map(|limit| (role, Pod { limit: Some(limit), ..Pod::default() })))
                    }
                    Err(remark) => found.remarks.push(remark),
                }
            }
            subject = known.then_some(found);
        } else if let Some(client) = client::of(command) {
            let told = client::told(&client);
            let environment: Vec<Variable> = set.iter().filter_map(|word| self.own_variable(word)).collect();
            let known = !told.settings.is_empty()
                || told.yarn.taskmanager.is_some()
                || told.yarn.jobmanager.is_some()
                || !environment.is_empty();
            let version = client::version_in_path(&client.program.text);
            let found = Subject {
                name: name(client.name),
                environment,
                arguments: told.settings,
                yarn: told.yarn,
                deployment: told.deployment,
                role: client.role,
                fleet: Fleet { parallelism: told.parallelism, ..Fleet::default() },
                version: version.map(|version| (version, "as the path of its command says".to_owned())),
                ..Subject::default()
            };
            subject = known.then_some(found);
        } else {
            let declares = ["declare", "local", "readonly", "typeset"];
            let declared = words.first().is_some_and(|word| declares.contains(&word.text.as_str()));
            self.assign(if declared { words } else { set }, command.line);
        }
        if let Some(mut subject) = subject {
            if subject.version.is_none()
                && let Some(version) = self.stage.as_ref().and_then(|stage| stage.version.clone())
            {
                subject.version = Some((version, manifest::IMAGE_TAG.to_owned()));
            }
            self.found.push(Subject { partial: true, shipped: true, ..subject });
        }
        self.nested(command);
    }

    /// A line of commands in an argument, as of `bash -c`.
    fn nested(&mut self, command: &Command) {
        let shell = command.words.iter().position(|word| ["bash", "sh"].contains(&base(&word.text)));
        let Some(flag) = shell.filter(|at| command.words.get(at + 1).is_some_and(|word| word.text.ends_with('c')))
        else {
            return;
        };
        let Some(line) = command.words.get(flag + 2).filter(|line| line.text.contains("flink")) else { return };
        for mut inner in words::commands(self.source, &line.text, Dialect::Shell) {
            inner.line = line.position(&line.text).line;
            for word in inner.words.iter_mut().chain(inner.here.as_mut()) {
                word.inlay = word.inlay.through(&line.inlay, &line.text);
            }
            // What is nested twice is not followed.
            if inner.words.iter().all(|word| !["bash", "sh"].contains(&base(&word.text))) {
                self.command(&inner, None);
            }
        }
    }

    /// Remembers the variables that words set.
    fn assign(&mut self, words: &[Word], line: u32) {
        for word in words {
            if let Some((name, behind)) = assignment(word) {
                let assigned = Assigned { word: word.behind(behind), line, used: false };
                if let Some(before) = self.variables.insert(name.to_owned(), assigned) {
                    self.alone(name, before);
                }
            }
        }
    }

    /// A variable's value: where it is another variable's, that one's.
    fn variable(&mut self, name: &str, value: Option<Word>) -> Option<Variable> {
        let own = format!("${{{name}}}");
        let asked = value.as_ref().map_or(own.as_str(), |word| word.text.as_str());
        let known = asked.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
        if let Some(assigned) = known.and_then(|name| self.variables.get_mut(name))
            && assigned.word.text.len() <= MAX_TAKEN_OVER
        {
            assigned.used = true;
            return Some(of_word(name, assigned.word.clone()));
        }
        value.map(|word| of_word(name, word))
    }

    fn own_variable(&mut self, word: &Word) -> Option<Variable> {
        let (name, behind) = assignment(word)?;
        let name = environment::VARIABLES.into_iter().find(|known| *known == name)?;
        self.variable(name, Some(word.behind(behind)))
    }

    /// A variable of Flink's that no command in the script takes.
    fn alone(&mut self, name: &str, assigned: Assigned) {
        let is_known = environment::VARIABLES.contains(&name);
        if assigned.used || !is_known || is_placeholder(&assigned.word.text) && !assigned.word.text.contains(':') {
            return;
        }
        self.found.push(Subject {
            name: Some(format!("{name} in line {}", assigned.line)),
            remarks: unfolded(&assigned.word),
            environment: vec![of_word(name, assigned.word)],
            partial: true,
            shipped: true,
            ..Subject::default()
        });
    }

    /// What a command writes into a configuration file.
    fn write(&mut self, command: &Command, before: Option<&Command>) {
        let words = bare(&command.words);
        let words = match words {
            [first, rest @ ..] if first.text == "sudo" => rest,
            all => all,
        };
        let Some(program) = words.first() else { return };
        let program = base(&program.text);
        let named = words[1..].iter().find(|word| !word.text.starts_with('-'));
        let (path, appends, from) = match (&command.output, program) {
            (_, "tee") => {
                let appends = words.iter().any(|word| word.text == "-a" || word.text == "--append");
                let before = before.filter(|before| before.piped && command.here.is_none());
                (named.map(|word| &word.text), appends, before.unwrap_or(command))
            }
            (_, "COPY" | "ADD") if command.here.is_some() => (words.last().map(|word| &word.text), false, command),
            (Some((path, appends)), _) => (Some(&path.text), *appends, command),
            _ => return,
        };
        let Some(path) = path else { return };
        let kind = match base(path) {
            "flink-conf.yaml" => FileKind::Legacy,
            "config.yaml" => FileKind::Standard,
            _ => return,
        };
        let Some(content) = content(from) else { return };
        let is_flinks = path.to_lowercase().contains("flink")
            || ["taskmanager", "jobmanager"].iter().any(|word| content.text.contains(word));
        if !is_flinks || manifest::is_manifest(&content.text) {
            return;
        }
        if appends && let Some(file) = self.files.iter_mut().rev().find(|file| file.path == *path) {
            let mut joined = std::mem::take(&mut file.content.text);
            if !joined.ends_with('\n') {
                joined.push('\n');
            }
            file.content.inlay.append(joined.len(), &content.inlay);
            joined.push_str(&content.text);
            file.content.text = joined;
            return;
        }
        let version = self.stage.as_ref().and_then(|stage| stage.version.clone());
        self.files.push(ConfFile { path: path.clone(), kind, whole: !appends, line: command.line, content, version });
    }

    /// An instruction of a Dockerfile; whether no shell runs it.
    fn instruction(&mut self, command: &Command) -> bool {
        let Some((name, words)) = command.words.split_first() else { return false };
        match name.text.to_uppercase().as_str() {
            "FROM" => {
                let Some(image) = words.iter().find(|word| !word.text.starts_with("--")) else { return true };
                let image = self.resolved(&image.text);
                let earlier = self.variables.get(&format!("stage {image}")).map(|stage| stage.word.text.clone());
                let version = manifest::version_in_tag(&image).or(earlier);
                if let [.., word, alias] = words
                    && word.text.eq_ignore_ascii_case("as")
                    && let Some(version) = &version
                {
                    let word = Word { text: version.clone(), inlay: alias.inlay.clone() };
                    let assigned = Assigned { word, line: command.line, used: true };
                    self.variables.insert(format!("stage {}", alias.text), assigned);
                }
                self.end_stage();
                self.stage = Some(Stage { line: command.line, version, ..Stage::default() });
            }
            "ARG" => self.assign(words, command.line),
            "ENV" => self.env(words),
            "CMD" | "ENTRYPOINT" => {
                let listed = |word: &Word| {
                    let inner = word.text.trim_start_matches('[').trim_end_matches([',', ']']);
                    let start = word.text.find(inner).unwrap_or(0);
                    let mut cut = word.behind(start);
                    cut.text.truncate(inner.len());
                    cut
                };
                let words: Vec<Word> = words.iter().map(listed).filter(|word| !word.text.is_empty()).collect();
                let role = words.iter().find_map(|word| role(base(&word.text)));
                let stage = self.stage.get_or_insert_default();
                stage.subject.role = stage.subject.role.or(role);
                if role.is_some() || stage.subject.role.is_some() {
                    stage.subject.arguments.extend(container::dynamic(&words));
                }
            }
            "RUN" => return false,
            "COPY" | "ADD" => self.write(command, None),
            _ => {}
        }
        true
    }

    /// `ENV NAME=value …` and `ENV NAME value`.
    fn env(&mut self, words: &[Word]) {
        let mut variables = Vec::new();
        match words {
            [name, value, ..] if assignment(name).is_none() => {
                let known = environment::VARIABLES.into_iter().find(|known| *known == name.text);
                variables.extend(known.map(|name| (name, value.clone())));
            }
            words => {
                for word in words {
                    let Some((name, behind)) = assignment(word) else { continue };
                    let known = environment::VARIABLES.into_iter().find(|known| *known == name);
                    variables.extend(known.map(|name| (name, word.behind(behind))));
                }
            }
        }
        let stage = self.stage.get_or_insert_default();
        for (name, word) in variables {
            stage.subject.remarks.extend(unfolded(&word));
            stage.subject.environment.retain(|variable| variable.name != name);
            stage.subject.environment.push(of_word(name, word));
        }
    }

    /// An image's name with the defaults of its arguments.
    fn resolved(&self, image: &str) -> String {
        let mut out = String::new();
        let mut rest = image;
        while let Some((before, behind)) = rest.split_once("${") {
            let Some((name, behind)) = behind.split_once('}') else { break };
            out.push_str(before);
            let value = self.variables.get(name).map_or("", |assigned| assigned.word.text.as_str());
            if out.len() + value.len() > MAX_TAKEN_OVER {
                break;
            }
            out.push_str(value);
            rest = behind;
        }
        out + rest
    }

    fn end_stage(&mut self) {
        let Some(Stage { line, version, subject }) = self.stage.take() else { return };
        if (subject.environment.is_empty() && subject.arguments.is_empty()) || self.found.len() >= MAX_SUBJECTS {
            return;
        }
        self.found.push(Subject {
            name: Some(format!("image in line {line}")),
            deployment: subject.role.map(|_| Deployment::Standalone),
            version: version.map(|version| (version, manifest::IMAGE_TAG.to_owned())),
            partial: true,
            shipped: true,
            ..subject
        });
    }

    fn finish(mut self) -> Result<Vec<Subject>, NoSettings> {
        self.end_stage();
        let mut left: Vec<(String, Assigned)> = std::mem::take(&mut self.variables).into_iter().collect();
        left.sort_by_key(|(_, assigned)| assigned.line);
        for (name, assigned) in left {
            self.alone(&name, assigned);
        }
        for file in std::mem::take(&mut self.files) {
            // Lines for a file that is not here make no sense by themselves where they are nested in it.
            if !file.whole && file.kind == FileKind::Standard && standard::parse(&file.content.text).is_err() {
                continue;
            }
            let Word { text, inlay } = file.content;
            let offset = Offset::of(inlay, &text);
            self.found.push(Subject {
                name: Some(format!("{} in line {}", file.kind, file.line)),
                file: Some(FileText { source: self.source.clone(), kind: file.kind, text, offset }),
                version: file.version.map(|version| (version, manifest::IMAGE_TAG.to_owned())),
                partial: !file.whole,
                shipped: !file.whole,
                ..Subject::default()
            });
        }
        if self.found.is_empty() { Err(NoSettings) } else { Ok(self.found) }
    }
}

/// What a command prints: a here-document, or what `echo` and `printf` are given.
fn content(command: &Command) -> Option<Word> {
    if let Some(here) = &command.here {
        return Some(here.clone());
    }
    let words = bare(&command.words);
    let (program, words) = words.split_first()?;
    let mut words = words;
    let mut escapes = false;
    match base(&program.text) {
        "echo" => {
            while let Some((flag, rest)) =
                words.split_first().filter(|(flag, _)| ["-e", "-n", "-en", "-ne"].contains(&flag.text.as_str()))
            {
                escapes |= flag.text.contains('e');
                words = rest;
            }
        }
        "printf" => {
            escapes = true;
            words = words.get(..1)?;
            if words.first()?.text.contains('%') {
                return None;
            }
        }
        _ => return None,
    }
    let (first, more) = words.split_first()?;
    let mut all = first.clone();
    for word in more {
        all.text.push(' ');
        all.inlay.append(all.text.len(), &word.inlay);
        all.text.push_str(&word.text);
    }
    Some(if escapes { all.with_line_ends() } else { all })
}

/// A variable with the text of a word.
fn of_word(name: &str, word: Word) -> Variable {
    let Word { text, inlay } = word.with_line_ends();
    Variable { name: name.to_owned(), text, inlay: Some(inlay) }
}

/// What is wrong with a text whose lines end in `\n`.
fn unfolded(word: &Word) -> Vec<Remark> {
    let found = word.text.find("\\n").map(|at| Remark {
        place: Place { source: word.inlay.source().clone(), position: Some(word.position(&word.text[at..at + 2])) },
        text: "`\\n` in quotes is no line end to a shell or a Dockerfile, but two letters: here it is read as one"
            .to_owned(),
    });
    found.into_iter().collect()
}

#[cfg(test)]
mod tests;
