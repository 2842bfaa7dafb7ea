use super::known::{self, Standing};
use crate::check::rule::rule;
use crate::check::{Case, Collector, FixKind, Written};
use crate::config::{Layer, Lost};
use crate::flink::options::Declared;
use crate::flink::profile::TaskmanagerModel;
use crate::model::{Place, Severity, Source};

rule! {
    /// Another key or another place decides, and this one has no effect.
    ///
    /// ### Why
    /// Where an option is set by its present name, an old name of it is not looked at; where a map is set as a whole, its
    /// entries as single keys are not; where network memory is given in bytes, a number of buffers is not; and what the
    /// environment or a resource sets lies over the file. Flink says nothing of it: whoever changes the weaker one changes
    /// nothing.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 4g
    /// taskmanager.memory.network.max: 512m
    /// taskmanager.network.memory.max: 256m
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 4g
    /// taskmanager.memory.network.max: 512m
    /// ```
    ///
    /// ### Sources
    /// - `Configuration.applyWithOption`, Flink 1.9 to 2.3: the proper key first.
    /// - `Configuration.getRawValueFromOption`, Flink 1.14 and later: prefixed keys of a map only where the key itself is not
    ///   set.
    /// - `TaskExecutorFlinkMemoryUtils.isUsingLegacyNetworkConfigs`, Flink 1.11 to 1.20.
    /// - `docker-entrypoint.sh` of the official images; `FlinkConfigBuilder.applyTaskManagerSpec` of the Kubernetes operator.
    "OOM108" "overridden-key" {
        severity: Severity::Warning,
        fix: FixKind::Safe,
        check: check,
    }
}

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    for (written, standing) in known::unusual(case) {
        match standing {
            Standing::Old(rows) => {
                let winner = |row: &&'static Declared| known::winner(case, row, written.key);
                let winners: Option<Vec<Written<'_>>> = rows.iter().map(winner).collect();
                if let Some(winner) = winners.as_ref().and_then(|winners| winners.first()) {
                    tell(case, found, written, *winner, "an old name is read only where no newer one is set");
                }
            }
            Standing::Entry(map) if case.profile().behaviour.prefixed_map_keys => {
                if let Some(winner) = case.exactly(map.key) {
                    tell(case, found, written, winner, "the map is set as a whole: its entries are not read");
                }
            }
            _ => {}
        }
    }
    number_of_buffers(case, found);
    other_places(case, found);
}

fn tell(case: &Case<'_>, found: &mut Collector<'_>, loser: Written<'_>, winner: Written<'_>, why: &str) {
    found
        .find(format!("{} has no effect beside {}", loser.key, winner.key))
        .at(&loser.key_place(), "not read")
        .at(winner.place(), "decides")
        .note(why)
        .help(format!("take {} out", loser.key))
        .safe_fix("take it out", case.remove(loser));
}

/// A number of buffers beside network memory in bytes.
fn number_of_buffers(case: &Case<'_>, found: &mut Collector<'_>) {
    let behaviour = &case.profile().behaviour;
    if !behaviour.number_of_buffers || behaviour.taskmanager_model != TaskmanagerModel::Unified {
        return;
    }
    let Some(loser) = case.exactly("taskmanager.network.numberOfBuffers").filter(known::is_typed) else { return };
    let bytes = ["min", "max", "fraction"].map(|end| format!("taskmanager.memory.network.{end}"));
    if let Some(winner) = bytes.iter().find_map(|key| case.find(key)) {
        tell(case, found, loser, winner, "a number of buffers counts only where network memory is not given in bytes");
    }
}

