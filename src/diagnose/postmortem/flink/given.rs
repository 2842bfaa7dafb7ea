//! What the processes were given, as their logs record it: the final memory configuration, what a JobManager asks for,
//! the settings that were loaded, and the flags in a TaskManager's header.

use std::ops::Range;

use super::Told;
use crate::artefact::flink_log::process_spec;
use crate::artefact::startup_block::{self, Label};
use crate::artefact::{command_line, loaded_property};
use crate::diagnose::postmortem::signal::{Origin, Says};
use crate::model::Role;

pub(super) fn tell(told: &mut Told<'_>) {
    let text = told.text();
    let mut given: Vec<(Range<usize>, String, String)> = Vec::new();
    let starts = Starts::of(text);
    for setting in process_spec::settings(text) {
        given.push((setting.span, setting.what.key.to_owned(), setting.what.value));
    }
    if text.contains(" bytes)") || text.contains("Final ") {
        for block in startup_block::parse(text).into_iter().filter(|block| block.title.is_some()) {
            for (label, size) in &block.figures {
                let Some(key) = key(block.role, *label) else { continue };
                // As the process itself is given it: a flag of the JVM has no unit, a key of Flink's has.
                let unit = if key.starts_with('-') { "" } else { "b" };
                given.push((starts.line(size.line), key.to_owned(), format!("{}{unit}", size.what.get())));
            }
        }
    }
    if text.contains("onfiguration property: ") {
        for property in loaded_property::parse(text) {
            // A line of a log as an element of JSON ends in what JSON puts there.
            let value = property.what.value.split("\\n").next().unwrap_or_default().trim_end_matches("\",");
            given.push((starts.line(property.line), property.what.key, value.to_owned()));
        }
    }
    if text.contains("JVM Options:") || text.contains("jvm_params:") {
        for command in command_line::parse(text) {
            let line = starts.line(command.line);
            // Rows of a process tree are YARN's, and the JobManager's heap is not the TaskManager's.
            let row = text.get(line.clone()).unwrap_or_default();
            if row.contains("|-") || command.what.role == Some(Role::JobManager) {
                continue;
            }
            let flags = [
                ("-Xmx", command.what.xmx),
                ("-Xms", command.what.xms),
                ("-XX:MaxDirectMemorySize", command.what.direct),
                ("-XX:MaxMetaspaceSize", command.what.metaspace),
            ];
            let flags = flags.into_iter().filter_map(|(flag, size)| Some((flag.to_owned(), size?.text)));
            given.extend(flags.chain(command.what.dynamic).map(|(key, value)| (line.clone(), key, value)));
        }
    }
    for (span, key, value) in given {
        // A masked value says nothing.
        if value != "******" {
            let says = Says::Given { key: key.clone(), value: value.clone() };
            told.once(format!("given {key}={value}"), Origin::Given, &span, says);
        }
    }
}

/// The key that a line of the final configuration stands for.
fn key(role: Role, label: Label) -> Option<&'static str> {
    Some(match (role, label) {
        (Role::TaskManager, Label::TotalProcess) => "taskmanager.memory.process.size",
        (Role::TaskManager, Label::TotalFlink) => "taskmanager.memory.flink.size",
        (Role::TaskManager, Label::Heap) => "-Xmx",
        (Role::TaskManager, Label::FrameworkHeap) => "taskmanager.memory.framework.heap.size",
        (Role::TaskManager, Label::TaskHeap) => "taskmanager.memory.task.heap.size",
        (Role::TaskManager, Label::Managed) => "taskmanager.memory.managed.size",
        (Role::TaskManager, Label::Direct) => "-XX:MaxDirectMemorySize",
        (Role::TaskManager, Label::FrameworkOffHeap) => "taskmanager.memory.framework.off-heap.size",
        (Role::TaskManager, Label::TaskOffHeap) => "taskmanager.memory.task.off-heap.size",
        (Role::TaskManager, Label::Network) => "taskmanager.memory.network.max",
        (Role::TaskManager, Label::Metaspace) => "taskmanager.memory.jvm-metaspace.size",
        (Role::TaskManager, Label::Overhead) => "taskmanager.memory.jvm-overhead.max",
        (Role::JobManager, Label::TotalProcess) => "jobmanager.memory.process.size",
        (Role::JobManager, Label::TotalFlink) => "jobmanager.memory.flink.size",
        (Role::JobManager, Label::Heap) => "jobmanager.memory.heap.size",
        (Role::JobManager, Label::OffHeap) => "jobmanager.memory.off-heap.size",
        (Role::JobManager, Label::Metaspace) => "jobmanager.memory.jvm-metaspace.size",
        (Role::JobManager, Label::Overhead) => "jobmanager.memory.jvm-overhead.max",
        _ => return None,
    })
}

/// Where the lines of a text start, for readers that count lines.
struct Starts(Vec<usize>);

impl Starts {
    fn of(text: &str) -> Starts {
        Starts(std::iter::once(0).chain(memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1)).collect())
    }

    /// A line by its number in the text, from 1.
    fn line(&self, number: u32) -> Range<usize> {
        let index = usize::try_from(number).unwrap_or(usize::MAX).saturating_sub(1);
        let start = self.0.get(index).copied().unwrap_or_default();
        let end = self.0.get(index.saturating_add(1)).copied().unwrap_or(start);
        start..end.saturating_sub(1).max(start)
    }
}
