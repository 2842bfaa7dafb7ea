#![allow(clippy::unwrap_used, reason = "a test")]

use std::io::{self, Cursor, Read};

use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::artefact::anchors::Anchor;
use crate::artefact::excerpt::GAP;

const SMALL: Sizes = Sizes { whole: 0, block: 4096, two_threads: false };

fn anchors() -> Anchors {
    Anchors::new([Anchor::of("Killed process "), Anchor::reaching("invoked oom-killer", 2, 400), Anchor::of("noise")])
}

fn large(text: &[u8], sizes: Sizes) -> Digest {
    sizes.digest(text, &anchors()).unwrap()
}

/// As many lines as make the edges two of many windows.
fn log(lines: u32, special: impl Fn(u32) -> Option<&'static str>) -> String {
    let mut text = String::new();
    for number in 1..=lines {
        let word = special(number).unwrap_or("nothing of note happened here");
        text.push_str(&format!("INFO line {number} {word}, and so on, up to a usual length of lines\n"));
    }
    text
}

#[test]
fn a_small_text_is_kept_whole() {
    let digest = Digest::of("one\r\ntwo\n\nfour".as_bytes(), &anchors()).unwrap();
    let lines: Vec<_> = digest.excerpt.lines().map(|line| (line.number, line.text)).collect();
    assert_eq!(lines, [(1, "one"), (2, "two"), (3, ""), (4, "four")]);
    assert_eq!((digest.bytes, digest.lines, digest.left_out), (14, 4, vec![]));
}

#[test]
fn a_large_text_is_kept_around_its_words_and_at_its_edges() {
    let text = log(30_000, |number| (number == 15_000).then_some("Killed process 4711"));
    let digest = large(text.as_bytes(), SMALL);
    let numbers: Vec<u32> = digest.excerpt.lines().map(|line| line.number).collect();
    assert!(numbers.contains(&1) && numbers.contains(&30_000));
    assert_eq!(
        numbers.iter().filter(|number| (10_000..20_000).contains(*number)).copied().collect::<Vec<_>>(),
        (14_995..=15_060).collect::<Vec<_>>()
    );
    assert_eq!(digest.excerpt.text().lines().filter(|line| *line == GAP).count(), 2);
    assert_eq!(digest.left_out, [LeftOut::Lines { count: 30_000 - numbers.len() as u64 }]);
}

#[test]
fn every_kept_line_has_the_number_that_grep_gives_it() {
    let text = log(20_000, |number| number.is_multiple_of(977).then_some("noise"));
    let lines: Vec<&str> = text.lines().collect();
    for line in large(text.as_bytes(), SMALL).excerpt.lines() {
        assert_eq!(lines[line.number as usize - 1], line.text);
    }
}

#[test]
fn of_a_word_on_every_line_the_first_and_the_last_are_kept_and_rare_ones_always() {
    let rare = |number| matches!(number, 100_000 | 250_000 | 400_000);
    let text = log(600_000, |number| Some(if rare(number) { "Killed process 1" } else { "noise" }));
    let digest = large(text.as_bytes(), Sizes { block: 1 << 20, ..SMALL });
    let numbers: Vec<u32> = digest.excerpt.lines().map(|line| line.number).collect();
    for number in [1, 100_000, 250_000, 400_000, 600_000] {
        assert!(numbers.contains(&number), "{number}");
    }
    let kept = numbers.iter().filter(|number| !rare(**number)).count() as u64;
    let LeftOut::Repeated { word: "noise", count, first, last } = digest.left_out[0] else {
        panic!("{:?}", digest.left_out)
    };
    assert_eq!(kept + count, 600_000 - 3);
    assert!(first < 300_000 && last > 300_000);
    assert!(digest.excerpt.text().len() + numbers.len() * LINE <= ROOM);
}

#[test]
fn a_line_without_end_is_cut_and_what_is_cut_is_said() {
    let mut text = b"before\n".to_vec();
    text.extend(vec![b'x'; 5 << 20]);
    text.extend(b"\nafter Killed process 3\n");
    let cut = [LeftOut::OfLine { line: 2, bytes: 4 << 20 }];
    for sizes in [SMALL, Sizes { block: 8 << 20, ..SMALL }, Sizes { whole: 8 << 20, ..SMALL }] {
        let digest = large(&text, sizes);
        assert_eq!(digest.left_out, cut, "{sizes:?}");
        let lines: Vec<_> = digest.excerpt.lines().map(|line| (line.number, line.text.len())).collect();
        assert_eq!(lines, [(1, 6), (2, 1 << 20), (3, 22)]);
    }
}

#[test]
fn a_line_that_is_full_of_words_is_looked_through_once() {
    let text = format!("{}\n", "noise".repeat(200_000)).repeat(4);
    let start = std::time::Instant::now();
    assert_eq!(large(text.as_bytes(), SMALL).lines, 4);
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}

#[test]
fn a_text_of_empty_lines_alone_is_kept_at_its_edges() {
    let digest = Digest::of(io::repeat(b'\n').take(3 << 20), &anchors()).unwrap();
    assert_eq!(digest.lines, 3 << 20);
    assert_eq!(digest.excerpt.lines().count(), 2 * (64 << 10));
}

