#![no_main]

use libfuzzer_sys::fuzz_target;
use oomph::artefact::recording::{Encoder, Entries, Entry, FORMAT, Header, Machine};
use oomph::model::{Identity, Limit};

/// All entries that bytes give; they never stop the reader.
fn read(bytes: &[u8]) -> Vec<Entry> {
    let mut entries = Entries::of(bytes);
    let mut all = Vec::new();
    while let Ok(Ok(Some(entry))) = entries.read() {
        all.push(entry);
    }
    all
}

// Whatever a text is read as is read again when it is written; the fuzzer's bytes stand behind a header as well, where
// more of the grammar is reached, and each of their lines once with a right checksum.
fuzz_target!(|bytes: &[u8]| {
    read(bytes);
    let target = Identity { pid: 1, started: None, role: None, name: String::new() };
    let header = Header {
        format: FORMAT,
        oomph: String::new(),
        since: Default::default(),
        part: 0,
        target,
        machine: Machine::default(),
        limit: Ok(Limit::Unlimited),
        budget: Vec::new(),
    };
    let mut text = Encoder::new().header(&header).into_bytes();
    for line in bytes.split(|byte| *byte == b'\n') {
        text.extend(oomph::artefact::recording::sealed_again(line));
    }
    let entries = read(&text);
    let mut encoder = Encoder::new();
    let mut again = encoder.header(&header);
    for entry in &entries {
        match entry {
            Entry::Header(header) => {
                // A reader forgets what earlier parts have explained, so every part has an encoder of its own.
                encoder = Encoder::new();
                again.push_str(&encoder.header(header));
            }
            Entry::Sample(sample) => again.extend(encoder.sample(sample)),
            Entry::Event { at, what } => again.push_str(&encoder.event(*at, what)),
        }
    }
    let second = read(again.as_bytes());
    assert_eq!(second.len(), entries.len() + 1);
});
