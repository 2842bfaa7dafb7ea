use super::flags::{self, Told as Flag};
use super::mib;
use crate::diagnose::cause::{Outlook, Told, cause};
use crate::diagnose::sample::Sample;
use crate::model::{Bytes, Confidence, Finding, Role, Severity};

cause! {
    /// The JVM was started with other sizes than Flink planned: a flag of the user's stands behind Flink's, and the last counts.
    ///
    /// ### What is seen
    /// The command line has -Xmx, -XX:MaxDirectMemorySize or -XX:MaxMetaspaceSize twice, or with a value that does not match the
    /// `-D taskmanager.memory.*` properties behind the main class. Flink puts its own flags first and `env.java.opts` after
    /// them, so the user's win. A heap that is larger than planned takes the room of everything else; one that is smaller
    /// leaves memory that nobody can use.
    ///
    /// ### What it is not
    /// - HotSpot's rounding: it makes a heap a multiple of its alignment, a few MiB at most.
    /// - -XX:MaxRAMPercentage, which has no effect beside -Xmx.
    ///
    /// ### How to prove it
    /// `tr '\0' '\n' < /proc/PID/cmdline | grep -e -Xm -e Max`; `jcmd PID VM.flags` says which value counts.
    ///
    /// ### Cure
    /// Take the flag out of `env.java.opts`, `env.java.opts.all`, `env.java.opts.taskmanager` or `env.java.opts.jobmanager`, and
    /// set `taskmanager.memory.task.heap.size`, `taskmanager.memory.task.off-heap.size` or
    /// `taskmanager.memory.jvm-metaspace.size` instead.
    ///
    /// ### Sources
    /// - `ProcessMemoryUtils.generateJvmParametersStr`, Flink 1.10 to 2.3; `taskmanager.sh`: `$JVM_ARGS $FLINK_ENV_JAVA_OPTS`.
    /// - HotSpot, arguments.cpp: options are read in order.
    "OOM920" "flags-differ" {
        early: early,
    }
}

/// HotSpot rounds a heap up to 32 MiB at most, a region of G1 (`HeapRegion::setup_heap_region_size`); what differs by less
/// is no other size.
const ROUNDING: Bytes = Bytes::mib(32);

/// What a flag should be: the sum of what Flink was told.
struct Expected {
    flag: &'static [&'static str],
    what: &'static str,
    parts: &'static [&'static str],
    /// The option to set in the flag's place.
    instead: &'static str,
}

const TASKMANAGER: &[Expected] = &[
    Expected {
        flag: flags::MAX_HEAP,
        what: "the heap",
        parts: &["taskmanager.memory.framework.heap.size", "taskmanager.memory.task.heap.size"],
        instead: "taskmanager.memory.task.heap.size",
    },
    Expected {
        flag: flags::MAX_DIRECT,
        what: "direct memory",
        parts: &[
            "taskmanager.memory.framework.off-heap.size",
            "taskmanager.memory.task.off-heap.size",
            "taskmanager.memory.network.max",
        ],
        instead: "taskmanager.memory.task.off-heap.size",
    },
    Expected {
        flag: flags::MAX_METASPACE,
        what: "metaspace",
        parts: &["taskmanager.memory.jvm-metaspace.size"],
        instead: "taskmanager.memory.jvm-metaspace.size",
    },
];

const JOBMANAGER: &[Expected] = &[
    Expected {
        flag: flags::MAX_HEAP,
        what: "the heap",
        parts: &["jobmanager.memory.heap.size"],
        instead: "jobmanager.memory.heap.size",
    },
    Expected {
        flag: flags::MAX_DIRECT,
        what: "direct memory",
        parts: &["jobmanager.memory.off-heap.size"],
        instead: "jobmanager.memory.off-heap.size",
    },
    Expected {
        flag: flags::MAX_METASPACE,
        what: "metaspace",
        parts: &["jobmanager.memory.jvm-metaspace.size"],
        instead: "jobmanager.memory.jvm-metaspace.size",
    },
];

fn early(outlook: &Outlook<'_>) -> Vec<Finding> {
    let sample = &outlook.now.sample;
    let expected = match sample.flink.as_ref().map(|flink| flink.role) {
        Some(Role::TaskManager) => TASKMANAGER,
        Some(Role::JobManager) => JOBMANAGER,
        None => return Vec::new(),
    };
    expected.iter().filter_map(|expected| finding(outlook, sample, expected)).collect()
}

fn finding(outlook: &Outlook<'_>, sample: &Sample, expected: &Expected) -> Option<Finding> {
    let Flag { word, bytes } = flags::size(sample, expected.flag)?;
    let parts: Option<Vec<Bytes>> = expected.parts.iter().map(|key| flags::property(sample, key)).collect();
    let planned = Bytes::checked_sum(parts?)?;
    let difference = bytes.get().abs_diff(planned.get());
    if difference <= ROUNDING.get() {
        return None;
    }
    let (relation, larger) = if bytes > planned { ("more", true) } else { ("less", false) };
    let limit = outlook.now.container.as_ref().ok().and_then(|container| container.limit);
    let total = outlook.now.planned.as_ref().ok().map(|survey| survey.plan.budget.total_process().bytes);
    let passes = limit.zip(total).is_some_and(|(limit, total)| total.get().saturating_add(difference) > limit.get());
    let severity = if larger && passes { Severity::Error } else { Severity::Warning };
    let by = mib(Bytes::new(difference));
    let title = format!("{word} gives {} {by} {relation} than Flink planned", expected.what);
    let mut finding = CAUSE.finding(severity, Confidence::High, title);
    finding = finding.note(format!("planned: {}", mib(planned)));
    if let Some(limit) = limit.filter(|_| larger && passes) {
        finding =
            finding.note(format!("with the rest of the plan that passes the container's limit of {}", mib(limit)));
    }
    Some(finding.help(format!("take {word} out of env.java.opts and set {} instead", expected.instead)))
}

#[cfg(test)]
mod tests {
    use super::super::tried::Tried;
    use super::*;

    fn started(flags: &[&str]) -> Tried {
        let properties = [
            "org.apache.flink.runtime.taskexecutor.TaskManagerRunner",
            "-D",
            "taskmanager.memory.framework.heap.size=134217728b",
            "-D",
            "taskmanager.memory.task.heap.size=402653174b",
            "-Dtaskmanager.memory.jvm-metaspace.size=268435456b",
        ];
        Tried::taskmanager().command(&[&["java"], flags, &properties].concat())
    }

    #[test]
    fn the_last_flag_counts() {
        assert!(started(&["-Xmx536870902"]).finds(&CAUSE).is_empty());
        assert!(started(&["-Xmx4g", "-Xmx536870902"]).finds(&CAUSE).is_empty());
        let finding = started(&["-Xmx536870902", "-Xmx1g"]).finding(&CAUSE);
        assert_eq!(finding.title, "-Xmx1g gives the heap 512.0 MiB more than Flink planned");
        assert_eq!(finding.severity, Severity::Warning);
        assert_eq!(started(&["-Xmx1g"]).contained(1728, 900, 800, 0).finding(&CAUSE).severity, Severity::Error);
    }

    #[test]
    fn each_bound_is_compared_and_a_part_that_is_not_told_leaves_it_out() {
        let both = started(&["-Xmx256m", "-XX:MaxMetaspaceSize=1g", "-XX:MaxDirectMemorySize=9g"]).finds(&CAUSE);
        assert_eq!(both.len(), 2, "{both:?}");
        assert!(both[0].title.contains("less than Flink planned"));
        assert!(Tried::taskmanager().finds(&CAUSE).is_empty());
    }
}
