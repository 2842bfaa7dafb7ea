//! Version 1 of the JSON of `oomph diagnose`. Its schema is `docs/schema/diagnose-v1.json`, which a test keeps equal to these
//! types. Sizes are bytes; what is not stated is null.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Report, advice, words};
use crate::diagnose::postmortem::candidates::candidates;
use crate::diagnose::postmortem::groups::groups;
use crate::diagnose::postmortem::late::{Suspect, Weight};
use crate::diagnose::postmortem::signal::Signal;
use crate::diagnose::postmortem::timeline::timeline;
use crate::diagnose::postmortem::{Judged, Verdict};
use crate::model::Bytes;
use crate::recommend::change::Change;
use crate::recommend::cure::{Proof, Recommendation, Step};
use crate::report::json::by_component;

/// The name and version of this format.
pub const SCHEMA: &str = "oomph.diagnose/1";

/// One diagnosis.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Document {
    /// `oomph.diagnose/1`.
    schema: &'static str,
    /// The verdict; that of the cause that most deaths have, where there are several.
    verdict: VerdictV1,
    /// What the verdict rests on, and what speaks against it.
    evidence: Vec<EvidenceV1>,
    /// What happened in which order.
    timeline: Vec<EventV1>,
    /// Every cause that fits, the one that explains most first.
    causes: Vec<CauseV1>,
    /// What may have filled a container where nothing shows by what, the likeliest first.
    candidates: Vec<CandidateV1>,
    /// All deaths, in the order in which they are told.
    deaths: Vec<VerdictV1>,
    /// Deaths by what they have in common, the largest group first; indices into `deaths`.
    groups: Vec<GroupV1>,
    /// The budget that the process had, by component, where it is known.
    budget: Option<BTreeMap<&'static str, u64>>,
    /// What to change: one of these, the smallest first.
    recommendations: Vec<CureV1>,
    /// What is not recommended, and why.
    refused: Vec<String>,
    /// What was read.
    inputs: Vec<InputV1>,
    /// What was not read, and why.
    unread: Vec<UnreadV1>,
}

/// Who ended the process, and what had filled the memory.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct VerdictV1 {
    /// `kernel-memcg`, `kernel-global`, `yarn-pmem`, `yarn-vmem`, `yarn-elastic`, `kubelet-evict`, `systemd-oomd`, `jvm`,
    /// `flink`, `python`, `not-oom` or `unknown`.
    killer: &'static str,
    /// `heap`, `metaspace`, `direct`, `native`, `network`, `managed-rocksdb`, `page-cache`, `tmpfs`, `threads`,
    /// `container`, `config` or `other`.
    area: &'static str,
    /// `low`, `medium` or `high`.
    confidence: &'static str,
    /// The stable code of the cause: `OOM954`.
    code: Option<&'static str>,
    /// Of the process that died.
    pid: Option<u32>,
    /// The limit that was reached.
    limit_bytes: Option<u64>,
    /// What was used.
    usage_bytes: Option<u64>,
    /// In one sentence.
    summary: String,
}

/// A place that says something.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct EvidenceV1 {
    /// The input.
    file: String,
    /// The line, from 1.
    line: u32,
    /// Who says it: `kernel`, `YARN`, `Flink`.
    origin: &'static str,
    /// The line as it stands, without secrets.
    quote: String,
    /// What its numbers mean.
    because: Option<String>,
    /// Whether it speaks against the verdict.
    against: bool,
}

/// A line of the timeline.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct EventV1 {
    /// When, as the line says it.
    at: String,
    /// `last good`, `first symptom`, `symptom`, `death`, `end`, `consequence` or `other reason`.
    kind: &'static str,
    /// The input.
    file: String,
    /// The line, from 1.
    line: u32,
    /// The line as it stands, without secrets.
    quote: String,
}

/// A cause that fits.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct CauseV1 {
    /// The stable code.
    code: &'static str,
    /// The stable name.
    name: &'static str,
    /// `low`, `medium` or `high`.
    confidence: &'static str,
    /// `explains`, `bounds`, `not-memory`, `nothing` or `beside`: how much it explains of the death.
    weight: &'static str,
    /// In one sentence.
    title: String,
    /// The evidence that would decide, where this is not sure.
    decided_by: Option<String>,
    /// The command that fetches it; it only reads.
    command: Option<&'static str>,
}

/// What may have filled a container.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct CandidateV1 {
    /// What.
    what: &'static str,
    /// Why it may be that, or may not.
    why: String,
}

/// Deaths of one cause.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct GroupV1 {
    /// The stable code.
    code: Option<&'static str>,
    /// As in a verdict.
    killer: &'static str,
    /// As in a verdict.
    area: &'static str,
    /// Indices into `deaths`.
    deaths: Vec<usize>,
}

/// A recommendation.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct CureV1 {
    /// What it does.
    title: String,
    /// The code of the cause that it answers.
    answers: &'static str,
    /// Keys of Flink's configuration and their values; null takes a key out.
    changes: BTreeMap<String, Option<String>>,
    /// Everything to do, in words and code.
    steps: Vec<String>,
    /// The parts that change, by component: before and after.
    budget: BTreeMap<&'static str, [u64; 2]>,
    /// The whole process before and after.
    process: Option<[u64; 2]>,
    /// Whether Flink plans the changed configuration and check finds no new error in it.
    proved: bool,
    /// How it was proved, or why not.
    proof: String,
    /// What it rests on.
    why: String,
    /// What may go wrong.
    risk: String,
    /// What to watch afterwards.
    watch: String,
    /// Where it is from.
    source: &'static str,
}

/// Something that was read.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct InputV1 {
    /// Its name.
    name: String,
    /// Its bytes, unpacked.
    bytes: u64,
    /// How many places in it say something.
    signals: usize,
    /// What of it was not looked at.
    left_out: Vec<String>,
}

