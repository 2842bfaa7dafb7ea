//! What `scripts/release` has put into `target/release-files`, used as its users use it: the static program alone in an empty
//! directory and as Flink's user, the image, the package, the pod. As root, with a JDK, dpkg, util-linux and kubectl:
//!
//! ```text
//! scripts/release && cargo test --features release-tests --test released
//! ```
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::Instant;

use serde_json::{Value, json};

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A file of the release.
fn released(name: &str) -> PathBuf {
    let path = repository().join("target/release-files").join(name);
    assert!(path.exists(), "{} is not there: run scripts/release", path.display());
    path
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What the Dockerfile says after an instruction; it says each once.
fn instruction(name: &str) -> String {
    let file = fs::read_to_string(repository().join("Dockerfile")).unwrap();
    let found: Vec<&str> = file.lines().filter_map(|line| line.strip_prefix(name)).collect();
    assert_eq!(found.len(), 1, "{name} in Dockerfile: {found:?}");
    found[0].trim().to_owned()
}

/// A directory that holds what an image of the Dockerfile holds, and is used as its root by its user.
struct Image {
    root: tempfile::TempDir,
    entry: String,
    user: String,
}

impl Image {
    fn new() -> Image {
        assert_eq!(instruction("FROM "), "scratch");
        let root = tempfile::tempdir().unwrap();
        fs::set_permissions(root.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let copied = instruction("COPY ");
        let (from, to) = copied.split_once(' ').unwrap();
        fs::copy(released(from), root.path().join(to.trim_start_matches('/'))).unwrap();
        let entry: Vec<String> = serde_json::from_str(&instruction("ENTRYPOINT ")).unwrap();
        let [entry] = <[String; 1]>::try_from(entry).unwrap();
        Image { root, entry, user: instruction("USER ") }
    }

    fn put(&self, from: &str, to: &str) {
        fs::copy(repository().join(from), self.root.path().join(to)).unwrap();
    }

    fn run(&self, words: &[&str]) -> Output {
        let mut command = Command::new("chroot");
        command.arg(format!("--userspec={}", self.user)).arg(self.root.path()).arg(&self.entry).args(words);
        command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").stdin(Stdio::null()).output().unwrap()
    }

    /// The same with what a container's runtime mounts, in a mount namespace that ends with it.
    fn run_with_mounts(&self, words: &[&str]) -> Output {
        for folder in ["proc", "sys/fs/cgroup"] {
            fs::create_dir_all(self.root.path().join(folder)).unwrap();
        }
        let script = "root=$1 && user=$2 && shift 2 && mount -t proc proc \"$root/proc\" && \
                      mount --rbind /sys/fs/cgroup \"$root/sys/fs/cgroup\" && \
                      exec chroot --userspec=\"$user\" \"$root\" \"$@\"";
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-c", script, "sh"]).arg(self.root.path()).args([&self.user, &self.entry]);
        command.args(words).stdin(Stdio::null()).output().unwrap()
    }
}

fn ends(output: &Output, code: i32, line: &str) {
    let all = format!("{}{}", text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{all}");
    assert!(all.lines().any(|said| said.contains(line)), "no line has {line:?} in:\n{all}");
}

/// A JVM with the command line of a captured TaskManager, which does nothing. It runs as the image's user, with a `/tmp` of its own
/// and with that user's name in its `/etc/passwd`, as in Flink's image.
struct TaskManager {
    process: Child,
    _classes: tempfile::TempDir,
}

impl TaskManager {
    fn start(user: &str) -> TaskManager {
        let classes = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        fs::set_permissions(classes.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let source = classes.path().join("TaskManagerRunner.java");
        let says = "package org.apache.flink.runtime.taskexecutor;\n\
                    public class TaskManagerRunner { public static void main(String[] all) throws Exception {\n\
                    System.out.println(\"up\"); System.in.read(); } }\n";
        fs::write(&source, says).unwrap();
        let compiled = Command::new("javac").arg("-d").arg(classes.path()).arg(&source).output().unwrap();
        assert!(compiled.status.success(), "{}", text(&compiled.stderr));
        let captured = repository().join("testdata/live/1.20.5-no-nmt/root/proc/16651/cmdline");
        let captured = fs::read(captured).unwrap();
        let words: Vec<&str> =
            captured.split(|byte| *byte == 0).map(|word| std::str::from_utf8(word).unwrap()).collect();
        let place = words.iter().position(|word| *word == "-classpath").unwrap();
        let is_kept =
            |(at, word): &(usize, &&str)| *at != place + 1 && *at > 0 && !word.starts_with("-Dlog") && !word.is_empty();
        let (id, group) = user.split_once(':').unwrap();
        fs::write(classes.path().join("passwd"), format!("flink:x:{id}:{group}::/:/bin/sh\n")).unwrap();
        let script = "mount --bind passwd /etc/passwd && mount -t tmpfs tmpfs /tmp && user=$1 && group=$2 && shift 2 && \
                      exec setpriv --reuid \"$user\" --regid \"$group\" --clear-groups java \"$@\"";
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-c", script, "sh", id, group]);
        for (at, word) in words.iter().enumerate().filter(is_kept) {
            command.arg(word);
            if at == place {
                command.arg(classes.path());
            }
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).current_dir(classes.path());
        let mut process = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "up\n");
        TaskManager { process, _classes: classes }
    }
}

impl Drop for TaskManager {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn the_static_program_plans_checks_and_diagnoses_where_there_is_nothing_else() {
    let image = Image::new();
    image.put("examples/rocksdb-join/config.yaml", "config.yaml");
    image.put("examples/review/flink-conf.yaml", "flink-conf.yaml");
    image.put("testdata/incidents/4-batch-shuffle-page-cache/kernel.log", "kernel.log");
    ends(&image.run(&["--version"]), 0, concat!("oomph ", env!("CARGO_PKG_VERSION")));
    ends(&image.run(&["plan", "config.yaml"]), 0, "Total Process Memory      8192.0  8589934592  line 9");
    let refused = ["plan", "config.yaml", "--set", "taskmanager.memory.process.size=640m"];
    ends(&image.run(&refused), 1, "Flink refuses this configuration");
    ends(&image.run(&["check", "flink-conf.yaml", "--flink", "1.18"]), 1, "error[OOM103]");
    ends(&image.run(&["diagnose", "kernel.log"]), 0, "The kernel killed it at its cgroup's limit (kernel-memcg, high");
    ends(&image.run(&["plan", "gone.yaml"]), 3, "gone.yaml");
}

#[test]
fn the_static_program_looks_at_a_task_manager_of_its_own_user() {
    let image = Image::new();
    let task_manager = TaskManager::start(&image.user);
    let pid = task_manager.process.id().to_string();
    let output = image.run_with_mounts(&["attach", &pid]);
    ends(&output, 0, &format!("TaskManager {pid}: TaskManagerRunner, "));
    let said = text(&output.stdout);
    // Mappings, malloc's chunks, and the performance data of a JVM that has another root.
    let heap = said.lines().find(|line| line.starts_with("JVM Heap")).unwrap_or_else(|| panic!("{said}"));
    assert!(heap.contains("512.0") && !said.contains("malloc, not divided"), "{said}");
    assert!(said.contains("The JVM, in MiB") && said.contains("Beside it in its cgroup"), "{said}");
    // Nobody else's process is read, and that is said.
    let ours = std::process::id().to_string();
    let other = image.run_with_mounts(&["capture", &ours, "-o", "-"]);
    assert!(text(&other.stderr).contains("permission denied (run as uid 0"), "{}", text(&other.stderr));
    let bundle = image.run_with_mounts(&["capture", &pid, "-o", "-"]);
    ends(&Output { stdout: Vec::new(), ..bundle.clone() }, 0, &format!("wrote process {pid}"));
    // What was taken there is read where there is no process at all.
    fs::write(image.root.path().join("tm.tar.gz"), bundle.stdout).unwrap();
    fs::create_dir(image.root.path().join("tmp")).unwrap();
    fs::set_permissions(image.root.path().join("tmp"), fs::Permissions::from_mode(0o1777)).unwrap();
    ends(&image.run(&["attach", "--root", "tm.tar.gz"]), 0, &format!("TaskManager {pid}: TaskManagerRunner, "));
}

#[test]
fn the_static_program_asks_rest_by_address_and_says_that_it_knows_no_names() {
    let image = Image::new();
    let task_manager = TaskManager::start(&image.user);
    let pid = task_manager.process.id().to_string();
    let begin = Instant::now();
    let output = image.run_with_mounts(&["attach", &pid, "--rest", "http://jobmanager:8081"]);
    ends(&output, 0, "Flink's REST: http://jobmanager:8081/jobmanager/config: the name was not");
    assert!(text(&output.stdout).contains("IP:PORT"), "{}", text(&output.stdout));
    // Once, not for each question.
    assert!(begin.elapsed().as_secs() < 9, "{:?}", begin.elapsed());
    let (address, asked) = answering(|_, _| (404, json!({"errors": ["Not found."]})));
    let output = image.run_with_mounts(&["attach", &pid, "--rest", &format!("http://{address}")]);
    ends(&output, 0, "Flink's REST");
    assert!(asked.recv().unwrap().starts_with("GET /"), "by address it asks");
    // A file of names is enough.
    fs::create_dir(image.root.path().join("etc")).unwrap();
    fs::write(image.root.path().join("etc/hosts"), "127.0.0.1 jobmanager\n").unwrap();
    let (address, asked) = answering(|_, _| (404, json!({"errors": ["Not found."]})));
    let (_, port) = address.split_once(':').unwrap();
    let output = image.run_with_mounts(&["attach", &pid, "--rest", &format!("http://jobmanager:{port}")]);
    ends(&output, 0, "Flink's REST");
    assert!(asked.recv().unwrap().starts_with("GET /"), "by a name that the file knows it asks");
}

#[test]
fn the_static_program_runs_no_experiment_and_says_what_to_take() {
    let image = Image::new();
    for words in [
        &["repro", "run", "unmanaged-rocksdb"][..],
        &["repro", "run", "--all", "--flink-home", "/flink"],
        &["repro", "loop", "--all", "--flink-home", "/flink"],
    ] {
        let output = image.run(words);
        ends(&output, 3, "this oomph is static");
        let said = text(&output.stderr);
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(said.contains("take the full build of the same release"), "{said}");
    }
    ends(&image.run(&["repro", "list"]), 0, "unmanaged-rocksdb");
    ends(&image.run(&["repro", "predict", "--workload", "unmanaged-rocksdb"]), 0, "Anonymous memory");
}

#[test]
fn the_full_build_runs_an_experiment_with_each_worker() {
    let room = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let workload = "operators: [{name: o, states: [{name: s, keys: 20k, value-size: 100}]}]\n\
                    phases: [{records: 60k, do: {s: {update: 1}}}]\n";
    let conf =
        "taskmanager.memory.process.size: 1280m\ntaskmanager.memory.managed.size: 32m\nstate.backend.type: rocksdb\n";
    fs::write(room.path().join("w.yaml"), workload).unwrap();
    fs::write(room.path().join("flink-conf.yaml"), conf).unwrap();
    for malloc in ["glibc", "jemalloc"] {
        let mut command = Command::new(released("full/oomph"));
        command.args([
            "repro",
            "run",
            "--workload",
            "w.yaml",
            "--conf",
            "flink-conf.yaml",
            "--dir",
            ".",
            "--malloc",
            malloc,
        ]);
        ends(
            &command.current_dir(room.path()).env_remove("OOMPH_WORKERS").output().unwrap(),
            0,
            "Anonymous memory at most",
        );
    }
}

#[test]
fn every_file_has_the_sum_that_is_told() {
    let sums = released("SHA256SUMS");
    let mut check = Command::new("sha256sum");
    let output = check.args(["--check", "--strict"]).arg(&sums).current_dir(sums.parent().unwrap()).output().unwrap();
    ends(&output, 0, "static/oomph: OK");
    ends(&output, 0, "full/oomph-worker-jemalloc: OK");
}

/// The package, as the one file of its kind in the release.
fn package() -> PathBuf {
    let found = fs::read_dir(released("")).unwrap().map(|entry| entry.unwrap().path());
    let found: Vec<PathBuf> = found.filter(|path| path.extension().is_some_and(|ends| ends == "deb")).collect();
    assert_eq!(found.len(), 1, "run scripts/release with cargo-deb installed: {found:?}");
    found.into_iter().next().unwrap()
}

#[test]
fn the_package_installs_programs_pages_completions_licence_and_changes() {
    let listed = Command::new("dpkg-deb").arg("--contents").arg(package()).output().unwrap();
    let listed = text(&listed.stdout);
    let files: BTreeSet<&str> = listed.lines().filter_map(|line| line.rsplit(' ').next()).collect();
    for file in [
        "./usr/bin/oomph",
        "./usr/lib/oomph/oomph-worker",
        "./usr/lib/oomph/oomph-worker-jemalloc",
        "./usr/share/man/man1/oomph.1.gz",
        "./usr/share/man/man1/oomph-plan.1.gz",
        "./usr/share/man/man1/oomph-repro-run.1.gz",
        "./usr/share/bash-completion/completions/oomph",
        "./usr/share/zsh/vendor-completions/_oomph",
        "./usr/share/fish/vendor_completions.d/oomph.fish",
        "./usr/share/doc/oomph/copyright",
        "./usr/share/doc/oomph/changelog.Debian.gz",
    ] {
        assert!(files.contains(file), "{file} is not in\n{listed}");
    }
    let fields = Command::new("dpkg-deb").arg("--field").arg(package()).output().unwrap();
    let fields = text(&fields.stdout);
    for library in ["libc6", "libstdc++6"] {
        assert!(fields.lines().any(|line| line.starts_with("Depends:") && line.contains(library)), "{fields}");
    }
}

#[test]
fn what_the_package_installed_finds_its_workers_and_its_pages() {
    let root = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    for folder in ["var/lib/dpkg/info", "var/lib/dpkg/updates", "var/lib/dpkg/triggers"] {
        fs::create_dir_all(root.path().join(folder)).unwrap();
    }
    for file in ["var/lib/dpkg/status", "var/lib/dpkg/available"] {
        fs::write(root.path().join(file), "").unwrap();
    }
    // Only what it depends on is not there: the libraries of this machine will do.
    let mut dpkg = Command::new("dpkg");
    dpkg.arg(format!("--root={}", root.path().display())).args(["--force-depends", "--install"]).arg(package());
    let output = dpkg.output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let program = root.path().join("usr/bin/oomph");
    let run = |words: &[&str]| Command::new(&program).args(words).env_remove("OOMPH_WORKERS").output().unwrap();
    ends(&run(&["--version"]), 0, concat!("oomph ", env!("CARGO_PKG_VERSION")));
    let folder = root.path().join("runs");
    ends(&run(&["repro", "run", "many-states", "--dir", folder.to_str().unwrap()]), 0, "All it states held");
    let mut man = Command::new("man");
    man.args(["--manpath", root.path().join("usr/share/man").to_str().unwrap(), "--no-hyphenation", "oomph-plan"]);
    let page = man.env("MANWIDTH", "100").env("LC_ALL", "C.UTF-8").output().unwrap();
    ends(&page, 0, "oomph-plan");
    assert!(text(&page.stderr).is_empty(), "{}", text(&page.stderr));
    let sourced =
        "source \"$1\"; COMP_WORDS=(oomph pl); COMP_CWORD=1; _oomph oomph pl oomph; printf '%s\\n' \"${COMPREPLY[@]}\"";
    let completions = root.path().join("usr/share/bash-completion/completions/oomph");
    let offered = Command::new("bash").args(["-c", sourced, "bash"]).arg(completions).output().unwrap();
    ends(&offered, 0, "plan");
}

/// A server of JSON on loopback, with the first line of each request and what came with it.
fn answering(
    answer: impl Fn(&str, &[u8]) -> (u16, Value) + Send + 'static,
) -> (String, std::sync::mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (sender, requests) = std::sync::mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let (mut head, mut length) = (String::new(), 0);
            reader.read_line(&mut head).unwrap();
            loop {
                let mut line = String::new();
                if reader.read_line(&mut line).unwrap() == 0 || line.trim().is_empty() {
                    break;
                }
                if let Some(told) = line.to_lowercase().strip_prefix("content-length:") {
                    length = told.trim().parse().unwrap();
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            let (status, said) = answer(&head, &body);
            let said = said.to_string();
            let head_back = format!(
                "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                said.len()
            );
            // Whoever asked may have gone.
            let _ = stream.write_all(head_back.as_bytes()).and_then(|()| stream.write_all(said.as_bytes()));
            let _ = sender.send(format!("{} {}", head.trim(), text(&body)));
        }
    });
    (address, requests)
}

/// kubectl's own request, to a server that has one pod: what the page about pods tells, word for word.
#[test]
fn what_the_page_about_pods_tells_asks_for_a_container_of_flinks_user_among_its_processes() {
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "POD", "namespace": "default", "uid": "1", "resourceVersion": "1"},
        "spec": {"containers": [{"name": "flink-main-container", "image": "flink"}]}, "status": {"phase": "Running"}
    });
    let verbs = ["get", "list", "patch"];
    let resources = json!({"kind": "APIResourceList", "groupVersion": "v1", "resources": [
        {"name": "pods", "singularName": "pod", "namespaced": true, "kind": "Pod", "verbs": verbs},
        {"name": "pods/ephemeralcontainers", "singularName": "", "namespaced": true, "kind": "Pod", "verbs": verbs},
    ]});
    let (address, requests) = answering(move |head, _| {
        let path = head.split(' ').nth(1).unwrap_or_default().split('?').next().unwrap_or_default().to_owned();
        match path.as_str() {
            "/api" => (200, json!({"kind": "APIVersions", "versions": ["v1"]})),
            "/apis" => (200, json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": []})),
            "/api/v1" => (200, resources.clone()),
            "/version" => (200, json!({"major": "1", "minor": "32", "gitVersion": "v1.32.0"})),
            _ if path.starts_with("/api/v1/namespaces/default/pods/POD") => (200, pod.clone()),
            _ => (404, json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 404})),
        }
    });
    let folder = repository().join("examples/pod");
    let page = fs::read_to_string(folder.join("README.md")).unwrap();
    let (_, from) = page.split_once("kubectl debug ").unwrap();
    let (told, _) = from.split_once("```").unwrap();
    // There is nothing to attach a terminal to.
    let words = told.split_whitespace().filter(|word| *word != "\\" && *word != "--attach");
    let home = tempfile::tempdir().unwrap();
    let mut kubectl = Command::new("kubectl");
    kubectl.args(["--server", &format!("http://{address}"), "debug"]).args(words).current_dir(&folder);
    let output = kubectl.env("HOME", home.path()).env("KUBECONFIG", "/dev/null").output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let patch = requests.iter().find(|request| request.starts_with("PATCH ")).unwrap();
    let (head, body) = patch.split_once("HTTP/1.1 ").unwrap();
    assert!(head.contains("/pods/POD/ephemeralcontainers"), "{head}");
    let body: Value = serde_json::from_str(body).unwrap();
    let container = &body["spec"]["ephemeralContainers"][0];
    assert_eq!(container["targetContainerName"], "flink-main-container");
    assert_eq!(container["args"], json!(["attach", "--all"]));
    assert_eq!(container["command"], Value::Null, "the image's own entry point is run");
    let user = format!("{}:{}", container["securityContext"]["runAsUser"], container["securityContext"]["runAsGroup"]);
    assert_eq!(user, instruction("USER "));
}
