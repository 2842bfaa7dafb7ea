//! Many configurations, a row each: what they reserve, and what of it nobody uses.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Sheet;
use super::amount::mib;
use super::table::{self, Align};
use crate::config::FileKind;
use crate::model::{Bytes, Component, Role};
use crate::plan::store::{Scope, StoreMemory};
use crate::plan::{Backend, Survey};

/// One configuration.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Row {
    /// What it is: the resource's name, else the file.
    pub name: String,
    /// The file or directory.
    pub source: String,
    /// Whose it is: the value of the label asked for, or the folder.
    pub group: String,
    /// The Flink version it is planned with.
    pub flink: String,
    /// The size of each TaskManager, in bytes; nothing where Flink refuses the configuration.
    pub process: Option<u64>,
    /// Its heap.
    pub heap: Option<u64>,
    /// Slots in each TaskManager.
    pub slots: Option<u32>,
    /// The pool that RocksDB or ForSt has in a slot; nothing where it has none, or where no backend is configured.
    pub rocksdb_per_slot: Option<u64>,
    /// Managed memory of a TaskManager that nobody takes; nothing where that hangs on the job's code.
    pub idle_managed: Option<u64>,
    /// How many TaskManagers there are, where that is written down.
    pub taskmanagers: Option<u32>,
    /// All of them together; one where their number is not written down.
    pub total: Option<u64>,
    /// Why Flink refuses it.
    pub refused: Option<String>,
}

/// How rows are put together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupBy {
    /// By the folder that the file, or the configuration directory, lies in.
    Folder,
    /// By the value of a label.
    Label(String),
}

/// Rows of one group together.
#[derive(Clone, Debug, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Total {
    /// How many configurations.
    pub jobs: u64,
    /// How many of them Flink refuses.
    pub refused: u64,
    /// What their TaskManagers reserve.
    pub total: u64,
    /// Managed memory in them that nobody takes.
    pub idle_managed: u64,
}

/// All rows with their totals.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Summary {
    /// Names the form of this document.
    pub schema: &'static str,
    /// A row for each configuration.
    pub rows: Vec<Row>,
    /// By group.
    pub groups: BTreeMap<String, Total>,
    /// Of all.
    pub all: Total,
}

impl Row {
    /// The row of a TaskManager's plan.
    pub fn of(sheet: &Sheet, group_by: &GroupBy) -> Row {
        let source = sheet.source.clone().unwrap_or_else(|| "(arguments)".to_owned());
        let group = match group_by {
            GroupBy::Folder => folder(own_folder(&source).unwrap_or(&source)).unwrap_or(".").to_owned(),
            GroupBy::Label(label) => {
                let value = sheet.fleet.labels.iter().find(|(key, _)| key == label).map(|(_, value)| value.clone());
                value.unwrap_or_else(|| format!("(no {label})"))
            }
        };
        let mut row = Row {
            name: short_name(sheet).unwrap_or_else(|| own_folder(&source).unwrap_or(&source).to_owned()),
            source,
            group,
            flink: sheet.planned_version().to_string(),
            process: None,
            heap: None,
            slots: None,
            rocksdb_per_slot: None,
            idle_managed: None,
            taskmanagers: None,
            total: None,
            refused: None,
        };
        match &sheet.outcome {
            Ok(survey) => row.fill(sheet, survey),
            Err(rejected) => row.refused = Some(rejected.rejection.exception.message.clone()),
        }
        row
    }

    fn fill(&mut self, sheet: &Sheet, survey: &Survey) {
        let budget = &survey.plan.budget;
        let process = budget.total_process().bytes;
        let slots = survey.plan.slots.as_ref().and_then(|slots| slots.as_ref().ok());
        self.process = Some(process.get());
        self.heap = Some(budget.heap().get());
        self.slots = slots.map(|slots| slots.count);
        let pool = store_in_use(survey).and_then(|memory| memory.pool.as_ref());
        self.rocksdb_per_slot = pool.map(|pool| pool.total.bytes.get());
        self.idle_managed = idle_managed(survey).map(Bytes::get);
        self.taskmanagers = taskmanagers(sheet, self.slots);
        self.total = process.checked_mul(u64::from(self.taskmanagers.unwrap_or(1))).map(Bytes::get);
    }
}

/// The memory of the store that is configured; nothing where none is, or where Flink refuses it.
fn store_in_use(survey: &Survey) -> Option<&StoreMemory> {
    let Backend::Embedded(configured) = survey.backend else { return None };
    let slots = survey.plan.slots.as_ref()?.as_ref().ok()?;
    slots.stores.iter().find(|(store, _)| *store == configured)?.1.as_ref().ok()
}

