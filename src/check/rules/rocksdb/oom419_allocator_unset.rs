use super::allocator::{self, Allocator, Known, variable};
use crate::check::rule::rule;
use crate::check::{Case, Collector, FixKind};
use crate::model::{Confidence, Deployment, Role, Severity};

rule! {
    /// Nothing keeps the C library from holding on to memory that RocksDB gave back.
    ///
    /// ### Why
    /// glibc gives threads arenas of their own, up to eight a core, and what RocksDB frees stays in them: after each restart
    /// of a job the process is larger, while Flink's own metrics stay where they were. We started one job eight times on one
    /// TaskManager of Flink 1.20.5: memory outside the heap grew by 526 MiB with glibc as it comes, by 74 MiB with
    /// `MALLOC_ARENA_MAX=1`, and by 53 MiB with jemalloc. Flink's image preloads jemalloc from 1.12 on, unless
    /// `DISABLE_JEMALLOC` says otherwise; on YARN, on bare machines and in older images nobody does.
    ///
    /// Scripts of Hadoop set `MALLOC_ARENA_MAX=4`, which a NodeManager hands on to its containers; whether it does is not
    /// written in Flink's configuration.
    ///
    /// ### Bad
    /// ```yaml flink-conf.yaml
    /// # oomph: flink=1.18 deployment=yarn
    /// state.backend.type: rocksdb
    /// ```
    ///
    /// ```yaml config.yaml
    /// # oomph: flink=1.20 deployment=kubernetes
    /// state.backend.type: rocksdb
    /// containerized.taskmanager.env.DISABLE_JEMALLOC: "true"
    /// ```
    ///
    /// ### Good
    /// ```yaml flink-conf.yaml
    /// # oomph: flink=1.18 deployment=yarn
    /// state.backend.type: rocksdb
    /// containerized.taskmanager.env.MALLOC_ARENA_MAX: 1
    /// ```
    ///
    /// ### Sources
    /// - FLINK-19125, memory that grows with every restart: https://github.com/apache/flink-docker/pull/42.
    /// - jemalloc is in the image alone: https://github.com/apache/flink/pull/14248.
    /// - 25 GB with glibc, 13 GB with jemalloc: https://github.com/facebook/rocksdb/issues/5222.
    /// - `maybe_enable_jemalloc` in `docker-entrypoint.sh` of apache/flink-docker, 1.12 to 2.3.
    /// - Limit of arenas: https://sourceware.org/legacy-ml/libc-alpha/2016-10/msg00300.html.
    /// - `yarn.nodemanager.admin-env` in `yarn-default.xml`.
    "OOM419" "allocator-unset" {
        confidence: Confidence::Medium,
        fix: FixKind::Unsafe,
        check: check,
    }
}

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    let (Some(store), Some(backend)) = (case.store(), case.backend_setting()) else { return };
    let Allocator::Glibc(switch) = allocator::of(case, Role::TaskManager) else { return };
    if !matches!(variable(case, Role::TaskManager, "MALLOC_ARENA_MAX"), Known::Unset) {
        return;
    }
    let store = store.label();
    let in_image = case.pod(Role::TaskManager).is_some() || case.deployment == Some(Deployment::Kubernetes);
    let note = "memory that RocksDB frees stays in arenas of glibc; with a job started eight times on one TaskManager that \
                were 526 MiB, with MALLOC_ARENA_MAX=1 74 MiB, with jemalloc 53 MiB";
    match (switch, case.deployment) {
        (Some(place), _) => found
            .find(format!("jemalloc is switched off under {store}"))
            .confidence(Confidence::High)
            .at(&place, "any text but false switches it off")
            .at(backend.place(), "the store")
            .note(note)
            .help("take DISABLE_JEMALLOC out, or set MALLOC_ARENA_MAX: 1 beside it"),
        (None, Some(Deployment::Yarn)) => found
            .find(format!("{store} runs on glibc's allocator in YARN's containers, with as many arenas as it likes"))
            .at(backend.place(), "the store")
            .note(note)
            .note("containers whose NodeManager was started by Hadoop's scripts may have MALLOC_ARENA_MAX=4 from it")
            .help(
                "set containerized.taskmanager.env.MALLOC_ARENA_MAX: 1, or containerized.taskmanager.env.LD_PRELOAD to \
                 a libjemalloc.so that every node has",
            )
            .unsafe_fix(
                "set containerized.taskmanager.env.MALLOC_ARENA_MAX: 1",
                case.insert_below(backend, "containerized.taskmanager.env.MALLOC_ARENA_MAX", "1"),
            ),
        (None, _) if in_image => found
            .find(format!("{store} runs on glibc's allocator: the image of Flink {} has no jemalloc", case.version()))
            .at(backend.place(), "the store")
            .note(note)
            .help(
                "take an image of Flink 1.12 or later, or set MALLOC_ARENA_MAX: 1 in the environment of the container",
            ),
        // What a machine's shell exports is not in the file.
        (None, _) => found
            .find(format!("{store} runs on glibc's allocator unless the shell that starts Flink preloads another"))
            .severity(Severity::Note)
            .confidence(Confidence::Low)
            .at(backend.place(), "the store")
            .note(note)
            .help(
                "export LD_PRELOAD with a libjemalloc.so, or MALLOC_ARENA_MAX=1, where taskmanager.sh is started, and \
                 tell it in a comment: # oomph: allocator=jemalloc",
            ),
    };
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use crate::check::tried::{checked, codes, find};
    use crate::model::Severity;

    fn fires(file: &str, text: &str) -> bool {
        codes(file, text).contains(&"OOM419")
    }

    #[rstest]
    #[case("flink=1.20 deployment=yarn", "", true)]
    #[case(
        "flink=1.20 deployment=yarn",
        "containerized.taskmanager.env.LD_PRELOAD: /usr/lib64/libjemalloc.so.2",
        false
    )]
    #[case(
        "flink=1.20 deployment=yarn",
        "containerized.taskmanager.env.LD_PRELOAD: /usr/lib64/libtcmalloc.so.4",
        false
    )]
    #[case("flink=1.20 deployment=yarn", "containerized.taskmanager.env.LD_PRELOAD: ${PRELOAD}", false)]
    #[case("flink=1.20 deployment=yarn", "containerized.taskmanager.env.LD_PRELOAD: /opt/libprofile.so", true)]
    #[case("flink=1.20 deployment=yarn", "containerized.taskmanager.env.MALLOC_ARENA_MAX: 4", false)]
    #[case("flink=1.20 deployment=yarn", "containerized.master.env.MALLOC_ARENA_MAX: 4", true)]
    #[case("flink=1.20 deployment=yarn allocator=jemalloc", "", false)]
    #[case("flink=1.20 deployment=kubernetes", "", false)]
    #[case("flink=1.11 deployment=kubernetes", "", true)]
    #[case("flink=1.11 deployment=kubernetes", "kubernetes.container.image: registry/orders:7", false)]
    #[case("flink=1.20 deployment=kubernetes", "containerized.taskmanager.env.DISABLE_JEMALLOC: 'false'", false)]
    #[case("flink=1.20 deployment=kubernetes", "containerized.taskmanager.env.DISABLE_JEMALLOC: 'no'", true)]
    #[case("flink=1.20", "", false)]
    fn it_depends_on_who_starts_the_process_and_with_what(
        #[case] told: &str,
        #[case] line: &str,
        #[case] expected: bool,
    ) {
        let backend = if told.contains("1.11") { "state.backend" } else { "state.backend.type" };
        assert_eq!(fires("x.yaml", &format!("# oomph: {told}\n{backend}: rocksdb\n{line}\n")), expected);
    }

    #[test]
    fn state_on_the_heap_is_no_matter_of_the_allocator() {
        assert!(!fires("config.yaml", "# oomph: flink=1.20 deployment=yarn\nstate.backend.type: hashmap\n"));
    }

    #[test]
    fn on_bare_machines_it_is_a_note() {
        let text = "# oomph: flink=1.20 deployment=standalone\nstate.backend.type: rocksdb\n";
        assert_eq!(find("OOM419", "config.yaml", text).severity, Severity::Note);
    }

    #[test]
    fn a_service_of_the_official_image_has_jemalloc() {
        let service = |environment: &str| {
            format!(
                "services:\n  tm:\n    image: flink:1.20.5\n    command: taskmanager\n    environment:\n      \
                 FLINK_PROPERTIES: 'state.backend.type: rocksdb'\n{environment}"
            )
        };
        assert!(!fires("docker-compose.yaml", &service("")));
        assert!(fires("docker-compose.yaml", &service("      DISABLE_JEMALLOC: 'true'\n")));
    }

    #[test]
    fn the_fix_bounds_the_arenas() {
        let text = "# oomph: flink=1.20 deployment=yarn\nstate.backend.type: rocksdb\n";
        let fix = checked("config.yaml", text).findings.remove(0).fix.unwrap();
        assert!(!fix.safe && fix.title.ends_with("MALLOC_ARENA_MAX: 1"), "{fix:?}");
    }
}
