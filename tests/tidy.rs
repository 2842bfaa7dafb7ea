//! What the sources themselves must keep to: the walls between the rooms, what the pure rooms leave alone, and what
//! every folder of captured data says about where it comes from, and how long a file may be. `ARCHITECTURE.md` gives the reasons.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Each room and the rooms it may use, itself aside.
const ARROWS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("flink", &["model"]),
    ("artefact", &["model"]),
    ("config", &["model", "flink", "artefact"]),
    ("plan", &["model", "flink", "artefact", "config"]),
    ("recommend", &["model", "flink", "config", "plan", "check"]),
    ("check", &["model", "flink", "config", "plan"]),
    ("probe", &["model", "artefact"]),
    ("diagnose", &["model", "flink", "plan", "artefact"]),
    ("repro", &["model", "flink", "config", "plan", "artefact", "diagnose"]),
    ("harness", &["model", "artefact", "probe", "diagnose", "repro"]),
    ("report", &["model", "flink", "config", "plan", "check", "recommend", "artefact", "diagnose", "repro"]),
    (
        "cli",
        &[
            "model",
            "flink",
            "artefact",
            "config",
            "plan",
            "check",
            "recommend",
            "report",
            "probe",
            "diagnose",
            "repro",
            "harness",
        ],
    ),
];

/// The files that may touch the world outside; all others are functions over values.
const TOUCHING: &[&str] = &["main.rs", "bin/", "cli.rs", "cli/", "config/load.rs", "probe/", "harness.rs", "harness/"];

/// What touching the world looks like.
const WORLD: &[&str] =
    &["std::fs", "std::env", "std::net", "std::time", "std::process", "std::thread", "std::os", "fs::", "io::stdin"];

/// Names that say nothing about what is inside.
const EMPTY_NAMES: &[&str] = &["util", "utils", "helper", "helpers", "manager", "common", "misc"];

/// A file with more lines than these does two things.
const MOST_LINES: usize = 500;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All files under a folder, as paths relative to it.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { open.push(path) } else { found.push(path.strip_prefix(folder).unwrap().to_owned()) }
        }
    }
    found.sort();
    assert!(!found.is_empty(), "nothing in {}", folder.display());
    found
}

/// Every source file with its path below `src` and its lines up to its tests, without comments. Files that are only built
/// for tests are left out.
fn sources() -> Vec<(String, Vec<String>)> {
    let all: Vec<(String, String)> = files(&root().join("src"))
        .into_iter()
        .map(|path| {
            let text = fs::read_to_string(root().join("src").join(&path)).unwrap();
            (path.to_str().unwrap().to_owned(), text)
        })
        .collect();
    let for_tests: BTreeSet<String> = all.iter().flat_map(|(path, text)| test_files(path, text)).collect();
    let code = all.into_iter().filter(|(path, _)| !for_tests.contains(path));
    code.map(|(path, text)| (path, code_lines(&text))).collect()
}

/// The files that a file declares as modules for tests: `#[cfg(test)]`, then `mod name;`.
fn test_files(path: &str, text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().collect();
    let folder = path.trim_end_matches(".rs");
    let declared = lines.windows(2).filter(|pair| pair[0] == "#[cfg(test)]");
    let names = declared.filter_map(|pair| {
        let (_, name) = pair[1].rsplit_once("mod ")?;
        name.strip_suffix(';')
    });
    names.map(|name| format!("{folder}/{name}.rs")).collect()
}

/// The lines of a file without comments, up to the tests within it.
fn code_lines(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().collect();
    let ends = |index: usize| {
        lines[index] == "#[cfg(test)]" && lines.get(index + 1).is_none_or(|next| !next.trim_end().ends_with(';'))
    };
    let end = (0..lines.len()).find(|index| ends(*index)).unwrap_or(lines.len());
    lines[..end].iter().map(|line| line.split_once("//").map_or(*line, |(code, _)| code).to_owned()).collect()
}

/// The room of a file: `plan/jvm.rs` and `plan.rs` are `plan`. `main.rs`, `lib.rs` and the workers' programs belong to none.
fn room(path: &str) -> Option<&str> {
    let name = path.split('/').next()?.trim_end_matches(".rs");
    (!matches!(name, "main" | "lib" | "bin")).then_some(name)
}

