//! The search for the fewest changes.

use std::cell::Cell;

use super::inverse::{self, PoolSource};
use super::sums::Known;
use super::{Conflict, Target, Want};
use crate::config::Config;
use crate::flink::key::{Float, Key, Size};
use crate::flink::keys;
use crate::flink::profile::Profile;
use crate::model::{Bytes, Component, Quantity, Role};
use crate::plan::rejection::{Reason, Rejection};
use crate::plan::settings::Settings;
use crate::plan::{self, Plan, Question, Rejected};
use crate::recommend::change::{Change, applied};
use crate::recommend::option::{self, Share};

/// So many plans are made at most; what was found by then is taken. Only configurations with many wants that cannot be
/// had come near.
const MOST_PLANS: usize = 20_000;

/// A question for changes.
pub struct Asked<'a> {
    pub config: &'a Config,
    pub profile: &'static Profile,
    pub question: &'a Question,
    pub wants: &'a [Want],
    pub before: Option<&'a Plan>,
}

impl Asked<'_> {
    /// The plan of a changed configuration.
    pub fn plan(&self, config: &Config) -> Result<Plan, Rejected> {
        plan::plan(config, self.profile, self.question)
    }

    /// How far the first want that a plan does not meet is from what it should be.
    fn miss(&self, plan: &Plan, config: &Config) -> Option<(Want, i128)> {
        self.wants.iter().find_map(|want| {
            let size = want.target.size(plan, config, self.question).map_or(0, Bytes::get);
            let miss = i128::from(size) - i128::from(want.bytes.get());
            (miss != 0).then_some((*want, miss))
        })
    }
}

/// What may become of one of the options that decide how the rest is derived.
#[derive(Clone)]
struct Choice {
    changes: Vec<Change>,
    /// It is given a size that has to be searched for.
    searched: Option<(Key<Size>, Target)>,
}

impl Choice {
    fn cost(&self) -> usize {
        self.changes.len() + usize::from(self.searched.is_some())
    }
}

/// Everything the search knows.
pub struct Search<'a> {
    asked: &'a Asked<'a>,
    /// What the wants and what stays as it is add up to.
    known: Known,
    /// Changes without which nothing can come out as wanted.
    forced: Vec<Change>,
    plans: Cell<usize>,
}

/// Changes that give what is wanted, and what decides between them and others.
struct Found {
    rank: (usize, usize, bool, usize),
    changes: Vec<Change>,
}

