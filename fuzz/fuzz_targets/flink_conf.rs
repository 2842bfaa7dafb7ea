//! Flink's own line rules: every line is a setting, an unread line, or nothing, and each knows where it stands.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oomph::config::legacy;

fuzz_target!(|text: &str| {
    let (lines, unread) = legacy::parse(text);
    assert!(lines.len() + unread.len() <= text.len() + 1);
    for line in lines {
        assert!(!line.key.is_empty());
    }
});
