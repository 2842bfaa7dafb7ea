//! Cures of a refused configuration: changes of one key each with which Flink takes it, every one of them planned.
//!
//! Looked at are: a value that cannot be read, spelled as it seems to be meant; every size that has a part in the
//! process, moved up and down to the nearest byte that is accepted, in whole mebibytes where that is accepted too; the
//! fractions, lowered; the bounds of a range, put on one another; a total where there is none; and every key that
//! oomph reads, taken out.
//! Nobody is told to live on less than half of metaspace or of what Flink takes for itself, though Flink would start.

mod spelling;

use super::Change;
use super::change::applied;
use super::option::{self, Share};
use crate::config::Config;
use crate::flink::key::{Float, Key, Size};
use crate::flink::profile::Profile;
use crate::flink::{keys, sensitive};
use crate::model::{Bytes, Role, Term};
use crate::plan::rejection::{Reason, Rejection};
use crate::plan::settings::Settings;
use crate::plan::{self, Plan, Question};

/// So many cures are worth reading.
const MOST: usize = 6;

/// What a round size is a multiple of: a mebibyte.
const ROUND: u64 = 1 << 20;

/// One key changed, and the plan that Flink makes of the configuration then.
#[derive(Clone, Debug)]
pub struct Cure {
    /// The change.
    pub change: Change,
    /// What kind of change it is.
    pub kind: Kind,
    /// The plan with it.
    pub plan: Plan,
}

/// What a cure does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// It writes a value as it seems to be meant.
    Spelled,
    /// It makes a size larger or smaller than it is.
    Moved {
        /// What it is.
        from: Bytes,
        /// What it becomes.
        to: Bytes,
        /// Whether nobody has set what it is.
        by_default: bool,
    },
    /// It makes a fraction smaller than it is.
    Lowered {
        /// What it is.
        from: f64,
    },
    /// It sets what has no value, or none that can stay.
    Given,
    /// It takes a key out.
    TakenOut,
}

/// The cures of a configuration, the least change first: spellings; sizes that were missing; sizes that move, by how
/// much; fractions; keys taken out. None where Flink takes the configuration as it is, and none where no single key
/// helps.
pub fn cures(config: &Config, profile: &'static Profile, question: &Question) -> Vec<Cure> {
    let Err(rejected) = plan::plan(config, profile, question) else { return Vec::new() };
    let ward = Ward { config, profile, question, rejection: &rejected.rejection };
    let mut cures = ward.spelled();
    if cures.is_empty() {
        cures.extend(ward.totals(false));
    }
    let mut moved = ward.moved();
    moved.extend(ward.ranges());
    moved.sort_by_key(|cure| match cure.kind {
        Kind::Moved { from, to, .. } => from.get().abs_diff(to.get()),
        _ => 0,
    });
    cures.extend(moved);
    cures.extend(ward.fractions());
    let taken_out = ward.taken_out();
    let room = MOST - usize::from(!taken_out.is_empty());
    let mut shown: Vec<Cure> = Vec::new();
    for (cure, room) in cures.into_iter().map(|cure| (cure, room)).chain(taken_out.into_iter().map(|cure| (cure, MOST)))
    {
        if shown.len() < room && shown.iter().all(|other| other.change != cure.change) {
            shown.push(cure);
        }
    }
    if shown.is_empty() {
        // A total written anew outranks what it would be derived from.
        return ward.totals(true);
    }
    shown
}

/// A refused configuration.
struct Ward<'a> {
    config: &'a Config,
    profile: &'static Profile,
    question: &'a Question,
    rejection: &'a Rejection,
}

