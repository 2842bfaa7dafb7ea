//! Configurations that Flink refuses, that do not fit their container, or that do not run (OOM903, OOM920, OOM955).

use super::proof::{Case, Draft};
use super::{Advice, Step, mib};
use crate::flink::keys;
use crate::model::{Deployment, Role};
use crate::recommend::change::Change;
use crate::recommend::mend::{self, Kind};
use crate::recommend::option;

/// OOM955: changes of one key with which Flink takes it.
pub(super) fn mended(case: &Case<'_>, advice: &mut Advice) {
    let patient = case.patient;
    let words = case.rejection.as_ref().map(|rejection| rejection.to_string());
    for cure in mend::cures(patient.config, patient.profile, patient.question) {
        let title = match cure.kind {
            Kind::Spelled => format!("{} as it seems to be meant", cure.change.key()),
            Kind::Moved { from, to, .. } => format!("{}: {} in the place of {}", cure.change.key(), mib(to), mib(from)),
            Kind::Lowered { from } => format!("a lower {} than {from}", cure.change.key()),
            Kind::Given => format!("a value for {}", cure.change.key()),
            Kind::TakenOut => format!("without {}", cure.change.key()),
        };
        case.offer(
            advice,
            Draft {
                title,
                steps: vec![Step::Change(cure.change)],
                risk: "another part may be smaller than it was meant to be: compare the budget".to_owned(),
                watch: "\"Final TaskExecutor Memory configuration\" in the log".to_owned(),
                why: words.clone().unwrap_or_else(|| "Flink refuses the configuration".to_owned()),
                source: "TaskExecutorProcessUtils, JobManagerProcessUtils: planned as the version derives it",
                ..Draft::default()
            },
        );
    }
    if advice.recommendations.is_empty() && case.rejection.is_none() {
        let line =
            "a change of sizes: Flink takes this configuration; what it refused was another one (give it with --conf)";
        advice.refused.push(line.to_owned());
    }
}

/// OOM903: the container is smaller than what is planned for it.
pub(super) fn limit_below_plan(case: &Case<'_>, advice: &mut Advice) {
    let Some(limit) = case.patient.limit else { return };
    let frame = option::frame(case.patient.role);
    if let Some(process) = case.process().filter(|process| *process > limit) {
        let how = match case.patient.question.deployment {
            Deployment::Kubernetes => {
                Step::platform("the pod's limit", format!("resources.limits.memory: {}", mib_unit(process)))
            }
            _ => Step::advice(format!("raise the container's limit to {} or more", mib(process))),
        };
        case.offer(
            advice,
            Draft {
                title: "a container that holds what is planned".to_owned(),
                steps: vec![how],
                risk: "fewer of them fit a node".to_owned(),
                watch: "the container's limit against taskmanager.memory.process.size".to_owned(),
                why: format!("{} are planned in a container of {}", mib(process), mib(limit)),
                source: "Linux: a cgroup's limit wins over whatever is planned inside",
                ..Draft::default()
            },
        );
    }
    let size = limit.whole_mib();
    let mut steps = vec![Step::set(frame.process.name(), format!("{size}m"))];
    let flink = frame.flink.name();
    if case.value(flink).is_some() {
        steps.push(Step::Change(Change::remove(flink)));
    }
    case.offer(
        advice,
        Draft {
            title: "a plan that fits the container".to_owned(),
            steps,
            risk: "every part becomes smaller: the heap with them".to_owned(),
            watch: "the heap after full collections".to_owned(),
            why: format!("Flink has to be told what the container has: {}", mib(limit)),
            source: "TaskManagerOptions.TOTAL_PROCESS_MEMORY: the size of the container",
            ..Draft::default()
        },
    );
}

fn mib_unit(bytes: crate::model::Bytes) -> String {
    format!("{}Mi", bytes.get().div_ceil(1 << 20))
}

/// OOM920: the process runs with other flags than its configuration gives.
pub(super) fn flags_differ(case: &Case<'_>, advice: &mut Advice) {
    let keys = match case.patient.role {
        Role::TaskManager => [keys::JAVA_OPTS_TM.name(), keys::JAVA_OPTS.name(), keys::JAVA_OPTS_UNTIL_1_16.name()],
        Role::JobManager => [keys::JAVA_OPTS_JM.name(), keys::JAVA_OPTS.name(), keys::JAVA_OPTS_UNTIL_1_16.name()],
    };
    let flagged = |text: &str| {
        ["-Xmx", "-Xms", "-XX:MaxDirectMemorySize=", "-XX:MaxMetaspaceSize="].iter().any(|flag| text.starts_with(flag))
    };
    let mut steps = Vec::new();
    for key in keys {
        let Some(value) = case.value(key) else { continue };
        let kept: Vec<&str> = value.split_whitespace().filter(|word| !flagged(word)).collect();
        if kept.len() == value.split_whitespace().count() {
            continue;
        }
        steps.push(match kept.is_empty() {
            true => Step::Change(Change::remove(key)),
            false => Step::set(key, kept.join(" ")),
        });
    }
    if steps.is_empty() {
        steps.push(Step::advice("restart the process: it runs with what an older configuration gave it"));
        steps.push(Step::advice("look for -Xmx in JAVA_TOOL_OPTIONS, JDK_JAVA_OPTIONS and the image's own scripts"));
    }
    case.offer(
        advice,
        Draft {
            title: "flags that come from Flink alone".to_owned(),
            steps,
            risk: "the process then has the sizes that the configuration gives".to_owned(),
            watch: "oomph attach PID: flags and plan agree".to_owned(),
            why: "a flag that is set beside Flink wins over what was planned, and the parts no longer add up"
                .to_owned(),
            source: "bin/taskmanager.sh: Flink's own flags come first, and of two the JVM takes the last",
            ..Draft::default()
        },
    );
}
