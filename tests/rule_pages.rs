//! `docs/rules` holds the pages of the rules, word for word.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

use std::collections::BTreeSet;
use std::path::Path;

use oomph::check::{catalogue, example};

/// `UPDATE_PAGES=1 cargo test --test rule_pages` writes them.
#[test]
fn the_pages_in_docs_are_those_of_the_rules() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/rules");
    let update = std::env::var_os("UPDATE_PAGES").is_some();
    let mut expected = BTreeSet::new();
    for rule in catalogue() {
        let name = format!("{}.md", rule.code);
        let text = example::document(rule);
        if update {
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(folder.join(&name), &text).unwrap();
        }
        let found = std::fs::read_to_string(folder.join(&name)).unwrap_or_default();
        assert_eq!(found, text, "run UPDATE_PAGES=1 cargo test --test rule_pages");
        expected.insert(name);
    }
    for entry in std::fs::read_dir(&folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if update && !expected.contains(&name) {
            std::fs::remove_file(folder.join(&name)).unwrap();
        } else {
            assert!(expected.contains(&name), "{name} is no rule's page");
        }
    }
}
