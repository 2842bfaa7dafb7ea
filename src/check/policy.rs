//! Thresholds: what is too small or too much, with reasons, in `profiles/policy`; a team sets its own in `oomph.yaml`.

use std::collections::BTreeMap;

use crate::model::Bytes;

/// The thresholds by name.
pub mod threshold {
    use super::Threshold;
    use crate::model::Bytes;

    include!(concat!(env!("OUT_DIR"), "/policy.rs"));
}

/// A threshold: a size, or a count.
#[derive(Debug)]
pub struct Threshold<T: 'static> {
    /// Its name in `profiles/policy` and `oomph.yaml`.
    pub name: &'static str,
    /// Its value where a team sets none.
    pub default: T,
    /// Why it is so.
    pub reason: &'static str,
    /// Where that is from.
    pub source: &'static str,
}

/// The thresholds in force.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    sizes: BTreeMap<&'static str, Bytes>,
    counts: BTreeMap<&'static str, u64>,
}

impl Policy {
    /// A size in force.
    pub fn size(&self, threshold: &Threshold<Bytes>) -> Bytes {
        self.sizes.get(threshold.name).copied().unwrap_or(threshold.default)
    }

    /// A count in force.
    pub fn count(&self, threshold: &Threshold<u64>) -> u64 {
        self.counts.get(threshold.name).copied().unwrap_or(threshold.default)
    }

    /// Sets a threshold by its name, from a text; what is wrong with it is the end of a sentence that its name begins.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        if let Some(size) = threshold::SIZES.iter().find(|size| size.name == name) {
            let bytes = Bytes::parse_flink(value).map_err(|_| format!("is a size such as 64mb, not `{value}`"))?;
            self.sizes.insert(size.name, bytes);
        } else if let Some(count) = threshold::COUNTS.iter().find(|count| count.name == name) {
            let number = value.parse().map_err(|_| format!("is a whole number, not `{value}`"))?;
            self.counts.insert(count.name, number);
        } else {
            return Err("is no threshold; `oomph rules --thresholds` lists them".to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::threshold::{COUNTS, JOBMANAGER_HEAP_MIN, SIZES};
    use super::*;

    #[test]
    fn a_team_sets_thresholds_by_name() {
        let mut policy = Policy::default();
        assert_eq!(policy.size(&JOBMANAGER_HEAP_MIN), Bytes::mib(128));
        policy.set("jobmanager-heap-min", "1 gb").unwrap();
        assert_eq!(policy.size(&JOBMANAGER_HEAP_MIN), Bytes::gib(1));
        assert!(policy.set("jobmanager-heap-min", "lots").unwrap_err().contains("64mb"));
        assert!(policy.set("no-such", "1").unwrap_err().contains("no threshold"));
    }

    #[test]
    fn every_threshold_has_a_reason_and_a_source() {
        let sizes = SIZES.iter().map(|t| (t.name, t.reason, t.source));
        for (name, reason, source) in sizes.chain(COUNTS.iter().map(|t| (t.name, t.reason, t.source))) {
            assert!(reason.len() > 20 && source.len() > 5, "{name}");
        }
    }
}
