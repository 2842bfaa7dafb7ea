use super::keys_of::keys_of;
use crate::check::rule::rule;
use crate::check::{Case, Collector};
use crate::config::Config;
use crate::model::{Finding, Place, Provenance, Role, Severity, Source, Term};
use crate::plan::rejection::{Reason, Rejection};

rule! {
    /// Flink does not start with this configuration.
    ///
    /// ### Why
    /// Flink derives a process's memory before it starts the process, and ends where a sum does not hold or a size cannot be
    /// read. The message is Flink's own. `oomph plan` shows the sum and changes of one key that Flink accepts.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 2g
    /// taskmanager.memory.task.heap.size: 2g
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 6g
    /// taskmanager.memory.task.heap.size: 2g
    /// ```
    ///
    /// ### Sources
    /// - `ProcessMemoryUtils`, `TaskExecutorFlinkMemoryUtils`, `JobManagerFlinkMemoryUtils`, Flink 1.11 to 2.3.
    /// - `TaskExecutorProcessUtils`, Flink 1.10; `ContaineredTaskManagerParameters`, Flink 1.9.
    /// - Threads: https://github.com/DataLinkDC/dinky/issues/844, https://github.com/apache/streampark/issues/3330.
    "OOM200" "rejected-by-flink" {
        severity: Severity::Error,
        check: check,
    }
}

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    for role in [Role::TaskManager, Role::JobManager] {
        let Some(Err(rejected)) = case.judged(role).map(|judged| &judged.outcome) else { continue };
        let rejection = &rejected.rejection;
        let mut places = places(case.config, role, rejection.reason.as_ref());
        if places.is_empty() {
            places.extend(first_of_role(case, role));
        }
        let mut draft = found.find(format!("Flink {} refuses the {role}'s memory", case.version()));
        for (place, text) in places {
            draft = draft.at(&place, text);
        }
        draft = draft.note(rejection.exception.message.clone());
        if let Some(root) = rejection.causes.last().filter(|cause| !rejection.exception.message.contains(&cause.message)) {
            draft = draft.note(format!("because {}", root.message));
        }
        if let Some(sum) = sum(rejection) {
            draft = draft.note(sum);
        }
        draft.help("run oomph plan on it: it looks for changes of one key with which Flink starts");
    }
}

/// A file that Flink refuses as a whole: no derivation begins.
pub fn refused_file(subject: Option<&str>, place: &Place, reason: &str) -> Vec<Finding> {
    let mut found = Collector::new(&RULE, subject);
    found
        .find("Flink refuses this file as a whole")
        .at(place, reason)
        .note("Error parsing YAML configuration.")
        .help("mend the YAML at this place");
    found.into_findings()
}

/// Where what does not hold is written.
fn places(config: &Config, role: Role, reason: Option<&Reason>) -> Vec<(Place, String)> {
    let written = |terms: &[&Term]| -> Vec<(Place, String)> {
        let set = |term: &&Term| {
            let setting = keys_of(term.quantity, role).iter().find_map(|key| config.get(key))?;
            Some((setting.place.clone(), format!("{} is {}", term.quantity, term.bytes)))
        };
        terms.iter().filter_map(set).collect()
    };
    match reason {
        Some(Reason::BadValue(bad)) => vec![(bad.place.clone(), format!("accepted is {}", bad.accepted))],
        Some(Reason::DoesNotFit { parts, whole } | Reason::DoesNotAddUp { parts, whole }) => {
            written(&std::iter::once(whole).chain(parts).collect::<Vec<_>>())
        }
        Some(Reason::OutOfRange { rest, whole, parts, min, max }) => {
            let mut all = written(&[rest, whole].into_iter().chain(parts).collect::<Vec<_>>());
            for bound in [min, max] {
                if let Provenance::Set { place, .. } = &bound.provenance {
                    all.push((place.clone(), "the range".to_owned()));
                }
            }
            all
        }
        Some(Reason::NoTotal { .. }) | None => Vec::new(),
    }
}

/// The first setting of the role's memory.
fn first_of_role(case: &Case<'_>, role: Role) -> Option<(Place, String)> {
    let prefix = match role {
        Role::TaskManager => "taskmanager.",
        Role::JobManager => "jobmanager.",
    };
    let mut own: Vec<_> = case
        .config
        .with_prefix(prefix)
        .filter(|(key, setting)| key.contains("memory") && setting.place.source != Source::Shipped)
        .collect();
    own.sort_by_key(|(_, setting)| setting.place.position.map_or(u32::MAX, |position| position.line));
    own.first().map(|(_, setting)| (setting.place.clone(), String::new()))
}

/// The failing sum with its numbers.
fn sum(rejection: &Rejection) -> Option<String> {
    let term = |term: &Term| format!("{} {}", term.quantity, term.bytes);
    let list = |terms: &[Term]| terms.iter().map(term).collect::<Vec<_>>().join(" + ");
    Some(match rejection.reason.as_ref()? {
        Reason::DoesNotFit { parts, whole } => format!("{} is more than {}", list(parts), term(whole)),
        Reason::DoesNotAddUp { parts, whole } => format!("{} is not {}", list(parts), term(whole)),
        Reason::OutOfRange { rest, whole, parts, min, max } => format!(
            "{} - ({}) leaves {}, which is not between {} and {}",
            term(whole),
            list(parts),
            term(rest),
            min.bytes,
            max.bytes
        ),
        Reason::BadValue(_) | Reason::NoTotal { .. } => return None,
    })
}

#[cfg(test)]
mod tests {
    use crate::check::tried::{codes, find};

    #[test]
    fn it_speaks_in_flinks_words_and_points_at_the_parts() {
        let text = "taskmanager.memory.process.size: 2g\ntaskmanager.memory.task.heap.size: 2g\n";
        let finding = find("OOM200", "config.yaml", text);
        assert!(finding.notes[0].starts_with("TaskManager memory configuration failed: Sum of configured"), "{finding:?}");
        assert_eq!(finding.labels.len(), 1, "{finding:?}");
    }

    #[test]
    fn a_size_that_cannot_be_read_is_a_rejection_too() {
        let finding = find("OOM200", "config.yaml", "taskmanager.memory.process.size: 4Gi\n");
        assert_eq!(finding.labels[0].place.position.unwrap().column, 34);
        assert!(finding.notes.iter().any(|note| note.contains("unit 'gi'")), "{finding:?}");
    }

    #[test]
    fn a_file_that_is_no_yaml_for_flink_is_a_rejection() {
        let finding = find("OOM200", "config.yaml", "taskmanager.numberOfTaskSlots: 1\nx:\n");
        assert_eq!(finding.notes, ["Error parsing YAML configuration."]);
    }

    #[test]
    fn a_role_is_judged_where_its_memory_is_set_or_it_is_asked_for() {
        assert!(!codes("config.yaml", "parallelism.default: 2\n").contains(&"OOM200"));
        assert!(codes("config.yaml", "taskmanager.memory.managed.fraction: 0.2\n").contains(&"OOM200"));
        assert!(codes("config.yaml", "# oomph: role=taskmanager\n").contains(&"OOM200"));
    }
}
