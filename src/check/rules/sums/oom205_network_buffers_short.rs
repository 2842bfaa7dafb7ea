use super::share::written;
use super::total::total;
use crate::check::rule::rule;
use crate::check::{Case, Collector, Written};
use crate::config::job_plan::{Exchange, JobPlan};
use crate::model::{Bytes, Confidence, Place, Role, Severity};
use crate::plan::network_need::{self, Demand};
use crate::plan::settings::Settings;

rule! {
    /// A TaskManager has fewer network buffers than one shuffle at this parallelism needs.
    ///
    /// ### Why
    /// A task that sends to every subtask of the next needs a buffer for each and one more; a task that reads from all of
    /// them has two exclusive buffers for each remote one. Both count once for each slot, so the need of a TaskManager
    /// grows with slots x parallelism, while its buffers only grow with its memory. A sorted blocking shuffle needs 512
    /// buffers for each slot whatever the parallelism. Where they are missing the job fails with "Insufficient number of
    /// network buffers". Without more knowledge of the job one shuffle is counted; a chain of several needs several times
    /// as many.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 4g
    /// taskmanager.numberOfTaskSlots: 16
    /// parallelism.default: 512
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 4g
    /// taskmanager.memory.network.min: 800m
    /// taskmanager.numberOfTaskSlots: 16
    /// parallelism.default: 512
    /// ```
    ///
    /// ### Sources
    /// - `SingleInputGateFactory`, `ResultPartitionFactory`, `NettyShuffleUtils`, `NetworkBufferPool`, Flink 1.9 to 2.3.
    /// - Threads: https://github.com/apache/beam/pull/17067, https://github.com/apache/flink/pull/20984,
    ///   https://github.com/tillrohrmann/cep-monitoring/issues/7.
    "OOM205" "network-buffers-short" {
        severity: Severity::Error,
        check: check,
    }
}

/// How data is handed over, as far as the configuration tells.
fn exchange(case: &Case<'_>) -> Option<Exchange> {
    const MODE: &str = "execution.runtime-mode";
    const SHUFFLE: &str = "execution.batch-shuffle-mode";
    if case.is_hidden(MODE) || case.is_hidden(SHUFFLE) {
        return None;
    }
    let is_batch = match case.told.workload.batch_shuffle {
        Some(told) => told,
        None => case.find(MODE).is_some_and(|mode| mode.text().eq_ignore_ascii_case("batch")),
    };
    if !is_batch {
        return Some(Exchange::PipelinedBounded);
    }
    match case.find(SHUFFLE).map(|mode| mode.text().to_uppercase()).as_deref() {
        None | Some("ALL_EXCHANGES_BLOCKING") => Some(Exchange::Blocking),
        Some("ALL_EXCHANGES_PIPELINED") => Some(Exchange::PipelinedBounded),
        // Hybrid exchanges are not computed.
        Some(_) => None,
    }
}

/// What is needed where each TaskManager's share of the writing subtasks is its own neighbour.
fn least(demand: &Demand, slots: u32, parallelism: u32) -> u64 {
    let near = u64::from(slots.min(parallelism));
    let spared = demand.edges.iter().filter_map(|edge| {
        let gate = edge.gate.as_ref()?;
        Some(edge.gates * near.min(gate.channels) * gate.exclusive)
    });
    demand.required.saturating_sub(spared.sum())
}

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    let Some(parallelism) = case.parallelism().filter(|parallelism| *parallelism > 1) else { return };
    let Some(survey) = case.survey(Role::TaskManager) else { return };
    let (Some(Ok(buffers)), Some(slots)) = (&survey.plan.network_buffers, case.slots()) else { return };
    let Some(exchange) = exchange(case) else { return };
    let told = case.told.workload.edges.as_deref();
    let one = ["hash".to_owned()];
    let Ok(job) = JobPlan::chain(parallelism, exchange, told.unwrap_or(&one)) else { return };
    let settings = Settings::new(case.config, case.profile());
    let Ok(demand) = network_need::demand(&settings, slots, &job, None) else { return };
    let least = least(&demand, slots, parallelism);
    if demand.required <= buffers.count {
        return;
    }
    let segment = buffers.segment.bytes;
    let what = match told {
        Some(edges) => format!("A job of {} at parallelism {parallelism}", edges.join(", ")),
        None => format!("One shuffle at parallelism {parallelism}"),
    };
    let title = format!(
        "{what} needs {} network buffers on a TaskManager of {slots} slots, and there are {}",
        demand.required, buffers.count
    );
    let mut draft = found
        .find(title)
        .severity(if least > buffers.count { Severity::Error } else { Severity::Warning })
        .confidence(if told.is_some() { Confidence::High } else { Confidence::Medium });
    for (place, text) in places(case, &buffers.segment.provenance, segment) {
        draft = draft.at(&place, text);
    }
    let network = survey.plan.budget.size(crate::model::Component::Network);
    draft = draft.note(format!("{network} of network memory are {} buffers of {segment}", buffers.count));
    for edge in demand.edges.iter().take(1) {
        if let (Some(partition), Some(gate)) = (&edge.partition, &edge.gate) {
            draft = draft.note(format!(
                "each of {} writing subtasks must have {}, each of {} reading ones {}",
                edge.partitions,
                partition.pool.required,
                edge.gates,
                gate.pool().required
            ));
        }
    }
    if demand.regions > 1 {
        draft = draft.note("they run one after the other, so that the needier of them counts");
    }
    if least < demand.required {
        draft = draft.note(format!("{least} are enough where subtasks of one TaskManager are each other's neighbours"));
    }
    let wanted = segment.checked_mul(demand.required).and_then(|bytes| bytes.round_up_to(Bytes::mib(1)));
    draft.help(match wanted {
        Some(bytes) => format!(
            "set taskmanager.memory.network.min: {}m{}, or have fewer slots",
            bytes.whole_mib(),
            match case.size("taskmanager.memory.network.max") {
                Some(max) if max < bytes => " and network.max as large",
                _ => "",
            }
        ),
        None => "have fewer slots, or a smaller parallelism".to_owned(),
    });
}

