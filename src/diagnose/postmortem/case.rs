//! One death with everything that is said of it, and what the process was given: what a cause looks at afterwards.

use super::death::Told;
use super::signal::{Death, Ended, Origin, Says, Signal, Strain};
use crate::model::{Area, Bytes, Killer, Role};

/// One death, or none where the artefacts tell of none.
#[derive(Clone, Debug)]
pub struct Case<'s> {
    /// The death, told in one place or in several.
    pub death: Option<Told<'s>>,
    /// Everything else that is said and may be about it: strains, settings, ends, consequences.
    pub signals: Vec<&'s Signal>,
    /// Whose death it is, where that can be told.
    pub role: Option<Role>,
}

impl<'s> Case<'s> {
    /// Who ended the process, where a text says so.
    pub fn killer(&self) -> Option<Killer> {
        self.death.as_ref().map(Told::killer)
    }

    /// Whether one of these ended it.
    pub fn killed_by(&self, killers: &[Killer]) -> bool {
        self.killer().is_some_and(|killer| killers.contains(&killer))
    }

    /// The signals that tell of the death.
    pub fn told(&self) -> impl Iterator<Item = (&'s Signal, &'s Death)> {
        self.death.iter().flat_map(|told| told.signals.iter().copied())
    }

    /// Signals of the death in which the area that filled up is said to be one of these.
    pub fn told_of(&self, areas: &[Area]) -> Vec<&'s Signal> {
        self.told()
            .filter(|(_, death)| death.area.is_some_and(|area| areas.contains(&area)))
            .map(|(signal, _)| signal)
            .collect()
    }

    /// Signals of the death by one of these killers.
    pub fn told_by(&self, killers: &[Killer]) -> Vec<&'s Signal> {
        self.told().filter(|(_, death)| killers.contains(&death.killer)).map(|(signal, _)| signal).collect()
    }

    /// Signals of the death whose words hold one of these, in any case.
    pub fn told_with(&self, words: &[&str]) -> Vec<&'s Signal> {
        let holds = |text: &str| {
            let text = text.to_lowercase();
            words.iter().any(|word| text.contains(&word.to_lowercase()))
        };
        self.told()
            .filter(|(signal, death)| holds(&signal.quote) || holds(&death.because))
            .map(|(signal, _)| signal)
            .collect()
    }

    /// Strains of a name.
    pub fn strains(&self, names: &[&str]) -> Vec<(&'s Signal, &'s Strain)> {
        self.signals
            .iter()
            .copied()
            .filter_map(|signal| match &signal.says {
                Says::Strain(strain) if names.contains(&strain.name) => Some((signal, strain)),
                _ => None,
            })
            .collect()
    }

    /// Strains about an area.
    pub fn strained(&self, area: Area) -> Vec<&'s Signal> {
        self.signals
            .iter()
            .copied()
            .filter(|signal| matches!(&signal.says, Says::Strain(strain) if strain.area == Some(area)))
            .collect()
    }

    /// Ends without a reason.
    pub fn ends(&self) -> Vec<(&'s Signal, &'s Ended)> {
        self.signals
            .iter()
            .copied()
            .filter_map(|signal| match &signal.says {
                Says::Ended(ended) => Some((signal, ended)),
                _ => None,
            })
            .collect()
    }

    /// Reasons that are not memory.
    pub fn other_reasons(&self) -> Vec<&'s Signal> {
        self.signals.iter().copied().filter(|signal| matches!(signal.says, Says::OtherReason { .. })).collect()
    }

    /// What follows from a death.
    pub fn consequences(&self) -> Vec<&'s Signal> {
        self.signals.iter().copied().filter(|signal| matches!(signal.says, Says::Consequence)).collect()
    }

    /// The last value that is said for a key or a flag, and where.
    pub fn given(&self, key: &str) -> Option<(&'s Signal, &'s str)> {
        self.signals.iter().rev().copied().find_map(|signal| match &signal.says {
            Says::Given { key: known, value } if known == key => Some((signal, value.as_str())),
            _ => None,
        })
    }

    /// Whether a setting has a value, in any case.
    pub fn is_given(&self, key: &str, value: &str) -> Option<&'s Signal> {
        self.given(key).filter(|(_, given)| given.trim().eq_ignore_ascii_case(value)).map(|(signal, _)| signal)
    }

    /// The size of a JVM flag that is given: `-Xmx`, `-XX:MaxDirectMemorySize=`.
    pub fn flag_size(&self, flag: &str) -> Option<Bytes> {
        Bytes::parse_jvm(self.given(flag)?.1.trim()).ok()
    }

    /// Signals of an origin.
    pub fn of_origin(&self, origin: Origin) -> Vec<&'s Signal> {
        self.signals.iter().copied().filter(|signal| signal.origin == origin).collect()
    }

    /// Whether an input shows RocksDB at work or configured.
    pub fn shows_rocksdb(&self) -> Vec<&'s Signal> {
        self.signals
            .iter()
            .copied()
            .filter(|signal| match &signal.says {
                Says::Given { key, value } => {
                    key.contains("rocksdb")
                        || key.starts_with("state.backend") && value.to_lowercase().contains("rocksdb")
                }
                Says::Strain(strain) => strain.area == Some(Area::ManagedRocksDb),
                _ => signal.origin == Origin::RocksDb,
            })
            .collect()
    }
}
