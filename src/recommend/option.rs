//! The options that a process's memory is set with, whatever names they are written under, and changes of them.

use super::Change;
use crate::config::Config;
use crate::flink::key::{Float, Key, Size};
use crate::flink::keys;
use crate::flink::profile::Profile;
use crate::model::{Bytes, Role};
use crate::plan::settings::Settings;
use crate::plan::{Deployment, Question};

/// The frame of a role: its totals, and what is not Flink's.
pub struct Frame {
    /// Total process memory.
    pub process: Key<Size>,
    /// Total Flink memory.
    pub flink: Key<Size>,
    /// Metaspace.
    pub metaspace: Key<Size>,
    /// Overhead.
    pub overhead: Share,
}

/// A component that is a share, held in a range.
#[derive(Clone, Copy)]
pub struct Share {
    /// The least it may be.
    pub min: Key<Size>,
    /// The most it may be.
    pub max: Key<Size>,
    /// The share.
    pub fraction: Key<Float>,
}

/// The total process memory of a role in the configuration that Flink ships (`flink-conf.yaml`, `config.yaml`).
pub const fn usual_process(role: Role) -> Bytes {
    match role {
        Role::TaskManager => Bytes::mib(1728),
        Role::JobManager => Bytes::mib(1600),
    }
}

/// Network memory.
pub const NETWORK: Share = Share { min: keys::NETWORK_MIN, max: keys::NETWORK_MAX, fraction: keys::NETWORK_FRACTION };

/// The frame of a role.
pub fn frame(role: Role) -> Frame {
    match role {
        Role::TaskManager => Frame {
            process: keys::TM_PROCESS,
            flink: keys::TM_FLINK,
            metaspace: keys::TM_METASPACE,
            overhead: Share {
                min: keys::TM_OVERHEAD_MIN,
                max: keys::TM_OVERHEAD_MAX,
                fraction: keys::TM_OVERHEAD_FRACTION,
            },
        },
        Role::JobManager => Frame {
            process: keys::JM_PROCESS,
            flink: keys::JM_FLINK,
            metaspace: keys::JM_METASPACE,
            overhead: Share {
                min: keys::JM_OVERHEAD_MIN,
                max: keys::JM_OVERHEAD_MAX,
                fraction: keys::JM_OVERHEAD_FRACTION,
            },
        },
    }
}

/// The names in a configuration under which an option is set: its own first, then old ones.
pub fn written<T>(config: &Config, profile: &'static Profile, key: Key<T>) -> Vec<&'static str> {
    let old = profile.option_at(key.index()).map(|row| row.fallback.iter().chain(row.deprecated.iter()).copied());
    std::iter::once(key.name()).chain(old.into_iter().flatten()).filter(|name| config.get(name).is_some()).collect()
}

/// The names in a configuration of the heap keys of Flink 1.9 that this version reads in a total's place.
pub fn stand_ins(
    config: &Config,
    profile: &'static Profile,
    question: &Question,
    total: Key<Size>,
) -> Vec<&'static str> {
    if !profile.behaviour.legacy_heap_keys {
        return Vec::new();
    }
    let (size, mb) = match question.role {
        Role::TaskManager => (keys::TM_HEAP_SIZE, keys::TM_HEAP_MB),
        Role::JobManager => (keys::JM_HEAP_SIZE, keys::JM_HEAP_MB),
    };
    let target = match (question.deployment, question.role) {
        (Deployment::None, _) => return Vec::new(),
        (Deployment::Standalone, Role::TaskManager) => keys::TM_FLINK,
        (Deployment::Standalone, Role::JobManager) => keys::JM_HEAP,
        (_, role) => frame(role).process,
    };
    if target.name() != total.name() {
        return Vec::new();
    }
    [written(config, profile, size), written(config, profile, mb)].concat()
}

/// What takes an option out of a configuration, under every name; nothing where it is not set.
pub fn taken_out(config: &Config, profile: &'static Profile, question: &Question, key: Key<Size>) -> Vec<Change> {
    let names = [written(config, profile, key), stand_ins(config, profile, question, key)].concat();
    names.into_iter().map(Change::remove).collect()
}

/// What gives an option this size; nothing where it has it.
pub fn given(config: &Config, profile: &'static Profile, key: Key<Size>, size: Bytes) -> Vec<Change> {
    let settings = Settings::new(config, profile);
    if settings.is_set(key) && reading(&settings, key) == Some(size) {
        return Vec::new();
    }
    vec![Change::set(key.name(), text(size))]
}

/// The size that an option has, set or by default; nothing where it has none or none that can be read.
pub fn reading(settings: &Settings<'_>, key: Key<Size>) -> Option<Bytes> {
    settings.size(key).ok().flatten().map(|figure| figure.bytes)
}

/// A size as it is written in a configuration: `4g`, `1728m`, `697932173b`.
pub fn text(size: Bytes) -> String {
    let n = size.get();
    for (shift, unit) in [(30, 'g'), (20, 'm')] {
        if n > 0 && n.is_multiple_of(1 << shift) {
            return format!("{}{unit}", n >> shift);
        }
    }
    format!("{n}b")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Value;
    use crate::model::{Place, Source};

    #[test]
    fn a_size_is_written_so_that_flink_reads_the_same() {
        for (size, expected) in
            [(0, "0b"), (1 << 30, "1g"), (1728 << 20, "1728m"), (1025, "1025b"), (1536 << 20, "1536m")]
        {
            assert_eq!(text(Bytes::new(size)), expected);
            assert_eq!(Bytes::parse_flink(expected), Ok(Bytes::new(size)));
        }
    }

    #[test]
    fn an_option_is_taken_out_under_each_of_its_names() {
        let profile = Profile::of("1.20".parse().unwrap()).unwrap().0;
        let mut config = Config::new();
        for key in ["taskmanager.memory.network.min", "taskmanager.network.memory.min", "taskmanager.heap.size"] {
            config.set(key.to_owned(), Value::text("1g"), Place::of(Source::Caller));
        }
        let question = Question {
            role: Role::TaskManager,
            deployment: Deployment::Standalone,
            consumers: Vec::new(),
            managed_backend: true,
            stores: Vec::new(),
        };
        let out = |key| taken_out(&config, profile, &question, key).iter().map(Change::to_string).collect::<Vec<_>>();
        assert_eq!(
            out(keys::NETWORK_MIN),
            ["without taskmanager.memory.network.min", "without taskmanager.network.memory.min"]
        );
        assert_eq!(out(keys::TM_FLINK), ["without taskmanager.heap.size"]);
        assert!(out(keys::TM_PROCESS).is_empty());
    }
}