impl<'a> Search<'a> {
    /// Prepares a search; contradictions show here.
    pub fn of(asked: &'a Asked<'a>) -> Result<Search<'a>, Conflict> {
        let Asked { config, profile, question, wants, .. } = *asked;
        let mut known = Known::nothing(question.role);
        let sums = |want: &&Want| want.target != Target::Container && !want.target.is_rocksdb();
        let sizes: Vec<(Target, Bytes)> = wants.iter().filter(sums).map(|want| (want.target, want.bytes)).collect();
        known.want(&sizes).map_err(Conflict::Clash)?;
        let mut forced = Vec::new();
        let mut staying = Vec::new();
        let settings = Settings::new(config, profile).unheard();
        for (target, key) in direct(question.role) {
            match (known.size(target), option::reading(&settings, key)) {
                (Some(size), _) => forced.extend(option::given(config, profile, key, size)),
                (None, Some(size)) => staying.push((target, size)),
                (None, None) => forced.extend(option::taken_out(config, profile, question, key)),
            }
        }
        let mut fractions = vec![option::frame(question.role).overhead.fraction];
        if question.role == Role::TaskManager {
            fractions.push(option::NETWORK.fraction);
        }
        forced.extend(fractions.into_iter().flat_map(|key| without_bad_fraction(&settings, key)));
        match inverse::pool_source(asked, &forced)? {
            Some(PoolSource::Managed(size)) => {
                known.want(&[(Target::Part(Component::Managed), size)]).map_err(Conflict::Clash)?;
            }
            Some(PoolSource::Fixed(key, size)) => forced.extend(option::given(config, profile, key, size)),
            None => {}
        }
        if let Some(want) = wants.iter().find(|want| want.target == Target::Container)
            && known.size(Target::Process).is_none()
        {
            let process = inverse::process_for_container(asked, *want)?;
            known.want(&[(Target::Process, process)]).map_err(Conflict::Clash)?;
        }
        for (target, size) in staying {
            known.stay(target, size).map_err(Conflict::Clash)?;
        }
        Ok(Search { asked, known, forced, plans: Cell::new(0) })
    }

    /// The fewest changes.
    pub fn fewest(&self) -> Result<Vec<Change>, Conflict> {
        let role = self.asked.question.role;
        // The last one varies fastest, so that among equals the totals come first.
        let levers: Vec<Vec<Choice>> =
            levers(role).into_iter().rev().map(|(target, key)| self.choices(target, key)).collect();
        let overhead = self.bounds(option::frame(role).overhead, Component::JvmOverhead);
        let network = match role {
            Role::TaskManager => self.bounds(option::NETWORK, Component::Network),
            Role::JobManager => vec![Vec::new()],
        };
        let mut skeletons = combinations(&levers);
        skeletons.sort_by_key(Choice::cost);
        let mut best: Option<Found> = None;
        for (index, skeleton) in skeletons.iter().enumerate() {
            for around in around(&overhead, &network) {
                let cost = self.forced.len() + skeleton.cost() + around.len();
                let fewest = best.as_ref().map_or(usize::MAX, |found| found.changes.len());
                if cost > fewest || self.plans.get() > MOST_PLANS {
                    break;
                }
                let changes = [&self.forced[..], &skeleton.changes, &around].concat();
                let Some((changes, plan)) = self.attempt(changes, skeleton.searched, fewest) else { continue };
                let removed = changes.iter().filter(|change| matches!(change, Change::Remove { .. })).count();
                let rank = (self.disturbed(&plan), removed, skeleton.searched.is_some(), index);
                let better = |found: &Found| (changes.len(), rank) < (found.changes.len(), found.rank);
                if best.as_ref().is_none_or(better) {
                    best = Some(Found { rank, changes });
                }
            }
        }
        best.map(|found| found.changes).ok_or_else(|| self.nothing())
    }

    /// Why nothing was found: what Flink says when all that is known is set, if it refuses that.
    fn nothing(&self) -> Conflict {
        let Asked { config, profile, question, .. } = *self.asked;
        let frame = option::frame(question.role);
        let mut keys = levers(question.role).to_vec();
        keys.extend([frame.overhead.min, frame.overhead.max].map(|key| (Target::Part(Component::JvmOverhead), key)));
        if question.role == Role::TaskManager {
            keys.extend([keys::NETWORK_MIN, keys::NETWORK_MAX].map(|key| (Target::Part(Component::Network), key)));
        }
        let known = |(target, key)| Some(option::given(config, profile, key, self.known.size(target)?));
        let mut changes =
            [&self.forced[..], &keys.into_iter().filter_map(known).flatten().collect::<Vec<_>>()].concat();
        let refused_for_want_of_a_total = |changes: &[Change]| {
            let planned = self.asked.plan(&applied(config, changes));
            planned.is_err_and(|rejected| matches!(rejected.rejection.reason, Some(Reason::NoTotal { .. })))
        };
        if refused_for_want_of_a_total(&changes) {
            changes.push(Change::set(frame.process.name(), option::text(self.roomy())));
        }
        match self.asked.plan(&applied(config, &changes)) {
            Err(rejected) => Conflict::Refused(rejected.rejection),
            Ok(_) => Conflict::NotFound,
        }
    }

    /// What may become of an option that decides how the rest is derived.
    fn choices(&self, target: Target, key: Key<Size>) -> Vec<Choice> {
        let Asked { config, profile, question, .. } = *self.asked;
        let fixed = |changes| Choice { changes, searched: None };
        let mut choices = vec![fixed(Vec::new())];
        let mut put = |changes: Vec<Change>| {
            if !changes.is_empty() {
                choices.push(fixed(changes));
            }
        };
        if let Some(size) = self.known.size(target) {
            put(option::given(config, profile, key, size));
        }
        put(option::taken_out(config, profile, question, key));
        if target == Target::Part(Component::Managed) {
            let names = option::written(config, profile, keys::MANAGED_FRACTION);
            put(names.into_iter().map(Change::remove).collect());
        }
        if self.known.size(target).is_none() {
            choices.push(Choice { changes: Vec::new(), searched: Some((key, target)) });
        }
        choices
    }

    /// What may become of the bounds of a share, the least first.
    fn bounds(&self, share: Share, component: Component) -> Vec<Vec<Change>> {
        let Asked { config, profile, question, .. } = *self.asked;
        let out = |names: Vec<&str>| names.into_iter().map(Change::remove).collect();
        let of = |key: Key<Size>| {
            let mut all = vec![Vec::new()];
            all.extend(self.known.size(Target::Part(component)).map(|size| option::given(config, profile, key, size)));
            all.push(option::taken_out(config, profile, question, key));
            all.dedup();
            all
        };
        let mut bounds: Vec<Vec<Change>> = of(share.min)
            .iter()
            .flat_map(|min| of(share.max).into_iter().map(move |max| [&min[..], &max].concat()))
            .collect();
        bounds.push(out(option::written(config, profile, share.fraction)));
        if component == Component::Network {
            bounds.push(out(option::written(config, profile, keys::NETWORK_BUFFERS)));
        }
        bounds.sort_by_key(Vec::len);
        bounds.dedup();
        bounds
    }

    /// The changes with what else they need, and the plan, if all that is wanted comes out with no more than so many.
    fn attempt(
        &self,
        mut changes: Vec<Change>,
        searched: Option<(Key<Size>, Target)>,
        most: usize,
    ) -> Option<(Vec<Change>, Plan)> {
        if let Some((key, target)) = searched {
            return self.searched(changes, key, target);
        }
        loop {
            let config = applied(self.asked.config, &changes);
            match self.plan(&config) {
                Ok(plan) => return self.asked.miss(&plan, &config).is_none().then_some((changes, plan)),
                Err(rejected) => {
                    let bound = widened(&rejected.rejection, self.asked.question.role)?;
                    let again = changes.iter().any(|change| change.key() == bound.key());
                    if again || changes.len() >= most {
                        return None;
                    }
                    changes.push(bound);
                }
            }
        }
    }

    /// The changes with a size for one more key, searched for by following by how much the result is off: sizes are
    /// nearly linear in one another.
    fn searched(&self, changes: Vec<Change>, key: Key<Size>, target: Target) -> Option<(Vec<Change>, Plan)> {
        let with = |size: i128| {
            let size = Bytes::new(u64::try_from(size).ok()?);
            let changes = [&changes[..], &[Change::set(key.name(), option::text(size))]].concat();
            let config = applied(self.asked.config, &changes);
            let plan = self.plan(&config).ok()?;
            let miss = self.asked.miss(&plan, &config);
            Some((changes, plan, miss))
        };
        let miss_at = |size: i128, of: Want| {
            let size = Bytes::new(u64::try_from(size).ok()?);
            let config =
                applied(self.asked.config, &[&changes[..], &[Change::set(key.name(), option::text(size))]].concat());
            let plan = self.plan(&config).ok()?;
            let got = of.target.size(&plan, &config, self.asked.question)?;
            Some(i128::from(got.get()) - i128::from(of.bytes.get()))
        };
        let (mut old, (found, plan, first)) =
            self.starts(key, target).into_iter().find_map(|start| Some((start, with(start)?)))?;
        let Some((want, mut old_miss)) = first else { return Some((found, plan)) };
        let step = |by: i128| {
            let size = old + by;
            Some((size, miss_at(size, want)?))
        };
        let (mut size, mut miss) = [1, 2, 8].iter().find_map(|part| {
            let by = old_miss / part;
            step(-by).or_else(|| step(by))
        })?;
        for _ in 0..12 {
            if miss == 0 || miss == old_miss {
                break;
            }
            let next = size - miss.checked_mul(size - old)? / (miss - old_miss);
            if next == size {
                break;
            }
            let next_miss = miss_at(next, want)?;
            (old, old_miss, size, miss) = (size, miss, next, next_miss);
        }
        let round = (size + (1 << 20) - 1) >> 20 << 20;
        let near = std::iter::once(round).chain((0..8).flat_map(|by| [size + by, size - by]));
        near.filter_map(with).find(|(_, _, miss)| miss.is_none()).map(|(changes, plan, _)| (changes, plan))
    }

    /// Where to begin with a size that is searched for: what it is, and sizes that have room for what is wanted.
    fn starts(&self, key: Key<Size>, target: Target) -> Vec<i128> {
        let Asked { config, profile, question, wants, before } = *self.asked;
        let set = option::reading(&Settings::new(config, profile), key);
        let present = set.or_else(|| target.size(before?, config, question));
        let wanted = wants.iter().fold(0u64, |sum, want| sum.saturating_add(want.bytes.get()));
        let rooms = match target {
            Target::Part(_) => [Bytes::mib(512), Bytes::mib(64), Bytes::ZERO].map(Bytes::get),
            // What Flink's own configuration has (`flink-conf.yaml`, 1.10 to 2.3).
            _ => [option::usual_process(question.role).get(), self.roomy().get(), wanted.saturating_mul(2)],
        };
        let doubled = present.into_iter().flat_map(|size| (0..4).map(move |times| i128::from(size.get()) << times));
        doubled.chain(rooms.map(i128::from)).collect()
    }

    /// A total that has room for everything wanted.
    fn roomy(&self) -> Bytes {
        let sizes = self.asked.wants.iter().map(|want| want.bytes);
        Bytes::checked_sum(sizes.chain([Bytes::gib(2)])).unwrap_or(Bytes::FLINK_MAX)
    }

    fn plan(&self, config: &Config) -> Result<Plan, Rejected> {
        self.plans.set(self.plans.get() + 1);
        self.asked.plan(config)
    }

    /// How many sizes change that nobody asked for.
    fn disturbed(&self, plan: &Plan) -> usize {
        let Some(before) = self.asked.before else { return 0 };
        let wanted = |target: Target| self.asked.wants.iter().any(|want| want.target == target);
        let parts = plan.budget.parts().iter().filter(|(component, figure)| {
            before.budget.size(*component) != figure.bytes && !wanted(Target::Part(*component))
        });
        let total = before.budget.total_process().bytes != plan.budget.total_process().bytes;
        parts.count() + usize::from(total && !wanted(Target::Process))
    }
}

