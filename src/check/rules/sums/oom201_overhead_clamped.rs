use super::share::{Share, written};
use super::total::{prefix, total};
use crate::check::policy::threshold;
use crate::check::rule::rule;
use crate::check::{Case, Collector, FixKind};
use crate::model::{Bytes, Component, Confidence, Held, Role, Severity};

rule! {
    /// JVM overhead is held at its minimum or maximum, whatever its fraction.
    ///
    /// ### Why
    /// Overhead is a fraction of the process, but never less than `jvm-overhead.min` (192 MiB) nor more than
    /// `jvm-overhead.max` (1 GiB). A fraction that leads out of this range changes nothing, and Flink says so in one line of
    /// its log. Overhead is all there is for thread stacks, the code cache, the collector's tables and what the allocator
    /// holds back; whoever raised the fraction after a container was killed has not raised anything. In a process of more
    /// than 10 GiB the default fraction is out of range too: with 32 GiB, overhead is 3 % and no longer 10 %, while what the
    /// allocator holds back grows with what RocksDB allocates.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 8g
    /// taskmanager.memory.jvm-overhead.fraction: 0.25
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 8g
    /// taskmanager.memory.jvm-overhead.fraction: 0.25
    /// taskmanager.memory.jvm-overhead.max: 2g
    /// ```
    ///
    /// ### Sources
    /// - `ProcessMemoryUtils.capToMinMax` and `ProcessMemoryUtils.getJvmOverheadRangeFraction`, Flink 1.10 to 2.3.
    /// - A log with the line, and the process that came of it: https://github.com/apache/flink-cdc/issues/2802.
    /// - 3.9 of 10 GiB of a TaskManager's resident memory held back by the allocator:
    ///   https://github.com/apache/flink-docker/pull/266.
    "OOM201" "overhead-clamped" {
        severity: Severity::Warning,
        since: Some((1, 10)),
        fix: FixKind::Unsafe,
        check: check,
    }
}

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    for role in [Role::TaskManager, Role::JobManager] {
        let Some(survey) = case.survey(role) else { continue };
        let Some(overhead) = survey.plan.budget.part(Component::JvmOverhead) else { continue };
        let Some(share) = Share::of(overhead).filter(|share| share.held != Held::Free) else { continue };
        match written(&share.ratio.provenance) {
            Some(_) => without_effect(case, found, role, &share),
            None if share.held == Held::AtMaximum => small_share(case, found, role, &share),
            None => {}
        }
    }
}

/// Somebody set a fraction that a bound overrules.
fn without_effect(case: &Case<'_>, found: &mut Collector<'_>, role: Role, share: &Share<'_>) {
    let prefix = prefix(role);
    let Some(fraction) = case.find(&format!("{prefix}jvm-overhead.fraction")) else { return };
    let (bound, which, severity) = match share.held {
        Held::AtMinimum => (&share.range.min, "min", Severity::Note),
        _ => (&share.range.max, "max", Severity::Warning),
    };
    let key = format!("{prefix}jvm-overhead.{which}");
    let title = format!("{}: {} has no effect: overhead is held at {}", fraction.key, fraction.text(), bound.bytes);
    let mut draft =
        found.find(title).severity(severity).at(fraction.place(), format!("this would be {}", share.product)).note(
            format!(
                "{key} is {}{}",
                bound.bytes,
                if written(&bound.provenance).is_some() { "" } else { " by default" }
            ),
        );
    if let Some(place) = written(&bound.provenance) {
        draft = draft.at(place, "this counts");
    }
    let asked = match share.held {
        Held::AtMinimum => Some(share.product),
        _ => share.product.round_up_to(Bytes::mib(1)),
    };
    let mib = asked.unwrap_or(share.product).whole_mib();
    let edits = match case.find(&key) {
        Some(bound) => case.set(bound, &format!("{mib}m")),
        None => case.insert_below(fraction, &key, &format!("{mib}m")),
    };
    draft
        .help(format!("set {key}: {mib}m, or take the fraction out"))
        .unsafe_fix(format!("move the bound to what the fraction asks for: {key}: {mib}m"), edits);
}

