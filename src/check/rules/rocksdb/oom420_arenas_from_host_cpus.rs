use super::allocator::{self, Allocator, Known, variable};
use crate::check::policy::threshold;
use crate::check::rule::rule;
use crate::check::{Case, Collector};
use crate::flink::{Version, java};
use crate::model::{Confidence, Place, Role, Severity};

rule! {
    /// The allocator has many more arenas than the process has cores.
    ///
    /// ### Why
    /// jemalloc takes four arenas for each core of the host, whatever the container may use; glibc as many as
    /// `MALLOC_ARENA_MAX` allows. Memory that was freed waits in each of them, and an arena that is seldom used gives it back
    /// late: 3.91 GB of 10.01 GB lay so in a container of 16 GB. Images of Flink that were built before June 2026 do not tell
    /// jemalloc the container's cores.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20.4 deployment=kubernetes
    /// state.backend.type: rocksdb
    /// containerized.taskmanager.env.MALLOC_CONF: dirty_decay_ms:10000
    /// ```
    ///
    /// ```yaml flink-conf.yaml
    /// # oomph: flink=1.18 deployment=yarn
    /// state.backend.type: rocksdb
    /// containerized.taskmanager.env.MALLOC_ARENA_MAX: 64
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20.4 deployment=kubernetes
    /// state.backend.type: rocksdb
    /// containerized.taskmanager.env.MALLOC_CONF: narenas:8,dirty_decay_ms:10000
    /// ```
    ///
    /// ### Sources
    /// - FLINK-39924: https://github.com/apache/flink-docker/pull/266.
    /// - jemalloc's manual, `opt.narenas` and `opt.dirty_decay_ms`: https://jemalloc.net/jemalloc.3.html.
    /// - 64 cores of a host seen by glibc in a container: https://github.com/tigrisdata/tag/issues/129.
    "OOM420" "arenas-from-host-cpus" {
        confidence: Confidence::Medium,
        check: check,
    }
}

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    let Some(store) = case.store() else { return };
    match allocator::of(case, Role::TaskManager) {
        Allocator::Jemalloc(preload) => match variable(case, Role::TaskManager, "MALLOC_CONF") {
            Known::Set(conf)
                if !bounds_arenas(&conf.value) && (preload.is_some() || is_before_fix(image_version(case))) =>
            {
                let narenas = millicores(case)
                    .map_or("narenas, four for each core of the container,".to_owned(), |(milli, _)| {
                        format!("narenas:{}", arenas(milli))
                    });
                found
                    .find(format!("{} leaves narenas at four for each core of the host", conf.key))
                    .at(&conf.place, "narenas is not among it")
                    .note("an arena that is seldom used gives back late what was freed in it")
                    .help(format!("add {narenas} to it"));
            }
            Known::Unset => large_and_few_cores(case, store.label(), found),
            Known::Set(_) | Known::Elsewhere => {}
        },
        Allocator::Glibc(_) => {
            let Known::Set(max) = variable(case, Role::TaskManager, "MALLOC_ARENA_MAX") else { return };
            let most = case.policy.count(&threshold::MALLOC_ARENAS_MAX);
            if max.value.trim().parse::<u64>().is_ok_and(|arenas| arenas > most) {
                found
                    .find(format!("{}: {} lets glibc keep freed memory in {} arenas", max.key, max.value, max.value))
                    .at(&max.place, format!("{most} are plenty"))
                    .note("each arena keeps what was freed in it for the threads that use it")
                    .help(format!("set {}: 1, or 2 where threads wait for one another", max.key));
            }
        }
        Allocator::Other => {}
    }
}

/// Whether jemalloc is told how many arenas, or to give back at once, or to do so in the background.
fn bounds_arenas(conf: &str) -> bool {
    let given = |name: &str| conf.split(',').map(str::trim).find_map(|pair| pair.strip_prefix(name)?.strip_prefix(':'));
    given("narenas").is_some() || given("dirty_decay_ms") == Some("0") || given("background_thread") == Some("true")
}

/// Nothing is said of arenas, and the container is so large, with so few cores, that they tell.
fn large_and_few_cores(case: &Case<'_>, store: &str, found: &mut Collector<'_>) {
    let Some(image) = allocator::image(case, Role::TaskManager).filter(|image| allocator::is_official(image)) else {
        return;
    };
    if allocator::tagged(&image).is_none_or(|_| !is_before_fix(image_version(case))) {
        return;
    }
    let (Some((milli, place)), Some(survey)) = (millicores(case), case.survey(Role::TaskManager)) else { return };
    let process = survey.plan.budget.total_process().bytes;
    let (least, most) = (&threshold::ARENAS_PROCESS_MIN, &threshold::ARENAS_CORES_MAX);
    if process < case.policy.size(least) || milli > case.policy.count(most).saturating_mul(1000) {
        return;
    }
    let cores = shown(milli);
    found
        .find(format!(
            "jemalloc in {image} takes four arenas for each core of the host; this container has {cores} cores"
        ))
        .severity(Severity::Note)
        .confidence(Confidence::Low)
        .at(&place, "the container's cores")
        .note(format!("the process has {process}, and what {store} frees waits in every arena for a while"))
        .note("images built from June 2026 on count the container's cores (FLINK-39924)")
        .help(format!("set MALLOC_CONF: narenas:{} in the environment of the TaskManager's container", arenas(milli)));
}

