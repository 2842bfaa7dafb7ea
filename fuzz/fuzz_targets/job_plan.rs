//! The plan of a job, as the REST interface gives it or anything else, and edges in words.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oomph::config::Config;
use oomph::config::job_plan::{self, Exchange, JobPlan};
use oomph::flink::profile::Profile;
use oomph::plan::network_need;
use oomph::plan::settings::Settings;

fuzz_target!(|text: &[u8]| {
    if let Ok(job) = job_plan::parse(text) {
        let config = Config::new();
        for profile in Profile::all() {
            let _ = network_need::demand(&Settings::new(&config, profile), 8, &job, None);
        }
    }
    if let Ok(text) = std::str::from_utf8(text) {
        let words: Vec<String> = text.split(',').map(str::to_owned).collect();
        let _ = JobPlan::chain(2, Exchange::Blocking, &words);
    }
});