/// Nobody set a fraction, and of so large a process the maximum is little.
fn small_share(case: &Case<'_>, found: &mut Collector<'_>, role: Role, share: &Share<'_>) {
    let Some(store) = case.store().filter(|_| role == Role::TaskManager) else { return };
    let (Some(survey), Some(total)) = (case.survey(role), total(case, role)) else { return };
    let process = survey.plan.budget.total_process().bytes;
    let overhead = share.range.max.bytes;
    let percent = case.policy.count(&threshold::OVERHEAD_SHARE_MIN_PERCENT);
    if overhead.get().saturating_mul(100) >= process.get().saturating_mul(percent) {
        return;
    }
    // Tenths of a percent.
    let share = overhead.get().saturating_mul(1000) / process.get().max(1);
    let wanted = Bytes::new(process.get() / 100 * percent);
    let key = format!("{}jvm-overhead.max", prefix(role));
    let mib = wanted.whole_mib() + 1;
    let title = format!("JVM overhead is held at {overhead}, which is {}.{} % of the process", share / 10, share % 10);
    let edits = match case.find(&key) {
        Some(bound) => case.set(bound, &format!("{mib}m")),
        None => case.insert_below(total, &key, &format!("{mib}m")),
    };
    found
        .find(title)
        .confidence(Confidence::Medium)
        .at(total.place(), format!("the process is {process}"))
        .note(format!(
            "what the allocator holds back grows with what {} allocates, and is paid from overhead",
            store.label()
        ))
        .help(format!("set {key}: {mib}m or more"))
        .unsafe_fix(format!("raise the maximum to {percent} % of the process"), edits);
}

#[cfg(test)]
mod tests {
    use crate::check::tried::{codes, find};
    use crate::model::Severity;

    #[test]
    fn a_small_fraction_is_overruled_by_the_minimum() {
        let text = "jobmanager.memory.process.size: 1600m\njobmanager.memory.jvm-overhead.fraction: 0.05\n";
        let finding = find("OOM201", "config.yaml", text);
        assert_eq!(finding.severity, Severity::Note);
        assert!(
            finding.title.ends_with("held at 192 MiB") && finding.labels[0].text.contains("83886081 B"),
            "{finding:?}"
        );
    }

    #[test]
    fn a_bound_that_is_set_is_pointed_at() {
        let text = "taskmanager.memory.process.size: 8g\ntaskmanager.memory.jvm-overhead.fraction: 0.5\n\
                    taskmanager.memory.jvm-overhead.max: 2g\n";
        let finding = find("OOM201", "config.yaml", text);
        assert_eq!(finding.labels[1].place.position.unwrap().line, 3);
        assert!(finding.help.unwrap().contains("jvm-overhead.max: 4096m"));
    }

    #[test]
    fn a_large_process_matters_with_a_native_store_alone() {
        let text = "taskmanager.memory.process.size: 32g\n";
        assert!(!codes("config.yaml", text).contains(&"OOM201"));
        let rocksdb = format!("{text}state.backend.type: rocksdb\n");
        let finding = find("OOM201", "config.yaml", &rocksdb);
        assert!(finding.title.contains("3.1 % of the process"), "{finding:?}");
        let enough = format!("{rocksdb}taskmanager.memory.jvm-overhead.max: 2g\n");
        assert!(!codes("config.yaml", &enough).contains(&"OOM201"));
    }

    #[test]
    fn what_nobody_set_is_not_talked_about() {
        assert!(!codes("config.yaml", "taskmanager.memory.process.size: 1728m\n").contains(&"OOM201"));
        assert!(!codes("config.yaml", "taskmanager.memory.process.size: 12g\n").contains(&"OOM201"));
    }
}
