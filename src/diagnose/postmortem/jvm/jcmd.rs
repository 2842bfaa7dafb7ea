//! Answers of `jcmd`: they tell what a JVM holds, and of no death.

use super::signal;
use crate::artefact::excerpt::Excerpt;
use crate::artefact::jcmd_text::{self, Says as Answered};
use crate::artefact::nmt::{Category, Nmt};
use crate::diagnose::postmortem::signal::{Origin, Says, Signal, Strain};
use crate::model::{Area, Bytes};

pub(super) fn signals(excerpt: &Excerpt, heap_is_known: bool) -> Vec<Signal> {
    let each = jcmd_text::read(excerpt).into_iter().filter_map(|answer| {
        let says = match answer.says {
            Answered::NativeMemory(nmt) => native(&nmt),
            Answered::NotTracked => Says::Given { key: "-XX:NativeMemoryTracking".to_owned(), value: "off".to_owned() },
            Answered::Heap { .. } | Answered::Metaspace { .. } if heap_is_known => return None,
            Answered::Heap { total, used } => {
                let text = format!("{used} of the {total} of the heap that are committed are in use");
                strain("heap", Area::Heap, text, Some(used), Some(total))
            }
            Answered::Metaspace { used, committed } => {
                let text = format!("{used} of metaspace are in use, {committed} committed");
                strain("metaspace", Area::Metaspace, text, Some(used), None)
            }
            Answered::Histogram { class, instances, bytes } => {
                let text = format!("{instances} instances of {class} hold {} B of the heap", bytes.get());
                strain("class-histogram", Area::Heap, text, None, None)
            }
            Answered::MaxMetaspace(value) => Says::Given { key: "-XX:MaxMetaspaceSize".to_owned(), value },
        };
        Some(signal(excerpt, answer.offset, Origin::Jcmd, says))
    });
    each.collect()
}

fn strain(name: &'static str, area: Area, text: String, usage: Option<Bytes>, limit: Option<Bytes>) -> Says {
    Says::Strain(Strain { name, area: Some(area), text, usage, limit })
}

/// What grew, in a `diff`; else what is largest beside the heap.
fn native(nmt: &Nmt) -> Says {
    let committed = Bytes::new(nmt.total.committed);
    let grown = nmt.categories.iter().filter(|category| category.extent.change.is_some_and(|change| change > 0));
    let grown = grown.max_by_key(|category| category.extent.change);
    let (area, text) = match (grown, nmt.total.change) {
        (Some(grown), Some(total)) => (
            area(grown),
            format!(
                "the JVM itself committed {committed}, {total} B more than at the baseline, most of it by {}",
                grown.name
            ),
        ),
        _ => {
            let beside = nmt.categories.iter().filter(|category| category.name != "Java Heap");
            match (
                nmt.total.change.filter(|change| *change > 0),
                beside.max_by_key(|category| category.extent.committed),
            ) {
                // What grew is in a category that the text leaves out.
                (Some(change), _) => {
                    (None, format!("the JVM itself committed {committed}, {change} B more than at the baseline"))
                }
                (None, Some(largest)) => (
                    area(largest),
                    format!("the JVM itself committed {committed}, beside the heap most for {}", largest.name),
                ),
                (None, None) => (None, format!("the JVM itself committed {committed}")),
            }
        }
    };
    Says::Strain(Strain { name: "native-memory", area, text, usage: Some(committed), limit: None })
}

fn area(category: &Category) -> Option<Area> {
    match category.name.as_str() {
        "Java Heap" => Some(Area::Heap),
        "Class" | "Metaspace" | "Shared class space" => Some(Area::Metaspace),
        "Thread" => Some(Area::Threads),
        // Up to JDK 10 direct buffers are in "Internal".
        "Other" | "Internal" => Some(Area::Direct),
        _ => Some(Area::Native),
    }
}