/// Settings of one file that another place lies over.
fn other_places(case: &Case<'_>, found: &mut Collector<'_>) {
    for written in case.settings() {
        let source = &written.place().source;
        let layer = written.setting.layer;
        let is_weaker = |lost: &&Lost| {
            lost.place.source != Source::Shipped && (lost.place.source != *source || lost.layer != layer)
        };
        let losers: Vec<&Place> = written.setting.overridden.iter().filter(is_weaker).map(|lost| &lost.place).collect();
        let Some(first) = losers.first() else { continue };
        // What Flink itself passes on to its processes repeats the file.
        let severity = if layer == Layer::Arguments { Severity::Note } else { Severity::Warning };
        let by = match layer {
            Layer::Resource => "the resource".to_owned(),
            Layer::Environment => "the environment".to_owned(),
            Layer::Arguments => "an argument".to_owned(),
            Layer::File | Layer::Shipped => source.to_string(),
        };
        let mut draft = found
            .find(format!("{} is set here, and {by} lies over it", written.key))
            .severity(severity)
            .at(first, "has no effect");
        for loser in &losers[1..] {
            draft = draft.at(loser, "has no effect");
        }
        draft.at(written.place(), format!("decides: {}", written.shown())).help("keep one of them");
    }
}

#[cfg(test)]
mod tests {
    use crate::check::edits::applied;
    use crate::check::tried::{codes, find};

    #[test]
    fn the_loser_is_taken_out() {
        let text = "# oomph: flink=1.20\nstate.checkpoints.dir: s3://a\nexecution.checkpointing.dir: s3://b\n";
        let finding = find("OOM108", "config.yaml", text);
        let fixed = applied(text, &finding.fix.unwrap().edits).unwrap();
        assert_eq!(fixed, "# oomph: flink=1.20\nexecution.checkpointing.dir: s3://b\n");
        assert!(!codes("config.yaml", text).contains(&"OOM104"));
    }

    #[test]
    fn a_map_as_a_whole_wins_over_its_entries() {
        let text = "# oomph: flink=1.20\ntaskmanager.memory.managed.consumer-weights: OPERATOR:70,PYTHON:30\n\
                    taskmanager.memory.managed.consumer-weights.PYTHON: 50\n";
        assert!(
            find("OOM108", "flink-conf.yaml", text)
                .title
                .starts_with("taskmanager.memory.managed.consumer-weights.PYTHON")
        );
    }

    #[test]
    fn buffers_count_only_without_bytes() {
        let buffers = "# oomph: flink=1.20\ntaskmanager.network.numberOfBuffers: 4096\n";
        assert!(!codes("flink-conf.yaml", buffers).contains(&"OOM108"));
        let both = format!("{buffers}taskmanager.memory.network.min: 128m\n");
        assert!(codes("flink-conf.yaml", &both).contains(&"OOM108"));
        let nineteen = both.replace("1.20", "1.9").replace("memory.network.min", "network.memory.min");
        assert!(!codes("flink-conf.yaml", &nineteen).contains(&"OOM108"));
    }

    #[test]
    fn a_resource_lies_over_the_configuration() {
        let text = "apiVersion: flink.apache.org/v1beta1\nkind: FlinkDeployment\nmetadata: {name: c}\nspec:\n  \
                    flinkVersion: v1_20\n  flinkConfiguration:\n    taskmanager.memory.process.size: 3g\n  \
                    taskManager: {resource: {memory: 4Gi, cpu: 1}}\n";
        let finding = find("OOM108", "c.yaml", text);
        assert_eq!(finding.line(), 7);
        assert!(!codes("c.yaml", text).contains(&"OOM102"));
    }

    #[test]
    fn the_environment_lies_over_the_file() {
        let text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: f}\ndata:\n  config.yaml: |\n    \
                    parallelism.default: 2\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  volumes: \
                    [{name: v, configMap: {name: f}}]\n  containers:\n  - name: flink\n    image: flink:1.20.1\n    \
                    args: [taskmanager]\n    env:\n    - {name: FLINK_PROPERTIES, value: \"parallelism.default: 4\"}\n";
        let finding = find("OOM108", "p.yaml", text);
        assert_eq!(finding.line(), 6);
        assert!(finding.title.contains("the environment lies over it"));
    }
}
