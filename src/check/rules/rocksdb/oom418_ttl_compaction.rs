use crate::check::case::Written;
use crate::check::rule::rule;
use crate::check::{Case, Collector, FixKind};
use crate::flink::duration;
use crate::model::{Confidence, Severity};
use crate::plan::store::Store;

rule! {
    /// State that has expired stays in files that no compaction visits.
    ///
    /// ### Why
    /// With RocksDB and ForSt a TTL hides what has expired; what removes it is a compaction that happens to rewrite its file.
    /// Files of keys that nobody writes any more are not rewritten by themselves, so Flink has RocksDB visit each file once in
    /// 30 days (from 1.19 on; from 2.0 on an option says when). Without that visit state keeps growing, with its indexes,
    /// filters and checkpoints. Compaction of style NONE rewrites nothing; FIFO applies no filter, and deletes the oldest file
    /// when a state exceeds 1 GB, whatever is in it.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=2.2
    /// state.backend.type: rocksdb
    /// table.exec.state.ttl: 1 d
    /// state.backend.rocksdb.compaction.filter.periodic-compaction-time: 0 s
    /// ```
    ///
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// state.backend.type: rocksdb
    /// table.exec.state.ttl: 1 d
    /// state.backend.rocksdb.compaction.style: NONE
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=2.2
    /// state.backend.type: rocksdb
    /// table.exec.state.ttl: 1 d
    /// state.backend.rocksdb.compaction.filter.periodic-compaction-time: 1 d
    /// ```
    ///
    /// ### Sources
    /// - FLINK-30854: https://issues.apache.org/jira/browse/FLINK-30854, https://github.com/apache/flink/pull/21835.
    /// - FLINK-36149, the options of 2.0: https://github.com/apache/flink/pull/25257.
    /// - `RocksDbTtlCompactFiltersManager`: sets a periodic compaction in 1.19.3, none in 1.18.1.
    /// - RocksDB, FIFO compaction: https://github.com/meta/rocksdb/wiki/FIFO-compaction-style; style NONE:
    ///   `CompactionStyle` in `advanced_options.h`.
    "OOM418" "ttl-compaction" {
        fix: FixKind::Unsafe,
        check: check,
    }
}

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    let Some(store) = case.store() else { return };
    let Some(ttl) = case.find("table.exec.state.ttl").filter(Written::is_own) else { return };
    let Some(lives) = duration::millis(&ttl.text()).filter(|millis| *millis > 0) else { return };
    if !style(case, store, ttl, found) {
        periodic(case, store, ttl, lives, found);
    }
}

/// Whether the style of compaction removes nothing that has expired.
fn style(case: &Case<'_>, store: Store, ttl: Written<'_>, found: &mut Collector<'_>) -> bool {
    let option = case.store_key(store, "compaction.style");
    let Some(style) = case.find(&option).filter(Written::is_own) else { return false };
    let text = style.text().to_uppercase();
    let draft = match text.as_str() {
        "NONE" => found
            .find(format!("{}: {text} never removes what has expired", style.key))
            .at(style.place(), "no compaction at all")
            .note("a TTL is carried out by compaction alone; without any, no file is ever rewritten"),
        "FIFO" => found
            .find(format!("{}: {text} never removes what has expired, and drops state that has not", style.key))
            .severity(Severity::Error)
            .at(style.place(), "drops the oldest file")
            .note("FIFO applies no filter; it deletes the oldest file once a state holds 1 GB, whatever is in it"),
        _ => return false,
    };
    draft.at(ttl.place(), "the TTL").help(format!("set {}: LEVEL, or take the line out", style.key));
    true
}

