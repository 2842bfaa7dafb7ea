//! One option over several values: a plan for each, so that a table shows what follows it. Functions over values.

mod axis;

pub use axis::{Axis, AxisError, MOST_ROWS};

use super::jvm::Machine;
use super::settings::Settings;
use super::{Backend, Question, Rejected, Survey, survey};
use crate::config::{Config, Value};
use crate::flink::profile::Profile;
use crate::model::{Place, Source};

/// The plan with one value of each option that varies.
#[derive(Clone, Debug)]
pub struct Row {
    /// The values, in the order of the axes.
    pub values: Vec<String>,
    /// What came out.
    pub outcome: Result<Survey, Rejected>,
}

/// A row for each value, or for each pair of values where two options vary: the first changes slowest.
pub fn rows(
    config: &Config,
    profile: &'static Profile,
    question: &Question,
    machine: Machine,
    axes: &[Axis],
) -> Vec<Row> {
    let mut combinations: Vec<Vec<&str>> = vec![Vec::new()];
    for axis in axes {
        combinations = combinations
            .iter()
            .flat_map(|before| axis.values.iter().map(|value| [&before[..], &[value.as_str()]].concat()))
            .collect();
    }
    combinations
        .into_iter()
        .map(|values| {
            let mut config = config.clone();
            for (axis, value) in axes.iter().zip(&values) {
                config.set(axis.key.clone(), Value::text(*value), Place::of(Source::Supposed));
            }
            let backend = Backend::of(&Settings::new(&config, profile));
            let question = Question { managed_backend: backend.takes_managed_memory(), ..question.clone() };
            Row {
                values: values.into_iter().map(str::to_owned).collect(),
                outcome: survey(&config, profile, &question, machine),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Component, Role, UseCase};
    use crate::plan::Deployment;
    use crate::plan::store::Store;

    #[test]
    fn two_options_that_vary_give_a_row_for_each_pair() {
        let mut config = Config::new();
        config.set("taskmanager.memory.process.size".into(), Value::text("4g"), Place::of(Source::Caller));
        let question = Question {
            role: Role::TaskManager,
            deployment: Deployment::Standalone,
            consumers: vec![UseCase::StateBackend],
            managed_backend: true,
            stores: vec![Store::RocksDb],
        };
        let axes: Vec<Axis> = ["taskmanager.memory.managed.fraction=0.1,0.9", "taskmanager.numberOfTaskSlots=1..2"]
            .iter()
            .map(|text| text.parse().unwrap())
            .collect();
        let machine = Machine { jdk: None, cores: None, collector: None };
        let rows = rows(&config, Profile::newest(), &question, machine, &axes);
        let values: Vec<String> = rows.iter().map(|row| row.values.join(" ")).collect();
        assert_eq!(values, ["0.1 1", "0.1 2", "0.9 1", "0.9 2"]);
        let managed = |row: &Row| row.outcome.as_ref().map(|s| s.plan.budget.size(Component::Managed)).ok();
        assert_eq!(managed(&rows[0]), managed(&rows[1]));
        // Nine tenths and the other parts are more than there is.
        assert!(managed(&rows[0]).is_some() && managed(&rows[2]).is_none());
    }
}
