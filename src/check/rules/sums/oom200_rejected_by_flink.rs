use super::keys_of::keys_of;
use crate::check::rule::rule;
use crate::check::{Case, Collector};
use crate::config::Config;
use crate::flink::sensitive;
use crate::model::{Bytes, Finding, Place, Provenance, Quantity, Role, Severity, Source, Term};
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
        if !rejection.is_flinks() {
            continue;
        }
        let mut places = places(case.config, role, rejection);
        if places.is_empty() {
            places.extend(first_of_role(case, role));
        }
        let mut draft = found.find(title(case, role, rejection));
        for (place, text) in places {
            draft = draft.at(&place, text);
        }
        draft = draft.note(rejection.exception.message.clone());
        if let Some(root) =
            rejection.causes.last().filter(|cause| !rejection.exception.message.contains(&cause.message))
        {
            draft = draft.note(format!("because {}", root.message));
        }
        if let Some(sum) = sum(rejection) {
            draft = draft.note(sum);
        }
        draft.help(help(rejection.reason.as_ref()));
    }
}

fn title(case: &Case<'_>, role: Role, rejection: &Rejection) -> String {
    let version = case.version();
    let refuses = format!("Flink {version} refuses the {role}'s memory");
    match &rejection.reason {
        Some(Reason::BadValue(bad)) => {
            format!("Flink {version} cannot read {}: {}", bad.key, sensitive::shown(&bad.key, &bad.value))
        }
        Some(Reason::DoesNotFit { parts, whole }) => {
            let sum = Bytes::checked_sum(parts.iter().map(|part| part.bytes));
            match sum.and_then(|sum| sum.checked_sub(whole.bytes)).filter(|more| *more > Bytes::ZERO) {
                Some(more) => {
                    format!("{refuses}: its parts take {} more than there is of {}", more, whole.quantity)
                }
                None => format!("{refuses}: its parts leave nothing of {}", whole.quantity),
            }
        }
        Some(Reason::DoesNotAddUp { whole, .. }) => format!("{refuses}: its parts do not add up to {}", whole.quantity),
        Some(Reason::OutOfRange { rest, .. }) => {
            format!("{refuses}: {} is left for {}, which is out of its range", rest.bytes, rest.quantity)
        }
        Some(Reason::NoTotal { .. }) => format!("{refuses}: no total is set"),
        None => match rejection.causes.last().filter(|root| root.message.len() < 60) {
            Some(root) => format!("{refuses}: {}", root.message),
            None => refuses,
        },
    }
}

