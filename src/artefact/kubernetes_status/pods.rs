//! Pods and containers, field by field.

use std::sync::LazyLock;

use regex::Regex;

use crate::model::Bytes;

/// A pod, or a container that docker shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pod {
    /// Its name.
    pub name: Option<String>,
    /// Why the pod as a whole failed, as it stands (`Evicted`, `NodeLost`), and where.
    pub reason: Option<(usize, String)>,
    /// Ends of its containers.
    pub ended: Vec<Terminated>,
    /// What its containers may use.
    pub limits: Vec<Limit>,
}

/// The end of a container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terminated {
    /// Where in the text its reason stands, or its exit code.
    pub at: usize,
    /// The container's name.
    pub container: Option<String>,
    /// Why, as it stands: `OOMKilled`, `Error`, `Completed`, `ContainerStatusUnknown`.
    pub reason: Option<String>,
    /// Its exit code.
    pub exit: Option<i32>,
    /// Whether docker says that its cgroup had no kill.
    pub not_killed: bool,
}

/// What a container may use of memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Where in the text it stands.
    pub at: usize,
    /// The container's name.
    pub container: Option<String>,
    /// The quantity as it stands.
    pub text: String,
    /// The same in bytes.
    pub bytes: Bytes,
}

impl Pod {
    /// The limit of one of its containers: that with its name, else the only one.
    pub fn limit(&self, container: Option<&str>) -> Option<&Limit> {
        let named = self.limits.iter().find(|limit| container.is_some() && limit.container.as_deref() == container);
        match (named, self.limits.as_slice()) {
            (Some(limit), _) | (None, [limit]) => Some(limit),
            (None, limits) => {
                let first = limits.first()?;
                limits.iter().all(|limit| limit.bytes == first.bytes).then_some(first)
            }
        }
    }

    fn is_empty(&self) -> bool {
        self.reason.is_none() && self.ended.is_empty() && self.limits.is_empty()
    }
}

/// `Key: value` of describe and YAML, `"key": value` of JSON.
static FIELD: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let keys = "Name|Namespace|State|Last State|Reason|Message|Exit Code|Signal|Started|Finished|Ready|Restart Count|\
                Limits|Requests|Init Containers|Containers|Container ID|Image|Environment|Mounts|Conditions|Events|Status|\
                name|namespace|state|lastState|terminated|running|waiting|exitCode|reason|message|signal|startedAt|\
                finishedAt|containerID|ready|restartCount|limits|requests|containerStatuses|initContainerStatuses|\
                containers|initContainers|ports|resources|image|imageID|conditions|hostIP|phase|spec|status|metadata|\
                OOMKilled|ExitCode|HostConfig|memory|Memory|type|exit code|termination reason";
    Regex::new(&format!(r#"(?:^|[\s"{{,\[>(-])({keys})"?[ \t]*:(?:[ \t]*"((?:[^"\\\n]|\\.)*)"|[ \t]*([^\n{{}}\["]*))"#))
        .ok()
});

/// What follows on the labels of a metric in an answer of Prometheus, where its value is 0.
static ZERO: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"^"?(?:,\s*"[^"\n]{0,80}":\s*"[^"\n]{0,200}")*\s*\},\s*"value":\s*\[[\d.]+,\s*"0"\]"#).ok()
});

/// Whether a field that ends at an offset is a label of a metric that is 0.
fn is_zero(text: &str, end: usize) -> bool {
    let rest = text.get(end..).unwrap_or("");
    let rest = rest.get(..rest.floor_char_boundary(1000)).unwrap_or(rest);
    rest.starts_with(['"', ',', '}']) && ZERO.as_ref().is_some_and(|zero| zero.is_match(rest))
}

/// In describe, the name of a container stands alone above its id, which people leave out.
static CONTAINER: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"([a-z0-9][a-z0-9-]*):[ \t]*\n[\s>]*(?:Container ID|Image|State|Last State):").ok());

/// A row of `kubectl get pods`.
static ROW: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"([a-z0-9][a-z0-9.-]*)[ \t]+\d+/\d+[ \t]+(?:Init:)?(OOMKilled|Evicted|ContainerStatusUnknown|Error)[ \t]+\d+",
    )
    .ok()
});

