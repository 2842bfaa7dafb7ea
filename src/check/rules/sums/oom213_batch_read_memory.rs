use crate::check::rule::rule;
use crate::check::{Case, Collector, FixKind, Written};
use crate::model::{Bytes, Severity};

rule! {
    /// The memory that blocking shuffle reads with does not fit where it is taken from.
    ///
    /// ### Why
    /// `framework.off-heap.batch-shuffle.size` is a part of `framework.off-heap.size`. Flink does not check that it fits: the
    /// buffers are allocated when the first sorted shuffle is read, and the job fails with "Can't allocate enough direct
    /// buffer" or with direct memory used up elsewhere. Less than one network buffer is refused when the TaskManager starts.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 4g
    /// taskmanager.memory.framework.off-heap.batch-shuffle.size: 256m
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 4g
    /// taskmanager.memory.framework.off-heap.size: 320m
    /// taskmanager.memory.framework.off-heap.batch-shuffle.size: 256m
    /// ```
    ///
    /// ### Sources
    /// - `BatchShuffleReadBufferPool`, Flink 1.13 to 2.3; run with small sizes on 1.15.4, 1.20.5 and 2.3.0.
    /// - Our measurement, Flink 1.20.5: with 8 MiB of framework off-heap memory a job with a blocking shuffle keeps failing.
    /// - Thread: https://github.com/apache/flink/pull/15199.
    "OOM213" "batch-read-memory" {
        severity: Severity::Warning,
        since: Some((1, 13)),
        fix: FixKind::Unsafe,
        check: check,
    }
}

const READ: &str = "taskmanager.memory.framework.off-heap.batch-shuffle.size";
const OFF_HEAP: &str = "taskmanager.memory.framework.off-heap.size";
const SEGMENT: &str = "taskmanager.memory.segment-size";

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    let own = |key: &str| case.find(key).filter(Written::is_own);
    let (set_read, set_off_heap, set_segment) = (own(READ), own(OFF_HEAP), own(SEGMENT));
    let Some(written) = set_read.or(set_off_heap).or(set_segment) else { return };
    let (Some(read), Some(off_heap), Some(segment)) = (case.size(READ), case.size(OFF_HEAP), case.size(SEGMENT)) else {
        return;
    };
    if read == Bytes::ZERO || read < segment && segment.get().is_power_of_two() {
        let written = set_read.or(set_segment).unwrap_or(written);
        found
            .find(format!("{READ} is {read}, less than one buffer of {segment}"))
            .severity(Severity::Error)
            .at(written.place(), "refused when the TaskManager starts")
            .help(format!("set {READ} to {segment} at least; the default is {}", default(case)));
    } else if read > off_heap {
        let is_batch = case.told.workload.batch_shuffle == Some(true)
            || case.find("execution.runtime-mode").is_some_and(|mode| mode.text().eq_ignore_ascii_case("batch"));
        // Who only makes framework memory small may well have streaming jobs alone.
        let is_meant = set_read.is_some() || is_batch;
        let mut draft = found
            .find(format!("{READ} is {read}, and framework off-heap memory only {off_heap}"))
            .severity(if is_meant { Severity::Warning } else { Severity::Note });
        for (set, text) in [(set_read, "has to fit into the other"), (set_off_heap, "all of it")] {
            if let Some(written) = set {
                draft = draft.at(written.place(), text);
            }
        }
        let with_rest = read.checked_add(Bytes::mib(64)).unwrap_or(read).whole_mib();
        let edits = match set_off_heap {
            Some(off_heap) => case.set(off_heap, &format!("{with_rest}m")),
            None => case.insert_below(written, OFF_HEAP, &format!("{with_rest}m")),
        };
        draft
            .note("a sorted blocking shuffle is read with it; a job without one does not allocate it")
            .help(format!("set {OFF_HEAP}: {with_rest}m, which comes off task heap"))
            .unsafe_fix(format!("make framework off-heap memory {with_rest} MiB"), edits);
    }
}

fn default(case: &Case<'_>) -> &'static str {
    case.option(READ).and_then(|option| option.default).unwrap_or("64 mb")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use crate::check::tried::{codes, find};
    use crate::model::Severity;

    #[test]
    fn a_page_is_the_least() {
        let at = |size: &str| format!("taskmanager.memory.framework.off-heap.batch-shuffle.size: {size}\n");
        assert_eq!(find("OOM213", "config.yaml", &at("16kb")).severity, Severity::Error);
        assert!(!codes("config.yaml", &at("32kb")).contains(&"OOM213"));
        assert_eq!(find("OOM213", "config.yaml", &at("0")).severity, Severity::Error);
    }

    #[rstest]
    #[case("1.20", "48m", true)]
    #[case("1.14", "48m", false)]
    #[case("1.12", "8m", false)]
    fn framework_off_heap_that_is_smaller_than_the_default_is_found_too(
        #[case] version: &str,
        #[case] size: &str,
        #[case] short: bool,
    ) {
        let text = format!("# oomph: flink={version}\ntaskmanager.memory.framework.off-heap.size: {size}\n");
        assert_eq!(codes("flink-conf.yaml", &text).contains(&"OOM213"), short, "{text}");
    }

    #[test]
    fn it_is_a_note_where_nothing_speaks_of_batch() {
        let text = "taskmanager.memory.framework.off-heap.size: 48m\n";
        assert_eq!(find("OOM213", "config.yaml", text).severity, Severity::Note);
        let batch = format!("{text}execution.runtime-mode: BATCH\n");
        assert_eq!(find("OOM213", "config.yaml", &batch).severity, Severity::Warning);
    }
}
