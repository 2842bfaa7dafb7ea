use super::java_options::{JavaOptions, shown};
use crate::check::rule::rule;
use crate::check::{Case, Collector};
use crate::config::VolumeKind;
use crate::model::{Confidence, Deployment, Role};

rule! {
    /// Heap dumps go where they are lost, or where they do harm.
    ///
    /// ### Why
    /// A heap dump is about as large as the live heap. Under `/dev/shm` and `/run` it lies in memory: the pages count towards
    /// the container that is short of memory just then. Without a path it goes to the working directory, which on YARN and
    /// Kubernetes is gone with the container, as `/tmp` of a pod is, unless a volume is mounted there. Below `io.tmp.dirs` it
    /// fills the disk that RocksDB and the shuffle write to.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 4g
    /// taskmanager.jvm-exit-on-oom: true
    /// env.java.opts.taskmanager: -XX:+HeapDumpOnOutOfMemoryError -XX:HeapDumpPath=/dev/shm
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 4g
    /// taskmanager.jvm-exit-on-oom: true
    /// env.java.opts.taskmanager: -XX:+HeapDumpOnOutOfMemoryError -XX:HeapDumpPath=/data/dumps
    /// ```
    ///
    /// ### Sources
    /// - The `java` manual: `-XX:HeapDumpPath` is `java_pid<pid>.hprof` in the working directory where it is not set.
    /// - The kernel's cgroup v2 document: pages of tmpfs and shared memory count towards the group that first touches them.
    /// - YARN's yarn-default.xml: `yarn.nodemanager.delete.debug-delay-sec` is 0, so that a container's directory goes with it.
    "OOM311" "heap-dump-path" {
        confidence: Confidence::Medium,
        check: check,
    }
}

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    for options in JavaOptions::of_roles(case) {
        let Some(asked) = options.on("HeapDumpOnOutOfMemoryError") else { continue };
        if options.hidden {
            continue;
        }
        let path = options.last(&["-XX:HeapDumpPath="]);
        let option = path.map_or(asked, |(option, _)| option);
        // Only one of the two roles is told of what both share.
        if asked.told && option.told {
            continue;
        }
        let Some((title, what)) = trouble(case, options.role, path.map(|(_, path)| path)) else { continue };
        let size = case.survey(options.role).map(|survey| survey.plan.budget.heap());
        let mut draft = found.find(title).at(option.place(), shown(option)).note(what);
        if let Some(size) = size {
            draft = draft.note(format!("a dump of the {} takes up to {size}", options.role));
        }
        draft.help("set -XX:HeapDumpPath to a directory on a volume that outlives the container and has room for one");
    }
}

