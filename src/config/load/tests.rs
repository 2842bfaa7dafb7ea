use std::fs;

use super::*;

fn directory(files: &[(&str, &str)]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    directory
}

fn load_from(directory: &tempfile::TempDir, inner: &str, asked: Option<&str>) -> Result<Loaded, LoadError> {
    let mut all = load(&Input::Path(directory.path().join(inner)), asked.map(|v| v.parse().unwrap()))?;
    assert_eq!(all.len(), 1);
    Ok(all.remove(0))
}

const BOTH: [(&str, &str); 2] = [("flink-conf.yaml", "a: 1\n"), ("config.yaml", "a: 2\n")];

#[test]
fn which_file_of_a_directory_counts_is_the_versions_matter() {
    let both = directory(&BOTH);
    let kind = |asked| load_from(&both, "", asked).unwrap().subject.file.unwrap().kind;
    assert_eq!(kind(Some("1.18")), FileKind::Legacy);
    assert_eq!(kind(Some("1.19")), FileKind::Legacy);
    assert_eq!(kind(Some("2.0")), FileKind::Standard);
    let loaded = load_from(&both, "", None).unwrap();
    assert_eq!(loaded.choice.version, Profile::newest().version());
    assert!(loaded.subject.remarks[0].place.to_string().ends_with("flink-conf.yaml"));
}

#[test]
fn an_empty_flink_conf_still_hides_config_yaml_in_1_20() {
    let files = directory(&[("flink-conf.yaml", ""), ("config.yaml", "a: 2\n")]);
    assert_eq!(load_from(&files, "", Some("1.20")).unwrap().subject.file.unwrap().text, "");
}

#[test]
fn a_directory_without_the_versions_file_is_refused_in_flinks_words() {
    let legacy = directory(&[("flink-conf.yaml", "a: 1\n")]);
    let error = load_from(&legacy, "", Some("2.1")).unwrap_err().to_string();
    assert!(error.contains("config.yaml' (") && error.contains("does not exist."), "{error}");
    assert!(error.contains("There is a flink-conf.yaml, which Flink 2.1 does not read."), "{error}");
}

#[test]
fn without_a_named_version_it_is_the_newest_that_reads_the_file() {
    let files = directory(&[BOTH[0], ("y/config.yaml", "a: 2\n"), ("z/other.yaml", "a:\n  b: 1\n")]);
    let version = |inner| load_from(&files, inner, None).unwrap().choice.version.to_string();
    assert_eq!(version("flink-conf.yaml"), "1.20");
    assert_eq!(version(""), "1.20");
    assert_eq!(version("y/config.yaml"), Profile::newest().version().to_string());
    assert_eq!(version("z/other.yaml"), Profile::newest().version().to_string());
}

#[test]
fn a_distribution_around_the_directory_names_the_version() {
    let files = directory(&[("conf/flink-conf.yaml", "a: 1\n"), ("lib/flink-dist_2.12-1.13.6.jar", "")]);
    for inner in ["conf", "conf/flink-conf.yaml"] {
        let choice = load_from(&files, inner, None).unwrap().choice;
        assert_eq!(choice.version.to_string(), "1.13.6");
        assert!(choice.reason.to_string().contains("flink-dist_2.12-1.13.6.jar"));
    }
}

#[test]
#[cfg(unix)]
fn a_strange_name_among_the_jars_does_not_hide_the_distribution() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let files = directory(&[("conf/flink-conf.yaml", "a: 1\n"), ("lib/flink-dist-1.13.6.jar", "")]);
    // Names come in any order: among so many, one comes before the jar.
    for number in 0..64u8 {
        fs::write(files.path().join("lib").join(OsStr::from_bytes(&[number + 1 + b'0', 0xff])), "").unwrap();
    }
    let choice = load_from(&files, "conf", None).unwrap().choice;
    assert_eq!(choice.version.to_string(), "1.13.6");
}