/// What decides on the need and on what there is.
fn places(case: &Case<'_>, segment: &crate::model::Provenance, size: Bytes) -> Vec<(Place, String)> {
    let own = |key: &str| case.find(key).filter(Written::is_own);
    let mut all = Vec::new();
    let mut push = |written: Option<Written<'_>>, text: &str| {
        all.extend(written.map(|written| (written.place().clone(), text.to_owned())));
    };
    push(own("parallelism.default"), "the parallelism");
    push(own("taskmanager.numberOfTaskSlots"), "every slot needs as much");
    let network = ["network.min", "network.max", "network.fraction"].map(|name| format!("taskmanager.memory.{name}"));
    let network: Vec<_> = network.iter().filter_map(|key| own(key)).collect();
    if network.is_empty() {
        push(total(case, Role::TaskManager), "network memory is a share of this");
    }
    for written in network {
        push(Some(written), "network memory");
    }
    all.extend(written(segment).map(|place| (place.clone(), format!("a buffer is {size}"))));
    all
}

#[cfg(test)]
mod tests {
    use crate::check::tried::{codes, find};
    use crate::model::{Confidence, Severity};

    #[test]
    fn a_sorted_shuffle_needs_512_buffers_a_slot() {
        let text = "# oomph: flink=1.20 parallelism=16\ntaskmanager.memory.process.size: 1728m\n\
                    taskmanager.numberOfTaskSlots: 12\nexecution.runtime-mode: BATCH\n";
        let finding = find("OOM205", "config.yaml", text);
        assert!(finding.title.contains("and there are 4096"), "{finding:?}");
        assert!(finding.notes[1].contains("writing subtasks must have 512"), "{finding:?}");
        assert!(!codes("config.yaml", &text.replace("BATCH", "STREAMING")).contains(&"OOM205"));
    }

    #[test]
    fn edges_that_are_told_are_counted_and_sure() {
        let text = "# oomph: flink=1.20 edges=3xhash\ntaskmanager.memory.process.size: 4g\n\
                    taskmanager.numberOfTaskSlots: 8\nparallelism.default: 256\n";
        let finding = find("OOM205", "config.yaml", text);
        assert_eq!((finding.confidence, finding.severity), (Confidence::High, Severity::Error));
        assert!(!codes("config.yaml", &text.replace("3xhash", "hash")).contains(&"OOM205"));
    }

    #[test]
    fn where_neighbours_make_do_it_is_a_warning() {
        // 4096 buffers; 12 x (3 x 112 + 2) = 4056 with all remote, and 12 x 24 fewer with neighbours.
        let at = |parallelism: u32| {
            format!(
                "# oomph: flink=1.20 parallelism={parallelism}\ntaskmanager.memory.process.size: 1728m\n\
                 taskmanager.numberOfTaskSlots: 12\n"
            )
        };
        assert!(!codes("config.yaml", &at(112)).contains(&"OOM205"));
        assert_eq!(find("OOM205", "config.yaml", &at(116)).severity, Severity::Warning);
        assert_eq!(find("OOM205", "config.yaml", &at(130)).severity, Severity::Error);
    }

    #[test]
    fn without_a_parallelism_nothing_is_said() {
        let text = "taskmanager.memory.process.size: 1728m\ntaskmanager.numberOfTaskSlots: 400\n";
        assert!(!codes("config.yaml", text).contains(&"OOM205"));
    }
}
