//! The environment file of the SQL client up to Flink 1.13 (`sql-client-defaults.yaml`): tables, catalogs and how queries are
//! run. Options of Flink's stand below `configuration` alone; what stands below `execution` and `deployment` has names of
//! its own.

use std::rc::Rc;

use super::subject::{Placed, Subject};
use super::yaml::{self, Kind, Node, YamlError};
use super::{Value, subject};
use crate::model::{Place, Source};

/// Whether a text is such a file, by the sections that it has and a configuration has not.
pub fn is_environment(text: &str) -> bool {
    let has = |section: &str| text.lines().any(|line| line.starts_with(section));
    let own = ["tables:", "functions:", "catalogs:", "configuration:"];
    has("execution:") && has("deployment:") && own.iter().any(|section| has(section))
}

/// What it configures: the options below `configuration`, over a file that is not here.
pub fn subject(source: &Source, text: &str) -> Result<Subject, YamlError> {
    let mut settings = Vec::new();
    if let Some(root) = yaml::parse(text)?
        && let Some(section) = root.get("configuration")
    {
        collect(source, "", section, &mut settings);
    }
    Ok(Subject { settings, of: subject::Of::Flink, partial: true, shipped: true, ..Subject::default() })
}

fn collect(source: &Source, prefix: &str, node: &Rc<Node>, into: &mut Vec<Placed>) {
    for (key, value) in node.entries() {
        let Some(name) = key.text() else { continue };
        let full = if prefix.is_empty() { name.into_owned() } else { format!("{prefix}.{name}") };
        match &value.kind {
            // Nobody nests deeper than an option's name has parts.
            Kind::Mapping(_) if full.split('.').count() < 20 => collect(source, &full, value, into),
            Kind::Scalar(Value::Null) => {}
            Kind::Scalar(scalar) => into.push(Placed {
                key: full,
                value: Value::text(scalar.java_text().into_owned()),
                place: Place { source: source.clone(), position: Some(value.position) },
                written: Some(key.position),
            }),
            Kind::Mapping(_) | Kind::Sequence(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "tables: []\nexecution:\n  parallelism: 1\n  restart-strategy: {type: fallback}\nconfiguration:\n  \
                        table.exec.state.ttl: 1 h\n  state: {backend: rocksdb}\ndeployment:\n  gateway-port: 0\n";

    #[test]
    fn only_what_stands_below_configuration_is_an_option() {
        assert!(is_environment(FILE));
        let subject = subject(&Source::Stdin, FILE).unwrap();
        let found: Vec<_> =
            subject.settings.iter().map(|setting| format!("{}={}", setting.key, setting.value.java_text())).collect();
        assert_eq!(found, ["table.exec.state.ttl=1 h", "state.backend=rocksdb"]);
        assert_eq!(subject.settings[1].place.position.map(|position| position.line), Some(7));
    }

    #[test]
    fn a_configuration_is_none_and_a_broken_file_is_an_error() {
        assert!(!is_environment("execution:\n  target: local\nparallelism.default: 1\n"));
        assert!(subject(&Source::Stdin, "tables: [\nexecution:\ndeployment:\n").is_err());
    }
}