#[test]
fn a_file_the_version_does_not_read_is_planned_with_a_remark() {
    let files = directory(&BOTH[..1]);
    let loaded = load_from(&files, "flink-conf.yaml", Some("2.2")).unwrap();
    assert_eq!(loaded.subject.file.unwrap().kind, FileKind::Legacy);
    assert!(loaded.subject.remarks[0].text.contains("Flink 2.2 does not read a flink-conf.yaml"));
}

#[test]
fn what_is_not_utf_8_is_refused_with_line_and_column() {
    let files = directory(&[]);
    let path = files.path().join("config.yaml");
    fs::write(&path, b"a: 1\nb: \xc3\xa9\xff\n").unwrap();
    let error = load(&Input::Path(path), None).unwrap_err().to_string();
    assert!(error.contains("config.yaml:2:5: byte 0xff"), "{error}");
}

#[test]
fn a_file_over_16_mib_is_refused_with_its_size() {
    let files = directory(&[]);
    let path = files.path().join("config.yaml");
    File::create(&path).unwrap().set_len(MAX_FILE.get() + 1).unwrap();
    let error = load(&Input::Path(path), None).unwrap_err().to_string();
    assert!(error.contains("16777217 bytes") && error.contains("16 MiB"), "{error}");
    let mut endless = io::repeat(b'a');
    assert!(matches!(bounded_text("x", &mut endless, None), Err(LoadError::TooLarge { .. })));
}

fn masked(text: &str) -> Result<Vec<Loaded>, LoadError> {
    let input = TextInput {
        source: Source::Stdin,
        text: text.to_owned(),
        kind_by_name: None,
        distribution: None,
        templates: Templates::Masked,
    };
    interpret(input, None)
}

#[test]
fn a_template_is_read_around_what_it_replaces() {
    let text = "{{- if .Values.on }}\napiVersion: flink.apache.org/v1beta1\nkind: FlinkDeployment\nmetadata:\n  name: {{ .x \
                }}\nspec:\n  flinkVersion: {{ .Values.version }}\n  flinkConfiguration:\n    a.b: {{ .Values.b | quote }}\n    c.d: \
                \"4g\"\n  taskManager:\n    resource: {memory: {{ .Values.memory }}}\n{{- end }}\n";
    let loaded = masked(text).unwrap().remove(0);
    assert!(loaded.subject.templated && !loaded.subject.open && loaded.subject.remarks.is_empty(), "{loaded:?}");
    assert_eq!(loaded.subject.name.as_deref(), Some("FlinkDeployment"));
    let config = assemble(&loaded, &Layers::default()).unwrap().config;
    let hidden = |key: &str| super::super::is_placeholder(&config.get(key).unwrap().value.java_text());
    assert!(hidden("a.b") && hidden("taskmanager.memory.process.size") && !hidden("c.d"));
    assert_eq!(config.get("c.d").unwrap().place.position.map(|p| (p.line, p.column)), Some((10, 10)));
    let refused = TextInput {
        source: Source::Stdin,
        text: text.to_owned(),
        kind_by_name: None,
        distribution: None,
        templates: Templates::Refused,
    };
    assert!(matches!(interpret(refused, None), Err(LoadError::Untold { .. })));
}

#[test]
fn a_template_that_is_no_yaml_before_it_is_rendered_is_told_from_a_broken_file() {
    let manifest = masked("apiVersion: v1\nkind: ConfigMap\ndata: {{ .x }}\n  a: 1\n").unwrap_err();
    assert!(matches!(&manifest, LoadError::Template { place, .. } if place.position.is_some()), "{manifest}");
    let file = masked("a:\n  b: {{ .x }}\n  b: 2\n").unwrap().remove(0);
    let error = assemble(&file, &Layers::default()).unwrap_err();
    assert!(matches!(&error, LoadError::Template { .. }) && error.to_string().contains("render it first"), "{error}");
    let none = masked("apiVersion: v1\nkind: Service\nmetadata:\n  name: {{ .x }}\n").unwrap_err();
    assert!(matches!(none, LoadError::Untold { .. }), "{none}");
}

