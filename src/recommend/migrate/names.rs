//! What becomes of each key: carried over, renamed, or dropped with a reason.

use super::{Draft, Refused, Request, weights};
use crate::config::Config;
use crate::config::environment;
use crate::flink::keys;
use crate::flink::memory_size::written;
use crate::flink::profile::{JobmanagerModel, OptionKind, Profile, TaskmanagerModel, UnreadableNumber};
use crate::flink::reads::Reads;
use crate::flink::{java, keys::ROCKSDB};
use crate::model::{Bytes, Role};
use crate::plan::settings::Settings;
use crate::plan::{Deployment, cutoff, is_cut_off, network};

/// A key with another name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renamed {
    /// The name it had.
    pub from: String,
    /// The name it has now.
    pub to: String,
}

/// A key that is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dropped {
    /// The key.
    pub key: String,
    /// Why.
    pub reason: String,
}

/// The configuration under the new version's names, before any size is looked at.
pub fn carried(request: &Request<'_>) -> Result<Draft, Refused> {
    let Request { config, from, to, .. } = *request;
    let mut draft = Draft { config: config.clone(), ..Draft::default() };
    // The environment belongs to the container, not to the file: what it sets for the old version stands in the file.
    draft.config.forget_variables();
    legacy_totals(request, &mut draft);
    old_models(request, &mut draft);
    number_of_buffers(request, &mut draft);
    let mut missing = weights::carried(request, &mut draft);
    // What had no effect goes first: it must not stand in the way of what takes its name.
    let of = |draft: &Draft, dead: bool| -> Vec<String> {
        let wanted = |key: &str| (from.reads(key) == Reads::Not) == dead;
        draft.config.iter().map(|(key, _)| key.to_owned()).filter(|key| wanted(key)).collect()
    };
    for key in [of(&draft, true), of(&draft, false)].concat() {
        if draft.added.contains(&key) {
            continue;
        }
        if let Some(absent) = one(from, to, &key, &mut draft) {
            missing.push(absent);
        }
    }
    if !missing.is_empty() {
        missing.sort();
        return Err(Refused::NotInOlder { keys: missing, to: to.version() });
    }
    forgiven_values(from, to, &mut draft);
    Ok(draft)
}

/// Carries one key over; gives it back where an older version has nothing for it.
fn one(from: &'static Profile, to: &'static Profile, key: &str, draft: &mut Draft) -> Option<String> {
    let option = match from.reads(key) {
        Reads::Foreign => return None,
        Reads::Not => {
            draft.drop(key, format!("Flink {} does not read it: it had no effect", from.version()));
            return None;
        }
        Reads::Itself => key,
        Reads::As(newer) if draft.config.get(newer).is_some() && newer != key => {
            draft.drop(key, format!("{newer} is set too, and wins in Flink {}", from.version()));
            return None;
        }
        Reads::As(newer) => newer,
    };
    match to.reads(key) {
        Reads::Itself | Reads::Foreign => None,
        Reads::As(newer) => {
            rename(key, newer, draft);
            None
        }
        Reads::Not => {
            // Forwards the option itself may have stayed under the name that an old one of it stands for; backwards it
            // may have had another name.
            let other = Some(option)
                .filter(|option| *option != key && to.reads(option) == Reads::Itself)
                .or_else(|| from.older_name_in(option, to));
            match other {
                Some(other) => rename(key, other, draft),
                None if is_older(to, from) => return Some(key.to_owned()),
                None => draft.drop(key, format!("Flink {} does not read it any more", to.version())),
            }
            None
        }
    }
}

fn rename(from: &str, to: &str, draft: &mut Draft) {
    let Some(setting) = draft.config.get(from).cloned() else { return };
    draft.config.remove(from);
    if draft.config.get(to).is_some() {
        draft.dropped.push(Dropped { key: from.to_owned(), reason: format!("{to} is set too") });
        return;
    }
    draft.config.set(to.to_owned(), setting.value, setting.place);
    draft.why.insert(to.to_owned(), format!("was {from}"));
    draft.renamed.push(Renamed { from: from.to_owned(), to: to.to_owned() });
}

