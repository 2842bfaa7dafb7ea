#![allow(clippy::unwrap_used, reason = "a test")]

use super::*;
use crate::diagnose::postmortem::signal::Death;
use crate::model::Killer;

fn of(text: &str) -> Vec<Signal> {
    signals(&Excerpt::plain(text))
}

fn strains(text: &str) -> Vec<(&'static str, Option<Area>)> {
    let all = of(text).into_iter().filter_map(|signal| match signal.says {
        Says::Strain(strain) => Some((strain.name, strain.area)),
        _ => None,
    });
    all.collect()
}

fn deaths(text: &str) -> Vec<Death> {
    let all = of(text).into_iter().filter_map(|signal| match signal.says {
        Says::Death(death) => Some(death),
        _ => None,
    });
    all.collect()
}

const OOM_KILLED: &str = "\
# HELP kube_pod_container_status_last_terminated_reason Describes the last reason the container was in terminated state.
kube_pod_container_status_last_terminated_reason{namespace=\"jobs\",pod=\"orders-taskmanager-1-2\",uid=\"u\",container=\"flink-main-container\",reason=\"OOMKilled\"} 1
kube_pod_container_status_last_terminated_exitcode{namespace=\"jobs\",pod=\"orders-taskmanager-1-2\",uid=\"u\",container=\"flink-main-container\"} 137
kube_pod_container_resource_limits{namespace=\"jobs\",pod=\"orders-taskmanager-1-2\",uid=\"u\",container=\"flink-main-container\",resource=\"memory\",unit=\"byte\"} 2.147483648e+09
kube_pod_container_resource_limits{namespace=\"jobs\",pod=\"orders-taskmanager-1-2\",uid=\"u\",container=\"flink-main-container\",resource=\"cpu\",unit=\"core\"} 2
kube_pod_container_status_restarts_total{namespace=\"jobs\",pod=\"orders-taskmanager-1-2\",uid=\"u\",container=\"flink-main-container\"} 3
";

#[test]
fn a_last_end_that_was_an_oom_kill_is_one_death_of_its_pod() {
    let all = deaths(OOM_KILLED);
    let [death] = all.as_slice() else { unreachable!("{all:?}") };
    assert_eq!((death.killer, death.area), (Killer::KernelMemcg, Some(Area::Container)));
    assert_eq!((death.unit.as_deref(), death.limit), (Some("orders-taskmanager-1-2"), Some(Bytes::gib(2))));
    assert_eq!((death.usage, death.exact), (None, true));
    assert_eq!(strains(OOM_KILLED), [("restarts", None)]);
    assert!(!of(OOM_KILLED).iter().any(|signal| matches!(signal.says, Says::Ended(_))));
}

#[test]
fn an_end_by_another_reason_is_no_oom_kill() {
    let zero = OOM_KILLED.replace("\"OOMKilled\"} 1", "\"OOMKilled\"} 0");
    assert!(deaths(&zero).is_empty());
    let error = OOM_KILLED.replace("OOMKilled", "Error");
    assert!(deaths(&error).is_empty());
    assert!(of(&error).iter().any(|signal| matches!(&signal.says, Says::Ended(ended) if ended.exit == Some(137))));
    let evicted = "kube_pod_status_reason{namespace=\"jobs\",pod=\"a\",reason=\"Evicted\"} 1\n\
                   kube_pod_status_reason{namespace=\"jobs\",pod=\"a\",reason=\"NodeLost\"} 0\n";
    assert!(deaths(evicted).is_empty());
    assert_eq!(of(evicted).len(), 1);
    let short = format!("{evicted}kubelet_evictions{{eviction_signal=\"memory.available\"}} 2\n");
    let all = deaths(&short);
    assert_eq!(all.iter().map(|death| death.killer).collect::<Vec<_>>(), [Killer::KubeletEvict]);
    assert_eq!(all[0].unit.as_deref(), Some("a"));
    let disk = "kubelet_evictions{eviction_signal=\"nodefs.available\"} 2\n";
    assert!(matches!(of(disk)[0].says, Says::OtherReason { .. }));
}

fn cadvisor(container: &str, values: &[(&str, &str)]) -> String {
    let line = |(name, value): &(&str, &str)| {
        format!(
            "container_{name}{{container=\"{container}\",id=\"/kubepods/x\",namespace=\"n\",pod=\"tm-1\"}} {value} 1700000000000\n"
        )
    };
    values.iter().map(line).collect()
}

#[test]
fn a_working_set_of_files_is_page_cache_and_one_of_anonymous_pages_is_the_containers() {
    let limit = ("spec_memory_limit_bytes", "2.147483648e+09");
    let set = ("memory_working_set_bytes", "2.1e+09");
    let files = cadvisor("main", &[limit, set, ("memory_rss", "5e+08"), ("memory_cache", "1.6e+09")]);
    assert_eq!(strains(&files), [("cache-heavy", Some(Area::PageCache))]);
    let anonymous = cadvisor("main", &[limit, set, ("memory_rss", "2e+09"), ("memory_cache", "1e+07")]);
    assert_eq!(strains(&anonymous), [("near-limit", Some(Area::Container))]);
    let inactive = [limit, ("memory_usage_bytes", "2.14e+09"), ("memory_working_set_bytes", "9e+08")];
    assert_eq!(strains(&cadvisor("main", &inactive)), [("near-limit", Some(Area::PageCache))]);
    assert!(deaths(&files).is_empty() && deaths(&anonymous).is_empty());
}

#[test]
fn pods_pauses_and_unlimited_containers_are_left() {
    let values = [("spec_memory_limit_bytes", "1e+09"), ("memory_working_set_bytes", "1e+09")];
    assert!(of(&cadvisor("POD", &values)).is_empty());
    let both = format!("{}{}", cadvisor("", &values), cadvisor("main", &values));
    assert_eq!(strains(&both).len(), 1);
    for unlimited in ["0", "9223372036854771712", "9.223372036854772e+18"] {
        let values = [("spec_memory_limit_bytes", unlimited), ("memory_working_set_bytes", "9e+18")];
        assert!(of(&cadvisor("main", &values)).is_empty());
    }
    let node =
        "container_memory_working_set_bytes{id=\"/\"} 9e+10\ncontainer_spec_memory_limit_bytes{id=\"/\"} 9e+10\n";
    assert!(of(node).is_empty());
}

#[test]
fn counted_kills_are_a_death_and_limits_that_were_met_a_strain() {
    let limit = ("spec_memory_limit_bytes", "1073741824");
    let killed = deaths(&cadvisor("main", &[limit, ("oom_events_total", "2")]));
    assert_eq!(killed.len(), 1);
    assert_eq!((killed[0].killer, killed[0].limit), (Killer::KernelMemcg, Some(Bytes::gib(1))));
    assert!(deaths(&cadvisor("main", &[limit, ("oom_events_total", "0")])).is_empty());
    assert_eq!(strains(&cadvisor("main", &[limit, ("memory_failcnt", "77")])), [("limit-hit", Some(Area::Container))]);
}

#[test]
fn flinks_gauges_at_their_limits_are_strains_of_their_areas() {
    let text = "\
# TYPE flink_taskmanager_Status_JVM_Memory_Heap_Used gauge
flink_taskmanager_Status_JVM_Memory_Heap_Used{host=\"h\",tm_id=\"t1\",} 5.1E8
flink_taskmanager_Status_JVM_Memory_Heap_Max{host=\"h\",tm_id=\"t1\",} 5.36870912E8
flink_taskmanager_Status_JVM_Memory_Metaspace_Used{host=\"h\",tm_id=\"t1\",} 1.0E7
flink_taskmanager_Status_JVM_Memory_Metaspace_Max{host=\"h\",tm_id=\"t1\",} 2.68435456E8
flink_taskmanager_Status_JVM_Memory_NonHeap_Max{host=\"h\",tm_id=\"t1\",} -1.0
flink_taskmanager_Status_Shuffle_Netty_AvailableMemorySegments{host=\"h\",tm_id=\"t1\",} 0.0
flink_taskmanager_Status_Shuffle_Netty_TotalMemorySegments{host=\"h\",tm_id=\"t1\",} 4096.0
flink_taskmanager_job_task_operator_orders_rocksdb_block_cache_usage{tm_id=\"t1\",job_id=\"j\",subtask_index=\"0\",} 9.5E7
flink_taskmanager_job_task_operator_clicks_rocksdb_block_cache_usage{tm_id=\"t1\",job_id=\"j\",subtask_index=\"0\",} 9.5E7
flink_taskmanager_job_task_operator_orders_rocksdb_block_cache_capacity{tm_id=\"t1\",job_id=\"j\",subtask_index=\"0\",} 1.0E8
flink_taskmanager_job_task_operator_orders_rocksdb_is_write_stopped{tm_id=\"t1\",job_id=\"j\",subtask_index=\"0\",} 1.0
";
    assert_eq!(
        strains(text),
        [
            ("heap-nearly-full", Some(Area::Heap)),
            ("no-free-network-buffers", Some(Area::Network)),
            ("block-cache-full", Some(Area::ManagedRocksDb)),
            ("write-stop", Some(Area::ManagedRocksDb)),
        ]
    );
    let metaspace =
        of(text).into_iter().find(|signal| matches!(&signal.says, Says::Given { value, .. } if value == "268435456"));
    assert_eq!(metaspace.unwrap().line, 5);
}

#[test]
fn samples_are_found_behind_prefixes_and_with_the_arrow_of_promtool() {
    let line = "kube_pod_container_status_last_terminated_reason{container=\"c\",pod=\"p\",reason=\"OOMKilled\"}";
    assert_eq!(deaths(&format!("metrics-1  | {line} 1\n")).len(), 1);
    assert_eq!(deaths(&format!("{line} => 1 @[1700000000.5]\n")).len(), 1);
    assert!(of("alert: sum(kube_pod_container_status_last_terminated_reason{reason=\"OOMKilled\"}) > 0\n").is_empty());
    assert!(of("# HELP container_oom_events_total Count of out of memory events 4\n").is_empty());
}

proptest::proptest! {
    #[test]
    fn no_text_makes_it_panic(text: String, end in 0..OOM_KILLED.len()) {
        let _ = of(&format!("{}{text}\ncontainer_memory_rss{{{text}}} 1\n", &OOM_KILLED[..end]));
    }
}