#[test]
fn a_configuration_that_a_template_brings_in_leaves_the_subject_open() {
    for text in [
        "apiVersion: v1\nkind: ConfigMap\ndata:\n  flink-conf.yaml: |\n    a.b: 1\n{{ tpl .x . | indent 4 }}\n",
        "apiVersion: v1\nkind: ConfigMap\ndata:\n  flink-conf.yaml: {{ .x | quote }}\n",
        "apiVersion: v1\nkind: FlinkDeployment\nspec:\n  flinkConfiguration: {{ .Values.x }}\n",
        "a.b: 1\n{{ range $k, $v := .x }}\n{{ $k }}: {{ $v }}\n{{ end }}\n",
    ] {
        let loaded = masked(text).unwrap().remove(0);
        assert!(loaded.subject.open, "{text}");
        let assembled = assemble(&loaded, &Layers::default()).unwrap();
        assert!(assembled.remarks.is_empty(), "{:?}", assembled.remarks);
    }
}

#[test]
fn scripts_are_told_by_name_or_by_content() {
    let sql = "SET 'taskmanager.numberOfTaskSlots' = '2';\n";
    let shell = "yarn-session.sh -Dtaskmanager.numberOfTaskSlots=2\n";
    let docker = "FROM flink:1.18\nENV FLINK_PROPERTIES=\"taskmanager.numberOfTaskSlots: 2\"\n";
    for (name, text) in [
        ("a.sql", sql),
        ("a.sql.j2", sql),
        ("a.txt", sql),
        ("a.sh", shell),
        ("a", shell),
        ("Dockerfile.flink", docker),
        ("flink.Dockerfile", docker),
        ("a", docker),
    ] {
        let files = directory(&[(name, text)]);
        let loaded = load_from(&files, name, None).unwrap();
        let config = assemble(&loaded, &Layers::default()).unwrap().config;
        let slots = config.get("taskmanager.numberOfTaskSlots").unwrap();
        assert_eq!(slots.value.java_text(), "2", "{name}");
        assert!(loaded.subject.partial && slots.place.position.is_some(), "{name}");
    }
    let files = directory(&[("a.sh", "ls\n"), ("a.sql", "SELECT 1;\n"), ("x", "#!/bin/sh\njava -Xmx1g\n")]);
    for name in ["a.sh", "a.sql"] {
        let error = load_from(&files, name, None).unwrap_err().to_string();
        assert!(error.contains("configures Flink"), "{error}");
    }
    assert!(load_from(&files, "x", None).unwrap().subject.command.is_some());
}

#[test]
fn a_tag_that_is_no_version_of_flinks_is_remarked() {
    let text = "services:\n  tm: {image: 'shop/orders:0.4.1', command: taskmanager}\n";
    let files = directory(&[("compose.yaml", text)]);
    let loaded = load_from(&files, "compose.yaml", None).unwrap();
    assert_eq!(loaded.choice.version, Profile::newest().version());
    assert!(loaded.subject.remarks[0].text.contains("0.4.1"), "{:?}", loaded.subject.remarks);
}

#[test]
fn broken_yaml_is_refused_with_its_place() {
    let files = directory(&[("config.yaml", "a: 1\na: 2\n")]);
    let loaded = load_from(&files, "config.yaml", None).unwrap();
    let error = assemble(&loaded, &Layers::default()).unwrap_err().to_string();
    assert!(error.contains("config.yaml:2:1: the key a is in this map twice"), "{error}");
}

#[test]
fn a_file_named_after_flink_conf_is_read_by_its_rules() {
    let folder = directory(&[("flink-conf-prod.yaml", "taskmanager.memory.process.size: 4g\n")]);
    let loaded = interpret(read(&folder.path().join("flink-conf-prod.yaml")).unwrap(), None).unwrap().remove(0);
    let kind = loaded.subject.file.map(|file| file.kind);
    assert_eq!((kind, loaded.choice.version.to_string().as_str()), (Some(FileKind::Legacy), "1.20"));
}