/// The rooms that a line names behind `crate::`, also in a braced list.
fn rooms_named(line: &str) -> Vec<&str> {
    line.match_indices("crate::")
        .flat_map(|(at, prefix)| {
            let rest = &line[at + prefix.len()..];
            let list = rest.strip_prefix('{').unwrap_or(rest);
            let several = list.len() < rest.len();
            list.split(", ").take(if several { usize::MAX } else { 1 })
        })
        .map(|path| path.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default())
        .collect()
}

#[test]
fn every_room_has_its_arrows_listed() {
    let listed: BTreeSet<&str> = ARROWS.iter().map(|(room, _)| *room).collect();
    let sources = sources();
    let found: BTreeSet<&str> = sources.iter().filter_map(|(path, _)| room(path)).collect();
    assert_eq!(found, listed);
}

#[test]
fn no_room_uses_one_that_no_arrow_leads_to() {
    let mut wrong = Vec::new();
    let mut uses = 0;
    for (path, lines) in sources() {
        let Some(room) = room(&path) else { continue };
        let (_, allowed) = ARROWS.iter().find(|(name, _)| *name == room).unwrap();
        for (number, line) in lines.iter().enumerate() {
            for used in rooms_named(line) {
                uses += 1;
                if used != room && !allowed.contains(&used) {
                    wrong.push(format!("src/{path}:{}: {room} uses {used}", number + 1));
                }
            }
        }
    }
    assert!(uses > 100, "only {uses} uses between rooms were recognised");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_the_edge_touches_files_clock_environment_or_network() {
    let mut wrong = Vec::new();
    for (path, lines) in sources() {
        if TOUCHING.iter().any(|edge| path == *edge || edge.ends_with('/') && path.starts_with(edge)) {
            continue;
        }
        for (number, line) in lines.iter().enumerate() {
            if let Some(what) = WORLD.iter().find(|what| line.contains(**what)) {
                wrong.push(format!("src/{path}:{}: {what}", number + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_file_has_a_name_that_says_nothing() {
    for folder in ["src", "tests", "scripts", "profiles"] {
        for path in files(&root().join(folder)) {
            let stem = path.file_stem().unwrap().to_str().unwrap();
            assert!(!stem.split(['_', '-']).any(|word| EMPTY_NAMES.contains(&word)), "{folder}/{}", path.display());
        }
    }
}

#[test]
fn no_source_file_is_long_enough_to_do_two_things() {
    for folder in ["src", "tests", "benches", "build"] {
        for path in files(&root().join(folder)).iter().filter(|path| path.extension().is_some_and(|e| e == "rs")) {
            let lines = fs::read_to_string(root().join(folder).join(path)).unwrap().lines().count();
            assert!(lines <= MOST_LINES, "{folder}/{} has {lines} lines", path.display());
        }
    }
}

#[test]
fn the_main_file_only_starts_a_verb() {
    let main = fs::read_to_string(root().join("src/main.rs")).unwrap();
    assert!(main.lines().count() <= 40, "main.rs has {} lines", main.lines().count());
}

#[test]
fn every_folder_of_captured_data_says_where_it_comes_from() {
    for entry in fs::read_dir(root().join("testdata")).unwrap() {
        let folder = entry.unwrap().path();
        let page = fs::read_to_string(folder.join("PROVENANCE.md"))
            .unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        for part in fs::read_dir(&folder).unwrap() {
            let part = part.unwrap();
            if part.path().is_dir() {
                let name = format!("`{}/`", part.file_name().to_str().unwrap());
                assert!(page.contains(&name), "{}: PROVENANCE.md does not tell of {name}", folder.display());
            }
        }
    }
}

/// Links to files, in Markdown: what is between `](` and `)`, without web addresses and anchors.
fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
        .filter(|link| !link.contains("://"))
        .map(|link| link.split('#').next().unwrap_or(link))
        .filter(|link| !link.is_empty())
}

#[test]
fn every_link_between_pages_leads_somewhere() {
    let pages = ["README.md", "ARCHITECTURE.md", "CHANGELOG.md"]
        .into_iter()
        .map(PathBuf::from)
        .chain(files(&root().join("docs")).into_iter().map(|page| Path::new("docs").join(page)))
        .filter(|page| page.extension().is_some_and(|e| e == "md"));
    let mut followed = 0;
    for page in pages {
        let text = fs::read_to_string(root().join(&page)).unwrap();
        for link in links(&text) {
            followed += 1;
            let target = root().join(page.parent().unwrap()).join(link);
            assert!(target.exists(), "{}: {link} is not there", page.display());
        }
    }
    assert!(followed > 5, "only {followed} links were found");
}
