//! What ran beside the JVM in a container that met its limit, by a table of its processes: the kernel's of tasks, YARN's dump of
//! the process tree.

use super::signal::Strain;
use crate::artefact::python_worker::is_worker;
use crate::model::{Area, Bytes};

/// From this part of a container's limit on, in hundredths, what runs beside the JVM is what no budget of Flink's has.
const BESIDE: u64 = 20;

/// A process of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Row<'t> {
    /// Where it stands.
    pub at: usize,
    /// Its number; nothing where it cannot be read.
    pub pid: Option<u32>,
    /// What the kernel calls it.
    pub name: &'t str,
    /// Resident.
    pub resident: Bytes,
}

/// What a table shows of processes beside its largest JVM, where that is more than a little: where the largest of them stands,
/// and what is to be said. Python workers by themselves go first, since their memory can be planned.
pub(super) fn strain(rows: &[Row<'_>], limit: Bytes) -> Option<(usize, Strain)> {
    let jvm = rows.iter().enumerate().filter(|(_, row)| row.name == "java").max_by_key(|(_, row)| row.resident)?.0;
    let others = |workers: bool| {
        let all = rows.iter().enumerate().filter(move |(at, _)| *at != jvm).map(|(_, row)| row);
        all.filter(move |row| is_worker(row.name) || !workers)
    };
    let sum = |workers| Bytes::checked_sum(others(workers).map(|row| row.resident));
    let is_much = |sum: &Bytes| sum.get() >= limit.get() / 100 * BESIDE;
    let (name, whose, usage, workers) = match sum(true).filter(is_much) {
        Some(usage) => ("python-workers", "Python workers", usage, true),
        None => ("other-processes", "processes beside the JVM", sum(false).filter(is_much)?, false),
    };
    let largest = others(workers).max_by_key(|row| row.resident)?;
    let process = largest.pid.map_or_else(String::new, |pid| format!(", process {pid}"));
    let text = format!(
        "{whose} had {} MiB ({}{process}), the JVM {} of {} MiB",
        usage.whole_mib(),
        largest.name,
        rows.get(jvm)?.resident.whole_mib(),
        limit.whole_mib(),
    );
    Some((largest.at, Strain { name, area: Some(Area::Container), text, usage: Some(usage), limit: Some(limit) }))
}
