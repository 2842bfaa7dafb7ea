#![allow(clippy::unwrap_used, reason = "a test")]

use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::model::Bytes;

const DESCRIBE: &str = "\
Name:             flink-taskmanager-1-7
Namespace:        streams
Status:           Running
Init Containers:
  fetch:
    Container ID:  containerd://aa11
    State:          Terminated
      Reason:       Completed
      Exit Code:    0
      Started:      Tue, 03 Mar 2026 05:45:20 +0100
      Finished:     Tue, 03 Mar 2026 05:45:29 +0100
    Ready:          True
    Limits:
      memory:  64Mi
Containers:
  flink-main-container:
    Container ID:  containerd://bb22
    Image:         flink:1.20
    State:          Running
      Started:      Tue, 03 Mar 2026 06:42:07 +0100
    Last State:     Terminated
      Reason:       OOMKilled
      Exit Code:    137
      Started:      Tue, 03 Mar 2026 05:45:30 +0100
      Finished:     Tue, 03 Mar 2026 06:42:06 +0100
    Ready:          True
    Restart Count:  3
    Limits:
      cpu:     2
      memory:  1728Mi
    Requests:
      cpu:        2
      memory:     1Gi
    Environment:  <none>
Conditions:
  Type              Status
  Ready             True
";

/// As `kubectl get pods -o json` prints a list: keys by the alphabet.
const JSON: &str = r#"{ "apiVersion": "v1", "items": [
 { "kind": "Pod", "metadata": { "labels": {"app": "x"}, "name": "tm-a", "namespace": "n1" },
   "spec": { "containers": [ { "env": [{"name": "A"}], "image": "flink", "name": "main", "ports": [{"containerPort": 6122, "name": "rpc"}],
      "resources": { "limits": { "cpu": "1", "memory": "2Gi" }, "requests": { "memory": "1Gi" } } },
      { "name": "side", "resources": { "limits": { "memory": "100M" } } } ] },
   "status": { "containerStatuses": [
      { "containerID": "containerd://1", "image": "flink", "lastState": { "terminated": { "containerID": "containerd://0", "exitCode": 137,
        "finishedAt": "2026-03-03T00:00:00Z", "reason": "OOMKilled", "startedAt": "2026-03-02T00:00:00Z" } }, "name": "main", "ready": true,
        "restartCount": 4, "state": { "running": { "startedAt": "2026-03-03T00:00:01Z" } } },
      { "containerID": "containerd://2", "image": "side", "lastState": {}, "name": "side", "ready": false, "restartCount": 0,
        "state": { "terminated": { "exitCode": 1, "finishedAt": "x", "message": "bad, {odd} \"text\"", "reason": "Error", "startedAt": "y" } } } ],
     "phase": "Running" } },
 { "kind": "Pod", "metadata": { "name": "tm-b", "namespace": "n1" }, "spec": { "containers": [ { "name": "main", "resources": {} } ] },
   "status": { "message": "The node was low on resource: memory. ", "phase": "Failed", "reason": "Evicted" } } ], "kind": "List" }
"#;

/// Each end as `pod/container reason exit`.
fn ends(pods: &[Pod]) -> Vec<String> {
    let or = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    let one = |pod: &Pod, end: &Terminated| {
        let exit = end.exit.map_or_else(|| "-".to_owned(), |exit| exit.to_string());
        format!("{}/{} {} {exit}", or(&pod.name), or(&end.container), or(&end.reason))
    };
    pods.iter().flat_map(|pod| pod.ended.iter().map(move |end| one(pod, end))).collect()
}

#[test]
fn describe_is_read_container_by_container() {
    let pods = read(DESCRIBE).pods;
    assert_eq!(
        ends(&pods),
        ["flink-taskmanager-1-7/fetch Completed 0", "flink-taskmanager-1-7/flink-main-container OOMKilled 137"]
    );
    assert_eq!(pods[0].limit(Some("flink-main-container")).unwrap().bytes, Bytes::mib(1728));
    assert_eq!(pods[0].limits.len(), 2);
}