#[rstest]
#[case(b"\xff\xfeK\0i\0l\0l\0\n\0\x3d\xd8\x00\xde\n\0", "Kill\n\u{1f600}\n")]
#[case(b"\xfe\xff\0K\0i\0l\0l", "Kill\n")]
#[case(b"K\0i\0l\0l\0e\0d\0\r\0\n\0", "Killed\n")]
#[case(b"\xef\xbb\xbfKill", "Kill\n")]
#[case(b"one\rtwo\r", "one\ntwo\n")]
#[case(b"M\xe9moire", "M\u{e9}moire\n")]
fn characters_are_told(#[case] bytes: &[u8], #[case] text: &str) {
    assert_eq!(Digest::of(bytes, &anchors()).unwrap().excerpt.text(), text);
}

#[rstest]
#[case(b"\0\0\0\0\0\0\0\0\0\0\0\0")]
#[case(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0\x3e\0")]
fn what_is_no_text_is_refused(#[case] bytes: &[u8]) {
    assert_eq!(Digest::of(bytes, &anchors()), Err(Unseen::because("it is not text")));
}

/// Gives bytes in pieces of one size, and fails at the end.
struct Torn<'t>(&'t [u8], usize);

impl Read for Torn<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.0.is_empty() {
            return Err(io::Error::other("the disk is gone"));
        }
        let count = self.1.min(buffer.len()).min(self.0.len());
        let (now, later) = self.0.split_at(count);
        buffer[..count].copy_from_slice(now);
        self.0 = later;
        Ok(count)
    }
}

#[test]
fn a_text_that_cannot_be_read_to_its_end_is_kept_as_far_as_it_goes() {
    for sizes in [SMALL, Sizes { whole: 1 << 20, ..SMALL }] {
        let digest = sizes.digest(Torn(b"one\ntwo Killed process 3\nthr", 5), &anchors()).unwrap();
        assert_eq!(digest.excerpt.text(), "one\ntwo Killed process 3\nthr\n");
        assert_eq!(digest.left_out, [LeftOut::Rest { after: 28, why: "the disk is gone".to_owned() }]);
    }
}

#[test]
fn two_threads_find_what_one_finds() {
    let text = log(200_000, |number| match number % 5000 {
        0 => Some("Killed process 1"),
        1 => Some("invoked oom-killer"),
        _ => None,
    });
    let one = large(text.as_bytes(), SMALL);
    assert_eq!(large(text.as_bytes(), Sizes { two_threads: true, ..SMALL }), one);
}

#[test]
fn more_words_than_fit_into_registers_are_found_too() {
    const WORDS: [&str; 80] = {
        let mut words = ["Killed process "; 80];
        let mut index = 0;
        while index < 79 {
            words[index] =
                "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789abcdefghijklmnopqrstuvwxyz"
                    .split_at(index)
                    .1;
            index += 1;
        }
        words
    };
    let text = log(30_000, |number| (number == 15_000).then_some("Killed process 4711"));
    let digest = SMALL.digest(text.as_bytes(), &Anchors::new(WORDS)).unwrap();
    assert!(digest.excerpt.lines().any(|line| line.number == 15_000));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn where_blocks_end_makes_no_difference(
        pieces in prop::collection::vec(prop::sample::select(vec![
            "\n", "plain words\n", "Killed process 12\n", "invoked oom-killer", "noise", " noise\n", "\r\n", "é", "long long line ",
        ]), 0..400),
        repeat in 1..40_usize,
        block in 1..5000_usize,
    ) {
        let text = pieces.concat().repeat(repeat);
        let one = large(text.as_bytes(), Sizes { block: 1 << 22, ..SMALL });
        prop_assert_eq!(&large(text.as_bytes(), Sizes { block, ..SMALL }), &one);
        let split: Vec<&str> = text.split('\n').collect();
        for line in one.excerpt.lines() {
            prop_assert_eq!(split[line.number as usize - 1].trim_end_matches('\r'), line.text);
        }
        // Nothing with a word is lost without being said.
        let repeated = one.left_out.iter().any(|left_out| matches!(left_out, LeftOut::Repeated { .. }));
        let kept: std::collections::HashSet<u32> = one.excerpt.lines().map(|line| line.number).collect();
        for (number, line) in (1..).zip(&split) {
            let matters = ["Killed process ", "invoked oom-killer", "noise"].iter().any(|word| line.contains(word));
            prop_assert!(!matters || repeated || kept.contains(&number), "{}", number);
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..3000), block in 1..3000_usize) {
        let _ = Digest::of(bytes.as_slice(), &anchors());
        let _ = Sizes { block, ..SMALL }.digest(Cursor::new(&bytes), &anchors());
    }

    #[test]
    fn a_whole_text_has_all_its_lines(text in "([a-zA-Z0-9 :;.,é]{0,30}\n){0,50}") {
        let digest = Digest::of(text.as_bytes(), &anchors()).unwrap_or_default();
        prop_assert_eq!(digest.excerpt.text(), text);
    }
}
