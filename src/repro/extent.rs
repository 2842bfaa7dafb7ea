//! How much disk an experiment may take.

use crate::model::{Accesses, Bytes, Experiment, Kind, Order, State, Workload};

use super::stream;

/// Everything that is written may be there twice while a compaction runs, and once more in a snapshot.
const COPIES: u64 = 3;

/// An upper bound of what lies on the disk at any time.
pub fn on_disk(experiment: &Experiment) -> Bytes {
    let workload = &experiment.workload;
    let shuffle = workload.shuffle.map_or(0, |shuffle| shuffle.bytes.get());
    let state = state_size(workload).get().saturating_mul(COPIES);
    Bytes::new(state.saturating_add(shuffle))
}

/// All live state of all slots, uncompressed, at most.
pub fn state_size(workload: &Workload) -> Bytes {
    let of_operators: u64 = workload
        .operators
        .iter()
        .flat_map(|operator| &operator.states)
        .map(|state| live(workload, state))
        .fold(0, u64::saturating_add);
    Bytes::new(of_operators.saturating_mul(u64::from(workload.slots)))
}

/// Live bytes of a state in one slot, at most: what is written, or what its keys can hold.
fn live(workload: &Workload, state: &State) -> u64 {
    let mut writes: u128 = 0;
    let mut has_deletes = false;
    for phase in &workload.phases {
        for accesses in phase.accesses.iter().filter(|accesses| accesses.state == state.name) {
            writes += u128::from(phase.records) * u128::from(written(accesses)) / 1_000_000;
            has_deletes |= accesses.delete > 0;
        }
    }
    let writes = u64::try_from(writes).unwrap_or(u64::MAX);
    let entries_a_key = match state.kind {
        Kind::Map { entries } => u64::from(entries),
        _ => 1,
    };
    let waiting = match state.order {
        Order::Sequence { window } if has_deletes || matches!(state.kind, Kind::Timers) => window,
        _ => state.keys,
    };
    let most = waiting.saturating_mul(entries_a_key).saturating_mul(u64::from(state.copies));
    // Appended lists grow with each write; so does anything as long as it is not compacted.
    let entries = match state.kind {
        Kind::List => writes,
        _ => writes.min(most),
    };
    let one = stream::stored_key(state).get() + stream::stored_value(state).get();
    entries.saturating_mul(one)
}

fn written(accesses: &Accesses) -> u64 {
    accesses.write + accesses.update
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use super::*;
    use crate::repro::workload;

    #[test]
    fn a_state_is_bounded_by_its_writes_its_keys_and_its_window() {
        let size = |keys: &str, order: &str, extra: &str| {
            let text = format!(
                "operators: [{{name: o, states: [{{name: s, keys: {keys}, key-size: 9, value-size: 88, order: {order}}}]}}]\nphases: \
                 [{{records: 10k, do: {{s: {{write: 1{extra}}}}}}}]"
            );
            state_size(&workload::parse("w", &text).unwrap()).get()
        };
        assert_eq!(size("1m", "uniform", ""), 10_000 * 100);
        assert_eq!(size("1k", "uniform", ""), 1_000 * 100);
        assert_eq!(size("1m", "sequence 500", ", delete: 1"), 500 * 100);
    }
}
