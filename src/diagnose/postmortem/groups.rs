//! Many deaths, by what they have in common.

use super::judge::Judged;
use crate::model::{Area, Killer};

/// Deaths of one cause.
#[derive(Clone, Debug)]
pub struct Group<'c, 's> {
    /// The cause; nothing where none fits.
    pub code: Option<&'static str>,
    /// Who.
    pub killer: Killer,
    /// What had filled the memory.
    pub area: Area,
    /// The cases, in the order in which they are told.
    pub cases: Vec<&'c Judged<'s>>,
}

/// Cases by cause, killer and area, the largest group first.
pub fn groups<'c, 's>(cases: &'c [Judged<'s>]) -> Vec<Group<'c, 's>> {
    let mut groups: Vec<Group<'c, 's>> = Vec::new();
    for judged in cases {
        let verdict = &judged.verdict;
        let key = (verdict.code, verdict.killer, verdict.area);
        match groups.iter_mut().find(|group| (group.code, group.killer, group.area) == key) {
            Some(group) => group.cases.push(judged),
            None => groups.push(Group {
                code: verdict.code,
                killer: verdict.killer,
                area: verdict.area,
                cases: vec![judged],
            }),
        }
    }
    groups.sort_by_key(|group| std::cmp::Reverse(group.cases.len()));
    groups
}