/// The options that set one component and nothing else.
fn direct(role: Role) -> Vec<(Target, Key<Size>)> {
    let metaspace = (Target::Part(Component::JvmMetaspace), option::frame(role).metaspace);
    match role {
        Role::TaskManager => vec![
            (Target::Part(Component::FrameworkHeap), keys::FRAMEWORK_HEAP),
            (Target::Part(Component::FrameworkOffHeap), keys::FRAMEWORK_OFF_HEAP),
            (Target::Part(Component::TaskOffHeap), keys::TASK_OFF_HEAP),
            metaspace,
        ],
        Role::JobManager => vec![metaspace],
    }
}

/// The options that decide how the rest is derived.
fn levers(role: Role) -> [(Target, Key<Size>); 4] {
    let frame = option::frame(role);
    let totals = [(Target::Process, frame.process), (Target::Flink, frame.flink)];
    let parts = match role {
        Role::TaskManager => [(Component::Managed, keys::MANAGED_SIZE), (Component::TaskHeap, keys::TASK_HEAP)],
        Role::JobManager => [(Component::OffHeap, keys::JM_OFF_HEAP), (Component::Heap, keys::JM_HEAP)],
    };
    let [one, other] = parts.map(|(component, key)| (Target::Part(component), key));
    [totals[0], totals[1], one, other]
}