/// The reason in the words of other programs: `map[terminated:map[exitCode:137 reason:OOMKilled` of a Go template, a
/// dictionary of Python, an operator's `reason: OOMKilled, exitCode: 137`, a workflow's `OOMKilled (exit code 137)`. A
/// label of a metric is no such word: its value tells.
static NAMED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r#"\b(?i:reason|message|error|status|phase|state)(?:['"\\]{0,3}[ \t]*:[ \t]*['"\\]{0,3}|=)(OOM ?Killed)\b"#,
        r#"[^\n]{0,40}?(?:[eE]xit[ _]?[cC]ode['"\\]{0,3}[:= ]{1,2}(\d{1,3})\b)?"#
    ))
    .ok()
});

/// A place that tells something.
enum Place<'t> {
    Container(&'t str),
    Field { key: &'t str, value: &'t str, quoted: bool },
}

/// Every pod of a text that says anything.
pub(super) fn pods(text: &str) -> Vec<Pod> {
    let told = ["OOMKilled", "OOM Killed", "xit", "imits", "Evicted", "eason", "ContainerStatusUnknown"];
    if !told.iter().any(|word| text.contains(word)) {
        return Vec::new();
    }
    let mut reader = Reader::default();
    for (at, place) in places(text) {
        match place {
            Place::Container(name) => reader.container(name),
            Place::Field { key, value, quoted } => reader.field(at, key, value, quoted),
        }
    }
    reader.close();
    reader.next_pod(None);
    let mut pods = reader.pods;
    pods.extend(rows(text));
    let is_told = |pod: &Pod| pod.ended.iter().any(|end| end.reason.as_deref() == Some("OOMKilled"));
    if !pods.iter().any(is_told) {
        pods.extend(named(text));
    }
    pods
}

/// A container of which others say no more than why it ended.
fn named(text: &str) -> Option<Pod> {
    if text.contains("container termination statuses") {
        // Flink's own words are read elsewhere.
        return None;
    }
    let mut all = NAMED.as_ref().filter(|_| text.contains("Killed"))?.captures_iter(text);
    let found = all.find(|found| found.get(1).is_some_and(|reason| !is_zero(text, reason.end())))?;
    let end = Terminated {
        at: found.get(1)?.start(),
        reason: Some("OOMKilled".to_owned()),
        exit: found.get(2).and_then(|digits| digits.as_str().parse().ok()),
        ..Terminated::default()
    };
    Some(Pod { ended: vec![end], ..Pod::default() })
}

fn places(text: &str) -> Vec<(usize, Place<'_>)> {
    let mut places: Vec<(usize, Place)> = Vec::new();
    if let Some(field) = FIELD.as_ref() {
        for found in field.captures_iter(text) {
            let Some(key) = found.get(1) else { continue };
            if is_zero(text, found.get(0).map_or(0, |whole| whole.end())) {
                continue;
            }
            let value = found.get(2).or(found.get(3)).map_or("", |value| value.as_str());
            // In JSON on one line the next field follows on a comma.
            let value = if found.get(2).is_some() { value } else { value.split(",\"").next().unwrap_or(value) };
            let value = value.trim().trim_end_matches(',').trim_matches('\'');
            let quoted = text.get(..key.start()).is_some_and(|before| before.ends_with('"'));
            places.push((key.start(), Place::Field { key: key.as_str(), value, quoted }));
        }
    }
    if let Some(container) = CONTAINER.as_ref().filter(|_| text.contains("State:") || text.contains("Image:")) {
        let names = container.captures_iter(text).filter_map(|found| found.get(1));
        places.extend(names.map(|name| (name.start(), Place::Container(name.as_str()))));
    }
    places.sort_by_key(|(at, _)| *at);
    places
}

