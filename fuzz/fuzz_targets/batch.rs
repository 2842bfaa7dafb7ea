//! The batch protocol: whatever comes in, each line that is not blank has one answer, and it is JSON.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oomph::cli::batch;

fuzz_target!(|input: &[u8]| {
    let mut answers = Vec::new();
    batch::run(input, &mut answers).expect("memory can be read and written");
    let asked = input.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()).count();
    let answered = answers.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let mut count = 0;
    for answer in answered {
        serde_json::from_slice::<serde_json::Value>(answer).expect("an answer is JSON");
        count += 1;
    }
    assert_eq!(count, asked);
});
