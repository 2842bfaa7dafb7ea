//! Digests: any bytes, repeated until they are large, are read or refused, and no more is kept than there is room for.
#![no_main]

use std::io::Read;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use oomph::artefact::anchors::{Anchor, Anchors};
use oomph::probe::digest::Digest;

static ANCHORS: LazyLock<Anchors> =
    LazyLock::new(|| Anchors::new([Anchor::of("Kill"), Anchor::reaching("oom", 2, 400), Anchor::of("\n\n")]));

/// Gives the same bytes again and again.
struct Again<'t> {
    bytes: &'t [u8],
    at: usize,
}

impl Read for Again<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let rest = &self.bytes[self.at..];
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.at = (self.at + count) % self.bytes.len();
        Ok(count)
    }
}

fuzz_target!(|input: (bool, &[u8])| {
    let (large, bytes) = input;
    if bytes.is_empty() {
        return;
    }
    let size = if large { 9 << 20 } else { bytes.len() as u64 };
    if let Ok(digest) = Digest::of(Again { bytes, at: 0 }.take(size), &ANCHORS) {
        // UTF-16 takes up to three bytes for two.
        assert!(digest.bytes <= size * 3 / 2 + 3);
        assert!(digest.excerpt.text().len() < 96 << 20);
        assert!(digest.excerpt.lines().all(|line| (1..=digest.lines).contains(&line.number)));
    }
});
