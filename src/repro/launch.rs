//! How a process of Flink is started without Flink's scripts: its configuration file and the command line that the
//! scripts would have made of it (`bin/config.sh`, `BashJavaUtils`), out of our own plan of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use thiserror::Error;

use crate::config::FileKind;
use crate::config::layers::{FileText, Layers};
pub use crate::flink::Version;
use crate::flink::options;
use crate::flink::profile::{ConfigurationFile, Profile};
use crate::model::{Bytes, Deployment, Role, Source, UseCase};
use crate::plan::jvm::Machine;
use crate::plan::store::Store;
use crate::plan::{self, Question};

/// The settings of a cluster, by key.
pub type Settings = BTreeMap<String, String>;

/// What a process is started with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Launch {
    /// The name of the configuration file, which Flink looks for in its directory.
    pub file_name: &'static str,
    /// Its text.
    pub file_text: String,
    /// The class whose `main` is run.
    pub main_class: &'static str,
    /// The arguments of the JVM: sizes, and what `env.java.opts` and its kin say.
    pub jvm: Vec<String>,
    /// What stands behind the configuration directory: dynamic properties.
    pub arguments: Vec<String>,
    /// Variables of its environment: what YARN and Kubernetes make of the keys that say so
    /// (`ResourceManagerOptions.CONTAINERIZED_TASK_MANAGER_ENV_PREFIX`, `CONTAINERIZED_MASTER_ENV_PREFIX`). Whoever starts a
    /// standalone process sets them; here that is oomph.
    pub environment: Settings,
    /// The heap: `-Xmx` before the JVM rounds it.
    pub heap: Bytes,
    /// The whole process, as planned.
    pub process: Bytes,
}

/// Why a process cannot be started with some settings. The texts go on after "could not".
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum LaunchError {
    /// A version without a profile.
    #[error("plan a cluster: {0}")]
    Version(String),
    /// The file that was made of them cannot be read again.
    #[error("read the settings of a cluster: {0}")]
    Unreadable(String),
    /// Flink refuses them.
    #[error("plan the {role}: Flink refuses the settings: {reason}")]
    Refused {
        /// Whose.
        role: Role,
        /// In Flink's words.
        reason: String,
    },
}

/// The packages that Flink needs opened from JDK 16 on: `env.java.opts.all` of the `config.yaml` of Flink 1.20.5; that
/// of 2.3.0 leaves out `sun.net.util`, which does no harm. Flink before 1.18 ships none.
const OPENED: [&str; 22] = [
    "--add-exports=java.base/sun.net.util=ALL-UNNAMED",
    "--add-exports=java.rmi/sun.rmi.registry=ALL-UNNAMED",
    "--add-exports=jdk.compiler/com.sun.tools.javac.api=ALL-UNNAMED",
    "--add-exports=jdk.compiler/com.sun.tools.javac.file=ALL-UNNAMED",
    "--add-exports=jdk.compiler/com.sun.tools.javac.parser=ALL-UNNAMED",
    "--add-exports=jdk.compiler/com.sun.tools.javac.tree=ALL-UNNAMED",
    "--add-exports=jdk.compiler/com.sun.tools.javac.util=ALL-UNNAMED",
    "--add-exports=java.security.jgss/sun.security.krb5=ALL-UNNAMED",
    "--add-opens=java.base/java.lang=ALL-UNNAMED",
    "--add-opens=java.base/java.net=ALL-UNNAMED",
    "--add-opens=java.base/java.io=ALL-UNNAMED",
    "--add-opens=java.base/java.nio=ALL-UNNAMED",
    "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
    "--add-opens=java.base/java.lang.reflect=ALL-UNNAMED",
    "--add-opens=java.base/java.text=ALL-UNNAMED",
    "--add-opens=java.base/java.time=ALL-UNNAMED",
    "--add-opens=java.base/java.util=ALL-UNNAMED",
    "--add-opens=java.base/java.util.concurrent=ALL-UNNAMED",
    "--add-opens=java.base/java.util.concurrent.atomic=ALL-UNNAMED",
    "--add-opens=java.base/java.util.concurrent.locks=ALL-UNNAMED",
    // For Kryo of Flink before 1.18, which its shipped options do not open.
    "--add-opens=java.base/java.math=ALL-UNNAMED",
    "--add-opens=java.base/java.util.stream=ALL-UNNAMED",
];

