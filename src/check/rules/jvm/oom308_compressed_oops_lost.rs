use super::java_options::JavaOptions;
use crate::check::policy::threshold;
use crate::check::rule::rule;
use crate::check::{Case, Collector};
use crate::model::{Bytes, Component, Place, Provenance, Role};
use crate::plan::jvm::Collector as Gc;

rule! {
    /// A heap a little above 32 GiB holds less than one a little below.
    ///
    /// ### Why
    /// Up to nearly 32 GiB the JVM keeps references between objects in 4 bytes, above it in 8. Maps of numbers and strings
    /// then take about a quarter more room, so that a heap between the edge and some 40 GiB holds less than one of 31 GiB,
    /// and each collection copies more. With G1 the edge is at 32 GiB less 32 MiB, with Parallel and Serial at 32 GiB less
    /// 2 MiB.
    ///
    /// ### Bad
    /// ```yaml flink-conf.yaml
    /// # oomph: flink=1.16
    /// taskmanager.memory.process.size: 64g
    /// ```
    ///
    /// ### Good
    /// ```yaml flink-conf.yaml
    /// # oomph: flink=1.16
    /// taskmanager.memory.process.size: 48g
    /// ```
    ///
    /// ### Sources
    /// - HotSpot, `Arguments::set_use_compressed_oops` and `max_heap_for_compressed_oops`.
    /// - Own measurement, OpenJDK 17.0.15 and 25 with `-XX:+PrintFlagsFinal`: G1 has `UseCompressedOops` at `-Xmx32736m` and
    ///   not at 32737m; Parallel has it at 32766m and not at 32767m; `-XX:ObjectAlignmentInBytes=16` has it at 40g. Two
    ///   million pairs of Long and one million of String took 318 MiB with compressed references and 397 MiB without.
    "OOM308" "compressed-oops-lost" {
        check: check,
    }
}

/// Where compressed references end: 32 GiB less one largest alignment of the heap, 32 MiB with G1 and 2 MiB otherwise.
const EDGE: Bytes = Bytes::gib(32);

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    let enough = case.policy.size(&threshold::FULL_REFERENCES_HEAP_MIN);
    for role in [Role::TaskManager, Role::JobManager] {
        let Some(survey) = case.survey(role) else { continue };
        let heap = survey.plan.budget.heap();
        let alignment = match survey.footprint.collector.value {
            Gc::Parallel | Gc::Serial => Bytes::mib(2),
            Gc::G1 | Gc::ConcMarkSweep | Gc::Shenandoah => Bytes::mib(32),
            // It has no compressed references at any size.
            Gc::Z => continue,
        };
        let Some(edge) = EDGE.checked_sub(alignment).filter(|edge| heap > *edge && heap < enough) else { continue };
        let options = JavaOptions::of_role(case, role);
        let other = options.last(&["-XX:ObjectAlignmentInBytes=", "-Xmx", "-XX:MaxHeapSize="]);
        if other.is_some() || options.switch("UseCompressedOops").is_some() || options.hidden {
            continue;
        }
        let Some(place) = place(case, role) else { continue };
        found
            .find(format!("A {role}'s heap of {heap} is too large for compressed references and too small without"))
            .at(&place, format!("leads to a heap of {heap}"))
            .note(format!("up to {edge} a reference takes 4 bytes, above it 8"))
            .note(format!("below {enough} the heap holds less than one of {edge} (full-references-heap-min)"))
            .help(format!("keep the heap at {edge} or below, and add TaskManagers or managed memory with the rest"));
    }
}

/// The setting that makes the heap as large as it is.
fn place(case: &Case<'_>, role: Role) -> Option<Place> {
    let budget = &case.survey(role)?.plan.budget;
    let parts =
        [Component::TaskHeap, Component::Heap, Component::CutOffHeap].into_iter().filter_map(|part| budget.part(part));
    let figures = parts.chain([budget.total_flink(), budget.total_process()]);
    figures.into_iter().find_map(|figure| match &figure.provenance {
        Provenance::Set { place, .. } => Some(place.clone()),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use crate::check::tried::{codes, find};

    /// Framework heap is 128 MiB on top.
    #[rstest]
    #[case("32608m", "", false)]
    #[case("32609m", "", true)]
    #[case("32609m", "env.java.opts.all: -XX:+UseParallelGC\n", false)]
    #[case("32639m", "env.java.opts.all: -XX:+UseParallelGC\n", true)]
    #[case("36g", "env.java.opts.all: -XX:ObjectAlignmentInBytes=16\n", false)]
    #[case("36g", "env.java.opts.all: -XX:+UseZGC\n", false)]
    #[case("40g", "", false)]
    fn the_edge_is_the_jvms(#[case] heap: &str, #[case] more: &str, #[case] expected: bool) {
        let text = format!(
            "# oomph: flink=1.20\ntaskmanager.memory.task.heap.size: {heap}\ntaskmanager.memory.managed.size: 1g\n\
             taskmanager.memory.network.max: 1g\n{more}"
        );
        assert_eq!(codes("config.yaml", &text).contains(&"OOM308"), expected);
    }

    #[test]
    fn it_points_at_the_heap_where_that_is_set() {
        let text = "# oomph: flink=1.20\njobmanager.memory.heap.size: 34g\n";
        let finding = find("OOM308", "config.yaml", text);
        assert_eq!(finding.labels[0].place.position.unwrap().line, 2);
    }
}