/// Whether a profile comes before another one.
pub fn is_older(profile: &Profile, than: &Profile) -> bool {
    let place = |wanted: &Profile| Profile::all().iter().position(|known| std::ptr::eq(known, wanted));
    place(profile) < place(than)
}

/// The heap keys of Flink 1.9 that stand in for a newer total take that total's name where the new version reads them no
/// longer, or where the environment gives them.
fn legacy_totals(request: &Request<'_>, draft: &mut Draft) {
    let Request { config, from, to, question, .. } = *request;
    for (role, variable, size, mb, standalone, contained) in [
        (
            Role::TaskManager,
            environment::TM_HEAP,
            keys::TM_HEAP_SIZE.name(),
            keys::TM_HEAP_MB.name(),
            keys::TM_FLINK,
            keys::TM_PROCESS,
        ),
        (
            Role::JobManager,
            environment::JM_HEAP,
            keys::JM_HEAP_SIZE.name(),
            keys::JM_HEAP_MB.name(),
            keys::JM_HEAP,
            keys::JM_PROCESS,
        ),
    ] {
        if is_cut_off(from, role) || !from.behaviour.legacy_heap_keys {
            continue;
        }
        let target = match question.deployment {
            Deployment::None => continue,
            Deployment::Standalone => standalone,
            Deployment::Yarn | Deployment::Kubernetes => contained,
        };
        let by_variable = config.variable(variable);
        if to.behaviour.legacy_heap_keys && by_variable.is_none() {
            continue;
        }
        let text = |key: &str| config.get(key).map(|setting| setting.value.java_text().into_owned());
        let found = by_variable
            .map(|value| (variable, value.to_owned()))
            .or_else(|| text(size).map(|value| (size, value)))
            .or_else(|| text(mb).map(|value| (mb, format!("{}m", java::trim(&value)))));
        let Some((written, value)) = found else { continue };
        let is_set = Settings::new(config, from).is_set(target);
        for old in [size, mb] {
            if draft.config.get(old).is_some() {
                let reason = match is_set {
                    true => format!("{} is set and counts instead", target.name()),
                    false => format!("Flink {} read it as {}, which is set now", from.version(), target.name()),
                };
                draft.drop(old, reason);
            }
        }
        if !is_set {
            draft.put(target.name(), value, format!("{written}, as Flink {} read it", from.version()));
        }
    }
}

/// Keys that mean something in the cut-off model only. The sizes that they came to are put in by name later.
fn old_models(request: &Request<'_>, draft: &mut Draft) {
    let Request { from, to, .. } = *request;
    let behaviour = (&from.behaviour, &to.behaviour);
    let mut gone: Vec<(&str, &str)> = Vec::new();
    if behaviour.0.taskmanager_model == TaskmanagerModel::CutOff
        && behaviour.1.taskmanager_model == TaskmanagerModel::Unified
    {
        let by_name = "it was divided by a cut-off; the sizes that came out are set by name";
        gone.extend([
            (keys::TM_HEAP_SIZE.name(), by_name),
            (keys::TM_HEAP_MB.name(), by_name),
            (keys::MANAGED_SIZE_1_9.name(), "managed memory is set by its new name; bare digits were MiB, not bytes"),
            (keys::MANAGED_FRACTION_1_9.name(), "it was a share of the heap; managed memory is set as a size"),
            (keys::MANAGED_OFF_HEAP_1_9.name(), "managed memory is always off the heap"),
            ("taskmanager.memory.preallocate", "managed memory is not allocated ahead any more"),
        ]);
    }
    if behaviour.0.jobmanager_model == JobmanagerModel::CutOff
        && behaviour.1.jobmanager_model == JobmanagerModel::Unified
    {
        let by_name = "it was divided by a cut-off; the sizes that came out are set by name";
        gone.extend([(keys::JM_HEAP_SIZE.name(), by_name), (keys::JM_HEAP_MB.name(), by_name)]);
        let no_cutoff = "there is no cut-off any more: metaspace and overhead are planned";
        for key in
            [keys::CUTOFF_RATIO.name(), keys::CUTOFF_MIN.name(), "yarn.heap-cutoff-ratio", "yarn.heap-cutoff-min"]
        {
            gone.push((key, no_cutoff));
        }
    }
    for (key, reason) in gone {
        if draft.config.get(key).is_some() {
            draft.drop(key, reason);
        }
    }
}

