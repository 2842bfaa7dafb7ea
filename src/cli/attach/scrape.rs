//! What Flink's Prometheus reporter says of a process, in place of REST.

use crate::artefact::prometheus::{FlinkView, ScrapedProcess};
use crate::diagnose::sample::{RestLook, Sample};
use crate::model::{Role, Seen, Unseen};
use crate::probe::rest::{Patience, scrape};

/// Reads a file or an address, and takes the process's metrics out of it: a TaskManager's own reporter has those of one
/// process, a Prometheus server those of many.
pub(super) fn look(target: &str, sample: &Sample) -> Seen<RestLook> {
    let mut view = FlinkView::default();
    scrape(target, Patience::default(), |line| view.take(line)).map_err(|error| Unseen::because(error.to_string()))?;
    let role = sample.flink.as_ref().map_or(Role::TaskManager, |flink| flink.role);
    let found = one(view.processes(), role, sample)
        .map_err(|why| Unseen::because(format!("{target}: {why}")).granted_by("scrape the process's own reporter"))?;
    let own = |reading: &&crate::artefact::flink_rest::RocksDbReading| {
        reading.task_manager.as_deref().is_none_or(|id| id == found.id)
    };
    let not_there = || Unseen::because("a reporter does not say it");
    Ok(RestLook {
        url: target.to_owned(),
        version: Err(not_there()),
        memory: None,
        readings: Ok(view.readings().iter().filter(own).cloned().collect()),
        metrics: found.metrics,
        slots_in_use: None,
        configuration: Err(not_there()),
        jobs: Err(not_there()),
    })
}

/// The process among those of a scrape: the only one of its role, or the one of its name.
fn one(all: Vec<ScrapedProcess>, role: Role, sample: &Sample) -> Result<ScrapedProcess, String> {
    let mut fitting: Vec<ScrapedProcess> = all.into_iter().filter(|process| process.role == role).collect();
    // The reporter writes an underscore for what is no letter, digit or colon.
    let folded = |id: &str| id.chars().map(|c| if c.is_ascii_alphanumeric() || c == ':' { c } else { '_' }).collect();
    let name: Option<String> = sample.flink.as_ref().and_then(|flink| flink.resource_id.as_deref()).map(folded);
    if fitting.len() > 1
        && let Some(name) = name
    {
        fitting.retain(|process| process.id == name);
    }
    match fitting.len() {
        1 => Ok(fitting.remove(0)),
        0 => Err(format!("it has no metrics of this {role}")),
        several => Err(format!("it has metrics of {several} processes, and nothing tells which this one is")),
    }
}
