//! What the JVM takes besides the planned parts, and what nobody plans.

use super::super::amount::{amount, mib};
use super::super::table::{self, Align, wrapped};
use super::heading;
use crate::model::{Bytes, Component, Reading};
use crate::plan::jvm::SEEN_ON;
use crate::plan::python::Python;
use crate::plan::{Mode, Survey};

pub fn section(survey: &Survey, width: usize) -> String {
    jvm(survey, width) + &python(survey, width) + &unbudgeted(survey, width)
}

fn jvm(survey: &Survey, width: usize) -> String {
    let footprint = &survey.footprint;
    let mut out = heading("What the JVM takes for itself, in MiB");
    let mut rows = Vec::new();
    let mut seen = Bytes::ZERO;
    for share in &footprint.shares {
        let at_most = match &share.at_most {
            Reading::Seen(bytes) => mib(*bytes),
            Reading::Unseen(_) => "?".to_owned(),
        };
        seen = share.seen.and_then(|bytes| seen.checked_add(bytes)).unwrap_or(seen);
        let why = match &share.at_most {
            Reading::Seen(_) => share.why.clone(),
            Reading::Unseen(reason) => reason.clone(),
        };
        rows.push((share.what, at_most, share.seen.map_or("?".to_owned(), mib), why));
    }
    let cells: Vec<Vec<String>> =
        rows.iter().map(|(what, at_most, seen, _)| vec![(*what).to_owned(), at_most.clone(), seen.clone()]).collect();
    out += &table::plain(2, &["", "at most", "seen"], &[Align::Left, Align::Right, Align::Right], &cells);
    let (jdk, collector, cores) = (&footprint.jdk, &footprint.collector, &footprint.cores);
    let mut text = format!(
        "For JDK {} ({}), the {} collector ({}) and {} cores ({}). Seen on {SEEN_ON}.",
        jdk.value,
        jdk.why,
        collector.value.label(),
        collector.why,
        cores.value,
        cores.why
    );
    match &footprint.heap {
        Reading::Seen(heap) => {
            text += &match heap.checked_sub(survey.plan.budget.heap()) {
                Some(excess) if excess > Bytes::ZERO => {
                    format!(" The JVM rounds the heap up to {heap}, {} more than -Xmx.", amount(excess))
                }
                _ => " The JVM takes the heap as it is.".to_owned(),
            };
        }
        Reading::Unseen(why) => text += &format!(" How the JVM rounds the heap: {why}."),
    }
    if let Some(overhead) = survey.plan.budget.part(Component::JvmOverhead) {
        text += &format!(
            " All this has to fit in JVM Overhead, {}; on that TaskManager it was {}.",
            amount(overhead.bytes),
            amount(seen)
        );
    }
    out + &wrapped(&text, width, 2)
}

fn python(survey: &Survey, width: usize) -> String {
    let text = match &survey.python {
        None => return String::new(),
        Some(Err(rejection)) => rejection.to_string(),
        Some(Ok(Python::Managed(Ok(bytes)))) => format!(
            "Python workers may take {} in each slot, out of managed memory. Flink passes that on as a limit, but no \
             worker reads it: they are processes of their own in the same container, and nobody enforces it.",
            amount(*bytes)
        ),
        Some(Ok(Python::Managed(Err(rejection)))) => rejection.to_string(),
        Some(Ok(Python::TaskOffHeap { required, refused })) => {
            let needs = format!("Python workers need {} of Task Off-heap.", amount(*required));
            match refused {
                Some(rejection) => format!("{needs} PyFlink refuses the job: {}", rejection.exception.message),
                None => needs,
            }
        }
        Some(Ok(Python::Unplanned)) => {
            "Python workers are processes of their own in the same container, and no part of the budget is theirs."
                .to_owned()
        }
    };
    heading("Python") + &wrapped(&text, width, 2)
}

fn unbudgeted(survey: &Survey, width: usize) -> String {
    let mut out = heading("What no part of the budget pays for");
    for item in &survey.unbudgeted {
        let size = match &item.size {
            Reading::Seen(bytes) => amount(*bytes),
            Reading::Unseen(why) => why.clone(),
        };
        let text = wrapped(&format!("{}: {size}; {}", item.what, item.remark), width, 4);
        out += &format!("  - {}", text.trim_start());
    }
    if !matches!(survey.plan.mode, Mode::CutOff | Mode::StartScript) {
        out += &wrapped("It comes out of what JVM Overhead has left; beyond that, the process is killed.", width, 2);
    }
    out
}
