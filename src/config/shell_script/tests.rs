use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::config::Setting;
use crate::config::layers::Layers;
use crate::flink::profile::Profile;
use crate::model::Bytes;

fn all(text: &str) -> Vec<Subject> {
    subjects(&Source::Stdin, text).unwrap_or_default()
}

/// The settings of a subject that stand in the text: `key=value`, as they are typed.
fn typed(text: &str, subject: &Subject) -> Vec<String> {
    let layers = Layers {
        file: subject.file.clone(),
        environment: subject.environment.clone(),
        yarn: subject.yarn.clone(),
        arguments: subject.arguments.clone(),
        ..Layers::default()
    };
    let config = layers.assemble(Profile::newest()).unwrap().config;
    let typed = config.iter().map(|(key, Setting { place, .. })| {
        let position = place.position.unwrap();
        let line = text.lines().nth(usize::try_from(position.line).unwrap() - 1).unwrap();
        let rest: String = line.chars().skip(usize::try_from(position.column).unwrap() - 1).collect();
        assert!(text[position.start..].starts_with(&rest), "{key} {position:?}");
        format!("{key}={}", &rest[..position.end - position.start])
    });
    typed.collect()
}

#[rstest]
#[case("./bin/flink run -Da.b=1 -D c='2 g' -yD e=\"3\" -c M app.jar -Dx=y\n", &["a.b=1", "c=2 g", "e=3"])]
#[case("sudo -u flink /opt/flink/bin/flink run-application \\\n  -t yarn-application \\\n  -Dé=1 -Da=$B x.jar\n", &["a=$B"])]
#[case("$FLINK_HOME/bin/taskmanager.sh start -D a=1\n", &["a=1"])]
#[case("kubectl exec x -- flink run $OPTS -Da=1 x.jar\n", &["a=1"])]
#[case("docker exec jm bash -c \"cd /x && flink run -Da=1 -Db='4 g' x.jar\"\n", &["a=1", "b=4 g"])]
#[case("yarn-session.sh -nm x -tm 4096 -jm 2g -s 3 -d\n",
       &["jobmanager.memory.process.size=2g", "taskmanager.memory.process.size=4096", "taskmanager.numberOfTaskSlots=3"])]
#[case("flink run -m yarn-cluster -ytm 4g -yjm=1 -p 8 -s s3://x x.jar -ytm 9g\n",
       &["parallelism.default=8", "taskmanager.memory.process.size=4g"])]
#[case("docker run -d --name tm -e FLINK_PROPERTIES=\"a: 1\nb: 2 g\" flink:1.20 taskmanager -Dc=3\n", &["a=1", "b=2 g", "c=3"])]
#[case("P=$'a: 1\\nb: 2'\ndocker run --env FLINK_PROPERTIES=\"${P}\" flink jobmanager\n", &["a=1", "b=2"])]
#[case("export FLINK_PROPERTIES='a: 1'\n", &["a=1"])]
#[case("FLINK_PROPERTIES='a: 1' /docker-entrypoint.sh taskmanager -Db=2\n", &["a=1", "b=2"])]
#[case("cat > $FLINK_HOME/conf/flink-conf.yaml <<EOF\na.é: $X # c\n  b: 2\nEOF\n", &["a.é=$X", "b=2"])]
#[case("cat <<EOF | sudo tee -a conf/flink-conf.yaml\ntaskmanager.x: 2\nEOF\n", &["taskmanager.x=2"])]
#[case("echo \"a: $X\" >> /flink/flink-conf.yaml; echo b: 2 >>/flink/flink-conf.yaml\n", &["a=$X", "b=2"])]
#[case("printf 'a: 1\\nb: 2\\n' > /flink/config.yaml\n", &["a=1", "b=2"])]
#[case("FROM flink:1.19.1\nENV X=1 \\\n  FLINK_PROPERTIES=\"a: 1\\n\\\nb: 2\"\nCMD [\"taskmanager\", \"-Dc=3\"]\n", &["a=1", "b=2", "c=3"])]
fn settings_are_found_with_their_places(#[case] text: &str, #[case] expected: &[&str]) {
    let found = all(text);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(typed(text, &found[0]), expected);
}

#[rstest]
#[case("java -Da.b=1 -jar flink.jar\n")]
#[case("mvn -Dflink.version=1.20 package\n")]
#[case("echo flink run -Da=1\n")]
#[case("# flink run -Da=1\n")]
#[case("flink run x.jar -Da=1\n")]
#[case("flink list -Da=1\n")]
#[case("docker run -e A=b nginx -Da=1\n")]
#[case("cat > config.yaml <<EOF\nversion: 0.1\nEOF\n")]
#[case("FROM flink:1.20\nRUN mvn -Da=b\n")]
#[case("")]
fn what_is_not_flinks_is_passed_over(#[case] text: &str) {
    assert_eq!(subjects(&Source::Stdin, text).unwrap_err(), NoSettings);
}

#[test]
fn a_command_tells_who_starts_the_processes_and_which_version() {
    let text = "/opt/flink-1.16.3/bin/kubernetes-session.sh -Da=1\nflink run-application -t kubernetes-application -Da=1\n\n\
                flink run -t yarn-per-job -Da=1 -p 4 x.jar\ndocker run -m 4g flink:1.18-java11 taskmanager\n";
    let found = all(text);
    let deployments: Vec<_> = found.iter().map(|subject| subject.deployment).collect();
    let (kubernetes, yarn) = (Some(Deployment::Kubernetes), Some(Deployment::Yarn));
    assert_eq!(deployments, [kubernetes, kubernetes, yarn, Some(Deployment::Standalone)]);
    assert_eq!(found[0].version.as_ref().map(|version| version.0.as_str()), Some("1.16.3"));
    assert_eq!(found[2].name.as_deref(), Some("flink run in line 4"));
    assert_eq!(found[2].fleet.parallelism, Some(4));
    assert_eq!(found[3].version.as_ref().map(|version| version.0.as_str()), Some("1.18"));
    assert_eq!(found[3].pod(Role::TaskManager).unwrap().limit.as_ref().unwrap().bytes, Bytes::gib(4));
    assert!(found.iter().all(|subject| subject.partial && subject.shipped));
}

