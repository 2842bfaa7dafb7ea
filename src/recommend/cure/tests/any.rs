//! What holds for every configuration and every cause.

use proptest::prelude::*;

use super::*;

fn any_configuration() -> impl Strategy<Value = Sick> {
    let version = prop::sample::select(vec!["1.9", "1.10", "1.12", "1.16", "1.17", "1.20", "2.0", "2.3"]);
    let deployment = prop::sample::select(vec![Deployment::Yarn, Deployment::Kubernetes, Deployment::Standalone]);
    let total = (0u32..3, 1200u32..20_000);
    let parts = (prop::option::of(0u32..300), prop::option::of(32u32..300), prop::option::of(0u32..2000));
    let seen = (any::<[bool; 7]>(), prop::option::of(64u32..4000), prop::option::of(1u32..2000));
    (version, deployment, total, parts, seen).prop_map(|(version, deployment, (which, total), parts, seen)| {
        let total_key = match (version, which) {
            ("1.9", _) => "taskmanager.heap.size",
            (_, 0) => "taskmanager.memory.flink.size",
            _ => "taskmanager.memory.process.size",
        };
        let total = format!("{total}m");
        let mut settings = vec![(total_key, total.clone()), ("jobmanager.memory.process.size", total)];
        let mut put = |key, size: Option<u32>| settings.extend(size.map(|size| (key, format!("{size}m"))));
        put("taskmanager.memory.framework.off-heap.size", parts.0);
        put("taskmanager.memory.jvm-metaspace.size", parts.1);
        put("taskmanager.memory.managed.size", parts.2);
        let borrowed: Vec<(&str, &str)> = settings.iter().map(|(key, value)| (*key, value.as_str())).collect();
        let mut sick = Sick::of(version, &borrowed).run_by(deployment);
        let ([leak, batch, python, heap_state, rocksdb, glibc, jobmanager], live, shortfall) = seen;
        sick.evidence = Evidence {
            leak,
            batch,
            python,
            python_used: live.filter(|_| python).map(Bytes::mib),
            heap_state,
            rocksdb,
            glibc: Some(glibc),
            heap_live: live.map(Bytes::mib),
            ..Evidence::default()
        };
        sick.shortfall = shortfall.map(Bytes::mib);
        sick.role = if jobmanager { Role::JobManager } else { Role::TaskManager };
        sick
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]
    #[test]
    fn what_is_recommended_plans_adds_no_error_and_grows_by_the_shortfall_and_at_most_twice_that(
        sick in any_configuration(),
        cause in prop::sample::select(causes().collect::<Vec<_>>()),
    ) {
        let advice = sick.cured_of(cause);
        for found in &advice.recommendations {
            let Proof::Planned { room, errors } = &found.proof else { continue };
            prop_assert!(found.after.is_some(), "{}", found.title);
            prop_assert!(errors.1 <= errors.0, "{}: {:?}", found.title, errors);
            let Some(room) = room else { continue };
            let by = room.after.checked_sub(room.before).unwrap();
            prop_assert!(by > Bytes::ZERO);
            if let Some(shortfall) = room.shortfall {
                prop_assert!(by >= shortfall, "{} grows by {by:?} for {shortfall:?}", found.title);
                let twice = by.get() <= shortfall.get() * 2;
                prop_assert!(twice || room.more.is_some(), "{} grows by {by:?} for {shortfall:?}", found.title);
            }
        }
        // A plan that does not fit, Flink's own pools and a cache that is too small are no leaks.
        let of_flink = ["OOM903", "OOM955", "OOM956", "OOM957", "OOM931", "OOM968"];
        if sick.evidence.leak && !of_flink.contains(&cause) {
            prop_assert!(!costs_memory(&advice), "{cause}: a leak got more memory: {}", all(&advice));
        }
    }
}
