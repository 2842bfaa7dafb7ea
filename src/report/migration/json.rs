//! A migration for programs: `oomph.migration/1`. Sizes are bytes; values that look like secrets are masked.

use serde::Serialize;

use super::super::Sheet;
use super::super::comparison::json::{RowV1, rows};
use crate::flink::sensitive;
use crate::plan::compare::compare;
use crate::recommend::migrate::{Entry, Migration, NOT_SHOWN, RoleProof, Secrets};

/// The whole migration.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Document {
    /// `oomph.migration/1`.
    schema: &'static str,
    source: Option<String>,
    from: String,
    to: String,
    /// `flink-conf.yaml` or `config.yaml`.
    file: &'static str,
    /// The rewritten configuration.
    text: String,
    settings: Vec<SettingV1>,
    renamed: Vec<RenamedV1>,
    dropped: Vec<DroppedV1>,
    /// Keys whose values are not shown: put them in.
    not_shown: Vec<String>,
    roles: Vec<RoleV1>,
    /// What no size tells.
    notes: Vec<String>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct SettingV1 {
    key: String,
    value: String,
    /// Whether it keeps a size that would move without it.
    added: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct RenamedV1 {
    from: String,
    to: String,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct DroppedV1 {
    key: String,
    reason: String,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct RoleV1 {
    role: &'static str,
    /// What Flink says before or now, where it refuses.
    #[serde(skip_serializing_if = "Option::is_none")]
    refused_before: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refused_now: Option<String>,
    /// What keeps its size to the byte.
    kept: Vec<&'static str>,
    not_kept: Vec<LostV1>,
    /// Every measure, before and now.
    sizes: Vec<RowV1>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct LostV1 {
    name: &'static str,
    before: Option<u64>,
    now: Option<u64>,
    why: String,
}

/// The migration.
pub fn document(sheet: &Sheet, migration: &Migration) -> Document {
    let setting = |entry: &Entry| SettingV1 {
        key: entry.key.clone(),
        value: match sensitive::is_sensitive(&entry.key) {
            true => NOT_SHOWN.to_owned(),
            false => entry.value.java_text().into_owned(),
        },
        added: entry.added,
        why: entry.why.clone(),
    };
    Document {
        schema: "oomph.migration/1",
        source: sheet.source.clone(),
        from: migration.from.version().to_string(),
        to: migration.to.version().to_string(),
        file: migration.kind.file_name(),
        text: migration.text(Secrets::Masked),
        settings: migration.entries.iter().map(setting).collect(),
        renamed: migration.renamed.iter().map(|r| RenamedV1 { from: r.from.clone(), to: r.to.clone() }).collect(),
        dropped: migration.dropped.iter().map(|d| DroppedV1 { key: d.key.clone(), reason: d.reason.clone() }).collect(),
        not_shown: migration.secrets().into_iter().map(str::to_owned).collect(),
        roles: migration.roles.iter().map(role).collect(),
        notes: migration.notes.clone(),
    }
}

fn role(proof: &RoleProof) -> RoleV1 {
    RoleV1 {
        role: proof.role.key(),
        refused_before: proof.before.as_ref().err().map(|rejected| rejected.rejection.to_string()),
        refused_now: match &proof.before {
            Ok(_) => proof.after.as_ref().err().map(|rejected| rejected.rejection.to_string()),
            Err(_) => None,
        },
        kept: proof.kept.iter().map(|goal| goal.key()).collect(),
        not_kept: proof
            .lost
            .iter()
            .map(|lost| LostV1 {
                name: lost.goal.key(),
                before: lost.before.map(|bytes| bytes.get()),
                now: lost.after.map(|bytes| bytes.get()),
                why: lost.why.clone(),
            })
            .collect(),
        sizes: match (&proof.before, &proof.after) {
            (Ok(before), Ok(after)) => rows(&compare(before, after).rows),
            _ => Vec::new(),
        },
    }
}