fn help(reason: Option<&Reason>) -> String {
    const PLAN: &str = "oomph plan lists changes of one key with which Flink starts";
    match reason {
        Some(Reason::BadValue(bad)) => format!("write {}", bad.accepted),
        Some(Reason::NoTotal { keys }) => match keys.first() {
            Some(key) => format!("set {key} to the size of the container, such as {key}: 4g"),
            None => PLAN.to_owned(),
        },
        Some(Reason::DoesNotFit { .. }) => format!("make one of the parts smaller, or the total larger: {PLAN}"),
        Some(Reason::DoesNotAddUp { .. } | Reason::OutOfRange { .. }) => {
            format!("take out one of the settings, so that Flink derives it from the others: {PLAN}")
        }
        None => PLAN.to_owned(),
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
fn places(config: &Config, role: Role, rejection: &Rejection) -> Vec<(Place, String)> {
    let written = |terms: &[&Term]| -> Vec<(Place, String)> {
        let set = |term: &&Term| {
            let setting = keys_of(term.quantity, role).iter().find_map(|key| config.get(key))?;
            Some((setting.place.clone(), format!("{} is {}", term.quantity, term.bytes)))
        };
        // A total that is not set is what another one leaves.
        let derived = terms.iter().any(|term| term.quantity == Quantity::TotalFlink && set(term).is_none());
        let total = keys_of(Quantity::TotalProcess, role);
        let total = total.iter().filter(|_| derived).find_map(|key| config.get(key));
        let total = total.map(|setting| (setting.place.clone(), "all of it has to fit in here".to_owned()));
        terms.iter().filter_map(set).chain(total).collect()
    };
    match &rejection.reason {
        Some(Reason::BadValue(bad)) => vec![(bad.place.clone(), "cannot be read".to_owned())],
        Some(Reason::DoesNotFit { parts, whole } | Reason::DoesNotAddUp { parts, whole }) => {
            written(&std::iter::once(whole).chain(parts).collect::<Vec<_>>())
        }
        Some(Reason::OutOfRange { rest, whole, parts, min, max }) => {
            let mut all = written(&[rest, whole].into_iter().chain(parts).collect::<Vec<_>>());
            for bound in [min, max] {
                if let Provenance::Set { place, .. } = &bound.provenance
                    && !all.iter().any(|(known, _)| known == place)
                {
                    all.push((place.clone(), "the range".to_owned()));
                }
            }
            all
        }
        Some(Reason::NoTotal { .. }) => Vec::new(),
        None => named(config, rejection),
    }
}

/// The settings that the messages name; with a fraction go the bounds of its range.
fn named(config: &Config, rejection: &Rejection) -> Vec<(Place, String)> {
    let messages = || std::iter::once(&rejection.exception).chain(&rejection.causes).map(|one| one.message.as_str());
    let is_word = |message: &str, key: &str| {
        message.match_indices(key).any(|(at, _)| {
            let goes_on = |c: char| c.is_ascii_alphanumeric() || c == '-';
            let end = &message[at + key.len()..];
            let more = end.starts_with(goes_on) || end.strip_prefix('.').is_some_and(|rest| rest.starts_with(goes_on));
            !more && !message[..at].ends_with(|c: char| goes_on(c) || c == '.')
        })
    };
    let fraction = |key: &str| {
        let (stem, last) = key.rsplit_once('.')?;
        ["min", "max"].contains(&last).then(|| format!("{stem}.fraction"))
    };
    let is_named = |key: &str| {
        messages().any(|message| {
            is_word(message, key) || fraction(key).is_some_and(|fraction| message.contains(&format!("'{fraction}'")))
        })
    };
    let own = config.iter().filter(|(key, setting)| setting.place.source != Source::Shipped && key.contains('.'));
    own.filter(|(key, _)| is_named(key)).map(|(_, setting)| (setting.place.clone(), String::new())).collect()
}

/// The first setting of the role's memory.
fn first_of_role(case: &Case<'_>, role: Role) -> Option<(Place, String)> {
    let prefixes = match role {
        Role::TaskManager => ["taskmanager.memory.", "taskmanager.heap."],
        Role::JobManager => ["jobmanager.memory.", "jobmanager.heap."],
    };
    let of_role = prefixes.iter().flat_map(|prefix| case.config.with_prefix(prefix));
    let own = of_role.filter(|(_, setting)| setting.place.source != Source::Shipped);
    let first = own.min_by_key(|(_, setting)| setting.place.position.map_or(u32::MAX, |position| position.line));
    first.map(|(_, setting)| (setting.place.clone(), String::new()))
}

/// The failing sum with its numbers.
fn sum(rejection: &Rejection) -> Option<String> {
    let term = |term: &Term| format!("{} {}", term.quantity, term.bytes);
    let list = |terms: &[Term]| terms.iter().map(term).collect::<Vec<_>>().join(" + ");
    Some(match rejection.reason.as_ref()? {
        Reason::DoesNotFit { parts, whole } => match Bytes::checked_sum(parts.iter().map(|part| part.bytes)) {
            Some(sum) if sum != whole.bytes && parts.len() > 1 => {
                format!("{} = {sum} is more than {}", list(parts), term(whole))
            }
            Some(sum) if sum == whole.bytes => format!("{} is all of {}", list(parts), term(whole)),
            _ => format!("{} is more than {}", list(parts), term(whole)),
        },
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
        assert!(
            finding.notes[0].starts_with("TaskManager memory configuration failed: Sum of configured"),
            "{finding:?}"
        );
        assert_eq!(finding.labels.len(), 2, "{finding:?}");
    }

    #[test]
    fn a_size_that_cannot_be_read_is_a_rejection_too() {
        let finding = find("OOM200", "config.yaml", "taskmanager.memory.process.size: 4Gi\n");
        assert_eq!(finding.labels[0].place.position.unwrap().column, 34);
        assert!(finding.notes.iter().any(|note| note.contains("unit 'gi'")), "{finding:?}");
    }

    #[test]
    fn what_the_message_names_is_pointed_at() {
        let total = "taskmanager.memory.process.size: 4g\n";
        let lines = |rest: &str| -> Vec<u32> {
            let finding = find("OOM200", "config.yaml", &format!("{total}{rest}"));
            finding.labels.iter().map(|label| label.place.position.unwrap().line).collect()
        };
        assert_eq!(lines("taskmanager.cpu.cores: 0\n"), [2]);
        assert_eq!(lines("taskmanager.memory.managed.fraction: 1.4\n"), [2]);
        assert_eq!(lines("taskmanager.memory.network.max: 1g\ntaskmanager.memory.network.min: 2g\n"), [2, 3]);
        assert_eq!(lines("taskmanager.memory.task.heap.size: 5g\n"), [2, 1]);
    }

    #[test]
    fn what_flink_accepts_though_no_budget_comes_of_it_is_no_rejection() {
        let text = "# oomph: flink=1.9 deployment=yarn\ntaskmanager.heap.size: 1g\n\
                    taskmanager.memory.off-heap: true\ntaskmanager.memory.fraction: -1\n";
        assert!(!codes("flink-conf.yaml", text).contains(&"OOM200"));
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

    #[test]
    fn a_process_of_which_a_log_shows_the_command_line_alone_is_not_judged() {
        let command = "java -Xmx1073741824 -Xms1073741824 -XX:MaxMetaspaceSize=268435456 \
                       org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint";
        let loaded = "Loading configuration property: jobmanager.memory.jvm-overhead.min, 192m";
        for text in [format!("{command}\n"), format!("INFO - {loaded}\n{command}\n")] {
            assert_eq!(codes("jobmanager.log", &text), Vec::<&str>::new(), "{text}");
        }
    }

    #[test]
    fn a_pod_whose_configuration_is_mounted_from_elsewhere_is_not_judged_by_the_images_own() {
        let pod = |mount: &str| {
            format!(
                "apiVersion: v1\nkind: Pod\nmetadata: {{name: p}}\nspec:\n  containers:\n  - name: flink\n    image: \
                 flink:1.20.1\n    args: [taskmanager]\n    env:\n    - {{name: FLINK_PROPERTIES, value: \
                 \"taskmanager.memory.task.heap.size: 3g\"}}\n{mount}"
            )
        };
        assert!(codes("p.yaml", &pod("")).contains(&"OOM200"));
        let mount = "    volumeMounts: [{name: c, mountPath: /opt/flink/conf}]\n";
        assert!(!codes("p.yaml", &pod(mount)).contains(&"OOM200"));
    }
}