impl Ward<'_> {
    /// The change as a cure, if it is one.
    fn cure(&self, change: Change, kind: Kind) -> Option<Cure> {
        let plan =
            plan::plan(&applied(self.config, std::slice::from_ref(&change)), self.profile, self.question).ok()?;
        Some(Cure { change, kind, plan })
    }

    /// A value that cannot be read, as it seems to be meant.
    fn spelled(&self) -> Vec<Cure> {
        let Some(Reason::BadValue(bad)) = &self.rejection.reason else { return Vec::new() };
        if sensitive::is_sensitive(&bad.key) || self.config.get(&bad.key).is_none() {
            return Vec::new();
        }
        let guesses = spelling::guesses(&bad.value).into_iter();
        guesses.filter_map(|value| self.cure(Change::set(&bad.key, value), Kind::Spelled)).take(1).collect()
    }

    /// A total where none is set, or a size that cannot be read: what Flink has in the configuration that it ships, or
    /// as much more as it takes; where nothing else helps, whatever the totals are.
    fn totals(&self, whatever_is_set: bool) -> Vec<Cure> {
        let frame = option::frame(self.question.role);
        let unread = |key: Key<Size>| {
            let Some(Reason::BadValue(bad)) = &self.rejection.reason else { return None };
            let names = [
                option::written(self.config, self.profile, key),
                option::stand_ins(self.config, self.profile, self.question, key),
            ];
            names.concat().into_iter().find(|name| *name == bad.key)
        };
        let none_is_set = matches!(self.rejection.reason, Some(Reason::NoTotal { .. }));
        let usual = match self.question.role {
            Role::TaskManager => vec![
                (frame.process, option::usual_process(Role::TaskManager)),
                (frame.flink, Bytes::mib(1280)),
                (keys::TASK_HEAP, Bytes::mib(384)),
                (keys::MANAGED_SIZE, Bytes::mib(512)),
            ],
            Role::JobManager => vec![
                (frame.process, option::usual_process(Role::JobManager)),
                (frame.flink, Bytes::mib(1152)),
                (keys::JM_HEAP, Bytes::gib(1)),
            ],
        };
        let is_total = |key: Key<Size>| key.name() == frame.process.name() || key.name() == frame.flink.name();
        let given = |key: Key<Size>, size: u64| {
            // What is a bare number of mebibytes is better not written anew.
            let name = unread(key).filter(|name| !name.ends_with(".mb")).unwrap_or(key.name());
            self.cure(Change::set(name, option::text(Bytes::new(size))), Kind::Given)
        };
        usual
            .into_iter()
            .filter(|(key, _)| (none_is_set || whatever_is_set) && is_total(*key) || unread(*key).is_some())
            .filter_map(|(key, usual)| {
                let usual = usual.get();
                let accepted = |size: u64| given(key, size).is_some();
                let first = (0..24).map(|doubled| usual << doubled).find(|size| accepted(*size))?;
                let size = if first == usual { usual } else { nearest(first / 2, first, 1 << 20, &accepted) };
                given(key, size)
            })
            .collect()
    }

    /// Sizes that move to the nearest byte that is accepted.
    fn moved(&self) -> Vec<Cure> {
        let Some(short) = self.rejection.reason.as_ref().and_then(short) else { return Vec::new() };
        let frame = option::frame(self.question.role);
        let mut keys: Vec<(Key<Size>, bool)> = vec![(frame.process, false), (frame.flink, false)];
        match self.question.role {
            Role::TaskManager => keys.extend([
                (keys::MANAGED_SIZE, false),
                (keys::TASK_HEAP, false),
                (keys::TASK_OFF_HEAP, false),
                (keys::NETWORK_MIN, false),
                (keys::NETWORK_MAX, false),
                (keys::FRAMEWORK_HEAP, true),
                (keys::FRAMEWORK_OFF_HEAP, true),
            ]),
            Role::JobManager => keys.extend([(keys::JM_HEAP, false), (keys::JM_OFF_HEAP, false)]),
        }
        keys.extend([(frame.overhead.min, false), (frame.overhead.max, false), (frame.metaspace, true)]);
        keys.into_iter().flat_map(|(key, needed)| self.moves(key, short, needed)).collect()
    }

    /// An option's size moved up and down, where that helps. What Flink and the JVM need is not more than halved.
    fn moves(&self, key: Key<Size>, short: u64, needed: bool) -> Vec<Cure> {
        let Some(present) = self.present(key) else { return Vec::new() };
        let from = present.size.get();
        let at = |size: u64| {
            let to = Bytes::new(size);
            let kind = Kind::Moved { from: present.size, to, by_default: present.by_default };
            self.cure(Change::set(present.name, present.text(to)), kind)
        };
        let accepted = |size: u64| at(size).is_some();
        let least = if needed { from.div_ceil(2) } else { 0 };
        let up = (0..14).map_while(|doubled| from.checked_add(short.checked_mul(1 << doubled)?)).find(|s| accepted(*s));
        let down = (0..14)
            .map_while(|doubled| short.checked_mul(1 << doubled))
            .take_while(|by| by / 2 < from)
            .map(|by| from.saturating_sub(by).max(least))
            .find(|size| *size < from && accepted(*size));
        [up, down].into_iter().flatten().filter_map(|size| at(nearest(from, size, ROUND, &accepted))).collect()
    }

    /// The bounds of a range of which the lower is above the upper, put on one another.
    fn ranges(&self) -> Vec<Cure> {
        let mut shares = vec![option::frame(self.question.role).overhead];
        if self.question.role == Role::TaskManager {
            shares.push(option::NETWORK);
        }
        let crossed = |share: &Share| Some((self.present(share.min)?, self.present(share.max)?));
        let mut cures = Vec::new();
        for (min, max) in shares.iter().filter_map(crossed).filter(|(min, max)| min.size > max.size) {
            for (one, other) in [(&min, &max), (&max, &min)] {
                let kind = Kind::Moved { from: one.size, to: other.size, by_default: one.by_default };
                cures.extend(self.cure(Change::set(one.name, one.text(other.size)), kind));
            }
        }
        cures
    }

    /// Fractions that are lowered to the largest hundredth that is accepted.
    fn fractions(&self) -> Vec<Cure> {
        let overhead = option::frame(self.question.role).overhead.fraction;
        let keys = match self.question.role {
            Role::TaskManager => vec![keys::MANAGED_FRACTION, option::NETWORK.fraction, overhead],
            Role::JobManager => vec![overhead],
        };
        keys.into_iter().filter_map(|key| self.lowered(key)).collect()
    }

    fn lowered(&self, key: Key<Float>) -> Option<Cure> {
        let settings = Settings::new(self.config, self.profile);
        let from = settings.fraction(key).ok()?.value;
        let names = option::written(self.config, self.profile, key);
        let name = names.first().copied().unwrap_or(key.name());
        // A hundredth of a 32-bit float may lie a little below the hundredth.
        let hundredths = ((from * 100.0 + 1e-4).min(100.0)) as u64;
        let at = |hundredths: u64| {
            let text = format!("0.{hundredths:02}");
            let text = text.strip_suffix('0').filter(|shorter| !shorter.ends_with('.')).unwrap_or(&text);
            self.cure(Change::set(name, text), Kind::Lowered { from })
        };
        let accepted = |hundredths: u64| at(hundredths).is_some();
        accepted(0).then(|| nearest(hundredths, 0, 1, &accepted)).and_then(at).filter(|_| hundredths > 0)
    }

    /// Keys without which Flink takes the configuration, those of this role's memory first.
    fn taken_out(&self) -> Vec<Cure> {
        let role = match self.question.role {
            Role::TaskManager => "taskmanager.memory.",
            Role::JobManager => "jobmanager.memory.",
        };
        let known = self.profile.options().flat_map(|(key, row)| {
            std::iter::once(key).chain(row.fallback.iter().copied()).chain(row.deprecated.iter().copied())
        });
        let bad = match &self.rejection.reason {
            Some(Reason::BadValue(bad)) => Some(bad.key.as_str()),
            _ => None,
        };
        let mut keys: Vec<&str> = known.chain(bad).filter(|key| self.config.get(key).is_some()).collect();
        keys.sort_by_key(|key| (!key.starts_with(role), *key));
        keys.dedup();
        keys.into_iter().filter_map(|key| self.cure(Change::remove(key), Kind::TakenOut)).collect()
    }

    /// What an option has now, under the name it is written by.
    fn present(&self, key: Key<Size>) -> Option<Present> {
        let settings = Settings::new(self.config, self.profile);
        if !settings.is_set(key)
            && let Some(name) = option::stand_ins(self.config, self.profile, self.question, key).first().copied()
        {
            let mebibytes = name == keys::TM_HEAP_MB.name() || name == keys::JM_HEAP_MB.name();
            let text = self.config.get(name)?.value.java_text();
            let size = match mebibytes {
                true => Bytes::mib(text.trim().parse().ok()?),
                false => Bytes::parse_flink(&text).ok()?,
            };
            return Some(Present { name, size, by_default: false, mebibytes });
        }
        let size = option::reading(&settings, key)?;
        let name = option::written(self.config, self.profile, key).first().copied();
        Some(Present { name: name.unwrap_or(key.name()), size, by_default: name.is_none(), mebibytes: false })
    }
}

