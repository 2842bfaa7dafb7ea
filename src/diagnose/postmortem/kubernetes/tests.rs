#![allow(clippy::unwrap_used, reason = "a test")]

use rstest::rstest;

use super::*;

fn said(text: &str) -> Vec<Says> {
    signals(&Excerpt::plain(text)).into_iter().map(|signal| signal.says).collect()
}

fn deaths(text: &str) -> Vec<Death> {
    let death = |says| match says {
        Says::Death(death) => Some(death),
        _ => None,
    };
    said(text).into_iter().filter_map(death).collect()
}

#[test]
fn a_container_killed_at_its_limit_is_the_kernels() {
    let text = "Name: tm-1\nNamespace: n\nContainers:\n  main:\n    Container ID:  containerd://1\n    State:  Waiting\n      \
        Reason:  CrashLoopBackOff\n    Last State:  Terminated\n      Reason:  OOMKilled\n      Exit Code:  137\n    \
        Restart Count:  2\n    Limits:\n      memory:  1728Mi\n    Requests:\n      memory:  1728Mi\n";
    let deaths = deaths(text);
    assert_eq!((deaths[0].killer, deaths[0].limit), (Killer::KernelMemcg, Some(Bytes::mib(1728))));
    assert_eq!((deaths[0].unit.as_deref(), deaths[0].usage), (Some("tm-1"), None));
    let given = Says::Given { key: "resources.limits.memory".to_owned(), value: "1728Mi".to_owned() };
    assert!(said(text).contains(&given));
}

#[test]
fn an_eviction_in_a_status_and_an_event_is_one_death() {
    let message =
        "The node was low on resource: memory. Container main was using 2096036Ki, which exceeds its request of 0. ";
    let text = format!(
        "Name: tm-1\nNamespace: n\nStatus: Failed\nReason: Evicted\nMessage: {message}\nEvents:\n  Warning  Evicted  4m  kubelet  {message}\n"
    );
    let deaths = deaths(&text);
    assert_eq!(deaths.len(), 1);
    assert_eq!((deaths[0].killer, deaths[0].usage), (Killer::KubeletEvict, Some(Bytes::new(2_146_340_864))));
    assert_eq!((deaths[0].limit, deaths[0].unit.as_deref()), (None, Some("tm-1")));
    assert!(!said(&text).iter().any(|says| matches!(says, Says::Ended(_))));
    let row = "streams   tm-1   0/1   Evicted   0   4m\n";
    assert!(matches!(&said(row)[..], [Says::Ended(Ended { unit: Some(unit), .. })] if unit == "tm-1"));
}

#[test]
fn evictions_of_two_pods_are_two_deaths() {
    let row = |pod: &str, used: u32| {
        format!(
            "9s Warning Evicted pod/{pod} The node was low on resource: memory. Container main was using {used}Ki, which exceeds its request of 0.\n"
        )
    };
    let deaths = deaths(&format!("{}{}", row("tm-1", 10), row("tm-2", 20)));
    assert_eq!(deaths.iter().map(|death| death.unit.as_deref()).collect::<Vec<_>>(), [Some("tm-1"), Some("tm-2")]);
}

#[test]
fn the_log_of_the_kubelet_names_resource_and_pod_apart() {
    let log = |resource| {
        format!(
            "\"Eviction manager: attempting to reclaim\" resourceName=\"{resource}\"\n\
         \"Eviction manager: pod is evicted successfully\" pod=\"n/tm-1\"\n"
        )
    };
    assert_eq!(deaths(&log("memory"))[0].unit.as_deref(), Some("tm-1"));
    assert_eq!(deaths(&log("ephemeral-storage")), []);
    let alone = said("\"Eviction manager: pod is evicted successfully\" pod=\"n/tm-1\"\n");
    assert_eq!(alone, [Says::Ended(Ended { exit: None, pid: None, unit: Some("tm-1".to_owned()) })]);
}

#[rstest]
#[case(
    "The node was low on resource: ephemeral-storage. Container a was using 9Ki, which exceeds its request of 0.",
    true
)]
#[case("The node had condition: [DiskPressure]. ", true)]
#[case("Pod ephemeral local storage usage exceeds the total limit of containers 1Gi. ", true)]
#[case("Container main failed liveness probe, will be restarted", true)]
#[case("Liveness probe failed: HTTP probe failed with statuscode: 503", false)]
#[case("Preempted in order to admit critical pod", true)]
#[case("Preempted by 1234-5678 on node node-3", true)]
#[case("Reason: Terminated\nMessage: Pod was terminated in response to imminent node shutdown.", true)]
#[case("evicting pod streams/tm-1", true)]
#[case("Usage of EmptyDir volume \"scratch\" exceeds the limit \"1Gi\". ", true)]
fn what_is_not_memory_is_another_reason(#[case] text: &str, #[case] expected: bool) {
    let said = said(text);
    assert!(matches!(&said[..], [Says::OtherReason { ends, .. }] if *ends == expected), "{said:?}");
}

#[test]
fn a_volume_in_memory_is_memory() {
    let text = "volumes:\n- emptyDir:\n    medium: Memory\nmessage: 'Usage of EmptyDir volume \"shm\" exceeds the limit \"1Gi\". '\n";
    assert_eq!((deaths(text)[0].killer, deaths(text)[0].area), (Killer::KubeletEvict, Some(Area::Tmpfs)));
}

#[rstest]
#[case("Last State: Terminated\n  Reason: Error\n  Exit Code: 137\n", Some(137))]
#[case("State: Terminated\n  Reason: ContainerStatusUnknown\n  Exit Code: 137\n", Some(137))]
#[case("State: Terminated\n  Reason: Error\n  Exit Code: 143\n", Some(143))]
fn an_exit_code_alone_says_no_more(#[case] text: &str, #[case] exit: Option<i32>) {
    assert_eq!(said(text), [Says::Ended(Ended { exit, pid: None, unit: None })]);
}

#[rstest]
#[case("System OOM encountered, victim process: java, pid: 7", None)]
#[case("\"Got sys oom event\" event=&{Pid:7 ProcessName:java Constraint:CONSTRAINT_MEMCG}", Some(Killer::KernelMemcg))]
#[case("TaskOOM event container_id:\"aabbccddeeff\"", Some(Killer::KernelMemcg))]
fn what_a_runtime_saw_names_the_killer_where_it_knows_it(#[case] text: &str, #[case] killer: Option<Killer>) {
    assert_eq!(deaths(text).first().map(|death| death.killer), killer);
}

#[rstest]
#[case::healthy("State: Running\n  Started: x\nReady: True\nRestart Count: 0\n")]
#[case::completed("State: Terminated\n  Reason: Completed\n  Exit Code: 0\n")]
#[case::not_by_docker("\"OOMKilled\": false")]
#[case::prose("Check whether the pod was OOMKilled, or evicted.")]
#[case::flinks_words(
    "Pod terminated, container termination statuses: [flink-main-container(exitCode=137, reason=OOMKilled, message=null)]"
)]
fn what_tells_no_end_is_silent(#[case] text: &str) {
    assert_eq!(said(text), []);
}
