use super::java_options::{JavaOptions, pod_cores, shown};
use crate::check::rule::rule;
use crate::check::{Case, Collector, FixKind};
use crate::model::{Confidence, Role};

rule! {
    /// `-XX:ActiveProcessorCount` promises the JVM more cores than its pod has, or only one.
    ///
    /// ### Why
    /// The JVM sizes its collector threads and compilers by this number, and Flink its I/O and future pools by what the JVM
    /// says. With more than the pod's limit they run into the quota together and the kernel stops all of them, in the middle
    /// of a collection; each further worker of G1 keeps 2 MiB of its own besides. With one, the JVM is no server any more and
    /// takes SerialGC. Two on a pod of one core is a known way to get G1, and let pass.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20 deployment=kubernetes
    /// taskmanager.memory.process.size: 4g
    /// kubernetes.taskmanager.cpu.amount: 2
    /// env.java.opts.taskmanager: -XX:ActiveProcessorCount=16
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20 deployment=kubernetes
    /// taskmanager.memory.process.size: 4g
    /// kubernetes.taskmanager.cpu.amount: 2
    /// env.java.opts.taskmanager: -XX:ActiveProcessorCount=2
    /// ```
    ///
    /// ### Sources
    /// - Own measurement, OpenJDK 17.0.15 on two cores: with 1 `UseSerialGC` is on, with 8 `ParallelGCThreads` is 8; GC
    ///   structures by native memory tracking grow by 2.1 MiB for each worker of G1.
    /// - `ClusterEntrypointUtils.getPoolSize`: four I/O threads for each processor that the JVM counts, Flink 1.12 to 2.3.
    "OOM309" "active-processor-count" {
        confidence: Confidence::Medium,
        fix: FixKind::Unsafe,
        check: check,
    }
}

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    for options in JavaOptions::of_roles(case) {
        let Some((option, value)) = options.last(&["-XX:ActiveProcessorCount="]) else { continue };
        let Ok(count) = value.parse::<u32>() else { continue };
        let pod = pod_cores(case, options.role);
        // Options of all processes are the other role's finding only where this role's pod is the reason.
        let other = options.role == Role::JobManager && option.told && pod_cores(case, Role::TaskManager).is_some();
        if let Some((cores, place)) = pod.clone().filter(|(cores, _)| count > (*cores).max(2) && !other) {
            found
                .find(format!("{} promises the {} more cores than its pod has", shown(option), options.role))
                .at(option.place(), format!("{count} for the JVM"))
                .at(&place, format!("{cores} by the pod's limit"))
                .help("take it out: the JVM counts the limit itself")
                .unsafe_fix("take the flag out", option.remove(case));
        } else if count == 1
            && !option.told
            && pod.is_none_or(|(cores, _)| cores > 1)
            && options.collectors().is_empty()
            && !options.hidden
        {
            found
                .find("-XX:ActiveProcessorCount=1 makes the JVM choose SerialGC")
                .at(option.place(), format!("of the {}", options.role))
                .note(
                    "with fewer than two processors the JVM is no server and collects on one thread, all else stopped",
                )
                .help("take it out, or ask for G1 beside it: -XX:+UseG1GC")
                .unsafe_fix("take the flag out", option.remove(case));
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use crate::check::tried::codes;

    #[rstest]
    #[case("2", "-XX:ActiveProcessorCount=3", true)]
    #[case("1", "-XX:ActiveProcessorCount=2", false)]
    #[case("1.5", "-XX:ActiveProcessorCount=2", false)]
    #[case("1", "-XX:ActiveProcessorCount=1", false)]
    #[case("4", "-XX:ActiveProcessorCount=1", true)]
    #[case("4", "-XX:ActiveProcessorCount=1 -XX:+UseG1GC", false)]
    #[case("4", "-XX:ActiveProcessorCount=${CORES}", false)]
    fn the_count_is_compared_with_the_pods_limit(#[case] cores: &str, #[case] options: &str, #[case] expected: bool) {
        let text = format!(
            "# oomph: flink=1.20 deployment=kubernetes\nkubernetes.taskmanager.cpu.amount: {cores}\n\
             env.java.opts.taskmanager: {options}\n"
        );
        assert_eq!(codes("config.yaml", &text).contains(&"OOM309"), expected);
    }

    #[test]
    fn elsewhere_only_one_is_a_finding() {
        let text = |count| format!("# oomph: flink=1.20\nenv.java.opts.all: -XX:ActiveProcessorCount={count}\n");
        assert!(codes("config.yaml", &text(1)).contains(&"OOM309"));
        assert!(!codes("config.yaml", &text(16)).contains(&"OOM309"));
    }
}
