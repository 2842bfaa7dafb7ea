//! Rules tried on texts, for their tests.

use std::sync::Arc;

use super::engine::{Checked, Selection, Told, Yarn, check, check_against};
use super::policy::Policy;
use crate::config::FileKind;
use crate::config::load::TextInput;
use crate::config::template::Templates;
use crate::model::{Finding, Source};

/// A text under a file name.
pub fn input(file: &str, text: &str) -> TextInput {
    TextInput {
        source: Source::File(Arc::from(file)),
        text: text.to_owned(),
        kind_by_name: FileKind::of_name(file),
        distribution: None,
        templates: Templates::Masked,
    }
}

/// Everything found in a text; comments in it tell version, deployment and so on.
pub fn checked(file: &str, text: &str) -> Checked {
    let result = check(&input(file, text), &Told::default(), &Policy::default(), None, &Selection::default());
    result.unwrap_or_else(|error| panic!("{file}: {error}\n{text}"))
}

/// Everything found in a text that lies beside a `yarn-site.xml`.
pub fn beside_yarn(file: &str, text: &str, yarn_site: &str) -> Vec<Finding> {
    let yarn = Yarn::read(input("yarn-site.xml", yarn_site)).unwrap().unwrap();
    let told = Told::default();
    check(&input(file, text), &told, &Policy::default(), Some(&yarn), &Selection::default()).unwrap().findings
}

/// The codes found in a text that was another one before.
pub fn codes_against(file: &str, before: &str, text: &str) -> Vec<&'static str> {
    let (before, now) = (input(file, before), input(file, text));
    let (told, policy, selection) = (Told::default(), Policy::default(), Selection::default());
    let checked = check_against(&now, Some(&before), &told, &policy, None, &selection).unwrap();
    checked.findings.into_iter().map(|finding| finding.code).collect()
}

/// The codes found in a text, by line.
pub fn codes(file: &str, text: &str) -> Vec<&'static str> {
    checked(file, text).findings.into_iter().map(|finding| finding.code).collect()
}

/// The one finding of a code in a text that was another one before.
pub fn find_against(code: &str, file: &str, before: &str, text: &str) -> Finding {
    let (before, now) = (input(file, before), input(file, text));
    let (told, policy, selection) = (Told::default(), Policy::default(), Selection::default());
    let checked = check_against(&now, Some(&before), &told, &policy, None, &selection).unwrap();
    checked.findings.into_iter().find(|finding| finding.code == code).unwrap()
}

/// The one finding of a code.
pub fn find(code: &str, file: &str, text: &str) -> Finding {
    let all = checked(file, text).findings;
    let mut of_code: Vec<Finding> = all.iter().filter(|finding| finding.code == code).cloned().collect();
    assert_eq!(of_code.len(), 1, "{code} among {all:#?}");
    of_code.remove(0)
}
