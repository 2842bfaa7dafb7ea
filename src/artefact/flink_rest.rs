//! What Flink's REST answers, as typed facts. Versions 1.9 to 2.3 differ in their fields: one that is not there is
//! `Unseen`, and what stands beside it is read all the same.

mod answer;
mod cluster;
mod job;
mod metric;
mod number;
mod process_metrics;
mod rocksdb;
mod taskmanager;

pub use answer::AnswerError;
pub use cluster::{LogFile, Overview, configuration, logs, overview, version};
pub use job::{Job, JobSummary, SubtaskPlace, Vertex, job, jobs, subtask_places};
pub use metric::{Metrics, metric_names, metric_values};
pub use number::whole;
pub use process_metrics::{BufferPool, Collector, Network, ProcessMetrics, STATUS_METRICS, Usage};
pub use rocksdb::{Property, RocksDbReading, Shared, is_wanted, readings_of_vertex};
pub use taskmanager::{MemoryConfiguration, TaskManager, task_manager, task_managers};

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use super::*;
    use crate::model::{Bytes, Seen};

    macro_rules! answer {
        ($version:literal, $name:literal) => {
            include_bytes!(concat!("../../testdata/flink-rest/", $version, "/", $name)).as_slice()
        };
    }

    #[test]
    fn a_task_manager_of_both_versions_is_read_to_the_byte() {
        for (answer, id, rpc, heap, direct) in [
            (answer!("1.20.5", "taskmanager.json"), "tm-nmt120", 44_435, 251_369_472, 143_092_076),
            (answer!("2.3.0", "taskmanager.json"), "tm-base230", 38_247, 163_972_608, 143_903_085),
        ] {
            let read = task_manager(answer).unwrap();
            assert_eq!(read.id.as_deref(), Ok(id));
            assert_eq!(read.rpc(), Some(("localhost", rpc)));
            assert_eq!((read.slots_in_use(), read.free_slots.clone()), (Some(2), Ok(0)));
            // `totalResource` says 383 MiB.
            assert_eq!(read.memory.task_heap, Ok(Bytes::new(402_653_174)));
            assert_eq!(read.memory.network, Ok(Bytes::new(134_217_730)));
            assert_eq!(read.memory.total_process, Ok(Bytes::mib(1_728)));
            assert_eq!(read.metrics.heap.used, Ok(Bytes::new(heap)));
            assert_eq!(read.metrics.direct.used, Ok(Bytes::new(direct)));
            assert_eq!(read.metrics.network.segments, Ok(4_096));
            assert_eq!(read.metrics.collectors.iter().filter(|one| one.name == "All").count(), 1);
        }
    }

    #[test]
    fn a_task_manager_of_1_9_has_its_segments_and_no_budget() {
        let answer = br#"{"id":"container_e1_01","path":"akka.tcp://flink@node:41251/user/taskmanager_0","dataPort":38985,
            "timeSinceLastHeartbeat":1567689600000,"slotsNumber":1,"freeSlots":0,
            "hardware":{"cpuCores":4,"physicalMemory":33569136640,"freeMemory":1020264448,"managedMemory":714185113},
            "metrics":{"heapUsed":1,"heapCommitted":2,"heapMax":3,"nonHeapMax":-1,"directCount":5,"directUsed":6,"directMax":6,
            "memorySegmentsAvailable":3000,"memorySegmentsTotal":3278,"garbageCollectors":[{"name":"PS_MarkSweep","count":2,"time":90}]}}"#;
        let read = task_manager(answer).unwrap();
        assert_eq!(read.metrics.network.segments, Ok(3_278));
        assert_eq!(read.metrics.network.free_segments, Ok(3_000));
        assert_eq!(read.managed_memory, Ok(Bytes::new(714_185_113)));
        assert!(read.metrics.network.total.unwrap_err().why.contains("no metrics.nettyShuffleMemoryTotal"));
        assert!(read.memory.total_process.unwrap_err().why.contains("no memoryConfiguration.totalProcessMemory"));
        assert!(read.metrics.non_heap.max.unwrap_err().why.contains("not defined"));
        assert_eq!(read.metrics.collectors[0].time, Ok(90));
    }

    #[test]
    fn a_broken_task_manager_leaves_its_neighbours() {
        let answer = br#"{"taskmanagers":[{"id":7},null,"x",{"id":"b","dataPort":"NaN","slotsNumber":1e400}]}"#;
        let all = task_managers(answer).unwrap();
        assert_eq!(all.len(), 2);
        assert!(all[0].id.is_err());
        assert_eq!(all[1].id.as_deref(), Ok("b"));
        assert!(all[1].data_port.is_err() && all[1].slots.is_err());
        assert_eq!(task_managers(b"{}"), Err(AnswerError::NotA("list of TaskManagers")));
    }

    #[test]
    fn the_captured_answers_of_both_versions_are_read() {
        let ok = |text: &Seen<String>| text.clone().unwrap();
        for (version, read, named, jobs, job, options, logs, all) in [
            (
                "1.20.5",
                overview(answer!("1.20.5", "overview.json")).unwrap(),
                super::version(answer!("1.20.5", "config.json")).unwrap(),
                jobs(answer!("1.20.5", "jobs_overview.json")).unwrap(),
                job(answer!("1.20.5", "job.json")).unwrap(),
                configuration(answer!("1.20.5", "jobmanager_config.json")).unwrap(),
                logs(answer!("1.20.5", "taskmanager_logs.json")).unwrap(),
                task_managers(answer!("1.20.5", "taskmanagers.json")).unwrap(),
            ),
            (
                "2.3.0",
                overview(answer!("2.3.0", "overview.json")).unwrap(),
                super::version(answer!("2.3.0", "config.json")).unwrap(),
                jobs(answer!("2.3.0", "jobs_overview.json")).unwrap(),
                job(answer!("2.3.0", "job.json")).unwrap(),
                configuration(answer!("2.3.0", "jobmanager_config.json")).unwrap(),
                logs(answer!("2.3.0", "taskmanager_logs.json")).unwrap(),
                task_managers(answer!("2.3.0", "taskmanagers.json")).unwrap(),
            ),
        ] {
            assert_eq!((ok(&read.version), ok(&named)), (version.to_owned(), version.to_owned()));
            assert_eq!((read.task_managers, read.slots, read.free_slots), (Ok(1), Ok(2), Ok(0)));
            assert_eq!(jobs.iter().map(|job| ok(&job.state)).collect::<Vec<_>>(), ["RUNNING"]);
            assert_eq!(ok(&job.id), jobs[0].id);
            assert_eq!(
                job.vertices.iter().map(|vertex| vertex.parallelism.clone().unwrap()).collect::<Vec<_>>(),
                [2; 4]
            );
            assert!(job.vertices.iter().all(|vertex| vertex.sharing_group == job.vertices[0].sharing_group));
            assert!(options.contains(&("taskmanager.memory.process.size".to_owned(), "1728m".to_owned())));
            assert!(logs.iter().all(|log| log.size.is_ok()) && logs.len() > 4);
            assert_eq!(all[0].memory.managed, Ok(Bytes::new(536_870_920)));
            assert!(all[0].metrics.heap.used.is_err());
        }
    }

    #[test]
    fn subtasks_say_where_they_run() {
        let places = subtask_places(answer!("1.20.5", "vertex_f3c52ad168ea5842a0be53deff739f6c.json")).unwrap();
        assert_eq!(places.iter().map(|place| place.subtask).collect::<Vec<_>>(), [0, 1]);
        assert_eq!(places[1].task_manager.as_deref(), Ok("tm-nmt120"));
        assert_eq!(places[1].endpoint.as_deref(), Ok("localhost:33607"));
    }
}
