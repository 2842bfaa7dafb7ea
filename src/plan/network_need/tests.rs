use std::io::Read;

use flate2::read::GzDecoder;
use serde_json::Value as Json;

use super::*;
use crate::config::{Config, Value};
use crate::flink::profile::Profile;
use crate::model::{Place, Source};

/// What the factories of real Flink answered.
fn answers() -> Vec<Json> {
    let packed = include_bytes!("../../../testdata/network-need/pools.jsonl.gz");
    let mut text = String::new();
    GzDecoder::new(&packed[..]).read_to_string(&mut text).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn profile(row: &Json) -> &'static Profile {
    Profile::of(row["version"].as_str().unwrap().parse().unwrap()).unwrap().0
}

#[test]
fn every_pool_is_as_large_as_the_factories_of_real_flink_make_it() {
    let (mut compared, mut refused) = (0, 0);
    for row in answers().iter().filter(|row| row["exchange"].is_string()) {
        let mut config = Config::new();
        for (key, value) in row["conf"].as_object().unwrap() {
            config.set(key.clone(), Value::text(value.as_str().unwrap()), Place::of(Source::Caller));
        }
        let settings = Settings::new(&config, profile(row));
        let knobs = Knobs::read(&settings).unwrap();
        let exchange = match row["exchange"].as_str().unwrap() {
            "PIPELINED" => Exchange::Pipelined,
            "PIPELINED_BOUNDED" => Exchange::PipelinedBounded,
            "BLOCKING" => Exchange::Blocking,
            other => panic!("{other}"),
        };
        let width = row["width"].as_u64().unwrap();
        let expected = Pool {
            required: row["required"].as_u64().unwrap_or(0),
            most: row["most"].as_u64().filter(|most| *most < i32::MAX as u64),
        };
        if row["part"] == "gate" {
            let gate = knobs.gate(exchange, width).unwrap();
            assert_eq!((gate.exclusive, gate.floating), (row["exclusive"].as_u64().unwrap(), expected), "{row}");
        } else if let Some(fails) = row["fails"].as_str() {
            let refusal = knobs.partition(exchange, width).unwrap_err().exception.message;
            assert_eq!(fails, format!("java.lang.IllegalArgumentException: {refusal}"), "{row}");
            refused += 1;
        } else {
            let partition = knobs.partition(exchange, width).unwrap().unwrap();
            assert_eq!(partition.pool, expected, "{row}");
            assert_eq!(partition.overdraft, row["overdraft"].as_u64().unwrap_or(0), "{row}");
        }
        compared += 1;
    }
    assert!(compared > 7000 && refused > 10, "{compared} {refused}");
}

#[test]
fn the_exception_ends_as_real_flink_ends_it() {
    let mut compared = 0;
    for row in answers().iter().filter(|row| row["part"] == "insufficient") {
        let config = Config::new();
        let settings = Settings::new(&config, profile(row));
        let end = exception(&settings, 10, Bytes::new(64));
        let start = "java.io.IOException: Insufficient number of network buffers: required 101, but only 10 available.";
        assert_eq!(row["message"].as_str().unwrap(), format!("{start} {end}"));
        compared += 1;
    }
    assert_eq!(compared, 16);
}

#[test]
fn nettys_arenas_threads_and_chunks_are_those_of_real_flink() {
    use crate::plan::{self, Deployment, Question};
    let mut compared = 0;
    for row in answers().iter().filter(|row| row["part"] == "netty") {
        let mut config = Config::new();
        for (key, value) in [
            ("taskmanager.numberOfTaskSlots", row["slots"].to_string()),
            ("taskmanager.memory.process.size", "4g".to_owned()),
            ("taskmanager.heap.size", "4g".to_owned()),
        ] {
            let known = key.starts_with("taskmanager.memory") == (row["version"] != "1.9.3");
            if known || key.ends_with("Slots") {
                config.set(key.to_owned(), Value::text(value), Place::of(Source::Caller));
            }
        }
        let question = Question {
            role: crate::model::Role::TaskManager,
            deployment: Deployment::Yarn,
            consumers: Vec::new(),
            managed_backend: false,
            stores: Vec::new(),
        };
        let plan = plan::plan(&config, profile(row), &question).unwrap();
        let settings = Settings::new(&config, profile(row));
        let Some(Ok(slots)) = &plan.slots else { panic!("{row}") };
        let netty = netty::netty(&settings, &plan, slots, false).unwrap();
        let ours = (netty.arenas, netty.server_threads, netty.client_threads, netty.chunk.get());
        let number = |field: &str| row[field].as_u64().unwrap();
        let real = (
            number("arenas") as u32,
            number("server_threads") as u32,
            number("client_threads") as u32,
            number("chunk"),
        );
        assert_eq!(ours, real, "{row}");
        compared += 1;
    }
    assert_eq!(compared, 16);
}

#[test]
fn a_batch_job_needs_what_its_neediest_region_needs_and_a_streaming_job_all() {
    let words: Vec<String> = ["hash", "hash"].map(str::to_owned).into();
    let streaming = JobPlan::chain(4, Exchange::PipelinedBounded, &words).unwrap();
    let batch = JobPlan::chain(4, Exchange::Blocking, &words).unwrap();
    assert_eq!(regions(&streaming), [0, 0, 0]);
    assert_eq!(regions(&batch), [0, 1, 2]);
}

/// `Status.Shuffle.Netty.RequestedMemoryUsage` was 3 on the TaskManager with 2 slots and 4096 buffers that ran this job:
/// the most of every pool, in percent, cut off; all channels were local.
#[test]
fn a_real_job_takes_as_much_of_the_buffers_as_its_taskmanager_reported() {
    let answer = include_bytes!("../../../testdata/network-need/jobs/job-1.20.5.json");
    let job = crate::config::job_plan::parse(answer).unwrap();
    let config = Config::new();
    let knobs = Knobs::read(&Settings::new(&config, Profile::of("1.20.5".parse().unwrap()).unwrap().0)).unwrap();
    let mut requested = 0;
    for (to, vertex) in job.vertices.iter().enumerate() {
        for input in &vertex.inputs {
            let edge = edge(&job, to, input, &knobs, 2).unwrap();
            requested += edge.partition.unwrap().pool.most.unwrap() * edge.partitions;
            requested += edge.gate.unwrap().floating.most.unwrap() * edge.gates;
        }
    }
    assert_eq!((requested, requested * 100 / 4096), (160, 3));
}