fn rows(text: &str) -> Vec<Pod> {
    let Some(row) = ROW.as_ref() else { return Vec::new() };
    let pod = |found: regex::Captures| {
        let (name, status) = (found.get(1)?.as_str(), found.get(2)?);
        let mut pod = Pod { name: Some(name.to_owned()), ..Pod::default() };
        match status.as_str() {
            "Evicted" => pod.reason = Some((status.start(), status.as_str().to_owned())),
            reason => {
                pod.ended.push(Terminated {
                    at: status.start(),
                    reason: Some(reason.to_owned()),
                    ..Terminated::default()
                });
            }
        }
        Some(pod)
    };
    row.captures_iter(text).filter_map(pod).collect()
}

/// What the fields so far have said.
#[derive(Default)]
struct Reader {
    pods: Vec<Pod>,
    pod: Pod,
    /// The container that the next fields are of.
    container: Option<String>,
    /// Where in the pod's ends those of that container start.
    since: usize,
    /// Fields of a container's status between its name and the next.
    beyond_name: bool,
    in_status: bool,
    last_name: Option<String>,
    /// The container's name where that of a port has followed on it.
    before_ports: Option<String>,
    /// Within limits, requests, or neither.
    amounts: Amounts,
    block: Option<Block>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Amounts {
    Limits,
    Requests,
    #[default]
    None,
}

/// A state of a container.
#[derive(Default)]
struct Block {
    end: Terminated,
    /// A state of waiting or running.
    alive: bool,
    message: bool,
    started: bool,
    finished: bool,
}

impl Reader {
    fn container(&mut self, name: &str) {
        self.close();
        self.container = Some(name.to_owned());
        self.since = self.pod.ended.len();
        self.amounts = Amounts::None;
    }

    fn field(&mut self, at: usize, key: &str, value: &str, quoted: bool) {
        // Others write of exit codes, too: YARN of an `exitCode: -104`.
        let of_state = self.block.is_some() || quoted || matches!(key, "Exit Code" | "ExitCode");
        let key: String = key.chars().filter(|c| *c != ' ').map(|c| c.to_ascii_lowercase()).collect();
        if key == "exitcode" && !of_state {
            return;
        }
        if self.of_block(at, &key, value) {
            return;
        }
        if !matches!(key.as_str(), "memory" | "limits" | "requests") {
            self.amounts = Amounts::None;
        }
        match key.as_str() {
            "namespace" => {
                if let Some(name) = self.last_name.take() {
                    self.next_pod(Some(name));
                }
            }
            "name" => self.name(value),
            "ports" => self.before_ports = self.last_name.clone(),
            "resources" if !self.in_status => {
                self.container = self.before_ports.take().or_else(|| self.last_name.clone());
            }
            "containers" | "initcontainers" | "spec" => self.in_status = false,
            "containerstatuses" | "initcontainerstatuses" => {
                self.in_status = true;
                self.next_container();
            }
            "laststate" if self.in_status && self.beyond_name => self.next_container(),
            "ready" | "restartcount" | "image" | "imageid" => self.beyond_name = true,
            "limits" => self.amounts = Amounts::Limits,
            "requests" => self.amounts = Amounts::Requests,
            "memory" => self.memory(at, value),
            "reason" if FAILED.contains(&value) => self.pod.reason = Some((at, value.to_owned())),
            _ => {}
        }
    }

