//! What stands beside Flink's process in its pod, and whose memory that is.

use super::super::amount::amount;
use super::heading;
use crate::config::Written;
use crate::model::{Bytes, Limit};
use crate::plan::Survey;
use crate::report::Sheet;
use crate::report::table::wrapped;

/// The section on the pod; nothing where there is nothing to tell.
pub fn section(sheet: &Sheet, survey: &Survey, width: usize) -> String {
    let Some(pod) = &sheet.pod else { return String::new() };
    if pod.sidecars.is_empty() && pod.memory_volumes.is_empty() {
        return String::new();
    }
    let mut out = heading("Beside it in the pod");
    let mut item = |text: String| {
        let text = wrapped(&text, width, 4);
        out += &format!("  - {}", text.trim_start());
    };
    for sidecar in &pod.sidecars {
        item(match &sidecar.limit {
            Some(Written { bytes, place }) => {
                format!("container {}: at most {} ({place}), in a limit of its own", sidecar.name, amount(*bytes))
            }
            None => format!("container {}: no limit of its own, so it may take what the node has", sidecar.name),
        });
    }
    for volume in &pod.memory_volumes {
        let size = match &volume.limit {
            Some(Written { bytes, place }) => format!("up to {} ({place})", amount(*bytes)),
            None => "as much as the container has left".to_owned(),
        };
        item(format!(
            "volume {}: {size} of memory; its pages count towards the container that writes them, and no part of \
             Flink's budget pays for them",
            volume.name
        ));
    }
    let limits: Option<Vec<Bytes>> =
        pod.sidecars.iter().map(|sidecar| sidecar.limit.as_ref().map(|limit| limit.bytes)).collect();
    let own = survey.container.as_ref().ok().and_then(|container| match container.limit {
        Limit::AtMost(limit) => Some(limit),
        Limit::Unlimited => None,
    });
    if let (Some(limits), Some(own)) = (limits.filter(|limits| !limits.is_empty()), own)
        && let Some(whole) = Bytes::checked_sum(limits.into_iter().chain([own]))
    {
        out += &wrapped(&format!("The pod as a whole may take {}.", amount(whole)), width, 2);
    }
    out
}
