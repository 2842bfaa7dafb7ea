//! `latency-metrics`: latency tracking with granularity `subtask` keeps p² × sources × operators histograms in the
//! JobManager's metric store (`LatencyStats`, `MetricStore`), and they fill its heap; with `operator` they are p ×
//! sources × operators, with `single` p × operators, and the same heap is enough.
//!
//! The store only fills while somebody reads metrics (`MetricFetcherImpl.update`): the dashboard's page of a job does,
//! each three seconds.

use crate::flink::Version;
use crate::model::Bytes;
use crate::repro::launch::{Settings, spelled};
use crate::repro::on_flink::{Half, mib, percent};
use crate::repro::outcome::Statement;
use crate::repro::scenarios::OnFlink;

/// The scenario.
pub const SCENARIO: OnFlink = OnFlink {
    name: "latency-metrics",
    title: "Latency histograms fill the JobManager's heap",
    story: "Latency tracking keeps a histogram for each pair of subtasks of a source and of an operator, and the \
            JobManager keeps what all of them say while anybody looks at a dashboard. That grows with the square of the \
            parallelism: full collections, then OutOfMemoryError. Told apart by operator, the same job has a thirtieth of them.",
    states: &[
        "With granularity subtask the JobManager's heap is exhausted.",
        "With granularity operator the same job runs longer in the same heap, and most of it stays free.",
        "Twice the parallelism has four times the histograms; each is weighed, and by that the ones do not fit and the \
         others do.",
    ],
    seconds: 270,
    // The TaskManager's 1280 MiB, a roomy JobManager, and Flink's client beside them.
    memory: Bytes::gib(3),
    disk: Bytes::mib(256),
};

/// Sources of the job.
pub const SOURCES: u64 = 2;

/// How large it is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Subtasks of each operator.
    pub parallelism: u32,
    /// The JobManager's heap in which histograms are weighed, where all of them have room.
    pub roomy_heap: Bytes,
}

impl Size {
    /// The default, times a factor of the parallelism: 19,800 histograms.
    pub fn times(factor: u32) -> Size {
        let factor = factor.max(1);
        Size {
            parallelism: 30_u32.saturating_mul(factor),
            roomy_heap: Bytes::mib(768_u32.saturating_mul(factor.saturating_mul(factor))),
        }
    }

    /// The parallelism of the smaller of the two jobs by which a histogram is weighed.
    pub fn smaller(self) -> u32 {
        self.parallelism / 2
    }
}

/// How finely latency is told apart, `metrics.latency.granularity`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Granularity {
    /// By subtask of the source and of the operator.
    Subtask,
    /// By source and subtask of the operator.
    Operator,
    /// By subtask of the operator.
    Single,
}

impl Granularity {
    /// As Flink spells it.
    pub fn value(self) -> &'static str {
        match self {
            Granularity::Subtask => "subtask",
            Granularity::Operator => "operator",
            Granularity::Single => "single",
        }
    }

    /// The histograms of a job with so many operators behind its sources (`LatencyStats.Granularity`).
    pub fn histograms(self, parallelism: u64, operators: u64) -> u64 {
        match self {
            Granularity::Subtask => parallelism * parallelism * SOURCES * operators,
            Granularity::Operator => parallelism * SOURCES * operators,
            Granularity::Single => parallelism * operators,
        }
    }
}