/// Whether files that nobody writes to any more are visited.
fn periodic(case: &Case<'_>, store: Store, ttl: Written<'_>, lives: u64, found: &mut Collector<'_>) {
    let option = case.store_key(store, "compaction.filter.periodic-compaction-time");
    if case.option(&option).is_none() {
        if case.version().line() < (1, 19) {
            found
                .find(format!("Flink {} removes what has expired only from files that are rewritten", case.version()))
                .severity(Severity::Note)
                .confidence(Confidence::Medium)
                .at(ttl.place(), "the TTL")
                .note("files of keys that nobody writes any more keep what has expired (FLINK-30854)")
                .help("from Flink 1.19 on each file is visited once in 30 days");
        }
        return;
    }
    let Some(visits) = case.find(&option).filter(Written::is_own) else { return };
    let Some(millis) = duration::millis(&visits.text()) else { return };
    let own = ttl.text().into_owned();
    if millis == 0 {
        found
            .find(format!("{}: {} lets what has expired stay for good", visits.key, visits.text()))
            .at(visits.place(), "no file is visited")
            .at(ttl.place(), "the TTL")
            .note("files of keys that nobody writes any more are rewritten by nothing else")
            .help(format!("set {}: {own}, or take the line out: 30 days is the default", visits.key))
            .unsafe_fix(format!("set {}: {own}", visits.key), case.set(visits, &own));
    } else if millis > lives {
        found
            .find(format!("{}: {} keeps what expires after {own} for longer than it lives", visits.key, visits.text()))
            .severity(Severity::Note)
            .at(visits.place(), "each file is visited so often")
            .at(ttl.place(), "the TTL")
            .note(format!("a file holds up to {} of what has expired for each {own} that is alive", shown(millis)))
            .help(format!("set {}: {own}; each visit rewrites the file once", visits.key))
            .unsafe_fix(format!("set {}: {own}", visits.key), case.set(visits, &own));
    }
}

/// A duration in its largest whole unit.
fn shown(millis: u64) -> String {
    for (unit, name) in [(86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1000, "s")] {
        if millis.is_multiple_of(unit) {
            return format!("{} {name}", millis / unit);
        }
    }
    format!("{millis} ms")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use crate::check::tried::{codes, find};
    use crate::model::Severity;

    fn text(version: &str, lines: &str) -> String {
        let backend = if version < "1.17" { "state.backend" } else { "state.backend.type" };
        format!("# oomph: flink={version}\n{backend}: rocksdb\n{lines}\n")
    }

    #[rstest]
    #[case("2.2", "state.backend.rocksdb.compaction.filter.periodic-compaction-time: 0 s", false)]
    #[case("2.2", "state.backend.rocksdb.compaction.style: NONE", false)]
    #[case("2.2", "table.exec.state.ttl: 0 s\nstate.backend.rocksdb.compaction.style: NONE", false)]
    #[case("2.2", "table.exec.state.ttl: 1 d", false)]
    #[case("1.19", "table.exec.state.ttl: 1 d", false)]
    #[case("1.18", "table.exec.state.ttl: 1 d", true)]
    #[case("2.2", "table.exec.state.ttl: 1 d\nstate.backend.rocksdb.compaction.style: UNIVERSAL", false)]
    fn a_ttl_is_needed_and_something_against_it(#[case] version: &str, #[case] lines: &str, #[case] expected: bool) {
        assert_eq!(codes("x.yaml", &text(version, lines)).contains(&"OOM418"), expected);
    }

    #[test]
    fn fifo_drops_state() {
        let lines = "table.exec.state.ttl: 1 d\nstate.backend.rocksdb.compaction.style: fifo";
        assert_eq!(find("OOM418", "config.yaml", &text("1.20", lines)).severity, Severity::Error);
    }

    #[test]
    fn a_rare_visit_is_a_note() {
        let lines = "table.exec.state.ttl: 1 d\nstate.backend.rocksdb.compaction.filter.periodic-compaction-time: 30 d";
        let finding = find("OOM418", "config.yaml", &text("2.2", lines));
        assert!(finding.severity == Severity::Note && finding.notes[0].contains("30 d"), "{finding:?}");
        let shorter = lines.replace("30 d", "12 h");
        assert!(!codes("config.yaml", &text("2.2", &shorter)).contains(&"OOM418"));
    }

    #[test]
    fn forst_has_the_same_options() {
        let lines = "state.backend.type: forst\ntable.exec.state.ttl: 1 d\n\
                     state.backend.forst.compaction.filter.periodic-compaction-time: 0";
        assert!(codes("config.yaml", &format!("# oomph: flink=2.2\n{lines}\n")).contains(&"OOM418"));
    }
}
