//! A workload: what is known of a job before there is a configuration. A file of it is flat YAML; every field may be left
//! out.

use thiserror::Error;

use super::Value;
use super::yaml::{self, Kind, Node};
use crate::flink::Version;
use crate::model::{Bytes, Position};

/// Where keyed state lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateHome {
    /// In RocksDB.
    RocksDb,
    /// In ForSt.
    ForSt,
    /// On the Java heap.
    Heap,
}

/// What is done to state most of the time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Access {
    /// Both.
    #[default]
    Balanced,
    /// Written.
    WriteHeavy,
    /// Read.
    ReadHeavy,
}

/// Who starts the processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Starter {
    /// Flink's scripts.
    Standalone,
    /// YARN.
    Yarn,
    /// Kubernetes.
    Kubernetes,
}

/// Who hands out native memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allocator {
    /// The C library.
    Glibc,
    /// jemalloc, preloaded.
    Jemalloc,
}

/// What is known of a job.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Workload {
    /// The Flink version.
    pub flink: Option<Version>,
    /// Who starts the processes.
    pub deployment: Option<Starter>,
    /// What a TaskManager's process may take.
    pub container: Option<Bytes>,
    /// Slots of a TaskManager.
    pub slots: Option<u32>,
    /// The job's parallelism.
    pub parallelism: Option<u32>,
    /// Exchanges between its vertices, in words.
    pub edges: Option<Vec<String>>,
    /// Whether exchanges are blocking.
    pub batch_shuffle: Option<bool>,
    /// Where keyed state lives.
    pub backend: Option<StateHome>,
    /// States of a slot; timers count as one.
    pub states: Option<u32>,
    /// All state of the job, as large as a full checkpoint.
    pub state_size: Option<Bytes>,
    /// What is done to it.
    pub access: Option<Access>,
    /// Heap that user code needs on a TaskManager.
    pub user_heap: Option<Bytes>,
    /// Whether there are Python functions.
    pub python: Option<bool>,
    /// Who hands out native memory.
    pub allocator: Option<Allocator>,
    /// Cores that the JVM sees.
    pub cores: Option<u32>,
}

impl Workload {
    /// This workload, with the other's fields where it has none.
    pub fn or(self, other: Workload) -> Workload {
        Workload {
            flink: self.flink.or(other.flink),
            deployment: self.deployment.or(other.deployment),
            container: self.container.or(other.container),
            slots: self.slots.or(other.slots),
            parallelism: self.parallelism.or(other.parallelism),
            edges: self.edges.or(other.edges),
            batch_shuffle: self.batch_shuffle.or(other.batch_shuffle),
            backend: self.backend.or(other.backend),
            states: self.states.or(other.states),
            state_size: self.state_size.or(other.state_size),
            access: self.access.or(other.access),
            user_heap: self.user_heap.or(other.user_heap),
            python: self.python.or(other.python),
            allocator: self.allocator.or(other.allocator),
            cores: self.cores.or(other.cores),
        }
    }
}

/// Why a file is no workload.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("line {}, column {}: {reason}", position.line, position.column)]
pub struct WorkloadError {
    /// Where.
    pub position: Position,
    /// What is wrong.
    pub reason: String,
}

/// The fields of a file, for messages.
const FIELDS: &str = "flink, deployment, container, slots, parallelism, edges, batch-shuffle, backend, states, state-size, \
                      access, user-heap, python, allocator, cores";

/// Reads a workload file.
pub fn parse(text: &str) -> Result<Workload, WorkloadError> {
    let wrong = |position: &Position, reason: String| WorkloadError { position: *position, reason };
    let root = yaml::parse(text).map_err(|error| wrong(&error.position, error.reason.clone()))?;
    let mut workload = Workload::default();
    let Some(root) = root else { return Ok(workload) };
    let Kind::Mapping(entries) = &root.kind else {
        return Err(wrong(&root.position, format!("a workload is a list of fields: {FIELDS}")));
    };
    for (key, value) in entries {
        let name = match &key.kind {
            Kind::Scalar(name) => name.java_text().into_owned(),
            _ => return Err(wrong(&key.position, "a field's name is a word".to_owned())),
        };
        workload.take(&name, value).map_err(|reason| match reason {
            Wrong::Field => {
                let name: String = name.chars().take(40).collect();
                wrong(&key.position, format!("{name} is no field of a workload; there are: {FIELDS}"))
            }
            Wrong::Value(accepted) => wrong(&value.position, format!("{name} is {accepted}")),
        })?;
    }
    Ok(workload)
}

