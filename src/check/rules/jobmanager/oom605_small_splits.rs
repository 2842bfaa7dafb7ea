use crate::check::policy::threshold;
use crate::check::rule::rule;
use crate::check::{Case, Collector};
use crate::model::{Confidence, Severity};

rule! {
    /// A table is cut into so many splits that the JobManager runs out of heap.
    ///
    /// ### Why
    /// A CDC source reads a table in chunks of `scan.incremental.snapshot.chunk.size` rows. The JobManager plans all of them,
    /// hands them out, and keeps each one that is finished, with its bounds and its position in the log, until the whole
    /// snapshot is done; every checkpoint writes them again. Chunks of a few hundred rows make a million splits of a table of
    /// some hundred million rows; 100,000 have been seen to kill a JobManager. The default is 8096 rows.
    ///
    /// ### Bad
    /// ```sql job.sql
    /// SET 'execution.checkpointing.interval' = '1 min';
    /// CREATE TABLE orders (id INT, PRIMARY KEY (id) NOT ENFORCED) WITH (
    ///   'connector' = 'mysql-cdc',
    ///   'scan.incremental.snapshot.chunk.size' = '100'
    /// );
    /// ```
    ///
    /// ### Good
    /// ```sql job.sql
    /// SET 'execution.checkpointing.interval' = '1 min';
    /// CREATE TABLE orders (id INT, PRIMARY KEY (id) NOT ENFORCED) WITH (
    ///   'connector' = 'mysql-cdc',
    ///   'scan.incremental.snapshot.chunk.size' = '80960'
    /// );
    /// ```
    ///
    /// ### Sources
    /// - Thread: https://github.com/apache/flink-cdc/issues/865, more than 100,000 splits; cured by chunks 10 to 100 times as
    ///   large.
    /// - Thread: https://github.com/apache/flink-cdc/pull/4418, the same in 2026.
    /// - Thread: https://github.com/apache/flink-cdc/issues/1201: the JobManager's load in the snapshot comes of the splits.
    "OOM605" "small-splits" {
        severity: Severity::Warning,
        confidence: Confidence::Medium,
        check: check,
    }
}

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    let least = case.policy.count(&threshold::CDC_CHUNK_ROWS_MIN);
    for option in &case.subject().table_options {
        if option.key != "scan.incremental.snapshot.chunk.size" {
            continue;
        }
        let Ok(rows) = option.value.java_text().trim().parse::<u64>() else { continue };
        if rows >= least || rows == 0 {
            continue;
        }
        found
            .find(format!("chunks of {rows} rows make {} splits of every 100 million rows", 100_000_000 / rows))
            .at(&option.place, "rows in a split")
            .note("the JobManager keeps every split of the snapshot on its heap until the last is read")
            .help("set 80960 or more; a reader then holds that many rows at a time in a TaskManager");
    }
}

#[cfg(test)]
mod tests {
    use crate::check::tried::{codes, find};

    fn table(rows: &str) -> String {
        format!("SET 'a.b' = 'c';\nCREATE TABLE t (i INT) WITH ('scan.incremental.snapshot.chunk.size' = '{rows}');\n")
    }

    #[test]
    fn the_splits_are_counted_and_the_option_is_shown() {
        let finding = find("OOM605", "job.sql", &table("500"));
        assert!(finding.title.contains("200000 splits"), "{finding:?}");
        assert_eq!(finding.line(), 2);
    }

    #[test]
    fn the_default_and_what_is_no_number_are_fine() {
        for rows in ["8096", "1000", "many", "0", "${ROWS}"] {
            assert!(!codes("job.sql", &table(rows)).contains(&"OOM605"), "{rows}");
        }
    }
}
