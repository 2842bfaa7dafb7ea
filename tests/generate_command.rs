//! Manual pages and completions, as a package gets them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use clap::CommandFactory;
use oomph::cli::Cli;

fn oomph(words: &[&str], directory: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_oomph")).args(words).arg(directory).output().unwrap()
}

/// The pages of a verb and of the verbs below it.
fn pages(name: &str, verb: &clap::Command, found: &mut BTreeSet<String>) {
    found.insert(format!("{name}.1"));
    for below in verb.get_subcommands().filter(|below| !below.is_hide_set()) {
        pages(&format!("{name}-{}", below.get_name()), below, found);
    }
}

#[test]
fn every_verb_has_a_page_with_its_options_and_nothing_hidden_has() {
    let directory = tempfile::tempdir().unwrap();
    let output = oomph(&["generate", "man"], directory.path());
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let files = fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut expected = BTreeSet::new();
    pages("oomph", &Cli::command(), &mut expected);
    assert_eq!(files.collect::<BTreeSet<_>>(), expected);
    assert!(expected.contains("oomph-repro-run.1") && !expected.contains("oomph-generate.1"), "{expected:?}");
    let page = |name: &str| fs::read_to_string(directory.path().join(name)).unwrap();
    for file in &expected {
        assert!(page(file).contains(".SH NAME"), "{file}");
    }
    assert!(page("oomph.1").contains("a process to look at is gone or refuses"), "exit codes are told");
    let table = page("oomph-repro.1");
    let (_, table) = table.split_once(".SH NOTES\n.nf\n").unwrap();
    assert!(table.contains("  oomph repro list\n") && table.contains("\n.fi"), "lines of examples stay: {table}");
    assert!(page("oomph-plan.1").contains("\\-\\-explain"), "options are told");
}

#[test]
fn each_shell_completes_every_verb_and_offers_nothing_hidden() {
    let directory = tempfile::tempdir().unwrap();
    let output = oomph(&["generate", "completions"], directory.path());
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    for file in ["oomph.bash", "_oomph", "oomph.fish"] {
        let script = fs::read_to_string(directory.path().join(file)).unwrap();
        for verb in Cli::command().get_subcommands() {
            assert_eq!(script.contains(verb.get_name()), !verb.is_hide_set(), "{file}: {}", verb.get_name());
        }
    }
}

#[test]
fn a_directory_that_cannot_be_is_one_line_and_its_exit_code() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let output = oomph(&["generate", "man"], file.path());
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.starts_with("error: could not write into ") && said.lines().count() == 1, "{said}");
}
