//! Carries out fixes: each only where the text that comes out is checked again and is no worse for it.

use std::collections::BTreeMap;

use super::edits;
use super::engine::{Checked, Selection, Told, Yarn, check};
use super::policy::Policy;
use crate::config::load::TextInput;
use crate::model::{Edit, Finding, Severity};

/// A text with fixes in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repaired {
    /// The text.
    pub text: String,
    /// How many findings it no longer has.
    pub count: usize,
}

/// One fix may bring another within reach; a chain longer than this is a circle.
const MOST_ROUNDS: usize = 8;

/// The text with every fix in it that leaves it no worse: no process that Flink accepted is refused, and no finding is new.
/// Nothing where there is none.
pub fn repaired(
    input: &TextInput,
    told: &Told,
    policy: &Policy,
    yarn: Option<&Yarn>,
    selection: &Selection,
    unsafe_too: bool,
) -> Option<Repaired> {
    // What is worse is worse under every rule, whichever are asked for.
    let every = Selection::default();
    let look = |text: &str| {
        let input = TextInput { text: text.to_owned(), ..input.clone() };
        check(&input, told, policy, yarn, &every).ok()
    };
    let asked = |checked: &Checked| checked.findings.iter().filter(|finding| selection.names(finding.code)).count();
    let mut text = input.text.clone();
    let mut now = look(&text)?;
    let before = asked(&now);
    for _ in 0..MOST_ROUNDS {
        let wanted = |finding: &&Finding| {
            selection.names(finding.code) && finding.fix.as_ref().is_some_and(|fix| fix.safe || unsafe_too)
        };
        let fixes: Vec<Vec<Edit>> = now
            .findings
            .iter()
            .filter(wanted)
            .filter_map(|finding| Some(finding.fix.as_ref()?.edits.clone()))
            .collect();
        let all: Vec<Edit> = fixes.iter().flatten().cloned().collect();
        // All at once where that goes well, else one after another.
        let together = edits::applied(&text, &all).into_iter();
        let alone = fixes.iter().filter_map(|one| edits::applied(&text, one));
        let better = together.chain(alone).filter(|new| *new != text).find_map(|new| {
            let then = look(&new)?;
            is_no_worse(&now, &then).then_some((new, then))
        });
        let Some((new, then)) = better else { break };
        (text, now) = (new, then);
    }
    (text != input.text).then(|| Repaired { text, count: before.saturating_sub(asked(&now)) })
}

/// Whether fewer findings are left, none of them new, and every process that was accepted still is.
fn is_no_worse(before: &Checked, after: &Checked) -> bool {
    let count = |checked: &Checked| {
        let mut by_code: BTreeMap<&str, usize> = BTreeMap::new();
        for finding in checked.findings.iter().filter(|finding| finding.severity > Severity::Note) {
            *by_code.entry(finding.code).or_default() += 1;
        }
        by_code
    };
    let (old, new) = (count(before), count(after));
    let none_new = new.iter().all(|(code, count)| old.get(code).is_some_and(|known| count <= known));
    none_new && after.findings.len() < before.findings.len() && after.subjects == before.subjects
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::catalogue;
    use crate::check::example::examples;
    use crate::check::rule::FixKind;
    use crate::check::tried::{checked, input};

    fn mended(file: &str, text: &str, unsafe_too: bool) -> Option<Repaired> {
        repaired(&input(file, text), &Told::default(), &Policy::default(), None, &Selection::default(), unsafe_too)
    }

    #[test]
    fn a_fix_that_makes_flink_refuse_the_file_is_not_made_whichever_rules_are_asked_for() {
        // Spelled right, the heap is larger than the process.
        let text = "# oomph: flink=1.20\ntaskmanager.memory.process.size: 4g\ntaskmanager.memory.task.heap.sise: 8g\n";
        let found = checked("config.yaml", text).findings;
        assert!(found.iter().any(|finding| finding.code == "OOM101" && finding.fix.is_some()), "{found:?}");
        for select in [vec![], vec!["OOM101".to_owned()]] {
            let selection = Selection::new(&select, &[]).unwrap();
            let input = input("config.yaml", text);
            assert_eq!(repaired(&input, &Told::default(), &Policy::default(), None, &selection, true), None);
        }
    }

    #[test]
    fn fixing_twice_changes_nothing_the_second_time() {
        for rule in catalogue() {
            for example in examples(rule) {
                for unsafe_too in [false, true] {
                    let Some(once) = mended(&example.file, &example.text, unsafe_too) else { continue };
                    assert_eq!(mended(&example.file, &once.text, unsafe_too), None, "{}:\n{}", rule.code, once.text);
                }
            }
        }
    }

    #[test]
    fn a_rule_that_offers_a_fix_mends_its_bad_example_and_one_that_offers_none_does_not() {
        for rule in catalogue() {
            let bad: Vec<_> = examples(rule).into_iter().filter(|example| example.heading == "Bad").collect();
            let of_rule = |findings: &[Finding]| findings.iter().filter(|finding| finding.code == rule.code).count();
            let offers = bad.iter().any(|example| {
                let found = checked(&example.file, &example.text).findings;
                found.iter().any(|finding| finding.code == rule.code && finding.fix.is_some())
            });
            assert_eq!(offers, rule.fix != FixKind::None, "{} says {:?}", rule.code, rule.fix);
            if !offers {
                continue;
            }
            let fewer = bad.iter().any(|example| {
                let before = of_rule(&checked(&example.file, &example.text).findings);
                mended(&example.file, &example.text, rule.fix == FixKind::Unsafe)
                    .is_some_and(|repaired| of_rule(&checked(&example.file, &repaired.text).findings) < before)
            });
            assert!(fewer, "{}: its fix mends none of its bad examples", rule.code);
        }
    }
}
