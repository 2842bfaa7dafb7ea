//! The command line of a Flink process: `ps`, `/proc/PID/cmdline`, YARN's process tree, or Flink's own log of it. Also what
//! a web page makes of one, with the spaces between options gone.

use super::Stated;
use crate::model::{Bytes, Role};

/// What a command line says of memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommandLine {
    /// `-Xmx`.
    pub xmx: Option<Flag>,
    /// `-Xms`.
    pub xms: Option<Flag>,
    /// `-XX:MaxDirectMemorySize`.
    pub direct: Option<Flag>,
    /// `-XX:MaxMetaspaceSize`.
    pub metaspace: Option<Flag>,
    /// Flink's dynamic properties, `-D key=value` behind the main class.
    pub dynamic: Vec<(String, String)>,
    /// Whose process, where the main class tells.
    pub role: Option<Role>,
    /// The version that `flink-dist*.jar` on the class path names.
    pub version: Option<String>,
}

/// A size as it is written, and what it comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flag {
    /// As written: `2764m`.
    pub text: String,
    /// In bytes.
    pub bytes: Bytes,
}

/// A text with more different command lines than these is about nobody in particular.
const MOST: usize = 1_000;

/// Every command line of a text that sets a heap, each different one once; at most a thousand.
pub fn parse(text: &str) -> Vec<Stated<CommandLine>> {
    let mut found: Vec<Stated<CommandLine>> = Vec::new();
    for (index, row) in rows(text) {
        if found.len() >= MOST {
            break;
        }
        // The rows of YARN's process tree, which a paste may have joined to one line.
        for row in row.split("|-") {
            let command = command(row);
            if command.xmx.is_none() {
                continue;
            }
            match found.iter_mut().find(|known| known.what.has_flags_of(&command)) {
                Some(known) => known.what.learn(command),
                None => found.push(Stated::at(index, command)),
            }
        }
    }
    let arguments = arguments_in_lines(text);
    if let [only] = found.as_mut_slice()
        && only.what.dynamic.is_empty()
    {
        only.what.dynamic = arguments;
    }
    found
}

/// The lines of a text with their numbers, from 0; the JVM's options that Flink logs one a line are one row.
fn rows(text: &str) -> Vec<(usize, String)> {
    let mut rows: Vec<(usize, String)> = Vec::new();
    let mut in_list = false;
    for (index, line) in text.lines().enumerate() {
        let mut words = line.split_whitespace().rev();
        let option = words.next().filter(|word| word.starts_with("-X") || word.starts_with("--"));
        // Nothing but what the logger writes stands before it.
        let option = option.filter(|_| words.all(|word| word.len() < 2 || !word.starts_with('-')));
        match (option, rows.last_mut()) {
            (Some(option), Some((_, row))) if in_list => *row += &format!(" {option}"),
            _ => rows.push((index, line.to_owned())),
        }
        in_list = option.is_some();
    }
    rows
}

impl CommandLine {
    /// Whether both may be one process seen twice: YARN shows the shell and the JVM with the same command.
    fn has_flags_of(&self, other: &CommandLine) -> bool {
        let bytes = |flag: &Option<Flag>| flag.as_ref().map(|flag| flag.bytes);
        let roles_agree = self.role.is_none() || other.role.is_none() || self.role == other.role;
        let flags = |c: &CommandLine| [bytes(&c.xmx), bytes(&c.xms), bytes(&c.direct), bytes(&c.metaspace)];
        flags(self) == flags(other) && roles_agree
    }

    fn learn(&mut self, other: CommandLine) {
        if self.dynamic.is_empty() {
            self.dynamic = other.dynamic;
        }
        self.role = self.role.or(other.role);
        self.version = self.version.take().or(other.version);
    }
}

fn command(row: &str) -> CommandLine {
    CommandLine {
        xmx: flag(row, "-Xmx"),
        xms: flag(row, "-Xms"),
        direct: flag(row, "-XX:MaxDirectMemorySize="),
        metaspace: flag(row, "-XX:MaxMetaspaceSize="),
        dynamic: dynamic(row),
        role: role(row),
        version: version(row),
    }
}

