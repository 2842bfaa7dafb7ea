//! What a dead process may leave, made up for tests.
#![allow(clippy::unwrap_used, reason = "for tests")]

use super::*;
use crate::diagnose::postmortem::signal::{Death, Ended, Origin, Says, Signal, Strain};
use crate::diagnose::postmortem::{self, Judged, Verdict};
use crate::model::{Area, Killer};

/// Signals of one case.
#[derive(Clone, Debug, Default)]
pub(super) struct Left {
    signals: Vec<Signal>,
}

impl Left {
    /// A process that was killed, as one place tells it.
    pub fn killed_by(killer: Killer, area: Area) -> Left {
        let origin = match killer {
            Killer::KernelMemcg | Killer::KernelGlobal => Origin::Kernel,
            Killer::YarnPmem | Killer::YarnVmem | Killer::YarnElastic => Origin::Yarn,
            Killer::KubeletEvict => Origin::Kubernetes,
            Killer::SystemdOomd => Origin::Systemd,
            Killer::Jvm => Origin::Jvm,
            Killer::Python => Origin::Python,
            Killer::Flink | Killer::NotOom | Killer::Unknown => Origin::Flink,
        };
        Left::default().says(origin, "", Says::Death(Death { area: Some(area), pid: Some(4711), ..Death::by(killer) }))
    }

    /// One more thing that is said.
    pub fn says(mut self, origin: Origin, quote: &str, says: Says) -> Left {
        let line = u32::try_from(self.signals.len() + 1).unwrap();
        self.signals.push(Signal { origin, file: 0, line, at: None, quote: quote.to_owned(), says });
        self
    }

    fn death(mut self, change: impl FnOnce(&mut Death)) -> Left {
        let death = self.signals.iter_mut().find_map(|signal| match &mut signal.says {
            Says::Death(death) => Some(death),
            _ => None,
        });
        change(death.unwrap());
        self
    }

    /// With the words in which the death is told.
    pub fn quote(mut self, quote: &str) -> Left {
        self.signals.first_mut().unwrap().quote = quote.to_owned();
        self
    }

    /// The limit that was reached.
    pub fn limit(self, limit: Bytes) -> Left {
        self.death(|death| death.limit = Some(limit))
    }

    /// What was used.
    pub fn usage(self, usage: Bytes) -> Left {
        self.death(|death| death.usage = Some(usage))
    }

    /// The name of the process that died.
    pub fn process(self, name: &str) -> Left {
        self.death(|death| death.process = Some(name.to_owned()))
    }

    /// Why, in the words of whoever tells of it.
    pub fn because(self, because: &str) -> Left {
        self.death(|death| death.because = because.to_owned())
    }

    /// The same death, told by another program.
    pub fn told_too(self, origin: Origin, killer: Killer, area: Option<Area>, quote: &str) -> Left {
        self.says(origin, quote, Says::Death(Death { area, ..Death::by(killer) }))
    }

    /// What follows from a death.
    pub fn consequence(self, quote: &str) -> Left {
        self.says(Origin::Flink, quote, Says::Consequence)
    }

    /// Something under strain, with numbers.
    pub fn used(self, origin: Origin, name: &'static str, area: Area, usage: Bytes, limit: Bytes) -> Left {
        let strain = Strain { name, area: Some(area), text: String::new(), usage: Some(usage), limit: Some(limit) };
        self.says(origin, name, Says::Strain(strain))
    }

    /// A setting or a flag.
    pub fn given(self, key: &str, value: &str) -> Left {
        let says = Says::Given { key: key.to_owned(), value: value.to_owned() };
        self.says(Origin::Given, &format!("{key}: {value}"), says)
    }

    /// Something under strain.
    pub fn strain(self, origin: Origin, name: &'static str, area: Option<Area>) -> Left {
        let strain = Strain { name, area, text: String::new(), usage: None, limit: None };
        self.says(origin, name, Says::Strain(strain))
    }

    /// An end without a reason.
    pub fn ended(self, exit: i32) -> Left {
        self.says(Origin::Flink, "", Says::Ended(Ended { exit: Some(exit), ..Ended::default() }))
    }

    /// A reason that is not memory.
    pub fn other_reason(self, reason: &str, ends: bool) -> Left {
        self.says(Origin::Flink, reason, Says::OtherReason { reason: reason.to_owned(), ends })
    }

    /// What is thought of it: the first case.
    pub fn with_judged<T>(&self, look: impl FnOnce(&Judged<'_>) -> T) -> T {
        look(postmortem::cases(&self.signals).first().unwrap())
    }

    /// The cause that explains most, if one fits.
    pub fn first(&self) -> Option<&'static str> {
        self.codes().first().copied()
    }

    /// What it comes down to.
    pub fn verdict(&self) -> Verdict {
        postmortem::judge(&self.signals)
    }

    /// The codes of all causes that fit, the first first.
    pub fn codes(&self) -> Vec<&'static str> {
        self.with_judged(|judged| judged.suspects.iter().map(|suspect| suspect.cause.code).collect())
    }
}