/// Managed memory that nobody takes; nothing where that hangs on the job's code.
fn idle_managed(survey: &Survey) -> Option<Bytes> {
    let managed = survey.plan.budget.size(Component::Managed);
    match &survey.backend {
        Backend::Heap => Some(managed),
        Backend::Embedded(_) => match store_in_use(survey).map(|memory| memory.scope) {
            Some(Scope::SlotSharedManaged) | None => Some(Bytes::ZERO),
            Some(_) => Some(managed),
        },
        Backend::Other(_) | Backend::Unset => None,
    }
}

/// The configuration directory, for a file of Flink's own name: that is what a job is known by.
fn own_folder(source: &str) -> Option<&str> {
    let (folder, name) = source.rsplit_once('/')?;
    FileKind::of_name(name).filter(|_| !matches!(folder, "." | ".." | "")).map(|_| folder)
}

fn folder(path: &str) -> Option<&str> {
    path.rsplit_once('/').map(|(folder, _)| folder)
}

/// A resource by its namespace and name.
fn short_name(sheet: &Sheet) -> Option<String> {
    let (_, name) = sheet.name.as_ref()?.rsplit_once(' ')?;
    Some(match &sheet.fleet.namespace {
        Some(namespace) => format!("{namespace}/{name}"),
        None => name.to_owned(),
    })
}

/// How many TaskManagers there are: as written, else as many as the parallelism fills.
fn taskmanagers(sheet: &Sheet, slots: Option<u32>) -> Option<u32> {
    if let Some(replicas) = sheet.fleet.replicas {
        return Some(replicas);
    }
    let configured = || sheet.config.get("parallelism.default")?.value.java_text().parse().ok();
    let parallelism: u32 = sheet.fleet.parallelism.or_else(configured)?;
    Some(parallelism.div_ceil(slots.filter(|slots| *slots > 0)?))
}

impl Total {
    fn add(&mut self, row: &Row) {
        self.jobs += 1;
        self.refused += u64::from(row.refused.is_some());
        self.total = self.total.saturating_add(row.total.unwrap_or(0));
        let idle = row.idle_managed.unwrap_or(0).saturating_mul(u64::from(row.taskmanagers.unwrap_or(1)));
        self.idle_managed = self.idle_managed.saturating_add(idle);
    }
}

/// The summary of all TaskManagers among the sheets. A job in a session cluster has none of its own.
pub fn summary(sheets: &[Sheet], group_by: &GroupBy) -> Summary {
    let rows: Vec<Row> = sheets
        .iter()
        .filter(|sheet| sheet.question.role == Role::TaskManager && sheet.fleet.in_cluster.is_none())
        .map(|sheet| Row::of(sheet, group_by))
        .collect();
    let mut groups: BTreeMap<String, Total> = BTreeMap::new();
    let mut all = Total::default();
    for row in &rows {
        groups.entry(row.group.clone()).or_default().add(row);
        all.add(row);
    }
    Summary { schema: "oomph.summary/1", rows, groups, all }
}

