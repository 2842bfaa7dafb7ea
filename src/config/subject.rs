//! One process configuration out of an input: a file of Flink's own is one, a manifest or a pasted log may hold several.

use super::environment::Variable;
use super::layers::{FileText, Remark};
use super::{FileKind, Value};
use crate::artefact::command_line::CommandLine;
use crate::model::{Bytes, Deployment, Place, Position, Role};

/// What an input says of one Flink cluster or process.
#[derive(Clone, Debug, Default)]
pub struct Subject {
    /// What it is, where the input holds more than a configuration: `FlinkDeployment orders`.
    pub name: Option<String>,
    /// Whether it is a template with lines that may bring more settings than are visible.
    pub open: bool,
    /// Whether the text is a template whose actions are masked.
    pub templated: bool,
    /// Settings in the order in which they are made; the file comes first.
    pub file: Option<FileText>,
    /// Flink's other configuration file, where it lies beside the file and is not the one that is planned.
    pub passed_over: Option<(FileKind, Place)>,
    /// Whether the file is the one that the image comes with.
    pub shipped: bool,
    /// Whose configuration it is.
    pub of: Of,
    /// Whether it lies over a configuration that is not in this input, as the arguments of a script do.
    pub partial: bool,
    /// Settings that stand elsewhere in the input, over the file.
    pub settings: Vec<Placed>,
    /// What the resources of a `FlinkDeployment` set over those.
    pub resources: Vec<Placed>,
    /// Options of the tables that a script creates, one table behind another.
    pub table_options: Vec<Placed>,
    /// Variables of the container.
    pub environment: Vec<Variable>,
    /// Dynamic properties of the command that starts it, over the environment.
    pub arguments: Vec<Placed>,
    /// Memory flags of YARN's client, each under the name it is written with.
    pub yarn: YarnFlags,
    /// The Flink version that the input names, and where.
    pub version: Option<(String, String)>,
    /// Who starts the processes, where the input tells.
    pub deployment: Option<Deployment>,
    /// Whose memory it is about, where that is one role's only.
    pub role: Option<Role>,
    /// The pods of a TaskManager and a JobManager, as far as they are written down.
    pub pods: Vec<(Role, Pod)>,
    /// How many run, and who they belong to.
    pub fleet: Fleet,
    /// What is only known as a command line: the configuration behind it has to be inferred.
    pub command: Option<(CommandLine, Place)>,
    /// What has no effect, or not the one it seems to have.
    pub remarks: Vec<Remark>,
}

/// Whose configuration a subject is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Of {
    /// Flink's.
    #[default]
    Flink,
    /// YARN's: the properties of a `yarn-site.xml`.
    Yarn,
}

/// The memory flags of YARN's client: what they set is the version's matter.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct YarnFlags {
    /// `-tm`, `-ytm`.
    pub taskmanager: Option<Placed>,
    /// `-jm`, `-yjm`.
    pub jobmanager: Option<Placed>,
}

/// A setting that stands by itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Placed {
    /// The key.
    pub key: String,
    /// The value.
    pub value: Value,
    /// Where it stands.
    pub place: Place,
    /// Where the key stands, in the same source.
    pub written: Option<Position>,
}

/// What a manifest says of one kind of pod beside Flink's configuration.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pod {
    /// The limit of Flink's own container, where it is the manifest that sets it.
    pub limit: Option<Written>,
    /// Other containers.
    pub sidecars: Vec<Sidecar>,
    /// Volumes that live in memory.
    pub memory_volumes: Vec<MemoryVolume>,
    /// The image of Flink's container.
    pub image: Option<Stated>,
    /// The memory that Flink's container asks for, where it is the manifest that says so.
    pub request: Option<Written>,
    /// Memory that a pod template states for Flink's container, which Flink replaces by what it plans.
    pub replaced: Vec<Stated>,
    /// The cores that Flink's container may use at most, as written.
    pub cpu_limit: Option<Stated>,
    /// The environment of Flink's container.
    pub variables: Vec<ContainerVariable>,
    /// All volumes.
    pub volumes: Vec<Volume>,
    /// Where Flink's container mounts them.
    pub mounts: Vec<Mount>,
}

