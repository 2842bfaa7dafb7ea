//! Input that no user means well: bounded memory, one clear line, the right exit code, no secret.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use rstest::rstest;

fn oomph(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_oomph")).args(arguments).current_dir(folder).output().unwrap()
}

fn oomph_reading(input: &[u8], arguments: &[&str]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_oomph"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || {
        // Whoever has read enough closes the pipe.
        let _ = stdin.write_all(&input);
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// What a file of that content is refused with.
fn refused(name: &str, content: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(name), content).unwrap();
    let output = oomph(folder.path(), &["plan", name]);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    assert!(output.stdout.is_empty());
    let error = stderr(&output);
    assert_eq!(error.lines().count(), 1, "one clear line: {error}");
    error
}

#[test]
fn a_file_over_16_mib_is_refused_with_its_size() {
    let error = refused("config.yaml", &vec![b'a'; (16 << 20) + 1]);
    assert!(error.contains("config.yaml: it has 16777217 bytes"), "{error}");
    assert!(error.contains("at most 16 MiB"), "{error}");
}

#[test]
fn hadoops_files_hold_no_flink_configuration() {
    let text = "<configuration>\n<property><name>a</name><value>b</value></property>\n</configuration>\n";
    let error = refused("yarn-site.xml", text.as_bytes());
    assert!(error.contains("yarn-site.xml: it is Hadoop's and holds no Flink configuration"), "{error}");
    let error = refused("yarn-site.xml", text.replace("</value>", "").as_bytes());
    assert!(error.contains("yarn-site.xml:2:"), "{error}");
}