#[test]
fn a_list_in_json_is_read_pod_by_pod() {
    let pods = read(JSON).pods;
    assert_eq!(ends(&pods), ["tm-a/main OOMKilled 137", "tm-a/side Error 1"]);
    assert_eq!(pods[0].limit(Some("main")).unwrap().bytes, Bytes::gib(2));
    assert_eq!(pods[0].limit(Some("side")).unwrap().bytes, Bytes::new(100_000_000));
    assert_eq!(pods[1].reason.as_ref().unwrap().1, "Evicted");
    assert_eq!(pods[1].name.as_deref(), Some("tm-b"));
}

#[test]
fn json_without_blanks_or_its_end_is_read_the_same() {
    let squeezed: String =
        JSON.lines().map(str::trim).collect::<String>().replace("\": ", "\":").replace(", \"", ",\"");
    let cut = squeezed.split_once(",\"restartCount\":4").unwrap().0;
    let pods = read(cut).pods;
    assert_eq!(ends(&pods), ["tm-a/main OOMKilled 137"]);
    assert_eq!(pods[0].limit(Some("main")).unwrap().text, "2Gi");
}

#[test]
fn the_order_of_the_structure_is_read_too() {
    let text = r#"{"metadata":{"name":"tm","namespace":"n"},"spec":{"containers":[{"name":"main","image":"flink","resources":{"limits":{"memory":"1Gi"}}}]},
        "status":{"phase":"Running","containerStatuses":[{"name":"main","state":{"running":{"startedAt":"x"}},"lastState":{"terminated":{"exitCode":137,"reason":"OOMKilled","startedAt":"x","finishedAt":"y"}},"ready":true,"restartCount":1},
        {"name":"side","state":{"running":{}},"lastState":{},"ready":true}]}}"#;
    let pods = read(text).pods;
    assert_eq!(ends(&pods), ["tm/main OOMKilled 137"]);
    assert_eq!(pods[0].limit(Some("main")).unwrap().bytes, Bytes::gib(1));
}

#[test]
fn yaml_is_read() {
    let text = "metadata:\n  name: tm-y\n  namespace: n\nspec:\n  containers:\n  - image: flink\n    name: main\n    ports:\n    - name: rpc\n    \
        resources:\n      limits:\n        memory: 1728Mi\n      requests:\n        memory: 1Gi\nstatus:\n  containerStatuses:\n  \
        - containerID: containerd://1\n    image: flink\n    lastState:\n      terminated:\n        exitCode: 137\n        \
        finishedAt: \"2026-03-03T00:00:00Z\"\n        reason: OOMKilled\n        startedAt: \"2026-03-02T00:00:00Z\"\n    name: main\n    \
        ready: true\n    restartCount: 2\n    state:\n      running:\n        startedAt: \"x\"\n  hostIP: 10.0.0.1\n  phase: Running\n";
    let pods = read(text).pods;
    assert_eq!(ends(&pods), ["tm-y/main OOMKilled 137"]);
    assert_eq!(pods[0].limit(Some("main")).unwrap().bytes, Bytes::mib(1728));
}

#[test]
fn docker_shows_whether_its_cgroup_had_a_kill() {
    let text = |killed| {
        format!(
            r#"[{{"Id": "ab", "State": {{"Status": "exited", "Running": false, "OOMKilled": {killed}, "Dead": false, "Pid": 0, "ExitCode": 137,
        "Error": "", "StartedAt": "x", "FinishedAt": "y"}}, "Image": "sha256:1", "Name": "/tm", "HostConfig": {{"Memory": 536870912, "MemoryReservation": 0}}}}]"#
        )
    };
    let pods = read(&text("true")).pods;
    assert_eq!(ends(&pods), ["-/- OOMKilled 137"]);
    assert_eq!(pods[0].limit(None).unwrap().bytes, Bytes::mib(512));
    assert_eq!(ends(&read(&text("false")).pods), ["-/- - 137"]);
}

#[rstest]
#[case("      Reason:       OOMKilled\n      Exit Code:    137\n", "OOMKilled 137")]
#[case("> Last State:     Terminated\n>   Reason:       OOMKilled\n>   Exit Code:    1\n", "OOMKilled 1")]
#[case("container state: terminated\n exit code: 137\n termination reason: OOMKilled\n", "OOMKilled 137")]
#[case("tm-0   0/1     OOMKilled   4 (12s ago)   9m", "OOMKilled -")]
fn a_piece_of_a_status_is_read(#[case] text: &str, #[case] expected: &str) {
    let ends = ends(&read(text).pods);
    assert!(ends.len() == 1 && ends[0].ends_with(expected), "{ends:?}");
}

