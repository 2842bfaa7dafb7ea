//! Flink's processes, told by their main class: standalone, YARN, Kubernetes and Mesos, session, job and application
//! clusters, 1.9 to 2.3.

use crate::model::{Deployment, Role};

/// One of Flink's processes that has a memory model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlinkProcess {
    /// Which of the two.
    pub role: Role,
    /// Who started it, where the main class tells.
    pub deployment: Option<Deployment>,
    /// The main class without its package.
    pub main_class: &'static str,
    /// Flink's own name for it, where its command line says one (`taskmanager.resource-id`).
    pub resource_id: Option<String>,
}

/// A main class: its full name, what it runs, and who starts it.
type MainClass = (&'static str, Role, Option<Deployment>);

/// All of them, from the entry points in flink-runtime, flink-container, flink-yarn, flink-kubernetes and flink-mesos.
const MAIN_CLASSES: [MainClass; 14] = {
    use Deployment::{Kubernetes, Standalone, Yarn};
    use Role::{JobManager, TaskManager};
    [
        // Also of the official image, of the Kubernetes operator's standalone mode and of docker-compose.
        ("org.apache.flink.runtime.taskexecutor.TaskManagerRunner", TaskManager, Some(Standalone)),
        ("org.apache.flink.yarn.YarnTaskExecutorRunner", TaskManager, Some(Yarn)),
        ("org.apache.flink.kubernetes.taskmanager.KubernetesTaskExecutorRunner", TaskManager, Some(Kubernetes)),
        ("org.apache.flink.mesos.entrypoint.MesosTaskExecutorRunner", TaskManager, None),
        ("org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint", JobManager, Some(Standalone)),
        ("org.apache.flink.container.entrypoint.StandaloneApplicationClusterEntryPoint", JobManager, Some(Standalone)),
        ("org.apache.flink.container.entrypoint.StandaloneJobClusterEntryPoint", JobManager, Some(Standalone)),
        ("org.apache.flink.yarn.entrypoint.YarnSessionClusterEntrypoint", JobManager, Some(Yarn)),
        ("org.apache.flink.yarn.entrypoint.YarnJobClusterEntrypoint", JobManager, Some(Yarn)),
        ("org.apache.flink.yarn.entrypoint.YarnApplicationClusterEntryPoint", JobManager, Some(Yarn)),
        ("org.apache.flink.kubernetes.entrypoint.KubernetesSessionClusterEntrypoint", JobManager, Some(Kubernetes)),
        ("org.apache.flink.kubernetes.entrypoint.KubernetesApplicationClusterEntrypoint", JobManager, Some(Kubernetes)),
        ("org.apache.flink.mesos.entrypoint.MesosSessionClusterEntrypoint", JobManager, None),
        ("org.apache.flink.mesos.entrypoint.MesosJobClusterEntrypoint", JobManager, None),
    ]
};

/// Tells Flink's process by the words of its command line. A shell that starts one has the class within a word, and is
/// none.
pub fn recognise(words: &[String]) -> Option<FlinkProcess> {
    let (at, class) = words.iter().enumerate().skip(1).find_map(|(at, word)| {
        let class = MAIN_CLASSES.iter().find(|(name, ..)| name == word)?;
        Some((at, class))
    })?;
    // What follows -cp or -classpath is no main class.
    let before = words.get(at - 1).map(String::as_str);
    if matches!(before, Some("-cp" | "-classpath" | "--class-path")) {
        return None;
    }
    let (name, role, deployment) = *class;
    let main_class = name.rsplit('.').next().unwrap_or(name);
    Some(FlinkProcess { role, deployment, main_class, resource_id: resource_id(&words[at..]) })
}

/// `-D taskmanager.resource-id=…` of YARN and Kubernetes, in one word or two; `-Dkey=value` too.
fn resource_id(words: &[String]) -> Option<String> {
    let value = |word: &String| {
        let assignment = word.strip_prefix("-D").unwrap_or(word);
        assignment.strip_prefix("taskmanager.resource-id=").map(str::to_owned)
    };
    words.iter().find_map(value).filter(|id| !id.is_empty())
}

/// What a command line that is not Flink's runs, for a message: the main class or jar of a JVM, else the program.
pub fn program(words: &[String]) -> String {
    let short = |word: &str| word.rsplit('/').next().unwrap_or(word).to_owned();
    let Some(first) = words.first() else { return "nothing".to_owned() };
    if !short(first).starts_with("java") {
        return short(first);
    }
    let mut rest = words[1..].iter();
    while let Some(word) = rest.next() {
        match word.as_str() {
            "-cp" | "-classpath" | "--class-path" | "-p" | "--module-path" | "--add-modules" => {
                rest.next();
            }
            "-jar" => return rest.next().map_or_else(|| short(first), |jar| short(jar)),
            option if option.starts_with('-') || option.starts_with('@') => {}
            class => return class.to_owned(),
        }
    }
    short(first)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn every_main_class_is_recognised_with_its_role() {
        for (class, role, deployment) in MAIN_CLASSES {
            let found = recognise(&words(&format!("java -Xmx1g -cp a.jar:b.jar {class} --configDir /c"))).unwrap();
            assert_eq!((found.role, found.deployment), (role, deployment));
        }
    }

    #[test]
    fn a_shell_or_a_class_path_that_names_the_class_is_no_process_of_flinks() {
        let class = "org.apache.flink.yarn.YarnTaskExecutorRunner";
        let shell = vec!["/bin/bash".to_owned(), "-c".to_owned(), format!("java {class} 1> out")];
        assert_eq!(recognise(&shell), None);
        assert_eq!(recognise(&words(&format!("java -cp {class} Other"))), None);
        assert_eq!(recognise(&words(class)), None);
        assert_eq!(recognise(&words("java -jar app.jar")), None);
    }

    #[test]
    fn flinks_own_name_is_taken_from_its_properties() {
        let class = "org.apache.flink.runtime.taskexecutor.TaskManagerRunner";
        let id = |rest: &str| recognise(&words(&format!("java {class} {rest}"))).unwrap().resource_id;
        assert_eq!(id("-D taskmanager.resource-id=tm-1 -D x=y"), Some("tm-1".to_owned()));
        assert_eq!(
            id("-Dtaskmanager.resource-id=container_1_0001_01_000002"),
            Some("container_1_0001_01_000002".to_owned())
        );
        assert_eq!(id("--configDir /c"), None);
    }

    #[test]
    fn other_programs_are_named_by_what_they_run() {
        assert_eq!(program(&words("/usr/bin/java -Xmx1g -cp a.jar:b.jar com.example.Main x")), "com.example.Main");
        assert_eq!(program(&words("java -jar /opt/kafka.jar")), "kafka.jar");
        assert_eq!(program(&words("/usr/sbin/nginx -g x")), "nginx");
        assert_eq!(program(&[]), "nothing");
    }
}
