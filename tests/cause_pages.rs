//! `docs/causes` holds the pages of the causes, word for word, and an index of them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

use std::collections::BTreeMap;
use std::path::Path;

use oomph::check;
use oomph::diagnose::causes::{CAUSES, document};
use oomph::report::causes::markdown;

/// `UPDATE_PAGES=1 cargo test --test cause_pages` writes them.
#[test]
fn the_pages_in_docs_are_those_of_the_causes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/causes");
    let update = std::env::var_os("UPDATE_PAGES").is_some();
    let mut expected: BTreeMap<String, String> =
        CAUSES.iter().map(|cause| (format!("{}.md", cause.code), document(cause))).collect();
    expected.insert("README.md".to_owned(), markdown());
    for (name, text) in &expected {
        if update {
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(folder.join(name), text).unwrap();
        }
        let found = std::fs::read_to_string(folder.join(name)).unwrap_or_default();
        assert_eq!(&found, text, "{name}: run UPDATE_PAGES=1 cargo test --test cause_pages");
    }
    for entry in std::fs::read_dir(&folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if update && !expected.contains_key(&name) {
            std::fs::remove_file(folder.join(&name)).unwrap();
        } else {
            assert!(expected.contains_key(&name), "{name} is no cause's page");
        }
    }
}

#[test]
fn no_cause_has_the_code_or_name_of_a_rule() {
    for cause in CAUSES {
        assert!(
            check::by_code_or_name(cause.code).is_none() && check::by_code_or_name(cause.name).is_none(),
            "{cause:?}"
        );
    }
}