/// Every combination of one choice for each option, with at most one size that has to be searched for.
fn combinations(levers: &[Vec<Choice>]) -> Vec<Choice> {
    let none = vec![Choice { changes: Vec::new(), searched: None }];
    levers.iter().fold(none, |all, choices| {
        let joined = |one: &Choice, other: &Choice| match (one.searched, other.searched) {
            (Some(_), Some(_)) => None,
            (searched, more) => {
                Some(Choice { changes: [&one.changes[..], &other.changes].concat(), searched: searched.or(more) })
            }
        };
        all.iter().flat_map(|one| choices.iter().filter_map(move |other| joined(one, other))).collect()
    })
}

/// Every combination of two lists of changes, the fewest first.
fn around(overhead: &[Vec<Change>], network: &[Vec<Change>]) -> Vec<Vec<Change>> {
    let mut all: Vec<Vec<Change>> =
        overhead.iter().flat_map(|one| network.iter().map(move |other| [&one[..], other].concat())).collect();
    all.sort_by_key(Vec::len);
    all
}

/// What takes out a fraction that Flink does not take.
fn without_bad_fraction(settings: &Settings<'_>, key: Key<Float>) -> Vec<Change> {
    match settings.fraction(key) {
        Ok(ratio) if ratio.value >= 0.0 && ratio.value < 1.0 => Vec::new(),
        _ => {
            let names = option::written(settings.config(), settings.profile(), key);
            names.into_iter().map(Change::remove).collect()
        }
    }
}

/// The bound that must move for what is left to lie within.
pub fn widened(rejection: &Rejection, role: Role) -> Option<Change> {
    let Some(Reason::OutOfRange { rest, min, .. }) = &rejection.reason else { return None };
    let share = match rest.quantity {
        Quantity::Part(Component::Network) => option::NETWORK,
        Quantity::Part(Component::JvmOverhead) => option::frame(role).overhead,
        _ => return None,
    };
    let key = if rest.bytes < min.bytes { share.min } else { share.max };
    Some(Change::set(key.name(), option::text(rest.bytes)))
}
