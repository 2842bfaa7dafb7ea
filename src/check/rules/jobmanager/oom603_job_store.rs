use super::heap_share::percent;
use crate::check::Written;
use crate::check::policy::threshold;
use crate::check::rule::rule;
use crate::check::{Case, Collector};
use crate::model::{Bytes, Confidence, Role};

rule! {
    /// A session cluster keeps finished jobs on the JobManager's heap without a bound that fits it.
    ///
    /// ### Why
    /// A session cluster remembers the graph of every finished job for an hour. `jobstore.type: Memory` (1.15 and later) keeps
    /// them all on the heap, as many as `jobstore.max-capacity` says, which is 2,147,483,647 by default: a queue of short
    /// batch jobs fills it. The store in files keeps `jobstore.cache-size` of them, counted by the length of the files; as
    /// objects they are larger. Flink 2.3 reads the same values for `completed-application-store`.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// jobstore.type: Memory
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// jobstore.type: Memory
    /// jobstore.max-capacity: 50
    /// ```
    ///
    /// ### Sources
    /// - `JobManagerOptions.JOB_STORE_TYPE` and `JOB_STORE_MAX_CAPACITY`, whose descriptions tell of full collections and
    ///   OutOfMemoryError; `MemoryExecutionGraphInfoStore` and `FileExecutionGraphInfoStore`, Flink 1.15 to 2.2, and
    ///   `MemoryArchivedApplicationStore` and `FileArchivedApplicationStore`, Flink 2.3.
    /// - Threads: https://github.com/apache/flink/pull/9753, https://github.com/apache/flink/pull/18360.
    "OOM603" "job-store" {
        confidence: Confidence::Medium,
        check: check,
    }
}

/// An option of the store by its name of Flink 2.3, else by the one before.
fn store<'a>(case: &Case<'a>, rest: &str) -> (String, Option<Written<'a>>) {
    let name = format!("completed-application-store.{rest}");
    let name = if case.option(&name).is_some() { name } else { format!("jobstore.{rest}") };
    let written = case.find(&name).filter(Written::is_own);
    (name, written)
}

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    let (type_name, kind) = store(case, "type");
    let in_memory = kind.is_some_and(|written| written.text().eq_ignore_ascii_case("memory"));
    if let Some(written) = kind.filter(|_| in_memory) {
        let (name, capacity) = store(case, "max-capacity");
        if capacity.is_none() && !case.is_hidden(&name) {
            found
                .find("Every finished job stays on the JobManager's heap until it expires")
                .at(written.place(), "all of them as objects")
                .note(format!("{name} is not set: as many as finish within an hour, the default time to expire"))
                .help(format!("set {name} to what the web page should list, or take {} out", written.key));
        }
        return;
    }
    if case.is_hidden(&type_name) {
        return;
    }
    let (name, cache) = store(case, "cache-size");
    let (Some(written), Some(size)) = (cache, case.int(&name).and_then(|size| u64::try_from(size).ok())) else {
        return;
    };
    let size = Bytes::new(size);
    let heap = case.survey(Role::JobManager).map(|survey| survey.plan.budget.heap());
    let limit = match heap {
        Some(heap) => percent(heap, case.policy.count(&threshold::JOBMANAGER_HELD_PERCENT)),
        None => case.policy.size(&threshold::JOB_STORE_CACHE),
    };
    if size < limit {
        return;
    }
    let mut draft = found
        .find(format!("The JobManager keeps up to {size} of finished jobs in memory"))
        .at(written.place(), "by the length of their files")
        .note("as objects they are larger than their files");
    if let Some(heap) = heap {
        draft = draft.note(format!("the JobManager's heap is {heap}"));
    }
    draft.help(format!("set {} lower; the rest is read from disk when somebody asks for it", written.key));
}

#[cfg(test)]
mod tests {
    use crate::check::tried::{codes, find};

    #[test]
    fn the_cache_is_held_against_the_heap() {
        let text = |size: u64| {
            format!("# oomph: flink=1.13\njobmanager.memory.process.size: 1600m\njobstore.cache-size: {size}\n")
        };
        let finding = find("OOM603", "flink-conf.yaml", &text(268_435_456));
        assert!(finding.title.contains("256 MiB"), "{finding:?}");
        assert!(!codes("flink-conf.yaml", &text(268_435_455)).contains(&"OOM603"));
    }

    #[test]
    fn in_2_3_both_names_count() {
        for name in ["completed-application-store", "jobstore"] {
            let text = format!("# oomph: flink=2.3\n{name}.type: Memory\n");
            assert!(codes("config.yaml", &text).contains(&"OOM603"), "{name}");
            let bounded = format!("{text}{name}.max-capacity: 50\n");
            assert!(!codes("config.yaml", &bounded).contains(&"OOM603"), "{name}");
        }
    }

    #[test]
    fn a_capacity_behind_a_placeholder_is_a_capacity() {
        let text = "# oomph: flink=1.20\njobstore.type: Memory\njobstore.max-capacity: ${JOBS}\n";
        assert!(!codes("config.yaml", text).contains(&"OOM603"));
    }
}
