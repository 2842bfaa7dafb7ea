use snapbox::{assert_data_eq, str};

use super::super::over_time::looks::{header, look};
use super::*;
use crate::diagnose::ahead;
use crate::diagnose::recalled;
use crate::model::Measure;

fn shown(looks: u64, width: usize, signs: Signs) -> String {
    let budget = recalled::budget(&header());
    let mut timeline = Timeline::of_capacity(1000);
    (0..looks).for_each(|number| timeline.push(look(number)));
    let before = OverTime::of(&timeline, &[]);
    let now = Examination::recalled(look(looks - 1), budget.as_ref()).with_history(&before);
    let limit = Some(Bytes::mib(1000));
    let ahead = ahead::ahead(&before, budget.as_ref(), limit);
    block(&Watched { now: &now, timeline: &timeline, before: &before, ahead: &ahead, limit }, width, signs)
}

#[test]
fn a_block_shows_each_part_with_its_change_and_where_it_goes() {
    assert_data_eq!(shown(120, 80, Signs::Blocks), str![]);
}

#[test]
fn a_first_look_has_neither_change_nor_trend() {
    assert_data_eq!(shown(1, 80, Signs::Ascii), str![]);
}

#[test]
fn blocks_fit_their_width() {
    for looks in [1, 2, 13, 120] {
        for width in [60, 72, 80, 100] {
            let block = shown(looks, width, Signs::Blocks);
            assert!(block.lines().all(|line| line.chars().count() <= width), "{width}:\n{block}");
        }
    }
}

#[test]
fn what_two_looks_show_is_a_change_and_no_trend() {
    let block = shown(2, 80, Signs::Ascii);
    let blocks = block.lines().find(|line| line.contains("RocksDB blocks")).unwrap_or_default();
    assert!(blocks.contains("+6.0") && blocks.contains("unclear"), "{block}");
    let mut timeline = Timeline::of_capacity(16);
    timeline.push(look(0));
    assert_eq!(over_time::per_minute(&timeline.series(Measure::Rss), None), None);
}