/// What a JVM of this JDK is told so that Flink's classes reach the JDK's. JDK 8 knows no modules.
pub fn opened_packages(jdk: u16) -> &'static [&'static str] {
    if jdk < 9 { &[] } else { &OPENED }
}

/// The first of some spellings of an option that a version declares; the last where it declares none of them.
pub fn spelled<'k>(version: Version, spellings: &[&'k str]) -> &'k str {
    let declared =
        |key: &&&str| Profile::of(version).is_ok_and(|(profile, _)| options::declared(key, profile).is_some());
    spellings.iter().find(declared).or(spellings.last()).copied().unwrap_or_default()
}

/// What the keys of variables in a role's environment begin with.
pub fn environment_prefix(role: Role) -> &'static str {
    match role {
        Role::TaskManager => "containerized.taskmanager.env.",
        Role::JobManager => "containerized.master.env.",
    }
}

/// Plans how a process of a standalone cluster is started with some settings.
pub fn launch(version: Version, role: Role, settings: &Settings) -> Result<Launch, LaunchError> {
    let (profile, _) = Profile::of(version).map_err(|unknown| LaunchError::Version(unknown.to_string()))?;
    let kind = match profile.behaviour.configuration_file {
        ConfigurationFile::LegacyOnly => FileKind::Legacy,
        ConfigurationFile::LegacyElseStandard | ConfigurationFile::StandardOnly => FileKind::Standard,
    };
    let file_text = text(kind, settings);
    let file = FileText {
        source: Source::File(Arc::from(kind.file_name())),
        kind,
        text: file_text.clone(),
        offset: crate::config::layers::Offset::default(),
    };
    let layers = Layers { file: Some(file), ..Layers::default() };
    let config = layers.assemble(profile).map_err(|error| LaunchError::Unreadable(error.to_string()))?.config;
    let question = Question {
        role,
        deployment: Deployment::Standalone,
        consumers: vec![UseCase::StateBackend],
        managed_backend: true,
        stores: vec![Store::RocksDb],
    };
    let planned = plan::survey(&config, profile, &question, Machine::default())
        .map_err(|rejected| LaunchError::Refused { role, reason: rejected.rejection.to_string() })?
        .plan;
    let own = match role {
        Role::TaskManager => "env.java.opts.taskmanager",
        Role::JobManager => "env.java.opts.jobmanager",
    };
    let options = ["env.java.opts.all", "env.java.opts", own].into_iter().filter_map(|key| settings.get(key));
    let prefix = environment_prefix(role);
    let variable = |(key, value): (&String, &String)| Some((key.strip_prefix(prefix)?.to_owned(), value.clone()));
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let jvm = words(&planned.jvm_arguments).into_iter().chain(options.flat_map(|text| words(text))).collect();
    let mode = match role {
        Role::TaskManager => Vec::new(),
        Role::JobManager => words("--executionMode cluster"),
    };
    let properties = planned.dynamic_properties.as_deref().map(words).unwrap_or_default();
    Ok(Launch {
        file_name: kind.file_name(),
        file_text,
        main_class: match role {
            Role::TaskManager => "org.apache.flink.runtime.taskexecutor.TaskManagerRunner",
            Role::JobManager => "org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint",
        },
        jvm,
        arguments: mode.into_iter().chain(properties).collect(),
        environment: settings.iter().filter_map(variable).collect(),
        heap: planned.budget.heap(),
        process: planned.budget.total_process().bytes,
    })
}

/// The text of a configuration file: a line a setting, flat, which both forms allow.
fn text(kind: FileKind, settings: &Settings) -> String {
    let line = |(key, value): (&String, &String)| match kind {
        FileKind::Legacy => format!("{key}: {value}\n"),
        FileKind::Standard => format!("{key}: {}\n", quoted(value)),
    };
    settings.iter().map(line).collect()
}

