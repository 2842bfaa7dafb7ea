//! The objects of the lines, and how what they hold is written.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::{Event, Format, Header, Machine};
use crate::model::{Bytes, Component, Identity, Limit, Origin, Role, Unseen};

/// The kinds of lines.
pub const HEADER: &str = "oomph-recording";
pub const TARGET: &str = "p";
pub const LAYOUT: &str = "l";
pub const REASON: &str = "u";
pub const SAMPLE: &str = "s";
pub const EVENT: &str = "e";

/// The kind of a line, whatever else it holds.
#[derive(Deserialize)]
pub struct Kind {
    pub k: String,
}

#[derive(Serialize, Deserialize)]
pub struct Target {
    pid: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    started: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    role: Option<String>,
    name: String,
}

#[derive(Serialize, Deserialize)]
pub struct TargetLine {
    pub k: String,
    pub n: usize,
    #[serde(flatten)]
    pub target: Target,
}

/// Measures and, beside them, where each was read.
#[derive(Serialize, Deserialize)]
pub struct LayoutLine {
    pub k: String,
    pub n: usize,
    pub m: Vec<String>,
    pub o: Vec<String>,
}

#[derive(Serialize, Deserialize)]
pub struct ReasonLine {
    pub k: String,
    pub n: usize,
    pub why: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<String>,
}

#[derive(Deserialize)]
pub struct SampleLine {
    pub t: i64,
    pub p: usize,
    pub l: usize,
    pub v: Vec<Value>,
}

/// A number that was seen, or the number of the reason why not, which is written as a text.
pub enum Value {
    Seen(u64),
    Unseen(usize),
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Value, D::Error> {
        struct OneValue;
        impl Visitor<'_> for OneValue {
            type Value = Value;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number, or the number of a reason in quotes")
            }

            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Value, E> {
                Ok(Value::Seen(value))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Value, E> {
                text.parse().map(Value::Unseen).map_err(E::custom)
            }
        }
        from.deserialize_any(OneValue)
    }
}

#[derive(Serialize, Deserialize)]
pub struct HeaderLine {
    k: String,
    format: String,
    oomph: String,
    since: String,
    part: u64,
    target: Target,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    boot: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    memory: Option<u64>,
    limit: SeenLimit,
    #[serde(default)]
    budget: BTreeMap<String, u64>,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum SeenLimit {
    AtMost(u64),
    Unlimited(String),
    Unseen { why: String, grant: Option<String> },
}

#[derive(Serialize, Deserialize)]
pub struct EventLine {
    pub k: String,
    pub t: i64,
    what: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    number: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    target: Option<Target>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    budget: Option<BTreeMap<String, u64>>,
}

/// A text that is not longer than any that is written.
pub fn short(text: &str) -> String {
    let end = text.floor_char_boundary(super::LONGEST_TEXT);
    text[..end].to_owned()
}

impl Target {
    pub fn of(identity: &Identity) -> Target {
        let role = identity.role.map(|role| match role {
            Role::TaskManager => "taskmanager".to_owned(),
            Role::JobManager => "jobmanager".to_owned(),
        });
        Target { pid: identity.pid, started: identity.started, role, name: short(&identity.name) }
    }

    pub fn identity(self) -> Identity {
        let role = match self.role.as_deref() {
            Some("taskmanager") => Some(Role::TaskManager),
            Some("jobmanager") => Some(Role::JobManager),
            _ => None,
        };
        Identity { pid: self.pid, started: self.started, role, name: self.name }
    }
}

impl HeaderLine {
    pub fn of(header: &Header) -> HeaderLine {
        let limit = match &header.limit {
            Ok(Limit::AtMost(bytes)) => SeenLimit::AtMost(bytes.get()),
            Ok(Limit::Unlimited) => SeenLimit::Unlimited("unlimited".to_owned()),
            Err(unseen) => SeenLimit::Unseen { why: short(&unseen.why), grant: unseen.grant.as_deref().map(short) },
        };
        HeaderLine {
            k: HEADER.to_owned(),
            format: format!("{}.{}", header.format.major, header.format.minor),
            oomph: short(&header.oomph),
            since: header.since.to_string(),
            part: header.part,
            target: Target::of(&header.target),
            boot: header.machine.boot.as_deref().map(short),
            memory: header.machine.memory.map(Bytes::get),
            limit,
            budget: budget_text(&header.budget),
        }
    }

