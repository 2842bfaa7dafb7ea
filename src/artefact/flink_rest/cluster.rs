//! `/overview`, `/config`, `/jobmanager/config` and the lists of logs.

use super::answer::{AnswerError, open_list, open_object};
use crate::model::{Bytes, Seen};

/// `/overview` (`ClusterOverviewWithVersion`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overview {
    /// The cluster's version, `1.20.5`.
    pub version: Seen<String>,
    /// Registered TaskManagers.
    pub task_managers: Seen<u64>,
    /// Slots of all of them.
    pub slots: Seen<u64>,
    /// Slots that no job has.
    pub free_slots: Seen<u64>,
    /// Jobs that run.
    pub jobs_running: Seen<u64>,
}

/// Reads `/overview`.
///
/// # Errors
///
/// Where the answer is no JSON object of Flink's.
pub fn overview(answer: &[u8]) -> Result<Overview, AnswerError> {
    let text = String::from_utf8_lossy(answer);
    let fields = open_object(&text)?;
    Ok(Overview {
        version: fields.text("flink-version"),
        task_managers: fields.whole("taskmanagers"),
        slots: fields.whole("slots-total"),
        free_slots: fields.whole("slots-available"),
        jobs_running: fields.whole("jobs-running"),
    })
}

/// The version that `/config` (`DashboardConfiguration`) names.
///
/// # Errors
///
/// Where the answer is no JSON object of Flink's.
pub fn version(answer: &[u8]) -> Result<Seen<String>, AnswerError> {
    let text = String::from_utf8_lossy(answer);
    Ok(open_object(&text)?.text("flink-version"))
}

/// Keys and values of `/jobmanager/config`, in their order. Flink has masked what it takes for secrets.
///
/// # Errors
///
/// Where the answer is no JSON list of Flink's.
pub fn configuration(answer: &[u8]) -> Result<Vec<(String, String)>, AnswerError> {
    let text = String::from_utf8_lossy(answer);
    let rows = open_list(&text)?.into_iter().filter_map(|node| {
        let row = node.fields("")?;
        Some((row.text("key").ok()?, row.text("value").ok()?))
    });
    Ok(rows.collect())
}

/// One file of `/taskmanagers/:id/logs` or `/jobmanager/logs`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFile {
    /// Its name, under which it can be asked for.
    pub name: String,
    /// Its size.
    pub size: Seen<Bytes>,
}

/// The files of a list of logs (since 1.10).
///
/// # Errors
///
/// Where the answer is no JSON object of Flink's.
pub fn logs(answer: &[u8]) -> Result<Vec<LogFile>, AnswerError> {
    let text = String::from_utf8_lossy(answer);
    let rows = open_object(&text)?.list("logs").into_iter().filter_map(|node| {
        let row = node.fields("logs")?;
        Some(LogFile { name: row.text("name").ok()?, size: row.bytes("size") })
    });
    Ok(rows.collect())
}
