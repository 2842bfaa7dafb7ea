//! The JSON of `oomph plan --want`: `oomph.want/1`. Sizes are bytes.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::model::Bytes;
use crate::plan::Plan;
use crate::recommend::Change;
use crate::report::Proposal;

/// Everything a run says.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Document {
    schema: &'static str,
    wants: BTreeMap<&'static str, u64>,
    /// One for each configuration, in the order of the arguments.
    answers: Vec<Answer>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Answer {
    /// The file or directory as given.
    source: Option<String>,
    /// The version the answer is for.
    flink: String,
    ok: bool,
    /// What to change; a value of null takes the key out.
    #[serde(skip_serializing_if = "Option::is_none")]
    changes: Option<Vec<ChangeV1>>,
    /// What comes out.
    #[serde(skip_serializing_if = "Option::is_none")]
    components: Option<BTreeMap<&'static str, u64>>,
    /// Why it cannot be had.
    #[serde(skip_serializing_if = "Option::is_none")]
    conflict: Option<String>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct ChangeV1 {
    key: String,
    value: Option<String>,
}

/// The document of some proposals.
pub fn document(proposals: &[Proposal]) -> Document {
    let wants = proposals.first().map_or(&[][..], |proposal| &proposal.wants);
    let role = proposals.first().map(|proposal| proposal.sheet.question.role);
    Document {
        schema: "oomph.want/1",
        wants: role
            .into_iter()
            .flat_map(|role| wants.iter().map(move |want| (want.target.name(role), want.bytes.get())))
            .collect(),
        answers: proposals.iter().map(answer).collect(),
    }
}

fn answer(proposal: &Proposal) -> Answer {
    let solution = proposal.answer.as_ref().ok();
    let change = |change: &Change| ChangeV1 { key: change.key().to_owned(), value: change.value().map(str::to_owned) };
    Answer {
        source: proposal.sheet.source.clone(),
        flink: proposal.sheet.planned_version().to_string(),
        ok: solution.is_some(),
        changes: solution.map(|solution| solution.changes.iter().map(change).collect()),
        components: solution.map(|solution| components(&solution.after)),
        conflict: proposal.answer.as_ref().err().map(ToString::to_string),
    }
}

fn components(plan: &Plan) -> BTreeMap<&'static str, u64> {
    let mut all = super::by_component(&plan.budget);
    all.insert("jvm_heap", plan.budget.heap().get());
    all.extend(plan.direct.map(|direct| ("jvm_direct", Bytes::get(direct))));
    all
}