/// A value as YAML reads it: in quotes where a sign in it might mean something.
fn quoted(value: &str) -> String {
    let plain = |sign: char| sign.is_ascii_alphanumeric() || matches!(sign, '.' | '_' | '-' | '/' | '=');
    let harmless =
        value.starts_with(|sign: char| sign.is_ascii_alphanumeric() || sign == '/') && value.chars().all(plain);
    if harmless { value.to_owned() } else { format!("'{}'", value.replace('\'', "''")) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use super::*;

    fn settings(pairs: &[(&str, &str)]) -> Settings {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    fn version(text: &str) -> Version {
        text.parse().unwrap()
    }

    #[test]
    fn a_taskmanager_is_started_with_the_sizes_that_its_plan_has() {
        let given = settings(&[
            ("taskmanager.memory.process.size", "1024m"),
            ("env.java.opts.taskmanager", "-XX:+UseSerialGC -Da=b"),
        ]);
        let launch = launch(version("1.20.5"), Role::TaskManager, &given).unwrap();
        assert_eq!(launch.file_name, "config.yaml");
        assert_eq!(launch.process, Bytes::mib(1024));
        assert!(launch.jvm.iter().any(|word| word == &format!("-Xmx{}", launch.heap.get())), "{:?}", launch.jvm);
        assert_eq!(launch.jvm[launch.jvm.len() - 2..], ["-XX:+UseSerialGC", "-Da=b"]);
        assert!(launch.arguments.iter().any(|word| word.starts_with("taskmanager.memory.managed.size=")));
    }

    #[test]
    fn a_variable_of_the_environment_is_its_own_roles() {
        let given = settings(&[
            ("taskmanager.memory.process.size", "1024m"),
            ("jobmanager.memory.process.size", "1024m"),
            ("containerized.taskmanager.env.MALLOC_ARENA_MAX", "1"),
        ]);
        let of = |role| launch(version("2.3.0"), role, &given).unwrap().environment;
        assert_eq!(of(Role::TaskManager), settings(&[("MALLOC_ARENA_MAX", "1")]));
        assert_eq!(of(Role::JobManager), settings(&[]));
    }

    #[test]
    fn a_jobmanager_is_told_its_mode_before_its_properties() {
        let given = settings(&[("jobmanager.memory.heap.size", "192m")]);
        let launch = launch(version("2.3.0"), Role::JobManager, &given).unwrap();
        assert_eq!(launch.heap, Bytes::mib(192));
        assert_eq!(launch.arguments[..3], ["--executionMode", "cluster", "-D"]);
    }

    #[test]
    fn a_version_that_only_knows_the_old_file_gets_it() {
        let given = settings(&[("taskmanager.memory.process.size", "1024m"), ("a", "b: c")]);
        let launch = launch(version("1.13.6"), Role::TaskManager, &given).unwrap();
        assert_eq!(
            (launch.file_name, launch.file_text.as_str()),
            ("flink-conf.yaml", "a: b: c\ntaskmanager.memory.process.size: 1024m\n")
        );
    }

    #[test]
    fn a_value_with_a_colon_is_quoted_for_yaml() {
        assert_eq!(quoted("file:///tmp/it's"), "'file:///tmp/it''s'");
        assert_eq!(quoted("-Dx"), "'-Dx'");
        assert_eq!(quoted("1024m"), "1024m");
    }

    #[test]
    fn what_flink_refuses_is_refused_in_its_words() {
        let given = settings(&[("taskmanager.memory.process.size", "1m")]);
        let refused = launch(version("1.20.5"), Role::TaskManager, &given).unwrap_err();
        assert!(matches!(refused, LaunchError::Refused { role: Role::TaskManager, .. }), "{refused}");
    }

    #[test]
    fn an_option_is_spelled_as_its_version_declares_it() {
        let spellings = ["state.backend.type", "state.backend"];
        assert_eq!(spelled(version("2.3.0"), &spellings), "state.backend.type");
        assert_eq!(spelled(version("1.13.6"), &spellings), "state.backend");
    }
}