/// A number of buffers that counts, where the new version counts none: the same bytes as a size.
fn number_of_buffers(request: &Request<'_>, draft: &mut Draft) {
    let Request { config, from, to, .. } = *request;
    let settings = Settings::new(config, from);
    let key = keys::NETWORK_BUFFERS.name();
    let (was_cut_off, is_cut_off) = (is_cut_off(from, Role::TaskManager), is_cut_off(to, Role::TaskManager));
    if config.get(key).is_none() || is_cut_off || (!was_cut_off && to.behaviour.number_of_buffers) {
        return;
    }
    let (counts, size) = match was_cut_off {
        true => (!cutoff::has_new_network_keys(&settings), cut_off_buffers(&settings)),
        false => {
            let size = network::from_number_of_buffers(&settings).ok().map(|figure| figure.bytes);
            (network::is_number_of_buffers(&settings), size)
        }
    };
    match size.filter(|_| counts) {
        Some(size) => {
            draft.drop(key, "network memory has its size by name");
            let why = format!("{key} times {}", keys::SEGMENT_SIZE.name());
            draft.put(keys::NETWORK_MIN.name(), written(size), why.clone());
            draft.put(keys::NETWORK_MAX.name(), written(size), why);
        }
        None => draft.drop(key, "it did not count: network memory is set as a size or share, or it is no number"),
    }
}

/// The bytes of the number of buffers in the cut-off model.
fn cut_off_buffers(settings: &Settings<'_>) -> Option<Bytes> {
    let (count, _) = settings.int(keys::NETWORK_BUFFERS).ok()?;
    let segment = u64::try_from(cutoff::segment_size(settings).ok()?).ok()?;
    Bytes::new(segment).checked_mul(u64::try_from(count).ok()?)
}

/// Values that the old version could not read and passed over, and that the new one would not start with.
fn forgiven_values(from: &Profile, to: &Profile, draft: &mut Draft) {
    if from.behaviour.unreadable_number != UnreadableNumber::Default
        || to.behaviour.unreadable_number != UnreadableNumber::Error
    {
        return;
    }
    let unread = |config: &Config| -> Vec<String> {
        let bad = |key: &str, text: &str| match to.option(key).map(|row| row.kind) {
            Some(OptionKind::Int) => java::parse_int(text).is_err(),
            Some(OptionKind::Float) => java::parse_float(text).is_err(),
            Some(OptionKind::Boolean) => !["true", "false"].contains(&text.to_lowercase().as_str()),
            _ => false,
        };
        config.iter().filter(|(key, s)| bad(key, &s.value.java_text())).map(|(key, _)| key.to_owned()).collect()
    };
    for key in unread(&draft.config) {
        draft.drop(&key, format!("Flink {} could not read its value and took the default", from.version()));
    }
}

/// Whether RocksDB's memory may be taken out of managed memory in a version.
pub fn has_managed_rocksdb(profile: &Profile) -> bool {
    profile.option(ROCKSDB.managed.name()).is_some()
}

/// A size of an option in a version, as that reads it.
pub fn size_of(
    config: &Config,
    profile: &'static Profile,
    key: crate::flink::key::Key<crate::flink::key::Size>,
) -> Option<Bytes> {
    Settings::new(config, profile).size(key).ok().flatten().map(|figure| figure.bytes)
}
