//! What to change, as it is answered.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Body, Components, InputError, Question, asked, role};
use crate::config::Config;
use crate::flink::profile::Profile;
use crate::plan;
use crate::recommend::want::{self, Want};
use crate::recommend::{Change, mend};

/// The changes that give wanted sizes, or why nothing does.
#[derive(Serialize)]
pub struct Changes {
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    planned_as: Option<String>,
    /// Null takes a key out.
    #[serde(skip_serializing_if = "Option::is_none")]
    changes: Option<BTreeMap<String, Option<String>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    components: Option<Components>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<InputError>,
}

/// A change with which Flink would accept a configuration.
#[derive(Serialize)]
pub struct Cure {
    key: String,
    /// Null takes the key out.
    value: Option<String>,
}

/// Answers a question for wanted sizes.
pub fn changes(
    config: &Config,
    question: &Question,
    wants: &BTreeMap<String, String>,
    profile: &'static Profile,
    planned_as: Option<String>,
) -> Result<Body, String> {
    let role = role(question);
    let wants: Vec<Want> = wants
        .iter()
        .map(|(name, size)| Want::read(name, size, role))
        .collect::<Result<_, _>>()
        .map_err(|error| error.to_string())?;
    want::check(&wants, profile, role).map_err(|error| error.to_string())?;
    let answer = match want::solve(config, profile, &asked(question), &wants) {
        Ok(solution) => {
            let pair = |change: &Change| (change.key().to_owned(), change.value().map(str::to_owned));
            Changes {
                ok: true,
                planned_as,
                changes: Some(solution.changes.iter().map(pair).collect()),
                components: Some(Components::of(&solution.after)),
                error: None,
            }
        }
        Err(conflict) => Changes {
            ok: false,
            planned_as,
            changes: None,
            components: None,
            error: Some(InputError { class: "Conflict", message: conflict.to_string() }),
        },
    };
    Ok(Body::Changes(Box::new(answer)))
}

/// What would be accepted.
pub fn cures(config: &Config, profile: &'static Profile, asked: &plan::Question) -> Vec<Cure> {
    let cures = mend::cures(config, profile, asked).into_iter();
    cures
        .map(|cure| Cure { key: cure.change.key().to_owned(), value: cure.change.value().map(str::to_owned) })
        .collect()
}