#[test]
fn a_file_of_16_mib_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let mut text = b"taskmanager.memory.process.size: 2g\n#".to_vec();
    text.resize(16 << 20, b'x');
    fs::write(folder.path().join("config.yaml"), text).unwrap();
    let output = oomph(folder.path(), &["plan", "config.yaml", "--format", "jvm-args"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
}

#[test]
fn an_endless_standard_input_is_refused() {
    let output = oomph_reading(&vec![b'#'; 17 << 20], &["plan", "-"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(stderr(&output).contains("<stdin>: it has more than"), "{}", stderr(&output));
}

#[test]
fn a_yaml_bomb_is_refused_at_its_first_alias_too_many() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for n in 1..12 {
        let aliases = vec![format!("*a{}", n - 1); 10].join(", ");
        bomb += &format!("a{n}: &a{n} [{aliases}]\n");
    }
    let error = refused("config.yaml", bomb.as_bytes());
    assert!(error.contains("config.yaml:7:"), "{error}");
    assert!(error.contains("aliases"), "{error}");
}

#[test]
fn a_yaml_bomb_of_few_aliases_is_refused_by_its_size() {
    let mut bomb = "a0: &a0 {x: 1, y: 2}\n".to_owned();
    for n in 1..25 {
        bomb += &format!("a{n}: &a{n} {{x: *a{m}, y: *a{m}}}\n", m = n - 1);
    }
    let error = refused("config.yaml", bomb.as_bytes());
    assert!(error.contains("oomph does not follow further"), "{error}");
}

#[rstest]
#[case("[".repeat(100_000))]
#[case("{a: ".repeat(100_000))]
#[case((0..3000).map(|n| format!("{}a:\n", " ".repeat(n))).collect())]
#[case(format!("a:\n  {}x\n", "- ".repeat(3000)))]
fn endless_nesting_is_refused(#[case] text: String) {
    let error = refused("config.yaml", text.as_bytes());
    assert!(error.contains("nested deeper than"), "{error}");
}

#[test]
fn what_is_not_utf_8_is_refused_with_its_place() {
    let error = refused("flink-conf.yaml", b"taskmanager.memory.process.size: 4g\nname: Z\xfcrich\n");
    assert!(error.contains("flink-conf.yaml:2:8: byte 0xfc is not UTF-8"), "{error}");
}

#[cfg(unix)]
#[test]
fn a_file_that_must_not_be_read_is_named() {
    // Root may read everything, so the test needs a file that nobody can read.
    let output = oomph(Path::new("/"), &["plan", "/proc/self/mem"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(stderr(&output).starts_with("error: could not read /proc/self/mem: "), "{}", stderr(&output));
}

const SECRETS: &str = "\
s3.secret-key: hunter2
s3.secret-key hunter2
s3.secret-key:hunter2
my.password: hunter2
fs.azure.account.key.store.blob: hunter2
env.java.opts: -Dpassword=hunter2 -XX:+UseG1GC
security.ssl.internal.keystore-password: hunter2: x: y
metrics.reporter.x.apikey hunter2
s3.access.key hunter2
kubernetes.secrets: hunter2:/etc/hunter2
high-availability.storageDir s3://user:hunter2@bucket/
: hunter2
-----BEGIN hunter2
 hunter2
hunter2:
hunter2=hunter2
";

#[rstest]
fn no_output_shows_a_secret(
    #[values("text", "json", "yaml", "markdown", "jvm-args", "properties", "flink-log", "explain")] format: &str,
    #[values("taskmanager.memory.process.size: 2g\n", "taskmanager.memory.process.size: 200m\n")] first: &str,
) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("flink-conf.yaml"), format!("{first}{SECRETS}")).unwrap();
    let format: &[&str] = if format == "explain" { &["--explain"] } else { &["--format", format] };
    let arguments = [&["plan", ".", "--flink", "1.18", "-D", "my.token=hunter2"], format].concat();
    let output = oomph(folder.path(), &arguments);
    let all = [output.stdout, output.stderr].concat();
    let all = String::from_utf8(all).unwrap();
    assert!(!all.is_empty());
    // A bare key is all that is shown of a line without a value.
    let shown: Vec<&str> =
        all.lines().filter(|line| line.contains("hunter2") && !line.contains("`hunter2:`")).collect();
    assert!(shown.is_empty(), "{shown:#?}");
}

#[rstest]
#[case(&["plan", "-D", "my.secret:hunter2"])]
#[case(&["plan", "--set", "hunter2"])]
#[case(&["plan", "--env", "MY_TOKEN=hunter2"])]
fn no_refused_argument_shows_a_secret(#[case] arguments: &[&str]) {
    let output = oomph(Path::new("."), arguments);
    assert_eq!(output.status.code(), Some(2));
    assert!(!stderr(&output).contains("hunter2"), "{}", stderr(&output));
}

#[test]
fn a_batch_answers_every_line_whatever_the_others_are() {
    let long = format!("{{\"id\":\"long\",\"config\":{{\"a\":\"{}\"}}}}", "x".repeat(17 << 20));
    let lines = [
        r#"{"id":"1","flink":"1.20","role":"taskmanager","config":{"taskmanager.memory.process.size":"2g"}}"#,
        "no json",
        "",
        r#"{"id":"4","flink":"0.9","role":"taskmanager","config":{}}"#,
        r#"{"id":"5","flink":"1.20","role":"clerk","config":{}}"#,
        &long,
        r#"{"id":"7","flink":"1.20","role":"taskmanager","config":{"taskmanager.memory.process.size":"1.5g"}}"#,
        r#"{"id":"8","flink":"2.3","role":"taskmanager","files":{"config.yaml":"a: ["}}"#,
        r#"{"id":"9","flink":"1.20","role":"jobmanager","config":{"jobmanager.memory.process.size":"2g"}}"#,
    ];
    let mut input = lines.join("\n").into_bytes();
    input.extend(b"\n\xff\xfe\n");
    let output = oomph_reading(&input, &["plan", "--batch"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let answers: Vec<serde_json::Value> = output
        .stdout
        .split(|b| *b == b'\n')
        .filter(|l| !l.is_empty())
        .map(|l| serde_json::from_slice(l).unwrap())
        .collect();
    let ok: Vec<bool> = answers.iter().map(|answer| answer["ok"] == true).collect();
    assert_eq!(ok, [true, false, false, false, false, false, false, true, false]);
    for (answer, line) in [(1, 2), (2, 4), (3, 5), (4, 6), (8, 10)] {
        assert_eq!(answers[answer]["line"], line, "{}", answers[answer]);
    }
}

#[test]
fn whoever_stops_reading_is_no_error() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_oomph"))
        .args(["plan", "--batch"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut stdin = child.stdin.take().unwrap();
    let line = br#"{"id":"1","flink":"1.20","role":"taskmanager","config":{"taskmanager.memory.process.size":"2g"}}"#;
    for _ in 0..10_000 {
        if stdin.write_all(line).and_then(|()| stdin.write_all(b"\n")).is_err() {
            break;
        }
    }
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(stderr(&output), "");
}
