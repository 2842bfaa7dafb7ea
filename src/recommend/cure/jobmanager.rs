//! What fills a JobManager, or makes it ask for containers without an end (OOM961, OOM962).

use super::by_version::since;
use super::proof::{Case, Draft};
use super::{Advice, Step, job_code};
use crate::recommend::change::Change;

const INTERVAL: &str = "metrics.latency.interval";
const GRANULARITY: &str = "metrics.latency.granularity";

const SOURCE: &str = "FLINK-10243, https://github.com/apache/flink/pull/6658: granularity since 1.7.0, 1.6.2 and \
                      1.5.5; measured in the MetricStore of 1.9.3, 1.20.5 and 2.3.0: 3288 bytes a histogram at \
                      subtask, 3044 at operator, 2559 at single";

/// OOM961: fewer histograms, or none.
pub(super) fn latency(case: &Case<'_>, advice: &mut Advice) {
    let now = case.value(GRANULARITY).map(|value| value.trim().to_lowercase());
    let old = !since(case.patient.version, 1, 7);
    let coarser = |to: &str, keeps: &str| {
        let mut steps = Vec::new();
        if old {
            steps.push(Step::Upgrade {
                from: case.patient.version.to_string(),
                to: "1.7.0 or later (1.6.2 and 1.5.5 have it too)".to_owned(),
                issue: "FLINK-10243".to_owned(),
            });
        }
        steps.push(Step::set(GRANULARITY, to));
        Draft {
            title: format!("latency by {to}"),
            steps,
            risk: "which source's subtask a latency came from is not told any more".to_owned(),
            watch: "the JobManager's heap after full collections while the web page is open".to_owned(),
            why: format!(
                "at subtask granularity there are parallelism² x sources x operators histograms; {to} keeps {keeps}"
            ),
            source: SOURCE,
            ..Draft::default()
        }
    };
    // Flink falls back to operator from whatever it does not know, and has it by default.
    let subtask = now.as_deref() == Some("subtask") || now.is_none() && (old || !case.patient.whole);
    if subtask {
        case.offer(advice, coarser("operator", "parallelism x sources x operators"));
    }
    if now.as_deref() != Some("single") {
        case.offer(advice, coarser("single", "parallelism x operators"));
    }
    let off = match case.value(INTERVAL) {
        Some(_) => Step::Change(Change::remove(INTERVAL)),
        // A number of milliseconds up to 1.19, a duration since 1.20: both read this.
        None => Step::set(INTERVAL, "0"),
    };
    case.offer(
        advice,
        Draft {
            title: "no latency tracking".to_owned(),
            steps: vec![off, job_code::no_latency_tracking()],
            risk: "latencies are not measured; it is meant for looking for a fault, not for every day".to_owned(),
            watch: "the JobManager's heap after full collections".to_owned(),
            why: "latency tracking is off by default, and its markers and histograms cost all tasks something"
                .to_owned(),
            source: SOURCE,
            ..Draft::default()
        },
    );
    advice.refused.push(
        "more heap for the JobManager: the histograms go with the square of the parallelism, and 24,000 of them were \
         seen to hold 1.6 GB"
            .to_owned(),
    );
}

/// OOM962: more containers than anybody needs.
pub(super) fn containers_beyond_need(case: &Case<'_>, advice: &mut Advice) {
    if !since(case.patient.version, 1, 7) {
        case.offer(
            advice,
            Draft {
                title: "a release that asks once".to_owned(),
                steps: vec![Step::Upgrade {
                    from: case.patient.version.to_string(),
                    to: "1.7.0 or later".to_owned(),
                    issue: "FLINK-9567".to_owned(),
                }],
                risk: "another version: take a savepoint first".to_owned(),
                watch: "containers of the application after a TaskManager is lost".to_owned(),
                why: "a lost container is asked for twice: by who handles its exit and by the slot manager".to_owned(),
                source: "FLINK-9567, https://github.com/apache/flink/pull/6237 and /6669 (July and September 2018)",
                ..Draft::default()
            },
        );
    }
    let bound = "slotmanager.number-of-slots.max";
    if case.has(bound) {
        let slots = case.value("parallelism.default").and_then(|text| text.trim().parse::<u32>().ok());
        let step = match slots {
            Some(slots) => Step::set(bound, slots.saturating_mul(2).to_string()),
            None => Step::platform("twice the slots that the job needs", format!("{bound}: 2 x parallelism")),
        };
        case.offer(
            advice,
            Draft {
                title: "a bound for the slots that may be asked for".to_owned(),
                steps: vec![step],
                risk: "a job that is rescaled beyond it does not start".to_owned(),
                watch: "containers of the application after a TaskManager is lost".to_owned(),
                why: "without one nothing ends the asking".to_owned(),
                source: "ResourceManagerOptions.MAX_SLOT_NUM, Flink 1.12 to 2.3",
                ..Draft::default()
            },
        );
    }
    advice.refused.push("more memory for each container: too many were asked for, none was too small".to_owned());
}