/// As tables.
pub fn text(summary: &Summary, width: usize) -> String {
    let size = |bytes: Option<u64>| bytes.map_or("?".to_owned(), |bytes| mib(Bytes::new(bytes)));
    let whole = |n: Option<u32>| n.map_or("?".to_owned(), |n| n.to_string());
    let cells: Vec<Vec<String>> = summary
        .rows
        .iter()
        .map(|row| match row.refused {
            Some(_) => {
                let mut cells = vec![String::new(); 8];
                cells[1] = row.flink.clone();
                cells[7] = "refused".to_owned();
                cells
            }
            None => vec![
                String::new(),
                row.flink.clone(),
                whole(row.taskmanagers),
                size(row.process),
                size(row.heap),
                row.rocksdb_per_slot.map_or("-".to_owned(), |bytes| mib(Bytes::new(bytes))),
                size(row.idle_managed),
                size(row.total),
            ],
        })
        .collect();
    let header = ["job", "Flink", "TMs", "process", "heap", "RocksDB/slot", "idle", "total"];
    let side = |index| if index < 2 { Align::Left } else { Align::Right };
    let sides: Vec<Align> = (0..header.len()).map(side).collect();
    // Names get what the numbers leave.
    let bare = table::plain(0, &header, &sides, &cells);
    let taken = bare.lines().map(|line| line.chars().count()).max().unwrap_or(0);
    let room = width.saturating_sub(taken.saturating_sub(header[0].len())).max(16);
    let named: Vec<Vec<String>> = summary
        .rows
        .iter()
        .zip(cells)
        .map(|(row, mut cells)| {
            cells[0] = shortened(&row.name, room);
            cells
        })
        .collect();
    let mut out = table::plain(0, &header, &sides, &named);
    out += "\n";
    let groups: Vec<Vec<String>> = summary
        .groups
        .iter()
        .map(|(name, total)| (name.as_str(), total))
        .chain([("all", &summary.all)])
        .map(|(name, total)| {
            vec![
                shortened(name, room),
                total.jobs.to_string(),
                total.refused.to_string(),
                mib(Bytes::new(total.total)),
                mib(Bytes::new(total.idle_managed)),
            ]
        })
        .collect();
    let sides = [Align::Left, Align::Right, Align::Right, Align::Right, Align::Right];
    out += &table::plain(0, &["", "jobs", "refused", "total", "idle"], &sides, &groups);
    out.push('\n');
    out += &table::wrapped(
        "All sizes in MiB. Total: all TaskManagers of the job, one where their number is not written down (?). Idle: \
         managed memory of each TaskManager (of all in the lower table) that nobody takes, since state lives on the heap or RocksDB has memory of its \
         own; batch operators and Python would take it. ? where the job's code chooses the state backend.",
        width,
        0,
    );
    for row in &summary.rows {
        if let Some(refused) = &row.refused {
            out += &table::wrapped(&format!("{}: Flink refuses it: {refused}", row.name), width, 0);
        }
    }
    out
}

/// A name that is too long loses its beginning, which many share.
fn shortened(name: &str, room: usize) -> String {
    let length = name.chars().count();
    if length <= room {
        return name.to_owned();
    }
    let kept: String = name.chars().skip(length - room + 1).collect();
    format!("…{kept}")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::config::{Config, Value};
    use crate::flink::profile::Profile;
    use crate::model::{Place, Source, UseCase};
    use crate::plan::jvm::Machine;
    use crate::plan::store::Store;
    use crate::plan::{Deployment, Question, survey};

    #[rstest]
    #[case("state.backend.type=forst", Some(0))]
    #[case("state.backend.type=forst state.backend.forst.memory.managed=false", Some(1_438_814_063))]
    #[case("state.backend.type=rocksdb state.backend.forst.memory.managed=false", Some(0))]
    #[case("state.backend.type=hashmap", Some(1_438_814_063))]
    #[case("", None)]
    fn managed_memory_is_idle_where_the_backend_in_use_takes_none(#[case] settings: &str, #[case] idle: Option<u64>) {
        let mut config = Config::new();
        for text in settings.split_whitespace().chain(["taskmanager.memory.process.size=4g"]) {
            let (key, value) = text.split_once('=').unwrap();
            config.set(key.to_owned(), Value::text(value), Place::of(Source::Caller));
        }
        let question = Question {
            role: Role::TaskManager,
            deployment: Deployment::Kubernetes,
            consumers: vec![UseCase::StateBackend],
            managed_backend: true,
            stores: vec![Store::RocksDb, Store::ForSt],
        };
        let survey = survey(&config, Profile::newest(), &question, Machine::default()).unwrap();
        assert_eq!(idle_managed(&survey).map(Bytes::get), idle);
    }

    #[test]
    fn a_long_name_keeps_its_end() {
        assert_eq!(shortened("clusters/a/orders.yaml", 12), "…orders.yaml");
        assert_eq!(shortened("short", 12), "short");
    }

    #[test]
    fn a_configuration_directory_is_known_by_its_own_name() {
        assert_eq!(own_folder("search/index/config.yaml"), Some("search/index"));
        assert_eq!(own_folder("./config.yaml"), None);
        assert_eq!(own_folder("checkout/orders.yaml"), None);
        assert_eq!(folder("search/index"), Some("search"));
    }

    #[test]
    fn totals_count_every_taskmanager_and_every_refusal() {
        let row = |total: Option<u64>, idle, taskmanagers, refused: Option<&str>| Row {
            name: "x".into(),
            source: "x".into(),
            group: "g".into(),
            flink: "2.3".into(),
            process: total,
            heap: None,
            slots: None,
            rocksdb_per_slot: None,
            idle_managed: idle,
            taskmanagers,
            total,
            refused: refused.map(str::to_owned),
        };
        let mut total = Total::default();
        total.add(&row(Some(300), Some(10), Some(3), None));
        total.add(&row(None, None, None, Some("no")));
        assert_eq!((total.jobs, total.refused, total.total, total.idle_managed), (2, 1, 300, 30));
    }
}