/// A text and its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Stated {
    /// The text.
    pub text: String,
    /// Where it stands.
    pub place: Place,
}

/// A variable of a container's environment.
#[derive(Clone, Debug, PartialEq)]
pub struct ContainerVariable {
    /// Its name.
    pub name: String,
    /// Its value; nothing where it comes from elsewhere.
    pub value: Option<String>,
    /// Where it stands.
    pub place: Place,
}

/// A volume of a pod.
#[derive(Clone, Debug, PartialEq)]
pub struct Volume {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: VolumeKind,
    /// Where it stands.
    pub place: Place,
}

/// What a volume is.
#[derive(Clone, Debug, PartialEq)]
pub enum VolumeKind {
    /// An `emptyDir`: a directory under the kubelet's own, or memory.
    EmptyDir {
        /// Whether it is memory.
        memory: bool,
        /// Its size limit.
        limit: Option<Written>,
    },
    /// A `hostPath`: a directory of the node, which outlives the pod.
    HostPath(String),
    /// A claim on a persistent volume, also one made for the pod alone.
    Claim,
    /// Configuration, secrets and other kinds.
    Other,
}

/// A volume in a container.
#[derive(Clone, Debug, PartialEq)]
pub struct Mount {
    /// The volume's name.
    pub volume: String,
    /// The directory it appears under.
    pub path: String,
    /// Where that is written.
    pub place: Place,
}

/// A size and its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Written {
    /// The size.
    pub bytes: Bytes,
    /// Where it stands.
    pub place: Place,
}

/// A container beside Flink's.
#[derive(Clone, Debug, PartialEq)]
pub struct Sidecar {
    /// Its name.
    pub name: String,
    /// Its own limit; nothing where it may take what the node has.
    pub limit: Option<Written>,
    /// Where it stands.
    pub place: Place,
}

/// An `emptyDir` of medium `Memory`: its pages count towards the containers that write them.
#[derive(Clone, Debug, PartialEq)]
pub struct MemoryVolume {
    /// Its name.
    pub name: String,
    /// Its size limit.
    pub limit: Option<Written>,
    /// Where it stands.
    pub place: Place,
}

/// How many processes there are and whose.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fleet {
    /// TaskManagers, where their number is written down.
    pub replicas: Option<u32>,
    /// The job's parallelism, where it is written down.
    pub parallelism: Option<u32>,
    /// Labels of the resource.
    pub labels: Vec<(String, String)>,
    /// Its namespace.
    pub namespace: Option<String>,
    /// The cluster whose processes it runs in, where it has none of its own.
    pub in_cluster: Option<String>,
}

impl Subject {
    /// A configuration file of Flink's own.
    pub fn of_file(file: FileText) -> Subject {
        Subject { file: Some(file), ..Subject::default() }
    }

    /// The pod of a role.
    pub fn pod(&self, role: Role) -> Option<&Pod> {
        self.pods.iter().find(|(known, _)| *known == role).map(|(_, pod)| pod)
    }
}

impl Pod {
    /// The mount that a path in Flink's container lies in: the deepest one counts.
    pub fn mount_of(&self, path: &str) -> Option<&Mount> {
        let holds = |mount: &&Mount| {
            let rest = path.strip_prefix(mount.path.trim_end_matches('/'));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.mounts.iter().filter(holds).max_by_key(|mount| mount.path.trim_end_matches('/').len())
    }

    /// The volume that a mount shows, where the manifest holds it.
    pub fn volume_of(&self, mount: &Mount) -> Option<&Volume> {
        self.volumes.iter().find(|volume| volume.name == mount.volume)
    }
}
