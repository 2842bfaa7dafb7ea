//! Reverse planning: the fewest changes of a configuration that give exactly the sizes that are wanted.
//!
//! Which changes are looked at: every option that sets a wanted component; the two totals and the two parts that decide
//! how Flink derives the rest, each as it is, given a size, or taken out; the bounds of network memory and of overhead.
//! A size is given that the wanted sizes add up to, or that is searched for until the wanted ones come out. Among all
//! combinations of these the one with the fewest keys changed is taken. Where several have as few, this decides, in
//! this order: the fewest components change that nobody asked for; the fewest keys are taken out; sizes that add up
//! come before one that was searched for (there is at most one of those); the totals before the parts. A search ends
//! after some ten thousand plans with the best that it has; ordinary ones need a few hundred.
//!
//! What has an option of its own and is not wanted stays as it is: framework heap is not made smaller for a small heap,
//! nor metaspace for a small process. Such wants are a conflict that names it. That no smaller set exists holds for the
//! changes said above; options that do not size a component (slots, cores, weights, ratios) are never touched.

mod inverse;
mod search;
mod sums;
mod target;

pub use sums::{Addend, Clash};
pub use target::{Target, targets};

use std::fmt;

use thiserror::Error;

use super::Change;
use super::change::applied;
use crate::config::Config;
use crate::flink::profile::Profile;
use crate::model::{Bytes, FlinkSizeError, Role};
use crate::plan::rejection::Rejection;
use crate::plan::store::Store;
use crate::plan::{self, Deployment, Plan, Question};

/// A size that something shall have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Want {
    /// What.
    pub target: Target,
    /// How large.
    pub bytes: Bytes,
}

/// Why a text is no want.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum WantError {
    /// No equals sign.
    #[error("`{0}` is not of the form name=size")]
    NoSize(String),
    /// A name that this role has not.
    #[error("a {role} has no `{name}`; there are {}", names(*.role))]
    NoSuchName {
        /// The name as written.
        name: String,
        /// The role.
        role: Role,
    },
    /// A size that Flink does not read.
    #[error("{name}: {error}")]
    Size {
        /// The name as written.
        name: String,
        /// Flink's words.
        error: FlinkSizeError,
    },
    /// The same target with two sizes.
    #[error("{0} is wanted twice")]
    Twice(&'static str),
    /// A version whose model is another one.
    #[error("sizes can be wanted from Flink 1.10 on, for a JobManager from 1.11 on: before, memory was a cut-off")]
    CutOff,
}

fn names(role: Role) -> String {
    targets(role).iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}

impl Want {
    /// Reads a name and a size in Flink's grammar.
    pub fn read(name: &str, size: &str, role: Role) -> Result<Want, WantError> {
        let target = Target::named(name.trim(), role)
            .ok_or_else(|| WantError::NoSuchName { name: name.trim().to_owned(), role })?;
        let bytes =
            Bytes::parse_flink(size).map_err(|error| WantError::Size { name: name.trim().to_owned(), error })?;
        Ok(Want { target, bytes })
    }

    /// Reads `NAME=SIZE`.
    pub fn parse(text: &str, role: Role) -> Result<Want, WantError> {
        let (name, size) = text.split_once('=').ok_or_else(|| WantError::NoSize(text.to_owned()))?;
        Want::read(name, size, role)
    }
}

/// Whether these can be asked at all of this version.
pub fn check(wants: &[Want], profile: &Profile, role: Role) -> Result<(), WantError> {
    if plan::is_cut_off(profile, role) {
        return Err(WantError::CutOff);
    }
    let twice = wants.iter().enumerate().find(|(at, want)| wants[..*at].iter().any(|w| w.target == want.target));
    twice.map_or(Ok(()), |(_, want)| Err(WantError::Twice(want.target.name(role))))
}

/// Changes that give what is wanted.
#[derive(Clone, Debug)]
pub struct Solution {
    /// The changes, none where all is as wanted already.
    pub changes: Vec<Change>,
    /// The plan before, where Flink accepts the configuration.
    pub before: Option<Plan>,
    /// The plan with the changes.
    pub after: Plan,
}

/// Why what is wanted cannot be had.
#[derive(Clone, Debug)]
pub enum Conflict {
    /// The sizes contradict one another, or what stays as it is.
    Clash(Clash),
    /// There is no such thing: no container in a standalone deployment, no pool of RocksDB.
    Absent(Target),
    /// No whole number of bytes gives this size.
    Between {
        /// The want.
        want: Want,
        /// The nearest size below that can be had.
        below: Option<Bytes>,
        /// The nearest size above that can be had.
        above: Option<Bytes>,
    },
    /// Flink refuses the configuration that would give it.
    Refused(Box<Rejection>),
    /// Flink takes every such configuration, but none gives exactly this.
    NotFound,
}

/// In one line, for programs.
impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Conflict::Clash(clash) => {
                let part = |part: &Addend| {
                    let stays = if part.wanted { "" } else { ", as it stays" };
                    format!("{} ({} bytes{stays})", part.target.label(), part.bytes.get())
                };
                let parts = clash.parts.iter().map(part).collect::<Vec<_>>().join(" and ");
                let is = if clash.parts.len() > 1 { "together are" } else { "is" };
                let (sum, whole) = (clash.sum().get(), clash.whole.bytes.get());
                let relation = if sum > whole { "more" } else { "less" };
                let whole = part(&clash.whole);
                write!(f, "{parts} {is} {} bytes {relation} than {whole}", sum.abs_diff(clash.whole.bytes.get()))
            }
            Conflict::Absent(Target::Container) => f.write_str("a standalone process has no container"),
            Conflict::Absent(target) => write!(f, "there is no {} in this configuration", target.label()),
            Conflict::Between { want, below, above } => {
                write!(f, "no size gives {} of {} bytes", want.target.label(), want.bytes.get())?;
                let sizes: Vec<String> = below.iter().chain(above).map(|size| size.get().to_string()).collect();
                if sizes.is_empty() { Ok(()) } else { write!(f, "; the nearest: {}", sizes.join(" and ")) }
            }
            Conflict::Refused(rejection) => write!(f, "Flink refuses it: {rejection}"),
            Conflict::NotFound => f.write_str("no changes of memory options give exactly this"),
        }
    }
}

/// The fewest changes that give the wanted sizes, proved by planning the configuration with them.
pub fn solve(
    config: &Config,
    profile: &'static Profile,
    question: &Question,
    wants: &[Want],
) -> Result<Solution, Conflict> {
    let mut question = question.clone();
    if wants.iter().any(|want| want.target.is_rocksdb()) && !question.stores.contains(&Store::RocksDb) {
        question.stores.push(Store::RocksDb);
    }
    if let Some(want) = wants.iter().find(|want| want.target == Target::Container)
        && matches!(question.deployment, Deployment::Standalone | Deployment::None)
    {
        return Err(Conflict::Absent(want.target));
    }
    let before = plan::plan(config, profile, &question).ok();
    let asked = search::Asked { config, profile, question: &question, wants, before: before.as_ref() };
    let changes = search::Search::of(&asked)?.fewest()?;
    let changed = applied(config, &changes);
    let after = plan::plan(&changed, profile, &question).map_err(|rejected| Conflict::Refused(rejected.rejection))?;
    // Nothing is proposed that was not planned back.
    match wants.iter().all(|want| want.target.size(&after, &changed, &question) == Some(want.bytes)) {
        true => Ok(Solution { changes, before, after }),
        false => Err(Conflict::NotFound),
    }
}
