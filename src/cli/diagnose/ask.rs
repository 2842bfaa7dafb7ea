//! `--ask`: the commands that collect what is left of a death, in the order in which it is lost.

/// The target's kind and name.
enum Target<'t> {
    Pod { namespace: Option<&'t str>, name: &'t str },
    Container(&'t str),
    Application(&'t str),
    Process(u32),
    Host,
}

/// What can be asked about.
pub const FORMS: &str = "pod/NAME, NAMESPACE/pod/NAME, container_…, application_…, pid/NUMBER or host";

/// The commands for a target; nothing where it is of no form that is known. They only read.
pub fn commands(target: &str) -> Option<String> {
    let target = parse(target)?;
    let mut lines: Vec<(String, &str)> = Vec::new();
    match &target {
        Target::Pod { namespace, name } => {
            let space = namespace.map_or_else(String::new, |space| format!(" -n {space}"));
            lines.extend([
                (format!("kubectl logs {name}{space} --all-containers --previous --timestamps > previous.log"), "lost with the next restart"),
                (format!("kubectl get pod {name}{space} -o json > pod.json"), "lastState keeps one death only, and goes with the pod"),
                (format!("kubectl get events{space} --field-selector involvedObject.name={name} -o json > events.json"), "kept for an hour"),
                (format!("kubectl describe pod {name}{space} > describe.txt"), "the same for people"),
                (format!("kubectl describe node \"$(kubectl get pod {name}{space} -o jsonpath='{{.spec.nodeName}}')\" > node.txt"), "conditions and pressure of the node"),
                ("kubectl get events -A --field-selector reason=SystemOOM -o json > systemoom.json".to_owned(), "kills that the kubelet saw"),
                (format!("kubectl logs {name}{space} --all-containers --timestamps > current.log"), "what runs now"),
                ("dmesg -T | grep -B400 -A5 'Killed process' > kernel.txt".to_owned(), "on the node, as root: the kernel's report, before its buffer wraps"),
                ("kubectl logs deploy/JOBMANAGER --timestamps > jobmanager.log".to_owned(), "what the JobManager was told"),
            ]);
        }
        Target::Container(id) => {
            let application = application_of(id);
            let application = application.as_deref().unwrap_or("APPLICATION");
            lines.extend([
                (
                    format!("grep -h -A60 '{id}' /var/log/hadoop-yarn/*nodemanager*.log > nodemanager.log"),
                    "on the container's node, before the log rotates",
                ),
                (
                    "dmesg -T | grep -B400 -A5 'Killed process' > kernel.txt".to_owned(),
                    "there too, where cgroups enforce the limit",
                ),
                (
                    format!("yarn logs -applicationId {application} -containerId {id} > container.log"),
                    "after the application has ended, or with log aggregation",
                ),
                (
                    format!("yarn logs -applicationId {application} -am ALL > jobmanager.log"),
                    "why each container was closed",
                ),
                (format!("yarn application -status {application} > status.txt"), "its diagnostics"),
            ]);
        }
        Target::Application(id) => lines.extend([
            (format!("yarn application -status {id} > status.txt"), "its diagnostics"),
            (format!("yarn logs -applicationId {id} -am ALL > jobmanager.log"), "why each container was closed"),
            (format!("yarn logs -applicationId {id} > all.log"), "everything that is left"),
        ]),
        Target::Process(pid) => lines.extend([
            (format!("oomph attach {pid} --format json > attach.json"), "where its memory goes now"),
            (format!("oomph capture {pid} -o before.tar.gz"), "all of it, for a ticket"),
            (format!("oomph record {pid} -o recording"), "what grows, until it dies"),
        ]),
        Target::Host => lines.extend([
            ("dmesg -T > kernel.txt".to_owned(), "the kernel's reports, before its buffer wraps"),
            ("journalctl -k --since '-2 days' -o short-iso > journal.txt".to_owned(), "older ones"),
            (
                "journalctl -u systemd-oomd --since '-2 days' > oomd.txt".to_owned(),
                "kills without a report of the kernel",
            ),
            ("ls hs_err_pid*.log".to_owned(), "crash reports of JVMs, in their working directories"),
        ]),
    }
    let mut out = "# In this order: what is lost first comes first. All of it only reads.\n".to_owned();
    for (command, why) in lines {
        out += &format!("\n# {why}\n{command}\n");
    }
    out += "\n# Then, over the folder:\noomph diagnose .\n";
    Some(out)
}

fn parse(target: &str) -> Option<Target<'_>> {
    let named = |name: &str| {
        !name.is_empty() && name.chars().all(|sign| sign.is_ascii_alphanumeric() || matches!(sign, '-' | '.' | '_'))
    };
    if target == "host" {
        return Some(Target::Host);
    }
    if target.starts_with("container_") && named(target) {
        return Some(Target::Container(target));
    }
    if target.starts_with("application_") && named(target) {
        return Some(Target::Application(target));
    }
    let parts: Vec<&str> = target.split('/').collect();
    match parts.as_slice() {
        ["pid", pid] => pid.parse().ok().map(Target::Process),
        ["pod", name] if named(name) => Some(Target::Pod { namespace: None, name }),
        [namespace, "pod", name] if named(namespace) && named(name) => {
            Some(Target::Pod { namespace: Some(namespace), name })
        }
        _ => None,
    }
}

/// `container_e36_1546939492951_0012_01_000003` belongs to `application_1546939492951_0012`.
fn application_of(container: &str) -> Option<String> {
    let mut parts = container.split('_').skip(1).peekable();
    parts.next_if(|part| part.starts_with('e'));
    let (cluster, number) = (parts.next()?, parts.next()?);
    Some(format!("application_{cluster}_{number}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use super::*;

    #[test]
    fn a_pods_previous_log_is_asked_for_first_and_nothing_is_changed() {
        let text = commands("shop/pod/orders-taskmanager-1-1").unwrap();
        let first = text.lines().find(|line| line.starts_with("kubectl")).unwrap();
        assert!(first.contains("--previous") && first.contains("-n shop"), "{text}");
        for word in ["delete", "exec", "apply", "patch", "kill "] {
            assert!(!text.contains(word), "{word} in {text}");
        }
    }

    #[test]
    fn a_container_knows_its_application() {
        let text = commands("container_e36_1546939492951_0012_01_000003").unwrap();
        assert!(text.contains("-applicationId application_1546939492951_0012 "), "{text}");
    }

    #[test]
    fn what_is_no_target_and_what_a_shell_would_run_is_refused() {
        for target in ["", "pod/", "pod/$(reboot)", "a b", "node/x", "pid/x", "container_;ls"] {
            assert!(commands(target).is_none(), "{target}");
        }
    }
}
