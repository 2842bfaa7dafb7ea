//! The files of a cgroup: whether one of its processes was killed, and how near its limit it is.

use super::super::signal::{Death, Origin, Says, Signal, Strain};
use super::{area, signal};
use crate::artefact::cgroup_listing::{self, Listing};
use crate::artefact::excerpt::Excerpt;
use crate::artefact::kernel_oom::{Counter, Counting};
use crate::model::{Area, Bytes, Killer, Limit};

pub(super) fn signals(excerpt: &Excerpt) -> Vec<Signal> {
    let Some(listing) = cgroup_listing::read(excerpt.text()) else { return Vec::new() };
    let limit = match listing.limit {
        Some(Limit::AtMost(limit)) => Some(limit),
        _ => None,
    };
    if let Some((at, kills)) = listing.kills.filter(|(_, kills)| *kills > 0) {
        let (area, content) = content(&listing, limit).unwrap_or((Area::Container, String::new()));
        let own = match listing.ooms {
            Some(0) => "not for its own limit but for that of a group above it, or for the machine's",
            _ => "for its limit",
        };
        let because = format!("the cgroup counts {kills} of its processes killed, {own}");
        let because = if content.is_empty() { because } else { format!("{because}; {content}") };
        let death = Death {
            area: Some(area),
            because,
            limit,
            usage: at_limit(&listing, limit),
            exact: true,
            ..Death::by(Killer::KernelMemcg)
        };
        return vec![signal(excerpt, Origin::Counters, at, Says::Death(death))];
    }
    if let Some((at, reason)) = spared(&listing, limit) {
        return vec![signal(excerpt, Origin::Counters, at, Says::OtherReason { reason, ends: false })];
    }
    let Some((at, hits)) = listing.hits.filter(|(_, hits)| *hits > 0) else { return Vec::new() };
    let strain = Strain {
        name: "limit-hit",
        area: content(&listing, limit).map(|(area, _)| area),
        text: format!("the cgroup met its limit {hits} times, and made room each time"),
        usage: listing.usage,
        limit,
    };
    vec![signal(excerpt, Origin::Counters, at, Says::Strain(strain))]
}

/// Of the limit, in tenths: a group whose highest usage stayed below it had room to the end.
const ROOM: u64 = 9;

/// Why memory did not end a process of the group, as an end to "it was", where the counters show that: nobody was killed, the
/// limit was never met, and there was room to the end. Where the line stands that counts kills.
fn spared(listing: &Listing, limit: Option<Bytes>) -> Option<(usize, String)> {
    let (at, _) = listing.kills.filter(|(_, kills)| *kills == 0)?;
    let never_met = listing.hits.is_none_or(|(_, hits)| hits == 0);
    let (peak, limit) = (listing.peak?, limit?);
    let had_room = u128::from(peak.get()) * 10 < u128::from(limit.get()) * u128::from(ROOM);
    let whole = |bytes: Bytes| bytes.whole_mib();
    (never_met && had_room).then(|| {
        let (peak, limit) = (whole(peak), whole(limit));
        (at, format!("nothing of the container's: its counters tell of no kill, and of {peak} of {limit} MiB at most"))
    })
}

/// What the group used when it met its limit. After a kill its usage is what is left; then the highest usage counts.
fn at_limit(listing: &Listing, limit: Option<Bytes>) -> Option<Bytes> {
    let Some(limit) = limit else { return listing.peak.or(listing.usage) };
    let near = |bytes: &Bytes| bytes.get() >= limit.get() / 10 * 9;
    listing.usage.filter(near).or(listing.peak).or(listing.usage)
}

/// What fills the group, unless most of it is gone with the process that was killed.
fn content(listing: &Listing, limit: Option<Bytes>) -> Option<(Area, String)> {
    let stat = &listing.stat;
    let held = Bytes::checked_sum([stat.anon, stat.file, stat.all_kernel()].into_iter().flatten())?;
    let full = limit.or(listing.peak).or(listing.usage)?;
    if held.get() < full.get() / 2 {
        return None;
    }
    let counter = Counter { what: Counting::Memory, usage: held, limit, failed: None, at: 0 };
    area::of_group(stat, &[counter], None, None)
}
