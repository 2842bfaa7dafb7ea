use crate::check::case::Written;
use crate::check::rule::rule;
use crate::check::{Case, Collector};
use crate::flink::leaks::{Component, Leak, Test};
use crate::plan::store::Store;

rule! {
    /// This release of Flink leaks memory with these settings.
    ///
    /// ### Why
    /// Some releases do not give back what RocksDB or ForSt takes. Memory then grows with each restart, each
    /// compaction or each read until the container is killed, and no size in the configuration helps. A finding names the
    /// setting that sets the leak off and the release that is without it. A version that names no patch release counts as the
    /// newest of its line.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=2.1.3
    /// state.backend.type: rocksdb
    /// state.backend.rocksdb.metrics.block-cache-hit: true
    /// ```
    ///
    /// ```yaml config.yaml
    /// # oomph: flink=1.20.4
    /// state.backend.type: rocksdb
    /// state.backend.rocksdb.manual-compaction.min-interval: 1 min
    /// ```
    ///
    /// ```yaml config.yaml
    /// # oomph: flink=2.2.1
    /// state.backend.type: forst
    /// table.exec.async-state.enabled: true
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=2.1.3
    /// state.backend.type: rocksdb
    /// state.backend.rocksdb.metrics.block-cache-usage: true
    /// ```
    ///
    /// ```yaml config.yaml
    /// # oomph: flink=1.20.5
    /// state.backend.type: rocksdb
    /// state.backend.rocksdb.manual-compaction.min-interval: 1 min
    /// ```
    ///
    /// ### Sources
    /// - The releases, triggers and threads of each leak: `profiles/leaks`, checked against the classes of the last patch
    ///   release of each line.
    /// - FLINK-39753, the compactor: https://github.com/apache/flink/pull/28251.
    /// - FLINK-39923, statistics: https://github.com/apache/flink/pull/28489.
    /// - FLINK-40327 and FLINK-40354, ForSt: https://github.com/apache/flink/pull/28985,
    ///   https://github.com/apache/flink/pull/29149.
    /// - FLINK-22886 and FLINK-21986, RocksDB before 1.13.2: https://github.com/apache/flink/pull/16234,
    ///   https://github.com/apache/flink/pull/15619.
    "OOM414" "known-leak" {
        check: check,
    }
}

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    let version = case.version();
    for leak in Leak::of(version) {
        let Some(triggers) = triggers(case, leak) else { continue };
        let Some(first) = triggers.first() else { continue };
        let mut draft = found
            .find(format!("Flink {version} leaks: {}", leak.title))
            .severity(leak.severity)
            .at(first.place(), format!("sets {} off", leak.id));
        for more in &triggers[1..] {
            draft = draft.at(more.place(), "");
        }
        let release = match (leak.fixed_in_line(version), leak.fixed_later(version)) {
            (Some(fixed), _) => format!("Flink {fixed} is the first of its line without it"),
            (None, Some(fixed)) => format!("no release of Flink {} is without it; {fixed} is", short(version)),
            (None, None) => "no release is known to be without it".to_owned(),
        };
        let threads = leak.sources.join(", ");
        draft.note(leak.growth).note(format!("{} ({threads}): {release}", leak.id)).help(leak.workaround);
    }
}

fn short(version: crate::flink::Version) -> String {
    let (major, minor) = version.line();
    format!("{major}.{minor}")
}