/// What is wrong with a path.
fn trouble(case: &Case<'_>, role: Role, path: Option<&str>) -> Option<(&'static str, String)> {
    let below = |path: &str, folder: &str| {
        let folder = folder.trim_end_matches('/');
        !folder.is_empty() && path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let Some(path) = path else {
        let what = match case.deployment? {
            Deployment::Kubernetes => {
                "without -XX:HeapDumpPath it goes to the working directory, inside of the container"
            }
            Deployment::Yarn => "without -XX:HeapDumpPath it goes to the container's directory, which YARN deletes",
            Deployment::Standalone | Deployment::None => return None,
        };
        return Some(("Heap dumps are lost with the container", what.to_owned()));
    };
    let in_memory = "Heap dumps take the memory that has run out";
    let pod = case.pod(role);
    if let Some((pod, mount)) = pod.and_then(|pod| Some((pod, pod.mount_of(path)?))) {
        let volume = pod.volume_of(mount);
        let memory = volume.is_some_and(|volume| matches!(volume.kind, VolumeKind::EmptyDir { memory: true, .. }));
        let what = format!("the volume {} lies in memory and counts towards the container", mount.volume);
        return memory.then_some((in_memory, what));
    }
    if let Some(folder) = ["/dev/shm", "/run", "/var/run"].into_iter().find(|folder| below(path, folder)) {
        return Some((in_memory, format!("{folder} lies in memory and counts towards the container")));
    }
    let tmp = case.find("io.tmp.dirs").filter(|written| written.is_own());
    let dirs = tmp.map(|written| written.text().into_owned()).unwrap_or_default();
    if let Some(folder) =
        dirs.split([',', ':', '|']).map(str::trim).find(|folder| *folder != "/tmp" && below(path, folder))
    {
        return Some(("Heap dumps fill Flink's own disk", format!("{path} lies below io.tmp.dirs, {folder}")));
    }
    let in_pod = case.deployment == Some(Deployment::Kubernetes) || pod.is_some();
    if in_pod && below(path, "/tmp") {
        let what = "/tmp of a pod goes with its container, and counts towards its ephemeral storage";
        return Some(("Heap dumps are lost with the container", what.to_owned()));
    }
    None
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use crate::check::tried::{codes, find};

    const DUMP: &str = "-XX:+HeapDumpOnOutOfMemoryError -XX:+ExitOnOutOfMemoryError";

    #[rstest]
    #[case("deployment=kubernetes", "", "", Some("lost"))]
    #[case("deployment=yarn", "", "", Some("lost"))]
    #[case("deployment=standalone", "", "", None)]
    #[case("deployment=kubernetes", "-XX:HeapDumpPath=/tmp/dump.hprof", "", Some("lost"))]
    #[case("deployment=yarn", "-XX:HeapDumpPath=/tmp", "", None)]
    #[case("deployment=yarn", "-XX:HeapDumpPath=/dev/shm/dumps", "", Some("memory"))]
    #[case("deployment=yarn", "-XX:HeapDumpPath=/runs", "", None)]
    #[case(
        "deployment=yarn",
        "-XX:HeapDumpPath=/data1/flink/dumps",
        "io.tmp.dirs: /data0/x,/data1/flink\n",
        Some("disk")
    )]
    #[case("deployment=yarn", "-XX:HeapDumpPath=${DUMPS}", "", None)]
    fn the_place_of_a_dump_is_judged(
        #[case] facts: &str,
        #[case] path: &str,
        #[case] more: &str,
        #[case] expected: Option<&str>,
    ) {
        let text = format!("# oomph: flink=1.20 {facts}\nenv.java.opts.taskmanager: {DUMP} {path}\n{more}");
        match expected {
            Some(title) => assert!(find("OOM311", "config.yaml", &text).title.contains(title)),
            None => assert!(!codes("config.yaml", &text).contains(&"OOM311")),
        }
    }

    #[rstest]
    #[case("{emptyDir: {medium: Memory}, name: dumps}", true)]
    #[case("{emptyDir: {}, name: dumps}", false)]
    #[case("{persistentVolumeClaim: {claimName: d}, name: dumps}", false)]
    fn a_volume_that_is_mounted_there_decides(#[case] volume: &str, #[case] expected: bool) {
        let text = format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: tm}}\nspec:\n  template:\n    spec:\n      \
             containers:\n      - name: taskmanager\n        image: flink:1.18.1\n        args: [taskmanager]\n        \
             env:\n        - {{name: FLINK_PROPERTIES, value: \"env.java.opts.all: {DUMP} -XX:HeapDumpPath=/tmp/d/x\"}}\n        \
             volumeMounts: [{{name: dumps, mountPath: /tmp/d}}]\n      volumes: [{volume}]\n"
        );
        assert_eq!(codes("tm.yaml", &text).contains(&"OOM311"), expected, "{text}");
    }

    #[test]
    fn a_path_without_dumps_is_no_finding() {
        let text = "# oomph: flink=1.20\nenv.java.opts.taskmanager: -XX:HeapDumpPath=/dev/shm\n";
        assert!(!codes("config.yaml", text).contains(&"OOM311"));
    }

    #[test]
    fn the_size_of_a_dump_is_the_heaps() {
        let text = format!(
            "# oomph: flink=1.20\njobmanager.memory.heap.size: 3g\n\
             env.java.opts.jobmanager: {DUMP} -XX:HeapDumpPath=/dev/shm\n"
        );
        assert!(find("OOM311", "config.yaml", &text).notes[1].contains("up to 3 GiB"));
    }
}
