//! The plan of a job, as the REST interface gives it or anything else, and edges in words.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oomph::config::job_plan::{self, Exchange, JobPlan};

fuzz_target!(|text: &[u8]| {
    let _ = job_plan::parse(text);
    if let Ok(text) = std::str::from_utf8(text) {
        let words: Vec<String> = text.split(',').map(str::to_owned).collect();
        let _ = JobPlan::chain(2, Exchange::Blocking, &words);
    }
});
