use super::stores;
use crate::check::rule::rule;
use crate::check::{Case, Collector, Written};
use crate::model::{Confidence, Deployment};

rule! {
    /// RocksDB has more background threads than the TaskManager has cores.
    ///
    /// ### Why
    /// Compactions and flushes are computation: they compress, merge and check. Threads beyond the cores do not compact
    /// faster; they take the cores from the tasks, and in a container with a CPU quota they use it up, so that all
    /// threads stand still together. The threads are one pool for the process, as many as the largest `thread.num` asks
    /// for: not one for each operator or slot, so that there is no need to multiply.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20 cores=2
    /// state.backend.type: rocksdb
    /// state.backend.rocksdb.thread.num: 16
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20 cores=2
    /// state.backend.type: rocksdb
    /// state.backend.rocksdb.thread.num: 2
    /// ```
    ///
    /// ### Sources
    /// - `RocksDBResourceContainer.setDBOptionsFromConfigurableOptions`, Flink 1.15 to 2.3: `setMaxBackgroundJobs`;
    ///   `DefaultConfigurableOptionsFactory`, Flink 1.9 to 1.14: `setIncreaseParallelism`.
    /// - Measured with the RocksDB in flink-dist 1.20.5 and 2.3.0: 4 databases with 8 jobs each have 6 threads for
    ///   compactions and 2 for flushes in all; with `setIncreaseParallelism` 8 and 2.
    "OOM409" "thread-number" {
        confidence: Confidence::Medium,
        check: check,
    }
}

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    for &store in stores::possible(case) {
        let Some(written) = stores::written(case, store, "thread.num") else { continue };
        let Ok(threads) = written.text().parse::<u32>() else { continue };
        let Some((cores, of_cores)) = cores(case) else { continue };
        if f64::from(threads) <= cores.ceil() {
            continue;
        }
        let mut draft = found
            .find(format!("{} is {threads}, and the TaskManager has {cores} cores", written.key))
            .at(written.place(), "one pool of threads for the process");
        if let Some(of_cores) = of_cores {
            draft = draft.at(of_cores.place(), "cores");
        }
        if let Some(slots) = case.slots().filter(|slots| *slots > 1) {
            draft = draft.note(format!("all {slots} slots share these threads, and the cores with their tasks"));
        }
        draft.help(format!("set {}: {} at most", written.key, cores.ceil()));
    }
}

/// The cores of a TaskManager, where they are told or written, and where.
fn cores<'a>(case: &Case<'a>) -> Option<(f64, Option<Written<'a>>)> {
    if let Some(cores) = case.told.workload.cores {
        return Some((f64::from(cores), None));
    }
    let number = |written: Written<'a>| written.text().parse::<f64>().ok().filter(|cores| *cores > 0.0);
    match case.deployment? {
        Deployment::Kubernetes => {
            let names = ["kubernetes.taskmanager.cpu.amount", "kubernetes.taskmanager.cpu"];
            let written = names.into_iter().find_map(|name| case.find(name))?;
            let factor = case.number("kubernetes.taskmanager.cpu.limit-factor").unwrap_or(1.0);
            Some((number(written)? * factor, Some(written)))
        }
        Deployment::Yarn => {
            let written = case.find("yarn.containers.vcores")?;
            Some((number(written)?, Some(written)))
        }
        Deployment::Standalone | Deployment::None => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::check::tried::{codes, find};

    const THREADS: &str = "state.backend.rocksdb.thread.num: 4\n";

    #[test]
    fn what_the_container_asks_for_counts_where_it_is_the_one_that_runs() {
        let amount = "kubernetes.taskmanager.cpu.amount: 1.5\n";
        let pod = format!("# oomph: flink=1.20 deployment=kubernetes\n{THREADS}{amount}");
        let finding = find("OOM409", "config.yaml", &pod);
        assert!(finding.help.unwrap().ends_with(": 2 at most"));
        assert_eq!(finding.labels.len(), 2);
        let wide = format!("{pod}kubernetes.taskmanager.cpu.limit-factor: 3\n");
        assert!(!codes("config.yaml", &wide).contains(&"OOM409"));
        let yarn = format!("# oomph: flink=1.20 deployment=yarn\n{THREADS}{amount}");
        assert!(!codes("config.yaml", &yarn).contains(&"OOM409"));
        assert!(codes("config.yaml", &format!("{yarn}yarn.containers.vcores: 3\n")).contains(&"OOM409"));
    }

    #[test]
    fn as_many_threads_as_cores_or_cores_that_nobody_tells_are_fine() {
        assert!(!codes("config.yaml", &format!("# oomph: cores=4\n{THREADS}")).contains(&"OOM409"));
        assert!(!codes("config.yaml", THREADS).contains(&"OOM409"));
        assert!(codes("config.yaml", &format!("# oomph: cores=3\n{THREADS}")).contains(&"OOM409"));
    }
}