    /// What it says; nothing where a field says what cannot be.
    pub fn header(self) -> Option<Header> {
        let (major, minor) = self.format.split_once('.')?;
        Some(Header {
            format: Format { major: major.parse().ok()?, minor: minor.parse().ok()? },
            oomph: self.oomph,
            since: self.since.parse().ok()?,
            part: self.part,
            target: self.target.identity(),
            machine: Machine { boot: self.boot, memory: self.memory.map(Bytes::new) },
            limit: match self.limit {
                SeenLimit::AtMost(bytes) => Ok(Limit::AtMost(Bytes::new(bytes))),
                SeenLimit::Unlimited(_) => Ok(Limit::Unlimited),
                SeenLimit::Unseen { why, grant } => Err(Unseen { why, grant }),
            },
            budget: budget(&self.budget),
        })
    }
}

impl EventLine {
    pub fn of(at: Timestamp, event: &Event) -> EventLine {
        let (t, k) = (at.as_millisecond(), EVENT.to_owned());
        let bare = EventLine { k, t, what: String::new(), text: None, number: None, target: None, budget: None };
        let named = |what: &str| EventLine { what: what.to_owned(), ..bare };
        match event {
            Event::Started => named("started"),
            Event::Resumed => named("resumed"),
            Event::Stopped => named("stopped"),
            Event::Gone { why } => EventLine { text: Some(short(why)), ..named("gone") },
            Event::NewProcess(target) => EventLine { target: Some(Target::of(target)), ..named("new_process") },
            Event::Job { what } => EventLine { text: Some(short(what)), ..named("job") },
            Event::Budget(parts) => EventLine { budget: Some(budget_text(parts)), ..named("budget") },
            Event::Limit(Limit::AtMost(bytes)) => EventLine { number: Some(bytes.get()), ..named("limit") },
            Event::Limit(Limit::Unlimited) => named("limit"),
            Event::Lost { samples, why } => {
                EventLine { number: Some(*samples), text: Some(short(why)), ..named("lost") }
            }
            Event::Note(text) => EventLine { text: Some(short(text)), ..named("note") },
        }
    }

    /// What it says; nothing where this oomph does not know such an event.
    pub fn event(self) -> Option<Event> {
        let text = self.text.unwrap_or_default();
        Some(match self.what.as_str() {
            "started" => Event::Started,
            "resumed" => Event::Resumed,
            "stopped" => Event::Stopped,
            "gone" => Event::Gone { why: text },
            "new_process" => Event::NewProcess(self.target?.identity()),
            "job" => Event::Job { what: text },
            "budget" => Event::Budget(budget(&self.budget?)),
            "limit" => Event::Limit(self.number.map_or(Limit::Unlimited, |bytes| Limit::AtMost(Bytes::new(bytes)))),
            "lost" => Event::Lost { samples: self.number?, why: text },
            "note" => Event::Note(text),
            _ => return None,
        })
    }
}

/// The components as they are written: their keys, but that the cut-off model's heap is told from the JobManager's.
const COMPONENTS: [(Component, &str); 12] = [
    (Component::FrameworkHeap, "framework_heap"),
    (Component::TaskHeap, "task_heap"),
    (Component::FrameworkOffHeap, "framework_off_heap"),
    (Component::TaskOffHeap, "task_off_heap"),
    (Component::Network, "network"),
    (Component::Managed, "managed"),
    (Component::Heap, "heap"),
    (Component::OffHeap, "off_heap"),
    (Component::JvmMetaspace, "jvm_metaspace"),
    (Component::JvmOverhead, "jvm_overhead"),
    (Component::CutOffHeap, "cut_off_heap"),
    (Component::CutOff, "cut_off"),
];

fn budget_text(parts: &[(Component, Bytes)]) -> BTreeMap<String, u64> {
    let named = |component: Component| COMPONENTS.iter().find(|(of, _)| *of == component).map(|(_, name)| *name);
    parts.iter().filter_map(|(component, bytes)| Some((named(*component)?.to_owned(), bytes.get()))).collect()
}

fn budget(parts: &BTreeMap<String, u64>) -> Vec<(Component, Bytes)> {
    let listed = COMPONENTS.iter();
    listed.filter_map(|(component, name)| Some((*component, Bytes::new(*parts.get(*name)?)))).collect()
}

/// Where a measure was read, by its name.
pub fn origin(label: &str) -> Option<Origin> {
    const ALL: [Origin; 12] = [
        Origin::Status,
        Origin::Smaps,
        Origin::Cgroup,
        Origin::HsPerfData,
        Origin::HeapWalk,
        Origin::NativeMemoryTracking,
        Origin::CommandLine,
        Origin::Rest,
        Origin::RocksDbFiles,
        Origin::Prometheus,
        Origin::Worker,
        Origin::LeftOver,
    ];
    ALL.into_iter().find(|origin| origin.label() == label)
}