/// The last of a flag counts, as for the JVM.
fn flag(row: &str, name: &str) -> Option<Flag> {
    let (_, rest) = row.rsplit_once(name)?;
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let unit = rest[digits..].chars().next().filter(|c| "kKmMgGtT".contains(*c));
    let text = format!("{}{}", &rest[..digits], unit.map_or(String::new(), String::from));
    let bytes = Bytes::parse_jvm(&text).ok()?;
    Some(Flag { text, bytes })
}

/// `-D key=value` and `-Dkey=value` behind the main class: before it they are the JVM's own.
fn dynamic(row: &str) -> Vec<(String, String)> {
    let Some(at) = row.find("org.apache.flink.") else { return Vec::new() };
    dynamic_properties(row[at..].split_whitespace().skip(1))
}

/// Flink's dynamic properties among the arguments of a main class or script: `-D key=value` and `-Dkey=value`.
pub fn dynamic_properties<'a>(words: impl IntoIterator<Item = &'a str>) -> Vec<(String, String)> {
    let words: Vec<&str> = words.into_iter().collect();
    let parts = dynamic_parts(&words).into_iter();
    parts.map(|(_, key, value)| (key.to_owned(), value.to_owned())).collect()
}

/// The same as parts of the words they stand in, each with the number of its word.
pub fn dynamic_parts<'a>(words: &[&'a str]) -> Vec<(usize, &'a str, &'a str)> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(word) = words.get(at) {
        let assignment = match word.strip_prefix("-D") {
            Some("") => {
                at += 1;
                words.get(at).copied()
            }
            rest => rest,
        };
        found.extend(assignment.and_then(key_value).map(|(key, value)| (at, key, value)));
        at += 1;
    }
    found
}

fn key_value(text: &str) -> Option<(&str, &str)> {
    let (key, value) = text.trim_start_matches(['"', '\'']).split_once('=')?;
    let is_key = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
    is_key.then(|| (key, value.trim_matches(['"', '\''])))
}

fn role(row: &str) -> Option<Role> {
    let classes = [
        ("TaskManagerRunner", Role::TaskManager),
        // Of YARN, Kubernetes and Mesos, each behind its own name.
        ("TaskExecutorRunner", Role::TaskManager),
        ("ClusterEntrypoint", Role::JobManager),
        ("ApplicationEntryPoint", Role::JobManager),
        ("ClusterEntryPoint", Role::JobManager),
    ];
    classes.into_iter().find(|(class, _)| row.contains(class)).map(|(_, role)| role)
}

fn version(row: &str) -> Option<String> {
    // flink-dist-1.20.5.jar, flink-dist_2.12-1.13.6.jar
    let (_, rest) = row.split_once("flink-dist")?;
    let (name, _) = rest.split_once(".jar")?;
    let (_, version) = name.rsplit_once('-')?;
    version.split('.').all(|part| part.parse::<u16>().is_ok()).then(|| version.to_owned())
}

