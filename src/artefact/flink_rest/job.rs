//! `/jobs/overview`, `/jobs/:id` and `/jobs/:id/vertices/:id`: which jobs run, of what, and where.

use super::answer::{AnswerError, open_object};
use crate::model::Seen;

/// One job of `/jobs/overview` (`JobDetails`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobSummary {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: Seen<String>,
    /// `RUNNING`, `FINISHED` and so on.
    pub state: Seen<String>,
}

/// The jobs of `/jobs/overview`.
///
/// # Errors
///
/// Where the answer is no JSON object of Flink's.
pub fn jobs(answer: &[u8]) -> Result<Vec<JobSummary>, AnswerError> {
    let text = String::from_utf8_lossy(answer);
    let rows = open_object(&text)?.list("jobs").into_iter().filter_map(|node| {
        let row = node.fields("jobs")?;
        Some(JobSummary { id: row.text("jid").ok()?, name: row.text("name"), state: row.text("state") })
    });
    Ok(rows.collect())
}

/// `/jobs/:id` (`JobDetailsInfo`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Its id.
    pub id: Seen<String>,
    /// Its name.
    pub name: Seen<String>,
    /// Its state.
    pub state: Seen<String>,
    /// What it consists of.
    pub vertices: Vec<Vertex>,
}

/// A vertex: one chain of operators.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vertex {
    /// Its id.
    pub id: String,
    /// The operators' names, as the web interface shows them.
    pub name: Seen<String>,
    /// How many subtasks it has.
    pub parallelism: Seen<u64>,
    /// Its slot sharing group (since 1.19): vertices of different groups are never in one slot.
    pub sharing_group: Seen<String>,
}

/// Reads `/jobs/:id`.
///
/// # Errors
///
/// Where the answer is no JSON object of Flink's.
pub fn job(answer: &[u8]) -> Result<Job, AnswerError> {
    let text = String::from_utf8_lossy(answer);
    let fields = open_object(&text)?;
    let vertices = fields.list("vertices").into_iter().filter_map(|node| {
        let row = node.fields("vertices")?;
        Some(Vertex {
            id: row.text("id").ok()?,
            name: row.text("name"),
            parallelism: row.whole("parallelism"),
            sharing_group: row.text("slotSharingGroupId"),
        })
    });
    Ok(Job {
        id: fields.text("jid"),
        name: fields.text("name"),
        state: fields.text("state"),
        vertices: vertices.collect(),
    })
}

/// Where a subtask runs (`SubtaskExecutionAttemptDetailsInfo`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubtaskPlace {
    /// Its number.
    pub subtask: u32,
    /// The TaskManager's id (since 1.12).
    pub task_manager: Seen<String>,
    /// `host:dataPort`: `endpoint` since 1.19, `host` before.
    pub endpoint: Seen<String>,
    /// Its state.
    pub state: Seen<String>,
}

/// The places of a vertex's subtasks, from `/jobs/:id/vertices/:id` (`JobVertexDetailsInfo`).
///
/// # Errors
///
/// Where the answer is no JSON object of Flink's.
pub fn subtask_places(answer: &[u8]) -> Result<Vec<SubtaskPlace>, AnswerError> {
    let text = String::from_utf8_lossy(answer);
    let rows = open_object(&text)?.list("subtasks").into_iter().filter_map(|node| {
        let row = node.fields("subtasks")?;
        Some(SubtaskPlace {
            subtask: row.whole("subtask").ok()?.try_into().ok()?,
            task_manager: row.text("taskmanager-id"),
            endpoint: row.text("endpoint").or_else(|_| row.text("host")),
            state: row.text("status"),
        })
    });
    Ok(rows.collect())
}
