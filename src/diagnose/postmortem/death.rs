//! One death is told in many places: which of them tell of the same.

use super::signal::{Death, Says, Signal};
use crate::artefact::excerpt::Moment;
use crate::model::{Area, Bytes, Killer};

/// How far apart two tellings of one death may be dated: a worker that YARN kills is reported when its heartbeat says so.
const APART_SECONDS: i64 = 120;

/// A death, told in one place or in several.
#[derive(Clone, Debug)]
pub struct Told<'s> {
    /// Where it is told, in the order of the inputs.
    pub signals: Vec<(&'s Signal, &'s Death)>,
}

impl<'s> Told<'s> {
    /// Who, by the word that counts most.
    pub fn killer(&self) -> Killer {
        self.ranked().next().map_or(Killer::Unknown, |(_, death)| death.killer)
    }

    /// The telling that counts most.
    pub fn main(&self) -> Option<(&'s Signal, &'s Death)> {
        self.ranked().next()
    }

    /// What had filled the memory, by the tellings alone: one that is more than "the container".
    pub fn area(&self) -> Option<Area> {
        let areas = || self.ranked().filter_map(|(_, death)| death.area);
        areas().find(|area| *area != Area::Container).or_else(|| areas().next())
    }

    /// The process.
    pub fn pid(&self) -> Option<u32> {
        self.of_killer().find_map(|death| death.pid)
    }

    /// The limit that was reached: to the byte where one telling has it so.
    pub fn limit(&self) -> Option<Bytes> {
        self.number(|death| death.limit)
    }

    /// What was used: to the byte where one telling has it so.
    pub fn usage(&self) -> Option<Bytes> {
        self.number(|death| death.usage)
    }

    /// Its container or cgroup.
    pub fn unit(&self) -> Option<&'s str> {
        self.ranked().find_map(|(_, death)| death.unit.as_deref())
    }

    /// When, by the telling that counts most among those that are dated.
    pub fn at(&self) -> Option<Moment> {
        self.ranked().find_map(|(signal, _)| signal.at)
    }

    fn number(&self, of: impl Fn(&Death) -> Option<Bytes>) -> Option<Bytes> {
        let exact = self.of_killer().filter(|death| death.exact).find_map(&of);
        exact.or_else(|| self.of_killer().find_map(&of))
    }

    /// Tellings that name the same killer: others measure something else.
    fn of_killer(&self) -> impl Iterator<Item = &'s Death> {
        let killer = self.killer();
        self.ranked().map(|(_, death)| death).filter(move |death| death.killer == killer)
    }

    fn ranked(&self) -> impl Iterator<Item = (&'s Signal, &'s Death)> {
        let mut ranked = self.signals.clone();
        ranked.sort_by_key(|(_, death)| rank(death.killer));
        ranked.into_iter()
    }

    fn tells_of(&self, signal: &Signal, death: &Death) -> bool {
        self.signals.iter().any(|(known_signal, known)| is_same((known_signal, known), (signal, death)))
    }
}

/// Deaths in the order in which they are first told. Whoever ends a process from outside counts more than what the process
/// says of itself, and what the JVM says more than Flink.
pub fn deaths(signals: &[Signal]) -> Vec<Told<'_>> {
    let mut deaths: Vec<Told<'_>> = Vec::new();
    for signal in signals {
        let Says::Death(death) = &signal.says else { continue };
        match deaths.iter_mut().find(|told| told.tells_of(signal, death)) {
            Some(told) => told.signals.push((signal, death)),
            None => deaths.push(Told { signals: vec![(signal, death)] }),
        }
    }
    deaths
}

/// Where a killer stands among those that may be named of one death, the first counts most.
pub(super) fn rank(killer: Killer) -> usize {
    Killer::ALL.iter().position(|known| *known == killer).unwrap_or(usize::MAX)
}

fn is_same((one_signal, one): (&Signal, &Death), (other_signal, other): (&Signal, &Death)) -> bool {
    let unit = matches!((&one.unit, &other.unit), (Some(one), Some(other)) if names_same(one, other));
    let pid = one.pid.is_some() && one.pid == other.pid;
    if unit || pid && one.killer == other.killer {
        return is_near(one_signal.at, other_signal.at).unwrap_or(true);
    }
    // A pod's name and a container's id may be of the same; two ids are not.
    let are_others = matches!(
        (&one.unit, &other.unit),
        (Some(one), Some(other)) if NameKind::of(one) == NameKind::of(other)
    );
    // A kernel counts its own processes, a container its own.
    let differ = one.pid.is_some() && other.pid.is_some() && one_signal.origin == other_signal.origin;
    if are_others || differ {
        return false;
    }
    // Where undated, nothing tells them apart.
    is_near(one_signal.at, other_signal.at).unwrap_or(true)
}

/// What names a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NameKind {
    /// An id of a container runtime, or a pod's uid.
    Id,
    /// YARN's.
    Yarn,
    /// A pod's, a container's or a unit's own name.
    Name,
}

impl NameKind {
    fn of(name: &str) -> NameKind {
        const LEAST: usize = 12;
        let digits = name.chars().filter(char::is_ascii_hexdigit).count();
        if name.starts_with("container_") {
            NameKind::Yarn
        } else if digits >= LEAST && name.chars().all(|sign| sign.is_ascii_hexdigit() || matches!(sign, '-' | '_')) {
            NameKind::Id
        } else {
            NameKind::Name
        }
    }
}

/// Whether two names are of the same container: a container's id may be cut short, a pod's name may have its namespace.
fn names_same(one: &str, other: &str) -> bool {
    const LEAST: usize = 8;
    let (short, long) = if one.len() < other.len() { (one, other) } else { (other, one) };
    short == long || short.len() >= LEAST && long.contains(short)
}

/// Whether two times are of one death; nothing where they cannot be compared.
fn is_near(one: Option<Moment>, other: Option<Moment>) -> Option<bool> {
    let apart = match (one?, other?) {
        (Moment::Zoned(one), Moment::Zoned(other)) => one.duration_since(other).as_secs(),
        (Moment::Local(one), Moment::Local(other)) => one.duration_since(other).as_secs(),
        (Moment::Yearless(one), Moment::Yearless(other)) => one.duration_since(other).as_secs(),
        (Moment::Since(one), Moment::Since(other)) => one.as_secs().saturating_sub(other.as_secs()),
        _ => return None,
    };
    Some(apart.abs() <= APART_SECONDS)
}