#[rstest]
#[case("Container container_e1_01 exited with  exitCode: -104")]
#[case("Exit code: 143")]
#[case("Diagnostics: reason: Error")]
fn what_yarn_writes_is_no_status(#[case] text: &str) {
    assert_eq!(ends(&read(text).pods), [""; 0]);
}

fn messages(text: &str) -> Vec<Message> {
    read(text).messages.into_iter().map(|(_, message)| message).collect()
}

#[rstest]
#[case::old("The node was low on resource: memory. Container main was using 2096036Ki, which exceeds its request of 1Gi. ", Some((2_146_340_864, 1 << 30)), None)]
#[case::new("The node was low on resource: memory. Threshold quantity: 100Mi, available: 50Mi. Container main was using 2096036Ki, request is 1Gi, has larger consumption of memory. ", Some((2_146_340_864, 1 << 30)), Some((100, 50)))]
#[case::wrapped("> The node was low on\n> resource: memory. Container main was\n> using 2096036Ki, which exceeds its request of\n> 1Gi.\n", Some((2_146_340_864, 1 << 30)), None)]
#[case::bare("The node was low on resource: memory.", None, None)]
fn an_eviction_names_what_the_node_lacked_and_who_used_it(
    #[case] text: &str,
    #[case] using: Option<(u64, u64)>,
    #[case] free: Option<(u32, u32)>,
) {
    let all = messages(text);
    let [Message::Evicted { resource, threshold, using: found, .. }] = &all[..] else { panic!("{all:?}") };
    assert_eq!(resource.as_deref(), Some("memory"));
    assert_eq!(*threshold, free.map(|(one, other)| (Bytes::mib(one), Bytes::mib(other))));
    let found = found.first().map(|using| (using.used.get(), using.request.unwrap().get()));
    assert_eq!(found, using);
}

#[rstest]
#[case(
    "warning SystemOOM node/n System OOM encountered, victim process: java, pid: 812",
    Some(812),
    Some("java"),
    None
)]
#[case("System OOM encountered:  process pid 812, process name: java", Some(812), Some("java"), None)]
#[case(
    "oom_watcher_linux.go:77] \"Got sys oom event\" event=&{Pid:812 ProcessName:java TimeOfDeath:2026-03-03 ContainerName:/kubepods/a VictimContainerName:/kubepods/a/bb Constraint:CONSTRAINT_MEMCG}",
    Some(812),
    Some("java"),
    Some("CONSTRAINT_MEMCG")
)]
#[case("System OOM encountered", None, None, None)]
fn the_kubelet_saw_a_process_die(
    #[case] text: &str,
    #[case] pid: Option<u32>,
    #[case] process: Option<&str>,
    #[case] constraint: Option<&str>,
) {
    let all = messages(text);
    let [Message::SystemOom { pid: seen, process: name, constraint: bound, .. }] = &all[..] else { panic!("{all:?}") };
    assert_eq!((*seen, name.as_deref(), bound.as_deref()), (pid, process, constraint));
}

#[rstest]
#[case(r#"level=info msg="TaskOOM event container_id:\"aabbccddeeff\"""#)]
#[case("TaskOOM event &TaskOOM{ContainerID:aabbccddeeff,XXX_unrecognized:[],}")]
#[case("2026-03-03T10:00:00.1+01:00 container oom aabbccddeeff (image=flink, name=tm)")]
#[case(r#"{"status":"oom","id":"aabbccddeeff","from":"flink"}"#)]
fn a_runtime_saw_a_kill_in_a_container(#[case] text: &str) {
    assert_eq!(messages(text), [Message::TaskOom { container: Some("aabbccddeeff".to_owned()) }]);
}