#[rstest]
#[case("-m 1.5g")]
#[case("-m1536m")]
#[case("--memory=1536MiB")]
#[case("--memory 1.5GB")]
fn the_memory_of_a_container_is_read_however_it_is_given(#[case] flag: &str) {
    let found = all(&format!("docker run {flag} flink:1.18 taskmanager\n"));
    assert_eq!(found[0].pod(Role::TaskManager).unwrap().limit.as_ref().unwrap().bytes, Bytes::mib(1536));
    assert!(found[0].remarks.is_empty());
}

#[test]
fn what_is_no_size_of_dockers_is_remarked_and_what_a_shell_puts_in_is_left_open() {
    let found = all("docker run -m lots flink:1.18 taskmanager\ndocker run -m $MEMORY flink:1.18 jobmanager\n");
    assert!(found[0].remarks[0].text.contains("`lots` is no size of Docker's"), "{:?}", found[0].remarks);
    assert!(found.iter().all(|subject| subject.pods.is_empty()) && found[1].remarks.is_empty());
}

#[test]
fn a_file_that_is_written_anew_is_a_whole_configuration() {
    let text = "cat > /flink/flink-conf.yaml <<EOF\na: 1\nEOF\necho 'b: 2' >> /flink/flink-conf.yaml\necho '  c: 3' >> \
                /flink/config.yaml\n";
    let found = all(text);
    let whole = &found[0];
    assert!(!whole.partial && !whole.shipped && whole.file.as_ref().unwrap().text == "a: 1\nb: 2", "{whole:?}");
    assert!(found[1].partial && found.len() == 2);
}

#[test]
fn stages_of_a_dockerfile_have_their_own_version() {
    let text = "ARG V=1.18\nFROM flink:${V}-java11 AS base\nENV FLINK_PROPERTIES=\"a: 1\"\nFROM base\nRUN echo 'b: 2' >> \
                /opt/flink/conf/flink-conf.yaml && \\\n  true\n";
    let found = all(text);
    let versions: Vec<_> = found.iter().map(|subject| subject.version.clone().unwrap().0).collect();
    assert_eq!(versions, ["1.18", "1.18"]);
    let names: Vec<_> = found.iter().map(|subject| subject.name.clone().unwrap()).collect();
    assert_eq!(names, ["image in line 2", "flink-conf.yaml in line 5"]);
}

#[test]
fn line_ends_that_are_two_letters_are_remarked() {
    let text = "FROM flink\nENV FLINK_PROPERTIES \"a: 1\\nb: 2\"\n";
    let remarks = &all(text)[0].remarks;
    assert_eq!((remarks.len(), remarks[0].place.to_string().as_str()), (1, "<stdin>:2:27"));
}

#[rstest]
#[case("#!/usr/bin/env bash\n", true)]
#[case("#!/usr/bin/python\n", false)]
#[case("# syntax=docker/dockerfile:1\nFROM flink:1.20\n", true)]
#[case("from: x\n", false)]
#[case("a.b: 1\n", false)]
fn scripts_are_recognised_by_their_beginning(#[case] text: &str, #[case] expected: bool) {
    assert_eq!(begins_as_script(text), expected);
}

#[rstest]
#[case("cd x\n$ ./bin/flink run -Da=1 x.jar\n", true)]
#[case("docker run flink:1.20\n", true)]
#[case("# use flink run -D\na: docker run\n", false)]
fn scripts_are_recognised_by_their_commands(#[case] text: &str, #[case] expected: bool) {
    assert_eq!(has_command(text), expected);
}

#[test]
fn a_large_script_is_read_in_no_time() {
    for piece in [
        "flink run -Da=b x\n",
        "'",
        "\"$(",
        "${",
        "`",
        "cat > flink-conf.yaml <<E\n",
        "a<<E ",
        "x=\"a: 1\" ",
        "\\\n",
        "echo flinka: 1 >> flink/config.yaml\n",
        "bash -c 'flink bash -c'\n",
        "FROM ${a}\n",
        "-Da=1 ",
        "docker run -e FLINK_PROPERTIES=$FLINK_PROPERTIES flink\n",
        "(",
        ">",
        "a\t",
    ] {
        for head in ["", "FROM flink\n", "FLINK_PROPERTIES='", "flink run "] {
            let text = head.to_owned() + &piece.repeat(50_000 / piece.len());
            assert!(all(&text).len() <= 2 * MAX_SUBJECTS);
        }
    }
}

proptest! {
    #[test]
    fn no_text_panics(
        text in "(flink run|docker run|FROM flink\n|ENV |FLINK_PROPERTIES=|-D|-e |cat <<E >flink-conf.yaml\n|E\n|bash -c |[-a: =\"'$\\\\\\n(){}`;|<>é]){0,30}"
    ) {
        let _ = begins_as_script(&text) || has_command(&text);
        for subject in all(&text) {
            typed_or_nothing(&subject);
        }
    }
}

fn typed_or_nothing(subject: &Subject) {
    let layers = Layers {
        file: subject.file.clone(),
        environment: subject.environment.clone(),
        arguments: subject.arguments.clone(),
        ..Layers::default()
    };
    let _ = layers.assemble(Profile::newest());
}