/// The settings of a cluster.
pub fn settings(version: Version, granularity: Granularity, heap: Bytes, slots: u32) -> Settings {
    let slots = slots.to_string();
    let heap = format!("{}m", heap.whole_mib());
    let pairs = [
        ("jobmanager.memory.heap.size", heap.as_str()),
        ("taskmanager.memory.process.size", "1280m"),
        // No state: all of it is the heap's, where the histograms themselves are.
        ("taskmanager.memory.managed.size", "0"),
        // p² channels need a buffer each; small ones will do for a record a second.
        ("taskmanager.memory.segment-size", "4kb"),
        ("taskmanager.memory.network.min", "64m"),
        ("taskmanager.memory.network.max", "64m"),
        ("taskmanager.numberOfTaskSlots", slots.as_str()),
        ("metrics.latency.granularity", granularity.value()),
        // A mark goes to one of the p subtasks behind the exchange, at random: 20 a second meet all of them in some
        // seconds.
        ("metrics.latency.interval", "50"),
        ("metrics.fetcher.update-interval", "3000"),
        // All histograms of a TaskManager come in one message, and are left out where it is larger than this.
        (spelled(version, &["pekko.framesize", "akka.framesize"]), "104857600b"),
    ];
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

/// The job: two sources that meet in an aggregate, and operators chained behind it.
pub fn script() -> String {
    let source = |name: &str| {
        format!(
            "CREATE TABLE {name} (k BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '1', \
             'fields.k.min' = '1', 'fields.k.max' = '1000');\n"
        )
    };
    // Each is an operator of its own in the same chain, and so are the aggregate, the projection and the sink.
    let unnested: String =
        (1..=8).map(|number| format!(" CROSS JOIN UNNEST(ARRAY[t.k]) AS u{number}(x{number})")).collect();
    format!(
        "{}{}CREATE TABLE gone (k BIGINT, c BIGINT) WITH ('connector' = 'blackhole');\n\
         INSERT INTO gone SELECT t.k, t.c FROM (SELECT k, COUNT(*) AS c FROM \
         (SELECT k FROM clicks UNION ALL SELECT k FROM impressions) AS events GROUP BY k) AS t{unnested};\n",
        source("clicks"),
        source("impressions"),
    )
}

/// What a histogram takes in the JobManager's heap, by two jobs of different parallelism in one cluster.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Growth {
    /// The parallelism of the first job.
    pub parallelism: u32,
    /// Its histograms.
    pub series: u64,
    /// What is live in the heap with it.
    pub live: Bytes,
    /// The parallelism of the second job, which runs beside the first.
    pub parallelism_more: u32,
    /// The second job's histograms.
    pub series_more: u64,
    /// What is live in the heap with both.
    pub live_with_both: Bytes,
}

impl Growth {
    /// What one histogram takes.
    pub fn bytes_a_series(&self) -> Bytes {
        let grown = self.live_with_both.get().saturating_sub(self.live.get());
        Bytes::new(grown.checked_div(self.series_more).unwrap_or_default())
    }

    /// Operators behind the sources, as their histograms tell.
    pub fn operators(&self) -> u64 {
        let p = u64::from(self.parallelism);
        self.series.checked_div(p * p * SOURCES).unwrap_or_default()
    }

    /// The heap in which the halves run: an eighth less than the histograms of the larger job need. Releases differ: one
    /// histogram takes 3,387 B in Flink 1.13.6, which keeps it once, and 10,211 B in 1.20.5 and 10,012 B in 2.3.0, which
    /// keep it with the subtask and with the vertex (`MetricStore.add`).
    pub fn too_small(&self) -> Bytes {
        let needed = self.needed(self.series_more).get();
        Bytes::mib(u32::try_from(Bytes::new(needed - needed / 8).whole_mib()).unwrap_or(u32::MAX))
    }

    /// What a JobManager needs for so many histograms.
    pub fn needed(&self, series: u64) -> Bytes {
        let each = self.bytes_a_series().get();
        let without = self.live.get().saturating_sub(each.saturating_mul(self.series));
        Bytes::new(without.saturating_add(each.saturating_mul(series)))
    }
}