/// Something that was not read.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct UnreadV1 {
    /// Its name.
    name: String,
    /// Why.
    why: String,
}

/// The document of a report.
pub fn document(report: &Report<'_, '_>) -> Document {
    let index = |judged: &Judged<'_>| report.cases.iter().position(|other| std::ptr::eq(other, judged));
    Document {
        schema: SCHEMA,
        verdict: VerdictV1::of(&report.main.verdict),
        evidence: evidence(report),
        timeline: timeline(report.main)
            .iter()
            .map(|event| EventV1 {
                at: words::moment(event.at),
                kind: event.kind.label(),
                file: name(report, event.signal),
                line: event.signal.line,
                quote: event.signal.quote.clone(),
            })
            .collect(),
        causes: report.main.suspects.iter().map(CauseV1::of).collect(),
        candidates: candidates(&report.main.case, report.main.verdict.area)
            .into_iter()
            .map(|candidate| CandidateV1 { what: candidate.what, why: candidate.why })
            .collect(),
        deaths: report
            .cases
            .iter()
            .filter(|judged| judged.case.death.is_some())
            .map(|judged| VerdictV1::of(&judged.verdict))
            .collect(),
        groups: groups(report.cases)
            .into_iter()
            .filter(|group| group.cases.iter().any(|judged| judged.case.death.is_some()))
            .map(|group| GroupV1 {
                code: group.code,
                killer: group.killer.name(),
                area: group.area.name(),
                deaths: group.cases.iter().filter_map(|judged| index(judged)).collect(),
            })
            .collect(),
        budget: report.budget.map(|survey| by_component(&survey.plan.budget)),
        recommendations: report.advice.recommendations.iter().map(CureV1::of).collect(),
        refused: report.advice.refused.clone(),
        inputs: report
            .inputs
            .iter()
            .map(|input| InputV1 {
                name: input.name.clone(),
                bytes: input.bytes,
                signals: input.signals,
                left_out: input.left_out.clone(),
            })
            .collect(),
        unread: report
            .unread
            .iter()
            .map(|(name, unseen)| UnreadV1 { name: name.clone(), why: unseen.to_string() })
            .collect(),
    }
}

fn name(report: &Report<'_, '_>, signal: &Signal) -> String {
    report.inputs.get(signal.file).map_or_else(String::new, |input| input.name.clone())
}

fn evidence(report: &Report<'_, '_>) -> Vec<EvidenceV1> {
    let first = report.main.suspects.first();
    let mut shown: Vec<(&Signal, bool)> = report.main.case.told().map(|(signal, _)| (signal, false)).collect();
    let supports = first.map(|first| first.supports.as_slice()).unwrap_or_default();
    let contradicts = first.map(|first| first.contradicts.as_slice()).unwrap_or_default();
    for (signal, against) in
        supports.iter().map(|signal| (*signal, false)).chain(contradicts.iter().map(|signal| (*signal, true)))
    {
        if !shown.iter().any(|(known, _)| std::ptr::eq(*known, signal)) {
            shown.push((signal, against));
        }
    }
    let of = |(signal, against): (&Signal, bool)| EvidenceV1 {
        file: name(report, signal),
        line: signal.line,
        origin: words::origin(signal.origin),
        quote: signal.quote.clone(),
        because: Some(super::because(signal)).filter(|because| !because.is_empty()).map(str::to_owned),
        against,
    };
    shown.into_iter().map(of).collect()
}

impl VerdictV1 {
    fn of(verdict: &Verdict) -> VerdictV1 {
        VerdictV1 {
            killer: verdict.killer.name(),
            area: verdict.area.name(),
            confidence: verdict.confidence.name(),
            code: verdict.code,
            pid: verdict.pid,
            limit_bytes: verdict.limit.map(Bytes::get),
            usage_bytes: verdict.usage.map(Bytes::get),
            summary: verdict.summary.clone(),
        }
    }
}

impl CauseV1 {
    fn of(suspect: &Suspect<'_>) -> CauseV1 {
        CauseV1 {
            code: suspect.cause.code,
            name: suspect.cause.name,
            confidence: suspect.confidence.name(),
            weight: match suspect.weight {
                Weight::Explains => "explains",
                Weight::Bounds => "bounds",
                Weight::NotMemory => "not-memory",
                Weight::Nothing => "nothing",
                Weight::Beside => "beside",
            },
            title: suspect.title.clone(),
            decided_by: suspect.decides.map(|decides| decides.evidence.to_owned()),
            command: suspect.decides.map(|decides| decides.command),
        }
    }
}

impl CureV1 {
    fn of(cure: &Recommendation) -> CureV1 {
        let changes = cure.steps.iter().filter_map(|step| match step {
            Step::Change(Change::Set { key, value }) => Some((key.clone(), Some(value.clone()))),
            Step::Change(Change::Remove { key }) => Some((key.clone(), None)),
            _ => None,
        });
        let step = |step: &Step| {
            let lines: Vec<String> = advice::step_lines(step).into_iter().map(|line| line.text).collect();
            lines.join("\n")
        };
        CureV1 {
            title: cure.title.clone(),
            answers: cure.answers,
            changes: changes.collect(),
            steps: cure.steps.iter().map(step).collect(),
            budget: cure.grows.iter().map(|(part, before, after)| (part.key(), [before.get(), after.get()])).collect(),
            process: cure.costs.map(|(before, after)| [before.get(), after.get()]),
            proved: matches!(cure.proof, Proof::Planned { .. }),
            proof: advice::proof(&cure.proof),
            why: cure.why.clone(),
            risk: cure.risk.clone(),
            watch: cure.watch.clone(),
            source: cure.source,
        }
    }
}