    /// A field of a container's state. Describe says `State: Terminated`, the others `"terminated": {`.
    fn of_block(&mut self, at: usize, key: &str, value: &str) -> bool {
        let starts = match key {
            "state" | "laststate" => value.eq_ignore_ascii_case("terminated").then_some(false).or_else(|| {
                let alive = ["waiting", "running"];
                alive.iter().any(|state| value.eq_ignore_ascii_case(state)).then_some(true)
            }),
            "terminated" => Some(false),
            "waiting" | "running" => Some(true),
            // A part of a status without the line that it starts with.
            "exitcode" | "oomkilled" if self.block.is_none() => Some(false),
            "reason" | "terminationreason" if self.block.is_none() && ENDED.contains(&value) => Some(false),
            _ => None,
        };
        if let Some(alive) = starts {
            self.close();
            let end = Terminated { at, container: self.container.clone(), ..Terminated::default() };
            self.block = Some(Block { end, alive, ..Block::default() });
        }
        let Some(block) = self.block.as_mut() else { return false };
        let again = match key {
            "reason" | "terminationreason" => block.end.reason.is_some(),
            "exitcode" => block.end.exit.is_some(),
            "message" => block.message || (block.started && block.finished),
            "finished" | "finishedat" => block.finished,
            "started" | "startedat" => block.started,
            _ => false,
        };
        match key {
            _ if again => {
                self.close();
                // It may be the first of the next state.
                return matches!(key, "reason" | "terminationreason" | "exitcode") && self.of_block(at, key, value);
            }
            "reason" | "terminationreason" => {
                // A pod's own reason stands behind the whole state.
                if block.started && block.finished && FAILED.contains(&value) {
                    self.close();
                    return false;
                }
                (block.end.reason, block.end.at) = (Some(value.to_owned()), at);
            }
            "exitcode" => {
                let digits = value.split(|c: char| !c.is_ascii_digit() && c != '-').next().unwrap_or("");
                block.end.exit = digits.parse().ok().filter(|exit| *exit >= 0);
            }
            "oomkilled" => match value.split(|c: char| !c.is_ascii_alphabetic()).next() {
                Some("true") => (block.end.reason, block.end.at) = (Some("OOMKilled".to_owned()), at),
                Some("false") => block.end.not_killed = true,
                _ => {}
            },
            "message" => block.message = true,
            "started" | "startedat" => block.started = true,
            "finished" | "finishedat" => block.finished = true,
            "containerid" | "signal" => {}
            _ if starts.is_some() => {}
            _ => {
                self.close();
                return false;
            }
        }
        true
    }

    fn close(&mut self) {
        let Some(block) = self.block.take() else { return };
        if !block.alive && (block.end.reason.is_some() || block.end.exit.is_some()) {
            self.pod.ended.push(block.end);
        }
    }

    fn name(&mut self, value: &str) {
        self.beyond_name = false;
        self.last_name = Some(value.to_owned());
        if self.in_status {
            if self.container.is_some() {
                self.next_container();
            }
            self.container = Some(value.to_owned());
            for end in self.pod.ended.iter_mut().skip(self.since) {
                end.container = Some(value.to_owned());
            }
        }
    }

    fn next_container(&mut self) {
        self.container = None;
        self.since = self.pod.ended.len();
        self.beyond_name = false;
    }

    fn memory(&mut self, at: usize, value: &str) {
        let quantity = value.split_whitespace().next().unwrap_or("").trim_end_matches(',');
        let bytes = Bytes::parse_k8s(quantity).ok().filter(|bytes| *bytes != Bytes::ZERO);
        // docker's HostConfig has bytes, and nought where there is no limit.
        let docker =
            self.amounts == Amounts::None && !quantity.is_empty() && quantity.bytes().all(|c| c.is_ascii_digit());
        let more = self.pod.limits.len() < MOST_LIMITS;
        if let Some(bytes) = bytes.filter(|_| more && (self.amounts == Amounts::Limits || docker)) {
            self.pod.limits.push(Limit { at, container: self.container.clone(), text: quantity.to_owned(), bytes });
        }
    }

    fn next_pod(&mut self, name: Option<String>) {
        self.close();
        let pod = std::mem::replace(&mut self.pod, Pod { name, ..Pod::default() });
        if !pod.is_empty() {
            self.pods.push(pod);
        }
        self.next_container();
        self.in_status = false;
        self.before_ports = None;
    }
}

/// No pod has so many containers.
const MOST_LIMITS: usize = 64;

/// Why a container ended, in words that stand for nothing else.
const ENDED: [&str; 2] = ["OOMKilled", "ContainerStatusUnknown"];

/// Why a pod as a whole failed: `reason` of its status.
const FAILED: [&str; 13] = [
    "Evicted",
    "NodeLost",
    "Shutdown",
    "NodeShutdown",
    "Terminated",
    "Preempting",
    "Preempted",
    "NodeAffinity",
    "UnexpectedAdmissionError",
    "OutOfmemory",
    "OutOfcpu",
    "OutOfpods",
    "DeadlineExceeded",
];