/// What sets a leak off here, in the order of its conditions; the backend where there are none. Nothing where one is missing.
fn triggers<'a>(case: &Case<'a>, leak: &Leak) -> Option<Vec<Written<'a>>> {
    let store = match leak.component {
        Component::RocksDb => Store::RocksDb,
        Component::ForSt => Store::ForSt,
        // What a recovery takes is a matter of the rules about checkpoints.
        Component::Recovery => return None,
    };
    let backend = case.backend_setting().filter(|written| written.is_own() && case.store() == Some(store))?;
    let holds = |option: &str, test: Test| case.value(option).is_some_and(|value| test.holds(&value));
    if !leak.all.iter().all(|condition| holds(condition.option, condition.test)) {
        return None;
    }
    let written = |option: &str| case.find(option).filter(Written::is_own);
    let mut found: Vec<Written<'_>> = leak.all.iter().filter_map(|condition| written(condition.option)).collect();
    if !leak.any.is_empty() {
        let before = found.len();
        let of_any = leak.any.iter().filter(|condition| holds(condition.option, condition.test));
        found.extend(of_any.filter_map(|condition| written(condition.option)));
        if found.len() == before {
            return None;
        }
    }
    if leak.all.is_empty() && leak.any.is_empty() {
        found.push(backend);
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use crate::check::tried::{checked, codes, find};
    use crate::model::Severity;

    fn of(text: &str) -> Vec<String> {
        let all = checked("config.yaml", text).findings;
        all.into_iter().filter(|finding| finding.code == "OOM414").map(|finding| finding.notes[1].clone()).collect()
    }

    #[test]
    fn a_line_stands_for_its_newest_release() {
        let text = "state.backend.type: rocksdb\nstate.backend.rocksdb.manual-compaction.min-interval: 1 min\n";
        assert!(of(&format!("# oomph: flink=1.20\n{text}")).is_empty());
        let notes = of(&format!("# oomph: flink=2.0\n{text}"));
        assert!(notes[0].ends_with("no release of Flink 2.0 is without it; 2.2.2 is"), "{notes:?}");
    }

    #[test]
    fn a_ticker_leaks_from_2_0_on_and_only_in_the_store_that_is_used() {
        let text = "state.backend.type: rocksdb\nstate.backend.rocksdb.metrics.bytes-read: true\n";
        assert!(of(&format!("# oomph: flink=1.20\n{text}")).is_empty());
        assert_eq!(of(&format!("# oomph: flink=2.3\n{text}")).len(), 1);
        assert!(of(&format!("# oomph: flink=2.3\n{}", text.replace("type: rocksdb", "type: hashmap"))).is_empty());
        let forst = text.replace("rocksdb", "forst");
        assert_eq!(of(&format!("# oomph: flink=2.3\n{forst}")).len(), 1);
    }

    #[test]
    fn every_ticker_that_is_on_is_shown() {
        let text = "# oomph: flink=2.3\nstate.backend.type: rocksdb\nstate.backend.rocksdb.metrics.bytes-read: true\n\
                    state.backend.rocksdb.metrics.stall-micros: true\nstate.backend.rocksdb.metrics.block-cache-hit: false\n";
        assert_eq!(find("OOM414", "config.yaml", text).labels.len(), 2);
    }

    #[test]
    fn forst_keeps_what_has_expired_only_with_asynchronous_state() {
        let text = "# oomph: flink=2.3\nstate.backend.type: forst\ntable.exec.state.ttl: 1 d\n";
        assert!(of(text).is_empty());
        let notes = of(&format!("{text}table.exec.async-state.enabled: true\n"));
        assert!(notes.len() == 2 && notes[1].contains("FLINK-40354"), "{notes:?}");
    }

    #[test]
    fn upload_threads_leak_by_default_in_1_13_and_where_they_are_set_before() {
        let text = "state.backend: rocksdb\nstate.backend.incremental: true\n";
        let with = |version: &str, more: &str| {
            let all = checked("flink-conf.yaml", &format!("# oomph: flink={version}\n{text}{more}")).findings;
            all.iter().any(|finding| finding.notes.iter().any(|note| note.contains("FLINK-22886")))
        };
        let threads = "state.backend.rocksdb.checkpoint.transfer.thread.num: 4\n";
        assert!(with("1.13.1", "") && !with("1.13.2", ""));
        assert!(!with("1.12.4", "") && with("1.12.4", threads) && !with("1.12.5", threads));
    }

    #[test]
    fn a_backend_alone_is_a_note_where_every_job_leaks() {
        let finding = find("OOM414", "flink-conf.yaml", "# oomph: flink=1.10\nstate.backend: rocksdb\n");
        assert_eq!(finding.severity, Severity::Note);
        assert!(!codes("flink-conf.yaml", "# oomph: flink=1.11\nstate.backend: rocksdb\n").contains(&"OOM414"));
    }
}
