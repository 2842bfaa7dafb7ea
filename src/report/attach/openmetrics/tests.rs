#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::collections::BTreeSet;

use super::*;

#[test]
fn names_are_unique_and_end_with_their_unit() {
    let all = families();
    let names: BTreeSet<String> = all.iter().map(Family::sample).collect();
    assert_eq!(names.len(), all.len());
    for family in &all {
        assert!(family.unit.is_none_or(|unit| family.name.ends_with(&format!("_{unit}"))), "{}", family.name);
        assert!(!family.name.ends_with("_total") && !family.name.ends_with("_info"), "{}", family.name);
        assert!(family.name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{}", family.name);
    }
}

#[test]
fn a_scrape_of_nothing_says_what_is_gone_and_ends() {
    let text = text(&Scrape { processes: Vec::new(), gone: vec![7] });
    assert!(text.contains("# TYPE oomph_up gauge\noomph_up{pid=\"7\"} 0\n"), "{text}");
    assert!(text.ends_with("# EOF\n"));
}

#[test]
fn what_a_process_calls_itself_cannot_break_a_line() {
    assert_eq!(escaped("a\"b\\c\nd"), "a\\\"b\\\\c\\nd");
}
