//! By how much a part is made larger.

use super::mib;
use super::proof::{Case, Room};
use crate::model::Bytes;

/// What is put on top of a shortfall, in hundredths of it: the moment of a death is not the highest that would have
/// come.
const ON_TOP: u64 = 125;

/// What a part gets more where no shortfall is shown, in hundredths of what it has: enough to see a difference, and
/// little enough to see a leak come back.
const UNKNOWN: u64 = 50;

/// Less than this more is not worth a restart: a small shortfall is the last request that failed, not all that would
/// have come.
const WORTH: Bytes = Bytes::mib(16);

/// What a part that lies outside the JVM's own bounds gets more where its container was killed, in hundredths of the
/// container: an eighth. 1024 MiB more of 4096 were seen to be enough for 14 days, and half of that is the first step.
const OF_CONTAINER: u64 = 12;

/// A heap below so many hundredths of what lives in it is not proposed. Less than the one and a half times below which
/// `recommend::from_use` calls a heap tight: what is only tight may be chosen, what collects all the time may not.
const LEAST_FOR_LIVE: u64 = 130;

/// A size and what it rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    /// How large the part becomes.
    pub size: Bytes,
    /// By how much it was too small, where that is shown.
    pub shortfall: Option<Bytes>,
    /// Why it grows by more than twice that, where it may.
    pub more: Option<String>,
    /// What it rests on, a sentence.
    pub why: String,
}

/// The least heap that what lives in it can be left with.
pub fn least_heap(live: Bytes) -> Bytes {
    hundredths(live, LEAST_FOR_LIVE)
}

/// So many hundredths of something, in 64 bits.
pub(super) fn hundredths(of: Bytes, hundredths: u64) -> Bytes {
    let product = u128::from(of.get()) * u128::from(hundredths) / 100;
    Bytes::new(u64::try_from(product).unwrap_or(u64::MAX)).min(Bytes::FLINK_MAX)
}

/// What is given for a shortfall: a quarter more, in the roundest number that is no more than half as much again,
/// or at least no more than twice the shortfall.
pub(super) fn for_shortfall(shortfall: Bytes) -> Bytes {
    let wanted = hundredths(shortfall, ON_TOP);
    let steps = [256, 128, 64, 32, 16, 8, 4, 2, 1].map(Bytes::mib);
    let round =
        |most: u64| steps.into_iter().filter_map(|step| wanted.round_up_to(step)).find(|size| size.get() <= most);
    let half_more = shortfall.get().saturating_add(shortfall.get() / 2);
    round(half_more).or_else(|| round(shortfall.get().saturating_mul(2))).unwrap_or(wanted)
}

/// A size as it may be written: whole mebibytes, where that is not more than twice what is wanted.
fn written(size: Bytes) -> Bytes {
    size.round_up_to(Bytes::mib(1)).filter(|round| round.get() / 2 <= size.get()).unwrap_or(size)
}

/// The size of a part that was too small: by its shortfall; else by what is known to be needed, in hundredths of it;
/// else half as much again, and at least so much more.
pub(super) fn target(case: &Case<'_>, room: Room, need: Option<(Bytes, u64)>, least: Bytes) -> Target {
    let size = case.size(room).unwrap_or_default();
    let needed = need.map(|(need, on_top)| (need, hundredths(need, on_top)));
    let from_need = needed.and_then(|(need, with_room)| Some((need, with_room, with_room.checked_sub(size)?)));
    if let Some(shortfall) = case.patient.shortfall.filter(|shortfall| *shortfall > Bytes::ZERO) {
        let by_need = from_need.filter(|(_, _, by)| *by > shortfall);
        let (by, more, why) = match by_need {
            Some((need, with_room, by)) => (
                by,
                Some(format!("{} are needed, and {} leave room for them", mib(need), mib(with_room))),
                format!("it was {} short, and {} are needed", mib(shortfall), mib(need)),
            ),
            None => by_shortfall(shortfall, killed_at(case, room)),
        };
        let grown = size.checked_add(by).unwrap_or(Bytes::FLINK_MAX);
        let rounded = written(grown);
        let round = rounded.get() - size.get() <= shortfall.get().saturating_mul(2) || more.is_some();
        return Target { size: if round { rounded } else { grown }, shortfall: Some(shortfall), more, why };
    }
    if let Some((need, with_room, by)) = from_need.filter(|(_, _, by)| *by > Bytes::ZERO) {
        let short = need.checked_sub(size).filter(|short| *short > Bytes::ZERO);
        return Target {
            size: written(size.checked_add(by).unwrap_or(Bytes::FLINK_MAX)),
            shortfall: short,
            more: Some(format!("{} are needed, and {} leave room for them", mib(need), mib(with_room))),
            why: format!("{} are needed of {}", mib(need), mib(size)),
        };
    }
    let by = hundredths(size, UNKNOWN).max(least);
    Target {
        size: written(size.checked_add(by).unwrap_or(Bytes::FLINK_MAX)),
        shortfall: None,
        more: None,
        why: "by how much it was short is not shown, so it gets half as much again".to_owned(),
    }
}

/// The container that was killed at its limit, where that is what a part is made larger for.
fn killed_at(case: &Case<'_>, room: Room) -> Option<Bytes> {
    // One that is far above its limit shows more than the moment in which it crossed it.
    let barely = |limit: &Bytes| case.patient.shortfall.is_some_and(|short| short.get() < limit.get() / 16);
    case.patient.limit.filter(|_| matches!(room, Room::Overhead | Room::OutsideHeap)).filter(barely)
}

/// What is given where only a shortfall is known, why that is more than twice of it, and what it rests on.
fn by_shortfall(shortfall: Bytes, container: Option<Bytes>) -> (Bytes, Option<String>, String) {
    let given = for_shortfall(shortfall);
    let eighth = container.map(|container| hundredths(container, OF_CONTAINER));
    if let Some(eighth) = eighth.filter(|eighth| *eighth > given && *eighth > WORTH) {
        let more = format!(
            "a container is killed the moment it crosses its limit, so {} are only the least that was missing; an \
             eighth of the container is given",
            mib(shortfall)
        );
        let why =
            format!("it was killed {} above its limit, and nothing shows how far it would have grown", mib(shortfall));
        return (eighth, Some(more), why);
    }
    let more = (shortfall < WORTH).then(|| {
        format!(
            "{} are the last request that failed and not all that would have come; less than {} more is not worth a \
             restart",
            mib(shortfall),
            mib(WORTH)
        )
    });
    (given.max(WORTH), more, format!("it was {} short; a quarter more than that is given", mib(shortfall)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_shortfall_is_rounded_to_what_people_write() {
        assert_eq!(for_shortfall(Bytes::mib(100)), Bytes::mib(128));
        assert_eq!(for_shortfall(Bytes::mib(700)), Bytes::mib(1024));
        assert_eq!(for_shortfall(Bytes::mib(300)), Bytes::mib(384));
        assert_eq!(for_shortfall(Bytes::mib(3)), Bytes::mib(4));
    }

    proptest! {
        #[test]
        fn what_is_given_is_at_least_the_shortfall_and_at_most_twice(shortfall in 1u64..1 << 42) {
            let given = for_shortfall(Bytes::new(shortfall)).get();
            prop_assert!(given >= shortfall && given <= 2 * shortfall, "{given} for {shortfall}");
        }
    }
}
