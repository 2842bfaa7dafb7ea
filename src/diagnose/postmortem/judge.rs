//! From what many places say to one verdict.

use super::signal::{Death, Origin, Says, Signal};
use crate::model::{Area, Bytes, Confidence, Killer};

/// Who ended the process, and what had filled its memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Who.
    pub killer: Killer,
    /// What had filled the memory.
    pub area: Area,
    /// How sure that is.
    pub confidence: Confidence,
    /// Of the process.
    pub pid: Option<u32>,
    /// The limit that was reached.
    pub limit: Option<Bytes>,
    /// What was used.
    pub usage: Option<Bytes>,
    /// In one sentence without a full stop.
    pub summary: String,
}

/// The verdict over everything that is said.
pub fn judge(signals: &[Signal]) -> Verdict {
    let deaths: Vec<(&Signal, &Death)> = signals
        .iter()
        .filter_map(|signal| match &signal.says {
            Says::Death(death) => Some((signal, death)),
            _ => None,
        })
        .collect();
    let Some((first, main)) = deaths.iter().min_by_key(|(_, death)| rank(death.killer)).copied() else {
        return without_death(signals);
    };
    let same = |death: &Death| death.killer == main.killer;
    let of_main = || deaths.iter().filter(|(_, death)| same(death)).map(|(_, death)| death);
    let area = of_main().find_map(|death| death.area.filter(|area| *area != Area::Container));
    let mut origins: Vec<Origin> =
        deaths.iter().filter(|(_, death)| same(death)).map(|(signal, _)| signal.origin).collect();
    origins.sort_unstable();
    origins.dedup();
    Verdict {
        killer: main.killer,
        area: area.or(main.area).unwrap_or(Area::Container),
        confidence: if origins.len() > 1 { Confidence::High } else { Confidence::Medium },
        pid: of_main().find_map(|death| death.pid),
        limit: of_main().find_map(|death| death.limit),
        usage: of_main().find_map(|death| death.usage),
        summary: first.quote.clone(),
    }
}

fn without_death(signals: &[Signal]) -> Verdict {
    let ended = signals.iter().find(|signal| matches!(signal.says, Says::Ended(_)));
    let other = signals.iter().find(|signal| matches!(signal.says, Says::OtherReason { .. }));
    let lost = signals.iter().find(|signal| matches!(signal.says, Says::Consequence));
    let (killer, told) = match (other, ended, lost) {
        (Some(other), _, _) => (Killer::NotOom, Some(other)),
        (None, Some(ended), _) => (Killer::Unknown, Some(ended)),
        (None, None, Some(lost)) => (Killer::Unknown, Some(lost)),
        (None, None, None) => (Killer::NotOom, None),
    };
    Verdict {
        killer,
        area: Area::Other,
        confidence: if killer == Killer::Unknown { Confidence::Low } else { Confidence::Medium },
        pid: None,
        limit: None,
        usage: None,
        summary: told.map_or_else(|| "no failure of memory is in the text".to_owned(), |signal| signal.quote.clone()),
    }
}

fn rank(killer: Killer) -> usize {
    Killer::ALL.iter().position(|known| *known == killer).unwrap_or(usize::MAX)
}