/// Holds what was seen against what must happen. The halves are those with `subtask` and with `operator`; `single` is
/// shown beside them.
pub fn judge(fails: &Half, cured: &Half, single: &Half, growth: &Growth) -> Vec<Statement> {
    let p = u64::from(growth.parallelism_more);
    let operators = growth.operators();
    let series = Granularity::Subtask.histograms(p, operators);
    let each = growth.bytes_a_series();
    let cured_series = cured.series.unwrap_or_default();
    let cured_live = cured.live.unwrap_or(cured.heap);
    vec![
        Statement {
            says: "with granularity subtask the JobManager's heap is exhausted".to_owned(),
            held: fails.heap_is_exhausted(),
            measured: format!("{}; {}", fails.end_in_words(), fails.heap_in_words()),
        },
        Statement {
            says: "with granularity operator the same job runs longer in the same heap, and most of it stays free"
                .to_owned(),
            held: !cured.died()
                && cured.heap == fails.heap
                && cured.millis > fails.millis
                && !cured.heap_is_exhausted()
                && percent(cured_live, cured.heap) < 50,
            measured: format!("{}; {}", cured.end_in_words(), cured.heap_in_words()),
        },
        Statement {
            says: "twice the parallelism has four times the histograms".to_owned(),
            held: growth.parallelism_more == 2 * growth.parallelism
                && growth.series > 0
                && growth.series_more == 4 * growth.series,
            measured: format!(
                "{} with parallelism {}, {} with {}",
                growth.series, growth.parallelism, growth.series_more, growth.parallelism_more
            ),
        },
        Statement {
            says: "histograms are p² × sources × operators, p × sources × operators, p × operators by granularity"
                .to_owned(),
            held: operators > 0
                && growth.series_more == series
                && cured.series == Some(Granularity::Operator.histograms(p, operators))
                && single.series == Some(Granularity::Single.histograms(p, operators)),
            measured: format!(
                "{} for subtask, {} for operator, {} for single with {operators} operators",
                growth.series_more,
                cured_series,
                single.series.map_or_else(|| "none counted".to_owned(), |series| series.to_string()),
            ),
        },
        Statement {
            says: "by what a histogram weighs those of subtask do not fit into the heap, and those of operator do"
                .to_owned(),
            held: each > Bytes::ZERO
                && cured_series > 0
                && growth.needed(series) > fails.heap
                && growth.needed(cured_series) < cured.heap,
            measured: format!(
                "{} B each: {} for subtask, {} for operator, with a heap of {}",
                each.get(),
                mib(growth.needed(series)),
                mib(growth.needed(cured_series)),
                mib(fails.heap)
            ),
        },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repro::on_flink::made::{half, look};
    use crate::repro::outcome::Ending;

    /// As it was seen with Flink 2.3.0 on two busy cores.
    fn recorded() -> (Half, Half, Half, Growth) {
        let mut fails = half(192, vec![look(5, 60, 300), look(35, 190, 12_000), look(45, 190, 18_000)]);
        fails.ending = Ending::Died { status: "exit code 239".to_owned(), stderr: String::new() };
        fails.marks.out_of_memory = Some("java.lang.OutOfMemoryError: Java heap space".to_owned());
        let mut cured = half(192, vec![look(5, 60, 300), look(40, 120, 400), look(50, 175, 430)]);
        cured.ending = Ending::Finished;
        (cured.live, cured.series) = (Some(Bytes::mib(36)), Some(660));
        let mut single = half(192, vec![look(5, 60, 300), look(25, 164, 400)]);
        single.ending = Ending::Finished;
        (single.live, single.series) = (Some(Bytes::mib(33)), Some(330));
        let growth = Growth {
            parallelism: 15,
            series: 4_950,
            live: Bytes::new(77_000_000),
            parallelism_more: 30,
            series_more: 19_800,
            live_with_both: Bytes::new(275_237_600),
        };
        (fails, cured, single, growth)
    }

    fn held(statements: &[Statement]) -> Vec<bool> {
        statements.iter().map(|statement| statement.held).collect()
    }

    #[test]
    fn what_was_seen_is_what_is_stated() {
        let (fails, cured, single, growth) = recorded();
        assert_eq!(growth.bytes_a_series(), Bytes::new(10_012));
        assert_eq!(growth.operators(), 11);
        let statements = judge(&fails, &cured, &single, &growth);
        assert_eq!(held(&statements), [true; 5], "{statements:#?}");
    }

    #[test]
    fn halves_that_are_swapped_hold_nothing_that_is_said_of_them() {
        let (fails, cured, single, growth) = recorded();
        let statements = judge(&cured, &fails, &single, &growth);
        assert_eq!(held(&statements), [false, false, true, false, false], "{statements:#?}");
    }

    #[test]
    fn a_failing_half_that_lives_with_a_free_heap_does_not_fail() {
        let (_, cured, single, growth) = recorded();
        let mut fails = cured.clone();
        fails.ending = Ending::OutOfTime;
        assert!(!judge(&fails, &cured, &single, &growth)[0].held);
    }

    #[test]
    fn the_heap_is_one_that_a_weighed_job_does_not_fit_into() {
        let (.., growth) = recorded();
        assert_eq!(growth.too_small(), Bytes::mib(188));
        assert!(growth.needed(19_800) > growth.too_small() && growth.needed(660) < growth.too_small());
    }

    #[test]
    fn a_growth_that_was_not_measured_holds_nothing() {
        let (fails, cured, single, _) = recorded();
        let statements = judge(&fails, &cured, &single, &Growth::default());
        assert_eq!(held(&statements), [true, true, false, false, false], "{statements:#?}");
    }

    #[test]
    fn histograms_grow_by_granularity_as_flink_counts_them() {
        // As reported of a real cluster: two sources, two operators, parallelism 10; and FLINK-10243.
        assert_eq!(Granularity::Subtask.histograms(10, 2), 400);
        assert_eq!(Granularity::Operator.histograms(10, 2), 40);
        assert_eq!(Granularity::Single.histograms(10, 2), 20);
    }
}