/// The arguments that Flink logs one a line behind `Program Arguments:`.
fn arguments_in_lines(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut lines = text.lines().skip_while(|line| !line.contains("Program Arguments:")).skip(1);
    let mut after_flag = false;
    for line in lines.by_ref().take(400) {
        let Some(word) = line.split_whitespace().next_back() else { continue };
        if after_flag {
            found.extend(key_value(word));
        } else if let Some(rest) = word.strip_prefix("-D") {
            found.extend(key_value(rest));
        }
        if word == "Classpath:" || line.contains("Classpath: ") {
            break;
        }
        after_flag = word == "-D";
    }
    found.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(command: &CommandLine) -> String {
        let flag = |flag: &Option<Flag>| flag.as_ref().map_or("-".to_owned(), |flag| flag.text.clone());
        [flag(&command.xmx), flag(&command.xms), flag(&command.direct), flag(&command.metaspace)].join(" ")
    }

    #[test]
    fn yarns_shell_and_jvm_are_one_process() {
        let tree = "|- 1 0 1 1 (bash) 0 0 1 2 /bin/bash -c java -Xms2764m -Xmx2764m -XX:MaxDirectMemorySize=1332m \
                    org.apache.flink.yarn.YarnTaskExecutorRunner --configDir .\n\
                    |- 2 1 1 1 (java) 1 2 3 4 java -Xms2764m -Xmx2764m -XX:MaxDirectMemorySize=1332m \
                    org.apache.flink.yarn.YarnTaskExecutorRunner --configDir .";
        let found = parse(tree);
        assert_eq!(found.len(), 1);
        assert_eq!(shown(&found[0].what), "2764m 2764m 1332m -");
        assert_eq!(found[0].what.role, Some(Role::TaskManager));
    }

    #[test]
    fn a_web_page_that_took_the_spaces_out_is_still_read() {
        let found =
            parse("(bash) /bin/bash-c / usr/jdk//bin/java-Xms2764m-Xmx2764m-XX:MaxDirectMemorySize=1332m-XX:+Heap");
        assert_eq!(shown(&found[0].what), "2764m 2764m 1332m -");
    }

    #[test]
    fn dynamic_properties_stand_behind_the_main_class() {
        let found = parse(
            "java -Xmx1g -Dlog.file=x -cp lib/flink-dist-1.20.5.jar: \
             org.apache.flink.runtime.taskexecutor.TaskManagerRunner --configDir c -D a.b=1b -Dc.d=\"2\" -D x",
        );
        assert_eq!(found[0].what.dynamic, [("a.b".into(), "1b".into()), ("c.d".into(), "2".into())]);
        assert_eq!(found[0].what.version.as_deref(), Some("1.20.5"));
    }

    #[test]
    fn a_task_manager_of_every_resource_manager_is_known() {
        for class in ["runtime.taskexecutor.TaskManagerRunner", "yarn.YarnTaskExecutorRunner"]
            .into_iter()
            .chain(["kubernetes.taskmanager.KubernetesTaskExecutorRunner"])
            .chain(["mesos.entrypoint.MesosTaskExecutorRunner"])
        {
            let found = parse(&format!("java -Xmx1g org.apache.flink.{class}"));
            assert_eq!(found[0].what.role, Some(Role::TaskManager), "{class}");
        }
    }

    #[test]
    fn two_processes_are_two() {
        let found = parse("java -Xmx1g Foo\njava -Xmx2g Bar\njava -version");
        assert_eq!(found.iter().map(|f| f.line).collect::<Vec<_>>(), [1, 2]);
    }

    #[test]
    fn arguments_that_flink_logs_line_by_line_are_read() {
        let log = "INFO [] -  -Xmx536870902\nINFO [] -  Program Arguments:\nINFO [] -     --configDir\nINFO [] -     /c\n\
                   INFO [] -     -D\nINFO [] -     taskmanager.memory.network.min=134217730b\nINFO [] -  Classpath: x\n";
        assert_eq!(parse(log)[0].what.dynamic, [("taskmanager.memory.network.min".into(), "134217730b".into())]);
    }

    #[test]
    fn options_that_flink_logs_line_by_line_are_one_command() {
        let log = "T INFO  TaskManagerRunner [] -  JVM Options:\nT INFO  TaskManagerRunner [] -     -Xmx536870902\n\
                   T INFO  TaskManagerRunner [] -     -Xms536870902\n\
                   T INFO  TaskManagerRunner [] -     -XX:MaxDirectMemorySize=268435458\n\
                   T INFO  TaskManagerRunner [] -     -XX:MaxMetaspaceSize=268435456\n";
        let found = parse(log);
        assert_eq!(found.len(), 1);
        assert_eq!(shown(&found[0].what), "536870902 536870902 268435458 268435456");
        assert_eq!(found[0].line, 2);
    }

    #[test]
    fn a_flag_without_a_size_is_none() {
        assert!(parse("-Xmx and nothing").is_empty());
        assert!(parse("-Xmx99999999999999999999g").is_empty());
    }
}