/// The cores that the TaskManager's container may use, in thousandths.
fn millicores(case: &Case<'_>) -> Option<(u64, Place)> {
    if let Some(limit) = case.pod(Role::TaskManager).and_then(|pod| pod.cpu_limit.as_ref()) {
        return Some((thousandths(&limit.text)?, limit.place.clone()));
    }
    let options = ["kubernetes.taskmanager.cpu.amount", "kubernetes.taskmanager.cpu"];
    let written = options.into_iter().find_map(|option| case.find(option))?;
    // With a factor the limit is another; a team that sets one has thought of it.
    let factor = case.find("kubernetes.taskmanager.cpu.limit-factor").is_some();
    let milli = thousandths(&written.text()).filter(|milli| *milli > 0 && !factor)?;
    Some((milli, written.place().clone()))
}

/// `2`, `1.5` or `500m`.
fn thousandths(text: &str) -> Option<u64> {
    let text = text.trim();
    if let Some(milli) = text.strip_suffix('m') {
        return milli.parse().ok();
    }
    let cores = java::parse_double(text).ok().filter(|cores| (0.0..1e6).contains(cores))?;
    Some((cores * 1000.0).round() as u64)
}

fn shown(milli: u64) -> String {
    let text = format!("{}.{:03}", milli / 1000, milli % 1000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// What jemalloc would take if it saw the container's cores.
fn arenas(milli: u64) -> u64 {
    if milli <= 1000 { 1 } else { 4 * milli.div_ceil(1000) }
}

/// The release of the image: what its tag says, else the version of the configuration.
fn image_version(case: &Case<'_>) -> Version {
    let tagged = allocator::image(case, Role::TaskManager).and_then(|image| allocator::tagged(&image));
    tagged.unwrap_or_else(|| case.version())
}

/// Whether images of a release are older than the fix in their entry point; without a patch release they may be newer.
fn is_before_fix(version: Version) -> bool {
    // The last releases whose Dockerfiles are without it: apache/flink-docker, May 2026.
    let last_without = match version.line() {
        (1, 20) => 4,
        (2, 0 | 1) => 2,
        (2, 2) => 1,
        line => return ((1, 12)..(1, 20)).contains(&line),
    };
    version.patch.is_some_and(|patch| patch <= last_without)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::check::tried::{codes, find};

    #[rstest]
    #[case("2", Some(2000))]
    #[case("1.5", Some(1500))]
    #[case("500m", Some(500))]
    #[case("-1.0", None)]
    #[case("many", None)]
    fn cores_are_read(#[case] text: &str, #[case] expected: Option<u64>) {
        assert_eq!(thousandths(text), expected);
    }

    #[rstest]
    #[case("narenas:4", true)]
    #[case("dirty_decay_ms:0,muzzy_decay_ms:0", true)]
    #[case("background_thread:true", true)]
    #[case("background_thread:false,dirty_decay_ms:5000", false)]
    #[case("prof:true", false)]
    fn arenas_are_bounded_or_emptied(#[case] conf: &str, #[case] expected: bool) {
        assert_eq!(bounds_arenas(conf), expected);
    }

    fn cluster(image: &str, memory: &str, cpu: &str) -> String {
        format!(
            "apiVersion: flink.apache.org/v1beta1\nkind: FlinkDeployment\nmetadata: {{name: c}}\nspec:\n  image: {image}\n  \
             flinkVersion: v1_20\n  flinkConfiguration: {{state.backend.type: rocksdb}}\n  \
             taskManager: {{resource: {{memory: {memory}, cpu: {cpu}}}}}\n"
        )
    }

    #[rstest]
    #[case("flink:1.20.4", "16g", "2", true)]
    #[case("flink:1.20.4", "4g", "2", false)]
    #[case("flink:1.20.4", "16g", "8", false)]
    #[case("flink:1.20.5", "16g", "2", false)]
    #[case("flink:1.20", "16g", "2", false)]
    #[case("orders:1.20.4", "16g", "2", false)]
    fn a_large_container_with_few_cores_is_a_note(
        #[case] image: &str,
        #[case] memory: &str,
        #[case] cpu: &str,
        #[case] expected: bool,
    ) {
        let text = cluster(image, memory, cpu);
        assert_eq!(codes("deployment.yaml", &text).contains(&"OOM420"), expected);
        if expected {
            let finding = find("OOM420", "deployment.yaml", &text);
            assert!(finding.severity == Severity::Note && finding.help.unwrap().contains("narenas:8"));
        }
    }

    #[rstest]
    #[case("flink=1.20.4 deployment=kubernetes", "", true)]
    #[case("flink=1.20 deployment=kubernetes", "", false)]
    #[case("flink=2.3.0 deployment=kubernetes", "", false)]
    #[case("flink=2.3.0 deployment=yarn", "containerized.taskmanager.env.LD_PRELOAD: /lib/libjemalloc.so\n", true)]
    fn newer_images_count_the_containers_cores_themselves(
        #[case] told: &str,
        #[case] line: &str,
        #[case] expected: bool,
    ) {
        let text = format!(
            "# oomph: {told}\nstate.backend.type: rocksdb\ncontainerized.taskmanager.env.MALLOC_CONF: prof:true\n{line}"
        );
        assert_eq!(codes("config.yaml", &text).contains(&"OOM420"), expected);
    }

    #[test]
    fn a_few_arenas_of_glibc_are_fine() {
        let text = "# oomph: flink=1.20 deployment=yarn\nstate.backend.type: rocksdb\n\
                    containerized.taskmanager.env.MALLOC_ARENA_MAX: ";
        assert!(!codes("config.yaml", &format!("{text}8\n")).contains(&"OOM420"));
        assert!(codes("config.yaml", &format!("{text}9\n")).contains(&"OOM420"));
    }
}
