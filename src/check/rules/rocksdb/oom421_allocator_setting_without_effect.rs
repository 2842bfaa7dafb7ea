use super::allocator::{self, Allocator, Known, Variable, variable};
use crate::check::rule::rule;
use crate::check::{Case, Collector};
use crate::model::{Deployment, Role};

rule! {
    /// A setting of one allocator is made for a process that runs on another.
    ///
    /// ### Why
    /// `MALLOC_ARENA_MAX` and its like are read by glibc's allocator; where jemalloc is preloaded, as in Flink's images from
    /// 1.12 on, nobody reads them. `MALLOC_CONF` is read by jemalloc alone. Whoever counts on such a bound has none.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20 deployment=kubernetes
    /// containerized.taskmanager.env.MALLOC_ARENA_MAX: 2
    /// ```
    ///
    /// ```yaml config.yaml
    /// # oomph: flink=1.20 deployment=yarn
    /// containerized.taskmanager.env.MALLOC_CONF: narenas:4
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20 deployment=yarn
    /// containerized.taskmanager.env.MALLOC_ARENA_MAX: 2
    /// ```
    ///
    /// ### Sources
    /// - `maybe_enable_jemalloc` in `docker-entrypoint.sh` of apache/flink-docker, 1.12 to 2.3;
    ///   https://github.com/apache/flink-docker/pull/42.
    /// - jemalloc's manual, tuning: https://jemalloc.net/jemalloc.3.html.
    /// - `mallopt(3)`: the variables that glibc reads.
    "OOM421" "allocator-setting-without-effect" {
        check: check,
    }
}

/// What glibc's allocator reads.
const OF_GLIBC: [&str; 6] = [
    "MALLOC_ARENA_MAX",
    "MALLOC_ARENA_TEST",
    "MALLOC_TRIM_THRESHOLD_",
    "MALLOC_MMAP_THRESHOLD_",
    "MALLOC_MMAP_MAX_",
    "MALLOC_TOP_PAD_",
];

/// What only the entry point of Flink's image reads.
const OF_IMAGE: &str = "DISABLE_JEMALLOC";

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    for role in [Role::TaskManager, Role::JobManager] {
        let set = |name: &str| match variable(case, role, name) {
            Known::Set(variable) => Some(variable),
            Known::Unset | Known::Elsewhere => None,
        };
        match allocator::of(case, role) {
            Allocator::Jemalloc(preload) => {
                for setting in OF_GLIBC.into_iter().filter_map(set) {
                    let mut draft = found
                        .find(format!("{} has no effect: jemalloc is preloaded, which does not read it", setting.key))
                        .at(&setting.place, "glibc's alone");
                    draft = match &preload {
                        Some(place) => draft.at(place, "preloads jemalloc"),
                        None => draft.note(format!("the image of Flink {} preloads jemalloc", case.version())),
                    };
                    draft.help("bound jemalloc's arenas by MALLOC_CONF: narenas:4, or take the line out");
                }
            }
            Allocator::Glibc(switch) => {
                if let Some(setting) = set("MALLOC_CONF") {
                    let mut draft = found
                        .find(format!("{} has no effect: nothing preloads jemalloc", setting.key))
                        .at(&setting.place, "jemalloc's alone");
                    if let Some(place) = &switch {
                        draft = draft.at(place, "keeps the image from preloading it");
                    }
                    draft.help("set MALLOC_ARENA_MAX: 1, or preload jemalloc by LD_PRELOAD");
                }
            }
            Allocator::Other => {}
        }
        on_yarn(case, set(OF_IMAGE), found);
    }
}

/// YARN starts no entry point of an image.
fn on_yarn(case: &Case<'_>, switch: Option<Variable<'_>>, found: &mut Collector<'_>) {
    let Some(switch) = switch.filter(|_| case.deployment == Some(Deployment::Yarn)) else { return };
    found
        .find(format!("{} has no effect: only the entry point of Flink's image reads it", switch.key))
        .at(&switch.place, "not on YARN")
        .help("take the line out");
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use crate::check::tried::{checked, codes};

    #[rstest]
    #[case("flink=1.11 deployment=kubernetes", "containerized.taskmanager.env.MALLOC_ARENA_MAX: 2", false)]
    #[case("flink=1.20 deployment=kubernetes", "containerized.master.env.MALLOC_TRIM_THRESHOLD_: 65536", true)]
    #[case("flink=1.20 deployment=kubernetes", "containerized.taskmanager.env.MALLOC_CONF: narenas:4", false)]
    #[case("flink=1.20 deployment=yarn", "containerized.taskmanager.env.DISABLE_JEMALLOC: 'true'", true)]
    #[case("flink=1.20", "containerized.taskmanager.env.MALLOC_ARENA_MAX: 2", false)]
    fn it_depends_on_the_allocator(#[case] told: &str, #[case] line: &str, #[case] expected: bool) {
        let found = codes("config.yaml", &format!("# oomph: {told}\n{line}\n"));
        assert_eq!(found.contains(&"OOM421"), expected, "{found:?}");
    }

    #[test]
    fn a_switched_off_jemalloc_leaves_glibc_to_be_set() {
        let text =
            "# oomph: flink=1.20 deployment=kubernetes\ncontainerized.taskmanager.env.DISABLE_JEMALLOC: 'true'\n";
        assert!(codes("config.yaml", &format!("{text}containerized.taskmanager.env.MALLOC_ARENA_MAX: 1\n")).is_empty());
        let conf = format!("{text}containerized.taskmanager.env.MALLOC_CONF: narenas:4\n");
        let found = checked("config.yaml", &conf).findings;
        assert!(found[0].labels.len() == 2 && found[0].code == "OOM421", "{found:?}");
    }

    #[test]
    fn a_variable_of_a_pod_template_is_found_once() {
        let text = "apiVersion: flink.apache.org/v1beta1\nkind: FlinkDeployment\nmetadata: {name: c}\nspec:\n  \
                    image: flink:1.20.5\n  flinkVersion: v1_20\n  podTemplate:\n    spec:\n      containers:\n      - name: \
                    flink-main-container\n        env: [{name: MALLOC_ARENA_MAX, value: '2'}]\n";
        let found = codes("deployment.yaml", text);
        assert_eq!(found.iter().filter(|code| **code == "OOM421").count(), 1, "{found:?}");
    }
}
