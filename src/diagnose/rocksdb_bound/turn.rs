//! The options to turn, by their names in a version.

use super::Setting;
use crate::flink::options;
use crate::plan::store::{Scope, Store};

/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// A larger value.
    Raise,
    /// A smaller value.
    Lower,
    /// `true`.
    On,
}

/// An option to turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Its key in that version.
    pub key: String,
    /// Which way.
    pub direction: Direction,
    /// What that does, as a sentence without a full stop.
    pub why: &'static str,
}

/// Collects options that a version has.
pub(super) struct Turns<'a> {
    setting: &'a Setting<'a>,
    turns: Vec<Turn>,
}

impl<'a> Turns<'a> {
    pub(super) fn of(setting: &'a Setting<'a>) -> Turns<'a> {
        Turns { setting, turns: Vec::new() }
    }

    /// An option of the store: `memory.managed` is `state.backend.rocksdb.memory.managed`.
    pub(super) fn store(self, key: &str, direction: Direction, why: &'static str) -> Turns<'a> {
        let prefix = match self.setting.store {
            Store::RocksDb => "state.backend.rocksdb.",
            Store::ForSt => "state.backend.forst.",
        };
        self.add(format!("{prefix}{key}"), direction, why)
    }

    /// More memory for cache and memtables together.
    pub(super) fn memory(self) -> Turns<'a> {
        let why = "the slot's cache and memtables get more memory";
        match self.setting.scope {
            None | Some(Scope::SlotSharedManaged) => self
                .add("taskmanager.memory.managed.fraction".to_owned(), Direction::Raise, why)
                .add("taskmanager.memory.managed.size".to_owned(), Direction::Raise, why),
            Some(Scope::SlotSharedUnmanaged) => self.store("memory.fixed-per-slot", Direction::Raise, why),
            Some(Scope::TmSharedUnmanaged) => {
                self.store("memory.fixed-per-tm", Direction::Raise, "the slots' cache and memtables get more memory")
            }
            Some(Scope::None) => self,
        }
    }

    /// More memory for the cache.
    pub(super) fn cache(self) -> Turns<'a> {
        if self.setting.scope == Some(Scope::None) {
            return self.store(
                "block.cache-size",
                Direction::Raise,
                "each column family's cache grows, outside of every budget",
            );
        }
        self.memory().store(
            "memory.write-buffer-ratio",
            Direction::Lower,
            "more of the slot's memory is left for blocks, less for memtables",
        )
    }

    /// Whether memtables and cache share a pool.
    pub(super) fn is_pooled(&self) -> bool {
        self.setting.scope != Some(Scope::None)
    }

    fn add(mut self, key: String, direction: Direction, why: &'static str) -> Turns<'a> {
        if self.setting.profile.is_none_or(|profile| options::declared(&key, profile).is_some()) {
            self.turns.push(Turn { key, direction, why });
        }
        self
    }

    pub(super) fn done(self) -> Vec<Turn> {
        self.turns
    }
}