#[rstest]
#[case("eviction_manager.go:350] \"Eviction manager: attempting to reclaim\" resourceName=\"memory\"")]
#[case("eviction_manager.go:350] eviction manager: attempting to reclaim memory")]
#[case("eviction manager: must evict pod(s) to reclaim memory")]
#[case("Warning  EvictionThresholdMet  12s  kubelet  Attempting to reclaim memory")]
fn the_kubelet_looks_for_memory(#[case] text: &str) {
    assert_eq!(messages(text), [Message::Reclaiming { resource: "memory".to_owned() }]);
}

#[rstest]
#[case("eviction_manager.go:600] \"Eviction manager: pod is evicted successfully\" pod=\"n/tm-1\"")]
#[case("eviction manager: pod tm-1_n(aa-bb) is evicted successfully")]
fn the_kubelet_has_evicted_a_pod(#[case] text: &str) {
    assert_eq!(messages(text), [Message::PodEvicted { pod: Some("tm-1".to_owned()) }]);
}

#[test]
fn every_part_of_a_status_is_read() {
    for text in [DESCRIBE, JSON] {
        for at in (0..text.len()).filter(|at| text.is_char_boundary(*at)).step_by(13) {
            read(&text[..at]);
            read(&text[at..]);
        }
    }
}

proptest! {
    #[test]
    fn any_lines_are_read(mut lines in Just([DESCRIBE, JSON].concat().lines().map(str::to_owned).collect::<Vec<_>>()).prop_shuffle(), keep in 0_usize..60, noise in ".{0,40}") {
        lines.truncate(keep);
        lines.push(noise);
        let status = read(&lines.join("\n"));
        prop_assert!(status.pods.iter().map(|pod| pod.ended.len()).sum::<usize>() <= lines.iter().map(|line| line.len()).sum::<usize>());
    }
}

#[rstest]
#[case::template("LastState: map[terminated:map[exitCode:137 reason:OOM Killed startedAt:2026-03-03T00:00:00Z]]")]
#[case::new_template("map[terminated:map[containerID:containerd://1 exitCode:137 reason:OOMKilled startedAt:x]]")]
#[case::python("{'exit_code': 137, 'message': None, 'reason': 'OOMKilled', 'signal': None}")]
#[case::operator(r#"{"message":"[JobManager] reason: OOMKilled, exitCode: 137"}"#)]
#[case::workflow("  Message:  OOMKilled (exit code 137)")]
fn others_tell_the_reason_in_their_words(#[case] text: &str) {
    let ends = ends(&read(text).pods);
    assert!(ends.iter().any(|end| end.contains("OOMKilled")), "{ends:?}");
}

#[rstest]
#[case::a_rule("expr: kube_pod_container_status_last_terminated_reason{reason=\"OOMKilled\"} > 0")]
#[case::a_metric_that_is_0(r#"{"metric":{"reason":"OOMKilled","uid":"x"},"value":[1700000000.1,"0"]}"#)]
#[case::prose("a container that is OOMKilled is restarted")]
fn where_it_is_only_named_nobody_died(#[case] text: &str) {
    assert_eq!(ends(&read(text).pods), [""; 0]);
}

#[test]
fn a_container_without_its_id_keeps_its_limit() {
    let text = "  one:\n    State:          Running\n    Limits:\n      memory:  1Gi\n  two:\n    State:          Waiting\n      \
                Reason:       CrashLoopBackOff\n    Last State:     Terminated\n      Reason:       OOMKilled\n      Exit \
                Code:    137\n    Limits:\n      memory:  3Gi\n";
    let pods = read(text).pods;
    assert_eq!(ends(&pods), ["-/two OOMKilled 137"]);
    assert_eq!(pods[0].limit(Some("two")).unwrap().bytes, Bytes::gib(3));
}

#[test]
fn an_eviction_that_is_only_quoted_is_none() {
    assert_eq!(messages("you will see \"The node was low on resource: memory\" there"), []);
}

#[test]
fn a_volume_that_outgrew_its_limit_names_it() {
    assert_eq!(
        messages("Usage of EmptyDir volume \"shm\" exceeds the limit \"1Gi\". "),
        [Message::Storage { volume: true, limit: Some(Bytes::gib(1)) }]
    );
}

#[test]
fn the_agent_of_ecs_names_no_container() {
    let text = r#""reason":"OutOfMemoryError: Container killed due to memory usage""#;
    assert_eq!(messages(text), [Message::TaskOom { container: None }]);
}