enum Wrong {
    Field,
    Value(&'static str),
}

impl Workload {
    fn take(&mut self, name: &str, node: &Node) -> Result<(), Wrong> {
        let text = || match &node.kind {
            Kind::Scalar(value) => value.java_text().into_owned(),
            _ => String::new(),
        };
        let size = || {
            let bytes = Bytes::parse_flink(&text()).ok().filter(|bytes| *bytes > Bytes::ZERO);
            bytes.map(Some).ok_or(Wrong::Value("a size, such as 8g"))
        };
        let number = || text().parse::<u32>().map(Some).map_err(|_| Wrong::Value("a whole number"));
        let flag = || match &node.kind {
            Kind::Scalar(Value::Bool(flag)) => Ok(Some(*flag)),
            _ => Err(Wrong::Value("true or false")),
        };
        match name {
            "flink" => self.flink = Some(text().parse().map_err(|_| Wrong::Value("a version, such as \"1.20\""))?),
            "deployment" => {
                self.deployment = Some(match text().as_str() {
                    "standalone" => Starter::Standalone,
                    "yarn" => Starter::Yarn,
                    "kubernetes" => Starter::Kubernetes,
                    _ => return Err(Wrong::Value("standalone, yarn or kubernetes")),
                });
            }
            "container" => self.container = size()?,
            "cores" => self.cores = number()?,
            "slots" => self.slots = number()?,
            "parallelism" => self.parallelism = number()?,
            "edges" => {
                self.edges = Some(words(node).ok_or(Wrong::Value("a list of exchanges, such as [hash, forward]"))?)
            }
            "batch-shuffle" => self.batch_shuffle = flag()?,
            "backend" => {
                self.backend = Some(match text().as_str() {
                    "rocksdb" => StateHome::RocksDb,
                    "forst" => StateHome::ForSt,
                    "hashmap" => StateHome::Heap,
                    _ => return Err(Wrong::Value("rocksdb, forst or hashmap")),
                });
            }
            "states" => self.states = number()?,
            "state-size" => self.state_size = size()?,
            "access" => {
                self.access = Some(match text().as_str() {
                    "balanced" => Access::Balanced,
                    "write-heavy" => Access::WriteHeavy,
                    "read-heavy" => Access::ReadHeavy,
                    _ => return Err(Wrong::Value("balanced, write-heavy or read-heavy")),
                });
            }
            "user-heap" => self.user_heap = size()?,
            "python" => self.python = flag()?,
            "allocator" => {
                self.allocator = Some(match text().as_str() {
                    "glibc" => Allocator::Glibc,
                    "jemalloc" => Allocator::Jemalloc,
                    _ => return Err(Wrong::Value("glibc or jemalloc")),
                });
            }
            _ => return Err(Wrong::Field),
        }
        Ok(())
    }
}

fn words(node: &Node) -> Option<Vec<String>> {
    let word = |node: &Node| match &node.kind {
        Kind::Scalar(value) => Some(value.java_text().into_owned()),
        _ => None,
    };
    match &node.kind {
        Kind::Sequence(nodes) => nodes.iter().map(|node| word(node)).collect(),
        Kind::Scalar(text) => Some(text.java_text().split(',').map(|word| word.trim().to_owned()).collect()),
        Kind::Mapping(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn a_workload_is_read_and_what_is_told_otherwise_wins() {
        let file = parse("container: 8g\nslots: 4\nedges: [hash, 2xforward]\npython: true # yes\n").unwrap();
        assert_eq!(file.container, Some(Bytes::gib(8)));
        assert_eq!(file.edges.as_deref().unwrap(), ["hash", "2xforward"]);
        let told = Workload { slots: Some(2), ..Workload::default() }.or(file);
        assert_eq!((told.slots, told.python), (Some(2), Some(true)));
    }

    #[rstest]
    #[case("slots: 4\nheep: 1g\n", "line 2, column 1: heep is no field of a workload; there are: flink,")]
    #[case("container: big\n", "line 1, column 12: container is a size")]
    #[case("- a\n", "line 1, column 1: a workload is a list of fields")]
    #[case("python: yes\n", "line 1, column 9: python is true or false")]
    fn what_is_no_workload_is_said_with_its_line(#[case] text: &str, #[case] expected: &str) {
        let error = parse(text).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
}