/// What an option has.
struct Present {
    name: &'static str,
    size: Bytes,
    by_default: bool,
    /// Whether it is written as a bare number of mebibytes.
    mebibytes: bool,
}

impl Present {
    /// A size as it would be written there; bare mebibytes are rounded up.
    fn text(&self, size: Bytes) -> String {
        match self.mebibytes {
            false => option::text(size),
            true => size.get().div_ceil(ROUND).to_string(),
        }
    }
}

/// By how much a sum or a remainder is off.
fn short(reason: &Reason) -> Option<u64> {
    let sum = |parts: &[Term]| parts.iter().fold(0u64, |sum, term| sum.saturating_add(term.bytes.get()));
    let off = match reason {
        Reason::DoesNotFit { parts, whole } | Reason::DoesNotAddUp { parts, whole } => {
            sum(parts).abs_diff(whole.bytes.get())
        }
        Reason::OutOfRange { rest, min, max, .. } => match rest.bytes < min.bytes {
            true => min.bytes.get() - rest.bytes.get(),
            false => rest.bytes.get().saturating_sub(max.bytes.get()),
        },
        Reason::BadValue(_) | Reason::NoTotal { .. } => return None,
    };
    // Sums that match are refused where nothing is left.
    Some(off.max(1))
}

/// From one that is not accepted to one that is: the accepted one next to it where acceptance ends, or the next round
/// one behind it if that is accepted as well.
fn nearest(refused: u64, accepted: u64, step: u64, accepts: &impl Fn(u64) -> bool) -> u64 {
    let (mut refused, mut found) = (refused, accepted);
    let up = found > refused;
    while found.abs_diff(refused) > 1 {
        let middle = refused.min(found) + found.abs_diff(refused) / 2;
        if accepts(middle) { found = middle } else { refused = middle }
    }
    let round = if up { found.div_ceil(step) * step } else { found / step * step };
    if accepts(round) { round } else { found }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::config::Value;
    use crate::model::{Place, Source};
    use crate::plan::Deployment;

    fn config(settings: &[(&str, &str)]) -> Config {
        let mut config = Config::new();
        for (key, value) in settings {
            config.set(format!("taskmanager.{key}"), Value::text(*value), Place::of(Source::Caller));
        }
        config
    }

    fn question() -> Question {
        Question {
            role: Role::TaskManager,
            deployment: Deployment::Standalone,
            consumers: Vec::new(),
            managed_backend: true,
            stores: Vec::new(),
        }
    }

    fn cures_of(settings: &[(&str, &str)]) -> Vec<String> {
        let profile = Profile::of("1.20".parse().unwrap()).unwrap().0;
        cures(&config(settings), profile, &question()).iter().map(|cure| cure.change.to_string()).collect()
    }

    #[rstest]
    #[case(&[("memory.process.size", "4 gigs")], "taskmanager.memory.process.size: 4g")]
    #[case(&[("memory.process.size", "4g"), ("memory.managed.fraction", "40%")], "taskmanager.memory.managed.fraction: 0.4")]
    #[case(&[("memory.process.size", "4g"), ("numberOfTaskSlots", "4.0")], "without taskmanager.numberOfTaskSlots")]
    #[case(&[("memory.process.size", "4g"), ("memory.flink.size", "4g")], "taskmanager.memory.process.size: 4544m")]
    #[case(&[("memory.process.size", "4g"), ("memory.network.min", "2g")], "taskmanager.memory.network.min: 1802m")]
    #[case(&[("heap.size", "100m")], "taskmanager.heap.size: 534m")]
    #[case(&[("heap.mb", "100")], "taskmanager.heap.mb: 534")]
    #[case(&[("memory.managed.size", "lots"), ("memory.task.heap.size", "1g")], "taskmanager.memory.managed.size: 512m")]
    #[case(&[], "taskmanager.memory.process.size: 1728m")]
    fn a_refused_configuration_has_a_cure(#[case] settings: &[(&str, &str)], #[case] cure: &str) {
        let cures = cures_of(settings);
        assert!(cures.iter().any(|found| found == cure), "{cures:?}");
        assert!(cures.len() <= MOST);
    }

    #[test]
    fn a_size_is_moved_no_farther_than_to_the_next_whole_mebibyte() {
        let profile = Profile::newest();
        let all = cures(&config(&[("memory.process.size", "4g"), ("memory.flink.size", "4g")]), profile, &question());
        for (size, accepted) in [("4544m", true), ("4543m", false)] {
            let changed = config(&[("memory.process.size", size), ("memory.flink.size", "4g")]);
            assert_eq!(plan::plan(&changed, profile, &question()).is_ok(), accepted);
        }
        assert_eq!(all[0].change.value(), Some("4544m"));
    }

    #[test]
    fn what_flink_accepts_has_no_cures() {
        assert!(cures_of(&[("memory.process.size", "4g")]).is_empty());
    }
}
