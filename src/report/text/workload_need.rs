//! What a workload will take of RocksDB's memory, beside what the process has for it.

use super::super::amount::{about, mib};
use super::super::table::{Align, fitting, wrapped};
use super::heading;
use crate::model::Bytes;
use crate::report::repro::predict::parts;
use crate::repro::need::{Fit, WorkloadNeed};
use crate::repro::settings::SettingsError;

/// The section.
pub fn section(answer: &Result<WorkloadNeed, SettingsError>, width: usize) -> String {
    let need = match answer {
        Ok(need) => need,
        Err(error) => {
            let why = format!("Nothing can be predicted: oomph could not {error}.");
            return heading("What the workload will take") + &wrapped(&why, width, 2);
        }
    };
    let mut out = heading(&format!("What the workload {} will take", need.workload));
    out += &fitting(
        width,
        &[],
        &["MiB", "needed", "had"],
        &[Align::Left, Align::Right, Align::Right],
        &[
            row("  Managed memory: RocksDB's pool", need.prediction.managed_needed, need.managed),
            row("  JVM overhead: RocksDB outside of its pool", need.prediction.overhead_needed, need.overhead),
        ],
    );
    out += &wrapped(&verdict(need), width, 2);
    for note in notes(need) {
        out += &wrapped(&note, width, 2);
    }
    out + "\n" + &parts(&need.prediction, width)
}

fn row(name: &str, needed: Bytes, had: Bytes) -> Vec<String> {
    vec![name.to_owned(), mib(needed), mib(had)]
}

fn verdict(need: &WorkloadNeed) -> String {
    let WorkloadNeed { prediction, managed, overhead, .. } = need;
    match need.fit() {
        Fit::Fits => {
            let left = overhead.checked_sub(prediction.overhead_needed).unwrap_or(Bytes::ZERO);
            format!(
                "It fits. {} of JVM overhead are left for the JVM itself: threads, code, the collector; oomph attach \
                 measures these.",
                about(left)
            )
        }
        Fit::SmallPool => format!(
            "It fits, though not within the pool: what iterators pin and memtables overshoot lies above its {}; {} of \
             managed memory would hold all of it.",
            about(*managed),
            about(prediction.managed_needed)
        ),
        Fit::SmallOverhead => format!(
            "It does not fit. Nobody keeps what RocksDB takes outside of its pool: with the JVM's own needs on top of {} \
             it passes the {} of JVM overhead, and the container is killed. Raise \
             taskmanager.memory.jvm-overhead.min and .max, or take less: fewer slots, states or arenas.",
            about(prediction.overhead_needed),
            about(*overhead)
        ),
    }
}

fn notes(need: &WorkloadNeed) -> Vec<String> {
    let mut notes = vec![format!("Predicted for RocksDB {} with {}.", need.release.text(), need.malloc)];
    if need.workload_slots != need.slots {
        notes.push(format!(
            "The workload is in {} of {}; the others are taken to be empty.",
            need.workload_slots,
            if need.slots == 1 { "one slot".to_owned() } else { format!("{} slots", need.slots) },
        ));
    }
    notes.extend(need.prediction.notes.iter().cloned());
    notes
}
