//! Masking keeps lengths, writes nothing but stars, and leaves the words alone that memory is reckoned by.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oomph::artefact::masking::{Masked, Masker};
use oomph::flink::sensitive::is_sensitive;

fuzz_target!(|bytes: &[u8]| {
    let masker = Masker::new(&is_sensitive);
    let holds = |masked: &Masked| {
        assert_eq!(masked.bytes.len(), bytes.len());
        assert!(bytes.iter().zip(&masked.bytes).all(|(before, after)| before == after || *after == b'*'));
    };
    let (words, known) = masker.command_line(bytes);
    holds(&words);
    for (before, after) in bytes.split(|byte| *byte == 0).zip(words.bytes.split(|byte| *byte == 0)) {
        let is_size =
            |start: &[u8]| before.starts_with(start) && before[start.len()..].iter().all(u8::is_ascii_alphanumeric);
        if is_size(b"-Xmx") || is_size(b"-XX:MaxMetaspaceSize=") || is_size(b"taskmanager.memory.managed.size=") {
            assert_eq!(before, after);
        }
    }
    holds(&masker.performance_data(bytes, &known));
    holds(&masker.text(bytes));
    holds(&masker.addresses(bytes));
    masker.environment(bytes);
});
